"""Byte-pair encoding: text in pieces that were frequent where it was learned. Built by hand in notebook 03.

Sennrich, Haddow and Birch 2016, arXiv:1508.07909, section 3.2; on bytes, so that no text is unknown, since Radford et
al. 2019 (GPT-2), section 2.2. Slow and short: the `tokenizers` library does the same, with the same ids.

A *merge* is a pair of ids. The first 256 ids are the bytes; the k-th merge makes the id 256 + k.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

_PIECE = re.compile(r" ?\w+| ?[^\w\s]+|\s+")
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = [*_PRINTABLE, *(byte for byte in range(256) if byte not in _PRINTABLE)]
"""The byte that each of the first 256 ids stands for, in the order of GPT-2: printable ones first."""

_ID_OF_BYTE = {byte: i for i, byte in enumerate(BYTES)}


def pieces(text: str) -> list[str]:
    """Cut a text into words, each with the space before it, signs, and other space. Joined, they are the text again.

    An accent that is a character of its own stands apart: Python's ``\\w`` leaves it out; in `tokenizers` it belongs.

    >>> pieces("The king's daughter.")
    ['The', ' king', "'", 's', ' daughter', '.']
    """
    return _PIECE.findall(text)


def byte_ids(piece: str) -> tuple[int, ...]:
    """The ids of a text's bytes.

    >>> len(byte_ids("é"))
    2
    """
    return tuple(_ID_OF_BYTE[byte] for byte in piece.encode("utf-8"))


def count_words(text: str) -> Counter[tuple[int, ...]]:
    """Count the pieces of a text, each as the ids of its bytes."""
    return Counter(map(byte_ids, pieces(text)))


def count_pairs(words: Mapping[tuple[int, ...], int]) -> dict[tuple[int, int], int]:
    """Count how often two ids stand side by side, given how often each word stands in the text."""
    counts: Counter[tuple[int, int]] = Counter()
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] += times
    return dict(counts)


def merge_pair(word: Sequence[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """Put `new_id` wherever the pair stands in a word, from left to right."""
    merged: list[int] = []
    for i in word:
        if merged and (merged[-1], i) == pair:
            merged[-1] = new_id
        else:
            merged.append(i)
    return merged


def learn_merges(words: Mapping[tuple[int, ...], int], count: int) -> list[tuple[int, int]]:
    """Merge the most frequent pair, again and again; of equally frequent ones the one with the smallest ids.

    Takes how often each word stands in the text, and how many merges to learn. Returns them in the order in which they
    were learned: fewer where no pair is left.
    """
    merges: list[tuple[int, int]] = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        words = {tuple(merge_pair(word, pair, 256 + len(merges))): times for word, times in words.items()}
        merges.append(pair)
    return merges


def apply_merges(word: Sequence[int], merges: Sequence[tuple[int, int]]) -> list[int]:
    """Merge a word's ids as it was learned: the merge learned first goes first, wherever in the word it stands."""
    rank = {pair: k for k, pair in enumerate(merges)}
    ids = list(word)
    while found := [rank[pair] for pair in pairwise(ids) if pair in rank]:
        ids = merge_pair(ids, merges[min(found)], 256 + min(found))
    return ids


def bpe_encode(text: str, merges: Sequence[tuple[int, int]]) -> list[int]:
    """Turn a text into ids.

    >>> bpe_encode("aaab", merges=[(64, 64), (256, 64)])
    [257, 65]
    """
    return [i for piece in pieces(text) for i in apply_merges(byte_ids(piece), merges)]


def bpe_decode(ids: Sequence[int], merges: Sequence[tuple[int, int]]) -> str:
    """Turn ids into the text again. Bytes that are no whole character become the sign �."""
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8", errors="replace")
