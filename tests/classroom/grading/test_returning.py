"""Students get the page that grading made for them, and nobody gets another's."""

import errno
import os
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.classroom.grading import returning
from course_lib.classroom.room import ClassError, Room
from tests.classroom.handed_in import NAME


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path / "class", "teacher", ("ada", "ben", "cleo")).save()
    for name in made.members:
        (made.home(name) / "my_course").mkdir(parents=True)
    return made


def grade(room: Room, *students: str) -> None:
    for student in students:
        page = room.grading / "feedback" / student / NAME / f"{NAME}.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"for {student}")


def given(room: Room, student: str) -> Path:
    return room.home(student) / "my_course" / "feedback" / f"{NAME}.html"


def test_each_student_gets_their_own_page(room: Room):
    grade(room, "ada", "cleo")
    result = returning.return_feedback(room, NAME)
    assert (result.students, result.problems) == (("ada", "cleo"), ())
    assert [given(room, name).read_text() for name in ("ada", "cleo")] == ["for ada", "for cleo"]
    assert not given(room, "ben").exists()


def test_a_link_in_one_home_does_not_keep_the_others_from_theirs(room: Room):
    grade(room, "ada", "ben")
    (room.home("ada") / "my_course" / "feedback").symlink_to(room.home("ben"))
    result = returning.return_feedback(room, NAME)
    assert result.students == ("ben",)
    assert result.problems[0].startswith("ada got no feedback: ada/my_course/feedback/")
    assert not (room.home("ben") / f"{NAME}.html").exists()


def test_a_full_disk_is_said(room: Room, monkeypatch: pytest.MonkeyPatch):
    grade(room, "ada")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(returning, "write_for_student", full)
    assert returning.return_feedback(room, NAME).problems == (
        "ada got no feedback, because the disk is full: correct that, then run the same command again.",
    )


def test_without_feedback_the_command_that_makes_it_is_named(room: Room):
    with pytest.raises(ClassError, match=f"There is no feedback on {NAME} yet: `class grade {NAME}` makes it"):
        returning.return_feedback(room, NAME)


def test_the_command_says_where_students_find_it(room: Room, capsys: pytest.CaptureFixture[str]):
    grade(room, "ben")
    assert cli.main(["class", "feedback", NAME, "--folder", str(room.folder)]) == 0
    assert capsys.readouterr().out == f"✓ 1 student can open my_course/feedback/{NAME}.html.\n"


def test_without_a_hub_it_says_where_the_pages_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["class", "feedback", NAME, "--folder", str(tmp_path)]) == 1
    where = tmp_path / "grading" / "feedback"
    assert capsys.readouterr().err == f"✗ There is no hub with home folders: the pages to hand out are in {where}.\n"
