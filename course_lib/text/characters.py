"""Text in characters: no word is unknown, and every text is long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from course_lib.text.vocabulary import Vocabulary, VocabularyTokenizer


@dataclass(frozen=True)
class CharacterTokenizer(VocabularyTokenizer):
    """Cuts a text into characters. The course's language model of Grimms' tales reads and writes this way.

    >>> tokenizer = CharacterTokenizer.from_text("a banana")
    >>> tokenizer.characters
    'an b'
    >>> tokenizer.encode("nab!")
    [5, 4, 7, 3]
    >>> tokenizer.decode([5, 4, 7])
    'nab'
    """

    @classmethod
    def from_text(cls, text: str) -> CharacterTokenizer:
        """Number the characters of a text: the most frequent first, ties by their code points.

        Raises TypeError for what is no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"expected a text, but got {text!r}: join it first")
        return cls(Vocabulary.from_sentences([list(text)]))

    @property
    def characters(self) -> str:
        """All characters of the vocabulary, in the order of their ids."""
        return "".join(self.vocabulary.tokens)

    @staticmethod
    def split(text: str) -> list[str]:
        """Split a text into its characters."""
        return list(text)

    @staticmethod
    def join(tokens: Iterable[str]) -> str:
        """Write characters one after another."""
        return "".join(tokens)
