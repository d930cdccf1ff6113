"""A beam search as a tree of unfinished texts, with a column for each step."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures.display import describe, theme_of
from course_lib.pictures.look import colour, token_label, with_minus
from course_lib.writing.beam import Candidate

# In characters of the nodes' monospaced font; a character is 0.602 times as wide as the font's size.
_ADVANCE, _PADDING, _GAP, _START = 0.602, 1.4, 3.0, 5.0
_LARGEST_FONT = 9.0
_THICKEST = 9.0
_MARKS = {"kept": "", "ended": " ■", "dropped": " ✗"}


class _Node(NamedTuple):
    ids: tuple[int, ...]
    candidate: Candidate
    y: float


def beam_tree(ax: Axes, steps: Sequence[Sequence[Candidate]], show: Callable[[int], str]) -> Axes:
    """Draw the candidates of a beam search: a column for each step, each text to the right of the one it extends.

    The likelier a text, the thicker its line. Kept texts are solid, dropped ones dashed with ✗, ended ones have a heavy
    border and ■. Below each token is the log-probability of the text so far.

    Args:
        ax: where to draw. Four beams need about 0.45 inches of height for each of 8 texts.
        steps: what `beam_search` passed to `watch`, a list for each step; `steps[:n]` is the tree after n steps.
        show: returns an id as the text to print.

    Returns:
        The axes, with their description in words.

    Raises:
        ValueError: if there are no steps, or a text extends no text of the step before.
    """
    if not steps:
        raise ValueError("there are no steps to draw: call beam_search with watch=steps.append first")
    columns = _placed(steps)
    theme = theme_of(ax)
    labels = [
        [(token_label(show(node.ids[-1])) + _MARKS[node.candidate.fate], _signed(node)) for node in column]
        for column in columns
    ]
    widths = [max(len(words) for pair in column for words in pair) + _PADDING for column in labels]
    total = _START + sum(widths) + _GAP * len(widths)
    points = ax.get_window_extent().width * 72 / ax.figure.dpi
    size = min(_LARGEST_FONT, points / total / _ADVANCE)
    most = max(map(len, columns))
    ax.set(xlim=(0, max(total, points / size / _ADVANCE)), ylim=(most / 2 + 0.1, -most / 2 - 0.5))
    ax.axis("off")
    ax.text(0, 0, "start", family="DejaVu Sans Mono", fontsize=size, va="center")
    ends: dict[tuple[int, ...], tuple[float, float]] = {(): (_START, 0.0)}
    x = _START + _GAP
    for step, (column, words, width) in enumerate(zip(columns, labels, widths, strict=True), start=1):
        ax.text(
            x + width / 2, -most / 2 - 0.25, f"step {step}", ha="center", fontsize=size, color=colour("neutral", theme)
        )
        here = dict[tuple[int, ...], tuple[float, float]]()
        for node, pair in zip(column, words, strict=True):
            _join(ax, ends[node.ids[:-1]], (x, node.y), node.candidate)
            _box(ax, (x, node.y), width, pair, node.candidate.fate, size)
            here[node.ids] = (x + width, node.y)
        ends = here
        x += width + _GAP
    return describe(ax, _in_words(steps, show))


def _placed(steps: Sequence[Sequence[Candidate]]) -> list[list[_Node]]:
    """Order the texts of each step from top to bottom, in the order of their parents, so that no lines cross."""
    before: list[tuple[int, ...]] = [()]
    columns = list[list[_Node]]()
    for number, candidates in enumerate(steps, start=1):
        for each in candidates:
            if tuple(each.ids[:-1]) not in before:
                raise ValueError(f"step {number} has the text {each.ids}, which extends no text of the step before")
        ranked = sorted(candidates, key=lambda each: (before.index(tuple(each.ids[:-1])), -each.log_probability))
        middle = (len(ranked) - 1) / 2
        columns.append([_Node(tuple(each.ids), each, row - middle) for row, each in enumerate(ranked)])
        before = [node.ids for node in columns[-1]]
    return columns


def _join(ax: Axes, start: tuple[float, float], end: tuple[float, float], candidate: Candidate) -> None:
    """Draw the line from a text to a longer one: the likelier that is, the thicker."""
    theme = theme_of(ax)
    is_dropped = candidate.fate == "dropped"
    ax.plot(
        *zip(start, end, strict=True),
        color=colour("masked" if is_dropped else "neutral", theme),
        linewidth=max(1.0, _THICKEST * math.exp(candidate.log_probability)),
        linestyle=(0, (4, 3)) if is_dropped else "-",
        solid_capstyle="butt",
        zorder=1,
    )


def _box(ax: Axes, corner: tuple[float, float], width: float, words: tuple[str, str], fate: str, size: float) -> None:
    """Draw one text's newest token, with its log-probability below."""
    theme = theme_of(ax)
    x, y = corner
    box = FancyBboxPatch(
        (x, y - 0.4),
        width,
        0.8,
        "round,pad=0,rounding_size=0.3",
        mutation_aspect=0.3,
        facecolor=colour("panel", theme),
        edgecolor=colour("border" if fate == "dropped" else "ink", theme),
        linewidth={"kept": 1.5, "ended": 3.0, "dropped": 1.2}[fate],
        linestyle=(0, (3, 2)) if fate == "dropped" else "-",
        zorder=2,
    )
    ax.add_patch(box)
    for line, (shift, va) in zip(words, ((-0.03, "bottom"), (0.05, "top")), strict=True):
        ax.text(x + width / 2, y + shift, line, ha="center", va=va, family="DejaVu Sans Mono", fontsize=size, zorder=3)


def _signed(node: _Node) -> str:
    return with_minus(node.candidate.log_probability)


def _in_words(steps: Sequence[Sequence[Candidate]], show: Callable[[int], str]) -> str:
    everything = [each for candidates in steps for each in candidates]
    ended = [each for each in everything if each.fate == "ended"]
    going = [each for each in steps[-1] if each.fate == "kept"]
    best = max(ended or going, key=lambda each: each.log_probability)
    text = " ".join(token_label(show(i)) for i in best.ids)
    number = with_minus(best.log_probability)
    which = "that has ended" if ended else "so far"
    return (
        f"A search tree after {len(steps)} steps: {len(everything)} texts, of which {len(ended)} have ended. The "
        f"likeliest text {which} is “{text}”, log-probability {number}."
    )
