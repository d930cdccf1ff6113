"""Helpers shared by several exercises of notebook 01."""

import math

import torch
from torch import Tensor

Mask = Tensor | None
Pair = tuple[Tensor, Tensor]


def masked(scores: Tensor, mask: Mask) -> Tensor:
    """Set the scores at hidden positions to minus infinity."""
    return scores if mask is None else scores.masked_fill(~mask, -math.inf)


def attend(scores: Tensor, value: Tensor, mask: Mask) -> Pair:
    """Turn scores (..., T, S) into the output (..., T, d_v) and the weights (..., T, S)."""
    weights = torch.softmax(masked(scores, mask), -1)
    return weights @ value, weights


ALLOWED = torch.tensor([[True, True, False], [False, True, True]])
