"""Weights that are never trained, never used, or used for several tasks are named, and nothing else is accused."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises import all_exercises
from course_lib.exercises.catalogue import find
from course_lib.pretrained import trained_weights
from course_lib.transformer.layers import EncoderLayer
from course_lib.transformer.positions import embed_with_positions
from tests.exercises.wrong_classes import BASES, Attention, Decoder, Forward, Layer, Norm, Positions, Translator, Writer


@pytest.mark.parametrize("name", BASES)
def test_the_classes_from_which_the_wrong_ones_are_made_are_right(name):
    report = find(name).check(BASES[name])
    assert report.passed, report


# Weights that are never trained


class PlainGain(Norm):
    def __init__(self, d_model, eps=1e-5):
        nn.Module.__init__(self)
        self.gain, self.bias, self.eps = torch.ones(d_model), torch.zeros(d_model), eps


class FrozenGain(Norm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.gain.requires_grad_(False)


class PlainPositionsOfZeros(Positions):
    def __init__(self, max_length, d_model):
        nn.Module.__init__(self)
        self.table = torch.zeros(max_length, d_model)


class PositionsInABuffer(Positions):
    def __init__(self, max_length, d_model):
        nn.Module.__init__(self)
        self.register_buffer("table", torch.randn(max_length, d_model))


class FrozenPositions(Positions):
    def __init__(self, max_length, d_model):
        super().__init__(max_length, d_model)
        self.table.requires_grad_(False)


class PositionsAsData(Positions):
    def forward(self, x):
        return x + self.table.data[: x.size(1)]


class PlainList(Attention):
    def __init__(self, d_model, heads):
        nn.Module.__init__(self)
        self.heads, self.maps = heads, [nn.Linear(d_model, d_model) for _ in range(4)]

    def project(self, *inputs):
        return [each(x) for each, x in zip(self.maps, inputs, strict=False)]

    def W_o(self, x):
        return self.maps[3](x)


class PlainDict(Attention):
    def __init__(self, d_model, heads):
        nn.Module.__init__(self)
        self.heads, self.by_name = heads, {letter: nn.Linear(d_model, d_model) for letter in "qkvo"}

    def project(self, query, key, value):
        return self.by_name["q"](query), self.by_name["k"](key), self.by_name["v"](value)

    def W_o(self, x):
        return self.by_name["o"](x)


class PlainMatrices(Attention):
    def __init__(self, d_model, heads):
        nn.Module.__init__(self)
        self.heads = heads
        self.q, self.k, self.v, self.o = (torch.randn(d_model, d_model, requires_grad=True) for _ in range(4))

    def project(self, query, key, value):
        return query @ self.q, key @ self.k, value @ self.v

    def W_o(self, x):
        return x @ self.o


class FrozenProjection(Attention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.W_v.requires_grad_(False)


class WeightsWithoutGradient(Attention):
    def project(self, query, key, value):
        with torch.no_grad():
            q, k = self.W_q(query), self.W_k(key)
        return q, k, self.W_v(value)


class FrozenTable(Writer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.table = nn.Parameter(self.table.detach(), requires_grad=False)


class TableFromPretrained(Writer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.embedding = nn.Embedding.from_pretrained(self.table.detach())
        del self.table

    def forward(self, ids):
        return self.run(ids, self.embedding.weight, self.layers)


class TableAsData(Writer):
    def forward(self, ids):
        return self.run(ids, self.table.data, self.layers)


class PlainTable(Writer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        table = self.table.detach().clone()
        del self.table
        self.table = table


class SourceDetached(Translator):
    def embed_source(self, ids):
        return self.dropout(embed_with_positions(ids, self.source_table.detach()))


# Weights that are never used, or used for several tasks


class IdleMap(Forward):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.W_3 = nn.Linear(sizes[0], sizes[0])


class BiasTwice(Forward):
    def forward(self, x):
        return super().forward(x) + self.W_2.bias


class OutputBiasTwice(Attention):
    def forward(self, *inputs):
        return super().forward(*inputs) + self.W_o.bias


class OneMapForQueriesAndKeys(Attention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.W_k = self.W_q


class ExchangedKeysAndValues(Attention):
    def project(self, query, key, value):
        return self.W_q(query), self.W_v(key), self.W_k(value)


class OneNorm(Layer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.norm_2 = self.norm_1


class IdleNorm(Layer):
    def forward(self, x, mask=None):
        x = self.norm_1(x + self.drop(self.attend(x, mask)))
        return self.norm_1(x + self.drop(self.feed_forward(x)))


class ExchangedNorms(Layer):
    def forward(self, x, mask=None):
        x = self.norm_2(x + self.drop(self.attend(x, mask)))
        return self.norm_1(x + self.drop(self.feed_forward(x)))


class NormsWithoutWeights(Layer):
    def __init__(self, d_model, *sizes):
        super().__init__(d_model, *sizes)
        self.norm_1, self.norm_2 = (nn.LayerNorm(d_model, elementwise_affine=False) for _ in range(2))


class NormsWithoutBias(Layer):
    def __init__(self, d_model, *sizes):
        super().__init__(d_model, *sizes)
        self.norm_1, self.norm_2 = (nn.LayerNorm(d_model, bias=False) for _ in range(2))


class NormOnEmbeddings(Writer):
    def __init__(self, vocabulary, d_model, *sizes):
        super().__init__(vocabulary, d_model, *sizes)
        self.dropout = nn.Sequential(nn.LayerNorm(d_model), self.dropout)


class OneNormForAll(Decoder):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.norm_2 = self.norm_3 = self.norm_1


class ExchangedAttentions(Decoder):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.cross_attention(x, x, x, mask)))
        x = self.norm_2(x + self.dropout(self.self_attention(x, memory, memory, memory_mask)))
        return self.norm_3(x + self.dropout(self.feed_forward(x)))


class IdleLayer(Writer):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(vocabulary, d_model, heads, d_ff, layers, dropout)
        self.layers.append(EncoderLayer(d_model, heads, d_ff, dropout))

    def forward(self, ids):
        return self.run(ids, self.table, self.layers[:-1])


class NormSharedByLayers(Translator):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        for layer in self.decoder:
            layer.norm_3 = self.decoder[0].norm_3


ONE_NORM = "Your class uses one norm in several places"


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("LayerNorm", PlainGain, "`nn.Parameter`"),
        ("LayerNorm", FrozenGain, "Your `self.gain` has `requires_grad=False`"),
        ("LearnedPositions", PlainPositionsOfZeros, "Your `self.table` is a plain tensor"),
        ("LearnedPositions", PositionsInABuffer, "Your `self.table` is a buffer"),
        ("LearnedPositions", FrozenPositions, "Your `self.table` has `requires_grad=False`"),
        ("LearnedPositions", PositionsAsData, "No gradient reaches `self.table`"),
        ("MultiHeadAttention", PlainList, "Your layers in `self.maps` are in a plain Python list"),
        ("MultiHeadAttention", PlainDict, "Your layers in `self.by_name` are in a plain Python dict"),
        ("MultiHeadAttention", PlainMatrices, "Your `self.q` is a plain tensor"),
        ("MultiHeadAttention", FrozenProjection, "Your `self.W_v.weight` has `requires_grad=False`"),
        ("MultiHeadAttention", WeightsWithoutGradient, "No gradient reaches `self.W_q` and `self.W_k`"),
        ("LanguageModel", FrozenTable, "Your `self.table` has `requires_grad=False`"),
        ("LanguageModel", TableFromPretrained, "Your `self.embedding.weight` has `requires_grad=False`"),
        ("LanguageModel", TableAsData, "No gradient reaches `self.table`"),
        ("LanguageModel", PlainTable, "Your `self.table` is a plain tensor"),
        ("Transformer", SourceDetached, "No gradient reaches `self.source_table`"),
        (
            "FeedForward",
            IdleMap,
            "makes `self.W_3`, but `forward` never uses it. Use it, or leave it out.",
        ),
        ("FeedForward", BiasTwice, "Your class adds `self.W_2.bias` twice"),
        ("MultiHeadAttention", OutputBiasTwice, "Your class adds `self.W_o.bias` twice"),
        ("MultiHeadAttention", OneMapForQueriesAndKeys, "uses the same matrix for several tasks"),
        ("MultiHeadAttention", ExchangedKeysAndValues, "`self.W_k` does the work of `self.W_v`"),
        ("EncoderLayer", OneNorm, ONE_NORM),
        (
            "EncoderLayer",
            IdleNorm,
            "makes `self.norm_2`, but `forward` never uses it.",
        ),
        ("EncoderLayer", ExchangedNorms, "`self.norm_1` does the work of `self.norm_2`"),
        ("EncoderLayer", NormsWithoutWeights, "learns 0 gains of norms, but should learn 2"),
        ("EncoderLayer", NormsWithoutBias, "A norm in your class learns no bias"),
        ("LanguageModel", NormOnEmbeddings, "Your class has 5 norms that learn, but should have 4"),
        ("DecoderLayer", OneNormForAll, ONE_NORM),
        ("DecoderLayer", ExchangedAttentions, "`self.self_attention` does the work of `self.cross_attention`"),
        ("LanguageModel", IdleLayer, "those from `self.layers[2]` on have no effect. Call every layer"),
        ("Transformer", NormSharedByLayers, ONE_NORM),
    ],
)
def test_what_is_wrong_with_the_weights_is_said(name, answer, sentence):
    report = find(name).check(answer)
    assert not report.passed
    assert sentence in report.message


class FixedPositions(Writer):
    """A frozen table that is the same in every instance is no weight."""

    def __init__(self, *sizes):
        super().__init__(*sizes)
        zeros = torch.zeros(1, 64, dtype=torch.long)
        self.positions = nn.Embedding.from_pretrained(embed_with_positions(zeros, torch.zeros(1, sizes[1]))[0])
        self.scale = sizes[1] ** 0.5

    def forward(self, ids):
        x = self.dropout(self.table[ids] * self.scale + self.positions.weight[: ids.size(1)])
        for layer in self.layers:
            x = layer(x, torch.ones(ids.size(1), ids.size(1), dtype=torch.bool).tril())
        return x @ self.table.T


def test_fixed_tensors_are_no_weights():
    report = find("LanguageModel").check(FixedPositions)
    assert report.passed, report


class MapsOfOtherNames(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        nn.Module.__init__(self)
        self.fc1, self.fc2, self.activation = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), activation

    def forward(self, x):
        return self.fc2(self.activation(self.fc1(x)))


class MapsFromTheOtherSide(Forward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        nn.Module.__init__(self)
        self.W_1, self.W_2, self.activation = nn.ParameterDict(), nn.ParameterDict(), activation
        for maps, (n, m) in ((self.W_1, (d_model, d_ff)), (self.W_2, (d_ff, d_model))):
            maps.update({"weight": torch.randn(n, m) * n**-0.5, "bias": torch.zeros(m)})

    def forward(self, x):
        hidden = self.activation(x @ self.W_1["weight"] + self.W_1["bias"])
        return hidden @ self.W_2["weight"] + self.W_2["bias"]


class NormWithAConstant(Norm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.constant = eps
        del self.eps

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.gain, self.bias, self.constant)


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        (
            "FeedForward",
            MapsOfOtherNames,
            (
                "Your parameters are called `fc1.weight`, `fc1.bias`, `fc2.weight` and `fc2.bias`; none is "
                "called `W_1.weight`. Where the course loads trained parameters, its own `FeedForward` takes the "
                "place of yours."
            ),
        ),
        ("FeedForward", MapsFromTheOtherSide, "Your `W_1.weight` is of shape"),
        ("LayerNorm", NormWithAConstant, "It does not keep eps as `self.eps`."),
        ("MultiHeadAttention", Attention, "It does not keep the attention weights."),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_right_class_that_lacks_what_later_cells_need_is_told(name, answer, sentence):
    report = find(name).check(answer)
    assert report.passed, report
    assert report.paragraphs[-1].startswith(sentence)


def test_a_right_class_is_told_of_names_if_and_only_if_trained_weights_are_loaded_into_it():
    classes = [each for each in all_exercises() if isinstance(each.reference, type)]
    told = {each.name for each in classes if each.remark is not None}
    assert told == set(trained_weights.CLASSES)


@pytest.mark.parametrize("name", trained_weights.CLASSES)
def test_nothing_is_remarked_on_the_courses_own_class(name):
    assert find(name).remark(find(name).reference) == ""
