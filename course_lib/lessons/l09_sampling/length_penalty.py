"""The exercise `length_penalty` of notebook 09."""

import math

import numpy as np
import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.writing import beam

length_penalty = Exercise(
    reference=beam.length_penalty,
    notebook=9,
    order=90,
    minutes=5,
    difficulty=1,
    returns=(Result("the penalty"),),
    example=case(7, 0.6),
    another=case(13, 0.5),
    cases=(
        case(1, 0.6, having=("a single token",)),
        case(9, 0, having=("alpha 0",)),
        case(7, 1.0, having=("alpha 1",)),
        case(100, 0.2, having=("a long text",)),
    ),
    hints=(
        "Work it out by hand for a text of one token, and for a text of 7 tokens with alpha = 1. What comes out?",
        "Numerator and denominator have the same exponent, alpha. Python's power, `**`, binds more tightly than `/`.",
        "`5 + length ** alpha` is not what the formula says. Where do brackets belong?",
    ),
)


@length_penalty.mistake(
    "Your code computes length^alpha, as fairseq does. Use the formula of Wu et al.: (5 + length)^alpha / (5 + "
    "1)^alpha."
)
def plain_power(length, alpha):
    return float(length**alpha)


@length_penalty.mistake(
    "Your penalty is the reciprocal of what it should be, so it falls with the length. It should grow: 5 + length "
    "belongs in the numerator, and the exponent is alpha, not −alpha."
)
def upside_down(length, alpha):
    return 1 / beam.length_penalty(length, alpha)


@length_penalty.mistake(
    "The denominator is missing in your code. Divide by (5 + 1)^alpha, so that a text of one token has a penalty of 1."
)
def not_divided(length, alpha):
    return float((5 + length) ** alpha)


@length_penalty.mistake("Your code multiplies by alpha. Alpha is the exponent: use `**`.")
def factor(length, alpha):
    return alpha * (5 + length) / 6


@length_penalty.mistake(
    "Your numerator is 6 + length. It should be 5 + length, so that a text of one token has a penalty of 1."
)
def six_above(length, alpha):
    return float(((6 + length) / 6) ** alpha)


@length_penalty.mistake("Your denominator is 5. It should be 5 + 1, so that a text of one token has a penalty of 1.")
def five_below(length, alpha):
    return float(((5 + length) / 5) ** alpha)


@length_penalty.mistake(
    "Your code raises only the numerator to the power of alpha. The denominator has the exponent too: (5 + 1)^alpha."
)
def power_above_only(length, alpha):
    return float((5 + length) ** alpha / 6)


@length_penalty.mistake(
    "Your code raises only the length to the power of alpha, as `5 + length ** alpha` does. Put 5 + length in brackets."
)
def power_of_the_length_only(length, alpha):
    return float((5 + length**alpha) / 6**alpha)


@length_penalty.mistake(
    "Your code raises only the length and the 1 to the power of alpha, as without brackets around the sums. Add 5 "
    "first: the power belongs to 5 + length, and to 5 + 1."
)
def powers_without_brackets(length, alpha):
    return float((5 + length**alpha) / (5 + 1**alpha))


@length_penalty.mistake(
    "Your code raises only the denominator to the power of alpha. The numerator has the exponent too: (5 + "
    "length)^alpha."
)
def power_below_only(length, alpha):
    return float((5 + length) / 6**alpha)


@length_penalty.mistake("Your code ignores alpha. Raise the fraction to the power of alpha.")
def without_alpha(length, alpha):
    return (5 + length) / 6


@length_penalty.mistake(
    "In your code, alpha is the base, and the length is in the exponent. It should be the other way round: (5 + "
    "length)^alpha."
)
def base_and_exponent_swapped(length, alpha):
    return float(alpha ** (5 + length) / max(alpha, 1e-9) ** 6)


@length_penalty.mistake("Your fraction is rounded down, as `//` does. Divide with `/`.")
def rounded_down(length, alpha):
    return float(((5 + length) // 6) ** alpha)


@length_penalty.mistake(
    "Your code divides by 5 and then adds 1, as it would without brackets around the denominator. Divide by (5 + 1)."
)
def brackets_missing(length, alpha):
    return float(((5 + length) / 5 + 1) ** alpha)


@length_penalty.mistake("Your numerator is 4 + length. It should be 5 + length, with the length as it is.")
def one_token_fewer(length, alpha):
    return float(((4 + length) / 6) ** alpha)


@length_penalty.mistake(
    "Your code takes the alpha-th root, the power of 1 / alpha. Raise the fraction to the power of alpha."
)
def root(length, alpha):
    return float(((5 + length) / 6) ** (1 / alpha)) if alpha else 1.0


@length_penalty.mistake("Your code returns the logarithm of the penalty. Raise the fraction to the power of alpha.")
def logarithm(length, alpha):
    return alpha * math.log((5 + length) / 6)


@length_penalty.mistake(
    "Your code divides (5 + length)^alpha by 5 and then adds 1, as it would without brackets around 5 + 1. Divide by "
    "(5 + 1)^alpha."
)
def power_without_brackets(length, alpha):
    return float((5 + length) ** alpha / 5 + 1**alpha)


@length_penalty.mistake("Your penalty is rounded down to a whole number. Return it as it is.")
def whole_number(length, alpha):
    return int(beam.length_penalty(length, alpha))


@length_penalty.mistake(
    "Your code divides only the length by 6, as `5 + length / 6` does. Put brackets around the numerator: `(5 + "
    "length) / 6`."
)
def numerator_without_brackets(length, alpha):
    return (5 + length / 6) ** alpha


@length_penalty.mistake(
    "In your code, alpha is a factor above and below, so that it cancels out. Alpha is the exponent: use `**`."
)
def factor_above_and_below(length, alpha):
    return (5 + length) * alpha / (6 * alpha) if alpha else 1.0


@length_penalty.right_for_whole_course
def by_logarithms(n, a):
    return math.exp(a * (math.log(5 + n) - math.log(6)))


length_penalty.right(lambda length, alpha: (5 + length) ** alpha / (5 + 1) ** alpha)
length_penalty.right(lambda length, alpha: np.float32((5 + length) / 6) ** np.float32(alpha))
length_penalty.right(lambda n, a: torch.tensor((5 + n) / 6.0).pow(a))
