"""Simple baselines for translations, alignments and losses, against values computed by hand."""

import math

import pytest

from course_lib.data.grammar import Pair
from course_lib.scoring.baselines import diagonal, least_loss, loss_baselines, ngram_baselines, word_by_word

KNOWN = [
    Pair(("the", "red", "cat"), ("le", "chat", "rouge"), frozenset({(0, 0), (1, 2), (2, 1)})),
    Pair(("the", "house"), ("la", "maison"), frozenset({(0, 0), (1, 1)})),
    Pair(("the", "dog", "slept"), ("le", "chien", "a", "dormi"), frozenset({(0, 0), (1, 1), (2, 2), (2, 3)})),
]


def test_each_word_becomes_the_one_most_often_aligned_with_it_in_english_order() -> None:
    asked = [Pair(("the", "red", "house", "slept"), ("la", "maison"), frozenset())]
    assert word_by_word(KNOWN, asked) == [("le", "rouge", "maison", "a", "dormi")]


def test_a_word_without_a_translation_is_left_out() -> None:
    assert word_by_word(KNOWN, [Pair(("the", "blue", "cat"), ("le",), frozenset())]) == [("le", "chat")]


def test_the_diagonal_links_words_at_the_same_relative_position() -> None:
    assert diagonal(KNOWN[2]) == {(0, 0), (1, 1), (1, 2), (2, 3)}
    assert diagonal(Pair(("slept",), ("a",), frozenset())) == {(0, 0)}


@pytest.mark.parametrize(
    ("text", "context", "nats"), [("abab", 0, math.log(2)), ("abab", 1, 0.0), ("aab", 1, math.log(2))]
)
def test_the_lowest_loss_of_a_table_by_hand(text: str, context: int, nats: float) -> None:
    # In "aab", a is followed once by a and once by b.
    assert least_loss(text, context) == pytest.approx(nats)


def test_the_baselines_of_a_loss_are_chance_unigram_and_bigram() -> None:
    assert list(loss_baselines("abab", 4).values()) == pytest.approx([math.log(4), math.log(2), 0.0])


def test_counting_achieves_more_with_every_token_of_context_on_a_text_that_repeats() -> None:
    losses = ngram_baselines([0, 1, 2] * 50, [[0, 1, 2, 0], [1, 2, 0, 1]], vocabulary=3)
    assert list(losses) == ["ln V", "unigram", "bigram", "5-gram"]
    assert losses["ln V"] == pytest.approx(math.log(3))
    assert losses["unigram"] == pytest.approx(math.log(3), abs=0.01)
    assert losses["bigram"] < 0.1
    assert losses["5-gram"] < 0.1
