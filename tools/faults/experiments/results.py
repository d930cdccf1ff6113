"""Faults to plant in course_lib/experiments/results.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("ours[seed] - theirs[seed]", "theirs[seed] - ours[seed]", "the difference has the wrong sign"),
    ("not self.interval[0] <= 0 <= self.interval[1]", "self.interval[0] > 0", "what is lower is never told"),
    ('(self.better == "higher")', '(self.better == "lower")', "better and worse are exchanged"),
    (" and each != 0 for each", " for each", "an equal seed counts as ahead"),
    ("sorted(map(abs, self.interval))", "map(abs, self.interval)", "the far end comes first"),
    (
        "run.variant == variant and run.outcome.error is None]",
        "run.variant == variant]",
        "failed runs are in the table",
    ),
    ("        if first == second:", "        if False:", "a variant is compared with itself"),
    ("shared = min(len(each[axis])", "shared = max(len(each[axis])", "curves of different length break"),
    (
        'axis = "tokens" if self.budget.unit == "tokens" else "steps"',
        'axis = "steps"',
        "a budget in tokens is drawn by steps",
    ),
    (".replace('|', chr(92) + '|')", "", "a bar in a name breaks the table"),
    ('"" if value != value else f"{value}"', 'f"{value}"', "a missing number is called nan"),
    ("        if n == 1:", "        if False:", "a single seed breaks the sentence"),
    ("        if not any(self.differences.values()):", "        if False:", "equal results are not called equal"),
    ('frame = frame.drop(columns="failed")', "pass", "a column of failures without any"),
    ("min(values) if len(values) > 1 else math.nan", "min(values) if values else math.nan", "a single seed has a band"),
    ("fmean(values) if values else math.nan", "sum(values) if values else math.nan", "the mean is a sum"),
]
