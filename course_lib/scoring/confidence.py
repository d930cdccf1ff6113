"""How sure to be: of a share counted on few examples, a mean of few seeds, the probabilities that a model gives."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Z = 1.96
"""How many standard errors to either side hold 95 % of all draws of a normal distribution."""


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Give the true shares with which a count of right answers is compatible, the lowest and the highest.

        all p with |right / n - p| ≤ z √(p (1 - p) / n),  z = 1.96

    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22(158). Squared, the condition is a quadratic inequality, (1 + z²/n) p² - (2 s + z²/n) p +
    s² ≤ 0 with the share s = right / n, and the interval is what lies between its two roots. It holds the true share
    in about 95 % of all experiments. Built by hand in notebook 08.

    Args:
        right: how many answers were right.
        total: n, how many answers there were.

    Returns the lowest and the highest p, both from 0 to 1. Raises ValueError for counts that cannot be.

    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not 0 <= right <= total or total == 0:
        raise ValueError(f"right should be from 0 to total, and total 1 or more, but they are {right} and {total}")
    share, z2_n = right / total, Z**2 / total
    middle = (share + z2_n / 2) / (1 + z2_n)
    half = math.sqrt(z2_n * share * (1 - share) + z2_n**2 / 4) / (1 + z2_n)
    return max(middle - half, 0.0), min(middle + half, 1.0)


_DRAWS = 10_000


def bootstrap_interval(values: Tensor, picks: Tensor) -> tuple[float, float]:
    """Give an interval for a mean by drawing from the values again: the middle 95 % of the means of all draws.

    The percentile bootstrap: Efron 1979, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7(1).
    Built by hand in notebook 17.

    Args:
        values: (n,).
        picks: for each draw, which values it has, each from 0 to n - 1: (draws, n).

    Returns the 2.5th and the 97.5th percentile of the means.

    >>> low, high = bootstrap_interval(torch.tensor([1.0, 3.0]), torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]))
    >>> round(low, 3), round(high, 3)
    (1.075, 2.925)
    """
    means = values[picks].mean(dim=-1)  # (draws,)
    low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=means.dtype)).tolist()
    return low, high


def interval_of_mean(values: Sequence[float]) -> tuple[float, float] | None:
    """Give a 95 % interval for the mean of what a few seeds gave: the bootstrap's, widened because they are few.

    With n values the percentile bootstrap is too narrow by √(n / (n - 1)), and by the ratio of Student's t to the
    normal quantile (Hesterberg 2015, arXiv:1411.5279). So both its ends are moved away from the
    mean by these two factors; unlike there, where the percentiles are changed, this also helps three values, of which
    there are only ten different draws. The same values give the same interval. Used in notebook 17.

    Returns None for fewer than two values. Raises ValueError for one that is no finite number.

    >>> low, high = interval_of_mean([1.0, 1.2, 1.1, 0.9, 1.0])
    >>> round(low, 1), round(high, 1)
    (0.9, 1.2)
    """
    numbers = torch.tensor([float(value) for value in values], dtype=torch.float64)  # (n,)
    if not numbers.isfinite().all():
        raise ValueError(f"values should be finite numbers, but they are {list(values)}")
    n = len(numbers)
    if n < 2:
        return None
    picks = torch.randint(n, (_DRAWS, n), generator=torch.Generator().manual_seed(0))  # (draws, n)
    mean, factor = float(numbers.mean()), widening(n)
    low, high = bootstrap_interval(numbers, picks)
    return mean + factor * (low - mean), mean + factor * (high - mean)


def widening(n: int) -> float:
    """Give the factor by which `interval_of_mean` widens the bootstrap's interval of n values, seen from their mean.

        √(n / (n - 1)) · t / z

    t is the 97.5th percentile of Student's distribution with n - 1 degrees of freedom, and z that of the normal
    distribution, 1.96. Hesterberg 2015, arXiv:1411.5279. Raises ValueError for fewer than two values.

    >>> round(widening(3), 2), round(widening(20), 2)
    (2.69, 1.1)
    """
    from scipy import stats  # it takes time to load

    if n < 2:
        raise ValueError(f"an interval needs two values or more, but n is {n}")
    return math.sqrt(n / (n - 1)) * float(stats.t.ppf(0.975, n - 1)) / Z


def calibration_error(confidence: Tensor, correct: Tensor, bins: int) -> Tensor:
    """Measure how far a model's confidence is from the share of its answers that are right.

        ECE = Σ_b |B_b| / n · |share right in B_b - mean confidence in B_b|

    Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599, eq. 3, called
    the expected calibration error. The bins B_b divide the confidences from 0 to 1 into equal widths; a confidence of 1
    belongs to the last one, and an empty bin adds nothing. Built by hand in notebook 08.

    Args:
        confidence: (n,), the probability that the model gave to its own answer, from 0 to 1.
        correct: (n,), booleans: whether that answer was right.
        bins: how many bins there are.

    Returns a scalar from 0, best, to 1. Raises ValueError for shapes that differ, no answers, no bins, or confidences
    that are no probabilities.

    >>> calibration_error(torch.tensor([0.95, 0.95]), torch.tensor([True, False]), bins=10)
    tensor(0.4500)
    """
    if confidence.dim() != 1 or confidence.shape != correct.shape or not len(confidence):
        raise ValueError(
            "confidence and correct should both be (n,), one number for each answer, but their shapes are "
            f"{tuple(confidence.shape)} and {tuple(correct.shape)}"
        )
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("confidence should be probabilities, from 0 to 1, but some are not: are these logits?")
    if bins < 1:
        raise ValueError(f"bins should be 1 or more, but is {bins}")
    number = _bins_of(confidence, bins)  # (n,)
    gaps = correct.to(confidence.dtype) - confidence  # (n,)
    of_bins = torch.zeros(bins, dtype=confidence.dtype).index_add(0, number, gaps)  # (bins,)
    return of_bins.abs().sum() / len(confidence)


def reliability(confidence: Tensor, correct: Tensor, bins: int, least: int = 1) -> tuple[list[float], list[float]]:
    """Give the mean confidence of each bin, and the share of its answers that is right, for a picture.

    Takes and raises what `calibration_error` does; bins with fewer answers than `least` are left out.

    >>> reliability(torch.tensor([0.875, 0.875, 0.25]), torch.tensor([True, False, False]), bins=10)
    ([0.25, 0.875], [0.0, 0.5])
    """
    calibration_error(confidence, correct, bins)
    number, right = _bins_of(confidence, bins), correct.to(confidence.dtype)
    full = [number == b for b in range(bins) if (number == b).sum() >= max(least, 1)]
    return [confidence[inside].mean().item() for inside in full], [right[inside].mean().item() for inside in full]


def _bins_of(confidence: Tensor, bins: int) -> Tensor:
    """Give the number of each confidence's bin: (n,) to (n,)."""
    return (confidence * bins).long().clamp(max=bins - 1)
