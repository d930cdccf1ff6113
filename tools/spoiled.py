"""Wrong answers in which nothing is to be recognised: the reference, with numbers that no known mistake gives."""

import inspect
from typing import Any

from torch import Tensor

from course_lib.exercises import Exercise


def spoiled(exercise: Exercise) -> Any:
    """Make a wrong answer to an exercise: its reference, but each result is off by another amount."""
    reference = exercise.reference
    if not inspect.isclass(reference):

        def function(*arguments: Any) -> Any:
            return _off(reference(*arguments))

        return function

    class Spoiled(reference):  # type: ignore[misc, valid-type]
        def forward(self, *arguments: Any) -> Any:
            return _off(super().forward(*arguments))

    return Spoiled


def _off(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value + value.cos() / 8 if value.is_floating_point() else value + 1 + value % 3
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 + value % 3
    if isinstance(value, str):
        return value + value[:1] + "?"
    if isinstance(value, dict):
        return {key: _off(each) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_off, value))
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(map(_off, value))
    return value
