"""The bars of the next token, checked against the given probabilities."""

import re
from itertools import pairwise

import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.pictures.figures import described, next_tokens, next_tokens_compared
from course_lib.writing.choose import top_k_filter

NAMES = ("un", "le", "la", " ")
SHARES = [0.05, 0.6, 0.25, 0.1]


FIGSIZE = (5, 3)


def bars(ax: Axes) -> list[tuple[float, bool]]:
    """The height of each bar from left to right, and whether it is hatched."""
    found = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [(round(bar.get_height(), 6), bool(bar.get_hatch())) for bar in sorted(found, key=lambda bar: bar.get_x())]


def test_bars_are_in_order_and_removed_tokens_are_hatched(ax: Axes) -> None:
    keep = top_k_filter(torch.tensor(SHARES).log(), 2).isfinite()
    assert next_tokens(ax, NAMES, SHARES, keep, "top-k 2") is ax
    assert bars(ax) == [(0.6, False), (0.25, False), (0.1, True), (0.05, True)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["le\n.60", "la\n.25", "␣\n.10", "un\n.05"]
    assert ax.get_title(loc="left") == "top-k 2\n2 of 4 kept, Σ = 0.85"


def test_the_line_is_the_sum_so_far(ax: Axes) -> None:
    next_tokens(ax, NAMES, SHARES)
    (line,) = ax.lines
    assert list(line.get_ydata()) == pytest.approx([0.6, 0.85, 0.95, 1.0])  # type: ignore[arg-type]
    assert ax.get_ylim()[0] == 0
    assert not any(cut for _, cut in bars(ax))


def test_more_than_fifteen_tokens_end_in_one_bar_with_a_kept_and_a_removed_part(ax: Axes) -> None:
    names = [f"t{i}" for i in range(20)]
    shares = torch.full((20,), 0.05)
    keep = torch.arange(20) < 17
    next_tokens(ax, names, shares, keep)
    found = bars(ax)
    assert len(found) == 17
    assert found[-2:] == [(0.1, False), (0.15, True)]
    assert [label.get_text() for label in ax.get_xticklabels()][-1] == "+5\n.25"
    assert ax.get_xlabel() == "next token, the likeliest first; +5: all others"


def test_labels_below_the_bars_do_not_touch(ax: Axes) -> None:
    next_tokens(ax, [chr(97 + i) for i in range(26)], torch.full((26,), 1 / 26))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(one.x1 <= other.x0 for one, other in pairwise(boxes))


def test_the_description_names_the_likeliest_token_and_the_kept_ones(ax: Axes) -> None:
    keep = [False, True, False, False]
    assert described(next_tokens(ax, NAMES, SHARES, keep, "top-k 1")) == (
        "top-k 1. The next of 4 tokens: the likeliest is le, 0.60. 1 is kept, with 0.60 of the probability."
    )


@pytest.mark.parametrize(
    ("shares", "keep", "words"),
    [
        (SHARES[:3], None, "for 4 names, probabilities should be (4,) and keep should be bool (4,), but they are (3,)"),
        (SHARES, [1, 1, 0, 0], "but they are (4,) and torch.int64 (4,)"),
        (SHARES, [True, False], "but they are (4,) and torch.bool (2,)"),
        ([0.5, 0.5, 0.5, 0.5], None, "add up to 1, but add up to 2.000"),
        (SHARES, [False] * 4, "keep should be True for at least one token"),
    ],
)
def test_numbers_that_are_not_a_distribution_are_refused(
    ax: Axes, shares: list[float], keep: list[bool] | None, words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        next_tokens(ax, NAMES, shares, keep)


def test_compared_distributions_have_bars_side_by_side_in_the_order_of_the_first(ax: Axes) -> None:
    flat = [0.25, 0.25, 0.25, 0.25]
    assert next_tokens_compared(ax, NAMES, {"sharp": SHARES, "flat": flat}, shown=3) is ax
    assert bars(ax) == [(0.6, False), (0.25, True), (0.25, False), (0.25, True), (0.1, False), (0.25, True)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["le", "la", "␣"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sharp", "flat"]  # type: ignore[union-attr]
    assert described(ax) == "The 3 likeliest next tokens, 2 bars for each. “le”: 0.60 at sharp, 0.25 at flat."


@pytest.mark.parametrize(
    ("distributions", "words"),
    [
        ({}, "should hold 1 to 4 of them, but it holds 0"),
        ({str(i): SHARES for i in range(5)}, "but it holds 5"),
        ({"short": SHARES[:3]}, "'short' should be (4,), one probability per name, but is (3,)"),
    ],
)
def test_distributions_that_cannot_be_compared_are_refused(
    ax: Axes, distributions: dict[str, list[float]], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        next_tokens_compared(ax, NAMES, distributions)
