"""Exercises that name the mistake. In a notebook, `@exercise("softmax")` above a function checks it at once."""

from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.guessing import guess, guessed, reveal
from course_lib.exercises.mistakes import Mistake
from course_lib.exercises.news import show_news
from course_lib.exercises.notebook import exercise, hint, solution
from course_lib.exercises.quiz import quiz
from course_lib.exercises.reports import Panel, Report
from course_lib.exercises.stopped_cells import explain_stopped_cells

__all__ = [
    "Exercise",
    "Mistake",
    "Panel",
    "Report",
    "all_exercises",
    "exercise",
    "guess",
    "guessed",
    "hint",
    "quiz",
    "reveal",
    "solution",
]

# The first cell of every notebook imports this package.
show_news()
explain_stopped_cells()
