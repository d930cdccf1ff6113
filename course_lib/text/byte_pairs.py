"""Byte-pair encoding: text in the pieces that were frequent where it was learned. Built by hand in notebook 03.

Sennrich, Haddow and Birch 2016, arXiv:1508.07909, section 3.2; on bytes, so that no text is unknown, as in Radford et
al. 2019 (GPT-2), section 2.2. Short and slow: the `tokenizers` library does the same, with the same ids.

A *merge* is a pair of ids. The first 256 ids are the bytes; merge number k, counted from 0, makes the id 256 + k.
"""

import operator
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, takewhile

_PIECE = re.compile(r" ?\w+| ?[^\w\s]+|\s+")
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = [*_PRINTABLE, *(byte for byte in range(256) if byte not in _PRINTABLE)]
"""The byte that each of the first 256 ids stands for, in the order of GPT-2: printable ones first."""

_ID_OF_BYTE = {byte: i for i, byte in enumerate(BYTES)}

_CHARACTER_OF_BYTE = {
    byte: chr(byte if byte in _PRINTABLE else 256 + i - len(_PRINTABLE)) for i, byte in enumerate(BYTES)
}

SPECIAL_TOKENS = ("[pad]", "[bos]", "[eos]", "[mask]")


def pieces(text: str) -> list[str]:
    """Cut a text into words, each with the space before it, runs of punctuation, and other white space.

    Joined, they are the text again. A combining accent, a character of its own, is cut off: Python's ``\\w`` does not
    match it, though the same expression in `tokenizers` does.

    >>> pieces("The king's daughter.")
    ['The', ' king', "'", 's', ' daughter', '.']
    """
    return _PIECE.findall(text)


def byte_ids(piece: str) -> tuple[int, ...]:
    """Give the ids of a text's bytes.

    >>> len(byte_ids("é"))
    2
    """
    return tuple(_ID_OF_BYTE[byte] for byte in piece.encode("utf-8"))


def count_words(text: str) -> Counter[tuple[int, ...]]:
    """Count the pieces of a text, each as the ids of its bytes."""
    return Counter(map(byte_ids, pieces(text)))


def count_pairs(words: Mapping[tuple[int, ...], int]) -> dict[tuple[int, int], int]:
    """Count how often two ids are neighbours, given how often each word occurs in the text."""
    counts: Counter[tuple[int, int]] = Counter()
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] += times
    return dict(counts)


