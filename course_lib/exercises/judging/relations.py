"""Relations between a wrong result and the right one: "it has the opposite sign", "two axes are swapped".

A relation takes one result of an answer in several cases, each paired with the expected one, and returns a sentence
about the result if it holds in all of them, or else "". It says what is true of the numbers, not how they came about.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Result
from course_lib.exercises.judging.naming import is_or_are, owned
from course_lib.text.wording import capitalized, join_words

OF_SIZE = "every number is "  # how a clause begins that can also be said of one number
OF_RESULT = "has "  # how a clause begins whose subject is the result itself
OF_RIGHT_ONE = "is what the right one becomes after "  # how a clause begins that names a step too many
MAKES_RIGHT = " would make it right"  # how a clause ends that names a step too few
HALF_PRECISION = {torch.float16, torch.bfloat16}

Sizes = dict[str, float]  # numbers among a case's arguments, and lengths of axes, by the learner's words for them


@dataclass(frozen=True)
class Compared:
    """One result of an answer in one case, the expected one, the call's arguments, and the numbers that occur in it."""

    got: Any
    expected: Any
    arguments: dict[str, Any]
    sizes: Sizes


Relation = Callable[[Sequence[Compared]], str]


def find_relation(name: str, compared: Sequence[Compared], is_only_one: bool = False) -> str:
    """The sentence of the first relation that holds in all cases, or "".

    Args:
        name: of the result, such as "the weights".
        compared: the result in each case. Relations between numbers need two cases with different numbers.
        is_only_one: whether the answer returns nothing else, so that "your result" is clear.
    """
    if compared and all(equal(each.got, each.expected) and _is_float64(each) for each in compared):
        return ""  # nothing but the precision differs
    relations = (*OF_TYPES, *OF_SHAPES)
    if _are_distinct(compared):
        relations = (*OF_TYPES, *OF_SHAPES, *OF_NUMBERS, *OF_SEQUENCES)
    for relation in relations:
        if compared and (clause := _try(relation, compared)):  # one that refuses these shapes does not hold
            if clause.startswith(OF_SIZE) and all(is_single_number(each.expected) for each in compared):
                are_several = is_or_are(name) == "are"
                size = clause.removeprefix(OF_SIZE)
                size = size.replace("it should", "they should") if are_several else size
                return f"{capitalized(owned(name))} {is_or_are(name)} {size}."
            if is_only_one and relation is is_shuffled:
                name = "the result"  # "your tokens have the right numbers" says little
            return _about_result(name, clause)
    return ""


def _about_result(name: str, clause: str) -> str:
    """Make a sentence of a clause about a result with this name.

    >>> _about_result("the logits", "is what the right one becomes after a ReLU")
    'Your logits are what the right ones become after a ReLU.'
    >>> _about_result("the loss", "a logarithm would make it right")
    'A logarithm would make your loss right.'
    """
    are_several = is_or_are(name) == "are"
    if clause.startswith(OF_RIGHT_ONE):
        beginning = "are what the right ones become after " if are_several else OF_RIGHT_ONE
        return f"{capitalized(owned(name))} {beginning}{clause.removeprefix(OF_RIGHT_ONE)}."
    if clause.endswith(MAKES_RIGHT):
        step = clause.removesuffix(MAKES_RIGHT)
        return f"{capitalized(step)} would make {owned(name)} right."
    if clause.startswith(OF_RESULT):
        has = "have" if are_several else "has"
        return f"{capitalized(owned(name))} {has} {clause.removeprefix(OF_RESULT)}."
    return f"In {owned(name)}, {clause}."


def find_elementary_relation(compared: Sequence[Compared]) -> str:
    """The clause of the first relation that is no coincidence even where many known mistakes are tried, or "".

    It says what is wrong with the numbers, the axes or the kind of a result, given that the one beside it were right.
    """
    if not compared or not _are_distinct(compared):
        return ""
    # With its axes exchanged, a result is not what a mistake's sentence says of rows and columns.
    for relation in (*OF_TYPES, has_axis_of_one_more, has_axis_of_one_less, is_not_reduced, is_reduced_too_far):
        if clause := _try(relation, compared):
            return str(clause)
    if all(_is_negated(each) for each in compared):
        return "every number has the opposite sign"
    clause = _try(is_scaled, compared) or ""
    return "" if "−" in clause else str(clause)


def _is_negated(each: Compared) -> bool:
    numbers = _numbers(each)
    return numbers is not None and bool(numbers[0].any()) and equal(numbers[0], -numbers[1])


