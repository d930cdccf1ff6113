"""The exercise `multi_head_parameter_count` of notebook 02."""

import numpy as np
import torch
from torch import nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

multi_head_parameter_count = Exercise(
    reference=attention.multi_head_parameter_count,
    notebook=2,
    order=40,
    minutes=5,
    difficulty=1,
    returns=(Result("the count"),),
    example=case(4, 2),
    another=case(6, 3),
    cases=(
        case(8, 4, having=("other sizes",)),
        case(512, 8, having=("other sizes",)),
        case(768, 12, having=("other sizes",)),
        case(5, 5, having=("other sizes",)),
        case(7, 1, having=("a single head", "other sizes")),
    ),
    hints=(
        (
            "Count one projection first: from n to m numbers it has n · m weights and m biases. `nn.Linear(3, 2)` has "
            "8 parameters, for example."
        ),
        (
            "One head has three projections, each from d_model to d_k. Put the H heads' query projections side by "
            "side, and work out how wide the result is."
        ),
        (
            "Besides queries, keys and values there is the output, which reads all heads side by side and writes "
            "d_model numbers. Write the sum with d_model alone and try it for d_model = 4: it gives 80."
        ),
    ),
)


@multi_head_parameter_count.mistake(
    "Your count gives every head projections as wide as the tokens. The projections of a head are narrow, d_model to "
    "d_k, and H of them side by side make one from d_model to d_model."
)
def times_heads(d_model, heads):
    return heads * 4 * (d_model * d_model + d_model)


@multi_head_parameter_count.mistake(
    "Your count gives every head projections as wide as the tokens, and no biases. The H heads share the width: side "
    "by side, their projections make one from d_model to d_model, with d_model biases."
)
def times_heads_without_biases(d_model, heads):
    return 4 * d_model * d_model * heads


@multi_head_parameter_count.mistake(
    "Your weights are right, but the biases are missing. Each projection has a bias too: one number for each of its "
    "outputs."
)
def no_biases(d_model, heads):
    return 4 * d_model * d_model


@multi_head_parameter_count.mistake(
    "Your count has a single bias for each projection. A projection has one bias for each of its outputs, d_model of "
    "them."
)
def one_bias_each(d_model, heads):
    return 4 * (d_model * d_model + 1)


@multi_head_parameter_count.mistake(
    "Your count has d_model biases, those of one projection. All four projections have them, d_model each."
)
def biases_of_one_projection(d_model, heads):
    return 4 * d_model * d_model + d_model


@multi_head_parameter_count.mistake(
    "Your count has 3 · d_model biases, those of three projections. All four have biases, d_model each, W_o included."
)
def biases_of_three_projections(d_model, heads):
    return 4 * d_model * d_model + 3 * d_model


@multi_head_parameter_count.mistake(
    "You count only d_k biases each for queries, keys and values, as if there were one head. There are H heads with "
    "d_k biases each: d_model for each projection."
)
def biases_of_one_head(d_model, heads):
    return 4 * d_model * d_model + 3 * (d_model // heads) + d_model


@multi_head_parameter_count.mistake(
    "Your count has d_k biases for each of the four projections. Each writes d_model numbers, those of H heads side by "
    "side or those of the output, and has a bias for each of them."
)
def narrow_biases(d_model, heads):
    return 4 * d_model * d_model + 4 * (d_model // heads)


@multi_head_parameter_count.mistake(
    "Your count has d_model biases for every head. A head's projection has d_k outputs, so d_k biases."
)
def wide_biases_of_heads(d_model, heads):
    return 4 * d_model * d_model + 3 * heads * d_model + d_model


@multi_head_parameter_count.mistake(
    "Your count has three projections. There are four: W_q, W_k, W_v, and after the heads are merged W_o."
)
def no_output_counted(d_model, heads):
    return 3 * (d_model * d_model + d_model)


@multi_head_parameter_count.mistake(
    "Your count has one projection. There are four: for queries, keys, values, and the output."
)
def one_projection_counted(d_model, heads):
    return d_model * d_model + d_model


@multi_head_parameter_count.mistake("Your count has the queries, keys and values of one head only. There are H heads.")
def one_head_counted(d_model, heads):
    return 3 * (d_model + 1) * (d_model // heads) + d_model * d_model + d_model


@multi_head_parameter_count.mistake(
    "Your count has four projections from d_model to d_k, those of one head. There are H heads, and together they are "
    "as wide as one from d_model to d_model."
)
def four_narrow_projections(d_model, heads):
    return 4 * (d_model + 1) * (d_model // heads)


@multi_head_parameter_count.mistake(
    "Each head reads only its own d_k numbers in your count. A head reads the whole token, so its projections go from "
    "d_model to d_k."
)
def heads_read_a_slice(d_model, heads):
    d_k = d_model // heads
    return heads * 3 * (d_k * d_k + d_k) + d_model * d_model + d_model


@multi_head_parameter_count.mistake(
    "In your count, W_o reads one head only. It reads all heads side by side: H times d_k numbers, which is d_model."
)
def narrow_output(d_model, heads):
    return 3 * (d_model * d_model + d_model) + (d_model // heads) * d_model + d_model


@multi_head_parameter_count.mistake(
    "In your count, heads are as wide as the tokens. The projections of a head go from d_model to d_k = d_model / H "
    "numbers."
)
def wide_heads(d_model, heads):
    return 3 * heads * (d_model * d_model + d_model) + d_model * d_model + d_model


@multi_head_parameter_count.mistake(
    "Your count has three projections, without biases. There are four, W_o included, and each has d_model biases."
)
def three_without_biases(d_model, heads):
    return 3 * d_model**2


@multi_head_parameter_count.mistake(
    "In your count, projections go from d_k to d_k numbers. Those of a head read the whole token, d_model numbers, and "
    "W_o reads all heads."
)
def from_width_of_a_head(d_model, heads):
    d_k = d_model // heads
    return heads * 4 * (d_k**2 + d_k)


@multi_head_parameter_count.mistake(
    "In your count, W_o has d_model biases for each head. It is one projection, which reads all heads side by side, "
    "and has d_model biases in all."
)
def output_biases_of_heads(d_model, heads):
    return 4 * d_model * d_model + 3 * d_model + heads * d_model


@multi_head_parameter_count.right_for_whole_course
def counted_by_torch(d, h):
    return sum(p.numel() for p in nn.MultiheadAttention(d, h).parameters())


multi_head_parameter_count.right(lambda d, h: 4 * d * (d + 1))
multi_head_parameter_count.right(lambda d, h: np.int64(4) * d * (d + 1))
multi_head_parameter_count.right(lambda d, h: torch.tensor(4.0 * d**2 + 4 * d))
multi_head_parameter_count.right(lambda d, h: h * 4 * (d * (d // h) + d // h))
multi_head_parameter_count.right(lambda d, h: sum(p.numel() for p in nn.Linear(d, d).parameters()) * 4)
