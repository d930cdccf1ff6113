"""The exercise `calibration_error` of notebook 08."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import confidence as scoring

CONFIDENCE = torch.tensor([0.92, 0.97, 0.94, 0.55, 0.53, 0.31])
CORRECT = torch.tensor([True, True, False, True, False, True])
MANY = (fixed_tensor(60, dtype=torch.float64) + 2.003) / 4.01
OFTEN_RIGHT = (fixed_tensor(60, seed=5, dtype=torch.float64) + 2.003) / 4.01 < MANY


calibration_error = Exercise(
    reference=scoring.calibration_error,
    notebook=8,
    order=40,
    minutes=15,
    difficulty=2,
    returns=(Result("the calibration error", may_be_plain=True),),
    example=case(CONFIDENCE, CORRECT, 5),
    another=case(torch.tensor([0.85, 0.9, 0.95, 0.45, 0.58, 0.15]), CORRECT.flip(0), 5),
    cases=(
        # The others in the bin of a confidence of 1 or 0, and at the other end, have gaps of the other sign: they tell
        # in which bin it was put.
        case(CONFIDENCE, CORRECT, 10, having=("more bins",)),
        case(CONFIDENCE, CORRECT, 1, having=("a single bin", "all in one bin")),
        case(
            torch.tensor([0.95, 0.92, 1.0, 0.05]),
            torch.tensor([True, True, False, True]),
            10,
            having=("a confidence of exactly 1", "more bins"),
        ),
        case(
            torch.tensor([0.05, 0.02, 0.0, 0.95]),
            torch.tensor([False, False, True, False]),
            10,
            having=("a confidence of exactly 0", "more bins"),
        ),
        case(
            torch.tensor([0.61, 0.62, 0.63]),
            torch.tensor([True, True, True]),
            10,
            having=("all in one bin", "more bins"),
        ),
        case(
            torch.tensor([0.72]), torch.tensor([False]), 10, having=("a single answer", "more bins", "all in one bin")
        ),
        case(MANY, OFTEN_RIGHT, 10, having=("many answers", "float64 numbers", "more bins")),
    ),
    hints=(
        (
            "Go through the bins one by one. For each bin you need three numbers: how many answers it holds, the mean "
            "of their confidence, and the share of them that is right."
        ),
        (
            "`confidence * bins`, rounded down, is the number of the bin; only a confidence of exactly 1 comes out "
            "one too high. Skip empty bins, whose means are NaN, and weight each gap by the bin's count."
        ),
        (
            "With `inside = number == b`, the share right is `correct[inside].float().mean()`, and the gap of the bin "
            "counts `inside.sum() / len(confidence)` times."
        ),
    ),
)


def numbers_of_bins(confidence: Tensor, bins: int) -> Tensor:
    """Each answer's bin: (n,)."""
    return (confidence * bins).long().clamp(max=bins - 1)


def over_bins(
    confidence: Tensor, correct: Tensor, bins: int, of_bin: Callable[[Tensor, Tensor, int], Tensor]
) -> list[Tensor]:
    """What a function gives for each bin that is not empty: of its confidences, its right answers and its number."""
    number = numbers_of_bins(confidence, bins)
    filled = [b for b in range(bins) if (number == b).any()]
    return [of_bin(confidence[number == b], correct[number == b].to(confidence.dtype), b) for b in filled]


def gap(sure: Tensor, right: Tensor, _: int) -> Tensor:
    """The share right, minus the mean confidence."""
    return right.mean() - sure.mean()


@calibration_error.mistake(
    "Your code takes the plain mean over the bins, so that a bin with one answer weighs as much as a full one. Weight "
    "each gap by the share of all answers that is in its bin.",
    seen="https://github.com/ethen8181/machine-learning/issues/20",
)
def bins_not_weighted(confidence, correct, bins):
    return torch.stack(over_bins(confidence, correct, bins, gap)).abs().mean()


@calibration_error.mistake(
    "Your code adds up the gaps and divides by the number of bins, empty ones included. Weight each gap by the share "
    "of all answers that is in its bin."
)
def divided_by_the_number_of_bins(confidence, correct, bins):
    return torch.stack(over_bins(confidence, correct, bins, gap)).abs().sum() / bins


@calibration_error.mistake(
    "Your code adds up the gaps of the bins without weights. Weight each gap by the share of all answers that is in "
    "its bin."
)
def gaps_added_up(confidence, correct, bins):
    return torch.stack(over_bins(confidence, correct, bins, gap)).abs().sum()


