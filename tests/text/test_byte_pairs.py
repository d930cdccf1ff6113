"""Byte-pair encoding against the tokenizers library, on its training text and on other texts."""

import json
from collections.abc import Sequence

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from course_lib.data import fetch, tales
from course_lib.text.byte_pairs import (
    SPECIAL_TOKENS,
    BytePairTokenizer,
    bpe_decode,
    bpe_encode,
    byte_ids,
    count_words,
    learn_merges,
    merge_pair,
    pieces,
)

MERGES = 120
TEXTS = [
    "The king's daughter wept, and wept.",
    "naïve café, e\u0301 as two characters",
    "שלום עולם, مرحبا",
    "👩‍🔬 and 🇫🇷",
    "  two spaces\n\n\tand a tab ",
    "日本語 ½ ²",
    "\x00\x7f",
    "",
]


SCRIPTS = [
    "cafe\u0301s re\u0301sume\u0301s e\u0301te\u0301s " * 3,
    "हिन्दी भाषा हिन्दी में " * 3,
    "שָׁלוֹם עוֹלָם שָׁלוֹם " * 3,
    "مرحبا بالعالم مرحبا " * 3,
    "👩‍🔬👩‍🔬 👩🏽 👩‍🔬 " * 3,
    "a½½ b½½ x² ²² " * 3,
]


