"""The exercise `rotary` of notebook 04."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import positions
from course_lib.transformer.positions import sinusoidal


def pieces(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The two halves of the features, (..., T, d_k / 2) each, and the cosines and sines of their angles."""
    first, second = x.chunk(2, dim=-1)
    divisors = 10_000 ** (torch.arange(0, x.size(-1), 2, dtype=torch.float64) / x.size(-1))
    angles = torch.arange(x.size(-2))[:, None] / divisors
    return first, second, angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def in_either_layout(answer: Any) -> Callable[..., Any]:
    """Accept both layouts: pairs of neighbouring features (the paper) or pairs from both halves (Llama's weights)."""
    rotate = call_directly(answer)

    def rotate_pairs(x: Tensor) -> Any:
        neighbours = torch.stack(x.chunk(2, dim=-1), dim=-1).flatten(-2)  # the two halves interleaved
        rotated = rotate(x)  # first of all, so that a change of x in place is noticed
        if not rotates_neighbours(rotate, x):
            return rotated
        return rotate(neighbours).reshape(*x.shape[:-1], -1, 2).mT.flatten(-2)

    return rotate_pairs


def rotates_neighbours(rotate: Callable[..., Any], x: Tensor) -> bool:
    """Whether feature 0 is paired with feature 1, not with its partner in the other half."""
    zeros, first = torch.zeros_like(x), torch.zeros_like(x)
    first[..., 0] = 1
    with suppress(Exception):  # a wrong answer may return something else than a tensor of this shape
        reached = (rotate(first) - rotate(zeros)).reshape(-1, x.size(-1)).any(0)
        return bool(reached[1] and not reached[x.size(-1) // 2])
    return False


# Heads that lie beside each other in each token, as `split_heads` returns them: (B, H, T, d_k).
SPLIT = fixed_tensor(2, 6, 12).unflatten(-1, (3, 4)).transpose(-3, -2)

rotary = Exercise(
    reference=positions.rotary,
    notebook=4,
    order=40,
    minutes=20,
    difficulty=3,
    trained=True,
    adapt=in_either_layout,
    returns=(Result("the rotated vectors", "..., T, d_k"),),
    example=case(fixed_tensor(3, 4)),
    another=case(fixed_tensor(3, 4, seed=1)),
    cases=(
        case(fixed_tensor(2, 3, 4), having=("several heads",)),
        case(fixed_tensor(3, 3, 6), having=("as many heads as tokens", "several heads")),
        case(fixed_tensor(1, 2, 5, 2), having=("a single clock", "several heads")),
        case(fixed_tensor(2, 3, 5, 8), having=("several heads", "a batch with heads")),
        case(fixed_tensor(1100, 4), having=("many tokens",)),
        case(SPLIT, having=("several heads", "a tensor that is a view of another", "a batch with heads")),
        case(fixed_tensor(1, 4), having=("a single token",)),
        case(fixed_tensor(3, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Each pair of features is a point in the plane, rotated about the origin by the angle of its clock at its "
            "position. Compute the angles first, (T, d_k / 2), as in `sinusoidal` but without the table of sines and "
            "cosines."
        ),
        (
            "With `a, b = x.chunk(2, dim=-1)` feature i and feature i + d_k / 2 are a pair. Cosines and sines of the "
            "angles, (T, d_k / 2), broadcast to both halves. Give them the type of `x`: `.to(x.dtype)`."
        ),
        (
            "A rotation by the angle φ makes (a cos φ − b sin φ, b cos φ + a sin φ) of (a, b). Compute both from the "
            "old a and b, and put the halves together again with `torch.cat`."
        ),
    ),
)


@rotary.mistake(
    "Your code rotates every token by the same angles, those of position 1. The angle grows with the position: "
    "position times the speed of the clock."
)
def same_angle(x):
    return torch.cat([positions.rotary(x[..., t : t + 1, :], start=1) for t in range(x.size(-2))], dim=-2)


@rotary.mistake(
    "Your code adds sines and cosines. Rotary positions rotate pairs of features instead, which keeps the length of "
    "each vector."
)
def added(x):
    return x + sinusoidal(x.size(-2), x.size(-1)).to(x.dtype)


@rotary.mistake(
    "Your code multiplies by sines and cosines feature by feature. Rotate pairs of features: (a cos φ − b sin φ, b cos "
    "φ + a sin φ)."
)
def multiplied(x):
    return x * sinusoidal(x.size(-2), x.size(-1)).to(x.dtype)


@rotary.mistake(
    "A minus is missing. A rotation is (a cos φ − b sin φ, b cos φ + a sin φ); with two pluses the vectors change "
    "their length."
)
def without_minus(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * cos + second * sin, second * cos + first * sin), dim=-1)


@rotary.mistake(
    "Your code has one minus too many. A rotation is (a cos φ − b sin φ, b cos φ + a sin φ); with two minuses the "
    "vectors change their length."
)
def two_minuses(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * cos - second * sin, second * cos - first * sin), dim=-1)


@rotary.mistake(
    "Your code rotates the other way. That would work too, since only differences count, but all parts have to agree: "
    "here it is (a cos φ − b sin φ, b cos φ + a sin φ)."
)
def other_way(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * cos + second * sin, second * cos - first * sin), dim=-1)


