"""An English to French corpus made by a small grammar, with gold word alignments.

Every English sentence has exactly one French translation, which follows from the English alone: nouns have a gender,
adjectives agree and mostly follow their noun, the *passé composé* takes *avoir* or *être*, and negation embraces the
auxiliary. Three conventions decide what English leaves open: *they* is *ils*, nouns for people keep the one gender that
`lexicon` gives them, and *un*, *une*, *des* become *de* as the object of a negated verb (*il n'a pas vu de chat*).

>>> for pair in generate(2, seed=0):
...     print(" ".join(pair.english), "->", " ".join(pair.french))
a famous hotel was secret -> un hôtel célèbre était secret
five dirty teachers came from this library -> cinq professeurs sales sont venus de cette bibliothèque
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from course_lib.corpora import lexicon
from course_lib.corpora.lexicon import ADJECTIVES, DETERMINERS, NOUNS, VERBS, Adjective, Determiner, Noun, Phrase, Verb

SHORTEST, LONGEST = 3, 14
NOTES_SENTENCE = ("the", "detective", "investigated")
"""The sentence of the notes that the course grew out of. `split` keeps it for the end, out of both parts."""


@dataclass(frozen=True)
class Pair:
    """A sentence, its translation, and which words translate which: ``(english index, french index)``."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    alignment: frozenset[tuple[int, int]]


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
        ValueError: a negative count or seed, or ``keep`` turned down 100,000 new sentences one after the other.
    """
    for name, value in (("count", count), ("seed", seed)):
        if value < 0:
            raise ValueError(f"{name} should be 0 or more, but is {value}")
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
            if turned_down == 100_000:
                raise ValueError(
                    f"found {len(pairs)} of {count} pairs, then none in 100,000 sentences: keep asks too much"
                )
    return pairs


def split(train: int = 20_000, test: int = 1_000, seed: int = 0) -> Split:
    """Make a training and a test part without a common English sentence, and with the notes' sentence in neither."""
    pairs = generate(test + train, seed, keep=lambda pair: pair.english != NOTES_SENTENCE)
    return Split(train=pairs[test:], test=pairs[:test])


# What a sentence says, before it is said in either language.


@dataclass(frozen=True)
class NounPhrase:
    """*The old red house of the king*: a determiner, a noun, and what describes it."""

    determiner: Determiner
    noun: Noun
    before: Adjective | None = None
    after: Adjective | None = None
    of: NounPhrase | None = None

    @property
    def plural(self) -> bool:
        return self.determiner.plural

    @property
    def gender(self) -> str:
        return self.noun.gender


@dataclass(frozen=True)
class Pronoun:
    """A subject of one word."""

    english: str
    french: str
    gender: str
    plural: bool


PRONOUNS = (Pronoun("he", "il", "m", False), Pronoun("she", "elle", "f", False), Pronoun("they", "ils", "m", True))


@dataclass(frozen=True)
class Clause:
    """One sentence, free of language.

    Args:
        subject: one phrase or pronoun, or two phrases with *and* between them.
        verb: what is done; None for *was*.
        negation: ``not``, ``never``, ``no longer``, ``not yet``, or empty.
        adverb: one that stands before the English verb.
        manner: *well* or *badly*.
        object: what it is done to.
        recipient: whom it is given to.
        adjective: what the subject *was* or *became*.
        very: whether the adjective is strengthened.
        after_verb: an adverb that follows the verb in both languages.
        alone: whether the subject acts alone; in French the word agrees with it.
        place: a preposition and where.
        company: with whom.
        time: when.
        time_first: whether the sentence opens with it.
    """

    subject: tuple[NounPhrase | Pronoun, ...]
    verb: Verb | None = None
    negation: str = ""
    adverb: Phrase | None = None
    manner: Phrase | None = None
    object: NounPhrase | None = None
    recipient: NounPhrase | None = None
    adjective: Adjective | None = None
    very: bool = False
    after_verb: Phrase | None = None
    alone: bool = False
    place: tuple[Phrase, NounPhrase] | None = None
    company: NounPhrase | None = None
    time: Phrase | None = None
    time_first: bool = False

    @property
    def plural(self) -> bool:
        return len(self.subject) > 1 or self.subject[0].plural

    @property
    def gender(self) -> str:
        """Feminine only if every subject is: *la reine et la fille sont arrivées*, *le roi et la reine sont arrivés*."""
        return "f" if all(one.gender == "f" for one in self.subject) else "m"


