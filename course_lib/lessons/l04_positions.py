"""The exercises of notebook 04: positional encoding."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.filling import filled
from course_lib.transformer.positions import LearnedPositions, embed_with_positions, rotary, sinusoidal

# Sinusoids.


def _clocks(length: int, d_model: int, base: float = 10_000.0, step: int = 2, first: int = 0) -> Tensor:
    """The angle of each clock at each position: what `sinusoidal` has, with one thing or another changed."""
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) * step / 2 / d_model
    return torch.arange(first, first + length, dtype=torch.float64)[:, None] / base**exponents


def _side_by_side(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack((first, second), dim=-1).flatten(-2).float()


def _halves(length: int, d_model: int) -> Tensor:
    """All your sines come first, then all cosines: tensor2tensor does it so, and it serves as well. Here the paper's
    order is wanted, since later lessons compare with it: sine and cosine of one clock side by side.
    """
    angles = _clocks(length, d_model)
    return torch.cat((angles.sin(), angles.cos()), dim=-1).float()


def _exponent_not_doubled(length: int, d_model: int) -> Tensor:
    """Your clocks slow down half as fast as they should: the exponent is 2i / d_model, where i counts the clocks."""
    angles = _clocks(length, d_model, step=1)
    return _side_by_side(angles.sin(), angles.cos())


def _another_clock_for_the_cosine(length: int, d_model: int) -> Tensor:
    """Your cosine runs on a clock of its own. Sine and cosine of a pair share one: both have exponent 2i / d_model."""
    exponents = torch.arange(d_model, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0**exponents
    return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos()).float()


def _doubled_twice(length: int, d_model: int) -> Tensor:
    """You doubled the exponent twice. A loop in steps of two, 0, 2, 4 …, counts 2i already: the exponent is that number
    divided by d_model.

    Seen in https://github.com/SamLynnEvans/Transformer/issues/25.
    """
    angles = _clocks(length, d_model, step=4)
    return _side_by_side(angles.sin(), angles.cos())


def _doubled_for_each_feature(length: int, d_model: int) -> Tensor:
    """Each feature has a clock of its own in yours, and its number is doubled. In 2i / d_model, i counts the clocks,
    not the features: the sine and cosine of a pair share one.

    Seen in https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/32.
    """
    angles = torch.arange(length, dtype=torch.float64)[:, None] / 10_000.0 ** (2 * torch.arange(d_model) / d_model)
    return torch.where(torch.arange(d_model) % 2 == 0, angles.sin(), angles.cos()).float()


def _rounded_down(length: int, d_model: int) -> Tensor:
    """Your `//` rounds down. In `-log(10000) / d_model // 2` the division by d_model goes first, and what `//` leaves
    is a whole number. Compute this small piece alone: is it the number that you meant?

    Seen in https://github.com/zju3dv/LoFTR/issues/41.
    """
    speeds = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10_000.0) / d_model // 2))
    angles = torch.arange(length)[:, None] * speeds
    return _side_by_side(angles.sin(), angles.cos())


def _cosine_first(length: int, d_model: int) -> Tensor:
    """Your cosines stand where the sines should: even features, counted from 0, are sines."""
    angles = _clocks(length, d_model)
    return _side_by_side(angles.cos(), angles.sin())


def _positions_from_one(length: int, d_model: int) -> Tensor:
    """Your positions count from 1. They count from 0: the first row is 0, 1, 0, 1, …"""
    angles = _clocks(length, d_model, first=1)
    return _side_by_side(angles.sin(), angles.cos())


def _sines_only(length: int, d_model: int) -> Tensor:
    """There are sines only. A clock needs both of its hands' coordinates: sine and cosine of the same angle."""
    angles = _clocks(length, d_model)
    return _side_by_side(angles.sin(), angles.sin())


def _turned(length: int, d_model: int) -> Tensor:
    """Yours has a row for each feature and a column for each position: turn it, (length, d_model)."""
    return sinusoidal(length, d_model).T


def _faster_clocks(length: int, d_model: int) -> Tensor:
    """You multiply by 10000^(2i / d_model) instead of dividing, so that your clocks get faster and faster."""
    exponents = torch.arange(0, d_model, 2, dtype=torch.float64) / d_model
    angles = torch.arange(length, dtype=torch.float64)[:, None] * 10_000.0**exponents
    return _side_by_side(angles.sin(), angles.cos())


