"""What the heads of a translator's cross-attention read, compared with the true alignment. Used in notebook 08."""

from collections.abc import Sequence

import torch
from torch import Tensor

from course_lib.data.grammar import Pair
from course_lib.data.grammar.kinds import KINDS, nouns_of_determiners, word_kinds
from course_lib.scoring.metrics import Link

ITS_NOUN = "determiner: its noun"


def best_single_links(pair: Pair) -> set[Link]:
    """Link each French word to one of the English words that it is truly aligned with.

    No alignment with a single link for each French word is nearer to the true one, so its error rate is a floor.
    """
    return {(min(i for i, k in pair.alignment if k == j), j) for j in range(len(pair.french))}


def links_by_kind(weights: Sequence[Tensor], pairs: Sequence[Pair]) -> dict[str, Tensor]:
    """Count for each kind of word how often a head reads the right English word most.

    Args:
        weights: one layer's cross-attention on each pair, (H, T, S).
        pairs: the sentences, with S English and T French words.

    Returns for each kind of French word the share of words whose largest weight is on an English word that they are
    aligned with, and under `ITS_NOUN` the share of determiners whose largest weight is on their noun: (H,) each. Raises
    ValueError where the weights do not match the pairs.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in (*KINDS, ITS_NOUN)}
    for grids, pair in zip(weights, pairs, strict=True):
        if grids.dim() != 3 or tuple(grids.shape[1:]) != (len(pair.french), len(pair.english)):
            raise ValueError(
                f"weights should be (H, {len(pair.french)}, {len(pair.english)}), but their shape is "
                f"{tuple(grids.shape)}"
            )
        read = grids.argmax(dim=-1)  # (H, T)
        for j, kind in enumerate(word_kinds(pair)):
            found[kind].append(torch.tensor([(int(i), j) in pair.alignment for i in read[:, j]]))
        for j, noun in nouns_of_determiners(pair).items():
            found[ITS_NOUN].append(read[:, j] == noun)
    return {name: torch.stack(hits).double().mean(dim=0) for name, hits in found.items() if hits}
