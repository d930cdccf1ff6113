"""Text to words, words to ids, and back.

The course's own translator reads whole words. Characters, words and byte pairs are compared in notebook 03.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("[pad]", "[bos]", "[eos]", "[unk]")

_APOSTROPHES = str.maketrans("‘’", "''")
_CONTRACTION = re.compile(r"\b(do|does|did|is|are|was|were|has|have|had|could|should|would)n't\b")
_WORD = re.compile(
    r"""
    aujourd'hui
    | \b(?:[cdjlmnst]|qu)'(?=\w)   # an elided French word: l'homme, qu'elle
    | (?<=\w)'\w+                  # what English hangs on a word: the king's
    | \w+(?:-\w+)*
    | [^\w\s]                      # any other sign stands alone
    """,
    re.VERBOSE,
)
_NO_SPACE_BEFORE = frozenset(".,;:!?)]")
_NO_SPACE_AFTER = frozenset("([")


def words(text: str) -> list[str]:
    """Split a text into lower-case words, with punctuation apart.

    An elided French word keeps its apostrophe and is a word of its own (``l'``); English *didn't* becomes *did not*.
    Curly apostrophes become straight ones, and an accent typed as a second character joins its letter.

    >>> words("The detective didn't investigate.")
    ['the', 'detective', 'did', 'not', 'investigate', '.']
    >>> words("L’homme n'a pas enquêté aujourd'hui")
    ["l'", 'homme', "n'", 'a', 'pas', 'enquêté', "aujourd'hui"]
    """
    text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES).lower()
    return _WORD.findall(_CONTRACTION.sub(r"\1 not", text))


def join(words: Iterable[str]) -> str:
    """Write words as one text: the inverse of `words` for the grammar corpus.

    >>> join(["l'", "homme", "n'", "a", "pas", "enquêté", "."])
    "l'homme n'a pas enquêté."
    """
    if isinstance(words, str):
        raise TypeError(f"join takes a list of words, but got the string {words!r}")
    text = ""
    for word in words:
        hangs_on = word in _NO_SPACE_BEFORE or (word[:1] == "'" and len(word) > 1)
        leads_on = text == "" or text[-1] in _NO_SPACE_AFTER or (text[-1] == "'" and text[-2:-1].isalpha())
        text += word if hangs_on or leads_on else " " + word
    return text


@dataclass(frozen=True)
class Vocabulary:
    """A fixed list of words, each with an id: its place in the list, after the four special tokens.

    Ids 0 to 3 are ``[pad]``, ``[bos]`` (beginning of a sentence), ``[eos]`` (its end) and ``[unk]`` (unknown word).

    Args:
        words: the words in the order of their ids, without the special tokens.

    Raises:
        ValueError: a word stands twice in the list, or is a special token.

    >>> vocabulary = Vocabulary(("the", "detective"))
    >>> vocabulary.encode(["the", "detective", "sang"])
    [4, 5, 3]
    >>> vocabulary.decode([1, 4, 5, 2, 0])
    ['the', 'detective']
    """

    words: Sequence[str]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.words, str):
            raise TypeError(f"a vocabulary is made of a list of words, but got the string {self.words!r}")
        object.__setattr__(self, "words", tuple(self.words))
        twice = [word for word, count in Counter((*SPECIALS, *self.words)).items() if count > 1]
        if twice:
            raise ValueError(f"each word has one id, but {twice[0]!r} stands in the vocabulary twice")
        object.__setattr__(self, "_ids", {word: i for i, word in enumerate((*SPECIALS, *self.words))})

    @classmethod
    def from_sentences(cls, sentences: Iterable[Iterable[str]]) -> Vocabulary:
        """Make the vocabulary of some sentences, each a list of words: the commonest word first, ties by alphabet."""
        counts: Counter[str] = Counter()
        for sentence in sentences:
            counts.update(_list_of_words(sentence))
        return cls(tuple(sorted(counts, key=lambda word: (-counts[word], word))))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self)} words, the special tokens among them>"

    def encode(self, words: Iterable[str]) -> list[int]:
        """Give each word's id; a word outside the vocabulary gets ``UNK``."""
        return [self._ids.get(word, UNK) for word in _list_of_words(words)]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Give the words of some ids, up to the first ``[eos]`` and without special tokens.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        found = []
        for number in map(operator.index, ids):
            if not 0 <= number < len(self):
                raise ValueError(f"ids of this vocabulary go from 0 to {len(self) - 1}, but got {number}")
            if number == EOS:
                break
            if number >= len(SPECIALS):
                found.append(self.words[number - len(SPECIALS)])
        return found

    def unknown(self, words: Iterable[str]) -> list[str]:
        """Name the words that are not in the vocabulary, each once, in their order."""
        return list(dict.fromkeys(word for word in _list_of_words(words) if word not in self._ids))


def _list_of_words(words: Iterable[str]) -> Iterable[str]:
    if isinstance(words, str):
        raise TypeError(f"expected a list of words, but got the string {words!r}: split it with words(text) first")
    return words
