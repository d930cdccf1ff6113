"""The explorers of lessons 01, 04, 05 and 07 in Chromium, by keyboard, in both themes: the scripts JupyterLab runs."""

import math
import re

import pytest
import torch
from playwright.sync_api import Page, expect

from course_lib.pictures.explorers import (
    AlignmentExplorer,
    AttentionExplorer,
    DepthExplorer,
    PositionsExplorer,
    guesses,
)
from course_lib.pictures.explorers.guess import Guess
from tests.browser.accessibility import EDGE, contrast
from tests.browser.explorer_page import put, readable
from tests.pictures.explorers.test_explorers import look_up
from tests.pictures.explorers.test_lesson_explorers import example, runs

# The height at which the line of each label ends.
LINE_END = """names => names.map((name) => {
    const stroke = name.previousSibling.getAttribute("stroke");
    const line = [...name.ownerSVGElement.querySelectorAll(".curve")].find((at) => at.matches(`[stroke="${stroke}"]`));
    return line.getPointAtLength(line.getTotalLength()).y;
})"""

# The direction of a clock's hand from the centre: to the right, and up.
HAND = "({x1, y1, x2, y2}) => [x2.baseVal.value - x1.baseVal.value, y1.baseVal.value - y2.baseVal.value]"


GUESS_NAMES = ["question", "choices", "unit", "chosen"]


def test_the_picture_waits_for_a_guess_and_any_answer_shows_it_with_its_reply(page: tuple[Page, bool]):
    tab, light = page
    explorer = PositionsExplorer().ask_first("does it stay?", {"yes": "Right: look.", "no": "It <stays>: look."})
    put(tab, explorer, ["table", "turns", "guess"], light)
    asked, status = tab.get_by_role("group", name="Guess first: does it stay?"), tab.locator(".status")
    expect(asked.get_by_role("radio")).to_have_count(2)
    expect(status).to_be_hidden()
    expect(tab.locator("figure").first).to_be_hidden()
    readable(tab)
    asked.get_by_role("radio", name="yes").press("ArrowRight")
    expect(asked.get_by_role("radio", name="no")).to_be_checked()
    expect(asked).to_contain_text("It <stays>: look.")
    expect(status).to_be_visible()
    asked.get_by_role("radio", name="yes").check()
    expect(asked).to_contain_text("Right: look.")
    tab.get_by_role("slider", name="Position").press("ArrowRight")
    expect(status).to_contain_text("Positions 6 and 7")
    readable(tab)


def test_the_question_about_neighbours_is_about_the_positions_that_are_shown_first(page: tuple[Page, bool]):
    tab, light = page
    put(tab, PositionsExplorer().ask_first(*guesses.NEIGHBOURS), ["table", "turns", "guess"], light)
    asked = tab.get_by_role("group", name="positions 5 and 6")
    asked.get_by_role("radio", name="the slow ones").check()
    expect(asked).to_contain_text("at positions 5 and 6")
    expect(tab.locator(".status")).to_contain_text("Positions 5 and 6, offset 1")


@pytest.mark.parametrize(
    ("typed", "unit", "chosen", "says"),
    [
        ("2,2", "times", "2.2", ""),
        (" −1.5 ", "", "-1.5", ""),
        ("50 %", "per cent", "50", ""),
        ("50%", "sentences", "", "“50%” is a percentage. The question counts in “sentences”: type a plain number."),
        ("1,200", "rows", "", "“1,200” can be read in two ways: write it without a comma."),
        ("ten", "rows", "", "“ten” is not a number: type digits, such as 12 or 2.5."),
    ],
)
def test_a_number_is_read_as_it_was_meant_or_refused(
    page: tuple[Page, bool], typed: str, unit: str, chosen: str, says: str
):
    tab, light = page
    put(tab, Guess("how many?", unit=unit), GUESS_NAMES, light)
    tab.get_by_role("textbox").fill(typed)
    tab.get_by_role("textbox").press("Enter")
    expect(tab.get_by_role("alert")).to_have_text(says)
    assert tab.evaluate("model.get('chosen')") == chosen


def test_another_sentence_keeps_the_word_that_asks_and_the_settings(page: tuple[Page, bool]):
    tab, light = page
    explorer = AttentionExplorer(look_up, "the old king laughed")
    put(tab, explorer, ["sentence", "lookup", "layer", "head"], light)
    tab.get_by_role("radio", name="king").check(force=True)
    tab.get_by_label("causal").check()
    tab.get_by_label("divide by √d_k").uncheck()
    for sentence, asks in (("a king laughed", "king"), ("king and king", "king¹")):
        explorer.sentence = sentence
        tab.evaluate("lookup => model.arrive('lookup', lookup)", explorer.lookup)
        expect(tab.get_by_role("radio", name=asks)).to_be_checked()
        expect(tab.get_by_label("causal")).to_be_checked()
        expect(tab.get_by_label("divide by √d_k")).not_to_be_checked()
    explorer.sentence = "we laughed"
    tab.evaluate("lookup => model.arrive('lookup', lookup)", explorer.lookup)
    expect(tab.locator(".rows input:checked")).to_have_count(1)


