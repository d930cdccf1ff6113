"""Everyday sentences of the course's own, in English and French, made from patterns with slots.

Volunteers translate what comes to their minds, so that many everyday words occur only a few times in their sentences.
The files in `patterns`, each about a topic, a point of grammar or rarer words, list such words and sentences around
them. The translator of notebook 15 learned from both.

A file has four kinds of tables. `[words.room]` lists nouns, English = French with the article:

    "kitchen" = "la cuisine"
    "shelf, shelves" = "l'étagère f"

What the rules of `english_plural` and `french_plural` would get wrong stands after a comma; m or f says what the
article does not. `[adjectives.state]` lists masculine and feminine forms, "new" = "neuf, neuve", and the two plurals if
they are irregular. `[plain.city]` lists words that are put in as they are. `[patterns]` has the sentences:

    "Are the {furniture:s} in this {room} {state}?" = "{Les furniture} de {ce room} sont {state>furniture:s} ?"

{room} is a word of its group, {room:s} its plural, and {room2} another word of the same group. In French, {ce room}
puts a determiner before it ("cette cuisine"), {state>room} is an adjective that agrees with it, and so is
{fermé/fermée>room}; {un>room} is the determiner alone.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal, TypeAlias

from course_lib.data.translations import SentencePair, clean, clean_french
from course_lib.text.wording import capitalized

FOLDER = Path(__file__).with_name("patterns")
_SLOT = re.compile(r"\{([^{}]*)\}")
_DIGITS = "0123456789"
_VOWEL = re.compile(r"[aeiouàâéèêëîïôûœ]|y(?![aeiou])", re.IGNORECASE)
_PREPOSITION = re.compile(r" (?=(?:de|du|des|à|au|aux|en|pour|sans)\b|d')")
_ARTICLE = re.compile(r"\b([Aa])n? (?=\w)")
_BEFORE_AN = re.compile(r"[ai]|e(?!u)|o(?!ne\b)|u(?!ni[foqtv]|s[eu])|hour|hono|honest|heir", re.IGNORECASE)

# Before a masculine noun, a feminine one, and one in the singular that begins with a vowel.
_SINGULAR = {
    "le": ("le ", "la ", "l'"),
    "un": ("un ", "une ", ""),
    "du": ("du ", "de la ", "de l'"),
    "au": ("au ", "à la ", "à l'"),
    "ce": ("ce ", "cette ", ""),
    "mon": ("mon ", "ma ", "mon "),
    "ton": ("ton ", "ta ", "ton "),
    "son": ("son ", "sa ", "son "),
    "notre": ("notre ", "notre ", ""),
    "votre": ("votre ", "votre ", ""),
    "leur": ("leur ", "leur ", ""),
    "quel": ("quel ", "quelle ", ""),
}
_PLURAL = {
    **{
        each: (f"{each} ", f"{each} ")
        for each in ("les", "des", "aux", "ces", "mes", "tes", "ses", "nos", "vos", "leurs")
    },
    "quels": ("quels ", "quelles "),
}
_ELIDED = {"de": ("de ", "d'"), "que": ("que ", "qu'")}
_PLURAL_IN_S = {"bleu", "pneu", "landau", "bal", "carnaval", "chacal", "festival", "récital", "fatal", "final", "naval"}
_PLURAL_IN_X = {"bijou", "caillou", "chou", "genou", "hibou", "joujou", "pou"}

Gender = Literal["m", "f"]


@dataclass(frozen=True)
class Noun:
    """A noun in both languages.

    Args:
        english: its singular, or its plural if it has no singular in either language.
        english_plural: its plural.
        french: the same as `english`, without an article.
        french_plural: its plural.
        gender: "m" or "f".
        elides: whether le and la lose their vowel before it.
        only_plural: whether it has no singular.
    """

    english: str
    english_plural: str
    french: str
    french_plural: str
    gender: Gender
    elides: bool
    only_plural: bool = False


@dataclass(frozen=True)
class Adjective:
    """An adjective, or a word that does not change: masculine and feminine, singular and plural."""

    english: str
    forms: tuple[str, str, str, str]


Word: TypeAlias = Noun | Adjective


@dataclass(frozen=True)
class Topic:
    """The groups of words and the patterns of one file."""

    words: Mapping[str, Sequence[Word]]
    patterns: Mapping[str, str]


def english_plural(noun: str) -> str:
    """Form the regular plural.

    >>> english_plural("dish"), english_plural("city"), english_plural("key")
    ('dishes', 'cities', 'keys')
    """
    if re.search(r"(?:s|x|z|ch|sh)$", noun):
        return f"{noun}es"
    return re.sub(r"(?<=[^aeiou])y$", "ie", noun) + "s"


def french_plural(words: str) -> str:
    """Form the regular plural of a noun with its adjectives; what follows a preposition stays.

    >>> french_plural("salle de bain"), french_plural("carte postale"), french_plural("gâteau"), french_plural("cheval")
    ('salles de bain', 'cartes postales', 'gâteaux', 'chevaux')
    >>> french_plural("pneu"), french_plural("genou")
    ('pneus', 'genoux')
    """
    noun, *rest = _PREPOSITION.split(words, maxsplit=1)
    return " ".join([*map(_plural_of_word, noun.split()), *rest])


def _plural_of_word(word: str) -> str:
    if word in _PLURAL_IN_S:
        return f"{word}s"
    if word in _PLURAL_IN_X:
        return f"{word}x"
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith("al"):
        return f"{word[:-2]}aux"
    return f"{word}x" if word.endswith(("au", "eu")) else f"{word}s"


def noun(english: str, french: str) -> Noun:
    """Read a noun as the files write it. Raises ValueError where its gender is not said.

    >>> noun("shelf, shelves", "l'étagère f").french_plural
    'étagères'
    """
    one, *several = (each.strip() for each in english.split(","))
    singular, *plural = (each.strip() for each in french.split(","))
    marked = re.fullmatch(r"(le |la |l'|les )(.+?)( [mf])?", singular)
    if not marked or not (marked[3] or marked[1] in ("le ", "la ")):
        raise ValueError(f"the noun {french!r} should begin with le or la, or with l' or les and end with m or f")
    article, bare = marked[1], marked[2]
    gender: Gender = "f" if (marked[3] or article).strip() in ("f", "la") else "m"
    if article == "les ":
        return Noun(one, one, bare, bare, gender, bool(_VOWEL.match(bare)), only_plural=True)
    elides = article == "l'"
    return Noun(
        one,
        several[0] if several else english_plural(one),
        bare,
        plural[0] if plural else french_plural(bare),
        gender,
        elides,
    )


def adjective(english: str, french: str) -> Adjective:
    """Read an adjective as the files write it.

    >>> adjective("old", "vieux, vieille").forms
    ('vieux', 'vieille', 'vieux', 'vieilles')
    """
    forms = [each.strip() for each in french.split(",")]
    if len(forms) == 4:
        return Adjective(english, (forms[0], forms[1], forms[2], forms[3]))
    if len(forms) > 2:
        raise ValueError(f"the adjective {french!r} should have one form, two, or four")
    masculine, feminine = forms[0], forms[-1]
    return Adjective(english, (masculine, feminine, _plural_of_word(masculine), _plural_of_word(feminine)))


def read(file: Path) -> Topic:
    """Read a file of patterns. Raises ValueError, in one sentence, for what is not written as it should be."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    unknown = tables.keys() - {"words", "adjectives", "plain", "patterns"}
    if unknown:
        raise ValueError(
            f"{file.name} has a table {min(unknown)!r}, but only words, adjectives, plain and patterns fit"
        )
    words: dict[str, Sequence[Word]] = {}
    for name, group in tables.get("words", {}).items():
        words[name] = [noun(*each) for each in group.items()]
    for name, group in tables.get("adjectives", {}).items():
        words[name] = [adjective(*each) for each in group.items()]
    for name, group in tables.get("plain", {}).items():
        words[name] = [Adjective(english, (french,) * 4) for english, french in group.items()]
    if "patterns" not in tables:
        raise ValueError(f"{file.name} has no table of patterns")
    return Topic(words, tables["patterns"])


