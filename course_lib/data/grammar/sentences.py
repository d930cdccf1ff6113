"""A sentence's meaning, said in English and in French, word by word aligned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_lib.data.grammar import lexicon
from course_lib.data.grammar.lexicon import Adjective, Determiner, Noun, Phrase, Verb


@dataclass(frozen=True)
class Pair:
    """A sentence, its translation, and which words translate which: ``(english index, french index)``."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    alignment: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class NounPhrase:
    """*The old red book of the king*: a determiner, a noun, and what describes it.

    Args:
        before: an adjective that stands before the French noun.
        after: one that stands after it.
        of: whose it is.
    """

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


HE, SHE, THEY = Pronoun("he", "il", "m", False), Pronoun("she", "elle", "f", False), Pronoun("they", "ils", "m", True)


@dataclass(frozen=True)
class Clause:
    """What one sentence says, before it is said in either language.

    Args:
        subject: one phrase or pronoun, or two phrases with *and* between them.
        verb: what is done; None for *was*.
        negation: ``not``, ``never``, ``no longer``, ``not yet``, or empty.
        adverb: one that stands before the English verb, and after the French auxiliary.
        manner: *well* or *badly*.
        object: what it is done to.
        recipient: whom it is given to.
        adjective: what the subject *was* or *became*.
        very: whether the adjective is strengthened.
        after_verb: an adverb that follows the verb in both languages.
        alone: whether the subject acts alone; the French word agrees with it.
        company: with whom.
        place: a preposition, and where.
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
    company: NounPhrase | None = None
    place: tuple[Phrase, NounPhrase] | None = None
    time: Phrase | None = None
    time_first: bool = False

    @property
    def plural(self) -> bool:
        return len(self.subject) > 1 or self.subject[0].plural

    @property
    def gender(self) -> str:
        """Feminine only if every subject is: *la reine et la fille sont arrivées*, but *sont arrivés* with *le roi*."""
        return "f" if all(one.gender == "f" for one in self.subject) else "m"


Token = tuple[str, frozenset[object]]
"""A word and the meanings that it carries. Words of the two languages that share a meaning are aligned."""


class _Said:
    """The same thing in both languages, each a list of tokens."""

    def __init__(self, english: Iterable[Token] = (), french: Iterable[Token] = ()) -> None:
        self.english, self.french = list(english), list(french)

    def __iadd__(self, other: _Said) -> _Said:
        self.english += other.english
        self.french += other.french
        return self


def say(clause: Clause) -> Pair:
    """Say a clause in English and in French, and align the words.

    Negation is aligned as *not* with *ne* and *pas*, and *did* with the French auxiliary; without *did*, the English
    verb is aligned with auxiliary and participle both. Where French contracts two words into one (*de le* to *du*), the
    one is aligned with what both translate.
    """
    said = _Said()
    if clause.time and clause.time_first:
        said += _fixed(clause.time)
    for place, one in enumerate(clause.subject):
        if place:
            said += _translated("and", "et")
        said += _translated(one.english, one.french) if isinstance(one, Pronoun) else _say_noun_phrase(one)
    # "yet" ends the English sentence, "encore" stands beside the French auxiliary.
    yet = _fixed(lexicon.YET) if clause.negation == "not yet" else _Said()
    said += _say_verb(clause, clause.verb, yet.french) if clause.verb else _say_was(clause, yet.french)
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
        said += _fixed(clause.place[0])
        said += _say_noun_phrase(clause.place[1])
    said.english += yet.english
    if clause.time and not clause.time_first:
        said += _fixed(clause.time)
    english, french = _spell_english(said.english), _spell_french(said.french)
    links = {(i, j) for i, (_, asked) in enumerate(english) for j, (_, told) in enumerate(french) if asked & told}
    return Pair(tuple(word for word, _ in english), tuple(word for word, _ in french), frozenset(links))


def _tokens(text: str, *meanings: object) -> list[Token]:
    return [(word, frozenset(meanings)) for word in text.split()]


def _translated(english: str, french: str) -> _Said:
    """Words that translate each other as a whole."""
    meaning = object()
    return _Said(_tokens(english, meaning), _tokens(french, meaning))


def _fixed(phrase: Phrase) -> _Said:
    links = [(object(), *map(int, link.split("-"))) for link in phrase.links.split()]
    return _Said(
        [(word, frozenset(link for link, i, _ in links if i == at)) for at, word in enumerate(phrase.english.split())],
        [(word, frozenset(link for link, _, j in links if j == at)) for at, word in enumerate(phrase.french.split())],
    )


def _form(gender: str, plural: bool) -> int:
    """The place of a form in a row of: masculine, feminine, masculine plural, feminine plural."""
    return 2 * plural + (gender == "f")


def _say_adjective(adjective: Adjective, gender: str, plural: bool) -> _Said:
    return _translated(adjective.english, adjective.forms.split(", ")[_form(gender, plural)])


def _say_noun_phrase(phrase: NounPhrase) -> _Said:
    determiner, noun, plural, feminine = phrase.determiner, phrase.noun, phrase.plural, phrase.gender == "f"
    named = _translated(*((noun.plural, noun.french_plural) if plural else (noun.singular, noun.french_singular)))
    after = _say_adjective(phrase.after, noun.gender, plural) if phrase.after else _Said()
    before = _say_adjective(phrase.before, noun.gender, plural) if phrase.before else _Said()
    if phrase.before and phrase.before.liaison and not (plural or feminine) and opens_with_vowel(noun.french_singular):
        before = _translated(phrase.before.english, phrase.before.liaison)  # un vieil homme
    article = determiner.feminine if feminine else determiner.masculine
    if any(determiner.liaison) and opens_with_vowel((before.french + named.french)[0][0]):
        article = determiner.liaison[feminine]  # cet homme, son école
    if determiner.name == "some" and phrase.before:
        article = "de"  # de petites maisons
    opening = _translated(determiner.english, article)
    said = _Said(
        opening.english + before.english + after.english + named.english,
        opening.french + before.french + named.french + after.french,
    )
    if phrase.of:
        said += _fixed(lexicon.OF)
        said += _say_noun_phrase(phrase.of)
    return said


def _say_was(clause: Clause, encore: list[Token]) -> _Said:
    """*Was*, *was not often*: *était*, *n'était pas souvent*."""
    being = object()
    negation = _say_negation(clause.negation)
    adverb = _fixed(clause.adverb) if clause.adverb else _Said()
    english = _tokens("were" if clause.plural else "was", being) + negation.english + adverb.english
    was = _tokens("étaient" if clause.plural else "était", being)
    return _Said(english, negation.french[:1] + was + negation.french[1:] + encore + adverb.french)


