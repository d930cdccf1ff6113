"""An English to French corpus made by a small grammar, with gold word alignments.

Every English sentence has exactly one French translation, which follows from the English alone: nouns have a gender,
adjectives agree and mostly follow their noun, the *passé composé* takes *avoir* or *être*, and negation embraces the
auxiliary. Two conventions decide what English leaves open: *they* is *ils*, and a noun for a person keeps the gender
that `lexicon` gives it. The sentences are good grammar and, more often than not, nonsense.

>>> for pair in generate(2, seed=0):
...     print(" ".join(pair.english), "->", " ".join(pair.french))
a famous hotel was secret -> un hôtel célèbre était secret
five english teachers came from the bad school -> cinq professeurs anglais sont venus de la mauvaise école
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from course_lib.data.grammar import lexicon
from course_lib.data.grammar.lexicon import (
    ADJECTIVES,
    DETERMINERS,
    NOUNS,
    VERBS,
    Adjective,
    Determiner,
    Noun,
    Phrase,
    Verb,
)
from course_lib.data.grammar.sentences import HE, SHE, THEY, Clause, NounPhrase, Pair, Pronoun, say

__all__ = ["LONGEST", "NOTES_SENTENCE", "SHORTEST", "Pair", "Split", "generate", "split"]

SHORTEST, LONGEST = 3, 14
NOTES_SENTENCE = ("the", "detective", "investigated")
"""The sentence of the notes that the course grew out of. `split` keeps it for the end, out of both parts."""
_PATIENCE = 100_000


@dataclass(frozen=True)
class Split:
    """Pairs to learn from and pairs to be tested on. No English sentence is in both."""

    train: list[Pair]
    test: list[Pair]


def generate(count: int, seed: int, keep: Callable[[Pair], bool] | None = None) -> list[Pair]:
    """Make pairs, no English sentence twice.

    The same seed gives the same pairs on every platform and Python version: of Python's generator only ``random()`` is
    used, whose sequence is promised to stay, and nothing depends on the order of a set.

    Args:
        count: how many pairs.
        seed: a whole number from 0 on.
        keep: given, only pairs for which it is true are made.

    Raises:
        ValueError: a negative count or seed, or ``keep`` turned down 100,000 sentences one after the other.
    """
    _refuse_negatives(count=count, seed=seed)
    chooser = _Chooser(seed)
    seen: set[tuple[str, ...]] = set()
    pairs: list[Pair] = []
    turned_down = 0
    while len(pairs) < count:
        pair = say(chooser.clause())
        fits = all(SHORTEST <= len(side) <= LONGEST for side in (pair.english, pair.french))
        if fits and pair.english not in seen and (keep is None or keep(pair)):
            seen.add(pair.english)
            pairs.append(pair)
            turned_down = 0
        else:
            turned_down += 1
            if turned_down == _PATIENCE:
                raise ValueError(
                    f"found {len(pairs)} of {count} pairs, then none in {_PATIENCE:,} sentences: keep asks too much"
                )
    return pairs


def split(train: int = 20_000, test: int = 1_000, seed: int = 0) -> Split:
    """Make a training and a test part without a common English sentence, and with the notes' sentence in neither.

    Raises:
        ValueError: a negative size or seed.
    """
    _refuse_negatives(train=train, test=test, seed=seed)
    pairs = generate(test + train, seed, keep=lambda pair: pair.english != NOTES_SENTENCE)
    return Split(train=pairs[test:], test=pairs[:test])


def _refuse_negatives(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 0:
            raise ValueError(f"{name} should be 0 or more, but is {number}")


# How often each choice is taken, against the others of its row.
_TEMPLATES = {"act": 18, "move": 25, "do": 46, "give": 7, "be": 14, "become": 4}
_NEGATIONS = {"": 55, "not": 27, "not yet": 8, "never": 6, "no longer": 4}
_SUBJECT = {"the": 44, "a": 12, "some": 6, "demonstrative": 8, "possessive": 16, "quantity": 14}
_OBJECT = {"the": 44, "a": 16, "some": 8, "demonstrative": 8, "possessive": 14, "quantity": 10}
_NEGATED_OBJECT = {"the": 50, "none": 26, "demonstrative": 8, "possessive": 16}
_AFTER_PREPOSITION = {"the": 56, "a": 12, "demonstrative": 10, "possessive": 16, "quantity": 6}
_OWNER = {"the": 60, "demonstrative": 15, "possessive": 25}

# Verbs without an object, verbs with être, verbs with an object, and verbs with an object and a recipient.
_ACTS = tuple(verb for verb in VERBS if not verb.etre and not verb.objects)
_MOVES = tuple(verb for verb in VERBS if verb.etre)
_DEEDS = tuple(verb for verb in VERBS if verb.objects and not verb.etre and not verb.recipient)
_GIFTS = tuple(verb for verb in VERBS if verb.recipient)

T = TypeVar("T")


@lru_cache
def _nouns(kinds: str) -> tuple[Noun, ...]:
    return tuple(noun for noun in NOUNS if noun.kind in kinds.split())


@lru_cache
def _adjectives(kind: str) -> tuple[tuple[Adjective, ...], tuple[Adjective, ...], tuple[Adjective, ...]]:
    """The adjectives for a kind of noun: before it, after it, as a predicate."""
    fitting = [adjective for adjective in ADJECTIVES if kind in adjective.kinds.split()]
    return (
        tuple(adjective for adjective in fitting if adjective.before),
        tuple(adjective for adjective in fitting if not adjective.before),
        tuple(adjective for adjective in fitting if adjective.predicate),
    )


@lru_cache
def _determiners(name: str) -> tuple[Determiner, ...]:
    return tuple(determiner for determiner in DETERMINERS if determiner.name == name)


class _Chooser:
    """Draws clauses from the grammar."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random() * len(options))]

    def weighted(self, weights: dict[str, int]) -> str:
        names = list(weights)
        heights = list(itertools.accumulate(weights.values()))
        drawn = self._random() * heights[-1]
        return next(name for name, height in zip(names, heights, strict=True) if drawn < height)

    def noun_phrase(self, kinds: str, determiners: dict[str, int], plain: bool = False) -> NounPhrase:
        noun = self.pick(_nouns(kinds))
        determiner = self.pick(_determiners(self.weighted(determiners)))
        before, after, _ = _adjectives(noun.kind)
        described = 0.0 if plain else self._random()
        owned = determiner.name == "the" and noun.kind in ("person", "thing", "text") and not plain
        return NounPhrase(
            determiner,
            noun,
            before=self.pick(before) if 0.4 < described < 0.7 or described > 0.94 else None,
            after=self.pick(after) if described >= 0.7 else None,
            of=self.noun_phrase("person", _OWNER, plain=True) if owned and self.chance(0.08) else None,
        )

    def clause(self) -> Clause:
        """Draw clauses until no noun stands twice in one."""
        while True:
            clause = self._clause()
            where = clause.place[1] if clause.place else None
            said = [*clause.subject, clause.object, clause.recipient, clause.company, where]
            phrases = [phrase for phrase in said if isinstance(phrase, NounPhrase)]
            nouns = [phrase.noun for phrase in phrases] + [phrase.of.noun for phrase in phrases if phrase.of]
            if len(set(nouns)) == len(nouns):
                return clause

    def _clause(self) -> Clause:
        template = self.weighted(_TEMPLATES)
        verb = self._verb(template)
        subject = self._subject(verb.subjects if verb else self.pick(NOUNS).kind)
        every = any(isinstance(one, NounPhrase) and one.determiner.english == "every" for one in subject)
        negation = "" if every else self.weighted(_NEGATIONS)
        if negation == "no longer" and template in ("move", "become"):
            negation = "not"  # what happens once does not stop happening
        adverb = manner = after_verb = company = place = time = None
        alone = False
        draw = self._random()
        if verb and verb.manner and draw < 0.2 and negation in ("", "not"):
            manner = self.pick(lexicon.MANNER)
        elif draw < 0.4 and negation in ("", "not"):
            adverb = self._adverb(negation, verb)
        elif template in ("act", "move") and verb and not verb.objects and draw < 0.6:
            alone = self.chance(0.3)
            after_verb = None if alone else self._after_verb(subject)
        if verb and verb.place and self.chance(0.4):
            preposition, kinds = self.pick(lexicon.PREPOSITIONS)
            place = preposition, self.noun_phrase(kinds, _AFTER_PREPOSITION)
        elif template in ("act", "move") and verb and not verb.objects and not alone and self.chance(0.25):
            company = self.noun_phrase("person", _AFTER_PREPOSITION)
        timeless = verb is None or adverb in lexicon.FREQUENCY or negation in ("not yet", "never", "no longer")
        if not timeless and self.chance(0.35):
            time = self.pick(lexicon.TIMES)
        adjective = self._predicate(subject) if template in ("be", "become") else None
        return Clause(
            subject=subject,
            verb=verb,
            negation=negation,
            adverb=adverb,
            manner=manner,
            object=self._object(verb, negation) if verb and verb.objects else None,
            recipient=self.noun_phrase("person", _AFTER_PREPOSITION) if verb and verb.recipient else None,
            adjective=adjective,
            very=adjective is not None and adjective.gradable and self.chance(0.3),
            after_verb=after_verb,
            alone=alone,
            company=company,
            place=place,
            time=time,
            time_first=self.chance(0.3),
        )

    def _verb(self, template: str) -> Verb | None:
        if template == "be":
            return None
        if template == "become":
            return lexicon.BECOME
        return self.pick({"act": _ACTS, "move": _MOVES, "do": _DEEDS, "give": _GIFTS}[template])

    def _subject(self, kinds: str) -> tuple[NounPhrase | Pronoun, ...]:
        draw = self._random()
        if "person" in kinds.split() and draw < 0.12:
            return (self.pick((HE, SHE, THEY)),)
        if "person" in kinds.split() and draw < 0.22:
            return tuple(self.noun_phrase("person", _SUBJECT, plain=True) for _ in range(2))
        return (self.noun_phrase(kinds, _SUBJECT),)

    def _object(self, verb: Verb, negation: str) -> NounPhrase:
        determiners = _AFTER_PREPOSITION if verb.preposition else _NEGATED_OBJECT if negation else _OBJECT
        return self.noun_phrase(verb.objects, determiners)

    def _predicate(self, subject: tuple[NounPhrase | Pronoun, ...]) -> Adjective:
        first = subject[0]
        _, _, fitting = _adjectives(first.noun.kind if isinstance(first, NounPhrase) else "person")
        return self.pick(fitting)

    def _adverb(self, negation: str, verb: Verb | None) -> Phrase:
        return self.pick(
            [
                adverb
                for adverb in (*lexicon.FREQUENCY, *lexicon.MIDDLE)
                if (verb or adverb.english in lexicon.WITH_WAS)
                and (not negation or adverb.english in lexicon.UNDER_NEGATION)
            ]
        )

    def _after_verb(self, subject: tuple[NounPhrase | Pronoun, ...]) -> Phrase:
        several = len(subject) > 1 or subject[0].plural
        return self.pick([*lexicon.AFTER_VERB, lexicon.TOGETHER] if several else lexicon.AFTER_VERB)
