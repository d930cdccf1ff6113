"""The exercise `alignment_error_rate` of notebook 08."""

from fractions import Fraction

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import metrics

Links = list[set[tuple[int, int]]]


GOLD: Links = [{(0, 0), (1, 1), (2, 2), (2, 3)}]


alignment_error_rate = Exercise(
    reference=metrics.alignment_error_rate,
    notebook=8,
    order=20,
    minutes=10,
    difficulty=2,
    returns=(Result("the error rate"),),
    example=case([{(0, 0), (1, 1), (2, 2)}], GOLD),
    another=case([{(0, 0), (0, 1), (2, 2)}], GOLD),
    cases=(
        case([{(0, 0), (1, 1), (2, 2), (2, 3), (1, 3)}], GOLD, having=("a link too many",)),
        case([{(1, 0), (0, 1)}], GOLD, having=("pairs that are all wrong",)),
        case([{(0, 0), (3, 2)}], GOLD, having=("a link whose ends are swapped",)),
        case([{(0, 0), (1, 1), (2, 2), (2, 3)}], GOLD, having=("all right",)),
        # The agreement of a part of the sentences is not the error rate of another part.
        case(
            [{(0, 0)}, {(0, 0), (1, 2), (2, 1)}],
            [{(0, 0)}, {(0, 0), (1, 1), (2, 2), (3, 2)}],
            having=("two sentences", "several sentences"),
        ),
        case(
            [{(0, 0), (1, 1)}, {(0, 1)}, set(), {(2, 2), (1, 1), (0, 0)}],
            [{(0, 0)}, {(1, 1)}, {(0, 0), (1, 0)}, {(2, 2)}],
            having=("a sentence without predicted links", "several sentences"),
        ),
    ),
    hints=(
        ("Start with one sentence, which has two sets of links. How do you count the links that are in both?"),
        (
            "Three counts are needed: the links that agree, the predicted ones and the true ones. Add up each of them "
            "over all sentences, and divide once, at the end."
        ),
        "`len(A & S)` counts the links that two sets share, and `zip(predicted, sure)` goes through the sentences.",
    ),
)


@alignment_error_rate.mistake(
    "Your code divides by the number of predicted links only, so that predicting a single sure link would be perfect. "
    "Divide twice the agreed links by the predicted plus the true ones."
)
def precision(predicted, sure):
    return 1 - sum(len(A & S) for A, S in zip(predicted, sure, strict=True)) / sum(map(len, predicted))


@alignment_error_rate.mistake(
    "Your code divides by the number of true links only, so that predicting every link would be perfect. Divide twice "
    "the agreed links by the predicted plus the true ones."
)
def recall(predicted, sure):
    return 1 - sum(len(A & S) for A, S in zip(predicted, sure, strict=True)) / sum(map(len, sure))


@alignment_error_rate.mistake("Your code returns the agreement, which is best at 1. The error rate is 1 minus that.")
def agreement(predicted, sure):
    return 1 - metrics.alignment_error_rate(predicted, sure)


@alignment_error_rate.mistake(
    "Your code counts the agreed links once. Each of them is among the predicted and among the true links, so it "
    "counts twice: otherwise a perfect alignment has an error of one half."
)
def agreed_once(predicted, sure):
    return (1 + metrics.alignment_error_rate(predicted, sure)) / 2


@alignment_error_rate.mistake(
    "Your code averages over sentences, so a link in a short sentence carries more weight. Add up the counts over all "
    "sentences, then divide once."
)
def mean_of_sentences(predicted, sure):
    rates = [metrics.alignment_error_rate([A], [S]) for A, S in zip(predicted, sure, strict=True)]
    return sum(rates) / len(rates)


@alignment_error_rate.mistake(
    "Your code divides the agreed links by their union, which gives the Jaccard distance. Divide twice the agreed "
    "links by the predicted plus the true ones."
)
def by_the_union(predicted, sure):
    pairs = list(zip(predicted, sure, strict=True))
    return 1 - sum(len(A & S) for A, S in pairs) / sum(len(A | S) for A, S in pairs)


