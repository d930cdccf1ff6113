"""Examples of different lengths, put into batches with little padding and in random order."""

import random
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

Example = Sequence[Sequence[int]]
"""One or more lists of ids that belong together, such as a source and a target."""


def check_examples(examples: Sequence[Example], name: str) -> None:
    """Refuse, with a TypeError or a ValueError, examples that are not tuples of lists of ids, all of as many lists.

    `name` is how messages call them.
    """
    for i, example in enumerate(examples):
        if not _is_listing(example) or not all(map(_is_listing, example)):
            raise TypeError(
                f"each of the {name} should be a tuple of lists of ids, such as ([4, 5, 6],), but number {i} is "
                f"{_shortened(example)}"
            )
        if len(example) != len(examples[0]) or not all(map(len, example)):
            lengths = [len(ids) for ids in example]
            raise ValueError(
                f"each of the {name} should have the same number of lists, {len(examples[0])}, none of them empty, but "
                f"number {i} has lists of lengths {lengths}"
            )
        for ids in example:
            fractions = isinstance(ids, Tensor) and ids.is_floating_point()
            if fractions or not all(hasattr(kind, "__index__") for kind in set(map(type, ids))):
                raise TypeError(f"ids are whole numbers, but number {i} of the {name} has {_shortened(ids)}")


def _is_listing(value: object) -> bool:
    """Whether something lists other things, and is no text."""
    if isinstance(value, str | bytes | Mapping):
        return False
    try:
        len(value)  # type: ignore[arg-type]
    except TypeError:  # a number, or a tensor or an array of a single one
        return False
    return True


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def batches_by_length(examples: Sequence[Example], batch_tokens: int, shuffle_seed: str) -> list[list[int]]:
    """Put examples of similar lengths into one batch, so that there is little padding.

    Vaswani et al. 2017, arXiv:1706.03762, section 5.1.

    Args:
        examples: what to put into batches.
        batch_tokens: the most ids that a padded batch may hold. A longer example gets a batch of its own.
        shuffle_seed: what the random order depends on.

    Raises ValueError for a `batch_tokens` below 1.

    Returns:
        Batches of example numbers in random order, each example once. How many batches there are does not depend on
        the seed.

    >>> [len(batch) for batch in batches_by_length([([4],), ([4],), ([4, 5, 6],)], batch_tokens=3, shuffle_seed="0")]
    [2, 1]
    """
    if not batch_tokens >= 1:
        raise ValueError(f"batch_tokens says how many ids a batch may hold, 1 or more, but is {batch_tokens}")
    chance = random.Random(shuffle_seed)
    lengths = [tuple(map(len, example)) for example in examples]
    order = list(range(len(examples)))
    chance.shuffle(order)
    order.sort(key=lambda i: lengths[i][::-1])
    batches = [[order[i] for i in batch] for batch in fill_batches([lengths[i] for i in order], batch_tokens)]
    chance.shuffle(batches)
    return batches


def fill_batches(lengths: Sequence[tuple[int, ...]], batch_tokens: int) -> list[list[int]]:
    """Fill batches in the order given, each with as many examples as fit. Built by hand in notebook 15.

    A padded batch holds as many ids as it has examples times the longest of each of their lists. An example that is too
    long for any batch gets one of its own.

    Takes for each example how long its lists are, such as (source, target), and the most ids of a batch. Returns
    batches of the examples' numbers.

    >>> fill_batches([(2, 2), (3, 2), (3, 4), (9, 9)], batch_tokens=14)
    [[0, 1], [2], [3]]
    """
    batches: list[list[int]] = []
    longest: tuple[int, ...] = ()
    for i, each in enumerate(lengths):
        longest = tuple(map(max, longest, each)) if longest else each
        if batches and (len(batches[-1]) + 1) * sum(longest) <= batch_tokens:
            batches[-1].append(i)
        else:
            batches.append([i])
            longest = each
    return batches


def of_similar_length(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Divide texts into groups of `size` whose lengths are similar, so that there is little padding: their numbers.

    Raises ValueError for a size below 1.

    >>> of_similar_length([9, 2, 8, 3, 7], size=2)
    [[1, 3], [4, 2], [0]]
    """
    if size < 1:
        raise ValueError(f"size says how many texts are in a group, 1 or more, but is {size}")
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    return [order[start : start + size] for start in range(0, len(order), size)]


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

    Raises ValueError as `collate` does, and for no lists at all.
    """
    if not rows:
        raise ValueError("there are no lists of ids to put into a batch")
    longest = max(map(len, rows))
    if pad is None:
        if different := [len(row) for row in rows if len(row) != longest]:
            raise ValueError(
                f"lists of ids of one batch have {different[0]} and {longest} ids: say which id fills up the shorter "
                "ones, such as pad=tokenizer.pad"
            )
        return torch.tensor(rows, device=device)  # (B, longest)
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows], device=device)  # (B, longest)
