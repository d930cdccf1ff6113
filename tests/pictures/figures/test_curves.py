"""Curves and bars, checked against the drawn numbers."""

import re
from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes

from course_lib.pictures.figures import curves, described, smoothed, sorted_bars, stacked_shares

STEPS = [0.0, 50.0, 100.0]
LOSSES = {"yours": (STEPS, [6.0, 2.0, 0.5]), "no attention": (STEPS, [6.0, 3.0, 2.25])}
FLOORS = {"uniform ln V": 5.9, "bigram": 2.3}


FIGSIZE = (7, 4)


def test_curves_have_the_given_data_and_differ_in_their_dashes_in_every_style() -> None:
    fig, ax = plt.subplots()
    assert curves(ax, LOSSES, "training steps", "loss (nats per token)", FLOORS) is ax
    drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines[:2]]
    assert drawn == [tuple(map(list, curve)) for curve in LOSSES.values()]
    assert ax.lines[0].is_dashed() != ax.lines[1].is_dashed()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training steps", "loss (nats per token)")
    plt.close(fig)


def test_levels_are_horizontal_lines_at_their_heights(ax: Axes) -> None:
    curves(ax, LOSSES, "steps", "loss", FLOORS)
    assert [set(line.get_ydata()) for line in ax.lines[2:]] == [{5.9}, {2.3}]


def test_each_line_is_named_at_its_end_with_its_last_number_and_no_legend_is_needed(ax: Axes) -> None:
    curves(ax, LOSSES, "steps", "loss", FLOORS)
    assert {text.get_text() for text in ax.texts} == {
        "yours 0.50",
        "no attention 2.25",
        "uniform ln V 5.90",
        "bigram 2.30",
    }
    assert all(text.get_position()[0] > 1 for text in ax.texts)
    assert ax.get_legend() is None


def test_a_curve_of_points_marks_each_and_is_named_without_its_last_value(ax: Axes) -> None:
    curves(ax, LOSSES, "confidence", "share right", points=True)
    assert {text.get_text() for text in ax.texts} == {*LOSSES}
    assert all(line.get_marker() == "o" for line in ax.lines)


def test_a_curve_with_a_single_point_can_be_seen(ax: Axes) -> None:
    curves(ax, {"one": ([10.0], [6.9]), "two": ([9.0, 10.0], [6.5, 6.3])}, "seconds", "loss")
    assert [line.get_marker() for line in ax.lines] == ["o", ""]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_of_lines_that_end_close_together_do_not_touch_and_keep_their_order(ax: Axes, scale: str) -> None:
    ax.set_yscale(scale)
    close = {"a": (STEPS, [6, 3, 1.00]), "b": (STEPS, [6, 3, 1.02]), "c": (STEPS, [6, 3, 1.01])}
    curves(ax, close, "steps", "loss", {"floor": 0.99, "roof": 6.0})
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    ranked = sorted(ax.texts, key=lambda text: text.get_position()[1])
    assert [text.get_text()[0] for text in ranked] == ["f", "a", "c", "b", "r"]
    boxes = [text.get_window_extent() for text in ranked]
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
    frame = ax.get_window_extent()
    assert boxes[0].y0 > frame.y0 - 10
    assert boxes[-1].y1 < frame.y1 + 10


def test_labels_at_the_top_are_moved_downwards(ax: Axes) -> None:
    rising = {name: (STEPS, [0.0, 0.5, end]) for name, end in {"a": 0.98, "b": 0.99, "c": 1.0}.items()}
    curves(ax, rising, "steps", "share right")
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    boxes = [text.get_window_extent() for text in ax.texts]
    assert all(below.y1 <= above.y0 for below, above in pairwise(boxes))
    assert boxes[-1].y1 < ax.get_window_extent().y1 + 10


