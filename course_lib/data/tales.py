"""Grimms' fairy tales in English: real text for language models.

Fetch them once with ``fetch("tales")``. Notebook 03 tokenises them, notebooks 06 and 09 train models on them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass

from course_lib.data.fetching import path

# The shortest stretch up to an end of a sentence, with the quotation mark that closes it, or what is left.
_SENTENCE = re.compile(r".+?[.!?]’?(?=\s|$)|.+$", re.DOTALL)


@dataclass(frozen=True)
class Tale:
    """One tale. ``topic`` is its class in the Aarne–Thompson–Uther index of folk tales, such as *Animal Tales*."""

    title: str
    text: str
    abstract: str
    topic: str


@dataclass(frozen=True)
class TaleSplit:
    """Whole tales for training, and other whole tales for validation."""

    train: list[Tale]
    validation: list[Tale]


def load() -> list[Tale]:
    """Read all 54 tales, in the order of their titles.

    Raises:
        DataMissing: the tales are not on this computer yet.
        DataBroken: their file is damaged.
    """
    with (path("tales") / "grimm-tales.tab").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row]
    # The first three lines are headings: names, types and flags.
    return [Tale(title, text, abstract, topic) for topic, title, abstract, text, _, _ in rows[3:]]


def text(tales: Iterable[Tale] | None = None) -> str:
    """Join the texts of some tales, or of all, with an empty line between them."""
    return "\n\n".join(tale.text for tale in (load() if tales is None else tales))


def sentences(tales: Iterable[Tale]) -> list[str]:
    """Split some tales into sentences, without the white space between them.

    >>> sentences([Tale("", "He slept. ‘Who is there?’ she asked.", "", "")])
    ['He slept.', '‘Who is there?’', 'she asked.']
    """
    return [sentence.strip() for tale in tales for sentence in _SENTENCE.findall(tale.text) if sentence.strip()]


def split() -> TaleSplit:
    """Use every tenth tale for validation and the others for training.

    Raises:
        DataMissing: the tales are not on this computer yet.
        DataBroken: their file is damaged.
    """
    tales = load()
    validation = tales[9::10]
    return TaleSplit(train=[tale for tale in tales if tale not in validation], validation=validation)
