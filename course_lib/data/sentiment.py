"""Sentences from film reviews, and tweets, with how positive people find them.

Fetch them once with ``fetch("sentiment")``. Twenty people rated each text from −4 to 4, and the files give the mean
(Hutto and Gilbert 2014). The film sentences are from Pang and Lee 2004. Notebook 12 learns to tell their two sides
apart.

The film sentences contain most of the Stanford Sentiment Treebank, so that is no honest test for a model which learned
from them. The tweets are: they are texts of another kind.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from course_lib.data.dividing import divide_at_random
from course_lib.data.fetching import path

CLASSES = ("negative", "positive")
"""What the labels 0 and 1 mean."""

CLEAR = 0.5
"""A text counts as positive above this rating, and as negative below its opposite; those between are left out."""


@dataclass(frozen=True)
class Rated:
    """A text and the mean of its ratings, from −4 to 4."""

    text: str
    rating: float

    @property
    def label(self) -> int:
        """Whether people find it positive (1) or negative (0)."""
        return int(self.rating > 0)

    @property
    def is_clear(self) -> bool:
        """Whether its rating is clearly on one side."""
        return abs(self.rating) > CLEAR


@dataclass(frozen=True)
class Split:
    """Texts to learn from, to choose settings by, and to measure with. No text is in two of them."""

    train: list[Rated]
    validation: list[Rated]
    test: list[Rated]


def films() -> list[Rated]:
    """Read the 10,605 film sentences, in the order of their file.

    10,043 of them are clear, and 4,982 of these are positive.

    Raises:
        DataMissing: the sentences are not on this computer yet.
        DataBroken: their file is damaged.
    """
    return _read("movieReviewSnippets_GroundTruth.txt")


def tweets() -> list[Rated]:
    """Read the 4,200 tweets, in the order of their file. 3,362 of them are clear, 2,300 of these positive.

    Raises as `films` does.
    """
    return _read("tweets_GroundTruth.txt")


def split(seed: int = 0, validation: int = 500, test: int = 1_000) -> Split:
    """Divide the clear film sentences at random, each different text once.

    For one seed, a larger test set contains a smaller one.

    Args:
        seed: what the order depends on.
        validation: how many sentences are for choosing settings.
        test: how many are for measuring.

    Raises:
        ValueError: nothing would be left to learn from, or a number is below 0.
        DataMissing, DataBroken: as `films` does.
    """
    clear = list({rated.text: rated for rated in films() if rated.is_clear}.values())
    return Split(*divide_at_random(clear, f"films/{seed}", validation, test, "sentences"))


def _read(name: str) -> list[Rated]:
    rows = (path("sentiment") / name).read_text(encoding="utf-8").splitlines()
    fields = (row.split("\t", 2) for row in rows)
    return [Rated(html.unescape(text).strip(), float(rating)) for _, rating, text in fields]
