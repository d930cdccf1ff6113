"""Faults to plant in course_lib/experiments/study.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("            if key in alike:", "            if False:", "two equal variants are compared"),
    ("{**self.settings, **settings}", "{**settings, **self.settings}", "a variant cannot change a common setting"),
    (
        "digest([self.data, dict(self.measures), versions()])",
        "digest([self.data, dict(self.measures)])",
        "old versions count",
    ),
    (
        "digest([self.data, dict(self.measures), versions()])",
        "digest([dict(self.measures), versions()])",
        "old data count",
    ),
    ("digest([self.data, dict(self.measures), versions()])", "digest([self.data, versions()])", "old measures count"),
    (
        "for seed in self.seeds for name, key in plans.items()",
        "for name, key in plans.items() for seed in self.seeds",
        "a variant after the other",
    ),
    ("if key not in known or (repeat_failed and known[key].outcome.error)", "if True", "everything is run again"),
    (" or (repeat_failed and known[key].outcome.error)", "", "failed runs cannot be repeated"),
    ("                    interrupted = True", "                    pass", "an interruption is not told"),
    ("names[run.key], run.seed", "run.variant, run.seed", "a variant keeps its former name"),
    ("None if self.seconds else kept.checkpoint(", "kept.checkpoint(", "a training by the clock is continued"),
    ("                kept.check_room()\n", "", "a full disk is found after a training"),
    (
        "                    self._try_out({variant for variant, _ in waiting})\n",
        "",
        "a bad measure is found after a training",
    ),
    (
        "                if plan.parts != self.parts:",
        "                if False:",
        "a part with other arguments is found late",
    ),
    ("measures = {}  # they work", "pass", "measures are tried with every part"),
    ('if str(error).startswith("the measure "):', "if False:", "a measure of text is not called one"),
    ("    if len(set(seeds)) < len(seeds):", "    if False:", "a seed counts twice"),
    ("not 0 <= seed < _TOO_LARGE_A_SEED", "not 0 <= seed", "a seed that torch does not take"),
]
