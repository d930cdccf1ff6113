"""Lesson 05 on paper: a bend that no straight line has, a norm, and a count of parameters."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, percent, short
from course_lib.transformer.layers import FeedForward, LayerNorm, encoder_parameter_count

NUMBERS = (3.0, -2.0, 0.0)
TOKEN = (1.0, 1.0, 3.0, 3.0)
SHIFT = 10.0
D_MODEL, D_FF = 4, 16


def paper() -> Paper:
    """Make the exercise and its answers."""
    bend, norm = FeedForward(1, 2), LayerNorm(len(TOKEN))
    with torch.no_grad():
        bend.W_1.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        bend.W_2.weight.fill_(1.0)
        for linear in (bend.W_1, bend.W_2):
            linear.bias.zero_()
        results = bend(torch.tensor(NUMBERS)[:, None])[:, 0].tolist()
        normed = norm(torch.tensor(TOKEN)).tolist()
        shifted = norm(torch.tensor(TOKEN) + SHIFT).tolist()
    attention, feed_forward, norms = encoder_parameter_count(D_MODEL, D_FF, layers=1)
    share = feed_forward / (attention + feed_forward + norms)
    return Paper(
        formula=Formula(
            (
                r"\mathrm{FFN}(x)=\max(0,\;xW_1+b_1)\,W_2+b_2",
                (
                    r"\mathrm{LayerNorm}(x)=\mathrm{gain}\cdot\frac{x-\mathrm{mean}}{\sqrt{\mathrm{variance}+\epsilon}}"
                    r"+\mathrm{bias}"
                ),
            ),
            "Vaswani et al. 2017, arXiv:1706.03762, section 3.3; Ba, Kiros and Hinton 2016, arXiv:1607.06450",
        ),
        task="A network for one number x has two hidden numbers, x and −x. ReLU replaces what is negative by 0; then "
        "both "
        "are added up.",
        questions=(
            Question(
                "What comes out? Is there a straight line w·x + b through all three points?",
                f"{listed(results)}: the absolute value. A line through (3, 3) and (0, 0) goes on to (−2, −2), so "
                "there "
                "is none.",
                Table(("x", *(short(x) for x in NUMBERS)), (("result", "", "", ""),)),
                room=1,
            ),
            Question(
                f"A token has the features {listed(TOKEN)}. Bring them to mean 0 and variance 1. (The gain is 1, the "
                "bias "
                "0, and leave ε out.)",
                f"Mean {short(sum(TOKEN) / len(TOKEN))}, variance "
                f"{short(torch.tensor(TOKEN).var(unbiased=False).item())}: {listed(normed)}.",
                room=3,
            ),
            Question(
                f"And if {short(SHIFT)} is added to each feature first?",
                f"{listed(shifted)}: nothing changes, since only the mean is {short(SHIFT)} higher, and it is "
                "subtracted.",
                room=1,
            ),
            Question(
                f"One encoder layer with d_model = {D_MODEL}, d_ff = {D_FF}: how many numbers do the attention, the "
                "feed-forward and the two norms learn, biases included?",
                f"{attention}, {feed_forward} and {norms}. The feed-forward has {percent(share)} of them.",
                room=3,
            ),
        ),
    )
