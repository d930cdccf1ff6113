"""The command that writes a teacher's notes and sheets."""

from pathlib import Path

import pytest

from course_lib import cli
from course_lib.cli import class_notes


def test_the_pages_of_the_lessons_that_are_named_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["class", "notes", "0", "03", "--out", str(tmp_path / "pages")]) == 0
    printed = capsys.readouterr().out
    assert "00 · Start here: 00_start_here_notes.md, 00_start_here_sheet.html" in printed
    assert f"They are in {tmp_path / 'pages'}: open a sheet in a browser, and print it on both sides." in printed
    assert len([*(tmp_path / "pages").iterdir()]) == 4


def test_without_a_lesson_all_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written = []
    monkeypatch.setattr(
        "course_lib.classroom.teaching.pages.write_pages",
        lambda lesson, folder: written.append((lesson.number, folder)) or (),
    )
    assert cli.main(["class", "notes"]) == 0
    assert [number for number, _ in written] == list(range(18))
    assert {folder.name for _, folder in written} == {class_notes.PAGES}


def test_an_unknown_lesson_is_named_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["class", "notes", "0", "99", "--out", str(tmp_path / "pages")]) == 1
    assert capsys.readouterr().err == "✗ There is no lesson '99': choose a number from 00 to 17.\n"
    assert not (tmp_path / "pages").exists()


def test_a_folder_that_cannot_be_made_is_named_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("in the way")
    assert cli.main(["class", "notes", "0", "--out", str(tmp_path / "file" / "pages")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("✗ The pages cannot be written, because ")
    assert said.endswith(": name another folder with --out.\n")
    assert said.count("\n") == 1
