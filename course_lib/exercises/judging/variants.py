"""Changes to the arguments of a call, to find out what a wrong answer does with them.

If an answer returns in every case what the reference returns for changed arguments, it behaves as if the arguments were
changed: as if the mask had not been given, or as if two arguments were swapped.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.judging.calls import inputs_begin

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise

Arguments = tuple[Any, ...]

LARGEST_TO_SQUARE = 100  # a tensor with the square of a larger number as its length may not fit into memory


@dataclass(frozen=True)
class Variant:
    """A change to the arguments, and the words for it, which complete "Your code behaves as if …".

    `change` takes the arguments and returns changed ones, or None where there is nothing to change.
    """

    words: str
    change: Callable[[Arguments], Arguments | None]

    @property
    def exchanges_axes(self) -> bool:
        """Whether it moves the axes of an argument."""
        return self.words.startswith("axes ") or self.words.endswith("transposed")

    @property
    def leaves_nothing(self) -> bool:
        """Whether nothing is left of what an argument says."""
        return self.words.endswith((" were 0", " were 1", " were always 0", " were always 1", " were empty"))


def variants(exercise: Exercise, names: Sequence[str]) -> Iterator[Variant]:
    """All changes to the arguments of an exercise's cases, the likeliest first. `names` are those of the arguments."""
    longest = max((case.arguments for case in exercise.every_case), key=len)
    first = inputs_begin(longest) if inspect.isclass(exercise.reference) else 0
    indices = range(first, len(longest))
    samples = [_sample(exercise, i) for i in indices]
    given = list(zip(indices, samples, strict=True))
    for i, sample in given:
        if _is_mask(sample):
            yield Variant(f"`{names[i]}` had not been given", _changer(i, _left_out))
            yield Variant(f"`{names[i]}` were inverted, `~{names[i]}`", _changer(i, torch.logical_not))
            yield Variant(f"`{names[i]}` were transposed", _changer(i, lambda mask: mask.mT))
    for (i, one), (j, other) in itertools.combinations(given, 2):
        if _are_alike(one, other):
            yield Variant(f"`{names[i]}` and `{names[j]}` were swapped", _exchanger(i, j))
    for (i, one), (j, other) in itertools.permutations(given, 2):
        if _are_alike(one, other):
            yield Variant(f"`{names[j]}` were the same as `{names[i]}`", _copier(i, j))
    for i, sample in given:
        for words, change in _changes(sample):
            yield Variant(words.format(f"`{names[i]}`"), _changer(i, change))


def _sample(exercise: Exercise, i: int) -> Any:
    """The first value other than None that argument i has in a case."""
    values = (case.arguments[i] for case in exercise.every_case if i < len(case.arguments))
    return next((value for value in values if value is not None), None)


def _changer(i: int, change: Callable[[Any], Any]) -> Callable[[Arguments], Arguments | None]:
    """Change argument i, where it is given."""

    def changed(arguments: Arguments) -> Arguments | None:
        if i >= len(arguments) or arguments[i] is None:
            return None
        return (*arguments[:i], change(arguments[i]), *arguments[i + 1 :])

    return changed


def _exchanger(i: int, j: int) -> Callable[[Arguments], Arguments | None]:
    """Exchange arguments i and j, where both are given."""

    def changed(arguments: Arguments) -> Arguments | None:
        if j >= len(arguments) or arguments[i] is None or arguments[j] is None:
            return None
        swapped = list(arguments)
        swapped[i], swapped[j] = arguments[j], arguments[i]
        return tuple(swapped)

    return changed


def _copier(source: int, target: int) -> Callable[[Arguments], Arguments | None]:
    """Give one argument in place of another, where both are given."""

    def changed(arguments: Arguments) -> Arguments | None:
        if max(source, target) >= len(arguments) or arguments[source] is None or arguments[target] is None:
            return None
        return (*arguments[:target], arguments[source], *arguments[target + 1 :])

    return changed


def _left_out(argument: Any) -> None:
    """What an argument is if it is not given."""


