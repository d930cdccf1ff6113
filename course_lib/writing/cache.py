"""Read a text a few tokens at a time, with a key–value cache or without."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from course_lib.transformer.attention import MultiHeadAttention, causal_mask
from course_lib.transformer.cache import MemoryCache, TextCache, WideMaps, caching
from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.transformer.positions import TokenEmbedding

FEW_TOKENS = 4  # as many are read fastest with weights that are stored by columns


class CachedModel:
    """A language model, or a Transformer's decoder, that remembers what it has read.

    `read` gives the same logits as one run of the model over the whole text, to rounding. A row of text keeps
    2 · layers · kv_heads · d_k numbers per token. A text that outgrows the room is read again from its last `room`
    tokens on, since every token has another position then. Switch dropout off first: `model.eval()`.

    Args:
        model: a `LanguageModel` or a `Transformer` for which `can_cache` holds.
        room: most tokens to keep; never more than the model's `max_length`.
        source_ids: what a `Transformer` translates, (B, S), its padding on either side.

    Raises TypeError for a model that cannot be cached, ValueError for a Transformer without a source, or a language
    model with one.

    >>> model = LanguageModel(9, d_model=8, heads=2, d_ff=8, layers=1).eval()
    >>> cached = CachedModel(model, room=3)
    >>> for token in (4, 5, 6):
    ...     logits = cached.read(torch.tensor([[token]]))
    >>> torch.allclose(logits, model(torch.tensor([[4, 5, 6]]))[:, -1], atol=1e-5)
    True
    """

    def __init__(self, model: Any, room: int, source_ids: Tensor | None = None) -> None:
        if not can_cache(model):
            raise TypeError(f"a {type(model).__name__} like this one cannot be cached: use an UncachedModel")
        if isinstance(model, Transformer) == (source_ids is None):
            raise ValueError("a Transformer needs source_ids, what it translates; a LanguageModel has none")
        self.model = model
        self.text = _Text(_room(model, room))
        layers = _layers(model)
        self.text_caches = [TextCache(layer.self_attention, self.text.room) for layer in layers]
        self.memory_caches: list[MemoryCache] = []
        self.wide_maps = WideMaps(layers)
        self.source_ids = source_ids
        self.sources = list(range(0 if source_ids is None else len(source_ids)))  # B numbers, each row's source
        if source_ids is not None:
            with torch.no_grad():
                self.memory = self.model.encode(source_ids)  # (B, S, d_model)
                self.memory_caches = [MemoryCache(layer.cross_attention, self.memory) for layer in layers]

    @property
    def bytes(self) -> int:
        """How many bytes the keys and values take so far, those of the source included."""
        caches: list[TextCache | MemoryCache] = [*self.text_caches, *self.memory_caches]
        return sum(cache.keys_and_values.nbytes for cache in caches)

    def read(self, ids: Tensor, padding: Tensor | None = None) -> Tensor:
        """Read on, and predict the token after the last: ids (B, T) to logits (B, V).

        The first text may be padded on either side: `padding`, booleans (B, T), says where. Raises ValueError for
        padding in a later one, and TypeError or ValueError for ids that are none. After an error, the text is as it was
        before.
        """
        with self.text.longer(ids, padding):
            ids = self._unread(ids.size(1))  # (B, T)
            by_columns = self.wide_maps.stored_by_columns() if ids.numel() <= FEW_TOKENS else nullcontext()
            with torch.inference_mode(), caching([*self.text_caches, *self.memory_caches]), by_columns:
                logits: Tensor
                if self.source_ids is None:
                    logits = self.model(ids, self)  # (B, 1, V)
                else:
                    logits = self.model.decode(ids, self.memory, self.source_ids, self)  # (B, 1, V)
        return logits[:, -1].clone()  # a tensor like any other

    def _unread(self, T: int) -> Tensor:
        """Give the ids that are not in the caches: the last T, or all where the caches hold another beginning.

        They do after older tokens had to go, and after an error in the middle of the layers.
        """
        if all(cache.length + T == self.text.length for cache in self.text_caches):
            return self.text.ids[:, self.text.length - T :]
        for cache in self.text_caches:
            cache.clear()
        return self.text.ids

    def positions(self, T: int) -> Tensor:
        """The positions of the last T tokens of the text, (T,) or, where there is padding, (B, T)."""
        columns = torch.arange(self.text.length - T, self.text.length, device=self.text.ids.device)  # (T,)
        return columns if self.text.pads is None else (columns - self.text.pads).clamp(min=0)

    def mask(self, T: int) -> Tensor | None:
        """Which tokens the last T may attend to, (T, length) or (B, 1, T, length); None: all of them."""
        length, device = self.text.length, self.text.ids.device
        causal = causal_mask(length, device)[length - T :] if T > 1 else None  # (T, length)
        if self.text.pads is None:
            return causal
        columns = torch.arange(length, device=device)
        real = (columns >= self.text.pads)[:, None, None]  # (B, 1, 1, length)
        if causal is None:
            return real
        # Padding reads itself, since each row has to read something.
        itself = torch.eye(length, dtype=torch.bool, device=device)[length - T :]  # (T, length)
        return causal & (real | itself)

    @torch.inference_mode()
    def select(self, rows: Tensor) -> None:
        """Continue with these rows in this order, (B',): a row may be left out, or occur several times."""
        sources = [self.sources[row] for row in rows.tolist()] if self.memory_caches else []
        start = self.text.select(rows)
        if sources != self.sources:
            start = 0
            self._select_sources(sources)
        if start < self.text.length:
            for cache in self.text_caches:
                cache.select(rows, start)

    def _select_sources(self, wanted: list[int]) -> None:
        """Let each row read another source. Rows side by side that read the same one share its keys and values."""
        sources = list(dict.fromkeys(wanted))
        share = len(wanted) // len(sources)
        if wanted != [source for source in sources for _ in range(share)]:
            sources, share = wanted, 1
        if sources != list(dict.fromkeys(self.sources)):
            for cache in self.memory_caches:
                cache.select(sources)
            if self.source_ids is not None:
                self.source_ids = self.source_ids[sources]
        self.sources = [i for i in range(len(sources)) for _ in range(share)]


def can_cache(model: Any) -> bool:
    """Whether a `CachedModel` can be made of a model: one of the course's classes, its layers and attentions too.

    Somebody else's functions in them do no harm, but for embeddings that know no positions other than 0, 1, 2, …
    """
    if not isinstance(model, LanguageModel | Transformer):
        return False
    layers = _layers(model)
    attentions = [part for layer in layers for name, part in layer.named_children() if name.endswith("_attention")]
    return (
        all(isinstance(layer, EncoderLayer | DecoderLayer) for layer in layers)
        and all(isinstance(attention, MultiHeadAttention) for attention in attentions)
        and _takes_positions(model.embed)
    )


def _takes_positions(embed: Any) -> bool:
    """Whether an embedding, and the part of it that adds positions, can be told at which positions tokens stand."""
    if "at" not in inspect.signature(getattr(embed, "forward", embed)).parameters:
        return False
    return not isinstance(embed, TokenEmbedding) or embed.positions is None or _takes_positions(embed.positions)


def _layers(model: Any) -> list[Any]:
    return [*(model.layers if isinstance(model, LanguageModel) else model.decoder)]


def _room(model: Any, room: int) -> int:
    config = getattr(model, "config", None)
    return room if config is None else min(room, config.max_length)


class UncachedModel:
    """The same without a cache: each step runs the model over the whole text again.

    Takes a model as `CachedModel` does, or any that gives logits for ids, by `model(ids)` (B, T, V), or by
    `model.encode(source_ids)` and `model.decode(ids, memory, source_ids)`. What follows the end of a text must not
    change it, as under a causal mask.
    """

    def __init__(self, model: Any, room: int, source_ids: Tensor | None = None) -> None:
        self.model, self.source_ids = model, source_ids
        self.memory: Tensor | None = None if source_ids is None else model.encode(source_ids)
        self.text = _Text(_room(model, room))

    @torch.no_grad()
    def read(self, ids: Tensor, padding: Tensor | None = None) -> Tensor:
        """As `CachedModel.read`."""
        with self.text.longer(ids, padding):
            return self._logits(self.text.ids, self.text.pads)

    def _logits(self, ids: Tensor, pads: Tensor | None) -> Tensor:
        """Give the logits (B, V) after texts (B, T), of which the first `pads` columns, (B, 1), are padding."""
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

    @contextmanager
    def longer(self, ids: Tensor, padding: Tensor | None = None) -> Iterator[None]:
        """Add ids (B, T) for the block. They stay if it succeeds; after an error the text is as it was before."""
        before = self.ids, self.pads
        self._add(ids, padding)
        try:
            yield
        except BaseException:
            self.ids, self.pads = before
            raise

    def _add(self, ids: Tensor, padding: Tensor | None) -> None:
        """Add ids (B, T); where there are more than `room`, the oldest go."""
        self._check(ids)
        if padding is not None and (padding.shape != ids.shape or padding.dtype != torch.bool):
            raise ValueError(
                f"padding should say for each of the ids {tuple(ids.shape)} whether it is padding, True or False, but "
                f"is {tuple(padding.shape)} of {padding.dtype}"
            )
        if padding is not None and padding.any():
            if self.length:
                raise ValueError("only the first text may be padded, but there is padding in a later one")
            # A stable sort by what is real moves the padding to the left.
            ids = ids.gather(1, (~padding).int().argsort(dim=1, stable=True))  # (B, T)
            self.pads = padding.sum(dim=1, keepdim=True)
        self.ids = torch.cat((self.ids, ids), dim=1) if self.length else ids
        if too_many := max(0, self.length - self.room):
            self.ids = self.ids[:, too_many:]
            self.pads = None if self.pads is None else (self.pads - too_many).clamp(min=0)

    def _check(self, ids: Tensor) -> None:
        """Refuse what are no ids to read on with. Too large ones are left to the model, which knows its vocabulary."""
        if ids.dim() != 2 or ids.is_floating_point() or ids.dtype == torch.bool:
            raise TypeError(f"ids should be whole numbers (B, T), but are {tuple(ids.shape)} of {ids.dtype}")
        if not ids.size(1) or (self.length and len(ids) != len(self.ids)):
            rows = f"each of the {len(self.ids)} texts" if self.length else "each text"
            raise ValueError(f"ids should continue {rows} by one token or more, but their shape is {tuple(ids.shape)}")
        if ids.numel() and ids.min() < 0:
            raise ValueError(f"ids count from 0, but the smallest of these is {int(ids.min())}")

    def select(self, rows: Tensor) -> int:
        """Continue with these rows. Returns the first column in which a row is another than it was.

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
