"""Sentences of Wikipedia in which people marked the names: of persons, places, organisations and other things.

Fetch them once with ``fetch("entities")``. This is Wikigold (D. Balasuriya, N. Ringland, J. Nothman, T. Murphy and
J. R. Curran 2009, "Named Entity Recognition in Wikipedia", Proceedings of the 2009 Workshop on the People's Web Meets
NLP), as J. Rodriguez's collection of corpora ships it, under the licence CC BY 4.0. Notebook 13 learns to find the
names.

The file has one word per line with a tag beside it: ``I-PER`` for a word of a person's name, ``O`` for a word outside
all names. Tags of this kind cannot say where one name ends if the next word begins another name of the same kind, so
two such names count as one here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from course_lib.data.dividing import divide_at_random
from course_lib.data.fetching import path

KINDS = ("PER", "LOC", "ORG", "MISC")
"""The kinds of names: persons, places (locations), organisations, and all others, such as works and peoples."""

BOUNDARY = "-DOCSTART-"


@dataclass(frozen=True)
class TaggedSentence:
    """The words of a sentence, and a tag for each: ``B-PER`` where a person's name begins, ``I-PER`` within, or ``O``.

    Raises ValueError where there is not one tag for each word.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.words) != len(self.tags):
            raise ValueError(f"each word needs a tag, but there are {len(self.words)} words and {len(self.tags)} tags")


@dataclass(frozen=True)
class Split:
    """Sentences to learn from, to choose settings by, and to measure with."""

    train: list[TaggedSentence]
    validation: list[TaggedSentence]
    test: list[TaggedSentence]


def begin_and_inside(tags: Sequence[str]) -> tuple[str, ...]:
    """Turn tags that only say inside or outside into tags that also say where a name begins (IOB1 to BIO).

    A tag ``I-PER`` after anything but another tag of the same kind becomes ``B-PER``. All other tags stay.

    Ramshaw and Marcus 1995, "Text Chunking using Transformation-Based Learning", section 4.2.

    >>> begin_and_inside(["O", "I-PER", "I-PER", "I-LOC", "B-LOC"])
    ('O', 'B-PER', 'I-PER', 'B-LOC', 'B-LOC')
    """
    begins = (
        tag[:2] == "I-" and (before == "O" or before[2:] != tag[2:])
        for before, tag in zip(["O", *tags], tags, strict=False)
    )
    return tuple(f"B-{tag[2:]}" if begin else tag for begin, tag in zip(begins, tags, strict=True))


def documents() -> list[list[TaggedSentence]]:
    """Read the sentences of all 145 documents, in the order of the file.

    Raises:
        DataMissing: the sentences are not on this computer yet.
        DataBroken: their file is damaged.
    """
    text = (path("entities") / "wikigold.conll.txt").read_text(encoding="utf-8")
    found: list[list[TaggedSentence]] = [[]]
    for block in text.strip().split("\n\n"):
        rows = [line.split(" ") for line in block.split("\n")]
        if rows[0][0] == BOUNDARY:
            found.append([])
            continue
        words, tags = zip(*rows, strict=True)
        found[-1].append(TaggedSentence(words, begin_and_inside(tags)))
    return [sentences for sentences in found if sentences]


def load() -> list[TaggedSentence]:
    """Read all 1,696 sentences, in the order of the file. Raises as `documents` does."""
    return [sentence for sentences in documents() for sentence in sentences]


def split(seed: int = 0, validation: int = 15, test: int = 35) -> Split:
    """Divide the documents at random, so that no document has sentences in two parts.

    A name that occurs once in a document often occurs again in it. If the sentences of a document were divided, then a
    model that remembers names would look better than it is on new texts.

    For one seed, a larger test set contains a smaller one.

    Args:
        seed: what the order depends on.
        validation: how many documents are for choosing settings.
        test: how many documents are for measuring.

    Raises:
        ValueError: nothing would be left to learn from, or a number is below 0.
        DataMissing, DataBroken: as `documents` does.
    """
    return divide(documents(), f"entities/{seed}", validation, test, "documents")


def divide(groups: Sequence[list[TaggedSentence]], seed: str, validation: int, test: int, name: str) -> Split:
    """Divide groups of sentences at random; each group goes into one part as a whole.

    Takes the groups, what the order depends on, how many groups are for validation and for the test, and what messages
    call the groups. Raises ValueError as `split` does.
    """
    parts = divide_at_random(groups, seed, validation, test, name)
    return Split(*([sentence for group in part for sentence in group] for part in parts))
