"""The exercises on paper: that their answers are right, and that they fit the notebooks."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from matplotlib.mathtext import MathTextParser

from course_lib.classroom.teaching.lesson import UnknownLesson, all_lessons, read_lesson
from course_lib.classroom.teaching.paper import Question, Table, paper_of
from course_lib.classroom.teaching.papers import l00_start_here, l08_inside_the_translator, l09_sampling
from course_lib.classroom.teaching.sheets import formula_svg, sheet
from course_lib.data.places import place

NUMBERS = [lesson.number for lesson in all_lessons()]
# Worked out by hand, or taken from the notebook's own text. Each must be in the answers of that lesson.
BY_HAND = {
    0: ["2.2, 1.1", "0, 2", "0.09, 0.24, 0.67", "7.4", "the same"],
    1: ["2, 1, 3", "0.24, 0.09, 0.67", "24.2", "130"],
    2: ["2   3", "10   11", "8   9", "8 of 12", "80 and 80"],
    3: ["15", "20", "17", "16", "u g", "u n, with 16", "b ug s"],
    4: ["0, 1, 1", "0.2, 0.4, 0.4", "0.6, 0.8", "0.84", "−0.42"],
    5: ["3, 2, 0", "−1, −1, 1, 1", "80, 148 and 16"],
    6: ["1 %", "1.54", "11, 12, 13", "0.73, 0.27, 0"],
    7: ["0, 1.41, 0", "0.16, 0.67, 0.16", "0.925 and 0.025", "1.39"],
    8: ["king–fatigué", "tired–fatigué", "0.2: 4 agree", "0.15, 0.233"],
    9: ["0.252", "the old king slept", "a and b", "−2.67, −2.22"],
    10: ["15", "78 and 12", "37,748,736", "36 MiB", "1, 1, 0"],
    11: ["6.7", "5, 6, 7, 2, 8; 2, 9, 4, 5, 6", "6, 2, −100, 9, 7", "A 2.58, B 1.88"],
    12: ["3; with the padding 5", "[2, −1; 2, −1]", "6,144 of 147,456", "4.2 %", "After pass 5"],
    13: ["4: PER at words 0 to 1", "Precision 0.5, recall 0.33, F1 0.4", "0.57", "−100"],
    14: ["0.2, 1.4", "divides by 5", "−1, 0.5, 6.5", "5: four"],
    15: ["5 of 7", "3 of 6", "59.8", "8.2"],
    16: ["2, 1.37, 23.68", "0.135", "28", "4 and 10"],
    17: ["25 % and 6.25 %", "0.13, 0.3, 0.33, 0.6", "23 %", "−1.5"],
}


def said(question: Question) -> str:
    """An answer as text."""
    answer = question.answer
    return " ".join(cell for row in answer.rows for cell in row) if isinstance(answer, Table) else answer


@pytest.mark.parametrize("number", NUMBERS)
def test_the_answers_are_those_worked_out_by_hand(number: int):
    answers = " | ".join(said(question) for question in paper_of(number).questions)
    assert [part for part in BY_HAND[number] if part not in answers] == []


def test_other_numbers_in_the_table_give_other_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(l00_start_here, "SHARES", (0.5, 0.5, 0.0))
    paper = paper_of(0)
    assert paper.given.rows[1] == ("share", "0.5", "0.5", "0")
    assert said(paper.questions[0]).startswith("0.5, 1.")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_sheet_has_three_to_five_questions_with_room_for_each(number: int):
    questions = paper_of(number).questions
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert re.search(r"[?.)]$", question.text), question.text
        assert said(question)
        assert question.room or "" in [cell for row in question.table.rows for cell in row]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_table_that_is_filled_in_fits_the_empty_one(number: int):
    for question in paper_of(number).questions:
        if isinstance(question.answer, Table):
            assert question.table is not None
            assert question.table.head == question.answer.head
            for asked, filled in zip(question.table.rows, question.answer.rows, strict=True):
                assert all(one in ("", other) and other for one, other in zip(asked, filled, strict=True))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_formulas_source_is_named_in_the_notebook_or_is_a_function_of_the_library(number: int):
    formula = paper_of(number).formula
    assert all(MathTextParser("path").parse(f"${line}$").width > 0 for line in formula.lines)
    notebook = Path(f"notebooks/{read_lesson(number).file}.ipynb").resolve().read_text(encoding="utf-8")
    papers = re.findall(r"\d{4}\.\d{5}", formula.source)
    names = re.findall(r"[a-z_]+\.[a-z_]+\.(\w+)", formula.source)
    year = re.search(r"(19|20)\d\d", formula.source)
    assert papers or names or year
    assert all(paper in notebook for paper in papers)
    assert all(name in {each.name for lesson in all_lessons() for each in lesson.exercises} for name in names)


def test_a_formula_that_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="nosuchcommand"):
        formula_svg(r"\nosuchcommand{x}")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_sheet_needs_nothing_from_elsewhere(number: int):
    page = sheet(read_lesson(number))
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "<script" not in page
    assert "http" not in re.sub(
        r"http://www\.w3\.org/|https?://(?:purl|creativecommons|matplotlib)\.org/", "", unquote(page)
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_the_answers_are_on_the_back_only(number: int):
    front, back = sheet(read_lesson(number)).split('<section class="page back">')
    for question in paper_of(number).questions:
        if not isinstance(question.answer, Table):
            answer = re.sub(r"<[^>]+>", "", unescape(back))
            assert question.answer.replace("`", "") in answer
            assert question.answer.replace("`", "") not in unescape(front)


def test_the_map_on_a_sheet_has_the_lessons_part_lit():
    front = unquote(sheet(read_lesson(4)).split('<section class="page back">')[0])
    assert front.count("▶ now") >= 2  # its own box, and the legend
    assert "Now: positions." in unescape(front)


def test_a_question_needs_room_or_a_table():
    with pytest.raises(ValueError, match="room to write"):
        Question("How many?", "Two.", room=0)


def test_a_lesson_without_a_paper_is_refused():
    with pytest.raises(UnknownLesson, match="lesson 18"):
        paper_of(18)


def test_a_papers_numbers_are_the_notebooks():
    """The sheet of 08 and of 09 repeat a table of their notebooks, so both should stay the same."""
    of_08 = place("notebooks/08_inside_the_translator.ipynb").read_text(encoding="utf-8")
    tenths = [[round(10 * each) for each in row] for row in l08_inside_the_translator.WEIGHTS]
    assert f"tenths = {tenths}" in of_08
    of_09 = place("notebooks/09_sampling.ipynb").read_text(encoding="utf-8")
    for word, row in l09_sampling.NEXT.items():
        assert f"{word}: {row}".replace("'", '\\"').replace(f"{word}:", f'\\"{word}\\":') in of_09
