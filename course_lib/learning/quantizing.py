"""Weights in a quarter of the space: whole numbers of 8 bits, and one scale for each row. Built by hand in notebook 15.

Dettmers, Lewis, Belkada and Zettlemoyer 2022, arXiv:2208.07339, section 2.1, call it absmax quantization.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

LEVELS = 127  # the largest whole number; -128 is not used, so that both signs have as many
SCALE = ".scale"


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Round each row to whole numbers from -127 to 127, times a scale: the row's largest absolute value becomes 127.

    Takes a matrix (m, n). Returns the whole numbers (m, n), int8, and the scales (m, 1). The scale of a row of zeros
    is 1.

    >>> quantize_rows(torch.tensor([[0.5, -1.0, 0.25]]))
    (tensor([[  64, -127,   32]], dtype=torch.int8), tensor([[0.0079]]))
    """
    largest = weight.abs().amax(dim=1, keepdim=True)
    scale = torch.where(largest > 0, largest / LEVELS, torch.ones_like(largest))
    return (weight / scale).round().to(torch.int8), scale


def quantize(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Quantize each matrix among tensors, by their names; the others stay as they are.

    The whole numbers keep the matrix's name, and the scales stand beside them under that name with ``.scale``.
    """
    stored: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if weight.dim() == 2 and weight.is_floating_point():
            stored[name], stored[name + SCALE] = quantize_rows(weight)
        else:
            stored[name] = weight
    return stored


def dequantize(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undo `quantize`, up to half a level of each row."""
    return {
        name: tensor * stored[name + SCALE] if name + SCALE in stored else tensor
        for name, tensor in stored.items()
        if not name.endswith(SCALE)
    }
