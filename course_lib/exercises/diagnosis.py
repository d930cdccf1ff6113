"""What can be said of a wrong answer that is none of the known mistakes."""

import inspect
import re
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from course_lib.exercises.cases import Case
from course_lib.exercises.outcomes import difference, where_wrong

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise, Outcomes


def diagnose(exercise: "Exercise", answer: Any, got: "Outcomes", wanted: Sequence[Any], wrong: list[int]) -> list[str]:
    """Say in sentences where an answer goes wrong, and what the cases with these numbers in which it does share."""
    first, case = got[wrong[0]], exercise.cases[wrong[0]]
    detail = difference(first.value, wanted[wrong[0]], exercise.returns)
    if isinstance(first.error, KeyboardInterrupt):
        return [f"You stopped it{_line(answer, first.error)}. Would it have ended? Look at what ends each loop."]
    if first.error is None and first.value is None:
        wrote = "It prints: write `return` where it says `print`." if first.printed else "Is its `return` missing?"
        return [f"Your function returns nothing (`None`). {wrote}"]
    if first.error is None and not detail:
        name = list(inspect.signature(next(exercise.ways(exercise.reference))).parameters)[first.changed[0]]
        return [
            f"The result is right, but `{name}`, the caller's tensor, is changed: make a new one (`y = {name} - 1`)."
        ]
    pattern = _pattern(exercise, got, wrong)
    if first.error is not None:
        words = re.sub(r" at 0x[0-9a-fA-F]+", "", str(first.error)).partition("\n")[0][:200]
        several = "What you use there is a tuple of several things: take them apart, `output, weights = …`."
        found = f"{type(first.error).__name__}{_line(answer, first.error)}: {words}"
        return [*pattern, found, *[several] * ("'tuple' object" in words or "not tuple" in words)]
    return [*pattern, *_hidden(case, first.value, wanted[wrong[0]]), detail[0].upper() + detail[1:]]


def _pattern(exercise: "Exercise", got: "Outcomes", wrong: list[int]) -> list[str]:
    """What the wrong cases share. The first two cases are the example, and other numbers of the same shapes."""
    example, other = got[0], got[min(1, len(got) - 1)]
    if 1 in wrong and not (example.error or other.error or difference(other.value, example.value, exercise.returns)):
        if 0 in wrong:
            return ["It gives the same result whatever goes in: does it use all of its arguments?"]
        return ["It gives the example's result whatever goes in: is that result written into the code?"]
    if 0 in wrong:
        return []
    if 1 in wrong:
        return ["It is right for the example, but not for other numbers of the same shape."]
    cases, words = exercise.cases, exercise.cases[wrong[0]].having
    shared = [each for each in words if all(each in cases[i].having for i in wrong)]
    if not shared:
        return [f"It is right for plain numbers, but not with {' and '.join(words)}."]
    # Rather what only wrong cases have than what right ones have too.
    telling = max(shared, key=lambda each: -sum(each in case.having for case in cases))
    always = all(i in wrong for i, case in enumerate(cases) if telling in case.having)
    return [f"It is right, but not {'' if always else 'always '}with {telling}."]


def _hidden(case: Case, got: Any, wanted: Any) -> list[str]:
    """Whether all that differs is what the mask hides."""
    pairs = list(zip(got, wanted, strict=True) if isinstance(wanted, tuple) else [(got, wanted)])
    if case.mask is None or any(not isinstance(one, Tensor) or one.shape != other.shape for one, other in pairs):
        return []
    marks = next(wrong for one, other in pairs if (wrong := where_wrong(one, other)).any())
    hidden = marks.size(-1) == case.mask.size(-1) and not (marks & case.mask).any()
    return ["All is right but what the mask hides."] if hidden else []


def _line(answer: Any, error: BaseException) -> str:
    """The line of the learner's in which an error came up."""
    methods = vars(answer if inspect.isclass(answer) else type(answer)).values()
    code = [getattr(inspect.unwrap(function), "__code__", None) for function in (answer, *methods)]
    files = {each.co_filename for each in code if each}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f" in line {frames[-1].lineno}, `{frames[-1].line}`" if frames else ""
