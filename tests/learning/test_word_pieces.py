"""Labels on pieces of words, compared with the pieces of the `tokenizers` library."""

import random

import pytest

from course_lib.learning.losses import IGNORE
from course_lib.learning.word_pieces import at_first_pieces, cut_words, label_every_piece, label_pieces
from tests.learning.pieces import small_tokenizer

WORDS = ["New", "Grimms", "techno-based", ".", "café", "Ωmega", "a.b,c", "x", "007"]


def random_words(chance: random.Random) -> list[str]:
    return [chance.choice(WORDS) for _ in range(chance.randrange(9))]


def test_pieces_are_those_of_the_tokenizers_library() -> None:
    tokenizer, chance = small_tokenizer(), random.Random(0)
    for _ in range(300):
        words = random_words(chance)
        theirs = tokenizer.library.encode(words, is_pretokenized=True)
        ids, word_of_piece = cut_words(words, tokenizer)
        assert ids == theirs.ids
        assert word_of_piece == theirs.word_ids


def test_the_first_piece_of_each_word_is_labelled_and_no_other() -> None:
    tokenizer, chance = small_tokenizer(), random.Random(1)
    for _ in range(300):
        words = random_words(chance)
        labels = [chance.randrange(9) for _ in words]
        expected, former = [], None
        for word in tokenizer.library.encode(words, is_pretokenized=True).word_ids:
            expected.append(IGNORE if word is None or word == former else labels[word])
            former = word
        assert label_pieces(cut_words(words, tokenizer).word_of_piece, labels) == expected


def test_labels_by_hand() -> None:
    ids, word_of_piece = cut_words(["Grimms", "x"], small_tokenizer())
    assert [small_tokenizer().token(i) for i in ids] == ["[CLS]", "grimm", "##s", "x", "[SEP]"]
    assert word_of_piece == [None, 0, 0, 1, None]
    assert label_pieces(word_of_piece, [5, 0]) == [IGNORE, 5, IGNORE, 0, IGNORE]


def test_labels_come_back_from_the_pieces() -> None:
    tokenizer, chance = small_tokenizer(), random.Random(2)
    for _ in range(300):
        words = random_words(chance)
        labels = [chance.randrange(9) for _ in words]
        word_of_piece = cut_words(words, tokenizer).word_of_piece
        assert at_first_pieces(label_pieces(word_of_piece, labels), word_of_piece, len(words)) == labels


def test_a_word_of_which_nothing_is_left_has_a_piece() -> None:
    assert small_tokenizer().encode("\u200b") == []
    assert cut_words(["x", "\u200b", "x"], small_tokenizer()).word_of_piece == [None, 0, 1, 2, None]
    assert cut_words(["\u200b"], small_tokenizer()).ids[1] == small_tokenizer().unk
    with pytest.raises(ValueError, match=r"leaves nothing of the word '.u200b', and has no unknown token"):
        cut_words(["\u200b"], small_tokenizer(specials=False))


def test_without_special_tokens_there_are_only_pieces_of_words() -> None:
    assert cut_words(["Grimms", "x"], small_tokenizer(specials=False)).word_of_piece == [0, 0, 1]
    assert cut_words([], small_tokenizer(specials=False)) == ([], [])


def test_a_string_in_place_of_words_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a list of words, but got the string 'New York'"):
        cut_words("New York", small_tokenizer())


@pytest.mark.parametrize(("word_of_piece", "words"), [([None, 0, 1], 1), ([0, 0], 2), ([0, 2], 2), ([1], 1), ([], 1)])
def test_pieces_and_labels_that_do_not_match_are_refused(word_of_piece: list[int | None], words: int) -> None:
    with pytest.raises(ValueError, match=f"but there are {words} words, counted from 0"):
        label_every_piece(word_of_piece, [0] * words)
    with pytest.raises(ValueError, match=f"but there are {words} words, counted from 0"):
        label_pieces(word_of_piece, [0] * words)
    with pytest.raises(ValueError, match=f"but there are {words} words, counted from 0"):
        at_first_pieces(word_of_piece, word_of_piece, words)


def test_every_piece_of_a_word_can_get_its_label() -> None:
    assert label_every_piece([None, 0, 0, 1, None, 1], [3, 7]) == [IGNORE, 3, 3, 7, IGNORE, 7]


def test_values_that_do_not_match_the_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 2 and 3 values"):
        at_first_pieces([1, 2, 3], [0, 1], 2)
