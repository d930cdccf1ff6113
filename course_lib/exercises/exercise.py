"""What an exercise is, and how an answer to it is checked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Case, Mistake
from course_lib.exercises.diagnosis import diagnose
from course_lib.exercises.outcomes import Outcome, difference, run
from course_lib.exercises.reports import Report

STOPPED = (NotImplementedError, KeyboardInterrupt)
NO_GRADIENT = (
    "No gradient gets through it, so nothing could train on it: look for `.item()`, `torch.tensor(...)` or an in-place "
    "step such as `/=`."
)
FLOAT32_ONLY = "Right, but for float32 only: `torch.zeros` and `torch.tensor` make that unless you say `dtype=x.dtype`."
Outcomes = Sequence[Outcome]


def the_only_way(answer: Any) -> Iterator[Callable[..., Any]]:
    """Call a function as it is. A class is made in the call, so that its errors are caught there."""
    yield (lambda *arguments: answer()(*arguments)) if isinstance(answer, type) else answer


@dataclass(frozen=True, kw_only=True, repr=False)
class Exercise:
    """A part to write: a reference, cases, and the mistakes that people make.

    `returns` names what comes back, with its shape. `ways` turns an answer into functions of a case's arguments: more
    than one where there is no telling which of the learner's weights is which. A part that is `trained` must let
    gradients through. `on_map` is the part of the Transformer's map that it builds.
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
    ways: Callable[[Any], Iterator[Callable[..., Any]]] = the_only_way

    def check(self, answer: Any) -> Report:
        """Try an answer on every case, and say whether it is right, which mistake it is, or what can be said."""
        reference = next(self.ways(self.reference))
        wanted = [run(reference, case.arguments).value for case in self.cases]
        tried: list[tuple[list[Outcome], list[int]]] = []
        for way in self.ways(answer):
            got, wrong = self._try(way, wanted, to_the_end=not tried)
            if all(self.cases[i].in_float64 and got[i].error for i in wrong):
                return self._right(way, FLOAT32_ONLY if wrong else f"Right in all {len(self.cases)} cases.")
            tried.append((got, wrong))
            if isinstance(got[-1].error, STOPPED):
                break
        got, wrong = tried[0]
        if isinstance(got[0].error, NotImplementedError):
            return Report(f"… {self.name}", ("Not started: write it in place of `raise NotImplementedError`.",))
        mistakes, unexplained = self._name(got, wanted, wrong)
        sentences = [mistake.message for mistake in mistakes] or diagnose(self, answer, got, wanted, wrong)
        if mistakes and any(not got[i].error for i in unexplained):  # a mistake may well cause an error elsewhere
            sentences.append("Something else differs too: mend this first, then run the cell again.")
        if printed := got[wrong[0]].printed.strip():
            sentences.append(f"It printed: {printed[:200]}")
        return Report(f"✗ {self.name}: not yet", tuple(sentences), mistake=mistakes[0] if mistakes else None)

    def _try(self, way: Callable[..., Any], wanted: Sequence[Any], to_the_end: bool) -> tuple[list[Outcome], list[int]]:
        """What comes of the cases, and which are wrong; unless `to_the_end`, only up to the first that is."""
        got: list[Outcome] = []
        wrong: list[int] = []
        for i, case in enumerate(self.cases):
            got.append(run(way, case.arguments))
            if got[i].error or got[i].changed or difference(got[i].value, wanted[i], self.returns):
                wrong.append(i)
            if isinstance(got[i].error, STOPPED) or (wrong and not to_the_end):
                break
        return got, wrong

    def _name(self, got: Outcomes, wanted: Sequence[Any], wrong: list[int]) -> tuple[list[Mistake], set[int]]:
        """Find the known mistakes that do the same: first the one that explains the most cases, then what is left."""
        explained = {mistake: self._explained_by(mistake, got, wanted, wrong) for mistake in self.mistakes}
        found, left = [], set(wrong)
        while explained[best := max(explained, key=lambda mistake: len(explained[mistake] & left))] & left:
            found.append(best)
            left -= explained[best]
        return found, left

    def _explained_by(self, mistake: Mistake, got: Outcomes, wanted: Sequence[Any], wrong: list[int]) -> set[int]:
        """The cases in which a mistake does the same as the answer; none where that may be chance.

        It is no chance in two cases, or wherever the mistake shows. Errors do not count, since they look alike, and
        where the mistake would show but the answer is right, it is another one.
        """
        known, shows = self._try(next(self.ways(mistake.implementation)), wanted, to_the_end=True)
        alike = {i for i in wrong if type(known[i].error) is type(got[i].error) and known[i].changed == got[i].changed}
        same = {i for i in alike if got[i].error or not difference(got[i].value, known[i].value, self.returns)}
        values = {i for i in same if not got[i].error}
        evident = len(values) > 1 or (values and same >= set(shows))
        return same if evident and {i for i in shows if i < len(got)} <= set(wrong) else set()

    def _right(self, way: Callable[..., Any], sentence: str) -> Report:
        if self.trained and not _lets_gradients_through(way, self.cases[0].arguments):
            return Report(f"✗ {self.name}: not yet", (f"Its numbers are right. {NO_GRADIENT}",))
        return Report(f"✓ {self.name}: right", (sentence,), passed=True)


def _lets_gradients_through(function: Callable[..., Any], arguments: Sequence[Any]) -> bool:
    """Whether the first row of the result, or the first of two results, depends on each tensor as autograd sees it."""
    copies = [x.clone().requires_grad_() if isinstance(x, Tensor) else x for x in arguments]
    inputs = [x for x in copies if isinstance(x, Tensor)]
    return run(lambda: torch.autograd.grad(function(*copies)[0].sum(), inputs), ()).error is None
