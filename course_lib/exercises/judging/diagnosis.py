"""Describe a wrong answer in which no known mistake was recognised: what is wrong, where, and in which call."""

from __future__ import annotations

import inspect
import itertools
import math
import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Case, in_float64
from course_lib.exercises.judging.calls import argument_names, describe_call, describe_value, inputs_begin
from course_lib.exercises.judging.errors import (
    LOST_OR_TRANSPOSED,
    Raised,
    describe_error,
    likely_cause,
    locate,
    source_of,
)
from course_lib.exercises.judging.naming import circumstance, is_or_are, owned
from course_lib.exercises.judging.outcomes import Outcome, difference, run, wrong_elements
from course_lib.exercises.judging.recognition import BEHAVES, WrongAnswer, differing_results, relation_of_one_result
from course_lib.exercises.judging.relations import Compared, equal
from course_lib.exercises.judging.settings import original_functions
from course_lib.exercises.judging.slips import Slip, slip_in_source, slips_with_lost_axes, slips_with_masks
from course_lib.text.wording import capitalized, join_words

GIVES_ANOTHER_RESULT_EACH_TIME = (
    "Your code gives a different result each time it is called with the same arguments. Does it draw random numbers, "
    "or make a new layer, which begins with random ones?"
)
ROUNDING = (
    "The formula is right, and with float64 numbers so is your result, but in float32 too few digits are left. This "
    "happens where two large numbers that are almost equal are subtracted, such as the mean of the squares and the "
    "square of the mean: subtract the mean before you square."
)
NOT_A_NUMBER = (
    "NaN (not a number) comes from 0 / 0, ∞ − ∞, ∞ / ∞ or 0 · ∞, or from the square root or the logarithm of "
    "a negative number: look for a step that may compute one of these."
)
COPIES_SHARE_TENSORS = (
    "copying a list or a dictionary does not copy its tensors, and a step such as `+=` changes a tensor in place"
)
WRONG_ELSEWHERE = "and wrong elsewhere"
WEIGHTS_ARE_SET = "The check has put numbers of its own into the parameters, so that results can be compared."


def diagnose(wrong_answer: WrongAnswer, found: Sequence[str] = ()) -> list[str]:
    """Say in sentences where an answer is wrong, what its results have in common with the right ones, and a call.

    `found` are sentences that are known already to say what is wrong with the results.
    """
    case = next(case for case in wrong_answer.exercise.every_case if case in wrong_answer.wrong)
    if _is_random(wrong_answer, case):
        return [GIVES_ANOTHER_RESULT_EACH_TIME]
    outcome, right = wrong_answer.got[case], wrong_answer.expected[case]
    if outcome.error is not None:
        return [*found, *_about_error(wrong_answer, case, outcome.error)]
    if missing := _missing_result(wrong_answer, outcome, right):
        return [missing]
    detail = difference(outcome.value, right.value, wrong_answer.exercise.returns)
    if not detail:
        return [_about_changed_argument(wrong_answer, case, outcome)]
    what = [_where_wrong(wrong_answer, sentence) for sentence in found] or [_what_differs(wrong_answer)]
    shown = _shown_call(wrong_answer, case, detail)
    if inspect.isclass(wrong_answer.exercise.reference) and _have_one_shape(outcome.value, right.value):
        shown += f" {WEIGHTS_ARE_SET}"
    if wrong_answer.exercise.show is not None:
        # An answer may return anything, of which nothing can be shown.
        details = run(wrong_answer.exercise.show, (case.arguments, outcome.value, right.value)).value
        shown += f" {details}" if details else ""
    sentences = (_where_it_fails(wrong_answer), *what, shown)
    return [*filter(None, sentences), *_about_argument_changed_besides(wrong_answer, case, outcome)]


def _have_one_shape(got: Any, expected: Any) -> bool:
    """Whether the first results of an answer and of the course's class have one shape, so that numbers differ."""
    return bool(_shape(_first(got)) == _shape(_first(expected)))


def _is_random(wrong_answer: WrongAnswer, case: Case) -> bool:
    """Whether an answer gives another result in a wrong case if random numbers start from another seed."""
    if wrong_answer.got[case].error is not None or inspect.isclass(wrong_answer.exercise.reference):
        return False
    function = wrong_answer.exercise.adapt(wrong_answer.answer)

    def with_another_seed(*arguments: Any) -> Any:
        torch.manual_seed(1)
        random.seed(1)
        return function(*arguments)

    returns, got = wrong_answer.exercise.returns, wrong_answer.got[case].value
    if difference(run(function, case.arguments).value, got, returns):
        return False  # it cannot be compared with itself, or depends on earlier calls
    other = run(with_another_seed, case.arguments)
    return other.error is None and bool(difference(other.value, got, returns))


