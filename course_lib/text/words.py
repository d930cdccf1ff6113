"""Text in whole words: how the course's translator reads and writes.

Characters, words and byte pairs are compared in notebook 03.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from course_lib.text.vocabulary import Vocabulary, VocabularyTokenizer

_APOSTROPHES_AND_DOTS = str.maketrans({"‘": "'", "’": "'", "İ": "i"})  # in lower case, İ would be two characters
_CONTRACTION = re.compile(r"\b(do|does|did|is|are|was|were|has|have|had|could|should|would)n't\b")
_LETTER = r"[\w\u0300-\u036f]"  # or an accent that no single character has together with its letter
_WORD = re.compile(
    rf"""
    aujourd'hui
    | \b(?:[cdjlmnst]|qu)'(?=\w)              # an elided French word: l'homme, qu'elle
    | (?<=\w)'\w{_LETTER}*                     # an English ending: the king's
    | \w{_LETTER}*(?:-\w{_LETTER}*)*
    | [^\w\s]                                 # any other character is a token of its own
    """,
    re.VERBOSE,
)
_NO_SPACE_BEFORE = frozenset(".,;:!?)]")
_NO_SPACE_AFTER = frozenset("([")


def words(text: str) -> list[str]:
    """Split a text into lower-case words, with punctuation apart.

    An elided French word keeps its apostrophe and is a word of its own (``l'``); English *didn't* becomes *did not*.
    Curly apostrophes become straight ones, and an accent typed as a separate character is merged with its letter.

    >>> words("The detective didn't investigate.")
    ['the', 'detective', 'did', 'not', 'investigate', '.']
    >>> words("L’homme n'a pas enquêté aujourd'hui")
    ["l'", 'homme', "n'", 'a', 'pas', 'enquêté', "aujourd'hui"]
    """
    text = unicodedata.normalize("NFC", text).translate(_APOSTROPHES_AND_DOTS).lower()
    return _WORD.findall(_CONTRACTION.sub(r"\1 not", text))


def join(words: Iterable[str]) -> str:
    """Join words into a text. For sentences of the grammar corpus this undoes `words`.

    >>> join(["l'", "homme", "n'", "a", "pas", "enquêté", "."])
    "l'homme n'a pas enquêté."
    """
    if isinstance(words, str):
        raise TypeError(f"join takes a list of words, but got the string {words!r}")
    text = ""
    for word in words:
        follows_closely = word in _NO_SPACE_BEFORE or (word[:1] == "'" and len(word) > 1)
        after_opening = text == "" or text[-1] in _NO_SPACE_AFTER or (text[-1] == "'" and text[-2:-1].isalpha())
        text += word if follows_closely or after_opening else " " + word
    return text


@dataclass(frozen=True)
class WordTokenizer(VocabularyTokenizer):
    """Cuts a text into lower-case words and punctuation, as `words` does.

    >>> tokenizer = WordTokenizer.from_sentences([["le", "détective", "a", "enquêté"]])
    >>> tokenizer.encode("Le détective a dormi")
    [7, 5, 4, 3]
    >>> tokenizer.decode([tokenizer.bos, 7, 5, tokenizer.eos, tokenizer.pad])
    'le détective'
    """

    @classmethod
    def from_sentences(cls, sentences: Iterable[Iterable[str]]) -> WordTokenizer:
        """Number the words of some sentences, each a list of words: the most frequent first, ties alphabetically."""
        return cls(Vocabulary.from_sentences(sentences))

    @property
    def words(self) -> tuple[str, ...]:
        """All words of the vocabulary, in the order of their ids."""
        return tuple(self.vocabulary.tokens)

    @staticmethod
    def split(text: str) -> list[str]:
        """Split a text into words, as `words` does."""
        return words(text)

    @staticmethod
    def join(tokens: Iterable[str]) -> str:
        """Join words into a text, as `join` does."""
        return join(tokens)

    def decode_words(self, ids: Iterable[int]) -> list[str]:
        """Turn ids into a list of words, up to the first `eos` and without special tokens."""
        return self.vocabulary.decode(ids)
