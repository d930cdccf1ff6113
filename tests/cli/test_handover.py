"""How course.py checks the command line, prepares `.venv`, and passes the command on to the Python in it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib.cli import COMMANDS
from tests.cli.workplace import ROOT, Workplace, setup_error


@pytest.fixture
def events(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Record preparations and commands instead of running them; every command ends with status 7."""
    events = []
    monkeypatch.setattr(workplace.course, "prepare_venv", lambda *extras: events.append(("prepared", *extras)))
    monkeypatch.setattr(workplace.course, "replace_process", lambda *words: events.append(words) or 7)
    return events


@pytest.mark.parametrize(
    ("words", "extras"),
    [
        (["lab", "--no-browser", "--port", "9999"], ()),
        (["test", "-k", "attention"], ("test",)),
        (["data", "tales", "--list"], ()),
        (["progress"], ()),
        (["reset", "softmax"], ()),
    ],
)
def test_a_command_gets_its_extras_installed_and_runs_in_the_python_of_the_venv(
    workplace: Workplace, events: list[tuple[str, ...]], words: list[str], extras: tuple[str, ...]
):
    assert workplace.course.main(words) == 7
    assert events == [("prepared", *extras), (str(workplace.course.PYTHON), "-m", "course_lib.cli", *words)]


@pytest.mark.parametrize("words", [[], ["help"], ["-h"], ["--help"], ["data", "--help"]])
def test_help_needs_no_installation(
    workplace: Workplace, events: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str], words: list[str]
):
    with pytest.raises(SystemExit) as ended:
        workplace.course.main(words)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: py")
    assert events == []


@pytest.mark.parametrize("words", [["labb"], ["--lab"], ["progress", "softmax"], ["data", "--lsit"]])
def test_a_wrong_command_line_is_refused_before_anything_is_installed(
    workplace: Workplace, events: list[tuple[str, ...]], words: list[str]
):
    with pytest.raises(SystemExit) as ended:
        workplace.course.main(words)
    assert ended.value.code == 2
    assert events == []


def test_the_doctor_says_what_to_run_if_the_course_is_not_installed(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
):
    assert workplace.course.main(["doctor"]) == 1
    said = capsys.readouterr().err
    expected = r"✗ The course is not installed, because there is no \.venv yet: run `py(thon3)? course\.py lab`\.\n"
    assert re.fullmatch(expected, said)
    assert not workplace.course.VENV.exists()


def test_the_doctor_examines_the_venv_and_does_not_change_it(workplace: Workplace, monkeypatch: pytest.MonkeyPatch):
    started = []
    workplace.course.prepare_venv()
    workplace.change_project((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert not workplace.course.is_ready(())
    calls_before = len(workplace.pip_calls)
    monkeypatch.setattr(workplace.course, "replace_process", lambda *words: started.extend(words) or 7)
    assert workplace.course.main(["doctor"]) == 7
    assert started == [str(workplace.course.PYTHON), "-m", "course_lib.cli", "doctor"]
    assert len(workplace.pip_calls) == calls_before


def test_an_unsupported_computer_gets_one_line_on_standard_error(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(workplace.course, "why_unsupported", lambda *facts: "It cannot be: do that.")
    assert workplace.course.main(["lab"]) == 1
    assert capsys.readouterr() == ("", "✗ It cannot be: do that.\n")


def test_control_c_during_an_installation_ends_with_a_sentence(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted(*extras: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workplace.course, "prepare_venv", interrupted)
    assert workplace.course.main(["lab"]) == 130
    assert capsys.readouterr().err == "Stopped: run the same command again to continue.\n"


def test_an_old_python_is_told_what_to_do_before_it_imports_newer_code(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(workplace.course, "OLDEST", (3, 98))
    monkeypatch.setattr(workplace.course, "NEWEST", (3, 99))
    monkeypatch.setitem(sys.modules, "course_lib", None)  # Importing it raises an error.
    assert workplace.course.main([]) == 1
    assert "but this is Python 3." in capsys.readouterr().err


def test_course_py_needs_only_the_standard_library_and_works_from_any_folder(tmp_path: Path):
    # -S leaves out the installed packages, and -I the folders in the environment and that of the script.
    command = [sys.executable, "-I", "-S", str(ROOT / "course.py"), "--help"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Open your copies of the notebooks in JupyterLab" in ran.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot replace a process")
def test_the_command_replaces_course_py_in_the_folder_of_the_course(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    replaced = []
    monkeypatch.setattr(workplace.course.os, "execv", lambda *words: replaced.append((*words, Path.cwd())))
    monkeypatch.setattr(workplace.course.subprocess, "Popen", lambda words: SimpleNamespace(wait=lambda: 0))
    monkeypatch.setattr(workplace.course.signal, "signal", lambda *settings: None)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    workplace.course.replace_process("python", "-m", "course_lib.cli")
    assert replaced == [("python", ("python", "-m", "course_lib.cli"), workplace.folder.resolve())]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_command_runs_from_the_terminal_and_its_status_is_passed_on(tmp_path: Path):
    command = [sys.executable, str(ROOT / "course.py"), "test"]
    variables = os.environ | {"COURSE_VENV": sys.prefix, "PYTHONIOENCODING": "utf-8"}
    for words, status in [(["--version"], 0), (["--no-such-option"], 1)]:
        ran = subprocess.run([*command, *words], cwd=tmp_path, env=variables, capture_output=True, check=False)
        assert ran.returncode == status, ran.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_the_extras_of_each_command_are_those_of_pyproject(workplace: Workplace, name: str):
    workplace.change_project((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = workplace.course.read_pyproject()["project"]["optional-dependencies"]
    assert set(COMMANDS[name].EXTRAS) <= extras.keys()


def test_a_prepared_environment_that_does_not_start_is_named(workplace: Workplace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workplace.course, "PREPARED_VENV", "theirs")
    monkeypatch.setattr(workplace.course, "VENV", Path("theirs"))
    sentence = setup_error(workplace.course, workplace.course.require_venv)
    assert sentence.endswith("no Python starts in theirs, which COURSE_VENV names: correct COURSE_VENV or unset it.")
