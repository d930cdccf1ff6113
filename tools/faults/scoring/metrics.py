"""Faults to plant in course_lib/scoring/metrics.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("zip(map(_plain, predicted), map(_plain, expected),", "zip(predicted, expected,", "lists differ from tuples"),
    ('    if hasattr(answer, "tolist"):\n', "    if False:\n", "tensors compared as they are"),
    ("        if isinstance(answers, str | bytes):\n", "        if False:\n", "a string compared letter by letter"),
    ("links.add((operator.index(source), operator.index(target)))", "links.add(link)", "strings taken for links"),
    ("agreed += len(A & S) + len(A & P)", "agreed += 2 * len(A & P)", "possible links counted as sure"),
    ("if weights.isnan().any():", "if False:", "an alignment of NaN"),
]