# Saying it. A token is a word with the meanings it carries; words that share a meaning are aligned.

Token = tuple[str, frozenset[object]]


class _Said:
    """The same thing in both languages, each a list of tokens."""

    def __init__(self, english: Iterable[Token] = (), french: Iterable[Token] = ()) -> None:
        self.english, self.french = list(english), list(french)

    def __iadd__(self, other: _Said) -> _Said:
        self.english += other.english
        self.french += other.french
        return self


def say(clause: Clause) -> Pair:
    """Say a clause in English and in French, and align the words."""
    said = _Said()
    if clause.time and clause.time_first:
        said += _fixed(clause.time)
    said += _say_subject(clause)
    said += _say_verb(clause)
    if clause.adjective:
        if clause.very:
            said += _translated("very", "très")
        said += _say_adjective(clause.adjective, clause.gender, clause.plural)
    if clause.object:
        said += _say_noun_phrase(clause.object)
    if clause.recipient:
        said += _fixed(lexicon.TO)
        said += _say_noun_phrase(clause.recipient)
    if clause.after_verb:
        said += _fixed(clause.after_verb)
    if clause.alone:
        said += _translated("alone", lexicon.ALONE[_form(clause.gender, clause.plural)])
    if clause.company:
        said += _fixed(lexicon.WITH)
        said += _say_noun_phrase(clause.company)
    if clause.place:
        preposition, where = clause.place
        said += _fixed(preposition)
        said += _say_noun_phrase(where)
    if clause.negation == "not yet":
        # Its French counterpart stands beside the auxiliary, where _say_verb has put it.
        said.english.append(("yet", frozenset({"yet"})))
    if clause.time and not clause.time_first:
        said += _fixed(clause.time)
    english, french = _spell_english(said.english), _spell_french(said.french)
    links = {(i, j) for i, (_, asks) in enumerate(english) for j, (_, says) in enumerate(french) if asks & says}
    return Pair(tuple(word for word, _ in english), tuple(word for word, _ in french), frozenset(links))


def _tokens(text: str, *meanings: object) -> list[Token]:
    return [(word, frozenset(meanings)) for word in text.split()]


def _translated(english: str, french: str) -> _Said:
    """Words that translate each other as a whole."""
    meaning = object()
    return _Said(_tokens(english, meaning), _tokens(french, meaning))


def _fixed(phrase: Phrase) -> _Said:
    english, french = phrase.english.split(), phrase.french.split()
    links = [(object(), *map(int, link.split("-"))) for link in phrase.links.split()]
    return _Said(
        [(word, frozenset(link for link, i, _ in links if i == place)) for place, word in enumerate(english)],
        [(word, frozenset(link for link, _, j in links if j == place)) for place, word in enumerate(french)],
    )


def _form(gender: str, plural: bool) -> int:
    """The place of a form in: masculine, feminine, masculine plural, feminine plural."""
    return 2 * plural + (gender == "f")


def _say_adjective(adjective: Adjective, gender: str, plural: bool) -> _Said:
    return _translated(adjective.english, adjective.forms.split(", ")[_form(gender, plural)])


def _say_noun_phrase(phrase: NounPhrase) -> _Said:
    determiner, noun, plural = phrase.determiner, phrase.noun, phrase.determiner.plural
    named = _translated(*((noun.plural, noun.french_plural) if plural else (noun.singular, noun.french_singular)))
    after = _say_adjective(phrase.after, noun.gender, plural) if phrase.after else _Said()
    before = _Said()
    if phrase.before:
        before = _say_adjective(phrase.before, noun.gender, plural)
        if phrase.before.liaison and not plural and noun.gender == "m" and opens_with_vowel(noun.french_singular):
            before = _translated(phrase.before.english, phrase.before.liaison)
    feminine = noun.gender == "f"
    article = determiner.feminine if feminine else determiner.masculine
    if determiner.name == "some" and phrase.before:
        article = "de"  # de petites maisons
    if any(determiner.liaison) and opens_with_vowel((before.french + named.french)[0][0]):
        article = determiner.liaison[feminine]
    opening = _translated(determiner.english, article)
    said = _Said(
        opening.english + before.english + after.english + named.english,
        opening.french + before.french + named.french + after.french,
    )
    if phrase.of:
        said += _fixed(lexicon.OF)
        said += _say_noun_phrase(phrase.of)
    return said


