"""How many names a tagger finds: precision, recall and F1 of whole entities, and what costs nothing to compare with.

An entity is a name in a text, such as *Mad Capsule Markets*. Tags mark it: ``B-ORG`` at its first word, ``I-ORG`` at
its others, ``O`` outside (BIO). Built by hand in notebook 13.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from course_lib.data.entities import TaggedSentence

ALL = "all"
"""What the scores over all kinds together are called."""


class Span(NamedTuple):
    """An entity: its kind, the number of its first word, and the number after that of its last word."""

    kind: str
    start: int
    stop: int


Spans = list[Span]
"""The entities of a sentence."""


@dataclass(frozen=True)
class EntityScores:
    """How well the entities of one kind, or of all, were found.

    Attributes:
        precision: The share of the predicted entities that are correct; 0 if none was predicted.
        recall: The share of the expected entities that were found; 0 if none was expected.
        f1: 2 · precision · recall / (precision + recall); 0 if both are 0.
        expected: How many entities there are.
    """

    precision: float
    recall: float
    f1: float
    expected: int


def spans_of_tags(tags: Sequence[str]) -> list[Span]:
    """Read the entities out of a sentence's tags.

    An entity begins at each ``B-``, and goes on as long as ``I-`` of the same kind follows. A model may also write what
    is ill-formed: an ``I-`` after ``O``, or after another kind. It begins an entity too, as in the script conlleval
    (Tjong Kim Sang and Buchholz 2000, "Introduction to the CoNLL-2000 Shared Task: Chunking") and in seqeval.

    Takes the T tags of a sentence. Raises TypeError for a string in place of a list, ValueError for something that is
    no tag.

    >>> spans_of_tags(["B-PER", "I-PER", "O", "I-LOC"])
    [Span(kind='PER', start=0, stop=2), Span(kind='LOC', start=3, stop=4)]
    """
    _refuse_a_string(tags, "tags")
    spans: list[Span] = []
    start, kind = 0, ""
    for i, tag in enumerate([*tags, "O"]):
        place, kind_here = _parts(tag)
        if kind and (place == "B" or kind_here != kind):
            spans.append(Span(kind, start, i))
        if place == "B" or kind_here != kind:
            start = i
        kind = kind_here
    return spans


def precision_recall_f1(
    predicted: Sequence[Collection[Span]], expected: Sequence[Collection[Span]]
) -> tuple[float, float, float]:
    """Measure how many of the predicted spans are correct, how many of the expected ones were found, and both in one.

        precision = |P ∩ E| / |P|        recall = |P ∩ E| / |E|        F1 = 2 · |P ∩ E| / (|P| + |E|)

    A span is correct only if its kind, its start and its stop are. The counts are summed over all sentences before they
    are divided, and a share of nothing is 0. F1 is the harmonic mean of precision and recall; van Rijsbergen 1979,
    *Information Retrieval*, chapter 7.

    Takes the predicted spans P and the expected spans E of each sentence. Raises ValueError for lists of different
    lengths.

    >>> precision_recall_f1([[("PER", 0, 1), ("LOC", 2, 3)]], [[("PER", 0, 2), ("LOC", 2, 3), ("ORG", 5, 6)]])
    (0.5, 0.3333333333333333, 0.4)
    """
    _check_same_number(predicted, expected)
    found = there = both = 0
    for ours, theirs in zip(predicted, expected, strict=True):
        P, E = {tuple(span) for span in ours}, {tuple(span) for span in theirs}
        found, there, both = found + len(P), there + len(E), both + len(P & E)
    precision = both / found if found else 0.0
    recall = both / there if there else 0.0
    return precision, recall, 2 * both / (found + there) if found + there else 0.0


def entity_scores(
    predicted: Sequence[Sequence[str]],
    expected: Sequence[Sequence[str]],
    spans_of: Callable[[Sequence[str]], Sequence[tuple[str, int, int]]] = spans_of_tags,
    measure: Callable[[list[Spans], list[Spans]], tuple[float, float, float]] = precision_recall_f1,
) -> dict[str, EntityScores]:
    """Measure how well whole entities were found.

    A predicted entity is correct only if its kind, its first word and its last word are. Under `ALL`, the entities of
    all kinds are counted together (micro average), as in Tjong Kim Sang and De Meulder 2003, arXiv:cs/0306050,
    section 2; under each kind, its own.

    Takes the predicted and the expected tags of each sentence, what reads the spans out of tags, and what measures
    predicted spans beside expected ones. Returns the scores of each kind that occurs in either, in alphabetical order,
    and then of all. Raises ValueError for lists of different lengths, and as `spans_of_tags`.

    >>> scores = entity_scores([["B-PER", "O", "B-LOC"]], [["B-PER", "I-PER", "B-LOC"]])
    >>> scores["all"], scores["PER"].f1
    (EntityScores(precision=0.5, recall=0.5, f1=0.5, expected=2), 0.0)
    """
    _check_same_lengths(predicted, expected)
    ours, theirs = [[[Span(*span) for span in spans_of(tags)] for tags in each] for each in (predicted, expected)]
    kinds = sorted({span.kind for spans in (*ours, *theirs) for span in spans})
    both_of = {kind: (_of_kind(ours, kind), _of_kind(theirs, kind)) for kind in kinds} | {ALL: (ours, theirs)}
    return {kind: EntityScores(*measure(*both), sum(map(len, both[1]))) for kind, both in both_of.items()}


def accuracy_per_token(predicted: Sequence[Sequence[str]], expected: Sequence[Sequence[str]]) -> float:
    """Give the share of words whose tag is correct, from 0 to 1.

    Most words are outside all entities, so a tagger that finds nothing scores high.

    Takes the predicted and the expected tags of each sentence. Raises ValueError for lists of different lengths, and
    where there is no word; TypeError for a string in place of a list of tags.

    >>> accuracy_per_token([["O", "O", "O", "O"]], [["O", "O", "B-PER", "O"]])
    0.75
    """
    _check_same_lengths(predicted, expected)
    pairs = [pair for ours, theirs in zip(predicted, expected, strict=True) for pair in zip(ours, theirs, strict=True)]
    if not pairs:
        raise ValueError("there is nothing to compare: the sentences have no words")
    return sum(ours == theirs for ours, theirs in pairs) / len(pairs)


def remembered_names(known: Sequence[TaggedSentence], sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Tag the names that occur in the known sentences, and no others: what costs nothing but memory.

    From left to right, the longest known name that begins at a word is tagged, with the kind that it has most often.
    This is the baseline of Tjong Kim Sang and De Meulder 2003, arXiv:cs/0306050, except that theirs leaves out names
    that occur with several kinds.

    Takes the known sentences, and the words of those to tag. Returns the tags of each. Raises TypeError for a string in
    place of a list of words.

    >>> known = [TaggedSentence(("New", "York", "is", "big"), ("B-LOC", "I-LOC", "O", "O"))]
    >>> remembered_names(known, [["In", "New", "York"], ["New", "times"]])
    [('O', 'B-LOC', 'I-LOC'), ('O', 'O')]
    """
    counts: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for sentence in known:
        for kind, start, stop in spans_of_tags(sentence.tags):
            counts[tuple(sentence.words[start:stop])][kind] += 1
    kinds = {name: counter.most_common(1)[0][0] for name, counter in counts.items()}
    longest = max(map(len, kinds), default=0)
    found = []
    for words in sentences:
        _refuse_a_string(words, "words")
        tags: list[str] = []
        while len(tags) < len(words):
            start = len(tags)
            begin_here = [tuple(words[start:stop]) for stop in range(start + 1, min(start + longest, len(words)) + 1)]
            known_here = [name for name in begin_here if name in kinds]
            if known_here:
                name = known_here[-1]  # the longest
                tags += [f"B-{kinds[name]}", *[f"I-{kinds[name]}"] * (len(name) - 1)]
            else:
                tags.append("O")
        found.append(tuple(tags))
    return found


