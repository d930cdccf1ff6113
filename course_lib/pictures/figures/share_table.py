"""Shares in a table whose cells are coloured: for what depends on two things, such as a head and a kind of word."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.figures.shades import colour_map, digit, shade
from course_lib.pictures.look import colour


def share_table(
    ax: Axes, columns: Mapping[str, Sequence[float]], rows: Sequence[str], row_name: str, column_name: str
) -> Axes:
    """Draw shares from 0 to 1 as a table: a number in each cell, and a colour that is the darker the larger it is.

    Args:
        ax: where to draw.
        columns: the name of each column → its shares from top to bottom.
        rows: the names of the rows.
        row_name: what the rows are, in words.
        column_name: what the columns are.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there is no column or no row, a column does not have one share for each row, or a share is not
            between 0 and 1.
    """
    lengths = {name: len(shares) for name, shares in columns.items()}
    if not columns or not rows or any(length != len(rows) for length in lengths.values()):
        raise ValueError(f"each column should have {len(rows)} shares, one for each row, but they have {lengths}")
    numbers = np.array([list(map(float, shares)) for shares in columns.values()]).T
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise ValueError(
            f"shares should lie between 0 and 1, but one is {numbers[~((numbers >= 0) & (numbers <= 1))][0]}"
        )
    theme = theme_of(ax)
    ramp = colour_map("weights", theme)
    ax.imshow(numbers, cmap=ramp, vmin=0, vmax=1, aspect="auto")
    for (i, j), share in np.ndenumerate(numbers):
        ink = digit(shade("weights", float(share), theme), theme)
        ax.text(j, i, f"{share:.2f}", ha="center", va="center", color=ink)
    ax.set_xticks(range(len(columns)), [*columns])
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=colour("border", theme), linewidth=0.6)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set(xlabel=column_name, ylabel=row_name)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    return describe(ax, _in_words(numbers, [*columns], rows, row_name, column_name))


def _in_words(
    numbers: NDArray[np.float64], columns: Sequence[str], rows: Sequence[str], row_name: str, column_name: str
) -> str:
    least, most = (divmod(int(place), len(columns)) for place in (numbers.argmin(), numbers.argmax()))
    return (
        f"A table of shares: {len(rows)} rows ({row_name}), {len(columns)} columns ({column_name}). "
        f"The largest is {numbers[most]:.2f}, {rows[most[0]]}, {columns[most[1]]}; "
        f"the smallest is {numbers[least]:.2f}, {rows[least[0]]}, {columns[least[1]]}."
    )
