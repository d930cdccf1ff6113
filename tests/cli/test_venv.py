"""When `.venv` is made, kept, updated or made again, and when pip is called."""

import functools
import json
import os
import shutil
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workplace import PYPROJECT, Workplace, load_course, setup_error


def test_the_first_start_makes_the_venv_and_the_second_does_not_call_pip(workplace: Workplace):
    workplace.course.prepare_venv()
    (install,) = workplace.pip_calls
    assert install[-2:] == ["--editable", "."]
    assert workplace.course.is_ready(())
    workplace.course.prepare_venv()
    assert (workplace.venvs, len(workplace.pip_calls)) == (1, 1)


def test_a_pip_before_23_1_builds_a_package_without_a_wheel_as_a_later_one_does(workplace: Workplace):
    workplace.course.prepare_venv()
    assert "--use-pep517" in workplace.pip_calls[0]


def test_an_extra_is_added_to_the_same_venv_and_remains_installed(workplace: Workplace):
    workplace.course.prepare_venv()
    workplace.course.prepare_venv("test")
    assert workplace.pip_calls[-1][-1] == ".[test]"
    workplace.course.prepare_venv()
    workplace.change_project(PYPROJECT.replace("anywidget>=0.9", "anywidget>=0.10"))
    workplace.course.prepare_venv()
    assert workplace.pip_calls[-1][-1] == ".[test]"
    assert (workplace.venvs, len(workplace.pip_calls)) == (1, 3)


def test_only_a_change_to_the_parts_of_pyproject_that_pip_reads_needs_an_installation(workplace: Workplace):
    workplace.course.prepare_venv()
    workplace.change_project(PYPROJECT.replace("line-length = 120", "line-length = 100"))
    assert workplace.course.is_ready(())
    workplace.change_project(PYPROJECT.replace("<2.14", "<2.15"))
    assert not workplace.course.is_ready(())


def test_a_package_that_disappeared_is_installed_again(workplace: Workplace):
    workplace.course.prepare_venv()
    shutil.rmtree(workplace.note("torch"))
    assert not workplace.course.is_ready(())
    workplace.course.prepare_venv()
    assert (workplace.venvs, workplace.course.is_ready(())) == (1, True)


def remove_python(workplace: Workplace) -> None:
    workplace.course.PYTHON.unlink()


def break_python(workplace: Workplace) -> None:
    workplace.course.PYTHON.unlink()
    workplace.course.PYTHON.write_text("nonsense")
    workplace.course.PYTHON.chmod(0o755)


def remove_pip(workplace: Workplace) -> None:
    shutil.rmtree(workplace.note("pip"))


def empty_manifest(workplace: Workplace) -> None:
    workplace.course.MANIFEST.write_text("")


def cut_manifest(workplace: Workplace) -> None:
    workplace.course.MANIFEST.write_text(workplace.course.MANIFEST.read_text()[:20])


def write_manifest(text: str, workplace: Workplace) -> None:
    workplace.course.MANIFEST.write_text(text, encoding="latin-1")


def change_manifest(workplace: Workplace, **changes: Any) -> None:
    workplace.course.MANIFEST.write_text(json.dumps(json.loads(workplace.course.MANIFEST.read_text()) | changes))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (remove_python, "does not start"),
        (break_python, "does not start"),
        (remove_pip, "pip is missing from .venv"),
        (empty_manifest, "installation did not finish"),
        (cut_manifest, "installation did not finish"),
        (functools.partial(write_manifest, "[]"), "installation did not finish"),
        (functools.partial(write_manifest, '"done"'), "installation did not finish"),
        (functools.partial(write_manifest, "null"), "installation did not finish"),
        (functools.partial(write_manifest, '{"format": 1}'), "installation did not finish"),
        (functools.partial(write_manifest, "[" * 100_000), "installation did not finish"),
        (functools.partial(write_manifest, "caf\xe9"), "installation did not finish"),
        (functools.partial(change_manifest, extras=[["test"]]), "installation did not finish"),
        (functools.partial(change_manifest, python="3.11"), "installation did not finish"),
        (functools.partial(change_manifest, folder="/elsewhere/.venv"), "moved from another folder"),
        (functools.partial(change_manifest, python=[3, 9]), "version of the Python in .venv has changed"),
        (functools.partial(change_manifest, format=0), "another version of the course"),
    ],
)
def test_a_broken_venv_is_noticed_and_made_again(
    workplace: Workplace, capsys: pytest.CaptureFixture[str], harm: Callable[[Workplace], None], reason: str
):
    workplace.course.prepare_venv()
    (workplace.course.VENV / "left-over").mkdir()
    (workplace.course.VENV / "left-over.txt").touch()
    harm(workplace)
    capsys.readouterr()
    workplace.course.prepare_venv()
    assert reason in capsys.readouterr().out.splitlines()[0]
    assert workplace.venvs == 2
    assert workplace.course.is_ready(())
    assert list(workplace.course.VENV.glob("left-over*")) == []
    assert list(workplace.folder.glob(".venv.set-aside-*")) == []