SINUSOIDAL = Exercise(
    name="sinusoidal",
    notebook=4,
    reference=sinusoidal,
    returns=("the encoding (length, d_model)",),
    minutes=15,
    difficulty=2,
    on_map="positions",
    cases=(
        case(3, 4),
        case(3, 8),
        case(6, 6, having="as many positions as features"),
        case(1, 4, having="a single position"),
        case(10, 2, having="a single clock"),
        case(60, 12, having="many positions"),
    ),
    mistakes=mistakes(
        _halves,
        _exponent_not_doubled,
        _another_clock_for_the_cosine,
        _doubled_twice,
        _doubled_for_each_feature,
        _rounded_down,
        _cosine_first,
        _positions_from_one,
        _sines_only,
        _turned,
        _faster_clocks,
    ),
    hints=paragraphs("""
        First the angles: a table with a row for each position and a column for each clock, d_model / 2 of them. Then a
        sine and a cosine of each.

        Clock i turns by 1 / 10000^(2i / d_model) at each position. `torch.arange(0, d_model, 2)` is 2i for all clocks
        at once; positions as a column, `[:, None]`, meet it as a row.

        Sine and cosine alternate: fill `table[:, 0::2]` and `table[:, 1::2]` of an empty table, or stack the two on a
        last axis and flatten.
    """),
)


# Into the embeddings.


def _not_scaled(ids: Tensor, table: Tensor) -> Tensor:
    """The embeddings are not scaled: they are multiplied by √d_model before the positions are added."""
    return table[ids] + sinusoidal(ids.size(1), table.size(1))


def _all_scaled(ids: Tensor, table: Tensor) -> Tensor:
    """You scaled the sum. Only the embeddings are multiplied by √d_model, the positions are added as they are."""
    return (table[ids] + sinusoidal(ids.size(1), table.size(1))) * math.sqrt(table.size(1))


def _by_sentence(ids: Tensor, table: Tensor) -> Tensor:
    """Your positions run along the batch: each sentence gets one position, all its words the same. They run along the
    tokens, axis 1.

    Seen in https://github.com/pytorch/tutorials/issues/719.
    """
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(ids.size(0), table.size(1))[:, None]


def _by_identity(ids: Tensor, table: Tensor) -> Tensor:
    """You looked the positions up by the token's id. A position says where a token stands, not which one it is."""
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(int(ids.max()) + 1, table.size(1))[ids]


def _divided(ids: Tensor, table: Tensor) -> Tensor:
    """You divided by √d_model. Embeddings begin small, so they are made larger: times √d_model."""
    return table[ids] / math.sqrt(table.size(1)) + sinusoidal(ids.size(1), table.size(1))


def _times_the_width(ids: Tensor, table: Tensor) -> Tensor:
    """You multiplied by d_model. It is its root, √d_model."""
    return table[ids] * table.size(1) + sinusoidal(ids.size(1), table.size(1))


def _put_side_by_side(ids: Tensor, table: Tensor) -> Tensor:
    """You put the positions beside the embeddings, twice as wide. They are added."""
    positions = sinusoidal(ids.size(1), table.size(1)).expand(len(ids), -1, -1)
    return torch.cat((table[ids] * math.sqrt(table.size(1)), positions), dim=-1)


def _no_positions(ids: Tensor, table: Tensor) -> Tensor:
    """The positions are missing: add `sinusoidal(T, d_model)`."""
    return table[ids] * math.sqrt(table.size(1))


_TABLE = numbers(6, 4, seed=4) / 4

EMBED_WITH_POSITIONS = Exercise(
    name="embed_with_positions",
    notebook=4,
    reference=embed_with_positions,
    returns=("the tokens (B, T, d_model)",),
    trained=True,
    minutes=10,
    difficulty=1,
    on_map="positions",
    cases=(
        case(torch.tensor([[2, 5, 2]]), _TABLE),
        case(torch.tensor([[4, 1, 3]]), numbers(6, 4, seed=5)),
        case(torch.tensor([[1, 2], [3, 4], [5, 5]]), _TABLE, having="a batch"),
        case(torch.tensor([[1, 2, 0], [3, 4, 0], [5, 5, 5]]), _TABLE, having="as many sentences as tokens"),
        case(torch.tensor([[3]]), numbers(4, 6), having="a single token"),
        case(torch.tensor([[1, 1, 1, 1]]), numbers(2, 8), having="the same token again and again"),
    ),
    mistakes=mistakes(
        _not_scaled,
        _all_scaled,
        _by_sentence,
        _by_identity,
        _divided,
        _times_the_width,
        _put_side_by_side,
        _no_positions,
    ),
    hints=paragraphs("""
        Three steps: look the tokens up, multiply by √d_model, add the positions.

        `table[ids]` looks all tokens up at once. How many positions does a batch of ids (B, T) need?

        `sinusoidal` with T and d_model gives (T, d_model), which adds to each of the B sentences by itself.
    """),
)


