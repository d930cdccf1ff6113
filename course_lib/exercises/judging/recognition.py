"""Recognise known mistakes, alone or several at once, and changes to arguments, in the outcomes of a wrong answer.

A sentence is given only where it explains what it must. A known mistake is named if it gives what the answer gives in
every case in which it can be seen. Two at once are named if together they account for every wrong case.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cached_property
from typing import TYPE_CHECKING, Any

from torch import Tensor

from course_lib.exercises.cases import Case, Result
from course_lib.exercises.judging.calls import argument_names
from course_lib.exercises.judging.naming import circumstance, owned
from course_lib.exercises.judging.outcomes import Outcome, difference, wrong_elements
from course_lib.exercises.judging.relations import (
    Compared,
    Sizes,
    are_ordinary,
    find_elementary_relation,
    find_relation,
    has_equal_numbers,
    is_single_number,
    order_of_results,
)
from course_lib.exercises.judging.variants import Variant, variants
from course_lib.exercises.mistakes import Mistake, combined

if TYPE_CHECKING:
    from course_lib.exercises.exercise import Exercise

MORE_IS_WRONG = "That may not be all: fix this first, then run the cell again."
BEHAVES = "Your code behaves as if"
TWO_MISTAKES = "There are two mistakes. Each is described as if it were the only one. First: {}"
SECONDS_TO_SEARCH = 0.2  # of computing time, for all explanations that take many calls
NEARNESS = 0.01  # of what a mistake makes wrong
RESULTS_TO_BE_SURE = 4  # so many different results, if not all are explained, are no coincidence

Outcomes = Mapping[Case, Outcome]


@dataclass
class Findings:
    """What was recognised in a wrong answer: known mistakes, sentences, and whether they explain all wrong cases."""

    mistakes: list[Mistake] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    is_complete: bool = False


class Seen(Enum):
    """How an answer compares with a known mistake in a case in which the mistake can be seen."""

    ALIKE = auto()
    DIFFERENT = auto()
    UNDEFINED = auto()  # the mistake gives NaN or infinity where the answer gives numbers; the rest is alike
    NEARLY = auto()  # the answer is much nearer to the mistake than to the right result, as after other rounding
    BOTH_FAIL = auto()
    ONE_FAILS = auto()


@dataclass
class WrongAnswer:
    """A wrong answer, its outcome in each case that was tried, the expected one, and the cases in which they differ."""

    exercise: Exercise
    answer: Any
    got: Outcomes
    expected: Outcomes
    wrong: frozenset[Case]
    outcome_of: Callable[[Any, Case], Outcome]  # of a known mistake's implementation, in a case
    remembered: dict[tuple[Mistake, Case], Seen | None] = field(default_factory=dict)  # what `seen_in` has found

    @cached_property
    def comparable(self) -> list[Case]:
        """The wrong cases that do not end in an error, in their order."""
        return [case for case in self.got if case in self.wrong and self.got[case].error is None]

    @cached_property
    def right(self) -> list[Case]:
        """The cases in which the answer is right, in their order."""
        return [case for case in self.got if case not in self.wrong]

    @cached_property
    def written(self) -> dict[Case, str]:
        """The result in each case as text, to tell different results apart."""
        return {case: _as_text(self.got[case].value) for case in self.comparable}

    @cached_property
    def decisive_first(self) -> list[Case]:
        """All cases: first the wrong ones that do not end in an error, where most mistakes are ruled out."""
        failing = [case for case in self.got if self.got[case].error is not None]
        return [*self.comparable, *self.right, *failing]

    def seen_in(self, mistake: Mistake, case: Case) -> Seen | None:
        """How the answer compares with a known mistake in a case; None if the mistake cannot be seen there."""
        if (mistake, case) not in self.remembered:
            self.remembered[mistake, case] = self._compare_with(mistake, case)
        return self.remembered[mistake, case]

    def _compare_with(self, mistake: Mistake, case: Case) -> Seen | None:
        outcome = self.outcome_of(mistake.implementation, case)
        # An answer that is right only to float32 precision counts as right, and so does a mistake beside it.
        if outcome.matches(self.expected[case], self.exercise.returns, exact=case in self.wrong):
            return None
        if outcome.error is None and self.got[case].error is None:
            if self.agrees(case, outcome):
                return Seen.ALIKE
            if case in self.wrong and _agree_where_finite(self.got[case].value, outcome.value):
                return Seen.UNDEFINED
            is_near = _is_much_nearer(self.got[case].value, outcome.value, self.expected[case].value)
            return Seen.NEARLY if case in self.wrong and is_near else Seen.DIFFERENT
        both_fail = outcome.error is not None and self.got[case].error is not None
        return Seen.BOTH_FAIL if both_fail else Seen.ONE_FAILS

    def agrees(self, case: Case, outcome: Outcome) -> bool:
        """Whether the answer has this outcome in a case, to float32 precision."""
        return self.got[case].error is None and self.got[case].matches(outcome, self.exercise.returns, exact=False)


def _agree_where_finite(got: Any, known: Any) -> bool:
    """Whether a mistake's result is NaN or infinite where an answer's is finite, and all the rest is the same."""
    got = got if isinstance(got, (tuple, list)) else (got,)
    known = known if isinstance(known, (tuple, list)) else (known,)
    if len(got) != len(known) or not all(isinstance(x, Tensor) for x in (*got, *known)):
        return False
    for x, y in zip(got, known, strict=True):
        if x.shape != y.shape or x.is_complex() or y.is_complex():
            return False
        if bool((wrong_elements(x, y, exact=False) & (y.isfinite() | ~x.isfinite())).any()):
            return False
    return True


def _is_much_nearer(got: Any, known: Any, expected: Any) -> bool:
    """Whether a result differs from a known mistake's by at most a hundredth of what the mistake makes wrong.

    Such differences come from rounding, where it shows more than elsewhere: in the sine of a large angle, for instance.
    """
    values = [
        each[0] if isinstance(each, (tuple, list)) and len(each) == 1 else each for each in (got, known, expected)
    ]
    if not all(_is_tensor_of_fractions(each) for each in values) or len({each.shape for each in values}) > 1:
        return False
    yours, mistaken, right = (each.double() for each in values)
    return yours.numel() > 0 and bool((yours - mistaken).abs().max() <= NEARNESS * (mistaken - right).abs().max())


def _as_text(value: Any) -> str:
    """Write a result, with numbers of four places. For tensors this is much faster than their `repr`."""
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_as_text, value))})"
    if isinstance(value, Tensor) and not value.is_complex():
        return f"{tuple(value.shape)} {value.double().round(decimals=4).tolist()}"
    return repr(value)


@dataclass(frozen=True)
class Fit:
    """How a known mistake fits an answer: the cases in which it can be seen, and those in which it explains it."""

    mistake: Mistake
    visible: frozenset[Case]
    explained: frozenset[Case]
    evidence: frozenset[Case]


def recognise(wrong_answer: WrongAnswer) -> Findings:
    """Find what explains a wrong answer: first what explains all of it, then what explains a part.

    Known mistakes are tried case by case, until a case rules them out. The searches for explanations that take more
    calls than that have `SECONDS_TO_SEARCH` together.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what mistakes warn of is not the learner's
        return _recognise(wrong_answer)


