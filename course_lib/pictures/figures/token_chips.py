"""Tokens as pictures: a text in chips, and words on a flat map, joined to their true neighbours."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour, token_label

# In characters of the chips' monospaced font; a character is 0.602 times as wide as the font's size.
_ADVANCE, _PADDING, _GAP = 0.602, 0.8, 0.3
_LARGEST_FONT = 11.0


def token_chips(ax: Axes, rows: Mapping[str, Sequence[str]]) -> Axes:
    """Draw the same text tokenized in several ways: a row of chips for each, with the number of tokens.

    A space is shown as ␣. Tokens of more than one character are shaded.

    Args:
        ax: where to draw.
        rows: name of the tokenization → its tokens, in the order of the text.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no rows, or one has no tokens.
    """
    if not rows or not all(rows.values()):
        raise ValueError(f"rows should hold at least one row, each with at least one token, but it holds {dict(rows)}")
    theme = theme_of(ax)
    labels = {name: [token_label(token) for token in tokens] for name, tokens in rows.items()}
    widths = {name: [len(label) + _PADDING for label in row] for name, row in labels.items()}
    before, after = max(map(len, rows)) + 1.0, 10.0
    total = before + after + max(sum(row) + _GAP * len(row) for row in widths.values())
    points = ax.get_window_extent().width * 72 / ax.figure.dpi
    size = min(_LARGEST_FONT, points / total / _ADVANCE)
    face: dict[str, Any] = {"family": "DejaVu Sans Mono", "va": "center", "fontsize": size}
    for y, (name, row) in enumerate(labels.items()):
        ax.text(0, y, name, **face)
        x = before
        for token, label, width in zip(rows[name], row, widths[name], strict=True):
            fill = colour("query_chip" if len(token) > 1 else "panel", theme)
            box = FancyBboxPatch(
                (x, y - 0.3),
                width,
                0.6,
                "round,pad=0,rounding_size=0.25",
                facecolor=fill,
                edgecolor=colour("border", theme),
            )
            ax.add_patch(box)
            ax.text(x + width / 2, y, label, ha="center", **face)
            x += width + _GAP
        ax.text(x + 0.5, y, f"{len(row)} tokens", color=colour("neutral", theme), **face)
    ax.set(xlim=(0, max(total, points / size / _ADVANCE)), ylim=(len(rows) - 0.4, -0.6))
    ax.axis("off")
    said = (f"{name}, {len(row)} tokens: {'|'.join(row)}" for name, row in labels.items())
    return describe(ax, f"A text tokenized in {len(rows)} ways. {'. '.join(said)}.")


def neighbour_map(ax: Axes, vectors: Tensor | ArrayLike, names: Sequence[str]) -> Axes:
    """Draw words on a flat map, each joined to its true nearest neighbour: the one with the largest cosine.

    The axes of the map are the two directions along which the unit vectors vary most (principal components), with
    their part of the variance. A dot is hollow where another word is nearest on the map.

    Args:
        ax: where to draw.
        vectors: (N, d_model), one row for each word.
        names: the N words.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are fewer than three words, or the names do not match the rows.
    """
    numbers = torch.as_tensor(vectors).detach().double().cpu()
    if numbers.dim() != 2 or len(numbers) < 3 or len(names) != len(numbers):
        raise ValueError(
            f"for {len(names)} names, vectors should be ({len(names)}, d_model), with 3 rows or more, but they are "
            f"{tuple(numbers.shape)}"
        )
    theme = theme_of(ax)
    flat, explained = _project(numbers)  # (N, 2)
    true, shown = _nearest(numbers), _nearest_on_map(flat)
    for i, j in enumerate(true):
        ax.plot(*flat[[i, j]].T.tolist(), color=colour("border", theme), linewidth=1.2, linestyle="-", zorder=1)
    x, y = flat.T.tolist()
    ink, same = colour("query", theme), [i == j for i, j in zip(true, shown, strict=True)]
    inside = [ink if is_same else colour("paper", theme) for is_same in same]
    ax.scatter(x, y, s=36, color=inside, edgecolors=ink, linewidths=1.5, zorder=2)
    for i, name in enumerate(names):
        above = y[i] >= y[shown[i]]
        shift = (5, 5 if above else -5)
        label = ax.annotate(name, (x[i], y[i]), shift, textcoords="offset points", va="bottom" if above else "top")
        label.set(fontsize=10, bbox={"facecolor": colour("paper", theme), "edgecolor": "none", "pad": 0.5}, zorder=1.5)
    ax.set(
        xlabel=f"first direction: {explained[0]:.1%} of the variance",
        ylabel=f"second: {explained[1]:.1%}, together {sum(explained):.0%}",
    )
    ax.margins(0.12)
    return describe(
        ax,
        f"{len(names)} words on a flat map that shows {sum(explained):.0%} of their variance. "
        f"{sum(same)} of {len(names)} have the same nearest neighbour on the map as among the whole vectors.",
    )


def _project(vectors: Tensor) -> tuple[Tensor, list[float]]:
    """Project vectors (N, d_model) of length 1 on two principal components: (N, 2), and the variance of each."""
    unit = vectors / vectors.norm(dim=-1, keepdim=True)
    left, sizes, _ = torch.linalg.svd(unit - unit.mean(0), full_matrices=False)
    shares = sizes**2 / (sizes**2).sum()
    return left[:, :2] * sizes[:2], shares[:2].tolist()


def _nearest(vectors: Tensor) -> list[int]:
    """Return for each row of (N, d_model) the other row with the largest cosine."""
    unit = vectors / vectors.norm(dim=-1, keepdim=True)
    nearest: list[int] = (unit @ unit.T).fill_diagonal_(-torch.inf).argmax(-1).tolist()
    return nearest


def _nearest_on_map(points: Tensor) -> list[int]:
    """Return for each row of (N, 2) the other row with the smallest distance."""
    nearest: list[int] = torch.cdist(points, points).fill_diagonal_(torch.inf).argmin(-1).tolist()
    return nearest
