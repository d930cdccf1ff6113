"""The tokenizer that a pretrained model was trained with, read from its file by the `tokenizers` library."""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as HuggingFaceTokenizer

PRE_TOKENIZERS: dict[str, Callable[[], Any]] = {
    "smollm": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
}
"""How a text is cut before byte pairs are merged, by the names that GGUF files have for it."""


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

    @classmethod
    def from_merges(
        cls,
        tokens: Sequence[str],
        merges: Sequence[tuple[str, str]],
        special: Iterable[str],
        cut: str,
        **ids: int | None,
    ) -> "PretrainedTokenizer":
        """Make a tokenizer of byte pairs as a model's file describes it.

        Args:
            tokens: the vocabulary in the order of the ids, spelled as `byte_pairs.printable_bytes` does.
            merges: pairs of tokens in the order in which they were learned.
            special: the tokens that stand for no part of a text, such as "<|im_end|>".
            cut: the name of the way in which a text is cut first, one of `PRE_TOKENIZERS`.
            **ids: the ids of the special tokens that the course knows, such as ``pad=2``.

        Raises ValueError for another way to cut, or a merge of tokens that are not in the vocabulary.
        """
        if cut not in PRE_TOKENIZERS:
            raise ValueError(f"texts can be cut as {', '.join(PRE_TOKENIZERS)} does, but this file says {cut!r}")
        vocabulary = {token: number for number, token in enumerate(tokens)}
        try:
            library = HuggingFaceTokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f"the vocabulary and the merges do not belong together ({error})") from error
        library.pre_tokenizer = PRE_TOKENIZERS[cut]()
        library.decoder = decoders.ByteLevel()
        library.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
        return cls(library, **ids)

    def pieces(self, text: str) -> list[str]:
        """Cut a text into the pieces in which byte pairs are merged; joined, they are the text again."""
        if self.library.pre_tokenizer is None:
            return [text]
        spans = (span for _, span in self.library.pre_tokenizer.pre_tokenize_str(text))
        return [text[start:end] for start, end in spans]

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
