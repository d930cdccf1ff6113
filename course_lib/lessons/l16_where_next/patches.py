"""The exercise `patches` of notebook 16."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import images

patches = Exercise(
    reference=images.patches,
    notebook=16,
    order=60,
    minutes=8,
    difficulty=2,
    returns=(Result("the patches", "B, N, size²"),),
    example=case(torch.arange(16.0).view(1, 4, 4), 2),
    another=case(torch.arange(16.0).flip(0).view(1, 4, 4), 2),
    cases=(
        case(fixed_tensor(3, 4, 6), 2, having=("pictures wider than high", "a batch")),
        case(fixed_tensor(2, 6, 3), 3, having=("pictures higher than wide", "a batch")),
        case(fixed_tensor(2, 4, 4), 4, having=("one patch for the whole picture", "a batch")),
        case(fixed_tensor(2, 2, 3), 1, having=("patches of one number", "a batch", "pictures wider than high")),
        case(fixed_tensor(1, 8, 8).mT, 2, having=("a picture that is not contiguous",)),
    ),
    hints=(
        "Number the cells of a 4 × 4 picture from 0 to 15. Which four are in the first patch, which in the second?",
        "`reshape(B, height // size, size, width // size, size)` has an axis for the row of a patch and one within it.",
        "Exchange the two axes in the middle, `transpose(2, 3)`; then `reshape(B, -1, size * size)`.",
    ),
)


@patches.mistake(
    "Your patches are runs of consecutive pixels, as a `reshape` alone gives them, and not squares. Cut rows and "
    "columns first, (B, height / size, size, width / size, size), and exchange the two axes in the middle."
)
def only_reshaped(pictures, size):
    return pictures.reshape(len(pictures), -1, size * size)


@patches.mistake("Your patches come column by column. Take them row by row, as a text is read.")
def by_columns(pictures, size):
    cut = images.patches(pictures.mT, size)
    return cut.view(*cut.shape[:2], size, size).mT.reshape(cut.shape)


@patches.mistake("Within your patches, the numbers stand column by column. Write them row by row.")
def columns_within(pictures, size):
    cut = images.patches(pictures, size)
    return cut.view(*cut.shape[:2], size, size).mT.reshape(cut.shape)


@patches.mistake("Your patches are squares still, (B, N, size, size). Write the numbers of each one after another.")
def not_flat(pictures, size):
    cut = images.patches(pictures, size)
    return cut.view(*cut.shape[:2], size, size)


@patches.mistake(
    "Your patches are in a grid still, (B, rows, columns, size²). Write them one after another, as tokens."
)
def in_a_grid(pictures, size):
    return images.patches(pictures, size).reshape(
        len(pictures), pictures.size(1) // size, pictures.size(2) // size, size * size
    )


@patches.mistake("Your last two axes are exchanged: the shape should be (B, number of patches, numbers in a patch).")
def exchanged(pictures, size):
    return images.patches(pictures, size).mT


@patches.mistake("Your patches overlap: they go on by one cell. Go on by the width of a patch.")
def overlapping(pictures, size):
    cut = pictures.unfold(1, size, 1).unfold(2, size, 1)
    return cut.reshape(len(pictures), -1, size * size)


@patches.mistake(
    "Your patches are one number each, their mean. Keep all numbers of a patch: the encoder learns what to do with "
    "them."
)
def averaged(pictures, size):
    return images.patches(pictures, size).mean(dim=-1, keepdim=True)


@patches.mistake(
    "Your patches of all pictures are in one sequence, as if they were one picture. Keep the axis B: each picture has "
    "patches of its own."
)
def one_text(pictures, size):
    return images.patches(pictures, size).reshape(1, -1, size * size)


@patches.mistake("Your patches are those of the first picture only. Cut all pictures of the batch: (B, N, size²).")
def first_picture_only(pictures, size):
    return images.patches(pictures[:1], size)


@patches.mistake(
    "Your code takes every picture for a square: it cuts as many columns of patches as rows. A picture may be wider or "
    "higher than that."
)
def squares_only(pictures, size):
    count = pictures.size(1) // size
    cut = [
        pictures[:, i * size : (i + 1) * size, j * size : (j + 1) * size].reshape(len(pictures), -1)
        for i in range(count)
        for j in range(count)
    ]
    return torch.stack(cut, dim=1)


@patches.right_for_whole_course
def with_unfold(pictures, size):
    squares = pictures.unfold(1, size, size).unfold(2, size, size)
    return squares.reshape(pictures.size(0), -1, size * size)


@patches.right
def in_loops(pictures, size):
    cut = []
    for y in range(0, pictures.size(1), size):
        for x in range(0, pictures.size(2), size):
            cut.append(pictures[:, y : y + size, x : x + size].flatten(1))
    return torch.stack(cut, dim=1)
