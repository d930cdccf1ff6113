"""Accuracies of several ways to learn against the number of examples, with bands over seeds."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from course_lib.pictures.figures.bands import line_with_band
from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import LOOK, colour

MARKERS = "osD^v"


def accuracy_bands(
    ax: Axes,
    series: Mapping[str, Mapping[int, Sequence[float]]],
    levels: Mapping[str, float] | None = None,
) -> Axes:
    """Draw how often each way to learn is right: the mean of its seeds, and a band from the lowest to the highest.

    Args:
        ax: where to draw.
        series: name → number of examples → the accuracy of each seed, from 0 to 1; at most five names.
        levels: name → a horizontal line to compare with: chance, the commonest class.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no names or more than five, or a name has no accuracies.
    """
    if not 0 < len(series) <= len(MARKERS):
        raise ValueError(f"series should hold 1 to {len(MARKERS)} names, but it holds {len(series)}")
    theme, said = theme_of(ax), []
    styles = [*LOOK["lines"], {"colour": "neutral", "dash": None, "width": 1.5}]
    ax.set_xscale("log")
    for (name, by_size), line, marker in zip(series.items(), styles, MARKERS, strict=False):
        if not by_size or not all(by_size.values()):
            raise ValueError(f"{name!r} should have at least one accuracy for each number of examples")
        sizes = sorted(by_size)
        means = line_with_band(ax, sizes, [by_size[size] for size in sizes], line, name, marker, alpha=0.15)
        said.append(f"{name} from {means[0]:.0%} at {sizes[0]:,} to {means[-1]:.0%} at {sizes[-1]:,}")
    for name, height in (levels or {}).items():
        ax.axhline(height, color=colour("border", theme), linewidth=1, zorder=1)
        ax.annotate(name, (1, height), xycoords=("axes fraction", "data"), ha="right", va="bottom")
        said.append(f"{name} {height:.0%}")
    every = sorted({size for by_size in series.values() for size in by_size})
    ax.xaxis.set_major_locator(FixedLocator(every))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([f"{size:,}" for size in every])
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set(xlabel="labelled examples", ylabel="right on test sentences")
    ax.legend(loc="upper left", frameon=False)
    return describe(ax, f"Share of right answers against examples: {'; '.join(said)}.")
