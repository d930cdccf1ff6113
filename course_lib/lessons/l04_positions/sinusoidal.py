"""The exercise `sinusoidal` of notebook 04."""

import math

import numpy as np
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
        case(7, 10, having=("ten features",)),
        case(60, 12, having=("many positions",)),
        case(1100, 4, having=("many positions", "more than a thousand positions")),
    ),
    hints=(
        (
            "Make the angles first: a table with a row for each position and a column for each clock, d_model / 2 of "
            "them. Sine and cosine come afterwards, both from the same table."
        ),
        (
            "Clock i turns by 1 / 10000^(2i / d_model) at each position. `torch.arange(0, d_model, 2)` gives 2i for "
            "all clocks, and positions in a column, `[:, None]`, divided by a row of numbers give the table."
        ),
        (
            "Sine and cosine alternate along the features: assign to `table[:, 0::2]` and `table[:, 1::2]` of "
            "`torch.zeros(length, d_model)`, or stack the two on a new last axis and flatten the last two."
        ),
    ),
)


@sinusoidal.mistake(
    "Your code puts all sines first and then all cosines, as the authors' own code does. That would work too, but "
    "later lessons use the paper's order: put sine and cosine of one clock side by side."
)
def halves(length, d_model):
    angles = angles_of(length, d_model)
    return torch.cat((angles.sin(), angles.cos()), dim=-1).float()


@sinusoidal.mistake(
    "Your columns i and i + 1 belong to clock i, so each clock overwrites part of the one before. Clock i belongs in "
    "the columns 2i and 2i + 1."
)
def columns_overwritten(length, d_model):
    angles, table = angles_of(length, d_model), torch.zeros(length, d_model)
    for i in range(d_model // 2):
        table[:, i], table[:, i + 1] = angles[:, i].sin(), angles[:, i].cos()
    return table


@sinusoidal.mistake(
    "From one clock to the next, yours slow down too little: their divisors are 10000^(i / d_model), which is the same "
    "as 100^(2i / d_model). They should be 10000^(2i / d_model), where i counts the clocks."
)
def exponent_not_doubled(length, d_model):
    angles = angles_of(length, d_model, step=1)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "In your code, the sine and the cosine of a pair run on different clocks. Both share one angle, with the exponent "
    "2i / d_model.",
    seen="https://github.com/YutaroOgawa/pytorch_advanced/issues/79",
)
def another_frequency_for_the_cosine(length, d_model):
    exponents = torch.arange(d_model, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0**exponents
    return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos()).float()


@sinusoidal.mistake(
    "Your divisors are 10000^(4i / d_model), where i counts the clocks from 0. That exponent is twice as much as it "
    "should be, which is 2i / d_model.",
    seen="https://github.com/SamLynnEvans/Transformer/issues/25",
)
def doubled_twice(length, d_model):
    angles = angles_of(length, d_model, step=4)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Each feature has a clock of its own in your table, with the exponent 2i / d_model, where i counts the features. "
    "It counts the clocks: sine and cosine of a pair share one.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/32",
)
def doubled_for_each_feature(length, d_model):
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0 ** (2 * torch.arange(d_model) / d_model)
    return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos()).float()