def _say_subject(clause: Clause) -> _Said:
    said = _Said()
    for place, one in enumerate(clause.subject):
        if place:
            said += _translated("and", "et")
        said += _translated(one.english, one.french) if isinstance(one, Pronoun) else _say_noun_phrase(one)
    return said


_NEGATION = {"not": "pas", "not yet": "pas", "never": "jamais", "no longer": "plus"}


def _say_verb(clause: Clause) -> _Said:
    """The verb with all that stands around it: *did not often look for*, *n'a pas souvent cherché*."""
    doing, helping, denying, leading = object(), object(), object(), object()
    verb, plural, negation = clause.verb, clause.plural, clause.negation
    middle = _fixed(clause.adverb) if clause.adverb else _Said()
    if negation == "not yet":
        middle.french = _tokens("encore", "yet")

    if verb is None:
        auxiliary = _tokens("étaient" if plural else "était", doing)
        participle, manner = [], _Said()
        was = _tokens("were" if plural else "was", doing)
        denial = _tokens("not" if negation == "not yet" else negation, denying)
        english = was + denial + middle.english
    else:
        manner = _fixed(clause.manner) if clause.manner else _Said()
        forms = ("est", "sont") if verb.etre else ("a", "ont")
        auxiliary = _tokens(forms[plural], helping)
        ending = ("", "e", "s", "es")[_form(clause.gender, plural)] if verb.etre else ""
        participle = _tokens(verb.participle + ending, doing)
        link = leading if verb.particle and verb.preposition else doing
        participle += _tokens(verb.preposition, link)
        particle = _tokens(verb.particle, link)
        if negation in ("not", "not yet"):
            english = _tokens("did", helping) + _tokens("not", denying) + middle.english + _tokens(verb.base, doing)
        else:
            english = _tokens(negation, denying) + middle.english + _tokens(verb.past, doing, helping)
        english += particle + manner.english

    if negation:
        auxiliary = _tokens("ne", denying) + auxiliary + _tokens(_NEGATION[negation], denying)
    return _Said(english, auxiliary + middle.french + manner.french + participle)


_VOWELS = "aeiouàâéèêîïôûœ"
_ELIDED = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'"}
_CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


def opens_with_vowel(french: str) -> bool:
    """Whether a French word begins with a vowel sound, so that the word before it is elided.

    >>> [opens_with_vowel(word) for word in ("homme", "héros", "école", "maison")]
    [True, False, True, False]
    """
    return french[0] in _VOWELS or french in lexicon.MUTE_H


def _spell_english(tokens: Sequence[Token]) -> list[Token]:
    """Write *an* before a vowel."""
    following = [word for word, _ in tokens[1:]] + [""]
    return [
        ("an", meanings) if word == "a" and after[:1] in set("aeiou") else (word, meanings)
        for (word, meanings), after in zip(tokens, following, strict=True)
    ]


def _spell_french(tokens: Sequence[Token]) -> list[Token]:
    """Elide (*le homme* is *l'homme*), then contract (*de le roi* is *du roi*)."""
    following = [word for word, _ in tokens[1:]] + [" "]
    spelt: list[Token] = []
    for (word, meanings), after in zip(tokens, following, strict=True):
        written = _ELIDED.get(word, word) if opens_with_vowel(after) else word
        contracted = _CONTRACTED.get((spelt[-1][0], written)) if spelt else None
        if contracted:
            spelt[-1] = (contracted, spelt[-1][1] | meanings)
        else:
            spelt.append((written, meanings))
    return spelt


# Choosing what to say.

_TEMPLATES = {"act": 18, "move": 25, "do": 42, "give": 7, "be": 14, "become": 4}
_NEGATIONS = {"": 58, "not": 24, "not yet": 8, "never": 6, "no longer": 4}
_SUBJECT = {"the": 44, "a": 12, "some": 6, "demonstrative": 8, "possessive": 16, "quantity": 14}
_OBJECT = {"the": 44, "a": 16, "some": 8, "demonstrative": 8, "possessive": 14, "quantity": 10}
_NEGATED_OBJECT = {"the": 50, "none": 26, "demonstrative": 8, "possessive": 16}
_AFTER_PREPOSITION = {"the": 56, "a": 12, "demonstrative": 10, "possessive": 16, "quantity": 6}
_OWNER = {"the": 60, "demonstrative": 15, "possessive": 25}

