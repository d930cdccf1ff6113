"""Copies are collected from home folders and other folders, and nothing that was collected is lost."""

import errno
import os
from pathlib import Path

import pytest

from course_lib.classroom.grading import assignments, collecting
from course_lib.classroom.room import ClassError, Room
from course_lib.copies.notebook import TELLS_THE_ANSWER
from tests.classroom import handed_in
from tests.classroom.handed_in import NAME


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path / "class", "teacher", ("ada", "ben", "cleo")).save()
    for name in made.members:
        (made.home(name) / "my_course").mkdir(parents=True)
    return made


def collected(room: Room, student: str) -> Path:
    return room.grading / "submitted" / student / NAME / f"{NAME}.ipynb"


def test_copies_are_collected_from_home_folders_as_they_are(room: Room):
    content = handed_in.notebook().content()
    (room.home("ada") / "my_course" / f"{NAME}.ipynb").write_bytes(content)
    result = collecting.collect_from_homes(room, NAME)
    assert result.students == ("ada",)
    assert result.problems == (f"ben has no copy of {NAME}.", f"cleo has no copy of {NAME}.")
    assert collected(room, "ada").read_bytes() == content


def test_a_link_to_somebody_elses_work_is_not_collected(room: Room):
    file = room.home("ada") / "my_course" / f"{NAME}.ipynb"
    file.write_bytes(handed_in.solved().content())
    (room.home("ben") / "my_course" / f"{NAME}.ipynb").symlink_to(file)
    result = collecting.collect_from_homes(room, NAME)
    assert result.students == ("ada",)
    assert result.problems[0].startswith("The copy of ben was not collected: ben/my_course")


def test_the_former_version_is_kept_beside_the_new_one(room: Room):
    file = room.home("ada") / "my_course" / f"{NAME}.ipynb"
    for content in (b"one", b"two", b"two"):
        file.write_bytes(content)
        collecting.collect_from_homes(room, NAME)
    assert collected(room, "ada").read_bytes() == b"two"
    assert [each.read_bytes() for each in (collected(room, "ada").parent / "former").iterdir()] == [b"one"]


def test_a_full_disk_leaves_the_former_version(room: Room, monkeypatch: pytest.MonkeyPatch):
    file = room.home("ada") / "my_course" / f"{NAME}.ipynb"
    file.write_bytes(b"one")
    collecting.collect_from_homes(room, NAME)
    file.write_bytes(b"two")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(assignments, "write_atomically", full)
    with pytest.raises(ClassError, match="was not written, because the disk is full"):
        collecting.collect_from_homes(room, NAME)
    assert collected(room, "ada").read_bytes() == b"one"


def test_names_that_are_in_no_list_are_said(room: Room, tmp_path: Path):
    for name in ("ada", "zoe", "x%ben", "Dr No"):
        handed_in.write(tmp_path / "copies" / f"{name}.ipynb", handed_in.notebook())
    result = collecting.collect_from(tmp_path / "copies", room.grading, NAME, room)
    assert result.students == ("ada",)
    assert len(result.problems) == 3
    assert "zoe.ipynb was not collected, because there is no `zoe` in this class: correct the name." in result.problems


def test_a_missing_folder_is_said(room: Room, tmp_path: Path):
    with pytest.raises(ClassError, match=r"There is no folder .*copies: correct --from"):
        collecting.collect_from(tmp_path / "copies", room.grading, NAME, room)


def test_points_are_minutes_in_units_of_five():
    found = assignments.find_assignment(NAME).exercises
    assert [(each.minutes, assignments.points(each)) for each in found[:2]] == [(10, 2), (5, 1)]
    assert all(assignments.points(each) >= 1 for each in assignments.find_assignment("11").exercises)


def test_an_assignment_has_the_cells_folded_that_tell_an_answer():
    found = assignments.find_assignment("06")
    made = assignments.source_notebook(found)
    told = {cell["id"] for cell in found.original.cells if TELLS_THE_ANSWER in cell["metadata"].get("tags", ())}
    assert {cell["id"] for cell in made.cells if "jupyter" in cell["metadata"]} == told != set()
    assert TELLS_THE_ANSWER not in made.content().decode()
    locked = [cell for cell in made.cells if "nbgrader" in cell["metadata"]]
    assert len(locked) == 2 * len(found.exercises)


@pytest.mark.parametrize(("given", "words"), [("99", "There is no notebook `99`"), ("", "There is no notebook ``")])
def test_an_unknown_assignment_is_refused(given: str, words: str):
    with pytest.raises(ClassError, match=words):
        assignments.find_assignment(given)
