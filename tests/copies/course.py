"""A course in a folder of its own, with two small notebooks, and a learner who works in the copies."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STUB = '@exercise("{0}")\ndef {0}(x):\n    raise NotImplementedError'
ANSWER = '@exercise("{0}")\ndef {0}(x):\n    return x  # mine'


def markdown(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source.splitlines(keepends=True)}


def code(name: str, source: str, output: str = "") -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": [output]}] if output else []
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": source.splitlines(keepends=True),
        "outputs": outputs,
        "execution_count": 1 if output else None,
    }


def tagged(cell: dict[str, Any], *tags: str) -> dict[str, Any]:
    return cell | {"metadata": {"tags": [*tags]}}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3"}}, "cells": [*cells]}


def first_version() -> list[dict[str, Any]]:
    return [
        markdown("01-00", "# 01 · Attention"),
        code("01-01", "import torch", "loaded"),
        code("01-02", STUB.format("scores"), "the course's"),
        markdown("01-03", "An explanation."),
        code("01-04", "scores([1, 2])", "[1, 2]"),
        code("01-05", STUB.format("weights")),
        markdown("01-06", "The end."),
    ]


class Course:
    """A course in a folder, as its learner finds it.

    Attributes:
        folder: the course's folder.
        copies: the learner's folder in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies = folder / "my_course"
        (folder / "notebooks").mkdir(parents=True)
        self.publish("00_start", markdown("00-00", "# 00"), code("00-01", STUB.format("softmax")))
        self.publish("01_attention", *first_version())

    def publish(self, name: str, *cells: dict[str, Any]) -> None:
        """Change a notebook of the course, as an update does."""
        self.write(self.folder / "notebooks" / f"{name}.ipynb", notebook(*cells))

    def withdraw(self, name: str) -> None:
        (self.folder / "notebooks" / f"{name}.ipynb").unlink()

    def write(self, file: Path, content: dict[str, Any]) -> None:
        file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    def read(self, name: str) -> dict[str, Any]:
        return json.loads((self.copies / f"{name}.ipynb").read_text(encoding="utf-8"))

    def sources(self, name: str) -> list[str]:
        return ["".join(cell["source"]) for cell in self.read(name)["cells"]]

    def work(self, name: str, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Let the learner change the cells of a copy, and save it as JupyterLab does."""
        copy = self.read(name)
        change(copy["cells"])
        self.write(self.copies / f"{name}.ipynb", copy)

    def answer(self, name: str, cell: int, exercise: str) -> None:
        self.work(name, lambda cells: cells[cell].update(source=ANSWER.format(exercise)))

    def run(self, name: str) -> None:
        """Run all cells of a copy and save it, with what Jupyter changes meanwhile."""

        def run_all(cells: list[dict[str, Any]]) -> None:
            for number, cell in enumerate(cells):
                if cell["cell_type"] == "code":
                    cell |= {"execution_count": number, "outputs": code("", "", "shown")["outputs"]}
                    cell["metadata"]["execution"] = {"iopub.status.idle": "now"}
                cell["source"] = "".join(cell["source"])
            cells.append(code("random", ""))

        self.work(name, run_all)
        copy = self.read(name)
        copy["metadata"]["language_info"] = {"version": "3.13.1"}
        self.write(self.copies / f"{name}.ipynb", copy)

    def former(self, name: str) -> list[Path]:
        return sorted((self.copies / "former").glob(f"{name}_*.ipynb"))

    def everything(self) -> str:
        """All that is in the learner's notebooks, the former ones included."""
        return "\n".join(path.read_text("utf-8", errors="replace") for path in self.copies.rglob("*.ipynb"))


def script(course: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new process, for the course in this folder."""
    start = f"""
import os, sys
from pathlib import Path
from course_lib.copies import making, moving, refreshing
from course_lib.data import places
places.COURSE = Path({str(course)!r})
"""
    return subprocess.run(
        [sys.executable, "-c", start + source, *arguments], capture_output=True, text=True, check=False
    )