def test_a_python_in_the_venv_that_is_no_longer_supported_is_noticed(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
):
    workplace.course.prepare_venv()
    monkeypatch.setattr(workplace.course, "OLDEST", (3, 98))
    monkeypatch.setattr(workplace.course, "NEWEST", (3, 99))
    assert workplace.course.why_unusable() == "the version of the Python in .venv has changed"


def learners_venv(path: Path) -> None:
    venv.create(path, symlinks=os.name != "nt")
    (path / "precious").write_text("mine")


def learners_folder(path: Path) -> None:
    path.mkdir()
    (path / "precious").write_text("mine")


def learners_file(path: Path) -> None:
    path.write_text("mine")


@pytest.mark.parametrize("make", [learners_venv, learners_folder, learners_file])
def test_a_venv_that_the_course_did_not_make_is_kept_aside_and_the_installation_continues(
    workplace: Workplace, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
):
    make(workplace.course.VENV)
    assert workplace.course.why_unusable() == "the present .venv was not made by the course"
    workplace.course.prepare_venv()
    (set_aside,) = workplace.folder.glob(".venv.set-aside-*/.venv")
    assert (set_aside / "precious" if set_aside.is_dir() else set_aside).read_text() == "mine"
    assert f"The present .venv is kept as {set_aside.relative_to(workplace.folder)}." in capsys.readouterr().out
    assert workplace.course.is_ready(())


@pytest.mark.skipif(os.name == "nt", reason="Windows needs a permission to make links")
def test_a_link_to_the_environment_of_another_folder_is_replaced_and_that_environment_stays(workplace: Workplace):
    workplace.course.prepare_venv()
    theirs = workplace.folder / "other-course" / ".venv"
    theirs.parent.mkdir()
    workplace.course.VENV.rename(theirs)
    manifest = json.loads((theirs / "made-by-course.json").read_text(encoding="utf-8")) | {"folder": str(theirs)}
    (theirs / "made-by-course.json").write_text(json.dumps(manifest), encoding="utf-8")
    before = {path: path.lstat().st_mtime_ns for path in theirs.rglob("*")}
    workplace.course.VENV.symlink_to(theirs, target_is_directory=True)
    assert workplace.course.why_unusable() == "the course was moved from another folder"
    workplace.course.prepare_venv()
    assert {path: path.lstat().st_mtime_ns for path in theirs.rglob("*")} == before
    assert not workplace.course.VENV.is_symlink()
    assert workplace.course.is_ready(())


def test_an_empty_folder_becomes_the_venv(workplace: Workplace):
    workplace.course.VENV.mkdir()
    workplace.course.prepare_venv()
    assert workplace.course.is_ready(())
    assert list(workplace.folder.glob(".venv.set-aside-*")) == []


@pytest.mark.parametrize("installed_before", [False, True])
def test_an_installation_that_was_killed_starts_again(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, installed_before: bool
):
    def killed_in_pip(*words: str) -> int:
        raise KeyboardInterrupt

    if installed_before:
        workplace.course.prepare_venv()
    monkeypatch.setattr(workplace.course, "run_pip", killed_in_pip)
    with pytest.raises(KeyboardInterrupt):
        workplace.course.prepare_venv("test")
    assert workplace.course.why_unusable() == "the last installation did not finish"


