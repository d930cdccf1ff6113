"""Check an answer: run it on every case, and compare it with the reference and the known mistakes."""

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
    """Try an answer on every case. Report that it is right, name its mistakes, or describe where it is wrong."""
    got, expected = try_on_every_case(exercise, answer), _outcomes_of(exercise, exercise.reference)
    if isinstance(got[exercise.example].error, NotImplementedError):
        return Report(f"… {exercise.name}", ("Not started: write it in place of `raise NotImplementedError`.",))
    wrong = _differing_cases(exercise, got, expected)
    if not all(_fails_only_in_float64(exercise, case, got[case], expected[case]) for case in wrong):
        return _report_wrong_answer(exercise, answer, got, expected, wrong)
    if flaw := _training_flaw(exercise, answer):
        return Report(f"✗ {exercise.name}: not yet", (f"Its numbers are right. {flaw}",))
    remark = FLOAT32_ONLY if wrong else f"Right in all {len(exercise.every_case)} cases."
    return Report(f"✓ {exercise.name}: right", (remark,), passed=True)


def try_on_every_case(exercise: Exercise, answer: Any) -> Outcomes:
    """Run an answer on every case, and stop after one that the learner interrupts."""
    function = exercise.adapt(answer)
    outcomes: Outcomes = {}
    for case in exercise.every_case:
        outcomes[case] = run(function, case.arguments)
        if isinstance(outcomes[case].error, KeyboardInterrupt):
            break
    return outcomes


@cache  # a learner checks many answers to one exercise in a session
def _outcomes_of(exercise: Exercise, implementation: Any) -> Outcomes:
    """The outcomes of the reference or of a known mistake in every case."""
    return try_on_every_case(exercise, implementation)


def _differing_cases(exercise: Exercise, some: Outcomes, others: Outcomes, exact: bool = True) -> set[Case]:
    """The cases tried with both answers in which their outcomes differ, beyond float32 precision unless `exact`."""
    both = some.keys() & others.keys()
    return {case for case in both if not some[case].matches(others[case], exercise.returns, exact)}


def _fails_only_in_float64(exercise: Exercise, case: Case, got: Outcome, expected: Outcome) -> bool:
    """Whether a case is in float64, and an answer fails there only because it computes in float32."""
    return case.in_float64 and (got.error is not None or got.matches(expected, exercise.returns, exact=False))


def _report_wrong_answer(
    exercise: Exercise, answer: Any, got: Outcomes, expected: Outcomes, wrong: set[Case]
) -> Report:
    """Name the known mistakes in a wrong answer; if there are none, describe where it is wrong."""
    mistakes, unexplained = _find_mistakes(exercise, got, expected, wrong)
    if mistakes:
        sentences = [mistake.message for mistake in mistakes]
        # An unexplained error is not mentioned: the same mistake may well raise an error in another case.
        if any(got[case].error is None for case in unexplained):
            sentences.append(MORE_IS_WRONG)
    else:
        sentences = diagnose(exercise, answer, got, expected, wrong)
    first = next(case for case in exercise.every_case if case in wrong)
    if printed := got[first].printed.strip():
        sentences.append(f"It printed: {printed[:200]}")
    return Report(f"✗ {exercise.name}: not yet", tuple(sentences), mistake=mistakes[0] if mistakes else None)


def _find_mistakes(
    exercise: Exercise, got: Outcomes, expected: Outcomes, wrong: set[Case]
) -> tuple[list[Mistake], set[Case]]:
    """Find the known mistakes in an answer, the one that explains most cases first, and the unexplained cases."""
    explained: dict[Mistake, set[Case]] = {}
    for mistake in exercise.mistakes:
        explained[mistake] = _cases_explained_by(exercise, mistake, got, expected, wrong)
        if explained[mistake] == wrong:
            return [mistake], set()
    named: list[Mistake] = []
    unexplained = wrong
    while explained and unexplained:
        best = max(explained, key=lambda mistake: len(explained[mistake] & unexplained))
        if not explained[best] & unexplained:
            break
        named.append(best)
        unexplained = unexplained - explained[best]
    return named, unexplained


def _cases_explained_by(
    exercise: Exercise, mistake: Mistake, got: Outcomes, expected: Outcomes, wrong: set[Case]
) -> set[Case]:
    """The wrong cases in which a known mistake has the same outcome as the answer; none if that may be a coincidence.

    Agreement counts as evidence if it occurs in two cases, or in every case in which the mistake is visible. Cases that
    end in an error are no evidence, since errors look alike. If the mistake is visible in a case that the answer gets
    right, the answer does not contain it.
    """
    known = _outcomes_of(exercise, mistake.implementation)
    visible = _differing_cases(exercise, known, expected)
    if not visible & got.keys() <= wrong:
        return set()
    same = wrong & visible - _differing_cases(exercise, known, got, exact=False)
    evidence = {case for case in same if got[case].error is None}
    is_evident = len(evidence) > 1 or (len(evidence) == 1 and same >= visible)
    return same if is_evident else set()


def _training_flaw(exercise: Exercise, answer: Any) -> str:
    """Say why an answer whose numbers are right could not be trained; "" if it could."""
    if exercise.trained:
        gradients = [Result("gradient") for argument in exercise.example.arguments if _is_floating_point(argument)]
        if not _gradients(exercise, answer).matches(_gradients(exercise, exercise.reference), gradients):
            return NO_GRADIENT
    if exercise.further_check is not None:
        return exercise.further_check(answer, exercise.example.arguments)
    return ""


def _gradients(exercise: Exercise, answer: Any) -> Outcome:
    """The gradient of the first result, or of the first row of a single one, for each floating-point argument."""
    copies = [x.clone() if isinstance(x, Tensor) else x for x in exercise.example.arguments]
    inputs = [x.requires_grad_() for x in copies if _is_floating_point(x)]
    function = exercise.adapt(answer)
    return run(lambda: torch.autograd.grad(function(*copies)[0].sum(), inputs), ())


def _is_floating_point(argument: Any) -> bool:
    return isinstance(argument, Tensor) and argument.is_floating_point()
