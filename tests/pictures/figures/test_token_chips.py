"""Chips and the two-dimensional map of words, checked against the given tokens and vectors."""

from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch

from course_lib.pictures.figures import described, neighbour_map, style, token_chips
from course_lib.pictures.look import colour

ROWS = {"0 merges": ["t", "h", "e", " ", "k"], "9 merges": ["the", " k"]}
# Four directions in a plane, at 0, 10, 90 and 100 degrees: two pairs.
ANGLES = torch.tensor([0.0, 10.0, 90.0, 100.0]).deg2rad()
PLANE = torch.stack([ANGLES.cos(), ANGLES.sin(), torch.zeros(4)], dim=1)
NAMES = ["king", "queen", "bread", "cheese"]


FIGSIZE = (8, 2)


def boxes(ax: Axes) -> list[FancyBboxPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def hollow(ax: Axes) -> list[int]:
    paper = to_hex(ax.get_facecolor())
    return [i for i, fill in enumerate(ax.collections[0].get_facecolor()) if to_hex(fill) == paper]


def test_each_token_has_a_chip_and_each_row_its_name_and_number(ax: Axes) -> None:
    assert token_chips(ax, ROWS) is ax
    words = [text.get_text() for text in ax.texts]
    assert words == ["0 merges", "t", "h", "e", "␣", "k", "5 tokens", "9 merges", "the", "␣k", "2 tokens"]
    assert len(boxes(ax)) == 7


def test_chips_of_a_row_are_side_by_side_and_contain_their_labels(ax: Axes) -> None:
    token_chips(ax, ROWS)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    frames = [box.get_window_extent() for box in boxes(ax)]
    for left, right in pairwise(frames[:5]):
        assert left.x1 < right.x0
        assert left.y0 == right.y0
    labels = [text.get_window_extent() for text in ax.texts if not text.get_text().endswith(("merges", "tokens"))]
    for frame, label in zip(frames, labels, strict=True):
        assert frame.x0 < label.x0
        assert label.x1 < frame.x1
    assert max(text.get_window_extent().x1 for text in ax.texts) < ax.figure.bbox.x1


def test_a_long_row_has_smaller_text_and_stays_inside(ax: Axes) -> None:
    token_chips(ax, {"no merges": list("the king's daughter wept and would not be comforted by anyone at all")})
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    assert ax.texts[0].get_fontsize() < 11
    assert max(text.get_window_extent().x1 for text in ax.texts) < ax.figure.bbox.x1


def test_tokens_of_more_than_one_character_are_shaded() -> None:
    with style():
        fig, ax = plt.subplots()
        fills = [to_hex(box.get_facecolor()).upper() for box in boxes(token_chips(ax, ROWS))]
    plt.close(fig)
    assert fills == [colour("panel")] * 5 + [colour("query_chip")] * 2


def test_the_description_lists_the_chips(ax: Axes) -> None:
    token_chips(ax, ROWS)
    assert described(ax) == "A text tokenized in 2 ways. 0 merges, 5 tokens: t|h|e|␣|k. 9 merges, 2 tokens: the|␣k."


@pytest.mark.parametrize("rows", [{}, {"a": ["b"], "empty": []}])
def test_rows_without_tokens_are_refused(ax: Axes, rows: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match="each with at least one token"):
        token_chips(ax, rows)


def test_words_are_at_their_principal_components(ax: Axes) -> None:
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    neighbour_map(ax, vectors, list("abcdefghijkl"))
    unit = (vectors / vectors.norm(dim=-1, keepdim=True)).numpy()
    variances, directions = np.linalg.eigh(np.cov(unit.T))  # the smallest first
    expected, drawn = (unit - unit.mean(0)) @ directions[:, :-3:-1], np.asarray(ax.collections[0].get_offsets())
    assert np.allclose(abs(drawn), abs(expected), atol=1e-12)  # a direction may be reversed
    second, first = variances[-2:] / variances.sum()
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        f"first direction: {first:.1%} of the variance",
        f"second: {second:.1%}, together {first + second:.0%}",
    )


def test_each_word_is_joined_to_its_nearest_neighbour(ax: Axes) -> None:
    neighbour_map(
        ax, PLANE * torch.tensor([[1.0], [9.0], [99.0], [1.0]]), NAMES
    )  # the cosine does not depend on the length
    positions = np.asarray(ax.collections[0].get_offsets())
    ends = [[int(abs(positions - end).sum(1).argmin()) for end in line.get_xydata()] for line in ax.lines]
    assert ends == [[0, 1], [1, 0], [2, 3], [3, 2]]
    assert hollow(ax) == []
    assert described(ax).endswith("4 of 4 have the same nearest neighbour on the map as among the whole vectors.")


def test_a_word_whose_nearest_neighbour_differs_in_two_dimensions_is_hollow_and_counted(ax: Axes) -> None:
    # Pairs on three axes; the third and shortest axis is lost, so that its four words coincide in the middle.
    ends = torch.tensor([[9.0, 0, 0], [-9, 0, 0], [0, 8, 0], [0, -8, 0], [0, 0, 7], [0, 0, -7]])
    neighbour_map(ax, torch.cat([ends, ends + torch.tensor([0.4, 0.3, 0.0])]), [f"{i}" for i in range(12)])
    assert hollow(ax)
    assert set(hollow(ax)) <= {4, 5, 10, 11}
    assert f"{12 - len(hollow(ax))} of 12 have the same nearest neighbour" in described(ax)


def test_labels_of_words_close_together_do_not_touch(ax: Axes) -> None:
    # Three pairs around a circle, so far apart that the two words of a pair nearly coincide.
    angles = torch.tensor([0.0, 0.05, 2.0, 2.05, 4.0, 4.05])
    ax.figure.set_size_inches(8, 5)  # type: ignore[union-attr]
    neighbour_map(ax, torch.stack([angles.cos(), angles.sin()], dim=1), [*NAMES, "red", "blue"])
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    frames = [text.get_window_extent() for text in ax.texts]
    assert not any(one.overlaps(other) for one, other in combinations(frames, 2))


@pytest.mark.parametrize(("vectors", "names"), [(PLANE, NAMES[:3]), (PLANE[:2], NAMES[:2]), (PLANE[0], NAMES[:3])])
def test_vectors_that_do_not_fit_their_names_are_refused(ax: Axes, vectors: torch.Tensor, names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"vectors should be \(\d, d_model\)"):
        neighbour_map(ax, vectors, names)
