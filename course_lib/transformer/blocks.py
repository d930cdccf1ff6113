"""Attention without the whole table of weights: block by block, or within a window. Built by hand in notebook 16.

Rabe and Staats 2021, arXiv:2112.05682; Dao et al. 2022 (FlashAttention), arXiv:2205.14135, algorithm 1.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Running = tuple[Tensor, Tensor, Tensor]
"""What is kept of the keys so far: the largest score (..., T, 1), the sum of exponentials (..., T, 1) and the sum of
the values, each times its exponential, (..., T, d_v)."""


def online_softmax_step(maximum: Tensor, total: Tensor, mixed: Tensor, scores: Tensor, value: Tensor) -> Running:
    """Add one block of keys to a softmax that has not seen all of its scores yet.

        m' = max(m, largest score of the block)
        total' = exp(m - m') total + Σ exp(score - m')
        mixed' = exp(m - m') mixed + Σ exp(score - m') value

    Milakov and Gimelshein 2018, arXiv:1805.02867, section 3. It begins with a maximum of minus infinity and zeros, and
    in the end mixed / total is what attention gives. Built by hand in notebook 16.

    Takes what is kept so far, (..., T, 1), (..., T, 1) and (..., T, d_v); the scores of the block's S keys,
    (..., T, S), minus infinity for a key that is hidden; and the keys' values, (..., S, d_v). Returns the same three,
    longer by a block. A block in which all keys are hidden changes nothing.
    """
    largest = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))  # (..., T, 1)
    reference = largest.masked_fill(largest == -math.inf, 0.0)  # nothing has been seen yet: exp(-inf - 0) is 0
    shrink = torch.exp(maximum - reference)  # (..., T, 1)
    grown = torch.exp(scores - reference)  # (..., T, S)
    return largest, shrink * total + grown.sum(dim=-1, keepdim=True), shrink * mixed + grown @ value


def attend_in_blocks(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    block: int,
    mask: Tensor | None = None,
    *,
    step: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Running] = online_softmax_step,
) -> Tensor:
    """Attend without ever holding more than a block of the scores: `block` queries times `block` keys.

    The result is that of `scaled_dot_product_attention`, up to rounding; only the weights are never there as a whole.
    Dao et al. 2022, arXiv:2205.14135, algorithm 1, forward only. Built by hand in notebook 16.

    Takes queries (..., T, d_k), keys (..., S, d_k), values (..., S, d_v), the size of a block, and a mask (..., T, S),
    `True` where a query may attend. Returns (..., T, d_v). Raises ValueError for a block below 1.
    """
    if block < 1:
        raise ValueError(f"block is a number of tokens, 1 or more, but is {block}")
    scale = query.size(-1) ** -0.5
    done = []
    for start in range(0, query.size(-2), block):
        asking = query[..., start : start + block, :] * scale  # (..., b, d_k)
        maximum = asking.new_full((*asking.shape[:-1], 1), -math.inf)
        total = torch.zeros_like(maximum)
        mixed = asking.new_zeros(*asking.shape[:-1], value.size(-1))
        for first in range(0, key.size(-2), block):
            scores = asking @ key[..., first : first + block, :].mT  # (..., b, b)
            if mask is not None:
                allowed = mask[..., start : start + block, first : first + block]
                scores = scores.masked_fill(~allowed, -math.inf)
            maximum, total, mixed = step(maximum, total, mixed, scores, value[..., first : first + block, :])
        done.append(mixed / total)
    return torch.cat(done, dim=-2)


def sliding_window_mask(T: int, window: int) -> Tensor:
    """Let each token read itself and the `window` - 1 tokens before it: (T, T), `True` where it may.

    Beltagy, Peters and Cohan 2020 (Longformer), arXiv:2004.05150, section 3.1; causal as in Jiang et al. 2023 (Mistral
    7B), arXiv:2310.06825, section 2. Built by hand in notebook 16. Raises ValueError for a window below 1.

    >>> sliding_window_mask(4, 2).int()
    tensor([[1, 0, 0, 0],
            [1, 1, 0, 0],
            [0, 1, 1, 0],
            [0, 0, 1, 1]], dtype=torch.int32)
    """
    if window < 1:
        raise ValueError(f"window is a number of tokens, 1 or more, but is {window}")
    behind = torch.arange(T)[:, None] - torch.arange(T)  # how far each key is behind each query
    return (behind >= 0) & (behind < window)


def reach(layers: int, window: int) -> int:
    """Say how many tokens, itself included, can reach a token through so many layers with a sliding window.

    Each layer carries information `window` - 1 tokens further. Jiang et al. 2023, arXiv:2310.06825, section 2. Built by
    hand in notebook 16.

    >>> reach(layers=2, window=3)
    5
    """
    return layers * (window - 1) + 1
