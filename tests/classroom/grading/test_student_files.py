"""A student's file is read and written as it is, and nothing else is read or changed in its place."""

import os
from pathlib import Path

import pytest

from course_lib.classroom.grading import student_files
from course_lib.classroom.grading.student_files import read_of_student, write_for_student
from course_lib.classroom.room import ClassError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "ana" / "my_course").mkdir(parents=True)
    (tmp_path / "gradebook").write_text("grades")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "01.ipynb").write_text("of another")
    return tmp_path / "ana"


def test_a_plain_file_is_read_and_a_missing_one_is_none(home: Path):
    (home / "my_course" / "01.ipynb").write_bytes(b"mine")
    assert read_of_student(home, "my_course", "01.ipynb") == b"mine"
    assert read_of_student(home, "my_course", "02.ipynb") is None
    assert read_of_student(home, "elsewhere", "02.ipynb") is None


def test_no_link_to_a_file_or_folder_is_followed(home: Path):
    (home / "my_course" / "01.ipynb").symlink_to(home.parent / "gradebook")
    (home / "linked").symlink_to(home.parent / "other")
    for parts in (("my_course", "01.ipynb"), ("linked", "01.ipynb")):
        with pytest.raises(ClassError, match="is not read, because it is a link or cannot be opened"):
            read_of_student(home, *parts)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can make a file somebody else's")
def test_a_second_name_of_somebody_elses_file_is_not_read(home: Path):
    os.chown(home.parent / "gradebook", 60579, 60579)
    os.link(home.parent / "gradebook", home / "my_course" / "01.ipynb")
    with pytest.raises(ClassError, match="belongs to somebody else"):
        read_of_student(home, "my_course", "01.ipynb")


def test_a_pipe_does_not_stop_the_reader(home: Path):
    os.mkfifo(home / "my_course" / "01.ipynb")
    with pytest.raises(ClassError, match="is no plain file"):
        read_of_student(home, "my_course", "01.ipynb")


def test_a_folder_in_the_files_place_is_refused(home: Path):
    (home / "my_course" / "01.ipynb").mkdir()
    with pytest.raises(ClassError, match="is no plain file"):
        read_of_student(home, "my_course", "01.ipynb")


def test_a_huge_file_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(student_files, "LARGEST", 3)
    (home / "my_course" / "01.ipynb").write_bytes(b"four")
    with pytest.raises(ClassError, match="is larger than"):
        read_of_student(home, "my_course", "01.ipynb")


@pytest.mark.parametrize("parts", [(), ("..", "gradebook"), ("/etc/passwd",), ("my_course/01.ipynb",), ("",)])
def test_only_names_are_parts_of_a_path(home: Path, parts: tuple[str, ...]):
    with pytest.raises(ClassError, match="is no path in a home folder"):
        read_of_student(home, *parts)


def test_a_file_is_written_with_its_folders_and_replaces_the_former_one(home: Path):
    for content in (b"first", b"second"):
        write_for_student(home, content, "my_course", "feedback", "01.html")
        assert (home / "my_course" / "feedback" / "01.html").read_bytes() == content
    assert [path.name for path in (home / "my_course" / "feedback").iterdir()] == ["01.html"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_is_written_belongs_to_the_student(home: Path):
    os.chown(home, 60579, 60579)
    write_for_student(home, b"page", "feedback", "01.html")
    for path in (home / "feedback", home / "feedback" / "01.html"):
        assert (path.stat().st_uid, path.stat().st_mode & 0o077) == (60579, 0)


def test_nothing_is_written_through_a_link(home: Path):
    (home / "my_course" / "feedback").symlink_to(home.parent / "other")
    with pytest.raises(ClassError, match=r"ana/my_course/feedback/01\.ipynb is not written, because a link"):
        write_for_student(home, b"page", "my_course", "feedback", "01.ipynb")
    assert (home.parent / "other" / "01.ipynb").read_text() == "of another"
    (home / "my_course" / "02.html").symlink_to(home.parent / "gradebook")
    write_for_student(home, b"page", "my_course", "02.html")
    assert (home.parent / "gradebook").read_text() == "grades"
    assert not (home / "my_course" / "02.html").is_symlink()


@pytest.mark.parametrize("parts", [("my_course", "01"), ("my_course", "01", "page")])
def test_something_else_in_the_files_place_is_said(home: Path, parts: tuple[str, ...]):
    if len(parts) == 2:
        (home / "my_course" / "01").mkdir()
    else:
        (home / "my_course" / "01").write_text("mine")
    with pytest.raises(ClassError, match="ask the student to move it away"):
        write_for_student(home, b"page", *parts)
    assert len(list((home / "my_course").iterdir())) == 1
