"""The real tales."""

from pathlib import Path

import pytest

from course_lib import data
from course_lib.data import tales


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    data.fetch("tales")


def test_there_are_54_tales_with_76926_words_in_all() -> None:
    loaded = tales.load()
    assert len(loaded) == 54
    assert sum(len(tale.text.split()) for tale in loaded) == 76_926


def test_a_tale_has_a_title_a_text_an_abstract_and_a_topic() -> None:
    rapunzel = next(tale for tale in tales.load() if tale.title == "Rapunzel")
    assert rapunzel.text.startswith("There were once a man and a woman who had long in vain wished for a child.")
    assert rapunzel.topic == "Tales of Magic"
    assert 3 < len(rapunzel.abstract.split()) < 60
    # It is quoted in the file, since it contains quotation marks.
    pack = next(tale for tale in tales.load() if tale.title == "Pack of Scoundrels")
    assert pack.text.startswith('The rooster said to the hen, "Now is the time when the nuts are getting ripe.')


def test_the_text_is_all_tales_in_order_with_an_empty_line_between() -> None:
    parts = tales.text().split("\n\n")
    assert len(parts) == 54
    assert parts == [tale.text for tale in tales.load()]
    assert tales.text(tales.load()[:1]) == parts[0]
    assert tales.text([]) == ""


def test_sentences_end_where_they_end_and_together_are_the_text() -> None:
    made_up = tales.Tale("", "He slept! ‘Who is there?’ she asked. No. 7 is open", "", "")
    assert tales.sentences([made_up]) == ["He slept!", "‘Who is there?’", "she asked.", "No.", "7 is open"]
    tale = tales.load()[0]
    assert "".join(" ".join(tales.sentences([tale])).split()) == "".join(tale.text.split())


def test_no_tale_is_in_both_training_and_validation() -> None:
    split = tales.split()
    assert len(split.train) == 49
    assert [tale.title for tale in split.validation] == [
        "Hansel and Gretel",
        "Snow White",
        "The Fox and the Geese",
        "The Pink Flower",
        "The White Snake",
    ]
    titles = [tale.title for tale in (*split.train, *split.validation)]
    assert sorted(titles) == [tale.title for tale in tales.load()]


def test_without_the_data_a_sentence_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match=r"'tales' is not on this computer yet: run `python3 course.py data"):
        tales.load()