@calibration_error.mistake(
    "Your result is the sum of the gaps, each times the count of its bin. It still has to be divided by the number of "
    "all answers."
)
def not_divided(confidence, correct, bins):
    return len(confidence) * scoring.calibration_error(confidence, correct, bins)


@calibration_error.mistake(
    "Your code compares the share of right answers with the middle of the bin. Compare it with the mean of the "
    "confidences that are in the bin.",
    seen="https://github.com/JonathanWenger/pycalib/issues/4",
)
def middle_of_the_bin(confidence, correct, bins):
    def from_the_middle(sure, right, b):
        return len(sure) * (right.mean() - (b + 0.5) / bins).abs()

    return torch.stack(over_bins(confidence, correct, bins, from_the_middle)).sum() / len(confidence)


@calibration_error.mistake(
    "In your code, an overconfident bin cancels out an underconfident one, as if there were a single bin, and the "
    "result keeps its sign. Take the absolute value of each bin's gap before you add up."
)
def signs_kept(confidence, correct, bins):
    return correct.to(confidence.dtype).mean() - confidence.mean()


@calibration_error.mistake(
    "In your code, an underconfident bin cancels out an overconfident one, as if there were a single bin, and the "
    "result keeps its sign. Take the absolute value of each bin's gap before you add up."
)
def signs_kept_the_other_way(confidence, correct, bins):
    return confidence.mean() - correct.to(confidence.dtype).mean()


@calibration_error.mistake(
    "In your code, an overconfident bin cancels out an underconfident one, as if there were a single bin. Take the "
    "absolute value of each bin's gap before you add up."
)
def absolute_value_at_the_end(confidence, correct, bins):
    return (confidence.mean() - correct.to(confidence.dtype).mean()).abs()


@calibration_error.mistake(
    "Your code compares each answer with its own confidence, so that even a perfectly calibrated model has an error. "
    "Compare the means of each bin."
)
def answer_by_answer(confidence, correct, bins):
    return (correct.to(confidence.dtype) - confidence).abs().mean()


@calibration_error.mistake(
    "Your code takes the mean of the squared differences, answer by answer: that is the Brier score. Compare the means "
    "of each bin, by their absolute difference."
)
def brier_score(confidence, correct, bins):
    return (correct.to(confidence.dtype) - confidence).square().mean()


@calibration_error.mistake("Your code squares the gaps. Take their absolute values.")
def squared_gaps(confidence, correct, bins):
    def squared(sure, right, b):
        return len(sure) * gap(sure, right, b).square()

    return torch.stack(over_bins(confidence, correct, bins, squared)).sum() / len(confidence)


@calibration_error.mistake(
    "Your code returns the largest gap, which is called the maximum calibration error. Return the mean gap, weighted "
    "by the counts of the bins."
)
def largest_gap(confidence, correct, bins):
    return torch.stack(over_bins(confidence, correct, bins, gap)).abs().max()


@calibration_error.mistake(
    "In your code, a confidence of exactly 1 has a bin of its own. It belongs to the last bin: cut the number of the "
    "bin off at bins − 1.",
    seen="https://github.com/Lightning-AI/torchmetrics/issues/3510",
)
def bin_of_its_own_for_1(confidence, correct, bins):
    gaps = correct.to(confidence.dtype) - confidence
    of_bins = torch.zeros(bins + 1, dtype=confidence.dtype).index_add(0, (confidence * bins).long(), gaps)
    return of_bins.abs().sum() / len(confidence)


@calibration_error.mistake(
    "Your code leaves out a confidence of exactly 1. It belongs to the last bin: let that include its upper limit."
)
def without_1(confidence, correct, bins):
    gaps = (correct.to(confidence.dtype) - confidence) * (confidence < 1)
    of_bins = torch.zeros(bins, dtype=confidence.dtype).index_add(0, numbers_of_bins(confidence, bins), gaps)
    return of_bins.abs().sum() / len(confidence)


@calibration_error.mistake(
    "Your code leaves out a confidence of exactly 0. It belongs to the first bin, where a right answer makes a gap "
    "too: let that include its lower limit.",
    seen="https://github.com/NandhaKishorM/laya/pull/39",
)
def without_0(confidence, correct, bins):
    inside = confidence > 0
    return scoring.calibration_error(confidence[inside], correct[inside], bins) * inside.sum() / len(confidence)


