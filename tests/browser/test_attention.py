"""Notebook 01 in the browser: named mistakes, a part that is saved, and the explorer by mouse and by keyboard."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.accessibility import too_faint, tree
from tests.browser.lab import LabPage, opened
from tests.notebooks import kernels

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
WEIGHTS = 2  # the index of this matrix among the pictures


@pytest.fixture(scope="module")
def lesson(browser: Browser, lab: str) -> Iterator[LabPage]:
    """Open notebook 01 from the lab that `course.py` started, and run all of it once."""
    with opened(browser, lab.replace("/lab/tree/00_start_here", "/lab/workspaces/lesson/tree/01_attention")) as page:
        yield page


@pytest.fixture
def explorer(lesson: LabPage) -> Locator:
    """Give the explorer in its first state, with the first token selected."""
    explorer = lesson.cell("\nAttentionExplorer(").locator(".course-explorer")
    explorer.locator(".guess input").first.check()
    type_sentence(explorer, " ".join(WORDS))
    explorer.get_by_label("Head").press("r")
    explorer.get_by_label("Head").select_option("0")
    explorer.locator(".chips input").first.check(force=True)
    return explorer


def type_sentence(explorer: Locator, sentence: str) -> None:
    explorer.get_by_label("Your sentence").fill(sentence)
    explorer.get_by_label("Your sentence").press("Enter")
    expect(explorer.locator(".chips .chip")).to_have_text(sentence.split())


def asks(explorer: Locator) -> str:
    """The token whose row is framed, found by the position of the frame: each row has a label at its left."""
    return (
        explorer.locator("figure svg")
        .nth(WEIGHTS)
        .evaluate("""svg => {
        const band = svg.querySelector(".band").getBoundingClientRect();
        const inside = ({top, bottom}) => top > band.top - 5 && bottom < band.bottom + 5;
        const labels = [...svg.querySelectorAll(".label.end")];
        return labels.find((label) => inside(label.getBoundingClientRect())).textContent;
    }""")
    )


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
    code = [cell for cell in lesson.cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"] == []


def test_a_guess_comes_first_and_the_explorer_shows_the_answer(explorer: Locator):
    expect(explorer.locator(".guess legend")).to_have_text(re.compile("^Guess first: .*“find”"))
    expect(explorer.locator(".reply")).to_have_text(re.compile("^No, it reads “the” most: choose “find” and see"))
    type_sentence(explorer, "the old detective did not find the small key")
    explorer.locator(".chips .chip").filter(has_text="find").locator("input").check(force=True)
    says(explorer, re.compile("^“find” reads 0.90 of “the”"))


def test_clicking_a_row_selects_its_token_as_the_query_in_every_picture(explorer: Locator):
    for index in (4, 2):
        digits = explorer.locator("figure svg").nth(WEIGHTS).locator(".digit")
        digits.nth(7 * index + 1).click()
        token = WORDS[index]
        says(explorer, re.compile(f"^“{token}” reads "))
        assert asks(explorer) == token
        expect(explorer.locator(".chips input").nth(index)).to_be_checked()
        frames = explorer.locator(".band").evaluate_all("bands => bands.map((band) => band.getAttribute('y'))")
        assert len(frames) == 3
        assert len(set(frames)) == 1


def test_moving_the_mouse_over_a_row_selects_its_token_as_the_query(explorer: Locator):
    explorer.locator("figure svg").nth(0).locator(".digit").nth(7 * 5 + 3).hover()
    says(explorer, re.compile("^“small” reads "))


def test_the_sentence_names_the_largest_weights_of_the_table(explorer: Locator):
    explorer.locator(".chips .chip", has_text="found").click()
    says(explorer, re.compile("^“found” reads "))
    said = [float(number) for number in re.findall(r"\d\.\d\d", explorer.locator("p[role=status]").inner_text())]
    assert said == sorted(weights(explorer)[3], reverse=True)[:3]


def test_the_first_selected_token_is_the_one_with_the_most_spread_out_attention(explorer: Locator):
    starts = set()
    for head in range(4):
        explorer.get_by_label("Head").select_option(str(head))
        entropies = [-sum(w * math.log(w) for w in row if w) for row in weights(explorer)]
        explorer.get_by_label("Head").press("r")
        start = explorer.locator(".chips input:checked").input_value()
        assert entropies[int(start)] == pytest.approx(max(entropies), abs=0.05)  # the table has two decimals
        starts.add(start)
    assert starts != {"0"}


def test_scores_multiplied_by_zero_make_all_weights_equal(explorer: Locator):
    slider = explorer.get_by_label("Multiply the scores by")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": 2, "y": box["height"] / 2})
    assert slider.input_value() == "0"
    expect(slider).to_have_attribute("aria-valuetext", "0.0")
    says(explorer, re.compile(r"^“the” reads 0\.14 of"))
    assert weights(explorer) == [[0.14] * 7] * 7  # 1/7


def test_the_causal_mask_hides_what_comes_later(explorer: Locator):
    explorer.get_by_label("causal").check()
    says(explorer, re.compile(r"^“the” reads 1\.00 of “the”"))
    rows = weights(explorer)
    assert all(rows[i][j] == 0 for i in range(7) for j in range(i + 1, 7))
    assert [sum(row) for row in rows] == pytest.approx([1] * 7, abs=0.04)
    hidden = explorer.locator("figure svg").nth(WEIGHTS).locator(".masked")
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
    explorer.get_by_role("button", name="Look").click()
    says(explorer, re.compile("zebra"))
    expect(explorer.locator(".chips")).to_be_hidden()
    type_sentence(explorer, "the young woman arrived")
    says(explorer, re.compile("^“the” reads "))
    assert len(weights(explorer)) == 4


def test_the_keyboard_does_everything_that_the_mouse_does(lesson: LabPage, explorer: Locator):
    keys = lesson.page.keyboard
    explorer.get_by_label("Multiply the scores by").focus()
    keys.press("End")
    expect(explorer.get_by_label("Multiply the scores by")).to_have_value("4")
    keys.press("ArrowLeft")
    expect(explorer.get_by_label("Multiply the scores by")).to_have_value("3.9")
    keys.press("Tab")
    expect(explorer.locator(".chips input").nth(0)).to_be_focused()
    keys.press("ArrowRight")
    says(explorer, re.compile("^“old” reads "))
    assert asks(explorer) == "old"
    keys.press("]")
    expect(explorer.get_by_label("Head")).to_have_value("1")
    keys.press("[")
    keys.press("[")
    expect(explorer.get_by_label("Head")).to_have_value("3")  # the last of four precedes the first
    keys.press("r")
    expect(explorer.get_by_label("Multiply the scores by")).to_have_value("1")
    keys.press("Escape")
    expect(explorer.get_by_label("Your sentence")).to_be_focused()


def test_no_key_press_reaches_the_notebook(lesson: LabPage, explorer: Locator):
    state = "({activeCellIndex, mode}) => [activeCellIndex, mode]"
    notebook = lesson.page.evaluate_handle("jupyterapp.shell.currentWidget.content")
    explorer.locator(".chips input").nth(0).focus()
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
    inside = ["text INPUT", "submit BUTTON", *["select-one SELECT"] * 2, "radio INPUT", "checkbox INPUT", "range INPUT"]
    assert [each.strip() for each in focused[:-1]] == [*inside, "radio INPUT", "SUMMARY"]


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
        assert count > 3 * 7 * 7
        assert faint == []
        report = lesson.cell("@exercise").locator(".course-report")
        count, faint = too_faint(report)
        assert count >= 2
        assert faint == []


def test_a_known_mistake_is_named_by_its_sentence(lesson: LabPage):
    cell = lesson.run_cell(STUB, OVER_THE_QUERIES)
    report = cell.locator(".course-report")
    expect(report).to_contain_text("✗ attention_weights: not yet")
    expect(report).to_contain_text("You normalised over the queries: your columns sum to 1, your rows don't.")
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


def test_nothing_was_requested_from_the_network_and_the_console_shows_no_error(lesson: LabPage, lab_folder: Path):
    assert lesson.outside == []
    assert lesson.errors == []
    log = kernels.network_log(lab_folder)
    assert not log.exists(), log.read_text(encoding="utf-8")