_ACTS = tuple(verb for verb in VERBS if not verb.etre and not verb.objects)
_MOVES = tuple(verb for verb in VERBS if verb.etre)
_DEEDS = tuple(verb for verb in VERBS if verb.objects and not verb.etre and not verb.recipient)
_GIFTS = tuple(verb for verb in VERBS if verb.recipient)
_BECOME = Verb("become", "became", "devenu", "person animal", etre=True)

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
        kinds = verb.subjects if verb else self.pick([noun.kind for noun in NOUNS])
        subject = self._subject(kinds)
        every = any(isinstance(one, NounPhrase) and one.determiner.english == "every" for one in subject)
        negation = "" if every else self.weighted(_NEGATIONS)
        if negation == "no longer" and template in ("move", "become"):
            negation = "not"  # what happens once does not stop happening
        adverb, manner, after_verb, alone = None, None, None, False
        draw = self._random()
        if verb and verb.manner and draw < 0.2 and negation in ("", "not"):
            manner = self.pick(lexicon.MANNER)
        elif draw < 0.4:
            adverb = self._adverb(negation, verb)
        elif template in ("act", "move") and verb and not verb.objects and draw < 0.6:
            after_verb, alone = self._after_verb(subject)
        object_ = recipient = adjective = place = company = time = None
        if verb and verb.objects:
            determiners = _AFTER_PREPOSITION if verb.preposition else _NEGATED_OBJECT if negation else _OBJECT
            object_ = self.noun_phrase(verb.objects, determiners)
        if template == "give":
            recipient = self.noun_phrase("person", _AFTER_PREPOSITION, plain=self.chance(0.6))
        if template in ("be", "become"):
            one = subject[0]
            kind = one.noun.kind if isinstance(one, NounPhrase) else "person"
            adjective = self.pick(_adjectives(kind)[2])
        elif verb and verb.place and self.chance(0.4):
            preposition, where = self.pick(lexicon.PREPOSITIONS)
            place = preposition, self.noun_phrase(where, _AFTER_PREPOSITION)
        elif verb and not verb.objects and self.chance(0.25):
            company = self.noun_phrase("person", _AFTER_PREPOSITION)
        timeless = adverb in lexicon.FREQUENCY or negation in ("not yet", "never", "no longer") or template == "be"
        if not timeless and self.chance(0.35):
            time = self.pick(lexicon.TIMES)
        return Clause(
            subject, verb, negation, adverb, manner, object_, recipient, adjective,
            very=adjective is not None and adjective.gradable and self.chance(0.3),
            after_verb=after_verb, alone=alone, place=place, company=company,
            time=time, time_first=self.chance(0.3),
        )  # fmt: skip

    def _verb(self, template: str) -> Verb | None:
        if template == "be":
            return None
        if template == "become":
            return _BECOME
        return self.pick({"act": _ACTS, "move": _MOVES, "do": _DEEDS, "give": _GIFTS}[template])

    def _subject(self, kinds: str) -> tuple[NounPhrase | Pronoun, ...]:
        draw = self._random()
        if draw < 0.12 and "person" in kinds.split():
            return (self.pick(PRONOUNS),)
        if draw < 0.22 and "person" in kinds.split():
            # Both of one kind, since a predicate has to suit both.
            return tuple(self.noun_phrase("person", _SUBJECT, plain=True) for _ in range(2))
        return (self.noun_phrase(kinds, _SUBJECT),)

    def _adverb(self, negation: str, verb: Verb | None) -> Phrase | None:
        if negation in ("never", "no longer", "not yet"):
            return None
        adverbs = [*lexicon.FREQUENCY, *lexicon.MIDDLE]
        if verb is None:
            adverbs = [adverb for adverb in adverbs if adverb.english in lexicon.WITH_WAS]
        if negation:
            adverbs = [adverb for adverb in adverbs if adverb.english in lexicon.UNDER_NEGATION]
        return self.pick(adverbs)

    def _after_verb(self, subject: tuple[NounPhrase | Pronoun, ...]) -> tuple[Phrase | None, bool]:
        draw = self._random()
        if draw < 0.3:
            return None, True
        if draw < 0.5 and (len(subject) > 1 or subject[0].plural):
            return lexicon.TOGETHER, False
        return self.pick(lexicon.AFTER_VERB), False