def steps_on_result() -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    """Steps between a wrong result and the right one, each with words that may follow "after"."""
    yield "a change of sign", torch.neg
    yield "a logarithm", torch.log
    yield "an exponential (`exp`)", torch.exp
    yield "a softmax along the last axis", lambda x: x.softmax(-1)
    yield "a softmax along the axis before the last", lambda x: x.softmax(-2)
    yield "a log-softmax along the last axis", lambda x: x.log_softmax(-1)
    yield "a square root", torch.sqrt
    yield "squaring", torch.square
    yield "taking 1 / x", torch.reciprocal
    yield "taking 1 − x", lambda x: 1 - x
    yield "taking absolute values", torch.abs
    yield "a ReLU", torch.relu
    yield "a sigmoid", torch.sigmoid
    yield "a tanh", torch.tanh
    yield "a running sum (`cumsum`)", lambda x: x.cumsum(-1)
    yield "a division by the sum along the last axis", lambda x: x / x.sum(-1, keepdim=True)
    yield "a division by the sum along the axis before the last", lambda x: x / x.sum(-2, keepdim=True)
    yield "a division by the sum of everything", lambda x: x / x.sum()


def are_ordinary(*values: Any) -> bool:
    """Whether the tensors among the values, also those in lists, can be compared: not sparse, nested or elsewhere."""
    for value in values:
        if isinstance(value, (list, tuple)):
            if not are_ordinary(*value):
                return False
        elif isinstance(value, Tensor):
            is_plain = value.layout == torch.strided and not value.is_nested and not value.is_quantized
            if not is_plain or value.is_complex() or value.device.type != "cpu":
                return False
    return True


def is_single_number(value: Any) -> bool:
    """Whether a result is one number: of Python, of numpy, or a tensor without axes."""
    if isinstance(value, tuple) and len(value) == 1:
        return is_single_number(value[0])
    return isinstance(value, Real) or (isinstance(value, Tensor) and value.dim() == 0)


def equal(one: Any, other: Any, tolerance: float = 1e-4) -> bool:
    """Whether two tensors have the same shape and the same numbers, up to rounding in float32."""
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)) or one.shape != other.shape:
        return False
    return torch.allclose(one.double(), other.double(), rtol=tolerance, atol=tolerance / 10, equal_nan=True)


def has_equal_numbers(one: Any, other: Any) -> bool:
    """Whether two results hold the same numbers, up to rounding in float32, whatever their types are."""
    both = _numbers(Compared(one, other, {}, {}))
    return both is not None and equal(*both)


# Types: the right numbers, but not in the right kind of object.


def tensor_is_list(compared: Sequence[Compared]) -> str:
    """A list or tuple of numbers or of tensors, where a tensor is wanted."""
    if all(_converts(torch.tensor, each) for each in compared):
        return f"the numbers are right, but in a {_kind(compared)}: `torch.tensor(...)` turns it into a tensor"
    for function, axis in itertools.product((torch.stack, torch.cat), range(4)):
        if all(_converts(partial(_joined, function, axis), each) for each in compared):
            written = f"torch.{function.__name__}(..., dim={axis})"
            return f"the right tensors are in a {_kind(compared)}: `{written}` makes one tensor of them"
    return ""


def _joined(function: Callable[..., Tensor], axis: int, parts: Sequence[Tensor]) -> Tensor:
    return function(list(parts), dim=axis)


def is_in_a_list(compared: Sequence[Compared]) -> str:
    """The right thing, alone in a list or tuple. An empty list in a list is rather one empty item too many."""
    if all(isinstance(each.expected, (list, tuple)) and not each.expected for each in compared):
        return ""
    if all(isinstance(each.got, (list, tuple)) and len(each.got) == 1 for each in compared) and all(
        _same(each.got[0], each.expected) for each in compared
    ):
        return f"everything is right, but it is inside a {_kind(compared)}: return the thing itself, without brackets"
    return ""


def is_first_of_several(compared: Sequence[Compared]) -> str:
    """The right thing, as the first or another one of several things."""
    several = [each.got for each in compared if isinstance(each.got, tuple) and not isinstance(each.expected, tuple)]
    if len(several) < len(compared):
        return ""
    for i in range(min(map(len, several))):
        if all(_same(each.got[i], each.expected) for each in compared):
            return f"there are {len(several[0])} things, of which number {i + 1} is right: return that one alone"
    return ""


def dtype_differs(compared: Sequence[Compared]) -> str:
    """The right numbers in another dtype, such as 1 and 0 for True and False."""
    if not all(equal(each.got, each.expected) for each in compared):
        return ""
    got, expected = compared[0].got.dtype, compared[0].expected.dtype
    if expected == torch.bool:
        return f"the numbers are right, but they are of {got} instead of True and False: `dtype=torch.bool`"
    if not expected.is_floating_point and got.is_floating_point:
        return f"the numbers are right, but they are fractions, {got}: `//` and `.long()` give whole numbers"
    return f"the numbers are right, but they are of {got} instead of {expected}" if got != expected else ""


