"""A real language model of today, whose weights are loaded into the course's parts or a learner's. Used in notebook 14.

The model is SmolLM2-135M-Instruct (Allal et al. 2025, arXiv:2502.02737): a Llama of 30 layers, 576 wide, with 9 heads
of queries and 3 of keys and values, trained on 2 trillion tokens and then on conversations. Its file holds the matrices
of the layers in four bits per number.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import data
from course_lib.data.errors import broken_file
from course_lib.pretrained.gguf_files import ModelFile
from course_lib.pretrained.quantization import unpack_q4_1
from course_lib.pretrained.trained_weights import empty_model, fitting_parts
from course_lib.text.chat import chat_prompt
from course_lib.text.pretrained import PretrainedTokenizer
from course_lib.text.streaming import stream_text
from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.build import COURSE, Parts, build_language_model
from course_lib.transformer.cache import by_columns, store_side_by_side
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.layers import FusedSwiGLU
from course_lib.transformer.models import LanguageModel
from course_lib.writing.choose import Choice, likeliest, write_tokens

DATA_SET = "pretrained-decoder"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
END_OF_TEXT = "<|endoftext|>"

GGUF_TO_OURS = {
    "token_embd.weight": "table",
    "output_norm.weight": "final_norm.gain",
    "output.weight": "output_table",
    "attn_norm.weight": "norm_1.gain",
    "attn_q.weight": "self_attention.W_q.weight",
    "attn_k.weight": "self_attention.W_k.weight",
    "attn_v.weight": "self_attention.W_v.weight",
    "attn_output.weight": "self_attention.W_o.weight",
    "ffn_norm.weight": "norm_2.gain",
    "ffn_gate.weight": "feed_forward.W_gate.weight",
    "ffn_up.weight": "feed_forward.W_1.weight",
    "ffn_down.weight": "feed_forward.W_2.weight",
}


def our_name(name: str) -> str:
    """Translate the name of a weight in a GGUF file into that in our `LanguageModel`.

    >>> our_name("blk.5.attn_q.weight")
    'layers.5.self_attention.W_q.weight'
    """
    layer = re.match(r"blk\.(\d+)\.", name)
    if layer is None:
        return GGUF_TO_OURS[name]
    return f"layers.{layer[1]}.{GGUF_TO_OURS[name[layer.end() :]]}"


def config_of(about: Mapping[str, Any]) -> TransformerConfig:
    """Read the sizes of a Llama from what its GGUF file says.

    Raises ValueError for a model of another kind.
    """
    if about.get("general.architecture") != "llama":
        raise ValueError(f"expected a Llama, but the file holds a model of kind {about.get('general.architecture')!r}")
    return TransformerConfig.llama(
        vocabulary=int(about["llama.vocab_size"]),
        d_model=int(about["llama.embedding_length"]),
        heads=int(about["llama.attention.head_count"]),
        kv_heads=int(about["llama.attention.head_count_kv"]),
        d_ff=int(about["llama.feed_forward_length"]),
        layers=int(about["llama.block_count"]),
        max_length=int(about["llama.context_length"]),
        rotary_base=float(about["llama.rope.freq_base"]),
        norm_eps=round(float(about["llama.attention.layer_norm_rms_epsilon"]), 9),  # a float32 in the file
    )


def halves_from_neighbours(weight: Tensor, heads: int) -> Tensor:
    """Put the rows of a W_q or W_k in another order, (heads * d_k, d_model), for a rotation of halves.

    GGUF files keep the two features that are rotated together as neighbours, as in the paper; Llama's own weights, and
    the course's `rotary`, pair feature i with feature i + d_k / 2. The values are not rotated, so W_v stays as it is.

    >>> halves_from_neighbours(torch.tensor([[0], [100], [1], [101]]), heads=1).flatten()
    tensor([  0,   1, 100, 101])
    """
    pairs = weight.reshape(heads, -1, 2, *weight.shape[1:])  # (heads, d_k / 2, 2, d_model)
    return pairs.transpose(1, 2).reshape(weight.shape)


def our_weights(file: ModelFile, config: TransformerConfig) -> Iterator[tuple[str, Tensor]]:
    """Give the weights of a file our names, and the order of features that our `rotary` expects, one at a time."""
    heads = {"W_q": config.heads, "W_k": config.kv_heads or config.heads}
    for name, weight in file.weights():
        ours = our_name(name)
        part = ours.rpartition(".weight")[0][-3:]
        yield ours, halves_from_neighbours(weight, heads[part]) if part in heads else weight


@dataclass(frozen=True, eq=False)
class PretrainedDecoder:
    """The language model with its tokenizer, and what its file says. Made by `load_decoder`.

    Attributes:
        model: the language model.
        tokenizer: turns texts into its ids.
        system: what its conversations begin with, unless told otherwise.
    """

    model: LanguageModel
    tokenizer: PretrainedTokenizer = field(repr=False)
    system: str = field(repr=False)

    @property
    def stop(self) -> list[int]:
        """The ids that end a text, or a turn of a conversation."""
        end = self.tokenizer.library.token_to_id(END_OF_TEXT)
        return [number for number in (self.tokenizer.eos, end) if number is not None]

    @torch.no_grad()
    def logits(self, ids: Sequence[int]) -> Tensor:
        """Give the logits of each next token of a text, (T, V)."""
        device = next(self.model.parameters()).device
        logits: Tensor = self.model(torch.tensor([list(ids)], device=device))[0]
        return logits

    def log_probabilities(self, ids: Sequence[int]) -> Tensor:
        """Give ln p of each token of a text but the first, (T - 1,)."""
        logits = self.logits(ids)[:-1]  # (T - 1, V)
        return -F.cross_entropy(logits, torch.tensor(list(ids[1:]), device=logits.device), reduction="none")

    def write(self, text: str, max_length: int, *, choose: Choice = likeliest, use_cache: bool = True) -> Iterator[str]:
        """Continue a text: give it piece by piece, as it is written, until it ends or has `max_length` tokens more.

        Args:
            text: how it begins; special tokens such as "<|im_start|>" are understood.
            max_length: most tokens to write.
            choose: `likeliest`, or a `sampler(...)` of `course_lib.writing`.
            use_cache: whether keys and values are kept; layers that are not the course's cannot keep them.
        """
        ids = self.tokenizer.encode(text) or self.stop[-1:]
        new = write_tokens(self.model, ids, max_length, choose=choose, stop=self.stop, use_cache=use_cache)
        return stream_text(self.tokenizer, new)

    def answer(self, messages: Sequence[Mapping[str, str]], max_length: int, **how: Any) -> Iterator[str]:
        """Take a turn in a conversation: `messages` as `chat_prompt` has them, and the rest as in `write`."""
        return self.write(chat_prompt(messages, self.system), max_length, **how)


def load_decoder(
    parts: Parts = COURSE,
    *,
    cached: bool = True,
    unpack: Callable[[Tensor], Tensor] = unpack_q4_1,
    path: Path | None = None,
) -> PretrainedDecoder:
    """Read the pretrained language model from the course's data; nothing is downloaded.

    Args:
        parts: the parts from which it is built.
        cached: whether it has to write with a key–value cache. Then its layers and attentions are the course's, from
            the smaller parts that were handed in; otherwise a `LlamaLayer` in `parts` is used too.
        unpack: what unpacks its weights of four bits.
        path: a GGUF file of another Llama whose tokens are byte pairs; None: the course's.

    Raises:
        DataMissing: the data is not on this computer yet; the message says which command fetches it.
        DataBroken: its file is missing, truncated or corrupt.
    """
    path = data.path(DATA_SET) / FILE if path is None else path
    try:
        file = ModelFile(path, unpack)
        config = config_of(file.about)
    except (ValueError, KeyError) as error:
        raise broken_file(DATA_SET, "pretrained language model", path.name, error) from error
    if cached:
        parts = replace(parts, LlamaLayer=COURSE.LlamaLayer, MultiHeadAttention=COURSE.MultiHeadAttention)
    model = empty_model(build_language_model, config, fitting_parts(build_language_model, config, parts))
    if wrong := _misfits(file, model):
        lack = ValueError(f"it lacks {wrong[0]}, or holds it with another shape")
        raise broken_file(DATA_SET, "pretrained language model", path.name, lack)
    _put_in(file, config, model)
    return PretrainedDecoder(model.eval(), tokenizer_of(file.about), _system(file.about))


def _misfits(file: ModelFile, model: LanguageModel) -> list[str]:
    """Name the weights of a model that a file does not hold, or holds with another shape."""
    in_file = {our_name(name): file.shape(name) for name in file.names()}
    return [name for name, weight in model.state_dict().items() if in_file.get(name) != weight.shape]


def _put_in(file: ModelFile, config: TransformerConfig, model: LanguageModel) -> None:
    """Put the weights of a file into a model, one by one, so that they are in memory once and no more.

    They are stored as a cache reads them fastest, so that it makes no copies: matrices by columns, and those of maps
    that read the same side by side.
    """
    own = model.state_dict(keep_vars=True)
    for name, weight in our_weights(file, config):
        own[name].data = (by_columns(weight) if weight.dim() == 2 else weight).to(own[name].dtype)
    for part in model.modules():
        if isinstance(part, MultiHeadAttention):
            store_side_by_side((part.W_q, part.W_k, part.W_v))
        elif isinstance(part, FusedSwiGLU):
            store_side_by_side((part.W_gate, part.W_1))


def tokenizer_of(about: Mapping[str, Any]) -> PretrainedTokenizer:
    """Make the tokenizer from the vocabulary and the merges in a GGUF file. Raises ValueError for another kind."""
    tokens, kinds = about["tokenizer.ggml.tokens"], about["tokenizer.ggml.token_type"]
    control = 3  # llama.cpp's number for tokens that stand for no part of a text
    return PretrainedTokenizer.from_merges(
        tokens,
        merges_of(about),
        special=[token for token, kind in zip(tokens, kinds, strict=True) if kind == control],
        cut=str(about["tokenizer.ggml.pre"]),
        bos=int(about["tokenizer.ggml.bos_token_id"]),
        eos=int(about["tokenizer.ggml.eos_token_id"]),
    )


def merges_of(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Read the merges in a GGUF file, in the order in which they were learned.

    >>> merges_of({"tokenizer.ggml.merges": ["Ġ t", "i n"]})
    [('Ġ', 't'), ('i', 'n')]
    """
    return [tuple(merge.split(" ")) for merge in about["tokenizer.ggml.merges"]]


def _system(about: Mapping[str, Any]) -> str:
    """Find in the chat template what the model is told first; "" where it is told nothing."""
    told = re.search(r"<\|im_start\|>system\n(.*?)<\|im_end\|>", str(about.get("tokenizer.chat_template", "")), re.S)
    return told[1] if told else ""
