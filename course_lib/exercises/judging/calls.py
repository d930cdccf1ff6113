"""The call of a case in words: the names of its arguments, and values as short as a reader needs them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from course_lib.text.wording import join_words

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise

NUMBERS_IN_FULL = 8  # tensors of at most so many numbers are printed whole
INLINE = 16  # a value of at most so many characters is printed inside the call
LONGEST = 70  # a longer list is described by its length
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
    while given and given[-1][1] is None:
        given.pop()
    for name, value in given:
        written = describe_value(value)
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
    written = {name: describe_value(value) for name, value in values.items()}
    while sum(map(len, written.values())) > LONGEST_CALL:
        longest = max(written, key=lambda name: len(written[name]) if isinstance(values[name], Tensor) else 0)
        shape = _shape_of(values[longest])
        if written[longest] == shape:
            break
        written[longest] = shape
    return [
        f"`{name}` {words}" if words.startswith("of ") else f"`{name}` = `{words}`" for name, words in written.items()
    ]


def _shape_of(value: Any) -> str:
    return f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else describe_value(value)


def describe_value(value: Any) -> str:
    """Write a value whole if it is short, otherwise its shape or its length, as "of shape (2, 3)"."""
    if isinstance(value, Tensor):
        if value.numel() <= NUMBERS_IN_FULL and value.numel() > 0:
            return _rounded(value.tolist())
        return _shape_of(value)
    if tensors := _tensors_in(value):
        return tensors
    written = _rounded(value)
    if len(written) > LONGEST or "tensor(" in written:
        return f"of length {len(value)}" if isinstance(value, (Sequence, Mapping, set)) else written[:LONGEST] + "…"
    return written


def _tensors_in(value: Any) -> str:
    """Describe a list or tuple of tensors by their shapes, also one of pairs; "" for anything else.

    >>> from torch import ones
    >>> _tensors_in((ones(2, 3), ones(2, 3)))
    'of two tensors of shape (2, 3)'
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
    count = {1: "one", 2: "two", 3: "three"}.get(len(value), str(len(value)))
    return f"of {count} {kind} of {'shape' if len(shapes) == 1 else 'shapes'} {join_words(shapes)}"


def _rounded(value: Any) -> str:
    """Write a value as Python does, with numbers of four digits."""
    if isinstance(value, float):
        text = _four_digits(value)
        return f"{text}.0" if text.removeprefix("-").isdigit() else text
    if isinstance(value, list):
        numbers = (_four_digits(each) if isinstance(each, float) else _rounded(each) for each in value)
        return f"[{', '.join(numbers)}]"
    return repr(value)


def _four_digits(number: float) -> str:
    """Write a number with four digits, and zero without a sign."""
    return f"{number + 0.0:.4g}"


def _positional(function: Any) -> list[str]:
    """The names of a function's positional parameters; none for a class or if there is no signature."""
    return [parameter.name for parameter in _parameters(function)]


def _required(function: Any) -> list[str]:
    return [parameter.name for parameter in _parameters(function) if parameter.default is parameter.empty]


def _parameters(function: Any) -> list[inspect.Parameter]:
    if inspect.isclass(function):
        function = getattr(function, "forward", None) or function.__call__
        return _parameters(function)[1:]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
