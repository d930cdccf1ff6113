"""The exercise `unpack_q4_1` of notebook 14."""

from typing import Any

import numpy as np
import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging.calls import describe_value
from course_lib.pretrained import quantization


def blocks(n: int, scale: float = 0.25, minimum: float = -2.0, seed: int = 0) -> torch.Tensor:
    """Make n blocks, whose scales and minima differ, (n, 20)."""
    factors = 1 + 0.1 * torch.arange(n)[:, None]
    pair = torch.cat((scale * factors, minimum * factors), dim=1).to(torch.float16).view(torch.uint8)  # (n, 4)
    packed = (fixed_tensor(n, 16, seed=seed) * 100 + 200).long() % 256
    return torch.cat((pair, packed.to(torch.uint8)), dim=1)


def first_wrong_byte(arguments: tuple[Any, ...], got: Any, expected: Any) -> str:
    """Show the first wrong block's scale and minimum, and the byte of its first wrong number with both its numbers."""
    row, column = (got != expected).nonzero()[0].tolist()
    block, byte = arguments[0][row], column % 16
    scale, minimum = describe_value(block[:4].clone().view(torch.float16))[1:-1].split(", ")
    numbers = []
    for i in (byte, byte + 16):
        right, yours = describe_value(expected[row, i]), describe_value(got[row, i])
        numbers.append(f"number {i} should be `{right}`" + (f", but is `{yours}`" if yours != right else ", as it is"))
    return (
        f"Block {row} has the scale `{scale}` and the minimum `{minimum}`, and byte {byte} of its 16 bytes of numbers "
        f"is `0x{block[4 + byte]:02X}`: {'; '.join(numbers)}."
    )


unpack_q4_1 = Exercise(
    reference=quantization.unpack_q4_1,
    notebook=14,
    order=60,
    minutes=8,
    difficulty=3,
    show=first_wrong_byte,
    returns=(Result("the numbers", "n, 32"),),
    example=case(blocks(1)),
    another=case(blocks(1, seed=1)),
    cases=(
        case(blocks(3), having=("several blocks",)),
        case(blocks(20, seed=2), having=("as many blocks as bytes", "several blocks")),
        case(blocks(2, 0.01, 0.5, seed=3), having=("a minimum above 0", "several blocks")),
        case(blocks(2, 1e-3, -1e-2, seed=4), having=("small numbers", "several blocks")),
        case(blocks(2, 0.0, 0.75, seed=5), having=("a scale of 0", "several blocks")),
        case(blocks(5, seed=6)[::2], having=("a tensor that is a view of another", "several blocks")),
    ),
    hints=(
        "Cut a block first: bytes 0 and 1, bytes 2 and 3, and the other 16. What does each part hold?",
        (
            "`blocks[:, :2].contiguous().view(torch.float16)` reads two bytes as a number, (n, 1); go on in float32. A "
            "byte has a lower half, `byte & 0x0F`, and an upper half, `byte >> 4`."
        ),
        "All 16 lower halves come first, then all 16 upper ones: `torch.cat` along dim 1. Then scale and add.",
    ),
)

unpack_q4_1.patch(
    "The lower and the upper halves are in the wrong order. The lower four bits are numbers 0 to 15, the upper four "
    "are 16 to 31.",
    replace="(packed & 0x0F, packed >> 4)",
    by="(packed >> 4, packed & 0x0F)",
)


unpack_q4_1.patch(
    "In your result, the two halves of a byte are neighbours. Of the 32 numbers, those from the lower halves come "
    "first, then those from the upper halves.",
    replace="dim=1)  # (n, 32)",
    by="dim=1).view(-1, 2, 16).mT.flatten(1)",
)

unpack_q4_1.patch(
    "Your scale and your minimum are exchanged. The scale comes first.",
    replace="scale, minimum =",
    by="minimum, scale =",
)

unpack_q4_1.patch(
    "Your upper halves from 8 to 15 become negative, since an int8 has a sign. Stay with uint8.",
    replace="packed = blocks[:, 4:]",
    by="packed = blocks[:, 4:].to(torch.int8)",
)

unpack_q4_1.patch(
    "The minimum is missing: it is added to every number of the block.",
    replace="return scale * q + minimum",
    by="return scale * q",
)

unpack_q4_1.patch(
    "Your code subtracts the minimum. It is added: q = 0 stands for the minimum itself.",
    replace="return scale * q + minimum",
    by="return scale * q - minimum",
)

unpack_q4_1.patch(
    "Your minimum is multiplied by the scale too. Multiply q alone, then add the minimum.",
    replace="return scale * q + minimum",
    by="return scale * (q + minimum)",
)

unpack_q4_1.patch(
    "Your q goes from −8 to 7, as in other formats. In Q4_1 it goes from 0 to 15.",
    replace="return scale * q + minimum",
    by="return scale * (q.float() - 8) + minimum",
)

unpack_q4_1.patch(
    "Your result is rounded to float16. Turn scale and minimum into float32 before you compute.",
    replace=".view(torch.float16).float().chunk",
    by=".view(torch.float16).chunk",
)


@unpack_q4_1.mistake(
    "Your numbers are in float32, but rounded to float16 on the way. Turn scale and minimum into float32 before "
    "you compute."
)
def computed_in_float16(blocks):
    scale, minimum = blocks[:, :4].contiguous().view(torch.float16).split(1, dim=1)
    packed = blocks[:, 4:]
    return (scale * torch.cat((packed & 0x0F, packed >> 4), dim=1) + minimum).float()


unpack_q4_1.patch(
    "Your upper halves are 16 times too large, as `byte & 0xF0` leaves them. Shift them down: `byte >> 4`.",
    replace="packed >> 4",
    by="packed & 0xF0",
)

unpack_q4_1.patch(
    "Your upper halves keep the lower four bits as a fraction, as `/ 16` leaves them. Shift the bits out: `byte >> 4`.",
    replace="packed >> 4",
    by="packed / 16",
)

unpack_q4_1.patch(
    "Your lower halves still hold the upper four bits. Remove them: `byte & 0x0F`.",
    replace="packed & 0x0F, packed >> 4",
    by="packed, packed >> 4",
)


@unpack_q4_1.mistake(
    "Your scale and minimum are single bytes, 0 and 2. They have two bytes each, read together as one number: "
    "`.view(torch.float16)`, which is not `.to(torch.float16)`."
)
def bytes_converted(blocks):
    q = torch.cat((blocks[:, 4:] & 0x0F, blocks[:, 4:] >> 4), dim=1).float()
    return blocks[:, :1].float() * q + blocks[:, 2:3].float()


@unpack_q4_1.right_for_whole_course
def by_integers(blocks):
    pair = blocks[:, :4].contiguous().view(torch.float16).to(torch.float32)
    low = blocks[:, 4:] % 16
    high = torch.div(blocks[:, 4:], 16, rounding_mode="floor")
    return torch.hstack((low, high)).float() * pair[:, :1] + pair[:, 1:]


@unpack_q4_1.right
def with_numpy(blocks):
    rows = blocks.numpy()
    scale = np.ascontiguousarray(rows[:, :2]).view(np.float16).astype(np.float32)
    minimum = np.ascontiguousarray(rows[:, 2:4]).view(np.float16).astype(np.float32)
    q = np.concatenate((rows[:, 4:] & 15, rows[:, 4:] >> 4), axis=1).astype(np.float32)
    return torch.from_numpy(scale * q + minimum)
