"""The real templates, filled with made-up names."""

import re
from collections import Counter
from datetime import datetime, tzinfo
from itertools import pairwise
from pathlib import Path

import pytest
from faker import Faker

from course_lib import data
from course_lib.data import entity_templates
from course_lib.data.entities import KINDS
from course_lib.data.entity_templates import GAPS, fill, split, templates, words_of


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    data.fetch("entity-templates")


@pytest.fixture
def faker() -> Faker:
    faker = Faker("en_US")
    faker.seed_instance(0)
    return faker


class Always:
    """A faker that always makes up the same."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers

    def __getattr__(self, method: str) -> object:
        return lambda: self.answers[method]


def test_a_text_is_cut_into_words_and_punctuation_as_in_wikigold() -> None:
    assert words_of("Ann's bank (in St. John's-Wood), isn't it?") == [
        *("Ann", "'s", "bank", "(", "in", "St", ".", "John", "'s", "-", "Wood", ")", ",", "isn't", "it", "?")
    ]
    assert words_of(" \n") == []


def test_there_are_209_templates_of_which_no_two_are_equal() -> None:
    assert len(templates()) == len(set(templates())) == 209
    assert templates()[4] == "In case of my child's account, we need to add {{person}} as guardian"


def test_no_template_has_line_breaks_or_broken_characters() -> None:
    assert not [template for template in templates() if re.search(r"\\n|\n|�|\s\s|^\s|\s$", template)]
    assert any(template.endswith("expires soon – when will I get a new one?") for template in templates())


def test_every_gap_of_the_templates_is_filled(faker: Faker) -> None:
    gaps = {gap for template in templates() for gap in re.findall(r"\{\{(\w+)\}\}", template)}
    assert gaps - {"address"} == GAPS.keys()
    assert not [template for template in templates() if re.search(r"[{}]", re.sub(r"\{\{\w+\}\}", "", template))]
    for template in templates():
        assert not {"{", "}"} & {*fill(template, faker).words}


def test_words_in_gaps_are_tagged_and_others_are_not() -> None:
    made_up = Always(
        name="Ada King", company="Lee, Kim and Sons", city="New Bath", country="Peru", street_name="Elm Road"
    )
    sentence = fill("{{person}}'s {{organization}}, {{city}}: {{street_name}}.", made_up)
    assert sentence.words == (
        *("Ada", "King", "'s", "Lee", ",", "Kim", "and", "Sons", ",", "New", "Bath"),
        *(":", "Elm", "Road", "."),
    )
    assert sentence.tags == (
        *("B-PER", "I-PER", "O", "B-ORG", "I-ORG", "I-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "I-LOC"),
        *("O", "B-LOC", "I-LOC", "O"),
    )


def test_an_address_is_a_number_a_street_and_a_city() -> None:
    made_up = Always(building_number="12", street_name="Elm Road", city="Bath")
    sentence = fill("at {{address}}", made_up)
    assert sentence.words == ("at", "12", "Elm", "Road", ",", "Bath")
    assert sentence.tags == ("O", "O", "B-LOC", "I-LOC", "O", "B-LOC")


def test_a_first_name_and_a_last_name_are_one_name_unless_something_is_between() -> None:
    made_up = Always(first_name="Ada", last_name="King", city="Bath")
    assert fill("{{first_name}} {{last_name}}", made_up).tags == ("B-PER", "I-PER")
    assert fill("{{first_name}}, {{last_name}}", made_up).tags == ("B-PER", "O", "B-PER")
    assert fill("{{first_name}} {{city}} {{last_name}}", made_up).tags == ("B-PER", "B-LOC", "B-PER")
    assert fill("{{city}} {{city}}", made_up).tags == ("B-LOC", "B-LOC")


def test_what_is_no_name_is_outside(faker: Faker) -> None:
    for gap in (gap for gap, kind in GAPS.items() if not kind):
        sentence = fill(f"It is {{{{{gap}}}}}", faker)
        assert len(sentence.words) > 2
        assert {*sentence.tags} == {"O"}


def test_an_unknown_gap_is_refused(faker: Faker) -> None:
    with pytest.raises(ValueError, match="the template has a gap called 'planet', but the known ones are"):
        fill("I live on {{planet}}.", faker)


def test_the_split_has_all_kinds_and_tags_that_fit_together() -> None:
    parts = split(copies=2)
    sentences = [*parts.train, *parts.validation, *parts.test]
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [278, 40, 100]
    assert {tag[2:] for sentence in sentences for tag in sentence.tags if tag != "O"} == {*KINDS}
    for sentence in sentences:
        for before, tag in pairwise(["O", *sentence.tags]):
            assert tag[0] != "I" or before[2:] == tag[2:]


def test_no_template_is_in_two_parts() -> None:
    parts = split(copies=3)
    without_gaps = {tuple(fill(template, Always()).words) for template in templates() if "{{" not in template}
    counts = [Counter(sentence.words for sentence in part) for part in (parts.train, parts.validation, parts.test)]
    for words in without_gaps:
        assert sorted(count[words] for count in counts) == [0, 0, 3]
    assert len(without_gaps) > 10


def test_the_split_depends_on_the_seed_alone() -> None:
    assert split(3, copies=1) == split(3, copies=1)
    assert split(3, copies=1).test != split(4, copies=1).test


def test_a_split_without_copies_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more, but is 0"):
        split(copies=0)


def test_without_the_data_a_sentence_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(
        data.DataMissing, match=r"'entity-templates' is not on this computer yet: run `python3 course.py"
    ):
        entity_templates.templates()


def test_the_sentences_are_the_same_on_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    class YearsLater(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2038, 5, 17, tzinfo=tz)

    today = {(gap, seed): _filled(gap, seed) for gap in GAPS for seed in range(20)}
    monkeypatch.setattr("faker.providers.date_time.datetime", YearsLater)
    assert {(gap, seed): _filled(gap, seed) for gap in GAPS for seed in range(20)} == today


def _filled(gap: str, seed: int) -> tuple[str, ...]:
    faker = Faker("en_US")
    faker.seed_instance(seed)
    return fill(f"{{{{{gap}}}}}", faker).words
