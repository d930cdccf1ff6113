"""Lesson 16 on paper: a softmax in two pieces, and how far a window reaches."""

import math

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table, listed, short
from course_lib.transformer.attention import attention_weights, mix_values
from course_lib.transformer.blocks import online_softmax_step, reach, sliding_window_mask

SCORES, VALUES, SEEN = (1.0, 2.0, 4.0), (10.0, 20.0, 30.0), 2
T, WINDOW, LAYERS = 5, 2, 3
FARTHER = (3, 4)


def paper() -> Paper:
    """Make the exercise and its answers."""
    scores, value = torch.tensor([SCORES]), torch.tensor(VALUES)[:, None]
    nothing = torch.full((1, 1), -math.inf), torch.zeros(1, 1), torch.zeros(1, 1)
    first = online_softmax_step(*nothing, scores[:, :SEEN], value[:SEEN])
    last = online_softmax_step(*first, scores[:, SEEN:], value[SEEN:])
    shrink = (first[0] - last[0]).exp().item()
    by_parts, at_once = (last[2] / last[1]).item(), mix_values(attention_weights(scores), value).item()
    filled = tuple(
        (f"token {i}", *("✓" if may else "–" for may in row))
        for i, row in enumerate(sliding_window_mask(T, WINDOW).tolist())
    )
    head = ("", *(f"token {i}" for i in range(T)))
    return Paper(
        formula=Formula(
            (
                (
                    r"m'=\max(m,\,s)\qquad \mathrm{total}'=e^{m-m'}\,\mathrm{total}+\sum e^{s-m'}\qquad "
                    r"\mathrm{mixed}'=e^{m-m'}\,\mathrm{mixed}+\sum e^{s-m'}v"
                ),
            ),
            "Milakov and Gimelshein 2018, arXiv:1805.02867, section 3",
        ),
        task=f"A query has the scores {listed(SCORES)}, and their values are {listed(VALUES)}. You see the first two "
        "only.",
        questions=(
            Question(
                "What is the largest score so far, the sum of e^(score − largest), and the sum of the values weighted "
                "by "
                "these? (e⁻¹ ≈ 0.37)",
                f"{', '.join(short(each.item()) for each in first)}.",
                room=1,
            ),
            Question(
                "The third score comes. By what do you multiply both sums, and what are they then? (e⁻² ≈ 0.135)",
                f"By {short(shrink, 3)}. With the third score they are {short(last[1].item())} and "
                f"{short(last[2].item(), 1)}.",
                room=2,
            ),
            Question(
                "What is the result, and what does a softmax over all three give?",
                f"{short(by_parts, 1)}, and at once {short(at_once, 1)}: the pieces are exact.",
                room=1,
            ),
            Question(
                f"Each of {T} tokens reads the last {WINDOW} tokens, itself included. Mark with ✓ what each may read.",
                Table(head, filled),
                Table(head, tuple((row[0], *[""] * T) for row in filled)),
                room=0,
            ),
            Question(
                f"After {LAYERS} such layers, how many tokens, itself included, can have reached a token? And with "
                f"{FARTHER[0]} layers and a window of {FARTHER[1]}?",
                f"{reach(LAYERS, WINDOW)} and {reach(*FARTHER)}: each layer adds the window less one.",
                room=1,
            ),
        ),
    )
