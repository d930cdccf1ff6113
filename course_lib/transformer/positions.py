"""Positions: how a Transformer learns the order of its tokens. Built by hand in notebooks 03 and 04."""

import math
import operator
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn


def embed(ids: Tensor, table: Tensor) -> Tensor:
    """Look up each token's vector: ids (B, T) and a table (V, d_model) to (B, T, d_model).

    The same as a one-hot product, without the multiplications by 0. Built by hand in notebook 03.

    >>> embed(torch.tensor([[2, 0]]), torch.tensor([[1.0], [2.0], [3.0]]))
    tensor([[[3.],
             [1.]]])
    """
    return table[ids]


def sinusoidal(length: int, d_model: int) -> Tensor:
    """Write each position as the hands of `d_model / 2` clocks, from fast to slow.

        PE(pos, 2i) = sin(pos / 10000^(2i / d_model)),  PE(pos, 2i+1) = cos(pos / 10000^(2i / d_model))

    Vaswani et al. 2017, arXiv:1706.03762, section 3.5. Built by hand in notebook 04.

    Args:
        length: how many positions, counted from 0.
        d_model: width; even, since each clock has a sine and a cosine.

    Returns:
        (length, d_model), computed in float64 and rounded to torch's default dtype.

    Raises ValueError for an odd d_model, TypeError for a length that is no whole number.

    >>> sinusoidal(2, 4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 0.9999]])
    """
    positions = torch.arange(operator.index(length), dtype=torch.float64)  # (length,)
    angles = _angles(positions, d_model, base=10_000.0)  # (length, d_model / 2)
    table = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)  # (length, d_model)
    return table.to(torch.get_default_dtype())


def add_positions(
    x: Tensor, at: Tensor | None = None, *, positions: Callable[[int, int], Tensor] = sinusoidal
) -> Tensor:
    """Add to each token the row of a fixed table of positions: (B, T, d_model) to the same shape.

    `at` gives the positions of the tokens, (T,) or (B, T); None: 0, 1, 2, … `positions` gives the first rows of the
    table, (length, d_model), from a length and d_model.
    """
    length = x.size(1) if at is None else int(at.max()) + 1
    table = _remembered_table(positions, _rounded_up(length), x.size(-1), torch.get_default_dtype()).to(x)
    return x + (table[:length] if at is None else table[at])


def embed_with_positions(
    ids: Tensor,
    table: Tensor,
    at: Tensor | None = None,
    *,
    look_up: Callable[[Tensor, Tensor], Tensor] = embed,
    positions: Callable[[int, int], Tensor] = sinusoidal,
) -> Tensor:
    """Look tokens up, scale their vectors by √d_model, and add their positions.

    Vaswani et al. 2017, arXiv:1706.03762, sections 3.4 and 3.5. Built by hand in notebook 04.

    Takes ids (B, T), a table with a row for each token of the vocabulary, (V, d_model), how tokens are looked up in it,
    and what `add_positions` takes. Returns (B, T, d_model).
    """
    d_model = table.size(1)
    return add_positions(look_up(ids, table) * math.sqrt(d_model), at, positions=positions)  # (B, T, d_model)


class LearnedPositions(nn.Module):
    """A vector for each position, learned like those of the tokens, and added to them.

    Gehring et al. 2017, arXiv:1705.03122, section 3.1; BERT and GPT-2 have it. Built by hand in notebook 04. Takes the
    number of positions and the width of a token.
    """

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)

    def forward(self, x: Tensor, at: Tensor | None = None) -> Tensor:
        """Add to each token the vector of its position: (B, T, d_model) to the same shape.

        `at` gives the positions, (T,) or (B, T); None: 0, 1, 2, … Raises ValueError for more tokens than positions.
        """
        if x.size(1) > len(self.table):
            raise ValueError(f"at most {len(self.table)} tokens have a position, but {x.size(1)} came")
        return x + (self.table[: x.size(1)] if at is None else self.table[at])