def _recognise(wrong_answer: WrongAnswer) -> Findings:
    fits = [fit for mistake in wrong_answer.exercise.mistakes if (fit := _fit(wrong_answer, mistake))]
    if found := _one_mistake(wrong_answer, fits):
        return found
    found = _several_mistakes(wrong_answer, fits)
    if found is None and len(set(wrong_answer.written.values())) > 1:
        deadline = time.thread_time() + SECONDS_TO_SEARCH
        searches = (search(wrong_answer, deadline) for search in SEARCHES)
        found = next(filter(None, searches), None)
    if found is None or not found.is_complete:
        partly = _partly(wrong_answer, fits)
        found = partly if partly.sentences or found is None else found
    return found


def _fit(wrong_answer: WrongAnswer, mistake: Mistake) -> Fit | None:
    """How a known mistake fits, or None if the answer does not contain it.

    In a case in which either ends in an error, or the mistake in NaN, they cannot be compared, but the answer has to be
    wrong there.
    """
    seen: dict[Case, Seen] = {}
    for case in wrong_answer.decisive_first:
        if how := wrong_answer.seen_in(mistake, case):
            if how is Seen.DIFFERENT or case not in wrong_answer.wrong:
                return None
            seen[case] = how
    if not seen:
        return None
    visible = frozenset(seen)
    evidence = frozenset(case for case, how in seen.items() if how is Seen.ALIKE)
    alike = frozenset(case for case, how in seen.items() if how is Seen.BOTH_FAIL)
    return Fit(mistake, visible, evidence | alike, evidence)


