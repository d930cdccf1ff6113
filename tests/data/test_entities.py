"""The real sentences of Wikipedia with their names marked."""

import random
from collections import Counter
from pathlib import Path

import pytest

from course_lib import data
from course_lib.data import entities
from course_lib.data.entities import TaggedSentence, begin_and_inside


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    try:
        data.fetch("entities")
    except data.Offline as error:
        pytest.skip(str(error))


def plain_reading() -> list[tuple[str, str]]:
    """The words and tags of the file, read line by line and without the boundaries."""
    lines = (data.path("entities") / "wikigold.conll.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line]
    return [(word, tag) for word, tag in rows if word != "-DOCSTART-"]


def test_there_are_1696_sentences_of_145_documents_with_39007_words() -> None:
    documents, sentences = entities.documents(), entities.load()
    assert (len(documents), len(sentences)) == (145, 1_696)
    assert sum(len(sentence.words) for sentence in sentences) == 39_007
    assert all(documents)


def test_no_word_is_lost_and_each_keeps_its_kind() -> None:
    ours = [pair for sentence in entities.load() for pair in zip(sentence.words, sentence.tags, strict=True)]
    assert [(word, tag.removeprefix("B-").removeprefix("I-")) for word, tag in ours] == [
        (word, tag.removeprefix("I-")) for word, tag in plain_reading()
    ]


def test_83_percent_of_the_words_are_outside_all_names() -> None:
    tags = Counter(tag[2:] or tag for sentence in entities.load() for tag in sentence.tags)
    assert tags == {"O": 32_576, "ORG": 1_958, "PER": 1_634, "LOC": 1_447, "MISC": 1_392}
    assert {*tags} == {"O", *entities.KINDS}


def test_a_sentence_has_words_and_tags_that_say_where_names_begin() -> None:
    first = entities.load()[0]
    assert " ".join(first.words) == ("010 is the tenth album from Japanese Punk Techno band The Mad Capsule Markets .")
    assert first.tags == (
        *("B-MISC", "O", "O", "O", "O", "O", "B-MISC", "O", "O", "O"),
        *("B-ORG", "I-ORG", "I-ORG", "I-ORG", "O"),
    )


def test_a_name_begins_after_another_kind_or_none_as_random_tags_show() -> None:
    chance = random.Random(0)
    for _ in range(500):
        kinds = [chance.choice(["", "PER", "LOC"]) for _ in range(chance.randrange(8))]
        expected = []
        for i, kind in enumerate(kinds):
            inside = kind and i > 0 and kinds[i - 1] == kind
            expected.append(f"{'I' if inside else 'B'}-{kind}" if kind else "O")
        assert begin_and_inside([f"I-{kind}" if kind else "O" for kind in kinds]) == tuple(expected)


def test_tags_that_already_say_where_names_begin_stay() -> None:
    tags = ("B-PER", "B-PER", "I-PER", "O", "B-LOC", "I-LOC")
    assert begin_and_inside(tags) == tags


def test_no_document_is_in_two_parts_and_none_is_lost() -> None:
    split = entities.split()
    parts = [set(part) for part in (split.train, split.validation, split.test)]
    documents = [set(document) for document in entities.documents()]
    assert [sum(document <= part for document in documents) for part in parts] == [95, 15, 35]
    assert [sum(document <= part for part in parts) for document in documents] == [1] * 145
    assert sum(map(len, (split.train, split.validation, split.test))) == 1_696


def test_the_split_depends_on_the_seed_alone() -> None:
    assert entities.split(3) == entities.split(3)
    assert entities.split(3).test != entities.split(4).test
    smaller = entities.split(3, test=10).test
    assert smaller == entities.split(3).test[: len(smaller)]


@pytest.mark.parametrize(("validation", "test"), [(100, 45), (-1, 3), (3, -1)])
def test_a_split_that_leaves_nothing_to_learn_from_is_refused(validation: int, test: int) -> None:
    with pytest.raises(ValueError, match=f"of 145 documents, {validation} for validation and {test} for the test"):
        entities.split(validation=validation, test=test)


def test_a_sentence_needs_a_tag_for_each_word() -> None:
    with pytest.raises(ValueError, match="each word needs a tag, but there are 2 words and 1 tags"):
        TaggedSentence(("a", "b"), ("O",))


def test_without_the_data_a_sentence_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match=r"'entities' is not on this computer yet: run `python3 course.py data"):
        entities.load()
