"""Lesson 17 on paper: what three seeds can tell, a bootstrap by hand, and the biases of ALiBi."""

import itertools

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, percent, short
from course_lib.scoring.confidence import bootstrap_interval
from course_lib.transformer.positions import alibi_bias

SEEDS = (3, 5)
DIFFERENCES = (0.1, 0.2, 0.6)
PICKS = ((0, 0, 1), (0, 1, 2), (1, 1, 2), (2, 2, 2))
VARIANTS, LEVEL = 5, 0.95
HEADS, T = 8, 4


def paper() -> Paper:
    """Make the exercise and its answers."""
    luck = {n: _share_that_agree(n) for n in SEEDS}
    values, picks = torch.tensor(DIFFERENCES), torch.tensor(PICKS)
    means = [bootstrap_interval(values, pick[None])[0] for pick in picks]
    low, high = bootstrap_interval(values, picks)
    bias = alibi_bias(HEADS, T)[0].tolist()
    filled = tuple((f"token {i}", *(short(each) for each in row)) for i, row in enumerate(bias))
    head = ("", *(f"token {i}" for i in range(T)))
    return Paper(
        formula=Formula(
            (r"\mathrm{bias}_{h,i,j}=-2^{-8(h+1)/H}\cdot|i-j|",),
            "Press, Smith and Lewis 2022, arXiv:2108.12409, section 3",
        ),
        task="Two variants are equally good, so that each seed prefers one of them by the toss of a coin.",
        questions=(
            Question(
                f"In what share of all cases is the same variant ahead in all {SEEDS[0]} seeds? In all {SEEDS[1]}?",
                f"{percent(luck[SEEDS[0]])} and {percent(luck[SEEDS[1]], 2)}.",
                room=2,
            ),
            Question(
                f"With three seeds, the differences between two variants are {listed(DIFFERENCES)}. Here are four "
                "draws with "
                "replacement: "
                + "; ".join(listed([DIFFERENCES[i] for i in pick]) for pick in PICKS)
                + ". What is the mean of each? What do so few draws say?",
                f"{listed(means)}. The middle 95 % of them go from {short(low)} to {short(high)}: with three seeds, "
                "the "
                "difference may be small or large.",
                room=3,
            ),
            Question(
                f"You compare {VARIANTS} variants with one, and none of them changes anything. How often does at "
                "least one "
                f"interval of {percent(LEVEL)} exclude 0? ({short(LEVEL)}⁵ ≈ {short(LEVEL**VARIANTS)})",
                f"In {percent(1 - LEVEL**VARIANTS)} of all cases.",
                room=2,
            ),
            Question(
                f"ALiBi with {HEADS} heads: head 0 has the slope 2⁻¹. What is added to its scores?",
                Table(head, filled),
                Table(head, tuple((row[0], *[""] * T) for row in filled)),
                room=0,
            ),
        ),
    )


def _share_that_agree(seeds: int) -> float:
    outcomes = [*itertools.product((False, True), repeat=seeds)]
    return sum(len(set(outcome)) == 1 for outcome in outcomes) / len(outcomes)
