"""Each member's password, and who is let in with it."""

import csv
import os
from pathlib import Path

import pytest

from course_lib.classroom.passwords import PasswordList, make_passwords, password_file, read_passwords
from course_lib.classroom.room import ClassError, Room
from tests.classroom.loops import run_elsewhere


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, "teacher", ("ana", "ben"))


def lets_in(room: Room, name: str, password: str) -> bool:
    authenticator = PasswordList(file=str(password_file(room)))
    return run_elsewhere(authenticator.authenticate(None, {"username": name, "password": password})) == name


def test_each_member_has_a_password_of_their_own_and_keeps_it(room: Room):
    make_passwords(room)
    first = read_passwords(password_file(room))
    assert [*first] == ["teacher", "ana", "ben"]
    assert len({*first.values()}) == 3
    assert min(map(len, first.values())) == 10
    make_passwords(Room(room.folder, "teacher", ("cleo", "ana")))
    later = read_passwords(password_file(room))
    assert {name: later[name] for name in first} == first
    assert "cleo" in later


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_the_teacher_can_read_the_file(room: Room):
    make_passwords(room)
    assert password_file(room).stat().st_mode & 0o077 == 0


def test_only_the_own_password_opens(room: Room):
    make_passwords(room)
    words = read_passwords(password_file(room))
    assert lets_in(room, "ana", words["ana"])
    assert not lets_in(room, "ana", words["ben"])
    assert not lets_in(room, "ana", "")
    assert not lets_in(room, "nobody", "")
    assert not lets_in(room, "name", "password")
    assert not lets_in(room, "ana", "ä")


def test_a_password_that_the_teacher_changed_counts_at_once(room: Room):
    make_passwords(room)
    with password_file(room).open("w", newline="") as file:
        csv.writer(file).writerows([("name", "password"), ("ana", "blue, door")])
    assert lets_in(room, "ana", "blue, door")
    assert not lets_in(room, "ben", "")


def test_one_password_for_all_students_does_not_open_the_teachers_account(room: Room):
    make_passwords(room, shared="workshop")
    assert lets_in(room, "ana", "workshop")
    assert lets_in(room, "ben", "workshop")
    assert not lets_in(room, "teacher", "workshop")


@pytest.mark.parametrize("content", [b"ana;blue\n", b"\xff", b"name,password\nana\n"])
def test_a_damaged_file_is_said_and_kept(room: Room, content: bytes):
    password_file(room).write_bytes(content)
    with pytest.raises(ClassError, match=r"passwords\.csv cannot be read: correct it"):
        make_passwords(room)
    assert password_file(room).read_bytes() == content
