"""A decorator that collects the wrong answers of a file, and the test of those that it has collected."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from course_lib.exercises.catalogue import find
from tests.pace import slowness


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer to an exercise, with words that its message contains, and words that would not be true of it."""

    exercise: str
    answer: Any
    says: tuple[str, ...]
    never: tuple[str, ...]


class WrongAnswers:
    """The wrong answers of one file; an instance is the decorator that adds a function or a class to them.

    Its arguments `says` and `never` each take one string, or several in a tuple.
    """

    def __init__(self) -> None:
        self.collected: list[WrongAnswer] = []

    def __call__(
        self, exercise: str, *, says: str | tuple[str, ...], never: str | tuple[str, ...] = ()
    ) -> Callable[[Any], Any]:
        def add(answer: Any) -> Any:
            self.collected.append(WrongAnswer(exercise, answer, as_tuple(says), as_tuple(never)))
            return answer

        return add

    def test(self) -> Callable[[WrongAnswer], None]:
        """Make the test of all wrong answers that have been added so far."""

        @pytest.mark.usefixtures("search_limit_of_learners")
        @pytest.mark.parametrize("wrong", self.collected, ids=lambda wrong: f"{wrong.exercise}-{wrong.answer.__name__}")
        def refused_in_two_seconds_with_what_is_true_of_it(wrong: WrongAnswer) -> None:
            exercise = find(wrong.exercise)  # the first time, it imports all lessons
            start = time.process_time()
            report = exercise.check(wrong.answer)
            seconds = time.process_time() - start
            assert not report.passed, f"It passed: {report.message}"
            missing = [words for words in wrong.says if words not in report.message]
            assert not missing, f"{missing} should be in: {report.message}"
            untrue = [words for words in wrong.never if words in report.message]
            assert not untrue, f"{untrue} should not be in: {report.message}"
            # Twice the target, since processor time doubles on a busy machine.
            assert seconds < 2 * slowness(), f"The check took {seconds:.1f} s of processor time."

        return refused_in_two_seconds_with_what_is_true_of_it


def as_tuple(words: str | tuple[str, ...]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else words
