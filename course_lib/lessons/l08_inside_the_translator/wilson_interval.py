"""The exercise `wilson_interval` of notebook 08."""

import math

import numpy as np

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.scoring import confidence

wilson_interval = Exercise(
    reference=confidence.wilson_interval,
    notebook=8,
    order=30,
    minutes=15,
    difficulty=2,
    returns=(Result("the lowest share"), Result("the highest share")),
    example=case(8, 10),
    another=case(5, 20),
    cases=(
        case(188, 200, having=("many answers",)),
        case(100, 100, having=("every answer right", "many answers")),
        case(0, 30, having=("no answer right",)),
        case(1, 1, having=("a single answer", "every answer right")),
        case(1, 2, having=("just half of them right",)),
        case(3, 1000, having=("many answers",)),
    ),
    hints=(
        (
            "The two ends are the shares p where both sides are equal. Square both sides: then there is no absolute "
            "value and no root left, and what remains is a quadratic equation in p."
        ),
        (
            "Give two numbers short names: s = right / total is the share that you counted, and c = 1.96² / total is "
            "the factor that squaring leaves on the right side. Then (s − p)² = c · p · (1 − p). Multiply out and "
            "collect: (1 + c) p² − (2s + c) p + s² = 0."
        ),
        (
            "The two roots of a p² + b p + d = 0 are (−b ± √(b² − 4ad)) / (2a), with a = 1 + c, b = −(2s + c) and d = "
            "s². Return the smaller one first."
        ),
    ),
)


def ends(middle: float, half: float) -> tuple[float, float]:
    """An interval by its middle and half its width."""
    return middle - half, middle + half


def roots(share: float, c: float) -> tuple[float, float]:
    """The two shares p with (share - p)² = c p (1 - p)."""
    half = math.sqrt(max(c * share * (1 - share) + c**2 / 4, 0)) / (1 + c)
    return ends((share + c / 2) / (1 + c), half)


@wilson_interval.mistake(
    "You put the counted share, right / total, under the root. The formula has the unknown share p on both sides. "
    "For 100 right answers of 100, your interval says that the true share is certainly 100 %."
)
def counted_share_under_the_root(right, total):
    share = right / total
    return ends(share, 1.96 * math.sqrt(share * (1 - share) / total))


@wilson_interval.mistake(
    "You put the counted share, right / total, under the root, and cut the ends off at 0 and 1. The formula has the "
    "unknown share p on both sides; its solutions always lie between 0 and 1."
)
def counted_share_under_the_root_cut_off(right, total):
    low, high = counted_share_under_the_root(right, total)
    return max(low, 0.0), min(high, 1.0)


@wilson_interval.mistake(
    "The middle of your interval is right, but its width is not. This is the interval of Agresti and Coull, which "
    "puts the middle under the root and divides by total + 1.96². The two ends should be the roots of the quadratic "
    "equation."
)
def agresti_and_coull(right, total):
    n = total + 1.96**2
    middle = (right + 1.96**2 / 2) / n
    return ends(middle, 1.96 * math.sqrt(middle * (1 - middle) / n))


@wilson_interval.mistake(
    "Your interval is that of Agresti and Coull, which puts its middle under the root and divides by total + 1.96², "
    "with the ends cut off at 0 and 1. The two ends should be the roots of the quadratic equation, which always lie "
    "between 0 and 1."
)
def agresti_and_coull_cut_off(right, total):
    low, high = agresti_and_coull(right, total)
    return max(low, 0.0), min(high, 1.0)


@wilson_interval.mistake(
    "In your interval, 1.96 is not squared. When both sides are squared, so is 1.96: the factor in front of p · (1 − "
    "p) is 1.96² / total."
)
def z_not_squared(right, total):
    return roots(right / total, 1.96 / total)


@wilson_interval.mistake(
    "Your interval is that of 1 standard error in place of 1.96. It contains the true share in only 68 % of all "
    "cases: use 1.96."
)
def one_standard_error(right, total):
    return roots(right / total, 1 / total)


@wilson_interval.mistake("Your interval is that of 2 standard errors. Close, but use 1.96.")
def two_standard_errors(right, total):
    return roots(right / total, 4 / total)


@wilson_interval.mistake("Your interval is that of 1.645 standard errors, which is for 90 %. Use 1.96, for 95 %.")
def for_90_per_cent(right, total):
    return roots(right / total, 1.645**2 / total)


@wilson_interval.mistake("Your interval is that of 2.576 standard errors, which is for 99 %. Use 1.96, for 95 %.")
def for_99_per_cent(right, total):
    return roots(right / total, 2.576**2 / total)


@wilson_interval.mistake("Your interval is that of 1.95996…, with more digits than the exercise has. Use 1.96 itself.")
def more_digits_of_z(right, total):
    return roots(right / total, 1.959963984540054**2 / total)


