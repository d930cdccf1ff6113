"""Names in sentences: "your weights", "the counts are", "`return output, weights`", "where there is no mask"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from course_lib.exercises.cases import Result
from course_lib.text.wording import join_words


def owned(name: str) -> str:
    """The name of a result as the learner's: "the weights" as "your weights", unless it says "your" already.

    >>> owned("the weights"), owned("the count of your weights")
    ('your weights', 'the count of your weights')
    """
    if re.search(r"\byour?\b|^(what|which|how|whether)\b", name):
        return name
    return f"your {Result(name).definite.removeprefix('the ')}"


def is_or_are(name: str) -> str:
    """The verb that goes with a name.

    >>> is_or_are("the loss"), is_or_are("the gradients of your matrices"), is_or_are("the count of your weights")
    ('is', 'are', 'is')
    >>> is_or_are("no batch axis"), is_or_are("no axes")
    ('is', 'are')
    """
    noun = re.split(r" (?:(?:of|in|after|per|that)\b|\()", name)[0]
    return "are" if re.search(r"[^s]s$", noun) and not noun.endswith(("bias", "axis", "basis")) else "is"


def circumstance(words: str) -> str:
    """What a case has, as part of a sentence.

    >>> circumstance("a batch"), circumstance("in which a feature is 0")
    ('with a batch', 'in which a feature is 0')
    >>> circumstance("no past"), circumstance("no merges at all")
    ('where there is no past', 'where there are no merges at all')
    """
    if words.startswith("in which "):
        return words
    if not re.match(r"no |neither ", words):
        return f"with {words}"
    return f"where there {is_or_are(words.removesuffix(' at all'))} {words}"


def return_statement(results: Sequence[Result]) -> str:
    """How to return these results: as code if their names are Python's, otherwise in words.

    >>> return_statement([Result("output"), Result("weights")])
    '`return output, weights`'
    >>> return_statement([Result("the lowest share"), Result("the highest share")])
    'the lowest share and the highest share'
    """
    names = [each.name for each in results]
    if all(name.isidentifier() for name in names):
        return f"`return {', '.join(names)}`"
    return join_words(names)
