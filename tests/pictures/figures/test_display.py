"""How a figure is shown on the page: its style, its description and its size."""

import re
from io import BytesIO
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from PIL import Image

from course_lib.pictures.figures import attention_grid, display, draw_side_by_side, show, style
from course_lib.pictures.figures.display import describe
from course_lib.pictures.look import colour

SENTENCE = "A line from 0 to 1."


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    outputs: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def catch(data: dict[str, Any], metadata: dict[str, Any] | None = None, raw: bool = False) -> None:
        assert raw, "without raw=True IPython shows a dict as text"
        outputs.append((data, metadata or {}))

    monkeypatch.setattr(display, "display", catch)
    return outputs


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_style_sets_an_opaque_background_and_ends_with_the_block(theme: str) -> None:
    before = dict(mpl.rcParams)
    with style(theme):  # type: ignore[arg-type]
        fig, ax = plt.subplots()
        paper = to_rgba(colour("paper", theme))
        assert fig.get_facecolor() == ax.get_facecolor() == paper
        assert paper[3] == 1
        assert mpl.rcParams["text.color"] == colour("ink", theme)
        plt.close(fig)
    assert dict(mpl.rcParams) == before


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ValueError, match='theme should be "light" or "dark", but it is \'auto\''):
        style("auto")  # type: ignore[arg-type]


def test_the_picture_and_its_description_are_two_outputs_and_only_the_picture_has_pixels(
    shown: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    fig, _ = plt.subplots(figsize=(4, 3))
    show(fig, SENTENCE, claim="It rises.")
    (picture, metadata), (words, _) = shown
    assert picture["text/plain"] == SENTENCE
    assert metadata["image/png"] == {"alt": SENTENCE, "width": 400, "height": 300}
    assert Image.open(BytesIO(picture["image/png"])).size == (800, 600)
    assert "image/png" not in words
    assert "data:" not in words["text/html"]
    assert SENTENCE in words["text/html"]
    assert "<strong>It rises.</strong>" in words["text/html"]
    assert words["text/plain"] == "It rises."


def test_the_picture_does_not_name_the_version_that_drew_it(
    shown: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    fig, _ = plt.subplots()
    show(fig, SENTENCE)
    assert Image.open(BytesIO(shown[0][0]["image/png"])).info.keys() == {"dpi"}


def test_a_shown_figure_is_closed_so_that_the_notebook_does_not_show_it_twice(
    shown: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    fig, _ = plt.subplots()
    show(fig, SENTENCE)
    assert fig.number not in plt.get_fignums()  # type: ignore[attr-defined]


def test_the_description_comes_from_the_drawing_unless_it_is_given(
    shown: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    for alt in (None, SENTENCE):
        fig, (left, _) = plt.subplots(1, 2)
        attention_grid(left, [[0.25, 0.75]], ["it"], ["the", "animal"])
        show(fig, alt)
    assert "“it” gives its largest weight, 0.75, to “animal”." in shown[0][0]["text/plain"]
    assert shown[2][0]["text/plain"] == SENTENCE


def test_the_description_is_escaped_in_the_page(shown: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    fig, _ = plt.subplots()
    show(fig, "<script>1</script>", claim="a < b")
    html = shown[1][0]["text/html"]
    assert "<script>" not in html
    assert "a &lt; b" in html


@pytest.mark.parametrize(
    ("alt", "words"),
    [(None, "the figure has no description"), ("word " * 61, "at most 60 words, but it has 61")],
)
def test_a_figure_without_a_description_or_with_a_long_one_is_refused(alt: str | None, words: str) -> None:
    fig, _ = plt.subplots()
    with pytest.raises(ValueError, match=re.escape(words)):
        show(fig, alt)
    plt.close(fig)


def test_panels_side_by_side_are_one_picture_with_all_descriptions(
    shown: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    draw_side_by_side(named, [("one",), ("two",), ("three",)], columns=2, size=(4, 3), claim="Three.")
    (picture, _), (words, _) = shown
    assert picture["text/plain"] == "one. two. three."
    assert "Three." in words["text/html"]
    with pytest.raises(ValueError, match="no panels"):
        draw_side_by_side(named, [], size=(4, 3))


def named(ax: Axes, name: str) -> Axes:
    return describe(ax, f"{name}.")
