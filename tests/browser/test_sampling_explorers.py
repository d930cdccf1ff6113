"""The explorers of sampling and of beam search in Chromium, with this process as their kernel."""

import math
import re
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from course_lib.pictures.look import token_label
from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter
from tests.browser.accessibility import tree
from tests.browser.explorer_page import put, readable
from tests.pictures.explorers.test_sampling_explorers import handmade, sampling, translating

SAMPLING = ("names", "prompt", "answer", "examples", "request", "drawn")
BEAMS = ("sentence", "typed", "result")


def move(page: Page, name: str, to: float) -> None:
    page.get_by_role("slider", name=name).fill(str(to))


def rows(table: Locator) -> list[list[str]]:
    found: list[list[str]] = table.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return found


@pytest.mark.parametrize(
    ("temperature", "k", "p"),
    [(1, 76, 1), (0.7, 10, 0.9), (2.5, 5, 0.3), (3, 76, 0.95), (0, 76, 0.5), (1, 12, 0), (0.05, 3, 0.99), (1.3, 1, 1)],
)
def test_the_filters_in_the_browser_equal_those_of_the_library(
    browser: Browser, temperature: float, k: int, p: float
) -> None:
    page, explorer = browser.new_page(), sampling()
    put(page, explorer, SAMPLING)
    page.get_by_text("Show numbers").click()
    for name, value in (("Temperature", temperature), ("top-k", k), ("top-p", p)):
        move(page, name, value)
    for table, answer in zip(page.locator("table").all(), (explorer.answer, explorer.examples[0]), strict=True):
        warmed = apply_temperature(torch.tensor(answer["logits"]).double(), temperature)
        left = top_p_filter(top_k_filter(warmed, k), p).softmax(-1)
        order = torch.tensor(answer["logits"]).argsort(descending=True, stable=True)
        found = rows(table)
        assert [row[0] for row in found] == [token_label(explorer.names[i]) for i in order]
        assert [float(row[1]) for row in found] == pytest.approx(warmed.softmax(-1)[order].tolist(), abs=1e-6)
        assert [float(row[2]) for row in found] == pytest.approx(warmed.softmax(-1)[order].cumsum(0).tolist(), abs=1e-6)
        assert [float(row[4]) for row in found] == pytest.approx(left[order].tolist(), abs=1e-6)
        assert [row[3] == "–" for row in found] == (left[order] > 0).tolist()
    page.close()


def test_removed_tokens_are_hatched_and_labelled_with_the_filter_that_removed_them(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, sampling(), SAMPLING, light)
    move(tab, "top-k", 8)
    move(tab, "top-p", 0.7)
    left = tab.locator("figure").first
    # m 0.518 and l 0.217 are more than 0.7 of the 0.96 that top-k keeps.
    expect(left.locator("figcaption")).to_have_text(
        "76 tokens → top-k 8 leaves 8 (k) → top-p 0.70 leaves 2 (p), with 0.74 of the probability; "
        "what is hatched is cut."
    )
    assert left.locator(".bar").count() == 21
    assert left.locator(".bar.cut").count() == 19
    marks = left.locator(".bar ~ text.small.middle").all_text_contents()
    assert "".join(marks[:21]) == "p" * 6 + "k" * 13
    fills = left.locator(".bar").evaluate_all("bars => bars.map((bar) => bar.getAttribute('fill'))")
    assert [fill.startswith("url(#hatch") for fill in fills] == [False] * 2 + [True] * 19
    readable(tab)


def test_the_bar_of_the_remaining_tokens_says_how_many_of_them_are_kept(browser: Browser) -> None:
    page = browser.new_page()
    put(page, sampling(), SAMPLING)
    move(page, "top-k", 30)
    left = page.locator("figure").first
    assert left.locator(".bar.cut").count() == 0
    assert left.locator(".bar ~ text.small.middle").all_text_contents()[20] == "10/56"
    page.close()


def test_every_draw_is_a_kept_token_and_as_frequent_as_its_probability(browser: Browser) -> None:
    page = browser.new_page()
    put(page, sampling(), SAMPLING)
    move(page, "top-p", 0.85)  # m 0.52, l 0.22, r 0.15
    drawn = page.evaluate(
        """() => Array.from({length: 600}, (_, seed) => {
            const input = document.querySelector("input[type=number]");
            input.value = seed + 1;
            input.dispatchEvent(new Event("input"));
            return document.querySelector(".drawn strong").textContent;
        })"""
    )
    assert set(drawn) == {"m", "l", "r"}
    shares = {"m": 0.518 / 0.886, "l": 0.217 / 0.886, "r": 0.151 / 0.886}
    for character, share in shares.items():
        band = 4 * math.sqrt(share * (1 - share) / len(drawn))
        assert abs(drawn.count(character) / len(drawn) - share) < band
    page.close()


