"""The course's translator from English to French, for the grammar corpus. Shown in notebook 00, built in 07."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from course_lib.data.grammar import Pair
from course_lib.learning.batches import collate
from course_lib.learning.checkpoints import read, weights_of, write
from course_lib.learning.losses import translation
from course_lib.learning.training import History, Task, TrainingSettings, evaluating, train
from course_lib.pretrained.trained_weights import build_with_weights
from course_lib.scoring.baselines import diagonal
from course_lib.scoring.metrics import alignment_error_rate, alignment_from_weights
from course_lib.text.vocabulary import Vocabulary
from course_lib.text.words import WordTokenizer, join, words
from course_lib.transformer.attention import watch_attention
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.choose import greedy

FILE = Path(__file__).with_name("translator.safetensors")
ENDS = frozenset(".!?…")

SIZES: dict[str, Any] = dict(d_model=64, heads=4, d_ff=128, layers=2, dropout=0.05, max_length=24)
SETTINGS = TrainingSettings(
    epochs=6, learning_rate=5e-3, schedule="cosine", warmup=200, batch_tokens=1024, label_smoothing=0.05
)


class UnknownWords(ValueError):
    """A sentence has words that the translator has never seen. `words` lists them."""

    def __init__(self, unknown: list[str], known: tuple[str, ...]) -> None:
        self.words = unknown
        named = " or ".join(repr(word) for word in unknown)
        close = [near for word in unknown for near in difflib.get_close_matches(word, known, n=2, cutoff=0.7)]
        hint = f" Do you mean {' or '.join(map(repr, dict.fromkeys(close)))}?" if close else ""
        super().__init__(
            f"I have never seen {named}, and I do not guess.{hint} I know {len(known)} English words: "
            "translator.english_words lists them"
        )


@dataclass(frozen=True, eq=False)
class Translation:
    """A translated sentence with its attention weights: S English words, T French words.

    Args:
        source: the English words.
        target: the French words.
        weights: the attention of each French word at the step that chose it, averaged over the heads of the last layer,
            (T, S); each row adds up to 1.
        heads: the cross-attention of every layer and head, (layers, H, T, S).
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: Tensor
    heads: Tensor

    @property
    def text(self) -> str:
        """The French sentence."""
        return join(self.target)