@calibration_error.mistake(
    "In your code, a confidence of exactly 1 is in the first bin, as after `% bins`. It belongs to the last bin: cut "
    "the number of the bin off at bins − 1."
)
def first_bin_for_1(confidence, correct, bins):
    gaps, number = correct.to(confidence.dtype) - confidence, (confidence * bins).long() % bins
    return torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@calibration_error.mistake(
    "In your code, a confidence of exactly 0 has a bin of its own. It belongs to the first bin: its gap and those of "
    "the others there are added before the absolute value is taken."
)
def bin_of_its_own_for_0(confidence, correct, bins):
    gaps, number = correct.to(confidence.dtype) - confidence, (confidence * bins).ceil().long()
    return torch.zeros(bins + 1, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@calibration_error.mistake(
    "In your code, a confidence of exactly 0 is in the last bin, as the index −1 puts it there. It belongs to the "
    "first bin."
)
def last_bin_for_0(confidence, correct, bins):
    gaps, number = correct.to(confidence.dtype) - confidence, ((confidence * bins).ceil().long() - 1) % bins
    return torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@calibration_error.mistake(
    "Your code leaves out the last bin, the one with the surest answers. `range(bins)` goes through all of them.",
    seen="https://github.com/texttron/BrowseComp-Plus/pull/18",
)
def without_the_last_bin(confidence, correct, bins):
    inside = numbers_of_bins(confidence, bins) < bins - 1
    gaps = (correct.to(confidence.dtype) - confidence) * inside
    of_bins = torch.zeros(bins, dtype=confidence.dtype).index_add(0, numbers_of_bins(confidence, bins), gaps)
    return of_bins.abs().sum() / len(confidence)


@calibration_error.mistake(
    "Your error is NaN where a bin is empty, since the mean of nothing is not a number. Skip empty bins."
)
def nan_from_empty_bins(confidence, correct, bins):
    number, total = numbers_of_bins(confidence, bins), torch.zeros((), dtype=confidence.dtype)
    for b in range(bins):
        inside = number == b
        of_bin = correct[inside].to(confidence.dtype).mean() - confidence[inside].mean()
        total = total + inside.sum() / len(confidence) * of_bin.abs()
    return total


@calibration_error.mistake(
    "Your bins hold equal numbers of answers. Here they have equal widths: with 5 bins, the first goes from 0 to 0.2."
)
def equal_counts(confidence, correct, bins):
    gaps = (correct.to(confidence.dtype) - confidence)[confidence.argsort()]
    return torch.stack([piece.sum().abs() for piece in gaps.tensor_split(bins)]).sum() / len(confidence)


@calibration_error.mistake(
    "Your bins hold equal numbers of answers, except perhaps the last. Here they have equal widths: with 5 bins, the "
    "first goes from 0 to 0.2."
)
def equal_counts_but_for_the_last(confidence, correct, bins):
    gaps = (correct.to(confidence.dtype) - confidence)[confidence.argsort()]
    return torch.stack([piece.sum().abs() for piece in gaps.chunk(bins)]).sum() / len(confidence)


@calibration_error.mistake("Your code returns 1 minus the error. Return the error, which is best at 0.")
def agreement(confidence, correct, bins):
    return 1 - scoring.calibration_error(confidence, correct, bins)


@calibration_error.mistake("Your code returns a percentage. Return the error itself, from 0 to 1.")
def in_per_cent(confidence, correct, bins):
    return 100 * scoring.calibration_error(confidence, correct, bins)


@calibration_error.mistake(
    "Your first and your last bin are only half as wide as the others, as if `confidence * (bins - 1)` were rounded "
    "to the nearest number. Round `confidence * bins` down: with 5 bins, the first goes from 0 to 0.2."
)
def rounded_to_the_nearest(confidence, correct, bins):
    gaps = correct.to(confidence.dtype) - confidence
    number = torch.round(confidence * (bins - 1)).long()
    return torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@calibration_error.mistake(
    "The limits between your bins are half a width too low, as if `confidence * bins` were rounded to the nearest "
    "number. Round it down: with 5 bins, the first goes from 0 to 0.2."
)
def rounded_half_a_bin_off(confidence, correct, bins):
    gaps = correct.to(confidence.dtype) - confidence
    number = torch.round(confidence * bins).long().clamp(max=bins - 1)
    return torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@calibration_error.mistake("Your code always makes 10 bins. Make as many as `bins` says.")
def always_10_bins(confidence, correct, bins):
    return scoring.calibration_error(confidence, correct, 10)


@calibration_error.mistake(
    "Your bins go from the lowest confidence to the highest, as those of a histogram do by default. They should go "
    "from 0 to 1: with 5 bins, the first goes from 0 to 0.2."
)
def from_the_lowest_to_the_highest(confidence, correct, bins):
    gaps = correct.to(confidence.dtype) - confidence
    of_bins, _ = np.histogram(confidence.numpy(), bins, weights=gaps.numpy())
    return torch.as_tensor(np.abs(of_bins).sum() / len(confidence), dtype=confidence.dtype)


@calibration_error.mistake(
    "Your bins go from the lowest confidence to the highest. They should go from 0 to 1, so that they do not depend on "
    "the answers: with 5 bins, the first goes from 0 to 0.2."
)
def from_the_lowest_to_the_highest_by_hand(confidence, correct, bins):
    low, high = confidence.min(), confidence.max()
    if low == high:  # 0 / 0 is NaN, which is in no bin
        return torch.zeros_like(low)
    number = numbers_of_bins((confidence - low) / (high - low), bins)
    gaps = correct.to(confidence.dtype) - confidence
    return torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps).abs().sum() / len(confidence)


