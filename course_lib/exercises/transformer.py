"""The exercises of notebook 07: cross-attention and the whole Transformer."""

from course_lib.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
