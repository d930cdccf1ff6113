"""Faults to plant in course_lib/transformer/cache.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    # The steps that a learner writes.
    ("rows_of_mask = mask(S)[S - T :]", "rows_of_mask = None", "tokens read together see the future"),
    ("rows_of_mask = mask(S)[S - T :]", "rows_of_mask = mask(S)[:T]", "new tokens forget the past"),
    ("rows_of_mask = mask(S)[S - T :]", "rows_of_mask = causal_mask(S)[S - T :]", "another mask ignored by the cache"),
    (
        "output, _ = attention(query,",
        "output, _ = scaled_dot_product_attention(query,",
        "another attention ignored by the cache",
    ),
    ("torch.cat((past[0], key), dim=2)", "torch.cat((key, past[0]), dim=2)", "new keys before the old ones"),
    ("torch.cat((past[1], value), dim=2)", "past[1].roll(-value.size(2), 2)", "new values never kept"),
    ("torch.cat((past[1], value), dim=2)", "torch.cat((past[1], key), dim=2)", "keys kept as values"),
    ("return output, (keys, values)", "return output, (key, value)", "only the newest tokens handed on"),
    ("(keys[parents], values[parents])", "(keys[parents], values)", "values stay with their old beam"),
    ("(keys[parents], values[parents])", "(keys, values)", "beams keep their old cache"),
    (
        "(keys[parents], values[parents])",
        "(keys[parents.argsort()], values[parents.argsort()])",
        "beams sent to their children",
    ),
    ("return 2 * layers * kv_heads", "return layers * kv_heads", "bytes of keys without values"),
    ("return 2 * layers * kv_heads", "return 2 * kv_heads", "bytes of one layer"),
    ("d_k * length * bytes_each", "d_k * length", "numbers in place of bytes"),
    # The cache of a text.
    ("self.length, joined)", "0, joined)", "cached tokens rotated as the first"),
    ("self.length, joined)", "self.length)", "three products in place of one"),
    ("self.joined if query is key is value else None", "self.joined", "other keys projected as the queries"),
    ("torch.stack((keys, values), out", "torch.stack((values, keys), out", "keys and values of a text exchanged"),
    ("torch.stack((keys, values), out", "torch.stack((keys, keys), out", "a text's keys stored as values"),
    (
        "self.stored[:, :, :, self.length : end])",
        "self.stored[:, :, :, : end - self.length])",
        "new keys over the first ones",
    ),
    ("        keys, values = self.stored[:, :, :, :end].unbind()\n", "", "only the newest tokens read"),
    (
        "maps = (attention.W_q, attention.W_k, attention.W_v)",
        "maps = (attention.W_q, attention.W_v, attention.W_k)",
        "one product in another order",
    ),
    ("bias = None if maps[0].bias is None else", "bias = None if True else", "one product without its biases"),
    ("        self.length = end\n", "", "the text never grows"),
    ("end = self.length + keys.size(-2)", "end = self.length + 1", "several tokens stored as one"),
    ('"""Forget the text."""\n        self.length = 0', '"""Forget the text."""', "a text that is never forgotten"),
    ("        if self.stored is None:\n            return\n", "", "rows of nothing moved"),
    ("if len(rows) != self.stored.size(1):", "if False:", "more or fewer rows than before not made room for"),
    ("chosen = present[:, rows]", "chosen = present[:, : len(rows)]", "the first rows kept, whichever are chosen"),
    ("self.stored[:, :, :, : self.length] = chosen", "self.stored[:, :, :, : self.length] = 0", "chosen rows emptied"),
    ("changing[:, rows[moved]]", "changing[:, moved]", "rows stay where they were"),
    ("present[:, :, :, start:]", "present[:, :, :, :start]", "the common beginning moved, the rest not"),
    ("present[:, :, :, start:]", "present", "the common beginning moved as well"),
    # The cache of a memory.
    ("torch.stack((keys, values))", "torch.stack((values, keys))", "keys and values of the memory exchanged"),
    (
        "_, keys, values = attention.project(memory, memory, memory)",
        "_, values, keys = attention.project(memory, memory, memory)",
        "memory projected the other way round",
    ),
    (
        "return queries, self.keys_and_values[0], self.keys_and_values[1]",
        "return queries, self.keys_and_values[0], self.keys_and_values[0]",
        "the memory's keys read as values",
    ),
    (
        "self.attention.split(self.attention.W_q(query), self",
        "self.attention.split(query, self",
        "queries of the memory not projected",
    ),
    ("self.keys_and_values = self.keys_and_values[:, sources]", "pass", "sources stay where they were"),
    # Caches at work.
    (
        '    finally:\n        for cache in caches:\n            vars(cache.attention)["cache"] = None',
        "    finally:\n        pass",
        "a cache at work after its block",
    ),
    ('vars(cache.attention)["cache"] = cache\n', "pass\n", "no cache at work in its block"),
    (
        "    try:\n        yield\n    finally:",
        "    if True:\n        yield\n    if True:",
        "a cache at work after an exception",
    ),
]
