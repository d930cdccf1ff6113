"""Dropout is on each sublayer's output, at the rate that is given, and only in training; anything else is named."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.positions import embed_with_positions
from tests.exercises.wrong_classes import Decoder, Layer, Translator, Writer


class Nothing(Layer):
    def drop(self, x):
        return x


class OnSum(Layer):
    def forward(self, x, mask=None):
        x = self.norm_1(self.drop(x + self.attend(x, mask)))
        return self.norm_2(self.drop(x + self.feed_forward(x)))


class AfterNorm(Layer):
    def forward(self, x, mask=None):
        x = self.drop(self.norm_1(x + self.attend(x, mask)))
        return self.drop(self.norm_2(x + self.feed_forward(x)))


class AfterEachNormToo(Layer):
    def forward(self, x, mask=None):
        return self.drop(super().forward(x, mask))


class OnAttentionOnly(Layer):
    def forward(self, x, mask=None):
        x = self.norm_1(x + self.drop(self.attend(x, mask)))
        return self.norm_2(x + self.feed_forward(x))


class OnFeedForwardOnly(Layer):
    def forward(self, x, mask=None):
        x = self.norm_1(x + self.attend(x, mask))
        return self.norm_2(x + self.drop(self.feed_forward(x)))


class OnInput(Layer):
    def forward(self, x, mask=None):
        x = self.norm_1(x + self.attend(self.drop(x), mask))
        return self.norm_2(x + self.feed_forward(self.drop(x)))


class OnResidual(Layer):
    def forward(self, x, mask=None):
        x = self.norm_1(self.drop(x) + self.drop(self.attend(x, mask)))
        return self.norm_2(self.drop(x) + self.drop(self.feed_forward(x)))


class InsideTheFeedForward(Layer):
    def forward(self, x, mask=None):
        x, inner = self.norm_1(x + self.drop(self.attend(x, mask))), self.feed_forward
        return self.norm_2(x + inner.W_2(self.drop(inner.activation(inner.W_1(x)))))


class FixedRate(Layer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.dropout = nn.Dropout(0.1)


class FixedRateInOnePlace(Layer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.feed_forward = nn.Sequential(self.feed_forward, nn.Dropout(0.2))

    def forward(self, x, mask=None):
        x = self.norm_1(x + self.drop(self.attend(x, mask)))
        return self.norm_2(x + self.feed_forward(x))


class FixedRateByHand(Layer):
    def drop(self, x):
        return x * (torch.rand_like(x) > 0.1) / 0.9 if self.training else x


class InEvaluation(Layer):
    def drop(self, x):
        return F.dropout(x, self.rate)


class InEvaluationByHand(Layer):
    def drop(self, x):
        return x * (torch.rand_like(x) >= self.rate) / (1 - self.rate)


class ByHandOnSum(Layer):
    def forward(self, x, mask=None):
        def drop(y):
            return y * (torch.rand_like(y) >= self.rate) / (1 - self.rate) if self.training else y

        x = self.norm_1(drop(x + self.attend(x, mask)))
        return self.norm_2(drop(x + self.feed_forward(x)))


class NotOnCrossAttention(Decoder):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        x = self.norm_2(x + self.cross_attention(x, memory, memory, memory_mask))
        return self.norm_3(x + self.dropout(self.feed_forward(x)))


class OnMemory(Decoder):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return super().forward(x, self.dropout(memory), mask, memory_mask)


class NotHandedOn(Writer):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(vocabulary, d_model, heads, d_ff, layers, dropout)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff) for _ in range(layers))


class NotOnEmbeddings(Writer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.dropout = nn.Identity()


class NotHandedOnToTheDecoder(Translator):
    def __init__(self, source, target, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(source, target, d_model, heads, d_ff, layers, dropout)
        self.decoder = nn.ModuleList(DecoderLayer(d_model, heads, d_ff) for _ in range(layers))


class NotOnTheTarget(Translator):
    def embed_target(self, ids):
        return embed_with_positions(ids, self.target_table)


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("EncoderLayer", Nothing, "In training, nothing is dropped"),
        ("EncoderLayer", OnSum, "Your code applies dropout to the sum"),
        ("EncoderLayer", AfterNorm, "In evaluation mode, your results are right. Your dropout comes after the norm"),
        ("EncoderLayer", AfterEachNormToo, "Your dropout comes after the norm"),
        ("EncoderLayer", OnAttentionOnly, "no dropout to the output of the feed-forward"),
        ("EncoderLayer", OnFeedForwardOnly, "no dropout to the output of the self-attention"),
        ("EncoderLayer", OnInput, "Your dropout is on the tokens that a sublayer reads"),
        ("EncoderLayer", OnResidual, "Your dropout is on the tokens that a sublayer reads"),
        ("EncoderLayer", InsideTheFeedForward, "no dropout to the output of the feed-forward"),
        ("EncoderLayer", FixedRate, "with `dropout=0.375` it drops a share of 0.1"),
        ("EncoderLayer", FixedRateInOnePlace, "with `dropout=0.375` it drops a share of 0.2"),
        ("EncoderLayer", FixedRateByHand, "drops numbers in training although it is made with `dropout=0`"),
        ("EncoderLayer", InEvaluation, "Your class drops numbers in evaluation too"),
        ("EncoderLayer", InEvaluationByHand, "In evaluation, your class gives a different output"),
        ("EncoderLayer", ByHandOnSum, "In training at a rate near 1, almost nothing should be left"),
        ("DecoderLayer", NotOnCrossAttention, "no dropout to the output of the cross-attention"),
        ("DecoderLayer", OnMemory, "Your dropout is on the tokens that a sublayer reads"),
        ("LanguageModel", NotHandedOn, "Your layers do not get the dropout rate"),
        ("LanguageModel", NotOnEmbeddings, "In training, your code applies no dropout to the embeddings"),
        ("Transformer", NotHandedOnToTheDecoder, "Your layers do not get the dropout rate"),
        ("Transformer", NotOnTheTarget, "In training, your code applies no dropout to the target's embeddings"),
    ],
)
def test_what_is_wrong_with_the_dropout_is_said(name, answer, sentence):
    report = find(name).check(answer)
    assert not report.passed
    assert sentence in report.message


class FunctionalDropout(Layer):
    def drop(self, x):
        return F.dropout(x, p=self.rate, training=self.training)


class ByHand(Layer):
    def drop(self, x):
        if not self.training:
            return x
        return x * torch.bernoulli(torch.full_like(x, 1 - self.rate)) / (1 - self.rate)


class AttentionDropsItself(Layer):
    """Dropout of attention weights and inside the feed-forward comes on top, as in torch's layer."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, heads, d_ff, dropout, activation)
        self.heads = heads
        self.self_attention = nn.MultiheadAttention(d_model, heads, dropout=dropout, batch_first=True)
        self.feed_forward.activation = lambda x: self.dropout(activation(x))

    def attend(self, x, mask):
        hidden = None
        if mask is not None:
            hidden = ~mask.expand(x.size(0), self.heads, x.size(1), x.size(1)).flatten(0, 1)
        return self.self_attention(x, x, x, attn_mask=hidden)[0]


@pytest.mark.parametrize("answer", [FunctionalDropout, ByHand, AttentionDropsItself])
def test_right_dropout_passes_however_it_is_written(answer):
    report = find("EncoderLayer").check(answer)
    assert report.passed, report
