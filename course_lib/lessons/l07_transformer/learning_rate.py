"""The exercise `learning_rate` of notebook 07."""

import math

import numpy as np
import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import schedules

learning_rate = Exercise(
    reference=schedules.learning_rate,
    notebook=7,
    order=60,
    minutes=3,
    difficulty=1,
    returns=(Result("the learning rate"),),
    example=case(1, 512, 4000),
    another=case(2, 512, 4000),
    cases=(
        case(4000, 512, 4000, having=("the last step of the warm-up",)),
        case(100_000, 512, 4000, having=("steps after the warm-up",)),
        case(50, 64, 10, having=("steps after the warm-up", "a narrow model")),
        case(3, 64, 10, having=("a narrow model",)),
        case(16, 4, 1000, having=("a warm-up of 1000 steps", "a narrow model")),
        case(2_000_000, 256, 300, having=("steps after the warm-up", "a very late step")),
        case(5, 128, 1, having=("a warm-up of one step", "steps after the warm-up")),
    ),
    hints=(
        (
            "Work out both terms of the minimum by hand for `warmup` = 4, at the steps 1, 4 and 16. Which of them is "
            "the smaller one, and when?"
        ),
        "Python's power is `**`. It binds more tightly than `*`, and −0.5 needs no brackets after it.",
        "The falling term is `step**-0.5`. Write the rising term in the same way. Which function takes the smaller?",
    ),
)


@learning_rate.mistake(
    "Your code takes the larger of the two terms, so that the rate falls during the warm-up and rises after it. Take "
    "the smaller one."
)
def the_larger(step, d_model, warmup):
    return float(d_model**-0.5 * max(step**-0.5, step * warmup**-1.5))


@learning_rate.mistake(
    "In the calls tried, your rising term is step / warmup · 1.5. It should be step · warmup^−1.5, a power: "
    "`step * warmup**-1.5`."
)
def factor_for_a_power(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, step / warmup * 1.5))


@learning_rate.mistake("The factor d_model^−0.5 is missing in your code. It makes wider models learn in smaller steps.")
def width_forgotten(step, d_model, warmup):
    return float(min(step**-0.5, step * warmup**-1.5))


@learning_rate.mistake(
    "Your code computes the rate of the step before. Steps count from 1 here, and at step 1 the rate is already above "
    "0.",
    seen="https://github.com/karpathy/nanoGPT/issues/578",
)
def steps_from_zero(step, d_model, warmup):
    return schedules.learning_rate(step - 1, d_model, warmup) if step > 1 else 0.0


@learning_rate.mistake(
    "Your rate rises and then stays where it is. After the warm-up it should fall with the square root of the step.",
    seen="https://github.com/facebookresearch/ParlAI/issues/4384",
)
def never_down(step, d_model, warmup):
    return schedules.learning_rate(min(step, warmup), d_model, warmup)


@learning_rate.mistake(
    "There is no warm-up in your code: the rate is highest at the first step. Take the smaller of step^−0.5 and step · "
    "warmup^−1.5."
)
def no_warm_up(step, d_model, warmup):
    return float(d_model**-0.5 * step**-0.5)


@learning_rate.mistake(
    "Your rising term is step / warmup. At step = warmup both terms should be equal, so it is step · warmup^−1.5."
)
def too_steep(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, step / warmup))


@learning_rate.mistake(
    "During the warm-up, your rate rises with the square root of the step. It should rise in a straight line: d_model^"
    "−0.5 times step · warmup^−1.5."
)
def rising_with_the_root_of_the_step(step, d_model, warmup):
    return float(d_model**-0.5 * step**-0.5 * min(1, step / warmup))


@learning_rate.mistake(
    "Your factor is d_model^0.5, which grows with the width. The exponent is negative: d_model^−0.5."
)
def wider_is_faster(step, d_model, warmup):
    return float(d_model**0.5 * min(step**-0.5, step * warmup**-1.5))


@learning_rate.mistake("Your code divides by d_model. The factor is d_model^−0.5, so divide by its square root.")
def divided_by_the_width(step, d_model, warmup):
    return min(step**-0.5, step * warmup**-1.5) / d_model


@learning_rate.mistake(
    "Your code multiplies only the falling term by d_model^−0.5. The factor belongs to both: put it outside the "
    "minimum."
)
def factor_inside(step, d_model, warmup):
    return float(min(d_model**-0.5 * step**-0.5, step * warmup**-1.5))


