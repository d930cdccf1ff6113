"""The teacher's page says who is where, where most are stopped, and which mistake is the commonest."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from course_lib.classroom.grading import overview
from course_lib.classroom.grading.progress import Standing, standings
from course_lib.classroom.room import Room
from course_lib.exercises.catalogue import find
from tests.classroom import handed_in
from tests.classroom.handed_in import NAME

MISTAKE = find("softmax").mistakes[0].message


def report(text: str) -> dict:
    return {"output_type": "display_data", "metadata": {}, "data": {"text/plain": text}}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Ada saved two parts and is stopped at a third; Ben made a known mistake; Cleo has not started."""
    made = Room(tmp_path / "class", "teacher", ("ada", "ben", "cleo")).save()
    for name in made.students:
        (made.home(name) / "my_course" / "my_transformer").mkdir(parents=True)
    for part in ("softmax", "attend_one_query", "no_exercise"):
        (made.home("ada") / "my_course" / "my_transformer" / f"{part}.py").write_text("")
    (made.home("ben") / "my_course" / "my_transformer" / "softmax.py").symlink_to(tmp_path)
    for name, exercise, words in (("ada", "mix_values", "own words"), ("ben", "softmax", MISTAKE)):
        notebook = "00_start_here" if exercise == "softmax" else NAME
        copy = handed_in.notebook(name=notebook)
        for cell in copy.cells:
            if exercise in "".join(cell["source"]) and cell["cell_type"] == "code":
                cell["outputs"] = [report(f"✗ {exercise}: not yet\n{words}\nThe notebook continues.")]
        handed_in.write(made.home(name) / "my_course" / f"{notebook}.ipynb", copy)
    return made


def test_folders_and_copies_say_who_is_where(room: Room):
    ada, ben, cleo = standings(room.grading, room)
    assert ada.saved == {"softmax", "attend_one_query"}
    assert ada.stopped_at == {"mix_values"}
    assert ada.furthest is find("mix_values")
    assert (ben.saved, ben.stopped_at) == (set(), {"softmax"})
    assert ben.mistakes == {"softmax": (MISTAKE,)}
    assert (cleo.right, cleo.furthest, cleo.last_saved) == (set(), None, 0)


def test_the_page_names_students_and_the_commonest_mistake(room: Room):
    page = overview.page(standings(room.grading, room))
    assert all(name in page for name in room.students)
    assert "1 student, <code>softmax</code>." in page
    assert "not started" in page


def test_without_names_no_name_is_on_the_page(room: Room):
    page = overview.page(standings(room.grading, room), with_names=False)
    assert not re.search(r"\b(ada|ben|cleo)\b", page)
    assert '<th scope="row">not started</th><td class="number">1</td>' in page


def test_nothing_in_a_class_is_changed(room: Room):
    before = {file: file.lstat().st_mtime_ns for file in room.folder.rglob("*")}
    overview.page(standings(room.grading, room))
    assert {file: file.lstat().st_mtime_ns for file in room.folder.rglob("*")} == before


def test_the_exercise_that_stops_most_comes_first():
    students = [Standing("a", tried={"mix_values", "softmax"}), Standing("b", tried={"mix_values"}), Standing("c")]
    page = overview.page(students, now=datetime(2026, 1, 2, 3, 4, 5))
    assert page.index('row"><code>mix_values') < page.index('row"><code>softmax')
    assert "3 students, at 03:04:05" in page


def test_what_students_write_is_shown_as_text():
    page = overview.page([Standing("<script>x</script>", mistakes={"softmax": ("<b>",)})])
    assert "<script>x" not in page
    assert "<b>" not in page


def test_damaged_copies_do_no_harm(room: Room):
    for name, content in (("ada", b"{"), ("ben", b"\xff"), ("cleo", b'{"nbformat": 4, "cells": [{"cell_type": 1}]}')):
        (room.home(name) / "my_course" / f"{NAME}.ipynb").write_bytes(content)
    assert len(standings(room.grading, room)) == 3


def test_an_empty_class_has_a_page():
    page = overview.page([])
    assert "0 students" in page
    assert "Nobody is in the class yet." in page
