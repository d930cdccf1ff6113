"""What heads read, as averages over the tokens that ask. Used in notebook 02."""

from torch import Tensor


def head_patterns(weights: Tensor) -> dict[str, Tensor]:
    """Measure which tokens each head reads, relative to the token that asks.

    The patterns are those of Clark et al. 2019, arXiv:1906.04341, section 3.

    Takes the weights of N layers of H heads on a text that begins and ends with a special token, (N, H, S, S). Returns
    for each pattern (N, H): the share of the weight on the "previous" token, the "next", the token "itself" and the two
    "ends"; and the "entropy" of the weights, in nats.

    >>> import torch
    >>> {name: round(score.item(), 2) for name, score in head_patterns(torch.full((1, 1, 20, 20), 1 / 20)).items()}
    {'previous': 0.05, 'next': 0.05, 'itself': 0.05, 'ends': 0.1, 'entropy': 3.0}
    """
    return {
        "previous": weights.diagonal(-1, -2, -1).mean(-1),
        "next": weights.diagonal(1, -2, -1).mean(-1),
        "itself": weights.diagonal(0, -2, -1).mean(-1),
        "ends": _of_ends(weights).mean(-1),
        "entropy": -(weights * weights.clamp(min=1e-30).log()).sum(-1).mean(-1),
    }


def share_of_ends(amounts: Tensor) -> float:
    """The share that the first and the last key have of what each query gets, averaged over all queries.

    Takes non-negative amounts for each query and key, (..., T, S): weights, or weights times the length of the values.
    """
    return (_of_ends(amounts) / amounts.sum(-1)).mean().item()


def _of_ends(amounts: Tensor) -> Tensor:
    """Add up the amounts of the first and the last key, (..., T, S) to (..., T). A single key is counted once."""
    return amounts[..., sorted({0, amounts.size(-1) - 1})].sum(-1)