@sinusoidal.mistake(
    "Your exponents are 2i / (d_model − 2), which run from 0 to 1, so the slowest clock is too slow. They should be 2i "
    "/ d_model, where i counts the clocks from 0."
)
def divided_by_two_less(length, d_model):
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) / max(d_model - 2, 1)
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0**exponents
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your clock 0 has the exponent 2 / d_model, as if i counted from 1. Clocks count from 0, so clock 0 turns by 1 at "
    "each position."
)
def clocks_from_one(length, d_model):
    exponents = torch.arange(2, d_model + 2, 2, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0**exponents
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your speeds are those of `-log(10000) / d_model // 2`, where the division by d_model comes first, and `//` rounds "
    "down to a whole number. Leave `// 2` out, and compute 2i with `torch.arange(0, d_model, 2)`.",
    seen="https://github.com/zju3dv/LoFTR/issues/41",
)
def rounded_down(length, d_model):
    speeds = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model // 2))
    angles = torch.arange(length)[:, None] * speeds
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "All your clocks turn by 1 at each position, as if all exponents were 0. The exponent of clock i is 2i / d_model: "
    "with `//` in place of `/` it would be rounded down to 0."
)
def exponent_rounded_down(length, d_model):
    angles = torch.arange(length)[:, None] / 10_000.0 ** (torch.arange(0, d_model, 2) // d_model)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your angles are whole numbers, rounded down, as by `//`. Divide with `/`: most clocks turn by a fraction of 1."
)
def angles_rounded_down(length, d_model):
    angles = angles_of(length, d_model).floor()
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your first two columns are NaN or infinite, and the other clocks hardly turn, as with the divisors `10000 ** 2 * "
    "i / d_model`. There Python computes `10000 ** 2` first, and clock 0 divides by 0. Put the whole exponent, 2i / "
    "d_model, in brackets."
)
def divisors_without_brackets(length, d_model):
    divisors = 10_000.0**2 * torch.arange(d_model // 2, dtype=torch.float64) / d_model
    angles = torch.arange(length)[:, None] / divisors
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "All your rows are nearly the same, 0, 1, 0, 1 and so on: your clocks hardly turn. That is what happens with `pos "
    "/ 10000 ** 2 * i / d_model`, where Python computes `10000 ** 2` first. Put the whole exponent, 2i / d_model, in "
    "brackets, and the divisor too if it is a product."
)
def speeds_without_brackets(length, d_model):
    angles = torch.arange(length)[:, None] / 10_000.0**2 * torch.arange(d_model // 2) / d_model
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your angles are divided by d_model after the power has been taken, as with `pos / 10000 ** i / d_model`. Python "
    "computes a power before it divides: d_model belongs to the exponent, so put the exponent in brackets."
)
def angles_divided_by_d_model(length, d_model):
    angles = torch.arange(length)[:, None] / 10_000.0 ** torch.arange(0, d_model, 2, dtype=torch.float64) / d_model
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your divisors are divided by d_model after the power has been taken, as with `10000 ** i / d_model`. Python "
    "computes a power before it divides: d_model belongs to the exponent, so put the exponent in brackets."
)
def divisors_divided_by_d_model(length, d_model):
    divisors = 10_000.0 ** torch.arange(0, d_model, 2, dtype=torch.float64) / d_model
    angles = torch.arange(length)[:, None] / divisors
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("Your clocks have the base 1000. The formula has 10000.")
def base_1000(length, d_model):
    angles = angles_of(length, d_model, base=1000.0)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your divisors have base and exponent swapped. The divisor is 10000 to the power 2i / d_model.",
    seen="https://github.com/ivanvovk/WaveGrad/issues/12",
)
def base_and_exponent_swapped(length, d_model):
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] * exponents**1e-4
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your speeds are exp(−4 · 2i / d_model), as if the logarithm of 10000 were taken to base 10. Use the natural "
    "logarithm, `math.log(10000)`."
)
def logarithm_to_base_10(length, d_model):
    speeds = torch.exp(torch.arange(0, d_model, 2) * (-math.log10(10_000.0) / d_model))
    angles = torch.arange(length)[:, None] * speeds
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your speeds are logarithms: the exponential around `-2i · log(10000) / d_model` is missing. Take `torch.exp` of "
    "it."
)
def exponential_missing(length, d_model):
    speeds = torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model)
    angles = torch.arange(length)[:, None] * speeds
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("Your cosines are where the sines should be. Even features, counted from 0, are sines.")
def cosine_first(length, d_model):
    angles = angles_of(length, d_model)
    return side_by_side(angles.cos(), angles.sin())


@sinusoidal.mistake("Your positions count from 1. They count from 0: the first row is 0, 1, 0, 1, and so on.")
def positions_from_one(length, d_model):
    angles = angles_of(length, d_model, first=1)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your first row is all zeros, as if your positions began at 1. At position 0 the sines are 0 and the cosines 1."
)
def first_row_left_out(length, d_model):
    table = positions.sinusoidal(length, d_model)
    table[0] = 0
    return table


