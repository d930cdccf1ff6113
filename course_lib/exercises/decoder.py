"""The exercises of notebook 06: the decoder."""

from course_lib.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
