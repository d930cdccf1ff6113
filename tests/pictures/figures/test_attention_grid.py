"""Attention as a grid and as lines, checked against the drawn numbers."""

import re
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, Rectangle

from course_lib.pictures.figures import alignment, attention_grid, described, style
from course_lib.pictures.look import LOOK, colour

SOURCE = ["the", "small", "key"]
TARGET = ["la", "petite", "clé", "[eos]"]
WEIGHTS = np.array([[0.8, 0.1, 0.1], [0.05, 0.9, 0.05], [0.0, 0.25, 0.75], [0.3, 0.3, 0.4]])


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def ax(theme: str) -> Iterator[Axes]:
    with style(theme):  # type: ignore[arg-type]
        fig, ax = plt.subplots(figsize=(6, 5))
        yield ax
    plt.close(fig)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def cross(ax: Axes, **arguments: object) -> Axes:
    return attention_grid(ax, WEIGHTS, ["[bos]", *TARGET[:-1]], SOURCE, predicts=TARGET, **arguments)  # type: ignore[arg-type]


def test_the_grid_holds_the_weights_with_the_first_query_on_top_on_a_scale_from_0_to_1(ax: Axes) -> None:
    assert attention_grid(ax, torch.tensor(WEIGHTS, requires_grad=True), TARGET, SOURCE) is ax
    (image,) = ax.images
    assert np.array_equal(image.get_array(), WEIGHTS)
    assert (image.norm.vmin, image.norm.vmax) == (0, 1)
    assert image.origin == "upper"
    bottom, top = ax.get_ylim()
    assert bottom > top


def test_the_ends_of_the_ramp_are_those_of_the_design_tokens(ax: Axes, theme: str) -> None:
    cmap = attention_grid(ax, WEIGHTS, TARGET, SOURCE).images[0].cmap
    ramp = LOOK["ramps"]["weights"][theme]
    assert [to_hex(cmap(0.0)).upper(), to_hex(cmap(1.0)).upper()] == [ramp[0], ramp[-1]]


def test_every_cell_has_its_digits_and_every_row_its_sum(ax: Axes) -> None:
    found = texts(attention_grid(ax, WEIGHTS, TARGET, SOURCE))
    assert found[:12] == [f"{weight:.2f}" for weight in WEIGHTS.flat]
    assert found[12:] == ["Σ=1.00"] * 4


def test_row_sums_are_computed_from_the_weights(ax: Axes) -> None:
    assert "Σ=0.70" in texts(attention_grid(ax, [[0.5, 0.2]], ["a"], ["b", "c"]))


def test_digits_are_dark_on_light_cells_and_light_on_dark_ones(ax: Axes, theme: str) -> None:
    attention_grid(ax, [[0.0, 1.0]], ["a"], ["b", "c"])
    digits = [text.get_color() for text in ax.texts[:2]]
    assert digits == (["#000000", "#FFFFFF"] if theme == "light" else ["#FFFFFF", "#000000"])


def test_small_cells_show_a_weight_by_the_area_of_a_dot(ax: Axes) -> None:
    weights = np.full((40, 40), 1 / 64)
    weights[0, 0] = 1 / 4
    attention_grid(ax, weights, ["q"] * 40, ["k"] * 40)
    (dots,) = [found for found in ax.collections if isinstance(found, EllipseCollection)]
    widths = dots.get_widths()
    assert len(widths) == 1600
    assert (widths[0] / widths[1]) ** 2 == pytest.approx(16)
    assert all(text.startswith("Σ") for text in texts(ax))


def test_masked_cells_are_hatched_and_dotted_and_show_no_number(ax: Axes) -> None:
    weights = [[1.0, 0.0], [0.5, 0.5]]
    attention_grid(ax, weights, ["a", "b"], ["a", "b"], mask=torch.tensor([[True, False], [True, True]]))
    (hatched,) = [found for found in ax.collections if found.get_hatch()]
    assert [path.get_extents().bounds for path in hatched.get_paths()] == [(0.5, -0.5, 1, 1)]
    assert texts(ax)[:4] == ["1.00", "0.50", "0.50", "·"]


def test_a_zero_that_is_not_masked_is_not_hatched(ax: Axes) -> None:
    attention_grid(ax, [[1.0, 0.0]], ["a"], ["a", "b"], mask=[[True, True]])
    assert not any(found.get_paths() for found in ax.collections if found.get_hatch())
    assert texts(ax)[1] == "0.00"


def test_the_axes_name_the_asking_and_the_read_tokens(ax: Axes) -> None:
    attention_grid(ax, WEIGHTS, TARGET, SOURCE)
    assert ax.get_ylabel() == "query i: token being updated"
    assert ax.get_xlabel() == "key j: token being read"
    assert ax.xaxis.get_label_position() == "top"


def test_cross_attention_names_the_input_token_and_the_predicted_token_of_each_row(ax: Axes) -> None:
    cross(ax)
    assert ax.get_ylabel() == "query: target token so far\n(→ predicts)"
    assert ax.get_xlabel() == "key: source token (memory M)"
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["[bos] → la", "la → petite", "petite → clé", "clé → [eos]"]


def test_labels_look_like_chips_with_visible_spaces_and_special_tokens_stand_out(ax: Axes) -> None:
    attention_grid(ax, np.eye(3), [" the", "cat", "[pad]"], [" the", "cat", "[pad]"])
    labels = ax.get_xticklabels()
    assert [label.get_text() for label in labels] == ["␣the", "cat", "[pad]"]
    boxes = [label.get_bbox_patch() for label in labels]
    assert [bool(box and box.get_path_effects()) for box in boxes] == [False, False, True]
    assert [bool(box and box.get_hatch()) for box in boxes] == [False, False, True]


