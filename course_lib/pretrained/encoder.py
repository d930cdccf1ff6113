"""A real pretrained encoder, whose weights are loaded into the course's own `Encoder`.

The model is all-MiniLM-L6-v2: a BERT of 6 layers, 384 wide, of the MiniLM kind (Wang et al. 2020, arXiv:2002.10957).
It was fine-tuned on a billion pairs of texts that belong together, so that texts of similar meaning get similar
vectors, as in Reimers and Gurevych 2019, arXiv:1908.10084. Notebook 00 compares sentences with it, 01 uses its word
vectors, 02 shows its heads, and 05 puts its weights into the learner's own encoder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from heapq import nlargest
from operator import itemgetter

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from course_lib import data
from course_lib.data.errors import broken_file
from course_lib.learning.batches import pad_rows
from course_lib.learning.training import best_device
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.text.pretrained import PretrainedTokenizer
from course_lib.transformer.build import COURSE, Parts, build_encoder
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import Encoder
from course_lib.transformer.watching import watch_attention

DATA_SET = "pretrained-encoder"
CONFIG = TransformerConfig.bert(d_model=384, d_ff=1536, layers=6)
SPECIAL_TOKENS = {"pad": "[PAD]", "bos": "[CLS]", "eos": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"}

HUGGING_FACE_TO_OURS = (  # replaced in this order: a longer name comes before one that it contains
    ("embeddings.word_embeddings.weight", "table"),
    ("embeddings.position_embeddings.weight", "embed.positions.table"),
    ("embeddings.token_type_embeddings.weight", "embed.segments"),
    ("embeddings.LayerNorm", "embed.norm"),
    ("encoder.layer.", "layers."),
    ("attention.self.query", "self_attention.W_q"),
    ("attention.self.key", "self_attention.W_k"),
    ("attention.self.value", "self_attention.W_v"),
    ("attention.output.dense", "self_attention.W_o"),
    ("attention.output.LayerNorm", "norm_1"),
    ("intermediate.dense", "feed_forward.W_1"),
    ("output.dense", "feed_forward.W_2"),
    ("output.LayerNorm", "norm_2"),
    ("norm_1.weight", "norm_1.gain"),
    ("norm_2.weight", "norm_2.gain"),
    ("embed.norm.weight", "embed.norm.gain"),
)
UNUSED = (
    "pooler.dense.weight",  # for BERT's next-sentence task; a sentence's vector here is the mean of its tokens
    "pooler.dense.bias",
    "embeddings.position_ids",  # 0, 1, 2, …: our encoder takes the rows of the position table in their order
)


def our_name(name: str) -> str:
    """Translate the name of a tensor in Hugging Face's BERT into the name of the same tensor in our `Encoder`.

    >>> our_name("encoder.layer.5.attention.self.query.weight")
    'layers.5.self_attention.W_q.weight'
    >>> our_name("encoder.layer.5.output.LayerNorm.bias")
    'layers.5.norm_2.bias'
    """
    for theirs, ours in HUGGING_FACE_TO_OURS:
        name = name.replace(theirs, ours)
    return name


def our_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of a BERT our names, and leave out those that an `Encoder` does not use."""
    return {our_name(name): tensor for name, tensor in tensors.items() if name not in UNUSED}


