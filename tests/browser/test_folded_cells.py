"""A cell whose code tells an answer is a bar in a learner's copy: it runs folded, and a click or a key unfolds it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.lab import LabPage, environment

FOLDED = "x = 6\nassert x * 7 == 42\nx * 7"


@pytest.fixture
def page(browser: Browser, lab: str, lab_folder: Path) -> Iterator[LabPage]:
    """A copy of a small notebook, in which the middle cell is folded."""
    cells = [
        {"id": f"91-{number:02}", "source": source, "metadata": {"tags": tags}}
        | {"cell_type": "code", "execution_count": None, "outputs": []}
        for number, (source, tags) in enumerate([("x = 0", []), (FOLDED, ["tells-the-answer"]), ("x + 1", [])])
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    file = lab_folder / "course" / "notebooks" / "91_folded.ipynb"
    file.write_text(json.dumps(notebook), encoding="utf-8")
    command = [sys.executable, "course.py", "refresh", "91_folded"]
    subprocess.run(command, cwd=lab_folder / "course", env=environment(lab_folder), check=True)
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    page = LabPage(context.new_page())
    page.page.goto(lab.replace("/lab/tree/00_start_here", "/lab/workspaces/folded/tree/91_folded"))
    page.wait_until_open()
    yield page
    context.close()
    file.unlink()
    (lab_folder / "course" / "my_course" / "91_folded.ipynb").unlink()


def bar(page: LabPage) -> Locator:
    """What stands in the place of the folded code."""
    return page.cell(FOLDED).locator(".jp-InputPlaceholder")


def choose(page: LabPage, index: int) -> None:
    """Go to a cell as the arrow keys do, without writing in it."""
    page.page.evaluate(
        """index => {
            const notebook = jupyterapp.shell.currentWidget.content;
            [notebook.activeCellIndex, notebook.mode] = [index, "command"];
            notebook.activate();
        }""",
        index,
    )


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_folded_cell_shows_its_first_line_and_three_dots_alone(page: LabPage, theme: str):
    page.use_theme(theme)
    expect(bar(page)).to_be_visible()
    expect(bar(page)).to_have_text("x = 6")
    expect(bar(page).locator("circle")).to_have_count(3)
    expect(page.cell(FOLDED)).not_to_contain_text("assert")
    page.use_theme("Light")


def test_a_folded_cell_runs_by_the_keyboard_and_stays_folded(page: LabPage):
    choose(page, 0)
    page.page.keyboard.press("Shift+Enter")
    page.page.keyboard.press("Shift+Enter")
    expect(page.cell(FOLDED).locator(".jp-OutputArea-output")).to_have_text("42")
    expect(bar(page)).to_be_visible()


def test_a_click_unfolds_it(page: LabPage):
    bar(page).locator(".jp-Placeholder-content").click()
    expect(page.cell(FOLDED).locator(".cm-content")).to_contain_text("assert x * 7 == 42")


def test_the_enter_key_unfolds_it(page: LabPage):
    expect(bar(page)).to_be_visible()
    choose(page, 1)
    page.page.keyboard.press("Enter")
    expect(bar(page)).to_have_count(0)
    expect(page.cell(FOLDED).locator(".cm-content")).to_contain_text("assert x * 7 == 42")
