"""Lesson 04 on paper: attention that cannot see order, and positions written as clocks."""

import math

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.transformer.positions import sinusoidal

VECTORS = {"dog": (1.0, 0.0), "bites": (0.0, 1.0), "man": (1.0, 1.0)}
ASKS = "bites"
SENTENCES = (("dog", "bites", "man"), ("man", "bites", "dog"))
LENGTH, D_MODEL = 3, 4


def paper() -> Paper:
    """Make the exercise and its answers."""
    read = []
    for sentence in SENTENCES:
        x = torch.tensor([VECTORS[word] for word in sentence])  # (S, d_model)
        output, weights = scaled_dot_product_attention(torch.tensor([VECTORS[ASKS]]), x, x)
        scores = (x @ torch.tensor(VECTORS[ASKS])).tolist()
        read.append((scores, weights[0].tolist(), output[0].tolist()))
    (scores, weights_of_first, output_of_first), (_, _, output_of_second) = read
    table = sinusoidal(LENGTH, D_MODEL)
    head = ("position", "sin, clock 0", "cos, clock 0", "sin, clock 1", "cos, clock 1")
    filled = tuple((str(i), *(short(each) for each in row)) for i, row in enumerate(table.tolist()))
    speed = 10_000 ** (2 / D_MODEL)
    angles = (1.0, 2.0, 1 / speed, 2 / speed)
    sines = "; ".join(f"sin {short(a)} ≈ {short(math.sin(a))}, cos {short(a)} ≈ {short(math.cos(a))}" for a in angles)
    return Paper(
        formula=Formula(
            (
                (
                    r"PE_{(pos,\,2i)}=\sin\frac{pos}{10000^{2i/d_{model}}}\qquad "
                    r"PE_{(pos,\,2i+1)}=\cos\frac{pos}{10000^{2i/d_{model}}}"
                ),
            ),
            "Vaswani et al. 2017, arXiv:1706.03762, section 3.5",
        ),
        task="Queries, keys and values are the words themselves. "
        f"Scores are divided by √2, and e^(1/√2) ≈ {short(math.exp(0.5**0.5), 1)}.",
        given=Table(("", *VECTORS), (("its two numbers", *(listed(vector) for vector in VECTORS.values())),)),
        questions=(
            Question(
                f"“{' '.join(SENTENCES[0])}”: what are the scores and the weights of “{ASKS}”, and what does it "
                "receive?",
                f"Scores {listed(scores)}; weights {listed(weights_of_first)}; it receives {listed(output_of_first)}.",
                room=4,
            ),
            Question(
                f"And in “{' '.join(SENTENCES[1])}”?",
                f"The same: {listed(output_of_second)}. A sum does not depend on the order of its terms, so nothing "
                "says "
                "who bites whom.",
                room=1,
            ),
            Question(
                f"Write positions 0 to {LENGTH - 1} with d_model = {D_MODEL}. Clock 1 is {short(speed)} times as slow "
                "as "
                f"clock 0. ({sines})",
                Table(head, filled),
                Table(head, tuple((row[0], "", "", "", "") for row in filled)),
                room=0,
            ),
        ),
    )
