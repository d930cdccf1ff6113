"""The meaning of a sentence, expressed in English and in French, with the words aligned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course_lib.data.grammar import lexicon
from course_lib.data.grammar.lexicon import Adjective, Determiner, Noun, Phrase, Verb


@dataclass(frozen=True)
class Pair:
    """A sentence, its translation, and its word alignment: pairs of ``(english index, french index)``."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    alignment: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class NounPhrase:
    """A determiner, a noun, and its modifiers: *the old red book of the king*.

    Args:
        determiner: an article or the like, which also decides between singular and plural.
        noun: the head of the phrase.
        before: an adjective that precedes the French noun.
        after: an adjective that follows the French noun.
        of: the owner.
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
    """The meaning of one sentence, before it is expressed in either language.

    Args:
        subject: one phrase or pronoun, or two phrases joined by *and*.
        verb: the verb; None for *was*.
        negation: ``not``, ``never``, ``no longer``, ``not yet``, or empty.
        adverb: an adverb that precedes the English verb and follows the French auxiliary.
        manner: *well* or *badly*.
        object: the direct object.
        recipient: the person to whom something is given.
        adjective: the predicate after *was* or *became*.
        very: whether *very* precedes the adjective.
        after_verb: an adverb that follows the verb in both languages.
        alone: whether *alone* follows the verb; in French it agrees with the subject.
        company: the person after *with*.
        place: a preposition and a noun phrase.
        time: an expression of time.
        time_first: whether the sentence begins with the time.
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
        """Feminine only if every subject is: *la reine et la fille sont venues*, but *venus* with *le roi*."""
        return "f" if all(one.gender == "f" for one in self.subject) else "m"


Token = tuple[str, frozenset[object]]
"""A word and its meanings. Words of the two languages that share a meaning are aligned."""


class _Bilingual:
    """A phrase in both languages, each a list of tokens."""

    def __init__(self, english: Iterable[Token] = (), french: Iterable[Token] = ()) -> None:
        self.english, self.french = list(english), list(french)

    def __iadd__(self, other: _Bilingual) -> _Bilingual:
        self.english += other.english
        self.french += other.french
        return self


def express(clause: Clause) -> Pair:
    """Express a clause in English and in French, and align the words.

    *Not* is aligned with *ne* and *pas*, and *did* with the French auxiliary; without *did*, the English verb is
    aligned with both the auxiliary and the participle. If French contracts two words into one (*de le* to *du*), it is
    aligned with the English words of both.
    """
    result = _Bilingual()
    if clause.time and clause.time_first:
        result += _fixed_phrase(clause.time)
    for number, one in enumerate(clause.subject):
        if number:
            result += _translated("and", "et")
        result += _translated(one.english, one.french) if isinstance(one, Pronoun) else _noun_phrase(one)
    # "yet" comes at the end in English, "encore" after the auxiliary in French.
    yet = _fixed_phrase(lexicon.YET) if clause.negation == "not yet" else _Bilingual()
    result += _verb(clause, clause.verb, yet.french) if clause.verb else _was(clause, yet.french)
    if clause.adjective:
        if clause.very:
            result += _translated("very", "très")
        result += _adjective(clause.adjective, clause.gender, clause.plural)
    if clause.object:
        result += _noun_phrase(clause.object)
    if clause.recipient:
        result += _fixed_phrase(lexicon.TO)
        result += _noun_phrase(clause.recipient)
    if clause.after_verb:
        result += _fixed_phrase(clause.after_verb)
    if clause.alone:
        result += _translated("alone", lexicon.ALONE[_form_index(clause.gender, clause.plural)])
    if clause.company:
        result += _fixed_phrase(lexicon.WITH)
        result += _noun_phrase(clause.company)
    if clause.place:
        result += _fixed_phrase(clause.place[0])
        result += _noun_phrase(clause.place[1])
    result.english += yet.english
    if clause.time and not clause.time_first:
        result += _fixed_phrase(clause.time)
    english, french = _spell_english(result.english), _spell_french(result.french)
    links = {
        (i, j)
        for i, (_, english_meanings) in enumerate(english)
        for j, (_, french_meanings) in enumerate(french)
        if english_meanings & french_meanings
    }
    return Pair(tuple(word for word, _ in english), tuple(word for word, _ in french), frozenset(links))


def _tokens(text: str, *meanings: object) -> list[Token]:
    return [(word, frozenset(meanings)) for word in text.split()]


def _translated(english: str, french: str) -> _Bilingual:
    """Two expressions of which every word is aligned with every word of the other."""
    meaning = object()
    return _Bilingual(_tokens(english, meaning), _tokens(french, meaning))


def _fixed_phrase(phrase: Phrase) -> _Bilingual:
    links = [(object(), *map(int, link.split("-"))) for link in phrase.links.split()]
    return _Bilingual(
        [
            (word, frozenset(link for link, i, _ in links if i == position))
            for position, word in enumerate(phrase.english.split())
        ],
        [
            (word, frozenset(link for link, _, j in links if j == position))
            for position, word in enumerate(phrase.french.split())
        ],
    )


