"""The exercise `apply_temperature` of notebook 08."""

import torch
import torch.nn.functional as F

from course_lib.exercises.adapters import compare_as_distribution
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.writing import choose

apply_temperature = Exercise(
    reference=choose.apply_temperature,
    notebook=8,
    order=30,
    minutes=5,
    difficulty=1,
    adapt=compare_as_distribution,
    returns=(Result("the distribution that your logits give", "..., V"),),
    example=case(fixed_tensor(5), 0.5),
    another=case(fixed_tensor(5, seed=1), 2.0),
    cases=(
        case(fixed_tensor(2, 5), 0.7, having=("a batch",)),
        case(fixed_tensor(5), 1.0, having=("temperature 1",)),
        case(fixed_tensor(5), 0, having=("temperature 0",)),
        case(fixed_tensor(3, 4, seed=2), 0.0, having=("temperature 0", "a batch")),
        case(fixed_tensor(2, 3, 4) - 5, 1.5, having=("two axes before the last", "negative numbers")),
        case(fixed_tensor(5) * 100, 10.0, having=("huge numbers",)),
        case(fixed_tensor(5, dtype=torch.float64), 0.8, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Two tokens whose logits are 2 apart: the softmax makes one e² times as likely as the other. How far apart "
            "should they be where it is half as warm?"
        ),
        "One division does it for every temperature but 0. Think of 0.01 instead: which tokens still have a chance?",
        (
            "At 0, every logit but the largest of its row becomes minus infinity. `argmax` or `max` over the last axis "
            "finds it, and a batch has one in each row."
        ),
    ),
)


@apply_temperature.mistake(
    "You multiplied. The logits are divided by the temperature: warm, above 1, makes them alike."
)
def multiplied(logits, temperature):
    return logits * temperature if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake(
    "You divided twice, so that the distribution follows the temperature's square. Once, on one path.",
    seen="https://github.com/RL-Align/RL-Kernel/issues/81",
)
def twice(logits, temperature):
    return choose.apply_temperature(choose.apply_temperature(logits, temperature), temperature)


@apply_temperature.mistake(
    "You divided probabilities. The temperature divides logits, before the softmax.",
    seen="https://github.com/EricGuo5513/momask-codes/issues/28",
)
def of_probabilities(logits, temperature):
    return logits.softmax(-1) / temperature if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake(
    "You return probabilities. Logits are wanted, since filters and a softmax are still to come."
)
def after_the_softmax(logits, temperature):
    return choose.apply_temperature(logits, temperature).softmax(-1)


@apply_temperature.mistake(
    "At temperature 0 NaN comes out: you divide by zero, or leave no token, or one at plus infinity. What happens as "
    "it gets colder and colder? The likeliest token alone is left: all others become minus infinity.",
    seen="https://github.com/google-deepmind/gemma/issues/562",
)
def by_zero(logits, temperature):
    return logits / temperature


@apply_temperature.mistake(
    "At temperature 0 you change nothing. It is the coldest: the likeliest token alone is left, and all others become "
    "minus infinity."
)
def off_at_zero(logits, temperature):
    return logits / temperature if temperature else logits


@apply_temperature.mistake(
    "The caller's logits are changed by your `/=`: whoever draws again from them divides again, and it piles up. Make "
    "new ones.",
    seen="https://github.com/Adibvafa/CodonTransformer/issues/20",
)
def in_place(logits, temperature):
    if not temperature:
        return choose.apply_temperature(logits, 0)
    logits /= temperature
    return logits


@apply_temperature.mistake(
    "You raised logits to a power. Probabilities would be raised to 1 / T; their logarithms, and so logits, are "
    "divided by T."
)
def raised_to_a_power(logits, temperature):
    return logits ** (1 / temperature) if temperature else choose.apply_temperature(logits, 0)


@apply_temperature.mistake(
    "At temperature 0 you look for one maximum in the whole batch. Each row has a likeliest token of its own: the last "
    "axis."
)
def one_maximum(logits, temperature):
    return (
        choose.apply_temperature(logits, temperature)
        if temperature
        else logits.masked_fill(logits < logits.max(), -1e9)
    )


@apply_temperature.right_for_whole_course
def by_scatter(logits, t):
    if t == 0:
        return torch.full_like(logits, -1e9).scatter(-1, logits.argmax(-1, keepdim=True), 0.0)
    return F.log_softmax(logits, dim=-1) / t


@apply_temperature.right
def temperature_of_log_probabilities(logits, temperature):
    if temperature == 0:
        return torch.where(logits == logits.amax(-1, keepdim=True), logits, float("-inf"))
    return F.log_softmax(logits, dim=-1) / temperature


@apply_temperature.right
def temperature_with_a_large_number(logits, t):
    if t:
        return logits * (1 / t)
    cold = torch.full_like(logits, -1e9)
    return cold.scatter(-1, logits.argmax(-1, keepdim=True), 0.0)


apply_temperature.right(lambda logits, t: (logits - logits.max(-1, keepdim=True)[0]) / max(t, 1e-6))
