"""The exercise `encoder_parameter_count` of notebook 05."""

import numpy as np
from torch import nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import layers

encoder_parameter_count = Exercise(
    reference=layers.encoder_parameter_count,
    notebook=5,
    order=70,
    minutes=5,
    difficulty=1,
    returns=(
        Result("attention"),
        Result("feed_forward"),
        Result("norms"),
    ),
    example=case(4, 8, 1),
    another=case(6, 10, 2),
    cases=(
        case(512, 2048, 6, having=("other sizes",)),
        case(768, 3072, 12, having=("other sizes",)),
        case(5, 3, 7, having=("other sizes",)),
    ),
    hints=(
        "Count one layer, place by place, then multiply by the number of layers.",
        (
            "Attention: four projections, d_model to d_model. Feed-forward: one map up, one map down. A linear map "
            "from n to m numbers has n times m weights and m biases."
        ),
        "A layer has two norms, each with a gain and a bias for every feature: how many numbers is that?",
    ),
)


@encoder_parameter_count.mistake("That is one layer. Layers share nothing, so N of them have N times as many.")
def of_one_layer(d_model, d_ff, N):
    return layers.encoder_parameter_count(d_model, d_ff, 1)


@encoder_parameter_count.mistake(
    "The weight matrices are right. Each linear map has biases too: one number for each of its outputs."
)
def weights_only(d_model, d_ff, N):
    norms = layers.encoder_parameter_count(d_model, d_ff, N)[2]
    return N * 4 * d_model * d_model, N * 2 * d_model * d_ff, norms


@encoder_parameter_count.mistake(
    "Your norms have half of what they should: there are two in a layer, and each has a gain and a bias for every "
    "feature."
)
def one_norm(d_model, d_ff, N):
    attention, feed_forward, norms = layers.encoder_parameter_count(d_model, d_ff, N)
    return attention, feed_forward, norms // 2


@encoder_parameter_count.mistake(
    "You counted three projections: queries, keys, values. The fourth is W_o, after the heads are merged."
)
def three_projections(d_model, d_ff, N):
    attention, feed_forward, norms = layers.encoder_parameter_count(d_model, d_ff, N)
    return attention // 4 * 3, feed_forward, norms


@encoder_parameter_count.mistake(
    "You counted the feed-forward's way up, d_model to d_ff. The way back has as many weights, and d_model biases."
)
def one_way_up(d_model, d_ff, N):
    attention, _, norms = layers.encoder_parameter_count(d_model, d_ff, N)
    return attention, N * (d_model * d_ff + d_ff), norms


@encoder_parameter_count.right_for_whole_course
def by_formulas(d, f, n):
    return 4 * n * d * (d + 1), n * (2 * d * f + d + f), 4 * n * d


encoder_parameter_count.right(lambda d, f, n: list(n * np.array([4 * d * (d + 1), 2 * d * f + d + f, 4 * d])))


@encoder_parameter_count.right
def counted_by_torch(d_model, d_ff, layers):
    layer = nn.TransformerEncoderLayer(d_model, 1, d_ff, device="meta")
    counts = {"attn": 0, "linear": 0, "norm": 0}
    for name, parameter in layer.named_parameters():
        counts[next(part for part in counts if part in name)] += parameter.numel()
    return [layers * count for count in counts.values()]
