"""The exercise `attend_in_heads` of notebook 02."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l02_multi_head.inputs import tokens
from course_lib.transformer import attention
from course_lib.transformer.attention import merge_heads, scaled_dot_product_attention, split_heads

attend_in_heads = Exercise(
    reference=attention.attend_in_heads,
    notebook=2,
    order=30,
    minutes=15,
    difficulty=2,
    returns=(Result("output", "B, T, d_model"),),
    example=case(*tokens(1, 2, 2, 4), 2),
    another=case(*tokens(1, 2, 2, 4, seed=3), 2),
    cases=(
        case(*tokens(2, 3, 5, 8), 4, having=("sizes that all differ",)),
        case(*tokens(2, 3, 3, 6), 3, having=("as many keys as queries",)),
        case(*tokens(1, 3, 4, 6), 2, having=("a batch of 1",)),
        case(*tokens(2, 1, 1, 4), 2, having=("one query and one key",)),
        case(*tokens(2, 3, 4, 4), 1, having=("a single head",)),
        case(*tokens(2, 3, 4, 3), 3, having=("heads of one feature",)),
        case(*(tensor.double() for tensor in tokens(1, 2, 3, 4)), 2, having=("float64 numbers",)),
    ),
    hints=(
        "You have all three pieces: split, attend, merge.",
        (
            "`scaled_dot_product_attention` works on the last two axes, and takes any number of axes before them: "
            "heads too."
        ),
        (
            "Split queries, keys and values, each with `split_heads`. Attend once, for all heads at the same time, and "
            "keep the output only. Then merge."
        ),
    ),
)


@attend_in_heads.mistake("That is one head as wide as the tokens. Split queries, keys and values into heads first.")
def one_wide_head(query, key, value, heads):
    return scaled_dot_product_attention(query, key, value)[0]


@attend_in_heads.mistake(
    "You scaled by √d_model. Inside a head a dot product sums only d_k = d_model / H numbers, so it is √d_k.",
    seen="https://github.com/karpathy/ng-video-lecture/issues/6",
)
def scaled_by_d_model(query, key, value, heads):
    return attention.attend_in_heads(query / math.sqrt(heads), key, value, heads)


@attend_in_heads.mistake("The scale is missing: in each head the scores are divided by √d_k.")
def heads_not_scaled(query, key, value, heads):
    return attention.attend_in_heads(query * math.sqrt(query.size(-1) / heads), key, value, heads)


@attend_in_heads.mistake(
    "Your heads attend to each other inside one token, since attention works on the last two axes. These should be (T, "
    "d_k): move the heads before the tokens."
)
def heads_attend_to_heads(query, key, value, heads):
    pieces = (x.unflatten(-1, (heads, -1)) for x in (query, key, value))  # (B, T, H, d_k)
    return scaled_dot_product_attention(*pieces)[0].flatten(-2)


@attend_in_heads.mistake(
    "Your heads get pieces of different tokens: a reshape straight to (B, H, T, d_k) shuffles. Use your `split_heads` "
    "and `merge_heads`.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53",
)
def split_by_a_view(query, key, value, heads):
    shuffled = (x.reshape(x.size(0), heads, x.size(1), -1) for x in (query, key, value))
    mixed, _ = scaled_dot_product_attention(*shuffled)
    return mixed.reshape(query.shape)


@attend_in_heads.mistake(
    "Split and attention are right, but the heads are joined in reading order, and tokens get mixed. Move the axis of "
    "heads back before you join: your `merge_heads` does.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/7",
)
def joined_without_moving(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.reshape(query.shape)


@attend_in_heads.mistake(
    "One softmax runs over all heads together, so that they compete for a single total of 1. Each head has its own.",
    seen="https://github.com/facebookresearch/detr/issues/247",
)
def heads_compete(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    scores = queries @ keys.mT / math.sqrt(queries.size(-1))  # (B, H, T, S)
    weights = torch.softmax(scores.transpose(1, 2).flatten(2), -1)  # (B, T, H * S)
    return merge_heads(split_heads(weights, heads) @ values)


@attend_in_heads.mistake("You averaged the heads. They are put side by side: `merge_heads`.")
def average_of_heads(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.mean(1)


@attend_in_heads.right_for_whole_course
def head_by_head(query, key, value, heads):
    outputs = []
    for q, k, v in zip(*(x.chunk(heads, dim=-1) for x in (query, key, value)), strict=True):
        outputs.append(scaled_dot_product_attention(q, k, v)[0])
    return torch.cat(outputs, dim=-1)


@attend_in_heads.right
def heads_in_the_batch(query, key, value, heads):
    B, T, d_model = query.shape

    def fold(x):
        return x.view(B, -1, heads, d_model // heads).transpose(1, 2).reshape(B * heads, -1, d_model // heads)

    mixed = F.scaled_dot_product_attention(fold(query), fold(key), fold(value))
    return mixed.view(B, heads, T, -1).transpose(1, 2).reshape(B, T, d_model)
