from __future__ import annotations
from course_lib.transformer.positions import rotary, sinusoidal
from itertools import pairwise
import math
from course_lib.writing.decoding import apply_temperature, length_penalty, top_k_filter, top_p_filter
from typing import Any
from course_lib.transformer.attention import causal_mask, scaled_dot_product_attention
from course_lib.transformer.attention import causal_mask
from course_lib.learning.losses import IGNORE
from torch import Tensor
from course_lib.transformer.attention import additive_attention, scaled_dot_product_attention, softmax
from collections.abc import Callable, Mapping, Sequence
import torch
import torch.nn.functional as F
from course_lib.transformer.attention import softmax
from collections import Counter
import copy
from course_lib.text.bpe import BYTES, apply_merges, bpe_decode, byte_ids, count_pairs, count_words, learn_merges, merge_pair
from collections.abc import Callable
from course_lib.transformer.attention import causal_mask, padding_mask
from torch import Tensor, nn
from course_lib.text.words import BOS, EOS, PAD
from course_lib.transformer.attention import merge_heads, scaled_dot_product_attention, split_heads
from contextlib import suppress


def attend_one_query(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Mix the values by how well their keys match one query: (d_k,), (S, d_k), (S, d_v) to (d_v,)."""
    scores = key @ query  # (S,)
    weights = softmax(scores, dim=0)  # (S,)
    return weights @ value  # (d_v,)


def dot_product_scores(query: Tensor, key: Tensor) -> Tensor:
    """Score every query against every key by their dot product: (T, d_k) and (S, d_k) to (T, S)."""
    return query @ key.T  # (T, S)


def mix_values(weights: Tensor, value: Tensor) -> Tensor:
    """Mix the values by each query's weights: (T, S) and (S, d_v) to (T, d_v)."""
    return weights @ value  # (T, d_v)


def entropy_of_weights(weights: Tensor) -> Tensor:
    """Measure how widely each query spreads its weights, in nats: (T, S) to (T,), from 0 for one key to log(S)."""
    logarithms = torch.where(weights > 0, weights, 1.0).log()  # (T, S)
    return -(weights * logarithms).sum(-1)  # (T,)


def attend_in_heads(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attend in each head apart, and put what the heads found side by side: (B, T, d_model) to the same shape."""
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))  # (B, H, T or S, d_k)
    mixed, _ = scaled_dot_product_attention(queries, keys, values)  # (B, H, T, d_k)
    return merge_heads(mixed)  # (B, T, d_model)


def multi_head_parameter_count(d_model: int, heads: int) -> int:
    """Count the parameters of multi-head attention, biases included, by hand."""
    d_k = d_model // heads
    of_one_head = 3 * (d_model * d_k + d_k)
    of_the_output = d_model * d_model + d_model
    return heads * of_one_head + of_the_output


class MultiHeadAttention(nn.Module):
    """Several attentions at once, each reading the tokens through projections of its own."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let (B, T, d_model) read (B, S, d_model), under a mask that broadcasts to (B, H, T, S)."""
        queries = split_heads(self.W_q(query), self.heads)  # (B, H, T, d_k)
        keys = split_heads(self.W_k(key), self.heads)  # (B, H, S, d_k)
        values = split_heads(self.W_v(value), self.heads)  # (B, H, S, d_k)
        mixed, weights = scaled_dot_product_attention(queries, keys, values, mask)  # (B, H, T, d_k), (B, H, T, S)
        self.weights = weights.detach()  # kept to look at
        output: Tensor = self.W_o(merge_heads(mixed))  # (B, T, d_model)
        return output


def embed(ids: Tensor, table: Tensor) -> Tensor:
    """Look up each token's vector: ids (B, T) and a table (V, d_model) to (B, T, d_model)."""
    return table[ids]


def embed_with_positions(ids: Tensor, table: Tensor) -> Tensor:
    """Look tokens up, scale them, and add where they stand: ids (B, T) and a table (V, d_model) to (B, T, d_model)."""
    d_model = table.size(1)
    return table[ids] * math.sqrt(d_model) + sinusoidal(ids.size(1), d_model)  # (B, T, d_model)


class LearnedPositions(nn.Module):
    """A vector for each position, learned like those of the tokens, and added to them."""

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Add to each token the vector of its place: (B, T, d_model) to the same shape."""
        return x + self.table[: x.size(1)]


def gelu(x: Tensor) -> Tensor:
    """Let through as much of each number as a standard normal draw is likely to lie below it."""
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


class FeedForward(nn.Module):
    """Let each token think for itself: two linear maps with a bend between."""

    def __init__(self, d_model: int, d_ff: int, activation: Callable[..., Tensor] = torch.relu) -> None:
        super().__init__()
        self.W_1 = nn.Linear(d_model, d_ff)
        self.W_2 = nn.Linear(d_ff, d_model)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Work on each token alone: (..., d_model) to the same shape."""
        hidden = self.activation(self.W_1(x))  # (..., d_ff)
        thought: Tensor = self.W_2(hidden)  # (..., d_model)
        return thought


class LayerNorm(nn.Module):
    """Bring each token's vector to mean 0 and variance 1, then scale and shift each feature by learned numbers."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the features: (..., d_model) to the same shape."""
        centred = x - x.mean(-1, keepdim=True)  # (..., d_model)
        variance = centred.square().mean(-1, keepdim=True)  # (..., 1)
        return self.gain * centred / torch.sqrt(variance + self.eps) + self.bias


def post_norm(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """Add what a sublayer computes to what it read, then normalise the sum, as in 2017."""
    return norm(x + sublayer(x))


def pre_norm(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """Let a sublayer read the normalised tokens, and add what it computes to the tokens as they were."""
    return x + sublayer(norm(x))


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward, each with its residual and its norm, in the order of 2017."""

    def __init__(
        self, d_model: int, heads: int, d_ff: int, dropout: float = 0.1, activation: Callable[..., Tensor] = torch.relu
    ) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1 = LayerNorm(d_model)
        self.norm_2 = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Process tokens (B, T, d_model) under a mask that broadcasts to (B, H, T, T); returns the same shape."""
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        x = post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)
        return x


def encoder_parameter_count(d_model: int, d_ff: int, layers: int) -> tuple[int, int, int]:
    """Count the parameters of an encoder's layers by place: in attention, in feed-forwards, in norms."""
    attention = 4 * (d_model * d_model + d_model)
    feed_forward = (d_model * d_ff + d_ff) + (d_ff * d_model + d_model)
    norms = 2 * (d_model + d_model)
    return layers * attention, layers * feed_forward, layers * norms


def masked_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Turn scores (..., T, S) into weights that add up to 1 over what the mask leaves open."""
    return torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)


def inputs_and_labels(ids: Tensor) -> tuple[Tensor, Tensor]:
    """What the model reads, and what it should say at each place: ids (B, T + 1) to two tensors (B, T)."""
    return ids[:, :-1], ids[:, 1:]


class LanguageModel(nn.Module):
    """A GPT of your own: encoder layers under a causal mask, and logits for each next token."""

    def __init__(self, vocabulary: int, d_model: int, heads: int, d_ff: int, layers: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor) -> Tensor:
        """Predict each next token: ids (B, T) to logits (B, T, V)."""
        hidden: Tensor = self.dropout(embed_with_positions(ids, self.table))  # (B, T, d_model)
        for layer in self.layers:
            hidden = layer(hidden, causal_mask(ids.size(1)))
        logits: Tensor = hidden @ self.table.T  # (B, T, V)
        return logits


def continue_greedily(model: Any, ids: list[int], length: int) -> list[int]:
    """Add `length` tokens to a text, each time the likeliest next one. Returns the added ids."""
    text = list(ids)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        text.append(int(logits[0, -1].argmax()))
    return text[len(ids) :]


def cross_attend(
    attention: Callable[..., Tensor], x: Tensor, memory: Tensor, memory_mask: Tensor | None = None
) -> Tensor:
    """Let target tokens (B, T, d_model) read the encoder's output (B, S, d_model)."""
    return attention(x, memory, memory, memory_mask)


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the memory, then feed-forward, in the order of 2017."""

    def __init__(self, d_model: int, heads: int, d_ff: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.cross_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff)
        self.norm_1 = LayerNorm(d_model)
        self.norm_2 = LayerNorm(d_model)
        self.norm_3 = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """Let target tokens (B, T, d_model) read each other under `mask`, and the memory (B, S, d_model)."""
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        x = post_norm(
            x, lambda y: self.dropout(cross_attend(self.cross_attention, y, memory, memory_mask)), self.norm_2
        )
        x = post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)
        return x


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """The mean surprise at labels that give the share epsilon away, evenly to all V tokens."""
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    counts = labels != IGNORE  # (B, T)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)  # (B, T)
    surprise = -(1 - epsilon) * right - epsilon * log_p.mean(dim=-1)  # (B, T)
    return surprise[counts].mean()


def learning_rate(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of 2017: up in a line for `warmup` steps, then down with the root of the step."""
    return float(d_model**-0.5 * min(step**-0.5, step * warmup**-1.5))


class Transformer(nn.Module):
    """The encoder–decoder of 2017: source ids and the target so far in, logits for each next target token out."""

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        d_model: int,
        heads: int,
        d_ff: int,
        layers: int,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.source_table = nn.Parameter(torch.randn(source_vocabulary, d_model) * d_model**-0.5)
        self.target_table = nn.Parameter(torch.randn(target_vocabulary, d_model) * d_model**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def encode(self, source_ids: Tensor) -> Tensor:
        """Read the source once: (B, S) to the memory, (B, S, d_model)."""
        memory: Tensor = self.dropout(embed_with_positions(source_ids, self.source_table))  # (B, S, d_model)
        for layer in self.encoder:
            memory = layer(memory, padding_mask(source_ids, PAD))
        return memory

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        """Predict each next target token: (B, T), (B, S, d_model) and (B, S) to logits (B, T, V)."""
        x: Tensor = self.dropout(embed_with_positions(target_ids, self.target_table))  # (B, T, d_model)
        for layer in self.decoder:
            x = layer(x, memory, causal_mask(target_ids.size(1)), padding_mask(source_ids, PAD))
        logits: Tensor = x @ self.target_table.T  # (B, T, V)
        return logits

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        """Predict each next target token: (B, S) and (B, T) to logits (B, T, V)."""
        return self.decode(target_ids, self.encode(source_ids), source_ids)


def greedy_translation(model: Any, source_ids: list[int], max_length: int) -> list[int]:
    """Translate one sentence, from [bos] on by the likeliest next token, until [eos] or `max_length` tokens."""
    source = torch.tensor([source_ids])  # (1, S)
    memory = model.encode(source)  # (1, S, d_model)
    target = [BOS]
    while len(target) <= max_length:
        logits = model.decode(torch.tensor([target]), memory, source)  # (1, T, V)
        best = int(logits[0, -1].argmax())
        if best == EOS:
            break
        target.append(best)
    return target[1:]


def text_log_probability(logits: Tensor, ids: Tensor) -> Tensor:
    """The log-probability of a text, in nats: logits (T, V), of which row t predicts ids[t], and ids (T,)."""
    log_p = torch.log_softmax(logits, dim=-1)  # (T, V)
    return log_p.gather(1, ids.unsqueeze(1)).sum()


def greedy_text(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Go on with a prompt by the likeliest next token, until the stop token or `length` new ones. Returns the new ids.

    The stop token is left out. The model takes ids (1, T) to logits (1, T, V).
    """
    text = list(prompt)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        best = int(logits[0, -1].argmax())
        if best == stop:
            break
        text.append(best)
    return text[len(prompt) :]


def next_token_probabilities(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """The probabilities (..., V) to draw from: temperature, then top-k, then top-p, of logits (..., V). None: all."""
    logits = apply_temperature(logits, temperature)
    if k is not None:
        logits = top_k_filter(logits, k)
    if p is not None:
        logits = top_p_filter(logits, p)
    return torch.softmax(logits, dim=-1)  # (..., V)


def beam_step(logits: Tensor, totals: Tensor, beams: int) -> tuple[Tensor, Tensor, Tensor]:
    """Extend n texts by each of V tokens, and keep the `beams` likeliest of all n · V, the best first.

    Takes logits (n, V) and the texts' log-probabilities so far, (n,). Returns of each that is kept which text it goes
    on with, its token, and its log-probability, all (beams,).
    """
    longer = totals.unsqueeze(1) + torch.log_softmax(logits, dim=-1)  # (n, V)
    best = longer.flatten().topk(beams)
    V = logits.size(1)
    return best.indices // V, best.indices % V, best.values


def beam_search_text(model: Any, prompt: list[int], beams: int, length: int, stop: int) -> tuple[list[int], float]:
    """Write by beam search: the new ids of the likeliest text that was found, and its log-probability.

    Texts that end are set aside; their ids come without the stop token, their log-probability with it. Those that still
    go on after `length` tokens count too. The model takes ids (n, T) to logits (n, T, V).
    """
    going, totals = [list(prompt)], torch.zeros(1)
    found = list[tuple[list[int], float]]()
    for _ in range(length):
        logits = model(torch.tensor(going))[:, -1]  # (n, V)
        parents, tokens, totals = beam_step(logits, totals, beams)
        going = [[*going[parent], token] for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True)]
        found += [(text[:-1], total) for text, total in zip(going, totals.tolist(), strict=True) if text[-1] == stop]
        going, totals = [text for text in going if text[-1] != stop], totals[tokens != stop]
        if not going:
            break
    found += zip(going, totals.tolist(), strict=True)
    text, total = max(found, key=lambda each: each[1])
    return text[len(prompt) :], total


def attend_with_cache(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Let T new tokens read themselves and all before them, whose keys and values `past` holds.

    Takes query and key (B, H, T, d_k) and value (B, H, T, d_v) of the new tokens, and the keys and values of all
    earlier ones, or None. Returns the output (B, H, T, d_v), and the keys and values of all tokens by now.
    """
    if past is None:
        keys, values = key, value
    else:
        keys = torch.cat((past[0], key), dim=2)  # (B, H, S, d_k)
        values = torch.cat((past[1], value), dim=2)  # (B, H, S, d_v)
    T, S = query.size(2), keys.size(2)
    mask = causal_mask(S)[S - T :]  # (T, S)
    output, _ = scaled_dot_product_attention(query, keys, values, mask)  # (B, H, T, d_v)
    return output, (keys, values)


def reorder_cache(past: list[Pair], parents: Tensor) -> list[Pair]:
    """Give each beam its parent's cache: each layer's keys and values (n, H, S, d), by parents (beams,)."""
    return [(keys[parents], values[parents]) for keys, values in past]


def cache_bytes(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """How many bytes a KV cache takes for a text of `length` tokens, with `bytes_each` for a number."""
    return 2 * layers * kv_heads * d_k * length * bytes_each


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean surprise, in nats, of logits (B, T, V) at labels (B, T); labels of -100 do not count."""
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    counts = labels != IGNORE  # (B, T)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)  # (B, T)
    return -right[counts].mean()
