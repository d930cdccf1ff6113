"""The exercise `brevity_penalty` of notebook 15."""

import math

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import bleu

brevity_penalty = Exercise(
    reference=bleu.brevity_penalty,
    notebook=15,
    order=30,
    minutes=4,
    difficulty=1,
    returns=(Result("the penalty"),),
    example=case(8, 10),
    another=case(6, 10),
    cases=(
        case(10, 10, having=("equal lengths",)),
        case(12, 10, having=("a translation that is longer",)),
        case(9, 10, having=("a translation that is slightly shorter",)),
        case(1, 100, having=("a very short translation",)),
        case(300, 100, having=("a very long translation", "a translation that is longer")),
        case(0, 10, having=("no words",)),
    ),
    hints=(
        "A translation that says too little can be right in each word. Which lengths should be punished?",
        "Of 8 words against 10, r / c is 10 / 8. For which lengths is the exponent 1 - r / c negative?",
        "`math.exp(1 - reference_length / length)` if the translation is shorter, otherwise 1. Without words it is 0.",
    ),
)


@brevity_penalty.mistake(
    "For a translation that is longer than its references your penalty is more than 1, so its length is rewarded. "
    "Return 1 there: the shares of matching n-grams are already lower for such a text."
)
def rewards_length(length, reference_length):
    return math.exp(1 - reference_length / length) if length else 0.0


@brevity_penalty.mistake(
    "Your fraction is upside down: the exponent has r / c, the references' length over the translation's."
)
def upside_down(length, reference_length):
    return math.exp(1 - length / reference_length) if 0 < length < reference_length else float(length > 0)


@brevity_penalty.mistake(
    "Your penalty is exp(1 - c / r), which is more than 1 where the translation is too short. The exponent has r / c, "
    "the references' length over the translation's, and a translation that is not too short gets 1."
)
def upside_down_at_any_length(length, reference_length):
    return math.exp(1 - length / reference_length) if length else 0.0


@brevity_penalty.mistake(
    "Your penalty is exp(1 - c / r), even for a translation without words. The exponent has r / c, the references' "
    "length over the translation's, where the translation is too short. Without words, the penalty is 0."
)
def upside_down_without_cases(length, reference_length):
    return math.exp(1 - length / reference_length)


@brevity_penalty.mistake(
    "Your penalty is exp(1 - c / r), but at most 1, so it punishes translations that are too long. The exponent has "
    "r / c, the references' length over the translation's."
)
def upside_down_at_most_1(length, reference_length):
    return min(1.0, math.exp(1 - length / reference_length)) if length else 0.0


@brevity_penalty.mistake("Your penalty punishes translations that are too long, and not those that are too short.")
def punishes_long_ones(length, reference_length):
    return bleu.brevity_penalty(reference_length, length)


@brevity_penalty.mistake(
    "Your penalty of a translation that is too short is c / r. It is exp(1 - r / c), which falls faster."
)
def ratio(length, reference_length):
    return min(1.0, length / reference_length)


@brevity_penalty.mistake(
    "Your penalty of a translation that is too short is exp(-r / c). Its exponent is 1 - r / c, which is nearly 0 "
    "where the lengths are nearly equal."
)
def without_one(length, reference_length):
    return math.exp(-reference_length / length) if 0 < length < reference_length else float(length > 0)


@brevity_penalty.mistake("Your penalty punishes every difference in length. Translations that are longer get 1.")
def both_sides(length, reference_length):
    return math.exp(-abs(1 - reference_length / length)) if length else 0.0


brevity_penalty.patch(
    "Your exponent has the wrong sign. It is 1 - r / c, which is negative where the translation is too short.",
    replace="1 - reference_length / length",
    by="reference_length / length - 1",
)


@brevity_penalty.mistake(
    "Your r / c is rounded down to a whole number, as `//` does. Divide with `/`, so that its fraction counts too."
)
def whole_quotient(length, reference_length):
    return math.exp(min(0, 1 - reference_length // length)) if length else 0.0


@brevity_penalty.mistake("Your result is the exponent. The penalty is e to the power of it: `math.exp(…)`.")
def exponent(length, reference_length):
    return min(0.0, 1 - reference_length / length) if length else 0.0


@brevity_penalty.mistake("A translation without words makes your code divide by 0. Its penalty is 0.")
def divides_by_zero(length, reference_length):
    return math.exp(min(0.0, 1 - reference_length / length))


@brevity_penalty.mistake("Your penalty is 1 for a translation without words. It says nothing, so the penalty is 0.")
def nothing_is_fine(length, reference_length):
    return bleu.brevity_penalty(length, reference_length) if length else 1.0


@brevity_penalty.mistake(
    "Your penalty for a translation without words is that of one word, as with `max(length, 1)`. It says nothing, so "
    "the penalty is 0."
)
def like_one_word(length, reference_length):
    return bleu.brevity_penalty(max(length, 1), reference_length)


@brevity_penalty.mistake(
    "Your exponent is (1 - r) / c, as `(1 - reference_length) / length` gives it. It is 1 - r / c: only r is divided "
    "by c."
)
def divides_the_one_too_if_short(length, reference_length):
    return math.exp((1 - reference_length) / length) if 0 < length < reference_length else float(length > 0)


@brevity_penalty.mistake(
    "Your exponent is (1 - r) / c, so the penalty is below 1 even for a translation that is longer. It is 1 - r / c: "
    "only r is divided by c."
)
def divides_the_one_too(length, reference_length):
    return min(1.0, math.exp((1 - reference_length) / length)) if length else 0.0


@brevity_penalty.right_for_whole_course
def with_cases(length, reference_length):
    if length == 0:
        return 0
    if length >= reference_length:
        return 1
    return math.e ** (1 - reference_length / length)


@brevity_penalty.right
def in_torch(length, reference_length):
    if length == 0:
        return torch.tensor(0.0)
    return torch.tensor(1 - reference_length / length, dtype=torch.float64).clamp(max=0).exp()
