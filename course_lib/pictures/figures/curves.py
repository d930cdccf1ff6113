"""Curves with direct labels, and sorted bars."""

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour

_PART_COLOURS = ("query_chip", "key_chip", "value_chip", "memory_chip")


def curves(
    ax: Axes,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_name: str,
    y_name: str,
    levels: Mapping[str, float] | None = None,
    log_x: bool = False,
    points: bool = False,
) -> Axes:
    """Draw curves, each named at its end, with horizontal lines for comparison.

    Args:
        ax: where to draw.
        series: name → (x values, y values), at most four.
        x_name: the quantity along x, in words, with its unit.
        y_name: the quantity along y.
        levels: name → height of a horizontal line to compare with: chance, a baseline, a floor.
        log_x: whether equal steps along x are doublings.
        points: whether to mark each point; the names are then without the last values. A lone point is always marked.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no curves or more than four, or a curve does not have one y for each x.
    """
    styles = LOOK["lines"]
    if not 0 < len(series) <= len(styles):
        raise ValueError(f"series should hold 1 to {len(styles)} curves, but it holds {len(series)}")
    if log_x:
        ax.set_xscale("log", base=2)
    theme = theme_of(ax)
    labels: list[tuple[float, str, str]] = []
    for (name, (x, y)), line in zip(series.items(), styles, strict=False):
        if len(x) != len(y) or not len(x):
            raise ValueError(f"the curve {name!r} should have one y for each x, but it has {len(x)} x and {len(y)} y")
        ink = colour(line["colour"], theme)
        dash = (0, line["dash"]) if line["dash"] else "-"
        marker = "o" if points or len(x) == 1 else ""  # a line through one point would not be seen
        ax.plot(x, y, color=ink, linewidth=line["width"], linestyle=dash, label=name, marker=marker)
        labels.append((float(y[-1]), name if points else f"{name} {float(y[-1]):.2f}", ink))
    for name, height in (levels or {}).items():
        ax.axhline(height, color=colour("border", theme), linewidth=1, linestyle="-", zorder=1)
        labels.append((height, f"{name} {height:.2f}", colour("neutral", theme)))
    ax.set(xlabel=x_name, ylabel=y_name)
    ax.margins(x=0.02)
    label_ends(ax, labels)
    return describe(ax, _curves_in_words(series, levels or {}, x_name, y_name))


def smoothed(losses: Sequence[float], width: int = 10, every: int | None = None) -> tuple[list[int], list[float]]:
    """Smooth the losses of a training for `curves`: the steps, counted from 1, and the mean loss of the steps before.

    Args:
        losses: the loss of each step.
        width: how many steps each mean is taken over; the last of them is the step that it is drawn at.
        every: the distance between two means, in steps; None: as large as `width`, so that each loss counts once.

    Raises ValueError if there are fewer losses than `width`, or a number of steps is below 1.

    >>> smoothed([4, 2, 3, 1], width=2)
    ([2, 4], [3.0, 2.0])
    """
    every = width if every is None else every
    if width < 1 or every < 1:
        raise ValueError(f"width and every count steps, 1 or more, but are {width} and {every}")
    if len(losses) < width:
        raise ValueError(f"a mean of {width} losses needs as many, but there are {len(losses)}")
    steps = list(range(width, len(losses) + 1, every))
    return steps, [fmean(float(loss) for loss in losses[step - width : step]) for step in steps]


def sorted_bars(
    ax: Axes,
    values: Mapping[str, float],
    value_name: str,
    highlight: Collection[str] = (),
    levels: Mapping[str, float] | None = None,
) -> Axes:
    """Draw named numbers as horizontal bars, the largest on top, each with its number.

    Args:
        ax: where to draw.
        values: name → number, 0 or more.
        value_name: the quantity, in words, with its unit.
        highlight: names whose bars are dark and outlined.
        levels: name → a vertical line: chance, a baseline.

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
    for name, x in (levels or {}).items():
        ax.axvline(x, color=colour("neutral", theme), linewidth=1.5, linestyle=(0, (5, 3)), zorder=0)
        ax.text(x, -0.62, f"{name} {x:.2f}", ha="center", va="bottom", color=colour("neutral", theme))
    return describe(ax, _bars_in_words(ranked, value_name, levels or {}))


def stacked_shares(ax: Axes, rows: Mapping[str, Mapping[str, float]], value_name: str) -> Axes:
    """Draw for each name one bar that is divided into its parts, as percentages of the whole.

    Args:
        ax: where to draw.
        rows: name → part → amount, 0 or more; the same parts in each row, at most four.
        value_name: what the percentages are of, in words.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no rows, or the parts differ between rows, or are more than four.
    """
    parts = [*next(iter(rows.values()), {})]
    if not parts or len(parts) > len(_PART_COLOURS) or any([*row] != parts for row in rows.values()):
        raise ValueError(f"rows should have the same parts, 1 to {len(_PART_COLOURS)}, but they are {dict(rows)}")
    theme = theme_of(ax)
    for height, amounts in enumerate(rows.values()):
        left, total = 0.0, sum(amounts.values())
        for part, ink in zip(parts, _PART_COLOURS, strict=False):
            share = 100 * amounts[part] / total
            ax.barh(height, share, left=left, height=0.6, color=colour(ink, theme), edgecolor=colour("ink", theme))
            if share >= 1:
                words = f"{share:.0f} %" if height else f"{part}\n{share:.0f} %"
                ax.text(left + share / 2, height, words, ha="center", va="center")
            left += share
    ax.set_yticks(range(len(rows)), [*rows])
    ax.set(xlim=(0, 100), ylim=(len(rows) - 0.5, -0.5), xlabel=value_name)
    ax.tick_params(axis="y", length=0)
    return describe(ax, _shares_in_words(rows))


def _shares_in_words(rows: Mapping[str, Mapping[str, float]]) -> str:
    sentences = []
    for name, amounts in rows.items():
        total = sum(amounts.values())
        shares = ", ".join(f"{part} {100 * amount / total:.0f} %" for part, amount in amounts.items())
        sentences.append(f"{name}: {shares}.")
    return " ".join(sentences)


def label_ends(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
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
    levels: Mapping[str, float],
    x_name: str,
    y_name: str,
) -> str:
    moves = [f"{name} goes from {y[0]:.2f} to {y[-1]:.2f}" for name, (_, y) in series.items()]
    words = f"{y_name} against {x_name}: {'; '.join(moves)}."
    if levels:
        words += f" Horizontal lines: {', '.join(f'{name} {height:.2f}' for name, height in levels.items())}."
    return words


def _bars_in_words(ranked: Sequence[tuple[str, float]], value_name: str, levels: Mapping[str, float]) -> str:
    (top, most), (bottom, least) = ranked[0], ranked[-1]
    words = f"{len(ranked)} bars of {value_name}: the largest is {top}, {most:.2f}, the smallest {bottom}, {least:.2f}."
    if levels:
        words += f" Lines: {', '.join(f'{name} {x:.2f}' for name, x in levels.items())}."
    return words
