"""Faults to plant in course_lib/writing/prompts.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    (">= lengths[:, None]", "> lengths[:, None]", "one column of padding read"),
    ("yield ids, padding if padding.any() else None", "yield ids, None", "padding read"),
    (
        "min(max_length, positions) if translates and positions is not None",
        "max_length if False",
        "translations outgrow the model",
    ),
    ("len(ids), 1), self.bos)", "len(ids), 1), min(self.stop))", "translations start at the end"),
    ("if not 0 <= min(ids) <= max(ids) < vocabulary:", "if False:", "ids that the model lacks taken"),
    ("if translates and bos is None:", "if False:", "translations start without an id"),
    ('"pad", None) if pad is None else pad', '"pad", None)', "pad ignored"),
    ("self.pad if self.translates else prompts[0][0]", "self.pad", "language models need a pad"),
    ("CachedModel if use_cache and can_cache(model)", "CachedModel if use_cache", "any model cached"),
    ("    if isinstance(model, Encoder | MaskedLanguageModel):\n", "    if False:\n", "encoders write"),
    ("if not all(map(math.isfinite, largest.flatten().tolist())):", "if False:", "logits of NaN taken"),
    (
        "if not all(map(math.isfinite, largest.flatten().tolist())):",
        "if largest.isnan().any():",
        "logits of minus infinity taken",
    ),
    (
        "return frozenset(map(operator.index, stop))",
        "return frozenset(stop)",
        "ids that stop a text taken as they come",
    ),
    ("    if isinstance(prompts, str):\n", "    if False:\n", "a string taken for prompts"),
    ('if not hasattr(max_length, "__index__") or max_length < 0:', "if max_length < 0:", "half a token written"),
    ("CachedModel if use_cache and", "CachedModel if", "cache used although refused"),
    (
        "self.prompts[start : start + size]",
        "self.prompts[start : start + size - 1]",
        "prompts lost between batches",
    ),
]
