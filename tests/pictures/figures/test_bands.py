"""Curves with bands over seeds, checked against the drawn numbers."""

import numpy as np
import pytest
from matplotlib.axes import Axes

from course_lib.pictures.figures import bands, described

STEPS = [10.0, 20.0, 40.0]
SEEN = (STEPS, [[3.0, 2.0, 1.0], [3.0, 2.4, 1.4], [3.0, 2.2, 0.9]])
FIGSIZE = (7, 4)


def test_the_line_is_the_mean_and_the_band_goes_from_the_lowest_to_the_highest_seed(ax: Axes) -> None:
    assert bands(ax, {"seen": SEEN}, "step", "loss") is ax
    assert ax.lines[0].get_ydata() == pytest.approx([3.0, 2.2, 1.1])
    corners = ax.collections[0].get_paths()[0].vertices
    at_the_end = corners[corners[:, 0] == 40][:, 1]
    assert (at_the_end.min(), at_the_end.max()) == (0.9, 1.4)


def test_a_single_seed_has_no_band_and_its_end_is_named(ax: Axes) -> None:
    bands(ax, {"one": (STEPS, [[3.0, 2.0, 1.0]])}, "step", "loss", levels={"chance": 4.0})
    assert not ax.collections
    assert {text.get_text() for text in ax.texts} == {"one 1.00", "chance 4.00"}
    assert "one goes from 3.00 to 1.00; a line" in described(ax)


def test_a_lowest_value_before_the_end_is_said(ax: Axes) -> None:
    bands(ax, {"one": (STEPS, [[3.0, 1.0, 2.0]])}, "step", "loss")
    assert "one goes from 3.00 to 2.00, its lowest value is 1.00." in described(ax)


def test_on_log_paper_a_power_law_is_a_straight_line(ax: Axes) -> None:
    x = [100.0, 1000.0, 10_000.0]
    bands(ax, {"law": (x, [[5 * value**-0.1 for value in x]])}, "characters", "loss", log=True)
    drawn = ax.transData.transform(np.column_stack([x, ax.lines[0].get_ydata()]))
    slopes = np.diff(drawn[:, 1]) / np.diff(drawn[:, 0])
    assert slopes[0] == pytest.approx(slopes[1])


@pytest.mark.parametrize("series", [{}, {"short": (STEPS, [[1.0, 2.0]])}, {"none": (STEPS, [])}])
def test_no_curves_and_seeds_of_another_length_are_refused(ax: Axes, series: dict) -> None:
    with pytest.raises(ValueError, match=r"1 to 4 curves, but it holds 0|one y for each x"):
        bands(ax, series, "step", "loss")
