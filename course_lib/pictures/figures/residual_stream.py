"""The residual stream of one token: what comes in, what each sublayer adds, and the sum that comes out."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike
from torch import Tensor

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour

_WIDTH = 0.7


def stream_sum(ax: Axes, start: Tensor | ArrayLike, writes: Tensor | ArrayLike, names: Sequence[str]) -> Axes:
    """Draw one token's residual stream as a waterfall: each bar is what a sublayer adds along what comes out.

    What comes out is the sum of what came in and of all writes. Each of them is measured along the sum's own
    direction, so that the bars, one on the other, end at its length: ‖out‖ = in · u + Σ write · u, u = out / ‖out‖. A
    bar that goes down, against what comes out, is hatched.

    Args:
        ax: where to draw.
        start: (d_model,), what came in.
        writes: (N, d_model), what each of the N sublayers added, in order.
        names: the N sublayers' names, as short as they can be.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if the shapes do not fit, or all adds up to nothing.
    """
    came_in, added = (torch.as_tensor(given).detach().double().cpu() for given in (start, writes))
    N = len(names)
    if came_in.dim() != 1 or added.shape != (N, len(came_in)) or not N:
        raise ValueError(
            f"start should be (d_model,) and writes ({N}, d_model), one row a name, but they are "
            f"{tuple(came_in.shape)} and {tuple(added.shape)}"
        )
    out = came_in + added.sum(0)  # (d_model,)
    length = out.norm().item()
    if not length:
        raise ValueError("what came in and the writes add up to 0, which has no direction to measure along")
    parts = (torch.cat((came_in[None], added)) @ out / length).tolist()
    heights = [0.0, *torch.tensor(parts, dtype=torch.float64).cumsum(0).tolist()]
    _draw_bars(ax, [*parts, length], [*heights[:-1], 0.0])
    stream = colour("neutral", theme_of(ax))
    for place, height in enumerate(heights[1:]):
        ax.plot([place, place + 1], [height, height], color=stream, linewidth=1.2, linestyle="-", zorder=1)
    ax.axhline(0, color=colour("border", theme_of(ax)), linewidth=1, linestyle="-", zorder=1)
    ax.set_xticks(range(N + 2), ["in", *names, "out"], fontsize=9)
    ax.set(xlabel="sublayer, in order", ylabel="part along what comes out")
    ax.set_xlim(-0.6, N + 1.6)
    ax.margins(y=0.1)
    ax.tick_params(axis="x", length=0)
    return describe(ax, _in_words(parts, names, length))


def _draw_bars(ax: Axes, parts: Sequence[float], bottoms: Sequence[float]) -> None:
    """Draw each part from its bottom up or down, with its number beyond its end; the first and last are outlined."""
    theme = theme_of(ax)
    for place, (part, bottom) in enumerate(zip(parts, bottoms, strict=True)):
        is_end = place in (0, len(parts) - 1)
        bar = Rectangle(
            (place - _WIDTH / 2, bottom),
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
            (place, bottom + part),
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
    writes = "1 write" if len(names) == 1 else f"{len(names)} writes"
    return (
        f"A token comes in with {parts[0]:.2f} along what comes out, and {writes} bring it to {length:.2f}. "
        f"The largest is that of {names[largest]}, {parts[largest + 1]:.2f}; {down} of {len(names)} go against it."
    )
