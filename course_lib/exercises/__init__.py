"""Exercises that name the mistake. In a notebook, `@exercise("softmax")` above a function checks it at once."""

from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.mistakes import Mistake
from course_lib.exercises.notebook import exercise, hint, solution
from course_lib.exercises.reports import Panel, Report

__all__ = ["Exercise", "Mistake", "Panel", "Report", "all_exercises", "exercise", "hint", "solution"]
