"""The outcome of calling an answer in one case, and how it differs from the expected outcome."""

import io
import math
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Result

NO_GRADIENT = "The gradient is cut off: by `.item()`, `.detach()`, `torch.tensor`, `from_pretrained`, or `/=` in place?"
FLOAT64_INSTEAD = (
    "the numbers of {} are right, but in float64. The other parts compute in float32: end with `.float()`."
)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call: its value or its error, the indices of the arguments it changed, and what it printed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()
    printed: str = ""

    def matches(self, other: "Outcome", returns: Sequence[Result], exact: bool = True) -> bool:
        """Whether two outcomes are equal, to float32 precision unless `exact`. Errors of one type are equal."""
        if type(self.error) is not type(other.error) or self.changed != other.changed:
            return False
        return self.error is not None or not difference(self.value, other.value, returns, exact)


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Outcome:
    """Call a function on copies of the arguments.

    KeyboardInterrupt is caught too, since a learner may have to stop an endless loop.
    """
    copies = [_copy(argument) for argument in arguments]
    with redirect_stdout(io.StringIO()) as printed:
        try:
            value = function(*copies)
        except (Exception, KeyboardInterrupt) as error:
            return Outcome(error=error, printed=printed.getvalue())
    changed = [i for i, (copy, original) in enumerate(zip(copies, arguments, strict=True)) if _differs(copy, original)]
    return Outcome(value, None, tuple(changed), printed.getvalue())


def _copy(argument: Any) -> Any:
    if isinstance(argument, Tensor):
        return argument.clone()
    return argument if callable(argument) else deepcopy(argument)


def _differs(copy: Any, original: Any) -> bool:
    """Whether an argument was changed. Functions, models and the contents of tuples are not compared."""
    if callable(original) or isinstance(original, tuple):
        return False
    return bool(difference(copy, original, [Result("x")]))


def difference(got: Any, expected: Any, returns: Sequence[Result], exact: bool = True) -> str:
    """Say in one sentence how a value differs from the expected one; "" if it does not.

    Args:
        got: the value that an answer returned.
        expected: a tensor, a number, or a tuple of them.
        returns: the name and the shape of each expected value.
        exact: whether float64 numbers are compared to float64 precision; otherwise float32 precision is enough.

    >>> difference(torch.ones(2, 1), torch.ones(1, 2), [Result("weights", "T, S")])
    'weights should be (T, S) = (1, 2), but yours is (2, 1).'
    """
    if isinstance(expected, tuple):
        return _difference_of_several(got, expected, returns, exact)
    if isinstance(expected, Tensor):
        return _difference_of_tensors(got, expected, returns[0], exact)
    if _is_same(got, expected):
        return ""
    return f"{returns[0].name} should be {str(expected)[:200]}, but yours is {str(got)[:200]}."


def _difference_of_several(got: Any, expected: tuple[Any, ...], returns: Sequence[Result], exact: bool) -> str:
    if not isinstance(got, (tuple, list)) or len(got) != len(expected):
        names = ", ".join(each.name for each in returns)
        return f"{len(expected)} things are wanted, `return {names}`, but you return {_describe(got)}."
    for one, other, result in zip(got, expected, returns, strict=True):
        if sentence := difference(one, other, [result], exact):
            return sentence
    return ""


def _difference_of_tensors(got: Any, expected: Tensor, result: Result, exact: bool) -> str:
    name = result.name
    if not isinstance(got, Tensor):
        return f"a torch tensor is wanted, but you return {_describe(got)}."
    if expected.dim() == 0 and got.numel() == 1:
        got = got.reshape(())
    if got.shape != expected.shape:
        letters = f"({result.shape}) = " if result.shape else ""
        return f"{name} should be {letters}{tuple(expected.shape)}, but yours is {tuple(got.shape)}."
    if _number_kind(got) != _number_kind(expected):
        kind = "hold fractions" if expected.is_floating_point() else f"be of {expected.dtype}"
        return f"{name} should {kind}, but yours is of {got.dtype}."
    new_nan = got.isnan() & ~expected.isnan()
    if new_nan.any():
        return f"there is NaN (not a number) in {name}, first at {_first_position(new_nan)}."
    wrong = wrong_elements(got, expected, exact)
    if wrong.any():
        position = _first_position(wrong)
        right, yours = _with_enough_digits(expected[position].item(), got[position].item())
        return f"{name} should be {right} at {position}, but yours is {yours}."
    is_too_exact = got.dtype == torch.float64 and expected.dtype != torch.float64
    return FLOAT64_INSTEAD.format(name) if is_too_exact else ""


def wrong_elements(got: Tensor, expected: Tensor, exact: bool = True) -> Tensor:
    """Mark the elements that differ by more than rounding error in the less precise of the two dtypes.

    Takes two tensors of the same shape, and returns a Boolean tensor of that shape.
    """
    both_float64 = got.dtype == expected.dtype == torch.float64
    tolerance = 1e-9 if exact and both_float64 else 1e-5
    return ~torch.isclose(got.double(), expected.double(), rtol=10 * tolerance, atol=tolerance, equal_nan=True)


def _number_kind(tensor: Tensor) -> str:
    if tensor.is_floating_point():
        return "fractions"
    return "truth values" if tensor.dtype == torch.bool else "whole numbers"


def _first_position(marks: Tensor) -> tuple[int, ...]:
    return tuple(marks.nonzero()[0].tolist())


def _with_enough_digits(one: float, other: float) -> tuple[str, str]:
    """Write two numbers with as few digits as are needed to tell them apart."""
    for digits in (4, 7):
        if f"{one:.{digits}g}" != f"{other:.{digits}g}":
            return f"{one:.{digits}g}", f"{other:.{digits}g}"
    return f"{one:.17g}", f"{other:.17g}"


def _is_same(got: Any, expected: Any) -> bool:
    """Whether a value other than a tensor is the expected one. Lists count as tuples, numpy's numbers as Python's."""
    if isinstance(expected, (int, float)):
        is_number = isinstance(got, Real) or (isinstance(got, Tensor) and got.numel() == 1)
        return is_number and math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-12)
    if _as_text(got) == _as_text(expected):
        return True
    # Comparing lists that contain tensors gives no single truth value.
    return isinstance(got, (list, set)) and "tensor" not in str(got) and bool(got == expected)


def _as_text(value: Any) -> str:
    """Write a value as text, without numpy's type names; a dictionary is sorted by its keys."""
    if isinstance(value, dict):
        value = sorted(value.items(), key=str)
    if isinstance(value, tuple):
        value = list(value)
    return re.sub(r"np\.\w+\(([^()]*)\)", r"\1", str(value))


def _describe(value: Any) -> str:
    """Describe the kind of a value in words."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if type(value).__module__ == "numpy":
        return "a numpy array (torch has the same functions: `torch.exp` for `np.exp`)"
    return f"a `{type(value).__name__}`"
