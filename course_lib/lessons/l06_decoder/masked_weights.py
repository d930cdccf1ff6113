"""The exercise `masked_weights` of notebook 06."""

import torch
import torch.nn.functional as F

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention
from course_lib.transformer.attention import causal_mask

masked_weights = Exercise(
    reference=attention.masked_weights,
    notebook=6,
    order=20,
    minutes=5,
    difficulty=1,
    on_map="masked_attention",
    trained=True,
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
        case(
            torch.tensor([[-200.0, 1.0, 0.5], [0.5, 0.0, 1.0], [1.0, 0.0, 0.5]]),
            mask=causal_mask(3),
            having=("hidden scores that are far above the open ones",),
        ),
        case(fixed_tensor(3, 3, dtype=torch.float64), mask=causal_mask(3), having=("float64 numbers",)),
    ),
    hints=(
        (
            "What score does a key need, so that the softmax gives it the weight 0, and shares everything among the "
            "others?"
        ),
        "exp of minus infinity is 0. So the hidden scores become minus infinity, and then comes the softmax.",
        (
            "`masked_fill` fills where a mask is True, and yours is True where nothing is to be hidden: `~` inverts "
            "it. Rows add up to 1: softmax over the last axis."
        ),
    ),
)


@masked_weights.mistake(
    "You set weights to 0 after the softmax, so that the rest of a row no longer adds up to 1. Hide the scores: minus "
    "infinity, before the softmax.",
    seen="https://github.com/lucidrains/memory-compressed-attention/issues/2",
)
def mask_after_softmax(scores, mask):
    return torch.softmax(scores, dim=-1) * mask


@masked_weights.mistake('Your mask is the wrong way round: it hides what may be attended to. True means "may attend".')
def hides_the_allowed(scores, mask):
    return torch.softmax(scores.masked_fill(mask, -torch.inf), dim=-1)


@masked_weights.mistake(
    "Your softmax runs over the queries, so that columns add up to 1. Each row is one token's budget: the last axis.",
    seen="https://github.com/PetrochukM/PyTorch-NLP/issues/2",
)
def over_the_queries(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-2)


@masked_weights.mistake("The mask does nothing in yours: the future is read.")
def not_masked(scores, mask):
    return torch.softmax(scores, dim=-1)


@masked_weights.mistake(
    "You put 0, or 1e-9 for −1e9, in the hidden scores' place: a score like others, since exp(0) is 1. Take minus "
    "infinity.",
    seen="https://github.com/awslabs/gluonts/issues/1401",
)
def tiny_numbers(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, 1e-9), dim=-1)


@masked_weights.mistake(
    "You set weights to 0 after the softmax and divide by what is left. Beside far larger hidden scores nothing is "
    "left, and 0 / 0 is NaN. Hide the scores themselves, before the softmax."
)
def renormalised(scores, mask):
    weights = torch.softmax(scores, dim=-1) * mask
    return weights / weights.sum(dim=-1, keepdim=True)


@masked_weights.mistake(
    "You fill in a number that a score may reach, such as −100: where all open scores lie below it, what is hidden is "
    "read. Nothing lies below minus infinity."
)
def not_low_enough(scores, mask):
    return torch.softmax(scores.masked_fill(~mask, -100.0), dim=-1)


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