def is_imprecise(compared: Sequence[Compared]) -> str:
    """Numbers in half precision, or the right numbers to the few digits that a step in half precision leaves."""
    if not all(_is_fractional(each) for each in compared):
        return ""
    got, wanted = {each.got.dtype for each in compared}, compared[0].expected.dtype
    if got <= HALF_PRECISION:
        return f"the numbers are in {got.pop()}, which keeps about three digits: compute in {wanted}"
    for dtype in HALF_PRECISION:
        if all(equal(each.got, each.expected.to(dtype).to(wanted), 1e-6) for each in compared):
            return f"the numbers are right to about three digits only, those that {dtype} keeps"
    return ""


def is_text(compared: Sequence[Compared]) -> str:
    """A number written as a text, or a text as bytes."""
    if all(isinstance(each.got, str) and each.got == str(each.expected) for each in compared):
        wanted = type(compared[0].expected).__name__
        return f"everything is right, but it is a text, a `str`: return the `{wanted}` itself"
    if all(isinstance(each.got, bytes) and isinstance(each.expected, str) for each in compared):
        return "there are `bytes` in place of a text: `.decode()` turns them into a `str`"
    return ""


def holds_tensors(compared: Sequence[Compared]) -> str:
    """A list of tensors of one number, where plain numbers are wanted."""
    for each in compared:
        if not isinstance(each.got, (list, tuple)) or not any(isinstance(item, Tensor) for item in each.got):
            return ""
        if any(isinstance(item, Tensor) and item.numel() != 1 for item in each.got):
            return ""
        if [int(item) for item in each.got] != list(each.expected):
            return "there are tensors in place of plain numbers: `int(...)` or `.item()` turns them into numbers"
    return "the numbers are right, but they are tensors: `int(...)` or `.item()` turns them into plain numbers"


OF_TYPES: tuple[Relation, ...] = (
    is_in_a_list,
    tensor_is_list,
    is_first_of_several,
    dtype_differs,
    is_imprecise,
    is_text,
    holds_tensors,
)


# Shapes: the right numbers, but not where they belong.


def has_axis_of_one_more(compared: Sequence[Compared]) -> str:
    """One axis of length 1 too many."""
    for axis in range(_dim(compared, "got")):
        if all(axis < each.got.dim() and equal(_squeezed(each.got, axis), each.expected) for each in compared):
            return (
                f"the numbers are right, but there is one axis of length 1 too many, axis {axis}: `squeeze({axis})` "
                "removes it"
            )
    return ""


def has_axis_of_one_less(compared: Sequence[Compared]) -> str:
    """One axis of length 1 is missing."""
    for axis in range(_dim(compared, "expected")):
        if all(axis < each.expected.dim() and equal(each.got, _squeezed(each.expected, axis)) for each in compared):
            return (
                f"the numbers are right, but an axis of length 1 is missing, axis {axis}: `unsqueeze({axis})` or "
                "`keepdim=True` adds it"
            )
    return ""


def has_exchanged_axes(compared: Sequence[Compared]) -> str:
    """The right numbers with two axes exchanged, or with all axes in another order."""
    axes = _dim(compared, "expected")
    if axes < 2 or any(each.expected.dim() != axes for each in compared):
        return ""
    for one, other in itertools.combinations(range(axes), 2):
        if all(equal(each.got, each.expected.transpose(one, other)) for each in compared):
            swap = f"`transpose({one}, {other})`"
            return f"the numbers are right, but axes {one} and {other} are swapped: {swap} puts them right"
    if axes > 4:
        return ""
    for order in itertools.permutations(range(axes)):
        if order != tuple(range(axes)) and all(equal(each.got, each.expected.permute(order)) for each in compared):
            back = tuple(order.index(axis) for axis in range(axes))
            return f"the numbers are right, but the axes are in another order: `permute{back}` puts them right"
    return ""


def is_first_row_only(compared: Sequence[Compared]) -> str:
    """The result of the first text of a batch, or the first row, only."""
    several = [each for each in compared if isinstance(each.expected, Tensor) and each.expected.dim() > 0]
    if len(several) < len(compared) or max(len(each.expected) for each in several) < 2:
        return ""
    if all(len(each.expected) and equal(each.got, each.expected[0]) for each in several):
        return "only the part at index 0 of the first axis is there: return all of it"
    if all(equal(each.got, each.expected[:1]) for each in several):
        return "only the part at index 0 of the first axis is there: return all of it"
    return ""


def is_not_reduced(compared: Sequence[Compared]) -> str:
    """The sums or the means along an axis, or of everything, are right."""
    axes: list[int | None] = [*range(_dim(compared, "got")), None]
    for step, axis in itertools.product(("sum", "mean"), axes):
        if all(equal(_reduced(each.got, step, axis), each.expected) for each in compared):
            if axis is None:
                return f"the {step} of all numbers, `.{step}()`, is right"
            return f"the {step}s along axis {axis}, `.{step}({axis})`, are right"
    return ""


