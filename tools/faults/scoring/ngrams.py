"""Faults to plant in course_lib/scoring/ngrams.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("p = 1 / self.vocabulary", "p = 0.0", "no even bets at the bottom"),
    ("counts[token] + len(counts) * p", "counts[token] + p", "shorter contexts weigh one, not their kinds"),
    ("range(min(n, end + 1))", "range(min(n, end))", "the longest context at a start not counted"),
    ("min(self.n, len(context) + 1)", "min(self.n, len(context))", "the longest context not asked"),
    ("numbers = list(map(operator.index, ids))", "numbers = list(ids)", "tensors counted by identity"),
    ("if any(not 0 <= i < self.vocabulary for i in numbers):", "if False:", "ids out of range counted"),
    ("ids[max(0, t - reach) : t]", "ids[max(0, t - reach) : t + 1]", "the loss sees the token itself"),
    ("for t, i in enumerate(ids)) / len(ids)", "for t, i in enumerate(ids))", "the loss added up"),
    ("p = kinds * p / (total + kinds)", "p = p / (total + kinds)", "the likeliest found with shorter contexts at one"),
]
