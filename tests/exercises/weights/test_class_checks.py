"""Classes that keep something between calls, ignore an argument, or cannot be made as the course makes them."""

from copy import copy

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import merge_heads, scaled_dot_product_attention, split_heads
from tests.exercises.wrong_classes import Attention, Forward, Layer, Norm, Positions, Translator, Writer

KEEPS = "Your class keeps something from one call to the next"


class RemembersKeys(Attention):
    keys = None

    def project(self, query, key, value):
        if self.keys is None or self.keys.shape != key.shape:
            self.keys = self.W_k(key)
        return self.W_q(query), self.keys, self.W_v(value)


class RemembersTheSource(Translator):
    memory = None

    def encode(self, source_ids):
        if self.memory is None or self.memory.shape[:2] != source_ids.shape:
            self.memory = super().encode(source_ids)
        return self.memory


class ChangesItsWeights(Attention):
    def forward(self, *inputs):
        with torch.no_grad():
            self.W_q.weight.mul_(0.9)
        return super().forward(*inputs)


class CountsCalls(Layer):
    calls = 0

    def forward(self, x, mask=None):
        self.calls += 1
        return super().forward(x, mask) * (1 if self.calls < 3 else 2)


class MakesLayersWhenCalled(Forward):
    def forward(self, x):
        return nn.Linear(x.size(-1), x.size(-1))(x)


class OneHeadWhenWide(Attention):
    """Right in the example only."""

    def __init__(self, d_model, heads):
        super().__init__(d_model, heads if d_model == 4 else 1)


class FourTimesAsWide(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, 4 * d_model, activation)


class HeadsOfTheExample(Layer):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, 2, d_ff, dropout, activation)


class WriterWithTwoHeads(Writer):
    def __init__(self, vocabulary, d_model, heads, *sizes):
        super().__init__(vocabulary, d_model, 2, *sizes)


class OneLayer(Translator):
    def __init__(self, source, target, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(source, target, d_model, heads, d_ff, 1, dropout)


class FivePositions(Positions):
    def __init__(self, max_length, d_model):
        super().__init__(5, d_model)


class ByNameOnly(Norm):
    def __init__(self, *, d_model, eps=1e-5):
        super().__init__(d_model, eps)


class OnlyForSmallSizes(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        if d_model > 16:
            raise ValueError("d_model is too large")


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("MultiHeadAttention", RemembersKeys, KEEPS),
        ("Transformer", RemembersTheSource, KEEPS),
        ("EncoderLayer", CountsCalls, KEEPS),
        ("MultiHeadAttention", ChangesItsWeights, "Your `forward` changes `self.W_q.weight`"),
        ("FeedForward", MakesLayersWhenCalled, "Make all layers in `__init__`"),
        ("MultiHeadAttention", OneHeadWhenWide, "With `heads=4`, your class computes what `heads=1` gives"),
        ("FeedForward", FourTimesAsWide, "With `d_ff=7`, your class computes what `d_ff=16` gives"),
        ("EncoderLayer", HeadsOfTheExample, "With `heads=3`, your class computes what `heads=2` gives"),
        ("LanguageModel", WriterWithTwoHeads, "With `heads=3`, your class computes what `heads=2` gives"),
        ("Transformer", OneLayer, "With `layers=2`, your class computes what `layers=1` gives"),
        ("LearnedPositions", FivePositions, "of your `LearnedPositions(7, 3)` have 15 numbers together"),
        ("LayerNorm", ByNameOnly, "takes `d_model` by name only"),
        ("FeedForward", OnlyForSmallSizes, "Made as `FeedForward(64, 96, relu)`, your class raises ValueError"),
    ],
)
def test_what_is_wrong_with_the_class_is_said(name, answer, sentence):
    report = find(name).check(answer)
    assert not report.passed
    assert sentence in report.message


class HeadsAndWidthMixedUp(Attention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, d_model // heads)


def test_an_argument_that_a_class_uses_wrongly_is_not_said_to_be_ignored():
    # With d_model = 8 and heads = 4, this computes what two heads give, but it depends on `heads`.
    exercise = copy(find("MultiHeadAttention"))
    exercise.mistakes = []
    report = exercise.check(HeadsAndWidthMixedUp)
    assert not report.passed
    assert "does not use" not in report.message


class KeepsItsWeightsToLookAt(Attention):
    seen = None

    def forward(self, query, key, value, mask=None):
        self.seen = (self.W_q(query) @ self.W_k(key).mT).softmax(-1)
        return super().forward(query, key, value, mask)


def test_what_is_kept_only_to_be_looked_at_is_no_state():
    report = find("MultiHeadAttention").check(KeepsItsWeightsToLookAt)
    assert report.passed, report


class AddsPositionsInPlace(Positions):
    def forward(self, x):
        x += super().forward(torch.zeros_like(x))
        return x.clone()


def test_a_class_that_changes_its_input_is_told_so_and_spoils_no_later_check():
    exercise = find("LearnedPositions")
    assert "your code changes `x`" in exercise.check(AddsPositionsInPlace).message
    assert exercise.check(exercise.reference).passed


class DropsUnasked(Forward):
    def forward(self, x):
        return torch.nn.functional.dropout(super().forward(x), 0.1, self.training)


class DropsWeightsUnasked(Attention):
    def forward(self, query, key, value, mask=None):
        return torch.nn.functional.dropout(super().forward(query, key, value, mask), 0.1, self.training)


@pytest.mark.parametrize(
    ("name", "answer"), [("FeedForward", DropsUnasked), ("MultiHeadAttention", DropsWeightsUnasked)]
)
def test_dropout_in_a_class_that_takes_no_rate_is_not_wanted(name: str, answer: type):
    report = find(name).check(answer)
    assert not report.passed
    assert "so something in it applies dropout" in report.message


def test_query_heads_that_share_keys_in_turn_are_told_so():
    class InTurn(nn.Module):
        def __init__(self, d_model, heads, kv_heads, rotate):
            super().__init__()
            self.heads, self.kv_heads, self.rotate = heads, kv_heads, rotate
            self.W_q, self.W_o = (nn.Linear(d_model, d_model, bias=False) for _ in "qo")
            self.W_k, self.W_v = (nn.Linear(d_model, d_model // heads * kv_heads, bias=False) for _ in "kv")

        def forward(self, x, mask=None):
            query = self.rotate(split_heads(self.W_q(x), self.heads))
            key = self.rotate(split_heads(self.W_k(x), self.kv_heads))
            reads = torch.arange(self.heads) % self.kv_heads
            value = split_heads(self.W_v(x), self.kv_heads)[:, reads]
            return self.W_o(merge_heads(scaled_dot_product_attention(query, key[:, reads], value, mask)[0]))

    message = find("GroupedQueryAttention").check(InTurn).message
    assert message.startswith("With trained weights some of your heads would read")


def test_a_shared_norm_is_not_said_to_learn_a_bias():
    class OneNorm(find("LlamaLayer").reference):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.norm_2 = self.norm_1

    message = find("LlamaLayer").check(OneNorm).message
    assert message.startswith("Your class uses one norm in several places.")
    assert "bias" not in message
