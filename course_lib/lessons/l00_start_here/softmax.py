"""The exercise `softmax` of notebook 00."""

import math
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging.gradients import remark_on_gradient
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
    remark=remark_on_gradient(torch.tensor([0.0, 1.0, 2.0]), 0),
    later_in_float64="compares it with PyTorch's",
    returns=(Result("the result"),),
    example=case(torch.tensor([0.0, 1.0, 2.0]), 0),
    another=case(torch.tensor([1.5, -1.0, 0.5]), 0),
    cases=(
        case(fixed_tensor(2, 3), 1, having=("more than one row",)),
        case(fixed_tensor(3, 2), 0, having=("more than one row",)),
        case(fixed_tensor(3, 3), 1, having=("more than one row", "as many rows as columns")),
        case(fixed_tensor(3, 3, seed=1), 0, having=("more than one row", "as many rows as columns")),
        case(fixed_tensor(2, 3, 4), 1, having=("three axes", "more than one row")),
        case(fixed_tensor(2, 3, 4, seed=1), 2, having=("three axes", "the last of three axes", "more than one row")),
        case(
            fixed_tensor(2, 3, 4, seed=2),
            -3,
            having=("three axes", "an axis counted from the end", "more than one row"),
        ),
        case(fixed_tensor(4, 2).T, 1, having=("more than one row",)),
        case(fixed_tensor(1, 4), 1, having=("a table of a single row",)),
        case(fixed_tensor(3, 1), 1, having=("a single number in each row", "more than one row")),
        case(torch.tensor([1000.0, 999.0, 0.0]), 0, having=("huge numbers",)),
        case(torch.tensor([0.0, 1.0, 2.0, 90.0]), 0, having=("huge numbers", "a huge number in the last place")),
        case(torch.tensor([-1000.0, -1001.0]), 0, having=("very negative numbers",)),
        case(
            torch.tensor([[0.0, 1.0, 2.0], [500.0, 501.0, 503.0]]),
            1,
            having=("rows of very different sizes", "more than one row", "huge numbers"),
        ),
        case(
            fixed_tensor(2, 3, dtype=torch.float64),
            -1,
            having=("float64 numbers", "more than one row", "an axis counted from the end"),
        ),
    ),
    hints=(
        "Two steps: first make every number positive without changing their order, then make them add up to 1.",
        (
            "The exponential, `x.exp()`, makes every number positive. A sum along `dim` loses that axis unless you "
            "pass `keepdim=True`, and without the axis the division does not line up with the rows."
        ),
        (
            "To keep `exp` from overflowing, subtract the largest number of each row first: `x.amax(dim, "
            "keepdim=True)` gives one maximum for each row. Then take `exp`, and divide by the sum."
        ),
    ),
)


@softmax.mistake(
    "Your function is right for small numbers, but `exp(1000)` overflows to infinity, which ends in NaN. Subtract the "
    "maximum along `dim` from `x` before `exp`."
)
def overflows(x, dim):
    return x.exp() / x.exp().sum(dim, keepdim=True)


@softmax.mistake(
    "Your function is right for small numbers. In float64 `exp` goes further than in float32, but `exp(1000)` "
    "overflows there too, and `exp(-1000)` is 0, so that 0 / 0 is NaN. Subtract the maximum along `dim` from `x` "
    "before `exp`."
)
def overflows_in_float64(x, dim):
    exponentials = x.double().exp()
    return (exponentials / exponentials.sum(dim, keepdim=True)).to(x.dtype)


