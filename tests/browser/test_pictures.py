"""The map and the reports in Chromium: they follow the page's theme, or the reader's if the page has none."""

from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image
from playwright.sync_api import Browser

from course_lib.exercises import Panel, quiz
from course_lib.pictures.figures import map_strip, transformer_map
from course_lib.pictures.look import Theme, colour

PAGES: dict[str, Theme | None] = {
    '<body data-jp-theme-light="true">': "light",
    '<body data-jp-theme-light="false">': "dark",
    '<html data-theme="light"><body>': "light",
    '<html data-theme="dark"><body>': "dark",
    '<body data-vscode-theme-kind="vscode-light">': "light",
    '<body data-vscode-theme-kind="vscode-dark">': "dark",
    "<body>": None,
}


def to_pixel(hex_colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(hex_colour.removeprefix("#")))


def test_the_questions_of_a_quiz_are_farther_apart_than_their_answers(browser: Browser):
    page = browser.new_page()
    page.set_content(f"<!doctype html><body>{quiz(1)._repr_html_()}")
    boxes = page.locator(".course-quiz > *").evaluate_all(
        "all => all.map((each) => [each.tagName, each.getBoundingClientRect()]).map(([tag, {top, bottom}]) => "
        "[tag, top, bottom])"
    )
    page.close()
    gaps = [(below[0], below[1] - above[2]) for above, below in pairwise(boxes)]
    before_questions = [gap for tag, gap in gaps if tag == "P"]
    between_answers = [gap for tag, gap in gaps if tag == "DETAILS"]
    assert len(before_questions) == 3
    assert min(before_questions) > 2.5 * max(between_answers) > 0


@pytest.mark.parametrize("preference", ["light", "dark"])
@pytest.mark.parametrize("start", PAGES)
def test_the_map_and_a_report_follow_the_theme_of_the_page(browser: Browser, start: str, preference: Theme):
    theme = PAGES[start] or preference
    page = browser.new_page(color_scheme=preference)
    strip = map_strip(1, {}, transformer_map())
    page.set_content(f"<!doctype html>{start}{strip._repr_html_()}")
    picture = Image.open(BytesIO(page.locator(".course-picture").first.screenshot())).convert("RGB")
    assert picture.getpixel((300, 10)) == to_pixel(colour("paper", theme))
    page.set_content(f"<!doctype html>{start}{Panel('title', map=transformer_map())._repr_html_()}")
    picture = Image.open(BytesIO(page.locator(".course-picture").screenshot())).convert("RGB")
    # A point left of the encoder, and one on its residual stream.
    seen = [picture.getpixel(point) for point in ((5, 300), (170, 400))]
    assert seen == [to_pixel(colour(name, theme)) for name in ("paper", "neutral")]
    report = page.locator(".course-report")
    style = report.evaluate("element => [getComputedStyle(element).backgroundColor, getComputedStyle(element).color]")
    assert style == [f"rgb({', '.join(map(str, to_pixel(colour(name, theme))))})" for name in ("panel", "ink")]
    page.close()