@wilson_interval.mistake(
    "Your code returns the middle of the interval and half its width. Return its two ends, the lower one first."
)
def middle_and_half_width(right, total):
    low, high = confidence.wilson_interval(right, total)
    return (low + high) / 2, (high - low) / 2


@wilson_interval.mistake("Your code returns the higher end first. Return (lowest, highest).")
def higher_end_first(right, total):
    return confidence.wilson_interval(right, total)[::-1]


@wilson_interval.mistake("Your code returns percentages. Return shares, from 0 to 1.")
def in_per_cent(right, total):
    low, high = confidence.wilson_interval(right, total)
    return 100 * low, 100 * high


@wilson_interval.mistake("Your code returns counts of right answers. Return shares, from 0 to 1: divide by `total`.")
def as_counts(right, total):
    low, high = confidence.wilson_interval(right, total)
    return total * low, total * high


@wilson_interval.mistake(
    "Your roots are not divided by the number in front of p². In the formula for the roots, everything is divided by "
    "2a, and a is 1 + 1.96² / total."
)
def not_divided(right, total):
    share, c = right / total, 1.96**2 / total
    return ends(share + c / 2, math.sqrt(c * share * (1 - share) + c**2 / 4))


@wilson_interval.mistake(
    "Your interval has 1.96² / (4 · total) under 1.96 · √, where the division should be by 4 · total². The quadratic "
    "equation shows it: b² − 4ad is 4 c s (1 − s) + c², with s = right / total and c = 1.96² / total."
)
def total_not_squared(right, total):
    share, c = right / total, 1.96**2 / total
    return ends((share + c / 2) / (1 + c), 1.96 * math.sqrt(share * (1 - share) / total + c / 4) / (1 + c))


@wilson_interval.mistake(
    "Your roots are (−b ± √(b² − 4d)) / 2, as if a were 1. Here a, the number in front of p², is 1 + 1.96² / total: "
    "the roots are (−b ± √(b² − 4ad)) / (2a)."
)
def leading_coefficient_1(right, total):
    share, c = right / total, 1.96**2 / total
    root = math.sqrt(max((2 * share + c) ** 2 - 4 * share**2, 0))
    return (2 * share + c - root) / 2, (2 * share + c + root) / 2


@wilson_interval.mistake(
    "Your interval is as wide as for a single answer, as if the division by `total` were missing: the factor in front "
    "of p · (1 − p) is 1.96² / total."
)
def as_wide_as_for_one_answer(right, total):
    return roots(right / total, 1.96**2)


@wilson_interval.mistake(
    "Your interval is that of the factor 1.96² / √total. When both sides are squared, √total becomes `total` itself: "
    "the factor in front of p · (1 − p) is 1.96² / total."
)
def root_of_total(right, total):
    return roots(right / total, 1.96**2 / math.sqrt(total))


@wilson_interval.mistake(
    "Your interval has the right width, but its middle is the share that was counted. The two roots are not at the "
    "same distance from it: the middle is nearer to one half."
)
def around_the_counted_share(right, total):
    low, high = confidence.wilson_interval(right, total)
    return ends(right / total, (high - low) / 2)


@wilson_interval.mistake(
    "The middle of your interval is (s + c) / (1 + c). From the formula for the roots it is −b / (2a), which is "
    "(s + c / 2) / (1 + c), with s = right / total and c = 1.96² / total."
)
def middle_with_a_whole_c(right, total):
    share, c = right / total, 1.96**2 / total
    low, high = confidence.wilson_interval(right, total)
    return ends((share + c) / (1 + c), (high - low) / 2)


@wilson_interval.mistake(
    "The middle of your interval is s / (1 + c). From the formula for the roots it is −b / (2a), which is "
    "(s + c / 2) / (1 + c), with s = right / total and c = 1.96² / total."
)
def middle_without_c(right, total):
    share, c = right / total, 1.96**2 / total
    low, high = confidence.wilson_interval(right, total)
    return ends(share / (1 + c), (high - low) / 2)


@wilson_interval.mistake(
    "Your interval is that of two more right and two more wrong answers, with the new share under the root. That is "
    "an approximation (Agresti and Coull 1998). Solve the quadratic equation."
)
def two_of_each_added(right, total):
    return counted_share_under_the_root(right + 2, total + 4)


@wilson_interval.mistake("Your root is missing: the formula for the two solutions has √(b² − 4ad) in it, not b² − 4ad.")
def without_the_root(right, total):
    share, c = right / total, 1.96**2 / total
    a, b = 1 + c, -(2 * share + c)
    inside = b**2 - 4 * a * share**2
    return (-b - inside) / (2 * a), (-b + inside) / (2 * a)


@wilson_interval.mistake(
    "Your roots are multiplied by a instead of divided by it, as by `/ 2 * a`, since Python works from left to right. "
    "Put brackets around the denominator: `/ (2 * a)`."
)
def multiplied_by_a(right, total):
    a = 1 + 1.96**2 / total
    low, high = confidence.wilson_interval(right, total)
    return low * a * a, high * a * a


