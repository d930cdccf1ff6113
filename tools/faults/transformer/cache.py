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
        "stored[:, :, :, self.length : end])",
        "stored[:, :, :, : end - self.length])",
        "new keys over the first ones",
    ),
    ("        keys, values = stored[:, :, :, :end].unbind()\n", "", "only the newest tokens read"),
    (
        "maps = (attention.W_q, attention.W_k, attention.W_v)",
        "maps = (attention.W_q, attention.W_v, attention.W_k)",
        "one product in another order",
    ),
    ("bias = None if maps[0].bias is None else", "bias = None if True else", "one product without its biases"),
    ("        self.length = end\n", "        self.length = min(end, 1)\n", "the text never grows"),
    ("end = self.length + keys.size(-2)", "end = self.length + 1", "several tokens stored as one"),
    ("            if end > self.room:\n", "            if False:\n", "more tokens than there is room for"),
    (
        "if self.stored is None or self.stored.size(3) < end:",
        "if self.stored is None:",
        "room for the first tokens only",
    ),
    ("= min(self.room, -(-end // COLUMNS_AT_ONCE)", "= (-(-end // COLUMNS_AT_ONCE)", "more columns than there is room"),
    ("-(-end // COLUMNS_AT_ONCE) * COLUMNS_AT_ONCE", "end", "room made again at each token"),
    ("stored[:, :, :, : self.length] = self.keys_and_values", "pass", "earlier tokens lost where the room grows"),
    # One query of each head.
    ("self.stored is None or queries.size(0) == 1", "self.stored is None", "one text not left to the kernel"),
    (" or queries.dtype.itemsize < 4", "", "half precision not left to the kernel"),
    ("self.edge[self.room - self.length :]", "self.edge[self.room - self.length + 1 :]", "the newest token not read"),
    ("self.edge[self.room - self.length :]", "self.edge", "columns without a token read"),
    (
        "weight.new_full((COLUMNS_AT_ONCE,), -math.inf)",
        "weight.new_zeros(COLUMNS_AT_ONCE)",
        "columns without a token get a weight",
    ),
    (
        "queries.reshape(B * kv_heads, -1, d_k)",
        "queries.reshape(B, -1, kv_heads, d_k).transpose(1, 2).flatten(0, 1)",
        "heads read others' keys",
    ),
    ("alpha=d_k**-0.5", "alpha=1.0", "scores of one query not scaled"),
    ("scores.softmax(dim=-1) @ values", "scores.softmax(dim=-1) @ keys", "one query mixes the keys"),
    ("scores.softmax(dim=-1) @ values", "scores.softmax(dim=-2) @ values", "one query's softmax over the heads"),
    ("self.length, self.stored = 0, None", "pass", "a text that is never forgotten"),
    ("        if self.stored is None:\n            return\n", "", "rows of nothing moved"),
    ("if len(rows) != self.stored.size(1):", "if False:", "more or fewer rows than before not made room for"),
    (
        "self.stored = self.stored[:, rows]",
        "self.stored = self.stored[:, : len(rows)]",
        "the first rows kept, whichever are chosen",
    ),
    ("changing[:, rows[moved]]", "changing[:, moved]", "rows stay where they were"),
    (
        "self.keys_and_values[:, :, :, start:]",
        "self.keys_and_values[:, :, :, :start]",
        "the common beginning moved, the rest not",
    ),
    ("self.keys_and_values[:, :, :, start:]", "self.keys_and_values", "the common beginning moved as well"),
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
    # Maps stored by columns.
    ("each.out_features > each.in_features", "True", "narrow maps stored by columns too"),
    ("each.out_features > each.in_features", "False", "no map stored by columns"),
    ("each.weight.detach().mT.contiguous().mT for", "each.weight.detach().clone() for", "copies stored by rows"),
    ("each.weight.detach().mT.contiguous().mT for", "torch.zeros_like(each.weight) for", "copies of the maps emptied"),
    (
        'strict=True):\n                vars(each)["_parameters"]["weight"] = parameter',
        "strict=True):\n                pass",
        "maps stored by columns for good",
    ),
    (
        "            yield\n        finally:\n            for each, parameter",
        "            yield\n        except OSError:\n            raise\n        else:\n            for each, parameter",
        "maps stored by columns after an exception",
    ),
]
