"""The exercise `masked_weights` of notebook 06."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l01_attention.inputs import about_filled_number, filled_number
from course_lib.transformer import attention
from course_lib.transformer.attention import causal_mask


def explain_filling(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say which number an answer fills into the hidden scores, if it is one that scores may reach; "" otherwise."""
    function = call_directly(answer)
    number = filled_number(function(torch.zeros(1, 2), torch.tensor([[False, True]])))
    if number is None:
        return ""
    scores, mask = arguments
    explained = scores.masked_fill(~mask, number).softmax(-1)
    return about_filled_number(number) if torch.allclose(function(scores, mask), explained, atol=1e-5) else ""


masked_weights = Exercise(
    reference=attention.masked_weights,
    notebook=6,
    order=20,
    minutes=5,
    difficulty=1,
    on_map="masked_attention",
    trained=True,
    explain=explain_filling,
    returns=(Result("weights", "T, S"),),
    example=case(fixed_tensor(3, 3), mask=causal_mask(3)),
    another=case(fixed_tensor(3, 3, seed=1), mask=causal_mask(3)),
    cases=(
        case(fixed_tensor(2, 4, 4), mask=causal_mask(4), having=("several heads",)),
        case(fixed_tensor(1, 1), mask=causal_mask(1), having=("a single token",)),
        case(fixed_tensor(4, 4) * 50, mask=causal_mask(4), having=("huge numbers",)),
        case(
            fixed_tensor(2, 3), mask=torch.tensor([[True, False, True], [False, True, True]]), having=("another mask",)
        ),
        case(fixed_tensor(3, 3, seed=2), mask=causal_mask(3).T, having=("another mask",)),
        case(
            torch.tensor([[-20000.0, 1.0, 0.5], [-20100.0, -20000.0, 1.0], [-20000.0, -20200.0, -20100.0]]),
            mask=causal_mask(3),
            having=("hidden scores that are far above the open ones", "huge numbers"),
        ),
        case(
            torch.tensor([[-200.0, -201.0, -200.5], [0.5, 0.0, 1.0], [1.0, 0.0, 0.5]]),
            mask=causal_mask(3),
            having=("a row of scores that is far below the other rows", "huge numbers", "scores of 0"),
        ),
        case(
            torch.tensor([[0.0, 2.0, -1.0], [0.0, -1.0, 0.0], [0.0, 0.0, 0.0]]),
            mask=causal_mask(3),
            having=("scores of 0",),
        ),
        case(fixed_tensor(3, 3, dtype=torch.float64), mask=causal_mask(3), having=("float64 numbers",)),
    ),
    hints=(
        (
            "The softmax divides exp(score) by the sum of all of them in the row. For which score is exp(score) equal "
            "to 0?"
        ),
        (
            "Replace the hidden scores with `-torch.inf` first. Then take the softmax over the last axis, so that "
            "each row adds up to 1."
        ),
        (
            "`scores.masked_fill(where, number)` replaces the scores at which `where` is True. The mask is True where "
            "nothing should be hidden, and `~` inverts it."
        ),
    ),
)


@masked_weights.mistake(
    "Your hidden weights are 0, but the others still share the row with the hidden ones, so that they no longer add "
    "up to 1. Set the hidden scores to minus infinity before the softmax.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def mask_after_softmax(scores, mask):
    return torch.softmax(scores, dim=-1) * mask


@masked_weights.mistake(
    'Your code hides the scores where the mask is True. True means "may attend": hide those where it is False, `~mask`.'
)
def hides_the_allowed(scores, mask):
    return torch.softmax(scores.masked_fill(mask, -torch.inf), dim=-1)


@masked_weights.mistake(
    "Your code hides the scores where the mask is True, and it changes the caller's `scores`. True means “may attend”: "
    "hide those where it is False, by `scores.masked_fill(~mask, -torch.inf)`, which makes new scores."
)
def hides_the_allowed_in_place(scores, mask):
    return torch.softmax(scores.masked_fill_(mask, -torch.inf), dim=-1)


@masked_weights.mistake(
    "You normalised over the queries, down each column. Each row should add up to 1: take the softmax over the last "
    "axis.",
    seen="https://github.com/PetrochukM/PyTorch-NLP/issues/2",
)
def over_the_queries(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-2)


@masked_weights.mistake(
    "For scores with an axis of heads in front, your columns add up to 1, as with `dim=1`, which is the last axis of a "
    "matrix only. Take the softmax over the last axis of any tensor: `dim=-1`."
)
def over_axis_1(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=1)


@masked_weights.mistake(
    "The mask has no effect in your code, so that hidden keys are read. If you call `masked_fill`, use what it "
    "returns: it leaves the old scores as they are."
)
def not_masked(scores, mask):
    return torch.softmax(scores, dim=-1)


@masked_weights.mistake(
    "Your masked scores become 0, or nearly 0 (for instance −1e-9 where −1e9 was meant). A score of 0 is a score like "
    "any other, since exp(0) = 1: fill them with minus infinity.",
    seen="https://github.com/awslabs/gluonts/issues/1401",
)
def tiny_numbers(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, 1e-9), dim=-1)


