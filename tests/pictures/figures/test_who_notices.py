"""The positions that a changed token affects, checked against the drawn marks."""

import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from course_lib.pictures.figures import described, who_notices

TOKENS = ["the", " ", "key"]
CAUSAL = torch.ones(3, 3, dtype=torch.bool).tril()


def dots(ax: Axes) -> list[tuple[int, int]]:
    """The dots, as (affected position, changed token)."""
    return sorted((int(line.get_ydata()[0]), int(line.get_xdata()[0])) for line in ax.lines)  # type: ignore[index]


def crosses(ax: Axes) -> list[tuple[int, int]]:
    found = (text.get_position() for text in ax.texts if text.get_text() == "✗")
    return sorted((int(y), int(x)) for x, y in found)


def frames(ax: Axes) -> list[tuple[int, int]]:
    heavy = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_linewidth() > 2]
    return sorted((round(patch.get_y()), round(patch.get_x())) for patch in heavy)


def test_a_causal_model_has_dots_on_and_below_the_diagonal_and_no_cross(ax: Axes) -> None:
    assert who_notices(ax, CAUSAL, TOKENS, "causal") is ax
    assert dots(ax) == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert crosses(ax) == frames(ax) == []
    assert ax.get_title(loc="left") == "causal: 0 leaks"


def test_each_future_token_that_has_an_effect_has_a_cross_in_a_frame(ax: Axes) -> None:
    changed = CAUSAL.clone()
    changed[0, 1] = changed[1, 2] = True
    who_notices(ax, changed, TOKENS)
    assert crosses(ax) == frames(ax) == [(0, 1), (1, 2)]
    assert ax.get_title(loc="left") == "2 leaks"


def test_a_token_without_an_effect_has_no_mark(ax: Axes) -> None:
    changed = torch.eye(3, dtype=torch.bool)
    changed[0, 2] = True
    who_notices(ax, changed, TOKENS, "one")
    assert dots(ax) == [(0, 0), (1, 1), (2, 2)]
    assert crosses(ax) == [(0, 2)]
    assert ax.get_title(loc="left") == "one: 1 leak"


def test_the_description_counts_the_affected_positions_and_the_leaks(ax: Axes) -> None:
    who_notices(ax, torch.ones(3, 3, dtype=torch.bool), TOKENS, "no mask")
    assert described(ax) == "no mask: 9 of 9 pairs are noticed, 3 of them leaks."


def test_tokens_label_both_axes_and_the_first_row_is_on_top(ax: Axes) -> None:
    who_notices(ax, CAUSAL, TOKENS)
    names = ["the", "␣", "key"]
    assert [label.get_text() for label in ax.get_xticklabels()] == names
    assert [label.get_text() for label in ax.get_yticklabels()] == names
    assert ax.yaxis_inverted()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("changed token j", "position i that notices")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (CAUSAL[:2], r"changed should be \(3, 3\), a row and a column for each token, but its shape is \(2, 3\)"),
        (CAUSAL.float(), "changed should hold True and False, but its dtype is float32"),
    ],
)
def test_arguments_that_cannot_be_drawn_are_refused(ax: Axes, changed: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        who_notices(ax, changed, TOKENS)
