"""The exercise `repeat_heads` of notebook 14."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

repeat_heads = Exercise(
    reference=attention.repeat_heads,
    notebook=14,
    order=30,
    minutes=5,
    difficulty=2,
    trained=True,
    returns=(Result("the repeated heads", "B, H, S, d_k"),),
    example=case(fixed_tensor(1, 2, 2, 3), 2),
    another=case(fixed_tensor(1, 2, 2, 3, seed=1), 2),
    cases=(
        case(
            fixed_tensor(2, 3, 4, 5),
            3,
            having=("more than two heads that are shared", "a batch"),
        ),
        case(fixed_tensor(2, 2, 3, 4), 3, having=("a batch",)),
        case(fixed_tensor(1, 3, 2, 4), 2, having=("more than two heads that are shared",)),
        case(fixed_tensor(2, 2, 2, 2), 2, having=("sizes that are all the same", "a batch")),
        case(fixed_tensor(2, 1, 3, 4), 4, having=("a single head of keys", "a batch")),
        case(fixed_tensor(2, 3, 4, 2), 1, having=("no sharing at all", "a batch")),
        case(fixed_tensor(1, 2, 1, 4), 2, having=("a single token",)),
        case(fixed_tensor(2, 3, 2, 4).transpose(1, 2), 2, having=("a tensor that is a view of another", "a batch")),
        case(fixed_tensor(1, 2, 2, 3, dtype=torch.float64), 2, having=("float64 numbers",)),
    ),
    hints=(
        "Query heads 0, 1, 2 share key head 0, and 3, 4, 5 share key head 1. So which order do the copies have?",
        "The heads are on axis 1, and the copies of a head are neighbours.",
        "`torch.repeat` repeats the whole sequence of heads; `torch.repeat_interleave` repeats each head in its place.",
    ),
)


@repeat_heads.mistake(
    "Your heads are in the order 0, 1, 0, 1; it should be 0, 0, 1, 1. The copies of a head are neighbours: "
    "`repeat_interleave` puts them so, but `repeat`, or `cat` of copies of x, repeats the whole sequence of heads."
)
def whole_row_again(x, times):
    return x.repeat(1, times, 1, 1)


@repeat_heads.mistake(
    "Your code repeats along the tokens. The heads are on axis 1: (B, kv_heads, S, d_k).",
    seen="https://github.com/ByteDance-Seed/VeOmni/pull/162",
)
def along_the_tokens(x, times):
    return x.repeat_interleave(times, dim=2)


@repeat_heads.mistake(
    "Your code repeats along the features. The heads are on axis 1: (B, kv_heads, S, d_k).",
    seen="https://github.com/jxiw/M1/issues/4",
)
def along_the_features(x, times):
    return x.repeat_interleave(times, dim=-1)


@repeat_heads.mistake(
    "Your code repeats every number, not every head, and the row of numbers is then cut into the right shape. Repeat "
    "along axis 1, that of the heads: `dim=1`."
)
def number_by_number(x, times):
    return x.repeat_interleave(times).view(x.size(0), -1, *x.shape[2:])


@repeat_heads.mistake(
    "Your code repeats each position, not each head, and the row of positions is then cut into heads. Repeat along "
    "axis 1, that of the heads."
)
def position_by_position(x, times):
    return x.repeat_interleave(times, dim=2).view(x.size(0), -1, *x.shape[2:])


@repeat_heads.mistake("Your code repeats along the batch. The heads are on axis 1: (B, kv_heads, S, d_k).")
def along_the_batch(x, times):
    return x.repeat_interleave(times, dim=0)


@repeat_heads.mistake(
    "Your code returns the heads as they are. Each has to occur `times` times, since queries share it."
)
def unchanged(x, times):
    return x


@repeat_heads.mistake("Your heads are divided by `times`. Every query head of a group reads the key head as it is.")
def shared_out(x, times):
    return x.repeat_interleave(times, dim=1) / times


@repeat_heads.mistake("Your result has each head twice, whatever `times` is. Repeat it `times` times.")
def always_twice(x, times):
    return x.repeat_interleave(2, dim=1)


@repeat_heads.mistake("Your code repeats the first head only. Each head is repeated `times` times, in its place.")
def first_head_only(x, times):
    return x[:, :1].repeat_interleave(times * x.size(1), dim=1)


@repeat_heads.mistake(
    "Your result has each head `times` + 1 times. Besides the original there are `times` - 1 copies, so `times` in all."
)
def one_too_many(x, times):
    return x.repeat_interleave(times + 1, dim=1)


@repeat_heads.mistake(
    "Your code divides the number of a query head by the number of key heads, as in `head // kv_heads`. A key "
    "head is shared by `times` query heads, so that is right only where there are as many key heads as that."
)
def divided_by_the_number_of_heads(x, times):
    return x[:, [head // x.size(1) for head in range(x.size(1) * times)]]


@repeat_heads.right_for_whole_course
def by_expand(x, times):
    B, heads, S, d_k = x.shape
    return x[:, :, None].expand(B, heads, times, S, d_k).reshape(B, heads * times, S, d_k)


@repeat_heads.right
def by_index(x, times):
    return x[:, torch.arange(x.size(1) * times) // times]


@repeat_heads.right
def head_by_head(x, times):
    return torch.cat([x[:, [h] * times] for h in range(x.size(1))], dim=1)
