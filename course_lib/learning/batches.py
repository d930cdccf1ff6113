"""Examples of different lengths, put into batches with little padding and in random order."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

Example = Sequence[Sequence[int]]
"""One or more lists of ids that belong together, such as a source and a target."""


def batches_by_length(examples: Sequence[Example], batch_tokens: int, shuffle_seed: str) -> list[list[int]]:
    """Put examples of similar lengths into one batch, so that there is little padding.

    Vaswani et al. 2017, arXiv:1706.03762, section 5.1.

    Args:
        examples: what to put into batches.
        batch_tokens: the most ids that a padded batch may hold. A longer example gets a batch of its own.
        shuffle_seed: what the random order depends on.

    Returns:
        Batches of example numbers in random order, each example once. How many batches there are does not depend on
        the seed.

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


def collate(examples: Sequence[Example], pad: int | None = None, device: torch.device | None = None) -> list[Tensor]:
    """Turn a batch of examples into tensors: one tensor (B, longest) for each list of an example.

    Args:
        examples: B examples with the same number of lists.
        pad: the id that fills up shorter lists, such as `tokenizer.pad`; None where all have the same length.
        device: where the tensors are put.

    Raises:
        ValueError: lists have different lengths, and no id to fill them up was given.

    >>> collate([([4, 5], [6]), ([7], [8])], pad=0)
    [tensor([[4, 5], [7, 0]]), tensor([[6], [8]])]
    """
    return [pad_rows(lists, pad, device) for lists in zip(*examples, strict=True)]


def pad_rows(rows: Sequence[Sequence[int]], pad: int | None, device: torch.device | None = None) -> Tensor:
    """Put B lists of ids into one tensor (B, longest), shorter ones filled up with `pad` on the right.

    Raises ValueError as `collate` does.
    """
    longest = max(map(len, rows))
    if pad is None:
        if different := [len(row) for row in rows if len(row) != longest]:
            raise ValueError(
                f"lists of ids of one batch have {different[0]} and {longest} ids: say which id fills up the shorter "
                "ones, such as pad=tokenizer.pad"
            )
        return torch.tensor(rows, device=device)  # (B, longest)
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows], device=device)  # (B, longest)