def library(words: Sequence[str], merges: int) -> Tokenizer:
    """The byte-pair encoding of the tokenizers library, trained on the same words."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(words, trainer)
    return tokenizer


def spelled(tokenizer: Tokenizer) -> list[str]:
    return [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]


@pytest.fixture(scope="module")
def tale() -> str:
    fetch("tales")
    return tales.text(tales.load()[:6])


@pytest.fixture(scope="module")
def merges(tale: str) -> list[tuple[int, int]]:
    return learn_merges(count_words(tale), MERGES)


def test_merges_and_ids_are_those_of_the_library(tale: str, merges: list[tuple[int, int]]):
    theirs = library(pieces(tale), MERGES)
    tokens = spelled(theirs)
    assert [tokens[a] + tokens[b] for a, b in merges] == tokens[256:]
    assert bpe_encode(tale, merges) == theirs.encode(pieces(tale), is_pretokenized=True).ids


def test_the_tales_are_split_into_words_like_the_librarys_own_expression_does(tale: str):
    split = pre_tokenizers.Split(Regex(r" ?\w+| ?[^\w\s]+|\s+"), behavior="isolated")
    assert pieces(tale) == [word for word, _ in split.pre_tokenize_str(tale)]


@pytest.mark.parametrize("text", SCRIPTS)
def test_merges_and_ids_are_those_of_the_library_in_other_scripts(text: str):
    merges = learn_merges(count_words(text), 10)
    theirs = library(pieces(text), 10)
    tokens = spelled(theirs)
    assert len(merges) == 10
    assert [tokens[a] + tokens[b] for a, b in merges] == tokens[256:]
    assert bpe_encode(text, merges) == theirs.encode(pieces(text), is_pretokenized=True).ids
    assert theirs.decode(bpe_encode(text, merges)) == bpe_decode(bpe_encode(text, merges), merges) == text


def test_equally_frequent_pairs_are_merged_in_the_librarys_order():
    # " z" and "zy" and "ab" all occur twice: the space's id is higher than any letter's.
    text = " zy zy xab xab"
    merges = learn_merges(count_words(text), 4)
    tokens = spelled(library(pieces(text), 4))
    assert [tokens[a] + tokens[b] for a, b in merges] == tokens[256:]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_decoded_to_itself(text: str, merges: list[tuple[int, int]]):
    assert bpe_decode(bpe_encode(text, merges), merges) == text
    assert "".join(pieces(text)) == text


def test_the_first_ids_are_the_librarys_alphabet():
    theirs = library(["a"], 0)
    for byte in (b"!", b"a", b" ", b"\n", b"\x7f"):
        assert theirs.encode(byte.decode()).ids == list(byte_ids(byte.decode()))


def test_a_triple_is_merged_from_the_left():
    assert merge_pair([1, 1, 1], (1, 1), 256) == [256, 1]


def test_merging_ends_where_no_pair_is_left():
    assert learn_merges({(1, 2): 3}, count=10) == [(1, 2)]


@pytest.mark.parametrize("text", [*TEXTS, *SCRIPTS])
def test_the_tokenizer_gives_the_ids_of_the_functions(text: str, merges: list[tuple[int, int]]):
    tokenizer = BytePairTokenizer(merges)
    assert tokenizer.encode(text) == tokenizer.encode(text) == bpe_encode(text, merges)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_tokenizer_learns_its_merges_from_a_text(tale: str, merges: list[tuple[int, int]]):
    assert BytePairTokenizer.from_text(tale, MERGES).merges == merges


def test_special_ids_follow_bytes_and_merges_and_decode_to_nothing(merges: list[tuple[int, int]]):
    tokenizer = BytePairTokenizer(merges)
    first = 256 + len(merges)
    assert [tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.mask] == [first, first + 1, first + 2, first + 3]
    assert len(tokenizer) == first + 4
    assert tokenizer.decode(range(first + 2)) == bpe_decode(range(first), merges)
    assert [tokenizer.token(i) for i in range(first, first + 4)] == list(SPECIAL_TOKENS)


def test_special_tokens_are_the_requested_ones():
    tokenizer = BytePairTokenizer([], special_tokens=["[eos]"])
    assert (tokenizer.pad, tokenizer.bos, tokenizer.eos, tokenizer.unk, tokenizer.mask) == (None, None, 256, None, None)
    assert len(tokenizer) == 257
    assert len(BytePairTokenizer([], special_tokens=())) == 256


@pytest.mark.parametrize("special_tokens", [["[unk]"], ["[pad]", "[pad]"]])
def test_unknown_special_tokens_are_refused(special_tokens: list[str]):
    with pytest.raises(ValueError, match=r"special_tokens should be different ones of \[pad\], .*, but are \['"):
        BytePairTokenizer([], special_tokens)


def test_half_a_character_is_spelled_in_hexadecimal_digits():
    tokenizer = BytePairTokenizer([])
    assert [tokenizer.token(i) for i in tokenizer.encode("é a")] == ["<c3>", "<a9>", " ", "a"]


@pytest.mark.parametrize("number", [-1, 260])
def test_an_id_that_the_tokenizer_does_not_have_is_refused(number: int):
    tokenizer = BytePairTokenizer([])
    with pytest.raises(ValueError, match=f"go from 0 to 259, but got {number}$"):
        tokenizer.decode([number])
    with pytest.raises(ValueError, match=f"go from 0 to 259, but got {number}$"):
        tokenizer.token(number)


@pytest.mark.parametrize("number", [-1, -100, 258, 5000])
def test_decoding_an_id_that_stands_for_no_bytes_is_refused(number: int) -> None:
    with pytest.raises(KeyError, match=str(number)):
        bpe_decode([number], [(64, 64), (256, 64)])


def test_merges_read_from_json_do_what_tuples_do() -> None:
    merges = learn_merges(count_words("the king and the king's daughter and the key"), 12)
    read = json.loads(json.dumps(merges))
    text = "the king's key"
    assert bpe_encode(text, read) == bpe_encode(text, merges)
    assert merge_pair([1, 2, 1, 2], [1, 2], 256) == [256, 256]
    assert BytePairTokenizer(read).merges == merges
    assert BytePairTokenizer(read).encode(text) == bpe_encode(text, merges)


@pytest.mark.parametrize("pair", [(64, 300), (-1, 64), (64,), (1, 2, 3), "ab", (256, 64)])
def test_a_merge_that_is_no_pair_of_earlier_ids_is_refused(pair: object) -> None:
    with pytest.raises(ValueError, match="the merge that makes id 256 should be a pair of smaller ids, but is"):
        BytePairTokenizer([pair])
