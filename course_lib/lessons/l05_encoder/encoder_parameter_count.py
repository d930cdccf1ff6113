"""The exercise `encoder_parameter_count` of notebook 05."""

from collections.abc import Callable

import numpy as np
from torch import nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import layers

Count = Callable[[int, int], int]
"""A count in one layer, from d_model and d_ff."""


def counted(
    attention: Count = lambda d, f: 4 * (d * d + d),
    feed_forward: Count = lambda d, f: (d * f + f) + (f * d + d),
    norms: Count = lambda d, f: 4 * d,
) -> Callable[[int, int, int], tuple[int, int, int]]:
    """Count an encoder's parameters by the given counts for one layer."""

    def count(d_model: int, d_ff: int, N: int) -> tuple[int, int, int]:
        return N * attention(d_model, d_ff), N * feed_forward(d_model, d_ff), N * norms(d_model, d_ff)

    return count


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
        "Count the parameters of one layer, part by part, then multiply by the number of layers.",
        (
            "Attention has four linear maps from d_model to d_model. The feed-forward has one map up and one map down. "
            "A linear map from n to m numbers has n times m weights and m biases."
        ),
        "One map up and back down: `(d_model * d_ff + d_ff) + …`. A layer has two norms, each with two vectors.",
    ),
)


@encoder_parameter_count.mistake(
    "Your code counts one layer only. Layers share nothing, so N layers have N times as many parameters."
)
def of_one_layer(d_model, d_ff, N):
    return layers.encoder_parameter_count(d_model, d_ff, 1)


@encoder_parameter_count.mistake(
    "You count the norms of one layer only. Multiply them by the number of layers, as you do for the other two."
)
def norms_of_one_layer(d_model, d_ff, N):
    return *layers.encoder_parameter_count(d_model, d_ff, N)[:2], 4 * d_model


@encoder_parameter_count.mistake(
    "Your weight matrices are right, but the biases are missing. Each linear map has one bias for each of its outputs."
)
def weights_only(d_model, d_ff, N):
    return counted(lambda d, f: 4 * d * d, lambda d, f: 2 * d * f)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your attention has no biases. Each of its four linear maps has d_model of them, besides its weights."
)
def attention_without_biases(d_model, d_ff, N):
    return counted(attention=lambda d, f: 4 * d * d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your attention has d_model biases in each layer. Each of its four linear maps has d_model biases of its own."
)
def biases_of_one_projection(d_model, d_ff, N):
    return counted(attention=lambda d, f: 4 * d * d + d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your feed-forward has no biases. The map up has d_ff of them, and the map down has d_model."
)
def feed_forward_without_biases(d_model, d_ff, N):
    return counted(feed_forward=lambda d, f: 2 * d * f)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "You count d_ff biases for each of the two maps of the feed-forward. A map has one bias for each output: d_ff on "
    "the way up, d_model on the way down."
)
def as_many_biases_down(d_model, d_ff, N):
    return counted(feed_forward=lambda d, f: 2 * d * f + 2 * f)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "You count d_model biases for each of the two maps of the feed-forward. A map has one bias for each output: d_ff "
    "on the way up, d_model on the way down."
)
def as_many_biases_up(d_model, d_ff, N):
    return counted(feed_forward=lambda d, f: 2 * d * f + 2 * d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your feed-forward counts the biases of the map up, but not those of the map down. That map has d_model biases."
)
def biases_up_only(d_model, d_ff, N):
    return counted(feed_forward=lambda d, f: 2 * d * f + f)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your feed-forward counts the biases of the map down, but not those of the map up. That map has d_ff biases."
)
def biases_down_only(d_model, d_ff, N):
    return counted(feed_forward=lambda d, f: 2 * d * f + d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your norms have half as many parameters as they should. There are two norms in a layer, and each has a gain and a "
    "bias for every feature."
)
def one_norm(d_model, d_ff, N):
    return counted(norms=lambda d, f: 2 * d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your norms have d_model parameters in each layer. There are two norms, each with d_model gains and d_model "
    "biases: 4 d_model."
)
def one_gain_only(d_model, d_ff, N):
    return counted(norms=lambda d, f: d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your norms have 4 parameters in each layer, as if each norm had one gain and one bias. Every feature has its "
    "own: d_model gains and d_model biases in a norm."
)
def one_number_each(d_model, d_ff, N):
    return counted(norms=lambda d, f: 4)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your norms have 2 (d_model² + d_model) parameters in each layer, as if each held a matrix. A norm has no matrix: "
    "each feature has one gain and one bias, 2 d_model numbers in a norm."
)
def norms_with_matrices(d_model, d_ff, N):
    return counted(norms=lambda d, f: 2 * (d * d + d))(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your norms have 2 d_model parameters too many, as many as one more norm. The encoder of 2017 has two norms in "
    "each layer, and none after them."
)
def final_norm(d_model, d_ff, N):
    attention, feed_forward, norms = layers.encoder_parameter_count(d_model, d_ff, N)
    return attention, feed_forward, norms + 2 * d_model


@encoder_parameter_count.mistake(
    "Your attention has the parameters of three linear maps. It has four: for queries, keys and values, and W_o after "
    "the heads are merged."
)
def three_projections(d_model, d_ff, N):
    return counted(attention=lambda d, f: 3 * (d * d + d))(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your attention has the parameters of one linear map. It has four, each from d_model to d_model: for queries, "
    "keys and values, and W_o after the heads are merged."
)
def one_projection(d_model, d_ff, N):
    return counted(attention=lambda d, f: d * d + d)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your feed-forward has the parameters of one map only, from d_model to d_ff. The map back has as many weights, "
    "and d_model biases."
)
def one_way_up(d_model, d_ff, N):
    return counted(feed_forward=lambda d, f: d * f + f)(d_model, d_ff, N)


@encoder_parameter_count.mistake(
    "Your attention and your feed-forward are swapped. Return them in this order: attention, feed-forward, norms."
)
def swapped(d_model, d_ff, N):
    attention, feed_forward, norms = layers.encoder_parameter_count(d_model, d_ff, N)
    return feed_forward, attention, norms


@encoder_parameter_count.mistake(
    "Your counts are those of one layer to the power of the number of layers. Multiply by the number of layers."
)
def to_the_power_of_layers(d_model, d_ff, N):
    return tuple(count**N for count in layers.encoder_parameter_count(d_model, d_ff, 1))


@encoder_parameter_count.mistake(
    "Your code returns the sum of all parameters. Return three counts: those in attention, in feed-forwards and in "
    "norms."
)
def added_up(d_model, d_ff, N):
    return sum(layers.encoder_parameter_count(d_model, d_ff, N))


@encoder_parameter_count.mistake(
    "Your code returns the three counts of one layer N times over. In Python a number times a tuple or a list repeats "
    "what is in it: multiply each of the three counts by the number of layers."
)
def repeated_tuple(d_model, d_ff, N):
    return tuple(layers.encoder_parameter_count(d_model, d_ff, 1)) * N


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
