"""On which Pythons and computers the door opens, and what it says on the others."""

import ast
import functools
import re
import tomllib
from typing import Any

import pytest

from tests.course.workplace import ROOT, Workplace


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13), (3, 15, 0), (4, 0, 0)])
def test_a_python_too_old_or_too_new_is_told_which_one_to_get(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]
):
    monkeypatch.setattr(place.door, "other_python", lambda: None)
    sentence = place.door.why_not_here(version, True, "Linux", "x86_64")
    this = ".".join(map(str, version))
    advice = "install Python 3.13 from python.org and use that."
    assert sentence == f"The course needs Python 3.11 to 3.14, and this is Python {this}: {advice}"
    monkeypatch.setattr(place.door, "other_python", lambda: "python3.12")
    assert "use `python3.12`, which is here too." in place.door.why_not_here(version, True, "Linux", "x86_64")


def test_a_python_that_only_says_how_to_install_itself_is_no_other_python(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def call(words: list[str], **options: Any) -> int:
        asked.append(" ".join(words[:-2]))
        if "14" in words[0] + words[1]:
            return 127
        if "13" in words[0] + words[1]:
            raise FileNotFoundError
        return 0

    monkeypatch.setattr(place.door.subprocess, "call", call)
    assert place.door.other_python() == asked[2]
    assert asked[2].endswith("3.12")


def test_the_pythons_that_the_door_lets_in_are_those_of_pyproject(place: Workplace):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (oldest, newest) = (place.door.OLDEST, place.door.NEWEST)
    assert project["requires-python"] == f">=3.{oldest[1]},<3.{newest[1] + 1}"
    for minor in range(oldest[1], newest[1] + 1):
        assert place.door.why_not_here((3, minor, 2), True, "Windows", "AMD64") is None


def test_intel_macs_and_32_bit_pythons_are_told_what_to_do(place: Workplace):
    why_not = functools.partial(place.door.why_not_here, (3, 12, 1))
    assert why_not(True, "Darwin", "arm64") is None
    assert "no build for Intel Macs any more: use another computer" in why_not(True, "Darwin", "x86_64")
    assert "install the 64-bit one from python.org" in why_not(False, "Windows", "x86")


def test_an_old_python_can_read_the_door_and_has_all_that_it_imports():
    # 3.7 is the oldest grammar that today's Python still knows.
    tree = ast.parse((ROOT / "course.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    in_3_6 = "concurrent.futures contextlib errno functools hashlib json os pathlib platform re shutil signal "
    in_3_6 += "subprocess sys tempfile threading urllib.request"
    assert imported <= set(in_3_6.split())


def test_python_2_is_shown_a_line_that_names_the_right_pythons():
    lines = (ROOT / "course.py").read_text(encoding="utf-8").splitlines()
    first_unreadable = next(line for line in lines if re.search(r"\bf\"", line))
    assert "The course needs Python 3." in first_unreadable
    assert "python3 course.py" in first_unreadable
    assert all(line.isascii() for line in lines[: lines.index(first_unreadable)])
