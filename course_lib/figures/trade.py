"""Two measures of the same settings against each other, such as quality against diversity."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from course_lib.figures.display import describe, theme_of
from course_lib.look import LOOK, colour

Point = tuple[str, float, float]
"""A setting, and its two measures: along x, along y."""

_MARKS = ("o", "s", "^", "D")


def trade_off(ax: Axes, methods: Mapping[str, Sequence[Point]], x_name: str, y_name: str) -> Axes:
    """Draw each method as a line through its settings, in their order, each point with its setting beside it.

    Args:
        ax: where to draw.
        methods: name → its settings with their measures, at most four methods.
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
        for setting, at, height in points:
            ax.annotate(setting, (at, height), xytext=(5, 4), textcoords="offset points", color=ink, fontsize=9)
    ax.set(xlabel=x_name, ylabel=y_name)
    ax.margins(0.1)
    ax.legend(frameon=False, loc="best")
    return describe(ax, f"{y_name} against {x_name}. " + " ".join(_in_words(*each) for each in methods.items()))


def _in_words(name: str, points: Sequence[Point]) -> str:
    places = "; ".join(f"{setting} at {x:.2f}, {y:.2f}" for setting, x, y in points)
    return f"{name}: {places}."
