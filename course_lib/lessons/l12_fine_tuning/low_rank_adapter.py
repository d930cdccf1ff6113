"""The exercise `LowRankAdapter` of notebook 12."""

from typing import Any

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights import weights_in_use
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.learning import adapters

CHANGES_FROM_THE_START = (
    "Your adapter changes the output before it has learned anything. Let B begin at 0, and A at random: then the "
    "model begins as it was."
)
A_BEGINS_AT_0 = (
    "In your adapter, A begins at 0, and B at random. It should be the other way round, as in the text: A at random, B "
    "at 0."
)
NEVER_LEARNS = (
    "In your adapter, both matrices begin at 0. Then the gradient of each is 0, and it never learns. Let A begin at "
    "random, and only B at 0."
)
EQUAL_RANKS = (
    "In your adapter, all rows of A begin as the same numbers. Then all of them learn the same, as if the rank were 1. "
    "Let A begin at random."
)


def inputs(d_in: int, _d_out: int, _rank: int, _alpha: float) -> tuple[torch.Tensor]:
    """What comes in, (2, 3, d_in)."""
    return (fixed_tensor(2, 3, d_in),)


LEARNED = ClassWithWeights(
    reference=adapters.LowRankAdapter,
    inputs=inputs,
    sizes=(6, 5, 3, 12.0),
    wide=(64, 32, 4, 8.0),
    block=11,
)


def start_of_adapter(learned: ClassWithWeights, answer: Any) -> str:
    """Say that an adapter has a bias, does not begin as no change, or that no gradient reaches it."""
    if sentence := weights_in_use.biases(learned, answer):
        return sentence
    with torch.random.fork_rng([]):
        adapter = learned.make(answer, learned.wide)
    output = learned.outputs(adapter, learned.inputs(*learned.wide))[0]
    if output.abs().max() > 1e-6:
        return CHANGES_FROM_THE_START
    output.sum().backward()
    idle = [each.numel() for each in adapter.parameters() if not each.any()]
    d_in, d_out, rank, _ = learned.wide
    if idle == [rank * d_in] and rank * d_out != rank * d_in:
        return A_BEGINS_AT_0
    if any(each.any() and _has_equal_ranks(each, rank) for each in adapter.parameters()):
        return EQUAL_RANKS
    moves = [each.grad is not None and bool(each.grad.any()) for each in adapter.parameters()]
    return NEVER_LEARNS if len(idle) == len(moves) and not any(moves) else ""


def _has_equal_ranks(matrix: torch.Tensor, rank: int) -> bool:
    """Whether a matrix, (rank, …) or (…, rank), has the same numbers for each rank."""
    rows = matrix if matrix.size(0) == rank else matrix.T
    return bool((rows == rows[:1]).all())


adapter = Exercise(
    reference=adapters.LowRankAdapter,
    notebook=12,
    order=60,
    minutes=12,
    difficulty=3,
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, start=start_of_adapter),
    explain=explain_class(LEARNED),
    returns=(Result("the change of the output", "…, d_out"), Result("the gradients of your matrices")),
    example=case(4, 3, 2, 6.0, fixed_tensor(2, 3, 4)),
    another=case(4, 3, 2, 6.0, fixed_tensor(2, 3, 4, seed=1)),
    cases=(
        case(6, 5, 3, 12.0, fixed_tensor(1, 4, 6), having=("other sizes", "a higher rank")),
        case(
            8, 6, 4, 2.0, fixed_tensor(2, 2, 8), having=("a higher rank", "other sizes", "an α that r does not divide")
        ),
        case(5, 3, 2, 7.0, fixed_tensor(1, 2, 5), having=("an α that r does not divide", "other sizes")),
        case(4, 5, 2, 2.0, fixed_tensor(3, 4), having=("no batch axis", "α equal to r", "other sizes")),
        case(5, 5, 2, 6.0, fixed_tensor(2, 3, 5), having=("as many numbers out as in", "other sizes")),
        case(4, 3, 2, 6.0, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Two matrices: A makes d_in narrow, (r, d_in), and B makes it wide again, (d_out, r). Which one begins at 0?",
        "`nn.Parameter(torch.randn(rank, d_in) * d_in**-0.5)` for A, `nn.Parameter(torch.zeros(d_out, rank))` for B.",
        "`forward` returns α/r times `x @ A.T @ B.T`. The frozen matrix W is not in here.",
    ),
)


adapter.patch(
    "Your adapter has no scale. Multiply the change by α/r.",
    replace="self.scale = alpha / rank",
    by="self.scale = 1.0",
)

adapter.patch(
    "Your adapter multiplies by α, but does not divide by r. The scale is α/r.",
    replace="self.scale = alpha / rank",
    by="self.scale = alpha",
)

adapter.patch(
    "Your adapter divides α by d_in. The scale is α/r, with the rank r.",
    replace="self.scale = alpha / rank",
    by="self.scale = alpha / d_in",
)

adapter.patch(
    "Your adapter divides α by √r, as rsLoRA, a later variant, does. Here the scale is α/r.",
    replace="self.scale = alpha / rank",
    by="self.scale = alpha / rank**0.5",
)

adapter.patch(
    "Your scale is rounded down to a whole number, as by `//` or `int`: where α is below r, it is 0. It should be α/r, "
    "decimals included.",
    replace="self.scale = alpha / rank",
    by="self.scale = alpha // rank",
)

adapter.patch(
    "Your scale is r/α, the wrong way up. It is α/r.",
    replace="self.scale = alpha / rank",
    by="self.scale = rank / alpha",
)

adapter.patch(
    "Your adapter has an activation between A and B. Without one, the two matrices can be merged into W afterwards.",
    replace="x @ self.A.T @ self.B.T",
    by="(x @ self.A.T).relu() @ self.B.T",
)


@adapter.mistake(
    "Your adapter has one full matrix, (d_out, d_in), as many numbers as W itself. Use two narrow ones, A (r, d_in) "
    "and B (d_out, r)."
)
class FullMatrix(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.W, self.scale = nn.Parameter(torch.zeros(d_out, d_in)), alpha / rank

    def forward(self, x):
        return self.scale * (x @ self.W.T)


adapter.patch(
    "Your adapter adds x to the change. It should return the change alone: W x is added outside.",
    replace="return self.scale",
    by="return x + self.scale",
)


@adapter.right_for_whole_course
class OfLinearMaps(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.down, self.up = nn.Linear(d_in, rank, bias=False), nn.Linear(rank, d_out, bias=False)
        nn.init.zeros_(self.up.weight)
        self.factor = alpha / rank

    def forward(self, x):
        return self.up(self.down(x)) * self.factor


@adapter.right
class StoredTheOtherWay(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.A = nn.Parameter(torch.randn(d_in, rank) / d_in**0.5)
        self.B = nn.Parameter(torch.zeros(rank, d_out))
        self.alpha, self.rank = alpha, rank

    def forward(self, x):
        return self.alpha / self.rank * (x @ self.A @ self.B)
