"""Heads as pictures: where each number goes when tokens are split into heads, and all heads of a layer side by side."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Circle, Rectangle
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.figures.shades import colour_map, digit, shade
from course_lib.pictures.look import Theme, colour, token_label

HeadStage = tuple[str, str, Tensor | ArrayLike]
"""What was done, the axes of the result, and its numbers: ("cut", "T H d_k", a tensor of that shape)."""

RGBA = tuple[float, float, float, float]

# Hues of tokens and shades of heads, pale enough for words on them. From the fifth on they come again.
_HUES = ("value", "key", "query", "memory")
_SHADES = (0.1, 0.32, 0.2, 0.42)
_AXES = ("T d_model", "T H d_k", "H T d_k")
# In cells: the width of a stage's title, of the gap before the next stage, and the height of a block's name.
_STAGE, _BETWEEN, _ABOVE = 4.2, 2.7, 0.75


def head_stages(ax: Axes, stages: Sequence[HeadStage], tokens: Sequence[str], heads: int) -> Axes:
    """Draw where each number goes when tokens are split into heads, one stage after the other from left to right.

    The numbers are `torch.arange(T * d_model)`, so that each tells where it came from. Each cell says what it holds:
    `b1` is a number of token b that belongs to head 1. Each token has a hue and each head a shade of it, so that a
    mixture shows at once. A number in the wrong position has a heavy frame and a cross.

    Args:
        ax: where to draw.
        stages: for each what was done, its axes ("T d_model", "T H d_k" or "H T d_k"), and a tensor of that shape.
        tokens: the T tokens, each a letter.
        heads: H, the number of heads.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if a stage's axes are none of these, or its shape does not match them.
    """
    theme = theme_of(ax)
    x, lowest, sentences = 0.0, 0.0, []
    for stage, (title, axes, given) in enumerate(stages):
        numbers = torch.as_tensor(given)
        expected = _expected_numbers(axes, tuple(numbers.shape), len(tokens), heads)
        if stage:
            start, end = (x - _BETWEEN, -1.5), (x - 1.65, -1.5)
            arrow = {"arrowstyle": "-|>", "color": colour("neutral", theme), "linewidth": 2}
            ax.annotate("", end, start, arrowprops=arrow)
        bottom = _draw_stage(ax, x, numbers, expected, axes, tokens, heads)
        wrong = int((numbers != expected).sum())
        shape = f"({', '.join(axes.split())}) = {tuple(numbers.shape)}"
        ax.text(x, 1.15, title, weight="bold")
        ax.text(x, 0.55, shape, fontsize=9, color=colour("neutral", theme))
        verdict = f"{wrong} of {numbers.numel()} in the wrong position" if wrong else "all in the right position"
        ax.text(x, bottom - 0.3, f"{'✗' if wrong else '✓'} {verdict}", va="top", fontsize=9.5)
        sentences.append(f"{title}: {verdict}.")
        lowest = min(lowest, bottom)
        x += max(numbers.size(-1), _STAGE) + _BETWEEN
    ax.set(xlim=(-0.8, x - _BETWEEN + 0.6), ylim=(lowest - 1.1, 1.8), aspect="equal")
    ax.axis("off")
    return describe(ax, f"Where the numbers of {len(tokens)} tokens go in {heads} heads. {' '.join(sentences)}")


def head_grids(
    axes: Iterable[Axes],
    weights: Tensor | ArrayLike,
    tokens: Sequence[str],
    labels: Sequence[str] = (),
    sources: Sequence[str] | None = None,
    gold: Iterable[tuple[int, int]] = (),
) -> list[Axes]:
    """Draw the weights of H heads as small grids, with a row for each query, all on a scale from 0 to 1.

    A weight is shown twice: by the colour of its cell and by the area of a dot. Tokens are named to the left of the
    first column of grids and above the first row.

    Args:
        axes: where to draw, H of them, such as `plt.subplots(3, 4)[1].flat`.
        weights: (H, T, S), one row for each query.
        tokens: the T tokens that ask. In cross-attention, the words that they predict.
        labels: what to write beside each head's number, for instance a measurement.
        sources: the S tokens that are read, in cross-attention; None: the same tokens.
        gold: (query, key) pairs of a true alignment, drawn as rings.

    Returns:
        The axes; the first has the description of all in words.

    Raises:
        ValueError: if the shape does not match the tokens, the axes or the labels, or a weight is not between 0 and 1.
    """
    panels, T = list(axes), len(tokens)
    keys, crosses, rings = tokens if sources is None else sources, sources is not None, sorted(set(gold))
    numbers = torch.as_tensor(weights).detach().double().cpu()
    if numbers.shape != (len(panels), T, len(keys)):
        raise ValueError(
            f"weights should be ({len(panels)}, {T}, {len(keys)}), but their shape is {tuple(numbers.shape)}"
        )
    if labels and len(labels) != len(panels):
        raise ValueError(f"there should be {len(panels)} labels, one for each head, but there are {len(labels)}")
    if not ((numbers >= 0) & (numbers <= 1 + 1e-5)).all():
        raise ValueError("weights should lie between 0 and 1, but some do not: are these scores?")
    theme = theme_of(panels[0])
    ramp = colour_map("weights", theme)
    rows, columns = ([token_label(token) for token in side] for side in (tokens, keys))
    face: dict[str, Any] = {"fontsize": 8, "family": "DejaVu Sans Mono"}
    for head, ax in enumerate(panels):
        ax.imshow(numbers[head].numpy(), cmap=ramp, vmin=0, vmax=1)
        _dots(ax, numbers[head], theme)
        for i, j in rings:
            ink = digit(shade("weights", float(numbers[head, i, j]), theme), theme)
            ax.add_patch(Circle((j, i), 0.43, fill=False, edgecolor=ink, linewidth=1.3))
        ax.set_title(f"head {head}" + (f": {labels[head]}" if labels else ""), fontsize=10)
        spec = ax.get_subplotspec()
        left, top = spec is None or spec.is_first_col(), spec is None or spec.is_first_row()
        ax.set_yticks(range(T), rows if left else [""] * T, **face)
        ax.set_xticks(range(len(keys)), columns if top else [""] * len(keys), rotation=90, **face)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(True)
        asks, is_read = ("query: predicts", "key: is read") if crosses else ("query i: asks", "key j: is read")
        ax.set_ylabel(asks if left else "", fontsize=9)
        ax.set_xlabel(is_read if top else "", fontsize=9)
    describe(panels[0], _grids_in_words(numbers, labels, rings))
    return panels


def _expected_numbers(axes: str, shape: tuple[int, ...], T: int, heads: int) -> Tensor:
    """Return the numbers in the positions in which a stage with these axes should have them."""
    if axes not in _AXES:
        raise ValueError(f"the axes of a stage should be one of {', '.join(map(repr, _AXES))}, but they are {axes!r}")
    d_k = shape[-1] // heads if axes == "T d_model" else shape[-1]
    counted = torch.arange(T * heads * d_k).reshape(T, heads, d_k)  # (T, H, d_k)
    by_axes = {"T d_model": counted.flatten(1), "T H d_k": counted, "H T d_k": counted.transpose(0, 1)}
    expected = by_axes[axes]
    if expected.shape != shape:
        raise ValueError(f"a stage with the axes {axes!r} should be {tuple(expected.shape)}, but its shape is {shape}")
    return expected


def _draw_stage(
    ax: Axes, x: float, numbers: Tensor, expected: Tensor, axes: str, tokens: Sequence[str], heads: int
) -> float:
    """Draw a stage with its left edge at x, block below block; return its lower edge."""
    names = {"T": list(tokens), "H": [f"head {head}" for head in range(heads)]}
    *outer, inner, _ = axes.split()
    blocks = numbers.reshape(-1, *numbers.shape[-2:])  # (blocks, rows, cells)
    right = (numbers == expected).reshape(blocks.shape)
    d_k = numbers.numel() // (len(tokens) * heads)
    y = 0.0 if outer else -_ABOVE
    for b, block in enumerate(blocks):
        if outer:
            name = names[outer[0]][b]
            y -= _ABOVE
            ax.text(x, y + 0.15, name if outer == ["H"] else f"token {name}", fontsize=9.5)
        for r, row in enumerate(block):
            y -= 1
            ax.text(x - 0.2, y + 0.5, names[inner][r], ha="right", va="center", fontsize=9.5)
            for c, number in enumerate(row.tolist()):
                token, feature = divmod(number, heads * d_k)
                head = feature // d_k
                text = f"{tokens[token]}{head}"
                fill = to_rgba(colour(_HUES[token % len(_HUES)], theme_of(ax)), _SHADES[head % len(_SHADES)])
                _draw_cell(ax, (x + c, y), number, text, fill, bool(right[b, r, c]))
    return y


def _draw_cell(ax: Axes, corner: tuple[float, float], number: int, text: str, fill: RGBA, right: bool) -> None:
    theme, (x, y) = theme_of(ax), corner
    edge, line = (colour("border", theme), 1) if right else (colour("ink", theme), 2.6)
    ax.add_patch(Rectangle(corner, 1, 1, facecolor=fill, edgecolor=edge, linewidth=line, zorder=1 if right else 2))
    ax.text(x + 0.5, y + 0.6, text, ha="center", va="center", family="DejaVu Sans Mono", weight="bold", zorder=3)
    mark = f"{number}" if right else f"{number} ✗"
    ax.text(x + 0.5, y + 0.2, mark, ha="center", va="center", fontsize=8, zorder=3)


def _dots(ax: Axes, numbers: Tensor, theme: Theme) -> None:
    """Draw a dot in each cell, with an area in proportion to the weight: at a weight of 1 it nearly fills the cell."""
    box, pixels = ax.get_window_extent(), 72 / ax.figure.dpi
    T, S = numbers.shape
    cell = min(box.width / S, box.height / T) * pixels  # in points
    rows, columns = torch.meshgrid(torch.arange(T), torch.arange(S), indexing="ij")
    inks = [digit(shade("weights", weight, theme), theme) for weight in numbers.flatten().tolist()]
    areas = (0.6 * cell) ** 2 * numbers.flatten()
    ax.scatter(columns.flatten(), rows.flatten(), s=areas.tolist(), c=inks, linewidths=0)


def _grids_in_words(numbers: Tensor, labels: Sequence[str], rings: Sequence[tuple[int, int]]) -> str:
    words = (
        f"Attention weights of {len(numbers)} heads over {numbers.size(-1)} tokens: a grid for each head, a row for "
        "each query."
    )
    if rings:
        hits = [sum(int(grid[i].argmax()) == j for i, j in rings) for grid in numbers]
        counts = ", ".join(f"{count} in head {head}" for head, count in enumerate(hits))
        return f"{words} Of {len(rings)} true links, the largest weight of a row finds {counts}."
    sharpness = numbers.amax(dim=-1).mean(dim=-1)  # (H,)
    head = int(sharpness.argmax())
    label = f", labelled “{labels[head]}”," if labels else ""
    return (
        f"{words} Head {head}{label} is the sharpest: a row's largest weight is {sharpness[head]:.2f} on average. "
        f"The least sharp is head {int(sharpness.argmin())} with {sharpness.min():.2f}."
    )
