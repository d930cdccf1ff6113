"""The everyday sentences, and how translations of them are judged."""

import pytest

from course_lib import data
from course_lib.data import everyday, translations


def test_there_are_sixty_each_with_several_right_translations():
    sentences = everyday.load()
    assert len(sentences) == 60
    assert {"The detective investigated.", "Turn on the light in the kitchen.", "How much does this bag cost?"} <= {
        *sentences
    }
    assert len({translations.group(english) for english in sentences}) == 60
    assert all(sentences.values())


def test_none_of_them_nor_a_twin_is_learned_or_held_out():
    try:
        data.fetch("translations")
    except data.Offline as error:
        pytest.skip(str(error))
    ours = {translations.group(english) for english in everyday.load()}
    assert not ours & {translations.group(pair.english) for pair in translations.load()}


def test_no_pattern_leaves_a_brace_or_a_bar():
    assert all(text.replace(" ", "").isalnum() for texts in everyday.load().values() for text in texts)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("a b", ["a b"]),
        ("{a|b} c", ["a c", "b c"]),
        ("{a|b} {c|}d", ["a cd", "a d", "b cd", "b d"]),
    ],
)
def test_a_pattern_stands_for_all_its_choices(pattern: str, texts: list[str]):
    assert everyday.spelled_out(pattern) == texts


@pytest.mark.parametrize(
    ("french", "verdict"),
    [
        ("Combien coûte ce sac\u202f?", "right"),
        ("quel est le prix de ce sac", "right"),
        ("Combien coûte cette sac ?", "near"),
        ("Combien ce sac ?", "near"),
        ("Combien coûte cette poche ?", "wrong"),
        ("", "wrong"),
    ],
)
def test_a_translation_is_right_near_or_wrong(french: str, verdict: str):
    assert everyday.verdict("How much does this bag cost?", french) == verdict


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("Her shoes are wet.", "Ses chaussures sont mouillés."),
        ("Who left the fridge open?", "Qui a laissé le frigo ouverte ?"),
        ("Who left the fridge open?", "Qui a laissé la porte du frigo ouvert ?"),
        ("She sent me a postcard from Italy.", "Elle m'a envoyé une carte postale de l'Italie."),
    ],
)
def test_a_wrong_ending_or_article_is_not_right(english: str, french: str):
    assert everyday.verdict(english, french) == "near"


@pytest.mark.parametrize(("one", "other"), [("ma soeur", "ma sœur"), ("L’été", "l'été !"), ("E\u0301te\u0301", "été")])
def test_spellings_of_one_text_are_alike(one: str, other: str):
    assert everyday.normal(one) == everyday.normal(other)


def test_another_sentence_is_refused():
    with pytest.raises(KeyError):
        everyday.verdict("Who are you?", "Qui es-tu ?")


@pytest.mark.parametrize(
    ("one", "other", "apart"), [("", "", 0), ("a b c", "a c", 1), ("a b", "b a", 2), ("", "a b", 2)]
)
def test_words_apart_counts_changes(one: str, other: str, apart: int):
    assert everyday.words_apart(one.split(), other.split()) == apart
