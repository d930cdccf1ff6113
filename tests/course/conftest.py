"""Places in which to try the door."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.course.workplace import Workplace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.delenv("COURSE_VENV", raising=False)
    place = Workplace(tmp_path)
    monkeypatch.setattr(place.door.subprocess, "run", place.run)
    monkeypatch.setattr(place.door, "answers", lambda url, seconds: False)
    monkeypatch.setattr(place.door.shutil, "disk_usage", lambda folder: SimpleNamespace(free=100 * 10**9))
    return place


@pytest.fixture
def linux(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """Pretend to be on a Linux with an Intel processor and no NVIDIA GPU."""
    monkeypatch.setattr(place.door.platform, "system", lambda: "Linux")
    monkeypatch.setattr(place.door.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(place.door, "has_nvidia", lambda: False)
    return place