def _one_mistake(wrong_answer: WrongAnswer, fits: Sequence[Fit]) -> Findings | None:
    """The known mistake that explains every wrong case; where the answer ends in an error, it need not."""
    comparable = set(wrong_answer.comparable)
    fitting = [
        fit
        for fit in fits
        if comparable <= fit.evidence and (_is_evident(wrong_answer, fit) or _accounts_for_all(wrong_answer, fit))
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda fit: len(fit.explained))
    return Findings([best.mistake], _sentences_on(wrong_answer, best), is_complete=True)


def _sentences_on(wrong_answer: WrongAnswer, fit: Fit) -> list[str]:
    """Name a mistake, and say that more may be wrong if there are wrong cases in which it cannot be seen.

    What the message says first of what is right is left out where an answer also fails in other ways.
    """
    unexplained = wrong_answer.wrong - fit.explained
    if not unexplained <= fit.visible:
        return [fit.mistake.without_praise, MORE_IS_WRONG]
    # Where the two cannot be compared, the mistake may be all that is wrong.
    fails = any(wrong_answer.got[case].error is not None for case in unexplained)
    return [fit.mistake.without_praise if fails else fit.mistake.message]


def _accounts_for_all(wrong_answer: WrongAnswer, fit: Fit) -> bool:
    """Whether a mistake explains every wrong case, errors with their words included.

    If it explains several results, and no other is wrong, the answer may also fail where the mistake cannot be seen.
    """
    errors = fit.explained - fit.evidence
    explains_all = fit.explained == wrong_answer.wrong or len(fit.evidence) == len(wrong_answer.comparable) > 1
    return explains_all and all(_has_same_words(wrong_answer, fit, case) for case in errors)


def _has_same_words(wrong_answer: WrongAnswer, fit: Fit, case: Case) -> bool:
    """Whether answer and mistake end in the same error with the same words."""
    known = wrong_answer.outcome_of(fit.mistake.implementation, case).error
    return str(known) == str(wrong_answer.got[case].error)


def _is_evident(wrong_answer: WrongAnswer, fit: Fit) -> bool:
    """Whether the agreement can hardly be a coincidence: different results, of fractions or in half of the cases."""
    results = {wrong_answer.written[case] for case in fit.evidence}
    is_in_half = 2 * len(fit.explained) >= len(fit.visible)
    return len(results) > 1 and (is_in_half or _hold_fractions(wrong_answer, fit.evidence))


def _several_mistakes(wrong_answer: WrongAnswer, fits: Sequence[Fit]) -> Findings | None:
    """Two known mistakes that show in different cases, and together account for every wrong one."""
    for one, other in itertools.combinations(fits, 2):
        show_in_different_cases = other.evidence - one.evidence and one.evidence - other.evidence
        explain_all = set(wrong_answer.comparable) <= one.evidence | other.evidence
        if show_in_different_cases and explain_all and _is_evident(wrong_answer, one):
            return _both(one.mistake, other.mistake)
    return None


def _both(one: Mistake, other: Mistake) -> Findings:
    return Findings([one, other], [TWO_MISTAKES.format(one.without_praise), f"Second: {other.without_praise}"], True)