@masked_weights.mistake(
    "Where a hidden score is far above the open ones of its row, your weights are NaN: the exponential of every open "
    "score is 0 beside it, and 0 / 0 is NaN. Hide the scores first, then take the softmax."
)
def renormalised(scores, mask):
    weights = torch.softmax(scores, dim=-1) * mask
    return weights / weights.sum(dim=-1, keepdim=True)


@masked_weights.mistake(
    "Where a row's scores are far below those of the other rows, your weights are NaN: beside the largest open score "
    "of the whole tensor, every exponential of that row is 0, and 0 / 0 is NaN. Take the softmax of each row by "
    "itself, over the last axis, or subtract the largest of each row, `amax(-1, keepdim=True)`."
)
def largest_open_score_of_all(scores, mask):
    masked = scores.masked_fill(~mask, -torch.inf)
    exponentials = (masked - masked.max()).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


@masked_weights.mistake(
    "Where a row's open scores are far below the largest score of the whole tensor, hidden ones included, your "
    "weights are NaN: every exponential of that row is 0, and 0 / 0 is NaN. Hide the scores first, and take the "
    "softmax of each row, over the last axis."
)
def largest_score_of_all(scores, mask):
    exponentials = (scores - scores.max()).exp() * mask
    return exponentials / exponentials.sum(-1, keepdim=True)


@masked_weights.mistake(
    "Your code computes exp of the scores as they are. For scores that are far from 0 that is infinite or 0, and their "
    "quotient NaN. Use `softmax`, or subtract the largest score of each row first."
)
def exponentials_of_the_scores(scores, mask):
    exponentials = scores.masked_fill(~mask, -torch.inf).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


@masked_weights.mistake(
    "Your code fills the hidden scores with a number that a score may reach, such as −100. Where all open scores are "
    "lower than that, hidden keys are read: fill in minus infinity."
)
def not_low_enough(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -100.0), dim=-1)


@masked_weights.mistake(
    "Your code fills the hidden scores with a number such as −10000, and a score may be lower still. Where all open "
    "scores are, hidden keys are read: fill in minus infinity."
)
def not_low_enough_for_every_score(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -1e4), dim=-1)


@masked_weights.mistake(
    "Your hidden scores are lowered by a number such as 10000. One that is far above the open scores stays above them, "
    "so that hidden keys are read: replace hidden scores with minus infinity."
)
def lowered_by_a_number(scores, mask):
    return torch.softmax(scores - 1e4 * (~mask).to(scores.dtype), dim=-1)


@masked_weights.mistake(
    "Beside the open scores, your hidden ones are only 1 lower than before, as if the mask were added as 1 and 0, so "
    "hidden keys keep weight. Replace the hidden scores with minus infinity, by `masked_fill`."
)
def mask_added(scores, mask):
    return torch.softmax(scores + mask, dim=-1)


@masked_weights.mistake(
    "All your weights are NaN, as 0 · ∞ is: if you multiply the mask by minus infinity and add that, every open score "
    "gets 0 · ∞. Use `masked_fill` or `torch.where`."
)
def zero_times_infinity(scores, mask):
    return torch.softmax(scores + ~mask * -torch.inf, dim=-1)


@masked_weights.mistake(
    "Your weights are NaN in each row with a hidden score, as they are if hidden scores are plus infinity. They "
    "should be minus infinity."
)
def plus_infinity(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, torch.inf), dim=-1)


@masked_weights.mistake(
    "Your hidden scores become the largest instead of the smallest: check the sign. They should become minus infinity.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def hidden_scores_the_largest(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, 1e9), dim=-1)


@masked_weights.mistake(
    "Your code sets weights to minus infinity after the softmax. Set the hidden scores to minus infinity first, then "
    "take the softmax."
)
def weights_of_minus_infinity(scores, mask):
    return torch.softmax(scores, dim=-1).masked_fill(~mask, -torch.inf)


@masked_weights.mistake("Your code takes two softmaxes, one on top of the other. Take one, on the masked scores.")
def softmax_of_the_weights(scores, mask):
    return torch.softmax(torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1), dim=-1)


@masked_weights.mistake(
    "Your code takes a softmax before the mask, and another one after it. Mask the scores themselves, and take one "
    "softmax."
)
def softmax_before_and_after(scores, mask):
    return torch.softmax(torch.softmax(scores, dim=-1).masked_fill(~mask, -torch.inf), dim=-1)


