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
    minutes=5,
    difficulty=1,
    returns=(Result("the learning rate"),),
    example=case(1, 512, 4000),
    another=case(2, 512, 4000),
    cases=(
        case(4000, 512, 4000, having=("the last step of the warm-up",)),
        case(100_000, 512, 4000, having=("steps after the warm-up",)),
        case(50, 64, 10, having=("steps after the warm-up",)),
        case(3, 64, 10, having=("a narrow model",)),
        case(5, 128, 1, having=("a warm-up of one step",)),
    ),
    hints=(
        (
            "Two curves that cross at step = warmup: one goes up in a line, the other down with the root. The rate is "
            "always the lower one."
        ),
        "Down: step^−0.5. Up: step · warmup^−1.5. Both times d_model^−0.5.",
        "`min(…)` of the two, times `d_model**-0.5`.",
    ),
)


@learning_rate.mistake(
    "You took the larger of the two. Then the rate starts at its highest, and never comes down: take the smaller."
)
def the_larger(step, d_model, warmup):
    return float(d_model**-0.5 * max(step**-0.5, step * warmup**-1.5))


@learning_rate.mistake(
    "The shape is right, but the factor d_model^−0.5 is missing: wider models learn in smaller steps."
)
def width_forgotten(step, d_model, warmup):
    return float(min(step**-0.5, step * warmup**-1.5))


@learning_rate.mistake(
    "You count one step less. Steps count from 1 here: at step 1 the rate is above 0.",
    seen="https://github.com/karpathy/nanoGPT/issues/578",
)
def steps_from_zero(step, d_model, warmup):
    return schedules.learning_rate(step - 1, d_model, warmup) if step > 1 else 0.0


@learning_rate.mistake(
    "Your rate goes up and stays there. After the warm-up it comes down, with the root of the step.",
    seen="https://github.com/facebookresearch/ParlAI/issues/4384",
)
def never_down(step, d_model, warmup):
    return schedules.learning_rate(min(step, warmup), d_model, warmup)


@learning_rate.mistake(
    "There is no warm-up: your rate is highest at the first step. The second term holds it down at the beginning."
)
def no_warm_up(step, d_model, warmup):
    return float(d_model**-0.5 * step**-0.5)


@learning_rate.mistake(
    "Your line goes up to another height than where the curve begins. At step = warmup both terms are warmup^−0.5, so "
    "the line is step · warmup^−1.5."
)
def too_steep(step, d_model, warmup):
    return float(d_model**-0.5 * min(step**-0.5, step / warmup))


@learning_rate.right_for_whole_course
def by_cases(step, d, w):
    return d**-0.5 * (step * w**-1.5 if step < w else step**-0.5)


learning_rate.right(
    lambda step, d, w: np.float32(d) ** -0.5 * np.minimum(np.float32(step) ** -0.5, step * np.float32(w) ** -1.5)
)


@learning_rate.right
def rate_in_torch(step, d_model, warmup):
    return torch.tensor([step**-0.5, step / warmup**1.5]).min() / math.sqrt(d_model)
