"""Check an answer: run it on every case, and compare it with the reference and the known mistakes."""

from __future__ import annotations

import dis
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from course_lib.exercises.cases import Case, Result, in_float32, is_fractional
from course_lib.exercises.judging.calls import argument_names, describe_call
from course_lib.exercises.judging.diagnosis import diagnose
from course_lib.exercises.judging.errors import functions_of, source_of
from course_lib.exercises.judging.outcomes import (
    NO_GRADIENT,
    Outcome,
    difference,
    is_too_exact,
    run,
)
from course_lib.exercises.judging.recognition import MORE_IS_WRONG, WrongAnswer, recognise
from course_lib.exercises.judging.settings import (
    original_functions,
    pinned_settings,
    replaced_functions,
    undoing_replacements,
)
from course_lib.exercises.judging.slips import attribute_without_effect, plain_tensor_for_parameter, slip_in_class
from course_lib.exercises.judging.state import Beginning, keeps_state
from course_lib.exercises.keeping.source import names_bound_below
from course_lib.exercises.mistakes import Mistake
from course_lib.exercises.reports import Report
from course_lib.text.wording import capitalized

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise

FLOAT32_ONLY = (
    "Right, but for float32 only: numbers from `torch.zeros`, `torch.arange` or `torch.tensor` end up in float32, "
    "unless you say `dtype=x.dtype`, and so does what goes through `.float()`."
)
LESS_EXACT = (
    "Right to the precision of float32. With float64 numbers, the difference is larger than rounding can explain: "
    "does a part of your code compute in float32, through `.float()` or numbers such as those of `torch.zeros`, or is "
    "a small number added, such as an eps?"
)
FLOAT32_ON_PURPOSE = "Right. Your code rounds float64 numbers, since `{}` makes it compute in float32."
NO_HARM = "That does no harm in this course."
DIFFERENCE_LATER = "Where a later cell {} in float64, it will find a difference of about 1e-7."
FLOAT32_RETURNED = (
    "Right for float32. But where float64 numbers come in, your code returns float32, and a later cell {} in float64. "
    "Keep the type of what comes in: make new tensors with `dtype={}.dtype`, and leave out `.float()`."
)
TURNS_INTO_FLOAT32 = re.compile(r"\.float\(\)|\.(?:to|type)\((?:dtype=)?torch\.float(?:32)?\)")
IN_FLOAT64 = "Your result is in float64, {}. That does no harm here{}."
RESULTS_ARE_RIGHT = "In the calls tried, your results are right."
RIGHT_AS_FIRST_CALL = "{} gives the right result if it is called first, but not after other calls."
WRONG_AFTER_OTHERS = "{} gives the right result at first, but a different one if it is called again after other calls."
SECONDS_TO_CALL_AGAIN = 0.1  # of computing time, for wrong cases that may be right as first calls
STOPPED = "You stopped the check before it had finished. Run the cell again to check your answer."
# How torch writes that two tensors of different dtypes meet.
ABOUT_DTYPES = re.compile(
    r"dtype|scalar type|\b(Float|Double|Half|BFloat16|float|double)\b.*\b(Float|Double|float|double)\b"
)

Outcomes = dict[Case, Outcome]


@runtime_checkable
class FindsMore(Protocol):
    """A further check that can also tell whether an answer has a flaw beside a known mistake."""

    def finds_more_than(self, mistake: Any, answer: Any) -> bool:
        """Whether there is a flaw in the answer that is not in the mistake's implementation."""


class CourseFault(Exception):
    """The course's own version of a part raises an error, so that no answer can be judged."""


def check(exercise: Exercise, answer: Any) -> Report:
    """Try an answer on every case. Report that it is right, name its mistakes, or describe where it is wrong.

    Whatever the answer is and does, a report comes back, and the settings of the process, random numbers and functions
    of torch are as they were.
    """
    title = f"✗ {exercise.name}: not yet"
    try:
        with pinned_settings(), undoing_replacements():
            return _judge(exercise, answer)
    except KeyboardInterrupt:
        return Report(title, (STOPPED,))
    except CourseFault as fault:
        return Report(f"… {exercise.name}: not checked", (str(fault),))
    except BaseException as error:
        return Report(title, (_cannot_be_read(error),))


