"""The residual stream of one token: what goes in, what each sublayer adds, and the sum that comes out."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour

_WIDTH = 0.7


def residual_stream(ax: Axes, start: Tensor | ArrayLike, writes: Tensor | ArrayLike, names: Sequence[str]) -> Axes:
    """Draw one token's residual stream as a waterfall: a bar for what each sublayer adds, along the output.

    The output is the sum of the input and of everything that the sublayers write to the stream. Each of these is
    measured along the direction of the output, so that the bars, stacked, end at its length:
    ‖out‖ = in · u + Σ write · u with u = out / ‖out‖. A bar that goes down, against the output, is hatched.

    Args:
        ax: where to draw.
        start: (d_model,), the input.
        writes: (N, d_model), what each of the N sublayers adds, in order.
        names: the names of the N sublayers, as short as possible.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the shapes do not match, or everything adds up to 0.
    """
    into, added = (torch.as_tensor(given).detach().double().cpu() for given in (start, writes))
    N = len(names)
    if into.dim() != 1 or added.shape != (N, len(into)) or not N:
        raise ValueError(
            f"start should be (d_model,) and writes ({N}, d_model), a row for each name, but they are "
            f"{tuple(into.shape)} and {tuple(added.shape)}"
        )
    out = into + added.sum(0)  # (d_model,)
    length = out.norm().item()
    if not length:
        raise ValueError("start and writes add up to 0, which has no direction to measure along")
    parts = (torch.cat((into[None], added)) @ out / length).tolist()
    heights = [0.0, *torch.tensor(parts, dtype=torch.float64).cumsum(0).tolist()]
    _draw_bars(ax, [*parts, length], [*heights[:-1], 0.0])
    grey = colour("neutral", theme_of(ax))
    for x, height in enumerate(heights[1:]):
        ax.plot([x, x + 1], [height, height], color=grey, linewidth=1.2, linestyle="-", zorder=1)
    ax.axhline(0, color=colour("border", theme_of(ax)), linewidth=1, linestyle="-", zorder=1)
    ax.set_xticks(range(N + 2), ["in", *names, "out"], fontsize=9)
    ax.set(xlabel="sublayer, in order", ylabel="contribution along the output")
    ax.set_xlim(-0.6, N + 1.6)
    ax.margins(y=0.1)
    ax.tick_params(axis="x", length=0)
    return describe(ax, _in_words(parts, names, length))


def _draw_bars(ax: Axes, parts: Sequence[float], bottoms: Sequence[float]) -> None:
    """Draw each part up or down from its bottom, with its number at the end; the first and the last are outlined."""
    theme = theme_of(ax)
    for x, (part, bottom) in enumerate(zip(parts, bottoms, strict=True)):
        is_end = x in (0, len(parts) - 1)
        bar = Rectangle(
            (x - _WIDTH / 2, bottom),
            _WIDTH,
            part,
            facecolor=colour("panel" if is_end or part < 0 else "query_chip", theme),
            edgecolor=colour("ink" if is_end else "border", theme),
            linewidth=2 if is_end else 1,
            hatch="////" if part < 0 else None,
            zorder=2,
        )
        ax.add_patch(bar)
        ax.annotate(
            f"{part:.1f}",
            (x, bottom + part),
            (0, 3 if part >= 0 else -3),
            textcoords="offset points",
            ha="center",
            va="bottom" if part >= 0 else "top",
            fontsize=8,
            weight="bold" if is_end else "normal",
        )


def _in_words(parts: Sequence[float], names: Sequence[str], length: float) -> str:
    largest = max(range(len(names)), key=lambda k: abs(parts[k + 1]))
    down = sum(part < 0 for part in parts[1:])
    sublayers = "1 sublayer brings" if len(names) == 1 else f"{len(names)} sublayers bring"
    return (
        f"Measured along the output, the input is {parts[0]:.2f}, and {sublayers} the sum to {length:.2f}. The largest "
        f"contribution is that of {names[largest]}, {parts[largest + 1]:.2f}. Negative contributions: {down}."
    )
