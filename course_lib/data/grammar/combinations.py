"""Sentences with pairs of adjective and noun that never occur together in training.

They answer a question about a translator: has it learned words, or pairs of words? Used in notebooks 07 and 08.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from course_lib.data.grammar.corpus import NOTES_SENTENCE, generate, refuse_negatives
from course_lib.data.grammar.lexicon import ADJECTIVES, NOUNS
from course_lib.data.grammar.sentences import Pair


@dataclass(frozen=True)
class TranslationSplit:
    """Pairs of sentences for training, and three kinds of unseen ones for testing. None of them is in training.

    Attributes:
        train: to learn from. No adjective describes a noun from which it is held back.
        test: unseen sentences of the same kind.
        known: those with an adjective before its noun, both of which also occur together in training.
        new: with an adjective before a noun from which it is held back.
    """

    train: list[Pair]
    test: list[Pair]
    known: list[Pair]
    new: list[Pair]


def translation_split(train: int = 20_000, tests: int = 400, seed: int = 0) -> TranslationSplit:
    """Make pairs of sentences for training, and for each of three tests.

    `NOTES_SENTENCE` is in none of them. A sentence may be in both `test` and `known`.

    Args:
        train: how many pairs to train on.
        tests: how many there are in each test.
        seed: a whole number, 0 or more. The same seed gives the same pairs.

    Raises:
        TypeError: a size or the seed is no whole number.
        ValueError: one of them is negative, or the training part is too small for `known`: it has too few adjectives.
    """
    refuse_negatives(train=train, tests=tests, seed=seed)
    seeds = range(4 * seed, 4 * seed + 4)
    trained = generate(train, seeds[0], keep=_may_train)
    sentences = {pair.english for pair in trained}
    together = {_numbers(*two) for pair in trained for two in described_nouns(pair.english)}

    def is_unseen(pair: Pair) -> bool:
        return _may_train(pair) and pair.english not in sentences

    def has_known_pairs(pair: Pair) -> bool:
        pairs = {_numbers(*two) for two in described_nouns(pair.english)}
        return bool(pairs) and pairs <= together and is_unseen(pair)

    return TranslationSplit(
        train=trained,
        test=generate(tests, seeds[1], keep=is_unseen),
        known=generate(tests, seeds[2], keep=has_known_pairs),
        new=generate(tests, seeds[3], keep=_has_new_pair),
    )


def is_held_back(adjective: str, noun: str) -> bool:
    """Say whether an English adjective never describes this noun in training: so it is for a fifth of all pairs.

    Takes the noun in the singular or the plural. Raises ValueError for words that the grammar does not have.

    >>> is_held_back("beautiful", "detective"), is_held_back("beautiful", "detectives"), is_held_back("old", "king")
    (True, True, False)
    """
    return sum(_numbers(adjective, noun)) % 5 == 2


def described_nouns(sentence: Sequence[str]) -> list[tuple[str, str]]:
    """List the adjectives of an English sentence, each with the noun that follows it. Two may describe the same noun.

    >>> described_nouns(("the", "old", "english", "king", "saw", "a", "small", "key"))
    [('old', 'king'), ('english', 'king'), ('small', 'key')]
    """
    adjectives, nouns = _word_numbers()
    found = []
    for i, word in enumerate(sentence):
        if word in nouns:
            before = takewhile(adjectives.__contains__, reversed(sentence[:i]))
            found += [(adjective, word) for adjective in reversed([*before])]
    return found


def _numbers(adjective: str, noun: str) -> tuple[int, int]:
    """Give the number of an adjective in alphabetical order, and of a noun in the lexicon's."""
    adjectives, nouns = _word_numbers()
    if adjective not in adjectives:
        raise ValueError(f"{adjective!r} is no adjective of the grammar: course_lib.data.grammar.lexicon lists them")
    if noun not in nouns:
        raise ValueError(f"{noun!r} is no noun of the grammar: course_lib.data.grammar.lexicon lists them")
    return adjectives[adjective], nouns[noun]


@lru_cache
def _word_numbers() -> tuple[dict[str, int], dict[str, int]]:
    adjectives = {word: i for i, word in enumerate(sorted(adjective.english for adjective in ADJECTIVES))}
    return adjectives, {word: i for i, noun in enumerate(NOUNS) for word in (noun.singular, noun.plural)}


def _has_new_pair(pair: Pair) -> bool:
    return any(is_held_back(*two) for two in described_nouns(pair.english))


def _may_train(pair: Pair) -> bool:
    return not _has_new_pair(pair) and pair.english != NOTES_SENTENCE
