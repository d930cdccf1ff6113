"""Faults to plant in course_lib/writing/cache.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    # What is read.
    (
        "return room if config is None else min(room, config.max_length)",
        "return room",
        "more room than the model has positions",
    ),
    ("(columns - self.text.pads).clamp(min=0)", "columns", "cached positions count padding"),
    ("torch.arange(self.text.length - T, self.text.length", "torch.arange(T", "a text continued at position 0"),
    ("causal_mask(length, device)[length - T :] if T > 1 else None", "None", "tokens read at once see the future"),
    ("causal_mask(length, device)[length - T :]", "causal_mask(length, device)[:T]", "tokens forget the past"),
    ("real = (columns >= self.text.pads)", "real = (columns > self.text.pads)", "the first real token hidden"),
    ("return causal & (real | itself)", "return causal & real", "padding reads nothing at all"),
    ("return causal & (real | itself)", "return causal & (real & itself)", "tokens of padded texts see themselves"),
    ("return causal & (real | itself)", "return causal", "tokens of padded texts read the padding"),
    ("            return real\n", "            return None\n", "single tokens of padded texts read the padding"),
    ("return logits[:, -1].clone()", "return logits[:, 0].clone()", "logits after the first token read"),
    ("return logits[:, -1].clone()", "return logits[:, -1]", "logits that cannot take part in training"),
    ("with torch.inference_mode(), caching(", "with torch.enable_grad(), caching(", "cached steps keep the graph"),
    (
        "if all(cache.length + T == self.text.length for",
        "if all(True for",
        "a text that is read again continues the old one",
    ),
    ("if all(cache.length + T == self.text.length for", "if all(False for", "every text read again at each token"),
    ("return self.text.ids[:, self.text.length - T :]", "return self.text.ids[:, :T]", "the first tokens read again"),
    ("            cache.clear()\n", "            pass\n", "caches not emptied before a text is read again"),
    (
        "if ids.numel() <= FEW_TOKENS else nullcontext()",
        "if ids.numel() == 0 else nullcontext()",
        "maps never stored by columns",
    ),
    ("        if not can_cache(model):\n", "        if False:\n", "models cached that cannot be"),
    (
        "self.model.decode(ids, self.memory, self.source_ids, self)",
        "self.model.decode(ids, self.memory, ids, self)",
        "cached steps read the source's padding",
    ),
    (
        "caches: list[TextCache | MemoryCache] = [*self.text_caches, *self.memory_caches]",
        "caches = self.text_caches",
        "bytes without the source's",
    ),
    (
        "MemoryCache(layer.cross_attention, self.memory)",
        "MemoryCache(layers[0].cross_attention, self.memory)",
        "one memory for all layers",
    ),
    ("if isinstance(model, Transformer) == (source_ids is None):", "if False:", "a Transformer without a source taken"),
    # Rows that come and go.
    (
        "start = self.text.select(rows)\n        if sources",
        "start = self.text.select(rows) + 1\n        if sources",
        "one token of each row not moved",
    ),
    (
        "        if sources != self.sources:\n            start = 0\n",
        "        if sources != self.sources:\n",
        "rows with new sources keep their keys",
    ),
    ("sources, share = wanted, 1", "pass", "rows read others' sources"),
    ("self.source_ids = self.source_ids[sources]", "pass", "rows keep others' source padding"),
    (
        "[i for i in range(len(sources)) for _ in range(share)]",
        "[*range(len(sources))] * share",
        "beams read other sources",
    ),
    # Which models can be cached.
    ("if not isinstance(model, LanguageModel | Transformer):", "if False:", "models of another kind cached"),
    (
        "all(isinstance(layer, EncoderLayer | DecoderLayer) for layer in layers)\n        and ",
        "",
        "layers of another kind cached",
    ),
    (
        "all(isinstance(attention, MultiHeadAttention) for attention in attentions)\n        and ",
        "",
        "attentions of another kind cached",
    ),
    ("        and _takes_positions(model.embed)\n", "", "embeddings that know no positions cached"),
    ('getattr(embed, "forward", embed)', "embed", "models with learned positions not cached"),
    # Reading without a cache.
    ("ids.device) + pads) %", "ids.device) - pads) %", "uncached padding turned the wrong way"),
    ("ids.size(1) - 1 - pads[..., None]", "ids.size(1) - 1 - 0 * pads[..., None]", "uncached logits of padding"),
    ("self.memory[rows], self.source_ids[rows]", "self.memory, self.source_ids[rows]", "uncached sources not moved"),
    # The text.
    ("(~padding).int().argsort", "padding.int().argsort", "padding gathered on the right"),
    ("(self.pads - too_many).clamp(min=0)", "self.pads", "padding stays where the text slides"),
    ("self.ids[:, too_many:]", "self.ids[:, : self.room]", "the newest tokens let go"),
    ("            self.ids, self.pads = before\n", "            pass\n", "ids that cannot be read stay in the text"),
    ("        except BaseException:\n", "        except ValueError:\n", "an interrupted token stays in the text"),
    ("if ids.dim() != 2 or ids.is_floating_point() or ids.dtype == torch.bool:", "if False:", "fractions read as ids"),
    (
        "if not ids.size(1) or (self.length and len(ids) != len(self.ids)):",
        "if False:",
        "a text continued by other texts",
    ),
    ("if ids.numel() and ids.min() < 0:", "if False:", "ids below 0 read"),
    (
        "if padding is not None and (padding.shape != ids.shape or",
        "if padding is not None and (",
        "padding of another shape taken",
    ),
    ("if not torch.equal(old_pads, self.pads):", "if False:", "rows of equal ids keep others' padding"),
    ("return differing[0] if differing else self.length", "return self.length", "rows keep others' keys"),
    ("return differing[0] if differing", "return differing[-1] if differing", "rows keep some of others' keys"),
    ("if self.length:\n                raise", "if False:\n                raise", "padding later on taken"),
]
