"""A list of tokens, each with an id: what the tokenizers for characters and for words are built on."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("[pad]", "[bos]", "[eos]", "[unk]")


@dataclass(frozen=True)
class Vocabulary:
    """A fixed list of tokens. A token's id is its position in the list, counted after the four special tokens.

    Ids 0 to 3 are ``[pad]``, ``[bos]`` (beginning of a text), ``[eos]`` (its end) and ``[unk]`` (unknown token).

    Args:
        tokens: the tokens in the order of their ids, without the special ones.

    Raises:
        ValueError: a token occurs twice in the list, or is a special one.
        TypeError: a token is no string, or a string came in place of the list.

    >>> vocabulary = Vocabulary(("the", "detective"))
    >>> vocabulary.encode(["the", "detective", "sang"])
    [4, 5, 3]
    >>> vocabulary.decode([1, 4, 5, 2, 0])
    ['the', 'detective']
    """

    tokens: Sequence[str]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.tokens, str):
            raise TypeError(f"a vocabulary is made of a list of tokens, but got the string {self.tokens!r}")
        object.__setattr__(self, "tokens", tuple(_list_of_tokens(self.tokens)))
        counts = Counter((*SPECIALS, *self.tokens))
        if repeated := [token for token, count in counts.items() if count > 1]:
            raise ValueError(f"each token has one id, but {repeated[0]!r} is in the vocabulary twice")
        object.__setattr__(self, "_ids", {token: i for i, token in enumerate((*SPECIALS, *self.tokens))})

    @classmethod
    def from_sentences(cls, sentences: Iterable[Iterable[str]]) -> Self:
        """Collect the tokens of some sentences, each a list of tokens: the most frequent first, ties alphabetically."""
        counts: Counter[str] = Counter()
        for sentence in sentences:
            counts.update(_list_of_tokens(sentence))
        return cls(tuple(sorted(counts, key=lambda token: (-counts[token], token))))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self)} tokens, special ones included>"

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Give each token's id; a token outside the vocabulary gets the id of ``[unk]``."""
        return [self._ids.get(token, UNK) for token in _list_of_tokens(tokens)]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Give the tokens of some ids, up to the first ``[eos]`` and without special tokens.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        tokens = []
        for number in map(operator.index, ids):
            token = self.token(number)
            if number == EOS:
                break
            if number >= len(SPECIALS):
                tokens.append(token)
        return tokens

    def token(self, number: int) -> str:
        """Give the token that has this id. Raises ValueError where none has."""
        if not 0 <= number < len(self):
            raise ValueError(f"the ids of this vocabulary go from 0 to {len(self) - 1}, but got {number}")
        return SPECIALS[number] if number < len(SPECIALS) else self.tokens[number - len(SPECIALS)]

    def unknown(self, tokens: Iterable[str]) -> list[str]:
        """List the tokens that are not in the vocabulary, each once, in the order in which they first occur."""
        return list(dict.fromkeys(token for token in _list_of_tokens(tokens) if token not in self._ids))


def _list_of_tokens(tokens: Iterable[str]) -> Iterable[str]:
    if isinstance(tokens, str | bytes):
        raise TypeError(f"expected a list of tokens, but got the string {tokens!r}: split it first")
    tokens = list(tokens)
    for kind in set(map(type, tokens)):
        if not issubclass(kind, str):
            odd = next(token for token in tokens if type(token) is kind)
            raise TypeError(f"tokens are strings, but one of these is {odd!r}, a {kind.__name__}")
    return tokens


@dataclass(frozen=True)
class VocabularyTokenizer(ABC):
    """What `CharacterTokenizer` and `WordTokenizer` share: each of them only says how a text is split and joined."""

    vocabulary: Vocabulary

    @staticmethod
    @abstractmethod
    def split(text: str) -> list[str]:
        """Split a text into tokens."""

    @staticmethod
    @abstractmethod
    def join(tokens: Iterable[str]) -> str:
        """Join tokens into a text."""

    @property
    def pad(self) -> int:
        """The id of ``[pad]``."""
        return PAD

    @property
    def bos(self) -> int:
        """The id of ``[bos]``."""
        return BOS

    @property
    def eos(self) -> int:
        """The id of ``[eos]``."""
        return EOS

    @property
    def unk(self) -> int:
        """The id of ``[unk]``."""
        return UNK

    @property
    def mask(self) -> None:
        """None: the vocabulary has no token that hides another."""
        return None

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str | Iterable[str]) -> list[int]:
        """Turn a text into ids. A text that is split already, such as a sentence of the grammar, may come as a list.

        What is not in the vocabulary gets the id `unk`.
        """
        return self.vocabulary.encode(self._tokens(text))

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into a text, up to the first `eos` and without special tokens. ValueError for an unknown id."""
        return self.join(self.vocabulary.decode(ids))

    def token(self, number: int) -> str:
        """Spell the token that has this id. Raises ValueError where none has."""
        return self.vocabulary.token(number)

    def unknown(self, text: str | Iterable[str]) -> list[str]:
        """List the tokens of a text that are not in the vocabulary, each once."""
        return self.vocabulary.unknown(self._tokens(text))

    def _tokens(self, text: str | Iterable[str]) -> Iterable[str]:
        return self.split(text) if isinstance(text, str) else text
