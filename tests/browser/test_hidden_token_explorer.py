"""The explorer of hidden tokens in Chromium, with this process as its kernel."""

from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from course_lib.pictures.explorers import HiddenTokenExplorer, HiddenTokens
from tests.browser.accessibility import too_faint
from tests.browser.explorer_page import put

NAMES = ("sentence", "found", "token")
WORDS = ("a", "the", "king", "queen", "slept", "sang", "[MASK]", "well")


def look_up(sentence: str) -> HiddenTokens:
    words = sentence.split()
    if unknown := [word for word in words if word not in WORDS]:
        raise ValueError(f"I have never seen {unknown[0]!r}.")
    ids = [WORDS.index(word) for word in words]
    p = torch.full((len(ids), 3, len(WORDS)), 0.05)
    for place, right in enumerate(ids):
        p[place, 1, right] = 0.3  # after layer 1 the right word is second
        p[place, 1, 3] = 0.4
        p[place, 2, right] = 0.65  # after layer 2 it is first
    return HiddenTokens(words, ids, p)


def explorer() -> HiddenTokenExplorer:
    return HiddenTokenExplorer(look_up, WORDS.__getitem__, "the king slept", token=1)


def test_a_click_hides_a_token_and_the_slider_reads_another_layer(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    status, layer = tab.locator(".status"), tab.get_by_role("slider", name="The head reads")
    expect(status).to_have_text(
        "“king” is hidden. After layer 2 the first guess is “king”, 0.65; the hidden token has 0.65, rank 1."
    )
    expect(layer).to_have_attribute("aria-valuetext", "layer 2")
    tab.get_by_role("radio", name="slept").check()
    layer.fill("1")
    expect(status).to_have_text(
        "“slept” is hidden. After layer 1 the first guess is “queen”, 0.40; the hidden token has 0.30, rank 2."
    )
    names = tab.locator("figure").first.locator("svg text.end").all_text_contents()
    assert names[:2] == ["queen", "✓ slept"]
    widths = [float(bar.get_attribute("width") or 0) for bar in tab.locator(".bar").all()]
    assert widths[0] / widths[1] == pytest.approx(4 / 3, rel=0.01)
    counted, faint = too_faint(tab.locator("#root"))
    assert counted > 5
    assert faint == []


def test_keys_step_through_the_tokens_and_start_over(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    layer = tab.get_by_role("slider", name="The head reads")
    layer.press("Home")
    layer.press("]")
    expect(tab.locator(".status")).to_contain_text("“slept” is hidden. After the embeddings")
    layer.press("]")
    expect(tab.locator(".status")).to_contain_text("“the” is hidden.")
    layer.press("r")
    expect(tab.locator(".status")).to_contain_text("“king” is hidden. After layer 2")


def test_a_typed_sentence_is_read_and_an_unknown_word_is_reported(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light, kernel=True)
    own, warning = tab.get_by_label("Your own sentence"), tab.get_by_role("alert")
    own.fill("the zebra slept")
    own.press("Enter")
    expect(warning).to_contain_text("I have never seen 'zebra'.")
    expect(tab.locator(".status")).to_contain_text("“king” is hidden.")
    own.fill("a queen sang well")
    own.press("Enter")
    expect(warning).to_be_hidden()
    expect(tab.get_by_role("radio")).to_have_count(4)
    expect(tab.locator(".status")).to_contain_text("“queen” is hidden.")


@pytest.mark.parametrize(("width", "height"), [(1000, 760), (400, 1300)])
def test_it_fits_on_one_screen_and_on_a_narrow_one(browser: Browser, width: int, height: int) -> None:
    page: Any = browser.new_page(viewport={"width": width, "height": height})
    put(page, explorer(), NAMES)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate("document.scrollingElement.scrollHeight") <= height
    page.close()
