"""The sheets to print, in Chromium: each fits two pages, the answers on the second, on A4 and on US Letter."""

import re

import pytest
from playwright.sync_api import Browser

from course_lib.classroom.teaching.lesson import all_lessons
from course_lib.classroom.teaching.sheets import sheet

LESSONS = all_lessons()


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.file for lesson in LESSONS])
def test_a_sheet_is_two_pages_on_which_nothing_is_cut_off(browser: Browser, lesson):
    page = browser.new_page()
    page.set_content(sheet(lesson))
    page.emulate_media(media="print")
    pages = page.locator(".page").evaluate_all(
        "all => all.map((each) => [each.clientHeight, each.scrollHeight, each.clientWidth, each.scrollWidth])"
    )
    rooms = page.locator(".room").evaluate_all("all => all.map((each) => each.getBoundingClientRect().height)")
    drawn = page.locator("img").evaluate_all("all => all.map((each) => each.naturalWidth)")
    printed = {paper: page.pdf(format=paper) for paper in ("A4", "Letter")}
    page.close()
    for height, whole_height, width, whole_width in pages:
        assert (whole_height, whole_width) == (height, width)
    assert min(rooms) > 20  # in pixels: a line of handwriting
    assert min(drawn) > 0
    for paper, pdf in printed.items():
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2, paper
