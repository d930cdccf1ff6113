"""Heads as pictures, checked against the drawn numbers."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from course_lib.pictures.figures import described, head_grids, head_stages, style
from course_lib.pictures.figures.shades import on_dark_page
from course_lib.pictures.look import colour
from tests.pictures.test_look import contrast

X = torch.arange(12).reshape(3, 4)  # tokens a, b, c in two heads of two numbers
# By hand: head 0 has the first two numbers of each token, head 1 the last two.
IN_HEADS = torch.tensor([[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10, 11]]])
TOKENS = ["[CLS]", " the", "key"]


FIGSIZE = (10, 5)


@pytest.fixture
def grids() -> Iterator[list[Axes]]:
    with style():
        fig, axes = plt.subplots(2, 2, figsize=(8, 8))
        yield list(axes.flat)
    plt.close(fig)


@pytest.fixture
def weights() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 3, generator=generator).softmax(dim=-1)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def cells(ax: Axes) -> list[str]:
    return [text for text in texts(ax) if len(text) == 2 and text[0] in "abcd" and text[1].isdigit()]


def test_each_cell_names_the_token_and_feature_of_its_number(ax: Axes) -> None:
    assert head_stages(ax, [("tokens", "T d_model", X)], "abc", heads=2) is ax
    assert cells(ax) == ["a0", "a0", "a1", "a1", "b0", "b0", "b1", "b1", "c0", "c0", "c1", "c1"]


def test_correctly_split_heads_have_their_own_numbers_in_the_order_of_the_tokens(ax: Axes) -> None:
    head_stages(ax, [("split", "H T d_k", IN_HEADS)], "abc", heads=2)
    assert cells(ax) == ["a0", "a0", "b0", "b0", "c0", "c0", "a1", "a1", "b1", "b1", "c1", "c1"]
    assert "✓ all in the right position" in texts(ax)
    assert not any("✗" in text for text in texts(ax))


def test_a_view_puts_eight_of_twelve_numbers_in_the_wrong_position_and_each_is_marked(ax: Axes) -> None:
    head_stages(ax, [("one view", "H T d_k", X.reshape(2, 3, 2))], "abc", heads=2)
    assert cells(ax) == ["a0", "a0", "a1", "a1", "b0", "b0", "b1", "b1", "c0", "c0", "c1", "c1"]
    assert "✗ 8 of 12 in the wrong position" in texts(ax)
    marked = [text for text in texts(ax) if text.endswith(" ✗")]
    assert marked == [f"{number} ✗" for number in range(2, 10)]
    heavy = [patch for patch in ax.patches if isinstance(patch, Rectangle) and patch.get_linewidth() > 2]
    assert len(heavy) == 8


def test_each_token_has_a_hue_and_each_head_a_shade_of_it_on_which_words_can_be_read(ax: Axes) -> None:
    numbers = torch.arange(4 * 8).reshape(4, 8)
    head_stages(ax, [("tokens", "T d_model", numbers)], "abcd", heads=4)
    fills = [patch.get_facecolor() for patch in ax.patches if isinstance(patch, Rectangle)]
    hue = {label: fill[:3] for label, fill in zip(cells(ax), fills, strict=True)}
    shade = {label: fill[3] for label, fill in zip(cells(ax), fills, strict=True)}
    assert len({hue[f"{token}0"] for token in "abcd"}) == 4
    assert all(hue[f"{token}{head}"] == hue[f"{token}0"] for token in "abcd" for head in range(4))
    assert len({shade[f"a{head}"] for head in range(4)}) == 4
    assert all(shade[f"{token}{head}"] == shade[f"a{head}"] for token in "abcd" for head in range(4))
    for *colours, opacity in fills:
        mixed = to_hex([opacity * channel + 1 - opacity for channel in colours])
        assert contrast(colour("ink"), mixed) >= 4.5
        assert contrast(on_dark_page(colour("ink")), on_dark_page(mixed)) >= 4.5


def test_every_stage_labels_its_axes_and_prints_its_shape(ax: Axes) -> None:
    stages = [("tokens", "T d_model", X), ("cut", "T H d_k", X.reshape(3, 2, 2)), ("split", "H T d_k", IN_HEADS)]
    found = texts(head_stages(ax, stages, "abc", heads=2))
    assert {"(T, d_model) = (3, 4)", "(T, H, d_k) = (3, 2, 2)", "(H, T, d_k) = (2, 3, 2)"} <= set(found)
    assert found.count("✓ all in the right position") == 3
    assert {"token b", "head 1"} <= set(found)


def test_the_description_of_the_stages_says_what_is_wrong(ax: Axes) -> None:
    head_stages(ax, [("tokens", "T d_model", X), ("one view", "H T d_k", X.reshape(2, 3, 2))], "abc", heads=2)
    assert described(ax).endswith("tokens: all in the right position. one view: 8 of 12 in the wrong position.")


@pytest.mark.parametrize(
    ("axes", "numbers", "words"),
    [
        ("T H", X, r"should be one of 'T d_model', 'T H d_k', 'H T d_k', but they are 'T H'"),
        ("H T d_k", IN_HEADS.transpose(0, 1), r"'H T d_k' should be \(2, 3, 2\), but its shape is \(3, 2, 2\)"),
    ],
)
def test_a_stage_that_does_not_fit_its_axes_is_refused(ax: Axes, axes: str, numbers: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        head_stages(ax, [("wrong", axes, numbers)], "abc", heads=2)


def test_every_head_has_a_grid_with_its_weights_on_one_scale(grids: list[Axes], weights: Tensor) -> None:
    assert head_grids(grids, weights, TOKENS) == grids
    for ax, drawn in zip(grids, weights.double(), strict=True):
        (image,) = ax.images
        assert np.array_equal(image.get_array(), drawn)
        assert (image.norm.vmin, image.norm.vmax) == (0, 1)
        assert image.origin == "upper"


def test_the_area_of_a_dot_is_proportional_to_its_weight(grids: list[Axes]) -> None:
    weights = torch.zeros(4, 3, 3)
    weights[0] = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.1, 0.1, 0.8]])
    head_grids(grids, weights, TOKENS)
    (dots,) = (part for part in grids[0].collections if isinstance(part, PathCollection))
    sizes = np.array(dots.get_sizes())
    assert np.allclose(sizes / sizes[4], weights[0].flatten())
    assert np.array_equal(dots.get_offsets()[1], [1, 0])  # the second dot: row 0, column 1


def test_rows_are_queries_and_columns_are_keys_and_the_outer_grids_name_the_tokens(
    grids: list[Axes], weights: Tensor
) -> None:
    head_grids(grids, weights, TOKENS)
    names = ["[CLS]", "␣the", "key"]
    rows = [[label.get_text() for label in ax.get_yticklabels()] for ax in grids]
    columns = [[label.get_text() for label in ax.get_xticklabels()] for ax in grids]
    assert rows == [names, [""] * 3, names, [""] * 3]
    assert columns == [names, names, [""] * 3, [""] * 3]
    assert [ax.get_ylabel() for ax in grids] == ["query i: asks", "", "query i: asks", ""]
    assert [ax.get_xlabel() for ax in grids] == ["key j: is read", "key j: is read", "", ""]


def test_grids_are_numbered_from_0_and_have_their_labels(grids: list[Axes], weights: Tensor) -> None:
    head_grids(grids, weights, TOKENS, ["next 0.68", "ends 0.66", "spread", "spread"])
    assert [ax.get_title(loc="left") for ax in grids][:2] == ["head 0: next 0.68", "head 1: ends 0.66"]


def test_the_description_names_the_sharpest_and_the_least_sharp_head(grids: list[Axes]) -> None:
    weights = torch.full((4, 3, 3), 1 / 3)
    weights[1:3] = torch.tensor([0.5, 0.25, 0.25])
    weights[2] = torch.eye(3)
    head_grids(grids, weights, TOKENS, ["a", "b", "itself 1.00", "d"])
    words = described(grids[0])
    assert "Head 2, labelled “itself 1.00”, is the sharpest: a row's largest weight is 1.00" in words
    assert "The least sharp is head 0 with 0.33" in words


def test_cross_attention_has_the_source_as_columns_and_rings_around_its_true_links(grids: list[Axes]) -> None:
    weights = torch.zeros(4, 3, 2)
    weights[:, :, 0] = 1  # every word reads “old” …
    weights[2, 1:] = torch.tensor([0.25, 0.75])  # … but in head 2
    predicted, source = ["le", "roi", "[eos]"], ["old", "king"]
    head_grids(grids, weights, predicted, sources=source, gold=[(0, 0), (1, 1)])
    assert [label.get_text() for label in grids[0].get_yticklabels()] == predicted
    assert [label.get_text() for label in grids[0].get_xticklabels()] == source
    assert (grids[0].get_ylabel(), grids[0].get_xlabel()) == ("query: predicts", "key: is read")
    for ax in grids:
        rings = [patch for patch in ax.patches if isinstance(patch, Circle)]
        assert [ring.center for ring in rings] == [(0, 0), (1, 1)]  # x is the column, y the row
    assert "Of 2 true links, the largest weight of a row finds 1 in head 0, 1 in head 1, 2 in head 2" in described(
        grids[0]
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weights: (weights[:3], TOKENS), r"weights should be \(4, 3, 3\), but their shape is \(3, 3, 3\)"),
        (lambda weights: (weights, TOKENS[:2]), r"weights should be \(4, 2, 2\), but their shape is \(4, 3, 3\)"),
        (lambda weights: (weights, TOKENS, ["one"]), "there should be 4 labels, one for each head, but there are 1"),
        (lambda weights: (weights - 1, TOKENS), "should lie between 0 and 1"),
        (lambda weights: (weights * torch.nan, TOKENS), "should lie between 0 and 1"),
    ],
)
def test_weights_that_do_not_fit_are_refused(grids: list[Axes], weights: Tensor, change, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        head_grids(grids, *change(weights))
