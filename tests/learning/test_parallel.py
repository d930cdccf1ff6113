"""Two processes learn what one learns from the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.learning import parallel

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("parallel_script.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="torch's launcher needs libuv on Windows")


def start(result: Path, processes: int, steps: int, mode: str = "plain") -> subprocess.CompletedProcess[str]:
    starter = [sys.executable]
    if processes > 1:
        starter += ["-m", "course_lib.learning.parallel", "--processes", str(processes)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*starter, str(SCRIPT), str(result), str(steps), mode],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def learned(result: Path, processes: int, steps: int, mode: str = "plain") -> dict:
    run = start(result, processes, steps, mode)
    assert run.returncode == 0, run.stderr
    return json.loads(result.read_text())


def assert_same(ours: dict, theirs: dict) -> None:
    for name, values in theirs.items():
        # Sums of float64 in another order.
        assert ours[name] == pytest.approx(values, abs=1e-9)


def test_two_processes_give_the_losses_of_one(tmp_path: Path):
    one, two = (learned(tmp_path / f"{count}.json", count, steps=12) for count in (1, 2))
    assert len(one["loss"]) == 12
    assert one["loss"][-1] < one["loss"][0]
    assert_same(two, one)


def test_a_checkpoint_continues_with_another_number_of_processes(tmp_path: Path):
    expected = learned(tmp_path / "whole.json", 1, steps=10)
    learned(tmp_path / "parts.json", 2, 4, "continues")
    learned(tmp_path / "parts.json", 1, 7, "continues")
    found = learned(tmp_path / "parts.json", 2, 10, "continues")
    for name in ("loss", "plain", "norm", "weights"):
        assert found[name] == pytest.approx(expected[name], abs=1e-9)


def test_a_process_that_dies_ends_the_training_in_a_sentence(tmp_path: Path):
    run = start(tmp_path / "dies.json", 2, 10, "dies")
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last == (
        "The training ended, because process 1 of 2 died (exit code 7): run the same command again, and it continues "
        "from its checkpoint."
    )
    assert "Traceback" not in run.stderr


def test_one_process_shows_the_progress_and_nothing_else_is_said(tmp_path: Path):
    run = start(tmp_path / "shown.json", 2, 3, "shows progress")
    assert run.stderr.count("step 3, loss") == 1
    assert all("%" in line for line in run.stderr.split("\n") if line), run.stderr


def test_alone_everything_is_as_it_was():
    assert (parallel.count(), parallel.number(), parallel.furthest(0.25)) == (1, 0, 0.25)
    assert parallel.own_share([1, 2, 3]) == [1, 2, 3]
    with parallel.several_processes() as number:
        assert number == 0