def _is_mask(argument: Any) -> bool:
    return isinstance(argument, Tensor) and argument.dtype == torch.bool


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two arguments could be mistaken for each other."""
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and one.dim() == other.dim()
    if callable(one) or callable(other):
        return callable(one) and callable(other)
    return type(one) is type(other) and not isinstance(one, (bool, type(None)))


def _changes(sample: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Changes to one argument of this kind, with words in which {0} stands for its name."""
    if isinstance(sample, Tensor):
        if not _is_mask(sample):
            yield from _changes_of_tensor(sample)
    elif isinstance(sample, bool):
        yield "{0} were the opposite", lambda value: not value
    elif isinstance(sample, (int, float)):
        yield from _changes_of_number(sample)
    elif isinstance(sample, (list, tuple)):
        yield "{0} were empty", lambda value: value[:0]
        yield "{0} were in reverse order", lambda value: value[::-1]
        yield "{0} lacked its first item", lambda value: value[1:]
        yield "{0} lacked its last item", lambda value: value[:-1]
        yield "{0} had only its first item", lambda value: value[:1]
        yield "{0} had only its last item", lambda value: value[-1:]
        if all(isinstance(each, (int, float, str)) for each in sample):
            yield "{0} were sorted", lambda value: type(value)(sorted(value))
    elif isinstance(sample, dict):
        yield "all values in {0} were 1", lambda value: dict.fromkeys(value, 1)
    elif callable(sample) and not isinstance(sample, nn.Module):
        yield "{0} returned its argument unchanged", _without_effect
        yield "{0} were applied twice", _applied_twice


def _without_effect(function: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG001
    return lambda x, *rest: x  # noqa: ARG005


def _applied_twice(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *rest: function(function(x, *rest), *rest)


def _changes_of_tensor(sample: Tensor) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    if sample.is_floating_point():
        yield "all numbers in {0} were 0", torch.zeros_like
        yield "{0} had the opposite sign", torch.neg
        yield "a softmax had been taken of {0} before", lambda x: x.softmax(-1)
        yield "a log-softmax had been taken of {0} before", lambda x: x.log_softmax(-1)
        yield "the vectors in {0} had length 1", lambda x: F.normalize(x, dim=-1)
        yield "{0} were divided by the root of its last axis' length", lambda x: x / math.sqrt(x.size(-1))
        yield "{0} were multiplied by the root of its last axis' length", lambda x: x * math.sqrt(x.size(-1))
    else:
        yield "all numbers in {0} were larger by 1", lambda ids: ids + 1
        yield "all numbers in {0} were smaller by 1", lambda ids: ids - 1
        yield "all numbers in {0} were 0", torch.zeros_like
    for axis in range(sample.dim()):
        yield f"{{0}} were reversed along axis {axis}", partial(torch.flip, dims=(axis,))
        yield f"{{0}} were shifted by one along axis {axis}", partial(torch.roll, shifts=1, dims=axis)
        yield f"{{0}} were shifted back by one along axis {axis}", partial(torch.roll, shifts=-1, dims=axis)
    for one, other in itertools.combinations(range(sample.dim()), 2):
        yield f"axes {one} and {other} of {{0}} were swapped", partial(torch.transpose, dim0=one, dim1=other)


def _changes_of_number(sample: float) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    if isinstance(sample, int):
        yield "{0} were larger by 1", lambda n: n + 1
        yield "{0} were smaller by 1", lambda n: n - 1
        yield "{0} were twice as large", lambda n: 2 * n
        yield "{0} were half as large", lambda n: n // 2
    else:
        yield "{0} were 1 − {0}", lambda p: 1 - p
        yield "{0} were 1 / {0}", lambda p: 1 / p
    yield "{0} were always 1", lambda n: type(n)(1)
    yield "{0} were always 0", lambda n: type(n)(0)
    yield "{0} had the opposite sign", lambda n: -n
    if abs(sample) <= LARGEST_TO_SQUARE:
        yield "{0} were squared", lambda n: n * n