def _parts(tag: str) -> tuple[str, str]:
    """Divide a tag into its letter and its kind."""
    if tag == "O":
        return "O", ""
    if isinstance(tag, str) and tag[:2] in ("B-", "I-") and tag[2:]:
        return tag[0], tag[2:]
    raise ValueError(f"a tag is 'O', or 'B-' or 'I-' with a kind after it such as 'B-PER', but one is {tag!r}")


def _of_kind(sentences: list[Spans], kind: str) -> list[Spans]:
    return [[span for span in spans if span.kind == kind] for spans in sentences]


def _refuse_a_string(values: Sequence[str], name: str) -> None:
    if isinstance(values, str):
        raise TypeError(f"expected a list of {name}, but got the string {values!r}: put it in a list")


def _check_same_lengths(predicted: Sequence[Sequence[str]], expected: Sequence[Sequence[str]]) -> None:
    _check_same_number(predicted, expected)
    for i, (ours, theirs) in enumerate(zip(predicted, expected, strict=True)):
        _refuse_a_string(ours, "tags")
        _refuse_a_string(theirs, "tags")
        if len(ours) != len(theirs):
            raise ValueError(f"sentence {i} has {len(theirs)} words, but {len(ours)} predicted tags")


def _check_same_number(predicted: Sequence[object], expected: Sequence[object]) -> None:
    if len(predicted) != len(expected):
        raise ValueError(
            f"predicted and expected should be of the same sentences, but there are {len(predicted)} and "
            f"{len(expected)}"
        )
