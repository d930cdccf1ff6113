"""The exercise on paper of each lesson: what is given, what is asked, and answers that the library computes.

Each lesson has a file in `course_lib/classroom/teaching/papers`. To change an exercise, change its numbers there: the
table on the sheet and the answers on its back both follow from them.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from course_lib.classroom.teaching.lesson import UnknownLesson
from course_lib.text.wording import with_minus_signs


@dataclass(frozen=True)
class Formula:
    """The formula of a lesson.

    Attributes:
        lines: LaTeX as matplotlib's mathtext knows it, one text for each line.
        source: the paper and where in it, or the function of the library that computes it.
    """

    lines: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Table:
    """A table on a sheet. A cell that learners fill in is empty: ""."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Question:
    """A question on a sheet.

    Attributes:
        text: the question. What is in `backticks` is set as code.
        answer: the answer, with its numbers computed by the library: a sentence or two, or a table that is filled in.
        table: a table to fill in, if there is one.
        room: how much room there is to write, compared with the other questions of the sheet; 0 where the table is it.
    """

    text: str
    answer: str | Table
    table: Table | None = None
    room: int = 2

    def __post_init__(self) -> None:
        if self.room < 0 or (self.room == 0 and self.table is None):
            raise ValueError(f"{self.text!r} should have room to write, or a table to fill in")


@dataclass(frozen=True)
class Paper:
    """One sheet's exercise.

    Attributes:
        formula: the formula of the lesson.
        task: what is given, in a few sentences.
        questions: what is asked.
        given: a table of numbers, if there is one.
    """

    formula: Formula
    task: str
    questions: tuple[Question, ...]
    given: Table | None = None


def paper_of(number: int) -> Paper:
    """Make the exercise on paper of a lesson.

    Raises UnknownLesson if there is none.
    """
    papers = importlib.import_module("course_lib.classroom.teaching.papers")
    for file in pkgutil.iter_modules(papers.__path__):
        if file.name.startswith(f"l{number:02d}_"):
            make: Callable[[], Paper] = importlib.import_module(f"{papers.__name__}.{file.name}").paper
            return make()
    raise UnknownLesson(f"There is no exercise on paper for a lesson {number}.")


def short(number: float, digits: int = 2) -> str:
    """Write a number as one writes it by hand: rounded, without zeros at the end, and with a minus sign.

    >>> short(2.2000000477), short(-0.5), short(3.0), short(-0.0001)
    ('2.2', '−0.5', '3', '0')
    """
    text = f"{round(number, digits):.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "0") else with_minus_signs(text)


def listed(numbers: Sequence[float], digits: int = 2) -> str:
    """Write several numbers with commas between them.

    >>> listed([0.5, 1.0, -2.0])
    '0.5, 1, −2'
    """
    return ", ".join(short(number, digits) for number in numbers)


def percent(share: float, digits: int = 0) -> str:
    """Write a share in per cent.

    >>> percent(0.15), percent(0.0625, 2)
    ('15 %', '6.25 %')
    """
    return f"{short(100 * share, digits)} %"
