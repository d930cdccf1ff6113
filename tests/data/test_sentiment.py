"""The real film sentences and tweets."""

from pathlib import Path

import pytest

from course_lib import data
from course_lib.data import sentiment


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    data.fetch("sentiment")


def test_there_are_10605_film_sentences_of_which_10043_are_clear() -> None:
    films = sentiment.films()
    clear = [rated for rated in films if rated.is_clear]
    assert (len(films), len(clear), sum(rated.label for rated in clear)) == (10_605, 10_043, 4_982)


def test_there_are_4200_tweets_of_which_3362_are_clear() -> None:
    tweets = sentiment.tweets()
    clear = [rated for rated in tweets if rated.is_clear]
    assert (len(tweets), len(clear), sum(rated.label for rated in clear)) == (4_200, 3_362, 2_300)


def test_a_sentence_has_a_rating_a_label_and_readable_characters() -> None:
    effective = next(rated for rated in sentiment.films() if rated.text == "Effective but too tepid biopic")
    assert (effective.rating, effective.label, effective.is_clear) == (-0.6, 0, True)
    assert sentiment.CLASSES[effective.label] == "negative"
    assert all(-4 <= rated.rating <= 4 for rated in (*sentiment.films(), *sentiment.tweets()))
    texts = [rated.text for rated in (*sentiment.films(), *sentiment.tweets())]
    assert not any("&amp;" in text or "\t" in text for text in texts)
    assert any("S&M" in text for text in texts)


def test_a_rating_near_zero_is_not_clear() -> None:
    assert [sentiment.Rated("", rating).is_clear for rating in (-0.51, -0.5, 0.0, 0.5, 0.51)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_no_text_is_in_two_parts_and_none_is_lost() -> None:
    split = sentiment.split()
    parts = [{rated.text for rated in part} for part in (split.train, split.validation, split.test)]
    assert list(map(len, parts)) == [8_541, 500, 1_000]
    assert len(set.union(*parts)) == 10_041  # two clear sentences occur twice
    assert all(rated.is_clear for rated in (*split.train, *split.validation, *split.test))


def test_the_split_depends_on_the_seed_alone() -> None:
    assert sentiment.split(3) == sentiment.split(3)
    assert sentiment.split(3).test != sentiment.split(4).test
    assert sentiment.split(3, test=500).test == sentiment.split(3).test[:500]


def test_a_split_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(
        ValueError, match="of 10,041 sentences, 500 for validation and 9,541 for the test leave nothing"
    ):
        sentiment.split(test=9_541)
    with pytest.raises(ValueError, match="ask for fewer"):
        sentiment.split(validation=-1)


def test_without_the_data_a_sentence_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match=r"'sentiment' is not on this computer yet: run `python3 course.py data"):
        sentiment.tweets()
