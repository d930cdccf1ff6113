"""A simulated learner who has written softmax and types commands."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.workplace import ROOT

SOFTMAX = '''"""A learner's softmax."""

import torch


def softmax(x, dim):
    return torch.softmax(x, dim)
'''


class Learner:
    """A learner with their own folder.

    Attributes:
        folder: What is `my_transformer` for everybody else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "softmax.py").write_text(SOFTMAX, encoding="utf-8")

    def types(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `course.py` with these arguments, in the Python that runs the tests."""
        variables = os.environ | {
            "COURSE_VENV": sys.prefix,
            "COURSE_WORK": str(self.folder),
            "PYTHONIOENCODING": "utf-8",
        }
        return subprocess.run(
            [sys.executable, str(ROOT / "course.py"), *words],
            env=variables,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def progress(self, part: str) -> str:
        """Give the line about a part in the output of `course.py progress`."""
        lines = self.types("progress").stdout.splitlines()
        return next(line for line in lines if line.startswith("0") and line.split()[1] == part)
