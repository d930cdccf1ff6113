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
        case(fixed_tensor(2, 1, 3, 4), having=("a single head", "sizes that all differ")),
        case(fixed_tensor(2, 4, 3, 1), having=("heads of one feature", "sizes that all differ")),
        case(fixed_tensor(2, 3, 4, 2).mT, having=("a tensor that is a view of another",)),
        case(fixed_tensor(1, 2, 3, 2, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Write down the shape after each step of `split_heads`, then read the list from the bottom to the top.",
        (
            "The first step brings the axes back to (B, T, H, d_k). The second joins the last two into one, (B, T, H * "
            "d_k)."
        ),
        (
            "With `transpose(1, 2)` the heads move back. To join axes after a transpose use `flatten` or `reshape`: "
            "`view` refuses a tensor whose axes have moved."
        ),
    ),
)


@merge_heads.mistake(
    "The shape is right, but the numbers are shuffled: they are read head after head, as a single reshape would read "
    "them, which mixes different tokens. Undo the steps of `split_heads` in reverse order: first move the axis, then "
    "join.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/7",
)
def merged_by_a_view(x):
    B, H, T, d_k = x.shape
    return x.reshape(B, T, H * d_k)


@merge_heads.mistake(
    "Your function is right for one sentence. In a batch it mixes the sentences: the numbers are in the order (T, B, "
    "H * d_k), as `torch.stack` of one token after the other puts them, but are reshaped as if the sentences came "
    "first. Exchange the two axes with `transpose`: a reshape moves no number."
)
def sentences_mixed(x):
    merged = attention.merge_heads(x)
    return merged.transpose(0, 1).reshape(merged.shape)


@merge_heads.mistake(
    "Your code averages the heads. Put them side by side: as many numbers come out for a token as go in."
)
def heads_averaged(x):
    return x.mean(1)


@merge_heads.mistake("Your code adds the heads. Put them side by side, so that each number stays as it is.")
def heads_added(x):
    return x.sum(1)


@merge_heads.mistake("Your code takes the largest number of all heads. Put the heads side by side: each number stays.")
def largest_of_heads(x):
    return x.amax(1)


@merge_heads.mistake("Your code returns head 0 only. Put all heads side by side.")
def first_head_only(x):
    return x[:, 0]


@merge_heads.mistake("Your code joins the first two heads only. Join all heads, however many there are: `x.size(1)`.")
def two_heads_written_into_the_code(x):
    return torch.cat([x[:, 0], x[:, min(1, x.size(1) - 1)]], dim=-1)


@merge_heads.mistake(
    "Your code deals the numbers of the heads out in turn, one of each. The numbers of each head should stay together: "
    "first all of head 0, then all of head 1."
)
def merge_dealt_out(x):
    return x.permute(0, 2, 3, 1).flatten(2)


@merge_heads.mistake("Your heads are in reverse order. Head 0 comes first.")
def last_head_first(x):
    return x.flip(1).transpose(1, 2).flatten(2)


@merge_heads.mistake(
    "Your code puts the heads one below the other, which makes H times as many tokens. Put them side by side, which "
    "makes the tokens wider."
)
def stacked_along_tokens(x):
    return x.flatten(1, 2)


@merge_heads.mistake(
    "Your code joins tokens and features, and leaves the heads where they are. Move the heads behind the tokens first, "
    "then join heads and features."
)
def tokens_joined_with_features(x):
    return x.flatten(2)


@merge_heads.mistake(
    "Your code swaps the last two axes. Swap heads and tokens, axes 1 and 2, and then join the last two."
)
def features_moved(x):
    return x.transpose(2, 3).flatten(2)


@merge_heads.mistake(
    "Your code joins one axis too many: each sentence becomes a single row. Join only the last two axes: (B, T, H * "
    "d_k)."
)
def tokens_joined_too(x):
    return x.transpose(1, 2).flatten(1)


@merge_heads.mistake(
    "Where there is one sentence or one token, your result has lost that axis, as by `squeeze()`. Keep all three: (B, "
    "T, H * d_k)."
)
def axes_of_length_1_lost(x):
    return attention.merge_heads(x).squeeze()


@merge_heads.mistake(
    "Each of your rows has T · d_k numbers; it should have H · d_k. The number of tokens, T, is `x.size(2)` before the "
    "axes are swapped, and `x.size(1)` afterwards."
)
def heads_taken_for_tokens(x):
    return x.transpose(1, 2).reshape(x.size(0), x.size(1), -1)


@merge_heads.mistake("The axes are in order now, (B, T, H, d_k), but one step is missing: join the last two.")
def only_moved(x):
    return x.transpose(1, 2)


@merge_heads.mistake("Your code returns the first sentence only. Merge the heads of all B sentences.")
def first_sentence_only(x):
    return x[:1].transpose(1, 2).flatten(2)


@merge_heads.mistake(
    "Your code returns the first sentence without the axis of the batch. Keep the batch in front: (B, T, H * d_k)."
)
def first_sentence(x):
    return x[0].transpose(0, 1).flatten(1)


@merge_heads.right_for_whole_course
def by_concatenation(x):
    return torch.cat(x.unbind(1), dim=-1)


merge_heads.right(lambda x: x.permute(0, 2, 1, 3).contiguous().view(x.size(0), x.size(2), -1))
merge_heads.right(lambda x: torch.einsum("bhtd->bthd", x).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3]))
merge_heads.right(lambda x: torch.cat([x[:, head] for head in range(x.shape[1])], dim=2))
merge_heads.right(lambda x: x.mT.reshape(x.size(0), -1, x.size(2)).mT)
