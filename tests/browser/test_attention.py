"""Notebook 01 in the browser: named mistakes, a part that is saved, and the explorer by mouse and by keyboard."""

import math
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from course_lib.pictures.figures.shades import on_dark_page, shade
from course_lib.pictures.look import colour
from tests.browser.accessibility import too_faint, tree
from tests.browser.lab import (
    LabPage,
    check_that_nothing_went_outside,
    opened_lesson,
    outputs_of_all_cells,
    shown_message,
)
from tests.browser.test_panels import NARROW_SCREEN, SPACE, WIDE_SCREEN

STUB = '@exercise("attention_weights")'
OVER_THE_QUERIES = f"""{STUB}
def attention_weights(scores):
    return torch.softmax(scores, dim=0)"""
RIGHT = f"""{STUB}
def attention_weights(scores):
    powers = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
    return powers / powers.sum(dim=1, keepdim=True)"""
WORDS = ["the", "old", "detective", "found", "the", "small", "key"]
CONTROLS = {"textbox", "button", "combobox", "radio", "checkbox", "slider"}
LABELS = ["the¹", "old", "detective", "found", "the²", "small", "key"]


@pytest.fixture(scope="module")
def lesson(browser: Browser, lab: str) -> Iterator[LabPage]:
    """Open notebook 01 from the lab that `course.py` started, and run all of it once."""
    with opened_lesson(browser, lab, "01_attention") as page:
        yield page


@pytest.fixture
def explorer(lesson: LabPage) -> Locator:
    """Give the explorer in its first state, with the first token selected."""
    explorer = lesson.cell("\nAttentionExplorer(").locator(".course-explorer")
    explorer.locator(".guess input").first.check()
    type_sentence(explorer, " ".join(WORDS))
    explorer.get_by_label("Head").press("r")
    explorer.get_by_label("Head").select_option("0")
    explorer.locator(".rows input").first.check(force=True)
    return explorer


def type_sentence(explorer: Locator, sentence: str) -> None:
    explorer.get_by_label("Your sentence").fill(sentence)
    explorer.get_by_label("Your sentence").press("Enter")
    expect(explorer.locator(".rows label")).to_have_count(len(sentence.split()))


def asks(explorer: Locator) -> str:
    """The token whose row is framed, found by the position of the frame: each row has a label at its left."""
    return explorer.locator(".matrix").evaluate("""matrix => {
        const band = matrix.querySelector(".band").getBoundingClientRect();
        const inside = ({top, bottom}) => Math.abs((top + bottom - band.top - band.bottom) / 2) < 5;
        const labels = [...matrix.querySelectorAll(".rows label")];
        return labels.find((label) => inside(label.getBoundingClientRect())).textContent;
    }""")


def weights(explorer: Locator) -> list[list[float]]:
    """The numbers of the table, row by row. The table is filled when it is opened."""
    explorer.get_by_text("Show numbers").click()
    explorer.evaluate("() => new Promise(requestAnimationFrame)")
    rows = explorer.locator("tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => Number(cell.textContent)))"
    )
    explorer.get_by_text("Show numbers").click()
    return rows


def says(explorer: Locator, words: str | re.Pattern[str]) -> None:
    expect(explorer.locator("p[role=status]")).to_have_text(words)


def test_every_cell_of_the_lesson_runs_before_any_exercise_is_solved(lesson: LabPage):
    assert outputs_of_all_cells(lesson)


def test_a_guess_comes_first_and_the_explorer_shows_the_answer(explorer: Locator):
    expect(explorer.locator(".guess legend")).to_have_text(re.compile("^Guess first: .*“find”"))
    expect(explorer.locator(".reply")).to_have_text(re.compile("^No, it reads the second “the” most: look at its row"))
    type_sentence(explorer, "the old detective did not find the small key")
    explorer.locator(".guess input").last.check()
    expect(explorer.locator(".reply")).to_have_text(re.compile("^Right"))
    says(explorer, re.compile("^“find” reads 0.90 of “the²”"))
    assert asks(explorer) == "find"
    expect(explorer.get_by_role("radio", name="find")).to_be_checked()


def test_tokens_that_occur_twice_are_numbered(explorer: Locator):
    expect(explorer.locator(".rows label")).to_have_text(LABELS)
    assert explorer.locator(".matrix .label").all_text_contents() == LABELS


