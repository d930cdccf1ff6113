"""The exercise `bits_per_character` of notebook 11."""

import math

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import metrics

bits_per_character = Exercise(
    reference=metrics.bits_per_character,
    notebook=11,
    order=80,
    minutes=4,
    difficulty=1,
    returns=(Result("the bits per character"),),
    example=case(torch.tensor([0.5, 0.25, 0.125]).log(), "the old king"),
    another=case(torch.tensor([0.5, 0.5, 0.0625]).log(), "she slept on"),
    cases=(
        case(torch.tensor([0.1, 0.9, 0.3, 0.02]).log(), "once upon a time", having=("another number of tokens",)),
        case(torch.tensor([0.2]).log(), "o", having=("a single token", "another number of tokens")),
        case(
            torch.tensor([0.5, 0.3, 0.25, 0.05]).log(),
            "été",
            having=("letters that take two bytes", "another number of tokens"),
        ),
        case(torch.tensor([0.5, 0.3, 0.2]).log(), " Oh, no!\nGo 3.\n", having=("signs and new lines",)),
        case(
            torch.tensor([0.5, 0.25], dtype=torch.float64).log(),
            "a tree",
            having=("float64 numbers", "another number of tokens"),
        ),
    ),
    hints=(
        "In the example, how many bits does each of the three tokens cost? And how many characters do they stand for?",
        (
            "A bit is −log₂ p. Since log₂ p = ln p / ln 2, dividing by ln 2 turns nats into bits. What is the total "
            "divided by?"
        ),
        "`len(text)` counts characters, spaces too. The total is a sum, not a mean.",
    ),
)


def total(log_probabilities):
    """The bits of the whole text."""
    return -log_probabilities.sum().item() / math.log(2)


@bits_per_character.mistake("Your result is in nats. Divide by ln 2, `math.log(2)`, to get bits.")
def in_nats(log_probabilities, text):
    return -log_probabilities.sum().item() / len(text)


@bits_per_character.mistake(
    "Your code divides by the number of tokens, which depends on how the text was split. Divide by the number of "
    "characters."
)
def per_token(log_probabilities, text):
    return total(log_probabilities) / len(log_probabilities)


@bits_per_character.mistake(
    "Your code multiplies by ln 2. There are more bits than nats, since a bit is the smaller unit: divide by ln 2."
)
def multiplied(log_probabilities, text):
    return -log_probabilities.sum().item() * math.log(2) / len(text)


@bits_per_character.mistake(
    "Your code counts é as two characters, as a count of its bytes in UTF-8 does. Divide by the number of characters, "
    "`len(text)`."
)
def per_byte(log_probabilities, text):
    return total(log_probabilities) / len(text.encode())


@bits_per_character.mistake(
    "Your code leaves spaces out of the count. A model has to predict them as well: `len(text)` counts all characters."
)
def without_spaces(log_probabilities, text):
    return total(log_probabilities) / len(text.replace(" ", ""))


@bits_per_character.mistake(
    "Your code leaves spaces and new lines out of the count. A model has to predict them as well: `len(text)` counts "
    "all characters."
)
def without_blanks(log_probabilities, text):
    return total(log_probabilities) / len("".join(text.split()))


@bits_per_character.mistake(
    "Your code leaves out spaces and new lines at the beginning and the end of the text. A model has to predict them "
    "as well: `len(text)` counts all characters."
)
def stripped(log_probabilities, text):
    return total(log_probabilities) / len(text.strip())


@bits_per_character.mistake(
    "Your code counts letters and digits only. A model has to predict spaces and signs as well: `len(text)` counts all "
    "characters."
)
def letters_only(log_probabilities, text):
    return total(log_probabilities) / sum(each.isalnum() for each in text)


@bits_per_character.mistake(
    "Your code divides by the number of words. Divide by the number of characters, `len(text)`."
)
def per_word(log_probabilities, text):
    return total(log_probabilities) / len(text.split())


@bits_per_character.mistake("The minus is missing in your code: bits are −log₂ p, which is 0 or more.")
def without_minus(log_probabilities, text):
    return -total(log_probabilities) / len(text)


@bits_per_character.mistake(
    "Your result is divided by the number of tokens as well as by the number of characters. Add up the bits of all "
    "tokens, and divide once, by the characters."
)
def mean_per_character(log_probabilities, text):
    return total(log_probabilities) / len(log_probabilities) / len(text)


@bits_per_character.mistake("Your code returns the bits of the whole text. Divide them by the number of characters.")
def of_the_whole_text(log_probabilities, text):
    return total(log_probabilities)


@bits_per_character.mistake(
    "Your result is that of logarithms to base 10. A bit is −log₂ p: divide nats by `math.log(2)`."
)
def in_base_ten(log_probabilities, text):
    return -log_probabilities.sum().item() / math.log(10) / len(text)


@bits_per_character.right_for_whole_course
def by_log2(log_probabilities, text):
    return sum(-math.log2(math.exp(each)) for each in log_probabilities.tolist()) / len(text)


@bits_per_character.right
def by_torch(log_probabilities, text):
    return -(log_probabilities / torch.tensor(2.0).log()).sum() / len(text)
