"""Sixty sentences of the course's own making, and what counts as a right translation of each. Used in notebook 15.

They are for one question only: does a translator get an everyday sentence right that it has not seen? None of them, and
none of their twins (see `course_lib.data.translations.group`), is among the pairs of `translations.split().train`.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from course_lib.data.translations import plain

FILE = Path(__file__).with_name("everyday.toml")
_CHOICE = re.compile(r"\{([^{}]*)\}")

Verdict = Literal["right", "near", "wrong"]


@lru_cache(maxsize=1)
def load() -> Mapping[str, frozenset[str]]:
    """Read the English sentences and, for each, its right translations as `normal` writes them."""
    patterns: dict[str, list[str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        english: frozenset(normal(text) for pattern in several for text in spelled_out(pattern))
        for english, several in patterns.items()
    }


def spelled_out(pattern: str) -> list[str]:
    """Write out all texts that a pattern stands for.

    >>> spelled_out("{Ouvre|Ouvrez} la {vieille |}porte.")
    ['Ouvre la vieille porte.', 'Ouvre la porte.', 'Ouvrez la vieille porte.', 'Ouvrez la porte.']
    """
    parts = _CHOICE.split(pattern)  # fixed texts and choices, in turns
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def normal(french: str) -> str:
    """Reduce a French sentence to its words, in lower case and in one spelling.

    >>> normal("Qu'a dit ta sœur ?")
    'qu a dit ta soeur'
    """
    return plain(french).replace("œ", "oe")


def verdict(english: str, french: str) -> Verdict:
    """Judge a translation of one of the sentences: "right" if it is one of those in the file, "near" if it differs from
    one of them by a single word, otherwise "wrong".

    What is not in the file may be right too, so a person should look at what is not "right".

    Raises KeyError for another English sentence.

    >>> verdict("The soup is too salty.", "La soupe est trop salée !")
    'right'
    """
    correct, ours = load()[english], normal(french)
    if ours in correct:
        return "right"
    if any(words_apart(ours.split(), text.split()) <= 1 for text in correct):
        return "near"
    return "wrong"


def words_apart(one: list[str], other: list[str]) -> int:
    """Count the words that have to be added, left out or replaced to make one text of another (Levenshtein 1966).

    >>> words_apart("le chat dort".split(), "le petit chien dort".split())
    2
    """
    row = list(range(len(other) + 1))
    for i, word in enumerate(one, start=1):
        corner, row[0] = row[0], i
        for j, theirs in enumerate(other, start=1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (word != theirs))
    return row[-1]
