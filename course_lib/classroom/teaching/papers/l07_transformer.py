"""Lesson 07 on paper: cross-attention for one French word, and a padding mask."""

import math

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.learning.losses import smoothed_cross_entropy, smoothed_loss_floor
from course_lib.transformer.attention import padding_mask, scaled_dot_product_attention

WORDS = ("the", "tired", "detective")
QUERY = (2.0, 0.0)
KEYS = ((0.0, 1.0), (1.0, 0.0), (0.0, 2.0))
VALUES = ((1.0, 0.0), (0.0, 3.0), (3.0, 0.0))
IDS, FILLER = (5, 7, 9, 0, 0), 0
EPSILON, V = 0.1, 4


def paper() -> Paper:
    """Make the exercise and its answers."""
    query, key, value = torch.tensor([QUERY]), torch.tensor(KEYS), torch.tensor(VALUES)
    scores = (query @ key.mT)[0].tolist()
    output, weights = scaled_dot_product_attention(query, key, value)
    may_read = padding_mask(torch.tensor([IDS]), FILLER)[0, 0, 0].tolist()
    even = smoothed_cross_entropy(torch.zeros(1, 1, V), torch.zeros(1, 1, dtype=torch.long), EPSILON).item()
    floor = smoothed_loss_floor(V, EPSILON)
    return Paper(
        formula=Formula(
            (
                (
                    r"\mathrm{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V\qquad"
                    r"Q\ \mathrm{from\ the\ target},\quad K,V\ \mathrm{from\ the\ memory}"
                ),
            ),
            "Vaswani et al. 2017, arXiv:1706.03762, equation 1 and section 3.2.3",
        ),
        task=f"After “le détective”, the query is ({listed(QUERY)}). Divide the scores by √2. "
        f"(e^1.41 ≈ {short(math.exp(2**0.5), 1)}.)",
        given=Table(
            ("", *WORDS),
            (("key", *(listed(key) for key in KEYS)), ("value", *(listed(value) for value in VALUES))),
        ),
        questions=(
            Question(
                "What is the score of each English word, and the score divided by √2?",
                f"{listed(scores)}; divided: {listed([each / 2**0.5 for each in scores])}.",
                room=2,
            ),
            Question(
                "What weight does each word get, and what does the French side receive?",
                f"{listed(weights[0].tolist())}; it receives {listed(output[0].tolist())}, mostly the value of "
                f"“{WORDS[int(weights[0].argmax())]}”.",
                room=3,
            ),
            Question(
                f"A sentence in a batch has the ids {listed(IDS)}, and {FILLER} is padding. Write its padding mask: ✓ "
                "where "
                "a query may read.",
                Table(tuple(str(i) for i in IDS), (tuple("✓" if may else "–" for may in may_read),)),
                Table(tuple(str(i) for i in IDS), (("",) * len(IDS),)),
                room=0,
            ),
            Question(
                f"Smoothed labels with ε = {short(EPSILON)} and {V} tokens: what share of the label does the right "
                "token "
                f"keep, and what each other token? What do even bets cost? (ln {V} ≈ {short(math.log(V))})",
                f"{short(1 - EPSILON + EPSILON / V, 3)} and {short(EPSILON / V, 3)}. Even bets cost {short(even)} "
                "nats, "
                f"as without smoothing; but no model gets below {short(floor)}.",
                room=2,
            ),
        ),
    )
