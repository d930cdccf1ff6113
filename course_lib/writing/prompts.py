"""What greedy decoding, sampling and beam search share: they check what they were asked for, and read the prompts."""

import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.learning.batches import pad_rows
from course_lib.transformer.models import Encoder, LanguageModel, MaskedLanguageModel, Transformer
from course_lib.writing.cache import CachedModel, UncachedModel, can_cache

ROWS_AT_ONCE = 256

Model = LanguageModel | Transformer
Reader = CachedModel | UncachedModel
Prompts = Sequence[Sequence[int]] | Tensor


@dataclass(frozen=True)
class Request:
    """What is to be written, checked, and completed with what the model says of itself. Made by `request`."""

    model: Model
    prompts: Prompts
    length: int  # most tokens to write for each prompt
    bos: int | None
    stop: frozenset[int]
    pad: int | None
    translates: bool  # whether the model is an encoder–decoder, which translates its prompts
    reader: type[Reader]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Give so many prompts at a time: ids (B, S), and where they are padding, (B, S), or None for nowhere."""
        for start in range(0, len(self.prompts), size):
            prompts = self.prompts[start : start + size]
            if isinstance(prompts, Tensor):
                yield prompts.to(self.device), None
                continue
            lengths = torch.tensor([len(ids) for ids in prompts], device=self.device)  # (B,)
            # A language model is told where the padding is, so any id that it knows will do.
            ids = pad_rows(prompts, self.pad if self.translates else prompts[0][0], self.device)  # (B, S)
            padding = torch.arange(ids.size(1), device=self.device) >= lengths[:, None]  # (B, S)
            yield ids, padding if padding.any() else None

    def begin(self, ids: Tensor, padding: Tensor | None) -> tuple[Reader, Tensor]:
        """Read a batch of prompts. Returns what reads on, and the logits (B, V) of the first token to write."""
        if not self.translates:
            reader = self.reader(self.model, ids.size(1) + self.length)
            return reader, reader.read(ids, padding)
        reader = self.reader(self.model, self.length + 1, ids)
        return reader, reader.read(ids.new_full((len(ids), 1), self.bos))  # type: ignore[arg-type]


def request(
    model: Model,
    prompts: Prompts,
    max_length: int | None,
    *,
    bos: int | None,
    stop: Sequence[int],
    pad: int | None,
    use_cache: bool,
) -> Request:
    """Check what a writer was asked for; its arguments are those of `greedy`.

    This is the one place that looks at what kind of model it is: whether it can `encode` and `decode`, as an
    encoder–decoder does, and what its `config` says, if it has one.
    """
    if isinstance(model, Encoder | MaskedLanguageModel):
        raise TypeError(
            f"a {type(model).__name__} cannot write, because it reads a text from both sides: use a LanguageModel or a "
            "Transformer"
        )
    config = getattr(model, "config", None)
    translates = hasattr(model, "encode")
    length = _length(max_length, getattr(config, "max_length", None), translates)
    _check_prompts(prompts, getattr(config, "vocabulary", math.inf), translates)
    if translates and bos is None:
        raise ValueError("a translation starts with a special id: say which, such as bos=tokenizer.bos")
    return Request(
        model=model,
        prompts=prompts,
        length=length,
        bos=bos,
        stop=_stop_ids(stop),
        pad=getattr(config, "pad", None) if pad is None else pad,
        translates=translates,
        reader=CachedModel if use_cache and can_cache(model) else UncachedModel,
    )


def check_logits(logits: Tensor) -> None:
    """Refuse, with a FloatingPointError, logits (..., V) from which no token can be chosen.

    Those that contain NaN or an infinite number, or of which all are minus infinity, have no probabilities.
    """
    largest = logits.amax(dim=-1)
    if not all(map(math.isfinite, largest.flatten().tolist())):
        worst = largest[~largest.isfinite()][0].item()
        raise FloatingPointError(
            f"no token can be chosen: the largest of the model's logits is {worst}. Perhaps a weight of the model is "
            "not a number, or all tokens were ruled out"
        )


def _length(max_length: int | None, positions: int | None, translates: bool) -> int:
    """Give the most tokens to write. A translation never outgrows the model's positions; other texts slide on."""
    if max_length is None:
        if positions is None:
            raise ValueError("say how many tokens to write at most, max_length=…: this model does not say it")
        return positions
    if not hasattr(max_length, "__index__") or max_length < 0:
        raise ValueError(f"max_length says how many tokens to write at most, 0 or more, but is {max_length!r}")
    return int(min(max_length, positions) if translates and positions is not None else max_length)


def _stop_ids(stop: Sequence[int]) -> frozenset[int]:
    """Collect the ids that end a text. A tensor of ids is understood too."""
    try:
        return frozenset(map(operator.index, stop))
    except TypeError:
        raise TypeError(f"stop should list ids, such as [tokenizer.eos], but is {stop!r}") from None


def _check_prompts(prompts: Prompts, vocabulary: float, translates: bool) -> None:
    """Refuse prompts that the model cannot read, before anything is written."""
    if isinstance(prompts, str):
        raise TypeError(f"prompts should be a list of lists of ids, but are the string {prompts!r}: encode it first")
    if isinstance(prompts, Tensor):
        if prompts.dim() != 2 or prompts.is_floating_point():
            raise TypeError(f"prompts should be ids (B, T), but are {tuple(prompts.shape)} of {prompts.dtype}")
        prompts = prompts.tolist()
    for i, ids in enumerate(prompts):
        if not isinstance(ids, Sequence):
            raise TypeError(f"prompts should be a list of lists of ids, but prompt {i} is {ids!r}: write [prompt]")
        if not len(ids):
            nothing = "nothing to translate" if translates else "nothing to continue: give it [bos] at least"
            raise ValueError(f"prompt {i} has no tokens, so there is {nothing}")
        for number in ids:
            if not hasattr(number, "__index__"):
                raise TypeError(f"prompt {i} should hold ids, whole numbers, but has {number!r}: encode a text first")
        if not 0 <= min(ids) <= max(ids) < vocabulary:
            raise ValueError(
                f"prompt {i} has ids from {min(ids)} to {max(ids)}, but the model's are 0 to {vocabulary - 1}"
            )
