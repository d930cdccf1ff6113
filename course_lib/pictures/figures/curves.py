"""Curves with direct labels, and sorted bars."""

from collections.abc import Collection, Mapping, Sequence

from matplotlib.axes import Axes

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour


def curves(
    ax: Axes,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_name: str,
    y_name: str,
    floors: Mapping[str, float] | None = None,
) -> Axes:
    """Draw curves, each named at its end, with horizontal lines for comparison.

    Args:
        ax: where to draw; set a log scale before.
        series: name → (x values, y values), at most four.
        x_name: the quantity along x, in words, with its unit.
        y_name: the quantity along y.
        floors: name → height of a horizontal line: chance, a baseline, a bound.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no curves or more than four, or a curve does not have one y for each x.
    """
    styles = LOOK["lines"]
    if not 0 < len(series) <= len(styles):
        raise ValueError(f"series should hold 1 to {len(styles)} curves, but it holds {len(series)}")
    theme = theme_of(ax)
    labels: list[tuple[float, str, str]] = []
    for (name, (x, y)), line in zip(series.items(), styles, strict=False):
        if len(x) != len(y) or not len(x):
            raise ValueError(f"the curve {name!r} should have one y for each x, but it has {len(x)} x and {len(y)} y")
        ink = colour(line["colour"], theme)
        dash = (0, line["dash"]) if line["dash"] else "-"
        ax.plot(x, y, color=ink, linewidth=line["width"], linestyle=dash, label=name)
        labels.append((float(y[-1]), f"{name} {float(y[-1]):.2f}", ink))
    for name, height in (floors or {}).items():
        ax.axhline(height, color=colour("border", theme), linewidth=1, linestyle="-", zorder=1)
        labels.append((height, f"{name} {height:.2f}", colour("neutral", theme)))
    ax.set(xlabel=x_name, ylabel=y_name)
    ax.margins(x=0.02)
    _label_ends(ax, labels)
    return describe(ax, _curves_in_words(series, floors or {}, x_name, y_name))


def sorted_bars(
    ax: Axes,
    values: Mapping[str, float],
    value_name: str,
    highlight: Collection[str] = (),
    floors: Mapping[str, float] | None = None,
) -> Axes:
    """Draw named numbers as horizontal bars, the largest on top, each with its number.

    Args:
        ax: where to draw.
        values: name → number, 0 or more.
        value_name: the quantity, in words, with its unit.
        highlight: names whose bars are dark and outlined.
        floors: name → a vertical line: chance, a baseline.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no values, one is negative, or `highlight` names none of them.
    """
    if not values or min(values.values()) < 0:
        raise ValueError(f"values should hold numbers of 0 or more, at least one, but it holds {dict(values)}")
    unknown = [name for name in highlight if name not in values]
    if unknown:
        raise ValueError(f"highlight names {unknown[0]!r}, which is not among the bars: {', '.join(values)}")
    theme = theme_of(ax)
    ranked = sorted(values.items(), key=lambda item: -item[1])
    largest = ranked[0][1]
    for row, (name, value) in enumerate(ranked):
        lit = name in highlight
        ax.barh(
            row,
            value,
            height=0.68,
            color=colour("query" if lit else "query_chip", theme),
            edgecolor=colour("ink" if lit else "border", theme),
            linewidth=2 if lit else 1,
        )
        ax.text(value + 0.015 * largest, row, f"{value:.2f}", va="center", weight="bold" if lit else "normal")
    ax.set_yticks(range(len(ranked)), [name for name, _ in ranked])
    ax.set(ylim=(len(ranked) - 0.4, -0.6), xlabel=value_name)
    ax.margins(x=0.12)
    ax.set_xlim(left=0)
    ax.tick_params(axis="y", length=0)
    for name, x in (floors or {}).items():
        ax.axvline(x, color=colour("neutral", theme), linewidth=1.5, linestyle=(0, (5, 3)), zorder=0)
        ax.text(x, -0.62, f"{name} {x:.2f}", ha="center", va="bottom", color=colour("neutral", theme))
    return describe(ax, _bars_in_words(ranked, value_name, floors or {}))


def _label_ends(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write each label to the right of the end of its line, and move labels apart, upwards where there is room."""
    gap = 0.19 * ax.figure.dpi / ax.get_window_extent().height
    low, high = ax.transAxes.transform([(0, 0), (0, 1)])[:, 1]
    heights = ax.transData.transform([(ax.get_xlim()[1], y) for y, _, _ in labels])[:, 1]
    ranked = sorted(range(len(labels)), key=lambda k: heights[k])
    levels = [(heights[k] - low) / (high - low) for k in ranked]
    for n in range(1, len(levels)):
        levels[n] = max(levels[n], levels[n - 1] + gap)
    levels[-1] = min(levels[-1], 1.0)
    for n in reversed(range(len(levels) - 1)):
        levels[n] = min(levels[n], levels[n + 1] - gap)
    for k, level in zip(ranked, levels, strict=True):
        _, words, ink = labels[k]
        ax.text(1.015, level, words, transform=ax.transAxes, color=ink, va="center", fontsize=10)


def _curves_in_words(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    floors: Mapping[str, float],
    x_name: str,
    y_name: str,
) -> str:
    moves = [f"{name} goes from {y[0]:.2f} to {y[-1]:.2f}" for name, (_, y) in series.items()]
    words = f"{y_name} against {x_name}: {'; '.join(moves)}."
    if floors:
        words += f" Horizontal lines: {', '.join(f'{name} {height:.2f}' for name, height in floors.items())}."
    return words


def _bars_in_words(ranked: Sequence[tuple[str, float]], value_name: str, floors: Mapping[str, float]) -> str:
    (top, most), (bottom, least) = ranked[0], ranked[-1]
    words = f"{len(ranked)} bars of {value_name}: the largest is {top}, {most:.2f}, the smallest {bottom}, {least:.2f}."
    if floors:
        words += f" Lines: {', '.join(f'{name} {x:.2f}' for name, x in floors.items())}."
    return words
