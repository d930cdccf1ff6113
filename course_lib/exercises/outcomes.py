"""What comes of an answer on one case, and how it differs from what is wanted."""

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Outcome:
    """What a function did with its arguments: its value or its error, which arguments it changed, what it printed."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()
    printed: str = ""


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Outcome:
    """Call a function on copies of the arguments. A learner who interrupts it has their reason: that is caught too."""
    copies = [copy_of(argument) for argument in arguments]
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            value = function(*copies)
    except (Exception, KeyboardInterrupt) as error:
        return Outcome(error=error, printed=printed.getvalue())
    pairs = enumerate(zip(arguments, copies, strict=True))
    changed = tuple(i for i, (old, new) in pairs if isinstance(old, Tensor) and not torch.equal(old, new))
    return Outcome(value, None, changed, printed.getvalue())


def copy_of(argument: Any) -> Any:
    """Copy a tensor, its strides included; anything else is handed on."""
    return argument.detach().clone() if isinstance(argument, Tensor) else argument


def difference(got: Any, wanted: Any, names: Sequence[str] = ()) -> str:
    """Say in one sentence how a value differs from the wanted one; "" where it does not.

    Args:
        got: what came.
        wanted: a tensor, a number, or a tuple of them.
        names: for each wanted thing, its name and its shape in letters: "weights (T, S)".

    >>> difference(torch.ones(2, 1), torch.ones(1, 2), ["weights (T, S)"])
    'weights should be (T, S) = (1, 2), but yours is (2, 1).'
    """
    if isinstance(wanted, tuple):
        if not isinstance(got, (tuple, list)) or len(got) != len(wanted):
            short = ", ".join(name.partition(" ")[0] for name in names)
            return f"{len(wanted)} things are wanted, `return {short}`, but you return {_kind(got)}."
        named = zip(got, wanted, names or [""] * len(wanted), strict=True)
        return next(filter(None, (difference(one, other, [name]) for one, other, name in named)), "")
    name, _, letters = (names[0] if names else "the result").partition(" (")
    if not isinstance(wanted, Tensor):
        right = isinstance(got, (int, float, Tensor)) and torch.as_tensor(got).numel() == 1 and float(got) == wanted
        return "" if right else f"{name} should be {wanted}, but you return {_shown(got)}."
    if not isinstance(got, Tensor):
        return f"a torch tensor is wanted, but you return {_kind(got)}."
    if got.shape != wanted.shape:
        shape = f"({letters} = {tuple(wanted.shape)}" if letters else f"{tuple(wanted.shape)}"
        return f"{name} should be {shape}, but yours is {tuple(got.shape)}."
    if not got.is_floating_point():
        return f"{name} should hold fractions, but yours is of {got.dtype}."
    wrong = where_wrong(got, wanted)
    if not wrong.any():
        return ""
    no_number = got.isnan() & ~wanted.isnan()
    if no_number.any():
        return f"{name} is NaN (not a number) at {_place(no_number)}, and at {int(no_number.sum())} places in all."
    place = tuple(wrong.nonzero()[0].tolist())
    return f"{name} should be {_shown(wanted[place])} at {_place(wrong)}, but yours is {_shown(got[place])} there."


def where_wrong(got: Tensor, wanted: Tensor) -> Tensor:
    """Mark what differs by more than rounding, in the coarser of the two number types."""
    fine = got.dtype == wanted.dtype == torch.float64
    got, wanted = got.detach().double(), wanted.detach().double()
    return ~torch.isclose(got, wanted, rtol=1e-9 if fine else 1e-4, atol=1e-9 if fine else 1e-5, equal_nan=True)


def _place(marks: Tensor) -> str:
    return str(marks.nonzero()[0].tolist()) if marks.dim() else "its only place"


def _shown(value: Any) -> str:
    if isinstance(value, (int, float, Tensor)) and torch.as_tensor(value).numel() == 1:
        return f"{float(value):.4g}"
    return _kind(value)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (`None`)"
    if isinstance(value, Tensor):
        return f"one tensor of shape {tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if type(value).__module__ == "numpy":
        return "a numpy array (use torch's functions: `torch.exp` for `np.exp`)"
    return f"an object of type `{type(value).__name__}`"
