"""What a learner is told about wrong answers in which no known mistake is recognised: the known ones are left out here.

The words that are expected name what the answer does; they were chosen by reading the answer, not the message.
"""

import linecache
import math
import re
import time
from copy import copy
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises import Exercise, all_exercises
from course_lib.exercises.catalogue import find
from tests.pace import slowness

# The words that the message should contain, and the answer as a learner writes it.
ANSWERS = [
    (
        "In `scores + mask`, True counts as 1 and False as 0",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores + mask
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "0 times infinity is NaN",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores + ~mask * -math.inf
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "0 times infinity is NaN",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores + (1 - mask.float()) * -math.inf
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "To ask whether it was given, write `mask is not None`.",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "`.T` reverses all axes",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.T / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "With the second one transposed, 4×3, they would be.",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "number 2 is None: return the weights there.",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return weights @ value, None
""",
    ),
    (
        "you should return 2 things, `return output, weights`",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return (weights @ value, weights)[0]
""",
    ),
    (
        "a softmax whose inputs are multiplied by √`query.size(-1)` / √`value.size(-1)`.",
        """
def scaled_dot_product_attention(query, key, value, mask=None):
    scores = query @ key.mT / value.size(-1) ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights
""",
    ),
    (
        "is what the right one becomes after taking 1 − x",
        """
def softmax(x, dim):
    return 1 - x.softmax(dim)
""",
    ),
    (
        "torch.bfloat16, which keeps about",
        """
def softmax(x, dim):
    return x.softmax(dim).bfloat16()
""",
    ),
    (
        "The course calls `softmax(x, dim)`: your `def`",
        """
def softmax(x):
    return x.softmax(0)
""",
    ),
    (
        "as if `x` had the opposite sign.",
        """
def softmax(x, dim):
    return (-x).softmax(dim)
""",
    ),
    (
        "a softmax whose inputs are multiplied by ln 2.",
        """
def softmax(x, dim):
    e = 2 ** (x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, True)
""",
    ),
    (
        "`.max` returns a pair, values and positions",
        """
def softmax(x, dim):
    e = (x - x.max(dim, keepdim=True)).exp()
    return e / e.sum()
""",
    ),
    (
        "is not called there: its brackets `()` are missing.",
        """
def softmax(x, dim):
    e = x.exp
    return e / e.sum(dim, keepdim=True)
""",
    ),
    (
        "That is numpy's function",
        """
import numpy as np
def softmax(x, dim):
    return np.exp(x - np.max(x, axis=dim, keepdims=True))
""",
    ),
    (
        "An exponential (`exp`) would make your",
        """
def attention_weights(scores):
    return scores.log_softmax(-1)
""",
    ),
    (
        "Your code behaves as if a softmax had been taken of `scores` before.",
        """
def attention_weights(scores):
    return scores.softmax(-1).softmax(-1)
""",
    ),
    (
        "axes 0 and 1 are swapped",
        """
def mix_values(weights, value):
    return value.T @ weights.T
""",
    ),
    (
        "the sums along axis 1, `.sum(1)`, are right",
        """
def mix_values(weights, value):
    return weights[..., None] * value
""",
    ),
    (
        "one axis of length 1 too many, axis 1",
        """
def entropy_of_weights(weights):
    return -torch.xlogy(weights, weights).sum(-1, True)
""",
    ),
    (
        "`//` divides whole numbers.",
        """
def split_heads(x, heads):
    return x.view(*x.shape[:2], heads, x.size(2) / heads).mT
""",
    ),
    (
        "`torch.stack(..., dim=1)` makes one tensor of them.",
        """
def split_heads(x, heads):
    return x.chunk(heads, dim=-1)
""",
    ),
    (
        "`reshape` or `flatten` copies them.",
        """
def merge_heads(x):
    return x.transpose(1, 2).view(len(x), x.size(2), -1)
""",
    ),
    (
        "`permute(0, 2, 1, 3)`, then `reshape`, puts them right.",
        """
def attend_in_heads(query, key, value, heads):
    q, k, v = (split_heads(x, heads) for x in (query, key, value))
    return scaled_dot_product_attention(q, k, v)[0]
""",
    ),
    (
        "is too small by `d_model`.",
        """
def multi_head_parameter_count(d_model, heads):
    return 4 * d_model**2 + 3 * d_model
""",
    ),
    (
        "The last position has no next one",
        """
def merge_pair(word, pair, new_id):
    return [i for i in word if word[i + 1] != pair]
""",
    ),
    (
        "only the part at index 0 of the first axis",
        """
def embed(ids, table):
    return table[ids[0]]
""",
    ),
    (
        "`dtype=torch.bool`.",
        """
def causal_mask(T):
    return torch.ones(T, T).tril().long()
""",
    ),
    (
        "`squeeze(0)` removes it",
        """
def causal_mask(T):
    return torch.ones(1, T, T).tril().bool()
""",
    ),
    (
        "`nll_loss` takes log-probabilities",
        """
def cross_entropy(logits, labels):
    return F.nll_loss(logits.flatten(0, 1), labels.flatten())
""",
    ),
    (
        "torch's losses take the classes on axis 1",
        """
def cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels)
""",
    ),
    (
        "is `d_model` times what it should be.",
        """
def learning_rate(step, d_model, warmup):
    return d_model**0.5 * min(step**-0.5, step * warmup**-1.5)
""",
    ),
    (
        "Your code behaves as if `step` were larger by 1.",
        """
def learning_rate(step, d_model, warmup):
    step = step + 1
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)
""",
    ),
    (
        "as if `epsilon` were 1 − `epsilon`.",
        """
def smoothed_cross_entropy(logits, labels, epsilon):
    return F.cross_entropy(logits.mT, labels, label_smoothing=1 - epsilon)
""",
    ),
    (
        "`int(...)` or `.item()` turns them into plain numbers.",
        """
def continue_greedily(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(model(torch.tensor([text]))[0, -1].argmax())
    return text[len(ids) :]
""",
    ),
    (
        "Your bytes are 1 / 8 of what they should be.",
        """
def cache_bytes(layers, kv_heads, d_k, length, bytes_each):
    return 2 * layers * kv_heads * d_k * length * bytes_each / 8
""",
    ),
    (
        "`.argmax()` counts through all numbers of a tensor: `.argmax(-1)` looks at each row by itself.",
        """
def apply_temperature(logits, temperature):
    if temperature == 0:
        coldest = torch.full_like(logits, -torch.inf)
        coldest[logits.argmax()] = 0
        return coldest
    return logits / temperature
""",
    ),
    (
        "`torch.tensor([ids])`, with two brackets",
        """
def continue_greedily(model, ids, length):
    return ids + [int(model(torch.tensor(ids))[0, -1].argmax()) for _ in range(length)]
""",
    ),
    (
        "Your values are what the keys should be.",
        """
def reorder_cache(past, parents):
    return [(k[parents],) * 2 for k, _ in past]
""",
    ),
    (
        "it is a text, a `str`: return the `int` itself.",
        """
def cache_bytes(N, H, d, S, b):
    return f'{2 * N * H * d * S * b}'
""",
    ),
    (
        "1 / 1048576 of what they should be.",
        """
def cache_bytes(N, H, d, S, b):
    return 2 * N * H * d * S * b / 2**20
""",
    ),
    (
        "in the order feed_forward, attention and norms",
        """
def encoder_parameter_count(d_model, d_ff, layers):
    attention, norms = 4 * d_model * (d_model + 1), 4 * d_model
    feed_forward = 2 * d_model * d_ff + d_model + d_ff
    return feed_forward * layers, attention * layers, norms * layers
""",
    ),
    (
        "Your code behaves as if `x` and `memory` were swapped.",
        """
def cross_attend(attention, x, memory, memory_mask=None):
    return attention(memory, x, x, memory_mask)
""",
    ),
    (
        "Your code behaves as if `value` were the same as `key`.",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.W_v, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
    def forward(self, query, key, value, mask=None):
        q = split_heads(self.W_q(query), self.heads)
        k = split_heads(self.W_k(key), self.heads)
        v = split_heads(self.W_v(key), self.heads)
        return self.W_o(merge_heads(scaled_dot_product_attention(q, k, v, mask)[0]))
""",
    ),
    (
        "Your `forward` returns nothing (`None`)",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.W_v, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
    def forward(self, query, key, value, mask=None):
        self.W_o(attend_in_heads(query, key, value, self.heads))
""",
    ),
    (
        "`heads` here: is it misspelled, or is `self.` missing?",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.W_v, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
    def forward(self, query, key, value, mask=None):
        return self.W_o(split_heads(query, heads))
""",
    ),
    (
        "`self.W_out` is used, but `__init__` does not set it",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.W_v, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
    def forward(self, query, key, value, mask=None):
        return query + self.W_out(query)
""",
    ),
    (
        "takes (T, B, d_model) unless you say `batch_first=True`",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(d_model, heads)
    def forward(self, query, key, value, mask=None):
        return self.inner(query, key, value)[0]
""",
    ),
    (
        "`super().__init__()` is missing",
        """
class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, heads):
        self.W_q = nn.Linear(d_model, d_model)
""",
    ),
]


def written(source: str) -> Any:
    """Define the answer in a source, in a file of its own, with the course's parts and the usual imports."""
    name = re.findall(r"^(?:def|class) (\w+)", source, re.MULTILINE)[-1]
    names = {exercise.name: exercise.reference for exercise in all_exercises()}
    names |= {"torch": torch, "nn": nn, "F": F, "math": math}
    file = f"<answer to {name}, {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)
    return names[name]


@cache
def without_known_mistakes(name: str) -> Exercise:
    """An exercise that knows no mistakes, so that the answer's own behaviour has to be described."""
    exercise = copy(find(name))
    exercise.mistakes, exercise.explain = [], None
    return exercise


@cache
def said(source: str) -> str:
    answer = written(source)
    report = without_known_mistakes(answer.__name__).check(answer)
    assert not report.passed
    return report.message


@pytest.mark.parametrize(("words", "source"), ANSWERS)
def test_a_wrong_answer_is_described_by_what_it_does(words: str, source: str):
    assert words in said(source)


@pytest.mark.parametrize(("words", "source"), ANSWERS)
def test_every_paragraph_of_a_message_begins_and_ends_as_a_sentence_does(words: str, source: str):
    for paragraph in said(source).split("\n"):
        assert paragraph[0].isupper() or paragraph.startswith(("`", "torch"))
        assert paragraph.endswith((".", "?"))
        assert not paragraph.endswith(("..", "?.", ":."))


@pytest.mark.usefixtures("search_limit_of_learners")
@pytest.mark.parametrize(("words", "source"), ANSWERS)
def test_a_wrong_answer_is_checked_within_a_second(words: str, source: str):
    answer = written(source)
    exercise = find(answer.__name__)
    exercise.check(exercise.reference)
    start = time.process_time()
    exercise.check(answer)
    assert time.process_time() - start < slowness()
