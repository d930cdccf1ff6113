"""The list of commands, and how a command line is parsed and a command run."""

import argparse
import os
import re
import subprocess
import sys
from typing import Any

import pytest

from course_lib import cli
from tests.cli.workplace import ROOT

HELP_SHOWS_MORE = "`python3 course.py --help` shows what is possible"


def test_without_a_command_every_command_is_listed_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        cli.parse([])
    assert ended.value.code == 0
    lines = capsys.readouterr().out.partition("COMMAND\n")[2].splitlines()
    names = [re.fullmatch(r" {4}(\w+) {2,}[A-Z].+\.", line)[1] for line in lines]
    assert names == list(cli.COMMANDS)
    assert names[:4] == ["lab", "test", "doctor", "data"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["labb"], f"There is no command `labb`: choose among {', '.join(cli.COMMANDS)}."),
        ([""], f"There is no command ``: choose among {', '.join(cli.COMMANDS)}."),
        (["--lab"], f"The following arguments are required: COMMAND ({HELP_SHOWS_MORE})."),
        (["progress", "x"], f"Unrecognized arguments: x ({HELP_SHOWS_MORE})."),
        (["data", "--li"], f"Unrecognized arguments: --li ({HELP_SHOWS_MORE})."),
    ],
)
def test_a_wrong_command_line_gets_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
):
    with pytest.raises(SystemExit) as ended:
        cli.parse(words)
    assert ended.value.code == 2
    output, errors = capsys.readouterr()
    assert (output, errors.replace("py course.py", "python3 course.py")) == ("", f"✗ {sentence}\n")


@pytest.mark.parametrize("name", ["lab", "test"])
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--no-browser", "--port", "9999"],
        ["-k", "attention", "-x"],
        ["-h"],
        ["--help"],
        ["tests/cli", "--", "-q", "--"],
        ["--", "a"],
        ["-1", "", "a b", "--token=", "lab"],
    ],
)
def test_lab_and_test_pass_all_arguments_on_unchanged(name: str, words: list[str]):
    arguments = cli.parse([name, *words])
    assert (arguments.command, arguments.words) == (name, words)


def test_an_action_says_which_optional_dependencies_it_needs():
    assert cli.parse(["class", "grade", "01_attention"]).extras == ("class",)
    assert cli.parse(["class", "notes"]).extras == ()
    assert cli.parse(["test"]).extras == ("test",)


class Failing:
    """A command that raises an exception."""

    EXTRAS = ()

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        return

    def run(self, arguments: argparse.Namespace) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (cli.CommandError("It cannot be: do that."), 1, "✗ It cannot be: do that.\n"),
        (KeyboardInterrupt(), 130, "Stopped: run the same command again to continue.\n"),
    ],
)
def test_a_command_that_cannot_continue_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    said: str,
):
    monkeypatch.setitem(cli.COMMANDS, "failing", Failing(error))
    assert cli.main(["failing"]) == status
    assert capsys.readouterr() == ("", said)


def test_the_exit_status_of_a_command_is_passed_on(monkeypatch: pytest.MonkeyPatch):
    given = []
    monkeypatch.setattr(cli.reset, "run", lambda arguments: given.append(arguments.names) or 5)
    assert cli.main(["reset", "softmax", "linear"]) == 5
    assert given == [["softmax", "linear"]]


def start(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "course_lib.cli", *words], cwd=ROOT, check=False, **options)


@pytest.mark.skipif(os.name == "nt", reason="Windows reports a closed pipe as another error")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_reading_changes_neither_status_nor_errors(unbuffered: str):
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    try:
        # Without PYTHONUNBUFFERED, the pipe is only written to when the command ends.
        variables = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        ran = start("data", "--list", stdout=writing_end, stderr=subprocess.PIPE, env=variables)
    finally:
        os.close(writing_end)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_a_pipe_without_the_check_marks_letter_still_gets_the_text():
    variables = os.environ | {"PYTHONIOENCODING": "ascii"}
    ran = start("test", "--version", stdout=subprocess.PIPE, env=variables)
    assert ran.returncode == 0
    assert b"? The selected tests pass" in ran.stdout


def test_the_command_line_is_parsed_with_the_standard_library_alone():
    source = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from course_lib import cli; cli.parse(['progress'])"
    # -S leaves out the installed packages.
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", source], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
