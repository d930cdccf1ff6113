"""The figure of accuracies against examples."""

import matplotlib.pyplot as plt
import pytest

from course_lib.pictures import figures


def test_it_draws_the_means_and_a_band_from_the_lowest_to_the_highest_seed():
    with figures.style():
        _, ax = plt.subplots()
        figures.accuracy_bands(ax, {"tuned": {200: [0.6, 0.8], 50: [0.5]}}, {"chance": 0.5})
    (line, _) = ax.get_lines()
    assert list(line.get_xdata()) == [50, 200]
    assert list(line.get_ydata()) == pytest.approx([0.5, 0.7])
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.5, 0.8)
    words = figures.described(ax)
    assert words.endswith("tuned from 50% at 50 to 70% at 200; chance 50%.")
    plt.close("all")


@pytest.mark.parametrize("series", [{}, {str(i): {1: [0.5]} for i in range(6)}, {"a": {}}, {"a": {5: []}}])
def test_series_without_accuracies_are_refused(series: dict[str, dict[int, list[float]]]):
    with figures.style():
        _, ax = plt.subplots()
        with pytest.raises(ValueError, match="should h"):
            figures.accuracy_bands(ax, series)
    plt.close("all")
