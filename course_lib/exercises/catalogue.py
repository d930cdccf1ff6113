"""All exercises, in the order of the notebooks."""

import difflib
from importlib import import_module

from course_lib.exercises.exercise import Exercise

FILES = "start_here", "attention", "multi_head", "tokens", "positions", "encoder", "decoder", "transformer", "sampling"
LESSONS = [import_module(f"{__package__}.{file}") for file in FILES]


def all_exercises() -> list[Exercise]:
    """All exercises of the course, in the order in which the notebooks give them."""
    return [exercise for lesson in LESSONS for exercise in lesson.EXERCISES]


def find(name: str) -> Exercise:
    """Look an exercise up by its name.

    Raises ValueError, with the nearest name there is, where there is none.
    """
    exercises = {exercise.name: exercise for exercise in all_exercises()}
    if name not in exercises:
        near = difflib.get_close_matches(name, exercises, n=1, cutoff=0)[0]
        raise ValueError(f"There is no exercise {name!r}: do you mean {near!r}?")
    return exercises[name]
