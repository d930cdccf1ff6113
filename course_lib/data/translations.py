"""English sentences with French translations, all written by people: by the volunteers of Tatoeba.

Fetch them once with ``fetch("translations")``: 142,787 pairs as of 2017-09-29, from tatoeba.org by way of
manythings.org/anki, under the licence CC BY 2.0 FR. Notebook 15 learns to translate from them.

Many English sentences have several translations, and many occur in several spellings: "I'm cold." and "I am cold.", or
with other names and numbers. If such twins were divided between training and test, a model would be praised for what it
has seen. `split` therefore keeps them together.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from course_lib.data.dividing import divide_at_random
from course_lib.data.fetching import path

NAMES = frozenset(
    """
    alice ann anna betty bill bob carol cathy charles chris cindy dan david dick ed emily emma frank fred george
    greg harry helen henry jack jackson jane jean jim jimmy joan joe john judy karen kate kelly ken linda lisa
    lucy mac marie mary max meg mike nancy nick pat paul peter ralph robert roger sally sam smith susan taro ted
    tim tom tony yoko yumi
    """.split()  # noqa: SIM905 - a list would fill two screens
)
"""First and family names that stand for any name when sentences are compared."""

_CONTRACTIONS = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "let's": "let us",
    "n't": " not",
    "'m": " am",
    "'re": " are",
    "'ll": " will",
    "'ve": " have",
    "'d": " would",
}
_CONTRACTION = re.compile(rf"(?:{'|'.join(_CONTRACTIONS)})\b")
_IS = re.compile(r"\b(he|she|it|that|this|there|here|who|what|where|how|when|why)'s\b")
_NAME_IS = re.compile(rf"\b({'|'.join(sorted(NAMES))})'s\b")
_NAME = re.compile(rf"\b(?:{'|'.join(sorted(NAMES))})\b")
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")
_BEFORE_MARK = re.compile(r"\s*([!?;»]+|:(?!\d))")
_AFTER_QUOTE = re.compile(r"«\s*")
_Words: TypeAlias = tuple[str, ...]
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "\u00ad": None, "\u200b": None, "‐": "-", "…": "..."})


@dataclass(frozen=True)
class SentencePair:
    """An English sentence and one French translation of it."""

    english: str
    french: str


@dataclass(frozen=True)
class Source:
    """An English sentence with all its French translations, of which a translator has seen none."""

    english: str
    references: tuple[str, ...]


def with_first_reference(sources: Iterable[Source]) -> list[SentencePair]:
    """Pair each English sentence with the first of its translations, as what a loss is measured on."""
    return [SentencePair(source.english, source.references[0]) for source in sources]


@dataclass(frozen=True)
class Split:
    """Pairs to learn from, and sources to choose settings by and to measure with."""

    train: list[SentencePair]
    validation: list[Source]
    test: list[Source]


def clean(text: str) -> str:
    """Write a sentence in one way: composed characters, straight apostrophes, single spaces.

    In French, a space stands before ``! ? : ;`` and inside « », of whatever kind it was.

    >>> clean("L’e\u0301te\u0301,  c'est fini\u202f!")
    "L'été, c'est fini !"
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES)
    return " ".join(text.split())


def clean_french(text: str) -> str:
    """Write a French sentence in one way: as `clean` does, with a space before ``! ? : ; »`` and after ``«``.

    >>> clean_french("«Non», dit-il?")
    '« Non », dit-il ?'
    """
    return clean(_AFTER_QUOTE.sub("« ", _BEFORE_MARK.sub(r" \1", text)))


def plain(text: str) -> str:
    """Reduce an English or French sentence to its words: lower case, no punctuation, English contractions written out.

    >>> plain("I'm cold!"), plain("Don't go, Tom.")
    ('i am cold', 'do not go tom')
    """
    lowered = clean(text).lower()
    if "'" in lowered or "cannot" in lowered:
        lowered = _IS.sub(r"\1 is", lowered)
        lowered = _CONTRACTION.sub(lambda match: _CONTRACTIONS[match[0]], lowered)
    return " ".join(_WORD.findall(lowered))


