"""The command that runs a ready experiment, and shows the recorded answer beside its own."""

import json
from pathlib import Path

import pytest

from course_lib import cli
from course_lib.experiments import ready
from tests.experiments.small import study


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let every ready study be a small one, with an answer recorded for `heads` alone."""
    monkeypatch.setenv("COURSE_WORK", str(tmp_path))
    monkeypatch.setattr(ready, "ready", lambda name, seeds=2: study(name=name, seeds=range(seeds)))
    monkeypatch.setattr(ready, "RECORDED", tmp_path)
    results = study().run(workers=1, progress=False, folder=tmp_path / "answers")
    (tmp_path / "heads.json").write_text(ready.as_recorded(results, "a small machine", "2026-01-02", 1.25))


def test_without_a_name_all_are_listed(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["experiment"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name}: {about.question}" in printed for name, about in ready.READY.items())
    assert "Recorded with 2 seeds in 1.2 minutes of one thread (a small machine, 2026-01-02)." in printed
    assert "No answer was recorded." in printed


def test_an_experiment_is_run_and_answered_beside_the_recorded_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    assert cli.main(["experiment", "heads", "--seeds", "1", "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "On this computer:" in printed
    assert "wide against narrow, loss: " in printed
    assert "with a single seed, which cannot tell" in printed
    assert "Recorded with 2 seeds" in printed
    lines = (tmp_path / "experiments" / "heads" / "runs.jsonl").read_text().splitlines()
    assert {json.loads(line)["variant"] for line in lines} == {"narrow", "wide"}


def test_the_recorded_answer_alone_runs_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert cli.main(["experiment", "heads", "--recorded"]) == 0
    printed = capsys.readouterr().out
    assert "On this computer" not in printed
    assert "Recorded with 2 seeds" in printed
    assert not (tmp_path / "experiments").exists()
    assert cli.main(["experiment", "depth", "--recorded"]) == 0
    assert "No answer was recorded for this experiment." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["haeds"], "There is no experiment `haeds`: choose among heads, depth"),
        (["heads", "--seeds", "0"], "--seeds should be 1 or more, but is 0."),
        (["heads", "--workers", "-2"], "--workers should be 1 or more, but is -2."),
    ],
)
def test_a_wrong_command_is_answered_with_a_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["experiment", *words]) == 1
    assert said in capsys.readouterr().err