def test_keys_draw_again_and_start_over_and_the_status_line_says_so(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, sampling(), SAMPLING, light)
    status, temperature = tab.locator(".status"), tab.get_by_role("slider", name="Temperature")
    expect(status).to_have_text(
        re.compile("^After “Once upon a ti” 76 of 76 are left, with 1.00 of the probability, and “.” is drawn. After")
    )
    temperature.press("Home")
    expect(temperature).to_have_attribute("aria-valuetext", "0.00")
    expect(status).to_contain_text("After “Once upon a ti” 1 of 76 are left, with 1.00 of the probability, and “m”")
    temperature.press("]")
    expect(tab.get_by_role("spinbutton")).to_have_value("2")
    tab.get_by_role("button", name="Draw again").click()
    expect(tab.get_by_role("spinbutton")).to_have_value("3")
    temperature.press("r")
    expect(tab.get_by_role("spinbutton")).to_have_value("1")
    expect(temperature).to_have_attribute("aria-valuetext", "1.00")
    tab.get_by_role("spinbutton").press("Escape")
    expect(temperature).to_be_focused()


def test_the_kernel_continues_with_the_character_that_was_drawn(page: tuple[Page, bool]) -> None:
    tab, light = page
    explorer = sampling()
    put(tab, explorer, SAMPLING, light, kernel=True)
    move(tab, "Temperature", 0.5)
    text = tab.locator(".drawn").first
    expect(text).to_have_text(re.compile("^Once upon a ti..{20}"))
    expect(text).to_have_text(
        re.compile(f"^Once upon a ti.{re.escape(' '.join(explorer.drawn['texts'][0].split()))}", re.DOTALL)
    )
    assert explorer.request["temperature"] == 0.5
    tab.get_by_label("Another beginning").select_option("1")
    expect(tab.locator(".drawn").last).to_have_text(re.compile("^And the q..{20}"))


def test_unknown_characters_are_reported_and_the_old_picture_stays(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, sampling(), SAMPLING, light, kernel=True)
    own, warning = tab.get_by_label("Your own beginning"), tab.get_by_role("alert")
    own.fill("Ž")
    own.press("Enter")
    expect(warning).to_contain_text("I have never seen 'Ž', and I do not guess")
    expect(tab.locator(".status")).to_contain_text("After “Once upon a ti”")
    readable(tab)
    own.fill("And the q")
    own.press("Enter")
    expect(warning).to_be_hidden()
    expect(tab.locator(".status")).to_contain_text("After “And the q”")


def test_the_first_character_is_drawn_even_without_a_kernel(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, sampling(), SAMPLING, light)
    expect(tab.locator(".drawn").first).to_have_text(re.compile("^Once upon a ti. …$"))


def test_a_text_that_reaches_the_longest_length_is_cut_and_has_not_ended(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, handmade(max_length=2), BEAMS, light)
    tab.get_by_role("button", name="Next").click()
    expect(tab.locator(".status")).to_contain_text(
        "Step 2 of 2, 2 beams: 0 kept, 0 ended, 2 dropped, 2 cut at 2 tokens."
    )
    expect(tab.locator(".status")).to_contain_text("Best text: “a dog”, cut at 2 tokens, score")
    assert [row[1] for row in rows(tab.locator("table.texts"))] == [
        "a dog (cut at 2 tokens)",
        "the cat (greedy) (cut at 2 tokens)",
    ]
    readable(tab)


def test_a_tree_grows_step_by_step_to_the_text_that_greedy_decoding_misses(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, handmade(), BEAMS, light)
    status = tab.locator(".status")
    expect(status).to_have_text("Step 1 of 3, 2 beams: 2 kept, 0 ended, 2 dropped. No text has ended yet.")
    tab.get_by_role("button", name="Next").click()
    tab.get_by_role("slider", name="Step").press("]")
    best = math.log(0.324) / (8 / 6) ** 0.6
    expect(status).to_have_text(
        f"Step 3 of 3, 2 beams: 2 kept, 2 ended, 0 dropped. Best text that has ended: “a dog”, score −{-best:.2f}."
    )
    table = rows(tab.locator("table.texts"))
    assert [row[:3] for row in table] == [["1", "a dog", "−1.13"], ["2", "the cat (greedy)", "−2.53"]]
    readable(tab)
    tab.get_by_role("radio", name="1", exact=True).check()
    expect(status).to_contain_text("Step 3 of 3, 1 beam: 1 kept, 1 ended, 0 dropped.")
    assert rows(tab.locator("table.texts"))[0][1] == "the cat (greedy)"
    tab.get_by_role("slider", name="Step").press("r")
    expect(status).to_contain_text("Step 1 of")


