"""Helpers shared by several exercises of notebook 01."""

import math

import torch
from torch import Tensor

from course_lib.text.wording import with_minus_signs

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


def filled_number(weights: Tensor) -> float | None:
    """The number that an answer fills into hidden scores; None if it is too low to show, or hides nothing.

    Takes the weights (1, 2) that the answer gives for two scores of 0, of which the first is hidden.
    """
    hidden, shown = weights.double().flatten().tolist()
    return round(math.log(hidden / shown), 4) if hidden > 0 and shown > 0 else None


def about_filled_number(number: float) -> str:
    """Say that an answer fills a number into hidden scores that other scores may reach."""
    written = with_minus_signs(f"{number:g}")
    return (
        f"Your code fills the hidden scores with {written}. That is a score like any other, so hidden keys still get "
        "weight: fill in minus infinity."
    )
