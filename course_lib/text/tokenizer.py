"""What every tokenizer of the course can do, whatever it cuts a text into."""

from collections.abc import Iterable
from typing import Protocol


class Tokenizer(Protocol):
    """Turns a text into ids and back, and knows its own special ids.

    A special id stands for no part of a text. `pad` fills up the shorter texts of a batch, `bos` begins a text and
    `eos` ends it, `unk` stands for what the tokenizer does not know, and `mask` hides a token that a model has to
    guess. A tokenizer that lacks one of them says None. Nothing else in the library knows a special id by its number:
    it asks the tokenizer, or is told by argument.

    The course's tokenizers are `CharacterTokenizer`, `WordTokenizer` and `BytePairTokenizer`; `PretrainedTokenizer`
    wraps one of the `tokenizers` library.
    """

    @property
    def pad(self) -> int | None:
        """Fills up the shorter texts of a batch."""

    @property
    def bos(self) -> int | None:
        """Begins a text ("beginning of sequence")."""

    @property
    def eos(self) -> int | None:
        """Ends a text ("end of sequence")."""

    @property
    def unk(self) -> int | None:
        """Stands for what the tokenizer does not know."""

    @property
    def mask(self) -> int | None:
        """Hides a token that a model has to guess."""

    def __len__(self) -> int:
        """The size of the vocabulary, V, special ids included: every id is below it."""

    def encode(self, text: str) -> list[int]:
        """Turn a text into ids. No special id is added; write ``[t.bos, *t.encode(text), t.eos]`` where you need it."""

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into a text, up to the first `eos`. The other special ids are left out.

        Raises ValueError for an id that is not in the vocabulary.
        """

    def token(self, number: int) -> str:
        """Spell the token that has this id, for pictures and tables. Raises ValueError as `decode` does."""


def special_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Collect the special ids that a tokenizer has.

    >>> from course_lib.text.characters import CharacterTokenizer
    >>> sorted(special_ids(CharacterTokenizer.from_text("abc")))
    [0, 1, 2, 3]
    """
    ids = (tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.unk, tokenizer.mask)
    return frozenset(number for number in ids if number is not None)
