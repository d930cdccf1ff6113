"""The key–value cache: compute each token's keys and values once, and keep them. Built by hand in notebook 10.

Under a causal mask, a token's keys and values never change when other tokens follow. So they are kept, and each step
computes one new row of attention instead of all rows again.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.transformer.attention import (
    Attention,
    MultiHeadAttention,
    causal_mask,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)

KeysAndValues = tuple[Tensor, Tensor]

COLUMNS_AT_ONCE = 32  # how many more tokens a cache makes room for, where it has none left


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

    Built by hand in notebook 10.

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


def attend_in_pieces(
    attend: Callable[..., tuple[Tensor, KeysAndValues]], query: Tensor, key: Tensor, value: Tensor, size: int
) -> Tensor:
    """Let the tokens of a text attend, `size` of them at a time, each piece with the past that the last one left.

    Takes a function such as `attend_with_cache`, and queries, keys and values (B, H, T, d). Returns the output
    (B, H, T, d_v).
    """
    past: KeysAndValues | None = None
    outputs = []
    for pieces in zip(*(torch.split(each, size, dim=2) for each in (query, key, value)), strict=True):
        output, past = attend(*pieces, past)
        outputs.append(output)
    return torch.cat(outputs, dim=2)


def cached_self_attention(
    attention: Any,
    x: Tensor,
    past: KeysAndValues | None,
    *,
    attend: Callable[..., tuple[Tensor, KeysAndValues]] = attend_with_cache,
    split: Callable[[Tensor, int], Tensor] = split_heads,
    merge: Callable[[Tensor], Tensor] = merge_heads,
) -> tuple[Tensor, KeysAndValues]:
    """Let T new tokens read themselves and all tokens before them, through the weights of a self-attention.

    What a `MultiHeadAttention` with rotary positions and as many heads of keys as of queries computes for the last T
    tokens of a text, if the keys and values of the first P are in `past`. So the first new token is at position P. Keys
    are kept rotated. Built by hand in notebook 10.

    Args:
        attention: the weights `W_q`, `W_k`, `W_v` and `W_o`, the number of `heads`, and `rotate(x, start)`, which
            rotates queries or keys (B, H, T, d_k) whose first token is at position `start`.
        x: the new tokens, (B, T, d_model).
        past: keys (B, H, P, d_k) and values (B, H, P, d_k) of the earlier tokens, or None.
        attend: what `attend_with_cache` does.
        split: how vectors are cut into heads.
        merge: how the heads' results are put side by side.

    Returns the output (B, T, d_model), and the keys and values of all tokens so far, for the next call.
    """
    P = 0 if past is None else past[0].size(2)
    queries = attention.rotate(split(attention.W_q(x), attention.heads), P)  # (B, H, T, d_k)
    keys = attention.rotate(split(attention.W_k(x), attention.heads), P)  # (B, H, T, d_k)
    values = split(attention.W_v(x), attention.heads)  # (B, H, T, d_k)
    mixed, longer = attend(queries, keys, values, past)  # (B, H, T, d_k)
    return attention.W_o(merge(mixed)), longer


def reorder_cache(past: list[KeysAndValues], parents: Tensor) -> list[KeysAndValues]:
    """Give each beam the cache of the beam that it extends.

    Takes for each layer keys and values (n, H, S, d), and the parents' numbers, (beams,). Returns them with `beams`
    rows. Built by hand in notebook 10.
    """
    return [(keys[parents], values[parents]) for keys, values in past]


def cache_bytes(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """How many bytes a key–value cache takes for a text of `length` tokens, with `bytes_each` per number.

    Built by hand in notebook 10.

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
        # Keys and values, (2, B, kv_heads, columns, d_k): of the tokens so far, then zeros for those to come. There are
        # never many of these, because memory is read fastest without gaps.
        self.stored: Tensor | None = None
        self.joined = join_maps((attention.W_q, attention.W_k, attention.W_v))
        weight = self.joined[0]
        # What to add to the scores: a window into it has zeros for the tokens so far, then minus infinity.
        self.edge = torch.cat((weight.new_zeros(room), weight.new_full((COLUMNS_AT_ONCE,), -math.inf)))

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
        end = self.length + keys.size(-2)
        stored = self._make_room(keys, end)
        torch.stack((keys, values), out=stored[:, :, :, self.length : end])
        self.length = end
        keys, values = stored[:, :, :, :end].unbind()
        return queries, keys, values

    def _make_room(self, keys: Tensor, end: int) -> Tensor:
        """Let `stored` have columns for `end` tokens with keys like these, (B, kv_heads, T, d_k)."""
        if self.stored is None or self.stored.size(3) < end:
            if end > self.room:
                raise ValueError(f"the cache has room for {self.room} tokens, but this text would have {end}")
            B, kv_heads, _, d_k = keys.shape
            columns = min(self.room, -(-end // COLUMNS_AT_ONCE) * COLUMNS_AT_ONCE)
            stored = keys.new_zeros(2, B, kv_heads, columns, d_k)
            if self.stored is not None:
                stored[:, :, :, : self.length] = self.keys_and_values
            self.stored = stored
        return self.stored

    def attend_one(self, queries: Tensor) -> Tensor | None:
        """Let one query of each head attend to the text so far: (B, H, 1, d_k) to (B, H, 1, d_k).

        Two products of matrices, which read the memory faster than the fused kernel does where there are many texts.
        A query or key that is not a number gives a mixture that is none. None for numbers of 16 bits, which the kernel
        adds up more exactly.
        """
        if self.stored is None or queries.dtype.itemsize < 4:
            return None
        _, B, kv_heads, columns, d_k = self.stored.shape
        keys, values = self.stored.view(2, B * kv_heads, columns, d_k)
        edge = self.edge[self.room - self.length :][:columns]  # (columns,)
        grouped = queries.reshape(B * kv_heads, -1, d_k)  # (B * kv_heads, H / kv_heads, d_k)
        scores = torch.baddbmm(edge, grouped, keys.mT, alpha=d_k**-0.5)  # (B * kv_heads, H / kv_heads, columns)
        mixed: Tensor = scores.softmax(dim=-1) @ values  # (B * kv_heads, H / kv_heads, d_k)
        return mixed.view(queries.shape)

    def clear(self) -> None:
        """Forget the text."""
        self.length, self.stored = 0, None

    def select(self, rows: Tensor, start: int = 0) -> None:
        """Continue with these rows, (B',), which differ from the present ones from token `start` on.

        A row may be left out or occur several times, as `reorder_cache` has it.
        """
        if self.stored is None:
            return
        if len(rows) != self.stored.size(1):
            self.stored = self.stored[:, rows]
        else:
            moved = (rows != torch.arange(len(rows), device=rows.device)).nonzero().squeeze(1)
            changing = self.keys_and_values[:, :, :, start:]
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

    def attend_one(self, queries: Tensor) -> None:
        """Give None, which leaves it to the kernel: several texts may share these keys."""

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


def by_columns(matrix: Tensor) -> Tensor:
    """Store a matrix (rows, columns) by columns: the same numbers, in another order in memory.

    For one token, a product with a matrix of more rows than columns then reads the memory up to twice as fast. What is
    stored so already is returned as it is.

    >>> by_columns(torch.zeros(3, 2)).stride()
    (1, 3)
    """
    return matrix.mT.contiguous().mT


def join_maps(maps: Sequence[nn.Linear]) -> tuple[Tensor, Tensor | None]:
    """Join linear maps of the same input to one, which is faster: give its weight, stored by columns, and its bias.

    Nothing is copied where the weights are parts of such a matrix already, as `store_side_by_side` leaves them.
    """
    weights = [each.weight.detach() for each in maps]
    bias = None if maps[0].bias is None else torch.cat([each.bias for each in maps]).detach()
    rows = sum(map(len, weights))
    whole = weights[0].as_strided((rows, maps[0].in_features), (1, rows)) if _are_side_by_side(weights) else None
    return torch.cat([each.mT for each in weights], dim=1).mT if whole is None else whole, bias


def _are_side_by_side(weights: Sequence[Tensor]) -> bool:
    """Whether weights (rows, columns) are the first, next and last rows of one matrix that is stored by columns."""
    stride = (1, sum(map(len, weights)))
    place = weights[0].storage_offset()
    for each in weights:
        is_next = each.storage_offset() == place and each.stride() == stride
        if not is_next or each.untyped_storage().data_ptr() != weights[0].untyped_storage().data_ptr():
            return False
        place += len(each)
    return True


def store_side_by_side(maps: Sequence[nn.Linear]) -> None:
    """Store the weights of linear maps of the same input as parts of one matrix, so that `join_maps` copies nothing.

    >>> maps = nn.Linear(2, 3), nn.Linear(2, 4)
    >>> store_side_by_side(maps)
    >>> join_maps(maps)[0].data_ptr() == maps[0].weight.data_ptr()
    True
    """
    whole, _ = join_maps(maps)
    for each, weight in zip(maps, torch.split(whole, [each.out_features for each in maps]), strict=True):
        each.weight.data = weight


class WideMaps:
    """The linear maps of some layers whose output is wider than their input, such as a feed-forward layer's first.

    For a few tokens they use copies that are stored by columns, and the two of a `FusedSwiGLU` are joined to one map.
    Where a model's weights are so stored themselves, nothing is copied.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        parts: list[Any] = [part for layer in layers for part in layer.modules()]
        self.gated = [part for part in parts if hasattr(part, "joined")]
        self.joined = [join_maps((part.W_gate, part.W_1)) for part in self.gated]
        done = {each for part in self.gated for each in (part.W_gate, part.W_1)}
        maps = [part for part in parts if type(part) is nn.Linear and part not in done]
        self.maps = [each for each in maps if each.out_features > each.in_features]
        self.by_columns = [by_columns(each.weight.detach()) for each in self.maps]

    @contextmanager
    def stored_by_columns(self) -> Iterator[None]:
        """Let the maps use the weights that are stored by columns while the block runs."""
        by_rows = [each.weight for each in self.maps]
        try:
            for part, joined in zip(self.gated, self.joined, strict=True):
                vars(part)["joined"] = joined
            for each, weight in zip(self.maps, self.by_columns, strict=True):
                vars(each)["_parameters"]["weight"] = weight  # as in `caching`, without nn.Module's checks
            yield
        finally:
            for part in self.gated:
                vars(part)["joined"] = None
            for each, parameter in zip(self.maps, by_rows, strict=True):
                vars(each)["_parameters"]["weight"] = parameter