def _judge(exercise: Exercise, answer: Any) -> Report:
    if not callable(answer):
        kind = type(answer).__name__
        sentence = f"`@exercise` checks a function or a class, but it was given something of the type `{kind}`."
        return Report(f"✗ {exercise.name}: not yet", (sentence,))
    expected = _expected_outcomes(exercise)
    replaced_before = _names_of_replaced_functions()
    beginning = Beginning(answer)
    got = try_on_every_case(exercise, answer)
    remarks = _about_replaced_functions(replaced_before)
    if _is_not_started(got[exercise.example].error):
        return Report(f"… {exercise.name}", ("Not started yet: replace `raise NotImplementedError` with your code.",))
    differing = _differing_cases(exercise, got, expected)
    wrong = {
        case for case in differing if not _fails_only_in_float64(exercise, answer, case, got[case], expected[case])
    }
    if wrong:
        report = _report_wrong_answer(exercise, beginning, got, expected, wrong)
        if report.mistake is not None:
            return report
        return replace(
            report, paragraphs=(*report.paragraphs, *_about_name_below(exercise, answer, got, wrong), *remarks)
        )
    if changed := _wrong_in_another_order(exercise, beginning, expected):
        call = describe_call(exercise, answer, changed.arguments)
        return Report(f"✗ {exercise.name}: not yet", (keeps_state(answer), WRONG_AFTER_OTHERS.format(call)))
    if lost := [case for case in got if exercise.later_in_float64 and _lost_float64(got[case], expected[case])]:
        sentence = FLOAT32_RETURNED.format(exercise.later_in_float64, _first_in_float64(exercise, answer, lost[0]))
        return Report(f"✗ {exercise.name}: not yet", (sentence,))
    if flaw := _training_flaw_from_the_beginning(exercise, beginning):
        return Report(f"✗ {exercise.name}: not yet", (flaw,))
    rounded = differing or any(_lost_float64(got[case], expected[case]) for case in got)
    is_float32 = any(_lost_float64(got[case], expected[case]) or got[case].error is not None for case in got)
    is_as_asked = exercise.float32_is_asked and not is_float32
    right_in_all = f"Right in all {len(got)} cases."
    remark = _about_float32(exercise, answer, is_float32) if rounded and not is_as_asked else right_in_all
    of_exercise = _remark_of_exercise(exercise, answer)
    sentences = (
        remark,
        *_about_precision(exercise, answer, got, expected),
        *_side_effects(got),
        *of_exercise,
        *remarks,
    )
    return Report(f"✓ {exercise.name}: right", sentences, passed=True)


def _is_not_started(error: BaseException | None) -> bool:
    """Whether a learner's own `raise NotImplementedError` ended a call; torch raises that error for other reasons."""
    if not isinstance(error, NotImplementedError):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or str(trace.tb_frame.f_globals.get("__name__", "")).startswith("torch"):
        return False
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


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
def _outcome_in(exercise: Exercise, implementation: Any, case: Case) -> Outcome:
    """The outcome of the reference or of a known mistake in a case, with the original functions of torch.

    Raises KeyboardInterrupt if the learner stops it, so that nothing unfinished is remembered.
    """
    outcome = run(_adapted(exercise, implementation), case.arguments)
    if isinstance(outcome.error, KeyboardInterrupt):
        _adapted.cache_clear()
        raise KeyboardInterrupt
    return outcome


@cache  # adapted classes keep their modules between cases
def _adapted(exercise: Exercise, implementation: Any) -> Callable[..., Any]:
    return exercise.adapt(implementation)


def forget_outcomes() -> None:
    """Forget the outcomes of references and known mistakes, so that they are computed again."""
    _outcome_in.cache_clear()
    _adapted.cache_clear()


def _expected_outcomes(exercise: Exercise) -> Outcomes:
    """The outcomes of the reference. Raises CourseFault, and remembers nothing, if it fails in any case."""
    with original_functions():
        outcomes = {case: _outcome_in(exercise, exercise.reference, case) for case in exercise.every_case}
    for outcome in outcomes.values():
        if outcome.error is not None:
            forget_outcomes()
            raise CourseFault(_about_fault(exercise, outcome.error))
    return outcomes


def _about_fault(exercise: Exercise, error: BaseException) -> str:
    what = f"the course's own `{exercise.name}` raises {type(error).__name__}: {error}".partition("\n")[0][:300]
    return (
        f"This is a fault of the course, not of your answer: {what.rstrip('.')}. Restart the kernel and run the "
        "notebook again; if it happens again, please report it."
    )


