"""What comes of an answer on one case, and how it differs from what is wanted."""

import io
import math
import re
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from itertools import repeat
from numbers import Real
from typing import Any

import torch
from torch import Tensor

NO_GRADIENT = "The gradient is cut off: by `.item()`, `.detach()`, `torch.tensor`, `from_pretrained`, or `/=` in place?"
TOO_EXACT = "the numbers of {} are right, but in float64. The other parts compute in float32: end with `.float()`."


@dataclass(frozen=True)
class Outcome:
    """What a function did: its value or its error, which of its arguments it changed, what it printed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()
    printed: str = ""

    def is_like(self, other: "Outcome", names: Sequence[str], exactly: bool = True) -> bool:
        """Whether another function did the same, or the same in float32. Errors are alike when of one type."""
        alike = type(self.error) is type(other.error) and self.changed == other.changed
        return alike and (self.error is not None or not difference(self.value, other.value, names, exactly))


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Outcome:
    """Call a function on copies of the arguments. A learner who interrupts it has their reasons: that is caught too."""
    copies = [x.clone() if isinstance(x, Tensor) else x if callable(x) else deepcopy(x) for x in arguments]
    with redirect_stdout(io.StringIO()) as printed:
        try:
            value = function(*copies)
        except (Exception, KeyboardInterrupt) as error:
            return Outcome(error=error, printed=printed.getvalue())
    changed = (i for i, x in enumerate(arguments) if not callable(x) and difference(copies[i], x, "x"))
    return Outcome(value, None, tuple(changed), printed.getvalue())


def difference(got: Any, wanted: Any, names: Sequence[str], exactly: bool = True) -> str:
    """Say in one sentence how a value differs from the wanted one; "" where it does not.

    Takes what came; a tensor, a number or a tuple that is wanted; and for each wanted thing its name and shape.

    >>> difference(torch.ones(2, 1), torch.ones(1, 2), ["weights (T, S)"])
    'weights should be (T, S) = (1, 2), but yours is (2, 1).'
    """
    if isinstance(wanted, tuple):
        if not isinstance(got, (tuple, list)) or len(got) != len(wanted):
            short = ", ".join(name.partition(" ")[0] for name in names)
            return f"{len(wanted)} things are wanted, `return {short}`, but you return {_kind(got)}."
        return next(filter(None, map(difference, got, wanted, ([name] for name in names), repeat(exactly))), "")
    name, _, letters = names[0].partition(" (")
    if not isinstance(wanted, Tensor):
        return "" if _same(got, wanted) else f"{name} should be {str(wanted)[:200]}, but yours is {str(got)[:200]}."
    if not isinstance(got, Tensor):
        return f"a torch tensor is wanted, but you return {_kind(got)}."
    if not wanted.shape and got.numel() == 1:
        got = got.reshape(())  # one number
    if got.shape != wanted.shape:
        shape = f"({letters} = " * bool(letters) + f"{tuple(wanted.shape)}"
        return f"{name} should be {shape}, but yours is {tuple(got.shape)}."
    if (got.is_floating_point(), got.dtype == torch.bool) != (wanted.is_floating_point(), wanted.dtype == torch.bool):
        kind = "hold fractions" if wanted.is_floating_point() else f"be of {wanted.dtype}"
        return f"{name} should {kind}, but yours is of {got.dtype}."
    wrong, nan = where_wrong(got, wanted, exactly), got.isnan() & ~wanted.isnan()
    if not wrong.any():
        return TOO_EXACT.format(name) if got.dtype == torch.float64 != wanted.dtype else ""
    place = tuple((nan if nan.any() else wrong).nonzero()[0].tolist())
    if nan.any():
        return f"there is NaN (not a number) in {name}, first at {place}."
    digits = next(n for n in (4, 7, 17) if f"{wanted[place]:.{n}g}" != f"{got[place]:.{n}g}")
    return f"{name} should be {wanted[place]:.{digits}g} at {place}, but yours is {got[place]:.{digits}g}."


def where_wrong(got: Tensor, wanted: Tensor, exactly: bool = True) -> Tensor:
    """Mark what differs by more than rounding, in the coarser of the two number types."""
    tolerance = 1e-9 if exactly and got.dtype == wanted.dtype == torch.float64 else 1e-5
    return ~torch.isclose(got.double(), wanted.double(), rtol=10 * tolerance, atol=tolerance, equal_nan=True)


def _same(got: Any, wanted: Any) -> bool:
    if isinstance(wanted, (int, float)):
        number = isinstance(got, Real) or (isinstance(got, Tensor) and got.numel() == 1)
        return number and math.isclose(got, wanted, rel_tol=1e-6, abs_tol=1e-12)
    return _text(got) == _text(wanted) or (isinstance(got, (list, set)) and "tensor" not in str(got) and got == wanted)


def _text(value: Any) -> str:
    """As text, since tensors in a list do not compare to one truth. Its numbers may be numpy's."""
    ordered = sorted(value.items(), key=str) if isinstance(value, dict) else value
    return re.sub(r"np\.\w+\(([^()]*)\)", r"\1", str([*ordered] if isinstance(ordered, tuple) else ordered))


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if type(value).__module__ == "numpy":
        return "a numpy array (torch has the same functions: `torch.exp` for `np.exp`)"
    return f"a `{type(value).__name__}`"
