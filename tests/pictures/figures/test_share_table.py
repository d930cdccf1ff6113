"""Tables of shares, checked against the drawn numbers."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from course_lib.pictures.figures import described, share_table, style

COLUMNS = {"noun": [1.0, 0.95], "adjective": [0.9, 0.25], "determiner": [0.97, 0.08]}


@pytest.fixture(params=["light", "dark"])
def ax(request: pytest.FixtureRequest) -> Iterator[Axes]:
    with style(request.param):
        fig, ax = plt.subplots(figsize=(6, 3))
        yield ax
    plt.close(fig)


def test_each_cell_has_its_share_as_a_number_and_as_a_colour_from_0_to_1(ax: Axes) -> None:
    assert share_table(ax, COLUMNS, ["head 0", "head 1"], "head", "kind of word") is ax
    (image,) = ax.images
    assert np.array_equal(image.get_array(), [[1.0, 0.9, 0.97], [0.95, 0.25, 0.08]])
    assert (image.norm.vmin, image.norm.vmax) == (0, 1)
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells[2, 1] == "0.08"
    assert cells[0, 0] == "1.00"
    assert len(cells) == 6


def test_rows_and_columns_are_named(ax: Axes) -> None:
    share_table(ax, COLUMNS, ["head 0", "head 1"], "head", "kind of word")
    assert [label.get_text() for label in ax.get_xticklabels()] == [*COLUMNS]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["head 0", "head 1"]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("head", "kind of word")


def test_the_description_names_the_largest_and_the_smallest(ax: Axes) -> None:
    words = described(share_table(ax, COLUMNS, ["head 0", "head 1"], "head", "kind of word"))
    assert "The largest is 1.00, head 0, noun; the smallest is 0.08, head 1, determiner." in words


@pytest.mark.parametrize(
    ("columns", "rows", "words"),
    [
        ({}, ["a"], "should have 1 shares, one for each row, but they have {}"),
        ({"x": [0.5]}, ["a", "b"], "should have 2 shares, one for each row, but they have {'x': 1}"),
        ({"x": []}, [], "should have 0 shares"),
        ({"x": [1.5]}, ["a"], "between 0 and 1, but one is 1.5"),
        ({"x": [float("nan")]}, ["a"], "between 0 and 1, but one is nan"),
    ],
)
def test_what_is_no_table_of_shares_is_refused(ax: Axes, columns, rows, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        share_table(ax, columns, rows, "row", "column")
