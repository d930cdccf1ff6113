"""The tokenizer that splits a text into characters."""

import pytest

from course_lib.text.characters import CharacterTokenizer


def test_characters_are_numbered_by_how_often_they_occur_then_by_code_point() -> None:
    tokenizer = CharacterTokenizer.from_text("a banana")
    assert tokenizer.characters == "an b"
    assert tokenizer.encode("ban an") == [7, 4, 5, 6, 4, 5]
    assert len(tokenizer) == 8


def test_every_character_counts_spaces_and_line_breaks_included() -> None:
    text = "Once upon a time,\n\n  “there” was é"
    tokenizer = CharacterTokenizer.from_text(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(text)


def test_an_unknown_character_is_named_and_becomes_the_unknown_id() -> None:
    tokenizer = CharacterTokenizer.from_text("abc")
    assert tokenizer.unknown("a@b@!") == ["@", "!"]
    assert tokenizer.encode("a@") == [4, tokenizer.unk]


@pytest.mark.parametrize("text", [["ab", "c"], b"ab", None])
def test_characters_are_those_of_a_text(text: object) -> None:
    with pytest.raises(TypeError, match="expected a text, but got"):
        CharacterTokenizer.from_text(text)
