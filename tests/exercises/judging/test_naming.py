"""The names of results read well in every sentence that uses them."""

import re

import pytest

from course_lib.exercises import all_exercises
from course_lib.exercises.cases import Result
from course_lib.exercises.judging.naming import is_or_are, owned, return_statement
from course_lib.text.wording import capitalized

RESULTS = {result.name: (exercise, result) for exercise in all_exercises() for result in exercise.returns}


@pytest.mark.parametrize("name", RESULTS)
def test_a_name_is_a_noun_phrase_that_fits_into_all_patterns(name: str):
    assert re.match(r"the \w|[a-z_]+$", name), "begin with an article, or be a name of Python's"
    assert not re.search(r"\b(what|which|how|whether|who|when|should|is|are)\b", name.split(" that ")[0])
    assert not name.endswith((",", ".", " "))
    for sentence in (
        f"In {owned(name)}, every number is too large by 1.",
        f"{capitalized(owned(name))} {is_or_are(name)} too small.",
        f"For `f(x)`, {name} should be `1`, not `2`.",
        f"The numbers of {name} are right.",
        f"There is NaN (not a number) in {name}, first at (0,).",
    ):
        assert not re.search(r"\b(the the|your the|your your|your what|,,)\b", sentence)
        assert sentence[0].isupper()


@pytest.mark.parametrize("name", RESULTS)
def test_the_verb_agrees_with_the_name(name: str):
    plural = {
        *("scores", "weights", "logits", "keys", "values", "labels", "inputs", "ids", "tokens", "parents", "totals"),
        *("norms", "probabilities", "gradients", "counts", "heads", "vectors", "merges", "links", "bytes", "rows"),
        *("bits", "means", "effects", "rates", "patches", "spans", "tags", "numbers", "batches", "scales"),
    }
    noun = re.split(r" (?:of|per|that|in|after)\b| \(", name)[0].split()[-1]
    assert is_or_are(name) == ("are" if noun in plural else "is")


def test_results_are_written_as_code_only_if_their_names_are_pythons():
    assert return_statement([Result("output"), Result("weights")]) == "`return output, weights`"
    assert return_statement([Result("the keys"), Result("values")]) == "the keys and values"


def test_a_name_that_says_your_is_not_owned_twice():
    assert owned("the count of your weights") == "the count of your weights"
    assert owned("the weights") == "your weights"
