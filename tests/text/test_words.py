"""Words, their ids, and the way back."""

import pytest
import torch

from course_lib.text.words import BOS, EOS, PAD, UNK, Vocabulary, join, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The detective investigated", "the detective investigated"),
        ("Hello, world! (Really?)", "hello , world ! ( really ? )"),
        ("L'homme n'a pas vu l'école.", "l' homme n' a pas vu l' école ."),
        ("Qu'elle vienne aujourd'hui, s'il te plaît", "qu' elle vienne aujourd'hui , s' il te plaît"),
        ("l’ami d’Anne", "l' ami d' anne"),
        ("The king didn't sleep, they weren't old.", "the king did not sleep , they were not old ."),
        ("the king's well-known daughter", "the king 's well-known daughter"),
        ("un après-midi de 2 heures", "un après-midi de 2 heures"),
        ("'What?' said he.", "' what ? ' said he ."),
        ("‘There’s trouble!’ said the fathers’ king", "' there 's trouble ! ' said the fathers ' king"),
        ("Cœur, œuf, Noël, naïve", "cœur , œuf , noël , naïve"),
        ("  two\n lines\t", "two lines"),
        ("", ""),
    ],
)
def test_text_is_split_as_by_hand(text: str, expected: str) -> None:
    assert words(text) == expected.split()


def test_an_accent_typed_as_a_second_character_is_the_same_word() -> None:
    assert words("enque\u0302te\u0301") == ["enquêté"]


@pytest.mark.parametrize(
    "text",
    [
        "l'homme n'a pas enquêté aujourd'hui",
        "d'énormes chats, près de l'école (hier)!",
        "the king's daughter did not sleep.",
        "",
    ],
)
def test_join_undoes_words(text: str) -> None:
    assert join(words(text)) == text


def test_special_tokens_have_the_ids_that_the_course_agreed_on() -> None:
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    assert [Vocabulary(["a"]).encode([token]) for token in ("[pad]", "[bos]", "[eos]", "[unk]")] == [[0], [1], [2], [3]]


def test_words_are_numbered_in_the_given_order_after_the_special_tokens() -> None:
    vocabulary = Vocabulary(["the", "cat", "a"])
    assert vocabulary.encode(["a", "the", "cat"]) == [6, 4, 5]
    assert len(vocabulary) == 7


def test_the_commonest_word_comes_first_and_ties_go_by_alphabet() -> None:
    vocabulary = Vocabulary.from_sentences([["the", "old", "cat"], ["the", "cat"], ["the", "new", "hat"]])
    assert vocabulary.words == ("the", "cat", "hat", "new", "old")


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


@pytest.mark.parametrize("twice", [["the", "cat", "the"], ["[eos]", "cat"]])
def test_a_word_with_two_ids_is_refused(twice: list[str]) -> None:
    with pytest.raises(ValueError, match="stands in the vocabulary twice"):
        Vocabulary(twice)


def test_a_string_instead_of_a_list_of_words_is_refused() -> None:
    vocabulary = Vocabulary(["the", "cat"])
    for refused in (
        lambda: vocabulary.encode("the cat"),
        lambda: vocabulary.unknown("the cat"),
        lambda: Vocabulary("the cat"),
        lambda: Vocabulary.from_sentences(["the cat"]),
        lambda: join("the cat"),
    ):
        with pytest.raises(TypeError, match="'the cat'"):
            refused()