def load() -> list[Topic]:
    """Read all topics, in the order of their files' names."""
    return [read(file) for file in sorted(FOLDER.glob("*.toml"))]


def pairs(each: int = 12, seed: int = 0, topics: Sequence[Topic] | None = None) -> list[SentencePair]:
    """Write sentences after all patterns of some topics.

    Args:
        each: how many after one pattern at most; fewer where its words do not give as many.
        seed: what the choice of words depends on.
        topics: whose patterns; None for all that `load` reads.

    >>> pairs(each=1) == pairs(each=1)
    True
    """
    chance = random.Random(f"patterns/{seed}")
    written = (
        pair
        for topic in (load() if topics is None else topics)
        for english, french in topic.patterns.items()
        for pair in fill(english, french, topic.words, each, chance)
    )
    return [*dict.fromkeys(written)]


def fill(
    english: str, french: str, words: Mapping[str, Sequence[Word]], each: int, chance: random.Random
) -> list[SentencePair]:
    """Put words into a pattern's slots, at most `each` times, always other words.

    Raises ValueError, in one sentence, for a slot that cannot be filled.
    """
    try:
        slots = [*dict.fromkeys(_name_of(slot) for slot in _SLOT.findall(english))]
        groups = [words[slot.rstrip(_DIGITS)] for slot in slots]
    except KeyError as missing:
        raise ValueError(f"in {english!r}, the group {missing.args[0]!r} has no words") from None
    written: dict[SentencePair, None] = {}
    most = min(each, prod(map(len, groups)))
    for _ in range(20 * each):
        chosen = {slot: chance.choice(group) for slot, group in zip(slots, groups, strict=True)}
        if len({(slot.rstrip(_DIGITS), word) for slot, word in chosen.items()}) == len(slots):
            written[SentencePair(_in_english(english, chosen), _in_french(french, chosen))] = None
        if len(written) == most:
            break
    return [*written]


