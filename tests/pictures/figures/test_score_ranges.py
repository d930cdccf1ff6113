"""The figure of scores by kind, with the range of the seeds."""

import matplotlib.pyplot as plt
import pytest

from course_lib.pictures import figures


def test_it_draws_the_means_and_a_line_from_the_lowest_to_the_highest_seed():
    series = {"memory": {"PER": [0.1], "LOC": [0.3]}, "tuned": {"PER": [0.6, 0.9, 0.6], "LOC": [0.5, 0.7, 0.6]}}
    with figures.style():
        _, ax = plt.subplots()
        figures.score_ranges(ax, series, "kind of entity", "F1")
    memory, tuned = ax.get_lines()
    assert list(memory.get_ydata()) == pytest.approx([0.1, 0.3])
    assert list(tuned.get_ydata()) == pytest.approx([0.7, 0.6])
    assert all(left < right for left, right in zip(memory.get_xdata(), tuned.get_xdata(), strict=True))
    ends = [[each[0][1], each[1][1]] for each in ax.collections[1].get_segments()]
    assert ends == [[0.6, 0.9], [0.5, 0.7]]
    assert [each.get_text() for each in ax.get_xticklabels()] == ["PER", "LOC"]
    assert figures.described(ax) == (
        "F1 by kind of entity, mean of the seeds: memory PER 0.10, LOC 0.30; tuned PER 0.70, LOC 0.60."
    )
    plt.close("all")


@pytest.mark.parametrize(
    "series",
    [{}, {str(i): {"a": [0.5]} for i in range(6)}, {"a": {}}, {"a": {"b": []}}, {"a": {"b": [1]}, "c": {"d": [1]}}],
)
def test_series_that_do_not_fit_are_refused(series: dict[str, dict[str, list[float]]]):
    with figures.style():
        _, ax = plt.subplots()
        with pytest.raises(ValueError, match="should h"):
            figures.score_ranges(ax, series, "kind", "F1")
    plt.close("all")