@dataclass(frozen=True, eq=False)
class PretrainedEncoder:
    """The encoder with its tokenizer: sentences in, vectors out. Made by `load_encoder`.

    Text is converted to lower case without accents, and cut into word pieces; a piece that continues a word starts with
    "##". [CLS] precedes and [SEP] follows each sentence, and both count towards its length S.

    The model was fine-tuned on texts of up to 128 pieces and has positions for 512. A longer text raises an error,
    whereas sentence-transformers silently cuts texts off after 256 pieces.
    """

    encoder: Encoder
    tokenizer: PretrainedTokenizer = field(repr=False)

    def tokenize(self, text: str) -> list[str]:
        """Cut a text into word pieces, between [CLS] and [SEP]."""
        return [self.tokenizer.token(number) for number in self._ids(text)]

    def ids(self, sentences: Sequence[str]) -> Tensor:
        """Give the ids of the pieces of B sentences: (B, S), shorter ones padded on the right.

        Raises TypeError for a string in place of a list, ValueError for an empty list or a text of over 512 pieces.
        """
        if isinstance(sentences, str):
            raise TypeError(f"expected a list of sentences, but got the string {sentences!r}: put it in a list")
        if not sentences:
            raise ValueError("expected at least one sentence, but the list is empty")
        rows = [self._ids(sentence) for sentence in sentences]
        longest, sentence = max(zip(map(len, rows), sentences, strict=True))
        if longest > CONFIG.max_length:
            most = f"this encoder reads at most {CONFIG.max_length}: give it a shorter text"
            raise ValueError(f"{sentence[:30]!r}… has {longest} word pieces, but {most}")
        return pad_rows(rows, self.tokenizer.pad, self.encoder.table.device)  # (B, S)

    def rows(self, texts: Sequence[str], length: int) -> Tensor:
        """Cut texts into rows of `length` pieces, each between [CLS] and [SEP]: (rows, length).

        What is left at the end of a text and does not fill a row is left out. Raises ValueError for a length below 3.
        """
        if not 3 <= length <= CONFIG.max_length:
            raise ValueError(f"length should be from 3 to {CONFIG.max_length}, but is {length}")
        room, rows = length - 2, list[list[int | None]]()
        for text in texts:
            ids = self.tokenizer.encode(text)
            for start in range(0, len(ids) - room + 1, room):
                rows.append([self.tokenizer.bos, *ids[start : start + room], self.tokenizer.eos])
        return torch.tensor(rows, dtype=torch.long).view(-1, length)

    def _ids(self, sentence: str) -> list[int]:
        ids = [self.tokenizer.bos, *self.tokenizer.encode(sentence), self.tokenizer.eos]
        return [number for number in ids if number is not None]

    @torch.no_grad()
    def hidden_states(self, sentences: Sequence[str]) -> Tensor:
        """Give each piece's vector after the last layer, (B, S, 384). The vectors of padding are meaningless."""
        hidden: Tensor = self.encoder(self.ids(sentences))
        return hidden

    @torch.no_grad()
    def embed(self, sentences: Sequence[str]) -> Tensor:
        """Give each sentence a vector of length 1, (B, 384): the mean of its pieces' hidden states, normalised.

        The dot product of two such vectors is their cosine. As in sentence-transformers for this model, the mean
        includes [CLS] and [SEP] but not padding.
        """
        hidden = self.hidden_states(sentences)  # (B, S, 384)
        lengths = [len(self._ids(sentence)) for sentence in sentences]
        means = [states[:length].mean(dim=0) for states, length in zip(hidden, lengths, strict=True)]
        return F.normalize(torch.stack(means), dim=-1)

    @torch.no_grad()
    def attention(self, sentence: str) -> tuple[list[str], Tensor]:
        """Give a sentence's S pieces, and the attention weights between them, (layers, H, S, S)."""
        with watch_attention(self.encoder) as readings:
            self.encoder(self.ids([sentence]))
        weights = [reading.weights[0] for reading in readings.values()]  # (H, S, S) in each layer
        return self.tokenize(sentence), torch.stack(weights)

    def word_vector(self, word: str) -> Tensor:
        """Give a word's row of the embedding table, (384,): its vector before any layer adds context.

        Raises ValueError for a word that has no row of its own, because it is cut into pieces or not known at all.
        """
        return self.encoder.table[self._row(word)].detach().clone()

    def neighbours(self, word: str, k: int = 5) -> list[tuple[str, float]]:
        """Name the `k` other words whose rows of the embedding table are most similar to its row, with their cosines.

        Pieces of words, punctuation and special tokens are left out. Raises ValueError as `word_vector` does.
        """
        row = self._row(word)
        table = F.normalize(self.encoder.table.detach(), dim=-1)  # (V, 384)
        cosines = (table @ table[row]).tolist()  # V of them
        pieces = map(self.tokenizer.token, range(len(self.tokenizer)))
        words = ((piece, cosines[i]) for i, piece in enumerate(pieces) if piece.isalnum() and i != row)
        return nlargest(k, words, key=itemgetter(1))

    def _row(self, word: str) -> int:
        ids = self.tokenizer.encode(word)
        if len(ids) != 1:
            pieces = [self.tokenizer.token(number) for number in ids]
            raise ValueError(f"{word!r} has no row of its own in the table: it is cut into {pieces}")
        if ids[0] == self.tokenizer.unk:
            raise ValueError(f"{word!r} has no row of its own in the table: this encoder does not know it")
        return ids[0]


def load_encoder(device: torch.device | str | None = None, parts: Parts = COURSE) -> PretrainedEncoder:
    """Read the pretrained encoder from the course's data; nothing is downloaded.

    Takes the device ("cpu", "cuda", "mps"; None for the best available one), and the parts from which it is built.

    Raises:
        DataMissing: the data is not on this computer yet; the message says which command fetches it.
        DataBroken: one of its files is missing, truncated or corrupt.
    """
    folder = data.path(DATA_SET)
    file = folder / "model.safetensors"
    try:
        # Building an encoder draws random weights, which are replaced here; the caller's random state does not change.
        with torch.random.fork_rng(devices=[]):
            encoder = build_with_weights(build_encoder, CONFIG, parts, our_weights(load_file(file)), file)
    except (SafetensorError, ValueError) as error:
        raise broken_file(DATA_SET, "pretrained encoder", file.name, error) from error
    try:
        tokenizer = PretrainedTokenizer.from_file(folder / "tokenizer.json", **SPECIAL_TOKENS)
    except ValueError as error:
        raise broken_file(DATA_SET, "pretrained encoder", "tokenizer.json", error) from error
    return PretrainedEncoder(encoder.eval().to(device or best_device()), tokenizer)


@cache
def _shared_encoder() -> PretrainedEncoder:
    return load_encoder()


def similarity(a: str, b: str) -> float:
    """Measure how similar two sentences are in meaning: the cosine of their vectors, 1 for the same sentence.

    Unrelated sentences score near 0. The first call loads the encoder. Raises as `load_encoder` does.
    """
    first, second = _shared_encoder().embed([a, b]).cpu().double()  # Apple's GPU has no float64
    return float(F.cosine_similarity(first, second, dim=0).clamp(-1, 1))