@pytest.mark.parametrize("count", [16, 17])
def test_a_large_grid_prints_the_numbers_of_the_selected_row(page: tuple[Page, bool], count: int):
    tab, light = page
    explorer = AttentionExplorer(look_up, " ".join(f"w{i}" for i in range(count)))
    put(tab, explorer, ["sentence", "lookup", "layer", "head"], light)
    printed = (
        """digits => digits.map((digit, i) => [digit.textContent, i]).filter(([words]) => words).map(([, i]) => i)"""
    )
    for asks in (3, 0):
        tab.locator(".rows input").nth(asks).check(force=True)
        for view in ("scores", "masked", "weights"):
            tab.get_by_role("radio", name=view, exact=True).check()
            found = tab.locator(".matrix .digit").evaluate_all(printed)
            rows = range(count) if count == 16 else [asks]
            assert found == [count * row + column for row in rows for column in range(count)]
    expect(tab.locator("figcaption").first).to_have_text(
        re.compile("numbers in the framed row" if count > 16 else "^col")
    )


def test_two_positions_moved_together_keep_their_dot_product(page: tuple[Page, bool]):
    tab, light = page
    put(tab, PositionsExplorer(), ["table", "turns"], light)
    status, position = tab.locator(".status"), tab.get_by_role("slider", name="Position")
    expect(status).to_have_text("Positions 5 and 6, offset 1: dot product 15.31.")
    position.press("ArrowRight")
    expect(status).to_have_text(
        "Positions 6 and 7, offset 1: dot product 15.31. Both moved, and it stayed: only the offset counts."
    )
    position.press("End")
    expect(status).to_contain_text("Positions 62 and 63, offset 1: dot product 15.31.")
    expect(position).to_have_attribute("aria-valuetext", "62")
    solid, dashed = (tab.locator(name).first.evaluate(HAND) for name in (".hand", ".hand.other"))
    assert solid == pytest.approx([32 * math.sin(62), 32 * math.cos(62)], abs=0.01)
    assert dashed == pytest.approx([32 * math.sin(63), 32 * math.cos(63)], abs=0.01)
    readable(tab)


def test_moving_only_one_position_changes_the_dot_product(page: tuple[Page, bool]):
    tab, light = page
    put(tab, PositionsExplorer(), ["table", "turns"], light)
    status, position = tab.locator(".status"), tab.get_by_role("slider", name="Position")
    tab.get_by_role("slider", name="Offset").press("ArrowRight")
    tab.get_by_role("slider", name="Offset").press("ArrowRight")
    tab.get_by_label("move both together").uncheck()
    position.press("ArrowRight")
    two, three = (sum(math.cos(step * 10_000 ** (-i / 16)) for i in range(16)) for step in (2, 3))
    expect(status).to_have_text(f"Positions 6 and 8, offset 2: dot product {two:.2f}. At offset 3 it was {three:.2f}.")
    position.press("]")
    expect(status).to_contain_text("Positions 6 and 9, offset 3: dot product 12.27.")
    tab.get_by_role("slider", name="Length").press("Home")
    expect(status).to_contain_text("Positions 6 and 7, offset 1")
    position.press("r")
    expect(status).to_contain_text("Positions 5 and 6, offset 1: dot product 15.31.")
    expect(tab.get_by_label("move both together")).to_be_checked()


def test_the_depth_explorer_responds_to_the_chosen_step_and_omits_runs_that_diverged(
    page: tuple[Page, bool],
):
    tab, light = page
    gradient = torch.ones(2, 4)
    gradient[1] = math.inf
    lost = {"loss": torch.tensor([2.0, math.nan]), "gradient": gradient}
    none = {"loss": torch.ones(4), "gradient": torch.zeros(4, 4)}
    put(tab, DepthExplorer({**runs(), "lost": lost, "none": none}), ["runs"], light)
    status, step = tab.locator(".status"), tab.get_by_role("slider", name="Step")
    expect(status).to_have_text(
        "Step 1. even: last layer 1.0 times the first; astray: last layer 8.0 times the first; "
        "lost: last layer 1.0 times the first; none: no gradient in the first layer."
    )
    tab.get_by_text("Show numbers").click()
    step.press("]")
    expect(status).to_contain_text("Step 2.")
    expect(status).to_contain_text("lost: gradient not finite")
    rows = tab.locator("tbody tr").all_inner_texts()
    assert [row.split() for row in rows[1:3]] == [["astray", "1.0", "2.0", "4.0", "8.0"], ["lost", *"––––"]]
    named = tab.locator("figure").first.locator(".name")
    expect(named).to_have_text(
        ["astray", "even"]
    )  # from the top; a label without distance to its line has no connector
    heights = named.evaluate_all("names => names.map((name) => name.y.baseVal[0].value)")
    ends = tab.locator("figure").first.locator(".name").evaluate_all(LINE_END)
    assert heights == pytest.approx([end + 4 for end in ends], abs=0.2)  # far enough apart, they are at their lines
    step.press("]")
    expect(status).to_contain_text("lost: ended at step 2")
    tab.get_by_role("checkbox", name="even").uncheck()
    expect(status).not_to_contain_text("even:")
    expect(named).to_have_text(["astray"])
    readable(tab)
    step.press("End")
    expect(status).to_contain_text("Step 4. astray: ended at step 3")
    step.press("r")
    expect(status).to_contain_text("Step 1.")


