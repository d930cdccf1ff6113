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
        case(7, 1, having=("a single head",)),
    ),
    hints=(
        (
            "A projection from n to m numbers has n times m weights, and m biases. How many projections are there, and "
            "how wide?"
        ),
        (
            "One head has three, each from d_model to d_k. Put side by side, the H heads' are as wide as one from "
            "d_model to d_model."
        ),
        (
            "Four projections from d_model to d_model: queries, keys, values, output. Do the heads change the count at "
            "all?"
        ),
    ),
)


@multi_head_parameter_count.mistake(
    "You counted a full set of projections for every head. A head's are narrow, d_model to d_k, and H of them side by "
    "side make one d_model to d_model."
)
def times_heads(d_model, heads):
    return heads * 4 * (d_model * d_model + d_model)


@multi_head_parameter_count.mistake(
    "The weights are right. Each projection has a bias too: one number for each of its outputs."
)
def no_biases(d_model, heads):
    return 4 * d_model * d_model


@multi_head_parameter_count.mistake("You counted W_q, W_k and W_v. After the heads are merged comes a fourth: W_o.")
def no_output_counted(d_model, heads):
    return 3 * (d_model * d_model + d_model)


@multi_head_parameter_count.mistake("You counted the queries, keys and values of one head only: there are H of them.")
def one_head_counted(d_model, heads):
    return 3 * (d_model + 1) * (d_model // heads) + d_model * d_model + d_model


@multi_head_parameter_count.mistake("Your W_o takes in one head. It reads all heads side by side: H times d_k numbers.")
def narrow_output(d_model, heads):
    return 3 * (d_model * d_model + d_model) + (d_model // heads) * d_model + d_model


@multi_head_parameter_count.mistake(
    "Your heads are as wide as the tokens. A head's projections go from d_model to d_k = d_model / H numbers."
)
def wide_heads(d_model, heads):
    return 3 * heads * (d_model * d_model + d_model) + d_model * d_model + d_model


@multi_head_parameter_count.right_for_whole_course
def counted_by_torch(d, h):
    return sum(p.numel() for p in nn.MultiheadAttention(d, h).parameters())


multi_head_parameter_count.right(lambda d, h: 4 * d * (d + 1))
multi_head_parameter_count.right(lambda d, h: np.int64(4) * d * (d + 1))
multi_head_parameter_count.right(lambda d, h: torch.tensor(4.0 * d**2 + 4 * d))