@learning_rate.mistake(
    "Your code computes the rate of the next step. Steps count from 1 already: use `step` as it is, without + 1."
)
def one_step_ahead(step, d_model, warmup):
    return schedules.learning_rate(step + 1, d_model, warmup)


@learning_rate.mistake(
    "Your rate only rises: it is the second term alone. After the warm-up the first term, step^−0.5, is smaller: take "
    "the minimum of both."
)
def rising_for_ever(step, d_model, warmup):
    return float(d_model**-0.5 * step * warmup**-1.5)


@learning_rate.mistake("Your first term is step^0.5, which rises. Its exponent is negative: step^−0.5.")
def rising_with_the_root(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**0.5, step * warmup**-1.5))


@learning_rate.mistake("Your second term is step · warmup^−0.5. Its exponent is −1.5: step · warmup^−1.5.")
def the_other_exponent(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, step * warmup**-0.5))


@learning_rate.mistake(
    "Your second term is step^−1.5 · warmup: the two are swapped. It is step · warmup^−1.5, which rises with the step."
)
def step_and_warmup_swapped(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, warmup * step**-1.5))


@learning_rate.mistake("Your code adds the two terms. Take the smaller one: `min`.")
def added(step, d_model, warmup):
    return float(d_model**-0.5 * (step**-0.5 + step * warmup**-1.5))


@learning_rate.mistake(
    "Your code divides the step by the warm-up without a fraction, as `step // warmup` does, so that your rate is 0 "
    "until the warm-up ends. Divide with `/`, or multiply by warmup^−1.5."
)
def rounded_down(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, step // warmup * warmup**-0.5))


@learning_rate.mistake("Your rate falls as 1 / step after the warm-up. It should fall with the square root: step^−0.5.")
def falling_too_fast(step, d_model, warmup):
    return float(d_model**-0.5 * min(1 / step, step * warmup**-1.5))


@learning_rate.mistake(
    "Your code multiplies only the rising term by d_model^−0.5. The factor belongs to both: put it outside the minimum."
)
def factor_in_the_rising_term(step, d_model, warmup):
    return min(step**-0.5, float(d_model**-0.5) * step * warmup**-1.5)


@learning_rate.mistake(
    "Your second term is (step · warmup)^−1.5. The exponent belongs to warmup alone: step · warmup^−1.5, which rises "
    "with the step."
)
def exponent_of_the_product(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, (step * warmup) ** -1.5))


@learning_rate.mistake(
    "Your second term is (step / warmup)^1.5. The exponent belongs to warmup alone: step · warmup^−1.5, which rises "
    "with the step."
)
def exponent_of_the_share(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, (step / warmup) ** 1.5))


@learning_rate.mistake(
    "Your powers are half of x^−1 and half of x^−3, as with `x ** -1/2` and `x ** -3/2`, where Python computes the "
    "power before it divides. Write `x ** -0.5` and `x ** -1.5`, or put the exponent in brackets."
)
def powers_without_brackets(step, d_model, warmup):
    return float(d_model**-1 / 2 * min(step**-1 / 2, step * warmup**-3 / 2))


@learning_rate.mistake(
    "Your factor of the rising term is half of warmup^−3, as with `warmup ** -3/2`, where Python computes the power "
    "before it divides. Write `warmup ** -1.5`, or put the exponent in brackets."
)
def power_of_warmup_without_brackets(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, step * warmup**-3 / 2))


@learning_rate.mistake(
    "After the warm-up, your rate falls as (step − warmup)^−0.5: it counts from the end of the warm-up. The falling "
    "term counts all steps, those of the warm-up included: step^−0.5."
)
def falling_from_the_end_of_the_warm_up(step, d_model, warmup):
    if step <= warmup:
        return schedules.learning_rate(step, d_model, warmup)
    return float(d_model**-0.5 * (step - warmup) ** -0.5)


@learning_rate.right_for_whole_course
def by_cases(step, d, w):
    return d**-0.5 * (step * w**-1.5 if step < w else step**-0.5)


learning_rate.right(
    lambda step, d, w: np.float32(d) ** -0.5 * np.minimum(np.float32(step) ** -0.5, step * np.float32(w) ** -1.5)
)


@learning_rate.right
def rate_in_torch(step, d_model, warmup):
    return torch.tensor([step**-0.5, step / warmup**1.5]).min() / math.sqrt(d_model)
