"""Byte-pair encoding against the tokenizers library, on text that it learned from and on any other."""

from collections.abc import Sequence

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from course_lib.data import fetch, tales
from course_lib.text import bpe

MERGES = 120
TEXTS = [
    "The king's daughter wept, and wept.",
    "naïve café, e\u0301 as two signs",
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
    """The library's own byte-pair encoding, of the same words."""
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
    return bpe.learn_merges(bpe.count_words(tale), MERGES)


def test_merges_and_ids_are_those_of_the_library(tale: str, merges: list[tuple[int, int]]):
    theirs = library(bpe.pieces(tale), MERGES)
    tokens = spelled(theirs)
    assert [tokens[a] + tokens[b] for a, b in merges] == tokens[256:]
    assert bpe.bpe_encode(tale, merges) == theirs.encode(bpe.pieces(tale), is_pretokenized=True).ids


def test_the_tales_are_cut_into_the_words_of_the_librarys_own_expression(tale: str):
    split = pre_tokenizers.Split(Regex(r" ?\w+| ?[^\w\s]+|\s+"), behavior="isolated")
    assert bpe.pieces(tale) == [word for word, _ in split.pre_tokenize_str(tale)]


@pytest.mark.parametrize("text", SCRIPTS)
def test_merges_and_ids_are_those_of_the_library_in_other_scripts(text: str):
    merges = bpe.learn_merges(bpe.count_words(text), 10)
    theirs = library(bpe.pieces(text), 10)
    tokens = spelled(theirs)
    assert len(merges) == 10
    assert [tokens[a] + tokens[b] for a, b in merges] == tokens[256:]
    assert bpe.bpe_encode(text, merges) == theirs.encode(bpe.pieces(text), is_pretokenized=True).ids
    assert theirs.decode(bpe.bpe_encode(text, merges)) == bpe.bpe_decode(bpe.bpe_encode(text, merges), merges) == text


def test_equally_frequent_pairs_are_merged_in_the_librarys_order():
    # " z" and "zy" and "ab" all stand twice: the space's id is higher than any letter's.
    text = " zy zy xab xab"
    merges = bpe.learn_merges(bpe.count_words(text), 4)
    tokens = spelled(library(bpe.pieces(text), 4))
    assert [tokens[a] + tokens[b] for a, b in merges] == tokens[256:]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back(text: str, merges: list[tuple[int, int]]):
    assert bpe.bpe_decode(bpe.bpe_encode(text, merges), merges) == text
    assert "".join(bpe.pieces(text)) == text


def test_the_first_ids_are_the_librarys_alphabet():
    theirs = library(["a"], 0)
    for byte in (b"!", b"a", b" ", b"\n", b"\x7f"):
        assert theirs.encode(byte.decode()).ids == list(bpe.byte_ids(byte.decode()))


def test_a_triple_is_merged_from_the_left():
    assert bpe.merge_pair([1, 1, 1], (1, 1), 256) == [256, 1]


def test_merging_ends_where_no_pair_is_left():
    assert bpe.learn_merges({(1, 2): 3}, count=10) == [(1, 2)]
