"""The checks that `course.py test` runs, and its report on them."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from course_lib import cli
from tests.cli.workplace import ROOT

IN_ORDER = ["--dist=loadfile", "--no-loadscope-reorder"]


def run_checks(monkeypatch: pytest.MonkeyPatch, failing: str, *words: str) -> tuple[int, list[list[str]]]:
    """Run `course.py test` when every check but one passes; give its exit status and the checks that ran."""
    ran = []

    def run(command: list[str], cwd: Any) -> SimpleNamespace:
        assert (command[:2], cwd) == ([sys.executable, "-m"], ROOT)
        ran.append(command[2:])
        return SimpleNamespace(returncode=3 * (command[2] == failing))

    monkeypatch.setattr(cli.test.subprocess, "run", run)
    return cli.main(["test", *words]), ran


def test_test_runs_every_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(cli.test.os, "cpu_count", lambda: 2)
    status, ran = run_checks(monkeypatch, "nothing")
    tests = ["pytest", "--numprocesses=3", *IN_ORDER]
    assert (status, ran) == (0, [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], tests])
    assert capsys.readouterr().out.splitlines()[-1] == "✓ Every check passes."


@pytest.mark.parametrize(("cores", "processes"), [(None, 2), (1, 2), (16, 4)])
def test_tests_run_in_one_process_more_than_there_are_cores_and_four_at_most(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, processes: int
):
    monkeypatch.setattr(cli.test.os, "cpu_count", lambda: cores)
    _, ran = run_checks(monkeypatch, "nothing")
    assert f"--numprocesses={processes}" in ran[-1]


@pytest.mark.parametrize(
    ("failing", "named"),
    [("ruff", "style and the layout"), ("mypy", "types"), ("pytest", "tests")],
)
def test_one_check_that_fails_fails_the_command_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: str, named: str
):
    status, ran = run_checks(monkeypatch, failing)
    assert (status, len(ran)) == (1, 4)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"✗ Not everything passes: see the output for the {named} above."


def test_with_further_arguments_only_pytest_runs_and_gets_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    status, ran = run_checks(monkeypatch, "nothing", "-k", "attention")
    assert (status, ran) == (0, [["pytest", "-k", "attention"]])
    assert "✓ The selected tests pass" in capsys.readouterr().out


def test_chosen_tests_that_fail_fail_the_command(monkeypatch: pytest.MonkeyPatch):
    status, ran = run_checks(monkeypatch, "pytest", "-x")
    assert (status, ran) == (1, [["pytest", "-x"]])