def _differing_cases(exercise: Exercise, some: Outcomes, others: Outcomes, exact: bool = True) -> set[Case]:
    """The cases tried with both answers in which their outcomes differ, beyond float32 precision unless `exact`."""
    both = some.keys() & others.keys()
    return {case for case in both if not some[case].matches(others[case], exercise.returns, exact)}


def _fails_only_in_float64(exercise: Exercise, answer: Any, case: Case, got: Outcome, expected: Outcome) -> bool:
    """Whether a case is in float64, and an answer fails there only because it computes in float32.

    An error counts if it is about dtypes and does not occur with the same numbers in float32. Any other error is a
    mistake of the answer.
    """
    if not case.in_float64:
        return False
    if got.error is None:
        return got.matches(expected, exercise.returns, exact=False)
    if exercise.later_in_float64:
        return False  # a later cell would end in the same error
    if not isinstance(got.error, RuntimeError) or not ABOUT_DTYPES.search(str(got.error)):
        return False
    arguments = [in_float32(argument) for argument in case.arguments]
    with original_functions():
        right = run(exercise.adapt(exercise.reference), arguments)
    return run(exercise.adapt(answer), arguments).matches(right, exercise.returns)


def _about_float32(exercise: Exercise, answer: Any, is_float32: bool) -> str:
    """Sentences on an answer that is right to float32 precision only: its source may ask for that.

    `is_float32` says whether its results are of float32, or it fails with float64 numbers.
    """
    on_purpose = TURNS_INTO_FLOAT32.search("\n".join(map(source_of, functions_of(answer))))
    words = FLOAT32_ONLY if is_float32 else LESS_EXACT
    if on_purpose:
        words = FLOAT32_ON_PURPOSE.format(on_purpose[0])
    if exercise.later_in_float64:
        return f"{words} {DIFFERENCE_LATER.format(exercise.later_in_float64)}"
    return f"{words} {NO_HARM}" if on_purpose or not is_float32 else words


def _lost_float64(got: Outcome, expected: Outcome) -> bool:
    """Whether any of an answer's results is in float32, where float64 is expected and has more than one number."""
    values = [each if isinstance(each, (tuple, list)) else (each,) for each in (got.value, expected.value)]
    pairs = [each for each in zip(*values, strict=False) if all(isinstance(value, Tensor) for value in each)]
    return any(one.dtype == torch.float32 and other.dtype == torch.float64 for one, other in pairs if other.dim())


def _first_in_float64(exercise: Exercise, answer: Any, case: Case) -> str:
    """The answer's name of the first argument that is in float64."""
    names = argument_names(exercise, answer, case.arguments)
    pairs = zip(names, case.arguments, strict=True)
    return next(name for name, value in pairs if isinstance(value, Tensor) and value.dtype == torch.float64)


def _about_precision(exercise: Exercise, answer: Any, got: Outcomes, expected: Outcomes) -> list[str]:
    """Sentences on a right result in float64, where float32 is wanted; only of a part of a model is that asked for."""
    exact = next((case for case in got if is_too_exact(_first(got[case]), _first(expected[case]))), None)
    if exact is None:
        return []
    pairs = zip(argument_names(exercise, answer, exact.arguments), exact.arguments, strict=True)
    names = [name for name, value in pairs if isinstance(value, Tensor) and value.dtype == torch.float32]
    where = "though the arguments are in float32" if names else "where torch would use float32"
    advice = f", but parts of a model should keep `{names[0]}.dtype`" if names and exercise.trained else ""
    return [IN_FLOAT64.format(where, advice)]


def _first(outcome: Outcome) -> Any:
    """What a call returned, or the first thing if it returned several."""
    return outcome.value[0] if isinstance(outcome.value, tuple) and outcome.value else outcome.value


def _side_effects(got: Outcomes) -> list[str]:
    """Sentences on what a right answer does besides its result: warnings, and settings that it leaves changed."""
    sentences = []
    if warned := list(dict.fromkeys(text for outcome in got.values() for text in outcome.warned)):
        sentences.append(f"Your code raises a warning, though: {warned[0].rstrip('.')}.")
    if changed := list(dict.fromkeys(call for outcome in got.values() for call in outcome.settings)):
        calls = ", ".join(f"`{call}`" for call in changed)
        sentences.append(
            f"Your code leaves a setting of the whole notebook changed ({calls}), which affects later cells."
        )
    return sentences


