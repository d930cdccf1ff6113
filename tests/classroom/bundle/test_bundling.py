"""How a bundle is made, finished after a stop, repaired, checked and refused."""

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from course_lib import cli
from course_lib.classroom.bundle import bundling, wheels
from course_lib.cli.common import CommandError
from tests.classroom.small_wheels import (
    CORE,
    FOR_WINDOWS,
    LINUX,
    TEXT,
    TOYS,
    WINDOWS,
)
from tests.data.places import write

WORDS = ("--system", "linux", "windows", "--python", "3.12")


def bundle(folder: Path, *words: str) -> int:
    arguments = cli.parse(["bundle", str(folder), *(words or WORDS)])
    return cli.COMMANDS["bundle"].run(arguments)


def refusal(folder: Path, *words: str) -> str:
    """Check that the command refuses in one sentence, and give it."""
    with pytest.raises(CommandError) as raised:
        bundle(folder, *words)
    sentence = str(raised.value)
    assert sentence[0].isupper() or sentence.startswith(str(folder))
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_bundle_is_made_stopped_finished_repaired_and_checked(
    course: Path,
    index: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    folder = tmp_path / "a stick"

    # The first run is stopped while it fetches the data.
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bundling, "_fetch_source", stop)
        with pytest.raises(KeyboardInterrupt):
            bundle(folder)
    said = capsys.readouterr().out
    assert "4 packages for linux with Python 3.12 and windows with Python 3.12, and data in 1 files: 0 MB." in said
    assert list(folder.glob(".unfinished-*")) == []
    assert "is not finished: run the command without --check to finish it." in refusal(folder, "--check")

    # The second run needs pip no more, and leaves what is there as it is.
    write(folder / ".unfinished-abc", "half.whl", b"of a run that was killed")
    written = {file: file.stat().st_mtime_ns for file in (folder / "wheels").iterdir()}
    calls: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(wheels.calling_pip, "call", lambda *words: calls.append(words))
        assert bundle(folder) == 0
    assert calls == []
    assert {file: file.stat().st_mtime_ns for file in (folder / "wheels").iterdir()} == written
    assert files(folder) == {
        *(f"wheels/{name}" for name in (TOYS, FOR_WINDOWS, CORE[LINUX], CORE[WINDOWS])),
        "data/toys.txt",
        "course.py",
        "notebooks/00_start_here.ipynb",
        "pyproject.toml",
        "READ_ME_FIRST.txt",
        "SHA256SUMS",
        "bundle.json",
    }
    lines = (folder / "READ_ME_FIRST.txt").read_text(encoding="utf-8").splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3.", "4.", "5."]
    assert "linux with Python 3.12, and windows with Python 3.12" in lines[1]
    capsys.readouterr()
    assert bundle(folder, "--check") == 0
    assert capsys.readouterr().out.startswith("✓ All 10 files are as they were made, for linux with Python 3.12, and")

    # What is damaged or missing is named, and only that is fetched again.
    (folder / "wheels" / TOYS).write_bytes(b"damaged")
    (folder / "data" / "toys.txt").unlink()
    (folder / "course.py").write_bytes(b"print('changed')\n")
    assert bundle(folder, "--check") == 1
    said = capsys.readouterr().out
    assert f"✗ wheels/{TOYS} is damaged." in said
    assert "✗ data/toys.txt is missing or cannot be read." in said
    assert "✗ course.py is damaged." in said
    assert "course.py bundle" in said.splitlines()[-1]
    noted = bundling.noted(folder, [LINUX, WINDOWS])
    assert noted is not None
    needed = bundling.missing(noted)
    assert [wheel.name for wheel in needed.wheels] == [TOYS]
    assert needed.size_bytes == len(TEXT) + (index / TOYS).stat().st_size
    assert bundle(folder) == 0
    assert bundle(folder, "--check") == 0

    # For other computers, the former wheels make room for theirs.
    assert bundle(folder, "--system", "linux", "--python", "3.12") == 0
    assert {file.name for file in (folder / "wheels").iterdir()} == {TOYS, CORE[LINUX]}
    assert bundle(folder, "--check") == 0


def test_a_wheel_that_is_missing_for_one_of_the_computers_is_noticed_by_the_check(
    course: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    folder = tmp_path / "stick"
    bundle(folder)
    contents = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    contents["targets"]["windows 3.12"].remove(FOR_WINDOWS)
    (folder / "bundle.json").write_text(json.dumps(contents), encoding="utf-8")
    assert bundle(folder, "--check") == 1
    assert "✗ course-doors is missing for windows with Python 3.12." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--system", "linux", "msdos"], "There is no system `msdos`: choose among linux, linux-arm, macos, windows."),
        (["--python", "3.9"], "The course does not run on Python `3.9`: choose among 3.11, 3.12, 3.13, 3.14."),
        (["--python", "3.12.1"], "The course does not run on Python `3.12.1`: choose among 3.11, 3.12, 3.13, 3.14."),
        (["--check"], "stick is not a bundle of the course: name the folder that this command has made."),
    ],
)
def test_unknown_computers_and_folders_are_refused(
    course: Path,
    tmp_path: Path,
    words: list[str],
    said: str,
):
    assert refusal(tmp_path / "stick", *words).endswith(said)
    assert not (tmp_path / "stick").exists()


def test_a_folder_with_something_else_in_it_is_refused_and_not_changed(course: Path, tmp_path: Path):
    write(tmp_path / "mine", "letter.txt", b"mine")
    assert "is not empty, and was not made by this command: name a new folder." in refusal(tmp_path / "mine")
    assert files(tmp_path / "mine") == {"letter.txt"}
    assert "letter.txt is a file: name a new folder." in refusal(tmp_path / "mine" / "letter.txt")
    assert "inside of what it copies" in refusal(course / "notebooks" / "stick")
    assert "inside of what it copies" in refusal(course)


def test_a_full_disk_is_noticed_before_the_download(
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(bundling.shutil, "disk_usage", lambda folder: SimpleNamespace(free=40_000_000))
    assert refusal(tmp_path / "stick") == (
        f"The disk is too full: 40 MB are free in {tmp_path / 'stick'}, and 50 MB are needed, so free some space or "
        "name a folder on another disk."
    )
    assert "data/toys.txt" not in files(tmp_path / "stick")
    assert ".bundle.lock" not in files(tmp_path / "stick")


def test_without_a_network_the_sentence_says_so(
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert refusal(tmp_path / "stick") == (
        "The packages for linux with Python 3.12 could not be fetched, because there is no network, or the server does "
        "not answer: connect this computer, then run the same command again."
    )
    # The folder is still one that the command may fill.
    with bundling.opened(tmp_path / "stick"):
        pass


def test_a_second_run_in_the_same_folder_is_refused(course: Path, tmp_path: Path):
    folder = tmp_path / "stick"
    folder.mkdir()
    with FileLock(folder / ".bundle.lock"):
        assert refusal(folder) == f"Another run is filling {folder}: wait until it has finished."


def test_a_folder_that_cannot_be_written_to_gets_a_sentence(
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "somewhere")

    monkeypatch.setattr(bundling.tempfile, "TemporaryDirectory", refuse)
    assert "cannot be written to (Read-only file system): name another folder." in refusal(tmp_path / "stick")