def is_reduced_too_far(compared: Sequence[Compared]) -> str:
    """There is the sum or the mean of the right numbers along an axis, or of all."""
    axes: list[int | None] = [*range(_dim(compared, "expected")), None]
    for step, axis in itertools.product(("sum", "mean"), axes):
        if all(equal(each.got, _reduced(each.expected, step, axis)) for each in compared):
            where, argument = ("", "") if axis is None else (f" along axis {axis}", str(axis))
            step_as_code = f"`.{step}({argument})`"
            return (
                f"there is the {step} of the right numbers{where}, as {step_as_code} gives it, in place of the numbers "
                "themselves"
            )
    return ""


def is_flattened_otherwise(compared: Sequence[Compared]) -> str:
    """The right numbers in another shape: in the same order, or with axes to be put in another order before."""
    if not _dim(compared, "expected") or any(not _shapes_differ(each) for each in compared):
        return ""
    if all(_without_leading_ones(each) for each in compared):
        return (
            "the numbers are right, but axes of length 1 come before the others. Such axes come from `unsqueeze`, "
            "`[None]` or `view`, or from broadcasting with something that has more axes, such as a mask"
        )
    if all(equal(each.got.flatten(), each.expected.flatten()) for each in compared):
        return "the right numbers are in the right order, but in another shape"
    axes = compared[0].got.dim()
    if axes > 4 or any(each.got.dim() != axes for each in compared):
        return ""
    for order in itertools.permutations(range(axes)):
        if all(equal(each.got.permute(order).flatten(), each.expected.flatten()) for each in compared):
            return f"the right numbers are in another shape: `permute{order}`, then `reshape`, puts them right"
    return ""


def _without_leading_ones(each: Compared) -> bool:
    """Whether a result is the right one with further axes of length 1 before all others."""
    further = each.got.dim() - each.expected.dim()
    return further > 0 and equal(each.got.flatten(0, further), each.expected) and set(each.got.shape[:further]) == {1}


OF_SHAPES: tuple[Relation, ...] = (
    has_axis_of_one_more,
    has_axis_of_one_less,
    has_exchanged_axes,
    is_first_row_only,
    is_not_reduced,
    is_reduced_too_far,
    is_flattened_otherwise,
)


# Numbers: the same shape, and numbers that a simple step turns into the right ones.


def is_inverted(compared: Sequence[Compared]) -> str:
    """True and False are exchanged."""
    if all(_is_bool(each) and equal(each.got, ~each.expected) for each in compared):
        return "everything is inverted: True where it should be False, and the other way round"
    return ""


def is_shifted(compared: Sequence[Compared]) -> str:
    """Everything is one position too early or too late along an axis."""
    for axis in range(_dim(compared, "expected")):
        longest = max(each.expected.size(axis) if axis < each.expected.dim() else 0 for each in compared)
        if longest < 3 or any(_shapes_differ(each) or each.expected.dim() <= axis for each in compared):
            continue
        for words, by in (("late", 1), ("early", -1)):
            if all(_shifted_equal(each.got, each.expected, axis, by) for each in compared):
                return f"everything is shifted along axis {axis}: each number is one position too {words}"
    return ""


def is_reversed(compared: Sequence[Compared]) -> str:
    """The numbers stand in the reverse order along an axis."""
    for axis in range(_dim(compared, "expected")):
        if all(each.expected.dim() > axis and equal(each.got, each.expected.flip(axis)) for each in compared):
            return f"the numbers are right, but in reverse order along axis {axis}"
    return ""


def has_step_too_much_or_too_little(compared: Sequence[Compared]) -> str:
    """An elementary step leads from the right numbers to those of the answer, or the other way."""
    if not all(_is_fractional(each) for each in compared):
        return ""
    for words, step in steps_on_result():
        if all(equal(each.got, _try(step, each.expected)) for each in compared):
            if step is torch.neg:
                return "every number has the opposite sign"
            return f"{OF_RIGHT_ONE}{words}"
    for words, step in steps_on_result():
        if all(equal(_try(step, each.got), each.expected) for each in compared):
            if words.startswith("a division by the sum"):
                return _not_divided(words, compared)
            return f"{words}{MAKES_RIGHT}"
    return ""


def _not_divided(words: str, compared: Sequence[Compared]) -> str:
    """Say what does not add up to 1, given the words for the division that is missing."""
    axes = min(each.expected.dim() for each in compared)
    if axes > 1 and "along the last axis" in words:
        return "the rows do not add up to 1. Divided by their sums along the last axis, they would be right"
    if axes > 1 and "along" in words:
        return "the columns do not add up to 1. Divided by their sums, they would be right"
    return "the numbers do not add up to 1. Divided by their sum, they would be right"


