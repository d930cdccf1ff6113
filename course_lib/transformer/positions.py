"""Positions: how a Transformer learns the order of its tokens. Built by hand in notebook 04."""

import torch
from torch import Tensor


def sinusoidal(length: int, d_model: int) -> Tensor:
    """Write each position as the hands of `d_model / 2` clocks, from fast to slow.

        PE(pos, 2i) = sin(pos / 10000^(2i / d_model)),  PE(pos, 2i+1) = cos(pos / 10000^(2i / d_model))

    Vaswani et al. 2017, arXiv:1706.03762, section 3.5.

    Args:
        length: how many positions, counted from 0.
        d_model: width; even, since each clock has a sine and a cosine.

    Returns:
        (length, d_model), computed in float64 and rounded to torch's default dtype.

    Raises ValueError for an odd d_model.

    >>> sinusoidal(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    angles = _angles(torch.arange(length, dtype=torch.float64), d_model, base=10_000.0)  # (length, d_model / 2)
    table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)  # (length, d_model)
    return table.to(torch.get_default_dtype())


def rotary(x: Tensor, offset: int = 0, base: float = 10_000.0) -> Tensor:
    """Turn each pair of features by an angle that grows with the token's position.

    The dot product of a turned query with a turned key then depends on their distance only. Su et al. 2021,
    arXiv:2104.09864, section 3.2 and eq. 34. Unlike the paper, which turns neighbours (1, 2), (3, 4) …, feature i turns
    with feature i + d_k / 2, as Llama's weights expect: the same up to a fixed order of the features.

    Args:
        x: queries or keys, (..., T, d_k).
        offset: the position of the first token.
        base: the slowest clock turns once in about `2π * base` tokens.

    Returns:
        (..., T, d_k), each vector as long as before.

    Raises ValueError for an odd d_k.
    """
    dtype = torch.promote_types(x.dtype, torch.float32)
    steps = torch.arange(offset, offset + x.size(-2), dtype=dtype, device=x.device)
    angles = _angles(steps, x.size(-1), base)  # (T, d_k / 2)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)  # (..., T, d_k / 2) each
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)  # (..., T, d_k)


def _angles(positions: Tensor, width: int, base: float) -> Tensor:
    """The angle of each of `width / 2` clocks at each position, in radians: (T,) to (T, width / 2)."""
    if width % 2:
        raise ValueError(f"positions come in pairs of features, so the width should be even, but it is {width}")
    exponents = torch.arange(0, width, 2, dtype=positions.dtype, device=positions.device) / width
    return positions[:, None] / base**exponents
