"""A copy of course.py in a new folder for each test, with a fake pip that installs only names."""

import importlib.util
import os
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = """
[build-system]
requires = ["setuptools"]
[project]
name = "transformer-course"
requires-python = ">=3.11,<3.15"
dependencies = ["torch>=2.6,<2.14", "anywidget>=0.9"]
optional-dependencies.test = ["pytest>=8"]
[tool.setuptools]
[tool.ruff]
line-length = 120
"""
subprocess_run = subprocess.run


class Workplace:
    """A copy of course.py in a folder, with fakes for venv and pip, which would need seconds and a network.

    Attributes:
        course: The copy of course.py, as a module.
        venvs: How many environments were made.
        pip_calls: The words of each call of pip.
        pip_error: What pip writes to its log before it fails; it does not fail if this is empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.course: Any = load_course(folder)
        self.venvs = 0
        self.pip_calls: list[list[str]] = []
        self.pip_error = ""
        self.change_project(PYPROJECT)

    def change_project(self, text: str) -> None:
        (self.folder / "pyproject.toml").write_text(text, encoding="utf-8")

    def note(self, package: str) -> Path:
        """Give the folder by which Python recognises that a package is installed in `.venv`."""
        base = str(self.course.VENV)
        packages = sysconfig.get_path("purelib", "venv", {"base": base, "platbase": base})
        return Path(packages, f"{package}-1.dist-info")

    def run(self, words: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Behave as subprocess.run, but fake venv."""
        if words[1:3] == ["-m", "venv"]:
            venv.create(words[3], symlinks=os.name != "nt")
            self.venvs += 1
            self.install("pip")
            return subprocess.CompletedProcess([], 0, "")
        return subprocess_run(words, **options)

    def run_pip(self, *words: str) -> int:
        """Behave as the pip of `.venv`, but only note what is installed, or fail with `pip_error`."""
        self.pip_calls.append([*words])
        if self.pip_error:
            Path(words[words.index("--log") + 1]).write_text(self.pip_error, encoding="utf-8")
            return 1
        self.install("transformer_course", "torch", "anywidget", "pytest")
        return 0

    def install(self, *packages: str) -> None:
        """Let Python recognise these packages as installed in `.venv`."""
        for package in packages:
            self.note(package).mkdir(parents=True, exist_ok=True)
            self.note(package).joinpath("METADATA").write_text(f"Name: {package}\nVersion: 1\n")


def load_course(folder: Path) -> ModuleType:
    shutil.copy(ROOT / "course.py", folder)
    spec = importlib.util.spec_from_file_location("course_under_test", folder / "course.py")
    assert spec is not None
    assert spec.loader is not None
    course = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(course)
    return course


def setup_error(course: Any, action: Callable[[], object]) -> str:
    """Check that the SetupError that an action raises is one sentence, and give its message."""
    with pytest.raises(course.SetupError) as raised:
        action()
    sentence = str(raised.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence
