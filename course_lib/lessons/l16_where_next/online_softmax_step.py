"""The exercise `online_softmax_step` of notebook 16."""

import math

import torch

from course_lib.exercises.cases import Case, Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import blocks

INF = math.inf


def block(T: int, S: int, d_v: int, seed: int = 0, having: tuple[str, ...] = (), hide: bool = False) -> Case:
    """A case in which some keys have been seen, and a block of others comes."""
    maximum = fixed_tensor(T, 1, seed=seed)
    total = 1 + fixed_tensor(T, 1, seed=seed + 1).abs()
    scores = fixed_tensor(T, S, seed=seed + 3)
    if hide:
        scores[:, ::2] = -INF
    return case(
        maximum, total, fixed_tensor(T, d_v, seed=seed + 2), scores, fixed_tensor(S, d_v, seed=seed + 4), having=having
    )


def begins(scores: torch.Tensor, d_v: int, having: tuple[str, ...]) -> Case:
    """A case in which nothing has been seen yet."""
    T, S = scores.shape
    nothing = torch.full((T, 1), -INF), torch.zeros(T, 1), torch.zeros(T, d_v)
    return case(*nothing, scores, fixed_tensor(S, d_v, seed=8), having=having)


online_softmax_step = Exercise(
    reference=blocks.online_softmax_step,
    notebook=16,
    order=20,
    minutes=12,
    difficulty=3,
    returns=(
        Result("the maximum", "T, 1"),
        Result("the total", "T, 1"),
        Result("the mixed values", "T, d_v"),
    ),
    example=block(1, 2, 2),
    another=block(1, 2, 2, seed=30),
    cases=(
        begins(fixed_tensor(2, 3, seed=5), 2, ("the first block", "several queries")),
        block(3, 2, 4, seed=11, having=("several queries",)),
        case(
            torch.tensor([[3.0]]),
            torch.tensor([[1.5]]),
            torch.tensor([[1.0, 2.0]]),
            torch.tensor([[-4.0, -1.0]]),
            fixed_tensor(2, 2, seed=9),
            having=("a block with lower scores only",),
        ),
        case(
            torch.tensor([[1.0]]),
            torch.tensor([[1.5]]),
            torch.tensor([[1.0, 2.0]]),
            torch.tensor([[500.0, 2.0]]),
            fixed_tensor(2, 2, seed=9),
            having=("a huge score that comes late",),
        ),
        begins(
            torch.tensor([[-900.0, -901.0], [-800.0, -1000.0]]),
            3,
            ("the first block", "very negative scores", "several queries"),
        ),
        block(2, 3, 2, seed=17, hide=True, having=("hidden keys", "several queries")),
        begins(
            torch.tensor([[-INF, -INF], [1.0, -INF]]),
            2,
            ("the first block", "a query whose keys are all hidden", "hidden keys", "several queries"),
        ),
        begins(
            torch.full((2, 2), -INF),
            2,
            ("the first block", "a query whose keys are all hidden", "hidden keys", "several queries"),
        ),
    ),
    hints=(
        "If the largest score grows from m to m', by which factor is exp(score - m') smaller than exp(score - m)?",
        (
            "The new maximum is the larger of the old one and the block's. Multiply the old total and the old mixed "
            "values by exp(old - new), then add the block's."
        ),
        (
            "`new = torch.maximum(maximum, scores.amax(-1, keepdim=True))`. Where it is still minus infinity, subtract "
            "0 in its place, since minus infinity minus itself is NaN."
        ),
    ),
)


online_softmax_step.patch(
    "What was seen does not shrink in your sums, though the old total belongs to the old maximum. Multiply it, and the "
    "mixed values, by exp(old maximum - new maximum).",
    replace="shrink = torch.exp(maximum - reference)",
    by="shrink = torch.ones_like(reference)",
)
online_softmax_step.patch(
    "Your code shrinks the total, but not the mixed values. Both were computed with the old maximum.",
    replace="shrink * mixed + grown @ value",
    by="mixed + grown @ value",
)
online_softmax_step.patch(
    "Your code shrinks the mixed values, but not the total. Both were computed with the old maximum.",
    replace="shrink * total + grown.sum(dim=-1, keepdim=True)",
    by="total + grown.sum(dim=-1, keepdim=True)",
)
online_softmax_step.patch(
    "Your total and your mixed values are those of the new block alone. Add them to what was seen before.",
    replace="shrink * total + grown.sum(dim=-1, keepdim=True), shrink * mixed + grown @ value",
    by="grown.sum(dim=-1, keepdim=True), grown @ value",
)
online_softmax_step.patch(
    "Your maximum is that of the block. Take the larger of the old maximum and the block's.",
    replace="torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))",
    by="scores.amax(dim=-1, keepdim=True)",
)
online_softmax_step.patch(
    "Your factor is upside down: what was seen shrinks by exp(old maximum - new maximum), which is at most 1.",
    replace="torch.exp(maximum - reference)",
    by="torch.exp(reference - maximum)",
)
online_softmax_step.patch(
    "Where all keys so far are hidden, your result is NaN: the maximum is minus infinity, and minus infinity minus "
    "itself is NaN. Subtract 0 there.",
    replace="largest.masked_fill(largest == -math.inf, 0.0)",
    by="largest",
    seen="https://github.com/flashinfer-ai/flashinfer/pull/1178",
)


