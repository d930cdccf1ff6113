"""The exercise `text_log_probability` of notebook 09."""

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
            raise TypeError(
                "your code returns a number, but it should return a tensor: leave out `.item()` or `float`."
            )
        return log_probability

    return function


def explain_a_floor(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that no token's log-probability falls below a certain number; "" if two unlikely tokens have different ones.

    Their log-probabilities should be −200 and −400.
    """
    unlikely = (torch.tensor([[0.0, -200.0]]), torch.tensor([[0.0, -400.0]]))
    first, second = (float(call_directly(answer)(logits, torch.tensor([1]))) for logits in unlikely)
    if not (first == second and -200 < first < -1):
        return ""
    return (
        f"In your code, no log-probability of a token falls below −{-first:.4g}, however unlikely the token is. A "
        "small number added to the probabilities does that, and so does a lower limit for them. Use "
        "`torch.log_softmax`, which needs neither."
    )


IDS = torch.tensor([1, 4, 0])

text_log_probability = Exercise(
    reference=choose.text_log_probability,
    notebook=9,
    order=10,
    minutes=5,
    difficulty=1,
    adapt=as_a_tensor,
    explain=explain_a_floor,
    returns=(Result("the log-probability"),),
    example=case(fixed_tensor(3, 5), IDS),
    another=case(fixed_tensor(3, 5, seed=1), IDS),
    cases=(
        case(fixed_tensor(1, 4), torch.tensor([2]), having=("a single token",)),
        case(fixed_tensor(4, 4), torch.tensor([3, 1, 0, 0]), having=("as many tokens as the vocabulary has",)),
        case(fixed_tensor(3, 5) * 100, IDS, having=("huge numbers",)),
        case(fixed_tensor(3, 5) + 200, IDS, having=("huge numbers", "huge numbers close together")),
        case(
            fixed_tensor(3, 5) - torch.tensor([[0.0], [300.0], [0.0]]),
            IDS,
            having=("a row far below the others", "huge numbers"),
        ),
        case(fixed_tensor(150, 6), torch.arange(150) % 6, having=("a long text",)),
        case(fixed_tensor(3, 5, dtype=torch.float64), IDS, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Begin with the first row of logits. How do you get ln p of all V tokens from it, and which of those "
            "numbers belongs to the text?"
        ),
        (
            "`torch.log_softmax` over the last axis turns every row into ln p of the V tokens. From row t you need the "
            "number at position ids[t], and the T numbers are added up."
        ),
        "`log_p[torch.arange(len(ids)), ids]` takes one number from each row. `gather` does the same.",
    ),
)


@text_log_probability.mistake(
    "Your code returns the probability, a product that is 0 to a computer if the text is long. Return the sum of the "
    "logarithms."
)
def probability(logits, ids):
    return choose.text_log_probability(logits, ids).exp()


@text_log_probability.mistake(
    "For a long text your result is minus infinity, as if it were the logarithm of a product, which is 0 to a "
    "computer. Take the logarithms first, then their sum."
)
def logarithm_of_the_product(logits, ids):
    return logits.softmax(-1)[torch.arange(len(ids)), ids].prod().log()


@text_log_probability.mistake(
    "Where a token is very unlikely, your result is minus infinity, as if it came from the logarithm of a softmax "
    "that is 0. Use `torch.log_softmax`, which computes both in one step."
)
def logarithm_of_the_softmax(logits, ids):
    return logits.softmax(-1)[torch.arange(len(ids)), ids].log().sum()


@text_log_probability.mistake(
    "For a row of logits far below the others your result is infinite or NaN: every exponential is 0 there, and ln 0 "
    "is minus infinity. Subtract the largest logit of each row first, or use `log_softmax`, which does so."
)
def largest_logit_of_all_rows(logits, ids):
    lower = logits - logits.max()
    return (lower[torch.arange(len(ids)), ids] - lower.exp().sum(-1).log()).sum()


@text_log_probability.mistake(
    "Your code takes the mean, as a loss does. The log-probability of a text is the sum over all its tokens."
)
def mean(logits, ids):
    return choose.text_log_probability(logits, ids) / len(ids)


@text_log_probability.mistake(
    "Your code adds up logits. A logit alone says nothing, because only differences between logits count: take "
    "`log_softmax` first."
)
def raw_logits(logits, ids):
    return logits[torch.arange(len(ids)), ids].sum()


@text_log_probability.mistake(
    "Your result is that of a softmax over the positions, in which different positions compete. At each position the "
    "V tokens compete: take the softmax over the last axis."
)
def over_the_positions(logits, ids):
    return logits.log_softmax(0)[torch.arange(len(ids)), ids].sum()


@text_log_probability.mistake(
    "Your result is above 0: it is the surprise. A log-probability is the logarithm itself, without a minus, and at "
    "most 0."
)
def surprise(logits, ids):
    return -choose.text_log_probability(logits, ids)


@text_log_probability.mistake(
    "Your result is in bits, as with logarithms to base 2. Use the natural logarithm, which gives nats."
)
def in_bits(logits, ids):
    return choose.text_log_probability(logits, ids) / math.log(2)


@text_log_probability.mistake(
    "Your result is that of logarithms to base 10. Use the natural logarithm, `log`, which gives nats."
)
def in_base_ten(logits, ids):
    return choose.text_log_probability(logits, ids) / math.log(10)


@text_log_probability.mistake(
    "Your code compares row t with the token after ids[t]. Row t already predicts ids[t], so do not shift anything."
)
def shifted(logits, ids):
    return choose.text_log_probability(logits[:-1], ids[1:])


@text_log_probability.mistake(
    "Your code returns the log-probability of the last token only. Add up those of all T tokens."
)
def last_token(logits, ids):
    return choose.text_log_probability(logits[-1:], ids[-1:])


@text_log_probability.mistake("Your code uses the first token only. Add up the log-probabilities of all T tokens.")
def first_token(logits, ids):
    return choose.text_log_probability(logits[:1], ids[:1])


@text_log_probability.mistake(
    "Your code adds up the log-probabilities of the likeliest tokens. Pick the tokens of the text: the number ids[t] "
    "from row t."
)
def of_the_likeliest(logits, ids):
    return logits.log_softmax(-1).amax(-1).sum()


@text_log_probability.mistake(
    "Your code adds up all V log-probabilities of every row. Pick one number from each row: that of the token ids[t]."
)
def of_all_tokens(logits, ids):
    return logits.log_softmax(-1).sum()


@text_log_probability.mistake(
    "Your sum takes T numbers from every row, as the index `[:, ids]` does. Take one number from each: "
    "`log_p[torch.arange(len(ids)), ids]`."
)
def from_every_row(logits, ids):
    return logits.log_softmax(-1)[:, ids].sum()


@text_log_probability.mistake(
    "Your code has two mistakes. It takes T numbers from every row, as the index `[:, ids]` does, instead of one from "
    "each: `log_p[torch.arange(len(ids)), ids]`. And it takes their mean, but the log-probability of a text is the "
    "sum."
)
def mean_from_every_row(logits, ids):
    return logits.log_softmax(-1)[:, ids].mean()


@text_log_probability.mistake("Your code adds up probabilities. Add up their logarithms: use `log_softmax`.")
def probabilities_added(logits, ids):
    return logits.softmax(-1)[torch.arange(len(ids)), ids].sum()


@text_log_probability.mistake(
    "Your code adds up the probabilities and then takes the logarithm. Take the logarithm of each, then the sum."
)
def logarithm_of_the_sum(logits, ids):
    return logits.softmax(-1)[torch.arange(len(ids)), ids].sum().log()


@text_log_probability.mistake(
    "Your code returns one number for each token. The log-probability of the text is their sum."
)
def not_added(logits, ids):
    return logits.log_softmax(-1)[torch.arange(len(ids)), ids]


@text_log_probability.mistake(
    "Your result is that of a softmax before the log-softmax. Pass the logits on as they come in."
)
def softmaxed_twice(logits, ids):
    return choose.text_log_probability(logits.softmax(-1), ids)


@text_log_probability.mistake(
    "For huge logits your result is infinite or NaN, as when their exponentials overflow. Use `torch.log_softmax`, "
    "which takes the largest logit out first."
)
def overflowing(logits, ids):
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return p[torch.arange(len(ids)), ids].log().sum()


@text_log_probability.mistake(
    "For huge logits your result is infinite or NaN, as when the sum of their exponentials overflows. "
    "`torch.logsumexp` and `torch.log_softmax` take the largest logit out first."
)
def overflowing_sum(logits, ids):
    return (logits[torch.arange(len(ids)), ids] - logits.exp().sum(-1).log()).sum()


@text_log_probability.mistake(
    "Your result is that of one softmax over all the logits at once. Every position has a distribution of its own: "
    "take it over the last axis."
)
def softmax_over_all(logits, ids):
    return logits.flatten().log_softmax(0).view_as(logits)[torch.arange(len(ids)), ids].sum()


ONE_NORMALISER = (
    "Your result is the sum of the chosen logits minus a single logarithm, that of the sum of all exponentials in all "
    "rows. Each row has a normaliser of its own: subtract `logsumexp` for each row, T times."
)


@text_log_probability.mistake(ONE_NORMALISER)
def one_normaliser(logits, ids):
    return logits[torch.arange(len(ids)), ids].sum() - logits.flatten().logsumexp(0)


@text_log_probability.mistake(ONE_NORMALISER + " Unlike the exponentials of huge logits, it does not overflow.")
def one_normaliser_that_overflows(logits, ids):
    return logits[torch.arange(len(ids)), ids].sum() - logits.exp().sum().log()


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