def merge_pair(word: Sequence[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """Replace the pair by `new_id` wherever it occurs in a word, from left to right."""
    first, second = pair
    merged: list[int] = []
    for i in word:
        if merged and merged[-1] == first and i == second:
            merged[-1] = new_id
        else:
            merged.append(i)
    return merged


def learn_merges(words: Mapping[tuple[int, ...], int], count: int) -> list[tuple[int, int]]:
    """Merge the most frequent pair, again and again; among equally frequent ones, the pair with the smallest ids.

    Takes how often each word occurs in the text, and how many merges to learn. Returns the merges in the order in which
    they were learned; fewer than `count` where no pair is left.
    """
    merges: list[tuple[int, int]] = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges


def apply_merges(word: Sequence[int], merges: Sequence[tuple[int, int]]) -> list[int]:
    """Merge a word's ids in the order of learning: the earliest merge that fits anywhere in the word comes first."""
    rank = {(first, second): k for k, (first, second) in enumerate(merges)}
    ids = list(word)
    while ranks := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        earliest = min(ranks)
        ids = merge_pair(ids, merges[earliest], 256 + earliest)
    return ids


def bpe_encode(text: str, merges: Sequence[tuple[int, int]]) -> list[int]:
    """Turn a text into ids.

    >>> bpe_encode("aaab", merges=[(64, 64), (256, 64)])
    [257, 65]
    """
    return [i for piece in pieces(text) for i in apply_merges(byte_ids(piece), merges)]


def bpe_decode(ids: Sequence[int], merges: Sequence[tuple[int, int]]) -> str:
    """Turn ids back into text. Bytes that do not form a whole character become the character �.

    Raises KeyError for an id that stands for no bytes.
    """
    table = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
    for first, second in merges:
        table[len(table)] = table[first] + table[second]
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")


def printable_bytes(piece: str) -> list[str]:
    """Write each byte of a text as one printable character, as GPT-2's vocabulary spells it: a space becomes Ġ.

    A byte that is printable stands for itself; the others, in their order, are the characters from number 256 on.

    >>> printable_bytes(" é")
    ['Ġ', 'Ã', '©']
    """
    return [_CHARACTER_OF_BYTE[byte] for byte in piece.encode("utf-8")]


def encode_piece(piece: str, vocabulary: Mapping[str, int], ranks: Mapping[tuple[str, str], int]) -> list[int]:
    """Turn a piece of text into ids by the vocabulary and the merges that a model's file brings along.

    The piece becomes one character for each byte. Then, again and again, the pair of neighbours that was learned
    earliest is joined wherever it occurs, from left to right. Radford et al. 2019 (GPT-2), section 2.2. Built by hand
    in notebook 14.

    Args:
        piece: a part of a text, usually a word with the space before it.
        vocabulary: token → id; tokens are spelled as in `printable_bytes`.
        ranks: pair of tokens → its place in the order of learning; the smallest was learned first.

    Raises KeyError for a token that is not in the vocabulary.

    >>> encode_piece(" a a", {"Ġ": 7, "a": 3, "Ġa": 5}, {("Ġ", "a"): 0})
    [5, 5]
    """
    tokens = printable_bytes(piece)
    while pairs := [pair for pair in pairwise(tokens) if pair in ranks]:
        first, second = min(pairs, key=ranks.__getitem__)
        joined: list[str] = []
        for token in tokens:
            if joined and (joined[-1], token) == (first, second):
                joined[-1] += token
            else:
                joined.append(token)
        tokens = joined
    return [vocabulary[token] for token in tokens]


class BytePairTokenizer:
    """Cuts a text into byte pairs, and has special ids that stand for no byte.

    The bytes have the ids 0 to 255, the merges those after them, and the special tokens the last ones. No text is
    unknown, so there is no `unk`.

    Args:
        merges: as `learn_merges` gives them; pairs may be lists, as JSON has them.
        special_tokens: which special tokens there are, in the order of their ids: some of "[pad]", "[bos]", "[eos]" and
            "[mask]".

    Raises:
        ValueError: there is no such special token, or one is named twice; or a merge is no pair of ids before it.

    >>> tokenizer = BytePairTokenizer([(64, 64), (256, 64)])
    >>> tokenizer.encode("aaab")
    [257, 65]
    >>> (tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.mask), len(tokenizer)
    ((258, 259, 260, 261), 262)
    >>> tokenizer.decode([259, 257, 65, 260, 258])
    'aaab'
    """

    def __init__(self, merges: Sequence[tuple[int, int]], special_tokens: Sequence[str] = SPECIAL_TOKENS) -> None:
        for token in special_tokens:
            if token not in SPECIAL_TOKENS or special_tokens.count(token) > 1:
                known = ", ".join(SPECIAL_TOKENS)
                raise ValueError(f"special_tokens should be different ones of {known}, but are {list(special_tokens)}")
        self.merges = [_checked_merge(pair, 256 + k) for k, pair in enumerate(merges)]
        self._bytes = [bytes([byte]) for byte in BYTES]  # what each id stands for
        for first, second in self.merges:
            self._bytes.append(self._bytes[first] + self._bytes[second])
        self._specials = {token: len(self._bytes) + i for i, token in enumerate(special_tokens)}
        self._known: dict[str, list[int]] = {}  # pieces that were encoded before: most come again and again

    @classmethod
    def from_text(cls, text: str, merges: int) -> "BytePairTokenizer":
        """Learn so many merges from a text."""
        return cls(learn_merges(count_words(text), merges))

    @property
    def pad(self) -> int | None:
        """The id of ``[pad]``, or None."""
        return self._specials.get("[pad]")

    @property
    def bos(self) -> int | None:
        """The id of ``[bos]``, or None."""
        return self._specials.get("[bos]")

    @property
    def eos(self) -> int | None:
        """The id of ``[eos]``, or None."""
        return self._specials.get("[eos]")

    @property
    def unk(self) -> None:
        """None: every text consists of bytes, and every byte has an id."""
        return None

    @property
    def mask(self) -> int | None:
        """The id of ``[mask]``, or None."""
        return self._specials.get("[mask]")

    def __len__(self) -> int:
        return len(self._bytes) + len(self._specials)

    def encode(self, text: str) -> list[int]:
        """Turn a text into ids, as `bpe_encode` does."""
        ids = []
        for piece in pieces(text):
            if piece not in self._known:
                self._known[piece] = apply_merges(byte_ids(piece), self.merges)
            ids += self._known[piece]
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids back into text, up to the first `eos` and without special tokens. ValueError for an unknown id.

        Bytes that do not form a whole character become the character �.
        """
        numbers = takewhile(lambda number: number != self.eos, map(operator.index, ids))
        return b"".join(map(self._bytes_of, numbers)).decode("utf-8", errors="replace")

    def token(self, number: int) -> str:
        """Spell the token that has this id; bytes that do not form a whole character are written as ``<e2 82>``."""
        for token, special in self._specials.items():
            if number == special:
                return token
        spelled = self._bytes_of(number)
        try:
            return spelled.decode("utf-8")
        except UnicodeDecodeError:
            return f"<{spelled.hex(' ')}>"

    def _bytes_of(self, number: int) -> bytes:
        """Give the bytes that an id stands for; a special one stands for none."""
        if not 0 <= number < len(self):
            raise ValueError(f"the ids of this tokenizer go from 0 to {len(self) - 1}, but got {number}")
        return self._bytes[number] if number < len(self._bytes) else b""


def _checked_merge(pair: Sequence[int], new_id: int) -> tuple[int, int]:
    """Give a merge as a tuple; ValueError where it is no pair of ids below `new_id`, which it makes."""
    if isinstance(pair, str) or len(pair) != 2 or not all(0 <= operator.index(part) < new_id for part in pair):
        raise ValueError(f"the merge that makes id {new_id} should be a pair of smaller ids, but is {pair!r}")
    first, second = map(operator.index, pair)
    return first, second