def test_the_description_says_where_each_curve_begins_and_ends(ax: Axes) -> None:
    assert described(curves(ax, LOSSES, "training steps", "loss", FLOORS)) == (
        "loss against training steps: yours goes from 6.00 to 0.50; no attention goes from 6.00 to 2.25. "
        "Horizontal lines: uniform ln V 5.90, bigram 2.30."
    )


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ({}, "series should hold 1 to 4 curves, but it holds 0"),
        (dict.fromkeys("abcde", (STEPS, STEPS)), "but it holds 5"),
        ({"a": (STEPS, [1.0])}, "the curve 'a' should have one y for each x, but it has 3 x and 1 y"),
    ],
)
def test_curves_that_cannot_be_told_apart_or_do_not_fit_are_refused(
    ax: Axes, series: dict[str, tuple[list[float], list[float]]], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        curves(ax, series, "x", "y")


BARS = {"un": 0.05, "le": 0.7, "la": 0.25}


def test_bars_are_in_order_with_the_largest_on_top(ax: Axes) -> None:
    assert sorted_bars(ax, BARS, "probability") is ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["le", "la", "un"]
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.25, 0.05]  # type: ignore[attr-defined]
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlabel() == "probability"


def test_each_bar_has_its_number_and_each_floor_its_line(ax: Axes) -> None:
    sorted_bars(ax, BARS, "probability", levels={"chance": 1 / 3})
    assert [text.get_text() for text in ax.texts] == ["0.70", "0.25", "0.05", "chance 0.33"]
    assert [set(line.get_xdata()) for line in ax.lines] == [{1 / 3}]


def test_a_highlighted_bar_is_recognisable_without_colour(ax: Axes) -> None:
    sorted_bars(ax, BARS, "probability", highlight=["la"])
    assert [bar.get_linewidth() for bar in ax.patches] == [1, 2, 1]
    assert [text.get_weight() for text in ax.texts] == ["normal", "bold", "normal"]


def test_the_description_names_the_largest_and_the_smallest_bar(ax: Axes) -> None:
    assert described(sorted_bars(ax, BARS, "probability", levels={"chance": 0.33})) == (
        "3 bars of probability: the largest is le, 0.70, the smallest un, 0.05. Lines: chance 0.33."
    )


@pytest.mark.parametrize(
    ("values", "highlight", "words"),
    [
        ({}, [], "values should hold numbers of 0 or more, at least one, but it holds {}"),
        ({"a": -1.0}, [], "but it holds {'a': -1.0}"),
        (BARS, ["les"], "highlight names 'les', which is not among the bars: un, le, la"),
    ],
)
def test_invalid_bars_are_refused(ax: Axes, values: dict[str, float], highlight: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        sorted_bars(ax, values, "x", highlight)


PARTS = {"small": {"table": 3.0, "layers": 1.0}, "large": {"table": 1.0, "layers": 3.0}}


def test_each_row_of_shares_is_one_bar_that_adds_up_to_a_hundred_per_cent(ax: Axes) -> None:
    stacked_shares(ax, PARTS, "% of the parameters")
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == [75, 25, 25, 75]
    assert [bar.get_x() for bar in ax.patches] == [0, 75, 0, 25]


def test_shares_are_described_in_words(ax: Axes) -> None:
    words = described(stacked_shares(ax, PARTS, "% of the parameters"))
    assert words == "small: table 75 %, layers 25 %. large: table 25 %, layers 75 %."


def test_rows_with_different_parts_are_refused(ax: Axes) -> None:
    with pytest.raises(ValueError, match="rows should have the same parts"):
        stacked_shares(ax, {"small": {"table": 1.0}, "large": {"layers": 1.0}}, "%")


def test_smoothed_losses_are_means_of_the_steps_before() -> None:
    assert smoothed([1, 2, 3, 4, 5], width=2, every=1) == ([2, 3, 4, 5], [1.5, 2.5, 3.5, 4.5])
    assert smoothed([1, 2, 3, 4, 5], width=2) == ([2, 4], [1.5, 3.5])
    with pytest.raises(ValueError, match="a mean of 2 losses needs as many, but there are 1"):
        smoothed([1], width=2)
    with pytest.raises(ValueError, match="1 or more, but are 0 and 0"):
        smoothed([1], width=0)
