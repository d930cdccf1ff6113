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


rotary = Exercise(
    reference=positions.rotary,
    notebook=4,
    order=40,
    minutes=20,
    difficulty=3,
    trained=True,
    adapt=in_either_layout,
    returns=(Result("the turned vectors", "..., T, d_k"),),
    example=case(fixed_tensor(3, 4)),
    another=case(fixed_tensor(3, 4, seed=1)),
    cases=(
        case(fixed_tensor(2, 3, 4), having=("several heads",)),
        case(fixed_tensor(3, 3, 6), having=("as many heads as tokens",)),
        case(fixed_tensor(1, 2, 5, 2), having=("a single clock",)),
        case(fixed_tensor(1, 4), having=("a single token",)),
        case(fixed_tensor(3, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Each pair of features is a point in the plane. It is turned by the angle of its clock at its position: "
            "the same angles as in `sinusoidal`."
        ),
        (
            "Let `a, b = x.chunk(2, dim=-1)`: feature i and feature i + d_k / 2 are a pair. The angles are (T, d_k / "
            "2), so they fit both."
        ),
        (
            "A turn by an angle makes (a, b) into (a · cos − b · sin, b · cos + a · sin). `torch.cat` puts the two "
            "halves together again."
        ),
    ),
)


@rotary.mistake(
    "Every token is turned by the same angles in yours. The angle grows with the position: t times the clock's speed."
)
def same_angle(x):
    return torch.cat([positions.rotary(x[..., t : t + 1, :], start=1) for t in range(x.size(-2))], dim=-2)


@rotary.mistake("You added sines and cosines. Here pairs of features are turned, which keeps each vector's length.")
def added(x):
    return x + sinusoidal(x.size(-2), x.size(-1)).to(x.dtype)


@rotary.mistake(
    "A sign is missing: a turn is (a cos − b sin, b cos + a sin). With two pluses the vectors change their length."
)
def without_minus(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * cos + second * sin, second * cos + first * sin), dim=-1)


@rotary.mistake(
    "Yours turns the other way. That would do as well, since only differences count; here it is (a cos − b sin, b cos "
    "+ a sin)."
)
def other_way(x):
    first, second, cos, sin = pieces(x)
    return torch.cat((first * cos + second * sin, second * cos - first * sin), dim=-1)


@rotary.mistake(
    "Your pairs and your angles belong to two layouts. If feature i turns with feature i + d_k / 2, the angles come as "
    "two equal halves; if neighbours turn, each angle comes twice in a row. Two that turn together share one angle.",
    seen="https://github.com/EleutherAI/gpt-neox/issues/834",
)
def mixed_layouts(x):
    first, second = x.chunk(2, dim=-1)
    angles = torch.arange(x.size(-2))[:, None] / 10_000 ** (torch.arange(0, x.size(-1), 2) / x.size(-1))
    cos, sin = (part.repeat_interleave(2, dim=-1).to(x.dtype) for part in (angles.cos(), angles.sin()))
    return x * cos + torch.cat((-second, first), dim=-1) * sin


@rotary.mistake("All your pairs turn at the same speed. Clock i turns by 1 / 10000^(2i / d_k) at each position.")
def one_frequency(x):
    first, second = x.chunk(2, dim=-1)
    angles = torch.arange(x.size(-2), dtype=x.dtype)[:, None]
    return torch.cat(
        (first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()), dim=-1
    )


@rotary.mistake("Your positions count from 1. They count from 0: the first token is not turned at all.")
def positions_from_one(x):
    return positions.rotary(x, start=1)


@rotary.mistake(
    "You turn neighbours, but put them together as two halves. Each pair goes back to the places that it came from: "
    "stack the two on a last axis, and flatten."
)
def not_put_back(x):
    _, _, cos, sin = pieces(x)
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


@rotary.mistake(
    "Your angle grows along the axis of the heads. Positions run along the axis before the last: (..., T, d_k)."
)
def along_the_heads(x):
    return positions.rotary(x.transpose(0, 1)).transpose(0, 1) if x.dim() == 3 else positions.rotary(x)


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
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
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
