"""Which positions notice a changed token: what a part of the Transformer reads, and whether the future leaks."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour, token_label


def who_notices(ax: Axes, changed: torch.Tensor | ArrayLike, tokens: Sequence[str], title: str = "") -> Axes:
    """Draw which positions notice which changed token: a dot for each, and a cross in a heavy frame for a leak.

    A position that notices its own token or an earlier one has a dot. One that notices a later token has a cross: in a
    model that predicts the next token, that is a leak from the future.

    Args:
        ax: where to draw.
        changed: bool (T, T): whether the output at position i changes when the token at position j is replaced.
        tokens: the T tokens.
        title: what was tested. The number of leaks is added to it.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if `changed` is not (T, T), or does not hold True and False.
    """
    noticed = np.asarray(changed)
    T = len(tokens)
    if noticed.shape != (T, T):
        raise ValueError(
            f"changed should be ({T}, {T}), a row and a column for each token, but its shape is {noticed.shape}"
        )
    if noticed.dtype != bool:
        raise ValueError(
            f"changed should hold True and False, but its dtype is {noticed.dtype}: compare with a tolerance"
        )
    theme = theme_of(ax)
    ink, border = colour("ink", theme), colour("border", theme)
    for i, j in np.ndindex(T, T):
        ahead = j > i
        face = colour("panel" if ahead else "paper", theme)
        ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=face, edgecolor=border, linewidth=0.6))
        if noticed[i, j] and ahead:
            ax.add_patch(Rectangle((j - 0.44, i - 0.44), 0.88, 0.88, fill=False, edgecolor=ink, linewidth=2.2))
            ax.text(j, i, "✗", ha="center", va="center", weight="bold")
        elif noticed[i, j]:
            ax.plot(j, i, marker="o", markersize=6, color=colour("query", theme))
    leaks = int(np.triu(noticed, 1).sum())
    names = [token_label(token) for token in tokens]
    ax.set_xticks(range(T), names, family="DejaVu Sans Mono")
    ax.set_yticks(range(T), names, family="DejaVu Sans Mono")
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set(xlim=(-0.5, T - 0.5), ylim=(T - 0.5, -0.5), aspect="equal")
    ax.set(xlabel="changed token j", ylabel="position i that notices")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    count = "1 leak" if leaks == 1 else f"{leaks} leaks"
    ax.set_title(f"{title}: {count}" if title else count)
    words = f"{int(noticed.sum())} of {T * T} pairs are noticed, {leaks} of them leaks."
    return describe(ax, f"{title}: {words}" if title else words.capitalize())
