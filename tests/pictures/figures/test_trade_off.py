"""Two measures against each other, checked against the drawn numbers."""

import pytest
from matplotlib.axes import Axes

from course_lib.pictures.figures import described, trade_off

METHODS = {
    "beams": [("1", 0.2, -0.9), ("4", 0.24, -0.6)],
    "temperature": [("0.5", 0.7, -1.0), ("1.5", 0.95, -2.5)],
}


FIGSIZE = (7, 4)


def test_each_method_is_a_line_through_its_settings_in_their_order(ax: Axes) -> None:
    assert trade_off(ax, METHODS, "variety (share)", "score (nats)") is ax
    drawn = [list(zip(line.get_xdata(), line.get_ydata(), strict=True)) for line in ax.lines]
    assert drawn == [[(x, y) for _, x, y in points] for points in METHODS.values()]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("variety (share)", "score (nats)")


def test_methods_also_differ_in_their_marks_and_dashes(ax: Axes) -> None:
    trade_off(ax, METHODS, "x", "y")
    first, second = ax.lines
    assert first.get_marker() != second.get_marker()
    assert first.is_dashed() != second.is_dashed()


def test_each_point_is_labelled_with_its_setting(ax: Axes) -> None:
    trade_off(ax, METHODS, "x", "y")
    assert [(words.get_text(), words.xy) for words in ax.texts] == [
        (setting, (x, y)) for points in METHODS.values() for setting, x, y in points
    ]


def test_settings_at_the_same_point_share_a_label(ax: Axes) -> None:
    close = {"beams": [("1", 0.2, 1.0), ("4", 0.2, 1.0)], "top-k": [("2", 0.2, 0.999), ("20", 0.9, 0.1)]}
    trade_off(ax, close, "x", "y")
    assert [words.get_text() for words in ax.texts] == ["beams 1, 4\ntop-k 2", "20"]


def test_the_description_has_every_number(ax: Axes) -> None:
    trade_off(ax, METHODS, "variety", "score")
    assert described(ax) == (
        "score against variety. beams: 1 at 0.20, -0.90; 4 at 0.24, -0.60. "
        "temperature: 0.5 at 0.70, -1.00; 1.5 at 0.95, -2.50."
    )


@pytest.mark.parametrize("methods", [{}, {"none": []}, {name: [("1", 0.0, 0.0)] for name in "abcde"}])
def test_no_methods_too_many_methods_or_one_without_settings_are_refused(ax: Axes, methods: dict) -> None:
    with pytest.raises(ValueError, match="methods should hold 1 to 4"):
        trade_off(ax, methods, "x", "y")
