"""A copy in the browser: an answer is saved, the course is updated, and `course.py refresh` brings the answer along."""

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.lab import LabPage, environment

STUB = '@exercise("softmax")\ndef softmax(x, dim):\n    raise NotImplementedError'
ANSWER = '@exercise("softmax")\ndef softmax(x, dim):\n    return torch.softmax(x, dim)  # mine'
FIRST = "import torch\n\nfrom course_lib.exercises import exercise"


def publish(folder: Path, *sources: str) -> None:
    """Write a small notebook into the course, with an output that would answer a guess."""
    output = {"output_type": "stream", "name": "stdout", "text": "the answer to a guess"}
    empty = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": [output]}
    cells = [empty | {"id": f"90-{number:02}", "source": source} for number, source in enumerate(sources)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (folder / "course" / "notebooks" / "90_small.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def refresh(folder: Path) -> str:
    """Run `course.py refresh`, and give what it says."""
    ran = subprocess.run(
        [sys.executable, "course.py", "refresh", "90_small"],
        cwd=folder / "course",
        env=environment(folder),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def opened(browser: Browser, address: str) -> LabPage:
    page = LabPage(browser.new_context(viewport={"width": 1366, "height": 768}).new_page())
    page.page.goto(address)
    page.wait_until_open()
    return page


def test_an_answer_outlives_an_update_of_the_course(browser: Browser, lab: str, lab_folder: Path):
    address = lab.replace("/lab/tree/00_start_here", "/lab/workspaces/copies/tree/90_small")
    publish(lab_folder, FIRST, STUB)
    assert "my_course/90_small.ipynb is the newest version." in refresh(lab_folder)
    page = opened(browser, address)
    assert [cell["outputs"] for cell in page.cells()] == [[], []]
    page.run_all()
    expect(page.cell("@exercise")).to_contain_text("Not started yet")
    expect(page.cell(FIRST)).not_to_contain_text("newer version")
    expect(page.run_cell("@exercise", ANSWER).locator(".course-report")).to_contain_text("✓ softmax: right")
    page.run_cell("@exercise")  # The keyboard is in the last cell now, and this adds an empty one after it.
    page.page.keyboard.press("Escape")
    page.save()
    saved = lab_folder / "course" / "my_course" / "90_small.ipynb"
    assert "# mine" in saved.read_text(encoding="utf-8")

    publish(lab_folder, FIRST, "1 + 1", STUB)
    page.restart_kernel()
    news = page.run_cell(FIRST).locator(".course-report")
    expect(news).to_contain_text("The course has a newer version of this notebook.")
    expect(news).to_contain_text("course.py refresh 90_small")
    page.save()
    page.page.context.close()

    assert "90_small.ipynb is the newest version, with your answer to softmax. Your earlier" in refresh(lab_folder)
    page = opened(browser, address)
    assert ["".join(cell["source"]) for cell in page.cells()] == [FIRST, "1 + 1", ANSWER]
    page.run_all()
    expect(page.cell("@exercise")).to_contain_text("✓ softmax: right")
    expect(page.cell(FIRST)).not_to_contain_text("newer version")
    assert page.errors == []
    assert page.outside == []
    page.page.context.close()