class TokenEmbedding(nn.Module):
    """How the models after 2017 turn ids into vectors: look up, scale, add positions and segments, normalise.

    Devlin et al. 2019, arXiv:1810.04805, section 3.2. Each step is left out where nothing is handed in for it.

    Args:
        look_up: looks ids (B, T) up in a table (V, d_model).
        scale: what the vectors are multiplied by.
        positions: what adds positions, such as `LearnedPositions` or `add_positions`.
        segments: a vector for each kind of text that BERT tells apart, (kinds, d_model); all tokens here are of the
            first.
        norm: what normalises the sum.
    """

    def __init__(
        self,
        look_up: Callable[..., Tensor] = embed,
        *,
        scale: float = 1.0,
        positions: Callable[..., Tensor] | None = None,
        segments: Tensor | None = None,
        norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.look_up, self.scale = look_up, scale
        self.positions, self.norm = positions, norm
        self.segments = None if segments is None else nn.Parameter(segments)

    def forward(self, ids: Tensor, table: Tensor, at: Tensor | None = None) -> Tensor:
        """Embed ids (B, T) by a table (V, d_model), at positions (T,) or (B, T) or else 0, 1, 2, …: (B, T, d_model)."""
        x: Tensor = self.look_up(ids, table) * self.scale  # (B, T, d_model)
        if self.positions is not None:
            x = self.positions(x) if at is None else self.positions(x, at)
        if self.segments is not None:
            x = x + self.segments[0]
        if self.norm is not None:
            x = self.norm(x)
        return x


def rotary(x: Tensor, start: int = 0, base: float = 10_000.0) -> Tensor:
    """Rotate each pair of features by an angle that grows with the token's position.

    The dot product of a rotated query with a rotated key then depends on their distance only. Su et al. 2021,
    arXiv:2104.09864, section 3.2 and eq. 34. Unlike the paper, which rotates neighbours (1, 2), (3, 4) …, feature i
    rotates with feature i + d_k / 2, as Llama's weights expect: the same up to a fixed order of the features. Built by
    hand in notebook 04.

    Args:
        x: queries or keys, (..., T, d_k).
        start: the position of the first token.
        base: the slowest clock turns once in about `2π * base` tokens.

    Returns:
        (..., T, d_k), each vector as long as before.

    Raises ValueError for an odd d_k, or a start below 0.
    """
    cos, sin = _cosines_and_sines(start, x.size(-2), x.size(-1), base, x)  # (T, d_k / 2) each
    first, second = x.chunk(2, dim=-1)  # (..., T, d_k / 2) each
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)  # (..., T, d_k)


def alibi_bias(heads: int, T: int) -> Tensor:
    """Lower each score by the distance between query and key, in each head by a slope of its own.

        bias[h, i, j] = -2^(-8 (h + 1) / H) · |i - j|,  h = 0, …, H - 1

    "Attention with linear biases": added to the scores before the softmax, it takes the place of positions. Press,
    Smith and Lewis 2022, arXiv:2108.12409, section 3; there, keys to the right are masked, so the distance has no sign.
    Built by hand in notebook 17.

    Takes the number of heads, H, and of tokens. Returns (H, T, T). Raises TypeError for one that is no whole number.

    >>> alibi_bias(heads=2, T=3)[0]
    tensor([[-0.0000, -0.0625, -0.1250],
            [-0.0625, -0.0000, -0.0625],
            [-0.1250, -0.0625, -0.0000]])
    """
    slopes = 2.0 ** (-8 * torch.arange(1, operator.index(heads) + 1) / heads)  # (H,)
    at = torch.arange(operator.index(T))  # (T,)
    distance = (at[:, None] - at[None, :]).abs()  # (T, T)
    return -slopes[:, None, None] * distance  # (H, T, T)


def _angles(positions: Tensor, width: int, base: float) -> Tensor:
    """The angle of each of `width / 2` clocks at each position, in radians: (T,) to (T, width / 2)."""
    if width % 2:
        raise ValueError(f"positions come in pairs of features, so the width should be even, but it is {width}")
    exponents = torch.arange(0, width, 2, dtype=positions.dtype, device=positions.device) / width
    return positions[:, None] / base**exponents


def _cosines_and_sines(start: int, length: int, width: int, base: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the angles at `length` positions from `start` on, (length, width / 2) each.

    They are of the dtype of `like`, or of float32 where that has whole numbers.
    """
    if start < 0:
        raise ValueError(f"start is the position of the first token, 0 or more, but is {start}")
    dtype = torch.promote_types(like.dtype, torch.float32)
    cos, sin = _rotation_table(_rounded_up(start + length), width, base, dtype, like.device)
    end = start + length
    dtype = like.dtype if like.is_floating_point() else dtype
    return cos[start:end].to(dtype), sin[start:end].to(dtype)


# What follows is computed once and remembered, since models ask for it at each layer and step.


@lru_cache(maxsize=32)
@torch.inference_mode(mode=False)  # training may ask again for a table that was first asked for in inference mode
def _rotation_table(
    length: int, width: int, base: float, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor]:
    angles = _angles(torch.arange(length, dtype=dtype, device=device), width, base)  # (length, width / 2)
    return angles.cos(), angles.sin()


@lru_cache(maxsize=32)
def _remembered_table(positions: Callable[[int, int], Tensor], length: int, d_model: int, dtype: torch.dtype) -> Tensor:
    return positions(length, d_model).to(dtype)


def _rounded_up(length: int) -> int:
    """The next power of 2, at least 64, so that a text that grows seldom needs another table."""
    return max(64, 1 << (length - 1).bit_length())
