"""What is read from watched attentions, the course's and those that learners write, and when the watching ends."""

import sys

import pytest
import torch
from torch import Tensor, nn

from course_lib.transformer.attention import (
    MultiHeadAttention,
    Reading,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)
from course_lib.transformer.watching import watch_attention
from tests.transformer.reference import assert_equal, kernel_calls, random

B, T, S = 2, 4, 5


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class TwoReaders(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = MultiHeadAttention(4, 2)
        self.rest = nn.ModuleList([MultiHeadAttention(4, 4)])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.first(x, x[:, :1], x[:, :1])
        y: Tensor = self.rest[0](x, x, x)
        return y


def test_watching_gives_the_latest_weights_of_each_part_by_its_name(generator: torch.Generator) -> None:
    model = TwoReaders()
    with watch_attention(model) as readings:
        model(random(generator, B, T, 4, dtype=torch.float32))
        earlier = dict(readings)
        model(random(generator, B, T, 4, dtype=torch.float32))
    shapes = {
        name: [tuple(part.shape) for part in (one.queries, one.keys, one.values, one.weights)]
        for name, one in readings.items()
    }
    assert shapes == {
        "first": [(B, 2, T, 2), (B, 2, 1, 2), (B, 2, 1, 2), (B, 2, T, 1)],
        "rest.0": [(B, 4, T, 1), (B, 4, T, 1), (B, 4, T, 1), (B, 4, T, T)],
    }
    assert not torch.equal(readings["rest.0"].weights, earlier["rest.0"].weights)
    for one in readings.values():
        assert not any(part.requires_grad for part in (one.queries, one.keys, one.values, one.weights))
        assert_equal(one.weights, scaled_dot_product_attention(one.queries, one.keys, one.values)[1])


class Learners(nn.Module):
    """Another attention than the course's: each token attends equally to all, and the weights are stored."""

    def __init__(self, stores_weights: bool = True) -> None:
        super().__init__()
        self.W_v = nn.Linear(4, 4)
        self.weights: Tensor | None = None
        self.stores_weights = stores_weights

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(self.W_v(x) @ x.mT, dim=-1)
        if self.stores_weights:
            self.weights = weights[:, None]
        return weights @ x


class Mixed(nn.Module):
    """Two attentions of a learner and one of the course, and modules that must not be mistaken for one."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attention = Learners()
        self.silent_attention = Learners(stores_weights=False)
        self.flat_attention = nn.Linear(4, 4)
        self.flat_attention.weights = torch.zeros(4, 4)
        self.under_another_name = Learners()
        self.course = MultiHeadAttention(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.under_another_name(self.flat_attention(self.silent_attention(self.self_attention(x))))
        y: Tensor = self.course(x, x, x)
        return y


def test_a_learners_attention_that_keeps_its_weights_is_watched_while_the_block_runs(
    generator: torch.Generator,
) -> None:
    model, x, y = Mixed().double(), random(generator, B, T, 4), random(generator, B, S, 4)
    with watch_attention(model) as readings:
        model(x)
    assert readings.keys() == {"self_attention", "under_another_name", "course"}
    reading = readings["self_attention"]
    assert (reading.queries, reading.keys, reading.values) == (None, None, None)
    assert not reading.weights.requires_grad
    assert_equal(reading.weights, torch.softmax(model.self_attention.W_v(x) @ x.mT, dim=-1)[:, None])
    model(y)
    assert readings["self_attention"] is reading, "watching ended with its block"


class KeepsNothing(nn.Module):
    """A learner's attention in heads that keeps no weights: it calls a function once for all heads, or for each."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.W_q = way, nn.Linear(4, 4)

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        x, y = both(self.W_q(query), key)
        queries, keys = split_heads(x, 2), split_heads(y, 2)  # (B, 2, T, 2), (B, 2, S, 2)
        if self.way == "all heads at once":
            mixed, _ = learners_attention(queries, keys, keys)
        elif self.way == "head by head":
            heads = [learners_attention(q, k, k)[0] for q, k in zip(queries.unbind(1), keys.unbind(1), strict=True)]
            mixed = torch.stack(heads, dim=1)
        else:
            joined = [x.flatten(0, 1) for x in (queries, keys)]  # (B * 2, T, 2) and (B * 2, S, 2)
            mixed = learners_attention(*joined, joined[1])[0].unflatten(0, (-1, 2))
        return merge_heads(mixed)


def both(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Another function that returns two tensors."""
    return x, y


def learners_attention(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    weights = torch.softmax(query @ key.mT / query.size(-1) ** 0.5, dim=-1)
    return weights @ value, weights


@pytest.mark.parametrize("way", ["all heads at once", "head by head", "heads in the batch"])
def test_an_attention_that_keeps_no_weights_is_watched_through_the_function_that_it_calls(
    way: str, generator: torch.Generator
) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.crossing = KeepsNothing(way)
            self.course = MultiHeadAttention(4, 2, attention=lambda q, k, v, mask: learners_attention(q, k, v))
            self.rest = nn.Linear(4, 4)

        def forward(self, x: Tensor, memory: Tensor) -> Tensor:
            y: Tensor = self.rest(self.crossing(x, key=memory))
            z: Tensor = self.course(y, y, y)
            return z

    model, x, memory = Model().double(), random(generator, B, T, 4), random(generator, B, S, 4)
    before = sys.getprofile()
    with watch_attention(model, learners_attention) as readings:
        model(x, memory)
    assert readings.keys() == {"crossing", "course"}
    queries, keys = split_heads(model.crossing.W_q(x), 2), split_heads(memory, 2)
    assert_equal(readings["crossing"].weights, torch.softmax(queries @ keys.mT / 2**0.5, dim=-1))
    assert readings["course"].weights.shape == (B, 2, T, T)
    assert readings["course"].queries is not None
    assert not readings["crossing"].weights.requires_grad
    assert sys.getprofile() is before
    seen = readings["crossing"]
    model(x, memory)
    assert readings["crossing"] is seen, "watching ended with its block"
    with watch_attention(model) as readings:
        model(x, memory)
    assert readings.keys() == {"course"}, "without the function, nothing shows what the first one reads"


def test_after_an_exception_weights_are_not_taken_for_those_of_another_part(generator: torch.Generator) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.crossing, self.fails = KeepsNothing("head by head"), True

        def forward(self, x: Tensor) -> Tensor:
            learners_attention(x, x, x)
            y: Tensor = self.crossing(x, x[:, :, : 3 if self.fails else 4])
            return y

    model, x = Model().double(), random(generator, B, T, 4)
    with watch_attention(model, learners_attention) as readings:
        with pytest.raises(ValueError, match="divide into 2 heads"):
            model(x)
        model.fails = False
        model(x)
    assert readings["crossing"].weights.shape == (B, 2, T, T)
    assert readings[""].weights.shape == (B, 1, T, T)


def test_a_watched_model_gives_the_gradients_of_an_unwatched_one(generator: torch.Generator) -> None:
    model, x = TwoReaders().double(), random(generator, B, T, 4)
    expected = torch.autograd.grad(model(x).sum(), list(model.parameters()), materialize_grads=True)
    with watch_attention(model):
        watched = torch.autograd.grad(model(x).sum(), list(model.parameters()), materialize_grads=True)
    for one, other in zip(watched, expected, strict=True):
        assert_equal(one, other)


def test_watching_ends_with_its_block_even_after_an_exception(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TwoReaders()
    x = random(generator, B, T, 4, dtype=torch.float32)

    def fails() -> None:
        with watch_attention(model) as readings:
            seen.append(readings)
            raise KeyboardInterrupt

    seen: list[dict[str, Reading]] = []
    with pytest.raises(KeyboardInterrupt):
        fails()
    calls = kernel_calls(monkeypatch)
    model(x)
    assert seen == [{}]
    assert len(calls) == 2, "both parts should run fused again"


def test_watching_may_be_nested_and_each_block_sees_everything(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = TwoReaders()
    before, within, after = (random(generator, B, T, 4, dtype=torch.float32) for _ in range(3))
    with watch_attention(model) as outer:
        model(before)
        outer_only = dict(outer)
        with watch_attention(model) as inner, watch_attention(model.rest) as of_a_part:
            model(within)
            both = dict(outer)
        model(after)
    assert outer_only.keys() == both.keys() == inner.keys() == outer.keys() == {"first", "rest.0"}
    assert of_a_part.keys() == {"0"}
    for name in inner:
        assert torch.equal(inner[name].queries, both[name].queries)
        assert not torch.equal(inner[name].queries, outer_only[name].queries)
        assert not torch.equal(outer[name].queries, inner[name].queries)
    assert torch.equal(of_a_part["0"].weights, inner["rest.0"].weights)
    calls = kernel_calls(monkeypatch)
    model(after)
    assert len(calls) == 2, "no block is watching any more"


def test_an_exception_in_an_inner_block_does_not_end_the_watching_of_the_outer_one(generator: torch.Generator) -> None:
    model = TwoReaders()
    x, y = (random(generator, B, T, 4, dtype=torch.float32) for _ in range(2))

    def fails() -> None:
        with watch_attention(model) as inner:
            model(x)
            seen.append(inner)
            raise KeyboardInterrupt

    seen: list[dict[str, Reading]] = []
    with watch_attention(model) as outer:
        with pytest.raises(KeyboardInterrupt):
            fails()
        assert torch.equal(outer["first"].weights, seen[0]["first"].weights)
        model(y)
    assert outer["first"].weights.shape == (B, 2, T, 1)
    assert not torch.equal(outer["rest.0"].weights, seen[0]["rest.0"].weights)
