"""Weights of four bits: how they are packed, and unpacked. Built by hand in notebook 14."""

import torch
from torch import Tensor

BYTES_OF_BLOCK = 20
"""How many bytes a block of Q4_1 takes: two of the scale, two of the minimum, and half a byte for each number."""


def unpack_q4_1(blocks: Tensor) -> Tensor:
    """Unpack numbers of four bits: blocks of 20 bytes, (n, 20), to 32 numbers each, (n, 32).

        number_i = scale * q_i + minimum,  q_i from 0 to 15

    A block holds the scale and the minimum, float16 each, then 16 bytes: the lower four bits of byte i are q_i, the
    upper four are q_{i + 16}. GGML's type Q4_1, as `ggml-quants.c` of llama.cpp has it. Built by hand in notebook 14.

    Takes bytes of dtype uint8, and returns float32. Raises ValueError for other shapes or types.

    >>> scale_and_minimum = torch.tensor([0.5, -1.0], dtype=torch.float16).view(torch.uint8)
    >>> unpack_q4_1(torch.cat((scale_and_minimum, torch.full((16,), 0x2F, dtype=torch.uint8)))[None])[0, [0, 16]]
    tensor([6.5000, 0.0000])
    """
    if blocks.dtype != torch.uint8 or blocks.dim() != 2 or blocks.size(1) != BYTES_OF_BLOCK:
        raise ValueError(f"blocks should be (n, 20) of uint8, but are {tuple(blocks.shape)} of {blocks.dtype}")
    scale, minimum = blocks[:, :4].contiguous().view(torch.float16).float().chunk(2, dim=1)  # (n, 1) each
    packed = blocks[:, 4:]  # (n, 16)
    q = torch.cat((packed & 0x0F, packed >> 4), dim=1)  # (n, 32)
    return scale * q + minimum
