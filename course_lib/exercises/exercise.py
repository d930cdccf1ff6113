"""An exercise is data, to which decorators add mistakes and right answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from course_lib.exercises.adapters import Adapter, call_directly
from course_lib.exercises.cases import Case, Result
from course_lib.exercises.judging import checking
from course_lib.exercises.mistakes import Mistake, patched
from course_lib.exercises.reports import Report

Answer = TypeVar("Answer")


@dataclass(kw_only=True, repr=False, eq=False)
class Exercise:
    """A part to write: a reference, cases to try answers on, the mistakes that people make, and right answers.

    Attributes:
        reference: the function or class of the library that the learner writes; the exercise has its name.
        notebook: the number of the notebook that gives it.
        order: its order in the notebook, in steps of ten, so that another exercise fits between two.
        minutes: how long it takes a learner.
        difficulty: 1, 2 or 3.
        returns: the values that an answer returns.
        example: the case that the notebook shows, or a similar one.
        another: a case of the same shapes as the example, with other numbers.
        cases: further cases.
        hints: three, each of which reveals more than the one before.
        adapt: how an answer is called with a case's arguments.
        trained: whether gradients have to flow through it.
        later_in_float64: what a later cell does with it in float64, "" if none computes with it. Where one does, an
            answer has to return float64 for float64.
        float32_is_asked: whether the statement, or that of a part, asks to compute in float32, so that an answer that
            does is not told that it rounds float64 numbers.
        further_check: takes an answer whose numbers are right and the example's arguments, and returns a sentence about
            what the answer still lacks, or "".
        explain: takes an answer whose numbers are wrong and the arguments of the first wrong case, and returns a
            sentence that says why, or "".
        show: takes the arguments of the first wrong case, what an answer returned and what it should have returned, and
            returns what a message that names no mistake shows besides the call, or "".
        remark: takes an answer that is right, and returns a sentence on what else there is to know of it, or "".
        on_map: the part of the map of the Transformer that the learner builds here.
        mistakes: wrong answers that people give, each with a sentence that names the mistake.
        right_answers: right answers that are written differently from the reference.
        whole_course_answer: the one among these on which the tests run the whole course.
        plain_answer: the one among these that `solution` shows in place of the reference; None: it shows the reference.
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
    adapt: Adapter = call_directly
    trained: bool = False
    later_in_float64: str = ""
    float32_is_asked: bool = False
    further_check: Callable[[Any, tuple[Any, ...]], str] | None = None
    explain: Callable[[Any, tuple[Any, ...]], str] | None = None
    show: Callable[[tuple[Any, ...], Any, Any], str] | None = None
    remark: Callable[[Any], str] | None = None
    on_map: str = ""
    mistakes: list[Mistake] = field(default_factory=list, init=False)
    right_answers: list[Any] = field(default_factory=list, init=False)
    whole_course_answer: Any = field(default=None, init=False)
    plain_answer: Any = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The name of the function or class that the learner writes."""
        return str(self.reference.__name__)

    @property
    def every_case(self) -> tuple[Case, ...]:
        """The example, another with the same shapes, and the further cases."""
        return (self.example, self.another, *self.cases)

    def check(self, answer: Any) -> Report:
        """Try an answer on every case. Report that it is right, name its mistakes, or describe where it is wrong."""
        return checking.check(self, answer)

    def mistake(self, message: str, *, seen: str = "") -> Callable[[Answer], Answer]:
        """Add the function or class below as a known mistake, named by a sentence, with a page where it was seen.

        If several mistakes explain a wrong answer equally well, the one defined first is named.
        """

        def add(implementation: Answer) -> Answer:
            self.mistakes.append(Mistake(implementation, message, seen))
            return implementation

        return add

    def patch(self, message: str, *, replace: str, by: str, seen: str = "") -> None:
        """Add a known mistake: the reference with the text `replace` in its source replaced `by` another.

        Raises ValueError if the text to replace does not occur exactly once.
        """
        self.mistakes.append(Mistake(patched(self.reference, replace, by), message, seen, replace, by))

    def right(self, answer: Answer) -> Answer:
        """Add the function or class below as a right answer that is written differently from the reference."""
        self.right_answers.append(answer)
        return answer

    def plain(self, answer: Any) -> None:
        """Add a right answer for `solution` to show in place of the reference, which has more than the exercise asks.

        A class has the reference's name and the same names of weights. The answer may use what its file imports, and
        nothing else from its file. `solution` shows its source, so it is not decorated by this, but passed to it.
        """
        self.plain_answer = self.right(answer)

    def right_for_whole_course(self, answer: Answer) -> Answer:
        """Add a right answer on which the tests also run the whole course.

        The tests put it into a notebook's cell. So it may use what its file imports, and other exercises' references
        under their own names (the cell uses the learner's parts instead), but nothing else from its file.
        """
        self.whole_course_answer = answer
        return self.right(answer)
