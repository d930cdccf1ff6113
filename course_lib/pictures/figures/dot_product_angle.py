"""The dot product of a query with some keys, as lengths and angles in the plane."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour


def dot_product_angle(ax: Axes, query: Sequence[float], keys: Mapping[str, Sequence[float]]) -> Axes:
    """Draw a query and some keys as arrows from the origin, with each key's angle to the query and its dot product.

    The dot product is the query's length times that of the key's shadow on it, |q| · |k| cos θ: a key scores high if it
    points the way the query does, and if it is long. Where the shadow ends, a thin line stands upright on the query.

    Args:
        ax: where to draw.
        query: two numbers.
        keys: name → two numbers.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if a vector does not have two numbers or is zero, or there are no keys.
    """
    vectors = {"query": query, **keys}
    if not keys:
        raise ValueError("keys should hold at least one vector to compare the query with, but it is empty")
    for name, vector in vectors.items():
        if len(vector) != 2 or not any(vector):
            raise ValueError(f"{name} should be two numbers, not both 0, but it is {tuple(vector)}")
    theme = theme_of(ax)
    grey = colour("neutral", theme)
    q = np.asarray(query, dtype=float)
    along, length = q / np.linalg.norm(q), float(np.linalg.norm(q))
    _arrow(ax, q, "query", colour("query", theme), f"query {_numbers(query)}", solid=True, lift=-4)
    # The line on which the shadows fall, as far as the longest of them.
    shadows = {name: float(np.asarray(key) @ along) for name, key in keys.items()}
    ends = (min(0.0, *shadows.values()) * along, max(length, *shadows.values()) * along)
    ax.plot(*np.transpose(ends), color=colour("query", theme), linewidth=1, linestyle=":", zorder=1)
    sentences = []
    for i, (name, key) in enumerate(keys.items()):
        k = np.asarray(key, dtype=float)
        score = float(q @ k)
        degrees = math.degrees(math.acos(max(-1.0, min(1.0, score / length / float(np.linalg.norm(k))))))
        words = f"{name} key {_numbers(key)}: {score:g}, {degrees:.0f}°"
        _arrow(ax, k, name, colour("key", theme), words, solid=False, lift=4 + 13 * (i % 2))
        turns = sorted(math.degrees(math.atan2(v[1], v[0])) for v in (q, k))
        if turns[1] - turns[0] > 180:  # the shorter way round
            turns = [turns[1], turns[0] + 360]
        width = 2 * length * (0.2 + 0.08 * i)
        ax.add_patch(Arc((0, 0), width, width, theta1=turns[0], theta2=turns[1], color=grey, linewidth=1.2))
        foot = shadows[name] * along
        ax.plot(*np.transpose([k, foot]), color=grey, linewidth=1.2, linestyle="-", zorder=1)
        ax.plot(*foot, marker="o", markersize=6, color=colour("key", theme), zorder=3)
        sentences.append(f"{name} {_numbers(key)}: {score:g}, at {degrees:.0f} degrees")
    points = np.array([[0.0, 0.0], *(np.asarray(v, dtype=float) for v in vectors.values()), *ends])
    low, high = points.min(axis=0), points.max(axis=0)
    ax.set(xlim=(low[0] - 0.35, high[0] + 1.3), ylim=(low[1] - 0.3, high[1] + 0.35), aspect="equal")
    ax.locator_params(integer=True)
    ax.set(xlabel="first number", ylabel="second number")
    return describe(
        ax, f"A query {_numbers(query)} and its keys as arrows. Dot product and angle of each: {'; '.join(sentences)}."
    )


def _arrow(ax: Axes, tip: np.ndarray, name: str, ink: str, words: str, *, solid: bool, lift: float) -> None:
    style = {
        "arrowstyle": "-|>,head_width=0.25,head_length=0.5",
        "color": ink,
        "linewidth": 2.4,
        "linestyle": "-" if solid else (0, (6, 3)),
        "shrinkA": 0,
        "shrinkB": 0,
    }
    ax.annotate("", tuple(tip), (0, 0), arrowprops=style, zorder=2).set_gid(name)
    ax.annotate(words, tuple(tip), (7, lift), textcoords="offset points", color=ink, fontsize=10, zorder=4)


def _numbers(vector: Sequence[float]) -> str:
    return f"({', '.join(f'{x:g}' for x in vector)})"
