"""The tokenizer that a pretrained model was trained with, read from its file by the `tokenizers` library."""

import operator
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from itertools import takewhile
from pathlib import Path

from tokenizers import Tokenizer as HuggingFaceTokenizer


@dataclass(frozen=True)
class PretrainedTokenizer:
    """A tokenizer of the `tokenizers` library under the course's names.

    Args:
        library: the library's tokenizer. It neither cuts nor pads: `from_file` sees to that.
        pad, bos, eos, unk, mask: the ids of its special tokens; None where it has no such token.
    """

    library: HuggingFaceTokenizer = field(repr=False)
    _: KW_ONLY
    pad: int | None = None
    bos: int | None = None
    eos: int | None = None
    unk: int | None = None
    mask: int | None = None

    @classmethod
    def from_file(cls, path: Path, **special_tokens: str) -> "PretrainedTokenizer":
        """Read a ``tokenizer.json``.

        Args:
            path: the file.
            **special_tokens: how its special tokens are spelled, such as ``pad="[PAD]"`` and ``bos="[CLS]"``.

        Raises:
            ValueError: the file is not one of a tokenizer, or the tokenizer does not know a special token.
        """
        try:
            library = HuggingFaceTokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f"{path} cannot be read as a tokenizer ({error})") from error
        # Some files say that every text is cut, or padded, to one length.
        library.no_truncation()
        library.no_padding()
        ids = {name: library.token_to_id(token) for name, token in special_tokens.items()}
        for name, number in ids.items():
            if number is None:
                raise ValueError(f"the tokenizer of {path} has no token {special_tokens[name]!r} for {name}")
        return cls(library, **ids)

    def __len__(self) -> int:
        size: int = self.library.get_vocab_size()
        return size

    def encode(self, text: str) -> list[int]:
        """Turn a text into ids. No special id is added."""
        ids: list[int] = self.library.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into a text, up to the first `eos` and without special tokens. ValueError for an unknown id.

        What the tokenizer takes off a text, such as capitals and accents, does not come back.
        """
        numbers = list(takewhile(lambda number: number != self.eos, map(operator.index, ids)))
        for number in numbers:
            self.token(number)
        text: str = self.library.decode(numbers, skip_special_tokens=True)
        return text

    def token(self, number: int) -> str:
        """Spell the token that has this id. Raises ValueError where none has."""
        token: str | None = self.library.id_to_token(number) if number >= 0 else None
        if token is None:
            raise ValueError(f"the ids of this tokenizer go from 0 to {len(self) - 1}, but got {number}")
        return token
