"""The key–value cache: compute each token's keys and values once, and keep them. Built by hand in notebook 08.

Under a causal mask, a token's keys and values never change when other tokens follow. So they are kept, and each step
computes one new row of attention instead of all rows again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from course_lib.transformer.attention import Attention, MultiHeadAttention, causal_mask, scaled_dot_product_attention

KeysAndValues = tuple[Tensor, Tensor]


def attend_with_cache(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    past: KeysAndValues | None,
    *,
    attention: Attention = scaled_dot_product_attention,
    mask: Callable[[int], Tensor] = causal_mask,
) -> tuple[Tensor, KeysAndValues]:
    """Let T new tokens read themselves and all tokens before them, whose keys and values `past` holds.

    Built by hand in notebook 08.

    Args:
        query: of the new tokens, (B, H, T, d_k).
        key: of the new tokens, (B, H, T, d_k).
        value: of the new tokens, (B, H, T, d_v).
        past: keys (B, H, S, d_k) and values (B, H, S, d_v) of the earlier tokens, or None.
        attention: what each head computes.
        mask: makes the causal mask.

    Returns the output (B, H, T, d_v), and the keys and values of all tokens so far, for the next call.
    """
    if past is None:
        keys, values = key, value
    else:
        keys = torch.cat((past[0], key), dim=2)  # (B, H, S + T, d_k)
        values = torch.cat((past[1], value), dim=2)  # (B, H, S + T, d_v)
    T, S = query.size(2), keys.size(2)
    rows_of_mask = mask(S)[S - T :]  # (T, S)
    output, _ = attention(query, keys, values, rows_of_mask)  # (B, H, T, d_v)
    return output, (keys, values)


def reorder_cache(past: list[KeysAndValues], parents: Tensor) -> list[KeysAndValues]:
    """Give each beam the cache of the beam that it extends.

    Takes for each layer keys and values (n, H, S, d), and the parents' numbers, (beams,). Returns them with `beams`
    rows. Built by hand in notebook 08.
    """
    return [(keys[parents], values[parents]) for keys, values in past]


def cache_bytes(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """How many bytes a key–value cache takes for a text of `length` tokens, with `bytes_each` per number.

    Built by hand in notebook 08.

    >>> cache_bytes(layers=30, kv_heads=3, d_k=64, length=1000, bytes_each=2)
    23040000
    """
    return 2 * layers * kv_heads * d_k * length * bytes_each


class TextCache:
    """The keys and values of a self-attention for the text so far, with room for `room` tokens.

    The attention uses it while a block of `caching` runs.
    """

    def __init__(self, attention: MultiHeadAttention, room: int) -> None:
        self.attention, self.room, self.length = attention, room, 0
        self.stored: Tensor | None = None  # (2, B, kv_heads, room, d_k), keys and values
        maps = (attention.W_q, attention.W_k, attention.W_v)
        # One matrix product is faster than three; for few tokens it is faster with the matrix stored by columns.
        weight = torch.cat([each.weight for each in maps]).detach().mT.contiguous().mT
        bias = None if maps[0].bias is None else torch.cat([each.bias for each in maps]).detach()
        self.joined = (weight, bias)

    @property
    def keys_and_values(self) -> Tensor:
        """Keys and values so far, (2, B, kv_heads, length, d_k)."""
        return torch.empty(0) if self.stored is None else self.stored[:, :, :, : self.length]

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Do what `MultiHeadAttention.project` does for T new tokens, and give the keys and values of the whole text.

        Takes (B, T, d_model) three times; returns queries (B, H, T, d_k), keys and values (B, kv_heads, length, d_k).
        """
        joined = self.joined if query is key is value else None
        queries, keys, values = self.attention.project(query, key, value, self.length, joined)
        if self.stored is None:
            B, kv_heads, _, d_k = keys.shape
            self.stored = keys.new_empty(2, B, kv_heads, self.room, d_k)
        end = self.length + keys.size(-2)
        torch.stack((keys, values), out=self.stored[:, :, :, self.length : end])
        self.length = end
        keys, values = self.stored[:, :, :, :end].unbind()
        return queries, keys, values

    def clear(self) -> None:
        """Forget the text."""
        self.length = 0

    def select(self, rows: Tensor, start: int = 0) -> None:
        """Continue with these rows, (B',), which differ from the present ones from token `start` on.

        A row may be left out or occur several times, as `reorder_cache` has it.
        """
        if self.stored is None:
            return
        present = self.stored[:, :, :, : self.length]
        if len(rows) != self.stored.size(1):
            chosen = present[:, rows]
            self.stored = self.stored.new_empty(2, len(rows), *self.stored.shape[2:])
            self.stored[:, :, :, : self.length] = chosen
        else:
            moved = (rows != torch.arange(len(rows), device=rows.device)).nonzero().squeeze(1)
            changing = present[:, :, :, start:]
            changing.index_copy_(1, moved, changing[:, rows[moved]])


class MemoryCache:
    """The keys and values of a cross-attention for the encoder's output, which never change while a text is written.

    The attention uses it while a block of `caching` runs.
    """

    def __init__(self, attention: MultiHeadAttention, memory: Tensor) -> None:
        self.attention = attention
        _, keys, values = attention.project(memory, memory, memory)
        self.keys_and_values = torch.stack((keys, values))  # (2, B, kv_heads, S, d_k)

    def project(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ARG002
        """Project the queries only: `key` and `value` are the memory, whose projections are already here."""
        queries = self.attention.split(self.attention.W_q(query), self.attention.heads)  # (B, H, T, d_k)
        return queries, self.keys_and_values[0], self.keys_and_values[1]

    def select(self, sources: list[int]) -> None:
        """Continue with these sources, as row numbers of the present ones."""
        self.keys_and_values = self.keys_and_values[:, sources]


@contextmanager
def caching(caches: Sequence[TextCache | MemoryCache]) -> Iterator[None]:
    """Let each cache's attention use it while the block runs."""
    # Into the dictionary, since an nn.Module takes long to set an attribute, and this happens at each step.
    for cache in caches:
        vars(cache.attention)["cache"] = cache
    try:
        yield
    finally:
        for cache in caches:
            vars(cache.attention)["cache"] = None
