"""The exercise `top_k_filter` of notebook 09."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.adapters import call_directly, compare_as_distribution
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.minus_infinity import dropped_logits_are_finite
from course_lib.writing import choose


def with_either_choice_of_equals(answer: Any) -> Callable[..., Any]:
    """Compare the distributions, and accept it whether or not all logits that equal the k-th largest are kept.

    At least k have to be kept; if so, those of the equals that were dropped are put back.
    """

    def function(logits: Tensor, k: int) -> Any:
        count = min(k, logits.size(-1))
        equals = logits == logits.topk(count, dim=-1).values[..., -1:]  # (..., V)

        def put_equals_back(*arguments: Any) -> Any:
            filtered = call_directly(answer)(*arguments)
            if not isinstance(filtered, Tensor) or filtered.shape != equals.shape:
                return filtered
            enough = (filtered > -1e8).sum(-1, keepdim=True) >= count  # (..., 1)
            of_equals = filtered.masked_fill(~equals, -torch.inf).amax(-1, keepdim=True)  # (..., 1)
            return torch.where(equals & enough, of_equals, filtered)

        return compare_as_distribution(put_equals_back)(logits, k)

    return function


top_k_filter = Exercise(
    reference=choose.top_k_filter,
    notebook=9,
    order=40,
    minutes=5,
    difficulty=2,
    adapt=with_either_choice_of_equals,
    further_check=dropped_logits_are_finite(choose.top_k_filter),
    returns=(Result("the probabilities after a softmax", "..., V"),),
    example=case(fixed_tensor(6), 3),
    another=case(fixed_tensor(6, seed=1), 2),
    cases=(
        case(fixed_tensor(2, 5), 2, having=("a batch",)),
        case(fixed_tensor(4, 4, seed=5), 2, having=("as many rows as tokens", "a batch")),
        case(fixed_tensor(6), 1, having=("k = 1",)),
        case(fixed_tensor(3, 5, seed=3), 1, having=("k = 1", "a batch")),
        case(fixed_tensor(2, 3, 5, seed=4), 3, having=("two axes before the last", "a batch")),
        case(torch.tensor([-1.0, 0.0, 2.0, -3.0]), 2, having=("a kept logit of 0",)),
        case(
            fixed_tensor(5) - 500,
            2,
            having=(
                "logits that are all far below 0",
                "huge numbers",
            ),
        ),
        case(fixed_tensor(2, 4), 4, having=("k as large as the vocabulary", "a batch")),
        case(fixed_tensor(2, 4), 50, having=("k larger than the vocabulary", "a batch")),
        case(torch.tensor([1.0, 2.0, 0.5, 1.0, -1.0, 1.0]), 2, having=("logits that equal the k-th largest",)),
        case(torch.tensor([2.0, 0.5, 2.0, 1.0, -1.0, 0.0]), 3, having=("equal logits among the k largest",)),
        case(
            torch.tensor([[1.0, -torch.inf, 0.5, -torch.inf], [0.3, 0.1, -torch.inf, 2.0]]),
            2,
            having=("logits of minus infinity", "a batch"),
        ),
        case(fixed_tensor(2, 7, seed=7) * 1000, 4, having=("huge numbers", "a batch")),
        case(fixed_tensor(6, dtype=torch.float64), 3, having=("float64 numbers",)),
    ),
    hints=(
        "Which logit of a row separates those that stay from those that go? Everything below it goes.",
        (
            "`torch.topk` over the last axis returns the k largest logits of each row, the largest first. The last of "
            "them is the threshold. `topk` refuses a k that is larger than the vocabulary."
        ),
        (
            "`values[..., -1:]` keeps the axis of the threshold, (..., 1), so that each row meets its own. "
            "`masked_fill` sets to minus infinity what is smaller."
        ),
    ),
)


@top_k_filter.mistake(
    "Your code keeps only what is above the k-th largest logit, one too few. The k-th largest stays too: with k = 1 "
    "nothing would be left."
)
def strictly_above(logits, k):
    kth = logits.topk(min(k, logits.size(-1)), dim=-1).values[..., -1:]
    return logits.masked_fill(logits <= kth, -torch.inf)


@top_k_filter.mistake(
    "Your code keeps one token too many: with k = 1 two are left. Counting from 0, the k-th largest has the rank k − "
    "1.",
    seen="https://github.com/kingoflolz/mesh-transformer-jax/issues/164",
)
def one_too_many(logits, k):
    return choose.top_k_filter(logits, k + 1)


@top_k_filter.mistake(
    "Dropped logits are 0 in your result, or nearly so. That is a logit like any other, larger than every negative "
    "one: set them to minus infinity.",
    seen="https://github.com/karpathy/minGPT/issues/10",
)
def filled_with_nothing(logits, k):
    filtered = choose.top_k_filter(logits, k)
    return filtered.masked_fill(filtered == -torch.inf, 1e-10)


@top_k_filter.mistake(
    "Your code drops a logit of 0 that should stay, as if 0 meant that a token is left out. It is a logit like any "
    "other: find out from a mask of True and False which ones stay."
)
def zeros_dropped(logits, k):
    filtered = choose.top_k_filter(logits, k)
    return filtered.masked_fill(filtered == 0, -torch.inf)


@top_k_filter.mistake(
    "Your code keeps the k smallest logits. Keep the k largest, which belong to the likeliest tokens."
)
def smallest_kept(logits, k):
    return -choose.top_k_filter(-logits, k).masked_fill(choose.top_k_filter(-logits, k) == -torch.inf, torch.inf)


@top_k_filter.mistake(
    "Your code keeps k logits of the whole batch. Each row keeps k of its own: use `topk` over the last axis."
)
def one_threshold(logits, k):
    return logits.masked_fill(logits < logits.flatten().topk(min(k, logits.numel())).values[-1], -1e9)


@top_k_filter.mistake(
    "Your code keeps k logits of the whole batch, or V of them where k is larger than V. Each row keeps k of its own: "
    "use `topk` over the last axis."
)
def one_threshold_of_at_most_v(logits, k):
    return logits.masked_fill(logits < logits.flatten().topk(min(k, logits.size(-1))).values[-1], -1e9)


@top_k_filter.mistake(
    "Your code compares all rows with one threshold, the lowest of them, so that other rows keep too many. Each row "
    "has a threshold of its own, its k-th largest logit."
)
def lowest_threshold(logits, k):
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(-1))).values.min(), -torch.inf)


@top_k_filter.mistake(
    "Your code compares all rows with one threshold, the highest of them, so that other rows keep too few. Each row "
    "has a threshold of its own, its k-th largest logit."
)
def highest_threshold(logits, k):
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(-1))).values[..., -1].max(), -torch.inf)


@top_k_filter.mistake(
    "Your code compares all rows with the threshold of the first. Each row has a threshold of its own, its k-th "
    "largest logit."
)
def threshold_of_the_first_row(logits, k):
    first = logits.reshape(-1, logits.size(-1))[0].topk(min(k, logits.size(-1))).values[-1]
    return logits.masked_fill(logits < first, -torch.inf)


@top_k_filter.mistake(
    "Your code compares the threshold of row i with column i, as happens if the thresholds have lost the last axis. "
    "Keep it, (..., 1): `values[..., -1:]`."
)
def threshold_as_a_row(logits, k):
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(-1))).values[..., -1], -1e9)


@top_k_filter.mistake(
    "Your code is right for one row, but in a batch every row keeps the tokens of all rows, as with "
    "`logits[..., ids]`. `scatter` with `dim=-1` treats each row by itself, and so does a threshold for each row."
)
def ids_of_all_rows(logits, k):
    ids = logits.topk(min(k, logits.size(-1)), dim=-1).indices.flatten()
    filtered = torch.full_like(logits, -torch.inf)
    filtered[..., ids] = logits[..., ids]
    return filtered


@top_k_filter.mistake(
    "In your code, rows compete, as in `topk` over the first axis. The V tokens of a row compete: use the last axis."
)
def along_the_rows(logits, k):
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(0)), dim=0).values[-1:], -1e9)


@top_k_filter.mistake(
    "Your code returns only the k largest logits, so that nobody knows which tokens they belong to. Return all V "
    "logits in their order, the dropped ones at minus infinity."
)
def largest_only(logits, k):
    return logits.topk(min(k, logits.size(-1)), dim=-1).values


@top_k_filter.mistake("Your code returns probabilities, but it should return logits. The softmax comes later.")
def top_k_probabilities(logits, k):
    return choose.top_k_filter(logits, k).softmax(-1)


@top_k_filter.mistake(
    "Where the k-th and the next largest logit are equal, your code drops both, so that fewer than k are left. Keep "
    "what is at least as large as the k-th largest."
)
def equals_dropped(logits, k):
    if k >= logits.size(-1):
        return logits
    next_largest = logits.topk(k + 1, dim=-1).values[..., -1:]
    return logits.masked_fill(logits <= next_largest, -torch.inf)


@top_k_filter.mistake(
    "Your result keeps what is above the (k + 1)-th largest logit. Where there is none, because k is V or more, you "
    "lose the smallest; where several equal the k-th largest, fewer than k may be left. Keep what is at least as large "
    "as the k-th largest."
)
def above_the_next_largest(logits, k):
    ranked = logits.sort(dim=-1, descending=True).values
    return logits.masked_fill(logits <= ranked[..., min(k, logits.size(-1) - 1), None], -torch.inf)


@top_k_filter.mistake(
    "Your code counts equal logits once, as with `unique`, so that more than k are kept. Two tokens with the same "
    "logit are two of the k."
)
def equals_counted_once(logits, k):
    rows = []
    for row in logits.reshape(-1, logits.size(-1)):
        levels = row.unique()
        rows.append(row.masked_fill(row < levels[-min(k, len(levels))], -torch.inf))
    return torch.stack(rows).view(logits.shape)


@top_k_filter.mistake("Your code drops the k largest logits and keeps the others. It should be the other way round.")
def largest_dropped(logits, k):
    kept = choose.top_k_filter(logits, k)
    return logits.masked_fill(kept > -torch.inf, -1e9)


@top_k_filter.mistake(
    "Your code keeps what is at least as large as k itself. `k` is a count: keep the k largest logits."
)
def k_as_a_threshold(logits, k):
    return logits.masked_fill(logits < k, -1e9)


@top_k_filter.mistake(
    "In a batch, your code keeps at most as many tokens per row as the first axis is long. k is limited by V, the "
    "length of the last axis."
)
def at_most_as_many_as_rows(logits, k):
    return choose.top_k_filter(logits, min(k, logits.size(0)))


@top_k_filter.mistake("Your code keeps the first k tokens of the vocabulary. Keep the k with the largest logits.")
def first_tokens(logits, k):
    return logits.masked_fill(torch.arange(logits.size(-1)) >= k, -torch.inf)


@top_k_filter.mistake(
    "Your code keeps only the likeliest token, whatever k is. Keep what is at least as large as the k-th largest "
    "logit: the last that `topk` returns, not the first."
)
def likeliest_only(logits, k):
    return choose.top_k_filter(logits, 1)


@top_k_filter.mistake(
    "Your logits come out sorted. The sampler takes the first one for token 0: keep them in the vocabulary's order."
)
def sorted_logits(logits, k):
    return choose.top_k_filter(logits, k).sort(dim=-1, descending=True).values


@top_k_filter.mistake(
    "Your code returns the ids of the k largest. Return all V logits in their order, the dropped ones at minus "
    "infinity."
)
def ids_returned(logits, k):
    return logits.topk(min(k, logits.size(-1)), dim=-1).indices


@top_k_filter.mistake(
    "Your result is right, but your code changes the caller's logits. Do not write into them: use `masked_fill`, which "
    "makes new ones, or work on `logits.clone()`."
)
def in_place(logits, k):
    logits[choose.top_k_filter(logits, k) == -torch.inf] = -torch.inf
    return logits


@top_k_filter.mistake(
    "Your code drops only what is below the k-th smallest logit. Drop what is below the k-th largest: the last that "
    "`topk` returns."
)
def from_the_smallest(logits, k):
    threshold = logits.kthvalue(min(k, logits.size(-1)), dim=-1, keepdim=True).values
    return logits.masked_fill(logits < threshold, -torch.inf)


@top_k_filter.mistake(
    "Your code drops the k smallest logits, as with a threshold at position k of the logits in rising order. Keep the "
    "k largest: sort in falling order, or count from the end, position −k."
)
def position_in_rising_order(logits, k):
    if k >= logits.size(-1):
        return logits
    return logits.masked_fill(logits < logits.sort(dim=-1).values[..., k, None], -torch.inf)


@top_k_filter.mistake(
    "Dropped logits are −1 in your result, a number that a logit may reach. Set them to minus infinity."
)
def filled_with_minus_one(logits, k):
    filtered = choose.top_k_filter(logits, k)
    return filtered.masked_fill(filtered == -torch.inf, -1.0)


@top_k_filter.mistake(
    "Where all logits are far below 0, dropped tokens are the likeliest in your result, as with −100 in place of minus "
    "infinity. Set them to minus infinity."
)
def filled_with_minus_100(logits, k):
    filtered = choose.top_k_filter(logits, k)
    return filtered.masked_fill(filtered == -torch.inf, -100.0)


@top_k_filter.mistake(
    "Dropped logits are 0 in your result, or NaN if they were minus infinity, as after a product with 0. A logit of 0 "
    "is a logit like any other: set dropped ones to minus infinity."
)
def times_the_mask(logits, k):
    return logits * (choose.top_k_filter(logits, k) > -torch.inf)


@top_k_filter.mistake(
    "Your code compares k with the indices that a single `argsort` returns. They say which token comes first, second "
    "and so on, not which rank a token has: take the `argsort` of the `argsort`, or compare each logit with the k-th "
    "largest."
)
def indices_taken_for_ranks(logits, k):
    return logits.masked_fill(logits.argsort(-1, descending=True) >= k, -torch.inf)


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


@top_k_filter.right
def top_k_by_the_last_of_the_sorted(logits, k):
    kth = logits.sort(dim=-1, descending=True).values[..., min(k, logits.size(-1)) - 1, None]
    return torch.where(logits >= kth, logits.log_softmax(-1), -torch.inf)