@rotary.mistake(
    "Your code swaps sine and cosine. A rotation is (a cos φ − b sin φ, b cos φ + a sin φ), so at position 0 nothing "
    "changes."
)
def sine_and_cosine_swapped(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * sin - second * cos, second * sin + first * cos), dim=-1)


@rotary.mistake(
    "Your code computes the second number of each pair from the first one after that has been rotated. Compute both "
    "from the old a and b: give the results new names."
)
def second_from_the_turned_first(x):
    first, second, cos, sin = pieces(x)
    first = first * cos - second * sin
    return torch.cat((first, second * cos + first * sin), dim=-1)


@rotary.mistake(
    "Your code writes the rotated a into `x` itself, and then computes the second number of a pair from it. Leave `x` "
    "as it is, and compute both from the old a and b."
)
def turned_in_place(x):
    _, _, cos, sin = pieces(x)
    half = x.size(-1) // 2
    x[..., :half] = x[..., :half] * cos - x[..., half:] * sin
    x[..., half:] = x[..., half:] * cos + x[..., :half] * sin
    return x


@rotary.mistake(
    "Your code never mixes the two features of a pair: it multiplies each by its cosine and its own sine. The sine "
    "belongs to the partner: (a cos φ − b sin φ, b cos φ + a sin φ)."
)
def pairs_not_mixed(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * cos + first * sin, second * cos + second * sin), dim=-1)


@rotary.mistake(
    "Your code multiplies by cosines only. The partner's part is missing: (a cos φ − b sin φ, b cos φ + a sin φ)."
)
def cosines_only(x):
    first, second, cos, _ = pieces(x)
    return torch.cat((first * cos, second * cos), dim=-1)