def is_rounded(compared: Sequence[Compared]) -> str:
    """The right numbers, rounded to whole ones."""
    if any(_shapes_differ(each) or not each.expected.is_floating_point() for each in compared):
        return ""
    steps = {
        "rounded down to whole numbers: `//` and `floor` do that": torch.floor,
        "rounded to whole numbers: `round` does that": torch.round,
        "cut off to whole numbers: `int` does that, and so does a tensor of whole numbers": torch.trunc,
    }
    for words, step in steps.items():
        if all(each.got.dtype != torch.bool and equal(each.got, step(each.expected)) for each in compared):
            return f"the right numbers are {words}"
    return ""


def differs_by_an_argument(compared: Sequence[Compared]) -> str:
    """An argument comes back as it is, or the numbers are off by an argument, added or multiplied."""
    if not all(_is_fractional(each) for each in compared):
        return ""
    for name in compared[0].arguments:
        given = [each.arguments.get(name) for each in compared]
        pairs = list(zip(compared, given, strict=True))
        if not all(isinstance(x, Tensor) and x.shape == each.expected.shape for each, x in pairs):
            continue
        if all(equal(each.got, x) for each, x in pairs):
            return f"there is `{name}` itself, unchanged"
        if all(equal(each.got, each.expected + x) for each, x in pairs):
            return f"the numbers are the right ones plus `{name}`"
        if all(equal(each.got, each.expected - x) for each, x in pairs):
            return f"the numbers are the right ones minus `{name}`"
        if all(equal(each.got, each.expected * x) for each, x in pairs):
            return f"the numbers are the right ones times `{name}`"
        if all(equal(each.got * x, each.expected) for each, x in pairs):
            return f"the numbers would be right if they were multiplied by `{name}`"
    return ""


def is_shuffled(compared: Sequence[Compared]) -> str:
    """The right numbers, at other positions."""
    if any(_shapes_differ(each) or each.expected.numel() < 3 for each in compared):
        return ""
    if all(equal(each.got.flatten().sort().values, each.expected.flatten().sort().values) for each in compared):
        return "has the right numbers, but some are in the wrong places"
    return ""


def is_softmax_of_scaled(compared: Sequence[Compared]) -> str:
    """Shares as a softmax gives them if the numbers that go into it are multiplied by a factor."""
    factors = [_factor_in_softmax(each) for each in compared]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors):
        return ""
    return _in_terms_of_sizes(known, compared, "the shares are those of a softmax whose inputs are multiplied by {}")


def _factor_in_softmax(each: Compared) -> float | None:
    """The factor of a softmax's inputs, along the axis where the shares add up to 1; None if there is none."""
    if _shapes_differ(each) or not _is_fractional(each):
        return None
    got, expected = each.got.detach().double(), each.expected.detach().double()
    for axis in range(-expected.dim(), 0):
        total = torch.ones_like(expected.sum(axis))
        if not equal(expected.sum(axis), total) or not equal(got.sum(axis), total):
            continue
        counts = (expected > 1e-6) & (got > 1e-6)
        if not torch.equal(counts, expected > 1e-6):
            continue
        reference = torch.where(counts, expected, 1.0).log()
        yours = torch.where(counts, got, 1.0).log()
        spread = torch.where(counts, reference - _mean_where(counts, reference, axis), 0.0)
        yours = torch.where(counts, yours - _mean_where(counts, yours, axis), 0.0)
        if float(spread.square().sum()) < 1e-6:
            continue
        factor = float((spread * yours).sum() / spread.square().sum())
        if torch.allclose(yours, factor * spread, rtol=1e-3, atol=1e-3) and not math.isclose(factor, 1, rel_tol=1e-3):
            return factor
    return None


def _mean_where(counts: Tensor, x: Tensor, axis: int) -> Tensor:
    return (x * counts).sum(axis, keepdim=True) / counts.sum(axis, keepdim=True).clamp(min=1)


def is_scaled(compared: Sequence[Compared]) -> str:
    """The numbers are too large by the same factor in each case, or by one that depends on the sizes."""
    factors = [_factor(each) for each in compared]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors):
        return ""
    factor = _in_terms_of_sizes(known, compared, "{}")
    return OF_SIZE + _multiple(factor) if factor else ""


def _multiple(factor: str) -> str:
    """Say how a number compares with the right one, which is multiplied by this factor.

    >>> _multiple("0.5"), _multiple("1 / 8"), _multiple("√`d_k`")
    ('half of what it should be', '1 / 8 of what it should be', '√`d_k` times what it should be')
    >>> _multiple("1 / √`d_k`")
    'what it should be, divided by √`d_k`'
    """
    right = "what it should be"
    if re.fullmatch(r"1 / \d+", factor):
        return f"{factor} of {right}"
    if factor.startswith("1 / "):
        return f"{right}, divided by {factor.removeprefix('1 / ').replace(' / ', ' · ')}"
    return {"2": "twice", "0.5": "half of", "0.25": "a quarter of"}.get(factor, f"{factor} times") + f" {right}"


