"""How varied texts are, and how many of their words are real, counted by hand."""

import pytest
import torch

from course_lib.scoring.texts import HUMAN, in_random_order, share_of_distinct_pieces, share_of_real_words, words_in


def test_words_are_in_small_letters_and_keep_their_apostrophes():
    assert words_in("“Don't!” said the old KING, 3 times_or so.") == [
        "don't",
        "said",
        "the",
        "old",
        "king",
        "times",
        "or",
        "so",
    ]


def test_the_last_word_of_a_cut_text_does_not_count():
    assert share_of_real_words("the king sle", {"the", "king"}) == 1
    assert share_of_real_words("the kimg and a que", {"the", "and"}) == 0.5


def test_a_text_that_goes_in_circles_has_few_different_pieces_and_equal_texts_share_theirs():
    assert share_of_distinct_pieces(["abcdefg"]) == 1
    assert share_of_distinct_pieces(["abcdefg", "abcdefg"]) == 0.5
    assert share_of_distinct_pieces([[1, 2] * 10], 2) == 2 / 19
    assert share_of_distinct_pieces(torch.tensor([[1, 2] * 10]), 2) == 2 / 19
    assert share_of_distinct_pieces(["abcd", "bcde"], 4) == 1  # no piece spans two texts


@pytest.mark.parametrize("text", ["", "king", "12 3 _"])
def test_a_text_of_too_few_words_is_refused(text: str):
    with pytest.raises(ValueError, match="two words or more"):
        share_of_real_words(text, {"king"})


def test_texts_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="4 tokens or more, but the longest has 3"):
        share_of_distinct_pieces(["abc", "a"])
    with pytest.raises(ValueError, match="the longest has 0"):
        share_of_distinct_pieces([])
    with pytest.raises(ValueError, match="1 or more, but is 0"):
        share_of_distinct_pieces(["abc"], 0)


def test_a_text_in_random_order_has_the_same_characters_and_hardly_a_word():
    shuffled = in_random_order(HUMAN)
    assert sorted(shuffled) == sorted(HUMAN)
    assert share_of_real_words(shuffled, set(words_in(HUMAN))) < 0.2 < share_of_real_words(HUMAN, set(words_in(HUMAN)))
    assert shuffled == in_random_order(HUMAN) != in_random_order(HUMAN, seed=1)
