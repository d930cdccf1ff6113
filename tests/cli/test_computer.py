"""The Pythons and computers on which the course runs, and the messages of course.py on the others."""

import ast
import functools
import re
import tomllib
from typing import Any

import pytest

from tests.cli.workplace import ROOT, Workplace


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13), (3, 15, 0), (4, 0, 0)])
def test_a_python_too_old_or_too_new_is_told_which_one_to_get(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...]
):
    monkeypatch.setattr(workplace.course, "other_python", lambda: None)
    sentence = workplace.course.why_unsupported(version, True, "Linux", "x86_64")
    this = ".".join(map(str, version))
    advice = "install Python 3.13 from python.org and use it."
    assert sentence == f"The course needs Python 3.11 to 3.14, but this is Python {this}: {advice}"
    monkeypatch.setattr(workplace.course, "other_python", lambda: "python3.12")
    sentence = workplace.course.why_unsupported(version, True, "Linux", "x86_64")
    assert sentence.endswith("use `python3.12`, which is installed too.")


def test_a_placeholder_that_only_says_how_to_install_python_does_not_count_as_python(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def call(words: list[str], **options: Any) -> int:
        asked.append(" ".join(words[:-2]))
        if "14" in words[0] + words[1]:
            return 127
        if "13" in words[0] + words[1]:
            raise FileNotFoundError
        return 0

    monkeypatch.setattr(workplace.course.subprocess, "call", call)
    assert workplace.course.other_python() == asked[2]
    assert asked[2].endswith("3.12")


def test_the_supported_pythons_are_those_of_pyproject(workplace: Workplace):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (oldest, newest) = (workplace.course.OLDEST, workplace.course.NEWEST)
    assert project["requires-python"] == f">=3.{oldest[1]},<3.{newest[1] + 1}"
    for minor in range(oldest[1], newest[1] + 1):
        assert workplace.course.why_unsupported((3, minor, 2), True, "Windows", "AMD64") is None


def test_intel_macs_and_32_bit_pythons_are_told_what_to_do(workplace: Workplace):
    why_unsupported = functools.partial(workplace.course.why_unsupported, (3, 12, 1))
    assert why_unsupported(True, "Darwin", "arm64") is None
    assert "no longer has builds for Intel Macs: use another computer" in why_unsupported(True, "Darwin", "x86_64")
    assert "install a 64-bit Python from python.org" in why_unsupported(False, "Windows", "x86")


def test_an_old_python_can_parse_course_py_and_has_all_that_it_imports():
    # 3.7 is the oldest grammar that today's Python can still parse.
    tree = ast.parse((ROOT / "course.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    in_3_6 = "contextlib errno hashlib json os pathlib platform re shutil signal subprocess sys tempfile threading"
    assert imported <= {*in_3_6.split(), "urllib.request"}


def test_python_2_is_shown_a_line_that_names_the_right_pythons():
    lines = (ROOT / "course.py").read_text(encoding="utf-8").splitlines()
    first_unreadable = next(line for line in lines if re.search(r"\bf\"", line))
    assert "The course needs Python 3." in first_unreadable
    assert "python3 course.py" in first_unreadable
    assert all(line.isascii() for line in lines[: lines.index(first_unreadable)])
