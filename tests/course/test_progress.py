"""`course.py progress` and `course.py reset`, on a learner's folder of the test's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DOOR = Path(__file__).parents[2] / "course.py"
SOFTMAX = '''"""A learner's softmax."""

import torch


def softmax(x, dim):
    return torch.softmax(x, dim)
'''


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "my_transformer"
    folder.mkdir()
    (folder / "softmax.py").write_text(SOFTMAX, encoding="utf-8")
    return folder


def door(work: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"COURSE_VENV": sys.prefix, "COURSE_WORK": str(work), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, str(DOOR), *words], env=variables, capture_output=True, text=True, encoding="utf-8"
    )


def line_of(part: str, text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("0") and line.split()[1] == part)


def test_progress_shows_the_map_and_whose_each_part_is(work: Path):
    shown = door(work, "progress")
    assert shown.returncode == 0, shown.stderr
    assert "softmax: yours" in shown.stdout
    assert "✓ yours" in line_of("softmax", shown.stdout)
    assert "the course's" in line_of("split_heads", shown.stdout)


def test_reset_moves_what_was_written_aside_and_deletes_nothing(work: Path):
    done = door(work, "reset")
    assert done.returncode == 0, done.stderr
    assert not (work / "softmax.py").exists()
    kept = [path.read_text(encoding="utf-8") for path in work.rglob("softmax*.py")]
    assert kept == [SOFTMAX]
    assert "the course's" in line_of("softmax", door(work, "progress").stdout)


def test_reset_of_a_part_that_does_not_exist_names_the_one_that_is_meant(work: Path):
    refused = door(work, "reset", "sofmax")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "✗ There is no exercise 'sofmax': do you mean 'softmax'?"
    assert (work / "softmax.py").exists()
