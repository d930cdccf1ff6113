"""The exercise `text_log_probability` of notebook 08."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.writing import choose


def as_a_tensor(answer: Any) -> Callable[..., Any]:
    """Refuse a plain number: the answer should return a tensor."""

    def function(logits: Tensor, ids: Tensor) -> Any:
        log_probability = call_directly(answer)(logits, ids)
        if isinstance(log_probability, int | float):
            raise TypeError("a tensor is wanted, but you return a number: leave out `.item()` or `float`")
        return log_probability

    return function


IDS = torch.tensor([1, 4, 0])

text_log_probability = Exercise(
    reference=choose.text_log_probability,
    notebook=8,
    order=10,
    minutes=5,
    difficulty=1,
    adapt=as_a_tensor,
    returns=(Result("the log-probability"),),
    example=case(fixed_tensor(3, 5), IDS),
    another=case(fixed_tensor(3, 5, seed=1), IDS),
    cases=(
        case(fixed_tensor(1, 4), torch.tensor([2]), having=("a single token",)),
        case(fixed_tensor(4, 4), torch.tensor([3, 1, 0, 0]), having=("as many tokens as the vocabulary has",)),
        case(fixed_tensor(3, 5) * 100, IDS, having=("huge numbers",)),
        case(fixed_tensor(150, 6), torch.arange(150) % 6, having=("a long text",)),
        case(fixed_tensor(3, 5, dtype=torch.float64), IDS, having=("float64 numbers",)),
    ),
    hints=(
        (
            "The probability of a text is a product: that of its first token, times that of its second after the "
            "first, and so on. What does a logarithm make of a product?"
        ),
        (
            "`torch.log_softmax` over the last axis gives ln p of all V tokens at every position. One number in each "
            "row is that of the token which stands in the text."
        ),
        "Pick the number ids[t] out of row t, by `gather` or by two indices side by side, and add all T of them up.",
    ),
)


@text_log_probability.mistake(
    "Yours is the probability, a product. For a long text that is 0 to any computer: add up the logarithms."
)
def probability(logits, ids):
    return choose.text_log_probability(logits, ids).exp()


@text_log_probability.mistake(
    "You multiplied first and took the logarithm then. The product of a long text is too small for a computer, and ln "
    "0 is minus infinity: logarithms first, then their sum."
)
def logarithm_of_the_product(logits, ids):
    return logits.softmax(-1)[torch.arange(len(ids)), ids].prod().log()


@text_log_probability.mistake(
    "The softmax makes very unlikely tokens 0, and ln 0 is minus infinity: `torch.log_softmax` does both in one."
)
def logarithm_of_the_softmax(logits, ids):
    return logits.softmax(-1)[torch.arange(len(ids)), ids].log().sum()


@text_log_probability.mistake(
    "You took the mean, as a loss does. The log-probability of a text is the sum over all its tokens."
)
def mean(logits, ids):
    return choose.text_log_probability(logits, ids) / len(ids)


@text_log_probability.mistake(
    "You added logits up. A logit alone says nothing, since only differences count: `log_softmax` first."
)
def raw_logits(logits, ids):
    return logits[torch.arange(len(ids)), ids].sum()


@text_log_probability.mistake(
    "Your softmax runs over the positions, so that tokens at different positions compete. At each position the V "
    "tokens do: the last axis."
)
def over_the_positions(logits, ids):
    return logits.log_softmax(0)[torch.arange(len(ids)), ids].sum()


@text_log_probability.mistake(
    "Yours is above 0: that is the surprise. A log-probability is the logarithm itself, at most 0, without a minus."
)
def surprise(logits, ids):
    return -choose.text_log_probability(logits, ids)


@text_log_probability.mistake("Yours is in bits, by the logarithm to base 2. Here it is the natural one: nats.")
def in_bits(logits, ids):
    return choose.text_log_probability(logits, ids) / math.log(2)


@text_log_probability.mistake("You took the logarithm to base 10. Here it is the natural one, `log`: nats.")
def in_base_ten(logits, ids):
    return choose.text_log_probability(logits, ids) / math.log(10)


@text_log_probability.mistake(
    "You compare row t with the next token. Here row t already is the prediction of ids[t]: nothing is to be shifted."
)
def shifted(logits, ids):
    return choose.text_log_probability(logits[:-1], ids[1:])


@text_log_probability.mistake(
    "That is the last token only. Every token of the text has its share: add all T of them up."
)
def last_token(logits, ids):
    return choose.text_log_probability(logits[-1:], ids[-1:])


@text_log_probability.right_for_whole_course
def by_cross_entropy(logits, ids):
    return -F.cross_entropy(logits, ids, reduction="sum")


text_log_probability.right(lambda logits, ids: (logits[range(len(ids)), ids] - logits.logsumexp(1)).sum())
text_log_probability.right(
    lambda logits, ids: torch.einsum("tv,tv->", F.log_softmax(logits, -1), F.one_hot(ids, logits.size(1)).to(logits))
)
text_log_probability.right(lambda logits, ids: logits.log_softmax(-1).gather(1, ids[:, None]).sum(0))


@text_log_probability.right
def text_in_a_loop(logits, ids):
    total = 0
    for row, token in zip(logits, ids, strict=True):
        total = total + row.log_softmax(0)[token]
    return total
