"""The exercise `split_heads` of notebook 02."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l02_multi_head.inputs import NUMBERED
from course_lib.transformer import attention

split_heads = Exercise(
    reference=attention.split_heads,
    notebook=2,
    order=10,
    minutes=10,
    difficulty=2,
    returns=(Result("the heads", "B, H, T, d_k"),),
    example=case(NUMBERED, 2),
    another=case(fixed_tensor(1, 3, 4), 2),
    cases=(
        case(fixed_tensor(2, 3, 8), 4, having=("sizes that all differ",)),
        case(fixed_tensor(2, 4, 4), 2, having=("as many tokens as features",)),
        case(fixed_tensor(3, 3, 9), 3, having=("sizes that are all the same",)),
        case(fixed_tensor(2, 1, 6), 3, having=("a single token",)),
        case(fixed_tensor(2, 3, 4), 1, having=("a single head",)),
        case(fixed_tensor(2, 3, 4), 4, having=("heads of one feature",)),
        case(fixed_tensor(2, 4, 3).mT, 2, having=("a tensor that is a view of another",)),
        case(fixed_tensor(1, 3, 4, dtype=torch.float64), 2, having=("float64 numbers",)),
    ),
    hints=(
        "Two steps: cut the last axis in two, then bring the axes into the order (B, H, T, d_k).",
        (
            "Cutting one axis in two never shuffles: `reshape(B, T, heads, d_k)`. Which two axes are then in the wrong "
            "order?"
        ),
        "After the reshape, the tokens are axis 1 and the heads axis 2. `transpose` swaps two axes that you name.",
    ),
)


@split_heads.mistake(
    "The shape is right, but the numbers are shuffled: one reshape to (B, H, T, d_k) fills it in reading order, so "
    "that a head gets pieces of different tokens. Split the last axis first, then move the axis of heads.",
    seen="https://github.com/hyunwoongko/transformer/issues/15",
)
def viewed(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, heads, T, d_model // heads)


@split_heads.mistake(
    "Each token is cut into its heads: right so far. But your axes are (B, T, H, d_k), and attention works on the last "
    "two: move the heads before the tokens."
)
def not_moved(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads)


@split_heads.mistake(
    "You dealt the features out like cards: a head gets every H-th number. It should get neighbours: the first d_k "
    "numbers are head 0's."
)
def dealt_out(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, d_model // heads, heads).permute(0, 3, 1, 2)


@split_heads.mistake(
    "Your heads come before the batch, (H, B, T, d_k). The batch stays in front: (B, H, T, d_k).",
    seen="https://github.com/gazelle93/Transformer-Various-Positional-Encoding/issues/1",
)
def heads_first(x, heads):
    B, T, d_model = x.shape
    return x.reshape(B, T, heads, d_model // heads).permute(2, 0, 1, 3)


@split_heads.mistake("Your batch and heads are one axis, (B * H, T, d_k). Keep them apart: (B, H, T, d_k).")
def joined_with_batch(x, heads):
    return attention.split_heads(x, heads).flatten(0, 1)


@split_heads.mistake("Your heads are those of the first sentence only. Keep the batch in front: (B, H, T, d_k).")
def first_sentence(x, heads):
    return attention.split_heads(x, heads)[0]


@split_heads.mistake(
    "One view to (B * H, T, d_k) without moving an axis: a head gets pieces of different tokens. Number the entries 0, "
    "1, 2 … and see whose land in head 0.",
    seen="https://github.com/reczoo/FuxiCTR/issues/30",
)
def joined_by_a_view(x, heads):
    B, _, d_model = x.shape
    return x.reshape(B * heads, -1, d_model // heads)


@split_heads.mistake(
    "You gave each head the whole vector. A head gets its own piece, d_k = d_model / H numbers of each token."
)
def copied(x, heads):
    return x.unsqueeze(1).expand(-1, heads, -1, -1)


@split_heads.mistake("Your last two axes are (d_k, T). They are (T, d_k): in each head still one row for each token.")
def features_and_tokens_swapped(x, heads):
    return attention.split_heads(x, heads).mT


@split_heads.right_for_whole_course
def by_chunks(x, h):
    return torch.stack(x.chunk(h, dim=-1), dim=1)


split_heads.right(lambda x, heads: x.unflatten(-1, (heads, -1)).movedim(2, 1))
split_heads.right(lambda x, h: torch.einsum("bthd->bhtd", x.reshape(x.shape[0], x.shape[1], h, -1)))


@split_heads.right
def split_by_slices(x, heads):
    d_k = x.size(2) // heads
    return torch.cat([x[:, :, i * d_k : (i + 1) * d_k].unsqueeze(1) for i in range(heads)], dim=1)
