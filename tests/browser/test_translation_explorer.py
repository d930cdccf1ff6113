"""The explorer of translations in Chromium, with this process as its kernel."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from course_lib.pictures.explorers import TranslationExplorer
from tests.browser.explorer_page import put, readable
from tests.pictures.explorers.test_translation_explorer import explorer

NAMES = ("sentence", "found")
LONG = "Je ne sais pas ce que je peux faire pour que vous puissiez le faire avant que nous partions à la plage."


def four(second: str) -> TranslationExplorer:
    """Show as many machines and texts as the notebook."""
    shown = explorer(second)
    several = shown.found["machines"]["Transformer"] * 2  # as many as there are beams
    names = ("the course's", "recurrent", "recurrent with attention", "Transformer")
    shown.found = {**shown.found, "machines": dict.fromkeys(names, several)}
    return shown


def test_a_chosen_text_shows_what_its_words_read(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    expect(tab.locator(".status")).to_have_text("Transformer: text 1 of 2, with a share of 0.75.")
    expect(tab.get_by_text("“la” reads 0.75 of “the”, 0.25 of “key”.")).to_be_visible()
    assert tab.locator(".lines path").count() == 3
    tab.get_by_role("radio", name="clé", exact=True).hover()
    expect(tab.get_by_text("“clé” reads 0.75 of “key”")).to_be_visible()
    tab.locator(".machines label").nth(1).click()
    expect(tab.locator(".status")).to_have_text("Transformer: text 2 of 2, with a share of 0.25.")
    expect(tab.get_by_text("“une” reads 0.75")).to_be_visible()
    readable(tab)


def test_a_machine_without_attention_says_so(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    tab.locator(".machines label").nth(2).click()
    expect(tab.locator(".status")).to_contain_text(
        "recurrent: text 1 of 2, with a share of 0.75. It shows no attention"
    )
    expect(tab.locator(".lines")).to_have_count(0)
    assert tab.locator(".sentences .chip").all_text_contents() == ["the", "key", "[eos]", "la", "clé"]
    readable(tab)


def test_the_keyboard_alone_reaches_every_text_and_word(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    tab.get_by_label("An English sentence").focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".status")).to_contain_text("Transformer: text 2 of 2")
    tab.keyboard.press("]")
    expect(tab.locator(".status")).to_contain_text("recurrent: text 1 of 2")
    tab.keyboard.press("r")
    expect(tab.locator(".status")).to_contain_text("Transformer: text 1 of 2")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowRight")
    expect(tab.get_by_text("“clé” reads 0.75 of “key”")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.get_by_label("An English sentence")).to_be_focused()


def test_a_typed_sentence_is_translated_and_one_that_cannot_be_is_reported(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light, kernel=True)
    own, warning = tab.get_by_label("An English sentence"), tab.get_by_role("alert")
    own.fill("a zebra")
    own.press("Enter")
    expect(warning).to_have_text("I have never seen a zebra.")
    expect(tab.locator(".machines label")).to_have_count(4)
    own.fill("the key again")
    own.press("Enter")
    expect(warning).to_be_hidden()


@pytest.mark.parametrize("second", ["une clé", LONG])
def test_four_machines_fit_on_one_screen(browser: Browser, second: str) -> None:
    page: Any = browser.new_page(viewport={"width": 914, "height": 647})
    put(page, four(second), NAMES)
    page.locator(".machines label").nth(1).click()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 914
    assert page.evaluate("document.scrollingElement.scrollHeight") <= 647
    page.close()


def test_it_fits_on_a_narrow_screen(browser: Browser) -> None:
    page: Any = browser.new_page(viewport={"width": 400, "height": 1300})
    put(page, four(LONG), NAMES)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 400
    assert page.evaluate("document.scrollingElement.scrollHeight") <= 1300
    expect(page.locator(".machines label:visible")).to_have_count(4 + 3)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    expect(page.locator(".status")).to_contain_text("recurrent: text 1 of 4")
    expect(page.locator(".machines label:visible")).to_have_count(4 + 3)
    page.close()
