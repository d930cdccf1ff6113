"""The exercise `entropy_of_weights` of notebook 01."""

import math
from typing import Any

import torch

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.judging.gradients import remark_on_gradient
from course_lib.transformer import attention


def explain_addend(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say which number an answer adds inside the logarithm, if it is so large that it shows; "" otherwise."""
    function = call_directly(answer)
    addend = math.exp(-function(torch.ones(1, 1)).item()) - 1
    (weights,) = arguments
    if addend < 1e-6 or not torch.allclose(function(weights), -(weights * (weights + addend).log()).sum(-1), rtol=1e-4):
        return ""
    return (
        f"Your code adds {addend:.2g} inside the logarithm, which is enough to change the entropy. Add a tiny number "
        "such as 1e-9, or replace only the weights of 0."
    )


entropy_of_weights = Exercise(
    reference=attention.entropy_of_weights,
    notebook=1,
    order=50,
    minutes=10,
    difficulty=2,
    explain=explain_addend,
    remark=remark_on_gradient(torch.tensor([[0.5, 0.25, 0.25]])),
    returns=(Result("the entropy", "T,", any_precision=True),),
    example=case(torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])),
    another=case(torch.tensor([[0.15, 0.65, 0.2], [0.3, 0.3, 0.4]])),
    cases=(
        case(torch.softmax(fixed_tensor(2, 4), -1), having=("four keys",)),
        case(torch.softmax(fixed_tensor(4, 3), -1), having=("more queries than keys",)),
        case(torch.softmax(fixed_tensor(3, 3), -1), having=("as many keys as queries",)),
        case(torch.softmax(fixed_tensor(1, 5), -1), having=("a single query",)),
        case(torch.ones(3, 1), having=("a single key", "more queries than keys")),
        case(torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), having=("weights of exactly 0",)),
        case(
            torch.tensor([[0.0, 0.25, 0.5, 0.25], [0.25, 0.25, 0.25, 0.25]]),
            having=("weights of exactly 0", "four keys"),
        ),
        case(torch.tensor([[0.9, 0.0999, 0.0001], [0.995, 0.002, 0.003]]), having=("weights close to 0",)),
        case(torch.softmax(fixed_tensor(2, 3, dtype=torch.float64), -1), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Compute it for one row on paper first, such as 0.5, 0.25, 0.25. Each query gets one number, so the sum "
            "runs over the keys."
        ),
        (
            "The logarithm of a weight of 0 is minus infinity, and 0 times that is NaN. A key without weight should "
            "add 0, so keep the logarithm away from 0: `torch.where` or `clamp` can replace the zeros inside it."
        ),
        (
            "There is a ready-made function for the product: `torch.xlogy(a, b)` is a · ln b, and 0 where a is 0. Sum "
            "it along the last axis, and mind the sign."
        ),
    ),
)


@entropy_of_weights.mistake(
    "Your function is right for positive weights, but a weight of 0 makes NaN, as 0 times the logarithm of 0 does. A "
    "key without weight should add 0, so keep 0 out of the logarithm."
)
def zero_times_infinity(weights):
    return -(weights * weights.log()).sum(-1)


@entropy_of_weights.mistake(
    "Your function is right for positive weights, but any query that gives some key a weight of 0 gets entropy 0. Only "
    "that key should contribute 0: if you replace NaN, do so before the sum, not after."
)
def nan_replaced_after_the_sum(weights):
    return -(weights * weights.log()).sum(-1).nan_to_num(0)


@entropy_of_weights.mistake(
    "Your sign is the wrong way round: logarithms of shares are negative, and an entropy is not. Put a minus in front "
    "of the sum."
)
def sign_forgotten(weights):
    return torch.xlogy(weights, weights).sum(-1)


@entropy_of_weights.mistake(
    "Your entropy is in bits, as the logarithm to base 2 gives it. Here the unit is nats: use the natural logarithm, "
    "`log`."
)
def in_bits(weights):
    return -torch.xlogy(weights, weights).sum(-1) / math.log(2)


@entropy_of_weights.mistake(
    "Your entropy is that of the logarithm to base 10. Here the unit is nats: use the natural logarithm, `log`."
)
def to_base_10(weights):
    return -torch.xlogy(weights, weights).sum(-1) / math.log(10)


@entropy_of_weights.mistake(
    "Your result is log(S) minus the entropy, which is 0 for equal weights. Return the entropy itself."
)
def distance_from_equal_weights(weights):
    return math.log(weights.size(-1)) + torch.xlogy(weights, weights).sum(-1)


@entropy_of_weights.mistake(
    "Your code leaves out weights below about 0.1, which add something to the entropy too. Leave out only weights of "
    "exactly 0."
)
def small_weights_left_out(weights):
    return -torch.xlogy(weights, weights).masked_fill(weights <= 0.1, 0).sum(-1)


@entropy_of_weights.mistake(
    "Your code leaves out weights below about 0.01, which add something to the entropy too. Leave out only weights of "
    "exactly 0."
)
def tiny_weights_left_out(weights):
    return -torch.xlogy(weights, weights).masked_fill(weights <= 0.01, 0).sum(-1)


@entropy_of_weights.mistake(
    "Your entropy is divided by log(S), so equal weights give 1. Return the entropy itself, from 0 to log(S)."
)
def normalised(weights):
    return -torch.xlogy(weights, weights).sum(-1) / math.log(max(weights.size(-1), 2))


@entropy_of_weights.mistake(
    "Your entropy is divided by log(S), so equal weights give 1, and a single key gives 0 / 0. Return the entropy "
    "itself, from 0 to log(S)."
)
def normalised_always(weights):
    return -torch.xlogy(weights, weights).sum(-1) / math.log(weights.size(-1))


@entropy_of_weights.mistake(
    "Your code sums over the queries, so there is one number for each key. Sum over the keys, the last axis: each "
    "query has its own entropy."
)
def entropy_over_queries(weights):
    return -torch.xlogy(weights, weights).sum(0)


@entropy_of_weights.mistake(
    "Your code does not sum: it returns what each key adds. Sum over the keys, the last axis, so that each query has "
    "one number."
)
def not_summed(weights):
    return -torch.xlogy(weights, weights)


@entropy_of_weights.mistake(
    "Your entropy is divided by the number of keys, as a mean over the keys is. The entropy is the sum over the keys."
)
def mean_over_keys(weights):
    return -torch.xlogy(weights, weights).mean(-1)


@entropy_of_weights.mistake(
    "Your code sums over all keys and all queries. Sum over the keys only, since each query has its own entropy. Note "
    "that a mask as index, `weights[weights > 0]`, makes one row of all weights."
)
def total(weights):
    return -torch.xlogy(weights, weights).sum()


@entropy_of_weights.mistake(
    "Your code sums the logarithms alone. Multiply each logarithm by its weight before you add up."
)
def not_weighted(weights):
    return -torch.where(weights > 0, weights, 1.0).log().sum(-1)


@entropy_of_weights.mistake(
    "Your code adds 1 inside the logarithm, as `log1p` does, which changes the term of every positive weight. Take the "
    "logarithm of the weight itself, and treat weights of 0 separately."
)
def one_added(weights):
    return -(weights * torch.log1p(weights)).sum(-1)


@entropy_of_weights.mistake(
    "The number that you add inside the logarithm is large enough to change the entropy. Use a tiny one such as 1e-9, "
    "or replace only the weights of 0."
)
def large_number_added(weights):
    return -(weights * (weights + 1e-3).log()).sum(-1)


@entropy_of_weights.mistake(
    "Your result is the sum of a · (1 − a), which is 1 minus the sum of the squares. The entropy is minus the sum of a "
    "· ln a."
)
def size_of_the_gradient(weights):
    return (weights * (1 - weights)).sum(-1)


@entropy_of_weights.mistake(
    "Your result is the entropy of the softmax of `weights`, which are weights already. Compute the entropy of the "
    "weights as they are."
)
def softmax_again(weights):
    return torch.special.entr(torch.softmax(weights, -1)).sum(-1)


@entropy_of_weights.mistake(
    "Your result is the exponential of the entropy, an effective number of keys. Return the entropy itself."
)
def exponential_of_the_entropy(weights):
    return torch.special.entr(weights).sum(-1).exp()


@entropy_of_weights.mistake(
    "Two things are missing: the minus in front of the sum, and a way to treat weights of 0, whose logarithm makes "
    "NaN. A key without weight should add 0."
)
def sign_forgotten_and_zero_times_infinity(weights):
    return (weights * weights.log()).sum(-1)


@entropy_of_weights.mistake(
    "Your code sums over the queries instead of the keys, and a weight of 0 makes NaN. Sum over the last axis, and let "
    "a key without weight add 0."
)
def over_queries_and_zero_times_infinity(weights):
    return -(weights * weights.log()).sum(0)


@entropy_of_weights.mistake(
    "Your code sums over all keys and all queries, and a weight of 0 makes NaN. Sum over the last axis only, and let a "
    "key without weight add 0."
)
def total_and_zero_times_infinity(weights):
    return -(weights * weights.log()).sum()


@entropy_of_weights.right_for_whole_course
def by_entr(w):
    return torch.special.entr(w).sum(-1)


entropy_of_weights.right(lambda w: -(w * w.clamp_min(1e-12).log()).sum(dim=1))
entropy_of_weights.right(lambda w: -(w * torch.log(w + 1e-9)).sum(-1))
entropy_of_weights.right(lambda w: -torch.nansum(w * w.log(), dim=-1))


@entropy_of_weights.right
def entropy_in_loops(weights):
    return torch.tensor([sum(-p * math.log(p) for p in row if p > 0) for row in weights.tolist()])


entropy_of_weights.right(lambda w: torch.distributions.Categorical(probs=w).entropy())
entropy_of_weights.right(lambda w: -(w * w.masked_fill(w == 0, 1).log()).sum(-1))
entropy_of_weights.right(lambda w: -(w * w.log()).nan_to_num(0).sum(1))
