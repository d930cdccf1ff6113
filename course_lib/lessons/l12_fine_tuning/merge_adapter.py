"""The exercise `merge_adapter` of notebook 12."""

import torch

from course_lib.exercises.cases import Case, Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import adapters


def arguments(
    d_out: int,
    d_in: int,
    r: int,
    alpha: float,
    seed: int = 0,
    having: tuple[str, ...] = (),
    dtype: torch.dtype = torch.float32,
) -> Case:
    """A case with W (d_out, d_in), A (r, d_in), B (d_out, r) and α."""
    W, A, B = ((d_out, d_in), (r, d_in), (d_out, r))
    made = [fixed_tensor(*shape, seed=seed + i, dtype=dtype) for i, shape in enumerate((W, A, B))]
    return case(*made, alpha, having=having)


merge_adapter = Exercise(
    reference=adapters.merge_adapter,
    notebook=12,
    order=70,
    minutes=6,
    difficulty=2,
    returns=(Result("the merged matrix", "d_out, d_in"),),
    example=arguments(3, 4, 2, 6.0),
    another=arguments(3, 4, 2, 6.0, seed=5),
    cases=(
        arguments(4, 4, 2, 8.0, having=("a square matrix",)),
        arguments(5, 2, 1, 3.0, having=("rank 1",)),
        arguments(4, 4, 4, 11.0, having=("rank 4", "a square matrix", "a scale that is not a whole number")),
        arguments(3, 5, 2, 3.0, having=("a scale that is not a whole number",)),
        arguments(2, 6, 3, 3.0, having=("α equal to r",)),
        arguments(3, 4, 2, 6.0, having=("float64 numbers",), dtype=torch.float64),
    ),
    hints=(
        "What does the adapter add to W x? Write it as one matrix times x.",
        "The change is B A, (d_out, r) times (r, d_in): the shape of W.",
        "The scale is α divided by r, and r is the number of rows of A: `A.shape[0]`.",
    ),
)


merge_adapter.patch(
    "Your code adds B A without a scale. Multiply it by α/r.",
    replace="alpha / A.shape[0] * (B @ A)",
    by="B @ A",
)

merge_adapter.patch(
    "Your scale is rounded down to a whole number, as `//` does. Write `alpha / A.shape[0]`.",
    replace="alpha / A.shape[0] * (B @ A)",
    by="(alpha // A.shape[0]) * (B @ A)",
)

merge_adapter.patch(
    "Your code multiplies by α, but does not divide by r. The scale is α/r.",
    replace="alpha / A.shape[0] * (B @ A)",
    by="alpha * (B @ A)",
)

merge_adapter.patch(
    "Your scale is α/d_in: d_in is the number of columns of A. The rank r is the number of its rows.",
    replace="alpha / A.shape[0]",
    by="alpha / A.shape[1]",
)

merge_adapter.patch(
    "Your scale is α/d_out: d_out is the number of rows of B. The rank r is the number of its columns.",
    replace="alpha / A.shape[0]",
    by="alpha / B.shape[0]",
)

merge_adapter.patch(
    "Your code divides α by √r, as rsLoRA, a later variant, does. Here the scale is α/r.",
    replace="alpha / A.shape[0]",
    by="alpha / A.shape[0] ** 0.5",
)

merge_adapter.patch(
    "Your code divides by r, but does not multiply by α. The scale is α/r.",
    replace="alpha / A.shape[0]",
    by="1 / A.shape[0]",
)

merge_adapter.patch(
    "Your code returns the change alone. Add it to W.",
    replace="return weight + alpha",
    by="return alpha",
)

merge_adapter.patch(
    "Your code subtracts the change. Add it to W.",
    replace="return weight + alpha",
    by="return weight - alpha",
)

merge_adapter.patch(
    "Your code scales W as well. Only the change is multiplied by α/r.",
    replace="(B @ A)",
    by="(weight + B @ A) - weight",  # so that α/r (W + B A) is left, also with another scale
)

merge_adapter.patch(
    "Your code scales the change twice, so that it is multiplied by (α/r)². Once is enough: scale A, or B, or B A.",
    replace="alpha / A.shape[0]",
    by="(alpha / A.shape[0]) ** 2",
)


@merge_adapter.mistake("Your code multiplies A by B. The order is B A: x is multiplied by A first, then by B.")
def other_order(weight, A, B, alpha):
    return weight + alpha / A.shape[0] * (A @ B)


@merge_adapter.mistake("Your code adds the transposed change. `nn.Linear` keeps W as (d_out, d_in), like B A.")
def transposed(weight, A, B, alpha):
    return weight + alpha / A.shape[0] * (B @ A).T


@merge_adapter.mistake("Your code changes W itself. Return a new matrix, so that you can still go back.")
def in_place(weight, A, B, alpha):
    weight += alpha / A.shape[0] * (B @ A)
    return weight


@merge_adapter.mistake(
    "Your whole change is rounded down to whole numbers, as `//` does after the product with B A. Divide with `/`."
)
def change_rounded_down(weight, A, B, alpha):
    return weight + alpha * (B @ A) // A.shape[0]


@merge_adapter.right_for_whole_course
def by_addmm(weight, A, B, alpha):
    return torch.addmm(weight, B, A, alpha=alpha / len(A))


@merge_adapter.right
def rank_by_rank(weight, A, B, alpha):
    return weight + sum(torch.outer(B[:, i], A[i]) for i in range(len(A))) * alpha / len(A)