def _remark_of_exercise(exercise: Exercise, answer: Any) -> list[str]:
    """A sentence that an exercise has on a right answer; none for most."""
    if exercise.remark is None:
        return []
    sentence = run(exercise.remark, (answer,)).value
    return [str(sentence)] if sentence else []


def _names_of_replaced_functions() -> list[str]:
    """The functions of torch, math and Python that the notebook's own code has replaced."""
    return [each.name for each in replaced_functions() if getattr(each.value, "__module__", "") == "__main__"]


def _about_replaced_functions(before: list[str]) -> list[str]:
    """Sentences on functions of torch, math and Python that cells replaced before, or the answer does as it runs."""
    sentences = []
    if before:
        names = ", ".join(f"`{name}`" for name in before)
        sentences.append(
            f"A cell has replaced {names}, and your code may use that: restart the kernel to get the original back."
        )
    if since := [name for name in _names_of_replaced_functions() if name not in before]:
        names = ", ".join(f"`{name}`" for name in since)
        sentences.append(f"Your code replaces {names} for the whole notebook. The check has put the original back.")
    return sentences


def _about_name_below(exercise: Exercise, answer: Any, got: Outcomes, wrong: set[Case]) -> list[str]:
    """A sentence on a global name that an answer uses and its cell defines only below it; none for other answers."""
    error = next(got[case].error for case in exercise.every_case if case in wrong)
    if not isinstance(error, NameError) or error.name not in names_bound_below(answer):
        return []
    return [f"`{error.name}` is defined below your answer: move it above `@exercise`, then run the cell again."]


def _report_wrong_answer(
    exercise: Exercise, beginning: Beginning, got: Outcomes, expected: Outcomes, wrong: set[Case]
) -> Report:
    """Name the known mistakes in a wrong answer; if there are none, describe where it is wrong."""
    mistake, answer = None, beginning.answer
    try:
        wrong_answer = WrongAnswer(
            exercise,
            answer,
            got,
            expected,
            frozenset(wrong),
            outcome_of=partial(_outcome_in, exercise),
        )
        if sentence := slip_in_class(answer, exercise.reference) or attribute_without_effect(answer):
            return Report(f"✗ {exercise.name}: not yet", (sentence,))
        if right_at_first := _right_as_first_call(exercise, beginning, got, expected, wrong):
            call = describe_call(exercise, answer, right_at_first.arguments)
            return Report(f"✗ {exercise.name}: not yet", (keeps_state(answer), RIGHT_AS_FIRST_CALL.format(call)))
        with original_functions():
            findings = recognise(wrong_answer)
        plain = plain_tensor_for_parameter(answer, exercise.reference)
        if (
            plain
            and findings.mistakes
            and not plain_tensor_for_parameter(findings.mistakes[0].implementation, exercise.reference)
        ):
            sentences = [plain]  # a gain that stays as it begins looks like one that is never used
        elif findings.mistakes:
            sentences, mistake = findings.sentences, findings.mistakes[0]
            if sentences == [mistake.message] and _has_flaw_besides(exercise, answer, mistake):
                sentences = [mistake.without_praise, MORE_IS_WRONG]
        elif sentence := _explanation(exercise, answer, got, wrong):
            sentences = [sentence]
        else:
            sentences = diagnose(wrong_answer, findings.sentences)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # The result is a tensor that torch computes little with, or an object that raises errors when it is looked at.
        sentences, mistake = [_first_difference(exercise, got, expected, wrong) or _cannot_be_read(error)], None
    first = next(case for case in exercise.every_case if case in wrong)
    if printed := got[first].printed.strip():
        sentences = [*sentences, f"Your code printed: {printed[:200]}"]
    return Report(f"✗ {exercise.name}: not yet", tuple(sentences), mistake=mistake)


def _has_flaw_besides(exercise: Exercise, answer: Any, mistake: Mistake) -> bool:
    """Whether a class whose numbers a known mistake explains has a flaw that only its weights show."""
    if not isinstance(exercise.further_check, FindsMore):
        return False
    outcome = run(exercise.further_check.finds_more_than, (mistake.implementation, answer))
    return outcome.value is True