@softmax.mistake(
    "Your function is right for other numbers, but where all are very negative, every `exp` is 0 in your code, and "
    "0 / 0 is NaN. Subtract the maximum there too, though it is negative: the largest absolute value, or a maximum of "
    "at least 0, would be too much."
)
def largest_absolute_value_subtracted(x, dim):
    exponentials = (x - x.abs().amax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Your function is right for small numbers, but subtracts too little from huge ones: in the calls tried, it is as "
    "if the index of the largest number were subtracted. `x.max(dim, keepdim=True)` gives a pair: the maxima come "
    "first, then their indices. Subtract the maxima."
)
def index_subtracted(x, dim):
    exponentials = (x - x.argmax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Your function is right for small numbers, but the number that it subtracts is smaller than the maximum, so the "
    "largest numbers still overflow in `exp`. Subtract the maximum along `dim`: then no number is above 0."
)
def minimum_subtracted(x, dim):
    exponentials = (x - x.amin(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Your function is right for most numbers, but what it subtracts can be far below the maximum, as the mean of 1000, "
    "999 and 0 is, and then `exp` still overflows. Subtract the maximum along `dim`: then no number is above 0."
)
def mean_subtracted(x, dim):
    exponentials = (x - x.mean(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Your function is right for small numbers, but `exp(1000)` overflows to infinity, and 0 in place of NaN hides "
    "that. Subtract the maximum along `dim` from `x` before `exp`."
)
def nan_replaced(x, dim):
    return (x.exp() / x.exp().sum(dim, keepdim=True)).nan_to_num(0)


@softmax.mistake(
    "Your result is normalised over all numbers together, and not along `dim`. Divide by the sum along `dim`, so that "
    "each row adds up to 1.",
    seen="https://github.com/rickwierenga/MLFundamentals/issues/1",
)
def one_sum_for_all(x, dim):
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum()


@softmax.mistake(
    "Each row has its own maximum subtracted, but one sum divides them all. Divide by the sum along `dim`, so "
    "that each row adds up to 1."
)
def one_sum_for_all_rows(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).sum()


@softmax.mistake(
    "Each row is divided by the sums of other rows, as if the sum had lost its axis. Keep that axis with `sum(dim, "
    "keepdim=True)`.",
    seen="https://github.com/triton-lang/triton/issues/11409",
)
def axis_not_kept(x, dim):
    return x.exp() / x.exp().sum(dim)


@softmax.mistake(
    "Each row has its own maximum subtracted, but is divided by the sums of other rows, as if the sum had lost its "
    "axis. Keep that axis there too: `sum(dim, keepdim=True)`.",
    seen="https://github.com/triton-lang/triton/issues/11409",
)
def axis_not_kept_after_shift(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).sum(dim)


@softmax.mistake(
    "The maxima of other rows are subtracted from each row, as if the maximum had lost its axis. Keep that axis with "
    "`amax(dim, keepdim=True)`."
)
def maximum_not_kept(x, dim):
    exponentials = (x - x.amax(dim)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Each row is computed with the maxima and the sums of other rows, as if both had lost their axis. Keep the axis "
    "in both with `keepdim=True`."
)
def neither_kept(x, dim):
    exponentials = (x - x.amax(dim)).exp()
    return exponentials / exponentials.sum(dim)


@softmax.mistake(
    "Your sums have the axis that `sum` removes at the end again, which is right only for the last `dim`. Let "
    "`sum(dim, keepdim=True)` keep it in place."
)
def axis_put_back_at_the_end(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).sum(dim).unsqueeze(-1)


@softmax.mistake(
    "In a row whose numbers are all much smaller than the largest number of the table, every `exp` in your code is 0, "
    "and 0 / 0 is NaN. Subtract each row's own maximum: `x.amax(dim, keepdim=True)`."
)
def one_maximum_for_all(x, dim):
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Your code leaves the caller's own numbers with the maximum subtracted, as `x -= ...` does, which works in place. "
    "Write `x = x - ...`.",
    seen="https://github.com/frank690/sffresch-code",
)
def in_place(x, dim):
    x -= x.amax(dim, keepdim=True)
    return x.exp() / x.exp().sum(dim, keepdim=True)


@softmax.mistake(
    "Your code leaves exponentials in the caller's own tensor, as `x.exp_()` does, which works in place. Write "
    "`x.exp()`. It also overflows for huge numbers, so subtract the maximum along `dim` first."
)
def exponential_in_place(x, dim):
    x.exp_()
    return x / x.sum(dim, keepdim=True)


@softmax.mistake(
    "Your result is normalised along the last axis, whatever `dim` says. Take the maximum and the sum along `dim`."
)
def last_axis(x, dim):
    return attention.softmax(x, -1)


@softmax.mistake(
    "Your result is normalised along the first axis, whatever `dim` says. Take the maximum and the sum along `dim`.",
    seen="https://github.com/PetrochukM/PyTorch-NLP/issues/2",
)
def first_axis(x, dim):
    return attention.softmax(x, 0)


@softmax.mistake(
    "Your code divides the numbers themselves by their sum, so shares may be negative. Take `x.exp()` first, which "
    "makes every number positive."
)
def no_exponential(x, dim):
    return x / x.sum(dim, keepdim=True)


@softmax.mistake(
    "Your code divides the absolute values by their sum, so −2 gets as large a share as 2. Take `x.exp()`, which makes "
    "every number positive and keeps their order."
)
def absolute_values(x, dim):
    return x.abs() / x.abs().sum(dim, keepdim=True)


@softmax.mistake(
    "Your numbers are in the right proportion, but they do not add up to 1. Divide them by their sum along `dim`."
)
def not_divided(x, dim):
    return exponentials(x, dim)


@softmax.mistake(
    "Your code gives each number a share of its own, between 0 and 1, without looking at the others: that is the "
    "sigmoid. Divide each exponential by the sum of all exponentials along `dim`."
)
def sigmoid(x, dim):
    return torch.sigmoid(x)


@softmax.mistake(
    "Your shares have the wrong order: the smallest number gets the largest share, as in the softmax of −x. If you "
    "subtract `x` from the maximum, swap the two."
)
def smallest_gets_most(x, dim):
    return attention.softmax(-x, dim)


@softmax.mistake(
    "Your shares are those of `x` divided by its maximum, which changes them. Only a difference of two numbers decides "
    "the ratio of their shares, so subtract the maximum."
)
def divided_by_maximum(x, dim):
    exponentials = (x / x.amax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@softmax.mistake(
    "Your shares are wrong by a factor, `exp` of the maximum, as if it were subtracted in the sum only. Subtract it "
    "from `x` once, before `exp`, and use the result in numerator and denominator."
)
def maximum_in_the_sum_only(x, dim):
    return x.exp() / exponentials(x, dim).sum(dim, keepdim=True)


@softmax.mistake(
    "Your code gives everything to the largest number. Softmax gives every number a share, in proportion to its `exp`."
)
def largest_takes_all(x, dim):
    return torch.nn.functional.one_hot(x.argmax(dim), x.size(dim)).movedim(-1, dim).to(x.dtype)


@softmax.mistake("Your code returns the logarithms of the shares, which are negative. Return the shares themselves.")
def logarithm(x, dim):
    return torch.log_softmax(x, dim)


@softmax.mistake(
    "Your code divides by the sum along the last axis, whatever `dim` says. Sum along `dim`: `sum(dim, keepdim=True)`."
)
def sum_along_the_last_axis(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).sum(-1, keepdim=True)


@softmax.mistake(
    "Each of your rows adds up to the number of its elements, as if you divided by the mean. Divide by the sum along "
    "`dim`."
)
def divided_by_the_mean(x, dim):
    return exponentials(x, dim) / exponentials(x, dim).mean(dim, keepdim=True)


@softmax.mistake(
    "Your numbers are in the right proportion, but they do not add up to 1, and `exp` of a huge number overflows. "
    "Subtract the maximum along `dim` first, and divide by the sum along `dim` at the end."
)
def exponential_only(x, dim):
    return x.exp()


@softmax.mistake(
    "Each row is divided by the sums of other rows, as if the sum had lost its axis. Keep that axis with "
    "`keepdim=True`: in the sum, and in the maximum if you subtract one."
)
def axis_not_kept_after_one_maximum(x, dim):
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum(dim)


@softmax.mistake(
    "Beyond some limit all numbers get equal shares in your code, as after `x.clamp(max=80)`, so 1000 counts no more "
    "than 999. Subtract the maximum along `dim` instead: that prevents the overflow, and leaves every share as it is."
)
def capped(x, dim):
    return x.clamp(max=80).exp() / x.clamp(max=80).exp().sum(dim, keepdim=True)


@softmax.mistake(
    "Your code subtracts the maximum along the last axis, whatever `dim` says, so numbers that are divided by one sum "
    "have lost different amounts. Subtract the maximum along `dim`."
)
def maximum_along_the_last_axis(x, dim):
    powers = exponentials(x, -1)
    return powers / powers.sum(dim, keepdim=True)


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
    flat, flat_out = rows.reshape(-1, rows.shape[-1]), out.reshape(-1, rows.shape[-1])
    for i, row in enumerate(flat):
        largest = max(row.tolist())
        total = sum(math.exp(v - largest) for v in row.tolist())
        for j, v in enumerate(row.tolist()):
            flat_out[i, j] = math.exp(v - largest) / total
    return flat_out.reshape(rows.shape).movedim(-1, dim)


@softmax.right
def softmax_on_a_moved_axis(x, dim):
    rows = x.transpose(dim, -1)
    exponentials = torch.exp(rows - rows.max(-1, keepdim=True).values)
    return (exponentials / exponentials.sum(-1, keepdim=True)).transpose(dim, -1)


@softmax.right
def softmax_by_numpy(x, dim):
    numbers = x.numpy()
    exponentials = np.exp(numbers - numbers.max(axis=dim, keepdims=True))
    return torch.from_numpy(exponentials / exponentials.sum(axis=dim, keepdims=True))
