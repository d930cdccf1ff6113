"""Unseen answers to the exercises of notebook 04_positions."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.positions import sinusoidal
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("sinusoidal", says="Your angles are whole numbers")
def whole_radians(length, d_model):
    angles = torch.arange(length)[:, None] // 10_000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)


@wrong("sinusoidal", says="Your last row is all zeros", never="because your loop")
def padded_at_the_end(length, d_model):
    return F.pad(sinusoidal(length - 1, d_model), (0, 0, 0, 1))


class WithTable(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.max_length = max_length
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)


@wrong("LearnedPositions", says="adds the vector of position 0 again at position 5")
class StartsAgain(WithTable):
    def forward(self, x):
        return x + self.table[torch.arange(x.size(1)) % self.max_length]


@wrong("LearnedPositions", says="adds the vector of position 4 again at position 5")
class StaysAtTheLast(WithTable):
    def forward(self, x):
        return x + self.table[torch.arange(x.size(1)).clamp(max=self.max_length - 1)]


@wrong("LearnedPositions", says="accepts a text of 7 tokens and returns 5")
class CutsTheText(WithTable):
    def forward(self, x):
        x = x[:, : self.max_length]
        return x + self.table[: x.size(1)]


@wrong("LearnedPositions", says="`self.rows` has a `padding_idx`, so its row 0 gets no gradient", never="several tasks")
class FirstRowForPadding(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.rows = nn.Embedding(max_length, d_model, padding_idx=0)

    def forward(self, x):
        return x + self.rows(torch.arange(x.size(1)))


@wrong("rotary", says="right in all but")
def positions_of_1024_at_most(x):
    start, rest = x[..., :1024, :], x[..., 1024:, :]
    rotate = find("rotary").reference
    return torch.cat((rotate(start), rotate(rest)), -2)


@wrong("sinusoidal", says="Your divisors are 10000^(4i / d_model)", never=("loop", "in steps"))
def exponents_of_half_the_width(length, d_model):
    half = d_model // 2
    angles = torch.arange(length).double()[:, None] / 10_000 ** (2 * torch.arange(half).double() / half)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1).float()


@wrong("embed_with_positions", says="Tokens with the id 0 get no position")
def no_position_for_padding(ids, table):
    x = table[ids] * table.size(1) ** 0.5
    return torch.where((ids == 0)[..., None], x, x + sinusoidal(ids.size(1), table.size(1)))


def turned(x, angles):
    first, second = x.chunk(2, -1)
    return torch.cat((first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()), -1)


@wrong("rotary", says="Your divisors are 10000^(4i / d_k)", never="`torch.arange(0, d_k, 2)`")
def turned_by_exponents_of_half_the_width(x):
    half = x.size(-1) // 2
    exponents = 2 * torch.arange(half, dtype=x.dtype) / half
    return turned(x, torch.arange(x.size(-2), dtype=x.dtype)[:, None] / 10_000**exponents)


@wrong("rotary", says="Your clocks get faster and faster", never="That explains")
def multiplied_by_the_power(x):
    exponents = torch.arange(0, x.size(-1), 2, dtype=x.dtype) / x.size(-1)
    return turned(x, torch.arange(x.size(-2), dtype=x.dtype)[:, None] * 10_000**exponents)


@wrong("rotary", says="treats the angles as degrees", never="taken for")
def angles_in_degrees(x):
    exponents = torch.arange(0, x.size(-1), 2, dtype=x.dtype) / x.size(-1)
    return turned(x, torch.deg2rad(torch.arange(x.size(-2), dtype=x.dtype)[:, None] / 10_000**exponents))


def sines_and_cosines(angles):
    """Interleave the sines and cosines of angles (length, d_model / 2)."""
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2).float()


@wrong("sinusoidal", says="clock 0 divides by 0", never="look for a step")
def divisors_without_brackets(length, d_model):
    positions, i = torch.arange(length)[:, None], torch.arange(d_model // 2)
    return sines_and_cosines(positions / (10000**2 * i / d_model))


@wrong("sinusoidal", says="your clocks hardly turn", never="right only")
def frequencies_without_brackets(length, d_model):
    positions, i = torch.arange(length)[:, None], torch.arange(d_model // 2)
    return sines_and_cosines(positions * (1 / 10000**2 * i / d_model))


@wrong("sinusoidal", says="Your angles are divided by d_model after the power", never="right only")
def power_before_the_division(length, d_model):
    positions, doubled = torch.arange(length)[:, None], torch.arange(0, d_model, 2)
    return sines_and_cosines(positions / 10000**doubled / d_model)


@wrong("sinusoidal", says="Your divisors are divided by d_model after the power", never="right only")
def power_of_the_divisor_before_the_division(length, d_model):
    table = torch.zeros(length, d_model)
    for position in range(length):
        for i in range(0, d_model, 2):
            angle = position / (10000**i / d_model)
            table[position, i], table[position, i + 1] = math.sin(angle), math.cos(angle)
    return table


def turned_by(x, angles):
    first, second = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2)


@wrong("rotary", says="your clocks hardly turn", never="`x` itself")
def speeds_of_pairs_without_brackets(x):
    i, d_k = torch.arange(x.size(-1) // 2), x.size(-1)
    return turned_by(x, torch.arange(x.size(-2))[:, None] * (1 / 10000**2 * i / d_k))


@wrong("rotary", says="Your divisors are divided by d_k after the power", never="right only")
def power_of_pairs_before_the_division(x):
    doubled = torch.arange(0, x.size(-1), 2)
    return turned_by(x, torch.arange(x.size(-2))[:, None] / (10000**doubled / x.size(-1)))


@wrong("rotary", says="the base 1000", never="right only")
def pairs_of_base_1000(x):
    exponents = torch.arange(0, x.size(-1), 2) / x.size(-1)
    return turned_by(x, torch.arange(x.size(-2))[:, None] * 1000**-exponents)


def of_divisors(length, divisors):
    angles = torch.arange(length, dtype=torch.float64)[:, None] / divisors
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1).float()


@wrong("sinusoidal", says="Your exponents are 2i / (d_model − 2), which run from 0 to 1", never="divided by")
def exponents_from_0_to_1(length, d_model):
    return of_divisors(length, 10_000 ** torch.linspace(0, 1, d_model // 2, dtype=torch.float64))


@wrong("sinusoidal", says="which is the same as 100^(2i / d_model)", never="The exponent is")
def base_100(length, d_model):
    return of_divisors(length, 100 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model))


@wrong("sinusoidal", says="Your divisors are 10000^(4i / d_model)", never="Your exponent is")
def base_100_000_000(length, d_model):
    return of_divisors(length, 1e8 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model))


@wrong("rotary", says="which is the same as 100^(2i / d_k)", never="The exponent is")
def pairs_of_base_100(x):
    exponents = torch.arange(0, x.size(-1), 2) / x.size(-1)
    return turned_by(x, torch.arange(x.size(-2))[:, None] * 100**-exponents)


@wrong("embed_with_positions", says="Your positions are multiplied by √d_model too", never="the sum")
def each_part_scaled(ids, table):
    d_model = table.size(1)
    return table[ids] * d_model**0.5 + sinusoidal(ids.size(1), d_model) * d_model**0.5


@wrong("sinusoidal", says="In your code, the sine and the cosine of a pair run on different clocks.")
def exponent_of_its_own_for_the_cosine(length, d_model):
    pos = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    column = torch.arange(d_model, dtype=torch.float64)
    angles = pos / 10000 ** (column / d_model)
    table = torch.where(column % 2 == 0, angles.sin(), angles.cos())
    return table.float()


@wrong("LearnedPositions", says="Your code also multiplies the tokens by √d_model. Here, add")
class TokensMultiplied(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.d_model = d_model
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)

    def forward(self, x):
        return x * self.d_model**0.5 + self.table[: x.size(1)]


@wrong("LearnedPositions", says="Take as many as there are tokens, `x.size(1)`.")
class AsManyRowsAsSentences(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_length, d_model))

    def forward(self, x):
        positions = torch.arange(len(x))
        return x + self.table[positions]


@wrong("rotary", says="the first token is not rotated at all")
def positions_from_one(x):
    T, d_k = x.size(-2), x.size(-1)
    pos = torch.arange(1, T + 1, dtype=torch.float64)[:, None]
    angles = pos / 10000 ** (torch.arange(0, d_k, 2, dtype=torch.float64) / d_k)
    angles = torch.cat([angles, angles], dim=-1)
    a, b = x.chunk(2, dim=-1)
    return x * angles.cos().to(x.dtype) + torch.cat([-b, a], dim=-1) * angles.sin().to(x.dtype)


@wrong("sinusoidal", says="as if all exponents were 0", never="Divide 2i by d_model")
def without_exponents(length, d_model):
    angles = torch.arange(length)[:, None] / torch.ones(d_model // 2)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)


@wrong("rotary", says="From one clock to the next, yours slow down too little")
def divisors_of_the_pair_number(x):
    a, b = x.double().chunk(2, dim=-1)
    angles = torch.arange(x.size(-2))[:, None] / 100 ** (torch.arange(0, x.size(-1), 2).double() / x.size(-1))
    return torch.cat((a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()), -1).to(x.dtype)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