class Translator:
    """A trained Transformer with the tokenizers of its two languages."""

    def __init__(self, model: Any, english: WordTokenizer, french: WordTokenizer) -> None:
        self.model, self.english, self.french = model, english, french

    @property
    def english_words(self) -> tuple[str, ...]:
        """All words that it can read, in alphabetical order."""
        return tuple(sorted(self.english.words))

    def translate(self, sentence: str) -> str:
        """Translate one English sentence.

        Capital letters, commas and final punctuation are ignored.

        Raises:
            UnknownWords: some words are not in `english_words`; the message names them.
            ValueError: it has no words, or too many, or is more than one sentence.
            TypeError: it is not a string.

        >>> load_translator().translate("The detective investigated.")
        'le détective a enquêté'
        """
        (target,) = self.translate_words([self._read(sentence)])
        return join(target)

    def translation(self, sentence: str) -> Translation:
        """Translate one English sentence, with the attention of each French word. Raises as `translate` does."""
        source = self._read(sentence)
        (target,) = self.translate_words([source])
        heads = self.cross_attention([source], [target])[0]  # (layers, H, T, S)
        return Translation(tuple(source), target, heads[-1].mean(dim=0), heads)

    def translate_words(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """Translate many sentences at once, each a list of English words; returns the French words of each.

        Unlike `translate`, it accepts unknown words.
        """
        sources = [self.english.encode(sentence) for sentence in sentences]
        rows = greedy(self.model, sources, bos=self.french.bos, stop=[self.french.eos])
        return [tuple(self.french.decode_words(ids)) for ids in rows]

    def cross_attention(self, sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> list[Tensor]:
        """Measure the attention of each word of given translations at the step that predicts it.

        Takes the English and the French words of each sentence. Returns (layers, H, T, S) for each sentence.
        """
        device = next(self.model.parameters()).device
        pairs = list(zip(sources, targets, strict=True))
        rows = [
            (self.english.encode(source), [self.french.bos, *self.french.encode(target)[:-1]])
            for source, target in pairs
        ]
        with evaluating(self.model), watch_attention(self.model) as readings:
            self.model(*collate(rows, self.english.pad, device))
        layers = [reading.weights for name, reading in readings.items() if name.endswith("cross_attention")]
        if not layers:
            raise ValueError(
                "this model's attention does not keep the weights that it computes, so they cannot be shown"
            )
        heads = torch.stack(layers, dim=1).cpu()  # (B, layers, H, T, S)
        return [weights[:, :, : len(t), : len(s)] for weights, (s, t) in zip(heads, pairs, strict=True)]

    def alignment_errors(self, pairs: Sequence[Pair]) -> dict[str, float]:
        """Give the alignment error rate of each cross-attention head, of each layer's average, and of the diagonal."""
        watched = self.cross_attention([pair.english for pair in pairs], [pair.french for pair in pairs])
        gold = [pair.alignment for pair in pairs]
        errors = {"diagonal": alignment_error_rate([diagonal(pair) for pair in pairs], gold)}
        layers, heads = watched[0].shape[:2]
        for layer in range(layers):
            for head in range(heads):
                links = [alignment_from_weights(weights[layer, head]) for weights in watched]
                errors[f"layer {layer}, head {head}"] = alignment_error_rate(links, gold)
            links = [alignment_from_weights(weights[layer].mean(dim=0)) for weights in watched]
            errors[f"layer {layer}, average"] = alignment_error_rate(links, gold)
        return errors

    def _read(self, sentence: str) -> list[str]:
        if not isinstance(sentence, str):
            raise TypeError(f"I translate one sentence, a string such as 'the king slept', but got {sentence!r}")
        source = [word for word in words(sentence) if word != ","]
        while source and source[-1] in ENDS:
            source.pop()
        if not source:
            raise ValueError(f"there are no words in {sentence!r}: try 'the detective investigated'")
        if inside := ENDS.intersection(source):
            raise ValueError(f"I translate one sentence at a time, but there is {min(inside)!r} inside {sentence!r}")
        if unknown := self.english.unknown(source):
            raise UnknownWords(unknown, self.english_words)
        longest = self.model.config.max_length
        if len(source) > longest:
            raise ValueError(f"the sentence has {len(source)} words, and I read {longest} at most: make it shorter")
        return source

    def save(self, path: Path, recipe: dict[str, Any]) -> None:
        """Write weights and vocabularies to one file, with the recipe that made them."""
        vocabularies = {"english": self.english.words, "french": self.french.words}
        write(path, weights_of(self.model), {"config": asdict(self.model.config), **vocabularies, "recipe": recipe})


def train_translator(pairs: Sequence[Pair], settings: TrainingSettings = SETTINGS) -> tuple[Translator, History]:
    """Train a new translator on the CPU, on one thread. The same pairs and settings give the same translator."""
    english = WordTokenizer.from_sentences(pair.english for pair in pairs)
    french = WordTokenizer.from_sentences(pair.french for pair in pairs)
    examples = [(english.encode(pair.english), [french.bos, *french.encode(pair.french), french.eos]) for pair in pairs]
    task = Task(examples, partial(translation, pad=french.pad), pad=french.pad)
    config = TransformerConfig(vocabulary=len(english), target_vocabulary=len(french), pad=english.pad, **SIZES)
    with torch.random.fork_rng([]), _one_thread():
        torch.manual_seed(settings.seed)
        model = build_transformer(config)
        history = train(model, task, settings, device="cpu")
    return Translator(model, english, french), history


@contextmanager
def _one_thread() -> Iterator[None]:
    """Make torch use a single thread, so that sums are rounded in the same way everywhere.

    Matrices as small as these gain little from more threads, and with more threads than free cores training takes many
    times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@lru_cache
def load_translator(device: str = "cpu", parts: Parts = COURSE) -> Translator:
    """Load the translator that `course_lib.recipes.train_translator` trained; a repeated call returns the same object.

    Takes the device ("cpu", "cuda", "mps"), and the parts from which the model is built.
    """
    tensors, note = read(FILE)
    model = build_with_weights(build_transformer, TransformerConfig(**note["config"]), parts, tensors, FILE)
    english, french = (WordTokenizer(Vocabulary(note[language])) for language in ("english", "french"))
    return Translator(model.to(device).eval(), english, french)
