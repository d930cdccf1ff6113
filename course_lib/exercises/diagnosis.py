"""What can be said of a wrong answer that is none of the known mistakes."""

import inspect
import linecache
import re
import traceback
from collections.abc import Sequence
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any

from torch import Tensor

from course_lib.exercises.cases import Case
from course_lib.exercises.outcomes import Outcome, difference, where_wrong

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise

Outcomes = Sequence[Outcome]


def diagnose(
    exercise: "Exercise", answer: Any, got: Outcomes, wanted: Sequence[Any], wrong: Sequence[int]
) -> list[str]:
    """Say in sentences where an answer goes wrong, and what the cases with these numbers in which it does share."""
    first, case = got[wrong[0]], exercise.cases[wrong[0]]
    if first.error is None and first.value is None:
        wrote = "It prints: write `return` where it says `print`." if first.printed else "Is its `return` missing?"
        return [f"Your function returns nothing (`None`). {wrote}"]
    if isinstance(first.error, KeyboardInterrupt):
        return [_error(answer, first.error, case)]
    pattern = _pattern(exercise.cases, got, wrong)
    if first.error is not None:
        return [*pattern, _error(answer, first.error, case)]
    if detail := difference(first.value, wanted[wrong[0]], exercise.returns):
        return [*pattern, *_hidden(case, first.value, wanted[wrong[0]]), detail[0].upper() + detail[1:]]
    name = list(inspect.signature(next(exercise.ways(exercise.reference))).parameters)[first.changed[0]]
    instead = f"Make a new one: `y = {name} - 1` in place of `{name} -= 1` or `{name}[...] = `."
    return [f"The result is right, but your function changes `{name}`, the caller's own tensor. {instead}"]


def _pattern(cases: Sequence[Case], got: Outcomes, wrong: Sequence[int]) -> list[str]:
    """What the wrong cases share. The first two cases are the example, and other numbers of the same shapes."""
    constant = len(got) > 1 and not (got[0].error or got[1].error) and not difference(got[1].value, got[0].value)
    if constant and 1 in wrong:
        if 0 in wrong:
            return ["It gives the same result whatever goes in: does it use all of its arguments?"]
        return ["It gives the example's result whatever goes in: is that result written into the code?"]
    if 0 in wrong:
        return []
    if 1 in wrong:
        return ["It is right for the example, but not for other numbers of the same shape."]
    shared = [having for having in cases[wrong[0]].having if all(having in cases[i].having for i in wrong)]
    if shared:
        return [f"It is right in the plain cases. Each case that goes wrong has {shared[0]}."]
    having = " and ".join(cases[wrong[0]].having)
    return [f"It is right for the example, but not always: not, for instance, with {having}."]


def _hidden(case: Case, got: Any, wanted: Any) -> list[str]:
    """Whether all that differs is what the mask hides."""
    for one, other in zip(got, wanted, strict=True) if isinstance(wanted, tuple) else [(got, wanted)]:
        if case.mask is None or not isinstance(one, Tensor) or one.shape != other.shape:
            return []
        wrong = where_wrong(one, other)
        if wrong.any():
            hidden = one.size(-1) == case.mask.size(-1) and not (wrong & case.mask).any()
            return ["All is right but what the mask hides."] if hidden else []
    return []


def _error(answer: Any, error: BaseException, case: Case) -> str:
    """Name an error, and the line of the learner's in which it came up."""
    files = {function.__code__.co_filename for function in functions_of(answer)}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    line = linecache.getline(frames[-1].filename, frames[-1].lineno or 0).strip() if frames else ""
    where = f" in line {frames[-1].lineno}, `{line}`" if frames else ""
    if isinstance(error, KeyboardInterrupt):
        return f"You stopped it{where}. If it would never have ended: which loop goes on, and what should end it?"
    words = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error)).partition("\n")[0][:200]
    if isinstance(error, TypeError) and not frames:
        return f"It cannot be called with the exercise's {len(case.arguments)} arguments: {words}."
    return f"{type(error).__name__}{where}: {words}"


def functions_of(answer: Any) -> list[FunctionType]:
    """The Python functions that an answer is made of: itself, or the methods of its class."""
    while isinstance(answer, partial):
        answer = answer.func
    if isinstance(plain := inspect.unwrap(answer), FunctionType):
        return [plain]
    owner = answer if inspect.isclass(answer) else type(answer)
    methods = (inspect.unwrap(member) for member in vars(owner).values() if callable(member))
    return [method for method in methods if isinstance(method, FunctionType)]
