"""The waterfall of the residual stream, checked against the drawn bars."""

from collections.abc import Sequence

import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.pictures.figures import described, residual_stream

# They add up to (6, 8), of length 10: along (0.6, 0.8) they are 5, 3, -1 and 3.
START = [3.0, 4.0]
WRITES = [[5.0, 0.0], [1.0, -2.0], [-3.0, 6.0]]
NAMES = ["A1", "F1", "A2"]


def bars(ax: Axes) -> list[tuple[float, float]]:
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in found]


def flat(pairs: Sequence[tuple[float, float]]) -> list[float]:
    return [number for pair in pairs for number in pair]


def test_each_bar_begins_where_the_last_one_ended_and_they_end_at_the_length_of_the_sum(ax: Axes) -> None:
    assert residual_stream(ax, START, WRITES, NAMES) is ax
    assert flat(bars(ax)) == pytest.approx([0, 5, 5, 8, 8, 7, 7, 10, 0, 10])


def test_the_stream_runs_horizontally_from_the_end_of_each_bar_to_the_next(ax: Axes) -> None:
    residual_stream(ax, START, WRITES, NAMES)
    level = [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines[:4]]  # type: ignore[arg-type]
    assert [x for x, _ in level] == [[0, 1], [1, 2], [2, 3], [3, 4]]
    assert flat([y for _, y in level]) == pytest.approx([5, 5, 8, 8, 7, 7, 10, 10])  # type: ignore[misc]


def test_only_a_contribution_that_opposes_the_output_is_hatched(ax: Axes) -> None:
    residual_stream(ax, START, WRITES, NAMES)
    assert [patch.get_hatch() for patch in ax.patches] == [None, None, "////", None, None]


def test_each_bar_has_its_name_and_number_and_the_first_and_last_are_emphasised(ax: Axes) -> None:
    residual_stream(ax, START, WRITES, NAMES)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["in", "A1", "F1", "A2", "out"]
    assert [text.get_text() for text in ax.texts] == ["5.0", "3.0", "-1.0", "3.0", "10.0"]
    assert [patch.get_linewidth() for patch in ax.patches] == [2, 1, 1, 1, 2]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("sublayer, in order", "contribution along the output")


def test_every_bar_and_number_lies_inside_the_axes(ax: Axes) -> None:
    residual_stream(ax, [-1.0, 0.0], [[4.0, 1.0], [-2.0, 2.0]], ["A1", "F1"])
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    frame = ax.get_window_extent()
    for artist in (*ax.patches, *ax.texts):
        box = artist.get_window_extent()
        assert frame.y0 - 1 <= box.y0 < box.y1 <= frame.y1 + 1


def test_the_description_names_both_ends_the_largest_contribution_and_the_opposing_ones(ax: Axes) -> None:
    assert described(residual_stream(ax, START, WRITES, NAMES)) == (
        "Measured along the output, the input is 5.00, and 3 sublayers bring the sum to 10.00. "
        "The largest contribution is that of A1, 3.00. Negative contributions: 1."
    )


def test_the_largest_contribution_may_oppose_the_output(ax: Axes) -> None:
    words = described(residual_stream(ax, [20.0, 0.0], [[3.0, 1.0], [-8.0, 0.0], [4.0, -1.0]], NAMES))
    assert words.endswith("The largest contribution is that of F1, -8.00. Negative contributions: 1.")


@pytest.mark.parametrize(
    ("start", "writes", "names", "words"),
    [
        (START, WRITES[:2], NAMES, r"writes \(3, d_model\), a row for each name, but they are \(2,\) and \(2, 2\)"),
        (START, [[1.0], [2.0], [3.0]], NAMES, r"they are \(2,\) and \(3, 1\)"),
        ([START], WRITES, NAMES, r"they are \(1, 2\) and \(3, 2\)"),
        (START, torch.zeros(0, 2), [], r"they are \(2,\) and \(0, 2\)"),
        (START, [[-3.0, -4.0]], ["A1"], "add up to 0, which has no direction"),
    ],
)
def test_contributions_that_do_not_add_up_are_refused(
    ax: Axes, start: list[float], writes: list[list[float]], names: list[str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        residual_stream(ax, start, writes, names)
