"""The exercise `cache_bytes` of notebook 10."""

import math

import numpy as np
import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import cache

cache_bytes = Exercise(
    reference=cache.cache_bytes,
    notebook=10,
    order=30,
    minutes=5,
    difficulty=1,
    returns=(Result("the bytes"),),
    example=case(12, 12, 64, 1024, 2),
    another=case(30, 3, 64, 500, 2),
    cases=(
        case(12, 12, 64, 1, 2, having=("a single token",)),
        case(1, 5, 16, 10, 4, having=("a single layer",)),
        case(2, 1, 16, 10, 4, having=("a single head",)),
        case(3, 2, 8, 7, 1, having=("one byte for each number",)),
    ),
    hints=(
        "Begin with one token in one head of one layer. What is kept of it, and how many numbers is that?",
        (
            "Two vectors of d_k numbers are kept for each token, in each of `kv_heads` heads and in each layer. "
            "Queries are not kept."
        ),
        (
            "The result is one product. Check it with GPT-2 small: `cache_bytes(12, 12, 64, 1, 2)` should be 36,864, "
            "the bytes of one token in 16-bit numbers."
        ),
    ),
)


@cache_bytes.mistake(
    "Your result is half of what it should be, as if only the keys or only the values were kept. Both are."
)
def keys_only(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 2


@cache_bytes.mistake(
    "Your code counts a single layer. Each layer has keys and values of its own: multiply by `layers`."
)
def one_layer(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(1, kv_heads, d_k, length, bytes_each)


@cache_bytes.mistake(
    "Your code counts a single head. Each head has keys and values of its own: multiply by `kv_heads`."
)
def one_head(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, 1, d_k, length, bytes_each)


@cache_bytes.mistake(
    "Your count grows with the square of the length, as the attention weights do. The weights are not kept: each token "
    "leaves one key and one value."
)
def squared(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length**2, bytes_each)


@cache_bytes.mistake(
    "Your code counts 1 + 2 + … + `length` tokens, as many as a model reads if it computes all earlier ones again at "
    "each step. The cache keeps one key and one value of each of the `length` tokens."
)
def read_without_a_cache(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length * (length + 1) // 2, bytes_each)


@cache_bytes.mistake(
    "Your result is 8 times what it should be, as if it were in bits. Return bytes: `bytes_each` is in bytes already."
)
def bits(layers, kv_heads, d_k, length, bytes_each):
    return 8 * cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each)


@cache_bytes.mistake(
    "Your result is an eighth of what it should be, as if `bytes_each` were in bits. `bytes_each` counts bytes, not "
    "bits."
)
def from_bits(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 8


@cache_bytes.mistake("Your code counts numbers. Each of them takes `bytes_each` bytes: multiply by that.")
def numbers_counted(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, 1)


@cache_bytes.mistake(
    "Your result is 3/2 of what it should be, as if queries were kept too. A token asks only once, when it is new; "
    "later tokens read only its key and its value."
)
def queries_too(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 2 * 3


@cache_bytes.mistake(
    "Your result has only the keys or only the values in bytes, and adds the others as a count of numbers. Multiply "
    "both by `bytes_each`: brackets around the sum help."
)
def half_in_bytes(layers, kv_heads, d_k, length, bytes_each):
    return layers * kv_heads * d_k * length * (1 + bytes_each)


@cache_bytes.mistake("Your code counts a single token. Every token leaves a key and a value: multiply by `length`.")
def one_token(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, 1, bytes_each)


@cache_bytes.mistake(
    "Your code counts one number for each key and each value. Both are vectors of d_k numbers: multiply by `d_k`."
)
def one_number_each(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, 1, length, bytes_each)


@cache_bytes.mistake("Your code returns mebibytes. Return bytes: do not divide by 1024.")
def in_mebibytes(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) / 1024**2


@cache_bytes.mistake("Your code returns kibibytes. Return bytes: do not divide by 1024.")
def in_kibibytes(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, bytes_each) / 1024


@cache_bytes.mistake("Your code divides by `bytes_each`. Each number takes that many bytes: multiply.")
def divided_by_the_bytes(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k, length, 1) / bytes_each


@cache_bytes.mistake(
    "Your result is that of d_k divided by the number of heads. `d_k` is already the width of a single head: multiply "
    "by both."
)
def width_divided(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, 1, d_k, length, bytes_each) // kv_heads


@cache_bytes.mistake(
    "Your count grows with the square of d_k, as the size of a weight matrix does. The cache holds vectors of d_k "
    "numbers, and no matrices."
)
def squared_width(layers, kv_heads, d_k, length, bytes_each):
    return cache.cache_bytes(layers, kv_heads, d_k**2, length, bytes_each)


@cache_bytes.mistake("Your code adds keys and values of all layers, heads and tokens. Multiply the counts instead.")
def added(layers, kv_heads, d_k, length, bytes_each):
    return 2 * (layers + kv_heads + d_k + length) * bytes_each


@cache_bytes.mistake(
    "Your code counts the keys of all layers, but the values of one, or the other way round. Each layer keeps both."
)
def values_of_one_layer(layers, kv_heads, d_k, length, bytes_each):
    return (layers + 1) * kv_heads * d_k * length * bytes_each


@cache_bytes.mistake(
    "Your code counts the keys of all heads, but the values of one, or the other way round. Each head keeps both."
)
def values_of_one_head(layers, kv_heads, d_k, length, bytes_each):
    return layers * (kv_heads + 1) * d_k * length * bytes_each


@cache_bytes.right_for_whole_course
def by_a_sum(layers, heads, d_k, length, size):
    return length * layers * size * (heads * d_k + heads * d_k)


cache_bytes.right(lambda *counts: 2 * math.prod(counts))
cache_bytes.right(lambda *counts: 2 * np.prod(counts))
cache_bytes.right(lambda N, H, d, S, b: sum(t.numel() * b for t in [torch.empty(H, S, d)] * 2 * N))