def is_offset(compared: Sequence[Compared]) -> str:
    """The numbers are too large by the same amount in each case, or by one that depends on the sizes."""
    offsets = [_offset(each) for each in compared]
    if None in offsets:
        return ""
    known = [offset for offset in offsets if offset is not None]
    if all(offset < 0 for offset in known):
        return _in_terms_of_sizes([-offset for offset in known], compared, f"{OF_SIZE}too small by {{}}")
    return _in_terms_of_sizes(known, compared, f"{OF_SIZE}too large by {{}}")


OF_NUMBERS: tuple[Relation, ...] = (
    is_inverted,
    is_rounded,
    has_step_too_much_or_too_little,
    differs_by_an_argument,
    is_scaled,
    is_offset,
    is_softmax_of_scaled,
    is_reversed,
    is_shifted,
    is_shuffled,
)


# Sequences: lists and texts.


def differs_at_an_end(compared: Sequence[Compared]) -> str:
    """A list or text that lacks its first or last item, or has one too many there."""
    if not all(_is_sequence(each.got) and _is_sequence(each.expected) for each in compared):
        return ""
    got, expected = [_items(each.got) for each in compared], [_items(each.expected) for each in compared]
    pairs = list(zip(got, expected, strict=True))
    for name in compared[0].arguments:
        given = [_items(each.arguments[name]) if _is_sequence(each.arguments.get(name)) else [] for each in compared]
        if all(given) and all(yours[: len(x)] == x for (yours, _), x in zip(pairs, given, strict=True)):
            after = [(yours[len(x) :], right) for (yours, right), x in zip(pairs, given, strict=True)]
            if all(rest == right for rest, right in after):
                return f"what is in `{name}` is repeated at the beginning: without it, everything is right"
            if all(rest[: len(right)] == right for rest, right in after):
                return f"what is in `{name}` is repeated at the beginning, and there is too much at the end"
    if all(right and yours == right[:-1] for yours, right in pairs):
        return "the last item is missing"
    if all(right and yours == right[1:] for yours, right in pairs):
        return "the first item is missing"
    if all(yours and yours[:-1] == right for yours, right in pairs):
        return "there is one item too many at the end"
    if all(yours and yours[1:] == right for yours, right in pairs):
        is_empty = all(_is_sequence(yours[0]) and not yours[0] for yours, _ in pairs)
        return f"there is {'an empty item' if is_empty else 'one item too many'} at the beginning"
    if all(yours == right[::-1] for yours, right in pairs):
        return "everything is right, but in reverse order"
    if all(sorted(map(repr, yours)) == sorted(map(repr, right)) for yours, right in pairs):
        return "the items are right, but in another order"
    if all(len(yours) < len(right) and yours == right[: len(yours)] for yours, right in pairs):
        return "the beginning is right, but the end is missing"
    if all(len(yours) > len(right) and yours[: len(right)] == right for yours, right in pairs):
        return "the beginning is right, but there is too much at the end"
    return ""


def has_other_counts(compared: Sequence[Compared]) -> str:
    """A dictionary with the right keys and other values, or with keys missing."""
    if not all(isinstance(each.got, dict) and isinstance(each.expected, dict) for each in compared):
        return ""
    if all(each.got.keys() == each.expected.keys() for each in compared):
        shown = compared[0]  # the call that is shown
        some = "some" if any(_same(shown.got[key], shown.expected[key]) for key in shown.expected) else "the"
        has_tensors = any(isinstance(value, Tensor) for value in shown.expected.values())
        keys, values = ("names", "weights") if has_tensors else ("keys", "values")
        return f"the {keys} are right, but {some} {values} are not"
    if all(each.got.keys() < each.expected.keys() for each in compared):
        return "some keys are missing"
    if all(each.got.keys() > each.expected.keys() for each in compared):
        return "there are too many keys"
    return ""


def some_items_are_offset(compared: Sequence[Compared]) -> str:
    """Whole numbers of which some are too large or too small, all by the same amount."""
    differences: set[int] = set()
    for each in compared:
        got, expected = _whole_numbers(each.got), _whole_numbers(each.expected)
        if got is None or expected is None or len(got) != len(expected):
            return ""
        differences |= {yours - right for yours, right in zip(got, expected, strict=True)}
    differences -= {0}
    if len(differences) != 1:
        return ""
    offset = differences.pop()
    return f"every number that differs is too {'large' if offset > 0 else 'small'} by {abs(offset)}"


def _whole_numbers(value: Any) -> list[int] | None:
    if isinstance(value, Tensor) and not value.is_floating_point() and value.dtype != torch.bool:
        return [int(item) for item in value.flatten()]
    if isinstance(value, (list, tuple)) and value and all(type(item) is int for item in value):
        return list(value)
    return None


OF_SEQUENCES: tuple[Relation, ...] = (differs_at_an_end, has_other_counts, some_items_are_offset)


