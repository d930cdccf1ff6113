"""The explorer of named entities: what the kernel sends, and what is shown where no script runs."""

import re

import pytest
import torch

from course_lib.learning.tagging import Tagger, TaggingHead, predict_tags, tag_names
from course_lib.pictures.explorers import EntityExplorer, TaggedWords
from course_lib.transformer.models import Encoder
from tests.learning.pieces import small_tokenizer

TAGS = tag_names(["PER", "LOC"])
BEST = {"Ann": "B-PER", "Lee": "I-PER", "Rome": "B-LOC"}


def look_up(sentence: str) -> TaggedWords:
    words = re.findall(r"\w+|\.", sentence)
    if "zebra" in words:
        raise ValueError("I have never seen 'zebra'.")
    p = torch.full((len(words), len(TAGS)), 0.05)
    for i, word in enumerate(words):
        p[i, TAGS.index(BEST.get(word, "O"))] = 0.6 if word == "Lee" else 0.8
    nothing = torch.full_like(p, 0.05)
    nothing[:, 0] = 0.8
    return TaggedWords(words, TAGS, {"frozen": nothing, "tuned": p})


def explorer(sentence: str = "Ann Lee saw Rome.") -> EntityExplorer:
    return EntityExplorer(look_up, sentence)


def test_words_probabilities_tags_and_spans_are_sent() -> None:
    found = explorer().found
    assert found["words"] == ["Ann", "Lee", "saw", "Rome", "."]
    tuned = found["taggers"]["tuned"]
    assert tuned["best"] == ["B-PER", "I-PER", "O", "B-LOC", "O"]
    assert tuned["spans"] == [["PER", 0, 2], ["LOC", 3, 4]]
    assert tuned["p"][0] == [0.05, 0.8, 0.05, 0.05, 0.05]
    assert found["taggers"]["frozen"]["spans"] == []


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers() -> None:
    page = explorer().static_html()
    assert explorer().alt() == "Names found in “Ann Lee saw Rome.”: frozen: none; tuned: Ann Lee (PER), Rome (LOC)."
    assert explorer().alt() in page
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert "<td>Ann Lee</td><td>PER</td><td>0.60</td>" in page


def test_nothing_comes_from_a_network() -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org)", str(explorer()._esm) + str(explorer()._css))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("the zebra", "never seen"),
        (" \n", "There is nothing to read yet"),
        ("a " * 41, "41 words, and there is room for 40"),
    ],
)
def test_a_sentence_that_cannot_be_read_is_reported_and_the_old_picture_stays(typed: str, words: str) -> None:
    shown = explorer()
    shown.sentence = typed
    assert words in shown.found["message"]
    assert shown.found["words"][0] == "Ann"
    shown.sentence = "Rome fell."
    assert "message" not in shown.found
    assert shown.found["words"] == ["Rome", "fell", "."]


def test_a_first_sentence_that_cannot_be_read_shows_the_message() -> None:
    assert "nothing to read" in explorer(" ").static_html()


def test_an_explorer_of_a_model_sends_that_models_tags_and_uses_the_given_spans() -> None:
    torch.manual_seed(0)
    tokenizer = small_tokenizer()
    model = Tagger(Encoder(len(tokenizer), d_model=32, heads=4, d_ff=64, layers=1), TaggingHead(32, len(TAGS)))
    shown = EntityExplorer.of({"mine": model}, tokenizer, TAGS, "Grimms, New", lambda tags: [("LOC", 1, 3)])
    (tags,) = predict_tags(model, [["Grimms", ",", "New"]], tokenizer, TAGS)
    assert shown.found["words"] == ["Grimms", ",", "New"]
    assert shown.found["taggers"]["mine"]["best"] == list(tags)
    assert shown.found["taggers"]["mine"]["spans"] == [["LOC", 1, 3]]
    assert sum(shown.found["taggers"]["mine"]["p"][0]) == pytest.approx(1, abs=1e-3)
