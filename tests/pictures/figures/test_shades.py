"""A figure on a dark page: what the page's filter makes of each colour can be read as well as the light picture."""

import re
from itertools import pairwise

import numpy as np
import pytest

from course_lib.pictures.figures.shades import FIGURE_CSS, colour_map, digit, on_dark_page, shade
from course_lib.pictures.look import LOOK, colour
from tests.pictures.test_look import MARKS_ON, TEXT_ON, contrast, pairs

STEPS = [step / 200 for step in range(201)]


def filtered(hex_colour: str) -> str:
    """The CSS filters `invert` and `hue-rotate`, with the matrices of Filter Effects 1, sections 9.6 and 9.9.

    https://www.w3.org/TR/filter-effects-1/#feColorMatrixElement.
    """
    ((amount, degrees),) = re.findall(r"invert\(([\d.]+)\) hue-rotate\((\d+)deg\)", FIGURE_CSS)
    part, angle = float(amount), np.deg2rad(float(degrees))
    red_green_blue = np.array([int(pair, 16) / 255 for pair in re.findall("..", hex_colour.lstrip("#"))])
    inverted = part + red_green_blue * (1 - 2 * part)
    grey = np.array([0.213, 0.715, 0.072])
    by_sine = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    matrix = np.tile(grey, (3, 1)) + np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * by_sine
    channels = (matrix @ inverted).clip(0, 1) * 255
    return "#" + "".join(f"{round(float(channel)):02X}" for channel in channels)


def test_the_formula_is_that_of_the_filter() -> None:
    for ramp in LOOK["ramps"]:
        for share in STEPS:
            cell = shade(ramp, share)
            ours, theirs = (bytes.fromhex(c.removeprefix("#")) for c in (on_dark_page(cell), filtered(cell)))
            assert max(abs(one - other) for one, other in zip(ours, theirs, strict=True)) <= 1, cell


@pytest.mark.parametrize(("front", "back"), pairs(TEXT_ON))
def test_text_has_aa_contrast_on_a_dark_page(front: str, back: str) -> None:
    assert contrast(filtered(colour(front)), filtered(colour(back))) >= 4.5


@pytest.mark.parametrize(("front", "back"), pairs(MARKS_ON))
def test_lines_and_borders_have_a_contrast_of_three_to_one_on_a_dark_page(front: str, back: str) -> None:
    assert contrast(filtered(colour(front)), filtered(colour(back))) >= 3


@pytest.mark.parametrize("ramp", LOOK["ramps"])
def test_digits_have_aa_contrast_on_every_cell_on_both_pages(ramp: str) -> None:
    for share in STEPS:
        cell = shade(ramp, share)
        ink = digit(cell)
        assert contrast(ink, cell) >= 4.5, share
        assert contrast(filtered(ink), filtered(cell)) >= 4.5, share


def test_the_paper_becomes_the_dark_grey_of_the_page_and_the_shades_stay_in_order() -> None:
    paper = filtered(colour("paper"))
    assert contrast(paper, colour("paper", "dark")) < 1.05
    for page in (str, filtered):
        from_paper = [contrast(page(shade("weights", share)), page(colour("paper"))) for share in STEPS]
        assert all(below < 1.01 * above for below, above in pairwise(from_paper))  # but for rounding
        assert from_paper[-1] > 9


def test_matplotlib_colours_a_number_as_shade_says() -> None:
    for ramp in LOOK["ramps"]:
        mapped = colour_map(ramp)(np.array(STEPS), bytes=True)
        for share, pixel in zip(STEPS, mapped, strict=True):
            assert "#" + bytes(pixel[:3]).hex().upper() == shade(ramp, share)
