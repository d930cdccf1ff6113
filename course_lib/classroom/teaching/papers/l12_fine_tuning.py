"""Lesson 12 on paper: the mean of real tokens, a low-rank change of a matrix, and when to stop."""

import torch

from course_lib.classroom.teaching.paper import Formula, Paper, Question, listed, percent, short
from course_lib.learning.adapters import LowRankAdapter, merge_adapter
from course_lib.learning.heads import mean_of_tokens, should_stop

VECTORS, REAL = (2.0, 4.0, 9.0), (True, True, False)
W, B, A, ALPHA = ((1.0, 0.0), (0.0, 1.0)), ((1.0,), (2.0,)), ((1.0, -1.0),), 1.0
D, RANK = 384, 8
LOSSES, PATIENCE = (0.9, 0.7, 0.6, 0.65, 0.62, 0.63), 2


def paper() -> Paper:
    """Make the exercise and its answers."""
    hidden = torch.tensor(VECTORS)[None, :, None]  # (B, S, d_model)
    mean = mean_of_tokens(hidden, torch.tensor([REAL])).item()
    with_padding = mean_of_tokens(hidden, torch.ones(1, len(REAL), dtype=torch.bool)).item()
    merged = merge_adapter(torch.tensor(W), torch.tensor(A), torch.tensor(B), ALPHA).tolist()
    learned = sum(each.numel() for each in LowRankAdapter(D, D, RANK, ALPHA).parameters())
    stops = next(n for n in range(1, len(LOSSES) + 1) if should_stop(list(LOSSES[:n]), PATIENCE))
    return Paper(
        formula=Formula(
            (r"W'=W+\frac{\alpha}{r}\,B\,A\qquad A:(r,\,d_{in}),\quad B:(d_{out},\,r)",),
            "Hu et al. 2022, arXiv:2106.09685, section 4.1",
        ),
        task="A class belongs to a whole sentence, so its tokens' vectors are averaged. Here vectors have one feature.",
        questions=(
            Question(
                f"The vectors are {listed(VECTORS)}, and the last is padding. What is the mean of the real tokens? "
                "What "
                "would it be with the padding?",
                f"{short(mean)}; with the padding {short(with_padding)}, and more padding would change it again.",
                room=2,
            ),
            Question(
                f"W = {_matrix(W)}, B = {_matrix(B)}, A = {_matrix(A)}, rank 1, α = {short(ALPHA)}. What is the merged "
                "matrix?",
                f"{_matrix(merged)}.",
                room=4,
            ),
            Question(
                f"A matrix has {D} rows and {D} columns. How many numbers does an adapter of rank {RANK} learn, and "
                "which "
                "share of the matrix is that?",
                f"{learned:,} of {D * D:,}: {percent(learned / D**2, 1)}.",
                room=2,
            ),
            Question(
                f"After each pass, the validation loss is {listed(LOSSES)}. After which pass do you stop if two passes "
                "without a new lowest loss are enough?",
                f"After pass {stops}: the lowest loss, {short(min(LOSSES[:stops]))}, was two passes before.",
                room=2,
            ),
        ),
    )


def _matrix(rows: tuple[tuple[float, ...], ...] | list[list[float]]) -> str:
    return f"[{'; '.join(listed(row) for row in rows)}]"
