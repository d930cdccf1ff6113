"""Merges left out at random: the same text, cut in other ways, about as often as the tokenizers library does."""

from statistics import fmean

import pytest
from tokenizers import Tokenizer, models

from course_lib.data import grammar
from course_lib.text.bpe_dropout import TokenizerWithDropout
from course_lib.text.byte_pairs import BytePairTokenizer, byte_ids, pieces
from course_lib.text.fast_merges import learn_byte_pairs
from course_lib.text.words import join


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [join(pair.french) for pair in grammar.generate(300, seed=0)]


@pytest.fixture(scope="module")
def plain(texts: list[str]) -> BytePairTokenizer:
    return learn_byte_pairs(texts, 150)


def test_no_merge_left_out_is_the_plain_tokenizer_and_all_are_the_bytes(texts: list[str], plain: BytePairTokenizer):
    for text in texts[:20]:
        assert TokenizerWithDropout(plain.merges, 0.0, seed=0).encode(text) == plain.encode(text)
        of_bytes = [i for piece in pieces(text) for i in byte_ids(piece)]
        assert TokenizerWithDropout(plain.merges, 1.0, seed=0).encode(text) == of_bytes


def test_the_ids_decode_to_the_same_text_and_a_word_is_cut_in_several_ways(texts: list[str], plain: BytePairTokenizer):
    at_random = TokenizerWithDropout(plain.merges, 0.3, seed=0)
    assert [plain.decode(at_random.encode(text)) for text in texts] == texts
    assert len({tuple(at_random.encode(texts[0])) for _ in range(20)}) > 5
    assert (at_random.bos, at_random.eos, at_random.pad) == (plain.bos, plain.eos, plain.pad)


def test_the_seed_decides(texts: list[str], plain: BytePairTokenizer):
    def encoded(seed: int) -> list[list[int]]:
        return [*map(TokenizerWithDropout(plain.merges, 0.3, seed).encode, texts)]

    assert encoded(1) == encoded(1) != encoded(2)


@pytest.mark.parametrize("left_out", [0.1, 0.5])
def test_texts_become_as_long_as_with_the_tokenizers_library(
    texts: list[str], plain: BytePairTokenizer, left_out: float
):
    spelled = [chr(256 + i) for i in range(256)]  # each byte as a character of its own
    merges = []
    for first, second in plain.merges:
        merges.append((spelled[first], spelled[second]))
        spelled.append(spelled[first] + spelled[second])
    vocabulary = {token: i for i, token in enumerate(spelled)}
    theirs = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, dropout=left_out, cache_capacity=0))
    words = ["".join(spelled[i] for i in byte_ids(piece)) for text in texts for piece in pieces(text)]
    expected = fmean(len(theirs.encode(word).ids) for word in words for _ in range(3))
    mine = TokenizerWithDropout(plain.merges, left_out, seed=0, ways=200)
    found = fmean(len(mine.encode(piece)) for text in texts for piece in pieces(text) for _ in range(3))
    assert found == pytest.approx(expected, rel=0.02)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="left_out is a probability, from 0 to 1, but is 10"):
        TokenizerWithDropout([], 10, seed=0)
