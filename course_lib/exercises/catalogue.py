"""All exercises, in the order of the notebooks."""

import difflib
import importlib
import pkgutil

from course_lib.exercises.exercise import Exercise


def all_exercises() -> list[Exercise]:
    """All exercises of the course, in the order in which the notebooks give them."""
    package = importlib.import_module("course_lib.lessons")
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    lessons = [importlib.import_module(f"course_lib.lessons.{name}") for name in names]
    return [exercise for lesson in lessons for exercise in lesson.EXERCISES]


def find(name: str) -> Exercise:
    """Look an exercise up by its name.

    Raises ValueError, with the nearest name there is, where there is none.
    """
    exercises = {exercise.name: exercise for exercise in all_exercises()}
    if name not in exercises:
        near = difflib.get_close_matches(name, exercises, n=1, cutoff=0)[0]
        raise ValueError(f"There is no exercise {name!r}: do you mean {near!r}?")
    return exercises[name]
