"""How an answer is checked: it is tried on every case, beside the reference and the known mistakes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from course_lib.exercises.cases import Case, Result
from course_lib.exercises.diagnosis import diagnose
from course_lib.exercises.outcomes import NO_GRADIENT, Outcome, run
from course_lib.exercises.reports import Report

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise
    from course_lib.exercises.mistakes import Mistake

FLOAT32_ONLY = "Right, but for float32 only: `torch.zeros` and `torch.tensor` make that unless you say `dtype=x.dtype`."
MORE_IS_WRONG = "Something else differs too: fix this first, then run the cell again."

Outcomes = dict[Case, Outcome]


def check(exercise: Exercise, answer: Any) -> Report:
    """Try an answer on every case, and say whether it is right, which mistake it is, or what can be said."""
    got, wanted = try_on_every_case(exercise, answer), _tried(exercise, exercise.reference)
    if isinstance(got[exercise.example].error, NotImplementedError):
        return Report(f"… {exercise.name}", ("Not started: write it in place of `raise NotImplementedError`.",))
    wrong = _where_unlike(exercise, got, wanted)
    if not all(_is_forgiven(exercise, case, got[case], wanted[case]) for case in wrong):
        return _report_of_wrong(exercise, answer, got, wanted, wrong)
    if lacking := _lacking_for_training(exercise, answer):
        return Report(f"✗ {exercise.name}: not yet", (f"Its numbers are right. {lacking}",))
    remark = FLOAT32_ONLY if wrong else f"Right in all {len(exercise.every_case)} cases."
    return Report(f"✓ {exercise.name}: right", (remark,), passed=True)


def try_on_every_case(exercise: Exercise, answer: Any) -> Outcomes:
    """What an answer does in each case, up to one that is interrupted."""
    function = exercise.adapt(answer)
    outcomes: Outcomes = {}
    for case in exercise.every_case:
        outcomes[case] = run(function, case.arguments)
        if isinstance(outcomes[case].error, KeyboardInterrupt):
            break
    return outcomes


@cache  # when it is first needed, since a learner tries often
def _tried(exercise: Exercise, implementation: Any) -> Outcomes:
    """What the reference or a known mistake does in each case."""
    return try_on_every_case(exercise, implementation)


def _where_unlike(exercise: Exercise, some: Outcomes, others: Outcomes, exactly: bool = True) -> set[Case]:
    """The cases, as far as both were tried, in which two answers do not do the same, or not even in float32."""
    both = some.keys() & others.keys()
    return {case for case in both if not some[case].is_like(others[case], exercise.returns, exactly)}


def _is_forgiven(exercise: Exercise, case: Case, got: Outcome, wanted: Outcome) -> bool:
    """Whether a case is in float64, and an answer that is wrong there fails for this reason alone."""
    return case.in_float64 and (got.error is not None or got.is_like(wanted, exercise.returns, exactly=False))


def _report_of_wrong(exercise: Exercise, answer: Any, got: Outcomes, wanted: Outcomes, wrong: set[Case]) -> Report:
    """Name the mistakes in a wrong answer; where none is known, say what can be said."""
    mistakes, unexplained = _find_mistakes(exercise, got, wanted, wrong)
    if mistakes:
        sentences = [mistake.message for mistake in mistakes]
        # Errors are not mentioned, since a mistake in one case may well cause an error in another.
        if any(got[case].error is None for case in unexplained):
            sentences.append(MORE_IS_WRONG)
    else:
        sentences = diagnose(exercise, answer, got, wanted, wrong)
    first = next(case for case in exercise.every_case if case in wrong)
    if printed := got[first].printed.strip():
        sentences.append(f"It printed: {printed[:200]}")
    return Report(f"✗ {exercise.name}: not yet", tuple(sentences), mistake=mistakes[0] if mistakes else None)


def _find_mistakes(
    exercise: Exercise, got: Outcomes, wanted: Outcomes, wrong: set[Case]
) -> tuple[list[Mistake], set[Case]]:
    """Find the known mistakes in an answer, the one that explains most cases first, and the cases left unexplained."""
    explained: dict[Mistake, set[Case]] = {}
    for mistake in exercise.mistakes:
        explained[mistake] = _explained_by(exercise, mistake, got, wanted, wrong)
        if explained[mistake] == wrong:
            return [mistake], set()
    named: list[Mistake] = []
    left = wrong
    while explained and left:
        best = max(explained, key=lambda mistake: len(explained[mistake] & left))
        if not explained[best] & left:
            break
        named.append(best)
        left = left - explained[best]
    return named, left


def _explained_by(exercise: Exercise, mistake: Mistake, got: Outcomes, wanted: Outcomes, wrong: set[Case]) -> set[Case]:
    """The wrong cases that a known mistake explains, since it does the same there; none if it may be a coincidence.

    It is no coincidence where they do the same in two cases, or in all cases in which the mistake shows at all. Errors
    do not count as evidence, since they look alike. If the mistake would show in a case that is right, it is not made.
    """
    known = _tried(exercise, mistake.implementation)
    shows = _where_unlike(exercise, known, wanted)
    if not shows & got.keys() <= wrong:
        return set()
    same = wrong & shows - _where_unlike(exercise, known, got, exactly=False)
    evidence = {case for case in same if got[case].error is None}
    is_evident = len(evidence) > 1 or (len(evidence) == 1 and same >= shows)
    return same if is_evident else set()


def _lacking_for_training(exercise: Exercise, answer: Any) -> str:
    """What an answer whose numbers are right still lacks for training, in a sentence; "" if nothing."""
    if exercise.trained:
        gradients = [Result("gradient") for argument in exercise.example.arguments if _holds_fractions(argument)]
        if not _gradients(exercise, answer).is_like(_gradients(exercise, exercise.reference), gradients):
            return NO_GRADIENT
    if exercise.further_check is not None:
        return exercise.further_check(answer, exercise.example.arguments)
    return ""


def _gradients(exercise: Exercise, answer: Any) -> Outcome:
    """What flows back from the first row of the result, or from the first of several, to each tensor of numbers."""
    copies = [x.clone() if isinstance(x, Tensor) else x for x in exercise.example.arguments]
    inputs = [x.requires_grad_() for x in copies if _holds_fractions(x)]
    function = exercise.adapt(answer)
    return run(lambda: torch.autograd.grad(function(*copies)[0].sum(), inputs), ())


def _holds_fractions(argument: Any) -> bool:
    return isinstance(argument, Tensor) and argument.is_floating_point()
