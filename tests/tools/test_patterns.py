"""The tool that shows sentences after patterns."""

from pathlib import Path

import pytest

from course_lib.data.sentence_patterns import read
from tools import patterns

TOPIC = '[words.room]\n"kitchen" = "la cuisine"\n"hall" = "l\'entrée f"\n[patterns]\n"A {room}." = "{Un room}."\n'


def test_it_shows_a_sample_and_counts(tmp_path: Path):
    file = tmp_path / "topic.toml"
    file.write_text(TOPIC, encoding="utf-8")
    *shown, counts = patterns.report([read(file)], count=5, seed=0).splitlines()
    assert sorted(shown) == ["A hall.  →  Une entrée.", "A kitchen.  →  Une cuisine."]
    assert counts == "1 patterns, 2 words, 2 sentences"


def test_a_file_that_cannot_be_read_is_answered_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "topic.toml"
    file.write_text("[verbs]\n", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["patterns", str(file)])
    assert patterns.main() == 1
    assert "has a table 'verbs'" in capsys.readouterr().err