# Errors.


def _about_error(wrong_answer: WrongAnswer, case: Case, error: BaseException) -> list[str]:
    """Name an error, the line that raised it, its likely cause, and the call."""
    raised = locate(wrong_answer.answer, error)
    if isinstance(error, KeyboardInterrupt):
        where = f" in line {raised.number}, `{raised.line}`" if raised.line else ""
        return [f"You stopped it{where}. Would it have ended? Look at what ends each loop."]
    cause = _taken_by_name_only(wrong_answer, raised) or likely_cause(
        raised, _signature(wrong_answer, case, raised), _names_of_parts()
    )
    if LOST_OR_TRANSPOSED in cause and (lost := _lost_axis(wrong_answer, [case])):
        cause = cause.replace(LOST_OR_TRANSPOSED, lost)
    sentences = [_where_it_fails(wrong_answer), describe_error(raised), cause]
    is_about_call = not isinstance(error, NameError) and raised.line
    arguments = case.arguments
    if raised.function == "__init__" and inspect.isclass(wrong_answer.exercise.reference):
        arguments = arguments[: inputs_begin(arguments)]
    call = describe_call(wrong_answer.exercise, wrong_answer.answer, arguments)
    return [*filter(None, sentences), *([f"The call was {call}."] if is_about_call else [])]


def _taken_by_name_only(wrong_answer: WrongAnswer, raised: Raised) -> str:
    """Say that the answer takes an argument by name only, if that is why the course's call fails; "" otherwise."""
    error = raised.error
    if raised.line or not isinstance(error, TypeError) or "positional argument" not in str(error):
        return ""
    answer = wrong_answer.answer
    called = getattr(answer, "forward", answer) if inspect.isclass(answer) else answer
    try:
        parameters = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        return ""
    if not (by_name := [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]):
        return ""
    writer = "`forward`" if inspect.isclass(answer) else "function"
    return (
        f"Your {writer} takes `{by_name[0]}` by name only, but the course passes it by position. Leave out the `*` "
        "before it."
    )


def _signature(wrong_answer: WrongAnswer, case: Case, raised: Raised) -> str:
    """How the course calls the answer, in the reference's names; of a class, `__init__` or `forward`."""
    exercise = wrong_answer.exercise
    names = argument_names(exercise, exercise.reference, case.arguments)
    if not inspect.isclass(exercise.reference):
        return f"{exercise.name}({', '.join(names)})"
    first = inputs_begin(case.arguments)
    if "__init__" in raised.words:
        return f"{exercise.name}({', '.join(names[:first])})"
    return f"forward({', '.join(names[first:])})"


def _names_of_parts() -> list[str]:
    from course_lib.exercises.catalogue import all_exercises  # imports all exercises, and these import this module

    return [exercise.name for exercise in all_exercises()]


# Missing results, changed arguments.


def _missing_result(wrong_answer: WrongAnswer, outcome: Outcome, right: Outcome) -> str:
    """Say that the answer returns None, or that one of the things that it returns is None; "" otherwise."""
    is_class = inspect.isclass(wrong_answer.exercise.reference)
    writer = "`forward`" if is_class or inspect.isclass(wrong_answer.answer) else "function"
    results = outcome.value if isinstance(outcome.value, tuple) else (outcome.value,)
    if outcome.value is None or (is_class and results[0] is None):
        if outcome.printed:
            return f"Your {writer} returns nothing (`None`). It prints: write `return` where it says `print`."
        return f"Your {writer} returns nothing (`None`): its `return` is missing, or not reached by this call."
    wanted = right.value if isinstance(right.value, tuple) else (right.value,)
    returns = wrong_answer.exercise.returns
    for i, result in enumerate(results):
        if result is None and i < len(wanted) and wanted[i] is not None:
            name = returns[i].definite
            return f"Of the {len(results)} things that you return, number {i + 1} is None: return {name} there."
    return ""


