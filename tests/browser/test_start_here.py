"""A newcomer's first minutes: `course.py lab` opens 00, everything runs, and the translator takes a typed sentence."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import LabPage, check_that_nothing_went_outside, opened, outputs_of_all_cells


@pytest.fixture(scope="module")
def start_page(browser: Browser, lab: str) -> Iterator[LabPage]:
    """Open what `course.py lab` opens, and run all of it once."""
    with opened(browser, lab) as page:
        yield page


def test_the_first_notebook_is_the_active_tab(start_page: LabPage):
    expect(start_page.page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text("00_start_here.ipynb")


def test_every_cell_runs_without_an_error(start_page: LabPage):
    assert outputs_of_all_cells(start_page)


def test_the_translator_answers_a_sentence_that_the_learner_types(start_page: LabPage):
    start_page.cell("TranslateBox")
    box = start_page.page.get_by_label("An English sentence")
    box.fill("the detective investigated")
    box.press("Enter")
    expect(start_page.page.get_by_role("status").filter(has_text="le détective a enquêté")).to_be_visible()


def test_no_news_prompt_appears(start_page: LabPage):
    expect(start_page.page.get_by_text("Jupyter news")).to_have_count(0)


def test_no_request_leaves_the_computer_and_the_console_shows_no_error(start_page: LabPage, lab_folder: Path):
    check_that_nothing_went_outside(start_page, lab_folder)
