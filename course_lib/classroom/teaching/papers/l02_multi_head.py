"""Lesson 02 on paper: whose numbers go where when vectors are cut into heads."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, Table
from course_lib.transformer.attention import multi_head_parameter_count, split_heads

NAMES = ("a", "b", "c")
HEADS, D_MODEL = 2, 4


def paper() -> Paper:
    """Make the exercise and its answers."""
    x = torch.arange(len(NAMES) * D_MODEL).reshape(1, len(NAMES), D_MODEL)  # (B, T, d_model)
    right, viewed = split_heads(x, HEADS), x.view(1, HEADS, len(NAMES), D_MODEL // HEADS)  # (B, H, T, d_k) each
    wrong = int((right != viewed).sum())
    counts = {heads: multi_head_parameter_count(D_MODEL, heads) for heads in (HEADS, D_MODEL)}
    return Paper(
        formula=Formula(
            (
                r"\mathrm{head}_i=\mathrm{Attention}(QW^Q_i,\;KW^K_i,\;VW^V_i)",
                r"\mathrm{MultiHead}(Q,K,V)=\mathrm{Concat}(\mathrm{head}_1,\ldots,\mathrm{head}_H)\,W^O",
            ),
            "Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2",
        ),
        task=f"Three tokens, d_model = {D_MODEL}, {HEADS} heads. The numbers are numbered, so that you see where each "
        "one goes.",
        given=Table(
            ("token", "its vector"), tuple((name, _row(row)) for name, row in zip(NAMES, x[0].tolist(), strict=True))
        ),
        questions=(
            Question(
                "Each vector is cut in two: the first half goes to head 0, the second half to head 1. What does head "
                "1 get? "
                "`x.view(1, 2, 3, 2)` has the right shape too: it keeps the twelve numbers in their order and cuts "
                "them at "
                "other points. What does head 1 get from it?",
                _table(right[0, 1].tolist(), viewed[0, 1].tolist()),
                _table(),
                room=0,
            ),
            Question(
                "How many of the twelve numbers end up in a wrong head or at a wrong token?",
                f"{wrong} of {x.numel()}. No error is raised, since the shape is right.",
                room=1,
            ),
            Question(
                f"Queries, keys, values and the heads' results each pass a matrix of {D_MODEL} × {D_MODEL} numbers "
                "and a "
                f"bias. How many numbers are learned with {HEADS} heads, and how many with {D_MODEL}?",
                f"{counts[HEADS]} and {counts[D_MODEL]}: 4 · ({D_MODEL} · {D_MODEL} + {D_MODEL}). More heads are "
                "narrower, so they cost nothing.",
                room=3,
            ),
        ),
    )


def _row(numbers: list[int]) -> str:
    return "   ".join(str(number) for number in numbers)


def _table(*columns: list[list[int]]) -> Table:
    """The table of what head 1 gets; empty without columns."""
    rows = [[_row(row) for row in column] for column in columns] or [[""] * len(NAMES)] * 2
    return Table(("token", "head 1, each vector cut", "head 1, by the view"), tuple(zip(NAMES, *rows, strict=True)))
