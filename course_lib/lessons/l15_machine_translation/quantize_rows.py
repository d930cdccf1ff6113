"""The exercise `quantize_rows` of notebook 15."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import quantizing

quantize_rows = Exercise(
    reference=quantizing.quantize_rows,
    notebook=15,
    order=80,
    minutes=7,
    difficulty=2,
    returns=(Result("the whole numbers", "m, n"), Result("the scales", "m, 1")),
    example=case(torch.tensor([[0.5, -1.0, 0.25], [4.0, 2.0, -3.0]])),
    another=case(torch.tensor([[-0.25, 0.125, 0.75], [-6.0, 1.0, 2.0]])),
    cases=(
        case(fixed_tensor(4, 6, seed=3), having=("other sizes",)),
        case(
            fixed_tensor(4, 4, seed=5) * torch.tensor([[1.0], [100.0], [0.001], [1.0]]),
            having=("a square matrix", "other sizes"),
        ),
        case(torch.tensor([[0.0, 0.0], [1.0, -2.0]]), having=("a row of zeros", "other sizes", "a square matrix")),
        case(torch.tensor([[-3.0, -1.0, -2.0]]), having=("negative numbers only", "a single row", "other sizes")),
        case(-fixed_tensor(2, 3, seed=3).abs() - 1, having=("negative numbers only",)),
        case(
            fixed_tensor(1, 1, seed=7),
            having=("a single number", "a single row", "other sizes", "a square matrix", "negative numbers only"),
        ),
        case(fixed_tensor(3, 5, seed=9) * 1e-4, having=("very small numbers", "other sizes")),
    ),
    hints=(
        "The largest absolute value of a row becomes 127 or -127. By what is each number of that row divided, then?",
        "`weight.abs().amax(dim=1, keepdim=True)` is the largest of each row, (m, 1). Divided by 127, it is the scale.",
        "`(weight / scale).round().to(torch.int8)`. Give a row of zeros the scale 1, so that nothing is divided by 0.",
    ),
)


def with_scale(weight, scale):
    """Whole numbers for a scale."""
    return (weight / scale).round().to(torch.int8), scale


def scales(largest):
    """The scale of each row for its largest value."""
    return torch.where(largest > 0, largest / 127, torch.ones_like(largest))


@quantize_rows.mistake("Your matrix has one scale for all rows, so that small rows lose most of their levels.")
def one_scale(weight):
    return with_scale(weight, (weight.abs().max() / 127).expand(len(weight), 1).clone())


@quantize_rows.mistake("Your code has a scale for each column. Take the largest of each row: `dim=1`.")
def by_columns(weight):
    whole, scale = quantizing.quantize_rows(weight.T)
    return whole.T, scale.T


@quantize_rows.mistake(
    "Your scale comes from the largest value, not the largest absolute value. -6 is farther from 0 than 2: use `abs()`."
)
def without_absolute(weight):
    return with_scale(weight, scales(weight.amax(dim=1, keepdim=True)))


@quantize_rows.mistake(
    "Your scale comes from the largest value, not the largest absolute value, so that it is negative where a row has "
    "only negative numbers. Use `abs()`."
)
def with_negative_scales(weight):
    largest = weight.amax(dim=1, keepdim=True)
    return with_scale(weight, torch.where(largest == 0, torch.ones_like(largest), largest / 127))


@quantize_rows.mistake("Your whole numbers are rounded towards 0, as `to(torch.int8)` does. Call `round()` before it.")
def cut_off(weight):
    scale = scales(weight.abs().amax(dim=1, keepdim=True))
    return (weight / scale).to(torch.int8), scale


@quantize_rows.mistake(
    "Your whole numbers below −0.5 are one too large, as when 0.5 is added and the rest is cut off: `to(torch.int8)` "
    "cuts off towards 0. Call `round()`."
)
def half_added_and_cut_off(weight):
    scale = scales(weight.abs().amax(dim=1, keepdim=True))
    return (weight / scale + 0.5).to(torch.int8), scale


@quantize_rows.mistake(
    "Your code has two mistakes. Your scale comes from the largest value, not the largest absolute value: use "
    "`abs()`. And your whole numbers are rounded towards 0: call `round()` before `to(torch.int8)`."
)
def without_absolute_and_cut_off(weight):
    largest = weight.amax(dim=1, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
    return (weight / scale).clamp(-127, 127).to(torch.int8), scale


@quantize_rows.mistake(
    "Your whole numbers are rounded down, as `floor` and `//` do. Call `round()`, which takes the nearest one."
)
def rounded_down(weight):
    scale = scales(weight.abs().amax(dim=1, keepdim=True))
    return (weight / scale).floor().to(torch.int8), scale


@quantize_rows.mistake(
    "Your scale is the largest absolute value divided by 128. Then the largest number becomes 128, which int8 cannot "
    "hold: divide by 127."
)
def by_128(weight):
    largest = weight.abs().amax(dim=1, keepdim=True)
    scale = torch.where(largest > 0, largest / 128, torch.ones_like(largest))
    return ((weight / scale).round().long() + 128).remainder(256).sub(128).to(torch.int8), scale


@quantize_rows.mistake(
    "Your whole numbers use half of the levels. The largest absolute value of a row becomes 127: divide by 127."
)
def by_255(weight):
    largest = weight.abs().amax(dim=1, keepdim=True)
    return with_scale(weight, torch.where(largest > 0, 2 * largest / 127, torch.ones_like(largest)))


@quantize_rows.mistake(
    "Your scales are upside down: 127 / largest. The scale is what the whole numbers are multiplied by to get the "
    "weights back."
)
def upside_down(weight):
    whole, scale = quantizing.quantize_rows(weight)
    return whole, 1 / scale


@quantize_rows.mistake(
    "Your scale of a row of zeros is 0, or nearly 0. Give such a row the scale 1, so that nothing is divided by 0."
)
def zeros_by_zeros(weight):
    scale = weight.abs().amax(dim=1, keepdim=True) / 127
    return (weight / scale).round().to(torch.int8), scale


@quantize_rows.mistake("Your scales are the largest absolute values themselves. Divide them by 127.")
def largest_as_scale(weight):
    largest = weight.abs().amax(dim=1, keepdim=True)
    return quantizing.quantize_rows(weight)[0], torch.where(largest > 0, largest, torch.ones_like(largest))


@quantize_rows.mistake("Your whole numbers are still floats. Store them in 8 bits: `.to(torch.int8)`.")
def floats(weight):
    whole, scale = quantizing.quantize_rows(weight)
    return whole.float(), scale


@quantize_rows.mistake("Your scales are (m,). Keep the axis, (m, 1), so that they can be multiplied row by row.")
def flat_scales(weight):
    whole, scale = quantizing.quantize_rows(weight)
    return whole, scale.squeeze(1)


@quantize_rows.mistake("A matrix of one row loses its first axis in your code. Return (m, n), also where m is 1.")
def squeezed(weight):
    whole, scale = quantizing.quantize_rows(weight)
    return whole.squeeze(0), scale


@quantize_rows.mistake(
    "Your scale comes from the largest value, not the largest absolute value, so that numbers far below 0 are cut off. "
    "Use `abs()`."
)
def without_absolute_and_cut_off_at_the_end(weight):
    largest = weight.amax(dim=1, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
    return (weight / scale).round().clamp(-127, 127).to(torch.int8), scale


@quantize_rows.right_for_whole_course
def row_by_row(weight):
    rows, scales = [], []
    for row in weight:
        scale = row.abs().max() / 127
        if scale == 0:
            scale = torch.tensor(1.0)
        rows.append(torch.round(row / scale).to(torch.int8))
        scales.append(scale)
    return torch.stack(rows), torch.stack(scales)[:, None]


@quantize_rows.right
def by_max_and_min(weight):
    largest = torch.maximum(weight.max(dim=1, keepdim=True).values, -weight.min(dim=1, keepdim=True).values)
    scale = (largest / 127).masked_fill(largest == 0, 1.0)
    return torch.clamp(torch.round(weight / scale), -127, 127).to(torch.int8), scale
