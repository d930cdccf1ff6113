"""Faults to plant in course_lib/text/byte_pairs.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("(-counts[pair], pair)", "(-counts[pair], -pair[0])", "equally frequent pairs in another order"),
    ("earliest = min(ranks)", "earliest = max(ranks)", "the newest merge goes first"),
    (
        "join(table[i] for i in ids)",
        "join([*table.values()][i] for i in ids)",
        "ids below 0 decoded from the end",
    ),
    ("if isinstance(pair, str) or len(pair) != 2 or not all(", "if not all(", "merges of three ids"),
    ("counts[pair] += times", "counts[pair] += 1", "a word counts once, however frequent"),
    ("merged[-1] = new_id", "merged.append(new_id)", "a pair stays beside its merge"),
    ('r" ?\\w+| ?', 'r"\\w+| ?', "words without the space before them"),
    ("*range(161, 173)", "*range(161, 174)", "a byte that is not printable in front"),
]
