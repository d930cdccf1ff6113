"""The KV cache: read a text a few tokens at a time, and compute each token's keys and values once.

Under a causal mask, what a token has computed never changes when others follow. So its keys and values are kept, and
each new token asks them: one row of attention a step instead of all rows again. Built by hand in notebook 08.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.transformer.attention import (
    MultiHeadAttention,
    causal_mask,
    merge_heads,
    padding_mask,
    scaled_dot_product_attention,
)
from course_lib.transformer.models import Decoder, Encoder, LanguageModel, Transformer


class CachedModel:
    """A language model, or a Transformer's decoder, that remembers what it has read.

    `read` gives the same logits as one run of the model over the whole text, to rounding. A row of text keeps
    2 · layers · kv_heads · d_k numbers a token. A text that outgrows the room is read again from its last `room` tokens
    on, since every token stands at another position then. Switch dropout off first: `model.eval()`.

    Args:
        model: a `LanguageModel` or a `Transformer`.
        room: most tokens to keep; never more than the model's `max_length`.
        source_ids: what a `Transformer` translates, (B, S), its padding on either side.

    Raises ValueError for a Transformer without a source, or a language model with one.

    >>> from course_lib.transformer.models import TransformerConfig
    >>> model = LanguageModel(TransformerConfig(vocabulary=9, d_model=8, heads=2, d_ff=8, layers=1)).eval()
    >>> cached = CachedModel(model, room=3)
    >>> for token in (4, 5, 6):
    ...     logits = cached.read(torch.tensor([[token]]))
    >>> torch.allclose(logits, model(torch.tensor([[4, 5, 6]]))[:, -1], atol=1e-5)
    True
    """

    def __init__(self, model: LanguageModel | Transformer, room: int, source_ids: Tensor | None = None) -> None:
        if isinstance(model, Transformer) == (source_ids is None):
            raise ValueError("a Transformer needs source_ids, what it translates; a LanguageModel has none")
        self.room = min(room, model.config.max_length)
        self.stack: Encoder | Decoder = model.body if isinstance(model, LanguageModel) else model.decoder
        self.projection = model.projection
        self.layers: list[Any] = [*self.stack.layers]
        self.own = [_SelfAttention(layer.self_attention, self.room) for layer in self.layers]
        self.memory: list[_CrossAttention] = []
        if isinstance(model, Transformer) and source_ids is not None:
            memory, mask = _encoded(model, source_ids)
            self.memory = [_CrossAttention(layer.cross_attention, memory, mask) for layer in self.layers]
        self.turns = _turns(self.own[0].attention, self.room)
        self.sources = list(range(0 if source_ids is None else len(source_ids)))  # B numbers, each row's source
        self.text = _Text(self.room)

    @property
    def bytes(self) -> int:
        """How many bytes the keys and values take that are kept by now, those of the source included."""
        return sum(each.kept.nbytes for each in self.own) + sum(each.kept.nbytes for each in self.memory)

    def read(self, ids: Tensor, padding: Tensor | None = None) -> Tensor:
        """Read on, and predict the token after the last: ids (B, T) to logits (B, V).

        The first text may be padded on either side: `padding`, booleans (B, T), says where. Raises ValueError for
        padding later on.
        """
        with torch.inference_mode():  # faster than no_grad
            logits = self._read(ids, padding)
        return logits.clone()  # a tensor like any other

    def _read(self, ids: Tensor, padding: Tensor | None) -> Tensor:
        ids = self.text.add(ids, padding)  # (B, T)
        last, pads = self.text.length, self.text.pads
        first = last - ids.size(1)
        columns = torch.arange(first, last, device=ids.device)  # (T,)
        where = columns if pads is None else (columns - pads).clamp(min=0)  # (T,) or (B, T)
        turn = None if self.turns is None else self.turns[:, first:last]  # (2, T, d_k / 2)
        mask = self._mask(first, last, ids.device)
        x: Tensor = self.stack.embeddings(ids, where)  # (B, T, d_model)
        for i, layer in enumerate(self.layers):
            x = layer.around_self_attention(x, lambda y, own=self.own[i]: own(y, first, mask, turn))
            if self.memory:
                x = layer.around_cross_attention(x, self.memory[i])
            x = layer.around_feed_forward(x, layer.feed_forward)
        logits: Tensor = self.projection(self.stack.norm(x[:, -1]))  # (B, V)
        return logits

    @torch.inference_mode()
    def select(self, rows: Tensor) -> None:
        """Go on with these rows in this order, (B',): a row may be left out, or stand there several times."""
        sources = [self.sources[row] for row in rows.tolist()] if self.memory else []
        start = self.text.select(rows)
        if sources != self.sources:
            start = 0
            self._select_sources(sources)
        if start < self.text.length:
            for part in self.own:
                part.select(rows, start)

    def _select_sources(self, wanted: list[int]) -> None:
        """Let each row read another source. Rows side by side that read the same one share its keys and values."""
        sources = list(dict.fromkeys(wanted))
        share = len(wanted) // len(sources)
        if wanted != [source for source in sources for _ in range(share)]:
            sources, share = wanted, 1
        if sources != list(dict.fromkeys(self.sources)):
            for each in self.memory:
                each.select(sources)
        self.sources = [i for i in range(len(sources)) for _ in range(share)]

    def _mask(self, first: int, last: int, device: torch.device) -> Tensor | None:
        """Which of the columns up to `last` those from `first` on may read; None where that is all of them."""
        causal = causal_mask(last, device)[first:] if last - first > 1 else None  # (T, last)
        if self.text.pads is None:
            return causal
        columns = torch.arange(last, device=device)
        real = (columns >= self.text.pads)[:, None, None]  # (B, 1, 1, last)
        # Padding reads itself, since each row has to read something.
        return real if causal is None else causal & (real | torch.eye(last, dtype=torch.bool, device=device)[first:])


def can_cache(model: Any) -> bool:
    """Whether a `CachedModel` can be made of a model: one of the course's, each of its attentions too.

    A learner's own attention function in them does no harm; a class of their own may keep its weights otherwise.
    """
    if not isinstance(model, LanguageModel | Transformer):
        return False
    layers = (model.body if isinstance(model, LanguageModel) else model.decoder).layers
    attentions = [getattr(layer, f"{name}_attention", None) for layer in layers for name in ("self", "cross")]
    return all(each is None or isinstance(each, MultiHeadAttention) for each in attentions)


class UncachedModel:
    """The same without a cache: each step runs the model over the whole text again.

    Takes a model as `CachedModel` does, or any that gives logits for ids, by `model(ids)` (B, T, V), or by
    `model.encode(source_ids)` and `model.decode(ids, memory, source_ids)`. Whatever stands after the end of a text must
    not change it, as under a causal mask.
    """

    def __init__(self, model: Any, room: int, source_ids: Tensor | None = None) -> None:
        config = getattr(model, "config", None)
        self.model, self.source_ids = model, source_ids
        self.memory: Tensor | None = None if source_ids is None else model.encode(source_ids)
        self.text = _Text(min(room, config.max_length) if config else room)

    @torch.no_grad()
    def read(self, ids: Tensor, padding: Tensor | None = None) -> Tensor:
        """As `CachedModel.read`."""
        self.text.add(ids, padding)
        ids, pads = self.text.ids, self.text.pads
        if pads is not None:
            # What follows a text's last token does not change it, so the padding goes there.
            turned = (torch.arange(ids.size(1), device=ids.device) + pads) % ids.size(1)  # (B, T)
            logits: Tensor = self.model(ids.gather(1, turned))  # (B, T, V)
            return logits.take_along_dim(ids.size(1) - 1 - pads[..., None], dim=1).squeeze(1)
        memory, source_ids = self.memory, self.source_ids
        logits = self.model(ids) if memory is None else self.model.decode(ids, memory, source_ids)  # (B, T, V)
        return logits[:, -1]

    def select(self, rows: Tensor) -> None:
        """As `CachedModel.select`."""
        self.text.select(rows)
        if self.memory is not None and self.source_ids is not None:
            self.memory, self.source_ids = self.memory[rows], self.source_ids[rows]


class _Text:
    """All ids that were read, (B, length): the last `room` of them, padding on the left, so that all rows end alike."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.ids = torch.empty(0, 0, dtype=torch.long)
        self.pads: Tensor | None = None  # (B, 1), how many columns are padding; None: nowhere any

    @property
    def length(self) -> int:
        return self.ids.size(1)

    def add(self, ids: Tensor, padding: Tensor | None = None) -> Tensor:
        """Add ids (B, T), and return those to read: these, or all that there are where others had to go."""
        if padding is not None and padding.any():
            if self.length:
                raise ValueError("only the first text may be padded, but there is padding in a later one")
            # A stable sort by what is real moves the padding to the left.
            ids = ids.gather(1, (~padding).int().argsort(dim=1, stable=True))  # (B, T)
            self.pads = padding.sum(dim=1, keepdim=True)
        self.ids = torch.cat((self.ids, ids), dim=1) if self.length else ids
        if too_many := max(0, self.length - self.room):
            ids = self.ids = self.ids[:, too_many:]
            self.pads = None if self.pads is None else (self.pads - too_many).clamp(min=0)
        return ids

    def select(self, rows: Tensor) -> int:
        """Go on with these rows. Returns the first column in which a row is another than it was.

        Texts that begin alike, such as a search's beams, have the same keys and values as far as they do.
        """
        old, self.ids = self.ids, self.ids[rows]
        if self.pads is not None:
            old_pads, self.pads = self.pads, self.pads[rows]
            if not torch.equal(old_pads, self.pads):
                return 0
        if old.shape != self.ids.shape:
            return 0
        differing: list[int] = (old != self.ids).any(dim=0).nonzero().flatten().tolist()
        return differing[0] if differing else self.length


class _SelfAttention:
    """A layer's self-attention, with the keys and values that the text has left."""

    def __init__(self, attention: MultiHeadAttention, room: int) -> None:
        self.attention, self.room, self.length = attention, room, 0
        maps = (attention.W_q, attention.W_k, attention.W_v)
        # One matrix product is faster than three, and for few rows it is faster with the matrix stored by columns.
        self.weight = torch.cat([each.weight for each in maps]).detach().mT.contiguous().mT
        self.bias = None if maps[0].bias is None else torch.cat([each.bias for each in maps]).detach()
        self.stored: Tensor | None = None  # (B, 2 * kv_heads, room, d_k), keys first, then values

    def __call__(self, x: Tensor, first: int, mask: Tensor | None, turn: Tensor | None) -> Tensor:
        """Let tokens x (B, T, d_model), which stand from column `first` on, read themselves and all before them."""
        H, kv_heads = self.attention.heads, self.attention.kv_heads
        all_heads = _heads(F.linear(x, self.weight, self.bias), H + 2 * kv_heads)  # (B, H + 2 * kv_heads, T, d_k)
        if turn is not None:
            turned = _turned(all_heads[:, : H + kv_heads], turn)
            all_heads = torch.cat((turned, all_heads[:, H + kv_heads :]), dim=1)
        if self.stored is None:
            self.stored = x.new_empty(x.size(0), 2 * kv_heads, self.room, all_heads.size(-1))
        self.length = first + x.size(1)
        self.stored[:, :, first : self.length] = all_heads[:, H:]
        return _attend(self.attention, all_heads[:, :H], self.kept, mask)

    @property
    def kept(self) -> Tensor:
        """The keys and values so far, (B, 2 * kv_heads, length, d_k)."""
        return torch.empty(0) if self.stored is None else self.stored[:, :, : self.length]

    def select(self, rows: Tensor, start: int) -> None:
        """Go on with these rows, which differ from column `start` on."""
        if self.stored is None:
            return
        if len(rows) != len(self.stored):
            found = self.stored[rows, :, : self.length]
            self.stored = self.stored.new_empty(len(rows), *self.stored.shape[1:])
            self.stored[:, :, : self.length] = found
        else:
            moved = (rows != torch.arange(len(rows), device=rows.device)).nonzero().squeeze(1)
            kept = self.stored[:, :, start : self.length]
            kept.index_copy_(0, moved, kept[rows[moved]])


class _CrossAttention:
    """A layer's cross-attention, with the keys and values of the source, (B, 2 * kv_heads, S, d_k)."""

    def __init__(self, attention: MultiHeadAttention, memory: Tensor, mask: Tensor | None) -> None:
        self.attention, self.mask = attention, mask
        both = torch.cat((attention.W_k(memory), attention.W_v(memory)), dim=-1)
        self.kept = _heads(both, 2 * attention.kv_heads)

    def __call__(self, x: Tensor) -> Tensor:
        """Let tokens x (B', T, d_model) read the source: B' is B, or a multiple, where rows share a source."""
        queries = _heads(self.attention.W_q(x), self.attention.heads)  # (B', H, T, d_k)
        return _attend(self.attention, queries, self.kept, self.mask)

    def select(self, sources: list[int]) -> None:
        """Go on with these sources."""
        self.kept = self.kept[sources]
        self.mask = None if self.mask is None else self.mask[sources]


def _heads(x: Tensor, heads: int) -> Tensor:
    """Cut (B, T, heads * d_k) into heads, (B, heads, T, d_k), as `attention.split_heads` does, unchecked."""
    return x.view(x.size(0), x.size(1), heads, -1).transpose(1, 2)


def _attend(attention: MultiHeadAttention, queries: Tensor, kept: Tensor, mask: Tensor | None) -> Tensor:
    """Attend with queries (B', H, T, d_k) to kept keys and values, (B, 2 * kv_heads, S, d_k): (B', T, d_model)."""
    keys, values = kept.chunk(2, dim=1)  # (B, kv_heads, S, d_k)
    rows, heads = queries.size(0) // keys.size(0), queries.size(1) // keys.size(1)
    plain = attention.watcher is None and attention.attention is scaled_dot_product_attention
    if plain and rows == heads == 1:
        mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    elif plain and (mask is None or mask.size(-2) == 1):
        # Rows and heads that share keys and values ask side by side, as tokens do: nothing has to be copied.
        sides = (keys.size(0), rows, keys.size(1), heads, *queries.shape[2:])
        asked = queries.reshape(sides).transpose(1, 2)  # (B, kv_heads, rows, heads, T, d_k)
        found = F.scaled_dot_product_attention(asked.flatten(2, 4), keys, values, attn_mask=mask)
        mixed = found.view(asked.shape).transpose(1, 2).reshape(queries.shape)
    else:
        keys, values = (each.repeat_interleave(rows, 0).repeat_interleave(heads, 1) for each in (keys, values))
        mask = mask if mask is None or mask.dim() == 2 or rows == 1 else mask.repeat_interleave(rows, 0)
        mixed = attention._attend(queries, keys, values, mask)
    output: Tensor = attention.W_o(merge_heads(mixed))
    return output


@torch.no_grad()
def _encoded(model: Transformer, source_ids: Tensor) -> tuple[Tensor, Tensor | None]:
    """The memory of the source, (B, S, d_model), and what of it may be read, (B, 1, 1, S); None: all."""
    pad = model.config.pad
    mask = padding_mask(source_ids, pad) if pad is not None and (source_ids == pad).any() else None
    return model.encode(source_ids), mask


def _turns(attention: MultiHeadAttention, room: int) -> Tensor | None:
    """The cosine and sine by which rotary positions turn each pair of features, (2, room, d_k / 2), or None."""
    if attention.rotate is None:
        return None
    d_k = attention.W_q.out_features // attention.heads
    first = torch.cat((torch.ones(d_k // 2), torch.zeros(d_k // 2))).to(attention.W_q.weight)
    # Turning (1, 0) gives the cosine and the sine.
    return torch.stack(attention.rotate(first.expand(room, d_k)).chunk(2, dim=-1))


def _turned(x: Tensor, turn: Tensor) -> Tensor:
    """Turn queries or keys (B, H, T, d_k) as `positions.rotary` does, by cosines and sines (2, T, d_k / 2)."""
    (cos, sin), (first, second) = turn, x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
