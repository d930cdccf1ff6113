"""The story writer in Chromium, with this process as its kernel."""

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from course_lib.pictures.explorers import StoryWriter
from course_lib.writing.choose import Choice
from tests.browser.accessibility import too_faint
from tests.browser.explorer_page import put

NAMES = ("prompt", "request", "stop", "written")


def write(text: str, choose: Choice) -> Iterator[str]:
    if not text.strip():
        raise ValueError("the beginning is empty: type one")
    yield from (" had", " a", " frog.") * 60


class AtOnce(StoryWriter):
    """Writes the whole text at once: the loop that runs here is Playwright's."""

    def _run(self, steps: Iterator[None]) -> None:
        for _ in steps:
            pass


def explorer() -> StoryWriter:
    return AtOnce(write, "The king", " slept.")


def test_a_beginning_is_continued_and_fits_the_screen(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light, kernel=True)
    story, box = tab.get_by_role("region", name="The story"), tab.get_by_label("The beginning")
    expect(story).to_have_text("The king slept.")
    box.fill("A queen")
    box.press("Enter")
    expect(story).to_contain_text("A queen had a frog.")
    expect(tab.locator(".status")).to_contain_text("180 pieces")
    expect(tab.get_by_role("button")).to_have_text("Write")
    size = tab.locator("#root").bounding_box()
    assert size is not None
    assert size["height"] <= 647
    assert size["width"] <= 930
    counted, faint = too_faint(tab.locator("#root"))
    assert counted > 3
    assert faint == []


def test_an_empty_beginning_is_refused_in_words(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light, kernel=True)
    box = tab.get_by_label("The beginning")
    box.fill(" ")
    box.press("Enter")
    expect(tab.get_by_role("alert")).to_contain_text("the beginning is empty: type one.")


def test_sliders_are_set_by_keys_and_r_resets_them(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    heat = tab.get_by_role("slider", name="Temperature")
    expect(heat).to_have_attribute("aria-valuetext", "0.8")
    heat.press("ArrowRight")
    expect(heat).to_have_attribute("aria-valuetext", "0.9")
    heat.press("r")
    expect(heat).to_have_attribute("aria-valuetext", "0.8")


def test_without_a_kernel_the_panel_says_so_and_can_be_stopped(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    button = tab.get_by_role("button")
    button.click()
    expect(button).to_have_text("Stop")
    expect(tab.get_by_role("alert")).to_contain_text("this panel has lost its kernel", timeout=8000)
    expect(button).to_have_text("Write")