@sinusoidal.mistake(
    "Your last row is all zeros, as if your positions ended one too early. If you use a loop, run over `range(length)`."
)
def last_row_left_out(length, d_model):
    table = positions.sinusoidal(length, d_model)
    table[-1] = 0
    return table


@sinusoidal.mistake("Your table has one row too many. It has `length` rows, for the positions 0 to length − 1.")
def one_row_too_many(length, d_model):
    return positions.sinusoidal(length + 1, d_model)


@sinusoidal.mistake(
    "Your positions are divided by `length`, so the same position looks different in texts of different lengths. Use "
    "the positions 0, 1, 2 and so on themselves."
)
def positions_divided_by_length(length, d_model):
    angles = angles_of(length, d_model) / length
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("All your rows are those of position 1. Multiply each clock's speed by the position.")
def all_rows_equal(length, d_model):
    return positions.sinusoidal(2, d_model)[1].repeat(length, 1)


@sinusoidal.mistake(
    "Your angles are multiplied by 2π. The formula takes the sine of pos / 10000^(2i / d_model) directly, in radians."
)
def in_whole_turns(length, d_model):
    angles = 2 * math.pi * angles_of(length, d_model)
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("Your code treats the angles as degrees. They are in radians already, as `torch.sin` expects.")
def in_degrees(length, d_model):
    angles = torch.deg2rad(angles_of(length, d_model))
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("Your table has sines only. Each clock needs a sine and a cosine of the same angle.")
def sines_only(length, d_model):
    angles = angles_of(length, d_model)
    return side_by_side(angles.sin(), angles.sin())


@sinusoidal.mistake("Your table has cosines only. Each clock needs a sine and a cosine of the same angle.")
def cosines_only(length, d_model):
    angles = angles_of(length, d_model)
    return side_by_side(angles.cos(), angles.cos())


@sinusoidal.mistake(
    "Your table is transposed: it has a row for each feature. Return a row for each position, (length, d_model)."
)
def transposed(length, d_model):
    return positions.sinusoidal(length, d_model).T


@sinusoidal.mistake(
    "Your clocks get faster and faster, since 10000^(2i / d_model) multiplies the position. Divide by it."
)
def higher_frequencies(length, d_model):
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] * 10_000.0**exponents
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake(
    "Your clocks get faster and faster. Their speeds are 1 / 10000^(2i / d_model), or exp(−2i · log(10000) / d_model), "
    "with a minus."
)
def minus_missing(length, d_model):
    speeds = torch.exp(torch.arange(0, d_model, 2) * (math.log(10_000.0) / d_model))
    angles = torch.arange(length)[:, None] * speeds
    return side_by_side(angles.sin(), angles.cos())


@sinusoidal.mistake("Your table ends after 1000 positions. Compute as many rows as `length` says.")
def rows_written_into_the_code(length, d_model):
    return positions.sinusoidal(1000, d_model)[:length]


def plain_sinusoidal(length, d_model):
    """Write each position as d_model / 2 clocks: a table (length, d_model), positions counted from 0."""
    positions = torch.arange(length, dtype=torch.float64)[:, None]  # (length, 1)
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) / d_model  # (d_model / 2,)
    angles = positions / 10_000**exponents  # (length, d_model / 2)
    table = torch.zeros(length, d_model)
    table[:, 0::2] = angles.sin()
    table[:, 1::2] = angles.cos()
    return table


sinusoidal.plain(plain_sinusoidal)


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


@sinusoidal.right
def sinusoidal_by_a_shifted_phase(length, d_model):
    feature = torch.arange(d_model)
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0 ** ((feature - feature % 2) / d_model)
    return torch.sin(angles + feature % 2 * math.pi / 2).float()


@sinusoidal.right
def sinusoidal_in_numpy(length, d_model):
    angles = np.arange(length)[:, None] / np.power(10_000, np.arange(0, d_model, 2) / d_model)
    table = np.zeros((length, d_model), dtype=np.float32)
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return torch.from_numpy(table)
