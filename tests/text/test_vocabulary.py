"""The vocabulary: from tokens to ids and back."""

import pytest
import torch

from course_lib.text.vocabulary import BOS, EOS, PAD, UNK, Vocabulary


def test_special_tokens_have_the_ids_of_the_course() -> None:
    # The course's saved weights were trained with these ids.
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    assert [Vocabulary(["a"]).encode([token]) for token in ("[pad]", "[bos]", "[eos]", "[unk]")] == [[0], [1], [2], [3]]


def test_words_are_numbered_in_the_given_order_after_the_special_tokens() -> None:
    vocabulary = Vocabulary(["the", "cat", "a"])
    assert vocabulary.encode(["a", "the", "cat"]) == [6, 4, 5]
    assert len(vocabulary) == 7


def test_the_most_frequent_word_comes_first_and_ties_are_alphabetical() -> None:
    vocabulary = Vocabulary.from_sentences([["the", "old", "cat"], ["the", "cat"], ["the", "new", "hat"]])
    assert vocabulary.tokens == ("the", "cat", "hat", "new", "old")


def test_decoding_stops_at_the_end_and_leaves_special_tokens_out() -> None:
    vocabulary = Vocabulary(["the", "cat"])
    assert vocabulary.decode([BOS, 4, PAD, UNK, 5, EOS, 4]) == ["the", "cat"]
    assert vocabulary.decode(torch.tensor([1, 5, 2, 0])) == ["cat"]
    assert vocabulary.decode([]) == []


def test_unknown_words_are_named_once_and_get_the_unknown_id() -> None:
    vocabulary = Vocabulary(["the", "cat"])
    sentence = ["the", "zebra", "saw", "the", "zebra"]
    assert vocabulary.unknown(sentence) == ["zebra", "saw"]
    assert vocabulary.encode(sentence) == [4, UNK, UNK, 4, UNK]
    assert "cat" in vocabulary
    assert "zebra" not in vocabulary


def test_equal_word_lists_make_equal_vocabularies() -> None:
    assert Vocabulary(["a", "b"]) == Vocabulary(("a", "b"))
    assert Vocabulary(["a", "b"]) != Vocabulary(["b", "a"])


@pytest.mark.parametrize("number", [-1, 6, 10**9])
def test_an_id_outside_the_vocabulary_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=rf"go from 0 to 5, but got {number}$"):
        Vocabulary(["the", "cat"]).decode([4, number])
    with pytest.raises(ValueError, match=rf"go from 0 to 5, but got {number}$"):
        Vocabulary(["the", "cat"]).token(number)


def test_every_id_has_its_token() -> None:
    vocabulary = Vocabulary(["the", "cat"])
    assert [vocabulary.token(i) for i in range(6)] == ["[pad]", "[bos]", "[eos]", "[unk]", "the", "cat"]


@pytest.mark.parametrize("twice", [["the", "cat", "the"], ["[eos]", "cat"]])
def test_a_word_with_two_ids_is_refused(twice: list[str]) -> None:
    with pytest.raises(ValueError, match="is in the vocabulary twice"):
        Vocabulary(twice)


def test_a_string_instead_of_a_list_of_words_is_refused() -> None:
    vocabulary = Vocabulary(["the", "cat"])
    for refused in (
        lambda: vocabulary.encode("the cat"),
        lambda: vocabulary.unknown("the cat"),
        lambda: Vocabulary("the cat"),
        lambda: Vocabulary.from_sentences(["the cat"]),
    ):
        with pytest.raises(TypeError, match="'the cat'"):
            refused()


def test_tokens_that_are_no_strings_are_refused():
    vocabulary = Vocabulary(("the", "king"))
    for tokens in (b"the", [b"the"], [5], ["the", None]):
        with pytest.raises(TypeError, match=r"(tokens are strings, but one of these is|expected a list of tokens)"):
            vocabulary.encode(tokens)
        with pytest.raises(TypeError, match=r"(tokens are strings, but one of these is|expected a list of tokens)"):
            Vocabulary(tokens)
