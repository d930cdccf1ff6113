"""The tool that judges a translator by the everyday sentences."""

from types import SimpleNamespace
from typing import Any

from course_lib.data import everyday
from tools.everyday import report


def test_what_is_not_right_is_listed_and_all_is_counted():
    written = {"The soup is too salty.": "La soupe est trop salée.", "The bread is still warm.": "Le pain est chaud."}
    translator: Any = SimpleNamespace(translate_all=lambda texts, _: [written.get(each, "Non.") for each in texts])
    lines = report(translator).splitlines()
    assert lines[-1] == "1 right, 1 near, 58 wrong, of 60"
    assert len(lines) == len(everyday.load())
    assert "near   The bread is still warm.  →  Le pain est chaud." in lines
    assert not any("salty" in line for line in lines)
