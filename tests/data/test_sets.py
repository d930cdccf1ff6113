"""The table of data sets, and the real data sets, which come from a network or from the mirror in COURSE_MIRROR."""

import re

import pytest

from course_lib import data
from course_lib.data import Package, WebFile
from course_lib.data.fetching import CONTENTS
from course_lib.data.sets import SETS


def test_every_row_of_the_table_is_complete() -> None:
    assert list(SETS) == [row.name for row in SETS.values()]
    for row in SETS.values():
        assert all((row.description, row.licence, row.origin, row.sources))
        assert re.fullmatch("[0-9a-f]{64}", row.contents_sha256)
        assert row.kept_bytes > 1_000
        for source in row.sources:
            assert re.fullmatch("[0-9a-f]{64}", source.sha256)
            assert source.size_bytes > 1_000
            assert source.filename


def test_packages_are_pinned_and_web_files_have_more_than_one_secure_address_at_a_commit() -> None:
    for source in (source for row in SETS.values() for source in row.sources):
        if isinstance(source, Package):
            assert source.keep
            assert source.filename.lower().startswith(source.name.lower().replace("-", "_"))
            assert source.version in source.filename
        else:
            assert isinstance(source, WebFile)
            assert len(source.urls) >= 2
            for url in source.urls:
                assert re.match(r"https://.*[0-9a-f]{40}/", url)
                assert url.endswith(f"/{source.filename}")


def test_only_the_captions_whose_licence_is_not_stated_are_for_no_notebook() -> None:
    assert [name for name, row in SETS.items() if not row.notebooks] == ["captions"]


@pytest.mark.parametrize("name", list(SETS))
def test_a_real_data_set_is_whole_after_being_fetched(name: str) -> None:
    try:
        folder = data.fetch(name)
    except data.Offline as error:
        pytest.skip(str(error))
    assert data.present(name)
    assert data.damage(name) is None
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != CONTENTS]
    assert sum(file.stat().st_size for file in files) == SETS[name].kept_bytes
