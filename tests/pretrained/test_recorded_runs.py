"""Recipes that can be stopped and continued: what is done is kept, and never made again."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from course_lib.learning.descriptions import describe_machine
from course_lib.pretrained import recorded_runs
from course_lib.pretrained.recorded_runs import complete, lines_of, made_here


@dataclass(frozen=True)
class Made:
    """A run."""

    seed: int
    loss: float


def make(seed: int) -> Made:
    return Made(seed, seed / 10)


def seed_of(made: Made) -> int:
    return made.seed


def test_what_is_missing_is_made_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = tmp_path / "part.jsonl"
    assert complete([], [1, 2], seed_of, make, part) == [Made(1, 0.1), Made(2, 0.2)]
    before = [Made(**line) for line in lines_of(part)]
    calls = []
    done = complete(before, [2, 3, 1], seed_of, lambda seed: calls.append(seed) or make(seed), part, tell=repr)
    assert calls == [3]
    assert done == [Made(1, 0.1), Made(2, 0.2), Made(3, 0.3)]
    assert [Made(**line) for line in lines_of(part)] == done
    assert capsys.readouterr().err.endswith("Made(seed=3, loss=0.3)\n")


def test_after_the_time_no_further_run_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 61.0, 62.0])
    monkeypatch.setattr(recorded_runs.time, "monotonic", lambda: next(clock))
    assert complete([], [1, 2, 3], seed_of, make, minutes=1) == [Made(1, 0.1)]


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    assert lines_of(None) == lines_of(tmp_path / "none.jsonl") == []


def test_a_table_says_on_what_it_was_made() -> None:
    made = made_here("faker 1.2")
    assert made["machine"].endswith(", faker 1.2, one thread")
    assert describe_machine() in made["machine"]
    assert len(made["date"]) == len("2026-11-29")