def test_each_run_keeps_its_line_style_and_there_are_enough_styles_for_all_runs(page: tuple[Page, bool]):
    tab, light = page
    five = {name: runs()["even"] for name in ("first", "second", "third", "fourth", "fifth")}
    put(tab, DepthExplorer(five), ["runs"], light)

    def styles() -> dict[str, str]:
        """The stroke of the sample before each name."""
        named = "names => names.map((name) => [name.textContent, name.previousSibling.getAttribute('stroke')])"
        return dict(tab.locator("figure").first.locator(".name").evaluate_all(named))

    before = styles()
    assert list(before) == ["first", "second", "third", "fourth"]
    assert len(set(before.values())) == 4
    expect(tab.get_by_role("checkbox", name="fifth")).to_be_disabled()
    tab.get_by_role("checkbox", name="second").uncheck()
    tab.get_by_role("checkbox", name="fifth").check()
    assert styles() == {name: before[name] for name in ("first", "third", "fourth")} | {"fifth": before["second"]}
    expect(tab.get_by_role("checkbox", name="second")).to_be_disabled()


def test_a_diverging_loss_does_not_flatten_the_other_curves(page: tuple[Page, bool]):
    tab, light = page
    leaps = {"loss": torch.tensor([2.0, 1e30, 2.0]), "gradient": torch.ones(3, 4)}
    put(tab, DepthExplorer({**runs(), "leaps": leaps}), ["runs"], light)
    right = tab.locator("figure").nth(1)
    expect(right).to_contain_text("6.0")  # three times the first loss, 2
    expect(right).to_contain_text("higher ones, up to 1.0e+30, are drawn at the top")


def test_the_alignment_explorer_responds_to_heads_and_rows_and_keeps_the_gold_links(page: tuple[Page, bool]):
    tab, light = page
    put(tab, AlignmentExplorer([example(), example()]), ["data", "head"], light)
    status = tab.locator(".status")
    expect(status).to_contain_text("“le” reads 0.80 of “the”; it belongs to “the”.")
    assert tab.locator(".gold").count() == 4
    tab.get_by_role("radio", name="enquêté").check(force=True)
    expect(status).to_contain_text("“enquêté” reads 0.80 of “investigated”; it belongs to “investigated”.")
    tab.get_by_label("Layer and head").press("]")
    expect(status).to_contain_text("“enquêté” reads 0.80 of “the”")
    expect(status).to_contain_text("Alignment error rate of layer 0, head 1: 0.75 here, 0.75 over these 2 sentences.")
    expect(tab.get_by_label("Layer and head").locator("option:checked")).to_have_text(
        "layer 0, head 1: error rate 0.75"
    )
    tab.get_by_text("Show numbers").click()
    assert tab.locator("tbody tr").last.locator("td").all_inner_texts() == ["0.80", "0.10", "○ 0.10"]
    tab.get_by_label("Layer and head").press("r")
    expect(status).to_contain_text(
        "“le” reads 0.80 of “the”; it belongs to “the”. Alignment error rate of layer 0, head 0"
    )
    readable(tab)


def test_a_ring_is_visible_on_a_cell_of_any_colour(page: tuple[Page, bool]):
    tab, light = page
    put(tab, AlignmentExplorer([example(), example()]), ["data", "head"], light)
    strokes = (
        tab.locator(".gold")
        .first.locator("circle")
        .evaluate_all("rings => rings.map((ring) => getComputedStyle(ring).stroke)")
    )
    cell = tab.locator(".cell").first
    for step in range(21):
        cell.evaluate("(cell, step) => cell.parentElement.setAttribute('class', `weights-${step}`)", step)
        ground = cell.evaluate("cell => getComputedStyle(cell).fill")
        assert max(contrast(stroke, [ground]) for stroke in strokes) >= EDGE
