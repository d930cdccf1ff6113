"""The language model that can be worked out on paper."""

import math

import pytest
import torch

from course_lib.writing.beam import beam_search
from course_lib.writing.choose import continue_greedily, text_log_probability
from course_lib.writing.toy import NextWordTable

TABLE = {"[bos]": {"the": 0.6, "a": 0.4}, "the": {"cat": 0.5, "dog": 0.5}, "a": {"dog": 1.0}}


def test_each_row_of_logits_is_a_row_of_the_table():
    toy = NextWordTable(TABLE)
    assert toy.words == ("[bos]", "the", "a", "cat", "dog")
    probabilities = toy(torch.tensor([[0, 1, 3]])).softmax(-1)
    expected = [[0, 0.6, 0.4, 0, 0], [0, 0, 0, 0.5, 0.5], [0, 0, 0, 1, 0]]
    torch.testing.assert_close(probabilities.detach(), torch.tensor([expected], dtype=torch.float32))


def test_a_text_is_as_likely_as_the_product_of_its_steps():
    toy, ids = NextWordTable(TABLE), torch.tensor([0, 2, 4])
    assert text_log_probability(toy(ids[None, :-1])[0], ids[1:]).exp().item() == pytest.approx(0.4)
    assert toy.text(continue_greedily(toy, toy.ids("[bos]"), 2)) == "the cat"


def test_a_search_finds_the_text_that_the_likeliest_first_word_misses_and_nothing_impossible():
    toy = NextWordTable(TABLE)
    watched = []
    (found,) = beam_search(toy, [toy.ids("[bos]")], 2, beams=4, alpha=0, n_best=2, watch=watched.extend)
    assert toy.text(found[0].ids) == "a dog"
    assert found[0].log_probability == pytest.approx(math.log(0.4))
    assert all(each.log_probability > -2 for each in watched)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "it is empty"),
        ({"a": {"b": 0.5}}, "what follows 'a' should add up to 1, but adds up to 0.500"),
        ({"a": {"b": 1.5, "c": -0.5}}, "what follows 'a' should add up to 1"),
    ],
)
def test_a_table_that_is_none_is_refused(table: dict[str, dict[str, float]], words: str):
    with pytest.raises(ValueError, match=words):
        NextWordTable(table)
