"""`course.py data` with two data sets, one of which cannot be downloaded."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from course_lib import cli, data


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Provide only the data sets `letters` and `words`; give the list of those that are requested."""
    asked = []

    def fetch(name: str) -> Path:
        asked.append(name)
        if name == "letters":
            raise data.Offline("no package index answers: connect and try again")
        return Path("cache") / name

    about = SimpleNamespace(description="Some words", size_bytes=38_107_331, licence="CC0", source="a shelf")
    monkeypatch.setattr(data, "SETS", {"letters": about, "words": about})
    monkeypatch.setattr(data, "present", lambda name: name == "words")
    monkeypatch.setattr(data, "fetch", fetch)
    return asked


def described(name: str, state: str) -> str:
    return f"{name}: Some words\n  38.1 MB, {state}\n  licence: CC0\n  source: a shelf\n"


def test_each_data_set_is_listed_with_its_size_licence_and_source_and_whether_it_is_present(
    asked: list[str], capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["data", "--list"]) == 0
    assert capsys.readouterr().out == described("letters", "not downloaded yet") + described("words", "downloaded")
    assert asked == []


def test_only_the_named_data_sets_are_listed(asked: list[str], capsys: pytest.CaptureFixture[str]):
    assert cli.main(["data", "words", "--list"]) == 0
    assert capsys.readouterr().out == described("words", "downloaded")


def test_every_data_set_is_downloaded_even_if_another_one_fails(asked: list[str], capsys: pytest.CaptureFixture[str]):
    assert cli.main(["data"]) == 1
    assert asked == ["letters", "words"]
    said = capsys.readouterr().out.splitlines()
    assert said == ["✗ no package index answers: connect and try again", f"✓ words is in {Path('cache') / 'words'}."]


def test_only_the_named_data_set_is_downloaded(asked: list[str]):
    assert cli.main(["data", "words"]) == 0
    assert asked == ["words"]


def test_a_name_that_does_not_exist_is_refused_before_anything_is_downloaded(
    asked: list[str], capsys: pytest.CaptureFixture[str]
):
    assert cli.main(["data", "words", "wrods"]) == 1
    assert capsys.readouterr().err == "✗ There is no data set `wrods`: choose among letters, words.\n"
    assert asked == []