def _about_argument_changed_besides(wrong_answer: WrongAnswer, case: Case, outcome: Outcome) -> list[str]:
    """A sentence on an argument that was changed in place, where the result is wrong too; none if there is none."""
    if not outcome.changed:
        return []
    what, instead = _changed_argument(wrong_answer, case, outcome)
    return [f"Your code also changes {what}: {instead}."]


def _about_changed_argument(wrong_answer: WrongAnswer, case: Case, outcome: Outcome) -> str:
    """Say that only a change in place is wrong, in all cases or in this one."""
    what, instead = _changed_argument(wrong_answer, case, outcome)
    are_all_right = all(_result_is_right(wrong_answer, each) for each in wrong_answer.got)
    where = "" if are_all_right else f" of {describe_call(wrong_answer.exercise, wrong_answer.answer, case.arguments)}"
    return f"The result{where} is right, but your code changes {what}: {instead}."


def _result_is_right(wrong_answer: WrongAnswer, case: Case) -> bool:
    got, right = wrong_answer.got[case], wrong_answer.expected[case]
    return got.error is None and not difference(got.value, right.value, wrong_answer.exercise.returns)


def _changed_argument(wrong_answer: WrongAnswer, case: Case, outcome: Outcome) -> tuple[str, str]:
    """What was changed in place, an argument or the tensors in it, and why, or what to do instead."""
    changed = outcome.changed[0]
    name = argument_names(wrong_answer.exercise, wrong_answer.answer, case.arguments)[changed]
    argument = case.arguments[changed]
    if changed in outcome.in_tensors:
        return f"the tensors in `{name}`", COPIES_SHARE_TENSORS
    kind = type(argument).__name__.lower()
    if kind == "tensor":
        instead = f"make a new one, or work on `{name}.clone()`"
    elif isinstance(argument, (list, tuple)) and any(isinstance(each, (list, dict, Tensor)) for each in argument):
        instead = f"leave `{name}` and everything in it as it is, and build a new {kind} from copies"
    elif isinstance(argument, list):
        instead = f"work on a copy, `list({name})`"  # which may be given a tuple too
    else:
        instead = f"work on a copy, `{name}.copy()`"
    return f"`{name}`, the caller's {kind}", instead


# Which cases fail.


def _where_it_fails(wrong_answer: WrongAnswer) -> str:
    """Say what the cases that fail have in common and the others do not, or how many of them there are.

    It speaks of the calls that were tried: what others would give is not known.
    """
    if constant := _same_result_everywhere(wrong_answer):
        return constant
    tried, wrong = list(wrong_answer.got), wrong_answer.wrong
    if len(wrong) == len(tried):
        return ""
    groups = {words: frozenset(case for case in tried if words in case.having) for words in _properties(tried)}
    those = "the one" if len(wrong) == 1 else f"the {len(wrong)}"
    subject = _what_is_right(wrong_answer)
    is_right = f"Of the {len(tried)} calls tried, {subject} is right"
    all_but_those = f"{is_right} in all but {those}"
    for words, group in groups.items():
        if group == wrong:
            return f"{all_but_those} {circumstance(words)}."
    for words, group in groups.items():
        if len(group) > 1 and group == frozenset(tried) - wrong:
            return f"{is_right} only in the {len(group)} {circumstance(words)}."
    for (one, group), (other, second) in itertools.combinations(groups.items(), 2):
        if group & second == wrong:
            both = f"{circumstance(one)} and, at the same time, {circumstance(other)}"
            return f"{all_but_those} {both}."
    example, another = wrong_answer.exercise.example, wrong_answer.exercise.another
    if another in wrong and example not in wrong:
        has_tensors = any(isinstance(argument, Tensor) for argument in example.arguments)
        others = ", in which only the numbers differ" if has_tensors else ""
        return f"{capitalized(subject)} is right in the first call tried, but not in the second{others}."
    right = len(tried) - len(wrong)
    return f"{is_right} in {right}." if right > len(wrong) else ""


def _what_is_right(wrong_answer: WrongAnswer) -> str:
    """What is right in the other calls: of a class whose first result is wrong in these, only that was compared.

    What it keeps beside its output is looked at only where the output is right everywhere.
    """
    first = wrong_answer.exercise.returns[0]
    is_class = inspect.isclass(wrong_answer.exercise.reference)
    compared = differing_results(wrong_answer).get(first, [])
    has_one_name = is_or_are(first.name) == "is"
    return owned(first.name) if is_class and has_one_name and len(compared) == len(wrong_answer.wrong) else "your code"


