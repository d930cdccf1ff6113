"""Pairs of adjective and noun that are held back from training, found here by looking at neighbouring words."""

from itertools import combinations

import pytest

from course_lib.data.grammar import NOTES_SENTENCE, is_held_back, lexicon, translation_split
from course_lib.data.grammar import combinations as combinations_module
from course_lib.data.grammar.combinations import TranslationSplit, described_nouns

ADJECTIVES = {adjective.english for adjective in lexicon.ADJECTIVES}
SINGULAR = {word: noun.singular for noun in lexicon.NOUNS for word in (noun.singular, noun.plural)}


@pytest.fixture(scope="module")
def parts() -> TranslationSplit:
    return translation_split()


def neighbours(sentence: tuple[str, ...]) -> set[tuple[str, str]]:
    """Each adjective with the noun after it, in the singular, directly or with one more adjective between them."""
    words = [*sentence, "", ""]
    return {
        (a, SINGULAR[noun])
        for i, a in enumerate(sentence)
        for noun in (words[i + 1], words[i + 2] if words[i + 1] in ADJECTIVES else "")
        if a in ADJECTIVES and noun in SINGULAR
    }


def test_no_pair_that_is_held_back_occurs_in_training_though_all_of_its_words_do(parts: TranslationSplit):
    met = {two for pair in parts.train for two in neighbours(pair.english)}
    held_back = {two for pair in parts.new for two in neighbours(pair.english) if is_held_back(*two)}
    assert len(held_back) > 150
    assert not held_back & met
    assert len(met) > 1000
    assert {word for pair in parts.new for word in pair.english} <= {w for pair in parts.train for w in pair.english}


def test_each_new_sentence_has_a_pair_that_was_held_back_and_each_known_one_only_pairs_met_in_training(
    parts: TranslationSplit,
):
    met = {two for pair in parts.train for two in neighbours(pair.english)}
    assert all(neighbours(pair.english) - met for pair in parts.new)
    assert all(neighbours(pair.english) and neighbours(pair.english) <= met for pair in parts.known)


def test_the_parts_have_their_sizes_and_no_test_sentence_is_in_training(parts: TranslationSplit):
    train, test, known, new = (
        {pair.english for pair in part} for part in (parts.train, parts.test, parts.known, parts.new)
    )
    assert [len(part) for part in (train, test, known, new)] == [20_000, 400, 400, 400]
    assert not train & (test | known | new)
    assert not new & (test | known)
    assert NOTES_SENTENCE not in train | test | known | new


def test_the_notes_sentence_is_left_out_even_where_it_would_come(monkeypatch: pytest.MonkeyPatch):
    before = translation_split(train=60, tests=5)
    for part in ("train", "test"):
        frequent = getattr(before, part)[0].english
        monkeypatch.setattr(combinations_module, "NOTES_SENTENCE", frequent)
        after = translation_split(train=60, tests=5)
        assert frequent not in {pair.english for pair in after.train + after.test + after.known + after.new}


def test_one_in_five_pairs_is_held_back_the_same_in_singular_and_plural():
    held_back = [is_held_back(a, noun.singular) for a in ADJECTIVES for noun in lexicon.NOUNS]
    assert 0.18 < sum(held_back) / len(held_back) < 0.22
    assert all(is_held_back(a, n.singular) == is_held_back(a, n.plural) for a in ADJECTIVES for n in lexicon.NOUNS)
    assert is_held_back("beautiful", "detective")


def test_each_of_two_adjectives_is_paired_with_its_noun():
    sentence = ("the", "strange", "old", "king", "saw", "bad", "witches")
    assert described_nouns(sentence) == [("strange", "king"), ("old", "king"), ("bad", "witches")]
    assert described_nouns(("the", "king", "was", "old")) == []


def test_the_seed_decides_the_pairs_and_other_seeds_share_no_order():
    made = [translation_split(train=60, tests=5, seed=seed) for seed in (0, 0, 1, 2)]
    assert made[0] == made[1]
    for one, other in combinations(made[1:], 2):
        assert one.train != other.train
        assert one.test != other.train[:5]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"seed": -1}, ValueError, "seed should be 0 or more, but is -1"),
        ({"tests": 2.5}, TypeError, r"tests should be a whole number, but is 2\.5"),
        ({"train": 0, "tests": 1}, ValueError, "keep asks too much"),
    ],
)
def test_impossible_sizes_are_refused(arguments: dict[str, int], error: type[Exception], words: str):
    with pytest.raises(error, match=words):
        translation_split(**arguments)


@pytest.mark.parametrize(("adjective", "noun"), [("purple", "king"), ("old", "spaceship"), ("king", "old")])
def test_words_that_the_grammar_does_not_have_are_named(adjective: str, noun: str):
    with pytest.raises(ValueError, match=r"is no (adjective|noun) of the grammar"):
        is_held_back(adjective, noun)
