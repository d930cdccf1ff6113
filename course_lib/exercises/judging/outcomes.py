"""The outcome of calling an answer in one case, and how it differs from the expected outcome."""

import inspect
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Result
from course_lib.exercises.judging.naming import is_or_are, return_statement
from course_lib.exercises.judging.settings import pinned_settings
from course_lib.text.wording import with_minus_signs

NO_GRADIENT = (
    "The gradient is cut off, for example by `torch.no_grad()`, `.item()`, `.detach()`, `.numpy()`, `torch.tensor`, "
    "`from_pretrained` or `/=` in place, in your code or in a function that it calls."
)
FLOAT64_INSTEAD = (
    "the numbers of {} are right, but in float64. The other parts compute in float32: end with `.float()`."
)
PRINTED_CHARACTERS = 10_000  # how much of what an answer prints is kept
SHOWN = 200  # so many characters of a value are shown in a sentence
LENGTH_FURTHER_ON = 30  # so many items are shown of texts and lists that begin with the same ones


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call.

    Attributes:
        value: a copy of what the call returned, which no later call can change.
        error: what it raised; None if it returned.
        changed: the indices of the arguments that it changed in place.
        became: what it made of these arguments.
        printed: the beginning of what it printed, on standard output and standard error.
        warned: the warnings that it raised, each once.
        settings: the calls, such as `torch.set_grad_enabled`, whose settings it left changed.
        in_tensors: the indices of changed lists, tuples or dictionaries that hold the same tensors as before, so that
            only the numbers in these were changed.
    """

    value: Any = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()
    became: tuple[Any, ...] = ()
    printed: str = ""
    warned: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    in_tensors: tuple[int, ...] = ()

    def matches(self, other: "Outcome", returns: Sequence[Result], exact: bool = True) -> bool:
        """Whether two calls returned the same value, to float32 precision unless `exact`, and changed the same.

        An error matches nothing, not even the same error.
        """
        if self.error is not None or other.error is not None or self.changed != other.changed:
            return False
        if not _are_alike(self.became, other.became):
            return False
        return not difference(self.value, other.value, returns, exact)


class _Printed(io.TextIOBase):
    """Takes everything that is printed, and keeps the beginning. An answer cannot close it."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < PRINTED_CHARACTERS:
            self.text += text[: PRINTED_CHARACTERS - len(self.text)]
        return len(text)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        pass


def run(function: Callable[..., Any], arguments: Sequence[Any]) -> Outcome:
    """Call a function on copies of the arguments, with the settings of the process that a check needs.

    Whatever it raises is caught, also SystemExit, and KeyboardInterrupt, since a learner may have to stop an endless
    loop.
    """
    copies = [_copy(argument) for argument in arguments]
    held = [_held(copy) for copy in copies]
    printed = _Printed()
    value, error = None, None
    with pinned_settings() as changes, redirect_stdout(printed), redirect_stderr(printed):
        try:
            value = _lasting(function(*copies))
        except BaseException as raised:
            error = _readable(raised)
    pairs = enumerate(zip(copies, arguments, strict=True))
    changed = [i for i, (copy, original) in pairs if error is None and _was_changed(copy, original)]
    became = tuple(_lasting(copies[i]) for i in changed)
    in_tensors = tuple(i for i in changed if _contains_tensors(copies[i]) and _holds_the_same(copies[i], held[i]))
    warned, settings = tuple(changes.warned), tuple(changes.settings)
    return Outcome(value, error, tuple(changed), became, printed.text, warned, settings, in_tensors)


def _copy(argument: Any) -> Any:
    """Copy an argument, and what it contains. Functions are shared, since they cannot be copied."""
    if isinstance(argument, Tensor):
        return argument.clone()
    is_shared = callable(argument) and not isinstance(argument, nn.Module)
    return argument if is_shared else deepcopy(argument)


def _lasting(value: Any) -> Any:
    """Copy a returned value, so that it stays as it is when the answer goes on using its own object."""
    if _is_tensor(value):
        return value.detach().clone()
    if type(value) in (list, tuple, set):
        return type(value)(_lasting(each) for each in value)
    if isinstance(value, dict):
        return {key: _lasting(each) for key, each in value.items()}
    if inspect.iscoroutine(value):
        value.close()  # Python would warn that nobody awaited it
        return value
    try:
        return deepcopy(value)
    except (TypeError, RuntimeError):  # such as a generator, which cannot be copied
        return value


def _readable(error: BaseException) -> BaseException:
    """The error itself, or one of the same name and place if its own message cannot be read."""
    try:
        str(error)
    except BaseException:
        named_alike = type(type(error).__name__, (Exception,), {})
        replacement: BaseException = named_alike("(its message raises an error itself)")
        return replacement.with_traceback(error.__traceback__)
    return error


