"""What an exercise is, and how an answer to it is checked."""

import inspect
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Case, Mistake
from course_lib.exercises.outcomes import NO_GRADIENT, Outcome, difference, run, where_wrong
from course_lib.exercises.reports import Report

FLOAT32_ONLY = "Right, but for float32 only: `torch.zeros` and `torch.tensor` make that unless you say `dtype=x.dtype`."


def as_it_is(answer: Any) -> Callable[..., Any]:
    """Call a function as it is. A class is made in the call, so that its errors are caught there."""
    return (lambda *arguments: answer()(*arguments)) if isinstance(answer, type) else answer


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Exercise:
    """A part to write: a reference, cases, and the mistakes that people make.

    `returns` names what comes back, with its shape. `adapt` turns an answer into a function of a case's arguments. A
    part that is `trained` must let gradients through. `on_map` is the part of the Transformer's map that it builds.
    """

    name: str
    notebook: int
    reference: Any
    returns: tuple[str, ...]
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    minutes: int
    difficulty: int
    trained: bool = False
    on_map: str = ""
    adapt: Callable[[Any], Callable[..., Any]] = as_it_is

    def check(self, answer: Any) -> Report:
        """Try an answer on every case, and say whether it is right, which mistake it is, or what can be said."""
        got, wanted = self._try(answer), _tried(self, self.reference)
        wrong = self._unlike(got, wanted)
        if isinstance(got[0].error, NotImplementedError):
            return Report(f"… {self.name}", ("Not started: write it in place of `raise NotImplementedError`.",))
        if not all(
            self.cases[i].in_float64 and (got[i].error or got[i].is_like(wanted[i], self.returns, False)) for i in wrong
        ):
            mistakes, unexplained = self._name(got, wanted, wrong)
            sentences = [mistake.message for mistake in mistakes] or _diagnose(self, answer, got, wanted, wrong)
            if mistakes and any(not got[i].error for i in unexplained):  # a mistake may well cause an error elsewhere
                sentences.append("Something else differs too: mend this first, then run the cell again.")
            if printed := got[min(wrong)].printed.strip():
                sentences.append(f"It printed: {printed[:200]}")
            return Report(f"✗ {self.name}: not yet", tuple(sentences), mistake=next(iter(mistakes), None))
        names = ["gradient"] * len(self.cases[0].arguments)
        if self.trained and not (back := _gradients(self, answer)).is_like(_gradients(self, self.reference), names):
            lacking = back.error if isinstance(back.error, Warning) else NO_GRADIENT
            return Report(f"✗ {self.name}: not yet", (f"Its numbers are right. {lacking}",))
        found = (FLOAT32_ONLY if wrong else f"Right in all {len(self.cases)} cases.",)
        return Report(f"✓ {self.name}: right", found, passed=True)

    def _try(self, answer: Any) -> list[Outcome]:
        """What comes of the cases, up to one that is interrupted."""
        function, outcomes = self.adapt(answer), list[Outcome]()
        for case in self.cases:
            outcomes.append(run(function, case.arguments))
            if isinstance(outcomes[-1].error, KeyboardInterrupt):
                break
        return outcomes

    def _unlike(self, some: list[Outcome], others: list[Outcome], exact: bool = True) -> set[int]:
        """The cases, as far as both were tried, in which two answers do not do the same, or not in float32."""
        return {i for i, (x, y) in enumerate(zip(some, others, strict=False)) if not x.is_like(y, self.returns, exact)}

    def _name(self, got: list[Outcome], wanted: list[Outcome], wrong: set[int]) -> tuple[list[Mistake], set[int]]:
        """Find the known mistakes that do the same, the one that explains the most cases first, and what is left.

        That a mistake does the same is no chance in two cases, or wherever the mistake shows. Errors do not count,
        since they look alike, and where the mistake would show but the answer is right, it is another one.
        """
        explained = dict[Mistake, set[int]]()
        for mistake in self.mistakes:
            known = _tried(self, mistake.implementation)
            shows = self._unlike(known, wanted)
            same = wrong & shows - self._unlike(known, got, exact=False)
            values = {i for i in same if not got[i].error}
            evident = len(values) > 1 or (values and same >= shows)
            explained[mistake] = same if evident and shows & {*range(len(got))} <= wrong else set()
            if explained[mistake] == wrong:
                break
        found, left = list[Mistake](), wrong
        while explained[best := max(explained, key=lambda mistake: len(explained[mistake] & left))] & left:
            found.append(best)
            left = left - explained[best]
        return found, left


