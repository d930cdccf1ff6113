"""The exercise `growth_exponent` of notebook 16."""

import itertools
import math

import numpy as np

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import growth

growth_exponent = Exercise(
    reference=growth.growth_exponent,
    notebook=16,
    order=10,
    minutes=7,
    difficulty=1,
    returns=(Result("the exponent"),),
    example=case([100.0, 200.0, 400.0], [3.0, 12.0, 48.0]),
    another=case([100.0, 200.0, 400.0], [5.0, 10.0, 20.0]),
    cases=(
        case([10.0, 20.0, 40.0], [2.0, 3.0, 2.0], having=("a cost that does not grow",)),
        case([1.0, 10.0, 100.0], [2.0, 50.0, 700.0], having=("costs that are not on a line",)),
        case(
            [64.0, 512.0, 128.0, 256.0],
            [0.5, 9.0, 1.5, 3.0],
            having=("sizes in no order", "costs that are not on a line"),
        ),
        case([2.0, 4.0, 8.0, 16.0], [8.0, 4.0, 2.0, 1.0], having=("a cost that falls",)),
        case([1.0, 2.0, 4.0, 8.0], [1.0, 5.0, 3.0, 30.0], having=("costs that are not on a line",)),
        case([1.0, 2.0, 50.0], [0.3, 0.9, 100.0], having=("unevenly spaced sizes", "costs that are not on a line")),
    ),
    hints=(
        "If cost = a · size^b, what is log(cost)? That is a straight line in log(size). What is its slope?",
        "numpy fits a line: `np.polyfit(x, y, 1)` gives its slope and its intercept, in this order.",
        "`np.polyfit(np.log(sizes), np.log(costs), 1)[0]`.",
    ),
)


def slope(x, y):
    """The slope of the fitted line, without LAPACK, which prints lines of its own where numbers are infinite."""
    x, y = np.asarray(x), np.asarray(y)
    from_mean = x - x.mean()
    spread = (from_mean**2).sum()
    return float((from_mean * (y - y.mean())).sum() / spread) if spread else 0.0


@growth_exponent.mistake(
    "Your result is the slope of the costs themselves. Take the logarithm of both sizes and costs first."
)
def without_logarithms(sizes, costs):
    return slope(sizes, costs)


@growth_exponent.mistake(
    "Your result is the slope of the costs' logarithms over the sizes themselves. Take the logarithm of the sizes too."
)
def costs_only(sizes, costs):
    return slope(sizes, np.log(costs))


@growth_exponent.mistake(
    "Your result is the slope of the costs themselves over the sizes' logarithms. Take the logarithm of the costs too."
)
def sizes_only(sizes, costs):
    return slope(np.log(sizes), costs)


@growth_exponent.mistake("You swapped sizes and costs: the sizes are x, the costs are y.")
def exchanged(sizes, costs):
    return slope(np.log(costs), np.log(sizes))


@growth_exponent.mistake(
    "Your result is the line's intercept. The exponent is its slope, which `np.polyfit` gives first."
)
def height(sizes, costs):
    x, y = np.log(sizes), np.log(costs)
    return float(y.mean() - slope(x, y) * x.mean())


@growth_exponent.mistake("Your result uses only the first and the last point. Fit a line through all of them.")
def ends_only(sizes, costs):
    return math.log(costs[-1] / costs[0]) / math.log(sizes[-1] / sizes[0])


@growth_exponent.mistake(
    "Your result is the mean of the slopes between neighbouring sizes, so that it depends on how far apart the sizes "
    "are. Fit one line through all of them."
)
def mean_of_slopes(sizes, costs):
    return float(np.mean(np.diff(np.log(costs)) / np.diff(np.log(sizes))))


@growth_exponent.mistake(
    "Your result is the factor by which the cost grows. The exponent is the slope of the logarithms."
)
def factor(sizes, costs):
    return costs[-1] / costs[0]


@growth_exponent.mistake(
    "Your line is forced through the origin. A fitted line may have any intercept: subtract the means first, or let "
    "`np.polyfit` fit it."
)
def through_zero(sizes, costs):
    x, y = np.log(sizes), np.log(costs)
    return float((x * y).sum() / (x * x).sum())


def in_two_bases(of_sizes, of_costs):
    """The slope of logarithms of two different bases."""
    return lambda sizes, costs: slope(of_sizes(sizes), of_costs(costs))


LOGARITHMS = {"2": np.log2, "e": np.log, "10": np.log10}
for base, other in itertools.permutations(LOGARITHMS, 2):
    mixed = in_two_bases(LOGARITHMS[base], LOGARITHMS[other])
    mixed.__name__ = f"base {base} for sizes, base {other} for costs"
    growth_exponent.mistake(
        f"Your exponent is what logarithms of base {base} for sizes and of base {other} for costs give. Use the same "
        "base for both."
    )(mixed)


@growth_exponent.right_for_whole_course
def by_covariance(sizes, costs):
    x, y = np.log2(sizes), np.log2(costs)
    return np.cov(x, y)[0, 1] / np.var(x, ddof=1)


growth_exponent.right(lambda sizes, costs: np.polyfit(np.log(sizes), np.log(costs), 1)[0])