def group(english: str) -> str:
    """Give what all twins of a sentence have in common: its words, with `NAMES` and digits masked.

    >>> group("Tom is 3 years old.") == group("Mary's 42 years old!")
    True
    """
    masked = _NAME.sub("name", plain(_NAME_IS.sub(r"\1 is", clean(english).lower())))
    return _DIGITS.sub("0", masked)


def one_word_away(sentences: Iterable[str], known: Iterable[str]) -> set[str]:
    """Find the sentences that become a known one, or its twin, if one word at most is replaced, added or left out.

    Takes English sentences, and those that they are compared with. Returns those that are as close as that.

    >>> one_word_away(["I like tea.", "She sings."], ["I like coffee.", "He sang."])
    {'I like tea.'}
    """
    ours: defaultdict[_Words, set[str]] = defaultdict(set)
    with_gap: defaultdict[tuple[_Words, _Words], set[str]] = defaultdict(set)
    without_one: defaultdict[_Words, set[str]] = defaultdict(set)
    for sentence in sentences:
        words = tuple(group(sentence).split())
        ours[words].add(sentence)
        for before, after in _gaps(words):
            with_gap[before, after].add(sentence)
            without_one[before + after].add(sentence)
    found = set[str]()
    for key in dict.fromkeys(map(group, known)):
        words = tuple(key.split())
        found.update(ours.get(words, ()), without_one.get(words, ()))
        for before, after in _gaps(words):
            found.update(with_gap.get((before, after), ()), ours.get(before + after, ()))
    return found


def _gaps(words: _Words) -> list[tuple[_Words, _Words]]:
    """Give what stands before and after each word."""
    return [(words[:i], words[i + 1 :]) for i in range(len(words))]


@lru_cache(maxsize=1)
def load() -> tuple[SentencePair, ...]:
    """Read all different pairs, cleaned, in the order of the file.

    Raises:
        DataMissing: the pairs are not on this computer yet.
        DataBroken: their file is damaged.
    """
    lines = (path("translations") / "fra.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line)
    return tuple(dict.fromkeys(SentencePair(clean(english), clean_french(french)) for english, french in rows))


def split(seed: int = 0, validation: int = 1_000, test: int = 2_000) -> Split:
    """Divide the pairs at random, so that neither a sentence, nor a twin, nor its French is in two parts.

    What is divided are groups of twins (see `group`). From each group that is held out, one English sentence is taken,
    with all its translations. Pairs to learn from are left out where their French equals one of these in all words.

    For one seed, a larger test set contains a smaller one.

    Args:
        seed: what the order depends on.
        validation: how many sources are for choosing settings.
        test: how many sources are for measuring.

    Raises:
        ValueError: nothing would be left to learn from, or a number is below 0.
        DataMissing, DataBroken: as `load` does.
    """
    return divide(load(), seed, validation, test)


def divide(pairs: Iterable[SentencePair], seed: int, validation: int, test: int) -> Split:
    """Divide pairs as `split` divides the real ones. Raises ValueError as it does."""
    groups: dict[str, list[SentencePair]] = {}
    for pair in pairs:
        groups.setdefault(group(pair.english), []).append(pair)
    learned, chosen_by, measured = divide_at_random(
        [*groups.values()], f"translations/{seed}", validation, test, "sentences"
    )
    taken = {plain(pair.french) for twins in (*chosen_by, *measured) for pair in twins}
    train = [pair for twins in learned for pair in twins if plain(pair.french) not in taken]
    return Split(train, [*map(_source, chosen_by)], [*map(_source, measured)])


def _source(twins: Sequence[SentencePair]) -> Source:
    """Take the first English sentence of a group, with the translations of all that have the same words."""
    english = twins[0].english
    same = (pair.french for pair in twins if plain(pair.english) == plain(english))
    return Source(english, tuple(dict.fromkeys(same)))
