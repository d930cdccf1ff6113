"""The explorer of what each word adds: what the kernel sends, and what is shown where no script runs."""

import re

import pytest
import torch
from torch import Tensor

from course_lib.pictures.explorers import LeaveOneOutExplorer

CLASSES = ("negative", "positive")


def first(words: list[str]) -> float:
    return 0.9 if "good" in words and "not" not in words else 0.25


def second(words: list[str]) -> float:
    return 0.5


def explorer() -> LeaveOneOutExplorer:
    return LeaveOneOutExplorer({"sharp": first, "flat": second}, CLASSES, "it is not good")


def test_what_each_word_adds_is_the_whole_minus_the_rest() -> None:
    sharp, flat = explorer().found["models"]
    assert sharp == {"name": "sharp", "p": 0.25, "adds": [0.0, 0.0, -0.65, 0.0]}
    assert flat == {"name": "flat", "p": 0.5, "adds": [0.0] * 4}
    assert explorer().found["words"] == ["it", "is", "not", "good"]


def test_another_way_to_measure_can_be_handed_in() -> None:
    def ones(score: object, words: list[str]) -> Tensor:
        return torch.ones(len(words))

    assert LeaveOneOutExplorer({"sharp": first}, CLASSES, "a b", ones).found["models"][0]["adds"] == [1.0, 1.0]


def test_without_a_script_there_is_a_sentence_and_a_table_with_headers() -> None:
    page = explorer().static_html()
    assert explorer().alt() in page
    assert "sharp: positive 0.25, of which “not” adds -0.65" in explorer().alt()
    assert 'scope="col"' in page
    assert '<th scope="row">not</th><td>-0.65</td><td>+0.00</td>' in page
    assert len(explorer().alt().split()) <= 60


def test_nothing_comes_from_a_network() -> None:
    assert not re.findall(r"https?://(?!www\.w3\.org)", str(explorer()._esm) + str(explorer()._css))


@pytest.mark.parametrize(("typed", "words"), [(" ", "nothing to read"), ("a " * 21, "21 words"), ("x <y>", "no room")])
def test_a_sentence_that_cannot_be_read_is_reported_and_the_old_picture_stays(typed: str, words: str) -> None:
    def strict(read: list[str]) -> float:
        if "<y>" in read:
            raise ValueError("there is no room for this")
        return 0.5

    shown = LeaveOneOutExplorer({"strict": strict}, CLASSES, "it is not good")
    shown.sentence = typed
    assert words in shown.found["message"]
    assert shown.found["words"] == ["it", "is", "not", "good"]
    before = dict(shown.found)
    shown.sentence = typed + " "  # each answer differs from the last one, so that the panel knows that it came
    assert shown.found != before
    shown.sentence = "a dog"
    assert "message" not in shown.found


def test_an_explorer_whose_first_sentence_is_bad_says_so() -> None:
    empty = LeaveOneOutExplorer({"sharp": first}, CLASSES, "")
    assert empty.alt() == "There is nothing to read yet: type a sentence."
    assert empty.alt() in empty.static_html()


def test_an_explorer_without_a_model_is_refused() -> None:
    with pytest.raises(ValueError, match="give at least one"):
        LeaveOneOutExplorer({}, CLASSES, "it is good")
