"""The explorer of named entities in Chromium, with this process as its kernel."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import too_faint
from tests.browser.explorer_page import put
from tests.pictures.explorers.test_entity_explorer import explorer

NAMES = ("sentence", "found")
LONG = (
    "In the spring of that year Ann Lee went to Rome , and Ann wrote to Lee that Rome was warm and that many of her "
    "old friends from Rome had seen Ann and Lee there ."
)


def test_names_are_framed_with_their_kind_and_a_tagger_can_be_chosen(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    expect(tab.locator(".entity")).to_have_count(0)  # the first tagger finds nothing
    expect(tab.get_by_text("No name was found.")).to_be_visible()
    tab.get_by_role("combobox", name="Tagger").select_option("tuned")
    assert tab.locator(".entity").all_text_contents() == ["AnnLeePER", "RomeLOC"]
    borders = tab.locator(".entity").evaluate_all("all => all.map((each) => getComputedStyle(each).borderTopStyle)")
    assert borders == ["solid", "dashed"]
    rows = tab.locator("table").first.locator("tbody tr").all_text_contents()
    assert rows == ["PERAnn Lee0.60", "LOCRome0.80"]
    counted, faint = too_faint(tab.locator("#root"))
    assert counted > 5
    assert faint == []


def test_hovering_over_a_word_shows_its_scores(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    tab.get_by_role("combobox", name="Tagger").select_option("tuned")
    tab.locator("label.word", has_text="Rome").hover()
    expect(tab.locator(".status")).to_have_text(
        "tuned: “Rome” is B-LOC, with probability 0.80. It belongs to “Rome”, LOC."
    )
    names = tab.locator("svg text.end").all_text_contents()
    assert names == ["O", "B-PER", "I-PER", "✓ B-LOC", "I-LOC"]
    widths = [float(bar.get_attribute("width") or 0) for bar in tab.locator(".bar").all()]
    assert widths[3] / widths[0] == pytest.approx(16, rel=0.01)
    tab.locator("label.word", has_text="saw").hover()
    expect(tab.locator(".status")).to_have_text("tuned: “saw” is O, with probability 0.80. It is in no name.")


def test_the_keyboard_alone_reaches_every_word(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    tab.get_by_role("combobox", name="Tagger").focus()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(".entity")).to_have_count(2)
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowRight")
    expect(tab.locator(".status")).to_contain_text("“Lee” is I-PER")
    expect(tab.locator(".status")).to_contain_text("It belongs to “Ann Lee”, PER.")
    tab.keyboard.press("]")
    expect(tab.locator(".status")).to_contain_text("“saw” is O")
    tab.keyboard.press("r")
    expect(tab.locator(".status")).to_contain_text("frozen: “Ann” is O")
    expect(tab.get_by_role("combobox", name="Tagger")).to_have_value("0")


def test_a_typed_sentence_is_read_and_one_that_cannot_be_is_reported(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light, kernel=True)
    tab.get_by_role("combobox", name="Tagger").select_option("tuned")
    own, warning = tab.get_by_label("Your own sentence"), tab.get_by_role("alert")
    for typed, words in (("", "There is nothing to read yet"), ("a zebra", "never seen"), ("a " * 41, "41 words")):
        own.fill(typed)
        own.press("Enter")
        expect(warning).to_contain_text(words)
        expect(tab.locator(".entity")).to_have_count(2)
    own.fill("Rome saw Lee.")
    own.press("Enter")
    expect(warning).to_be_hidden()
    expect(tab.get_by_role("radio")).to_have_count(4)
    assert tab.locator(".entity").all_text_contents() == ["RomeLOC", "LeePER"]  # still of the tuned tagger
    expect(tab.get_by_role("combobox", name="Tagger")).to_have_value("1")


@pytest.mark.parametrize("sentence", ["Ann Lee saw Rome.", LONG])
def test_it_fits_on_one_screen(browser: Browser, sentence: str) -> None:
    page: Any = browser.new_page(viewport={"width": 914, "height": 647})
    put(page, explorer(sentence), NAMES)
    page.get_by_role("combobox", name="Tagger").select_option("tuned")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 914
    assert page.evaluate("document.scrollingElement.scrollHeight") <= 647
    page.close()


def test_it_fits_on_a_narrow_screen(browser: Browser) -> None:
    page: Any = browser.new_page(viewport={"width": 400, "height": 1300})
    put(page, explorer(), NAMES)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 400
    assert page.evaluate("document.scrollingElement.scrollHeight") <= 1300
    page.close()
