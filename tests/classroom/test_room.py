"""A class is made, changed and read; what is half made or damaged loses nothing."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from course_lib.classroom import accounts, room
from course_lib.classroom.hub import make_room
from course_lib.classroom.room import ClassError, Room, open_room

needs_linux = pytest.mark.skipif(os.name == "nt", reason="a class needs Linux")


@pytest.fixture(autouse=True)
def _own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "REGISTER", tmp_path / "register")


def made(folder: Path, *students: str, **settings: Any) -> Room:
    return make_room(str(folder), students or None, None, settings)


def test_a_class_is_read_as_it_was_made(tmp_path: Path):
    first = made(tmp_path / "room", "ana", "ben", port=9000)
    again = open_room(tmp_path / "room")
    assert again == first
    assert (again.teacher, again.students, again.members) == ("teacher", ("ana", "ben"), ("teacher", "ana", "ben"))
    assert (again.all_settings["port"], again.all_settings["login"]) == (9000, "passwords")
    assert again.home("ana").is_dir()


def test_what_is_not_given_stays_as_it_was(tmp_path: Path):
    made(tmp_path / "room", "ana", port=9000)
    changed = make_room(str(tmp_path / "room"), None, "maria", {"memory": 1})
    assert (changed.students, changed.teacher) == (("ana",), "maria")
    assert changed.settings == {"port": 9000, "memory": 1}


def test_a_student_who_leaves_the_list_keeps_the_home_folder(tmp_path: Path):
    first = made(tmp_path / "room", "ana", "ben")
    (first.home("ben") / "work").write_text("mine")
    changed = made(tmp_path / "room", "ana")
    assert changed.students == ("ana",)
    assert (changed.homes / "ben" / "work").read_text() == "mine"


@pytest.mark.skipif(not accounts.is_root(), reason="only root gives folders to other users")
def test_every_member_has_a_number_that_nobody_else_has_and_keeps_it(tmp_path: Path):
    first = made(tmp_path / "room", "ana", "ben")
    other = made(tmp_path / "other", "ana", "cleo")
    assert len({*first.uids.values(), *other.uids.values()}) == 6
    assert {uid in accounts.UIDS for uid in first.uids.values()} == {True}
    later = made(tmp_path / "room", "dora", "ben", "ana")
    assert {name: later.uids[name] for name in first.uids} == first.uids
    assert later.home("ben").stat().st_uid == first.uids["ben"]


@pytest.mark.skipif(not accounts.is_root(), reason="only root gives folders to other users")
def test_a_class_whose_file_is_gone_gets_the_numbers_of_its_home_folders_again(tmp_path: Path):
    first = made(tmp_path / "room", "ana", "ben")
    (tmp_path / "room" / "class.json").unlink()
    assert made(tmp_path / "room", "ben", "ana").uids == first.uids


@pytest.mark.skipif(not accounts.is_root(), reason="only root gives folders to other users")
def test_a_copied_class_gets_numbers_of_its_own_and_its_folders_with_all_in_them(tmp_path: Path):
    first = made(tmp_path / "room", "ana")
    (first.home("ana") / "work").write_text("mine")
    os.system(f"cp -a {tmp_path / 'room'} {tmp_path / 'copy'}")
    copy = make_room(str(tmp_path / "copy"), None, None, {})
    assert not {*first.uids.values()} & {*copy.uids.values()}
    assert (copy.home("ana") / "work").stat().st_uid == copy.uids["ana"]
    assert (first.home("ana") / "work").stat().st_uid == 0


@needs_linux
def test_home_folders_and_the_gradebook_are_closed_to_others(tmp_path: Path):
    first = made(tmp_path / "room", "ana")
    for folder in (first.home("ana"), first.home("teacher"), first.grading, first.hub):
        assert folder.stat().st_mode & 0o077 == 0, folder


@pytest.mark.parametrize(
    ("students", "teacher", "said"),
    [
        (("ana",), "ana", "`ana` is the teacher and a student: "),
        (("ana",), "Ms Smith", "'Ms Smith' cannot be the teacher's user name: "),
        (None, None, "There is no class in "),
    ],
)
def test_a_class_that_cannot_be_is_refused_and_nothing_is_made(
    tmp_path: Path, students: tuple[str, ...] | None, teacher: str | None, said: str
):
    with pytest.raises(ClassError, match=said):
        make_room(str(tmp_path / "room"), students, teacher, {})
    assert not (tmp_path / "room").exists()


def test_an_unknown_student_gets_one_sentence(tmp_path: Path):
    first = made(tmp_path / "room", "ana")
    with pytest.raises(ClassError, match="There is no `bob` in this class: correct the name, or add it to the list"):
        first.home("bob")
    with pytest.raises(ClassError, match=r"There is no `\.\./ana` in this class"):
        first.home("../ana")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "teacher": "t", "students": 3}'])
def test_a_damaged_class_is_said_and_left_as_it_is(tmp_path: Path, content: str):
    made(tmp_path / "room", "ana")
    file = tmp_path / "room" / "class.json"
    file.write_text(content)
    with pytest.raises(ClassError, match="is damaged: move it away and run `class start --students FILE` again"):
        made(tmp_path / "room", "ana")
    assert file.read_text() == content


def test_a_class_of_another_version_is_refused(tmp_path: Path):
    made(tmp_path / "room", "ana")
    file = tmp_path / "room" / "class.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(ClassError, match="was made by another version of the course"):
        open_room(tmp_path / "room")


def test_a_full_disk_leaves_the_former_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made(tmp_path / "room", "ana")
    before = (tmp_path / "room" / "class.json").read_bytes()

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(room, "write_atomically", full)
    with pytest.raises(ClassError, match="The class cannot be saved, because the disk is full: free some space"):
        made(tmp_path / "room", "ana", "ben")
    assert (tmp_path / "room" / "class.json").read_bytes() == before