@alignment_error_rate.mistake(
    "In your code, equal links from different sentences count only once, as if the links of all sentences were put "
    "into one set. Count them sentence by sentence."
)
def one_set_for_all(predicted, sure):
    return metrics.alignment_error_rate([set().union(*predicted)], [set().union(*sure)])


@alignment_error_rate.mistake("Your result is that of the first sentence only. Add up the counts over all sentences.")
def first_sentence_only(predicted, sure):
    return metrics.alignment_error_rate(predicted[:1], sure[:1])


@alignment_error_rate.mistake(
    "Your result is that of the last sentence only. Add up the counts over all sentences, in a loop by `+=`."
)
def last_sentence_only(predicted, sure):
    return metrics.alignment_error_rate(predicted[-1:], sure[-1:])


@alignment_error_rate.mistake(
    "Your code counts whole sentences that are aligned without a mistake. Count links: how many of them agree?"
)
def whole_sentences(predicted, sure):
    return 1 - sum(A == S for A, S in zip(predicted, sure, strict=True)) / len(sure)


@alignment_error_rate.mistake(
    "Your code treats a link as agreed whichever way round it is. A link is (source, target): (3, 2) is not (2, 3)."
)
def either_way_round(predicted, sure):
    def ordered(sentences):
        return [{tuple(sorted(link)) for link in links} for links in sentences]

    return metrics.alignment_error_rate(ordered(predicted), ordered(sure))


@alignment_error_rate.mistake(
    "Your code compares the sorted links place by place, so that after a missing or an extra link none agrees. A link "
    "agrees if it is anywhere among the true links of its sentence."
)
def place_by_place(predicted, sure):
    pairs = list(zip(predicted, sure, strict=True))
    agreed = sum(one == other for A, S in pairs for one, other in zip(sorted(A), sorted(S), strict=False))
    return 1 - 2 * agreed / sum(len(A) + len(S) for A, S in pairs)


@alignment_error_rate.mistake(
    "Your code divides by the number of sentences, not by the number of links. Divide twice the agreed links by the "
    "predicted plus the true ones."
)
def by_the_sentences(predicted, sure):
    return 1 - sum(2 * len(A & S) for A, S in zip(predicted, sure, strict=True)) / (len(predicted) + len(sure))


@alignment_error_rate.mistake(
    "Your result is the number of links that do not agree. Divide it by the predicted plus the true links."
)
def not_divided(predicted, sure):
    return sum(len(A ^ S) for A, S in zip(predicted, sure, strict=True))


@alignment_error_rate.mistake("Your code returns a percentage. Return the rate itself, a number from 0 to 1.")
def in_per_cent(predicted, sure):
    return 100 * metrics.alignment_error_rate(predicted, sure)


@alignment_error_rate.mistake(
    "Your result is 1 − 2 · agreed / predicted + true: the brackets around the sum are missing. It should be 1 − 2 · "
    "agreed / (predicted + true)."
)
def brackets_missing(predicted, sure):
    agreed = sum(len(A & S) for A, S in zip(predicted, sure, strict=True))
    return 1 - 2 * agreed / sum(map(len, predicted)) + sum(map(len, sure))


@alignment_error_rate.mistake(
    "Your agreed links are those of the last sentence only, though they are divided by the links of all sentences. Add "
    "them up over all sentences, in a loop by `+=`."
)
def agreed_in_the_last_sentence(predicted, sure):
    return 1 - 2 * len(predicted[-1] & sure[-1]) / sum(map(len, [*predicted, *sure]))


def plain_alignment_error_rate(predicted, sure):
    """Measure how far predicted alignments are from the true ones, over all sentences together; 0 is best."""
    agreed = sum(len(links & true_links) for links, true_links in zip(predicted, sure, strict=True))
    total = sum(map(len, predicted)) + sum(map(len, sure))
    return 1 - 2 * agreed / total


alignment_error_rate.plain(plain_alignment_error_rate)


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
