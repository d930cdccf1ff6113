"""The exercise `length_penalty` of notebook 08."""

import math

import numpy as np
import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.writing import beam

length_penalty = Exercise(
    reference=beam.length_penalty,
    notebook=8,
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
        "The formula is a fraction, raised to alpha above and below. What should it be for a text of one token?",
        "Above the line 5 + length, below 5 + 1: both are raised to alpha.",
        "Python's power is `**`, and it binds before `/`: mind what the brackets hold together.",
    ),
)


@length_penalty.mistake(
    "That is length^alpha, as fairseq has it. Here it is the formula of Wu et al.: 5 is added above, and all is "
    "divided by 5 + 1."
)
def plain_power(length, alpha):
    return float(length**alpha)


@length_penalty.mistake(
    "Yours is upside down: it falls with the length. It divides a log-probability, so that it should grow."
)
def upside_down(length, alpha):
    return 1 / beam.length_penalty(length, alpha)


@length_penalty.mistake(
    "The part below the line is missing: divided by (5 + 1)^alpha, so that a text of one token has a penalty of 1."
)
def not_divided(length, alpha):
    return float((5 + length) ** alpha)


@length_penalty.mistake("You multiply by alpha. It is the exponent.")
def factor(length, alpha):
    return alpha * (5 + length) / 6


@length_penalty.mistake("You add 6 above the line. It is 5 + length there: a text of one token has a penalty of 1.")
def six_above(length, alpha):
    return float(((6 + length) / 6) ** alpha)


@length_penalty.mistake("You divide by 5. Below the line stands 5 + 1: a text of one token has a penalty of 1.")
def five_below(length, alpha):
    return float(((5 + length) / 5) ** alpha)


@length_penalty.mistake(
    "Only what stands above the line is raised to alpha in yours. What stands below is too: (5 + 1)^alpha."
)
def power_above_only(length, alpha):
    return float((5 + length) ** alpha / 6)


@length_penalty.right_for_whole_course
def by_logarithms(n, a):
    return math.exp(a * (math.log(5 + n) - math.log(6)))


length_penalty.right(lambda length, alpha: (5 + length) ** alpha / (5 + 1) ** alpha)
length_penalty.right(lambda length, alpha: np.float32((5 + length) / 6) ** np.float32(alpha))
length_penalty.right(lambda n, a: torch.tensor((5 + n) / 6.0).pow(a))
