"""The exercise `cache_bytes` of notebook 08."""

import math

import numpy as np
import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import cache

cache_bytes = Exercise(
    reference=cache.cache_bytes,
    notebook=8,
    order=120,
    minutes=5,
    difficulty=1,
    returns=(Result("the bytes"),),
    example=case(12, 12, 64, 1024, 2),
    another=case(30, 3, 64, 500, 2),
    cases=(
        case(12, 12, 64, 1, 2, having=("a single token",)),
        case(1, 5, 16, 10, 4, having=("a single layer",)),
        case(2, 1, 16, 10, 4, having=("a single head",)),
        case(3, 2, 8, 7, 1, having=("one byte each",)),
    ),
    hints=(
        "What is kept of one token, in one head of one layer? How many numbers are that?",
        "A token leaves a key and a value in each head that has them, each with d_k numbers, and in every layer.",
        (
            "It is one product: the count of numbers for a token, times the tokens, times the bytes for a number. "
            "GPT-2 small takes 36,864 bytes for each token in 16-bit numbers."
        ),
    ),
)


@cache_bytes.mistake("Yours holds the keys or the values. Both are kept: twice as much.")
def keys_only(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 2


@cache_bytes.mistake("Yours is a single layer's. Each layer has keys and values of its own: times `layers`.")
def one_layer(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(1, kv_heads, d_k, length, bytes_each)


@cache_bytes.mistake("Yours is a single head's. Each head has keys and values of its own: times `kv_heads`.")
def one_head(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, 1, d_k, length, bytes_each)


@cache_bytes.mistake(
    "Yours grows with the square of the length, as the weights do. They are not kept: keys and values are, one of each "
    "for a token."
)
def squared(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length**2, bytes_each)


@cache_bytes.mistake("Yours is in bits. Bytes are wanted: `bytes_each` is in bytes already.")
def bits(layers, kv_heads, d_k, length, bytes_each):
    return 8 * cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each)


@cache_bytes.mistake("You counted numbers. Each takes `bytes_each` bytes.")
def numbers_counted(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, 1)


@cache_bytes.mistake(
    "You keep the queries too: three of each. A token asks once, when it is new; only keys and values are read later "
    "on."
)
def queries_too(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 2 * 3


@cache_bytes.right_for_whole_course
def by_a_sum(layers, heads, d_k, length, size):
    return length * layers * size * (heads * d_k + heads * d_k)


cache_bytes.right(lambda *counts: 2 * math.prod(counts))
cache_bytes.right(lambda *counts: 2 * np.prod(counts))
cache_bytes.right(lambda N, H, d, S, b: sum(t.numel() * b for t in [torch.empty(H, S, d)] * 2 * N))
