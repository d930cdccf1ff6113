"""Splitting text into words, and the tokenizer that uses them."""

import pytest

from course_lib.text.vocabulary import Vocabulary
from course_lib.text.words import WordTokenizer, join, words


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
def test_text_is_split_into_the_words_expected_by_hand(text: str, expected: str) -> None:
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
def test_join_reverses_words(text: str) -> None:
    assert join(words(text)) == text


def test_a_string_instead_of_a_list_of_words_is_refused() -> None:
    with pytest.raises(TypeError, match="'the cat'"):
        join("the cat")


SENTENCES = [["the", "old", "cat"], ["the", "cat"], ["the", "new", "hat"]]


def test_a_text_and_its_words_have_the_same_ids() -> None:
    tokenizer = WordTokenizer.from_sentences(SENTENCES)
    assert tokenizer.words == ("the", "cat", "hat", "new", "old")
    assert tokenizer.encode("The old cat!") == tokenizer.encode(["the", "old", "cat", "!"]) == [4, 8, 5, tokenizer.unk]
    assert len(tokenizer) == 9


def test_ids_become_a_text_or_a_list_of_words() -> None:
    tokenizer = WordTokenizer(Vocabulary(["l'", "homme", "dort"]))
    ids = [tokenizer.bos, *tokenizer.encode("l'homme dort"), tokenizer.eos, tokenizer.pad, 4]
    assert tokenizer.decode(ids) == "l'homme dort"
    assert tokenizer.decode_words(ids) == ["l'", "homme", "dort"]


def test_unknown_words_of_a_text_are_named() -> None:
    tokenizer = WordTokenizer.from_sentences(SENTENCES)
    assert tokenizer.unknown("The zebra saw the cat, the zebra") == ["zebra", "saw", ","]
    assert tokenizer.unknown(["zebra", "cat"]) == ["zebra"]


def test_an_accent_without_a_character_of_its_own_stays_with_its_letter():
    assert words("İstanbul x̂-ray") == ["istanbul", "x̂-ray"]
    assert words("i̇stanbul") == ["i̇stanbul"]
