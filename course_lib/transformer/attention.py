"""Attention: how a token reads other tokens. Built by hand in notebooks 01 and 02.

Shapes use the course's letters: B batch, T tokens that ask (queries), S tokens that are asked (keys), H heads,
`d_k` and `d_v` the width of a head's keys and values. In every mask `True` means "may attend".
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Attention = Callable[[Tensor, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


def softmax(x: Tensor, dim: int) -> Tensor:
    """Turn numbers into shares: positive, in the same order, adding up to 1 along `dim`.

        softmax(x)_i = exp(x_i) / sum_j exp(x_j)

    The largest number is subtracted first. That changes no share, and keeps `exp` from overflowing.

    Takes any shape, and returns the same shape. Built by hand in notebook 00.

    >>> softmax(torch.tensor([1000.0, 1000.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    exponentials = (x - x.amax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


def attention_weights(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn each query's scores into weights that add up to 1 over the keys it may attend to.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3: what may not be attended to gets the score minus infinity
    before the softmax, so that the weights which remain still add up to 1.

    Takes scores (..., T, S), one row a query, and a mask as `check_mask` wants it. Returns the same shape: each row
    adds up to 1, and is exactly 0 where the mask is `False`.

    >>> attention_weights(torch.zeros(1, 3), torch.tensor([[True, True, False]]))
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    if mask is not None:
        check_mask(mask, scores.shape)
        scores = scores.masked_fill(~mask, -math.inf)
    return softmax(scores, dim=-1)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Look every query up among the keys, and return the mixture of values that it finds.

        Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1, eq. 1. Built by hand in notebook 01.

    Args:
        query: (..., T, d_k).
        key: (..., S, d_k).
        value: (..., S, d_v).
        mask: None, or booleans that broadcast to (..., T, S); `True` = may attend.

    Returns:
        output: (..., T, d_v), one mixture of values for each query.
        weights: (..., T, S), the share of each value in it; each row adds up to 1.

    Raises TypeError, ValueError for shapes that do not fit, or a mask that `check_mask` refuses.

    >>> key = torch.tensor([[8.0, 0.0], [0.0, 8.0]])
    >>> output, weights = scaled_dot_product_attention(key[:1], key, torch.tensor([[1.0], [2.0]]))
    >>> output
    tensor([[1.]])
    """
    d_k = query.size(-1)
    check_shapes(query, key, value, d_k)
    scores = query @ key.transpose(-2, -1) / math.sqrt(d_k)  # (..., T, S)
    weights = attention_weights(scores, mask)  # (..., T, S)
    return weights @ value, weights


def additive_attention(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Look queries up among keys with a small network for a score, as attention began in 2014.

        score(s, h) = v_aᵀ tanh(W_a s + U_a h)

    Bahdanau, Cho and Bengio 2015, arXiv:1409.0473, eqs. 5 and 6 and appendix A.1.2. Built by hand in notebook 01.

    Takes queries (..., T, d_query), the decoder's states s; keys (..., S, d_key), the encoder's states h; values
    (..., S, d_v), in the paper the keys themselves; the network W_a (d_a, d_query), U_a (d_a, d_key), v_a (d_a,); and a
    mask as `check_mask` wants it. Returns output (..., T, d_v) and weights (..., T, S).
    Raises TypeError, ValueError for shapes that do not fit, or a mask that `check_mask` refuses.
    """
    d_a = v_a.size(0)
    for name, matrix, width in (("W_a", W_a, query.size(-1)), ("U_a", U_a, key.size(-1))):
        if matrix.shape != (d_a, width):
            raise ValueError(f"{name} should be {(d_a, width)}, but its shape is {tuple(matrix.shape)}")
    check_shapes(query, key, value, d_key=key.size(-1))
    asked = (query @ W_a.mT).unsqueeze(-2)  # (..., T, 1, d_a)
    offered = (key @ U_a.mT).unsqueeze(-3)  # (..., 1, S, d_a)
    scores = torch.tanh(asked + offered) @ v_a  # (..., T, S)
    weights = attention_weights(scores, mask)  # (..., T, S)
    return weights @ value, weights


def causal_mask(T: int, device: torch.device | None = None) -> Tensor:
    """Let each token attend to itself and to what came before it: (T, T), `True` on and below the diagonal.

    Vaswani et al. 2017, section 3.2.3. Built by hand in notebook 06.

    >>> causal_mask(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return torch.ones(T, T, dtype=torch.bool, device=device).tril()


def padding_mask(ids: Tensor, pad: int) -> Tensor:
    """Hide padding from every head and every query: token ids (B, S) give a mask (B, 1, 1, S).

    The two axes of length 1 stand for the heads and the queries. Built by hand in notebook 07.

    >>> padding_mask(torch.tensor([[5, 7, 0]]), pad=0)
    tensor([[[[ True,  True, False]]]])
    """
    return (ids != pad)[..., None, None, :]


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut each token's vector into `heads` pieces: (B, T, d_model) to (B, H, T, d_model / H)."""
    if x.size(-1) % heads:
        raise ValueError(f"the last axis should divide into {heads} heads, but the shape is {tuple(x.shape)}")
    pieces = x.reshape(*x.shape[:-1], heads, -1)  # (B, T, H, d_k)
    return pieces.transpose(-3, -2)  # (B, H, T, d_k)


def merge_heads(x: Tensor) -> Tensor:
    """Put the heads of each token side by side again: (B, H, T, d_k) to (B, T, H * d_k)."""
    return x.transpose(-3, -2).flatten(-2)  # (B, T, H * d_k)


class MultiHeadAttention(nn.Module):
    """Several attentions at once, each reading the tokens through projections of its own.

        MultiHead(Q, K, V) = Concat(head_1, …, head_H) W_o,  head_i = Attention(Q W_q_i, K W_k_i, V W_v_i)

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2. Built by hand in notebook 02. Unlike the paper's, the
    projections have biases unless `bias=False`, as in BERT and GPT-2. With `kv_heads` below `heads`, groups of heads
    share keys and values (Ainslie et al. 2023, arXiv:2305.13245).

    Runs on torch's fused kernel, which never holds the weights, unless they are watched (`watch_attention`) or an
    attention other than the course's stands in.

    Each head is `d_k = d_model / heads` wide. `rotate`, for rotary positions, turns queries and keys after the split,
    (B, H, T, d_k) to the same shape; `attention` is what each head computes.
    Raises ValueError for widths or heads that do not divide.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        *,
        kv_heads: int | None = None,
        bias: bool = True,
        rotate: Callable[[Tensor], Tensor] | None = None,
        attention: Attention = scaled_dot_product_attention,
    ) -> None:
        super().__init__()
        kv_heads = heads if kv_heads is None else kv_heads
        if heads < 1 or d_model % heads:
            raise ValueError(f"d_model={d_model} should be a multiple of heads={heads}, so that each head is as wide")
        if kv_heads < 1 or heads % kv_heads:
            raise ValueError(f"heads={heads} should be a multiple of kv_heads={kv_heads}, so that each is shared alike")
        self.heads, self.kv_heads = heads, kv_heads
        self.rotate, self.attention = rotate, attention
        self.watcher: Callable[[Tensor], None] | None = None
        d_k = d_model // heads
        self.W_q = nn.Linear(d_model, d_model, bias)
        self.W_k = nn.Linear(d_model, kv_heads * d_k, bias)
        self.W_v = nn.Linear(d_model, kv_heads * d_k, bias)
        self.W_o = nn.Linear(d_model, d_model, bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let the tokens in `query` read those in `key` and `value`.

        Takes a query (B, T, d_model), key and value (B, S, d_model), and a mask that broadcasts to (B, H, T, S), as
        `padding_mask(ids, pad) & causal_mask(T)` does. Returns (B, T, d_model).

        Raises TypeError, ValueError for values that are not one a key, or a mask that `check_mask` refuses.
        """
        queries = split_heads(self.W_q(query), self.heads)  # (B, H, T, d_k)
        keys = split_heads(self.W_k(key), self.kv_heads)  # (B, kv_heads, S, d_k)
        values = split_heads(self.W_v(value), self.kv_heads)  # (B, kv_heads, S, d_k)
        if self.rotate is not None:
            queries, keys = self.rotate(queries), self.rotate(keys)
        if self.kv_heads < self.heads:
            shared_by = self.heads // self.kv_heads
            keys = keys.repeat_interleave(shared_by, dim=-3)  # (B, H, S, d_k)
            values = values.repeat_interleave(shared_by, dim=-3)  # (B, H, S, d_k)
        output: Tensor = self.W_o(merge_heads(self._attend(queries, keys, values, mask)))  # (B, T, d_model)
        return output

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        if self.watcher is None and self.attention is scaled_dot_product_attention:
            check_shapes(queries, keys, values, d_key=queries.size(-1))  # the kernel reads past the end of short values
            if mask is not None:
                check_mask(mask, torch.Size((*queries.shape[:-1], keys.size(-2))))
                mask = mask if mask.dim() > 1 else mask[None]  # the kernel takes no mask of one axis
            return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        mixed, weights = self.attention(queries, keys, values, mask)
        if self.watcher is not None:
            self.watcher(weights.detach())
        return mixed


@contextmanager
def watch_attention(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Keep the attention weights of every `MultiHeadAttention` in `model` while the block runs.

    Yields a dictionary that each forward pass fills: the part's name in the model, such as
    `"decoder.layers.0.cross_attention"`, to its latest weights, (B, H, T, S).
    """
    seen: dict[str, Tensor] = {}
    parts = {name: part for name, part in model.named_modules() if isinstance(part, MultiHeadAttention)}
    for name, part in parts.items():
        part.watcher = partial(seen.__setitem__, name)
    try:
        yield seen
    finally:
        for part in parts.values():
            part.watcher = None


def check_shapes(query: Tensor, key: Tensor, value: Tensor, d_key: int) -> None:
    """Refuse, with a ValueError, keys of another width than `d_key`, or values that are not one for each key."""
    if query.dim() < 2:
        raise ValueError(f"query should be (..., T, d_k), but its shape is {tuple(query.shape)}")
    if key.dim() < 2 or key.size(-1) != d_key:
        raise ValueError(f"key should be (..., S, d_k) with d_k={d_key}, but its shape is {tuple(key.shape)}")
    if value.dim() < 2 or value.size(-2) != key.size(-2):
        raise ValueError(f"value should be (..., S, d_v) with S={key.size(-2)}, but its shape is {tuple(value.shape)}")


def check_mask(mask: Tensor, scores_shape: torch.Size) -> None:
    """Refuse a mask that would go wrong in silence or give NaN.

    Raises:
        TypeError: it is not boolean.
        ValueError: it does not broadcast to scores (..., T, S), or hides every key from a query.
    """
    if mask.dtype != torch.bool:
        raise TypeError(f"mask should be boolean with True = may attend, but its dtype is {mask.dtype}")
    pairs = zip(reversed(mask.shape), reversed(scores_shape), strict=False)
    if mask.dim() > len(scores_shape) or any(size not in (1, wanted) for size, wanted in pairs):
        raise ValueError(f"mask should broadcast to {tuple(scores_shape)}, but its shape is {tuple(mask.shape)}")
    blind = ~mask.any(dim=-1)
    if blind.any():
        where = tuple(blind.nonzero()[0].tolist())
        raise ValueError(f"mask hides every key from the query at {where}; each query needs one that it may attend to")
