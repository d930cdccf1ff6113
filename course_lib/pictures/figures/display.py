"""How a matplotlib figure looks, and how it gets on the page together with its description."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from html import escape
from io import BytesIO
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.pictures.figures.shades import FIGURE_CLASS, FIGURE_CSS
from course_lib.pictures.look import LOOK, Theme, colour, luminance

_PIXELS_PER_INCH = 100
_MOST_WORDS = 60


def style(theme: Theme = "light") -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in the course's look, on an opaque background.

    >>> with style("dark"):
    ...     mpl.rcParams["figure.facecolor"]
    '#111418'
    """
    if theme not in ("light", "dark"):
        raise ValueError(f'theme should be "light" or "dark", but it is {theme!r}')
    paper, ink, border = (colour(name, theme) for name in ("paper", "ink", "border"))
    lines = LOOK["lines"]
    return mpl.rc_context(
        {
            "figure.facecolor": paper,
            "figure.dpi": _PIXELS_PER_INCH,
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.w_pad": 0.1,
            "figure.constrained_layout.h_pad": 0.1,
            "savefig.facecolor": paper,
            "savefig.transparent": False,
            "axes.facecolor": paper,
            "axes.edgecolor": border,
            "axes.labelcolor": ink,
            "axes.titlecolor": ink,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": ink,
            "xtick.color": border,
            "ytick.color": border,
            "xtick.labelcolor": ink,
            "ytick.labelcolor": ink,
            "font.family": ["DejaVu Sans"],
            "font.size": 11,
            # With hinting, matplotlib 3.11 draws small bold DejaVu Sans as if it had serifs.
            "text.hinting": "no_hinting",
            "hatch.color": colour("masked", theme),
            "hatch.linewidth": 1.2,
            "lines.scale_dashes": False,
            "axes.prop_cycle": cycler(color=[colour(line["colour"], theme) for line in lines])
            + cycler(linewidth=[line["width"] for line in lines])
            + cycler(linestyle=[(0, line["dash"]) if line["dash"] else "-" for line in lines]),
        }
    )


def show(fig: Figure, alt: str | None = None, claim: str | None = None) -> None:
    """Show a figure in the notebook, with a caption and a description in words, and close it.

    On a dark page the picture becomes dark: `shades` says how.

    There are two outputs, for two reasons. JupyterLab 4.6 has no alternative text for a PNG. nbconvert reads one from
    the output's metadata, so it is put there too, but in JupyterLab a screen reader would find nothing; therefore the
    description is below the picture, for everyone. And the bytes of a PNG differ between platforms: nbval ignores
    images, but would compare one inside HTML.

    Args:
        fig: the figure.
        alt: what it shows, in at most 60 words. Without it, the descriptions that this package's functions left on
            the axes.
        claim: the one thing to notice, printed as the caption.

    Raises:
        ValueError: if there are no words, or too many.
    """
    alt = alt or " ".join(words for ax in fig.axes if (words := described(ax)))
    if not alt:
        raise ValueError("the figure has no description: pass as alt a sentence that says what it shows, with a number")
    if len(alt.split()) > _MOST_WORDS:
        raise ValueError(f"alt should have at most {_MOST_WORDS} words, but it has {len(alt.split())}: {alt}")
    # With twice as many pixels as its size on the page, the picture is sharp on dense screens. By default matplotlib
    # names its version in the file, which would then change with each version.
    png = BytesIO()
    fig.savefig(png, format="png", dpi=2 * _PIXELS_PER_INCH, metadata={"Software": None})
    width, height = (round(inches * _PIXELS_PER_INCH) for inches in fig.get_size_inches())
    is_light = luminance(to_hex(fig.get_facecolor())) > 0.5
    plt.close(fig)
    display(  # type: ignore[no-untyped-call]
        {"image/png": png.getvalue(), "text/plain": alt},
        metadata={"image/png": {"alt": alt, "width": width, "height": height}},
        raw=True,
    )
    caption = f"<p><strong>{escape(claim)}</strong></p>\n" if claim else ""
    words = f"{caption}<details><summary>The picture in words</summary><p>{escape(alt)}</p></details>"
    if is_light:
        words = f'<style>{FIGURE_CSS}</style>\n<div class="{FIGURE_CLASS}">{words}</div>'
    display({"text/html": words, "text/plain": claim or alt}, raw=True)  # type: ignore[no-untyped-call]


def draw(
    figure: Callable[..., Axes], *arguments: Any, size: tuple[float, float], claim: str | None = None, **keywords: Any
) -> None:
    """Draw one of this package's figures on axes of its own, and show it.

    Args:
        figure: a function that takes axes first, such as `attention_grid`.
        arguments: what the function takes after the axes.
        size: width and height in inches.
        claim: the one thing to notice, printed as the caption.
        keywords: further arguments of the function.
    """
    with style():
        fig, ax = plt.subplots(figsize=size)
        figure(ax, *arguments, **keywords)
    show(fig, claim=claim)


def draw_side_by_side(
    figure: Callable[..., Axes],
    panels: Sequence[Sequence[Any]],
    *,
    size: tuple[float, float],
    columns: int | None = None,
    claim: str | None = None,
) -> None:
    """Draw one of this package's figures several times, and show all as one.

    Args:
        figure: a function that takes axes first, such as `who_notices`.
        panels: for each panel, what the function takes after the axes.
        size: width and height of the whole in inches.
        columns: how many panels there are in a row; None: all of them.
        claim: the one thing to notice, printed as the caption.

    Raises ValueError if there are no panels.
    """
    if not panels:
        raise ValueError("there are no panels to draw")
    columns = len(panels) if columns is None else columns
    with style():
        fig, axes = plt.subplots(-(-len(panels) // columns), columns, figsize=size, squeeze=False)
        for ax, arguments in zip(axes.flat, panels, strict=False):
            figure(ax, *arguments)
        for ax in axes.flat[len(panels) :]:
            ax.set_axis_off()
    show(fig, claim=claim)


def describe(ax: Axes, words: str) -> Axes:
    """Leave on the axes a description of what they show, for `show`, and return them."""
    ax.set_label(words)
    return ax


def described(ax: Axes) -> str:
    """Return the description that `describe` left on the axes; empty if there is none."""
    words = str(ax.get_label())
    return "" if words.startswith("<") else words


def theme_of(ax: Axes) -> Theme:
    """Return the theme in which the axes were made, judged by their background."""
    return "dark" if luminance(to_hex(ax.get_facecolor())) < 0.5 else "light"
