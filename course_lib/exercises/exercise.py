"""What an exercise is: data, to which mistakes and right answers are added by decorators."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from course_lib.exercises import checking
from course_lib.exercises.adapters import Adapter, as_it_is
from course_lib.exercises.cases import Case, Result
from course_lib.exercises.mistakes import Mistake, patched
from course_lib.exercises.reports import Report

Answer = TypeVar("Answer")


@dataclass(kw_only=True, repr=False, eq=False)
class Exercise:
    """A part to write: a reference, cases to try answers on, the mistakes that people make, and right answers.

    Attributes:
        reference: the function or class of the library that the learner writes; the exercise has its name.
        notebook: the number of the notebook that gives it.
        order: where it comes in its notebook. These numbers go in tens, so that another fits between two of them.
        minutes: how long it takes.
        difficulty: 1, 2 or 3.
        returns: what comes back.
        example: the case that the notebook shows, or one like it.
        another: a case of the same shapes as the example, with other numbers.
        cases: further cases.
        hints: three, each telling more than the one before.
        adapt: how an answer is called with a case's arguments.
        trained: whether gradients have to go through it.
        further_check: of an answer whose numbers are right, a sentence about what it still lacks, or "". It is handed
            the answer and the example's arguments.
        on_map: the part of the Transformer's map that it builds.
        mistakes: wrong answers that people give, each with the sentence that names it.
        right_answers: right answers that are written differently from the reference.
        whole_course_answer: the one among these on which the tests run the whole course.
    """

    reference: Any
    notebook: int
    order: int
    minutes: int
    difficulty: int
    returns: tuple[Result, ...]
    example: Case
    another: Case
    cases: tuple[Case, ...]
    hints: tuple[str, ...]
    adapt: Adapter = as_it_is
    trained: bool = False
    further_check: Callable[[Any, tuple[Any, ...]], str] | None = None
    on_map: str = ""
    mistakes: list[Mistake] = field(default_factory=list, init=False)
    right_answers: list[Any] = field(default_factory=list, init=False)
    whole_course_answer: Any = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The name of what the learner writes."""
        return str(self.reference.__name__)

    @property
    def every_case(self) -> tuple[Case, ...]:
        """The example, another with the same shapes, and the further cases."""
        return (self.example, self.another, *self.cases)

    def check(self, answer: Any) -> Report:
        """Try an answer on every case, and say whether it is right, which mistake it is, or what can be said."""
        return checking.check(self, answer)

    def mistake(self, message: str, *, seen: str = "") -> Callable[[Answer], Answer]:
        """Add the function or class below as a known mistake: a sentence that names it, and a page where it was seen.

        Where several mistakes explain a wrong answer equally well, the one that stands first is named.
        """

        def add(implementation: Answer) -> Answer:
            self.mistakes.append(Mistake(implementation, message, seen))
            return implementation

        return add

    def patch(self, message: str, *, replace: str, by: str, seen: str = "") -> None:
        """Add the reference with one text in its source replaced as a known mistake.

        Raises ValueError if the text to replace does not occur exactly once.
        """
        changed_to = by or f"without {replace}"
        self.mistakes.append(Mistake(patched(self.reference, replace, by), message, seen, changed_to))

    def right(self, answer: Answer) -> Answer:
        """Add the function or class below as a right answer that is written differently from the reference."""
        self.right_answers.append(answer)
        return answer

    def right_for_whole_course(self, answer: Answer) -> Answer:
        """Add a right answer on which the tests also run the whole course.

        It becomes a cell of a notebook, so that it may use what its file imports and other exercises' references under
        their own names (the cell takes the learner's parts for these), but nothing else of its file.
        """
        self.whole_course_answer = answer
        return self.right(answer)