def _properties(cases: Sequence[Case]) -> list[str]:
    return list(dict.fromkeys(words for case in cases for words in case.having))


def _same_result_everywhere(wrong_answer: WrongAnswer) -> str:
    """Say that the answer gives the example's result wherever the right one has the same shape; "" otherwise.

    Results without information, NaN or zeros, do not count.
    """
    exercise, got, expected = wrong_answer.exercise, wrong_answer.got, wrong_answer.expected
    if got[exercise.example].error is not None or _is_blank(got[exercise.example].value):
        return ""
    shape = _shape(expected[exercise.example].value)
    alike = [case for case in got if _shape(expected[case].value) == shape and case is not exercise.example]
    others = [case for case in alike if not expected[case].matches(expected[exercise.example], exercise.returns)]
    if not others or not all(
        got[case].error is None and got[case].matches(got[exercise.example], exercise.returns) for case in others
    ):
        return ""
    if exercise.example in wrong_answer.wrong:
        return "Your code gives the same result for different arguments: does it use all of them?"
    return "Your code gives the same result for all arguments: is that result written into the code?"


def _unused_arguments(wrong_answer: WrongAnswer) -> str:
    """Name the tensors on which an answer's results depend in no case, although the right ones do; "" if none is."""
    exercise = wrong_answer.exercise
    case = wrong_answer.comparable[0]
    first = _first(wrong_answer.got[case].value)
    if _is_blank(first) or (isinstance(first, Tensor) and not bool(first.isfinite().all())):
        return ""
    names = argument_names(exercise, wrong_answer.answer, case.arguments)
    unused = []
    for i in range(len(case.arguments)):
        arguments = _with_other_numbers(case, i)
        if arguments is None:
            continue
        with original_functions():
            right = run(exercise.adapt(exercise.reference), arguments)
        if right.error is not None or right.matches(wrong_answer.expected[case], exercise.returns, exact=False):
            continue
        if not any(_depends_on(wrong_answer, each, i) for each in wrong_answer.got):
            unused.append(f"`{names[i]}`")
    if not unused:
        return ""
    them = "it" if len(unused) == 1 else "them"
    question = f"Does your code use {them} at all, overwrite {them}, or let {them} cancel out?"
    subject = "Nothing that you return depends" if len(exercise.returns) > 1 else "Your result does not depend"
    return f"{subject} on {join_words(unused, last='or')}. {question}"


def _with_other_numbers(case: Case, i: int) -> list[Any] | None:
    """The arguments of a case, with other numbers in argument i; None if that is no tensor of several fractions."""
    argument = case.arguments[i] if i < len(case.arguments) else None
    if not isinstance(argument, Tensor) or not argument.is_floating_point() or argument.numel() < 2:
        return None
    return [*case.arguments[:i], argument.flip(-1).roll(1, 0) / 2, *case.arguments[i + 1 :]]


def _depends_on(wrong_answer: WrongAnswer, case: Case, i: int) -> bool:
    """Whether an answer's result in a case is another one with other numbers in argument i."""
    arguments = _with_other_numbers(case, i)
    if arguments is None or wrong_answer.got[case].error is not None:
        return False
    outcome = run(wrong_answer.exercise.adapt(wrong_answer.answer), arguments)
    return not outcome.matches(wrong_answer.got[case], wrong_answer.exercise.returns)


def _is_blank(value: Any) -> bool:
    """Whether a value, or the first of several, is NaN or 0 throughout, or empty."""
    first = _first(value)
    if isinstance(first, Tensor):
        return bool((first.isnan() | (first == 0)).all())
    if isinstance(first, float) and math.isnan(first):
        return True
    return isinstance(first, (int, float, str, list, tuple, dict)) and not first


def _shape(value: Any) -> Any:
    """The shapes of tensors, the lengths of lists and texts, and the types of other values."""
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if isinstance(value, tuple):
        return tuple(_shape(each) for each in value)
    return (type(value), len(value) if hasattr(value, "__len__") else 0)


# What differs.


