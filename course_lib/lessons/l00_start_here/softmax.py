"""The exercise `softmax` of notebook 00."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention


def exponentials(x: Tensor, dim: int) -> Tensor:
    """exp(x) with each row's maximum subtracted from x, so that it cannot overflow."""
    return (x - x.amax(dim, keepdim=True)).exp()


softmax = Exercise(
    reference=attention.softmax,
    notebook=0,
    order=10,
    minutes=10,
    difficulty=1,
    on_map="softmax",
    returns=(Result("the result"),),
    example=case(torch.tensor([0.0, 1.0, 2.0]), 0),
    another=case(torch.tensor([1.5, -1.0, 0.5]), 0),
    cases=(
        case(fixed_tensor(2, 3), 1, having=("more than one row",)),
        case(fixed_tensor(3, 2), 0, having=("more than one row",)),
        case(fixed_tensor(3, 3), 1, having=("more than one row",)),
        case(fixed_tensor(2, 3, 4), 1, having=("three axes",)),
        case(fixed_tensor(4, 2).T, 1, having=("more than one row",)),
        case(fixed_tensor(1, 4), 1, having=("a single row",)),
        case(fixed_tensor(3, 1), 1, having=("a single number in each row",)),
        case(torch.tensor([1000.0, 999.0, 0.0]), 0, having=("huge numbers",)),
        case(torch.tensor([-1000.0, -1001.0]), 0, having=("very negative numbers",)),
        case(torch.tensor([[0.0, 1.0, 2.0], [500.0, 501.0, 503.0]]), 1, having=("rows of very different sizes",)),
        case(fixed_tensor(2, 3, dtype=torch.float64), -1, having=("float64 numbers",)),
    ),
    hints=(
        "Two steps: first make every number positive without changing their order, then make them add up to 1.",
        "`x.exp()` makes them positive. `.sum(dim, keepdim=True)` keeps the axis, so that the division lines up.",
        (
            "First subtract from `x` its maximum along `dim`: `x.amax`, axis kept. Then `exp`; then divide by the sum "
            "along `dim`."
        ),
    ),
)


@softmax.mistake(
    "Right for small numbers, but `exp(1000)` overflows, and so becomes NaN. Subtracting one number from all of a row "
    "changes none of its shares: which number makes `exp` safe?"
)
def overflows(x, dim):
    return x.exp() / x.exp().sum(dim, keepdim=True)


@softmax.mistake(
    "You divided by the sum of everything: all numbers together add up to 1, instead of each row along `dim`.",
    seen="https://github.com/rickwierenga/MLFundamentals/issues/1",
)
def one_sum_for_all(x, dim):
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum()


@softmax.mistake(
    "Each row has its own maximum, but one sum divides all: the rows together add up to 1, instead of each alone."
)
def one_sum_for_all_rows(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).sum()


@softmax.mistake(
    "Your sum lost its axis, so that rows are divided by other rows' sums: `keepdim=True` keeps the axis.",
    seen="https://github.com/triton-lang/triton/issues/11409",
)
def axis_not_kept(x, dim):
    return x.exp() / x.exp().sum(dim)


@softmax.mistake(
    "Your maximum kept its axis, but your sum lost it, so that rows are divided by other rows' sums: `keepdim=True`.",
    seen="https://github.com/triton-lang/triton/issues/11409",
)
def axis_not_kept_after_shift(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).sum(dim)


@softmax.mistake(
    "Your maximum lost its axis, so that other rows' maxima are subtracted: `keepdim=True` keeps the axis."
)
def maximum_not_kept(x, dim):
    exponentials = (x - x.amax(dim)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "You subtracted one maximum from all rows. In a row that lies far below it each `exp` is 0, and 0 / 0 is NaN: let "
    "each row have its own maximum."
)
def one_maximum_for_all(x, dim):
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "You subtracted the maximum in place: `x -= ...` changes the caller's own numbers. Write `x = x - ...`.",
    seen="https://github.com/frank690/sffresch-code",
)
def in_place(x, dim):
    x -= x.amax(dim, keepdim=True)
    return x.exp() / x.exp().sum(dim, keepdim=True)


@softmax.mistake("You always normalise along the last axis, whatever `dim` says: your rows add up to 1, always.")
def last_axis(x, dim):
    return attention.softmax(x, -1)


@softmax.mistake(
    "You always normalise along the first axis, whatever `dim` says: your columns add up to 1, always.",
    seen="https://github.com/PetrochukM/PyTorch-NLP/issues/2",
)
def first_axis(x, dim):
    return attention.softmax(x, 0)


@softmax.mistake(
    "You divided the numbers themselves by their sum, so that negative ones give negative shares: what makes every "
    "number positive first?"
)
def no_exponential(x, dim):
    return x / x.sum(dim, keepdim=True)


@softmax.mistake("All are positive now, but do they add up to 1? The division by their sum is missing.")
def not_divided(x, dim):
    return exponentials(x, dim)


@softmax.mistake("You return the logarithms of the shares: they are all negative. Take `softmax`, not its log.")
def logarithm(x, dim):
    return torch.log_softmax(x, dim)


@softmax.right_for_whole_course
def by_logsumexp(z, dim):
    return torch.exp(z - torch.logsumexp(z, dim, keepdim=True))


softmax.right(torch.softmax)
softmax.right(F.softmax)
softmax.right(partial(lambda scale, x, dim: F.softmax(scale * x, dim), 1.0))


@softmax.right
class SoftmaxModule(nn.Module):
    def forward(self, x, dim):
        shifted = torch.exp(x - x.max(dim=dim, keepdim=True)[0])
        return shifted / torch.sum(shifted, dim=dim).unsqueeze(dim)


@softmax.right
class SoftmaxCallable:
    def __call__(self, x, dim):
        return F.log_softmax(x, dim).exp()


@softmax.right
def softmax_in_loops(x, dim):
    rows = x.movedim(dim, -1)
    out = torch.zeros_like(rows)
    flat, with_fixed_weights = rows.reshape(-1, rows.shape[-1]), out.reshape(-1, rows.shape[-1])
    for i, row in enumerate(flat):
        largest = max(row.tolist())
        total = sum(math.exp(v - largest) for v in row.tolist())
        for j, v in enumerate(row.tolist()):
            with_fixed_weights[i, j] = math.exp(v - largest) / total
    return with_fixed_weights.reshape(rows.shape).movedim(-1, dim)
