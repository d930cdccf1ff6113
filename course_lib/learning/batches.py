"""Examples of different lengths, in batches: little padding, in random order."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.text.words import PAD

Example = Sequence[Sequence[int]]
"""What is learned at once: one list of ids or more, such as a source and a target."""


def batches_by_length(examples: Sequence[Example], batch_tokens: int, shuffle_seed: str) -> list[list[int]]:
    """Put examples of like length into batches, so that little is padding (Vaswani et al. 2017, section 5.1).

    Takes examples, the most ids that a padded batch may hold, and what the order hangs on. Returns batches of example
    numbers, in random order, each example once; their number does not hang on the seed. An example longer than
    `batch_tokens` gets a batch of its own.

    >>> [len(batch) for batch in batches_by_length([([4],), ([4],), ([4, 5, 6],)], batch_tokens=3, shuffle_seed="0")]
    [2, 1]
    """
    chance = random.Random(shuffle_seed)
    lengths = [tuple(map(len, example)) for example in examples]
    order = list(range(len(examples)))
    chance.shuffle(order)
    order.sort(key=lambda i: lengths[i][::-1])
    batches: list[list[int]] = []
    longest: tuple[int, ...] = ()
    for i in order:
        longest = tuple(map(max, longest, lengths[i])) if longest else lengths[i]
        if batches and (len(batches[-1]) + 1) * sum(longest) <= batch_tokens:
            batches[-1].append(i)
        else:
            batches.append([i])
            longest = lengths[i]
    chance.shuffle(batches)
    return batches


def collate(examples: Sequence[Example], device: torch.device | None = None) -> list[Tensor]:
    """Fill the examples of a batch up to equal lengths: one tensor (B, longest) for each list of an example.

    >>> collate([([4, 5], [6]), ([7], [8])])
    [tensor([[4, 5], [7, 0]]), tensor([[6], [8]])]
    """
    columns = []
    for lists in zip(*examples, strict=True):
        longest = max(map(len, lists))
        columns.append(torch.tensor([[*ids, *[PAD] * (longest - len(ids))] for ids in lists], device=device))
    return columns
