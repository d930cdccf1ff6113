"""Lesson 00 on paper: a weighted average of three words, and shares made out of scores."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.transformer.attention import mix_values, softmax

WORDS = ("the", "detective", "investigated")
VALUES = ((1.0, 0.0), (0.0, 2.0), (3.0, 1.0))
SHARES = (0.1, 0.2, 0.7)
OTHER_SHARES = (0.0, 1.0, 0.0)
SCORES = (1.0, 2.0, 3.0)


def paper() -> Paper:
    """Make the exercise and its answers."""
    received = mix_values(torch.tensor([SHARES, OTHER_SHARES]), torch.tensor(VALUES)).tolist()
    shares = softmax(torch.tensor(SCORES), dim=0)
    shifted = softmax(torch.tensor(SCORES) + 1000, dim=0)
    same = "the same" if torch.allclose(shares, shifted) else "not the same"
    return Paper(
        formula=Formula((r"\mathrm{softmax}(x)_i=\frac{e^{x_i}}{\sum_j e^{x_j}}",), "transformer.attention.softmax"),
        task="Each English word is two numbers. The French word “enquêté” reads the three words with these shares.",
        given=Table(
            ("", *WORDS),
            (
                ("its two numbers", *(listed(value) for value in VALUES)),
                ("share", *(short(share) for share in SHARES)),
            ),
        ),
        questions=(
            Question(
                "What does “enquêté” receive: which two numbers?",
                f"{listed(received[0])}. Each number is the average of the three words' numbers, weighted by the "
                "shares.",
            ),
            Question(
                f"Another word reads with the shares {listed(OTHER_SHARES)}. What does it receive?",
                f"{listed(received[1])}: exactly the numbers of “{WORDS[OTHER_SHARES.index(1.0)]}”.",
                room=1,
            ),
            Question(
                f"Turn the scores {listed(SCORES)} into shares. Use e ≈ 2.7, e² ≈ 7.4, e³ ≈ 20.1. How many times as "
                "large as the first is the last share?",
                f"{listed(shares.tolist())}. The last is {short((shares[2] / shares[0]).item(), 1)} times the first, "
                "which is e², since the two scores differ by 2.",
                room=3,
            ),
            Question(
                "And if 1000 is added to each score?",
                f"The shares are {same}: e¹⁰⁰⁰ is a factor above and below the line, so only differences of scores "
                "count.",
                room=1,
            ),
        ),
    )
