import pytest

from course_lib.data.grammar import Pair, generate
from course_lib.data.grammar.kinds import KINDS, has_swap, nouns_of_determiners, word_kinds


def pair(english: str, french: str, links: str) -> Pair:
    """A pair from its words and its links, such as "0-0 1-2"."""
    alignment = frozenset((int(i), int(j)) for i, j in (link.split("-") for link in links.split()))
    return Pair(tuple(english.split()), tuple(french.split()), alignment)


HERO = pair(
    "the hero found these dangerous doctors",
    "le héros a trouvé ces médecins dangereux",
    "0-0 1-1 2-2 2-3 3-4 4-6 5-5",
)
OWNER = pair("a friend of the king slept", "un ami du roi a dormi", "0-0 1-1 2-2 3-2 4-3 5-4 5-5")


def test_a_french_word_is_of_the_kind_of_the_english_word_that_it_translates():
    assert word_kinds(HERO) == ("determiner", "noun", "other", "other", "determiner", "noun", "adjective")


def test_a_contraction_is_of_the_kind_of_its_first_word():
    assert word_kinds(OWNER)[2] == "other"


def test_only_an_adjective_right_after_its_noun_is_a_swap():
    assert has_swap(HERO)
    assert not has_swap(OWNER)
    assert not has_swap(pair("the old king", "le vieux roi", "0-0 1-1 2-2"))


def test_a_determiner_belongs_to_the_next_noun_across_adjectives():
    assert nouns_of_determiners(HERO) == {0: 1, 4: 5}
    assert nouns_of_determiners(OWNER) == {0: 1}


def test_a_determiner_without_a_noun_has_none():
    assert nouns_of_determiners(pair("many slept", "beaucoup ont dormi", "0-0 1-1 1-2")) == {}
    first = pair("this morning the king slept", "ce matin le roi a dormi", "0-0 1-1 2-2 3-3 4-4 4-5")
    assert nouns_of_determiners(first) == {2: 3}
    assert nouns_of_determiners(pair("the very old king", "le très vieux roi", "0-0 1-1 2-2 3-3")) == {}


@pytest.mark.parametrize("seed", [0, 1])
def test_every_word_of_the_corpus_has_a_kind_and_every_determiner_but_those_of_times_a_noun(seed):
    for each in generate(300, seed=seed):
        kinds = word_kinds(each)
        assert len(kinds) == len(each.french)
        assert set(kinds) <= set(KINDS)
        found = nouns_of_determiners(each)
        for j, noun in found.items():
            assert "noun" in {kinds[k] for i, k in each.alignment if i == noun}
            assert min(i for i, k in each.alignment if k == j) < noun
        without = {j for j, kind in enumerate(kinds) if kind == "determiner"} - found.keys()
        assert {each.french[j + 1] for j in without} <= {"matin", "soir"}
