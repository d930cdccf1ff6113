"""All exercises, in the order of the notebooks."""

import difflib

from course_lib.exercises import (
    attention,
    decoder,
    encoder,
    multi_head,
    positions,
    sampling,
    start_here,
    tokens,
    transformer,
)
from course_lib.exercises.exercise import Exercise

LESSONS = [start_here, attention, multi_head, tokens, positions, encoder, decoder, transformer, sampling]


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
