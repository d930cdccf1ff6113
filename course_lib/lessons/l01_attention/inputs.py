"""What several exercises of notebook 01 share."""

import math

import torch
from torch import Tensor

Mask = Tensor | None
Pair = tuple[Tensor, Tensor]


def masked(scores: Tensor, mask: Mask) -> Tensor:
    """Hide scores by minus infinity."""
    return scores if mask is None else scores.masked_fill(~mask, -math.inf)


def attend(scores: Tensor, value: Tensor, mask: Mask) -> Pair:
    """Attend by scores (..., T, S): the output and the weights."""
    weights = torch.softmax(masked(scores, mask), -1)
    return weights @ value, weights


ALLOWED = torch.tensor([[True, True, False], [False, True, True]])
