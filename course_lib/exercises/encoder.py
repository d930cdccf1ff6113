"""The exercises of notebook 05: the encoder."""

from course_lib.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
