"""Notebook 07 in the browser: it runs, translates, names a mistake, and keeps a right answer after a restart."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import (
    LabPage,
    check_that_nothing_went_outside,
    opened_lesson,
    outputs_of_all_cells,
    shown_message,
)

STUB = '@exercise("cross_attend")'
ARGUMENTS = "attention, x, memory, memory_mask=None"
WRONG_SIDE = f"{STUB}\ndef cross_attend({ARGUMENTS}):\n    return attention(memory, x, x)"
RIGHT = f"{STUB}\ndef cross_attend({ARGUMENTS}):\n    return attention(x, memory, memory, memory_mask)"


@pytest.fixture(scope="module")
def lesson(browser: Browser, lab: str) -> Iterator[LabPage]:
    """Open notebook 07 from the lab that `course.py` started, and run all of it once."""
    with opened_lesson(browser, lab, "07_transformer") as page:
        yield page


def test_every_cell_runs_before_any_exercise_is_solved_and_translates_the_notes_sentence(lesson: LabPage):
    outputs = outputs_of_all_cells(lesson)
    assert "the detective investigated → le détective a enquêté" in "".join(str(o.get("text", "")) for o in outputs)


def test_keys_and_values_from_the_wrong_side_are_named_as_a_mistake(lesson: LabPage):
    report = lesson.run_cell(STUB, WRONG_SIDE).locator(".course-report")
    expect(report).to_contain_text("✗ cross_attend: not yet")
    expect(report).to_contain_text(shown_message("cross_attend", "memory asks"))


def test_a_right_answer_becomes_the_learners_part_and_remains_it_after_a_restart(lesson: LabPage, lab_folder: Path):
    report = lesson.run_cell(STUB, RIGHT).locator(".course-report")
    expect(report).to_contain_text("✓ cross_attend: right")
    assert "memory, memory, memory_mask" in (lab_folder / "my_transformer" / "cross_attend.py").read_text("utf-8")
    lesson.restart_kernel()
    lesson.run_cell("from course_lib import yours")
    mine = re.compile(r"cross_attend\s+✓ yours")
    expect(lesson.run_cell("yours.report(notebook=7)").locator(".course-report")).to_contain_text(mine)


def test_nothing_was_requested_from_the_network_and_the_console_shows_no_error(lesson: LabPage, lab_folder: Path):
    check_that_nothing_went_outside(lesson, lab_folder)