def test_gold_links_are_rings_around_their_cells(ax: Axes) -> None:
    cross(ax, gold=[(0, 0), (2, 1)])
    rings = [patch.center for patch in ax.patches if isinstance(patch, Circle)]
    assert rings == [(0, 0), (1, 2)]


def test_a_selected_row_is_outlined_completely(ax: Axes) -> None:
    cross(ax, selected=1)
    (outline,) = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert (outline.get_xy(), outline.get_width(), outline.get_height()) == ((-0.5, 0.5), 3, 1)


def test_the_description_of_the_grid_names_the_largest_weight_and_its_tokens(ax: Axes) -> None:
    assert described(cross(ax)) == (
        "Cross-attention weights of 4 queries (rows) over 3 keys (columns). "
        "The row “la → petite” gives its largest weight, 0.90, to “small”."
    )
    words = described(cross(ax, selected=2, gold=[(2, 2), (0, 1), (1, 1)]))
    assert "The row “petite → clé” gives its largest weight, 0.75, to “key”." in words
    assert "2 of 3 true links are the largest weight of their row." in words
    assert len(words.split()) <= 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"queries": TARGET[:3]}, "weights should be (3, 3), a row for each of the 3 tokens that ask"),
        ({"keys": [*SOURCE, "!"]}, "weights should be (4, 4)"),
        ({"weights": WEIGHTS * 2}, "between 0 and 1, but the one at (0, 0) is 1.6"),
        ({"weights": WEIGHTS * float("nan")}, "between 0 and 1, but the one at (0, 0) is nan"),
        ({"mask": WEIGHTS > 0.08}, "the mask hides (1, 0), but its weight is 0.05; it should be 0"),
        ({"predicts": ["le"]}, "predicts should name 4 tokens, one for each query, but it names 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_a_sentence(
    ax: Axes, arguments: dict[str, object], words: str
) -> None:
    right: dict[str, object] = {"weights": WEIGHTS, "queries": TARGET, "keys": SOURCE}
    with pytest.raises(ValueError, match=re.escape(words)):
        attention_grid(ax, **(right | arguments))  # type: ignore[arg-type]


def test_a_line_is_as_wide_as_its_weight_and_runs_from_reader_to_read(ax: Axes) -> None:
    assert alignment(ax, WEIGHTS, SOURCE, TARGET) is ax
    # 0.05 is drawn, 0.0 is not.
    assert len(ax.lines) == 11
    widths = [line.get_linewidth() for line in ax.lines]
    assert np.array(widths[:6]) / widths[0] == pytest.approx(WEIGHTS.flat[:6] / 0.8)
    positions = {text.get_text(): text.get_position() for text in ax.texts}
    (below, above), (low, high) = ax.lines[4].get_data()
    assert (below, above) == (positions["petite"][0], positions["small"][0])
    assert low < high
    assert positions["small"][1] > positions["petite"][1]


def test_the_selected_word_has_the_colour_of_values_and_shows_its_numbers(ax: Axes, theme: str) -> None:
    alignment(ax, WEIGHTS, SOURCE, TARGET, selected=1)
    value = colour("value", theme)
    assert [line.get_color() == value for line in ax.lines] == [False] * 3 + [True] * 3 + [False] * 5
    assert [text for text in texts(ax) if re.fullmatch(r"0\.\d\d", text)] == ["0.05", "0.90", "0.05"]
    edges = {text.get_text(): box.get_linewidth() for text in ax.texts if (box := text.get_bbox_patch())}
    assert edges["petite"] > edges["clé"]


def test_each_number_is_on_its_own_line(ax: Axes) -> None:
    alignment(ax, WEIGHTS, SOURCE, TARGET, selected=0)
    numbers = [text for text in ax.texts if re.fullmatch(r"0\.\d\d", text.get_text())]
    assert len(numbers) == 3
    for text, line in zip(numbers, ax.lines, strict=False):
        (x0, x1), (y0, y1) = line.get_data()
        x, y = text.get_position()
        assert (x - x0) * (y1 - y0) == pytest.approx((x1 - x0) * (y - y0))


def test_the_description_of_the_lines_names_the_largest_weight_of_the_selected_word(ax: Axes) -> None:
    words = described(alignment(ax, WEIGHTS, SOURCE, TARGET, selected=3))
    assert "4 target words to 3 source words" in words
    assert words.endswith("“[eos]” gives its largest weight, 0.40, to “key”.")


def test_a_shorter_sentence_is_spaced_evenly_under_the_longer_one(ax: Axes) -> None:
    alignment(ax, np.full((3, 9), 1 / 9), list("abcdefghi"), list("xyz"))
    low, high = ax.get_xlim()
    positions = [text.get_position()[0] for text in ax.texts if text.get_text() in "xyz"]
    assert [(position - low) / (high - low) for position in positions] == pytest.approx([1 / 6, 1 / 2, 5 / 6])


def test_chips_of_a_sentence_do_not_touch(ax: Axes) -> None:
    alignment(
        ax,
        np.full((3, 9), 1 / 9),
        ["the", "old", "detective", "did", "not", "find", "the", "small", "key"],
        ["je", "ne", "sais"],
    )
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    boxes = [chip.get_window_extent() for text in ax.texts if (chip := text.get_bbox_patch())]
    assert len(boxes) == 12
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
