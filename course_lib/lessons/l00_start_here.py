"""The warm-up of notebook 00: softmax."""

import torch
from torch import Tensor

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.transformer.attention import softmax


def _exponentials(x: Tensor, dim: int) -> Tensor:
    return (x - x.amax(dim, keepdim=True)).exp()


def _overflows(x: Tensor, dim: int) -> Tensor:
    """Right for small numbers, but `exp(1000)` overflows, and so becomes NaN. Subtracting one number from all of a
    row changes none of its shares: which number makes `exp` safe?
    """
    return x.exp() / x.exp().sum(dim, keepdim=True)


def _one_sum_for_all(x: Tensor, _dim: int) -> Tensor:
    """You divided by the sum of everything: all numbers together add up to 1, instead of each row along `dim`.

    Seen in https://github.com/rickwierenga/MLFundamentals/issues/1.
    """
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum()


def _one_sum_for_all_rows(x: Tensor, dim: int) -> Tensor:
    """Each row has its own maximum, but one sum divides all: the rows together add up to 1, instead of each alone."""
    return _exponentials(x, dim) / _exponentials(x, dim).sum()


def _axis_not_kept(x: Tensor, dim: int) -> Tensor:
    """Your sum lost its axis, so that rows are divided by other rows' sums: `keepdim=True` keeps the axis.

    Seen in https://github.com/triton-lang/triton/issues/11409.
    """
    return x.exp() / x.exp().sum(dim)


def _axis_not_kept_after_shift(x: Tensor, dim: int) -> Tensor:
    """Your maximum kept its axis, but your sum lost it, so that rows are divided by other rows' sums: `keepdim=True`.

    Seen in https://github.com/triton-lang/triton/issues/11409.
    """
    return _exponentials(x, dim) / _exponentials(x, dim).sum(dim)


def _maximum_not_kept(x: Tensor, dim: int) -> Tensor:
    """Your maximum lost its axis, so that other rows' maxima are subtracted: `keepdim=True` keeps the axis."""
    exponentials = (x - x.amax(dim)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


def _one_maximum_for_all(x: Tensor, dim: int) -> Tensor:
    """You subtracted one maximum from all rows. In a row that lies far below it each `exp` is 0, and 0 / 0 is NaN:
    let each row have its own maximum.
    """
    exponentials = (x - x.max()).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


def _in_place(x: Tensor, dim: int) -> Tensor:
    """You subtracted the maximum in place: `x -= ...` changes the caller's own numbers. Write `x = x - ...`.

    Seen in the notebook of https://github.com/frank690/sffresch-code.
    """
    x -= x.amax(dim, keepdim=True)
    return x.exp() / x.exp().sum(dim, keepdim=True)


def _last_axis(x: Tensor, _dim: int) -> Tensor:
    """You always normalise along the last axis, whatever `dim` says: your rows add up to 1, always."""
    return softmax(x, -1)


def _first_axis(x: Tensor, _dim: int) -> Tensor:
    """You always normalise along the first axis, whatever `dim` says: your columns add up to 1, always.

    Seen in https://github.com/PetrochukM/PyTorch-NLP/issues/2.
    """
    return softmax(x, 0)


def _no_exponential(x: Tensor, dim: int) -> Tensor:
    """You divided the numbers themselves by their sum, so that negative ones give negative shares: what makes every
    number positive first?
    """
    return x / x.sum(dim, keepdim=True)


def _not_divided(x: Tensor, dim: int) -> Tensor:
    """All are positive now, but do they add up to 1? The division by their sum is missing."""
    return _exponentials(x, dim)


def _logarithm(x: Tensor, dim: int) -> Tensor:
    """You return the logarithms of the shares: they are all negative. Take `softmax`, not its log."""
    return torch.log_softmax(x, dim)


SOFTMAX = Exercise(
    name="softmax",
    notebook=0,
    reference=softmax,
    on_map="softmax",
    returns=("the result",),
    minutes=10,
    difficulty=1,
    cases=(
        case(torch.tensor([0.0, 1.0, 2.0]), 0),
        case(torch.tensor([1.5, -1.0, 0.5]), 0),
        case(numbers(2, 3), 1, having="more than one row"),
        case(numbers(3, 2), 0, having="more than one row"),
        case(numbers(3, 3), 1, having="more than one row"),
        case(numbers(2, 3, 4), 1, having="three axes"),
        case(numbers(4, 2).T, 1, having="more than one row"),
        case(numbers(1, 4), 1, having="a single row"),
        case(numbers(3, 1), 1, having="a single number in each row"),
        case(torch.tensor([1000.0, 999.0, 0.0]), 0, having="huge numbers"),
        case(torch.tensor([-1000.0, -1001.0]), 0, having="very negative numbers"),
        case(torch.tensor([[0.0, 1.0, 2.0], [500.0, 501.0, 503.0]]), 1, having="rows of very different sizes"),
        case(numbers(2, 3, dtype=torch.float64), -1, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _overflows,
        _one_sum_for_all,
        _one_sum_for_all_rows,
        _axis_not_kept,
        _axis_not_kept_after_shift,
        _maximum_not_kept,
        _one_maximum_for_all,
        _in_place,
        _last_axis,
        _first_axis,
        _no_exponential,
        _not_divided,
        _logarithm,
    ),
    hints=paragraphs("""
        Two steps: first make every number positive without changing their order, then make them add up to 1.

        `x.exp()` makes them positive. `.sum(dim, keepdim=True)` keeps the axis, so that the division lines up.

        First subtract from `x` its maximum along `dim`: `x.amax`, axis kept. Then `exp`; then divide by the own
        sum.
    """),
)

EXERCISES = (SOFTMAX,)
