"""How fast does a cost grow? Built by hand in notebook 16."""

import math
from collections.abc import Sequence


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Fit cost = a · size^b, a straight line on log paper, and give its slope b, by least squares of the logarithms.

    An exponent of 1: twice the size costs twice as much. 2: four times as much.

    Takes positive sizes, at least two different ones, and a positive cost for each. Raises ValueError for others.

    >>> round(growth_exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    if len(sizes) != len(costs) or len(set(sizes)) < 2:
        raise ValueError(
            f"there should be a cost for each of at least two different sizes, but there are {len(sizes)} sizes and "
            f"{len(costs)} costs"
        )
    if not all(0 < each < math.inf for each in (*sizes, *costs)):
        raise ValueError("sizes and costs should be more than 0, since they have no logarithm otherwise")
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    together = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return together / sum((a - mean_x) ** 2 for a in x)
