"""Grimms' fairy tales in English: real text for language models.

Fetch them once with ``fetch("tales")``. Notebook 03 tokenises them, notebooks 06 and 09 train models on them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from course_lib.data.fetching import path


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
        DataBroken: their file is truncated.
    """
    with (path("tales") / "grimm-tales.tab").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row]
    # The first three lines are headings: names, types and flags.
    return [Tale(title, text, abstract, topic) for topic, title, abstract, text, _, _ in rows[3:]]


def text(tales: Iterable[Tale] | None = None) -> str:
    """Join the texts of some tales, or of all, with an empty line between them."""
    return "\n\n".join(tale.text for tale in (load() if tales is None else tales))


def split() -> TaleSplit:
    """Use every tenth tale for validation and the others for training.

    Raises:
        DataMissing: the tales are not on this computer yet.
        DataBroken: their file is truncated.
    """
    tales = load()
    validation = tales[9::10]
    return TaleSplit(train=[tale for tale in tales if tale not in validation], validation=validation)
