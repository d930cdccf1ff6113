"""The real postings to newsgroups."""

from pathlib import Path

import pytest

from course_lib import data
from course_lib.data import topics


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    data.fetch("topics")


def test_there_are_11293_and_7521_postings_to_20_groups() -> None:
    split = topics.load()
    assert (len(split.train), len(split.test)) == (11_293, 7_521)
    names = topics.names(split.train)
    assert len(names) == 20
    assert names == topics.names(split.test)
    assert (names[0], names[-1]) == ("alt.atheism", "talk.religion.misc")


def test_the_seven_repeated_texts_are_not_in_the_test() -> None:
    split = topics.load()
    raw = (data.path("topics") / "20newsgroups-test.tab").read_text(encoding="utf-8").splitlines()
    assert len(raw) - 4 - len(split.test) == 7  # four lines of headings
    assert not {posting.text for posting in split.test} & {posting.text for posting in split.train}


def test_a_posting_is_in_lower_case_letters_only() -> None:
    split = topics.load()
    assert split.train[0].topic == "alt.atheism"
    assert split.train[0].text.startswith("alt atheism faq atheist resources archive name atheism resources")
    assert all(set(posting.text) <= set("abcdefghijklmnopqrstuvwxyz ") for posting in (*split.train, *split.test))


def test_without_the_data_a_sentence_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match=r"'topics' is not on this computer yet: run `python3 course.py data"):
        topics.load()
