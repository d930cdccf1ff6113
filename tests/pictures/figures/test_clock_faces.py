"""Pictures of sinusoidal positions, checked against the drawn table."""

import math
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from torch import Tensor

from course_lib.pictures.figures import clock_faces, described, offset_curve, position_table, style
from course_lib.transformer.positions import sinusoidal

TABLE = sinusoidal(11, 8)


def hands(ax: Axes) -> list[tuple[float, float]]:
    """The direction of each hand (to the right, up) as a unit vector, in drawing order."""
    found = [line for line in ax.lines if line.get_linewidth() > 2]
    ends = [(np.diff(line.get_xdata())[0], -np.diff(line.get_ydata())[0]) for line in found]  # type: ignore[arg-type]
    return [(right / 0.3, up / 0.3) for right, up in ends]


def numbers_below(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text().replace("−", "")[:2] in ("0.", "1.")]


def test_the_tip_of_a_hand_is_at_its_sine_and_cosine(ax: Axes) -> None:
    assert clock_faces(ax, TABLE, (0, 1, 10)) is ax
    # Clock i turns by 10^-i radians per position, clockwise from twelve.
    expected = [(math.sin(p / 10**i), math.cos(p / 10**i)) for p in (0, 1, 10) for i in range(4)]
    assert hands(ax) == pytest.approx(np.array(expected), abs=1e-6)
    assert sum(isinstance(patch, Circle) for patch in ax.patches) == 12


def test_the_numbers_of_a_clock_are_below_it_and_zero_has_no_sign(ax: Axes) -> None:
    table = TABLE.clone()
    table[0, 0] = -0.0
    clock_faces(ax, table, (0, 10))
    assert numbers_below(ax)[:2] == ["0.00  1.00", "0.00  1.00"]
    assert numbers_below(ax)[4:] == ["−0.54  −0.84", "0.84  0.54", "0.10  1.00", "0.01  1.00"]


def test_rows_are_labelled_by_position_and_columns_by_speed(ax: Axes) -> None:
    clock_faces(ax, TABLE, (1, 10))
    texts = [text.get_text() for text in ax.texts]
    assert [text for text in texts if text.startswith("position")] == ["position 1", "position 10"]
    assert [text for text in texts if text.startswith("clock")] == [
        f"clock {i}\n{speed} rad\nper position" for i, speed in enumerate(["1", "0.1", "0.01", "0.001"])
    ]
    low, high = sorted(ax.get_ylim())
    assert all(low < text.get_position()[1] < high for text in ax.texts)
    assert ax.yaxis_inverted()


def test_no_two_labels_touch_at_the_size_of_the_notebook() -> None:
    with style():
        figure, ax = plt.subplots(figsize=(8, 5.2))
        clock_faces(ax, TABLE, (0, 1, 10))
        boxes = [text.get_window_extent() for text in ax.texts]
        frame = figure.bbox
    for one, other in combinations(boxes, 2):
        apart = max(one.x0 - other.x1, other.x0 - one.x1, one.y0 - other.y1, other.y0 - one.y1)
        assert apart > 2, "two labels touch"
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and box.y1 <= frame.y1 for box in boxes)
    plt.close()


def test_the_description_says_how_far_the_hands_have_turned(ax: Axes) -> None:
    assert described(clock_faces(ax, TABLE, (0, 1, 10))) == (
        "4 clocks at positions 0, 1, 10. At position 10 their hands have turned by 10, 1, 0.1, 0.01 radians."
    )


def test_the_picture_of_the_table_has_its_numbers_on_a_scale_from_minus_1_to_1(ax: Axes) -> None:
    assert position_table(ax, TABLE) is ax
    (image,) = ax.images
    assert np.array_equal(image.get_array(), TABLE.double().numpy())  # type: ignore[arg-type]
    assert image.get_clim() == (-1, 1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("feature, fast clocks first", "position")


def test_the_description_of_the_table_says_which_features_vary(ax: Axes) -> None:
    moves = [abs(math.sin(p + 1) - math.sin(p)) for p in range(10)]
    assert described(position_table(ax, TABLE)) == (
        "11 positions by 8 features between -1 and 1. From one position to the next, the first feature changes by "
        f"{sum(moves) / 10:.2f} on average, the last by 0.00."
    )


def test_the_curve_is_a_sum_of_cosines_of_the_offset_wherever_it_starts(ax: Axes) -> None:
    assert offset_curve(ax, TABLE, (2, 6)) is ax
    for line, start in zip(ax.lines, (2, 6), strict=True):
        offsets = list(range(-start, 11 - start))
        assert list(line.get_xdata()) == offsets  # type: ignore[arg-type]
        expected = [sum(math.cos(offset / 10**i) for i in range(4)) for offset in offsets]
        assert line.get_ydata() == pytest.approx(expected, abs=1e-5)
    assert [line.get_marker() for line in ax.lines] == ["None", "o"]
    assert ax.lines[1].get_linestyle() == "None"


def test_the_description_of_the_curve_names_its_ends_and_the_largest_deviation(ax: Axes) -> None:
    assert described(offset_curve(ax, TABLE, (2, 6))) == (
        f"Dot products of positions 2 and 6 with all others by offset: 4.00 at offset 0, "
        f"{sum(math.cos(8 / 10**i) for i in range(4)):.2f} at 8. At the same offset they differ by at most 0.00."
    )


def test_the_description_says_if_dot_products_differ_along_a_diagonal(ax: Axes) -> None:
    table = TABLE.clone()
    table[7] = table[3]
    assert "differ by at most 0.00" not in described(offset_curve(ax, table, (2, 6)))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (torch.zeros(4, 4), "sin² \\+ cos² is not 1"),
        (TABLE[:, :7], r"table should be \(length, d_model\), with an even width, but it is \(11, 7\)"),
        (TABLE[:1], r"but it is \(1, 8\)"),
        (TABLE[0], r"but it is \(8,\)"),
    ],
)
def test_a_table_without_pairs_of_sine_and_cosine_is_refused(ax: Axes, table: Tensor, words: str) -> None:
    for draw in (lambda: clock_faces(ax, table, (0,)), lambda: position_table(ax, table)):
        with pytest.raises(ValueError, match=words):
            draw()
    with pytest.raises(ValueError, match=words):
        offset_curve(ax, table, (0, 0))


def test_positions_that_the_table_does_not_have_are_refused(ax: Axes) -> None:
    for positions in ((), (0, 11), (-1,)):
        with pytest.raises(ValueError, match=r"positions should be among 0 … 10, but they are"):
            clock_faces(ax, TABLE, positions)
    with pytest.raises(ValueError, match=r"starts should be among 0 … 10, but they are \(0, 11\)"):
        offset_curve(ax, TABLE, (0, 11))
