"""The pages about lessons that teachers write by hand, and the notes that are made from them."""

import re
from pathlib import Path

import pytest

from course_lib.classroom.grading.assignments import find_assignment, notebook_names
from course_lib.classroom.teaching import notes as notes_module
from course_lib.classroom.teaching.lesson import Lesson, UnknownLesson, all_lessons, find_lesson, read_lesson
from course_lib.classroom.teaching.notes import notes, teachers_page
from course_lib.classroom.teaching.pages import write_pages
from course_lib.data.places import place
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.quiz import quiz

LESSONS = all_lessons()
NAMES = [f"{lesson.number:02d}" for lesson in LESSONS]
QUESTION = re.compile(r"^\*\*(.+)\*\*\n\n\*People say:\* (.+)\n\n\*Then say:\* (.+)$", re.MULTILINE)


def page_of(lesson: Lesson) -> str:
    return teachers_page(lesson).read_text(encoding="utf-8")


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_page_has_the_lessons_title_and_three_sections(lesson: Lesson):
    page = page_of(lesson)
    assert page.startswith(f"# {lesson.number:02d} · {lesson.title}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Where people get stuck", "If time runs out", "To discuss"]


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_page_has_two_questions_with_what_people_say_and_what_to_say_then(lesson: Lesson):
    found = QUESTION.findall(page_of(lesson).partition("## To discuss")[2])
    assert len(found) == 2
    for question, *_ in found:
        assert question.endswith("?")
        assert question not in {each.text for each in quiz(lesson.number).questions}


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_exercises_that_a_page_names_exist(lesson: Lesson):
    known = {exercise.name for exercise in all_exercises()}
    stuck, cut = page_of(lesson).partition("## If time runs out")[::2]
    assert set(re.findall(r"`([^`]+)`", cut.partition("## To discuss")[0])) <= known
    begin = re.findall(r"^- `(\w+)`", stuck, re.MULTILINE)
    assert set(begin) <= {exercise.name for exercise in lesson.exercises}


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_sections_that_a_page_leaves_out_are_in_the_notebook(lesson: Lesson):
    cut = page_of(lesson).partition("## If time runs out")[2].partition("## To discuss")[0]
    source = place(f"notebooks/{lesson.file}.ipynb").read_text(encoding="utf-8")
    for title in re.findall(r"\*([A-Z][^*]+)\*", cut):
        assert re.search(rf"#{{2,3}} {re.escape(title)}", source), title


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_notes_have_every_exercise_with_its_minutes_and_hints(lesson: Lesson):
    text = notes(lesson)
    for exercise in lesson.exercises:
        assert f"`{exercise.name}`, {exercise.minutes} min" in text
        assert all(hint in text for hint in exercise.hints)


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_notes_name_every_published_mistake_with_the_page_where_it_was_seen(lesson: Lesson):
    text = notes(lesson)
    for exercise in lesson.exercises:
        for mistake in exercise.mistakes:
            assert not mistake.seen or f"{mistake.message} ([seen here]({mistake.seen}))" in text


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_notes_have_every_guess_of_the_notebook(lesson: Lesson):
    source = place(f"notebooks/{lesson.file}.ipynb").read_text(encoding="utf-8")
    asked = len(re.findall(r"\bguess\(", source))
    assert sum(len(section.guesses) for section in lesson.sections) == asked
    assert all(
        guess.question.replace("|", "\\|") in notes(lesson) for each in lesson.sections for guess in each.guesses
    )


def test_notes_say_what_comes_out_of_a_guess():
    assert "| On paper first: three words, two numbers each |" in notes(read_lesson(0))
    answers = {guess.answer for section in read_lesson(0).sections for guess in section.guesses}
    assert {"2.2", "7.389", "they stay the same", "31"} <= answers


def test_notes_say_where_an_answer_varies():
    assert re.search(r"without positions get exactly right.+\| about 31 \|", notes(read_lesson(0)))


def test_only_a_number_is_called_approximate():
    assert re.search(r"how many of the 400 translations change\?.+\| 40 or more \|", notes(read_lesson(7)))


def test_the_minutes_are_the_notebooks_and_the_exercises():
    lesson = read_lesson(3)
    assert (lesson.minutes, lesson.exercise_minutes) == (90, 60)
    assert "| Time | 90 minutes: 60 for the 6 exercises, 30 to read, guess and run |" in notes(lesson)


def test_the_map_lights_what_the_notebooks_strip_lights():
    assert read_lesson(7).on_map == ("cross_attention", "memory", "decoder_feed_forward", "projection", "loss")
    assert read_lesson(9).on_map == ("choose",)
    assert read_lesson(0).on_map == ("softmax",)


def test_notes_are_made_without_a_teachers_page_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(notes_module, "PAGES", str(tmp_path))
    assert "## The exercises" in notes(read_lesson(0))


@pytest.mark.parametrize("word", ["3", "03", "03_tokens", "03_tokens.ipynb"])
def test_a_lesson_is_found_by_its_number_or_its_file(word: str):
    assert find_lesson(word).number == 3


@pytest.mark.parametrize("word", ["18", "-1", "tokens", "", "³"])
def test_an_unknown_lesson_is_refused_with_the_numbers_that_there_are(word: str):
    with pytest.raises(UnknownLesson, match="choose a number from 00 to 17"):
        find_lesson(word)


def test_both_pages_are_written_and_written_again_over_themselves(tmp_path: Path):
    lesson = read_lesson(0)
    first = [file.read_bytes() for file in write_pages(lesson, tmp_path / "new" / "folder")]
    assert first == [file.read_bytes() for file in write_pages(lesson, tmp_path / "new" / "folder")]
    assert sorted(file.name for file in (tmp_path / "new" / "folder").iterdir()) == [
        "00_start_here_notes.md",
        "00_start_here_sheet.html",
    ]


def test_the_notebooks_and_pages_of_the_course_are_found_by_a_member_of_a_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))  # where all that the member writes is
    read_lesson.cache_clear()
    assert [lesson.file for lesson in all_lessons()] == [lesson.file for lesson in LESSONS] == notebook_names()
    assert find_assignment("1").name == "01_attention"
    assert teachers_page(find_lesson("01_attention.ipynb")).is_file()