def test_clicking_a_row_selects_its_token_as_the_query_in_every_view(explorer: Locator):
    for index, view in ((4, "weights"), (2, "scores"), (3, "masked")):
        explorer.get_by_role("radio", name=view, exact=True).check()
        expect(explorer.locator(".matrix .title")).to_contain_text("mask" if view == "masked" else view)
        explorer.locator(".digit").nth(7 * index + 1).click()
        says(explorer, re.compile(f"^“{LABELS[index]}” reads "))
        assert asks(explorer) == LABELS[index]
        expect(explorer.locator(".rows input").nth(index)).to_be_checked()
    expect(explorer.locator("select")).to_have_count(3)
    expect(explorer.locator("select").nth(2)).to_be_hidden()
    explorer.get_by_role("radio", name="output", exact=True).check()
    asking = explorer.get_by_role("combobox", name="Token that asks")
    expect(asking).to_have_value("3")
    asking.select_option("small")
    says(explorer, re.compile("^“small” reads "))
    expect(explorer.locator(".mix")).to_contain_text("“small” asks")


def test_moving_the_mouse_over_a_row_selects_its_token_as_the_query(explorer: Locator):
    explorer.locator(".digit").nth(7 * 5 + 3).hover()
    says(explorer, re.compile("^“small” reads "))


def test_the_sentence_names_the_largest_weights_of_the_table(explorer: Locator):
    explorer.get_by_role("radio", name="found").check(force=True)
    says(explorer, re.compile("^“found” reads "))
    said = [float(number) for number in re.findall(r"\d\.\d\d", explorer.locator("p[role=status]").inner_text())]
    assert said == sorted(weights(explorer)[3], reverse=True)[:3]


def test_the_first_selected_token_is_the_one_with_the_most_spread_out_attention(explorer: Locator):
    starts = set()
    for head in range(4):
        explorer.get_by_label("Head").select_option(str(head))
        entropies = [-sum(w * math.log(w) for w in row if w) for row in weights(explorer)]
        explorer.get_by_label("Head").press("r")
        start = explorer.locator(".rows input:checked").input_value()
        assert entropies[int(start)] == pytest.approx(max(entropies), abs=0.05)  # the table has two decimals
        starts.add(start)
    assert starts != {"0"}


def test_scores_multiplied_by_zero_make_all_weights_equal(explorer: Locator):
    slider = explorer.get_by_label("Scores times")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": 2, "y": box["height"] / 2})
    assert slider.input_value() == "0"
    expect(slider).to_have_attribute("aria-valuetext", "0.0")
    says(explorer, re.compile(r"^“the¹” reads 0\.14 of"))
    assert weights(explorer) == [[0.14] * 7] * 7  # 1/7


def test_the_causal_mask_hides_what_comes_later(explorer: Locator):
    explorer.get_by_label("causal").check()
    says(explorer, re.compile(r"^“the¹” reads 1\.00 of “the¹”"))
    rows = weights(explorer)
    assert all(rows[i][j] == 0 for i in range(7) for j in range(i + 1, 7))
    assert [sum(row) for row in rows] == pytest.approx([1] * 7, abs=0.04)
    hidden = explorer.locator(".matrix .masked")
    assert hidden.count() == 7 * 6 / 2
    explorer.get_by_label("none").check()
    expect(hidden).to_have_count(0)


def test_another_head_shows_other_weights(explorer: Locator):
    before = weights(explorer)
    explorer.get_by_label("Head").select_option("1")
    expect(explorer.get_by_label("Head")).to_have_value("1")
    assert weights(explorer) != before
    explorer.get_by_label("Layer").select_option("1")
    explorer.get_by_label("Head").select_option("0")
    assert weights(explorer) != before
    explorer.get_by_label("Layer").select_option("0")
    assert weights(explorer) == before


def test_a_word_that_the_model_does_not_know_is_named_and_the_next_sentence_is_read(explorer: Locator):
    explorer.get_by_label("Your sentence").fill("the zebra arrived")
    explorer.get_by_role("button", name="Show", exact=True).click()
    says(explorer, re.compile("zebra"))
    form, refusal = explorer.locator("form").bounding_box(), explorer.locator(".status").bounding_box()
    assert form
    assert refusal
    assert refusal["y"] - form["y"] - form["height"] < 12  # beside the form
    expect(explorer.locator(".matrix")).to_be_hidden()
    type_sentence(explorer, "the young woman arrived")
    says(explorer, re.compile("^“the” reads "))
    assert len(weights(explorer)) == 4


