"""Exponents of growth, against numpy's fit."""

import random

import numpy as np
import pytest

from course_lib.scoring.growth import growth_exponent


@pytest.mark.parametrize("seed", range(20))
def test_the_slope_is_that_of_numpys_fit(seed: int):
    chance = random.Random(seed)
    sizes = [chance.uniform(1, 1000) for _ in range(6)]
    costs = [chance.uniform(0.1, 5) * size ** chance.uniform(0.5, 2) for size in sizes]
    assert growth_exponent(sizes, costs) == pytest.approx(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


@pytest.mark.parametrize("sizes", [[], [2], [2, 2]])
def test_a_line_needs_two_sizes(sizes: list[float]):
    with pytest.raises(ValueError, match="at least two different sizes"):
        growth_exponent(sizes, [1.0] * len(sizes))


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(ValueError, match="more than 0"):
        growth_exponent([1, 2], [0, 1])
