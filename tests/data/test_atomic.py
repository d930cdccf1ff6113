"""A file is written completely or not at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib.data.atomic import remove_unfinished, write_atomically
from course_lib.data.places import COURSE, place


def test_a_file_has_the_written_content_and_no_other_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file.bin"
    write_atomically(path, b"first, and longer")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [file.name for file in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("breaks", ["pathlib.Path.replace", "os.fsync"])
def test_a_failed_write_leaves_only_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    path = tmp_path / "file.bin"
    write_atomically(path, b"former")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(breaks, full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"former"
    assert [file.name for file in tmp_path.iterdir()] == ["file.bin"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_file_may_be_read_by_those_who_may_read_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


KILLED_IN_A_WRITE = """if True:
    import os, sys
    from pathlib import Path
    from course_lib.data.atomic import write_atomically
    os.fsync = lambda file: os._exit(9)
    write_atomically(Path(sys.argv[1]), b"new")
"""


def kill_in_a_write(path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED_IN_A_WRITE, str(path)], check=False).returncode == 9


def test_the_next_write_removes_what_a_killed_process_left(tmp_path: Path) -> None:
    path = tmp_path / "file[1].bin"
    kill_in_a_write(path)
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    write_atomically(path, b"whole")
    assert [file.name for file in tmp_path.iterdir()] == ["file[1].bin"]


def test_a_folder_is_rid_of_what_killed_processes_left_but_not_of_what_is_being_written(tmp_path: Path) -> None:
    kill_in_a_write(tmp_path / "killed.bin")
    (abandoned,) = tmp_path.iterdir()
    at_work = abandoned.name.replace(abandoned.name.split(".")[-3].rpartition("-")[2], str(os.getpid()))
    elsewhere = ".other.bin.anothercomputer-1.ab.unfinished"
    for name in (at_work, elsewhere, ".no.unfinished", "notes.unfinished"):
        (tmp_path / name).write_bytes(b"")
    remove_unfinished(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {at_work, elsewhere, ".no.unfinished", "notes.unfinished"}
    long_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(tmp_path / elsewhere, (long_ago, long_ago))
    remove_unfinished(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {at_work, ".no.unfinished", "notes.unfinished"}


def test_a_relative_path_starts_in_the_courses_folder_wherever_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert place("mine") == COURSE / "mine"
    assert (COURSE / "notebooks").is_dir()
    assert place(tmp_path / "mine") == tmp_path / "mine"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert place("~/mine") == tmp_path / "mine"
    assert place("~no_such_user_here/mine") == COURSE / "~no_such_user_here" / "mine"
