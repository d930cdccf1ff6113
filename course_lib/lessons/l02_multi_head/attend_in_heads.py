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
        case(*tokens(2, 3, 5, 24), 4, having=("sizes that all differ", "a batch")),
        case(*tokens(2, 3, 3, 6), 3, having=("a batch",)),
        case(*tokens(1, 3, 4, 6), 2, having=("heads of three features",)),
        case(*tokens(2, 1, 1, 4), 2, having=("one query and one key", "a batch")),
        case(*tokens(2, 3, 4, 4), 1, having=("a single head", "a batch")),
        case(*tokens(2, 3, 4, 3), 3, having=("heads of one feature", "a batch")),
        case(*(tensor.double() for tensor in tokens(1, 2, 3, 4)), 2, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Write the shape of `query` after each step: (B, T, d_model), then with heads, then with heads again, then "
            "(B, T, d_model)."
        ),
        (
            "No loop over the heads is needed: `scaled_dot_product_attention` works on the last two axes and takes any "
            "number of axes before them, so the heads may be one of those."
        ),
        (
            "Split all three, `query`, `key` and `value`, with `split_heads(…, heads)`. The attention returns two "
            "things, output and weights: `mixed, _ = …` keeps the first. Then `merge_heads`."
        ),
    ),
)


@attend_in_heads.mistake(
    "Your code attends in one head as wide as the tokens. Split queries, keys and values into heads first."
)
def one_wide_head(query, key, value, heads):
    return scaled_dot_product_attention(query, key, value)[0]


@attend_in_heads.mistake(
    "Your scores are divided by √d_model. Inside a head a dot product sums only d_k = d_model / H products, so the "
    "scale is √d_k.",
    seen="https://github.com/karpathy/ng-video-lecture/issues/6",
)
def scaled_by_d_model(query, key, value, heads):
    return attention.attend_in_heads(query / math.sqrt(heads), key, value, heads)


@attend_in_heads.mistake("The scale is missing: in each head the scores are divided by √d_k.")
def heads_not_scaled(query, key, value, heads):
    return attention.attend_in_heads(query * math.sqrt(query.size(-1) / heads), key, value, heads)


@attend_in_heads.mistake(
    "Your scores are divided by √d_k twice, that is, by d_k. Once is enough: `scaled_dot_product_attention` does it "
    "already."
)
def heads_scaled_twice(query, key, value, heads):
    return attention.attend_in_heads(query / math.sqrt(query.size(-1) / heads), key, value, heads)


@attend_in_heads.mistake(
    "Your code uses `query` for keys and values too, so it reads only itself. Split `key` and `value` as well."
)
def query_three_times(query, key, value, heads):
    return attention.attend_in_heads(query, query, query, heads)


@attend_in_heads.mistake("Your code uses the keys as values. Split `value` too, and mix its heads.")
def keys_for_values(query, key, value, heads):
    return attention.attend_in_heads(query, key, key, heads)


@attend_in_heads.mistake(
    "Your code swaps keys and values. The order is `scaled_dot_product_attention(queries, keys, values)`."
)
def keys_and_values_swapped(query, key, value, heads):
    return attention.attend_in_heads(query, value, key, heads)


@attend_in_heads.mistake(
    "Your code mixes up the number of heads and their width: it makes d_k heads of `heads` features each. Pass `heads` "
    "to `split_heads`."
)
def heads_and_width_mixed_up(query, key, value, heads):
    return attention.attend_in_heads(query, key, value, query.size(-1) // heads)


@attend_in_heads.mistake("Your code splits queries and keys, but not the values. Split `value` into heads too.")
def values_not_split(query, key, value, heads):
    return merge_heads(scaled_dot_product_attention(split_heads(query, heads), split_heads(key, heads), value)[0])


@attend_in_heads.mistake("Your code always makes 2 heads. Pass the argument `heads` to `split_heads`.")
def two_heads_written_into_the_code(query, key, value, heads):
    return attention.attend_in_heads(query, key, value, 2)


@attend_in_heads.mistake(
    "Your heads attend to each other inside one token. Attention works on the last two axes, which should be (T, d_k): "
    "move the heads before the tokens, as your `split_heads` does."
)
def heads_attend_to_heads(query, key, value, heads):
    pieces = (x.unflatten(-1, (heads, -1)) for x in (query, key, value))  # (B, T, H, d_k)
    return scaled_dot_product_attention(*pieces)[0].flatten(-2)


@attend_in_heads.mistake(
    "Your heads get pieces of different tokens, as if a reshape straight to (B, H, T, d_k) had shuffled the numbers. "
    "Use your `split_heads` and `merge_heads`.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53",
)
def split_by_a_view(query, key, value, heads):
    shuffled = (x.reshape(x.size(0), heads, x.size(1), -1) for x in (query, key, value))
    mixed, _ = scaled_dot_product_attention(*shuffled)
    return mixed.reshape(query.shape)


@attend_in_heads.mistake(
    "Your heads get pieces of different tokens, as if a reshape straight to (B, H, T, d_k) had split them. Use your "
    "`split_heads`.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53",
)
def only_split_by_a_view(query, key, value, heads):
    shuffled = (x.reshape(x.size(0), heads, x.size(1), -1) for x in (query, key, value))
    return merge_heads(scaled_dot_product_attention(*shuffled)[0])


@attend_in_heads.mistake(
    "Your code deals the features out like cards, so a head gets every H-th number. A head should get consecutive "
    "features: use your `split_heads`."
)
def features_dealt_out(query, key, value, heads):
    dealt = (x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2) for x in (query, key, value))
    return merge_heads(scaled_dot_product_attention(*dealt)[0])


