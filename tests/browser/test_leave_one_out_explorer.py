"""The explorer of what each word adds in Chromium, with this process as its kernel."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from course_lib.pictures.explorers import LeaveOneOutExplorer
from tests.browser.accessibility import too_faint
from tests.browser.explorer_page import put

NAMES = ("sentence", "classes", "found")


def sharp(words: list[str]) -> float:
    return 0.9 if "good" in words and "not" not in words else 0.25


def flat(words: list[str]) -> float:
    return 0.5 + 0.1 * ("good" in words)


def explorer(sentence: str = "it is not good") -> LeaveOneOutExplorer:
    return LeaveOneOutExplorer({"frozen": flat, "tuned": sharp}, ("negative", "positive"), sentence)


def test_both_models_are_shown_and_a_click_leaves_out_another_word(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    status = tab.locator(".status")
    expect(status).to_have_text("frozen: positive 0.60, tuned: positive 0.25. Without “not”: 0.60 and 0.90.")
    tab.get_by_role("radio", name="good").check(force=True)
    expect(status).to_have_text("frozen: positive 0.60, tuned: positive 0.25. Without “good”: 0.50 and 0.25.")
    figures = tab.locator("figure")
    expect(figures).to_have_count(2)
    for figure, negative, positive in zip(figures.all(), ("0.40", "0.75"), ("0.60", "0.25"), strict=True):
        expect(figure).to_contain_text(f"negative {negative}")
        expect(figure).to_contain_text(f"positive {positive}")
    tab.get_by_text("Show numbers").click()
    cells = tab.locator("tbody tr").nth(2).locator("td").all_inner_texts()
    assert cells == ["+0.00", "−0.65"]
    counted, faint = too_faint(tab.locator("#root"))
    assert counted > 5
    assert faint == []


def test_bars_go_from_the_middle_to_the_side_of_their_sign(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    middle = float(tab.locator(".axis").first.get_attribute("x1") or 0)
    good, bad = tab.locator("figure").nth(0).locator(".bar").nth(5), tab.locator("figure").nth(1).locator(".bar").nth(4)
    place = [float(bar.get_attribute(name) or 0) for bar in (good, bad) for name in ("x", "width")]
    assert place[0] == middle
    assert place[2] + place[3] == pytest.approx(middle)
    assert place[3] / place[1] == pytest.approx(6.5)


def test_keys_step_through_the_words_and_start_over(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light)
    status = tab.locator(".status")
    tab.get_by_role("radio", name="not").press("]")
    expect(status).to_contain_text("Without “good”")
    tab.get_by_role("radio", name="good").press("]")
    expect(status).to_contain_text("Without “it”")
    tab.get_by_role("radio", name="it").press("r")
    expect(status).to_contain_text("Without “not”")
    tab.get_by_role("radio", name="not").press("ArrowUp")
    expect(status).to_contain_text("Without “is”")
    tab.keyboard.press("Escape")
    expect(tab.get_by_label("Your own sentence")).to_be_focused()


def test_a_typed_sentence_is_read_and_a_bad_one_is_reported(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, explorer(), NAMES, light, kernel=True)
    own, warning = tab.get_by_label("Your own sentence"), tab.get_by_role("alert")
    own.fill("")
    own.press("Enter")
    expect(warning).to_have_text("There is nothing to read yet: type a sentence.")
    expect(tab.locator(".status")).to_contain_text("Without “not”")
    own.fill("good <b>good")
    own.press("Enter")
    expect(warning).to_be_hidden()
    expect(tab.get_by_role("radio")).to_have_count(2)
    expect(tab.locator(".status")).to_contain_text("tuned: positive 0.90. Without “good”: 0.50 and 0.25.")


@pytest.mark.parametrize(("width", "height"), [(914, 647), (400, 1300)])
def test_it_fits_on_one_screen_and_on_a_narrow_one(browser: Browser, width: int, height: int) -> None:
    page: Any = browser.new_page(viewport={"width": width, "height": height})
    put(page, explorer(" ".join(f"extraordinarily{i}" for i in range(19)) + " good"), NAMES)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    assert page.evaluate("document.scrollingElement.scrollHeight") <= height
    page.close()
