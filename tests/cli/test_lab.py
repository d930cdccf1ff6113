"""How JupyterLab is started."""

import json
from pathlib import Path

import pytest
from jupyterlab.labapp import LabApp

from course_lib import cli
from course_lib.cli import lab
from course_lib.data import places
from tests.cli.workplace import ROOT

FIRST = "--LabApp.default_url=/lab/tree/00_start_here.ipynb"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a course that nobody has opened yet, with one small notebook."""
    monkeypatch.delenv("COURSE_WORK", raising=False)
    monkeypatch.setattr(places, "COURSE", tmp_path)
    (tmp_path / "notebooks").mkdir()
    update(tmp_path, "# 00")
    return tmp_path


def update(course: Path, *sources: str) -> None:
    """Change the notebook of the course."""
    cells = [{"cell_type": "markdown", "metadata": {}, "id": str(n), "source": each} for n, each in enumerate(sources)]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (course / "notebooks" / "00_start_here.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the words with which JupyterLab would have been started."""
    words: list[str] = []
    monkeypatch.setattr(LabApp, "launch_instance", words.extend)
    return words


def test_lab_opens_the_learners_copies_and_passes_further_arguments_on(
    course: Path, started: list[str], capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["lab", "--no-browser", "--port", "9999"]) == 0
    assert started == [f"--ServerApp.root_dir={course / 'my_course'}", FIRST, "--no-browser", "--port", "9999"]
    assert (course / "my_course" / "00_start_here.ipynb").is_file()
    assert (ROOT / "notebooks" / "00_start_here.ipynb").is_file()
    assert capsys.readouterr() == ("", "")


def test_with_original_the_committed_notebooks_are_opened_and_nothing_is_copied(course: Path, started: list[str]):
    assert cli.main(["lab", "--original", "--no-browser"]) == 0
    assert started == [f"--ServerApp.root_dir={course / 'notebooks'}", FIRST, "--no-browser"]
    assert not (course / "my_course").exists()


@pytest.mark.parametrize("word", ["--version", "--help", "-h", "--generate-config"])
def test_nothing_is_copied_where_jupyterlab_only_prints_something(course: Path, started: list[str], word: str):
    assert cli.main(["lab", word]) == 0
    assert started[-1] == word
    assert not (course / "my_course").exists()


def test_the_parts_of_an_earlier_edition_are_brought_along(
    course: Path, started: list[str], capsys: pytest.CaptureFixture[str]
):
    (course / "my_transformer").mkdir()
    (course / "my_transformer" / "softmax.py").write_text("mine")
    assert cli.main(["lab"]) == 0
    assert capsys.readouterr() == ("Your parts are in my_course/my_transformer now.\n", "")
    assert (course / "my_course" / "my_transformer" / "softmax.py").read_text() == "mine"


def test_an_update_replaces_an_untouched_copy_in_silence_and_announces_what_stays(
    course: Path, started: list[str], capsys: pytest.CaptureFixture[str]
):
    copy = course / "my_course" / "00_start_here.ipynb"
    cli.main(["lab"])
    update(course, "# 00", "newer")
    cli.main(["lab"])
    assert capsys.readouterr() == ("", "")
    assert "newer" in copy.read_text(encoding="utf-8")
    copy.write_text(copy.read_text(encoding="utf-8").replace("# 00", "# 00, mine"), encoding="utf-8")
    cli.main(["lab"])
    assert capsys.readouterr() == ("", "")
    update(course, "# 00", "newest")
    cli.main(["lab"])
    said, errors = capsys.readouterr()
    assert said.startswith("The course has a newer version of 00_start_here: `")
    assert errors == ""
    assert len(said.splitlines()) == 1


def test_a_file_in_the_way_is_said_and_does_no_harm(
    course: Path, started: list[str], capsys: pytest.CaptureFixture[str]
):
    (course / "my_course").mkdir()
    (course / "my_course" / "00_start_here.ipynb").write_text("{")
    assert cli.main(["lab"]) == 0
    assert started[0] == f"--ServerApp.root_dir={course / 'my_course'}"
    assert capsys.readouterr().err.startswith("Warning: my_course/00_start_here.ipynb stays as it is, because it is no")


def test_where_no_copy_can_be_made_the_courses_own_notebooks_are_opened(
    course: Path, started: list[str], capsys: pytest.CaptureFixture[str]
):
    (course / "my_course").write_text("a file stands in the folder's place")
    (course / "my_transformer").mkdir()
    assert cli.main(["lab"]) == 0
    assert started[0] == f"--ServerApp.root_dir={course / 'notebooks'}"
    said, errors = capsys.readouterr()
    assert said == ""
    lines = errors.splitlines()
    assert lines[0].startswith("Warning: Your parts stay in my_transformer, because my_course cannot be written to (")
    assert lines[1].startswith("Warning: Your notebooks are not brought up to date, because my_course cannot be wr")
    assert lines[2] == "Warning: You have no copies, so the course's own notebooks are opened."
    assert len(lines) == 3


OPEN = "other computers can reach this JupyterLab"
NO_TOKEN = "With an empty token JupyterLab lets everybody in"
NO_PASSWORD = "An empty password is no password"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ip=0.0.0.0"], [OPEN]),
        (["--ip", "0.0.0.0"], [OPEN]),
        (["--ip=*"], [OPEN]),
        (["--ip="], [OPEN]),
        (["--ip=::"], [OPEN]),
        (["--ServerApp.ip=192.168.1.7"], [OPEN]),
        (["--ServerApp.ip='0.0.0.0'"], [OPEN]),
        (["--ip=my-computer.local"], [OPEN]),
        (["--IdentityProvider.token="], [NO_TOKEN]),
        (["--ServerApp.token=''"], [NO_TOKEN]),
        (["--NotebookApp.token", ""], [NO_TOKEN]),
        (["--ip=0.0.0.0", "--ServerApp.token=", "--ServerApp.password="], [OPEN, NO_TOKEN]),
        (["--ServerApp.password="], [NO_PASSWORD]),
        (["--PasswordIdentityProvider.hashed_password=''"], [NO_PASSWORD]),
        (["--ServerApp.token=", "--ServerApp.password=argon2:x"], []),
        (["--ip=127.0.0.1"], []),
        (["--ip=127.1.2.3", "--no-browser"], []),
        (["--ip=::1"], []),
        (["--ip=localhost", "--port=9999"], []),
        (["--IdentityProvider.token=secret"], []),
        (["--port", "9999", "ip=0.0.0.0"], []),
        ([], []),
    ],
)
def test_options_that_let_others_in_are_announced_with_what_they_mean(words: list[str], said: list[str]):
    warnings = lab.warnings(words, {})
    assert [part for part in (OPEN, NO_TOKEN, NO_PASSWORD) if part in " ".join(warnings)] == said
    assert len(warnings) == len(said)


def test_an_empty_token_in_the_environment_is_announced_unless_an_option_overrides_it():
    assert NO_TOKEN in lab.warnings([], {"JUPYTER_TOKEN": ""})[0]
    assert lab.warnings(["--IdentityProvider.token=secret"], {"JUPYTER_TOKEN": ""}) == []
    assert lab.warnings([], {"JUPYTER_TOKEN": "secret"}) == []


def test_the_warning_is_given_before_jupyterlab_starts(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(LabApp, "launch_instance", lambda words: print("started"))
    assert cli.main(["lab", "--ip=0.0.0.0"]) == 0
    output, errors = capsys.readouterr()
    assert output == "started\n"
    assert errors.startswith("Warning: Through the address '0.0.0.0' other computers")
    assert "To be safe, leave the option out" in errors
