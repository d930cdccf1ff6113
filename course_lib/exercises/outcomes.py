"""What an answer does in one case, and how that differs from what it should do."""

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
TOO_EXACT = "the numbers of {} are right, but in float64. The other parts compute in float32: end with `.float()`."


@dataclass(frozen=True)
class Outcome:
    """What a function did: its value or its error, which of its arguments it changed, what it printed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()
    printed: str = ""

    def is_like(self, other: "Outcome", returns: Sequence[Result], exactly: bool = True) -> bool:
        """Whether another function did the same, or the same in float32. Errors are alike if of the same type."""
        if type(self.error) is not type(other.error) or self.changed != other.changed:
            return False
        return self.error is not None or not difference(self.value, other.value, returns, exactly)


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Outcome:
    """Call a function on copies of the arguments. An interruption is caught too: a learner may well need it."""
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
    """Whether an argument is no longer what it was. Functions and models are not compared, nor what a tuple holds."""
    if callable(original) or isinstance(original, tuple):
        return False
    return bool(difference(copy, original, [Result("x")]))


def difference(got: Any, wanted: Any, returns: Sequence[Result], exactly: bool = True) -> str:
    """Say in one sentence how a value differs from the wanted one; "" if it does not.

    Takes what came; a tensor, a number or a tuple that is wanted; and of each wanted thing its name and shape. Unless
    `exactly`, float64 numbers may differ by as much as float32 ones.

    >>> difference(torch.ones(2, 1), torch.ones(1, 2), [Result("weights", "T, S")])
    'weights should be (T, S) = (1, 2), but yours is (2, 1).'
    """
    if isinstance(wanted, tuple):
        return _difference_of_several(got, wanted, returns, exactly)
    if isinstance(wanted, Tensor):
        return _difference_of_tensors(got, wanted, returns[0], exactly)
    if _is_same(got, wanted):
        return ""
    return f"{returns[0].name} should be {str(wanted)[:200]}, but yours is {str(got)[:200]}."


def _difference_of_several(got: Any, wanted: tuple[Any, ...], returns: Sequence[Result], exactly: bool) -> str:
    if not isinstance(got, (tuple, list)) or len(got) != len(wanted):
        names = ", ".join(each.name for each in returns)
        return f"{len(wanted)} things are wanted, `return {names}`, but you return {_kind(got)}."
    for one, other, result in zip(got, wanted, returns, strict=True):
        if sentence := difference(one, other, [result], exactly):
            return sentence
    return ""


def _difference_of_tensors(got: Any, wanted: Tensor, result: Result, exactly: bool) -> str:
    name = result.name
    if not isinstance(got, Tensor):
        return f"a torch tensor is wanted, but you return {_kind(got)}."
    if wanted.dim() == 0 and got.numel() == 1:
        got = got.reshape(())
    if got.shape != wanted.shape:
        letters = f"({result.shape}) = " if result.shape else ""
        return f"{name} should be {letters}{tuple(wanted.shape)}, but yours is {tuple(got.shape)}."
    if _kind_of_numbers(got) != _kind_of_numbers(wanted):
        kind = "hold fractions" if wanted.is_floating_point() else f"be of {wanted.dtype}"
        return f"{name} should {kind}, but yours is of {got.dtype}."
    new_nan = got.isnan() & ~wanted.isnan()
    if new_nan.any():
        return f"there is NaN (not a number) in {name}, first at {_first_position(new_nan)}."
    wrong = where_wrong(got, wanted, exactly)
    if wrong.any():
        position = _first_position(wrong)
        right, yours = _told_apart(wanted[position].item(), got[position].item())
        return f"{name} should be {right} at {position}, but yours is {yours}."
    is_too_exact = got.dtype == torch.float64 and wanted.dtype != torch.float64
    return TOO_EXACT.format(name) if is_too_exact else ""


def where_wrong(got: Tensor, wanted: Tensor, exactly: bool = True) -> Tensor:
    """Mark what differs by more than rounding, in the coarser of the two number types."""
    both_float64 = got.dtype == wanted.dtype == torch.float64
    tolerance = 1e-9 if exactly and both_float64 else 1e-5
    return ~torch.isclose(got.double(), wanted.double(), rtol=10 * tolerance, atol=tolerance, equal_nan=True)


def _kind_of_numbers(tensor: Tensor) -> str:
    if tensor.is_floating_point():
        return "fractions"
    return "truth values" if tensor.dtype == torch.bool else "whole numbers"


def _first_position(marks: Tensor) -> tuple[int, ...]:
    return tuple(marks.nonzero()[0].tolist())


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers, with as few digits as show that they differ."""
    for digits in (4, 7):
        if f"{one:.{digits}g}" != f"{other:.{digits}g}":
            return f"{one:.{digits}g}", f"{other:.{digits}g}"
    return f"{one:.17g}", f"{other:.17g}"


def _is_same(got: Any, wanted: Any) -> bool:
    """Whether a value that is no tensor is the wanted one. A list may stand for a tuple, and numpy's numbers do too."""
    if isinstance(wanted, (int, float)):
        is_number = isinstance(got, Real) or (isinstance(got, Tensor) and got.numel() == 1)
        return is_number and math.isclose(got, wanted, rel_tol=1e-6, abs_tol=1e-12)
    if _as_text(got) == _as_text(wanted):
        return True
    # Tensors in a list do not compare to one truth value.
    return isinstance(got, (list, set)) and "tensor" not in str(got) and bool(got == wanted)


def _as_text(value: Any) -> str:
    """A value as text, without numpy's names for its numbers; dictionaries in the order of their keys."""
    if isinstance(value, dict):
        value = sorted(value.items(), key=str)
    if isinstance(value, tuple):
        value = list(value)
    return re.sub(r"np\.\w+\(([^()]*)\)", r"\1", str(value))


def _kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if type(value).__module__ == "numpy":
        return "a numpy array (torch has the same functions: `torch.exp` for `np.exp`)"
    return f"a `{type(value).__name__}`"
