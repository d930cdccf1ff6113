"""Postings to 20 newsgroups: which group is a text from?

Fetch them once with ``fetch("topics")``. The texts were prepared by A. Cardoso-Cachopo: lower-case letters only, no
punctuation, no numbers. Notebook 12 shows that their words alone tell the groups apart.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

from course_lib.data.fetching import path


@dataclass(frozen=True)
class Posting:
    """A text, and the newsgroup that it was sent to, such as *rec.autos*."""

    text: str
    topic: str


@dataclass(frozen=True)
class Split:
    """Texts to learn from, and texts to measure with, which are not among them."""

    train: list[Posting]
    test: list[Posting]


def load() -> Split:
    """Read 11,293 texts for training and 7,521 of the 7,528 for the test, in the order of their topics.

    The postings of the test were sent later. Those that are word for word in the training set are left out.

    Raises:
        DataMissing: the postings are not on this computer yet.
        DataBroken: one of their files is damaged.
    """
    train = _read("20newsgroups-train.tab")
    known = {posting.text for posting in train}
    return Split(train, [posting for posting in _read("20newsgroups-test.tab") if posting.text not in known])


def names(postings: list[Posting]) -> list[str]:
    """Name the topics of some postings in the order of the alphabet, each once: there are 20."""
    return sorted({posting.topic for posting in postings})


def _read(name: str) -> list[Posting]:
    with (path("topics") / name).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row]
    # The first three lines are headings: names, types and flags.
    return [Posting(text, topic) for topic, text in rows[3:]]