def _changed_arguments(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:
    """A change to the arguments with which the reference gives what the answer gives."""
    function = wrong_answer.exercise.adapt(wrong_answer.exercise.reference)
    for variant in _variants(wrong_answer):
        if time.thread_time() > deadline:
            return None
        if _explains_all(wrong_answer, function, variant.change):
            return Findings([], [f"{BEHAVES} {variant.words}."], True)
    return None


def _combined_mistakes(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:
    """Two known mistakes in one implementation, where both can be made at once."""
    exercise, first = wrong_answer.exercise, wrong_answer.comparable[0]
    for one, other in itertools.combinations(exercise.mistakes, 2):
        if time.thread_time() > deadline:
            return None
        if not (wrong_answer.seen_in(one, first) or wrong_answer.seen_in(other, first)):
            continue
        implementation = combined(exercise.reference, one, other)
        if implementation is None or not _explains_all(wrong_answer, exercise.adapt(implementation)):
            continue
        if _is_seen_where_right(wrong_answer, one) or _is_seen_where_right(wrong_answer, other):
            continue
        if not any(_explains_all(wrong_answer, exercise.adapt(each.implementation)) for each in (one, other)):
            return _both(one, other)
    return None


def _is_seen_where_right(wrong_answer: WrongAnswer, mistake: Mistake) -> bool:
    """Whether a known mistake alone gives a wrong result in a case in which the answer is right.

    Where both of two mistakes explain an answer, one of them undoes the other there. Each of them is then described
    as what it is not: "your ids are one too high" is not true of ids that are right.
    """
    return any(wrong_answer.seen_in(mistake, case) for case in wrong_answer.right)


def _related_result(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:  # noqa: ARG001
    """A simple relation between the results and the right ones, if it explains every difference."""
    differing = differing_results(wrong_answer)
    is_whole = len(differing) == 1 or len(wrong_answer.exercise.returns) == 1
    sentence = relation_of_one_result(wrong_answer) if is_whole else _order_of_results(wrong_answer)
    return Findings([], [sentence], is_complete=True) if sentence else None


def relation_of_one_result(wrong_answer: WrongAnswer) -> str:
    """A sentence on the first of the results that are related to the right ones in all wrong cases; or ""."""
    if simple := _order_of_results(wrong_answer) or _only_what_is_hidden(wrong_answer):
        return simple
    differing = differing_results(wrong_answer)
    # A relation of a count says little: that it is wrong, and by how much, is said in other words.
    named = {each: compared for each, compared in differing.items() if "count of" not in each.name}
    is_only_one = len(wrong_answer.exercise.returns) == 1
    sentences = (find_relation(result.name, each, is_only_one) for result, each in (named or differing).items())
    return next(filter(None, sentences), "")


def _only_what_is_hidden(wrong_answer: WrongAnswer) -> str:
    """Say that the results differ only at positions that the mask hides, if that holds in every wrong case."""
    cases = wrong_answer.comparable
    if any(case.mask is None for case in cases):
        return ""
    if all(
        _differs_only_where_hidden(case.mask, wrong_answer.got[case].value, wrong_answer.expected[case].value)
        for case in cases
        if case.mask is not None
    ):
        return "Everything is right except at the positions that the mask hides."
    return ""


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


def _order_of_results(wrong_answer: WrongAnswer) -> str:
    """A sentence on results in another order, or ""."""
    cases, names = wrong_answer.comparable, [each.name for each in wrong_answer.exercise.returns]
    expected = [wrong_answer.expected[case].value for case in cases]
    if len(names) < 2 or not cases or not isinstance(expected[0], tuple):
        return ""
    return order_of_results([wrong_answer.got[case].value for case in cases], expected, names)


def differing_results(wrong_answer: WrongAnswer) -> dict[Result, list[Compared]]:
    """The results that differ, each beside the right one in all cases without an error in which it differs."""
    returns = wrong_answer.exercise.returns
    are_several = all(isinstance(each.value, tuple) for each in wrong_answer.expected.values())
    indices: list[int | None] = list(range(len(returns))) if are_several else [None]
    compared = {result: _compared(wrong_answer, i) for result, i in zip(returns, indices, strict=False)}
    return {result: each for result, each in compared.items() if each}


def _compared(wrong_answer: WrongAnswer, index: int | None) -> list[Compared]:
    """One result in each case in which it differs, beside the right one. The index is that among several results."""
    compared = []
    for case in wrong_answer.comparable:
        got, expected = wrong_answer.got[case].value, wrong_answer.expected[case].value
        if index is not None:
            if not isinstance(got, (tuple, list)) or index >= len(got):
                return []
            got, expected = got[index], expected[index]
        if not are_ordinary(got, expected):
            return []
        if difference(got, expected, wrong_answer.exercise.returns[index or 0 :]):
            names = argument_names(wrong_answer.exercise, wrong_answer.answer, case.arguments)
            arguments = dict(zip(names, case.arguments, strict=True))
            compared.append(Compared(got, expected, arguments, _sizes(arguments)))
    return compared


def _sizes(arguments: Mapping[str, Any]) -> Sizes:
    """The numbers in a call: arguments that are numbers, and the lengths of the axes of tensors and of lists."""
    sizes: Sizes = {}
    for name, value in arguments.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            sizes[name] = float(value)
        elif isinstance(value, Tensor) and value.dim() > 0:
            sizes |= {f"{name}.size(-{axis})": float(value.size(-axis)) for axis in range(1, value.dim() + 1)}
            sizes[f"{name}.numel()"] = float(value.numel())
        elif isinstance(value, (list, tuple, dict, str)):
            sizes[f"len({name})"] = float(len(value))
    return sizes


def _mistake_and_change(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:
    """A known mistake together with a change to the arguments, if neither explains everything without the other.

    Each of the two can give many results, and so can many pairs. So one of them has to be seen alone in a wrong case.
    Not for single numbers: a count may agree with another one that has to do with it only by arithmetic.
    """
    exercise = wrong_answer.exercise
    if all(is_single_number(wrong_answer.got[case].value) for case in wrong_answer.comparable):
        return None
    candidates = [
        (mistake, exercise.adapt(mistake.implementation))
        for mistake in exercise.mistakes
        if any(wrong_answer.seen_in(mistake, case) is not Seen.ALIKE for case in wrong_answer.comparable)
    ]
    # With its axes exchanged, an argument is not what the mistake's sentence says of rows and columns; and where it is
    # replaced by nothing but zeros, so little is left that other mistakes would give the same.
    changes = [each for each in _variants(wrong_answer) if not (each.exchanges_axes or each.leaves_nothing)]
    for variant in changes:
        for mistake, function in candidates:
            if time.thread_time() > deadline:
                return None
            if not _explains_all(wrong_answer, function, variant.change):
                continue
            one_undoes_the_other = _is_seen_where_right(wrong_answer, mistake) or _shows_where_right(
                wrong_answer, variant
            )
            if not one_undoes_the_other and _one_is_seen_alone(wrong_answer, mistake, variant):
                first = TWO_MISTAKES.format(mistake.without_praise)
                return Findings([mistake], [first, f"Second: {BEHAVES} {variant.words}."], True)
    return None


def _shows_where_right(wrong_answer: WrongAnswer, variant: Variant) -> bool:
    """Whether a change to the arguments alone gives a wrong result in a case in which the answer is right."""
    reference = wrong_answer.exercise.adapt(wrong_answer.exercise.reference)
    for case in wrong_answer.right:
        outcome = _called(reference, _changed(variant.change, case.arguments) or case.arguments)
        if outcome is None or not wrong_answer.agrees(case, outcome):
            return True
    return False


def _one_is_seen_alone(wrong_answer: WrongAnswer, mistake: Mistake, variant: Variant) -> bool:
    """Whether a mistake, or a change to the arguments, alone gives what the answer gives in a wrong case."""
    reference = wrong_answer.exercise.adapt(wrong_answer.exercise.reference)
    for case in wrong_answer.comparable:
        if wrong_answer.seen_in(mistake, case) is Seen.ALIKE:
            return True
        outcome = _called(reference, _changed(variant.change, case.arguments) or case.arguments)
        if outcome is not None and wrong_answer.agrees(case, outcome):
            return True
    return False


def _mistakes_in_different_results(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:
    """Two known mistakes that show in different ones of several results, and together explain all that are wrong.

    One may be that the biases are missing, whose count is a result beside the output.
    """
    exercise, cases = wrong_answer.exercise, wrong_answer.comparable
    count = len(exercise.returns)
    values = [wrong_answer.got[case].value for case in cases]
    if count < 2 or not all(isinstance(each, (tuple, list)) and len(each) == count for each in values):
        return None

    def differing(some: Any, others: Any) -> set[int]:
        indices = range(count)
        return {i for i in indices if difference(some[i], others[i], exercise.returns[i : i + 1], exact=False)}

    wrong = set().union(*(differing(wrong_answer.got[case].value, wrong_answer.expected[case].value) for case in cases))
    found: list[tuple[Mistake, set[int]]] = []
    for mistake in exercise.mistakes if len(wrong) > 1 else ():
        if time.thread_time() > deadline:
            return None
        shows: set[int] = set()
        for case in cases:
            outcome = wrong_answer.outcome_of(mistake.implementation, case)
            if outcome.error is not None or not isinstance(outcome.value, tuple) or len(outcome.value) != count:
                break
            shown = differing(outcome.value, wrong_answer.expected[case].value)
            if shown & differing(wrong_answer.got[case].value, outcome.value):
                break
            shows |= shown
        else:
            if shows and not _is_seen_where_right(wrong_answer, mistake):
                found.append((mistake, shows))
    for (one, in_one), (other, in_other) in itertools.combinations(found, 2):
        if not in_one & in_other and in_one | in_other == wrong:
            return _both(one, other)
    return None


def _mistake_and_relation(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:
    """A known mistake after which one thing more is wrong, such as a sign or a factor, if both explain everything.

    For a single result, if `RESULTS_TO_BE_SURE` different ones are wrong, of which the mistake shows in most.
    """
    exercise, cases = wrong_answer.exercise, wrong_answer.comparable
    if len(exercise.returns) > 1 or len(set(wrong_answer.written.values())) < RESULTS_TO_BE_SURE:
        return None
    pairs = [[_only_one(each[case].value) for each in (wrong_answer.got, wrong_answer.expected)] for case in cases]
    if all(has_equal_numbers(got, expected) for got, expected in pairs):
        return None  # what would be wrong after the mistake only undoes it
    for mistake in exercise.mistakes:
        if time.thread_time() > deadline:
            return None
        # A first look at few cases rules out most.
        for some in (cases[:2], cases):
            clause = _relation_to_mistake(wrong_answer, mistake, some)
            if not clause:
                break
        if not clause or _is_seen_where_right(wrong_answer, mistake):
            continue
        visible = {wrong_answer.written[case] for case in cases if wrong_answer.seen_in(mistake, case)}
        if len(visible) < RESULTS_TO_BE_SURE - 1:
            continue
        second = f"Second: Once the first is corrected, in {owned(exercise.returns[0].name)} {clause}."
        return Findings([mistake], [TWO_MISTAKES.format(mistake.without_praise), second], True)
    return None


def _relation_to_mistake(wrong_answer: WrongAnswer, mistake: Mistake, cases: Sequence[Case]) -> str:
    """How the answer's results differ from those of a known mistake in all these cases; or ""."""
    compared = []
    for case in cases:
        outcome = wrong_answer.outcome_of(mistake.implementation, case)
        if outcome.error is not None:
            return ""
        got, known = (_only_one(each.value) for each in (wrong_answer.got[case], outcome))
        if not are_ordinary(got, known):
            return ""
        names = argument_names(wrong_answer.exercise, wrong_answer.answer, case.arguments)
        # A single number may agree with a product of sizes by chance.
        sizes = {} if is_single_number(got) else _sizes(dict(zip(names, case.arguments, strict=True)))
        compared.append(Compared(got, known, {}, sizes))
    return find_elementary_relation(compared)


def _only_one(value: Any) -> Any:
    """The only one of several results, or the result."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def _mostly_changed_arguments(wrong_answer: WrongAnswer, deadline: float) -> Findings | None:
    """A change to the arguments that explains at least three quarters of the wrong cases, with four results or more."""
    function = wrong_answer.exercise.adapt(wrong_answer.exercise.reference)
    comparable = wrong_answer.comparable
    for variant in _variants(wrong_answer):
        if time.thread_time() > deadline:
            return None
        missed = _unexplained(wrong_answer, function, variant.change, at_most=len(comparable) // 4)
        if missed is None:
            continue
        explained = [case for case in comparable if case not in missed]
        if len({wrong_answer.written[case] for case in explained}) >= RESULTS_TO_BE_SURE:
            share = f"In {len(explained)} of the {len(wrong_answer.wrong)} wrong cases"
            return Findings([], [f"{share} your code behaves as if {variant.words}."])
    return None


SEARCHES = (
    _mistakes_in_different_results,  # the quickest
    _changed_arguments,
    _related_result,
    _combined_mistakes,
    _mistake_and_relation,
    _mistake_and_change,
    _mostly_changed_arguments,
)


def _variants(wrong_answer: WrongAnswer) -> Iterator[Variant]:
    exercise = wrong_answer.exercise
    longest = max((case.arguments for case in exercise.every_case), key=len)
    return variants(exercise, argument_names(exercise, wrong_answer.answer, longest))


def _explains_all(
    wrong_answer: WrongAnswer,
    function: Callable[..., Any],
    change: Callable[[tuple[Any, ...]], tuple[Any, ...] | None] = lambda arguments: arguments,
) -> bool:
    """Whether a function, called with changed arguments, gives what the answer gives in every case without an error."""
    return _unexplained(wrong_answer, function, change, at_most=0) == []


def _unexplained(
    wrong_answer: WrongAnswer,
    function: Callable[..., Any],
    change: Callable[[tuple[Any, ...]], tuple[Any, ...] | None],
    at_most: int,
) -> list[Case] | None:
    """The wrong cases in which a function, called with changed arguments, does not give what the answer gives.

    None if there are more than `at_most` of them, or if it differs from the answer in a case that is right.
    """
    missed: list[Case] = []
    for case in (*wrong_answer.comparable, *wrong_answer.right):
        outcome = _called(function, _changed(change, case.arguments) or case.arguments)
        if outcome is None or not wrong_answer.agrees(case, outcome):
            missed.append(case)
            if len(missed) > at_most or case not in wrong_answer.wrong:
                return None
    return missed


def _called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome | None:
    """The outcome of the reference or a known mistake with changed arguments; None if they do not fit."""
    copies = [argument if callable(argument) else deepcopy(argument) for argument in arguments]
    try:
        return Outcome(function(*copies))
    except Exception:
        return None


def _changed(
    change: Callable[[tuple[Any, ...]], tuple[Any, ...] | None], arguments: tuple[Any, ...]
) -> tuple[Any, ...] | None:
    """The changed arguments, or None where nothing changes, or where the change is not possible."""
    try:
        return change(arguments)
    except (TypeError, ValueError, RuntimeError, IndexError, ArithmeticError):
        return None


def _partly(wrong_answer: WrongAnswer, fits: Sequence[Fit]) -> Findings:
    """The known mistake that the answer contains beside something else, if there is a single one."""
    evident = [fit for fit in fits if _is_evident(wrong_answer, fit) and _are_rich(wrong_answer, fit.evidence)]
    most = max((len(fit.evidence) for fit in evident), default=0)
    best = [fit for fit in evident if len(fit.evidence) == most]
    if len({fit.mistake.message for fit in best}) == 1:
        return Findings([best[0].mistake], _sentences_on(wrong_answer, best[0]))
    return _except_with_one_property(wrong_answer) or _in_most_cases(wrong_answer) or Findings()


def _are_rich(wrong_answer: WrongAnswer, cases: frozenset[Case]) -> bool:
    """Whether results in these cases can hardly be equal by chance: three cases, or two with tensors of fractions.

    Single fractions, such as 2/3, are often equal by chance.
    """
    are_single = all(is_single_number(wrong_answer.got[case].value) for case in cases)
    return len(cases) >= (2 if _hold_fractions(wrong_answer, cases) and not are_single else 3)


def _hold_fractions(wrong_answer: WrongAnswer, cases: frozenset[Case]) -> bool:
    """Whether the first result in each of these cases is a fraction, or a tensor of fractions without NaN."""
    values = [wrong_answer.got[case].value for case in cases]
    first = [value[0] if isinstance(value, (tuple, list)) and value else value for value in values]
    return all(isinstance(each, float) or _is_tensor_of_fractions(each) for each in first)


def _is_tensor_of_fractions(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and bool(value.isfinite().all())


def _in_most_cases(wrong_answer: WrongAnswer) -> Findings | None:
    """The known mistake that explains at least two thirds of the cases in which it can be seen, if there is one.

    It has to explain more than half of the wrong cases: fewer may be explained by chance.
    """
    found = []
    for mistake in wrong_answer.exercise.mistakes:
        alike = _cases_alike_in_most(wrong_answer, mistake)
        are_enough = 2 * len(alike) > len(wrong_answer.wrong)
        if are_enough and len({wrong_answer.written[case] for case in alike}) >= RESULTS_TO_BE_SURE:
            found.append((mistake, len(alike)))
    if len(found) != 1:
        return None
    mistake, count = found[0]
    # Elsewhere the answer gives something else, so that its code need not be what the message says.
    like = f"In {count} of the {len(wrong_answer.wrong)} wrong cases, your result is that of this mistake:"
    return Findings([mistake], [f"{like} {mistake.without_praise}"])


def _cases_alike_in_most(wrong_answer: WrongAnswer, mistake: Mistake) -> list[Case]:
    """The cases that a known mistake explains; none if it shows where the answer is right, or in too many others."""
    alike: list[Case] = []
    others = 0
    for case in wrong_answer.decisive_first:
        if (how := wrong_answer.seen_in(mistake, case)) in (None, Seen.UNDEFINED, Seen.NEARLY):
            continue
        if how is Seen.ALIKE:
            alike.append(case)
        else:
            others += 1
        if case not in wrong_answer.wrong or 3 * others > len(wrong_answer.got):
            return []
    return alike if len(alike) >= 2 * others else []


def _except_with_one_property(wrong_answer: WrongAnswer) -> Findings | None:
    """The known mistake that explains all wrong cases but those with one property, such as a mask."""
    got, wrong, seen = wrong_answer.got, wrong_answer.wrong, wrong_answer.remembered
    for words in dict.fromkeys(words for case in got for words in case.having):
        kept = {case: outcome for case, outcome in got.items() if words not in case.having}
        without = replace(wrong_answer, got=kept, wrong=wrong & kept.keys(), remembered=seen)
        if without.wrong == wrong or len(set(without.written.values())) < RESULTS_TO_BE_SURE:
            continue
        fits = [fit for mistake in wrong_answer.exercise.mistakes if (fit := _fit(without, mistake))]
        if found := _one_mistake(without, fits):
            others = {wrong_answer.seen_in(found.mistakes[0], case) for case in wrong - without.wrong}
            is_certain = others <= {None, Seen.DIFFERENT}
            remark = [f"That explains every wrong case but those {circumstance(words)}."] if is_certain else []
            if not is_certain and Seen.DIFFERENT in others:
                remark = [MORE_IS_WRONG]
            mistake = found.mistakes[0]
            also_fails = Seen.ONE_FAILS in others
            message = mistake.without_praise if remark or also_fails else mistake.message
            return Findings([mistake], [message, *remark])
    return None
