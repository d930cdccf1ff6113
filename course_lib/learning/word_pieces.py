"""Tags are of words, but an encoder reads pieces of words: which piece gets a word's label, and the way back.

    words   Grimms        wrote  tales
    pieces  Grimm  ##s    wrote  tales
    labels  B-PER  IGNORE O      O

As in Devlin et al. 2019, arXiv:1810.04805, section 5.3, the first piece of a word has the word's label, and the others
are ignored. Built by hand in notebook 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from course_lib.learning.losses import IGNORE
from course_lib.text.pretrained import PretrainedTokenizer

Value = TypeVar("Value")


class Pieces(NamedTuple):
    """A sentence in pieces.

    Attributes:
        ids: The S ids, special tokens included.
        word_of_piece: For each piece the number of its word; None for a special token.
    """

    ids: list[int]
    word_of_piece: list[int | None]


def cut_words(words: Sequence[str], tokenizer: PretrainedTokenizer) -> Pieces:
    """Cut the words of a sentence into pieces, between the tokens that begin and end a text, where there are such.

    A word of which the tokenizer leaves nothing, such as an invisible character, becomes its unknown token, so that
    every word has a piece.

    Raises TypeError for a string in place of a list of words, ValueError for a word of which nothing is left where the
    tokenizer has no unknown token.
    """
    if isinstance(words, str):
        raise TypeError(f"expected a list of words, but got the string {words!r}: put it in a list")
    ids: list[int] = [] if tokenizer.bos is None else [tokenizer.bos]
    word_of_piece: list[int | None] = [None] * len(ids)
    for number, word in enumerate(words):
        pieces = tokenizer.encode(word)
        if not pieces:
            if tokenizer.unk is None:
                raise ValueError(f"the tokenizer leaves nothing of the word {word!r}, and has no unknown token")
            pieces = [tokenizer.unk]
        ids += pieces
        word_of_piece += [number] * len(pieces)
    if tokenizer.eos is not None:
        ids.append(tokenizer.eos)
        word_of_piece.append(None)
    return Pieces(ids, word_of_piece)


def label_pieces(word_of_piece: Sequence[int | None], labels: Sequence[int]) -> list[int]:
    """Give the first piece of each word the label of the word, and let the other pieces and special tokens not count.

    Args:
        word_of_piece: for each of S pieces the number of its word; None for a special token.
        labels: a label for each word.

    Returns S labels, `IGNORE` where a piece does not count. Raises ValueError for a word without a label, or a label
    whose word has no piece.

    >>> label_pieces([None, 0, 0, 1, None], [3, 7])
    [-100, 3, -100, 7, -100]
    """
    _check_words(word_of_piece, len(labels))
    found: list[int] = []
    begun: set[int] = set()
    for word in word_of_piece:
        if word is None or word in begun:
            found.append(IGNORE)
        else:
            found.append(labels[word])
            begun.add(word)
    return found


def label_every_piece(word_of_piece: Sequence[int | None], labels: Sequence[int]) -> list[int]:
    """Give every piece of a word the word's label: not what BERT does, and what notebook 13 compares it with.

    A name's first word then begins as many names as it has pieces.

    Takes and raises the same as `label_pieces`.

    >>> label_every_piece([None, 0, 0, 1, None], [3, 7])
    [-100, 3, 3, 7, -100]
    """
    _check_words(word_of_piece, len(labels))
    return [IGNORE if word is None else labels[word] for word in word_of_piece]


def at_first_pieces(values: Sequence[Value], word_of_piece: Sequence[int | None], words: int) -> list[Value]:
    """Read what a model says of each word: what it says of the word's first piece, the only one it learned to label.

    Args:
        values: something for each of S pieces, such as the number of its likeliest tag.
        word_of_piece: for each piece the number of its word; None for a special token.
        words: how many words there are.

    Returns one value for each word. Raises ValueError where there is not one value for each piece, and as
    `label_pieces` does.

    >>> at_first_pieces(["?", "B-PER", "O", "O", "?"], [None, 0, 0, 1, None], words=2)
    ['B-PER', 'O']
    """
    if len(values) != len(word_of_piece):
        raise ValueError(f"each piece needs a value, but there are {len(word_of_piece)} and {len(values)} values")
    _check_words(word_of_piece, words)
    first: dict[int, Value] = {}
    for value, word in zip(values, word_of_piece, strict=True):
        if word is not None:
            first.setdefault(word, value)
    return [first[word] for word in range(words)]


def _check_words(word_of_piece: Sequence[int | None], words: int) -> None:
    """Refuse pieces that are not of all words, or of others."""
    found = sorted({word for word in word_of_piece if word is not None})
    if found != list(range(words)):
        raise ValueError(f"the pieces are of the words {found}, but there are {words} words, counted from 0")
