"""The call of a case in words: the names of its arguments, and values as short as a reader needs them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from course_lib.exercises.judging.naming import is_or_are
from course_lib.text.wording import in_words, join_words

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise

NUMBERS_IN_FULL = 8  # tensors of at most so many numbers are printed whole
INLINE = 16  # a value of at most so many characters is printed inside the call
LONGEST = 70  # a longer list is described by its length
DIGITS = 4  # of a number that is printed, unless more are needed to tell two numbers apart
ALL_DIGITS = 17  # tell any two numbers apart
LONGEST_OF_DICTIONARIES = 120  # a list of dictionaries that is written whole
LARGEST_IN_WORDS = 3  # a larger count of tensors or dictionaries is written in digits
LONGEST_CALL = 110  # what stands beside a call is shortened to so many characters


def argument_names(exercise: Exercise, answer: Any, arguments: Sequence[Any]) -> list[str]:
    """Name the arguments of a case as the learner's code does; as the reference does where the code does not say.

    Of a class, the first arguments go to `__init__`, and those from the first tensor on to `forward`.
    """
    count = len(arguments)
    if not inspect.isclass(exercise.reference):
        names = _positional(exercise.reference)
        own = _positional(answer)
        return own[:count] if len(own) >= count else [*names, *[f"argument {i + 1}" for i in range(count)]][:count]
    first = inputs_begin(arguments) or count
    reference: Any = exercise.reference
    constructor = _positional(reference.__init__)[1:]
    inputs = _positional(getattr(answer, "forward", reference.forward))[1:]
    if len(inputs) < len(_required(reference.forward)) - 1:
        inputs = _positional(reference.forward)[1:]
    names = [*constructor[:first], *inputs[: count - first], *constructor[first:]]
    return [*names, *[f"argument {i + 1}" for i in range(count)]][:count]


def inputs_begin(arguments: Sequence[Any]) -> int:
    """The index of the first tensor; 0 if there is none."""
    return next((i for i, argument in enumerate(arguments) if isinstance(argument, Tensor)), 0)


def describe_call(exercise: Exercise, answer: Any, arguments: Sequence[Any]) -> str:
    """Write a call: short values inside it, the others after "with"."""
    names = argument_names(exercise, answer, arguments)
    inside: list[str] = []
    beside: dict[str, Any] = {}
    given = list(zip(names, arguments, strict=True))
    while len(given) > _required_count(exercise.reference, answer) and given[-1][1] is None:
        given.pop()
    for name, value in given:
        written = describe_argument(value)
        is_short = len(written) <= INLINE and not isinstance(value, Tensor) and not written.startswith("of ")
        inside.append(written if is_short and not callable(value) else name)
        if not is_short and not callable(value):
            beside[name] = value
    if inspect.isclass(exercise.reference):
        first = inputs_begin(arguments) or len(arguments)
        inputs = f"({', '.join(inside[first:])})" if inside[first:] else ""
        call = f"`{exercise.name}({', '.join(inside[:first])}){inputs}`"
    else:
        call = f"`{exercise.name}({', '.join(inside)})`"
    return call + (f" with {join_words(_described(beside))}" if beside else "")


def _described(values: Mapping[str, Any]) -> list[str]:
    """Write values after their names; of the longest tensors only the shapes, until all is short enough."""
    written = {name: describe_argument(value) for name, value in values.items()}
    while sum(map(len, written.values())) > LONGEST_CALL:
        longest = max(written, key=lambda name: len(written[name]) if isinstance(values[name], Tensor) else 0)
        shape = _shape_of(values[longest])
        if written[longest] == shape:
            break
        written[longest] = shape
    return [_with_value(name, values[name], words) for name, words in written.items()]


def _with_value(name: str, value: Any, words: str) -> str:
    """An argument's name and its value in words: "`x` = `[1, 2]`", "`x` of shape (2, 3)", "two `checkpoints`"."""
    if not words.startswith("of "):
        return f"`{name}` = `{words}`"
    if _are_dictionaries(value) and is_or_are(name) == "are":
        return f"{in_words(len(value), LARGEST_IN_WORDS)} `{name}`"
    return f"{_with_article(name, value)} {words}"


def _with_article(name: str, value: Any) -> str:
    """An argument's name, with an article if it is one collection of tensors: "a `past` of two pairs of tensors"."""
    if not _tensors_in(value) or is_or_are(name) == "are":
        return f"`{name}`"
    return f"{'an' if name[0] in 'aeio' else 'a'} `{name}`"


def _shape_of(value: Any) -> str:
    return f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else describe_value(value)


def describe_argument(value: Any) -> str:
    """Write an argument as `describe_value` does, but with more digits where different numbers would look equal."""
    return describe_value(value, digits=_digits_that_differ(value))


