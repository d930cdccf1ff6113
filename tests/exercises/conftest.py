"""An empty folder for the learner's parts in each test, and a notebook in which cells can be run."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from course_lib.exercises.keeping import parts


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder for the learner's parts, which is still empty."""
    folder = tmp_path / "my_transformer"
    monkeypatch.setenv("COURSE_WORK", str(folder))
    # Another process takes seconds to start. What needs one is tested in test_parts.py.
    monkeypatch.setattr(parts, "examine", parts.examine_here)
    parts.forget_loaded()
    return folder


@pytest.fixture
def cell(work: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], tuple[Any, str]]]:
    """Give a function that runs a cell in a new IPython, and returns the cell's value and its output."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)

    def run(text: str) -> tuple[Any, str]:
        with capture_output() as shown:
            result = shell.run_cell(text, store_history=True)
        result.raise_error()
        return result.result, shown.stdout + "".join(output.data["text/plain"] for output in shown.outputs)

    run("import math\nimport torch\nfrom torch import nn\nfrom course_lib.exercises import exercise, hint, solution")
    yield run
    InteractiveShell.clear_instance()
