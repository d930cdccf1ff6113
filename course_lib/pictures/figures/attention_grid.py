"""Attention weights as pictures: the grid of numbers, and lines over both sentences."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, PatchCollection
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import Normal, Stroke
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.figures.shades import colour_map, digit, shade
from course_lib.pictures.look import LOOK, Theme, colour, token_label

_ROUNDING = 1e-5
_SMALLEST_LINE = 0.05
# Below this many pixels a cell has no room for a chip beside it.
_CHIPS_FROM_CELL = 24


def attention_grid(
    ax: Axes,
    weights: torch.Tensor | ArrayLike,
    queries: Sequence[str],
    keys: Sequence[str],
    mask: torch.Tensor | ArrayLike | None = None,
    predicts: Sequence[str] | None = None,
    gold: Iterable[tuple[int, int]] = (),
    selected: int | None = None,
) -> Axes:
    """Draw attention weights as a grid: rows ask, columns are read, always on a scale from 0 to 1.

    Args:
        ax: where to draw.
        weights: (T, S), one row for each query.
        queries: the T tokens that ask, as the model saw them.
        keys: the S tokens that are read.
        mask: bool (T, S), `True` = may attend, as everywhere in the course. Hidden cells are hatched.
        predicts: for cross-attention, the token that each query predicts. The axes then say so.
        gold: (query, key) pairs of a true alignment, drawn as rings.
        selected: a row to outline and to describe; without it, the largest of all weights is described.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the labels do not match the weights, a weight is not between 0 and 1, or the mask hides one
            that is not 0.
    """
    numbers, may_attend = _checked(weights, queries, keys, mask)
    if predicts is not None and len(predicts) != len(queries):
        raise ValueError(
            f"predicts should name {len(queries)} tokens, one for each query, but it names {len(predicts)}"
        )
    theme = theme_of(ax)
    rows, columns = numbers.shape
    ramp = colour_map("weights", theme)
    ax.imshow(numbers, cmap=ramp, vmin=0, vmax=1, aspect="equal")
    ax.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=colour("border", theme), linewidth=0.6)
    ax.spines[:].set_visible(False)
    ax.tick_params(which="both", length=0)

    cell = _cell_pixels(ax, rows, columns)
    rings = sorted(set(gold))
    _draw_cells(ax, numbers, may_attend, cell)
    for i, j in rings:
        ink = digit(shade("weights", float(numbers[i, j]), theme), theme)
        ax.add_patch(Circle((j, i), 0.43, fill=False, edgecolor=ink, linewidth=1.6))
    for i in range(rows):
        total = float(numbers[i].sum())
        ax.text(
            columns - 0.38, i, f"Σ={total:.2f}", va="center", fontsize=min(9, cell / 2), color=colour("neutral", theme)
        )
    if selected is not None:
        ax.add_patch(
            Rectangle(
                (-0.5, selected - 0.5),
                columns,
                1,
                fill=False,
                edgecolor=colour("query", theme),
                linewidth=3,
                clip_on=False,
            )
        )
    asks = [token_label(q) for q in queries]
    if predicts is not None:
        asks = [f"{q} → {token_label(p)}" for q, p in zip(asks, predicts, strict=True)]
    _name_axes(ax, asks, keys, cell, cross=predicts is not None)
    return describe(ax, _grid_in_words(numbers, asks, keys, selected, predicts is not None, rings))


def alignment(
    ax: Axes,
    weights: torch.Tensor | ArrayLike,
    source: Sequence[str],
    target: Sequence[str],
    selected: int | None = None,
) -> Axes:
    """Draw both sentences with lines between them: the wider the line, the more of that source word is read.

    Weights below 0.05 have no line; `attention_grid` shows them all.

    Args:
        ax: where to draw.
        weights: (T, S), one row for each target token.
        source: the S source tokens, drawn above.
        target: the T target tokens, drawn below.
        selected: the target token to outline. Its lines keep the colour of values and show their numbers; the lines
            of all others are grey.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the labels do not match the weights or a weight is not between 0 and 1.
    """
    numbers, _ = _checked(weights, target, source, None)
    theme = theme_of(ax)
    width = _sentence_width(source, target)
    above, below = _chip_middles(source, width), _chip_middles(target, width)
    ax.set(xlim=(0, width), ylim=(-0.36, 1.36))
    ax.axis("off")
    for i, j in np.ndindex(*numbers.shape):
        weight = float(numbers[i, j])
        lit = selected is None or i == selected
        if weight < _SMALLEST_LINE:
            continue
        ax.plot(
            [below[i], above[j]],
            [0.1, 0.9],
            color=colour("value" if lit else "masked", theme),
            linewidth=11 * weight,
            alpha=1 if lit else 0.5,
            linestyle="-",
            solid_capstyle="butt",
            zorder=2 if lit else 1,
        )
        if i == selected:
            ax.text(
                above[j] + 0.16 * (below[i] - above[j]),
                0.9 - 0.16 * 0.8,
                f"{weight:.2f}",
                ha="center",
                va="center",
                fontsize=10,
                zorder=4,
                bbox={"boxstyle": "round,pad=0.15", "facecolor": colour("paper", theme), "edgecolor": "none"},
            )
    for x, token in zip(above, source, strict=True):
        _chip(ax.text(x, 1, token_label(token), ha="center", va="center"), token, "key", theme)
    for i, (x, token) in enumerate(zip(below, target, strict=True)):
        chip = ax.text(x, 0, token_label(token), ha="center", va="center")
        _chip(chip, token, "query", theme, outlined=i == selected)
    ax.text(0, 1.26, "source: is read (keys and values, memory M)", color=colour("neutral", theme), fontsize=9.5)
    ax.text(0, -0.34, "target: reads (query)", color=colour("neutral", theme), fontsize=9.5)
    return describe(ax, _alignment_in_words(numbers, source, target, selected))


def _checked(
    weights: torch.Tensor | ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    mask: torch.Tensor | ArrayLike | None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    numbers = torch.as_tensor(weights).detach().double().cpu().numpy()
    if numbers.shape != (len(rows), len(columns)):
        raise ValueError(
            f"weights should be ({len(rows)}, {len(columns)}), a row for each of the {len(rows)} tokens that ask and a "
            f"column for each of the {len(columns)} that are read, but their shape is {tuple(numbers.shape)}"
        )
    wrong = ~((numbers >= -_ROUNDING) & (numbers <= 1 + _ROUNDING))
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise ValueError(f"weights should lie between 0 and 1, but the one at ({i}, {j}) is {numbers[i, j]:.4g}")
    if mask is None:
        return numbers, np.ones(numbers.shape, dtype=bool)
    may_attend = np.broadcast_to(torch.as_tensor(mask).cpu().numpy().astype(bool), numbers.shape)
    leaks = ~may_attend & (numbers > 0)
    if leaks.any():
        i, j = np.argwhere(leaks)[0]
        raise ValueError(f"the mask hides ({i}, {j}), but its weight is {numbers[i, j]:.4g}; it should be 0")
    return numbers, may_attend


def _cell_pixels(ax: Axes, rows: int, columns: int) -> float:
    """Estimate the side of a cell on the page; labels and titles need some of the room."""
    box, pixels = ax.get_window_extent(), 100 / ax.figure.dpi
    return float(min(box.width / columns, box.height / rows) * pixels * 0.9)


def _draw_cells(ax: Axes, numbers: NDArray[np.float64], may_attend: NDArray[np.bool_], cell: float) -> None:
    """Give every cell a second sign beside its colour: digits or, where there is no room, a dot; a hatch if masked."""
    theme = theme_of(ax)
    roomy = cell >= LOOK["digits_from_cell"]
    for i, j in np.argwhere(may_attend) if roomy else []:
        weight = float(numbers[i, j])
        ink = digit(shade("weights", weight, theme), theme)
        ax.text(j, i, f"{weight:.2f}", ha="center", va="center", color=ink, fontsize=min(10, cell / 3.4))
    if not roomy:
        ax.add_collection(_dots(ax, numbers, may_attend))
    hidden = np.argwhere(~may_attend)
    ax.add_collection(
        PatchCollection(
            [Rectangle((j - 0.5, i - 0.5), 1, 1) for i, j in hidden],
            facecolor=colour("paper", theme),
            edgecolor=colour("masked", theme),
            hatch="////",
            linewidth=0,
        )
    )
    for i, j in hidden if roomy else []:
        ax.text(j, i, "·", ha="center", va="center", fontsize=14)


def _dots(ax: Axes, numbers: NDArray[np.float64], may_attend: NDArray[np.bool_]) -> EllipseCollection:
    theme = theme_of(ax)
    weights = numbers[may_attend]
    widths = 0.8 * np.sqrt(weights.clip(min=0))
    return EllipseCollection(
        widths,
        widths,
        np.zeros_like(widths),
        units="xy",
        offsets=np.argwhere(may_attend)[:, ::-1],
        offset_transform=ax.transData,
        facecolors=[digit(shade("weights", float(weight), theme), theme) for weight in weights],
        linewidth=0,
    )


def _name_axes(ax: Axes, asks: Sequence[str], keys: Sequence[str], cell: float, cross: bool) -> None:
    theme = theme_of(ax)
    widest = max(len(token_label(key)) for key in keys) * 8.8 + 14
    turn = 0 if widest < cell else 60 if cell > 32 else 90
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xticks(range(len(keys)), [token_label(key) for key in keys])
    ax.set_yticks(range(len(asks)), asks)
    for label, token in zip(ax.get_xticklabels(), keys, strict=True):
        _chip(label, token, "key", theme, cell=cell)
        if turn == 60:
            label.set(rotation=60, ha="left", va="center", rotation_mode="anchor")
        else:
            label.set(rotation=turn)
    for label, token in zip(ax.get_yticklabels(), asks, strict=True):
        _chip(label, token, "query", theme, cell=cell)
        label.set(va="center")
    ax.tick_params(axis="both", which="major", pad=10 if cell >= _CHIPS_FROM_CELL else 3)
    if cross:
        ax.set_ylabel("query: target token so far\n(→ predicts)", labelpad=10)
        ax.set_xlabel("key: source token (memory M)", labelpad=10)
    else:
        ax.set_ylabel("query i: token being updated", labelpad=10)
        ax.set_xlabel("key j: token being read", labelpad=10)


def _chip(
    label: Text, token: str, role: str, theme: Theme, outlined: bool = False, cell: float = _CHIPS_FROM_CELL
) -> None:
    """Make a label look like a token's chip: special tokens have a double border, padding is hatched."""
    label.set(family="DejaVu Sans Mono", fontsize=min(10.5, cell * 0.55), color=colour("ink", theme))
    if cell < _CHIPS_FROM_CELL:
        return
    fill, edge = colour(f"{role}_chip", theme), colour("border", theme)
    box: dict[str, Any] = {"boxstyle": "round,pad=0.32,rounding_size=0.35", "facecolor": fill, "edgecolor": edge}
    box["linewidth"] = 1
    if token.startswith("["):
        box["linewidth"] = 3.4
        box["path_effects"] = [Normal(), Stroke(linewidth=1.2, foreground=colour("paper", theme))]
    if token == "[pad]":
        box["hatch"] = "///"
    if outlined:
        box |= {"edgecolor": colour("ink", theme), "linewidth": 2.8}
    label.set(bbox=box)


