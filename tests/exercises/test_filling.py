"""A class called as a function: made once for its sizes, in the type of what comes in, with the same draws."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from course_lib.attention import scaled_dot_product_attention
from course_lib.exercises.catalogue import find
from course_lib.exercises.filling import filled


class Noisy(nn.Module):
    """Draws in each call, and counts how often it is made."""

    made = 0

    def __init__(self, width: int) -> None:
        super().__init__()
        Noisy.made += 1
        self.map = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x) + torch.rand(x.size(-1), dtype=x.dtype)


def test_a_class_is_made_once_for_its_sizes_and_type_and_draws_the_same_in_each_call():
    function, Noisy.made = filled(made_with=1, block=2)(Noisy), 0
    first, again = function(4, torch.ones(1, 4))[0], function(4, torch.ones(1, 4))[0]
    assert torch.equal(first, again)
    assert Noisy.made == 1
    assert function(2, torch.ones(1, 2))[0].shape == (1, 2)
    assert function(4, torch.ones(1, 4, dtype=torch.float64))[0].dtype == torch.float64
    assert Noisy.made == 3


def test_torchs_own_random_state_is_left_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    filled(made_with=1, block=2)(Noisy)(4, torch.ones(1, 4))
    assert torch.equal(torch.rand(3), expected)


class PositionsWithABatch(nn.Module):
    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(1, max_length, d_model))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[:, : x.size(1)]


class Convolutions(nn.Module):
    def __init__(self, d_model: int, d_ff: int, activation: Callable[..., Tensor] = torch.relu) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(d_model, d_ff, 1), nn.Conv1d(d_ff, d_model, 1)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.activation(self.first(x.transpose(-2, -1)))).transpose(-2, -1)


class HeadsApart(nn.Module):
    """A matrix for each head, the heads first, or in the middle as some programs have them."""

    first = True

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        d_k = d_model // heads
        shape = (heads, d_model, d_k) if self.first else (d_model, heads, d_k)
        self.W_q, self.W_k, self.W_v = (nn.Parameter(torch.randn(shape)) for _ in range(3))
        self.W_o = nn.Parameter(torch.randn(heads, d_k, d_model))

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        rule = "btd,hdk->bhtk" if self.first else "btd,dhk->bhtk"
        pairs = ((query, self.W_q), (key, self.W_k), (value, self.W_v))
        mixed, _ = scaled_dot_product_attention(*(torch.einsum(rule, x, W) for x, W in pairs), mask)
        return torch.einsum("bhtk,hkd->btd", mixed, self.W_o)


class HeadsInTheMiddle(HeadsApart):
    first = False


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("LearnedPositions", PositionsWithABatch),
        ("FeedForward", Convolutions),
        ("MultiHeadAttention", HeadsApart),
        ("MultiHeadAttention", HeadsInTheMiddle),
    ],
)
def test_weights_of_three_dimensions_are_filled_as_matrices_are(name: str, answer: type[nn.Module]):
    report = find(name).check(answer)
    assert report.passed, report
