"""Lesson 10 on paper: rows that are computed twice, the mask of a cache, and its bytes."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.cache import cache_bytes, reorder_cache

WRITTEN, LONGER = 5, 12
OLD, NEW = 3, 2
LAYERS, HEADS, D_K, LENGTH, BYTES_EACH = 12, 12, 64, 1024, 2
PARENTS = (1, 1, 0)


def paper() -> Paper:
    """Make the exercise and its answers."""
    # A pass over T tokens computes as many rows as the diagonal of its causal mask has cells.
    rows, of_longer = (sum(len(causal_mask(T)) for T in range(1, n + 1)) for n in (WRITTEN, LONGER))
    mask = causal_mask(OLD + NEW)[OLD:]
    tokens = tuple(f"token {i}" for i in range(OLD + NEW))
    filled = tuple(
        (f"token {OLD + i} asks", *("✓" if may else "–" for may in row)) for i, row in enumerate(mask.tolist())
    )
    size = cache_bytes(LAYERS, HEADS, D_K, LENGTH, BYTES_EACH)
    names = torch.arange(len(PARENTS))[:, None, None, None]
    ((keys, _),) = reorder_cache([(names, names)], torch.tensor(PARENTS))
    return Paper(
        formula=Formula(
            (
                r"1+2+\cdots+T=\frac{T(T+1)}{2}",
                r"\mathrm{bytes}=2\cdot\mathrm{layers}\cdot\mathrm{heads}\cdot d_k\cdot T\cdot\mathrm{bytes\ of\ each}",
            ),
            "transformer.cache.cache_bytes",
        ),
        task=f"Without a cache, a model runs over the whole text for each new token. A text begins with one token, and "
        f"{WRITTEN} more are written, in {WRITTEN} passes. A row is the key of one token in one layer.",
        questions=(
            Question(
                f"How many rows does a layer compute in the {WRITTEN} passes? How many with a cache? And in {LONGER} "
                "passes?",
                f"{rows} without a cache, {WRITTEN} with it. In {LONGER} passes: {of_longer} and {LONGER}.",
                room=2,
            ),
            Question(
                f"A cache has the keys of {OLD} tokens, and {NEW} new ones come at once. Mark with ✓ what each of "
                "them may "
                "read.",
                Table(("", *tokens), filled),
                Table(("", *tokens), tuple((row[0], *[""] * (OLD + NEW)) for row in filled)),
                room=0,
            ),
            Question(
                f"GPT-2 small has {LAYERS} layers and {HEADS} heads of width {D_K}. How many bytes do the keys and "
                "values "
                f"of {LENGTH:,} tokens take, with {BYTES_EACH} bytes for each number?",
                f"{size:,} bytes, which is {size / 2**20:.0f} MiB.",
                room=3,
            ),
            Question(
                "A beam search has three texts, 0, 1 and 2. After a step, the parents are "
                f"{', '.join(map(str, PARENTS))}. "
                "Whose keys does each row need now?",
                f"Those of the old texts {', '.join(str(i) for i in keys.flatten().tolist())}: rows 0 and 1 both "
                "continue "
                "the same text, and the old text 2 is dropped.",
                room=2,
            ),
        ),
    )