@attend_in_heads.mistake(
    "Your heads all read with the weights of head 0. Let each head compute weights of its own, from its own part of "
    "the queries and keys."
)
def weights_of_head_0(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    _, weights = scaled_dot_product_attention(queries[:, :1], keys[:, :1], values[:, :1])
    return merge_heads(weights @ values)


@attend_in_heads.mistake(
    "In your code head h begins at feature h, so the heads overlap. Head h begins at feature h · d_k, where the one "
    "before it ends."
)
def heads_overlap(query, key, value, heads):
    pieces = (x.unfold(-1, query.size(-1) // heads, 1)[..., :heads, :].transpose(1, 2) for x in (query, key, value))
    return merge_heads(scaled_dot_product_attention(*pieces)[0])


@attend_in_heads.mistake(
    "Your code joins the heads in reading order, which mixes tokens. Move the axis of heads back before you join, as "
    "your `merge_heads` does.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/7",
)
def joined_without_moving(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.reshape(query.shape)


@attend_in_heads.mistake(
    "There are two mistakes. In each head the scores have to be divided by √d_k, and your code joins the heads in "
    "reading order, which mixes tokens. Move the axis of heads back before you join, as your `merge_heads` does."
)
def joined_without_moving_and_not_scaled(query, key, value, heads):
    return joined_without_moving(query * math.sqrt(query.size(-1) / heads), key, value, heads)


@attend_in_heads.mistake(
    "When your heads are joined, their numbers alternate: one of each head in turn. The numbers of a head should stay "
    "together, first all of head 0, then all of head 1, as your `merge_heads` puts them."
)
def heads_alternate(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return torch.stack(mixed.unbind(1), dim=-1).flatten(2)


@attend_in_heads.mistake("The heads are not merged. Pass the output to `merge_heads`.")
def heads_not_merged(query, key, value, heads):
    return scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))[0]


@attend_in_heads.mistake(
    "Your code merges the weights. Merge the output, the first of the two results of `scaled_dot_product_attention`."
)
def weights_merged(query, key, value, heads):
    return merge_heads(scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))[1])


@attend_in_heads.mistake(
    "Your code takes one softmax over all heads together, so they compete for weight. Give each head a "
    "softmax of its own.",
    seen="https://github.com/facebookresearch/detr/issues/247",
)
def heads_compete(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    scores = queries @ keys.mT / math.sqrt(queries.size(-1))  # (B, H, T, S)
    weights = torch.softmax(scores.transpose(1, 2).flatten(2), -1)  # (B, T, H * S)
    return merge_heads(split_heads(weights, heads) @ values)


@attend_in_heads.mistake("You normalised over the heads, along axis 1. Take the softmax along the last axis, the keys.")
def softmax_over_heads(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    scores = queries @ keys.mT / math.sqrt(queries.size(-1))  # (B, H, T, S)
    return merge_heads(torch.softmax(scores, 1) @ values)


@attend_in_heads.mistake(
    "Your result is what you get if the weights of all heads are averaged, or if each head reads all of `value` and "
    "the results are averaged. Let each head read its own part of `value`, with weights of its own."
)
def weights_averaged(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    _, weights = scaled_dot_product_attention(queries, keys, values)
    return merge_heads(weights.mean(1, keepdim=True) @ values)


@attend_in_heads.mistake("Your code averages the heads. Put them side by side with `merge_heads`.")
def average_of_heads(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.mean(1)


@attend_in_heads.mistake("Your code adds the heads. Put them side by side with `merge_heads`.")
def sum_of_heads(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.sum(1)


@attend_in_heads.mistake(
    "Your code puts the heads one below the other, which makes H times as many tokens. Put them side by side with "
    "`merge_heads`."
)
def heads_below_each_other(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed.flatten(1, 2)


@attend_in_heads.mistake(
    "Your code returns the result of head 0 only. If it loops over the heads, the `return` belongs after the loop."
)
def first_head_only(query, key, value, heads):
    mixed, _ = scaled_dot_product_attention(*(split_heads(x, heads) for x in (query, key, value)))
    return mixed[:, 0]


@attend_in_heads.mistake("Your code reads the first sentence only. Attend in all B sentences of the batch.")
def first_sentence_only(query, key, value, heads):
    return attention.attend_in_heads(query[:1], key[:1], value[:1], heads)


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


@attend_in_heads.right
def heads_by_einsum(query, key, value, heads):
    q, k, v = (x.unflatten(-1, (heads, -1)) for x in (query, key, value))  # (B, T or S, H, d_k)
    weights = torch.softmax(torch.einsum("bthd,bshd->bhts", q, k) / q.size(-1) ** 0.5, dim=-1)
    return torch.einsum("bhts,bshd->bthd", weights, v).flatten(2)
