"""The exercise `perplexity` of notebook 11."""

import math

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import metrics

perplexity = Exercise(
    reference=metrics.perplexity,
    notebook=11,
    order=70,
    minutes=2,
    difficulty=1,
    returns=(Result("the perplexity"),),
    example=case(torch.tensor([0.5, 0.25, 0.125]).log()),
    another=case(torch.tensor([0.5, 0.5, 0.0625]).log()),
    cases=(
        case(torch.tensor([0.1, 0.9, 0.3, 0.02]).log(), having=("another number of tokens",)),
        case(torch.tensor([1.0, 0.5, 0.25, 1.0]).log(), having=("tokens of probability 1", "another number of tokens")),
        case(torch.tensor([0.2]).log(), having=("a single token", "another number of tokens")),
        case(torch.full((400,), -2.5), having=("a long text", "another number of tokens")),
        case(torch.tensor([0.5, 0.25, 0.01], dtype=torch.float64).log(), having=("float64 numbers",)),
    ),
    hints=(
        "A model that bets evenly on 8 tokens has perplexity 8. What is ln p of each token then?",
        "The mean of −ln p is the loss. Which function undoes the natural logarithm?",
        "`log_probabilities.mean()` is negative. Change its sign, then `exp`.",
    ),
)


@perplexity.mistake("Your code returns the loss, the mean of −ln p. Perplexity is e to the loss.")
def the_loss(log_probabilities):
    return -log_probabilities.mean().item()


@perplexity.mistake(
    "Your code takes 2 to the power of the loss, but the logarithms here are natural ones. Use `exp`, which undoes "
    "them."
)
def power_of_two(log_probabilities):
    return 2 ** -log_probabilities.mean().item()


@perplexity.mistake("The minus is missing in your code, so that it returns a number below 1. Perplexity is 1 or more.")
def without_minus(log_probabilities):
    return math.exp(log_probabilities.mean().item())


@perplexity.mistake(
    "Your mean leaves out tokens whose ln p is 0, as if they were padding. Their probability is 1: they count as well."
)
def zeros_left_out(log_probabilities):
    return math.exp(-log_probabilities[log_probabilities != 0].mean().item())


@perplexity.mistake(
    "Your result is the product of all 1/p, which is e to the sum of −ln p, so that a long text looks hard. Take the "
    "mean over the tokens."
)
def summed(log_probabilities):
    return torch.exp(-log_probabilities.sum()).item()


@perplexity.mistake(
    "Your code averages 1/p, so that one unlikely token decides. Average the logarithms first, and take `exp` of the "
    "mean."
)
def mean_of_reciprocals(log_probabilities):
    return (-log_probabilities).exp().mean().item()


@perplexity.mistake(
    "Your code averages the probabilities, and divides 1 by that. Average the logarithms, which is the geometric mean."
)
def reciprocal_of_the_mean(log_probabilities):
    return 1 / log_probabilities.exp().mean().item()


@perplexity.mistake(
    "For a long text your result is infinite. There the product of all probabilities is 0 to a computer, and that of "
    "their reciprocals is infinite: take the mean of the logarithms first."
)
def product_first(log_probabilities):
    product = log_probabilities.float().exp().prod().item()
    return math.inf if product == 0 else product ** (-1 / len(log_probabilities))


@perplexity.mistake(
    "Your code weights each −ln p by its p and adds them up, as for the entropy of a distribution. Here each p belongs "
    "to another token of the text, and all tokens count the same: take the plain mean of −ln p."
)
def to_the_entropy(log_probabilities):
    return math.exp(-(log_probabilities.exp() * log_probabilities).sum().item())


@perplexity.mistake(
    "Your result is multiplied by the number of tokens. Perplexity does not depend on the text's length."
)
def times_the_length(log_probabilities):
    return len(log_probabilities) * math.exp(-log_probabilities.mean().item())


@perplexity.right_for_whole_course
def by_torch(log_probabilities):
    return torch.exp(-log_probabilities.mean()).item()


@perplexity.right
def by_a_loop(log_probabilities):
    surprise = [-each for each in log_probabilities.tolist()]
    return math.e ** (sum(surprise) / len(surprise))
