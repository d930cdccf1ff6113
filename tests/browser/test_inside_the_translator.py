"""Notebook 08 in the browser: it runs, names a mistake, and its explorer responds to mouse and keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessibility import too_faint
from tests.browser.lab import (
    LabPage,
    check_that_nothing_went_outside,
    opened_lesson,
    outputs_of_all_cells,
    shown_message,
)

STUB = '@exercise("alignment_from_weights")'
COLUMNS = f"{STUB}\ndef alignment_from_weights(weights):\n    return set(enumerate(weights.argmax(dim=0).tolist()))"
RIGHT = (
    f"{STUB}\ndef alignment_from_weights(weights):\n"
    "    return {(source, target) for target, source in enumerate(weights.argmax(dim=-1).tolist())}"
)


@pytest.fixture(scope="module")
def lesson(browser: Browser, lab: str) -> Iterator[LabPage]:
    """Open notebook 08 from the lab that `course.py` started, and run all of it once."""
    with opened_lesson(browser, lab, "08_inside_the_translator") as page:
        yield page


@pytest.fixture
def explorer(lesson: LabPage) -> Locator:
    """Give the alignment explorer in its first state."""
    explorer = lesson.cell("\nAlignmentExplorer(").locator(".course-explorer")
    explorer.locator(".guess").get_by_label("its noun").check()
    expect(explorer.locator(".reply")).to_contain_text("Right, mostly")
    explorer.get_by_label("Layer and head").press("r")
    return explorer


def test_every_cell_runs_before_any_exercise_is_solved(lesson: LabPage):
    outputs = outputs_of_all_cells(lesson)
    printed = "".join(str(output.get("text", "")) for output in outputs)
    assert "the detective investigated → le détective a enquêté" in printed
    assert "Looking into your translator: 200 sentences, 4 heads." in printed


def test_clicking_a_row_selects_its_word_as_the_query(explorer: Locator):
    word = explorer.locator(".rows label").nth(1)
    word.scroll_into_view_if_needed()
    box = word.bounding_box()
    assert box
    explorer.page.mouse.click(box["x"] + box["width"] + 20, box["y"] + box["height"] / 2)
    expect(explorer.locator(".status")).to_contain_text(f"“{word.get_attribute('title')}” reads ")


def test_keys_move_through_heads_rows_and_sentences(explorer: Locator):
    head, status = explorer.get_by_label("Layer and head"), explorer.locator(".status")
    before = head.locator("option:checked").text_content()
    head.press("]")
    assert head.locator("option:checked").text_content() != before
    head.press("[")
    assert head.locator("option:checked").text_content() == before
    explorer.locator(".rows").get_by_role("radio").first.press("ArrowRight")
    second = explorer.locator(".rows label").nth(1).get_attribute("title")
    expect(status).to_contain_text(f"“{second}” reads ")
    explorer.get_by_label("Sentence").press("ArrowDown")
    expect(explorer.get_by_label("Sentence")).to_have_value("1")
    assert explorer.locator(".gold").count() >= 3


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_explorer_is_readable_in_both_themes(theme: str, lesson: LabPage, explorer: Locator):
    lesson.use_theme(theme)
    explorer = lesson.cell("\nAlignmentExplorer(").locator(".course-explorer")
    expect(explorer.locator(".guess")).to_be_visible()
    count, faint = too_faint(explorer)
    assert count > 10
    assert faint == []


def test_links_from_columns_are_named_as_a_mistake(lesson: LabPage):
    report = lesson.run_cell(STUB, COLUMNS).locator(".course-report")
    expect(report).to_contain_text("✗ alignment_from_weights: not yet")
    expect(report).to_contain_text(shown_message("alignment_from_weights", "largest of each column"))


def test_a_right_answer_becomes_the_learners_part(lesson: LabPage, lab_folder: Path):
    report = lesson.run_cell(STUB, RIGHT).locator(".course-report")
    expect(report).to_contain_text("✓ alignment_from_weights: right")
    assert "argmax(dim=-1)" in (lab_folder / "my_transformer" / "alignment_from_weights.py").read_text("utf-8")
    mine = re.compile(r"alignment_from_weights\s+✓ yours")
    expect(lesson.run_cell("yours.report(notebook=8)").locator(".course-report")).to_contain_text(mine)


def test_nothing_was_requested_from_the_network_and_the_console_shows_no_error(lesson: LabPage, lab_folder: Path):
    check_that_nothing_went_outside(lesson, lab_folder)
