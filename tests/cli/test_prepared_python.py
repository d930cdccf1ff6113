"""Pythons that somebody else prepared for the course, such as conda's: they are used as they are, without a `.venv`."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workplace import ROOT, Workplace, load_course, setup_error

PACKAGES = sysconfig.get_path("purelib")


def make_python(folder: Path, *paths: object) -> Path:
    """Make an environment that also finds what lies in these folders, and give its Python."""
    venv.create(folder, symlinks=os.name != "nt")
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    (site / "more.pth").write_text("\n".join(map(str, paths)), encoding="utf-8")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(python: Path, *words: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COURSE_VENV", "PYTHONPATH")}
    return subprocess.run(
        [str(python), str(cwd / "course.py"), *words],
        env=kept | {"PYTHONIOENCODING": "utf-8", "COURSE_WORK": str(python.parent / "work")} | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_python_that_has_the_whole_course_runs_it_and_says_so(tmp_path: Path):
    python = make_python(tmp_path / "conda", ROOT, PACKAGES)
    before = sorted(ROOT.glob(".venv*"))
    ran = run(python, "progress")
    assert ran.returncode == 0, ran.stderr
    assert "softmax" in ran.stdout
    assert ran.stderr == f"This Python has the whole course, and runs it: {python}\n"
    assert sorted(ROOT.glob(".venv*")) == before


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another folder with the course, in which nothing is installed."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("course.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "course_lib", folder / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_a_python_that_has_the_course_of_another_folder_does_not_count(tmp_path: Path, checkout: Path):
    python = make_python(tmp_path / "conda", ROOT, PACKAGES)
    ran = run(python, "doctor", cwd=checkout)
    assert ran.returncode == 1
    assert "because there is no .venv yet" in ran.stderr


def test_a_python_with_a_copy_of_the_course_among_its_packages_counts(tmp_path: Path, checkout: Path):
    python = make_python(tmp_path / "conda", PACKAGES)
    site = next((tmp_path / "conda").rglob("site-packages"))
    shutil.copytree(checkout / "course_lib", site / "course_lib")
    ran = run(python, "data", "--list", cwd=checkout)
    assert ran.returncode == 0, ran.stderr
    assert "This Python has the whole course" in ran.stderr


def test_a_python_without_the_course_starts_no_other_python_to_find_out(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
):
    course: Any = load_course(workplace.folder)
    workplace.change_project(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8").replace("transformer-course", "none")
    )
    monkeypatch.setattr(course, "ask_python", lambda *_: pytest.fail("another Python was started"))
    assert not course.this_python_has_the_course()


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        ({"missing": [], "course_lib": "{root}/course_lib/__init__.py"}, True),
        ({"missing": [], "course_lib": "{prefix}/lib/site-packages/course_lib/__init__.py"}, True),
        ({"missing": ["torch>=2.6,<2.14"], "course_lib": "{root}/course_lib/__init__.py"}, False),
        ({"missing": [], "course_lib": None}, False),
        ({"missing": [], "course_lib": "/elsewhere/course_lib/__init__.py"}, False),
        (None, False),
    ],
)
def test_all_packages_in_their_ranges_and_this_folders_course_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | None, counts: bool
):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    course: Any = load_course(tmp_path)
    if answer and answer["course_lib"]:
        place = answer["course_lib"].format(root=tmp_path.resolve(), prefix=sys.prefix)
        answer = answer | {"course_lib": place}
    monkeypatch.setattr(course, "ask_python", lambda python, needs: answer)
    assert course.this_python_has_the_course() == counts


def test_the_venv_of_the_course_does_not_count_since_it_is_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    course: Any = load_course(tmp_path)
    found = {"missing": [], "course_lib": str(tmp_path / "course_lib" / "__init__.py")}
    monkeypatch.setattr(course, "ask_python", lambda python, needs: found)
    monkeypatch.setattr(course, "running_in_venv", lambda: True)
    course.VENV.mkdir()
    course.MANIFEST.write_text("{}")
    assert not course.this_python_has_the_course()
    course.MANIFEST.unlink()
    (course.VENV / "theirs").touch()
    assert course.this_python_has_the_course()


def test_a_version_outside_its_range_is_missing(tmp_path: Path):
    course: Any = load_course(tmp_path)
    answer = course.ask_python(sys.executable, ["pytest>=1", "pytest>=99", "no-such-package", "pytest"])
    assert answer["missing"] == ["pytest>=99", "no-such-package"]
    assert answer["python"] == [*sys.version_info[:2]]


def test_a_command_that_needs_more_packages_says_how_to_install_them(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
):
    missing = {"missing": ["pytest>=8"], "course_lib": None}
    monkeypatch.setattr(workplace.course, "ask_python", lambda python, needs: missing)
    sentence = setup_error(
        workplace.course, lambda: workplace.course.require_packages("/conda/python", ("test",), "this Python")
    )
    assert sentence == (
        "The course does not run yet, because this Python lacks pytest in the versions that it needs: "
        f'run `"/conda/python" -m pip install --editable "{workplace.folder}[test]"`.'
    )


def test_the_doctor_of_an_environment_without_the_course_never_says_to_delete_one(tmp_path: Path):
    python = make_python(tmp_path / "theirs")
    ran = run(Path(sys.executable), "doctor", COURSE_VENV=str(tmp_path / "theirs"))
    assert ran.returncode == 1
    assert f'-m pip install --editable "{ROOT}"`' in ran.stdout
    assert str(python) in ran.stdout
    assert "delete" not in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    "command", [["progress"], ["lab", "--version"], ["data", "--list"], ["test", "--version"], ["reset"]]
)
def test_every_command_in_an_environment_without_the_course_says_what_it_lacks(tmp_path: Path, command: list[str]):
    python = make_python(tmp_path / "theirs")
    ran = run(Path(sys.executable), *command, COURSE_VENV=str(tmp_path / "theirs"))
    assert (ran.returncode, ran.stdout) == (1, "")
    (line,) = ran.stderr.splitlines()
    assert line.startswith(f"✗ The course does not run yet, because the Python that COURSE_VENV names, {python}, lacks")
    assert line.endswith(", or unset COURSE_VENV.")