def describe_value(value: Any, digits: int = DIGITS) -> str:
    """Write a value whole if it is short, otherwise its shape or its length, as "of shape (2, 3)"."""
    if isinstance(value, Tensor):
        if value.numel() <= NUMBERS_IN_FULL and value.numel() > 0:
            return _rounded(value.tolist(), digits)
        return _shape_of(value)
    if tensors := _tensors_in(value):
        return tensors
    written = _rounded(value, digits)
    if _are_dictionaries(value) and len(written) > LONGEST_OF_DICTIONARIES:
        return f"of {in_words(len(value), LARGEST_IN_WORDS)} dictionaries"
    if (len(written) > LONGEST and not _are_dictionaries(value)) or "tensor(" in written:
        return f"of length {len(value)}" if isinstance(value, (Sequence, Mapping, set)) else written[:LONGEST] + "…"
    return written


def _tensors_in(value: Any) -> str:
    """Describe a list or tuple of tensors by their shapes, also one of pairs; "" for anything else.

    >>> from torch import ones
    >>> _tensors_in((ones(2, 3), ones(2, 3)))
    'of two tensors, each of shape (2, 3)'
    >>> _tensors_in([(ones(2, 3), ones(2, 4))])
    'of one pair of tensors of shapes (2, 3) and (2, 4)'
    """
    if not isinstance(value, (list, tuple)) or not value:
        return ""
    pairs = all(isinstance(each, tuple) and len(each) == 2 for each in value)
    tensors = [each for pair in value for each in pair] if pairs else list(value)
    if not all(isinstance(each, Tensor) for each in tensors):
        return ""
    kind = ("pair" if len(value) == 1 else "pairs") + " of tensors" if pairs else "tensors"
    if not pairs and len(value) == 1:
        kind = "tensor"
    shapes = list(dict.fromkeys(str(tuple(each.shape)) for each in tensors))
    count = in_words(len(value), LARGEST_IN_WORDS)
    if len(shapes) > 1:
        return f"of {count} {kind} of shapes {join_words(shapes)}"
    return f"of {count} {kind}{', each' if len(tensors) > 1 else ''} of shape {shapes[0]}"


def _are_dictionaries(value: Any) -> bool:
    """Whether a value is a list of dictionaries, such as messages or checkpoints."""
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _digits_that_differ(value: Any) -> int:
    """How many digits show that the different numbers in a value are different, at least `DIGITS`.

    >>> _digits_that_differ([0.5, 1.0, 1.000001]), _digits_that_differ([1000.25, 2.0, 2.0])
    (7, 4)
    """
    numbers = set(_numbers_in(value))
    for digits in range(DIGITS, ALL_DIGITS):
        if len({_with_digits(each, digits) for each in numbers}) == len(numbers):
            return digits
    return ALL_DIGITS


def _numbers_in(value: Any) -> Iterator[float]:
    """The fractions in a value that is written whole."""
    if isinstance(value, Tensor):
        value = value.tolist() if value.is_floating_point() and value.numel() <= NUMBERS_IN_FULL else []
    if isinstance(value, list):
        for each in value[:LONGEST]:
            yield from _numbers_in(each)
    elif isinstance(value, float) and math.isfinite(value):
        yield value


def _rounded(value: Any, digits: int) -> str:
    """Write a value as Python does, with numbers of so many digits."""
    if isinstance(value, float):
        text = _with_digits(value, digits)
        return f"{text}.0" if text.removeprefix("-").isdigit() else text
    if isinstance(value, list):
        numbers = (_with_digits(each, digits) if isinstance(each, float) else _rounded(each, digits) for each in value)
        return f"[{', '.join(numbers)}]"
    if isinstance(value, dict):
        pairs = (f"{key!r}: {_rounded(_small_as_list(each), digits)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _small_as_list(value: Any) -> Any:
    """A tensor of few numbers as a list, or as a number if it has no axes; anything else as it is."""
    is_small = isinstance(value, Tensor) and 0 < value.numel() <= NUMBERS_IN_FULL
    return value.tolist() if is_small else value


def _with_digits(number: float, digits: int) -> str:
    """Write a number with so many digits, and zero without a sign."""
    return f"{number + 0.0:.{digits}g}"


def _positional(function: Any) -> list[str]:
    """The names of a function's positional parameters; none for a class or if there is no signature."""
    return [parameter.name for parameter in _parameters(function)]


def _required(function: Any) -> list[str]:
    return [parameter.name for parameter in _parameters(function) if parameter.default is parameter.empty]


def _required_count(reference: Any, answer: Any) -> int:
    """How many arguments a call of the reference needs, or one of the answer, if that is more."""
    if inspect.isclass(reference):
        return len(_required(reference.__init__)) - 1 + len(_required(reference))  # without `self`
    return max(len(_required(reference)), len(_required(answer)))


def _parameters(function: Any) -> list[inspect.Parameter]:
    if inspect.isclass(function):
        function = getattr(function, "forward", None) or function.__call__
        return _parameters(function)[1:]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
