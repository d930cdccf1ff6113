"""Base classes, right ones, from which the tests make wrong classes by changing one thing."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.transformer.attention import (
    MultiHeadAttention,
    causal_mask,
    merge_heads,
    padding_mask,
    scaled_dot_product_attention,
    split_heads,
)
from course_lib.transformer.layers import DecoderLayer, EncoderLayer, FeedForward, LayerNorm
from course_lib.transformer.positions import embed_with_positions


class Norm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.bias, self.eps = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model)), eps

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.gain, self.bias, self.eps)


class Positions(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)

    def forward(self, x):
        return x + self.table[: x.size(1)]


class Forward(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.W_1, self.W_2, self.activation = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), activation

    def forward(self, x):
        return self.W_2(self.activation(self.W_1(x)))


class Attention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model) for _ in range(4))

    def project(self, query, key, value):
        return self.W_q(query), self.W_k(key), self.W_v(value)

    def forward(self, query, key, value, mask=None):
        q, k, v = (split_heads(x, self.heads) for x in self.project(query, key, value))
        return self.W_o(merge_heads(scaled_dot_product_attention(q, k, v, mask)[0]))


class Layer(nn.Module):
    """An encoder layer, whose dropout `drop` stands for."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1, self.norm_2 = LayerNorm(d_model), LayerNorm(d_model)
        self.dropout, self.rate = nn.Dropout(dropout), dropout

    def attend(self, x, mask):
        return self.self_attention(x, x, x, mask)

    def drop(self, x):
        return self.dropout(x)

    def forward(self, x, mask=None):
        x = self.norm_1(x + self.drop(self.attend(x, mask)))
        return self.norm_2(x + self.drop(self.feed_forward(x)))


class Decoder(nn.Module):
    """A decoder layer."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.cross_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1, self.norm_2, self.norm_3 = (LayerNorm(d_model) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        x = self.norm_2(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))
        return self.norm_3(x + self.dropout(self.feed_forward(x)))


class Writer(nn.Module):
    """A language model."""

    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def run(self, ids, table, layers):
        x = self.dropout(embed_with_positions(ids, table))
        for layer in layers:
            x = layer(x, causal_mask(ids.size(1)))
        return x @ table.T

    def forward(self, ids):
        return self.run(ids, self.table, self.layers)


class Translator(nn.Module):
    """A whole Transformer."""

    def __init__(self, source, target, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.source_table = nn.Parameter(torch.randn(source, d_model) * d_model**-0.5)
        self.target_table = nn.Parameter(torch.randn(target, d_model) * d_model**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def embed_source(self, ids):
        return self.dropout(embed_with_positions(ids, self.source_table))

    def embed_target(self, ids):
        return self.dropout(embed_with_positions(ids, self.target_table))

    def encode(self, source_ids):
        x = self.embed_source(source_ids)
        for layer in self.encoder:
            x = layer(x, padding_mask(source_ids, 0))
        return x

    def decode(self, target_ids, memory, source_ids):
        x = self.embed_target(target_ids)
        for layer in self.decoder:
            x = layer(x, memory, causal_mask(target_ids.size(1)), padding_mask(source_ids, 0))
        return x @ self.target_table.T

    def forward(self, source_ids, target_ids):
        return self.decode(target_ids, self.encode(source_ids), source_ids)


BASES = {
    "LayerNorm": Norm,
    "LearnedPositions": Positions,
    "FeedForward": Forward,
    "MultiHeadAttention": Attention,
    "EncoderLayer": Layer,
    "DecoderLayer": Decoder,
    "LanguageModel": Writer,
    "Transformer": Translator,
}