def _what_differs(wrong_answer: WrongAnswer) -> str:
    """Say how the wrong results differ from the right ones, if that can be said of all of them in the same words."""
    if sentence := _rounding(wrong_answer):
        return sentence
    if sentence := relation_of_one_result(wrong_answer):
        return _where_wrong(wrong_answer, sentence)
    if sentence := slip_in_source(wrong_answer.answer) or _slip_that_explains(wrong_answer):
        return sentence
    if not _same_result_everywhere(wrong_answer) and (sentence := _unused_arguments(wrong_answer)):
        return sentence
    # Of several results, the one that is wrong most often comes first.
    for result, compared in sorted(differing_results(wrong_answer).items(), key=lambda each: -len(each[1])):
        name = result.name
        facts = (
            _not_a_number(compared),
            _limited(wrong_answer, compared, _positions(name, _letters(result.shape), compared)),
            _sums(name, compared),
            _size(name, compared, source_of(wrong_answer.answer), len(compared) == len(wrong_answer.got)),
        )
        if any(facts):
            return next(filter(None, facts))
    return ""


def _where_wrong(wrong_answer: WrongAnswer, sentence: str) -> str:
    """Say of a sentence on the wrong results that it is about these, if others are right.

    That code behaves as if its arguments were changed is known of the right results too.
    """
    holds_everywhere = sentence.startswith(BEHAVES) or not sentence.startswith(("Your ", "In your "))
    if wrong_answer.wrong == wrong_answer.got.keys() or holds_everywhere:
        return sentence
    if in_result := re.match(r"In your ([^,]+), ", sentence):
        name = in_result[1]
        return f"Where your {name} {is_or_are(name)} wrong, {sentence[in_result.end() :]}"
    where = "In the calls that fail"
    if len(wrong_answer.exercise.returns) > 1 or len(wrong_answer.comparable) < len(wrong_answer.wrong):
        # In some of these, this result is right, or there is none.
        verb = re.match(r"Your [^,.:]+? (is|are|has|have) ", sentence)
        where = f"Where {'they are' if verb and verb[1] in ('are', 'have') else 'it is'} wrong"
    return f"{where}, {sentence[0].lower()}{sentence[1:]}"


def _rounding(wrong_answer: WrongAnswer) -> str:
    """Say that rounding spoils a result, if the answer is right wherever the same numbers come in float64; or ""."""
    exercise, cases = wrong_answer.exercise, wrong_answer.comparable
    if len(cases) < len(wrong_answer.wrong) or any(case.in_float64 for case in cases):
        return ""
    for case in cases:
        first = _first(wrong_answer.got[case].value)
        if not isinstance(first, Tensor) or first.dtype != torch.float32 or not bool(first.isfinite().all()):
            return ""
        arguments = [in_float64(argument) for argument in case.arguments]
        with original_functions():
            right = run(exercise.adapt(exercise.reference), arguments)
        if not run(exercise.adapt(wrong_answer.answer), arguments).matches(right, exercise.returns, exact=False):
            return ""
    return ROUNDING


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, (tuple, list)) and value else value


def _slip_that_explains(wrong_answer: WrongAnswer) -> str:
    """Say what a lost axis, or a sum or product with a mask, does if more results are right without it; or ""."""
    masks = slips_with_masks(wrong_answer.answer, _masks(wrong_answer))
    return _lost_axis(wrong_answer, wrong_answer.comparable) or _best(wrong_answer, masks, wrong_answer.comparable)


def _lost_axis(wrong_answer: WrongAnswer, cases: Sequence[Case]) -> str:
    """Say that a sum or the like has lost its axis, if more results are right when it keeps it; "" otherwise."""
    got, expected = wrong_answer.got, wrong_answer.expected
    # An axis that is missing in the result itself is lined up with no other.
    of_right_shape = [
        case for case in cases if got[case].error or _shape(got[case].value) == _shape(expected[case].value)
    ]
    return _best(wrong_answer, slips_with_lost_axes(wrong_answer.answer), of_right_shape)


def _best(wrong_answer: WrongAnswer, slips: Iterable[Slip], cases: Sequence[Case]) -> str:
    """The sentence on the slip without which most of these wrong cases are right; "" if all stay wrong."""
    counted = [(_right_without(wrong_answer, slip, cases), slip.sentence) for slip in slips]
    most, sentence = max(counted, key=lambda each: each[0], default=(0, ""))
    return sentence if most else ""


def _right_without(wrong_answer: WrongAnswer, slip: Slip, cases: Sequence[Case]) -> int:
    """How many of some wrong cases are right if a slip is corrected."""
    exercise = wrong_answer.exercise
    corrected = [run(exercise.adapt(slip.corrected), case.arguments) for case in cases]
    return sum(
        outcome.matches(wrong_answer.expected[case], exercise.returns, exact=False)
        for case, outcome in zip(cases, corrected, strict=True)
    )


