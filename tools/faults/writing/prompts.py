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
    ("CachedModel if use_cache and", "CachedModel if", "cache used although refused"),
    (
        "self.prompts[start : start + size]",
        "self.prompts[start : start + size - 1]",
        "prompts lost between batches",
    ),
]
