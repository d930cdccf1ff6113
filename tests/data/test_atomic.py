"""A file is written completely or not at all."""

import os
from pathlib import Path

import pytest

from course_lib.data.atomic import write_atomically


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
