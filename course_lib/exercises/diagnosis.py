"""Describe a wrong answer that matches none of the known mistakes."""

from __future__ import annotations

import inspect
import re
import traceback
from typing import TYPE_CHECKING, Any

from torch import Tensor

from course_lib.exercises.cases import Case
from course_lib.exercises.outcomes import Outcome, difference, wrong_elements

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise


def diagnose(
    exercise: Exercise, answer: Any, got: dict[Case, Outcome], expected: dict[Case, Outcome], wrong: set[Case]
) -> list[str]:
    """Say in sentences where an answer is wrong, and what the wrong cases have in common."""
    case = _first_wrong_case(exercise, wrong)
    outcome, right = got[case], expected[case]
    if isinstance(outcome.error, KeyboardInterrupt):
        return [
            f"You stopped it{_line_of_error(answer, outcome.error)}. Would it have ended? Look at what ends each loop."
        ]
    if outcome.error is not None:
        return [*_common_property(exercise, got, wrong), *_about_error(answer, outcome.error)]
    if outcome.value is None:
        wrote = "It prints: write `return` where it says `print`." if outcome.printed else "Is its `return` missing?"
        return [f"Your function returns nothing (`None`). {wrote}"]
    detail = difference(outcome.value, right.value, exercise.returns)
    if not detail:
        return [_about_changed_argument(exercise, case, outcome)]
    sentences = _common_property(exercise, got, wrong)
    if case.mask is not None and _differs_only_where_hidden(case.mask, outcome.value, right.value):
        sentences.append("All is right but what the mask hides.")
    return [*sentences, detail[0].upper() + detail[1:]]


def _first_wrong_case(exercise: Exercise, wrong: set[Case]) -> Case:
    return next(case for case in exercise.every_case if case in wrong)


def _about_error(answer: Any, error: BaseException) -> list[str]:
    """Name an error, the line that raised it, and its likely cause."""
    words = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error)).partition("\n")[0][:200]
    sentences = [f"{type(error).__name__}{_line_of_error(answer, error)}: {words}"]
    if "'tuple' object" in words or "not tuple" in words:
        sentences.append("What you use there is a tuple of several things: take them apart, `output, weights = …`.")
    return sentences


def _about_changed_argument(exercise: Exercise, case: Case, outcome: Outcome) -> str:
    """Say which argument was changed in place, by its name in the reference."""
    changed = outcome.changed[0]
    name = "x"
    if not isinstance(exercise.reference, type):
        name = list(inspect.signature(exercise.reference).parameters)[changed]
    kind = type(case.arguments[changed]).__name__.lower()
    instead = f"make a new one (`y = {name} - 1`)" if kind == "tensor" else f"work on `{name}.copy()`"
    return f"The result is right, but `{name}`, the caller's {kind}, is changed: {instead}."


def _common_property(exercise: Exercise, got: dict[Case, Outcome], wrong: set[Case]) -> list[str]:
    """Say what the wrong cases have in common, in at most one sentence."""
    example, another = exercise.example, exercise.another
    if another in wrong and got[another].error is None and got[another].matches(got[example], exercise.returns):
        if example in wrong:
            return ["It gives the same result whatever goes in: does it use all of its arguments?"]
        return ["It gives the example's result whatever goes in: is that result written into the code?"]
    if example in wrong:
        return []
    if another in wrong:
        return ["It is right for the example, but not for other numbers of the same shape."]
    property_name = _rarest_property(exercise, wrong)
    always = all(case in wrong for case in exercise.every_case if property_name in case.having)
    return [f"It is right, but not {'' if always else 'always '}with {property_name}."]


def _rarest_property(exercise: Exercise, wrong: set[Case]) -> str:
    """The rarest property among those that all wrong cases share, or else among those of the first wrong case."""
    properties = _first_wrong_case(exercise, wrong).having
    shared = [each for each in properties if all(each in case.having for case in wrong)]
    return min(shared or properties, key=lambda each: sum(each in case.having for case in exercise.every_case))


def _differs_only_where_hidden(mask: Tensor, got: Any, expected: Any) -> bool:
    """Whether the results differ only at the positions that the mask hides."""
    got = got if isinstance(got, (tuple, list)) else (got,)
    expected = expected if isinstance(expected, (tuple, list)) else (expected,)
    if not all(isinstance(each, Tensor) for each in (*got, *expected)):
        return False
    if [x.shape for x in got] != [x.shape for x in expected]:
        return False
    for x, y in zip(got, expected, strict=True):
        wrong = wrong_elements(x, y)
        if wrong.any():
            return wrong.size(-1) == mask.size(-1) and not bool((wrong & mask).any())
    return False


def _line_of_error(answer: Any, error: BaseException) -> str:
    """Name the line of the learner's code that raised an error, as part of a sentence; "" if no line of it did."""
    methods = vars(answer if inspect.isclass(answer) else type(answer)).values()
    functions = [each for each in map(inspect.unwrap, (answer, *methods)) if inspect.isfunction(each)]
    files = {function.__code__.co_filename for function in functions}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f" in line {frames[-1].lineno}, `{frames[-1].line}`" if frames else ""
