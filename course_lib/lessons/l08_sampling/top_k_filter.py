"""The exercise `top_k_filter` of notebook 08."""

import math

import torch

from course_lib.exercises.adapters import compare_as_distribution
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.writing import choose

top_k_filter = Exercise(
    reference=choose.top_k_filter,
    notebook=8,
    order=40,
    minutes=10,
    difficulty=2,
    adapt=compare_as_distribution,
    returns=(Result("the distribution that your logits give", "..., V"),),
    example=case(fixed_tensor(6), 3),
    another=case(fixed_tensor(6, seed=1), 2),
    cases=(
        case(fixed_tensor(2, 5), 2, having=("a batch",)),
        case(fixed_tensor(4, 4, seed=5), 2, having=("as many rows as tokens",)),
        case(fixed_tensor(6), 1, having=("k = 1",)),
        case(fixed_tensor(3, 5, seed=3), 1, having=("k = 1", "a batch")),
        case(fixed_tensor(2, 3, 5, seed=4), 3, having=("two axes before the last",)),
        case(fixed_tensor(5) - 9, 2, having=("negative numbers only",)),
        case(fixed_tensor(2, 4), 4, having=("k as large as the vocabulary",)),
        case(fixed_tensor(2, 4), 50, having=("k larger than the vocabulary",)),
        case(fixed_tensor(6, dtype=torch.float64), 3, having=("float64 numbers",)),
    ),
    hints=(
        "Which number divides those that stay from those that go? Everything below it goes.",
        (
            "`torch.topk` over the last axis gives the k largest of each row, in falling order. The last of them is "
            "the border. It wants a k that is no larger than the vocabulary."
        ),
        (
            "Keep the border's axis, so that a batch's borders stand in a column beside its rows. What is smaller than "
            "the border is filled with minus infinity by `masked_fill`."
        ),
    ),
)


@top_k_filter.mistake(
    "You keep what is above the k-th largest, one too few. The k-th itself stays: at k = 1 nothing would be left."
)
def strictly_above(logits, k):
    kth = logits.topk(min(k, logits.size(-1)), dim=-1).values[..., -1:]
    return logits.masked_fill(logits <= kth, -torch.inf)


@top_k_filter.mistake(
    "You keep one token too many: at k = 1 two are left. Counting from 0, the k-th largest has the rank k − 1.",
    seen="https://github.com/kingoflolz/mesh-transformer-jax/issues/164",
)
def one_too_many(logits, k):
    return choose.top_k_filter(logits, k + 1)


@top_k_filter.mistake(
    "You put 0, or 1e-10, in the place of those dropped: a logit like others, above every negative one. Minus "
    "infinity.",
    seen="https://github.com/karpathy/minGPT/issues/10",
)
def filled_with_nothing(logits, k):
    filtered = choose.top_k_filter(logits, k)
    return filtered.masked_fill(filtered == -torch.inf, 1e-10)


@top_k_filter.mistake("You keep the k smallest. The largest logits are the likeliest tokens.")
def smallest_kept(logits, k):
    return -choose.top_k_filter(-logits, k).masked_fill(choose.top_k_filter(-logits, k) == -torch.inf, torch.inf)


@top_k_filter.mistake("You keep k of the whole batch. Each row keeps k of its own: `topk` over the last axis.")
def one_threshold(logits, k):
    return logits.masked_fill(logits < logits.flatten().topk(min(k, logits.numel())).values[-1], -1e9)


@top_k_filter.mistake(
    "Each row's threshold has to stand in a column, (..., 1). Yours has lost that axis, so that it meets the tokens in "
    "place of the rows: `values[..., -1:]`."
)
def threshold_as_a_row(logits, k):
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(-1))).values[..., -1], -1e9)


@top_k_filter.mistake(
    "Your `topk` runs along the first axis, so that rows compete. Within each row the V tokens do: the last axis."
)
def along_the_rows(logits, k):
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(0)), dim=0).values[-1:], -1e9)


@top_k_filter.mistake(
    "You return the k largest without the others, so that nobody knows any more which tokens they are. All V stay in "
    "their places, those dropped at minus infinity."
)
def largest_only(logits, k):
    return logits.topk(min(k, logits.size(-1)), dim=-1).values


@top_k_filter.mistake("You return probabilities. Logits are wanted: the softmax comes at the very end.")
def top_k_probabilities(logits, k):
    return choose.top_k_filter(logits, k).softmax(-1)


@top_k_filter.right_for_whole_course
def by_scatter(logits, k):
    values, indices = torch.topk(logits, min(k, logits.shape[-1]))
    return torch.full_like(logits, -torch.inf).scatter(-1, indices, values)


top_k_filter.right(
    lambda logits, k: logits.masked_fill(logits.argsort(-1, descending=True).argsort(-1) >= k, -torch.inf)
)


@top_k_filter.right
def top_k_in_loops(logits, k):
    rows = []
    for row in logits.reshape(-1, logits.size(-1)).tolist():
        border = sorted(row, reverse=True)[:k][-1]
        rows.append([x if x >= border else -math.inf for x in row])
    return torch.tensor(rows, dtype=logits.dtype).view(logits.shape)


@top_k_filter.right
def top_k_in_its_own_copy(logits, k):
    logits = logits.clone()
    ordered = logits.sort(dim=-1, descending=True)[0]
    logits[logits < ordered[..., :k][..., -1:]] = float("-inf")
    return logits


@top_k_filter.right
def top_k_by_scatter(logits, k):
    values, indices = torch.topk(logits, min(k, logits.shape[-1]))
    return torch.full_like(logits, -1e10).scatter(-1, indices, values)
