"""When `.venv` is made, kept, brought up to date or made anew, and when pip is called."""

import functools
import json
import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.course.workplace import PYPROJECT, Workplace, load_door, stopped


def test_the_first_start_makes_the_folder_and_the_second_calls_no_pip(place: Workplace):
    place.door.prepare()
    look, install = place.pip_calls
    assert look[-1] == "torch>=2.6,<2.14"
    assert "--dry-run" in look
    assert install[-2:] == ["--editable", "."]
    assert place.door.is_ready(())
    place.door.prepare()
    assert (place.venvs, len(place.pip_calls)) == (1, 2)


def test_an_extra_is_added_to_the_same_folder_and_stays(place: Workplace):
    place.door.prepare()
    place.door.prepare("test")
    assert place.pip_calls[-1][-1] == ".[test]"
    place.door.prepare()
    place.change_project(PYPROJECT.replace("anywidget>=0.9", "anywidget>=0.10"))
    place.door.prepare()
    assert place.pip_calls[-1][-1] == ".[test]"
    assert (place.venvs, len(place.pip_calls)) == (1, 6)


def test_only_what_pip_reads_in_pyproject_makes_it_install_anew(place: Workplace):
    place.door.prepare()
    place.change_project(PYPROJECT.replace("line-length = 120", "line-length = 100"))
    assert place.door.is_ready(())
    place.change_project(PYPROJECT.replace("<2.14", "<2.15"))
    assert not place.door.is_ready(())


def test_a_package_that_went_missing_is_installed_again(place: Workplace):
    place.door.prepare()
    shutil.rmtree(place.note("torch"))
    assert not place.door.is_ready(())
    place.door.prepare()
    assert (place.venvs, place.door.is_ready(())) == (1, True)


def remove_python(place: Workplace) -> None:
    place.door.PYTHON.unlink()


def break_python(place: Workplace) -> None:
    place.door.PYTHON.unlink()
    place.door.PYTHON.write_text("nonsense")
    place.door.PYTHON.chmod(0o755)


def remove_pip(place: Workplace) -> None:
    shutil.rmtree(place.note("pip"))


def empty_mark(place: Workplace) -> None:
    place.door.MARK.write_text("")


def cut_mark(place: Workplace) -> None:
    place.door.MARK.write_text(place.door.MARK.read_text()[:20])


def change_mark(place: Workplace, **changes: Any) -> None:
    place.door.MARK.write_text(json.dumps(json.loads(place.door.MARK.read_text()) | changes))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (remove_python, "does not start"),
        (break_python, "does not start"),
        (remove_pip, "the pip in it is gone"),
        (empty_mark, "left half-made"),
        (cut_mark, "left half-made"),
        (functools.partial(change_mark, folder="/elsewhere/.venv"), "moved from another folder"),
        (functools.partial(change_mark, python=[3, 9]), "has become another one"),
        (functools.partial(change_mark, format=0), "another version of the course"),
    ],
)
def test_a_broken_folder_is_noticed_and_made_anew(
    place: Workplace, capsys: pytest.CaptureFixture[str], harm: Callable[[Workplace], None], reason: str
):
    place.door.prepare()
    (place.door.VENV / "left-over").mkdir()
    (place.door.VENV / "left-over.txt").touch()
    harm(place)
    capsys.readouterr()
    place.door.prepare()
    assert reason in capsys.readouterr().out.splitlines()[0]
    assert place.venvs == 2
    assert place.door.is_ready(())
    assert list(place.door.VENV.glob("left-over*")) == []
    assert list(place.folder.glob(".venv.set-aside-*")) == []


def test_a_python_of_the_folder_that_is_now_too_new_is_noticed(place: Workplace, monkeypatch: pytest.MonkeyPatch):
    place.door.prepare()
    monkeypatch.setattr(place.door, "OLDEST", (3, 98))
    monkeypatch.setattr(place.door, "NEWEST", (3, 99))
    assert place.door.why_unusable() == "the Python in it has become another one"


def learners_venv(path: Path) -> None:
    venv.create(path, symlinks=os.name != "nt")
    (path / "precious").write_text("mine")


def learners_folder(path: Path) -> None:
    path.mkdir()
    (path / "precious").write_text("mine")


def learners_file(path: Path) -> None:
    path.write_text("mine")


@pytest.mark.parametrize("make", [learners_venv, learners_folder, learners_file])
def test_what_the_course_did_not_make_is_kept_aside_and_the_course_goes_on(
    place: Workplace, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
):
    make(place.door.VENV)
    assert place.door.why_unusable() == "the one there was not made by the course"
    place.door.prepare()
    (kept,) = place.folder.glob(".venv.set-aside-*/.venv")
    assert (kept / "precious" if kept.is_dir() else kept).read_text() == "mine"
    assert f"What was there is kept as {kept.relative_to(place.folder)}." in capsys.readouterr().out
    assert place.door.is_ready(())


def test_an_empty_folder_is_used_as_it_is(place: Workplace):
    place.door.VENV.mkdir()
    place.door.prepare()
    assert place.door.is_ready(())
    assert list(place.folder.glob(".venv.set-aside-*")) == []


@pytest.mark.parametrize("installed_before", [False, True])
def test_an_installation_that_was_killed_is_begun_anew(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, installed_before: bool
):
    def killed_in_pip(words: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        if "--editable" in words:
            raise KeyboardInterrupt
        return place.run(words, **options)

    if installed_before:
        place.door.prepare()
    monkeypatch.setattr(place.door.subprocess, "run", killed_in_pip)
    with pytest.raises(KeyboardInterrupt):
        place.door.prepare("test")
    assert place.door.why_unusable() == "the one there was left half-made"


def test_an_update_that_pip_gives_up_leaves_the_former_installation_in_place(place: Workplace):
    place.door.prepare()
    place.complaint = "ERROR: No matching distribution found for nonsense"
    sentence = stopped(place.door, lambda: place.door.prepare("test"))
    assert sentence == (
        "The installation failed, and the last that was heard is: ERROR: No matching distribution found for nonsense."
    )
    assert place.door.why_unusable() is None
    assert place.door.is_ready(())


def test_two_installations_at_once_are_refused(place: Workplace):
    with place.door.alone():
        sentence = stopped(place.door, place.door.prepare)
    assert sentence == "Another course.py is installing: wait until it is done, then try again."
    place.door.prepare()


def test_the_python_inside_the_folder_does_not_delete_itself(place: Workplace, monkeypatch: pytest.MonkeyPatch):
    place.door.prepare()
    empty_mark(place)
    monkeypatch.setattr(place.door, "inside", lambda: True)
    assert "run `deactivate`, then try again" in stopped(place.door, place.door.prepare)
    assert place.door.PYTHON.exists()


def test_a_borrowed_environment_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    venv.create(tmp_path / "theirs", symlinks=os.name != "nt")
    before = sorted((tmp_path / "theirs").rglob("*"))
    monkeypatch.setenv("COURSE_VENV", str(tmp_path / "theirs"))
    door: Any = load_door(tmp_path)
    door.prepare("test")
    assert door.why_unusable() is None
    assert sorted((tmp_path / "theirs").rglob("*")) == before


def test_a_borrowed_environment_without_python_is_refused_and_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "theirs").mkdir()
    monkeypatch.setenv("COURSE_VENV", str(tmp_path / "theirs"))
    door: Any = load_door(tmp_path)
    sentence = stopped(door, door.prepare)
    assert f"no Python starts in {tmp_path / 'theirs'}, which COURSE_VENV names: correct it, or unset it." in sentence
    assert list((tmp_path / "theirs").iterdir()) == []
