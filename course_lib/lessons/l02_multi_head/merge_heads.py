"""The exercise `merge_heads` of notebook 02."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l02_multi_head.inputs import NUMBERED
from course_lib.transformer import attention
from course_lib.transformer.attention import split_heads

merge_heads = Exercise(
    reference=attention.merge_heads,
    notebook=2,
    order=20,
    minutes=5,
    difficulty=2,
    returns=(Result("the tokens", "B, T, H * d_k"),),
    example=case(split_heads(NUMBERED, 2).contiguous()),
    another=case(fixed_tensor(1, 2, 3, 2)),
    cases=(
        case(fixed_tensor(2, 4, 3, 5), having=("sizes that all differ",)),
        case(fixed_tensor(3, 3, 3, 3), having=("sizes that are all the same",)),
        case(fixed_tensor(2, 3, 1, 2), having=("a single token",)),
        case(fixed_tensor(2, 1, 3, 4), having=("a single head",)),
        case(fixed_tensor(2, 4, 3, 1), having=("heads of one feature",)),
        case(fixed_tensor(2, 3, 4, 2).mT, having=("a tensor that is a view of another",)),
        case(fixed_tensor(1, 2, 3, 2, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "It undoes `split_heads`: the same steps, backwards.",
        "First bring the axes back to (B, T, H, d_k), then join the last two into one.",
        (
            "`transpose(1, 2)` moves the heads back. `flatten` joins axes, and unlike `view` does not mind that they "
            "moved."
        ),
    ),
)


@merge_heads.mistake(
    "The shape is right, but the numbers are shuffled: one reshape reads head after head, and so mixes different "
    "tokens. Undo your steps of `split_heads` in the reverse order: first move the axis, then join.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/7",
)
def merged_by_a_view(x):
    B, H, T, d_k = x.shape
    return x.reshape(B, T, H * d_k)


@merge_heads.mistake(
    "You averaged the heads. They are put side by side: as many numbers come out for a token as went in."
)
def heads_averaged(x):
    return x.mean(1)


@merge_heads.mistake("You added the heads. They are put side by side: each number stays as it is.")
def heads_added(x):
    return x.sum(1)


@merge_heads.mistake(
    "You dealt the heads' numbers out in turn, one of each. A head's numbers stay together: first all of head 0."
)
def merge_dealt_out(x):
    return x.permute(0, 2, 3, 1).flatten(2)


@merge_heads.mistake(
    "You put the heads one below the other, which makes H times as many tokens. Side by side makes them wider."
)
def stacked_along_tokens(x):
    return x.flatten(1, 2)


@merge_heads.mistake("The axes are in order now, (B, T, H, d_k). One step is missing: join the last two.")
def only_moved(x):
    return x.transpose(1, 2)


@merge_heads.right_for_whole_course
def by_concatenation(x):
    return torch.cat(x.unbind(1), dim=-1)


merge_heads.right(lambda x: x.permute(0, 2, 1, 3).contiguous().view(x.size(0), x.size(2), -1))
merge_heads.right(lambda x: torch.einsum("bhtd->bthd", x).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3]))
