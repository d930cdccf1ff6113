"""The exercise `alignment_error_rate` of notebook 07."""

from fractions import Fraction

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import metrics

Links = list[set[tuple[int, int]]]


GOLD: Links = [{(0, 0), (1, 1), (2, 2), (2, 3)}]


alignment_error_rate = Exercise(
    reference=metrics.alignment_error_rate,
    notebook=7,
    order=80,
    minutes=10,
    difficulty=2,
    returns=(Result("the error rate"),),
    example=case([{(0, 0), (1, 1), (2, 2)}], GOLD),
    another=case([{(0, 0), (0, 1), (2, 2)}], GOLD),
    cases=(
        case([{(0, 0), (1, 1), (2, 2), (2, 3), (1, 3)}], GOLD, having=("a link too many",)),
        case([{(1, 0), (0, 1)}], GOLD, having=("nothing right",)),
        case([{(0, 0), (3, 2)}], GOLD, having=("a link whose ends are swapped",)),
        case([{(0, 0), (1, 1), (2, 2), (2, 3)}], GOLD, having=("all right",)),
        case([{(0, 0)}, {(0, 0), (1, 2), (2, 1)}], [{(0, 0)}, {(0, 0), (1, 1), (2, 2)}], having=("two sentences",)),
    ),
    hints=(
        (
            "For each sentence there are two sets of links. How many links are in both? Python's `&` gives the links "
            "that two sets share."
        ),
        "AER = 1 − 2 · agreed / (predicted + gold), each a count of links.",
        "Add up the three counts over all sentences first, with `zip(predicted, sure)`, and divide at the very end.",
    ),
)


@alignment_error_rate.mistake(
    "That looks at the predicted links only, so that predicting one safe link would be perfect. Count both: twice the "
    "agreed ones, over predicted plus gold."
)
def precision(predicted, sure):
    return 1 - sum(len(A & S) for A, S in zip(predicted, sure, strict=True)) / sum(map(len, predicted))


@alignment_error_rate.mistake(
    "That looks at the gold links only, so that predicting every link would be perfect. Count both: twice the agreed "
    "ones, over predicted plus gold."
)
def recall(predicted, sure):
    return 1 - sum(len(A & S) for A, S in zip(predicted, sure, strict=True)) / sum(map(len, sure))


@alignment_error_rate.mistake(
    "That is the agreement, which is best at 1. The error rate is what is missing from it: 1 minus yours."
)
def agreement(predicted, sure):
    return 1 - metrics.alignment_error_rate(predicted, sure)


@alignment_error_rate.mistake(
    "A link that both have stands in both sets below the line, so above it counts twice: otherwise a perfect alignment "
    "has an error of a half."
)
def agreed_once(predicted, sure):
    return (1 + metrics.alignment_error_rate(predicted, sure)) / 2


@alignment_error_rate.mistake(
    "You averaged over sentences, so that a link in a short one weighs more. Add the counts up over all sentences, "
    "then divide once."
)
def mean_of_sentences(predicted, sure):
    rates = [metrics.alignment_error_rate([A], [S]) for A, S in zip(predicted, sure, strict=True)]
    return sum(rates) / len(rates)


@alignment_error_rate.mistake(
    "You divided by the union of the links, the Jaccard distance. AER divides by predicted plus gold, and counts the "
    "agreed twice."
)
def by_the_union(predicted, sure):
    pairs = list(zip(predicted, sure, strict=True))
    return 1 - sum(len(A & S) for A, S in pairs) / sum(len(A | S) for A, S in pairs)


@alignment_error_rate.right_for_whole_course
def error_rate_in_loops(predicted, gold):
    right_links = 0
    for links, gold_links in zip(predicted, gold, strict=True):
        for link in links:
            right_links += link in gold_links
    return 1 - 2 * right_links / (sum(len(s) for s in predicted) + sum(len(s) for s in gold))


alignment_error_rate.right(
    lambda predicted, sure: Fraction(
        sum(len(a ^ s) for a, s in zip(predicted, sure, strict=True)), sum(map(len, [*predicted, *sure]))
    )
)


@alignment_error_rate.right
def error_rate_by_f1(predicted, sure):
    agreed = sum(len(a.intersection(s)) for a, s in zip(predicted, sure, strict=True))
    if agreed == 0:
        return 1.0
    precision, recall = agreed / sum(map(len, predicted)), agreed / sum(map(len, sure))
    return torch.tensor(1 - 2 * precision * recall / (precision + recall), dtype=torch.float64)