@rotary.mistake(
    "Your code puts the two halves together in the wrong order. The rotated a comes first, then the rotated b."
)
def halves_swapped(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((second * cos + first * sin, first * cos - second * sin), dim=-1)


@rotary.mistake(
    "Your pairs and your angles follow two different layouts. If feature i is rotated with feature i + d_k / 2, the "
    "angles come as two equal halves; if neighbours are rotated, each angle comes twice in a row. The features of a "
    "pair share one angle.",
    seen="https://github.com/EleutherAI/gpt-neox/issues/834",
)
def mixed_layouts(x):
    first, second = x.chunk(2, dim=-1)
    angles = torch.arange(x.size(-2))[:, None] / 10_000 ** (torch.arange(0, x.size(-1), 2) / x.size(-1))
    cos, sin = (part.repeat_interleave(2, dim=-1).to(x.dtype) for part in (angles.cos(), angles.sin()))
    return x * cos + torch.cat((-second, first), dim=-1) * sin


@rotary.mistake(
    "Your code rotates neighbours, but its angles come as two equal halves. If neighbours are rotated, each angle "
    "comes twice in a row: the two features of a pair share one angle.",
    seen="https://github.com/raiyanyahya/how-to-train-your-gpt/issues/6",
)
def neighbours_with_angles_in_halves(x):
    _, _, cos, sin = pieces(x)
    partners = torch.stack((-x[..., 1::2], x[..., 0::2]), dim=-1).flatten(-2)
    return x * torch.cat((cos, cos), dim=-1) + partners * torch.cat((sin, sin), dim=-1)


@rotary.mistake(
    "Your code rotates all pairs at the same speed. Clock i turns by 1 / 10000^(2i / d_k) at each position."
)
def one_frequency(x):
    first, second = x.chunk(2, dim=-1)
    angles = torch.arange(x.size(-2), dtype=x.dtype)[:, None]
    return torch.cat(
        (first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()), dim=-1
    )


def turned(x: Tensor, angles: Tensor) -> Tensor:
    """Rotate the pairs of both halves by angles (T, d_k / 2)."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def angles_with(x: Tensor, factor: float, base: float = 10_000.0) -> Tensor:
    """The angles of `rotary`, with all exponents multiplied by a factor, or with another base."""
    exponents = factor * torch.arange(0, x.size(-1), 2, dtype=torch.float64) / x.size(-1)
    return torch.arange(x.size(-2))[:, None] / base**exponents


@rotary.mistake(
    "From one clock to the next, yours slow down too little: their divisors are 10000^(i / d_k), which is the same as "
    "100^(2i / d_k). They should be 10000^(2i / d_k), where i counts the pairs."
)
def exponent_not_doubled(x):
    return turned(x, angles_with(x, 0.5))


@rotary.mistake(
    "Your divisors are 10000^(4i / d_k), where i counts the pairs from 0. That exponent is twice as much as it should "
    "be, which is 2i / d_k."
)
def exponent_doubled_twice(x):
    return turned(x, angles_with(x, 2.0))


@rotary.mistake("Your clocks get faster and faster, since 10000^(2i / d_k) multiplies the position. Divide by it.")
def faster_and_faster(x):
    return turned(x, angles_with(x, -1.0))


@rotary.mistake("Your clocks have the base 1000. The formula has 10000.")
def base_1000(x):
    return turned(x, angles_with(x, 1.0, base=1000.0))


@rotary.mistake(
    "Your pair 0 becomes NaN, and the other clocks hardly turn, as with the divisors `10000 ** 2 * i / d_k`. There "
    "Python computes `10000 ** 2` first, and clock 0 divides by 0. Put the whole exponent, 2i / d_k, in brackets."
)
def divisors_without_brackets(x):
    divisors = 10_000.0**2 * torch.arange(x.size(-1) // 2, dtype=torch.float64) / x.size(-1)
    return turned(x, torch.arange(x.size(-2))[:, None] / divisors)


@rotary.mistake(
    "Your vectors come out as they came in, or nearly so: your clocks hardly turn. That is what happens with `pos / "
    "10000 ** 2 * i / d_k`, where Python computes `10000 ** 2` first. Put the whole exponent, 2i / d_k, in brackets, "
    "and the divisor too if it is a product."
)
def speeds_without_brackets(x):
    return turned(x, torch.arange(x.size(-2))[:, None] / 10_000.0**2 * torch.arange(x.size(-1) // 2) / x.size(-1))


@rotary.mistake(
    "Your angles are divided by d_k after the power has been taken, as with `pos / 10000 ** i / d_k`. Python computes "
    "a power before it divides: d_k belongs to the exponent, so put the exponent in brackets."
)
def angles_divided_by_d_k(x):
    doubled = torch.arange(0, x.size(-1), 2, dtype=torch.float64)
    return turned(x, torch.arange(x.size(-2))[:, None] / 10_000.0**doubled / x.size(-1))


@rotary.mistake(
    "Your divisors are divided by d_k after the power has been taken, as with `10000 ** i / d_k`. Python computes a "
    "power before it divides: d_k belongs to the exponent, so put the exponent in brackets."
)
def divisors_divided_by_d_k(x):
    doubled = torch.arange(0, x.size(-1), 2, dtype=torch.float64)
    return turned(x, torch.arange(x.size(-2))[:, None] / (10_000.0**doubled / x.size(-1)))


@rotary.mistake("Your code treats the angles as degrees. They are in radians already, as `torch.cos` expects.")
def in_degrees(x):
    return turned(x, torch.deg2rad(angles_with(x, 1.0)))


@rotary.mistake(
    "Your code rotates every token by the angles of the last position. Keep one row of angles for each token."
)
def angles_of_the_last_position(x):
    return turned(x, angles_with(x, 1.0)[-1:])


@rotary.mistake("Your code rotates the first pair only. Rotate all d_k / 2 pairs, each by the angle of its clock.")
def first_pair_only(x):
    half = x.size(-1) // 2
    angles = angles_with(x, 1.0)
    return turned(x, torch.where(torch.arange(half) == 0, angles, 0.0))


@rotary.mistake("Your positions count from 1. They count from 0: the first token is not rotated at all.")
def positions_from_one(x):
    return positions.rotary(x, start=1)


@rotary.mistake("Your positions count on from one head to the next. In each head the first token is at position 0.")
def positions_count_on(x):
    return positions.rotary(x.reshape(-1, x.size(-1))).reshape(x.shape)


@rotary.mistake(
    "Your code rotates neighbours, but puts them together as two halves. Put each pair back where it came from: stack "
    "the two on a new last axis, and flatten."
)
def not_put_back(x):
    _, _, cos, sin = pieces(x)
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


@rotary.mistake(
    "Your code rotates the two halves, but puts them together as neighbours. Put each pair back where it came from: "
    "`torch.cat` the two halves."
)
def halves_put_back_as_neighbours(x):
    first, second, cos, sin = pieces(x)
    return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-1).flatten(-2)


@rotary.mistake(
    "Your angle grows along the axis of the heads. Positions run along the axis before the last: (..., T, d_k).",
    seen="https://github.com/facebookresearch/xformers/issues/841",
)
def along_the_heads(x):
    return positions.rotary(x.transpose(0, 1)).transpose(0, 1) if x.dim() == 3 else positions.rotary(x)


def plain_rotary(x):
    """Rotate each pair of features by the angle of its clock at the token's position: (..., T, d_k), same shape."""
    T, d_k = x.shape[-2:]
    positions = torch.arange(T, dtype=x.dtype)[:, None]  # (T, 1)
    exponents = torch.arange(0, d_k, 2, dtype=x.dtype) / d_k  # (d_k / 2,)
    angles = positions / 10_000**exponents  # (T, d_k / 2)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.chunk(2, dim=-1)  # features i and i + d_k / 2 are a pair; (..., T, d_k / 2) each
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)  # (..., T, d_k)