def _was_changed(copy: Any, original: Any) -> bool:
    """Whether a call changed an argument. What cannot be compared any more was changed."""
    try:
        return _differs(copy, original)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return True


def _differs(copy: Any, original: Any) -> bool:
    """Whether an argument differs from the original, or something that it contains. Functions are not compared."""
    if isinstance(original, Tensor):
        return not (isinstance(copy, Tensor) and _is_identical(copy, original))
    if isinstance(original, nn.Module):
        return _differs(_numbers_of(copy), _numbers_of(original))  # `model.eval()` is good practice
    if callable(original):
        return False
    if isinstance(original, Mapping):
        return copy.keys() != original.keys() or any(_differs(copy[key], original[key]) for key in original)
    if isinstance(original, (list, tuple)):
        return len(copy) != len(original) or any(map(_differs, copy, original))
    return bool(copy != original)


def _held(value: Any) -> Any:
    """What a list, tuple or dictionary holds, also in those inside it: tensors by their ids, all else as it is."""
    if isinstance(value, Tensor):
        return (Tensor, id(value))
    if isinstance(value, Mapping):
        return {key: _held(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_held(each) for each in value]
    return value


def _contains_tensors(value: Any) -> bool:
    """Whether there are tensors in a list, a tuple or a dictionary, or in those inside it."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return any(isinstance(each, Tensor) or _contains_tensors(each) for each in inside)


def _holds_the_same(copy: Any, held: Any) -> bool:
    """Whether an argument holds the same tensors as before the call, and is otherwise as it was."""
    try:
        return bool(_held(copy) == held)
    except Exception:  # what cannot be compared
        return False


def _are_alike(one: Any, other: Any) -> bool:
    """Whether two changed arguments are the same, to float32 precision. Objects of unknown kinds count as the same."""
    match one, other:
        case Tensor(), Tensor():
            return one.shape == other.shape and torch.allclose(one.double(), other.double(), 1e-4, 1e-5, equal_nan=True)
        case (list() | tuple(), list() | tuple()):
            return len(one) == len(other) and all(map(_are_alike, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(_are_alike(one[key], other[key]) for key in one)
        case (int() | float() | str(), int() | float() | str()):
            return one == other
    return True


def _numbers_of(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _is_identical(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
        return False
    return bool(((one == other) | (one.isnan() & other.isnan())).all())


def difference(got: Any, expected: Any, returns: Sequence[Result], exact: bool = True) -> str:
    """Say in one sentence how a value differs from the expected one; "" if it does not.

    Whatever the value is, even an object that raises errors when it is looked at, the answer is a sentence.

    Args:
        got: the value that an answer returned.
        expected: a tensor, a number, or a tuple of them.
        returns: the name and the shape of each expected value.
        exact: whether float64 numbers are compared to float64 precision; otherwise float32 precision is enough.

    >>> difference(torch.ones(2, 1), torch.ones(1, 2), [Result("weights", "T, S")])
    'the weights should be (T, S) = (1, 2), not (2, 1).'
    """
    try:
        return _difference(got, expected, returns, exact)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        kinds = f"{_kind(got)}, and looking at it raises {type(error).__name__}"
        return f"{returns[0].definite} cannot be compared: you return {kinds}."


def _difference(got: Any, expected: Any, returns: Sequence[Result], exact: bool) -> str:
    if isinstance(expected, tuple) and len(expected) == len(returns):  # a known mistake may return any tuple
        return _difference_of_several(got, expected, returns, exact)
    if isinstance(expected, Tensor):
        return _difference_of_tensors(got, expected, returns[0], exact)
    if _is_same(got, expected):
        return ""
    if isinstance(expected, float) and (number := _number(got)) is not None:
        right, given = map(with_minus_signs, _with_enough_digits(expected, number))
        return f"{returns[0].definite} should be {right}, not {given}."
    if isinstance(expected, Mapping) and not isinstance(got, (Mapping, str)):
        return f"{returns[0].definite} should be in a dictionary, but you return {_describe(got)}."
    if type(got) is type(expected) and (_is_cut(got) or _is_cut(expected)) and _shown(got) == _shown(expected):
        return _difference_further_on(got, expected, returns[0].definite)
    kind = "the text " if isinstance(got, str) and not isinstance(expected, str) else ""
    return f"{returns[0].definite} should be {_shown(expected)}, not {kind}{_shown(got)}."


def _difference_further_on(got: Any, expected: Any, name: str) -> str:
    """How two long texts or lists differ whose beginnings, as far as they are shown, are the same."""
    pairs = enumerate(zip(got, expected, strict=False))
    start = next((i for i, pair in pairs if not _is_same_element(*pair)), min(len(got), len(expected)))
    right, given = (_shown(each[start : start + LENGTH_FURTHER_ON]) for each in (expected, got))
    here = f"from index {start} on, {name} should be {right}, not {given}"
    if len(got) == len(expected):
        return f"{here}."
    return f"{name} should be of length {len(expected)}, not {len(got)}: {here}."


def _difference_of_several(got: Any, expected: tuple[Any, ...], returns: Sequence[Result], exact: bool) -> str:
    if not isinstance(got, (tuple, list)) or len(got) != len(expected):
        wanted = f"you should return {len(expected)} things, {return_statement(returns)}"
        found = f"{_describe(got)} of {len(got)}" if isinstance(got, (tuple, list)) else _describe(got)
        return f"{wanted}, but you return {found}."
    for one, other, result in zip(got, expected, returns, strict=True):
        if sentence := _difference(one, other, [result], exact):
            return sentence
    return ""


def _difference_of_tensors(got: Any, expected: Tensor, result: Result, exact: bool) -> str:
    name = result.definite
    if result.may_be_plain and isinstance(got, Real):
        got = torch.tensor(float(got), dtype=torch.float64)
    if not _is_tensor(got):
        return f"you should return a torch tensor, but you return {_describe(got)}."
    if sentence := _peculiarity(got, expected, name):
        return sentence
    if expected.dim() == 0 and got.numel() == 1:
        got = got.reshape(())
    if got.shape != expected.shape:
        letters = f"({result.shape}) = " if result.shape else ""
        return f"{name} should be {letters}{tuple(expected.shape)}, not {tuple(got.shape)}."
    if expected.numel() == 0:
        return ""  # nothing is in it whose dtype could matter
    if _number_kind(got) != _number_kind(expected):
        kind = "hold fractions" if expected.is_floating_point() else f"be of {expected.dtype}"
        return f"{name} should {kind}, not of {got.dtype}."
    if _rounds_more_than_float32(got) and not _rounds_more_than_float32(expected):
        digits = max(1, round(-math.log10(torch.finfo(got.dtype).resolution)))
        kept = f"which keeps about {digits} {'digit' if digits == 1 else 'digits'} of each number"
        return f"{name} should be of {expected.dtype}, not of {got.dtype}, {kept}."
    new_nan = got.isnan() & ~expected.isnan()
    if new_nan.any():
        if not new_nan.dim():
            return f"{name} {is_or_are(name)} NaN (not a number)."
        return f"there is NaN (not a number) in {name}, first{_at(_first_position(new_nan))}."
    wrong = wrong_elements(got, expected, exact)
    if wrong.any():
        position = _first_position(_largest_differences(got, expected, wrong))
        right, given = map(with_minus_signs, _with_enough_digits(expected[position].item(), got[position].item()))
        verb = "have" if position else "be"
        return f"{name} should {verb} {right}{_at(position)}, not {given}."
    may_be_float64 = expected.dim() == 0 or result.any_precision
    return "" if may_be_float64 or not is_too_exact(got, expected) else FLOAT64_INSTEAD.format(name)


def is_too_exact(got: Any, expected: Any) -> bool:
    """Whether a result is a float64 tensor in place of one with fewer digits."""
    return (
        _is_tensor(got)
        and isinstance(expected, Tensor)
        and got.dtype == torch.float64
        and expected.dtype != torch.float64
    )


def _largest_differences(got: Tensor, expected: Tensor, wrong: Tensor) -> Tensor:
    """Mark the wrong elements that are wrong by at least half as much as the one that is most wrong."""
    distance = (got.double() - expected.double()).abs().nan_to_num(math.inf)
    distance = torch.where(wrong, distance, 0.0)
    return wrong & (distance >= distance.max() / 2)


def _peculiarity(got: Tensor, expected: Tensor, name: str) -> str:
    """Say why a tensor cannot be compared with an ordinary one; "" if it can."""
    if got.is_nested:
        return f"{name} should be an ordinary tensor, not a nested one: `torch.stack` joins rows of one length."
    if got.layout != torch.strided:
        return f"{name} should be an ordinary tensor, not a sparse one: end with `.to_dense()`."
    if got.is_quantized:
        return f"{name} should be an ordinary tensor, not a quantized one: end with `.dequantize()`."
    if got.device != expected.device:
        where = f'on the device "{got.device}", but the arguments are on "{expected.device}"'
        return f"{name} is {where}: make new tensors where the arguments are, with `device=x.device`."
    return ""


def _rounds_more_than_float32(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and torch.finfo(tensor.dtype).resolution > torch.finfo(torch.float32).resolution


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
    if tensor.is_complex():
        return "complex numbers"
    return "truth values" if tensor.dtype == torch.bool else "whole numbers"


def _first_position(marks: Tensor) -> tuple[int, ...]:
    return tuple(marks.nonzero()[0].tolist())


def _at(position: tuple[int, ...]) -> str:
    """Where an element is: " at (0, 2)", " at index 2" in a vector, nothing in a single number."""
    return f" at {f'index {position[0]}' if len(position) == 1 else position}" if position else ""


def _with_enough_digits(one: float, other: float) -> tuple[str, str]:
    """Write two numbers with as few digits as are needed to tell them apart; True and False as they are."""
    if isinstance(one, bool) and isinstance(other, bool):
        return str(one), str(other)
    for digits in (4, 7):
        if f"{one:.{digits}g}" != f"{other:.{digits}g}":
            return f"{one:.{digits}g}", f"{other:.{digits}g}"
    return f"{one:.17g}", f"{other:.17g}"


def _is_same(got: Any, expected: Any) -> bool:
    """Whether a value other than a tensor is the expected one. Lists count as tuples, numpy's numbers as Python's."""
    if isinstance(expected, (int, float)):
        number = _number(got)
        return number is not None and _is_same_number(number, float(expected))
    if isinstance(expected, (list, tuple)):
        has_same_length = isinstance(got, (list, tuple)) and len(got) == len(expected)
        return has_same_length and all(map(_is_same_element, got, expected))
    if isinstance(expected, Mapping):
        has_same_keys = isinstance(got, Mapping) and got.keys() == expected.keys()
        return has_same_keys and all(_is_same_element(got[key], expected[key]) for key in expected)
    return isinstance(got, type(expected)) and bool(got == expected)


def _number(value: Any) -> float | None:
    """A number, a truth value of numpy's, or a tensor with a single element, as a float; None for anything else."""
    is_single = isinstance(value, np.bool_) or (isinstance(value, Tensor) and value.numel() == 1)
    number = value.item() if is_single else value
    return float(number) if isinstance(number, Real) else None


def _is_same_element(got: Any, expected: Any) -> bool:
    """Whether an element of a list is the expected one. There a tensor is no number, and a list no tuple."""
    if _is_tensor(expected):
        return not _difference_of_tensors(got, expected, Result("it"), exact=True)
    if isinstance(expected, (list, tuple)) and not isinstance(got, type(expected)):
        return False
    return not _is_tensor(got) and _is_same(got, expected)


def _is_same_number(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-12) or (math.isnan(one) and math.isnan(other))


def _shown(value: Any) -> str:
    """Write a value in a sentence: numbers, texts and collections as Python does, other objects by their kind."""
    if isinstance(value, str):
        return repr(value[:SHOWN])
    if isinstance(value, Real):
        return with_minus_signs(_as_python_writes(value))
    if isinstance(value, Tensor) or value is None or isinstance(value, (list, tuple, set, dict)):
        return _as_python_writes(value)
    return _describe(value)


def _as_python_writes(value: Any) -> str:
    written = re.sub(r"np\.\w+\(([^()]*)\)", r"\1", str(value))
    return re.sub(r"\n *", " ", written)[:SHOWN]  # tensors in a collection are written in several lines


def _is_cut(value: Any) -> bool:
    """Whether a text, a list or a tuple is too long to be shown whole in a sentence."""
    return isinstance(value, (str, list, tuple)) and len(value if isinstance(value, str) else str(value)) > SHOWN


def _describe(value: Any) -> str:
    """Describe the kind of a value in words, with advice where a common slip makes it."""
    if _is_tensor(value):
        return f"a tensor of shape {tuple(value.shape)}"
    if type(value).__module__ == "numpy":
        return "a numpy array (torch has the same functions: `torch.exp` for `np.exp`)"
    if inspect.iscoroutine(value):
        return "a `coroutine`: write `def` in place of `async def`"
    if inspect.isgenerator(value):
        return "a `generator`: write `return` in place of `yield`"
    if inspect.isroutine(value) or isinstance(value, type):
        return f"{_kind(value)}: call it, with brackets and arguments"
    return _kind(value)


def _kind(value: Any) -> str:
    """The type of a value, with its article."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} `{name}`"


def _is_tensor(value: Any) -> bool:
    """Whether a value is a tensor; some objects only claim to be one, in their `__class__`."""
    return issubclass(type(value), Tensor)