def _right_as_first_call(
    exercise: Exercise, beginning: Beginning, got: Outcomes, expected: Outcomes, wrong: set[Case]
) -> Case | None:
    """A wrong case in which the answer is right if nothing was called before; None if there is none."""
    if not beginning.may_keep() or any(isinstance(each.error, KeyboardInterrupt) for each in got.values()):
        return None
    deadline = time.thread_time() + SECONDS_TO_CALL_AGAIN
    for case in exercise.every_case:
        for answer in beginning.versions() if case in wrong and time.thread_time() < deadline else ():
            outcome = run(exercise.adapt(answer), case.arguments)
            if outcome.matches(expected[case], exercise.returns, exact=False):
                return case
    return None


def _wrong_in_another_order(exercise: Exercise, beginning: Beginning, expected: Outcomes) -> Case | None:
    """A case in which an answer is wrong after other calls than before: those with a mask come first. None if right."""
    if not beginning.may_keep():
        return None
    function = exercise.adapt(beginning.answer)
    for case in reversed(exercise.every_case):
        outcome = run(function, case.arguments)
        if not outcome.matches(expected[case], exercise.returns, exact=False) and not case.in_float64:
            return case
    return None


def _first_difference(exercise: Exercise, got: Outcomes, expected: Outcomes, wrong: set[Case]) -> str:
    """How the result of the first wrong case differs from the expected one; "" if it ended in an error."""
    first = next(case for case in exercise.every_case if case in wrong)
    if got[first].error is not None:
        return ""
    return capitalized(difference(got[first].value, expected[first].value, exercise.returns))


def _cannot_be_read(error: BaseException) -> str:
    kind = type(error).__name__
    return f"The check cannot read what your code makes: looking at it raises {kind}. Return plain tensors or numbers."


def _explanation(exercise: Exercise, answer: Any, got: Outcomes, wrong: set[Case]) -> str:
    """What explains a wrong result, if the exercise can say it; "" if it cannot."""
    first = next(case for case in exercise.every_case if case in wrong)
    if exercise.explain is None or isinstance(got[first].error, KeyboardInterrupt):
        return ""
    return str(run(exercise.explain, (answer, first.arguments)).value or "")


def _training_flaw_from_the_beginning(exercise: Exercise, beginning: Beginning) -> str:
    """The flaw of an answer in training; if it has none when nothing was called before, that it keeps something."""
    flaw = _training_flaw(exercise, beginning.answer)
    if flaw and beginning.copies and beginning.may_keep() and not _training_flaw(exercise, beginning.again()):
        return keeps_state(beginning.answer)
    return flaw


def _training_flaw(exercise: Exercise, answer: Any) -> str:
    """Say why an answer whose numbers are right could not be trained; "" if it could."""
    if exercise.trained:
        gradients = [Result("gradient") for argument in exercise.example.arguments if is_fractional(argument)]
        with original_functions():
            expected = _gradients(exercise, exercise.reference)
        if expected.error is not None:
            raise CourseFault(_about_fault(exercise, expected.error))
        if not _gradients(exercise, answer).matches(expected, gradients):
            return f"{RESULTS_ARE_RIGHT} {NO_GRADIENT}"
    if exercise.further_check is None:
        return ""
    outcome = run(exercise.further_check, (answer, exercise.example.arguments))
    if outcome.error is not None:
        error = f"{type(outcome.error).__name__}: {outcome.error}".rstrip(".")
        return f"{RESULTS_ARE_RIGHT} In training, your code raises {error}."
    return str(outcome.value)


def _gradients(exercise: Exercise, answer: Any) -> Outcome:
    """The gradient of the first result, or of the first row of a single one, for each floating-point argument."""

    def gradients(*arguments: Any) -> tuple[Tensor, ...]:
        inputs = [argument.requires_grad_() for argument in arguments if is_fractional(argument)]
        first = exercise.adapt(answer)(*arguments)[0]
        # Not the plain sum, which for the results of a norm or a softmax is always the same.
        weighted = first * torch.linspace(1, 2, first.numel(), dtype=first.dtype).view(first.shape)
        return torch.autograd.grad(weighted.square().sum(), inputs)

    outcome = run(gradients, exercise.example.arguments)
    return replace(outcome, changed=())  # asking for gradients counts as no change
