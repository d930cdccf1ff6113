"""How the weights of a class begin is judged: random, each its own, gains as 1, and small enough to learn."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.weights.initialisation import uninitialised_memory_as_nan
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.layers import EncoderLayer
from course_lib.transformer.positions import embed_with_positions
from tests.exercises.wrong_classes import Attention, Forward, Layer, Norm, Positions, Translator, Writer


class GainAndBiasExchanged(Norm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.gain, self.bias = nn.Parameter(torch.zeros(d_model)), nn.Parameter(torch.ones(d_model))


class RandomGain(Norm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.gain = nn.Parameter(torch.randn(d_model))


class BiasOfOnes(Norm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.bias = nn.Parameter(torch.ones(d_model))


class EmptyGain(Norm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.gain = nn.Parameter(torch.empty(d_model))


class EmptyTable(Positions):
    def __init__(self, max_length, d_model):
        super().__init__(max_length, d_model)
        self.table = nn.Parameter(torch.empty(max_length, d_model))


class EmptyMatrix(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_1.weight = nn.Parameter(torch.Tensor(d_ff, d_model))


class Zeros(Attention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)


class Constant(Forward):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        nn.init.constant_(self.W_1.weight, 0.1)


class EqualRows(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_2.weight = nn.Parameter(torch.randn(1, d_ff).repeat(d_model, 1))


class LargeBiases(Attention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        nn.init.ones_(self.W_o.bias)


class FixedSeed(Forward):
    def __init__(self, *sizes):
        torch.manual_seed(0)
        super().__init__(*sizes)


class IdentityMatrices(Attention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        for each in (self.W_q, self.W_k, self.W_v, self.W_o):
            nn.init.eye_(each.weight)


class NormThatBeginsSmall(Layer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        nn.init.constant_(self.norm_2.gain, 0.1)


class TableOfOnesSize(Writer):
    def __init__(self, vocabulary, d_model, *sizes):
        super().__init__(vocabulary, d_model, *sizes)
        self.table = nn.Parameter(torch.randn(vocabulary, d_model))


class PlainEmbedding(Writer):
    """An embedding of torch's, and an output layer that has its table and a bias of its own."""

    def __init__(self, vocabulary, d_model, *sizes):
        super().__init__(vocabulary, d_model, *sizes)
        self.embedding, self.head = nn.Embedding(vocabulary, d_model), nn.Linear(d_model, vocabulary)
        self.head.weight = self.embedding.weight
        del self.table

    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.embedding.weight))
        for layer in self.layers:
            x = layer(x, causal_mask(ids.size(1)))
        return self.head(x)


class LargeHead(PlainEmbedding):
    """The tables begin small, but not the bias of the logits."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        nn.init.normal_(self.embedding.weight, std=0.1)
        nn.init.normal_(self.head.bias, std=0.0)
        nn.init.constant_(self.head.bias[:1], 50.0)


class TableOfZeros(Writer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        nn.init.zeros_(self.table)


class CopiedLayers(Writer):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(vocabulary, d_model, heads, d_ff, layers, dropout)
        layer = EncoderLayer(d_model, heads, d_ff, dropout)
        self.layers = nn.ModuleList(deepcopy(layer) for _ in range(layers))


class PlainEmbeddings(Translator):
    def __init__(self, source, target, d_model, *sizes):
        super().__init__(source, target, d_model, *sizes)
        self.source_table = nn.Embedding(source, d_model).weight
        self.target_table = nn.Embedding(target, d_model).weight


class CopiedEncoder(Translator):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.encoder = nn.ModuleList(deepcopy(self.encoder[0]) for _ in self.encoder)


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("LayerNorm", GainAndBiasExchanged, "it should begin as ones, but begins with zeros"),
        ("LayerNorm", RandomGain, "it should begin as ones, but begins with random numbers"),
        (
            "LayerNorm",
            BiasOfOnes,
            "`self.bias` is a bias, so it should begin as zeros",
        ),
        ("LayerNorm", EmptyGain, "`self.gain` begins with whatever was in memory"),
        ("LearnedPositions", EmptyTable, "`self.table` begins with whatever was in memory"),
        ("FeedForward", EmptyMatrix, "`self.W_1.weight` begins with whatever was in memory"),
        ("FeedForward", Constant, "`self.W_1.weight` begins with the same numbers in each row or column"),
        ("FeedForward", EqualRows, "`self.W_2.weight` begins with the same numbers in each row or column"),
        ("FeedForward", FixedSeed, "begin with the same numbers in every instance"),
        ("MultiHeadAttention", Zeros, "`self.W_q.weight` begins as zeros"),
        ("MultiHeadAttention", LargeBiases, "`self.W_o.bias` is a bias"),
        ("MultiHeadAttention", IdentityMatrices, "begin with the same numbers in every instance"),
        ("EncoderLayer", NormThatBeginsSmall, "`self.norm_2.gain` scales the normalised features"),
        ("LanguageModel", TableOfOnesSize, "`self.table` begins with numbers of about 1"),
        ("LanguageModel", PlainEmbedding, "`self.embedding.weight` begins with numbers of about 1"),
        ("LanguageModel", LargeHead, "Your untrained model is far too sure"),
        ("LanguageModel", TableOfZeros, "`self.table` begins as zeros"),
        ("LanguageModel", CopiedLayers, "Your layers begin as copies of one layer"),
        ("Transformer", PlainEmbeddings, "`self.source_table` begins with numbers of about 1"),
        ("Transformer", CopiedEncoder, "Your layers begin as copies of one layer"),
    ],
)
def test_what_is_wrong_with_the_first_values_is_said(name, answer, sentence):
    report = find(name).check(answer)
    assert not report.passed
    assert sentence in report.message


class Xavier(Translator):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)


class AsGpt2(Writer):
    """Copies of a layer are given numbers of their own; the table begins as GPT-2's."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.layers = nn.ModuleList(deepcopy(self.layers[0]) for _ in self.layers)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)


class ClonedProjections(Attention):
    """Four copies of one layer, as in *The Annotated Transformer*: they have different tasks."""

    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.W_k, self.W_v, self.W_o = (deepcopy(self.W_q) for _ in range(3))


class FilledLater(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.W_1.weight = nn.Parameter(torch.empty(d_ff, d_model))
        nn.init.kaiming_normal_(self.W_1.weight)


class ZeroPositions(Positions):
    def __init__(self, max_length, d_model):
        super().__init__(max_length, d_model)
        self.table = nn.Parameter(torch.zeros(max_length, d_model))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Transformer", Xavier),
        ("LanguageModel", AsGpt2),
        ("MultiHeadAttention", ClonedProjections),
        ("FeedForward", FilledLater),
        ("LearnedPositions", ZeroPositions),
    ],
)
def test_usual_first_values_pass(name, answer):
    report = find(name).check(answer)
    assert report.passed, report


def test_memory_is_filled_with_nan_only_inside_the_block():
    before = torch.are_deterministic_algorithms_enabled()
    with uninitialised_memory_as_nan():
        assert torch.empty(3).isnan().all()
        assert not nn.Linear(2, 2).weight.isnan().any()
    assert torch.are_deterministic_algorithms_enabled() == before
