"""The exercises of notebook 04: positional encoding."""

from course_lib.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
