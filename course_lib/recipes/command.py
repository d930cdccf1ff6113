"""What the command lines of the recipes have in common: their options, and what they say at the end."""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from course_lib.learning.training import History


def parser_of(recipe: str, about: str | None) -> argparse.ArgumentParser:
    """Make the parser of a recipe. Takes the name of its module, and the module's docstring."""
    return argparse.ArgumentParser(prog=f"python -m course_lib.recipes.{recipe}", description=about)


def write_table(recipe: str, about: str | None, file: Path, record: Callable[[Path | None, float], str]) -> int:
    """Make a table of runs from the command line, on one thread, and write it. Returns the exit status.

    Takes what `parser_of` does, the file, and what makes the table: from a file that keeps the runs that are done, or
    None, and the minutes after which no further run is begun, to the content of the file.
    """
    parser = parser_of(recipe, about)
    parser.add_argument("--part", type=Path, help="a file that keeps the runs that are done, one a line")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no run after so many minutes")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    file.write_text(record(chosen.part, chosen.minutes), encoding="utf-8")
    say_written(file)
    return 0


def say_written(file: Path) -> None:
    """Say which file was written, and how large it is."""
    sys.stdout.write(f"wrote {file}, {file.stat().st_size / 1e6:.2f} MB\n")


class Stopwatch:
    """Measures how long a training takes, from when it is made."""

    def __init__(self) -> None:
        self.began, self.worked = time.monotonic(), time.process_time()

    def report(self, model: nn.Module, history: History) -> str:
        """Say how many steps were taken, in which time, and how many parameters the model has."""
        took, worked = time.monotonic() - self.began, time.process_time() - self.worked
        return (
            f"{history.steps:,} steps in {took:.0f} s, {worked:.0f} s of processor time on one thread; "
            f"{sum(each.numel() for each in model.parameters()):,} parameters"
        )
