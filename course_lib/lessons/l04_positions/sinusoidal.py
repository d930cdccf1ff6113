"""The exercise `sinusoidal` of notebook 04."""

import math

import torch
from torch import Tensor

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import positions


def angles_of(length: int, d_model: int, base: float = 10_000.0, step: int = 2, first: int = 0) -> Tensor:
    """The angles (length, d_model / 2) of `sinusoidal`, or those with a setting changed."""
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) * step / 2 / d_model
    return torch.arange(first, first + length, dtype=torch.float64)[:, None] / base**exponents


def side_by_side(first: Tensor, second: Tensor) -> Tensor:
    """Interleave the columns of two tables (length, d_model / 2)."""
    return torch.stack((first, second), dim=-1).flatten(-2).float()


sinusoidal = Exercise(
    reference=positions.sinusoidal,
    notebook=4,
    order=10,
    minutes=15,
    difficulty=2,
    on_map="positions",
    returns=(Result("the encoding", "length, d_model"),),
    example=case(3, 4),
    another=case(3, 8),
    cases=(
        case(6, 6, having=("as many positions as features",)),
        case(1, 4, having=("a single position",)),
        case(10, 2, having=("a single clock",)),
        case(60, 12, having=("many positions",)),
    ),
    hints=(
        (
            "First the angles: a table with a row for each position and a column for each clock, d_model / 2 of them. "
            "Then a sine and a cosine of each."
        ),
        (
            "Clock i turns by 1 / 10000^(2i / d_model) at each position. `torch.arange(0, d_model, 2)` is 2i for all "
            "clocks at once; positions as a column, `[:, None]`, meet it as a row."
        ),
        (
            "Sine and cosine alternate: fill `table[:, 0::2]` and `table[:, 1::2]` of an empty table, or stack the two "
            "on a last axis and flatten."
        ),
    ),
)


@sinusoidal.mistake(
    "All your sines come first, then all cosines: tensor2tensor does it so, and it serves as well. Here the paper's "
    "order is wanted, since later lessons compare with it: sine and cosine of one clock side by side."
)
def halves(length, d_model):
    angles = angles_of(length, d_model)
    return torch.cat((angles.sin(), angles.cos()), dim=-1).float()


@sinusoidal.mistake(
    "Your clocks slow down half as fast as they should: the exponent is 2i / d_model, where i counts the clocks."
)
def exponent_not_doubled(length, d_model):
    angles = angles_of(length, d_model, step=1)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your cosine runs on a clock of its own. Sine and cosine of a pair share one: both have exponent 2i / d_model."
)
def another_frequency_for_the_cosine(length, d_model):
    exponents = torch.arange(d_model, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0**exponents
    return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos()).float()


@sinusoidal.mistake(
    "You doubled the exponent twice. A loop in steps of two, 0, 2, 4 …, counts 2i already: the exponent is that number "
    "divided by d_model.",
    seen="https://github.com/SamLynnEvans/Transformer/issues/25",
)
def doubled_twice(length, d_model):
    angles = angles_of(length, d_model, step=4)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Each feature has a clock of its own in yours, and its number is doubled. In 2i / d_model, i counts the clocks, "
    "not the features: the sine and cosine of a pair share one.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/32",
)
def doubled_for_each_feature(length, d_model):
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0 ** (2 * torch.arange(d_model) / d_model)
    return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos()).float()


@sinusoidal.mistake(
    "Your `//` rounds down. In `-log(10000) / d_model // 2` the division by d_model goes first, and what `//` leaves "
    "is a whole number. Compute this small piece alone: is it the number that you meant?",
    seen="https://github.com/zju3dv/LoFTR/issues/41",
)
def rounded_down(length, d_model):
    speeds = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model // 2))
    angles = torch.arange(length)[:, None] * speeds
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("Your cosines stand where the sines should: even features, counted from 0, are sines.")
def cosine_first(length, d_model):
    angles = angles_of(length, d_model)
    return side_by_side(angles.cos(), angles.sin())


@sinusoidal.mistake("Your positions count from 1. They count from 0: the first row is 0, 1, 0, 1, …")
def positions_from_one(length, d_model):
    angles = angles_of(length, d_model, first=1)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "There are sines only. A clock needs both of its hands' coordinates: sine and cosine of the same angle."
)
def sines_only(length, d_model):
    angles = angles_of(length, d_model)
    return side_by_side(angles.sin(), angles.sin())


@sinusoidal.mistake("Yours has a row for each feature and a column for each position: turn it, (length, d_model).")
def transposed(length, d_model):
    return positions.sinusoidal(length, d_model).T


@sinusoidal.mistake(
    "You multiply by 10000^(2i / d_model) instead of dividing, so that your clocks get faster and faster."
)
def higher_frequencies(length, d_model):
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] * 10_000.0**exponents
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.right_for_whole_course
def sinusoidal_by_logarithms(max_len, d):
    pe = torch.zeros(max_len, d)
    position = torch.arange(max_len).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)
    return pe


@sinusoidal.right
def sinusoidal_in_loops(length, d_model):
    table = torch.zeros(length, d_model)
    for pos in range(length):
        for i in range(0, d_model, 2):
            angle = pos / 10000 ** (i / d_model)
            table[pos, i], table[pos, i + 1] = math.sin(angle), math.cos(angle)
    return table


@sinusoidal.right
def sinusoidal_by_an_outer_product(length, d_model):
    speeds = 10_000.0 ** -(torch.arange(d_model // 2) / (d_model // 2))
    rotations = torch.polar(torch.ones(length, d_model // 2), torch.outer(torch.arange(length).float(), speeds))
    return torch.view_as_real(rotations).flip(-1).reshape(length, d_model)