def test_the_keyboard_does_everything_that_the_mouse_does(lesson: LabPage, explorer: Locator):
    keys = lesson.page.keyboard
    explorer.get_by_label("Scores times").focus()
    keys.press("End")
    expect(explorer.get_by_label("Scores times")).to_have_value("4")
    keys.press("ArrowLeft")
    expect(explorer.get_by_label("Scores times")).to_have_value("3.9")
    keys.press("Tab")
    expect(explorer.get_by_role("radio", name="weights")).to_be_focused()
    keys.press("ArrowLeft")
    expect(explorer.locator(".matrix .title")).to_have_text("scores after the mask")
    keys.press("Tab")
    expect(explorer.locator(".rows input").nth(0)).to_be_focused()
    keys.press("ArrowRight")
    says(explorer, re.compile("^“old” reads "))
    assert asks(explorer) == "old"
    keys.press("]")
    expect(explorer.get_by_label("Head")).to_have_value("1")
    keys.press("[")
    keys.press("[")
    expect(explorer.get_by_label("Head")).to_have_value("3")  # the last of four precedes the first
    keys.press("r")
    expect(explorer.get_by_label("Scores times")).to_have_value("1")
    keys.press("Escape")
    expect(explorer.get_by_label("Your sentence")).to_be_focused()


def test_no_key_press_reaches_the_notebook(lesson: LabPage, explorer: Locator):
    state = "({activeCellIndex, mode}) => [activeCellIndex, mode]"
    notebook = lesson.page.evaluate_handle("jupyterapp.shell.currentWidget.content")
    explorer.locator(".rows input").nth(0).focus()
    before = [cell["id"] for cell in lesson.cells()], notebook.evaluate(state)
    # In a notebook: cells above and below, cut, paste, delete, undo, change of kind, move, next, interrupt, restart.
    for key in [
        "a",
        "b",
        "x",
        "v",
        "d",
        "d",
        "z",
        "m",
        "y",
        "j",
        "k",
        "i",
        "i",
        "0",
        "0",
        "ArrowDown",
        "ArrowUp",
        "Escape",
    ]:
        lesson.page.keyboard.press(key)
    expect(explorer.get_by_label("Your sentence")).to_be_focused()
    assert ([cell["id"] for cell in lesson.cells()], notebook.evaluate(state)) == before
    expect(lesson.page.get_by_role("dialog")).to_have_count(0)


def test_tab_moves_through_every_control_and_then_out_of_the_explorer(lesson: LabPage, explorer: Locator):
    explorer.get_by_label("Your sentence").focus()
    focused = []
    for _ in range(12):
        focused.append(lesson.page.evaluate("[document.activeElement.type, document.activeElement.tagName].join(' ')"))
        if not explorer.evaluate("explorer => explorer.contains(document.activeElement)"):
            break
        lesson.page.keyboard.press("Tab")
    inside = ["text INPUT", "submit BUTTON", *["select-one SELECT"] * 2, "checkbox INPUT", "radio INPUT", "range INPUT"]
    assert [each.strip() for each in focused[:-1]] == [*inside, *["radio INPUT"] * 2, "SUMMARY"]


def test_a_screen_reader_finds_names_a_status_and_a_table_with_headers(lesson: LabPage, explorer: Locator):
    explorer.get_by_text("Show numbers").click()
    found = tree(lesson.page, explorer)
    explorer.get_by_text("Show numbers").click()
    roles = [role for role, _ in found]
    assert set(roles) >= CONTROLS
    assert [role for role, name in found if role in CONTROLS and not name.strip()] == []
    assert ("radiogroup", "The token that asks: choose with mouse or arrow keys") in found
    assert "status" in roles
    assert (roles.count("columnheader"), roles.count("rowheader")) == (7, 7)
    assert ("group", "Attention explorer: scores, mask, weights and output of one head") in found


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_explorer_and_reports_are_readable_in_both_themes_whatever_the_system_prefers(
    theme: str, lesson: LabPage, explorer: Locator
):
    lesson.use_theme(theme)
    for preference in ("dark", "light"):
        lesson.page.emulate_media(color_scheme=preference)
        explorer = lesson.cell("\nAttentionExplorer(").locator(".course-explorer")
        explorer.get_by_label("causal").check()
        if not explorer.locator("table").is_visible():
            explorer.get_by_text("Show numbers").click()
        count, faint = too_faint(explorer)
        assert count > 7 * 7
        assert faint == []
        report = lesson.cell("@exercise").locator(".course-report")
        count, faint = too_faint(report)
        assert count >= 2
        assert faint == []


