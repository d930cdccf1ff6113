"""A student's file is read as it is, and nothing else is read in its place."""

import os
from pathlib import Path

import pytest

from course_lib.classroom import reading
from course_lib.classroom.reading import read_of_student
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
    monkeypatch.setattr(reading, "LARGEST", 3)
    (home / "my_course" / "01.ipynb").write_bytes(b"four")
    with pytest.raises(ClassError, match="is larger than"):
        read_of_student(home, "my_course", "01.ipynb")


@pytest.mark.parametrize("parts", [(), ("..", "gradebook"), ("/etc/passwd",), ("my_course/01.ipynb",), ("",)])
def test_only_names_are_parts_of_a_path(home: Path, parts: tuple[str, ...]):
    with pytest.raises(ClassError, match="is no path in a home folder"):
        read_of_student(home, *parts)
