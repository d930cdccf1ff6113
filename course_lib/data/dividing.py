"""Divide examples at random into those to learn from, those to choose settings by, and those to measure with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def divide_at_random(
    items: Sequence[Item], seed: str, validation: int, test: int, name: str
) -> tuple[list[Item], list[Item], list[Item]]:
    """Divide items: what is left to learn from, and as many as asked for to choose settings by and to measure with.

    For one seed, a larger test set contains a smaller one.

    Takes the items, what their order depends on, how many are for validation and for the test, and what a message calls
    them. Raises ValueError where nothing would be left to learn from, or a number is below 0.

    >>> [len(part) for part in divide_at_random(range(10), "seed", 2, 3, "numbers")]
    [5, 2, 3]
    """
    if validation < 0 or test < 0 or validation + test >= len(items):
        raise ValueError(
            f"of {len(items):,} {name}, {validation:,} for validation and {test:,} for the test leave nothing to learn "
            "from: ask for fewer"
        )
    order = list(items)
    random.Random(seed).shuffle(order)
    return order[test + validation :], order[test : test + validation], order[:test]