def _masks(wrong_answer: WrongAnswer) -> list[str]:
    """The learner's names of the arguments that are tensors of True and False."""
    names: dict[str, None] = {}
    for case in wrong_answer.got:
        of_case = argument_names(wrong_answer.exercise, wrong_answer.answer, case.arguments)
        for name, value in zip(of_case, case.arguments, strict=True):
            if isinstance(value, Tensor) and value.dtype == torch.bool:
                names[name] = None
    return list(names)


def _letters(shape: str) -> list[str]:
    return [letter.strip() for letter in shape.split(",") if letter.strip() not in ("", "...", "…")]


def _not_a_number(compared: Sequence[Compared]) -> str:
    """Say where NaN comes from, if a result holds it in every case."""
    if all(isinstance(each.got, Tensor) and bool(each.got.isnan().any()) for each in compared):
        return NOT_A_NUMBER
    return ""


def _positions(name: str, letters: Sequence[str], compared: Sequence[Compared]) -> str:
    """Say that a result is wrong only at some positions along an axis, such as the first, in every case."""
    if not all(isinstance(each.got, Tensor) and isinstance(each.expected, Tensor) for each in compared):
        return ""
    if any(each.got.shape != each.expected.shape or each.got.dim() == 0 for each in compared):
        return ""
    # A float64 result of float32 precision is wrong everywhere by a little.
    wrong = [wrong_elements(each.got, each.expected, exact=False) for each in compared]
    axes = min(marks.dim() for marks in wrong)
    for axis in range(-axes, 0):
        indices = [_marked_along(marks, axis) for marks in wrong]
        lengths = [marks.size(axis) for marks in wrong]
        # Along an axis of length 1, "at index 0" and "in the second half" are the same, so most should be longer.
        longer = sum(length > 1 for length in lengths)
        if max(lengths) < 3 or longer < 2 or 2 * longer <= len(lengths):
            continue
        for words in _patterns(0):
            if all(found == list(_patterns(n)[words]) for found, n in zip(indices, lengths, strict=True)):
                letter = letters[axis] if len(letters) >= -axis and letters.count(letters[axis]) == 1 else ""
                if letter.isdigit() and words.endswith("half") and axis == -1:
                    half = _patterns(int(letter))[words]
                    return f"In each row, only numbers {half[0]} to {half[-1]} are wrong."
                axis_name = f"the axis `{letter}`" if letter else _axis_without_letter(axis)
                is_wrong = f"wrong only {words} of {axis_name}"
                if right := ALL_BUT_ONE.get(words):
                    is_wrong = f"right {right} of {axis_name}, {WRONG_ELSEWHERE}"
                return f"{capitalized(owned(name))} {is_or_are(name)} {is_wrong}."
    return ""


def _limited(wrong_answer: WrongAnswer, compared: Sequence[Compared], sentence: str) -> str:
    """Limit a sentence that calls a part of a result wrong to the calls in which it is, if others are right."""
    if WRONG_ELSEWHERE not in sentence or len(compared) == len(wrong_answer.got):
        return sentence
    where = "In the calls that fail" if len(compared) == len(wrong_answer.wrong) else "In some calls"
    return f"{where}, {sentence[0].lower()}{sentence[1:]}"


def _axis_without_letter(axis: int) -> str:
    """Name an axis by its place from the end, a negative index."""
    return {-1: "the last axis", -2: "the axis before the last"}.get(axis, f"axis {axis}")


