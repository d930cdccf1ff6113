"""What several exercises of notebook 03 are tried on."""

from collections.abc import Mapping

Words = Mapping[tuple[int, ...], int]
Pair = tuple[int, int]
