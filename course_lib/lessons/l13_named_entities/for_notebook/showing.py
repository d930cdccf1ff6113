"""Sentences and scores of taggers as lines of text, and what templates have in common."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from course_lib.data.entities import Split, TaggedSentence
from course_lib.scoring.entities import ALL, EntityScores, spans_of_tags


def marked(words: Sequence[str], spans: Iterable[tuple[str, int, int]]) -> str:
    """Write a sentence with its entities in brackets, each with its kind.

    >>> marked(["Ann", "saw", "New", "York"], [("PER", 0, 1), ("LOC", 2, 4)])
    '[Ann]PER saw [New York]LOC'
    """
    pieces = list(words)
    for kind, start, stop in spans:
        pieces[start] = f"[{pieces[start]}"
        pieces[stop - 1] += f"]{kind}"
    return " ".join(pieces)


def line_of_scores(
    name: str, scores: Mapping[str, EntityScores], accuracy: float, width: int = 22, per: str = "word"
) -> str:
    """Write the F1 of all entities and of each kind, and the accuracy per word, or per piece, in one line."""
    kinds = "  ".join(f"{kind} {each.f1:.2f}" for kind, each in scores.items() if kind != ALL)
    return f"{name:{width}} F1 {scores[ALL].f1:.3f} ({kinds})  accuracy per {per} {accuracy:.1%}"


def spread_over_pieces(
    tags: Sequence[Sequence[str]], word_of_piece: Sequence[Sequence[int | None]]
) -> list[tuple[str, ...]]:
    """Give the pieces of words the tags of the words, special tokens left out, so that each name stays one name.

    >>> spread_over_pieces([["B-PER", "O"]], [[None, 0, 0, 1, None]])
    [('B-PER', 'I-PER', 'O')]
    """
    found = []
    for of_words, row in zip(tags, word_of_piece, strict=True):
        words = [word for word in row if word is not None]
        is_later = [False, *(one == other for one, other in pairwise(words))]
        pairs = zip(words, is_later, strict=False)
        found.append(tuple(of_words[word].replace("B-", "I-") if later else of_words[word] for word, later in pairs))
    return found


def known_shares(split: Split) -> tuple[float, float]:
    """Give the shares of what the test sentences have in common with those to learn from.

    Returns the share of the test names' words that occur in known names, and the share of test sentences that are a
    known one but for the words in names.
    """
    known_words = {word for sentence in split.train for word in _words_of_names(sentence)}
    words = [word for sentence in split.test for word in _words_of_names(sentence)]
    known_frames = {_frame(sentence) for sentence in split.train}
    share_of_words = sum(word in known_words for word in words) / max(1, len(words))
    return share_of_words, sum(_frame(each) in known_frames for each in split.test) / len(split.test)


def _words_of_names(sentence: TaggedSentence) -> list[str]:
    return [word for _, start, stop in spans_of_tags(sentence.tags) for word in sentence.words[start:stop]]


def _frame(sentence: TaggedSentence) -> tuple[str, ...]:
    """The sentence with each name replaced by its kind, and each number by 0."""
    words = list(sentence.words)
    for kind, start, stop in reversed(spans_of_tags(sentence.tags)):
        words[start:stop] = [kind]
    return tuple("0" if word.isdigit() else word for word in words)