def test_lines_are_as_thick_as_their_texts_are_likely_and_dashed_where_dropped(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, handmade(), BEAMS, light)
    branches = tab.locator(".branch")
    widths = branches.evaluate_all("all => all.map((line) => Number(line.getAttribute('stroke-width')))")
    assert widths == pytest.approx([12 * 0.5, 12 * 0.4, 1.2, 1.2], abs=0.01)  # the, a, [eos], a word that never occurs
    dashes = branches.evaluate_all("all => all.map((line) => getComputedStyle(line).strokeDasharray)")
    assert [dash != "none" for dash in dashes] == [False, False, True, True]
    assert [text for text in tab.locator(".tree .end").all_text_contents() if text] == ["✗", "✗"]
    assert tab.locator(".greedy text").first.text_content() == "the"


def test_a_long_search_keeps_its_last_steps_in_sight_and_the_list_has_all_of_it(page: tuple[Page, bool]) -> None:
    tab, light = page
    explorer = translating("the old king read the letter")
    put(tab, explorer, BEAMS, light)
    tab.get_by_role("radio", name="4").check()
    tab.get_by_role("slider", name="Step").press("End")
    steps = explorer.result["searches"]["4"]
    heads = [text for text in tab.locator(".tree .small.middle").all_text_contents() if text]
    assert heads == [f"step {step}" for step in range(len(steps) - 6, len(steps) + 1)]
    tab.get_by_text("Show the tree as a list").click()
    expect(tab.locator("details li")).to_have_count(sum(map(len, steps)))
    expect(tab.locator("details li").first).to_contain_text("le −0.03, kept, greedy")
    boxes = tab.locator(".tree .node").evaluate_all("all => all.map((each) => each.getBoundingClientRect().toJSON())")
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart = one["left"] >= other["right"] or other["left"] >= one["right"]
            assert apart or one["top"] >= other["bottom"] or other["top"] >= one["bottom"]
    readable(tab)


@pytest.mark.parametrize("alpha", [0, 0.6, 2])
def test_the_length_penalty_changes_the_scores_of_the_texts(browser: Browser, alpha: float) -> None:
    page, explorer = browser.new_page(), translating("the old king read the letter")
    put(page, explorer, BEAMS)
    page.get_by_role("radio", name="4").check()
    page.get_by_role("slider", name="Step").press("End")
    move(page, "Length penalty", alpha)
    found = rows(page.locator("table.texts"))
    expected = explorer.hypotheses(4, alpha)
    assert [row[1].removesuffix(" (greedy)") for row in found] == [text for text, _, _ in expected]
    numbers = [float(row[4].replace("−", "-")) for row in found]
    assert numbers == pytest.approx([score for _, _, score in expected], abs=0.0051)
    page.close()


def test_a_typed_sentence_is_searched_and_unknown_words_are_reported(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, translating(), BEAMS, light, kernel=True)
    own, warning = tab.get_by_label("An English sentence"), tab.get_by_role("alert")
    own.fill("the zebra slept")
    own.press("Enter")
    expect(warning).to_contain_text("I have never seen 'zebra'")
    expect(tab.locator(".tree")).to_contain_text("le")
    own.fill("the king slept")
    own.press("Enter")
    expect(warning).to_be_hidden()
    tab.get_by_role("slider", name="Step").press("End")
    expect(tab.locator("table.texts tbody tr").first).to_contain_text("le roi a dormi")


def test_after_a_first_sentence_with_unknown_words_another_can_be_entered(page: tuple[Page, bool]) -> None:
    tab, light = page
    put(tab, translating("the zebra"), BEAMS, light, kernel=True)
    expect(tab.get_by_role("alert")).to_contain_text("I have never seen 'zebra'")
    expect(tab.get_by_role("slider", name="Step")).to_be_hidden()
    own = tab.get_by_label("An English sentence")
    own.fill("the king slept")
    own.press("Enter")
    expect(tab.get_by_role("slider", name="Step")).to_be_visible()


@pytest.mark.parametrize(("make", "names"), [(sampling, SAMPLING), (translating, BEAMS)])
def test_every_control_has_a_name_and_a_visible_focus_ring(browser: Browser, make: Any, names: Any) -> None:
    page = browser.new_page()
    put(page, make(), names)
    root = page.locator("#root")
    controls = {"slider", "button", "radio", "combobox", "textbox", "spinbutton", "DisclosureTriangle"}
    found = [(role, name) for role, name in tree(page, root) if role in controls]
    assert len(found) >= 6
    assert all(name for _, name in found)
    for control in root.locator("input:visible, button:visible, select:visible, summary:visible").all():
        control.focus()
        page.keyboard.press("Shift")  # using the keyboard makes the focus ring visible
        assert control.evaluate("it => getComputedStyle(it).outlineWidth") == "3px"
    page.close()


@pytest.mark.parametrize(("make", "names"), [(sampling, SAMPLING), (translating, BEAMS)])
def test_the_explorer_fits_into_a_narrow_window(browser: Browser, make: Any, names: Any) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 800})
    put(page, make(), names)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 400
    page.close()