@online_softmax_step.mistake(
    "A query whose keys so far are all hidden gets NaN beside others that see some: its maximum is minus infinity, and "
    "minus infinity minus itself is NaN. Treat each row by itself, as with `torch.where`."
)
def guarded_for_all_together(maximum, total, mixed, scores, value):
    largest = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
    if largest.isneginf().all():
        return maximum, total, mixed
    shrink, grown = torch.exp(maximum - largest), torch.exp(scores - largest)
    return largest, shrink * total + grown.sum(dim=-1, keepdim=True), shrink * mixed + grown @ value


online_softmax_step.patch(
    "Your exponentials have no maximum subtracted, so a huge score becomes infinite.",
    replace="grown = torch.exp(scores - reference)",
    by="grown = torch.exp(scores)",
)


online_softmax_step.patch(
    "Your new exponentials have the maximum of their own block subtracted. Subtract the new maximum, to which the old "
    "sums were shrunk: it may be larger.",
    replace="grown = torch.exp(scores - reference)",
    by="grown = torch.exp(scores - scores.amax(dim=-1, keepdim=True).nan_to_num(neginf=0.0))",
)


online_softmax_step.patch(
    "Your mixed values of a block are divided by its own sum, so that every block counts the same. Divide once, after "
    "the last block.",
    replace="shrink * mixed + grown @ value",
    by="shrink * mixed + torch.softmax(scores, dim=-1) @ value",
    seen="https://github.com/fla-org/flash-linear-attention/issues/239",
)
online_softmax_step.patch(
    "Your new block shrinks, and what was seen does not. It is the other way round: exp(old maximum - new maximum) "
    "multiplies the old total and the old mixed values.",
    replace="shrink * total + grown.sum(dim=-1, keepdim=True), shrink * mixed + grown @ value",
    by="total + shrink * grown.sum(dim=-1, keepdim=True), mixed + shrink * (grown @ value)",
)


online_softmax_step.patch(
    "Where all keys so far are hidden, the maximum that you return is 0. Subtract 0 there, but return minus infinity: "
    "beside a maximum of 0, later scores far below 0 would count for nothing.",
    replace="return largest, ",
    by="return reference, ",
)


@online_softmax_step.mistake(
    "Where nothing has been seen yet, your maximum begins at 0 in place of minus infinity. If all scores are far below "
    "0, every exponential then becomes 0, and so does the total.",
    seen="https://github.com/flashinfer-ai/flashinfer/pull/4401",
)
def finite_beginning(maximum, total, mixed, scores, value):
    return blocks.online_softmax_step(maximum.masked_fill(maximum == -INF, 0.0), total, mixed, scores, value)


@online_softmax_step.mistake(
    "Your mixed values are divided by the total. Return the sum itself: other blocks may still come."
)
def divided(maximum, total, mixed, scores, value):
    largest, total, mixed = blocks.online_softmax_step(maximum, total, mixed, scores, value)
    return largest, total, mixed / total


@online_softmax_step.mistake(
    "Your mixed values are those of a mean: the old ones are multiplied by the old total, and the new ones divided by "
    "the new one. What comes in and goes out is the sum, not divided yet: the division comes after the last block."
)
def kept_as_a_mean(maximum, total, mixed, scores, value):
    largest, new_total, summed = blocks.online_softmax_step(maximum, total, mixed * total, scores, value)
    return largest, new_total, summed / new_total.clamp(min=1e-12)


@online_softmax_step.mistake("Your maximum is the same for all queries. Each query, a row, has its own: `dim=-1`.")
def one_maximum(maximum, total, mixed, scores, value):
    largest = torch.maximum(maximum, scores.max()).max().expand_as(maximum)
    shrink, grown = torch.exp(maximum - largest), torch.exp(scores - largest)
    return largest, shrink * total + grown.sum(dim=-1, keepdim=True), shrink * mixed + grown @ value


@online_softmax_step.right_for_whole_course
def with_where(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.max(dim=-1, keepdim=True).values)
    safe = torch.where(torch.isinf(new), torch.zeros_like(new), new)
    factor = (maximum - safe).exp()
    weights = (scores - safe).exp()
    return new, total * factor + weights.sum(-1, keepdim=True), mixed * factor + weights @ value


@online_softmax_step.right
def key_by_key(maximum, total, mixed, scores, value):
    for s in range(scores.size(-1)):
        score = scores[..., s : s + 1]
        new = torch.maximum(maximum, score)
        safe = torch.nan_to_num(new, neginf=0.0)
        total = total * torch.exp(maximum - safe) + torch.exp(score - safe)
        mixed = mixed * torch.exp(maximum - safe) + torch.exp(score - safe) * value[..., s, :]
        maximum = new
    return maximum, total, mixed
