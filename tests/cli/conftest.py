"""A folder with a copy of course.py for each test, and a simulated learner for the tests of commands."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib.network import cpu_builds
from tests.cli.learner import Learner
from tests.cli.workplace import Workplace
from tests.copies.conftest import course, empty_course  # noqa: F401


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.delenv("COURSE_VENV", raising=False)
    workplace = Workplace(tmp_path)
    monkeypatch.setattr(workplace.course.subprocess, "run", workplace.run)
    monkeypatch.setattr(workplace.course, "run_pip", workplace.run_pip)
    monkeypatch.setattr(workplace.course, "this_python_has_the_course", lambda: False)
    monkeypatch.setattr(cpu_builds, "responds", lambda url, seconds: False)
    monkeypatch.setattr(workplace.course.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100 * 10**9))
    return workplace


@pytest.fixture
def linux(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """Pretend to be on a Linux with an Intel processor and no NVIDIA GPU."""
    monkeypatch.setattr(workplace.course.platform, "system", lambda: "Linux")
    monkeypatch.setattr(workplace.course.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(workplace.course, "has_nvidia", lambda: False)
    return workplace


@pytest.fixture
def learner(tmp_path: Path) -> Learner:
    return Learner(tmp_path / "my_transformer")