@calibration_error.mistake(
    "Your code makes one bin too few, as `linspace(0, 1, bins)` does if its numbers are the limits of the bins. There "
    "is one limit more than there are bins: `linspace(0, 1, bins + 1)`."
)
def one_bin_too_few(confidence, correct, bins):
    return scoring.calibration_error(confidence, correct, bins - 1) if bins > 1 else torch.zeros_like(confidence[0])


def plain_calibration_error(confidence, correct, bins):
    """Measure how far confidences are from the shares of right answers, bin by bin, each weighted by its answers."""
    numbers = (confidence * bins).long().clamp(max=bins - 1)  # (n,): the bin of each answer
    gaps = correct.to(confidence.dtype) - confidence  # (n,)
    error = torch.zeros((), dtype=confidence.dtype)
    for number in range(bins):
        error = error + gaps[numbers == number].sum().abs()
    return error / len(confidence)


calibration_error.plain(plain_calibration_error)


@calibration_error.right_for_whole_course
def error_bin_by_bin(confidence, correct, bins):
    error = 0.0
    for b in range(bins):
        low, high = b / bins, (b + 1) / bins
        inside = (confidence >= low) & ((confidence < high) if b < bins - 1 else (confidence <= 1))
        if inside.any():
            accuracy = correct[inside].to(confidence.dtype).mean()
            error = error + inside.sum() / len(confidence) * (accuracy - confidence[inside].mean()).abs()
    return error


@calibration_error.right
def by_bincount(confidence, correct, bins):
    number = torch.floor(confidence * bins).clamp(0, bins - 1).long()
    right = torch.bincount(number, weights=correct.to(confidence.dtype), minlength=bins)
    sure = torch.bincount(number, weights=confidence, minlength=bins)
    return ((right - sure).abs().sum() / confidence.numel()).to(confidence.dtype)


@calibration_error.right
def by_lists(confidence, correct, bins):
    answers = {}
    for p, is_right in zip(confidence.tolist(), correct.tolist(), strict=True):
        answers.setdefault(min(int(p * bins), bins - 1), []).append(is_right - p)
    return torch.tensor(sum(abs(sum(gaps)) for gaps in answers.values()) / len(confidence), dtype=confidence.dtype)


@calibration_error.right
def as_a_plain_number(confidence, correct, bins):
    bin_of = [min(int(p * bins), bins - 1) for p in confidence.tolist()]
    gaps = [0.0] * bins
    for b, p, is_right in zip(bin_of, confidence.tolist(), correct.tolist(), strict=True):
        gaps[b] += is_right - p
    return sum(map(abs, gaps)) / len(confidence)


@calibration_error.right
def by_bucketize(confidence, correct, bins):
    limits = torch.linspace(0, 1, bins + 1, dtype=confidence.dtype)
    number = torch.bucketize(confidence, limits[1:-1], right=True)
    masks = [number == b for b in number.unique()]
    gaps = [(correct[m].to(confidence.dtype).mean() - confidence[m].mean()).abs() * m.sum() for m in masks]
    return torch.stack(gaps).sum() / len(confidence)