class _NotLearned(LearnedPositions):
    """Your table is a plain tensor, so nothing learns it: wrap it in `nn.Parameter`, or take `nn.Embedding`."""

    def __init__(self, max_length: int, d_model: int) -> None:
        super().__init__(max_length, d_model)
        table = self.table.data
        del self.table
        self.table = table  # type: ignore[assignment]


class _LastPlaces(LearnedPositions):
    """You add the last rows of the table. The first token stands at position 0, the first row."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[-x.size(1) :]


class _OneForAll(LearnedPositions):
    """All tokens get the same vector in yours. Each place has its own row."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[x.size(1) - 1]


class _BySentence(LearnedPositions):
    """Your positions run along the batch. They run along the tokens, axis 1."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[: x.size(0), None]


class _Multiplied(LearnedPositions):
    """You multiplied. Positions are added."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.table[: x.size(1)]


class _InReverse(LearnedPositions):
    """Your positions run backwards: the first token gets the first row, the second the second."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[: x.size(1)].flip(0)


LEARNED_POSITIONS = Exercise(
    name="LearnedPositions",
    notebook=4,
    reference=LearnedPositions,
    returns=("the tokens (B, T, d_model)", "the count of numbers in your table"),
    trained=True,
    minutes=5,
    difficulty=1,
    on_map="positions",
    adapt=filled(made_with=2, block=8),
    cases=(
        case(5, 4, numbers(1, 3, 4)),
        case(5, 4, numbers(1, 3, 4, seed=1)),
        case(7, 3, numbers(2, 4, 3), having="a batch"),
        case(5, 4, numbers(3, 3, 4), having="as many sentences as tokens"),
        case(5, 4, numbers(2, 5, 4), having="as many tokens as fit"),
        case(5, 4, numbers(2, 1, 4), having="a single token"),
    ),
    mistakes=mistakes(_NotLearned, _LastPlaces, _OneForAll, _BySentence, _Multiplied, _InReverse),
    hints=paragraphs("""
        A table with `max_length` rows, one vector for each place. In `forward`, the rows for the places that there
        are.

        `nn.Parameter(torch.randn(max_length, d_model))`, or an `nn.Embedding(max_length, d_model)` asked for 0, 1, 2 …

        A text of T tokens takes the first T rows. They are (T, d_model), and add to x (B, T, d_model) by themselves.
    """),
)


# Rotary.


def _same_angle(x: Tensor) -> Tensor:
    """Every token is turned by the same angles in yours. The angle grows with the place: t times the clock's speed."""
    return torch.cat([rotary(x[..., t : t + 1, :], start=1) for t in range(x.size(-2))], dim=-2)


def _added(x: Tensor) -> Tensor:
    """You added sines and cosines. Here pairs of features are turned, which keeps each vector's length."""
    return x + sinusoidal(x.size(-2), x.size(-1)).to(x.dtype)


def _without_minus(x: Tensor) -> Tensor:
    """A sign is missing: a turn is (a cos − b sin, b cos + a sin). With two pluses the vectors change their length."""
    first, second, cos, sin = _pieces(x)
    return torch.cat((first * cos + second * sin, second * cos + first * sin), dim=-1)


def _other_way(x: Tensor) -> Tensor:
    """Yours turns the other way. That would do as well, since only differences count; here it is
    (a cos − b sin, b cos + a sin).
    """
    first, second, cos, sin = _pieces(x)
    return torch.cat((first * cos + second * sin, second * cos - first * sin), dim=-1)