def order_of_results(got: Sequence[Any], expected: Sequence[Sequence[Any]], names: Sequence[str]) -> str:
    """Several results in another order, or one of them in the place of another.

    Takes what an answer returned in each case, what was expected, and the names of the results.
    """
    count = len(names)
    if not all(isinstance(each, (tuple, list)) and len(each) == count for each in got):
        return ""
    cases = list(zip(got, expected, strict=True))
    found: list[int | None] = []
    for i in range(count):
        others = sorted(range(count), key=lambda j: j != i)
        found.append(next((j for j in others if all(_same(yours[i], right[j]) for yours, right in cases)), None))
    moved = [(i, j) for i, j in enumerate(found) if j not in (None, i) and any(_is_telling(got[i]) for got, _ in cases)]
    if not moved:
        return ""
    if sorted(map(str, found)) == [str(i) for i in range(count)]:
        order = join_words([names[j] for j in found if j is not None])
        return f"You return the right things, but in the order {order}: return {join_words(names)}."
    i, j = moved[0]
    # One number that is also another result may be so by chance.
    if len({repr(yours[i]) for yours, _ in cases if _is_telling(yours[i])}) < 2:
        return ""
    return f"{capitalized(owned(names[i]))} {is_or_are(names[i])} what {Result(names[j]).definite} should be."


# Helpers.


def _are_distinct(compared: Sequence[Compared]) -> bool:
    """Whether there are two cases that differ in what is expected and in what came."""
    return len({repr(each.got) for each in compared}) > 1 and len({repr(each.expected) for each in compared}) > 1


def _kind(compared: Sequence[Compared]) -> str:
    return f"`{type(compared[0].got).__name__}`"


def _converts(function: Callable[[Any], Tensor], each: Compared) -> bool:
    if not isinstance(each.got, (list, tuple)) or not isinstance(each.expected, Tensor):
        return False
    return equal(_try(function, each.got), each.expected)


def _try(function: Callable[[Any], Any], value: Any) -> Any:
    """The function's value, or None if it refuses its argument."""
    try:
        return function(value)
    except (TypeError, ValueError, RuntimeError, IndexError):
        return None


def _is_telling(value: Any) -> bool:
    """Whether it can hardly be a coincidence that a value is also another result: zeros and ones are often both."""
    if isinstance(value, Tensor):
        return not bool(((value == 0) | (value == 1)).all())
    return value not in (0, 1)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return equal(one, other)
    if not all(isinstance(value, (int, float, str, list, tuple, dict, set)) for value in (one, other)):
        return False
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, (int, float)) and isinstance(other, (int, float))
        return numbers and math.isclose(one, other, rel_tol=1e-6)
    return type(one) is type(other) and repr(one) == repr(other)


def _squeezed(x: Tensor, axis: int) -> Tensor | None:
    return x.squeeze(axis) if x.size(axis) == 1 else None


def _reduced(x: Any, step: str, axis: int | None) -> Tensor | None:
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.dim() == 0:
        return None
    result: Tensor = getattr(x, step)() if axis is None else getattr(x, step)(axis)
    return result


def _dim(compared: Sequence[Compared], which: str) -> int:
    """The smallest number of axes among these tensors; 0 if something else is among them."""
    tensors = [getattr(each, which) for each in compared]
    both = all(isinstance(each.got, Tensor) and isinstance(each.expected, Tensor) for each in compared)
    return min(tensor.dim() for tensor in tensors) if both else 0


def _shapes_differ(each: Compared) -> bool:
    tensors = isinstance(each.got, Tensor) and isinstance(each.expected, Tensor)
    return not tensors or each.got.shape != each.expected.shape


def _is_bool(each: Compared) -> bool:
    return not _shapes_differ(each) and each.got.dtype == each.expected.dtype == torch.bool


def _is_float64(each: Compared) -> bool:
    return bool(each.got.dtype == torch.float64 and each.expected.dtype == torch.float32)


def _is_fractional(each: Compared) -> bool:
    tensors = isinstance(each.got, Tensor) and isinstance(each.expected, Tensor)
    return tensors and each.got.is_floating_point() and each.expected.is_floating_point()


def _shifted_equal(got: Tensor, expected: Tensor, axis: int, by: int) -> bool:
    length = got.size(axis) - 1
    late, early = (got, expected) if by == 1 else (expected, got)
    return length > 0 and equal(late.narrow(axis, 1, length), early.narrow(axis, 0, length))


def _numbers(each: Compared) -> tuple[Tensor, Tensor] | None:
    """Both results as float64 tensors of the same shape, or None if they are no numbers or have other shapes."""
    tensors = []
    for value in (each.got, each.expected):
        if isinstance(value, bool) or not isinstance(value, (Tensor, int, float)):
            return None
        if isinstance(value, Tensor) and value.dtype == torch.bool:
            return None
        tensors.append(torch.as_tensor(value, dtype=torch.float64).detach())
    got, expected = tensors
    return (got, expected) if got.shape == expected.shape else None


