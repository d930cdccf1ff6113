"""Commands with closed streams, readers that leave, odd settings and read-only folders, as a learner types them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.cli import COMMANDS, __main__
from tests.cli.workplace import ROOT


def variables(folder: Path, **more: str) -> dict[str, str]:
    return os.environ | {"COURSE_VENV": sys.prefix, "COURSE_WORK": str(folder / "work"), **more}


def shell(folder: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `course` stands for course.py."""
    course = f'course() {{ "{sys.executable}" "{ROOT / "course.py"}" "$@"; }}; set -o pipefail; '
    return subprocess.run(
        ["bash", "-c", course + script],
        env=variables(folder, **more),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


needs_bash = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="bash is not installed")


@needs_bash
@pytest.mark.parametrize("words", ["data --list", "--help"])
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_change_neither_status_nor_errors(tmp_path: Path, words: str, closed: str):
    ran = shell(tmp_path, f"course {words} {closed}")
    assert (ran.returncode, ran.stderr) == (0, "")


@needs_bash
@pytest.mark.parametrize("words", ["progress", "data --list", "--help"])
def test_a_reader_that_leaves_changes_neither_status_nor_errors(tmp_path: Path, words: str):
    ran = shell(tmp_path, f"course {words} | head -n 1", PYTHONUNBUFFERED="1")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.splitlines()) == 1


@needs_bash
def test_a_command_that_fails_still_fails_when_its_reader_leaves(tmp_path: Path):
    ran = shell(
        tmp_path,
        "course data tales captions | head -n 0",
        COURSE_DATA=str(tmp_path / "empty"),
        COURSE_MIRROR="",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS="",
        HTTPS_PROXY="http://127.0.0.1:9",
        PYTHONUNBUFFERED="1",
    )
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["progress"], {"PYTHONOPTIMIZE": "2"}),
        (["progress"], {"MPLBACKEND": "nonsense"}),
        (["progress"], {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
        (["data", "--list"], {"PYTHONIOENCODING": "ascii"}),
        (["data", "--list"], {"PYTHONSAFEPATH": "1"}),
        (["data", "--list"], {"COLUMNS": "20", "TERM": "dumb"}),
    ],
    ids=str,
)
def test_odd_settings_do_not_stop_a_command(tmp_path: Path, words: list[str], settings: dict[str, str]):
    ran = subprocess.run(
        [sys.executable, str(ROOT / "course.py"), *words],
        env=variables(tmp_path, **settings),
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_the_help_is_whole_without_docstrings(tmp_path: Path):
    command = [sys.executable, "-OO", str(ROOT / "course.py"), "--help"]
    ran = subprocess.run(command, env=variables(tmp_path), capture_output=True, text=True, check=True)
    assert "Open your copies of the notebooks in JupyterLab" in ran.stdout


def test_asserts_in_notebooks_count_even_if_the_environment_says_otherwise(tmp_path: Path):
    script = "import os, sys; print(os.environ.get('PYTHONOPTIMIZE'), sys.flags.optimize)"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import course; "
        f"course.replace_process(sys.executable, '-c', {script!r})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=variables(tmp_path, PYTHONOPTIMIZE="2"), capture_output=True, check=True
    )
    assert ran.stdout.split() == [b"None", b"0"]


def test_a_checkout_whose_name_the_locale_cannot_write_works(tmp_path: Path):
    folder = tmp_path / "wörk работа"
    shutil.copytree(ROOT / "course_lib", folder / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "course.py", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words, venv, status in [(["data", "--list"], sys.prefix, 0), (["data"], str(folder / "none"), 1)]:
        ran = subprocess.run(
            [sys.executable, str(folder / "course.py"), *words],
            env=variables(folder, **ascii_only, COURSE_DATA=str(folder), COURSE_VENV=venv),
            capture_output=True,
            check=False,
        )
        assert ran.returncode == status, ran.stderr
        assert b"Traceback" not in ran.stderr


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A checkout that cannot be written to, and words that have to come before a command in it.

    Root may write everywhere, except to what is mounted to be read only.
    """
    folder = tmp_path / "checkout"
    names = ("__pycache__", ".git", "tests", "benchmarks", "tools", ".venv*", "my_course*", "my_transformer*")
    unread = shutil.ignore_patterns(*names)
    shutil.copytree(ROOT, folder, ignore=unread)
    if os.name != "nt" and os.geteuid() == 0:
        mount = f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}" && exec "$@"'
        before = ["unshare", "--mount", "sh", "-c", mount, "sh"]
        try:
            subprocess.run([*before, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("root may write everywhere, and nothing can be mounted here")
        yield folder, before
        return
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222)
    yield folder, []
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)


def test_commands_in_a_read_only_checkout_end_with_their_own_status(read_only: tuple[Path, list[str]]):
    folder, before = read_only
    kept = {name: value for name, value in os.environ.items() if name not in ("COURSE_WORK", "PYTHONPATH")}
    more = {"COURSE_VENV": sys.prefix, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(folder)}
    # Nothing can be moved aside there, which `reset` says, with the status of a failure.
    for words, status in {
        "progress": 0,
        "data --list": 0,
        "reset softmax": 1,
        "refresh": 1,
        "lab --version": 0,
    }.items():
        command = [*before, sys.executable, str(folder / "course.py"), *words.split()]
        ran = subprocess.run(command, env=kept | more, capture_output=True, encoding="utf-8", check=False)
        assert ran.returncode == status, (words, ran.stderr)
        assert "Traceback" not in ran.stderr


def test_an_installation_into_a_read_only_checkout_says_what_to_do(read_only: tuple[Path, list[str]]):
    folder, before = read_only
    kept = {name: value for name, value in os.environ.items() if name not in ("COURSE_VENV", "PYTHONPATH")}
    command = [*before, sys.executable, "-I", str(folder / "course.py"), "progress"]
    ran = subprocess.run(command, env=kept, capture_output=True, encoding="utf-8", check=False)
    assert ran.returncode == 1
    assert "✗ The course cannot change its own folder" in ran.stderr
    assert "move it to a folder that you own" in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("delay", [0.2, 0.4, 0.8, 1.6])
@pytest.mark.parametrize("words", [["doctor"], ["data", "--list"]], ids=" ".join)
def test_control_c_at_any_time_ends_with_a_sentence_or_after_the_command(
    tmp_path: Path, words: list[str], delay: float
):
    process = subprocess.Popen(
        # -S lets Python start sooner: before the first line of course.py, an interrupt is Python's own affair.
        [sys.executable, "-S", str(ROOT / "course.py"), *words],
        env=variables(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, 130, -signal.SIGINT), errors
    # With -S, Python does not say that it is that of an environment.
    said = [line for line in errors.splitlines() if not line.startswith("This Python has the whole course")]
    assert said in ([], ["Stopped: run the same command again to continue."])


def test_an_interrupt_while_the_commands_are_loaded_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(__main__, "let_the_reader_go", interrupt)
    assert __main__.run() == 130
    assert capsys.readouterr().err == "Stopped: run the same command again to continue.\n"


def test_every_command_has_a_help_that_begins_with_a_sentence():
    for command in COMMANDS.values():
        assert (command.__doc__ or "").partition("\n")[0].endswith(".")