rotary.plain(plain_rotary)


@rotary.right_for_whole_course
def by_complex_numbers(x):
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    speeds = 10_000 ** -(torch.arange(0, x.shape[-1], 2).to(x) / x.size(-1))
    angles = torch.outer(torch.arange(x.shape[-2]).to(x), speeds)
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


@rotary.right
def rotary_by_rotate_half(x):
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]).to(x), 10_000 ** -(torch.arange(half).to(x) / half))
    cos, sin = torch.cat((angles, angles), -1).cos(), torch.cat((angles, angles), -1).sin()
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


@rotary.right
def rotary_of_neighbours(x):
    """Features 2i and 2i + 1 form a complex number, as in the paper and in Llama's own code."""
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    angles = torch.outer(
        torch.arange(x.shape[-2]).to(x), 10_000 ** -(torch.arange(0, x.shape[-1], 2).to(x) / x.size(-1))
    )
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


@rotary.right
def rotary_by_matrices(x):
    T, d_k = x.shape[-2:]
    rotated = []
    for t in range(T):
        matrix = torch.zeros(d_k, d_k, dtype=x.dtype)
        for i in range(d_k // 2):
            angle = t / 10_000 ** (2 * i / d_k)
            a, b = i, i + d_k // 2
            matrix[a, a] = matrix[b, b] = math.cos(angle)
            matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
        rotated.append(x[..., t, :] @ matrix.T)
    return torch.stack(rotated, dim=-2)


@rotary.right
def rotary_from_the_sinusoids(x):
    """The angles are computed in float32, which is less exact than a float64 case expects."""
    table = sinusoidal(x.size(-2), x.size(-1)).to(x)
    sin, cos = table[:, ::2], table[:, 1::2]
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


@rotary.right
def rotary_in_float32_as_llama_has_it(x):
    inv_freq = 1.0 / 10_000 ** (torch.arange(0, x.size(-1), 2).float() / x.size(-1))
    angles = torch.outer(torch.arange(x.size(-2)).float(), inv_freq)
    emb = torch.cat((angles, angles), dim=-1)
    first, second = x.chunk(2, dim=-1)
    return x * emb.cos() + torch.cat((-second, first), dim=-1) * emb.sin()


@rotary.right
def rotary_on_neighbours_in_place_of_zeros(x):
    _, _, cos, sin = pieces(x)
    out = torch.zeros_like(x)
    out[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    out[..., 1::2] = x[..., 1::2] * cos + x[..., 0::2] * sin
    return out