@masked_weights.mistake(
    "Your code returns the masked scores. Take the softmax over the last axis, so that each row adds up to 1."
)
def scores_returned(scores, mask):
    return scores.masked_fill(~mask, -torch.inf)


@masked_weights.mistake(
    "Your code returns the logarithm of the weights. Return the weights: `softmax` instead of `log_softmax`."
)
def logarithms(scores, mask):
    return torch.log_softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)


@masked_weights.mistake(
    "Your scores are divided by the square root of the number of keys. They come in as they should be: only mask them "
    "and take the softmax."
)
def scaled_again(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -torch.inf) / scores.size(-1) ** 0.5, dim=-1)


@masked_weights.mistake(
    "Your code takes the softmax over the last two axes together, so that all weights of a head add up to 1. Take it "
    "over the last axis alone, so that each row adds up to 1."
)
def over_the_last_two_axes(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).flatten(-2).softmax(-1).view_as(scores)


@masked_weights.mistake(
    "Your code takes one softmax over the whole tensor, so that all its weights add up to 1. Take it over the last "
    "axis alone, so that each row adds up to 1."
)
def one_softmax_for_all(scores, mask):
    return scores.masked_fill(~mask, -torch.inf).flatten().softmax(0).view_as(scores)


@masked_weights.mistake(
    "Your code divides by the sum of the last two axes together, so that all weights of a head add up to 1. Each row "
    "has a sum of its own: the last axis, with `keepdim=True`."
)
def one_sum_for_each_head(scores, mask):
    exponentials = scores.masked_fill(~mask, -torch.inf).exp()
    return exponentials / exponentials.sum((-2, -1), keepdim=True)


@masked_weights.mistake(
    "Your code divides by the sum of the whole tensor. Each row has a sum of its own: the last axis, with "
    "`keepdim=True`."
)
def one_sum_for_all(scores, mask):
    exponentials = scores.masked_fill(~mask, -torch.inf).exp()
    return exponentials / exponentials.sum()


@masked_weights.mistake(
    "Your hidden weights are 0, but one sum, that of the whole tensor, divides all the others. Set the hidden scores "
    "to minus infinity before the softmax, and each row adds up to 1 by itself."
)
def renormalised_by_one_sum_for_all(scores, mask):
    weights = torch.softmax(scores, dim=-1) * mask
    return weights / weights.sum()


@masked_weights.mistake(
    "Each of your columns is divided by the sum of a row, as if the sum had lost its axis. Keep the axis in its place, "
    "so that each row is divided by its own sum: `sum(-1, keepdim=True)`."
)
def axis_not_kept(scores, mask):
    exponentials = scores.masked_fill(~mask, -torch.inf).exp()
    return exponentials / exponentials.sum(-1)


@masked_weights.mistake(
    "Your code always hides the future, whatever mask is passed in. Use `mask`: it may be a different one."
)
def always_causal(scores, mask):
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return torch.softmax(scores.masked_fill(future, -torch.inf), dim=-1)


@masked_weights.mistake(
    "Your code treats an open score of 0 as hidden, as if the mask were multiplied in and zeros were looked for. Use "
    "the mask itself to choose what is hidden."
)
def zeros_hidden(scores, mask):
    masked = scores * mask
    return torch.softmax(masked.masked_fill(masked == 0, -torch.inf), dim=-1)


@masked_weights.mistake(
    "Your weights are right, but your code changes the caller's `scores`. `scores.masked_fill(~mask, -torch.inf)`, "
    "without an underscore after its name, makes new ones."
)
def in_place(scores, mask):
    return torch.softmax(scores.masked_fill_(~mask, -torch.inf), dim=-1)


@masked_weights.right_for_whole_course
def by_where(s, m):
    return F.softmax(torch.where(m, s, torch.tensor(-1e9, dtype=s.dtype)), -1)


masked_weights.right(
    lambda scores, mask: (scores + torch.zeros_like(scores).masked_fill(~mask, -torch.inf)).softmax(-1)
)


@masked_weights.right
def weights_of_the_allowed(scores, mask):
    e = torch.exp(scores - scores.amax(-1, keepdim=True)) * mask
    top = scores.masked_fill(~mask, -1e30).amax(-1, keepdim=True)
    e = torch.exp((scores - top).clamp(max=0)) * mask
    return e / e.sum(-1, keepdim=True)


masked_weights.right(lambda s, m: (s - s.masked_fill(~m, -torch.inf).logsumexp(-1, keepdim=True)).exp().where(m, 0))


masked_weights.right(lambda scores, mask: (scores + mask.to(scores.dtype).log()).softmax(-1))


@masked_weights.right
def row_by_row(scores, mask):
    weights, mask = torch.zeros_like(scores), mask.expand_as(scores)
    for row in np.ndindex(*scores.shape[:-1]):
        weights[row][mask[row]] = scores[row][mask[row]].softmax(0)
    return weights
