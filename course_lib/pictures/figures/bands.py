"""Curves of several seeds: their mean as a line, and a band from the lowest to the highest."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter, StrMethodFormatter

from course_lib.pictures.figures.curves import label_ends
from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour

Seeds = Sequence[Sequence[float]]
"""The y values of each seed, all for the same x."""


def bands(
    ax: Axes,
    series: Mapping[str, tuple[Sequence[float], Seeds]],
    x_name: str,
    y_name: str,
    levels: Mapping[str, float] | None = None,
    log: bool = False,
) -> Axes:
    """Draw curves with bands over seeds, each named at its end, with horizontal lines for comparison.

    Args:
        ax: where to draw.
        series: name → (x values, y values of each seed), at most four. A single seed has no band.
        x_name: the quantity along x, in words, with its unit.
        y_name: the quantity along y.
        levels: name → height of a horizontal line to compare with: chance, a baseline, a floor.
        log: whether both axes are logarithmic, as on log paper, where a power law is a straight line.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no curves or more than four, or a seed does not have one y for each x.
    """
    styles = LOOK["lines"]
    if not 0 < len(series) <= len(styles):
        raise ValueError(f"series should hold 1 to {len(styles)} curves, but it holds {len(series)}")
    if log:
        ax.set(xscale="log", yscale="log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.yaxis.set_major_formatter(ScalarFormatter())
        ax.yaxis.set_minor_formatter(ScalarFormatter())
    theme, labels = theme_of(ax), list[tuple[float, str, str]]()
    sentences = []
    for (name, (x, seeds)), line in zip(series.items(), styles, strict=False):
        if not seeds or not len(x) or any(len(y) != len(x) for y in seeds):
            raise ValueError(
                f"the curve {name!r} should have seeds with one y for each x, but it has {len(x)} x and seeds of "
                f"{[len(y) for y in seeds]} y"
            )
        values = [*zip(*seeds, strict=True)]  # of all seeds, for each x
        mean = line_with_band(ax, x, values, line, name, marker="o" if log else "")
        labels.append((mean[-1], f"{name} {mean[-1]:.2f}", colour(line["colour"], theme)))
        lowest = f", its lowest value is {min(mean):.2f}" if round(min(mean), 2) < round(mean[-1], 2) else ""
        sentences.append(f"{name} goes from {mean[0]:.2f} to {mean[-1]:.2f}{lowest}")
    for name, height in (levels or {}).items():
        ax.axhline(height, color=colour("border", theme), linewidth=1, linestyle="-", zorder=1)
        labels.append((height, f"{name} {height:.2f}", colour("neutral", theme)))
        sentences.append(f"a line for {name} at {height:.2f}")
    ax.set(xlabel=x_name, ylabel=y_name)
    ax.margins(x=0.02)
    label_ends(ax, labels)
    return describe(ax, f"{y_name} against {x_name}: {'; '.join(sentences)}.")


def line_with_band(
    ax: Axes,
    x: Sequence[float],
    values: Sequence[Sequence[float]],
    line: Mapping[str, Any],
    name: str,
    marker: str = "",
    alpha: float = 0.2,
) -> list[float]:
    """Draw the mean of the values at each x as a line, with a band from their lowest to their highest.

    Takes the values of all seeds for each x, a line's look as `LOOK["lines"]` has it, its name, the sign at each x, and
    how opaque the band is, which is left out where no x has several values. Returns the means.
    """
    ink, dash = colour(line["colour"], theme_of(ax)), (0, line["dash"]) if line["dash"] else "-"
    mean = [fmean(each) for each in values]
    ax.plot(x, mean, color=ink, linewidth=line["width"], linestyle=dash, marker=marker, label=name)
    if any(len(each) > 1 for each in values):
        low, high = ([end(each) for each in values] for end in (min, max))
        ax.fill_between(x, low, high, color=ink, alpha=alpha, linewidth=0)
    return mean