def _patterns(length: int) -> dict[str, range]:
    """Sets of indices along an axis of this length, with the words for them."""
    return {
        "at index 0": range(1),
        "at the last index": range(length - 1, length),
        "after index 0": range(1, length),
        "before the last index": range(length - 1),
        "at odd indices": range(1, length, 2),
        "at even indices": range(0, length, 2),
        "in the first half": range(length // 2),
        "in the second half": range(length // 2, length),
    }


# The index that is left out, for patterns that leave out one.
ALL_BUT_ONE = {"after index 0": "at index 0", "before the last index": "at the last index"}


def _marked_along(marks: Tensor, axis: int) -> list[int]:
    """The indices along an axis at which anything is marked."""
    others = [other for other in range(-marks.dim(), 0) if other != axis]
    along = marks.sum(others) > 0 if others else marks
    return [int(i) for i in along.nonzero().flatten()]


def _sums(name: str, compared: Sequence[Compared]) -> str:
    """Say that the right numbers add up to 1 along an axis, and the answer's do not: of one case, by chance perhaps."""
    axes = []
    if len(compared) < 2:
        return ""
    for each in compared:
        if not _same_shape_of_fractions(each):
            return ""
        sums_to_one = [axis for axis in range(-each.expected.dim(), 0) if _adds_up_to_one(each.expected, axis)]
        if not sums_to_one or any(_adds_up_to_one(each.got, axis) for axis in sums_to_one):
            return ""
        axes.append(sums_to_one[-1])
    totals = compared[0].got.sum(axes[0])
    along = "along the last axis" if set(axes) == {-1} else "along an axis"
    wrong = ~torch.isclose(totals, torch.ones_like(totals), rtol=1e-4)
    position = tuple(wrong.nonzero()[0].tolist())
    total = float(totals[position])
    what = {-1: "row", -2: "column"}.get(axes[0], "vector")
    what = f"{what} {position[0]} adds" if len(position) == 1 else f"the {what} at {position} adds"
    if totals.numel() == 1:
        what = "they add" if is_or_are(name) == "are" else "it adds"
    return f"{capitalized(owned(name))} should add up to 1 {along}. In the call below, {what} up to {total:.4g}."


def _same_shape_of_fractions(each: Compared) -> bool:
    both = (each.got, each.expected)
    return all(isinstance(x, Tensor) and x.is_floating_point() for x in both) and each.got.shape == each.expected.shape


def _adds_up_to_one(x: Tensor, axis: int) -> bool:
    return equal(x.sum(axis), torch.ones_like(x.sum(axis)))


def _size(name: str, compared: Sequence[Compared], source: str, is_everywhere: bool) -> str:
    """Say that a number is too large, or too small, in every case in which it is wrong, or in all calls."""
    numbers = [(_as_number(each.got), _as_number(each.expected)) for each in compared]
    if len(compared) < 2:
        return ""
    known = [(got, expected) for got, expected in numbers if got is not None and expected is not None]
    if len(known) < len(numbers):
        return ""
    if "count of" in name:
        counts = f"should be {known[0][1]:g}, but is {known[0][0]:g}"
        question = "is something left out" if known[0][0] < known[0][1] else "is something there that does not belong"
        return f"{capitalized(name)} {counts}: {question}, or used twice?"
    subject, verb = owned(name), is_or_are(name)
    it = "they" if verb == "are" else "it"
    begins = f"In all calls tried, {subject}" if is_everywhere else f"Wherever {subject} {verb} wrong, {it}"
    if all(got == 0 for got, _ in known):
        cut_off = re.search(r"//|\bint\(|\bround\(", source)
        cause = f" Does `{cut_off[0].rstrip('(')}` cut it off?" if cut_off else ""
        return f"{begins} {verb} 0.{cause}"
    if all(got > expected for got, expected in known):
        return f"{begins} {verb} too large."
    if all(got < expected for got, expected in known):
        return f"{begins} {verb} too small."
    return ""


def _as_number(value: Any) -> float | None:
    if isinstance(value, Tensor) and value.numel() == 1:
        return float(value)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


# The call.


def _shown_call(wrong_answer: WrongAnswer, case: Case, detail: str) -> str:
    """Show a call, its result and the right one, whole if both are short, or else their first difference.

    The result has a name where it is one of several, or not what the answer itself returns.
    """
    call = describe_call(wrong_answer.exercise, wrong_answer.answer, case.arguments)
    got, expected = wrong_answer.got[case].value, wrong_answer.expected[case].value
    returns = wrong_answer.exercise.returns
    if not isinstance(expected, tuple):
        got, expected = (got,), (expected,)
    if isinstance(got, tuple) and len(got) == len(expected):
        pairs = zip(returns, got, expected, strict=False)
        result, one, other = next(each for each in pairs if difference(each[1], each[2], [each[0]]))
        right, wrong = describe_value(other), describe_value(one)
        is_short = not right.startswith("of ") and not wrong.startswith("of ")
        if is_short and right != wrong and _are_of_one_type(one, other):
            if wrong_answer.exercise.adapt is call_directly and len(expected) == 1:
                return f"{call} should give `{right}`, not `{wrong}`."
            return f"For {call}, {result.definite} should be `{right}`, not `{wrong}`."
    return f"For {call}, {detail}"


def _are_of_one_type(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype
    return type(one) is type(other)