@wilson_interval.mistake(
    "In your code, only the root is divided by 2a. Divide the whole numerator: `(-b - root) / (2 * a)`."
)
def only_the_root_divided(right, total):
    share, c = right / total, 1.96**2 / total
    a, b = 1 + c, -(2 * share + c)
    root = math.sqrt(max(b**2 - 4 * a * share**2, 0))
    return -b - root / (2 * a), -b + root / (2 * a)


@wilson_interval.mistake(
    "In your code, only the middle of the interval is divided by a, the number in front of p². Divide half its width "
    "by a too: in the formula for the roots, the whole numerator is divided by 2a."
)
def only_the_middle_divided(right, total):
    share, c = right / total, 1.96**2 / total
    return ends((share + c / 2) / (1 + c), math.sqrt(max(c * share * (1 - share) + c**2 / 4, 0)))


@wilson_interval.mistake("In your code, `right` and `total` have changed places. The share is right / total.")
def swapped(right, total):
    return roots(total / right, 1.96**2 / right)


@wilson_interval.mistake(
    "Your two roots have the wrong sign. They are (−b ± √(b² − 4ad)) / (2a), where b = −(2s + c) is negative, so that "
    "−b is positive."
)
def sign_of_the_roots(right, total):
    low, high = confidence.wilson_interval(right, total)
    return -high, -low


@wilson_interval.mistake(
    "Under your root is b² − 4d, without a. It is b² − 4ad, where a, the number in front of p², is 1 + 1.96² / total."
)
def leading_coefficient_1_under_the_root(right, total):
    share, c = right / total, 1.96**2 / total
    half = math.sqrt((2 * share + c) ** 2 - 4 * share**2) / (2 * (1 + c))
    return ends((2 * share + c) / (2 * (1 + c)), half)


@wilson_interval.mistake(
    "In your interval, half of b² − 4ad stands where its root should be, as with `** 1/2`, where Python computes `** "
    "1` first. Use `math.sqrt`, or `** 0.5`."
)
def half_for_the_root(right, total):
    share, c = right / total, 1.96**2 / total
    a, b = 1 + c, -(2 * share + c)
    half = (b**2 - 4 * a * share**2) / 2
    return (-b - half) / (2 * a), (-b + half) / (2 * a)


@wilson_interval.mistake(
    "The middle of your interval is right, but its width is that of the share that was counted: half of it is 1.96 · "
    "√(s (1 − s) / total), with s = right / total. Both ends are roots of the same quadratic equation: take half the "
    "width from there too."
)
def width_of_the_counted_share(right, total):
    share, c = right / total, 1.96**2 / total
    return ends((share + c / 2) / (1 + c), 1.96 * math.sqrt(share * (1 - share) / total))


def ends_on_a_grid(right: int, total: int, steps: int) -> tuple[float, float]:
    """The lowest and the highest of the shares 0, 1 / steps, 2 / steps, …, 1 that lie in the interval."""
    p = np.linspace(0, 1, steps + 1)
    inside = p[np.abs(right / total - p) <= 1.96 * np.sqrt(p * (1 - p) / total)]
    return float(inside.min()), float(inside.max())


@wilson_interval.mistake(
    "Your ends are whole per cents, as if 101 shares from 0 to 1 were tried. The true ends lie between them: solve the "
    "equation."
)
def whole_per_cents(right, total):
    return ends_on_a_grid(right, total, 100)


@wilson_interval.mistake(
    "Your ends are whole tenths of a per cent, as if 1001 shares from 0 to 1 were tried. The true ends lie between "
    "them: solve the equation."
)
def tenths_of_a_per_cent(right, total):
    return ends_on_a_grid(right, total, 1000)


@wilson_interval.mistake(
    "Your ends are whole hundredths of a per cent, as if 10001 shares from 0 to 1 were tried. The true ends lie "
    "between them: solve the equation."
)
def hundredths_of_a_per_cent(right, total):
    return ends_on_a_grid(right, total, 10_000)


@wilson_interval.right_for_whole_course
def by_the_quadratic_formula(k, n):
    s, c = k / n, 1.96**2 / n
    a, b, d = 1 + c, -(2 * s + c), s * s
    root = math.sqrt(max(b * b - 4 * a * d, 0.0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@wilson_interval.right
def by_numpys_roots(right, total):
    share, c = right / total, 1.96**2 / total
    return sorted(np.roots([1 + c, -(2 * share + c), share**2]).real)


@wilson_interval.right
def by_bisection(right, total):
    share = right / total

    def compatible(p):
        return abs(share - p) <= 1.96 * (p * (1 - p) / total) ** 0.5

    def edge(outside):
        inside = share
        for _ in range(100):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if compatible(middle) else (inside, middle)
        return inside

    return edge(0.0), edge(1.0)