def _form_index(gender: str, plural: bool) -> int:
    """The index of a form in the order masculine, feminine, masculine plural, feminine plural."""
    return 2 * plural + (gender == "f")


def _adjective(adjective: Adjective, gender: str, plural: bool) -> _Bilingual:
    return _translated(adjective.english, adjective.forms.split(", ")[_form_index(gender, plural)])


def _noun_phrase(phrase: NounPhrase) -> _Bilingual:
    determiner, noun, plural, feminine = phrase.determiner, phrase.noun, phrase.plural, phrase.gender == "f"
    named = _translated(*((noun.plural, noun.french_plural) if plural else (noun.singular, noun.french_singular)))
    after = _adjective(phrase.after, noun.gender, plural) if phrase.after else _Bilingual()
    before = _adjective(phrase.before, noun.gender, plural) if phrase.before else _Bilingual()
    if phrase.before and phrase.before.liaison and not (plural or feminine) and opens_with_vowel(noun.french_singular):
        before = _translated(phrase.before.english, phrase.before.liaison)  # un vieil homme
    article = determiner.feminine if feminine else determiner.masculine
    if any(determiner.liaison) and opens_with_vowel((before.french + named.french)[0][0]):
        article = determiner.liaison[feminine]  # cet homme, son école
    if determiner.name == "some" and phrase.before:
        article = "de"  # de petites maisons
    opening = _translated(determiner.english, article)
    result = _Bilingual(
        opening.english + before.english + after.english + named.english,
        opening.french + before.french + named.french + after.french,
    )
    if phrase.of:
        result += _fixed_phrase(lexicon.OF)
        result += _noun_phrase(phrase.of)
    return result


def _was(clause: Clause, encore: list[Token]) -> _Bilingual:
    """*Was* with its negation and adverb: *was not often* is *n'était pas souvent*."""
    being = object()
    negation = _negation(clause.negation)
    adverb = _fixed_phrase(clause.adverb) if clause.adverb else _Bilingual()
    english = _tokens("were" if clause.plural else "was", being) + negation.english + adverb.english
    was = _tokens("étaient" if clause.plural else "était", being)
    return _Bilingual(english, negation.french[:1] + was + negation.french[1:] + encore + adverb.french)


def _verb(clause: Clause, verb: Verb, encore: list[Token]) -> _Bilingual:
    """The verb with the words around it: *did not often look for* is *n'a pas souvent cherché*."""
    doing, helping, leading = object(), object(), object()
    negation = _negation(clause.negation)
    adverb = _fixed_phrase(clause.adverb) if clause.adverb else _Bilingual()
    manner = _fixed_phrase(clause.manner) if clause.manner else _Bilingual()
    # "spoke to" and "parlé à" are aligned word by word; in "looked for" and "obéi à" both words are the verb's.
    link = leading if verb.particle and verb.preposition else doing

    if clause.negation in ("not", "not yet"):
        english = _tokens("did", helping) + negation.english + adverb.english + _tokens(verb.base, doing)
    else:
        english = negation.english + adverb.english + _tokens(verb.past, doing, helping)
    english += _tokens(verb.particle, link) + manner.english

    singular, plural = ("est", "sont") if verb.etre else ("a", "ont")
    auxiliary = _tokens(plural if clause.plural else singular, helping)
    ending = ("", "e", "s", "es")[_form_index(clause.gender, clause.plural)] if verb.etre else ""
    participle = _tokens(verb.participle + ending, doing)
    french = negation.french[:1] + auxiliary + negation.french[1:] + encore + adverb.french + manner.french
    return _Bilingual(english, french + participle + _tokens(verb.preposition, link))


_NEGATIONS = {
    "": Phrase("", "", ""),
    "not": Phrase("not", "ne pas", "0-0 0-1"),
    "not yet": Phrase("not", "ne pas", "0-0 0-1"),
    "never": Phrase("never", "ne jamais", "0-0 0-1"),
    "no longer": Phrase("no longer", "ne plus", "0-0 0-1 1-0 1-1"),
}


def _negation(negation: str) -> _Bilingual:
    """The English words, and the two French words that surround the auxiliary."""
    return _fixed_phrase(_NEGATIONS[negation])


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
    """Write *an* before a vowel. The lexicon has no words such as *hour* and *university*."""
    following = [word for word, _ in tokens[1:]] + [""]
    return [
        ("an" if word == "a" and after.startswith(tuple("aeiou")) else word, meanings)
        for (word, meanings), after in zip(tokens, following, strict=True)
    ]


def _spell_french(tokens: Sequence[Token]) -> list[Token]:
    """Elide (*le homme* becomes *l'homme*), then contract (*de le roi* becomes *du roi*)."""
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
