"""Sinusoidal positions as pictures: the hands of their clocks, their table, and their dot products by offset."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour
from course_lib.text.wording import with_minus_signs

_ROUNDING = 1e-4


def clock_faces(ax: Axes, table: Tensor | ArrayLike, positions: Sequence[int]) -> Axes:
    """Draw each position as a row of clocks, with the sine and cosine of each hand below.

    A hand points up at angle 0 and turns clockwise, so that its tip is at (sine, cosine).

    Args:
        ax: where to draw.
        table: (length, d_model), with the sine and cosine of each clock side by side; at least two rows.
        positions: the rows to draw, from top to bottom.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the table does not hold sines and cosines, or has no such position.
    """
    clocks = _clocks(table)  # (length, d_model / 2, 2)
    if not positions or not all(0 <= position < len(clocks) for position in positions):
        raise ValueError(f"positions should be among 0 … {len(clocks) - 1}, but they are {list(positions)}")
    theme = theme_of(ax)
    ink, border, panel = (colour(name, theme) for name in ("ink", "border", "panel"))
    speeds = torch.atan2(*clocks[1].T).tolist()  # radians per position
    for y, position in enumerate(positions):
        ax.text(-0.75, y, f"position {position}", ha="right", va="center")
        for x, (sine, cosine) in enumerate(clocks[position].tolist()):
            ax.add_patch(Circle((x, y - 0.08), 0.34, facecolor=panel, edgecolor=border, linewidth=1.2))
            ax.plot([x, x], [y - 0.42, y - 0.36], color=border, linewidth=1.5, linestyle="-")
            tip = (x + 0.3 * sine, y - 0.08 - 0.3 * cosine)
            ax.plot([x, tip[0]], [y - 0.08, tip[1]], color=ink, linewidth=2.5, linestyle="-", solid_capstyle="round")
            numbers = with_minus_signs(f"{sine + 0.0:.2f}  {cosine + 0.0:.2f}")
            ax.text(x, y + 0.38, numbers, ha="center", va="center", fontsize=9)
    for x, speed in enumerate(speeds):
        ax.text(x, -0.62, f"clock {x}\n{speed:.2g} rad\nper position", ha="center", va="bottom", fontsize=9)
    ax.set(xlim=(-1.9, len(speeds) - 0.4), ylim=(len(positions) - 0.45, -1.25), aspect="equal")
    ax.axis("off")
    return describe(ax, _clocks_in_words(speeds, positions))


def position_table(ax: Axes, table: Tensor | ArrayLike) -> Axes:
    """Draw a table of positions: a row for each position, a column for each feature, on a scale from −1 to 1.

    Args:
        ax: where to draw.
        table: (length, d_model), with the sine and cosine of each clock side by side; at least two rows.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the table does not hold sines and cosines.
    """
    numbers = _clocks(table).flatten(1)  # (length, d_model)
    ramp = LinearSegmentedColormap.from_list("signed", LOOK["ramps"]["signed"][theme_of(ax)])
    ax.imshow(numbers.numpy(), cmap=ramp, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    ax.set(xlabel="feature, fast clocks first", ylabel="position")
    ax.spines[:].set_visible(False)
    first, last = (numbers[1:, i].sub(numbers[:-1, i]).abs().mean().item() for i in (0, -1))
    return describe(
        ax,
        f"{len(numbers)} positions by {numbers.size(1)} features between -1 and 1. From one position to the next, "
        f"the first feature changes by {first:.2f} on average, the last by {last:.2f}.",
    )


def offset_curve(ax: Axes, table: Tensor | ArrayLike, starts: tuple[int, int]) -> Axes:
    """Draw the dot products of two positions with all others by offset: a line for the first, rings for the second.

    Args:
        ax: where to draw.
        table: (length, d_model), with the sine and cosine of each clock side by side; at least two rows.
        starts: the two positions.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the table does not hold sines and cosines, or has no such position.
    """
    numbers = _clocks(table).flatten(1)  # (length, d_model)
    if not all(0 <= start < len(numbers) for start in starts):
        raise ValueError(f"starts should be among 0 … {len(numbers) - 1}, but they are {starts}")
    theme = theme_of(ax)
    of_line, of_rings = (
        {other - start: product for other, product in enumerate((numbers @ numbers[start]).tolist())}
        for start in starts
    )
    name_line, name_rings = (f"position {start} with the others" for start in starts)
    ax.plot(*_sides(of_line), color=colour("ink", theme), linewidth=2, linestyle="-", label=name_line)
    ink = colour("query", theme)
    ring: dict[str, Any] = {"marker": "o", "markersize": 7, "markerfacecolor": "none", "markeredgewidth": 1.5}
    ax.plot(*_sides(of_rings), linestyle="none", label=name_rings, markeredgecolor=ink, **ring)
    ax.legend(frameon=False, fontsize=10)
    ax.set(xlabel="offset, in positions", ylabel="dot product")
    apart = max(abs(of_line[offset] - of_rings[offset]) for offset in of_line.keys() & of_rings.keys())
    return describe(
        ax,
        f"Dot products of positions {starts[0]} and {starts[1]} with all others by offset: {of_line[0]:.2f} at offset "
        f"0, {of_line[max(of_line)]:.2f} at {max(of_line)}. At the same offset they differ by at most {apart:.2f}.",
    )


def _clocks(table: Tensor | ArrayLike) -> Tensor:
    """Split a table of positions into clocks: (length, d_model) to (length, d_model / 2, 2), in float64."""
    numbers = torch.as_tensor(table).detach().double().cpu()
    if numbers.dim() != 2 or len(numbers) < 2 or numbers.size(1) % 2:
        raise ValueError(f"table should be (length, d_model), with an even width, but it is {tuple(numbers.shape)}")
    clocks = numbers.reshape(len(numbers), -1, 2)  # (length, d_model / 2, 2)
    if (clocks.pow(2).sum(-1) - 1).abs().max() > _ROUNDING:
        raise ValueError("table should hold a sine and a cosine of each clock side by side, but sin² + cos² is not 1")
    return clocks


def _sides(curve: dict[int, float]) -> tuple[list[int], list[float]]:
    return list(curve), list(curve.values())


def _clocks_in_words(speeds: Sequence[float], positions: Sequence[int]) -> str:
    turned = ", ".join(f"{speed * positions[-1]:.2g}" for speed in speeds)
    rows = ", ".join(map(str, positions))
    return (
        f"{len(speeds)} clocks at {'positions' if len(positions) > 1 else 'position'} {rows}. "
        f"At position {positions[-1]} their hands have turned by {turned} radians."
    )
