"""Sentences after patterns: what is filled in agrees, in both languages, and what cannot be filled in is refused."""

import random
import re
from pathlib import Path

import pytest

from course_lib.data import sentence_patterns
from course_lib.data.sentence_patterns import adjective, fill, noun, read

WORDS = {
    "room": [noun("kitchen", "la cuisine"), noun("entrance", "l'entrée f"), noun("hotel", "l'hôtel m")],
    "bird": [noun("owl", "le hibou, hiboux")],
    "tool": [noun("knife, knives", "le couteau")],
    "shoes": [noun("boots", "les bottes f")],
    "state": [adjective("new", "neuf, neuve")],
    "look": [adjective("beautiful", "beau, belle, beaux, belles")],
    "name": [adjective("Yara", "Yara")],
    "city": [adjective("Athens", "Athènes")],
}


def written(english: str, french: str, group: str = "room", place: int = 0) -> tuple[str, str]:
    """Fill one word of a group, and the only word of each other one, into a pattern."""
    words = {**WORDS, group: [WORDS[group][place]]}
    (pair,) = fill(english, french, words, 1, random.Random(0))
    return pair.english, pair.french


@pytest.mark.parametrize(
    ("slot", "kitchen", "entrance", "hotel"),
    [
        ("le", "la cuisine", "l'entrée", "l'hôtel"),
        ("un", "une cuisine", "une entrée", "un hôtel"),
        ("du", "de la cuisine", "de l'entrée", "de l'hôtel"),
        ("au", "à la cuisine", "à l'entrée", "à l'hôtel"),
        ("ce", "cette cuisine", "cette entrée", "cet hôtel"),
        ("mon", "ma cuisine", "mon entrée", "mon hôtel"),
        ("votre", "votre cuisine", "votre entrée", "votre hôtel"),
        ("quel", "quelle cuisine", "quelle entrée", "quel hôtel"),
        ("de", "de cuisine", "d'entrée", "d'hôtel"),
        ("des", "des cuisines", "des entrées", "des hôtels"),
        ("quels", "quelles cuisines", "quelles entrées", "quels hôtels"),
    ],
)
def test_a_determiner_fits_gender_number_and_vowel(slot: str, kitchen: str, entrance: str, hotel: str):
    found = [written("See {room}.", f"Voici {{{slot} room}}.", place=i)[1] for i in range(3)]
    assert found == [f"Voici {each}." for each in (kitchen, entrance, hotel)]


@pytest.mark.parametrize(
    ("english", "french", "pair"),
    [
        ("The {bird} is {state}.", "{Le bird} est {state>bird}.", ("The owl is new.", "Le hibou est neuf.")),
        ("A {bird} and an {tool}", "{Un bird} et {un tool}", ("An owl and a knife", "Un hibou et un couteau")),
        ("Two {tool:s}", "Deux {tool:s}", ("Two knives", "Deux couteaux")),
        ("My {state} {shoes}", "{Mes shoes} {state>shoes}", ("My new boots", "Mes bottes neuves")),
        (
            "{name} knows that {name} is here.",
            "{name} sait {que name} est là.",
            (
                "Yara knows that Yara is here.",
                "Yara sait que Yara est là.",
            ),
        ),
        ("I am from {city}.", "Je viens {de city}.", ("I am from Athens.", "Je viens d'Athènes.")),
        (
            "What {look} {tool:s}!",
            "{Quels>tool:s} {look>tool:s} {tool:s}!",
            (
                "What beautiful knives!",
                "Quels beaux couteaux !",
            ),
        ),
        (
            "The {tool} was sold.",
            "{Le tool} a été {vendu/vendue>tool}.",
            (
                "The knife was sold.",
                "Le couteau a été vendu.",
            ),
        ),
    ],
)
def test_words_agree_in_a_sentence(english: str, french: str, pair: tuple[str, str]):
    assert written(english, french, "bird") == pair


@pytest.mark.parametrize(
    ("following", "article"),
    [
        ("apple", "an"), ("onion", "an"), ("hour", "an"), ("umbrella", "an"), ("uncle", "an"), ("evening", "an"),
        ("university", "a"), ("uniform", "a"), ("European", "a"), ("one-way ticket", "a"), ("hotel", "a"),
        ("USB drive", "a"), ("user", "a"), ("house", "a"), ("honest man", "an"),
    ],
)  # fmt: skip
def test_the_english_article_fits_the_sound(following: str, article: str):
    words = {"thing": [noun(following, "la chose")]}
    for before in ("a", "an"):
        (pair,) = fill(f"Take {before} {{thing}}.", "Prends {un thing}.", words, 1, random.Random(0))
        assert pair.english == f"Take {article} {following}."


def test_two_slots_of_a_group_hold_different_words_and_no_sentence_comes_twice():
    pairs = fill("The {room} or the {room2}?", "{Le room} ou {le room2} ?", WORDS, 50, random.Random(0))
    assert len(set(pairs)) == len(pairs) == 6
    assert all(pair.english.count(word.english) <= 1 for pair in pairs for word in WORDS["room"])


@pytest.mark.parametrize(
    ("english", "french", "reason"),
    [
        ("The {wheel}", "{La wheel}", "the group 'wheel' has no words"),
        ("The {room}", "{Le tool}", "names 'tool', which is not in the English"),
        ("The {city:s}", "{city}", "asks for a plural, but 'Athens' is no noun"),
        ("The {city}", "{le city}", "has a determiner, but 'Athens' is no noun"),
        ("The {tool}", "{cher tool}", "'cher' is none of the determiners le, un"),
        ("The {city}", "{neuf/neuve>city}", "should agree with a noun, but 'Athens' is none"),
        ("The {room} {tool}", "{tool>room}", "should have an adjective before the sign >, but tool is a noun"),
    ],
)
def test_what_cannot_be_filled_in_is_refused_in_a_sentence(english: str, french: str, reason: str):
    with pytest.raises(ValueError, match=re.escape(reason)):
        fill(english, french, WORDS, 1, random.Random(0))


def test_files_that_are_not_as_they_should_be_are_refused(tmp_path: Path):
    file = tmp_path / "topic.toml"
    for text, reason in [
        ("[verbs]\n[patterns]\n", "has a table 'verbs'"),
        ('[words.room]\n"hotel" = "l\'hôtel"\n[patterns]\n', "end with m or f"),
        ('[words.room]\n"hotel" = "hôtel"\n[patterns]\n', "should begin with le or la"),
        ('[adjectives.a]\n"new" = "neuf, neuve, neufs"\n[patterns]\n', "one form, two, or four"),
        ("[words.room]\n", "has no table of patterns"),
    ]:
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=reason):
            read(file)


def test_the_courses_patterns_give_thousands_of_pairs_that_are_well_formed():
    pairs = sentence_patterns.pairs()
    assert len(pairs) > 10_000
    for pair in pairs:
        assert not {*"{}>|"} & {*pair.english, *pair.french}, pair
        assert pair.english[0].isupper() or not pair.english[0].isalpha(), pair
        assert pair.french[0].isupper() or not pair.french[0].isalpha(), pair
        assert pair.english[-1] in ".!?", pair
        assert (pair.english[-1] == "?") == (pair.french[-1] == "?"), pair
        assert "  " not in pair.english + pair.french
    assert pairs != sentence_patterns.pairs(seed=1)
