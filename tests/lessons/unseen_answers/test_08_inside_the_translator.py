"""Unseen answers to the exercises of notebook 08_inside_the_translator."""

import math

import numpy as np
import torch

from course_lib.exercises.catalogue import find
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("alignment_from_weights", says="only the last of them has a link", never="right for the example")
def source_words_as_keys(weights):
    links: dict[int, int] = {}
    for target, row in enumerate(weights):
        links[int(row.argmax())] = target
    return set(links.items())


@wrong("wilson_interval", says="Your two roots have the wrong sign", never="too small")
def plus_b(right, total):
    share, c = right / total, 1.96**2 / total
    a, b, d = 1 + c, -(2 * share + c), share**2
    root = max(b * b - 4 * a * d, 0.0) ** 0.5
    return (b - root) / (2 * a), (b + root) / (2 * a)


def error_of(numbers, confidence, correct):
    gaps: dict[int, float] = {}
    for number, p, is_right in zip(numbers, confidence.tolist(), correct.tolist(), strict=True):
        gaps[number] = gaps.get(number, 0.0) + is_right - p
    return torch.tensor(sum(map(abs, gaps.values())) / len(confidence), dtype=confidence.dtype)


@wrong("calibration_error", says="divided by the number of all answers", never="Your code multiplies")
def difference_of_sums(confidence, correct, bins):
    place = (confidence * bins).long().clamp(max=bins - 1)
    gaps = [confidence[place == i].sum() - correct[place == i].float().sum() for i in range(bins)]
    return sum(float(gap.abs()) for gap in gaps)


@wrong("calibration_error", says="exactly 1 is in the first bin", never="bin of its own")
def remainder(confidence, correct, bins):
    return error_of((np.floor(confidence.numpy() * bins) % bins).astype(int), confidence, correct)


@wrong("calibration_error", says="exactly 0 has a bin of its own", never="leaves out")
def rounded_up(confidence, correct, bins):
    return error_of(np.ceil(confidence.numpy() * bins).astype(int), confidence, correct)


@wrong("calibration_error", says="exactly 0 is in the last bin", never="leaves out")
def index_of_minus_one(confidence, correct, bins):
    gaps = [0.0] * bins
    numbers = np.ceil(confidence.numpy() * bins).astype(int) - 1
    for number, p, is_right in zip(numbers, confidence.tolist(), correct.tolist(), strict=True):
        gaps[number] += is_right - p
    return torch.tensor(sum(map(abs, gaps)) / len(confidence), dtype=confidence.dtype)


@wrong("calibration_error", says="from the lowest confidence to the highest", never="too large")
def limits_from_the_numbers(confidence, correct, bins):
    low, high = float(confidence.min()), float(confidence.max())
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    numbers = ((confidence.double().numpy() - low) / (high - low) * bins).astype(int).clip(max=bins - 1)
    return error_of(numbers, confidence, correct)


@wrong("alignment_from_weights", says="as in [0.2, 0.4, 0.4], your code gives that target word 2 links")
def every_largest_weight(weights):
    largest = weights == weights.amax(1, keepdim=True)
    return {(source, target) for target, source in largest.nonzero().tolist()}


@wrong("alignment_from_weights", says="as in [0.2, 0.4, 0.4], your code gives that target word 0 links")
def only_a_single_largest_weight(weights):
    rows = enumerate(weights.tolist())
    return {(row.index(max(row)), target) for target, row in rows if row.count(max(row)) == 1}


@wrong("calibration_error", says="from the lowest confidence to the highest")
def bins_between_the_extremes(confidence, correct, bins):
    low, high = confidence.min(), confidence.max()
    numbers = ((confidence - low) / (high - low) * bins).nan_to_num(-1).long().clamp(max=bins - 1)
    inside = numbers >= 0
    return error_of(numbers[inside].tolist(), confidence[inside], correct[inside]) if inside.any() else 0.0