def _say_verb(clause: Clause, verb: Verb, encore: list[Token]) -> _Said:
    """The verb with all that stands around it: *did not often look for*, *n'a pas souvent cherché*."""
    doing, helping, leading = object(), object(), object()
    negation = _say_negation(clause.negation)
    adverb = _fixed(clause.adverb) if clause.adverb else _Said()
    manner = _fixed(clause.manner) if clause.manner else _Said()
    # "spoke to" is "parlé à", word by word; in "looked for" and in "obéi à" the second word belongs to the verb.
    link = leading if verb.particle and verb.preposition else doing

    if clause.negation in ("not", "not yet"):
        english = _tokens("did", helping) + negation.english + adverb.english + _tokens(verb.base, doing)
    else:
        english = negation.english + adverb.english + _tokens(verb.past, doing, helping)
    english += _tokens(verb.particle, link) + manner.english

    singular, plural = ("est", "sont") if verb.etre else ("a", "ont")
    auxiliary = _tokens(plural if clause.plural else singular, helping)
    ending = ("", "e", "s", "es")[_form(clause.gender, clause.plural)] if verb.etre else ""
    participle = _tokens(verb.participle + ending, doing)
    french = negation.french[:1] + auxiliary + negation.french[1:] + encore + adverb.french + manner.french
    return _Said(english, french + participle + _tokens(verb.preposition, link))


_NEGATIONS = {
    "": Phrase("", "", ""),
    "not": Phrase("not", "ne pas", "0-0 0-1"),
    "not yet": Phrase("not", "ne pas", "0-0 0-1"),
    "never": Phrase("never", "ne jamais", "0-0 0-1"),
    "no longer": Phrase("no longer", "ne plus", "0-0 0-1 1-0 1-1"),
}


def _say_negation(negation: str) -> _Said:
    """The English words, and the two French ones that go around the auxiliary."""
    return _fixed(_NEGATIONS[negation])


_VOWELS = tuple("aeiouàâéèêîïôûœ")
_ELIDED = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'"}
_CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


def opens_with_vowel(french: str) -> bool:
    """Whether a French word begins with a vowel sound, so that the word before it is elided.

    >>> [opens_with_vowel(word) for word in ("homme", "héros", "école", "maison")]
    [True, False, True, False]
    """
    return french.startswith(_VOWELS) or french in lexicon.MUTE_H


def _spell_english(tokens: Sequence[Token]) -> list[Token]:
    """Write *an* before a vowel. No word of the lexicon is like *hour* or *university*."""
    following = [word for word, _ in tokens[1:]] + [""]
    return [
        ("an" if word == "a" and after.startswith(tuple("aeiou")) else word, meanings)
        for (word, meanings), after in zip(tokens, following, strict=True)
    ]


def _spell_french(tokens: Sequence[Token]) -> list[Token]:
    """Elide (*le homme* is *l'homme*), then contract (*de le roi* is *du roi*)."""
    following = [word for word, _ in tokens[1:]] + [""]
    spelt: list[Token] = []
    for (word, meanings), after in zip(tokens, following, strict=True):
        written = _ELIDED.get(word, word) if opens_with_vowel(after) else word
        contracted = _CONTRACTED.get((spelt[-1][0], written)) if spelt else None
        if contracted:
            spelt[-1] = (contracted, spelt[-1][1] | meanings)
        else:
            spelt.append((written, meanings))
    return spelt
