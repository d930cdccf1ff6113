"""All exercises. Each is a file in a package of `course_lib.lessons`; files are discovered, not listed anywhere."""

import difflib
import importlib
import pkgutil
import sys
from functools import cache

from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging.settings import original_functions, pinned_settings, remember_originals


def all_exercises() -> list[Exercise]:
    """All exercises of the course, in the order in which the notebooks give them."""
    return list(_by_name().values())


def find(name: str) -> Exercise:
    """Look an exercise up by its name.

    Raises ValueError, which suggests the most similar name, if no exercise has this name.
    """
    exercises = _by_name()
    if not isinstance(name, str):
        raise ValueError(
            f'Write the name of the exercise in quotes, such as "softmax": a `{type(name).__name__}` came.'
        )
    if name not in exercises:
        by_lower_case = {each.lower(): each for each in exercises}
        similar = by_lower_case[difflib.get_close_matches(name.strip().lower(), by_lower_case, n=1, cutoff=0)[0]]
        raise ValueError(f"There is no exercise {name!r}: do you mean {similar!r}?")
    return exercises[name]


@cache
def _by_name() -> dict[str, Exercise]:
    """Import every file of the lessons, and collect the exercises that they define."""
    # The cases are tensors, whose dtype and device must not depend on an earlier cell.
    with pinned_settings(), original_functions():
        lessons = importlib.import_module("course_lib.lessons")
        modules = [
            importlib.import_module(file.name)
            for file in pkgutil.walk_packages(lessons.__path__, prefix="course_lib.lessons.")
            if ".for_notebook" not in file.name  # that code is the notebooks', and defines no exercise
        ]
    exercises = [value for module in modules for value in vars(module).values() if isinstance(value, Exercise)]
    exercises.sort(key=lambda exercise: (exercise.notebook, exercise.order))
    for name in {exercise.reference.__module__ for exercise in exercises}:
        remember_originals(sys.modules[name], name)
    return {exercise.name: exercise for exercise in exercises}
