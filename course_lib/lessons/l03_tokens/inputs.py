"""Types shared by several exercises of notebook 03: words (tuples of ids) with their counts, and pairs of ids."""

from collections.abc import Mapping

Words = Mapping[tuple[int, ...], int]
Pair = tuple[int, int]