def _name_of(slot: str) -> str:
    return slot.removesuffix(":s")


def _in_english(pattern: str, chosen: Mapping[str, Word]) -> str:
    def written(match: re.Match[str]) -> str:
        word = chosen[_name_of(match[1])]
        if not match[1].endswith(":s"):
            return word.english
        if not isinstance(word, Noun):
            raise ValueError(f"in {pattern!r}, {match[0]} asks for a plural, but {word.english!r} is no noun")
        return word.english_plural

    text = _SLOT.sub(written, pattern)
    return clean(capitalized(_ARTICLE.sub(lambda match: _article(match[1], text[match.end() :]), text)))


def _article(a: str, following: str) -> str:
    """Write the article a or an, as the sound that follows asks for."""
    spelled_out = following[:2].isupper() and following[0] == "U"  # such as USB
    return f"{a}n " if _BEFORE_AN.match(following) and not spelled_out else f"{a} "


def _in_french(pattern: str, chosen: Mapping[str, Word]) -> str:
    def written(match: re.Match[str]) -> str:
        try:
            text = _french_slot(match[1], chosen)
        except KeyError as missing:
            raise ValueError(
                f"in {pattern!r}, {match[0]} names {missing.args[0]!r}, which is not in the English"
            ) from None
        return capitalized(text) if match[1][:1].isupper() else text

    return clean_french(capitalized(_SLOT.sub(written, pattern)))


def _french_slot(slot: str, chosen: Mapping[str, Word]) -> str:
    if ">" in slot:
        left, _, name = slot.partition(">")
        return _agreeing(left, name, chosen)
    determiner, _, name = slot.rpartition(" ")
    determiner = determiner.lower()
    word = chosen[_name_of(name)]
    several = name.endswith(":s") or determiner in _PLURAL
    bare = _form(word, several)
    if not determiner:
        return bare
    if determiner in _ELIDED:
        elides = word.elides if isinstance(word, Noun) and not several else bool(_VOWEL.match(bare))
        return _ELIDED[determiner][elides] + bare
    if not isinstance(word, Noun):
        raise ValueError(f"{{{slot}}} has a determiner, but {word.english!r} is no noun")
    return _determiner(determiner, word, word.elides) + bare


def _form(word: Word, several: bool) -> str:
    if isinstance(word, Noun):
        return word.french_plural if several else word.french
    return word.forms[2 * several]


def _determiner(determiner: str, word: Noun, elides: bool) -> str:
    if determiner in _PLURAL:
        return _PLURAL[determiner][word.gender == "f"]
    if determiner not in _SINGULAR:
        raise ValueError(f"{determiner!r} is none of the determiners {', '.join([*_SINGULAR, *_ELIDED, *_PLURAL])}")
    masculine, feminine, before_vowel = _SINGULAR[determiner]
    if determiner == "ce" and elides and word.gender == "m":
        return "cet "
    return (elides and before_vowel) or (feminine if word.gender == "f" else masculine)


def _agreeing(left: str, name: str, chosen: Mapping[str, Word]) -> str:
    """Write an adjective, or a determiner, so that it agrees with a noun."""
    word = chosen[_name_of(name)]
    if not isinstance(word, Noun):
        raise ValueError(f"{{{left}>{name}}} should agree with a noun, but {word.english!r} is none")
    several = name.endswith(":s") or word.only_plural
    if left.lower() in _SINGULAR or left.lower() in _PLURAL:
        return _determiner(left.lower(), word, elides=False).rstrip()
    if "/" in left:
        masculine, feminine = left.split("/")
        made = Adjective("", (masculine, feminine, _plural_of_word(masculine), _plural_of_word(feminine)))
    else:
        other = chosen[left]
        if isinstance(other, Noun):
            raise ValueError(f"{{{left}>{name}}} should have an adjective before the sign >, but {left} is a noun")
        made = other
    return made.forms[2 * several + (word.gender == "f")]