def _factor(each: Compared) -> float | None:
    """The factor by which all numbers are too large; None if it is not one factor."""
    if (both := _numbers(each)) is None:
        return None
    got, expected = both
    finite = expected.isfinite() & got.isfinite()
    weight = expected[finite].square().sum()
    if not bool((got[~finite] == expected[~finite]).all()) or weight == 0:
        return None
    factor = float((got[finite] * expected[finite]).sum() / weight)
    fits = torch.allclose(got[finite], factor * expected[finite], rtol=1e-4, atol=1e-6 * float(weight.sqrt()))
    return factor if fits and not math.isclose(factor, 1, rel_tol=1e-4) and factor != 0 else None


def _offset(each: Compared) -> float | None:
    """The amount by which all numbers are too large; None if it is not one amount."""
    if (both := _numbers(each)) is None or both[0].numel() == 0:
        return None
    got, expected = both
    finite = expected.isfinite() & got.isfinite()
    if not bool(finite.any()) or not bool((got[~finite] == expected[~finite]).all()):
        return None
    offset = float((got - expected)[finite].mean())
    fits = torch.allclose(got[finite], expected[finite] + offset, rtol=1e-5, atol=1e-5)
    return offset if fits and offset != 0 else None


LARGEST_FACTOR = 20  # of a size in a formula
CONSTANTS = {math.log(2): "ln 2", 1 / math.log(2): "1 / ln 2", math.pi: "π", math.e: "e", math.sqrt(2): "√2"}


def _in_terms_of_sizes(amounts: Sequence[float], compared: Sequence[Compared], sentence: str) -> str:
    """Write amounts, one for each case, as a constant times a power of at most two of the calls' numbers, or "".

    A constant has to hold in two cases, and each size that is named has to take two values.
    """
    logarithms = [math.log(abs(amount)) for amount in amounts]
    if len({amount < 0 for amount in amounts}) > 1:
        return ""
    sign = "−" if amounts[0] < 0 else ""
    if _constant(logarithms):
        return sentence.format(sign + _written(abs(amounts[0])))
    shared = [name for name in compared[0].sizes if all(each.sizes.get(name, 0) > 0 for each in compared)]
    logs = {name: [math.log(each.sizes[name]) for each in compared] for name in shared}
    varied = [name for name in shared if not _constant(logs[name])]
    for count in (1, 2):
        for names in itertools.combinations(varied, count):
            if len(compared) <= count + 1:
                continue
            for powers in itertools.product((1.0, -1.0, 0.5, -0.5, 2.0, -2.0), repeat=count):
                rest = [
                    value - sum(power * logs[name][i] for name, power in zip(names, powers, strict=True))
                    for i, value in enumerate(logarithms)
                ]
                if _constant(rest) and _is_plain(math.exp(rest[0])):
                    return sentence.format(sign + _product(math.exp(rest[0]), names, powers))
    return ""


def _is_plain(number: float) -> bool:
    """Whether a formula may have this number before its sizes: a known constant, or a whole number up or below.

    Others come from the numbers of the cases, such as weights that are all the same, and say nothing of the code.

    >>> [_is_plain(each) for each in (1, 0.25, 1.5, 0.6931472, 0.015)]
    [True, True, True, True, False]
    """
    known = any(math.isclose(number, each, rel_tol=1e-4) for each in CONSTANTS)
    return known or any(
        math.isclose(part, round(part), rel_tol=1e-4) and 1 <= round(part) <= LARGEST_FACTOR
        for part in (number, 2 * number, 1 / number)
    )


def _constant(values: Sequence[float]) -> bool:
    return max(values) - min(values) < 1e-4


def _written(number: float) -> str:
    """Write a number: known constants by their names, small ones as fractions.

    >>> _written(0.6931472), _written(1 / 1024), _written(2.5)
    ('ln 2', '1 / 1024', '2.5')
    """
    for value, words in CONSTANTS.items():
        if math.isclose(number, value, rel_tol=1e-4):
            return words
    if 0 < number < 0.2 and math.isclose(1 / number, round(1 / number), rel_tol=1e-4):
        return f"1 / {round(1 / number)}"
    return f"{number:.4g}"


def _product(constant: float, names: Sequence[str], powers: Sequence[float]) -> str:
    """Write a product of powers: "2 · `d_model` / √`heads`"."""
    above = [] if math.isclose(constant, 1, rel_tol=1e-4) else [_written(constant)]
    below: list[str] = []
    for name, power in zip(names, powers, strict=True):
        word = {0.5: f"√`{name}`", 1.0: f"`{name}`", 2.0: f"`{name}`²"}[abs(power)]
        (above if power > 0 else below).append(word)
    return " · ".join(above or ["1"]) + "".join(f" / {word}" for word in below)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple, str))


def _items(value: Any) -> Any:
    return value if isinstance(value, str) else list(value)
