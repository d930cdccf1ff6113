"""The parts as a learner writes them in the notebooks: plain, with the course's names for weights."""

import math
from dataclasses import fields

import torch
from torch import nn

from course_lib.transformer.build import Parts


def plain() -> Parts:
    """The current parts of this module, from which a model can be built: a test may have replaced some."""
    return Parts(**{field.name: globals()[field.name] for field in fields(Parts)})


def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.size(-1))
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(-1)
    return weights @ value, weights


def split_heads(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads).transpose(1, 2)


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


def causal_mask(T):
    return torch.ones(T, T, dtype=torch.bool).tril()


def padding_mask(ids, pad):
    return (ids != pad).unsqueeze(1).unsqueeze(1)


def embed(ids, table):
    return table[ids]


def sinusoidal(length, d_model):
    angles = torch.arange(length).unsqueeze(1) / 10000 ** (torch.arange(0, d_model, 2) / d_model)
    table = torch.zeros(length, d_model)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()
    return table


def embed_with_positions(ids, table):
    d_model = table.size(1)
    return embed(ids, table) * math.sqrt(d_model) + sinusoidal(ids.size(1), d_model)


class LearnedPositions(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)

    def forward(self, x):
        return x + self.table[: x.size(1)]


def rotary(x):
    T, d_k = x.shape[-2:]
    angles = torch.arange(T).unsqueeze(1) / 10000 ** (torch.arange(0, d_k, 2) / d_k)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., : d_k // 2], x[..., d_k // 2 :]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.W_v, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        queries, keys = split_heads(self.W_q(query), self.heads), split_heads(self.W_k(key), self.heads)
        values = split_heads(self.W_v(value), self.heads)
        mixed, _ = scaled_dot_product_attention(queries, keys, values, mask)
        return self.W_o(merge_heads(mixed))


def gelu(x):
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


class FeedForward(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.W_1, self.W_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.activation = activation

    def forward(self, x):
        return self.W_2(self.activation(self.W_1(x)))


class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return self.gain * centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + self.eps) + self.bias


def post_norm(x, sublayer, norm):
    return norm(x + sublayer(x))


def pre_norm(x, sublayer, norm):
    return x + sublayer(norm(x))


def cross_attend(attention, x, memory, memory_mask=None):
    return attention(x, memory, memory, memory_mask)


class EncoderLayer(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1, self.norm_2 = LayerNorm(d_model), LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)


class DecoderLayer(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1):
        super().__init__()
        self.self_attention, self.cross_attention = (
            MultiHeadAttention(d_model, heads),
            MultiHeadAttention(d_model, heads),
        )
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1, self.norm_2, self.norm_3 = LayerNorm(d_model), LayerNorm(d_model), LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        x = post_norm(
            x, lambda y: self.dropout(cross_attend(self.cross_attention, y, memory, memory_mask)), self.norm_2
        )
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)


class RMSNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.eps = eps

    def forward(self, x):
        return x / torch.sqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.gain


class SwiGLU(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.W_gate = nn.Linear(d_model, d_ff, bias=False)
        self.W_1 = nn.Linear(d_model, d_ff, bias=False)
        self.W_2 = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        return self.W_2(nn.functional.silu(self.W_gate(x)) * self.W_1(x))


class GroupedQueryAttention(nn.Module):
    def __init__(self, d_model, heads, kv_heads, rotate):
        super().__init__()
        d_k = d_model // heads
        self.heads, self.kv_heads, self.rotate = heads, kv_heads, rotate
        self.W_q = nn.Linear(d_model, heads * d_k, bias=False)
        self.W_k = nn.Linear(d_model, kv_heads * d_k, bias=False)
        self.W_v = nn.Linear(d_model, kv_heads * d_k, bias=False)
        self.W_o = nn.Linear(heads * d_k, d_model, bias=False)

    def forward(self, x, mask=None):
        times = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = self.rotate(split_heads(self.W_k(x), self.kv_heads)).repeat_interleave(times, dim=1)
        values = split_heads(self.W_v(x), self.kv_heads).repeat_interleave(times, dim=1)
        mixed, _ = scaled_dot_product_attention(queries, keys, values, mask)
        return self.W_o(merge_heads(mixed))


class LlamaLayer(nn.Module):
    def __init__(self, d_model, heads, kv_heads, d_ff, rotate):
        super().__init__()
        self.norm_1, self.norm_2 = RMSNorm(d_model), RMSNorm(d_model)
        self.self_attention = GroupedQueryAttention(d_model, heads, kv_heads, rotate)
        self.feed_forward = SwiGLU(d_model, d_ff)

    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        return x + self.feed_forward(self.norm_2(x))


class LanguageModel(nn.Module):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.table))
        for layer in self.layers:
            x = layer(x, causal_mask(ids.size(1)))
        return x @ self.table.T


class MaskedLanguageModelHead(nn.Module):
    def __init__(self, vocabulary, d_model):
        super().__init__()
        self.transform = nn.Linear(d_model, d_model)
        self.norm = LayerNorm(d_model)
        self.output_bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, hidden, table):
        hidden = self.norm(nn.functional.gelu(self.transform(hidden)))
        return hidden @ table.T + self.output_bias


class Transformer(nn.Module):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.source_table = nn.Parameter(torch.randn(source_vocabulary, d_model) * d_model**-0.5)
        self.target_table = nn.Parameter(torch.randn(target_vocabulary, d_model) * d_model**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def encode(self, source_ids):
        x = self.dropout(embed_with_positions(source_ids, self.source_table))
        for layer in self.encoder:
            x = layer(x, padding_mask(source_ids, 0))
        return x

    def decode(self, target_ids, memory, source_ids):
        x = self.dropout(embed_with_positions(target_ids, self.target_table))
        for layer in self.decoder:
            x = layer(x, memory, causal_mask(target_ids.size(1)), padding_mask(source_ids, 0))
        return x @ self.target_table.T

    def forward(self, source_ids, target_ids):
        return self.decode(target_ids, self.encode(source_ids), source_ids)