@cache  # when it is first asked for, since a learner tries often
def _tried(exercise: Exercise, implementation: Any) -> list[Outcome]:
    return exercise._try(implementation)


def _gradients(exercise: Exercise, answer: Any) -> Outcome:
    """What comes back from the first row of the result, or from the first of several, to each tensor of numbers."""
    copies = [x.clone() if isinstance(x, Tensor) else x for x in exercise.cases[0].arguments]
    inputs = [x.requires_grad_() for x in copies if isinstance(x, Tensor) and x.is_floating_point()]
    return run(lambda: torch.autograd.grad(exercise.adapt(answer)(*copies)[0].sum(), inputs), ())


# What can be said of a wrong answer that is none of the known mistakes.


def _diagnose(exercise: Exercise, answer: Any, got: list[Outcome], wanted: list[Outcome], wrong: set[int]) -> list[str]:
    """Say in sentences where an answer goes wrong, and what the cases with these numbers in which it does share."""
    case, first, right = exercise.cases[min(wrong)], got[min(wrong)], wanted[min(wrong)]
    if isinstance(first.error, KeyboardInterrupt):
        return [f"You stopped it{_line(answer, first.error)}. Would it have ended? Look at what ends each loop."]
    if first.error is not None:
        words = re.sub(r" at 0x[0-9a-fA-F]+", "", str(first.error)).partition("\n")[0][:200]
        found = [f"{type(first.error).__name__}{_line(answer, first.error)}: {words}"]
        if "'tuple' object" in words or "not tuple" in words:
            found.append("What you use there is a tuple of several things: take them apart, `output, weights = …`.")
        return _pattern(exercise, got, wrong) + found
    if first.value is None:
        wrote = "It prints: write `return` where it says `print`." if first.printed else "Is its `return` missing?"
        return [f"Your function returns nothing (`None`). {wrote}"]
    if not (detail := difference(first.value, right.value, exercise.returns)):
        takes = [] if isinstance(exercise.reference, type) else list(inspect.signature(exercise.reference).parameters)
        name = takes[first.changed[0]] if takes else "x"
        kind = type(case.arguments[first.changed[0]]).__name__.lower()
        instead = f"make a new one (`y = {name} - 1`)" if kind == "tensor" else f"work on `{name}.copy()`"
        return [f"The result is right, but `{name}`, the caller's {kind}, is changed: {instead}."]
    hidden = ["All is right but what the mask hides."] * _only_hidden(case, first.value, right.value)
    return [*_pattern(exercise, got, wrong), *hidden, detail[0].upper() + detail[1:]]


def _pattern(exercise: Exercise, got: list[Outcome], wrong: set[int]) -> list[str]:
    """What the wrong cases share. The first two cases are the example, and other numbers of the same shapes."""
    constant = 1 in wrong and not got[1].error and got[1].is_like(got[0], exercise.returns)
    if 0 in wrong:
        return ["It gives the same result whatever goes in: does it use all of its arguments?"] * constant
    if constant:
        return ["It gives the example's result whatever goes in: is that result written into the code?"]
    if 1 in wrong:
        return ["It is right for the example, but not for other numbers of the same shape."]
    having = [case.having for case in exercise.cases]
    shared = [words for words in having[min(wrong)] if all(words in having[i] for i in wrong)]
    # Rather what only wrong cases have than what right ones have too.
    telling = min(shared or having[min(wrong)], key=lambda words: sum(words in each for each in having))
    always = all(i in wrong for i, each in enumerate(having) if telling in each)
    return [f"It is right, but not {'' if always else 'always '}with {telling}."]


def _only_hidden(case: Case, got: Any, wanted: Any) -> bool:
    """Whether all that differs is what the mask hides."""
    got, wanted = (each if isinstance(each, (tuple, list)) else (each,) for each in (got, wanted))
    shapes = [[getattr(x, "shape", None) for x in each] for each in (got, wanted)]
    if case.mask is None or None in shapes[0] or shapes[0] != shapes[1]:
        return False
    marks = next((wrong for x, y in zip(got, wanted, strict=True) if (wrong := where_wrong(x, y)).any()), case.mask)
    return marks.size(-1) == case.mask.size(-1) and not bool((marks & case.mask).any())


def _line(answer: Any, error: BaseException) -> str:
    """The line of the learner's in which an error came up."""
    methods = vars(answer if inspect.isclass(answer) else type(answer)).values()
    files = {each.__code__.co_filename for each in map(inspect.unwrap, (answer, *methods)) if inspect.isfunction(each)}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f" in line {frames[-1].lineno}, `{frames[-1].line}`" if frames else ""