def _mixed_layouts(x: Tensor) -> Tensor:
    """Your pairs and your angles belong to two layouts. If feature i turns with feature i + d_k / 2, the angles come as
    two equal halves; if neighbours turn, each angle comes twice in a row. Two that turn together share one angle.

    Seen in https://github.com/EleutherAI/gpt-neox/issues/834.
    """
    first, second = x.chunk(2, dim=-1)
    angles = torch.arange(x.size(-2))[:, None] / 10_000 ** (torch.arange(0, x.size(-1), 2) / x.size(-1))
    cos, sin = (part.repeat_interleave(2, dim=-1).to(x.dtype) for part in (angles.cos(), angles.sin()))
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def _one_clock(x: Tensor) -> Tensor:
    """All your pairs turn at the same speed. Clock i turns by 1 / 10000^(2i / d_k) at each position."""
    first, second = x.chunk(2, dim=-1)
    angles = torch.arange(x.size(-2), dtype=x.dtype)[:, None]
    return torch.cat(
        (first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()), dim=-1
    )


def _turned_from_one(x: Tensor) -> Tensor:
    """Your positions count from 1. They count from 0: the first token is not turned at all."""
    return rotary(x, start=1)


def _not_put_back(x: Tensor) -> Tensor:
    """You turn neighbours, but put them together as two halves. Each pair goes back to the places that it came from:
    stack the two on a last axis, and flatten.
    """
    _, _, cos, sin = _pieces(x)
    first, second = x[..., 0::2], x[..., 1::2]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


def _along_the_heads(x: Tensor) -> Tensor:
    """Your angle grows along the axis of the heads. Positions run along the axis before the last: (..., T, d_k)."""
    return rotary(x.transpose(0, 1)).transpose(0, 1) if x.dim() == 3 else rotary(x)


def _pieces(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    first, second = x.chunk(2, dim=-1)
    clocks = 10_000 ** (torch.arange(0, x.size(-1), 2, dtype=torch.float64) / x.size(-1))
    angles = torch.arange(x.size(-2))[:, None] / clocks
    return first, second, angles.cos().to(x.dtype), angles.sin().to(x.dtype)


def _in_either_layout(answer: Any) -> Callable[..., Any]:
    """Neighbours may turn with each other, as the paper has it, or halves, as Llama's weights do."""
    rotate = answer() if isinstance(answer, type) else answer

    def turn(x: Tensor) -> Any:
        neighbours = torch.stack(x.chunk(2, dim=-1), dim=-1).flatten(-2)  # halves, brought side by side
        turned = rotate(x)  # before all else, so that it shows whether x is changed
        if not _turns_neighbours(rotate, x):
            return turned
        return rotate(neighbours).reshape(*x.shape[:-1], -1, 2).mT.flatten(-2)

    return turn


def _turns_neighbours(rotate: Callable[..., Any], x: Tensor) -> bool:
    """Whether feature 0 reaches feature 1, and not its partner in the other half."""
    zeros, first = torch.zeros_like(x), torch.zeros_like(x)
    first[..., 0] = 1
    with suppress(Exception):  # a wrong answer may give no tensor of this shape
        reached = (rotate(first) - rotate(zeros)).reshape(-1, x.size(-1)).any(0)
        return bool(reached[1] and not reached[x.size(-1) // 2])
    return False


ROTARY = Exercise(
    name="rotary",
    notebook=4,
    reference=rotary,
    returns=("the turned vectors (..., T, d_k)",),
    trained=True,
    minutes=20,
    difficulty=3,
    adapt=_in_either_layout,
    cases=(
        case(numbers(3, 4)),
        case(numbers(3, 4, seed=1)),
        case(numbers(2, 3, 4), having="several heads"),
        case(numbers(3, 3, 6), having="as many heads as tokens"),
        case(numbers(1, 2, 5, 2), having="a single clock"),
        case(numbers(1, 4), having="a single token"),
        case(numbers(3, 4, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _same_angle,
        _added,
        _without_minus,
        _other_way,
        _mixed_layouts,
        _one_clock,
        _turned_from_one,
        _not_put_back,
        _along_the_heads,
    ),
    hints=paragraphs("""
        Each pair of features is a point in the plane. It is turned by the angle of its clock at its position: the same
        angles as in `sinusoidal`.

        Let `a, b = x.chunk(2, dim=-1)`: feature i and feature i + d_k / 2 are a pair. The angles are (T, d_k / 2), so
        they fit both.

        A turn by an angle makes (a, b) into (a · cos − b · sin, b · cos + a · sin). `torch.cat` puts the two halves
        together again.
    """),
)

EXERCISES = (SINUSOIDAL, EMBED_WITH_POSITIONS, LEARNED_POSITIONS, ROTARY)
