"""For bundles: a folder of wheels that serves as a package index, and a small course that needs them. And a grader."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib import data
from course_lib.classroom.bundle import bundling
from course_lib.classroom.grading.grader import Grader
from course_lib.data.sources import WebFile
from tests.classroom.small_wheels import (
    CORE,
    FOR_MACOS,
    FOR_WINDOWS,
    NEEDS,
    OLD_TOYS,
    PYPROJECT,
    TEXT,
    TOYS,
    add_wheel,
    without_settings,
)
from tests.data.places import data_set, sha256, write


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in which pip looks for packages, and nowhere else."""
    without_settings(monkeypatch)
    folder = tmp_path / "index"
    for filename in CORE.values():
        add_wheel(folder, filename)
    add_wheel(folder, TOYS, needs=NEEDS)
    add_wheel(folder, OLD_TOYS)
    add_wheel(folder, FOR_WINDOWS)
    add_wheel(folder, FOR_MACOS)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def course(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course that needs the wheels, and one file of data, which a mirror has."""
    folder = tmp_path / "course"
    write(folder, "pyproject.toml", PYPROJECT.encode())
    write(folder, "course.py", b"print('a course')\n")
    write(folder / "notebooks", "00_start_here.ipynb", b"{}")
    write(folder / "notebooks" / "__pycache__", "left_out.pyc", b"compiled")
    write(folder / "my_course", "answers.txt", b"nobody else's business")
    write(tmp_path / "mirror", "toys.txt", TEXT)
    source = WebFile(filename="toys.txt", urls=(), sha256=sha256(TEXT), size_bytes=len(TEXT))
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(data, "SETS", {"toys": data_set({"toys.txt": TEXT}, source)})
    monkeypatch.setattr(bundling, "COURSE", folder)
    return folder


@pytest.fixture(scope="session")
def grader() -> Iterator[Grader]:
    """Give a grader for all tests, since it takes seconds to start."""
    if not hasattr(os, "fork"):
        pytest.skip("Grading needs a system that can fork a process.")
    with Grader() as started:
        yield started
