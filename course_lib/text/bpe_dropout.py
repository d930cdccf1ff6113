"""Byte pairs with merges left out at random, so that a model meets a word in several ways of cutting it.

Provilkov, Emelianenko and Voita 2020, arXiv:1910.13267, *BPE-Dropout*. A rare word is then no longer known by one row
of pieces alone, and its pieces are learned from more words. Only for training: what is to be translated is cut with all
merges.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

from course_lib.text.byte_pairs import BytePairTokenizer, byte_ids, merge_pair, pieces


def apply_some_merges(
    word: Sequence[int], rank: Mapping[tuple[int, int], int], left_out: float, chance: random.Random
) -> list[int]:
    """Merge a word's ids in the order of learning, each pair left out with some probability before each merge.

    Provilkov et al. 2020, algorithm 1. Takes the ids of the word's bytes, the place of each pair in the order of
    learning, the probability, and the source of chance.

    >>> apply_some_merges((64, 64, 65), {(64, 64): 0}, 0.0, random.Random(0))
    [256, 65]
    >>> apply_some_merges((64, 64, 65), {(64, 64): 0}, 1.0, random.Random(0))
    [64, 64, 65]
    """
    ids = [*word]
    while True:
        fitting = [rank[pair] for pair in pairwise(ids) if pair in rank and chance.random() >= left_out]
        if not fitting:
            return ids
        earliest = min(fitting)
        pair = next(pair for pair in pairwise(ids) if rank.get(pair) == earliest)
        ids = merge_pair(ids, pair, 256 + earliest)


class TokenizerWithDropout(BytePairTokenizer):
    """A byte pair tokenizer that leaves merges out at random; its ids decode to the same text.

    Each word is cut in at most `ways` ways, and each time one of them is drawn: this costs little time, since most
    words come again and again.

    Args:
        merges: as `BytePairTokenizer` takes them.
        left_out: the probability that a merge is left out where it would fit; 0.1 in the paper.
        seed: what the choices depend on.
        ways: the most ways in which a word is cut.

    Raises ValueError for a probability that is not from 0 to 1.

    >>> merges = [(64, 64), (256, 64)]
    >>> TokenizerWithDropout(merges, left_out=0.0, seed=0).encode("aaab") == BytePairTokenizer(merges).encode("aaab")
    True
    """

    def __init__(self, merges: Sequence[tuple[int, int]], left_out: float, seed: int, ways: int = 16) -> None:
        if not 0 <= left_out <= 1:
            raise ValueError(f"left_out is a probability, from 0 to 1, but is {left_out}")
        super().__init__(merges)
        self.left_out, self.ways = left_out, ways
        self._chance = random.Random(seed)
        self._rank = {pair: k for k, pair in enumerate(self.merges)}
        self._ways_of: dict[str, list[list[int]]] = {}  # of each piece that was encoded before

    def encode(self, text: str) -> list[int]:
        """Turn a text into ids, with some merges left out."""
        ids: list[int] = []
        for piece in pieces(text):
            if piece not in self._ways_of:
                word = byte_ids(piece)
                self._ways_of[piece] = [
                    apply_some_merges(word, self._rank, self.left_out, self._chance) for _ in range(self.ways)
                ]
            ids += self._chance.choice(self._ways_of[piece])
        return ids
