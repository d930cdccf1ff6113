"""What an exercise is, and how an answer to it is checked."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Case
from course_lib.exercises.diagnosis import diagnose
from course_lib.exercises.outcomes import Outcome, copy_of, difference, run
from course_lib.exercises.reports import Mistake, Report

STOPPED = (NotImplementedError, KeyboardInterrupt)
NO_GRADIENT = (
    "No gradient gets through it, so a model that trains on it would not learn: `.item()`, `.tolist()`, `.detach()` "
    "or `torch.tensor(...)` on the way cuts it off."
)
NOT_IN_FLOAT64 = (
    "It works with float32 only: `torch.zeros` and `torch.tensor` make float32 unless you say `dtype=x.dtype`."
)


def the_only_way(answer: Any) -> Iterator[Callable[..., Any]]:
    """Call a function as it is. A class is made in the call, so that its errors are caught there."""

    def made_first(*arguments: Any) -> Any:
        return answer()(*arguments)

    yield made_first if inspect.isclass(answer) else answer


@dataclass(frozen=True, kw_only=True, repr=False)
class Exercise:
    """A part to write: a reference, cases, and the mistakes that people make.

    `returns` names what comes back, with its shape in letters. `ways` turns an answer into functions of a case's
    arguments: more than one where there is no telling which of the learner's weights is which. A part that is
    `trained` must let gradients through. `on_map` is the part of the Transformer's map that it builds.
    """

    name: str
    notebook: int
    reference: Any
    returns: tuple[str, ...]
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str, str]
    minutes: int
    difficulty: int
    trained: bool = False
    on_map: str = ""
    ways: Callable[[Any], Iterator[Callable[..., Any]]] = the_only_way

    def check(self, answer: Any) -> Report:
        """Try an answer on every case, and say whether it is right, which mistake it is, or what can be said."""
        reference = next(self.ways(self.reference))
        wanted = [run(reference, case.arguments).value for case in self.cases]
        first: list[Outcome] = []
        for way in self.ways(answer):
            outcomes = self._try(way)
            if not self._wrong(outcomes, wanted):
                return self._right(way)
            first = first or outcomes
            if isinstance(outcomes[-1].error, STOPPED):
                break
        wrong = self._wrong(first, wanted)
        if isinstance(first[0].error, NotImplementedError):
            return Report(f"… {self.name}", ("Not started: write it in place of `raise NotImplementedError`.",))
        if all(self.cases[i].in_float64 for i in wrong) and all(first[i].error for i in wrong):
            return self._right(next(self.ways(answer)), NOT_IN_FLOAT64)
        mistakes, unexplained = self._name(first, wrong)
        sentences = [mistake.message for mistake in mistakes]
        if not mistakes:
            sentences = diagnose(self, answer, first, wanted, wrong)
        elif unexplained:
            sentences.append("Something else differs too: mend this first, then run the cell again.")
        if printed := first[wrong[0]].printed.strip():
            sentences.append(f"It printed: {printed[:200]}")
        return Report(f"✗ {self.name}: not yet", tuple(sentences), mistake=mistakes[0] if mistakes else None)

    def _try(self, way: Callable[..., Any]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for each in self.cases:
            outcomes.append(run(way, each.arguments))
            if isinstance(outcomes[-1].error, STOPPED):
                break
        return outcomes

    def _wrong(self, outcomes: Sequence[Outcome], wanted: Sequence[Any]) -> list[int]:
        pairs = enumerate(zip(outcomes, wanted, strict=False))
        return [i for i, (o, w) in pairs if o.error or o.changed or difference(o.value, w, self.returns)]

    def _name(self, outcomes: Sequence[Outcome], wrong: Sequence[int]) -> tuple[list[Mistake], set[int]]:
        """Find the known mistakes that give the same: first the one that explains the most cases, then what is left."""
        explained = {i: self._explained_by(mistake, outcomes, wrong) for i, mistake in enumerate(self.mistakes)}
        found, left = [], set(wrong)
        while left and (best := max(explained, key=lambda i: len(explained[i] & left)), explained[best] & left)[1]:
            found.append(self.mistakes[best])
            left -= explained[best]
        return found, left

    def _explained_by(self, mistake: Mistake, outcomes: Sequence[Outcome], wrong: Sequence[int]) -> set[int]:
        """The cases in which a mistake does the same. An error alone is no evidence: errors look alike."""
        way = next(self.ways(mistake.implementation))
        same, same_error = set(), set()
        for i in wrong:
            got, known = outcomes[i], run(way, self.cases[i].arguments)
            if got.error or known.error:
                if type(got.error) is type(known.error):
                    same_error.add(i)
            elif got.changed == known.changed and not difference(got.value, known.value, self.returns):
                same.add(i)
        return same | same_error if same else set()

    def _right(self, way: Callable[..., Any], remark: str = "") -> Report:
        remarks = [remark] if remark else []
        reference = next(self.ways(self.reference))
        if _reached_by_gradients(way, self.cases[0]) != _reached_by_gradients(reference, self.cases[0]):
            if self.trained:
                return Report(f"✗ {self.name}: not yet", (f"Its numbers are right. {NO_GRADIENT}",))
            remarks.append(NO_GRADIENT)
        sentences = (f"Right in all {len(self.cases)} cases.", *(f"One thing to know: {r}" for r in remarks))
        return Report(f"✓ {self.name}: right", sentences, passed=True)


def _reached_by_gradients(function: Callable[..., Any], example: Case) -> list[bool] | None:
    """Which of the arguments the first result depends on, as autograd sees it; None where it cannot be trained."""
    copies = [copy_of(argument) for argument in example.arguments]
    inputs = [x.requires_grad_() for x in copies if isinstance(x, Tensor) and x.is_floating_point()]

    def gradients() -> list[bool]:
        result = function(*copies)
        first = result[0] if isinstance(result, (tuple, list)) else result
        return [gradient is not None for gradient in torch.autograd.grad(first.sum(), inputs, allow_unused=True)]

    reached: list[bool] | None = run(gradients, ()).value
    return reached