def _sentence_width(*sentences: Sequence[str]) -> float:
    return max(sum(len(token_label(token)) + 3 for token in sentence) for sentence in sentences)


def _chip_middles(tokens: Sequence[str], width: float) -> list[float]:
    """Return the middle of each chip, spread over the width in proportion to the number of letters."""
    letters = [len(token_label(token)) + 3 for token in tokens]
    space = (width - sum(letters)) / len(tokens)
    middles, x = [], 0.0
    for count in letters:
        middles.append(x + (count + space) / 2)
        x += count + space
    return middles


def _grid_in_words(
    numbers: NDArray[np.float64],
    asks: Sequence[str],
    keys: Sequence[str],
    selected: int | None,
    cross: bool,
    rings: Sequence[tuple[int, int]],
) -> str:
    rows, columns = numbers.shape
    i = selected if selected is not None else int(numbers.max(axis=1).argmax())
    j = int(numbers[i].argmax())
    kind = "Cross-attention" if cross else "Attention"
    words = (
        f"{kind} weights of {rows} queries (rows) over {columns} keys (columns). The row “{asks[i]}” gives its largest "
        f"weight, {numbers[i, j]:.2f}, to “{token_label(keys[j])}”."
    )
    if rings:
        agreeing = sum(int(numbers[row].argmax()) == column for row, column in rings)
        words += f" {agreeing} of {len(rings)} true links are the largest weight of their row."
    return words


def _alignment_in_words(
    numbers: NDArray[np.float64], source: Sequence[str], target: Sequence[str], selected: int | None
) -> str:
    i = selected if selected is not None else int(numbers.max(axis=1).argmax())
    j = int(numbers[i].argmax())
    return (
        f"Lines from {len(target)} target words to {len(source)} source words, as wide as the attention weight. "
        f"“{token_label(target[i])}” gives its largest weight, {numbers[i, j]:.2f}, to “{token_label(source[j])}”."
    )
