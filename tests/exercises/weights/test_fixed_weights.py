"""A class called as a function: made once for each size, in the dtype of its inputs, with the same random numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.layers import EncoderLayer, FeedForward


class Noisy(nn.Module):
    """Draws random numbers in each call, and counts how often it is made."""

    made = 0

    def __init__(self, width: int) -> None:
        super().__init__()
        Noisy.made += 1
        self.map = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x) + torch.rand(x.size(-1), dtype=x.dtype)


LEARNED = ClassWithWeights(
    reference=Noisy, inputs=lambda width: (torch.ones(1, 2, width),), sizes=(4,), wide=(4,), block=2
)


def test_a_class_is_made_once_for_each_size_and_dtype_and_draws_the_same_numbers_in_each_call():
    function, Noisy.made = with_fixed_weights(LEARNED)(Noisy), 0
    first, again = function(4, torch.ones(1, 4))[0], function(4, torch.ones(1, 4))[0]
    assert torch.equal(first, again)
    assert Noisy.made == 1
    assert function(2, torch.ones(1, 2))[0].shape == (1, 2)
    assert function(4, torch.ones(1, 4, dtype=torch.float64))[0].dtype == torch.float64
    assert Noisy.made == 3


def test_the_random_state_of_torch_does_not_change():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with_fixed_weights(LEARNED)(Noisy)(4, torch.ones(1, 4))
    assert torch.equal(torch.rand(3), expected)


# Right answers in styles that look for their weights in unusual places.


class NormWithOffset(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.offset, self.shift, self.eps = nn.Parameter(torch.zeros(d_model)), nn.Parameter(torch.zeros(d_model)), eps

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], 1 + self.offset, self.shift, self.eps)


class NormInTwoRows(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.both, self.eps = nn.Parameter(torch.stack([torch.ones(d_model), torch.zeros(d_model)])), eps

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.both[0], self.both[1], self.eps)


class NormInTwoColumns(NormInTwoRows):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.both = nn.Parameter(self.both.detach().T.contiguous())

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.both[:, 0], self.both[:, 1], self.eps)


class NormInOneRow(NormInTwoRows):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.both = nn.Parameter(self.both.detach().flatten())

    def forward(self, x):
        gain, bias = self.both.chunk(2)
        return F.layer_norm(x, x.shape[-1:], gain, bias, self.eps)


class PositionsInAList(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.rows = nn.ParameterList(torch.randn(d_model) * 0.02 for _ in range(max_length))

    def forward(self, x):
        return x + torch.stack(list(self.rows)[: x.size(1)])


class PositionsTransposed(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.columns = nn.Parameter(torch.zeros(d_model, max_length))

    def forward(self, x):
        return x + self.columns.T[: x.size(1)]


class LazyFeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.up, self.down, self.activation = nn.LazyLinear(d_ff), nn.LazyLinear(d_model), activation

    def forward(self, x):
        return self.down(self.activation(self.up(x)))


class FeedForwardInADict(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.weights = nn.ParameterDict({"up": torch.randn(d_ff, d_model), "down": torch.randn(d_model, d_ff)})
        self.weights["shift"] = nn.Parameter(torch.zeros(d_ff))
        self.bias, self.activation = nn.Parameter(torch.zeros(1, 1, d_model)), activation

    def forward(self, x):
        hidden = self.activation(F.linear(x, self.weights["up"], self.weights["shift"]))
        return F.linear(hidden, self.weights["down"]) + self.bias.flatten()


def attend(q, k, v, heads, mask):
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)


class FourMatricesInOne(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W, self.b = nn.Parameter(torch.randn(4, d_model, d_model)), nn.Parameter(torch.zeros(4, d_model))

    def forward(self, query, key, value, mask=None):
        q, k, v = (x @ self.W[i] + self.b[i] for i, x in enumerate((query, key, value)))
        return attend(q, k, v, self.heads, mask) @ self.W[3] + self.b[3]


class Convolutions(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.maps = heads, nn.ModuleList(nn.Conv1d(d_model, d_model, 1) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        q, k, v = (conv(x.mT).mT for conv, x in zip(self.maps, (query, key, value), strict=False))
        return self.maps[3](attend(q, k, v, self.heads, mask).mT).mT


class BiasesOfHeads(nn.Module):
    """Weights shaped for einsum, (d_model, heads, d_k), with biases (heads, d_k)."""

    def __init__(self, d_model, heads):
        super().__init__()
        d_k = d_model // heads
        self.W_q, self.W_k, self.W_v = (nn.Parameter(torch.randn(d_model, heads, d_k)) for _ in range(3))
        self.W_o, self.b_o = nn.Parameter(torch.randn(heads, d_k, d_model)), nn.Parameter(torch.zeros(d_model))
        self.b_q, self.b_k, self.b_v = (nn.Parameter(torch.zeros(heads, d_k)) for _ in range(3))

    def forward(self, query, key, value, mask=None):
        of_three = (query, self.W_q, self.b_q), (key, self.W_k, self.b_k), (value, self.W_v, self.b_v)
        q, k, v = (torch.einsum("btd,dhk->bhtk", x, W) + b[:, None] for x, W, b in of_three)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return torch.einsum("bhtk,hkd->btd", mixed, self.W_o) + self.b_o


class LayerWithOwnNorms(nn.Module):
    """Norms in other forms, and dropout by hand."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.attention, self.feed_forward = FourMatricesInOne(d_model, heads), FeedForward(d_model, d_ff, activation)
        self.first, self.second, self.rate = NormWithOffset(d_model), NormInTwoRows(d_model), dropout

    def drop(self, x):
        return x * (torch.rand_like(x) >= self.rate) / (1 - self.rate) if self.training else x

    def forward(self, x, mask=None):
        x = self.first(x + self.drop(self.attention(x, x, x, mask)))
        return self.second(x + self.drop(self.feed_forward(x)))


class LayerWithNormsInline(nn.Module):
    """The gains and biases belong to the layer itself."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.attention, self.feed_forward = MultiHeadAttention(d_model, heads), FeedForward(d_model, d_ff, activation)
        self.g1, self.g2, self.b1, self.b2 = (nn.Parameter(torch.zeros(d_model)) for _ in range(4))
        self.drop = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = F.layer_norm(x + self.drop(self.attention(x, x, x, mask)), x.shape[-1:], 1 + self.g1, self.b1)
        return F.layer_norm(x + self.drop(self.feed_forward(x)), x.shape[-1:], 1 + self.g2, self.b2)


class DropoutInsideToo(EncoderLayer):
    """Dropout inside the feed-forward too, at a rate of its own, as in some libraries."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, heads, d_ff, dropout, lambda x: self.inner(activation(x)))
        self.inner = nn.Dropout(0.2)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("LayerNorm", NormWithOffset),
        ("LayerNorm", NormInTwoRows),
        ("LayerNorm", NormInTwoColumns),
        ("LayerNorm", NormInOneRow),
        ("LearnedPositions", PositionsInAList),
        ("LearnedPositions", PositionsTransposed),
        ("FeedForward", LazyFeedForward),
        ("FeedForward", FeedForwardInADict),
        ("MultiHeadAttention", FourMatricesInOne),
        ("MultiHeadAttention", Convolutions),
        ("MultiHeadAttention", BiasesOfHeads),
        ("EncoderLayer", LayerWithOwnNorms),
        ("EncoderLayer", LayerWithNormsInline),
        ("EncoderLayer", DropoutInsideToo),
    ],
)
def test_a_right_class_passes_wherever_it_keeps_its_weights(name, answer):
    report = find(name).check(answer)
    assert report.passed, report
