"""Notebook 07 in the browser: it runs, names a mistake, translates, and its explorer responds to mouse and keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessibility import too_faint
from tests.browser.lab import LabPage, opened
from tests.notebooks import kernels

STUB = '@exercise("cross_attend")'
ARGUMENTS = "attention, x, memory, memory_mask=None"
WRONG_SIDE = f"{STUB}\ndef cross_attend({ARGUMENTS}):\n    return attention(memory, x, x)"
RIGHT = f"{STUB}\ndef cross_attend({ARGUMENTS}):\n    return attention(x, memory, memory, memory_mask)"


@pytest.fixture(scope="module")
def lesson(browser: Browser, lab: str) -> Iterator[LabPage]:
    """Open notebook 07 from the lab that `course.py` started, and run all of it once."""
    with opened(browser, lab.replace("/lab/tree/00_start_here", "/lab/workspaces/whole/tree/07_transformer")) as page:
        yield page


@pytest.fixture
def explorer(lesson: LabPage) -> Locator:
    """Give the alignment explorer in its first state."""
    explorer = lesson.cell("\nAlignmentExplorer(").locator(".course-explorer")
    explorer.locator(".guess input").last.check()
    expect(explorer.locator(".reply")).to_contain_text("Right: ")
    explorer.get_by_label("Layer and head").press("r")
    return explorer


def test_every_cell_runs_before_any_exercise_is_solved_and_translates_the_notes_sentence(lesson: LabPage):
    code = [cell for cell in lesson.cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert "the detective investigated → le détective a enquêté" in "".join(str(o.get("text", "")) for o in outputs)


def test_clicking_a_row_selects_its_word_as_the_query(explorer: Locator):
    picture = explorer.locator("figure svg").first
    word = picture.locator(".label.end").nth(1)
    word.scroll_into_view_if_needed()
    box = word.bounding_box()
    assert box
    picture.page.mouse.click(box["x"] + box["width"] + 20, box["y"] + box["height"] / 2)
    expect(explorer.locator(".status")).to_contain_text(f"“{word.text_content()}” reads ")


def test_keys_move_through_heads_rows_and_sentences(explorer: Locator):
    head, status = explorer.get_by_label("Layer and head"), explorer.locator(".status")
    before = head.locator("option:checked").text_content()
    head.press("]")
    assert head.locator("option:checked").text_content() != before
    head.press("[")
    assert head.locator("option:checked").text_content() == before
    explorer.locator(".chips").get_by_role("radio").first.press("ArrowRight")
    second = explorer.locator(".chip").nth(1).text_content()
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


def test_keys_and_values_from_the_wrong_side_are_named_as_a_mistake(lesson: LabPage):
    report = lesson.run_cell(STUB, WRONG_SIDE).locator(".course-report")
    expect(report).to_contain_text("✗ cross_attend: not yet")
    expect(report).to_contain_text("The target asks; keys and values are the memory's.")


def test_a_right_answer_becomes_the_learners_part_and_remains_it_after_a_restart(lesson: LabPage, lab_folder: Path):
    report = lesson.run_cell(STUB, RIGHT).locator(".course-report")
    expect(report).to_contain_text("✓ cross_attend: right")
    assert "memory, memory, memory_mask" in (lab_folder / "my_transformer" / "cross_attend.py").read_text("utf-8")
    lesson.restart_kernel()
    lesson.run_cell("from course_lib import yours")
    mine = re.compile(r"cross_attend\s+✓ yours")
    expect(lesson.run_cell("yours.report(notebook=7)").locator(".course-report")).to_contain_text(mine)


def test_nothing_was_requested_from_the_network_and_the_console_shows_no_error(lesson: LabPage, lab_folder: Path):
    assert lesson.outside == []
    assert lesson.errors == []
    log = kernels.network_log(lab_folder)
    assert not log.exists(), log.read_text(encoding="utf-8")
