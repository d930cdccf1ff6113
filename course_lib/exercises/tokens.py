"""The exercises of notebook 03: tokens and embeddings."""

from course_lib.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
