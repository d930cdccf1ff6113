"""The exercise `entropy_of_weights` of notebook 01."""

import math

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

entropy_of_weights = Exercise(
    reference=attention.entropy_of_weights,
    notebook=1,
    order=50,
    minutes=10,
    difficulty=2,
    returns=(Result("the entropy", "T,"),),
    example=case(torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])),
    another=case(torch.tensor([[0.1, 0.7, 0.2], [0.3, 0.3, 0.4]])),
    cases=(
        case(torch.softmax(fixed_tensor(2, 4), -1), having=("more keys than queries",)),
        case(torch.softmax(fixed_tensor(4, 3), -1), having=("more queries than keys",)),
        case(torch.softmax(fixed_tensor(3, 3), -1), having=("as many keys as queries",)),
        case(torch.softmax(fixed_tensor(1, 5), -1), having=("a single query",)),
        case(torch.ones(3, 1), having=("a single key",)),
        case(torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), having=("weights of exactly 0",)),
        case(torch.softmax(fixed_tensor(2, 3, dtype=torch.float64), -1), having=("float64 numbers",)),
    ),
    hints=(
        "The entropy of shares w is minus the sum of w times log w. Which axis does the sum run along?",
        "`weights.log()` is minus infinity where a weight is 0, and 0 times that is NaN. What should such a key add?",
        (
            "`torch.xlogy(a, b)` is a times log b, and 0 where a is 0. Minus its sum along the last axis is a number "
            "for each query."
        ),
    ),
)


@entropy_of_weights.mistake(
    "Right for positive weights, but a weight of 0 gives 0 times the logarithm of 0, which is NaN. A key without "
    "weight adds nothing: `torch.xlogy` knows that, or keep the logarithm away from 0."
)
def zero_times_infinity(weights):
    return -(weights * weights.log()).sum(-1)


@entropy_of_weights.mistake("The sign is the other way round: logarithms of shares are negative, an entropy is not.")
def sign_forgotten(weights):
    return torch.xlogy(weights, weights).sum(-1)


@entropy_of_weights.mistake("You measured in bits, with log2. Here it is nats: the natural logarithm, `log`.")
def in_bits(weights):
    return -torch.xlogy(weights, weights).sum(-1) / math.log(2)


@entropy_of_weights.mistake(
    "You divided by log(S), so that equal weights give 1. Here it is the entropy itself, from 0 to log(S)."
)
def normalised(weights):
    return -torch.xlogy(weights, weights).sum(-1) / math.log(max(weights.size(-1), 2))


@entropy_of_weights.mistake(
    "You summed over the queries, so that you have a number for each key. Each query has its own entropy."
)
def entropy_over_queries(weights):
    return -torch.xlogy(weights, weights).sum(0)


@entropy_of_weights.mistake("You took the mean over the keys: the entropy is the sum.")
def mean_over_keys(weights):
    return -torch.xlogy(weights, weights).mean(-1)


@entropy_of_weights.mistake("You summed over everything, queries too. Each query has its own entropy.")
def total(weights):
    return -torch.xlogy(weights, weights).sum()


@entropy_of_weights.mistake(
    "You summed the logarithms alone. Each is weighted: -log of a weight is how surprising that key is, and the weight "
    "says how often it comes."
)
def not_weighted(weights):
    return -torch.where(weights > 0, weights, 1.0).log().sum(-1)


@entropy_of_weights.right_for_whole_course
def by_entr(w):
    return torch.special.entr(w).sum(-1)


entropy_of_weights.right(lambda w: -(w * w.clamp_min(1e-12).log()).sum(dim=1))
entropy_of_weights.right(lambda w: -(w * torch.log(w + 1e-9)).sum(-1))
entropy_of_weights.right(lambda w: -torch.nansum(w * w.log(), dim=-1))


@entropy_of_weights.right
def entropy_in_loops(weights):
    return torch.tensor([sum(-p * math.log(p) for p in row if p > 0) for row in weights.tolist()])
