"""The exercise `gelu` of notebook 05."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import layers

gelu = Exercise(
    reference=layers.gelu,
    notebook=5,
    order=10,
    minutes=5,
    difficulty=1,
    trained=True,
    returns=(Result("the bent numbers", "…"),),
    example=case(torch.tensor([-1.0, 0.0, 1.0])),
    another=case(torch.tensor([-2.0, 0.5, 3.0])),
    cases=(
        case(fixed_tensor(2, 3, 4), having=("several axes",)),
        case(fixed_tensor(5) * 10, having=("large numbers",)),
        case(fixed_tensor(4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Each number is multiplied by a share between 0 and 1 that depends on the number itself.",
        (
            "The share is Φ(x), the chance that a standard normal draw lies below x. `torch.erf` is the same curve, "
            "but from −1 to 1, and stretched by √2."
        ),
        (
            "Bring erf from −1 … 1 to 0 … 1: add 1, then halve. Divide x by √2 before it goes into erf, and multiply "
            "the share by x."
        ),
    ),
)


@gelu.mistake("That is ReLU: it cuts at 0. GELU bends softly, and lets a little of the negative numbers through.")
def rectified(x):
    return torch.relu(x)


@gelu.mistake("That is the share, Φ(x), alone. It is multiplied by x.")
def only_the_share(x):
    return (1 + torch.erf(x / math.sqrt(2))) / 2


@gelu.mistake("You took the bell curve itself, φ(x). What is wanted is the area below it up to x: Φ(x).")
def by_the_density(x):
    return x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


@gelu.mistake("The √2 inside `erf` is missing: Φ(x) = (1 + erf(x / √2)) / 2.")
def without_the_root(x):
    return x * (1 + torch.erf(x)) / 2


@gelu.mistake(
    "That is x · σ(1.702 x), a quick stand-in that the paper gives too. Here the exact one is wanted, with `erf`."
)
def by_a_sigmoid(x):
    return x * torch.sigmoid(1.702 * x)


@gelu.mistake(
    "That is the tanh stand-in, which GPT-2 uses. It differs in the fourth digit; BERT's weights want the exact one, "
    "with `erf`.",
    seen="https://github.com/kyutai-labs/pocket-tts/issues/278",
)
def by_tanh(x):
    return F.gelu(x, approximate="tanh")


@gelu.mistake("Your share runs from 0 to 2. Halve it: Φ(x) = (1 + erf(x / √2)) / 2.")
def not_halved(x):
    return x * (1 + torch.erf(x / math.sqrt(2)))


@gelu.right_for_whole_course
def by_erfc(x):
    return 0.5 * x * torch.erfc(-x / math.sqrt(2))


gelu.right(F.gelu)
gelu.right(nn.GELU())
gelu.right(lambda x: x * torch.distributions.Normal(0.0, 1.0).cdf(x))
