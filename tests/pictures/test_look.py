"""The course's colours: contrast, by a formula written for the test, and ramps whose steps can be distinguished."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from course_lib.pictures import explorers
from course_lib.pictures.look import (
    COLOURS,
    LOOK,
    LOOK_CSS,
    Theme,
    colour,
    digit_colour,
    ramp_colour,
    token_label,
    token_labels,
)

ROOT = Path(__file__).resolve().parents[2]
THEMES: tuple[Theme, ...] = ("light", "dark")
# The colours of text, and of lines and marks, on each background where the course uses them.
TEXT_ON = {
    "paper": ["ink", "neutral", "query", "key", "value", "memory", "focus"],
    "panel": ["ink", "neutral", "query", "key", "value", "memory"],
    "now": ["ink"],
    "query_chip": ["ink"],
    "key_chip": ["ink"],
    "value_chip": ["ink"],
    "memory_chip": ["ink"],
    "ink": ["paper"],
}
MARKS_ON = {
    "paper": ["border", "masked", "neutral", "query", "key", "value", "memory", "focus"],
    "panel": ["border", "neutral", "query", "key", "value", "memory", "focus"],
    "now": ["ink"],
    "query_chip": ["query"],
    "key_chip": ["key"],
    "value_chip": ["value"],
    "memory_chip": ["memory"],
}


def contrast(one: str, other: str) -> float:
    """The contrast of WCAG 2.2, 1.4.3, written independently of the code under test."""

    def light(hex_colour: str) -> float:
        total = 0.0
        for weight, pair in zip((0.2126, 0.7152, 0.0722), re.findall("..", hex_colour.lstrip("#")), strict=True):
            share = int(pair, 16) / 255
            total += weight * (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
        return total

    dim, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dim + 0.05)


def pairs(fronts_on: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(front, back) for back, fronts in fronts_on.items() for front in fronts]


def test_the_formula_gives_the_contrasts_that_the_standard_and_its_tools_give() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), pairs(TEXT_ON))
def test_text_has_aa_contrast_on_every_background_for_which_it_is_meant(front: str, back: str, theme: Theme) -> None:
    assert contrast(colour(front, theme), colour(back, theme)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), pairs(MARKS_ON))
def test_lines_and_borders_have_a_contrast_of_three_to_one(front: str, back: str, theme: Theme) -> None:
    assert contrast(colour(front, theme), colour(back, theme)) >= 3


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ramp", ["weights", "signed"])
def test_digits_have_aa_contrast_on_every_shade_of_a_ramp(ramp: str, theme: Theme) -> None:
    for step in range(101):
        cell = ramp_colour(ramp, step / 100, theme)
        assert contrast(digit_colour(cell), cell) >= 4.5, (step, cell)


@pytest.mark.parametrize("theme", THEMES)
def test_a_larger_weight_stands_out_more_from_the_background(theme: Theme) -> None:
    paper = colour("paper", theme)
    steps = [contrast(ramp_colour("weights", step / 20, theme), paper) for step in range(21)]
    assert steps[0] == 1
    assert all(below < above for below, above in pairwise(steps))


def test_query_key_and_value_differ_in_grey() -> None:
    white = [contrast(colour(role), "#FFFFFF") for role in ("query", "key", "value")]
    assert white == sorted(white, reverse=True)
    assert all(darker > 1.3 * lighter for darker, lighter in pairwise(white))


def test_every_colour_is_a_full_hex_colour_in_both_themes() -> None:
    assert len(COLOURS) == len(re.findall("^  --", LOOK_CSS, re.MULTILINE)) == 16
    shades = [shade for themes in COLOURS.values() for shade in (themes["light"], themes["dark"])]
    shades += [stop for ramp in LOOK["ramps"].values() for theme in THEMES for stop in ramp[theme]]
    assert all(re.fullmatch("#[0-9A-F]{6}", shade) for shade in shades)


def test_an_unknown_colour_is_refused_with_the_list_of_names() -> None:
    with pytest.raises(KeyError, match=r"no colour 'red'.*paper, panel, ink"):
        colour("red")


def test_spaces_and_line_ends_are_visible_in_a_tokens_label() -> None:
    assert [token_label(token) for token in (" the", "\n", "", "[pad]")] == ["␣the", "↵", "∅", "[pad]"]


def test_equal_tokens_of_a_sentence_are_numbered() -> None:
    assert token_labels(["the", "key", "the", " ", "the"]) == ["the¹", "key", "the²", "␣", "the³"]
    assert token_labels(["a"] * 12)[-1] == "a¹²"


def test_every_colour_that_a_style_sheet_uses_is_defined() -> None:
    sheet = str(explorers.AttentionExplorer._css)
    given = set(re.findall(r"--([\w-]+):", sheet))
    asked = set(re.findall(r"var\(--([\w-]+)\)", sheet))
    assert asked <= given
    assert {name.replace("_", "-") for name in COLOURS} <= given


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ramp", ["weights", "signed"])
def test_every_step_of_a_ramp_has_a_class_for_its_cell_and_its_digits(ramp: str, theme: Theme) -> None:
    sheet = str(explorers.AttentionExplorer._css)
    for step in range(21):
        (rule,) = re.findall(rf"\.{ramp}-{step} {{(.*)}}", sheet)
        cell, digits = (shades.split(", ")[THEMES.index(theme)] for shades in re.findall(r"light-dark\((.*?)\)", rule))
        assert cell == ramp_colour(ramp, step / 20, theme)
        assert digits == digit_colour(cell)


def test_no_line_of_a_script_or_style_sheet_is_longer_than_a_line_of_python() -> None:
    files = [path for path in (ROOT / "course_lib").rglob("*") if path.suffix in (".js", ".css")]
    assert len(files) >= 10
    long = [
        f"{path.name}:{number} has {len(line)} characters"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > 120
    ]
    assert long == []
