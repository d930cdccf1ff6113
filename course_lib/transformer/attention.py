"""Attention: how a token reads other tokens. Built by hand in notebooks 01, 02, 06 and 07.

Shapes use the course's letters: B batch, T tokens that ask (queries), S tokens that are asked (keys), H heads,
`d_k` and `d_v` the width of a head's keys and values. In every mask `True` means "may attend".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Attention = Callable[[Tensor, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


def softmax(x: Tensor, dim: int) -> Tensor:
    """Turn numbers into shares: positive, in the same order, adding up to 1 along `dim`.

        softmax(x)_i = exp(x_i) / sum_j exp(x_j)

    The largest number is subtracted first. That changes no share, and keeps `exp` from overflowing.

    Takes any shape and returns the same shape. Built by hand in notebook 00.

    >>> softmax(torch.tensor([1000.0, 1000.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    exponentials = (x - x.amax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


# One query, then all of them: scores, weights, mixtures.


def attend_one_query(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mix the values by how well their keys match one query.

        output = Σ_j softmax(query · key_j) value_j

    Takes a query (d_k,), keys (S, d_k) and values (S, d_v); returns the mixture, (d_v,). Not scaled yet. Built by hand
    in notebook 01.

    >>> attend_one_query(torch.tensor([9.0, 0.0]), 9 * torch.eye(2), torch.tensor([[1.0], [2.0]]))
    tensor([1.])
    """
    scores = key @ query  # (S,)
    weights = softmax(scores, dim=0)  # (S,)
    return weights @ value  # (d_v,)


def dot_product_scores(query: Tensor, key: Tensor) -> Tensor:
    """Score every query against every key by their dot product: (..., T, d_k) and (..., S, d_k) to (..., T, S).

    Not scaled yet. Built by hand in notebook 01.

    >>> dot_product_scores(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[11.,  2.]])
    """
    return query @ key.mT  # (..., T, S)


def masked_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Turn each query's scores into weights that add up to 1 over the keys that the mask allows.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3: a key that must not be read gets the score minus infinity
    before the softmax, so that the remaining weights still add up to 1. Built by hand in notebook 06.

    Takes scores (..., T, S), one row per query, and a mask that broadcasts to them. Returns the same shape; a weight is
    exactly 0 where the mask is `False`.

    >>> masked_weights(torch.zeros(1, 3), torch.tensor([[True, True, False]]))
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    return softmax(scores.masked_fill(~mask, -math.inf), dim=-1)


def attention_weights(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Turn each query's scores into weights that add up to 1 over the keys.

    Takes scores (..., T, S), one row per query, and optionally a mask as `check_mask` requires it. Returns the same
    shape: each row adds up to 1. Built by hand in notebook 01.

    >>> attention_weights(torch.zeros(1, 4))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    if mask is None:
        return softmax(scores, dim=-1)
    check_mask(mask, scores.shape)
    return masked_weights(scores, mask)


def mix_values(weights: Tensor, value: Tensor) -> Tensor:
    """Mix the values by each query's weights: (..., T, S) and (..., S, d_v) to (..., T, d_v).

    Built by hand in notebook 01.

    >>> mix_values(torch.tensor([[0.5, 0.5]]), torch.tensor([[10.0], [20.0]]))
    tensor([[15.]])
    """
    return weights @ value  # (..., T, d_v)


def entropy_of_weights(weights: Tensor) -> Tensor:
    """Measure how widely each query spreads its weights, in nats: 0 for a single key, ln S for S equal ones.

        H = -Σ_j w_j ln w_j

    Shannon 1948, "A Mathematical Theory of Communication", section 6. A weight of 0 contributes 0. Takes weights
    (..., T, S) and returns (..., T). Built by hand in notebook 01.

    >>> entropy_of_weights(torch.tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor([0.6931, -0.0000])
    """
    logarithms = torch.where(weights > 0, weights, 1.0).log()  # (..., T, S)
    return -(weights * logarithms).sum(-1)  # (..., T)


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

    Raises TypeError or ValueError for shapes that do not fit, or for a mask that `check_mask` refuses.

    >>> key = torch.tensor([[8.0, 0.0], [0.0, 8.0]])
    >>> output, weights = scaled_dot_product_attention(key[:1], key, torch.tensor([[1.0], [2.0]]))
    >>> output
    tensor([[1.]])
    """
    d_k = query.size(-1)
    check_shapes(query, key, value, d_k)
    scores = dot_product_scores(query, key) / math.sqrt(d_k)  # (..., T, S)
    weights = attention_weights(scores, mask)  # (..., T, S)
    return mix_values(weights, value), weights


def additive_attention(
    query: Tensor, key: Tensor, value: Tensor, W_a: Tensor, U_a: Tensor, v_a: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Look queries up among keys with a small network as the score, as attention began in 2014.

        score(s, h) = v_aᵀ tanh(W_a s + U_a h)

    Bahdanau, Cho and Bengio 2015, arXiv:1409.0473, eqs. 5 and 6 and appendix A.1.2. Built by hand in notebook 01.

    Takes queries (..., T, d_query), the decoder's states s; keys (..., S, d_key), the encoder's states h; values
    (..., S, d_v), in the paper the keys themselves; the network W_a (d_a, d_query), U_a (d_a, d_key), v_a (d_a,); and a
    mask as `check_mask` requires it. Returns the output (..., T, d_v) and the weights (..., T, S).
    Raises TypeError or ValueError for shapes that do not fit, or for a mask that `check_mask` refuses.
    """
    d_a = v_a.size(0)
    for name, matrix, width in (("W_a", W_a, query.size(-1)), ("U_a", U_a, key.size(-1))):
        if matrix.shape != (d_a, width):
            raise ValueError(f"{name} should be {(d_a, width)}, but its shape is {tuple(matrix.shape)}")
    check_shapes(query, key, value, d_key=key.size(-1))
    of_queries = (query @ W_a.mT).unsqueeze(-2)  # (..., T, 1, d_a)
    of_keys = (key @ U_a.mT).unsqueeze(-3)  # (..., 1, S, d_a)
    scores = torch.tanh(of_queries + of_keys) @ v_a  # (..., T, S)
    weights = attention_weights(scores, mask)  # (..., T, S)
    return mix_values(weights, value), weights


# Masks.


def causal_mask(T: int, device: torch.device | None = None) -> Tensor:
    """Let each token attend to itself and to the tokens before it: (T, T), `True` on and below the diagonal.

    Vaswani et al. 2017, section 3.2.3. Built by hand in notebook 06.

    >>> causal_mask(3).int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    if not hasattr(T, "__index__") or (isinstance(T, Tensor) and T.dim() > 0):
        given = f"a tensor of shape {tuple(T.shape)}" if isinstance(T, Tensor) else repr(T)
        raise TypeError(f"T should be a whole number of tokens, but is {given}")
    return torch.ones(T, T, dtype=torch.bool, device=device).tril()


def padding_mask(ids: Tensor, pad: int) -> Tensor:
    """Hide padding from every head and every query: token ids (B, S) give a mask (B, 1, 1, S).

    The two axes of length 1 stand for the heads and the queries. Built by hand in notebook 07.

    >>> padding_mask(torch.tensor([[5, 7, 0]]), pad=0)
    tensor([[[[ True,  True, False]]]])
    """
    if not isinstance(ids, Tensor):
        raise TypeError(f"ids should be a tensor (B, S), but are a {type(ids).__name__}: write torch.tensor(ids)")
    return (ids != pad)[..., None, None, :]


# Heads.


def split_heads(x: Tensor, heads: int) -> Tensor:
    """Cut each token's vector into `heads` pieces: (B, T, d_model) to (B, H, T, d_model / H).

    Built by hand in notebook 02. Raises ValueError where d_model is no multiple of `heads`.

    >>> split_heads(torch.tensor([[[1, 2, 3, 4]]]), heads=2)
    tensor([[[[1, 2]],
    <BLANKLINE>
             [[3, 4]]]])
    """
    if x.size(-1) % heads:
        raise ValueError(f"the last axis should divide into {heads} heads, but the shape is {tuple(x.shape)}")
    pieces = x.reshape(*x.shape[:-1], heads, x.size(-1) // heads)  # (B, T, H, d_k)
    return pieces.transpose(-3, -2)  # (B, H, T, d_k)


def merge_heads(x: Tensor) -> Tensor:
    """Put the heads of each token side by side again: (B, H, T, d_k) to (B, T, H * d_k).

    Built by hand in notebook 02.

    >>> merge_heads(torch.tensor([[[[1, 2]], [[3, 4]]]]))
    tensor([[[1, 2, 3, 4]]])
    """
    return x.transpose(-3, -2).flatten(-2)  # (B, T, H * d_k)


def repeat_heads(x: Tensor, times: int) -> Tensor:
    """Copy each head of keys or values for the query heads that share it: (B, kv_heads, S, d_k) to (B, H, S, d_k).

    The copies of a head are neighbours: query head h reads head h // times. Ainslie et al. 2023, arXiv:2305.13245,
    section 2.2. Built by hand in notebook 14.

    >>> repeat_heads(torch.tensor([[[[1.0]], [[2.0]]]]), 2).flatten()
    tensor([1., 1., 2., 2.])
    """
    return x.repeat_interleave(times, dim=-3)


def attend_in_heads(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    *,
    attention: Attention = scaled_dot_product_attention,
    split: Callable[[Tensor, int], Tensor] = split_heads,
    merge: Callable[[Tensor], Tensor] = merge_heads,
) -> Tensor:
    """Attend in each head separately, and put the results of the heads side by side.

    `MultiHeadAttention` without its projections. Takes queries (B, T, d_model), keys and values (B, S, d_model);
    returns (B, T, d_model). Built by hand in notebook 02.
    """
    queries, keys, values = split(query, heads), split(key, heads), split(value, heads)  # (B, H, T or S, d_k)
    mixed, _ = attention(queries, keys, values, None)  # (B, H, T, d_k)
    return merge(mixed)  # (B, T, d_model)


def multi_head_parameter_count(d_model: int, heads: int) -> int:
    """Count the parameters of `MultiHeadAttention`, biases included. The number of heads makes no difference.

    Built by hand in notebook 02.

    >>> multi_head_parameter_count(512, 8)
    1050624
    """
    d_k = d_model // heads
    of_one_head = 3 * (d_model * d_k + d_k)
    of_the_output = d_model * d_model + d_model
    return heads * of_one_head + of_the_output


class Cache(Protocol):
    """What `MultiHeadAttention` asks of a key–value cache, as `course_lib.transformer.cache` has it."""

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Do what `MultiHeadAttention.project` does, for tokens that continue those in the cache."""
        ...

    def attend_one(self, queries: Tensor) -> Tensor | None:
        """Let one query of each head, (B, H, 1, d_k), attend to all that was read: (B, H, 1, d_k).

        None where the cache knows no faster way than the kernel.
        """
        ...


@dataclass(frozen=True)
class Reading:
    """What was read in an attention of several heads.

    Args:
        weights: (B, H, T, S).
        queries: (B, H, T, d_k), rotated where the positions are rotary; None where the attention does not show them.
        keys: (B, H, S, d_k), likewise.
        values: (B, H, S, d_v), likewise.
    """

    weights: Tensor
    queries: Tensor | None = None
    keys: Tensor | None = None
    values: Tensor | None = None


class MultiHeadAttention(nn.Module):
    """Several attentions at once, each reading the tokens through projections of its own.

        MultiHead(Q, K, V) = Concat(head_1, …, head_H) W_o,  head_i = Attention(Q W_q_i, K W_k_i, V W_v_i)

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2. Built by hand in notebook 02. Unlike the paper's, the
    projections have biases unless `bias=False`, as in BERT and GPT-2. Each head is `d_k = d_model / heads` wide.

    Args:
        d_model: width of a token's vector.
        heads: number of heads, H.
        kv_heads: number of heads of keys and values, each shared by a group of query heads (Ainslie et al. 2023,
            arXiv:2305.13245); None: as many as `heads`.
        bias: whether the projections add a bias.
        rotate: rotary positions, a function of queries or keys (B, H, T, d_k) and the position of the first of them.
        attention: what each head computes. For the course's own, torch's fused kernel stands in unless somebody
            watches (`watch_attention`); it gives the same output without holding the weights.
        split: how vectors are cut into heads.
        merge: how the heads' results are put side by side.

    Raises ValueError for widths or heads that do not divide.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        *,
        kv_heads: int | None = None,
        bias: bool = True,
        rotate: Callable[[Tensor, int], Tensor] | None = None,
        attention: Attention = scaled_dot_product_attention,
        split: Callable[[Tensor, int], Tensor] = split_heads,
        merge: Callable[[Tensor], Tensor] = merge_heads,
    ) -> None:
        super().__init__()
        kv_heads = heads if kv_heads is None else kv_heads
        if heads < 1 or d_model % heads:
            raise ValueError(
                f"d_model={d_model} should be a multiple of heads={heads}, so that all heads are equally wide"
            )
        if kv_heads < 1 or heads % kv_heads:
            raise ValueError(
                f"heads={heads} should be a multiple of kv_heads={kv_heads}, so that each serves equally many"
            )
        self.heads, self.kv_heads = heads, kv_heads
        self.rotate, self.attention = rotate, attention
        self.split: Callable[[Tensor, int], Tensor] = split
        self.merge: Callable[[Tensor], Tensor] = merge
        self.cache: Cache | None = None
        self.watchers: list[Callable[[Reading], None]] = []
        d_k = d_model // heads
        self.W_q = nn.Linear(d_model, d_model, bias)
        self.W_k = nn.Linear(d_model, kv_heads * d_k, bias)
        self.W_v = nn.Linear(d_model, kv_heads * d_k, bias)
        self.W_o = nn.Linear(d_model, d_model, bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let the tokens in `query` read those in `key` and `value`.

        Takes a query (B, T, d_model), key and value (B, S, d_model), and a mask that broadcasts to (B, H, T, S), as
        `padding_mask(ids, pad) & causal_mask(T)` does. Returns (B, T, d_model). With a cache, the tokens continue those
        in the cache, and S counts these too.

        Raises TypeError or ValueError for keys of other texts than the queries', where there is not one value per key,
        or for a mask that `check_mask` refuses.
        """
        if self.cache is None and query.shape[:-2] != key.shape[:-2]:
            raise ValueError(
                f"key should be of the same texts as query {tuple(query.shape)}, but its shape is {tuple(key.shape)}"
            )
        project = self.project if self.cache is None else self.cache.project
        queries, keys, values = project(query, key, value)  # (B, H, T, d_k), (B, kv_heads, S, d_k) twice
        mixed = self._attend(queries, keys, values, mask)  # (B, H, T, d_k)
        output: Tensor = self.W_o(self.merge(mixed))  # (B, T, d_model)
        return output

    def project(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        start: int = 0,
        joined: tuple[Tensor, Tensor | None] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give each head its own view of the tokens, which stand at the positions from `start` on.

        Takes what `forward` takes; for self-attention also the weights and biases of W_q, W_k and W_v `joined` to one
        map, which is faster. Returns queries (B, H, T, d_k), and keys and values (B, kv_heads, S, d_k).
        """
        if joined is None:
            queries = self.split(self.W_q(query), self.heads)  # (B, H, T, d_k)
            keys = self.split(self.W_k(key), self.kv_heads)  # (B, kv_heads, S, d_k)
            values = self.split(self.W_v(value), self.kv_heads)  # (B, kv_heads, S, d_k)
            if self.rotate is not None:
                queries, keys = self.rotate(queries, start), self.rotate(keys, start)
            return queries, keys, values
        together = self.split(F.linear(query, *joined), self.heads + 2 * self.kv_heads)
        rotated, values = together.split_with_sizes([self.heads + self.kv_heads, self.kv_heads], dim=1)
        if self.rotate is not None:
            rotated = self.rotate(rotated, start)  # (B, H + kv_heads, T, d_k), queries and keys at once
        queries, keys = rotated.split_with_sizes([self.heads, self.kv_heads], dim=1)
        return queries, keys, values

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Attend in each head: queries (B, H, T, d_k), keys and values (B, kv_heads, S, d_k), to (B, H, T, d_k).

        Keys and values may belong to fewer texts than the queries, as in a beam search, where several beams read one
        source: neighbouring texts then share them, the same number of texts each.
        """
        is_fused = self.attention is scaled_dot_product_attention and not self.watchers
        if is_fused and self.cache is not None and mask is None and queries.size(-2) == 1:
            mixed_of_one = self.cache.attend_one(queries)
            if mixed_of_one is not None:
                return mixed_of_one
        new_keys = keys if self.cache is None else keys[..., -queries.size(-2) :, :]
        # The kernel may turn a query that is not a number into a mixture that is one, and so hide what went wrong.
        is_fused = is_fused and _is_finite(queries) and _is_finite(new_keys)
        if is_fused and queries.shape[:-3] == keys.shape[:-3]:
            return _fused_attention(queries, keys, values, mask)
        if is_fused and _can_line_up(keys, mask):
            return _fused_attention_to_shared(queries, keys, values, mask)
        if queries.shape[:-2] != keys.shape[:-2]:
            keys, values, mask = _repeat_shared(queries, keys, values, mask)
        if is_fused:
            return _fused_attention(queries, keys, values, mask)
        mixed, weights = self.attention(queries, keys, values, mask)  # (B, H, T, d_k), (B, H, T, S)
        for watcher in self.watchers:
            watcher(Reading(weights.detach(), queries.detach(), keys.detach(), values.detach()))
        return mixed


def _is_finite(x: Tensor) -> bool:
    """Whether no number is infinite or NaN: their sum then is neither, and it is quickly computed."""
    return math.isfinite(x.detach().sum(dtype=torch.promote_types(x.dtype, torch.float32)))


def _fused_attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """`scaled_dot_product_attention` by torch's fused kernel, which is faster, since it never stores all weights.

    A head of keys and values may serve several heads of queries.
    """
    if queries.device.type == "cpu" and queries.dtype is torch.bfloat16 and queries.requires_grad:
        # On a processor, the kernel's way back takes about ten times as long in bfloat16 as in float32.
        with torch.autocast("cpu", enabled=False):
            return _fused_attention(queries.float(), keys.float(), values.float(), mask).bfloat16()
    check_shapes(queries, keys, values, d_key=queries.size(-1))  # the kernel reads past the end of short values
    if mask is not None:
        check_mask(mask, torch.Size((*queries.shape[:-1], keys.size(-2))))
        mask = mask if mask.dim() > 1 else mask[None]  # the kernel takes no mask of one axis
    shares = queries.size(-3) != keys.size(-3)
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, enable_gqa=shares)


def _can_line_up(keys: Tensor, mask: Tensor | None) -> bool:
    """Whether all queries that share the keys of a text also share its mask."""
    return mask is None or (mask.dim() == 4 and mask.shape[1:3] == (1, 1) and mask.size(0) in (1, keys.size(0)))


def _fused_attention_to_shared(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """`_fused_attention` where texts share keys.

    All queries that share keys are lined up as if they were those of one text, so no key is copied.
    """
    apart = queries.reshape(keys.size(0), -1, *queries.shape[1:]).transpose(1, 2)  # (B, H, texts, T, d_k)
    mixed = _fused_attention(apart.flatten(2, 3), keys, values, mask)  # (B, H, texts * T, d_k)
    return mixed.view(apart.shape).transpose(1, 2).reshape(queries.shape)  # (B * texts, H, T, d_k)


def _repeat_shared(
    queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Copy shared keys and values, and the mask of their text, once for each head and text that shares them."""
    heads = queries.size(-3) // keys.size(-3)
    keys, values = repeat_heads(keys, heads), repeat_heads(values, heads)
    if queries.dim() < 4 or queries.size(0) == keys.size(0):
        return keys, values, mask
    texts = queries.size(0) // keys.size(0)
    if mask is not None and mask.dim() == 4 and mask.size(0) == keys.size(0):
        mask = mask.repeat_interleave(texts, dim=0)
    return keys.repeat_interleave(texts, dim=0), values.repeat_interleave(texts, dim=0), mask


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
        ValueError: it does not broadcast to scores (..., T, S), it has three axes for scores of four, so that the first
            could stand for texts or for heads, or it hides every key from a query.
    """
    if mask.dtype != torch.bool:
        raise TypeError(f"mask should be boolean with True = may attend, but its dtype is {mask.dtype}")
    pairs = zip(reversed(mask.shape), reversed(scores_shape), strict=False)
    if mask.dim() > len(scores_shape) or any(size not in (1, wanted) for size, wanted in pairs):
        raise ValueError(f"mask should broadcast to {tuple(scores_shape)}, but its shape is {tuple(mask.shape)}")
    if 2 < mask.dim() < len(scores_shape) and mask.size(0) > 1:
        raise ValueError(
            f"mask {tuple(mask.shape)} for scores {tuple(scores_shape)} leaves open what its first axis stands for: "
            "write mask[:, None] for a mask of each text, mask[None] for one of each head"
        )
    blind = ~mask.any(dim=-1)
    if blind.any():
        where = tuple(blind.nonzero()[0].tolist())
        raise ValueError(f"mask hides every key from the query at {where}; each query needs one that it may attend to")
