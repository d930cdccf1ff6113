"""Two measures of the same settings against each other, such as quality against diversity."""

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour

Point = tuple[str, float, float]
"""A setting, and its two measures: along x, along y."""

_MARKS = ("o", "s", "^", "D")
# Settings that are closer than this, in points, share a label.
_CLOSE = 24.0

_Spot = tuple[str, str, tuple[float, float]]
"""A method, one of its settings, and the position of that setting."""


def trade_off(ax: Axes, methods: Mapping[str, Sequence[Point]], x_name: str, y_name: str) -> Axes:
    """Draw each method as a line through its settings, in their order, each point with its setting beside it.

    Settings that almost coincide share a label, which names their methods too.

    Args:
        ax: where to draw.
        methods: name → its settings with their two measures; at most four methods.
        x_name: the quantity along x, in words, with its unit.
        y_name: the quantity along y.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no methods or more than four, or one without a setting.
    """
    styles = LOOK["lines"]
    if not 0 < len(methods) <= len(styles) or not all(methods.values()):
        raise ValueError(f"methods should hold 1 to {len(styles)} methods with settings each, but it holds {methods}")
    theme = theme_of(ax)
    for (name, points), line, mark in zip(methods.items(), styles, _MARKS, strict=False):
        ink = colour(line["colour"], theme)
        dash = (0, line["dash"]) if line["dash"] else "-"
        _, x, y = zip(*points, strict=True)
        ax.plot(x, y, color=ink, linewidth=line["width"], linestyle=dash, marker=mark, markersize=6, label=name)
    ax.set(xlabel=x_name, ylabel=y_name)
    ax.margins(0.1)
    for group in _groups(ax, methods):
        name, setting, point = group[0]
        if len(group) == 1:
            ink = colour(styles[[*methods].index(name)]["colour"], theme)
            words, shift, sides = setting, (5, 4), ("left", "baseline")
        else:
            ink = colour("ink", theme)
            words, (shift, sides) = _list_settings(group), _label_position(ax, point)
        label = ax.annotate(words, point, shift, textcoords="offset points", color=ink, fontsize=9)
        label.set(horizontalalignment=sides[0], verticalalignment=sides[1])
    ax.legend(frameon=False, loc="best")
    return describe(ax, f"{y_name} against {x_name}. " + " ".join(_in_words(*each) for each in methods.items()))


def _groups(ax: Axes, methods: Mapping[str, Sequence[Point]]) -> list[list[_Spot]]:
    """Group the settings of all methods whose labels would overlap."""
    groups: list[list[_Spot]] = []
    for spot in ((name, setting, (x, y)) for name, points in methods.items() for setting, x, y in points):
        close = (group for group in groups if _apart(ax, group[0], spot) < _CLOSE)
        if (group := next(close, None)) is None:
            groups.append([spot])
        else:
            group.append(spot)
    return groups


def _label_position(ax: Axes, point: tuple[float, float]) -> tuple[tuple[int, int], tuple[str, str]]:
    """Put a label of several lines below to the left of its point or, near the left edge, below to the right."""
    across, _ = ax.transAxes.inverted().transform(ax.transData.transform(point))
    return ((-9, -2), ("right", "top")) if across > 0.4 else ((9, -8), ("left", "bottom"))


def _apart(ax: Axes, one: _Spot, other: _Spot) -> float:
    """Return the distance of two settings on the page, in points."""
    (x, y), (u, v) = ax.transData.transform([one[2], other[2]])
    return math.hypot(x - u, y - v) * 72 / ax.figure.dpi


def _list_settings(points: Sequence[_Spot]) -> str:
    """Write a line for each method, with its settings."""
    settings: dict[str, list[str]] = {}
    for name, setting, _ in points:
        settings.setdefault(name, []).append(setting)
    return "\n".join(f"{name} {', '.join(each)}" for name, each in settings.items())


def _in_words(name: str, points: Sequence[Point]) -> str:
    places = "; ".join(f"{setting} at {x:.2f}, {y:.2f}".lstrip() for setting, x, y in points)
    return f"{name}: {places}."
