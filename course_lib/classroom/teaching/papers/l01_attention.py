"""Lesson 01 on paper: one query, three keys, three values."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.transformer.attention import attention_weights, dot_product_scores, mix_values

QUERY = (2.0, 1.0)
KEYS = ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
VALUES = (10.0, 20.0, 30.0)
NAMES = ("first", "second", "third")


def paper() -> Paper:
    """Make the exercise and its answers."""
    value = torch.tensor(VALUES)[:, None]  # (S, d_v)
    scores = dot_product_scores(torch.tensor([QUERY]), torch.tensor(KEYS))  # (T, S)
    weights = attention_weights(scores)
    answer, raw = mix_values(weights, value).item(), mix_values(scores, value).item()
    longer = attention_weights(2 * scores)[0].tolist()
    return Paper(
        formula=Formula(
            (r"\mathrm{Attention}(Q,K,V)=\mathrm{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V",),
            "Vaswani et al. 2017, arXiv:1706.03762, equation 1",
        ),
        task=f"The query is ({listed(QUERY)}). Leave out the division by √d_k for now.",
        given=Table(
            ("", *NAMES),
            (("key", *(listed(key) for key in KEYS)), ("value", *(short(each) for each in VALUES))),
        ),
        questions=(
            Question("The score of each key: multiply pairwise, add up.", f"{listed(scores[0].tolist())}.", room=2),
            Question(
                "The weights: softmax of the scores. Use e ≈ 2.7, e² ≈ 7.4, e³ ≈ 20.1.",
                f"{listed(weights[0].tolist())}. They add up to 1.",
                room=3,
            ),
            Question(
                "The answer: the values, mixed by the weights. Between which two numbers must it lie, for any query?",
                f"{short(answer, 1)}. An average of the values lies between {short(min(VALUES))} and "
                f"{short(max(VALUES))}.",
                room=2,
            ),
            Question(
                "What comes out if somebody forgets the softmax and mixes by the scores?",
                f"{short(raw)}, far outside: the scores add up to {short(scores.sum().item())} rather than 1.",
                room=1,
            ),
            Question(
                "The query doubles. Do the weights become more even or less even?",
                f"Less even: the scores double, and the weights are {listed(longer)}.",
                room=1,
            ),
        ),
    )