@wrong("wilson_interval", says="only the middle of the interval is divided by a", never="too small")
def half_not_divided(right, total):
    share, c = right / total, 1.96**2 / total
    middle, half = (share + c / 2) / (1 + c), (c * share * (1 - share) + c**2 / 4) ** 0.5
    return middle - half, middle + half


@wrong("calibration_error", says="the calibration error is NaN (not a number)", never=", first.")
def no_number_for_five_bins(confidence, correct, bins):
    error = find("calibration_error").reference(confidence, correct, bins).double()
    return error * torch.nan if bins == 5 else error + 1


@wrong("wilson_interval", says="Your ends are whole per cents", never="too large")
def among_101_shares(right, total):
    p = torch.linspace(0, 1, 101, dtype=torch.float64)
    fits = p[(right / total - p).abs() <= 1.96 * (p * (1 - p) / total).sqrt()]
    return fits.min().item(), fits.max().item()


@wrong("wilson_interval", says="Your ends are whole tenths of a per cent", never="too large")
def in_a_loop_over_1001_shares(right, total):
    tried = [i / 1000 for i in range(1001)]
    fits = [p for p in tried if abs(right / total - p) <= 1.96 * math.sqrt(p * (1 - p) / total)]
    return fits[0], fits[-1]


@wrong("alignment_error_rate", says="In your code, equal links from different sentences count only once")
def all_links_in_one_set(predicted, sure):
    found, true = set().union(*predicted), set().union(*sure)
    return 1 - 2 * len(found & true) / (len(found) + len(true))


@wrong("alignment_error_rate", says="compares the sorted links place by place", never="wherever it is wrong")
def sorted_links_place_by_place(predicted, sure):
    pairs = [(sorted(p), sorted(s)) for p, s in zip(predicted, sure, strict=True)]
    agreed = sum(a == b for p, s in pairs for a, b in zip(p, s, strict=False))
    return 1 - 2 * agreed / sum(len(p) + len(s) for p, s in pairs)


@wrong("wilson_interval", says="This is the interval of Agresti and Coull", never="is too small")
def width_of_agresti_and_coull(right, total):
    n = total + 1.96**2
    centre = (right + 1.96**2 / 2) / n
    half = 1.96 * math.sqrt(centre * (1 - centre) / n)
    return centre - half, centre + half


@wrong("wilson_interval", says="that of Agresti and Coull, which puts its middle under the root", never="The middle of")
def width_of_agresti_and_coull_cut_off(right, total):
    low, high = width_of_agresti_and_coull(right, total)
    return max(0.0, low), min(1.0, high)


@wrong("alignment_from_weights", says="which finds one target word for each source word", never="`dim=0`")
def heaviest_of_each_column(weights):
    columns = weights.T.tolist()
    return {(column.index(max(column)), source) for source, column in enumerate(columns)}


@wrong("alignment_from_weights", says="only where a row's largest weight is also the largest of its column")
def largest_both_ways(weights):
    of_rows, of_columns = weights.max(-1), weights.argmax(0)
    return {(int(source), target) for target, source in enumerate(of_rows.indices) if of_columns[source] == target}


@wrong("calibration_error", says="The limits between your bins are half a width too low", never="Each of your bins")
def limits_half_a_width_too_low(confidence, correct, bins):
    number = (confidence * bins + 0.5).long().clamp(max=bins - 1)
    gaps = correct.to(confidence.dtype) - confidence
    return torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@wrong("wilson_interval", says="Your interval has 1.96² / (4 · total) under 1.96 · √", never="formula for the roots")
def four_n_in_place_of_its_square(right, total):
    share, z = right / total, 1.96
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total))
    middle, under = share + z**2 / (2 * total), 1 + z**2 / total
    return (middle - half) / under, (middle + half) / under


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


def test_either_of_two_largest_weights_may_be_linked():
    def last_largest(weights):
        return {(len(row) - 1 - int(row.flip(0).argmax()), target) for target, row in enumerate(weights)}

    assert find("alignment_from_weights").check(last_largest).passed
