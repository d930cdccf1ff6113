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
    returns=(Result("the result", "…"),),
    example=case(torch.tensor([-1.0, 0.0, 1.0])),
    another=case(torch.tensor([-2.0, 0.5, 3.0])),
    cases=(
        case(fixed_tensor(2, 3, 4), having=("several axes",)),
        case(fixed_tensor(6, seed=1) * 10, having=("large numbers",)),
        case(fixed_tensor(6, seed=3, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Work out Φ(x) first. What is it at x = 0, far to the left, and far to the right?",
        (
            "Φ(x) rises from 0 to 1. `torch.erf` draws the same curve, but it rises from −1 to 1, and it is stretched "
            "by √2."
        ),
        "The argument of erf is `x / math.sqrt(2)`. What brings a number from −1 … 1 to 0 … 1?",
    ),
)


@gelu.mistake(
    "Your result is ReLU, which cuts every negative number to 0. GELU is smooth, and lets a little of the negative "
    "numbers through."
)
def rectified(x):
    return torch.relu(x)


@gelu.mistake("Your code returns the share Φ(x) alone. GELU multiplies it by x.")
def only_the_share(x):
    return (1 + torch.erf(x / math.sqrt(2))) / 2


@gelu.mistake(
    "Your code multiplies x by the bell curve itself, φ(x). GELU takes the area under the bell curve up to x, which is "
    "Φ(x)."
)
def by_the_density(x):
    return x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


@gelu.mistake(
    "Your Φ(x) is (1 + erf(x)) / 2, without the √2. Divide x by √2 inside `erf`: Φ(x) = (1 + erf(x / √2)) / 2."
)
def without_the_root(x):
    return x * (1 + torch.erf(x)) / 2


@gelu.mistake("Your Φ(x) is (1 + erf(x) / √2) / 2. The √2 belongs inside `erf`, whose argument is x / √2.")
def root_outside(x):
    return x * (1 + torch.erf(x) / math.sqrt(2)) / 2


@gelu.mistake("Your Φ(x) is (1 + erf(x · √2)) / 2. The argument of `erf` is x / √2: divide by √2, not by 1 / √2.")
def multiplied_by_the_root(x):
    return x * (1 + torch.erf(x * math.sqrt(2))) / 2


@gelu.mistake("Your Φ(x) is (1 + erf(x / 2)) / 2. The argument of `erf` is x / √2.")
def halved_inside(x):
    return x * (1 + torch.erf(x / 2)) / 2


@gelu.mistake(
    "Your Φ(x) is (1 + erf(x / 4)) / 2, as with `x / 2 ** 1/2`, where Python computes `2 ** 1` first and then divides "
    "twice. The argument of `erf` is x / √2: write `math.sqrt(2)`, or `2 ** 0.5`."
)
def power_without_brackets(x):
    return x * (1 + torch.erf(x / 4)) / 2


@gelu.mistake(
    "Your Φ(x) falls as x grows: it is 1 minus the right one. It should rise from 0 to 1: Φ(x) = (1 + erf(x / √2)) / 2."
)
def falling_share(x):
    return x * (1 - torch.erf(x / math.sqrt(2))) / 2


@gelu.mistake("Your Φ(x) is erf(x / √2) / 2, which runs from −½ to ½. The 1 is missing: Φ(x) = (1 + erf(x / √2)) / 2.")
def one_forgotten(x):
    return x * torch.erf(x / math.sqrt(2)) / 2


@gelu.mistake(
    "In your code, x multiplies only the 1, and `erf` is added afterwards. The factor x / 2 belongs to the whole sum: "
    "put 1 + erf(x / √2) in brackets."
)
def without_brackets(x):
    return x / 2 + torch.erf(x / math.sqrt(2))


@gelu.mistake(
    "In your code, x multiplies only `erf`, and the 1 is added afterwards. The factor x / 2 belongs to the whole sum: "
    "put 1 + erf(x / √2) in brackets."
)
def one_added_at_the_end(x):
    return x / 2 * torch.erf(x / math.sqrt(2)) + 1


@gelu.mistake(
    "Your result is x · σ(1.702 x), an approximation that the paper gives too. This exercise needs the exact "
    "function, with `erf`."
)
def by_a_sigmoid(x):
    return x * torch.sigmoid(1.702 * x)


@gelu.mistake(
    "Your result is x · σ(x), which is called SiLU or swish. GELU multiplies x by the normal distribution's Φ(x): use "
    "`torch.erf`."
)
def silu(x):
    return F.silu(x)


@gelu.mistake(
    "Your result is the approximation with tanh, which GPT-2 uses. It differs in the fourth digit, and BERT's weights "
    "need the exact function, with `erf`.",
    seen="https://github.com/kyutai-labs/pocket-tts/issues/278",
)
def by_tanh(x):
    return F.gelu(x, approximate="tanh")


@gelu.mistake(
    "Your result is the approximation with tanh, but with 0.44715 in place of 0.044715. This exercise needs the exact "
    "function, with `erf`."
)
def by_tanh_with_another_constant(x):
    return x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.44715 * x**3))) / 2


@gelu.mistake(
    "Your result is the approximation with tanh, but with 2 / π in place of its root. This exercise needs the exact "
    "function, with `erf`."
)
def by_tanh_without_the_root(x):
    return x * (1 + torch.tanh(2 / math.pi * (x + 0.044715 * x**3))) / 2


@gelu.mistake(
    "Your result is the approximation with tanh, but √(2 / π) multiplies only x, and not the term with x³. This "
    "exercise needs the exact function, with `erf`."
)
def by_tanh_without_brackets(x):
    return x * (1 + torch.tanh(math.sqrt(2 / math.pi) * x + 0.044715 * x**3)) / 2


@gelu.mistake(
    "Your numbers are right, but your code changes the caller's `x`. Compute a new tensor: `x * …` makes one, and `x "
    "*= …` does not."
)
def in_place(x):
    x *= (1 + torch.erf(x / math.sqrt(2))) / 2
    return x


@gelu.mistake(
    "Your code multiplies x by erf(x / √2), which goes from −1 to 1. Φ goes from 0 to 1: it is (1 + erf(x / √2)) / 2."
)
def times_erf(x):
    return x * torch.erf(x / math.sqrt(2))


@gelu.mistake("Your Φ(x) is ½ + erf(x / √2): only the 1 is halved. Both are: Φ(x) is (1 + erf(x / √2)) / 2.")
def only_the_one_halved(x):
    return x * (0.5 + torch.erf(x / math.sqrt(2)))


@gelu.mistake(
    "Your Φ is taken at (x − mean) / std, with the mean and the standard deviation of all numbers in x. It should be "
    "taken at x itself, whatever the other numbers are: Φ(x) = (1 + erf(x / √2)) / 2."
)
def standardised(x):
    return x * (1 + torch.erf((x - x.mean()) / x.std() / math.sqrt(2))) / 2


@gelu.right_for_whole_course
def by_erfc(x):
    return 0.5 * x * torch.erfc(-x / math.sqrt(2))


gelu.right(F.gelu)
gelu.right(nn.GELU())
gelu.right(lambda x: x * torch.distributions.Normal(0.0, 1.0).cdf(x))
gelu.right(lambda x: x * torch.special.ndtr(x))


@gelu.right
def number_by_number(x):
    numbers = [number * 0.5 * (1 + torch.erf(number / 2**0.5)) for number in x.flatten()]
    return torch.stack(numbers).view(x.shape)