@pytest.mark.parametrize(("width", "height"), [WIDE_SCREEN, NARROW_SCREEN])
def test_the_notebook_leaves_a_panel_the_space_that_the_test_of_panels_assumes(
    width: int, height: int, lesson: LabPage, explorer: Locator
):
    size = lesson.page.viewport_size
    assert size
    lesson.resize(width, height)
    view = lesson.page.locator(".jp-WindowedPanel-outer").bounding_box()
    panel = explorer.bounding_box()
    lesson.resize(size["width"], size["height"])
    assert view
    assert panel
    wide, high = SPACE[width, height]
    assert panel["width"] == pytest.approx(wide, abs=8)
    assert high <= view["height"] <= high + 20


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_figure_follows_the_theme(theme: str, lesson: LabPage):
    lesson.use_theme(theme)
    cell = lesson.cell("figures.attention_grid, A,")
    picture = cell.locator(".jp-RenderedImage img")
    picture.scroll_into_view_if_needed()
    pixels = Image.open(BytesIO(picture.screenshot())).convert("RGB")
    turn = on_dark_page if theme == "Dark" else str
    # Its paper, beside the words, and a cell, above its digits: the second token reads 0.16 of the first.
    wanted = [turn(colour("paper")), turn(shade("weights", 0.16))]
    found = [pixels.getpixel((30, 30)), pixels.getpixel((160, 260))]
    for pixel, hex_colour in zip(found, wanted, strict=True):
        assert pixel == pytest.approx(tuple(bytes.fromhex(hex_colour[1:])), abs=3)


def test_a_known_mistake_is_named_by_its_sentence(lesson: LabPage):
    cell = lesson.run_cell(STUB, OVER_THE_QUERIES)
    report = cell.locator(".course-report")
    expect(report).to_contain_text("✗ attention_weights: not yet")
    expect(report).to_contain_text(shown_message("attention_weights", "over queries"))
    expect(report).to_contain_text("the course's version")


def test_a_right_answer_becomes_the_learners_part_and_remains_it_after_a_restart(lesson: LabPage, lab_folder: Path):
    saved_file = lab_folder / "my_transformer" / "attention_weights.py"
    assert not saved_file.exists()
    report = lesson.run_cell(STUB, RIGHT).locator(".course-report")
    expect(report).to_contain_text("✓ attention_weights: right")
    assert "powers.sum(dim=1" in saved_file.read_text(encoding="utf-8")
    mine = re.compile(r"1 of \d+ parts of notebook \d+ are yours.*attention_weights\s+✓ yours", re.DOTALL)
    expect(lesson.run_cell("yours.report(notebook=1)").locator(".course-report")).to_contain_text(mine)

    lesson.restart_kernel()
    # A new kernel, and a question that has not been answered before.
    lesson.run_cell("from course_lib import yours")
    after = lesson.run_cell("yours.report(notebook=1)", "yours.report(notebook=1), yours.attention_weights.__module__")
    expect(after.locator(".jp-OutputArea-output")).to_contain_text(mine)
    expect(after.locator(".jp-OutputArea-output")).to_contain_text("my_transformer.attention_weights")


def test_without_its_kernel_a_panel_says_what_to_do_and_a_reopened_notebook_does_so_in_its_place(lesson: LabPage):
    instead = "No panel above? It needs a running kernel: run this cell again."
    panel = lesson.run_cell("\nAttentionExplorer(")
    expect(panel.locator(".course-explorer")).to_be_visible()
    expect(panel.get_by_text(instead)).to_be_hidden()
    panel.locator(".guess input").first.check()
    errors = list(lesson.errors)
    lesson.page.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    panel.get_by_label("Your sentence").fill("the king laughed")
    panel.get_by_role("button", name="Show", exact=True).click()
    expect(panel.get_by_text("this panel has lost its kernel")).to_be_visible()

    lesson.save()
    lesson.page.reload()
    lesson.wait_until_open()
    panel = lesson.cell("\nAttentionExplorer(")
    expect(panel.get_by_text(instead)).to_be_visible()
    expect(panel.locator(".course-explorer")).to_have_count(0)
    lesson.errors[:] = errors  # JupyterLab's own: it cannot send, and the panel's model is gone


def test_nothing_was_requested_from_the_network_and_the_console_shows_no_error(lesson: LabPage, lab_folder: Path):
    check_that_nothing_went_outside(lesson, lab_folder)