def test_an_update_that_pip_gives_up_leaves_the_earlier_installation_in_place(workplace: Workplace):
    workplace.course.prepare_venv()
    workplace.pip_error = "ERROR: No matching distribution found for nonsense"
    sentence = setup_error(workplace.course, lambda: workplace.course.prepare_venv("test"))
    assert sentence == (
        "The installation failed, because pip's package index does not have nonsense for this computer: use another "
        "index, then run the same command again."
    )
    assert workplace.course.why_unusable() is None
    assert workplace.course.is_ready(())


def test_two_installations_at_once_are_refused(workplace: Workplace):
    with workplace.course.exclusive_lock():
        sentence = setup_error(workplace.course, workplace.course.prepare_venv)
    assert sentence == "Another course.py is installing: wait until it has finished, then retry."
    workplace.course.prepare_venv()


def test_the_python_in_the_venv_does_not_delete_itself(workplace: Workplace, monkeypatch: pytest.MonkeyPatch):
    workplace.course.prepare_venv()
    empty_manifest(workplace)
    monkeypatch.setattr(workplace.course, "running_in_venv", lambda: True)
    assert "run `deactivate`, then retry" in setup_error(workplace.course, workplace.course.prepare_venv)
    assert workplace.course.PYTHON.exists()


def make_environment(folder: Path, *packages: str) -> Path:
    """Make a Python environment elsewhere, in which these packages seem to be installed."""
    venv.create(folder, symlinks=os.name != "nt")
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    for package in packages:
        (site / f"{package}-1.dist-info").mkdir()
        (site / f"{package}-1.dist-info" / "METADATA").write_text(f"Name: {package}\nVersion: 1\n")
    return folder


def test_a_prepared_environment_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Workplace(tmp_path)
    theirs = make_environment(tmp_path / "theirs", "transformer_course", "torch", "anywidget", "pytest")
    before = sorted((tmp_path / "theirs").rglob("*"))
    monkeypatch.setenv("COURSE_VENV", str(tmp_path / "theirs"))
    course: Any = load_course(tmp_path)
    course.prepare_venv("test")
    assert course.why_unusable() is None
    assert sorted(theirs.rglob("*")) == before


@pytest.mark.parametrize(
    ("installed", "extras", "lacks", "what"),
    [
        ([], (), "lacks transformer-course, torch, anywidget in", ""),
        (["transformer_course", "torch"], (), "lacks anywidget in", ""),
        (["transformer_course", "torch", "anywidget"], ("test",), "lacks pytest in", "[test]"),
    ],
)
def test_a_prepared_environment_that_lacks_packages_is_told_how_to_get_them_and_not_changed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: list[str],
    extras: tuple[str, ...],
    lacks: str,
    what: str,
):
    Workplace(tmp_path)
    theirs = make_environment(tmp_path / "theirs", *installed)
    before = sorted(theirs.rglob("*"))
    monkeypatch.setenv("COURSE_VENV", str(theirs))
    course: Any = load_course(tmp_path)
    sentence = setup_error(course, lambda: course.prepare_venv(*extras))
    assert sentence.startswith(
        f"The course does not run yet, because the Python that COURSE_VENV names, {course.PYTHON},"
    )
    assert lacks in sentence
    assert f'run `"{course.PYTHON}" -m pip install --editable "{tmp_path}{what}"`, or unset COURSE_VENV.' in sentence
    assert sorted(theirs.rglob("*")) == before
    course.require_venv()  # The doctor may examine it.


def test_a_prepared_environment_without_python_is_refused_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "theirs").mkdir()
    monkeypatch.setenv("COURSE_VENV", str(tmp_path / "theirs"))
    course: Any = load_course(tmp_path)
    sentence = setup_error(course, course.prepare_venv)
    assert sentence == (
        f"The course is not installed, because no Python starts in {tmp_path / 'theirs'}, which COURSE_VENV names: "
        "correct COURSE_VENV or unset it."
    )
    assert list((tmp_path / "theirs").iterdir()) == []


def test_jupyterlab_is_told_neither_to_ask_about_news_nor_to_look_for_updates(workplace: Workplace):
    workplace.course.prepare_venv()
    settings = workplace.course.VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    told = json.loads(settings.read_text(encoding="utf-8"))["@jupyterlab/apputils-extension:notification"]
    assert told == {"fetchNews": "false", "checkForUpdates": False}
