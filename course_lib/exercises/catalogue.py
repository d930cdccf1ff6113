"""All exercises. Each is a file in a package of `course_lib.lessons`; files are discovered, not listed anywhere."""

import difflib
import importlib
import pkgutil
from functools import cache

from course_lib.exercises.exercise import Exercise


def all_exercises() -> list[Exercise]:
    """All exercises of the course, in the order in which the notebooks give them."""
    return list(_by_name().values())


def find(name: str) -> Exercise:
    """Look an exercise up by its name.

    Raises ValueError, which suggests the most similar name, if no exercise has this name.
    """
    exercises = _by_name()
    if name not in exercises:
        similar = difflib.get_close_matches(name, exercises, n=1, cutoff=0)[0]
        raise ValueError(f"There is no exercise {name!r}: do you mean {similar!r}?")
    return exercises[name]


@cache
def _by_name() -> dict[str, Exercise]:
    """Import every file of the lessons, and collect the exercises that they define."""
    lessons = importlib.import_module("course_lib.lessons")
    modules = [
        importlib.import_module(file.name)
        for file in pkgutil.walk_packages(lessons.__path__, prefix="course_lib.lessons.")
    ]
    exercises = [value for module in modules for value in vars(module).values() if isinstance(value, Exercise)]
    exercises.sort(key=lambda exercise: (exercise.notebook, exercise.order))
    return {exercise.name: exercise for exercise in exercises}
