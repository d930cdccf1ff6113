"""Numbered former versions of a file, whatever its kind. What else folders promise is tested with the parts."""

from pathlib import Path

import pytest

from course_lib.data.folders import FolderError, former_versions, keep, locked, place_in_former


def test_each_version_of_a_file_is_kept_once_under_the_next_number(tmp_path: Path):
    file = tmp_path / "01_a[b].ipynb"
    names = [keep(file, content).name for content in (b"one", b"two", b"one", b"three")]
    assert names == ["01_a[b]_001.ipynb", "01_a[b]_002.ipynb", "01_a[b]_001.ipynb", "01_a[b]_003.ipynb"]
    assert [path.read_bytes() for path in former_versions(file)] == [b"one", b"two", b"three"]
    assert place_in_former(file, b"four") == tmp_path / "former" / "01_a[b]_004.ipynb"
    assert former_versions(tmp_path / "01_a[b].py") == []


def test_an_error_of_the_folder_is_half_a_sentence(tmp_path: Path):
    (tmp_path / "folder").write_text("a file stands in its place")
    with pytest.raises(FolderError, match=r"^folder cannot be written to \("), locked(tmp_path / "folder", 1):
        pass
