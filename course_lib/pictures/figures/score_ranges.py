"""Scores of several ways to learn, side by side for each kind of thing: the mean of the seeds, and their range."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes

from course_lib.pictures.figures.accuracy_bands import MARKERS
from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour


def score_ranges(ax: Axes, series: Mapping[str, Mapping[str, Sequence[float]]], x_name: str, y_name: str) -> Axes:
    """Draw scores from 0 to 1: a mark at the mean of the seeds, and a line from the lowest to the highest.

    Args:
        ax: where to draw.
        series: name of a way to learn → kind → the score of each seed; at most five names, all with the same kinds.
        x_name: what the kinds are kinds of, in words.
        y_name: what the scores measure.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no names or more than five, the names do not have the same kinds, or a kind has no
            score.
    """
    if not 0 < len(series) <= len(MARKERS):
        raise ValueError(f"series should hold 1 to {len(MARKERS)} names, but it holds {len(series)}")
    kinds = [*next(iter(series.values()))]
    for name, by_kind in series.items():
        if set(by_kind) != set(kinds) or not kinds or not all(by_kind.values()):
            raise ValueError(
                f"{name!r} should have a score or more for each of {', '.join(kinds) or 'some kinds'}, but has "
                f"{ {kind: len(scores) for kind, scores in by_kind.items()} }"
            )
    theme, said = theme_of(ax), []
    colours = [*(line["colour"] for line in LOOK["lines"]), "neutral"]
    step = 0.7 / len(series)
    for number, (name, by_kind) in enumerate(series.items()):
        ink = colour(colours[number], theme)
        x = [i + (number - (len(series) - 1) / 2) * step for i in range(len(kinds))]
        means = [fmean(by_kind[kind]) for kind in kinds]
        low, high = ([end(by_kind[kind]) for kind in kinds] for end in (min, max))
        ax.vlines(x, low, high, color=ink, linewidth=3, alpha=0.5)
        ax.plot(x, means, color=ink, linestyle="", marker=MARKERS[number], markersize=7, label=name)
        said.append(f"{name} {', '.join(f'{kind} {mean:.2f}' for kind, mean in zip(kinds, means, strict=True))}")
    ax.set_xticks(range(len(kinds)), kinds)
    ax.set(xlabel=x_name, ylabel=y_name, ylim=(-0.02, 1.02), xlim=(-0.5, len(kinds) - 0.5))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=len(series), frameon=False)
    return describe(ax, f"{y_name} by {x_name}, mean of the seeds: {'; '.join(said)}.")
