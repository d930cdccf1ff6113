"""Sentences with gaps for names, filled with made-up names.

Fetch the sentences once with ``fetch("entity-templates")``. They are 209 templates of Microsoft's presidio-evaluator,
under the MIT licence; most are what people write to a bank, or addresses. The made-up names come from the library
``faker``. Notebook 13 learns to find the names, and compares that with the real sentences of ``data.entities``.

Faker makes up no nationalities, so those are drawn from a short list here. Card numbers, dates and the like are made up
as well, but are no names.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from faker import Faker

from course_lib.data.entities import Split, TaggedSentence, divide
from course_lib.data.fetching import path

NATIONALITIES = ("American", "Brazilian", "Dutch", "French", "Indian", "Italian", "Japanese", "Kenyan", "Mexican")
INHABITANTS = ("Americans", "Brazilians", "Indians", "Italians", "Kenyans", "Mexicans")

_PERSONS = "first_name first_name_female first_name_male first_name_nonbinary last_name last_name_female last_name_male"
_KINDS_OF_GAPS = {
    "PER": f"name name_female name_male person {_PERSONS}",
    "LOC": "city country state_abbr street_name",
    "ORG": "organization",
    "MISC": "nation_plural nation_woman nationality",
    "": "age building_number credit_card_number date_of_birth date_time day_of_week email iban ip_address job "
    "phone_number postcode prefix prefix_female prefix_male secondary_address ssn url us_driver_license year zipcode",
}
GAPS = {gap: kind for kind, gaps in _KINDS_OF_GAPS.items() for gap in gaps.split()}
"""The kind of name in each gap; the empty string where a gap is filled with something else, such as a date."""

_METHODS = {"person": "name", "organization": "company", "ip_address": "ipv4", "us_driver_license": "license_plate"}
_DATES = {"year": "%Y", "day_of_week": "%A", "date_time": "%d %B %Y", "date_of_birth": "%d/%m/%Y"}
LAST_DATE = datetime(2025, 1, 1, tzinfo=UTC)  # Faker's dates go up to now otherwise, so that they change every day
ADDRESS = "{{building_number}} {{street_name}}, {{city}}"

_GAP = re.compile(r"\{\{(\w+)\}\}")
_WORD = re.compile(r"'s\b|\w+(?:[-.]\w+|'(?!s\b)\w+)*|[^\w\s]")


def templates() -> list[str]:
    """Read the 209 different templates, in the order of the file. A gap looks like ``{{city}}``.

    The file has one line more: two templates differ only in their line breaks, which it writes as a backslash and an n.
    Here they are spaces.

    Raises:
        DataMissing: the templates are not on this computer yet.
        DataBroken: their file is damaged.
    """
    text = (path("entity-templates") / "templates.txt").read_text(encoding="utf-8")
    # The file has lost a dash, and one brace on each side of a gap.
    text = text.replace("\\n", " ").replace("\\,", ",").replace("\ufffd", "–")
    text = re.sub(r"(?<!\{)\{(\w+)\}(?!\})", r"{{\1}}", text)
    return list(dict.fromkeys(" ".join(line.split()) for line in text.split("\n")))


def words_of(text: str) -> list[str]:
    """Cut a text into words and punctuation, as in the sentences of `data.entities`: ``'s`` is a word of its own.

    >>> words_of("Ann's bank, in New York.")
    ['Ann', "'s", 'bank', ',', 'in', 'New', 'York', '.']
    """
    return _WORD.findall(text)


def fill(template: str, faker: Faker) -> TaggedSentence:
    """Fill the gaps of a template with made-up names, cut it into words, and tag each word.

    Two names of persons with nothing but a space between are one name: a first name and a last name.

    Args:
        template: such as ``"I live in {{city}}"``. An ``{{address}}`` is a number, a street and a city.
        faker: makes up the names, such as ``Faker("en_US")``. To get the same ones again, seed it.

    Raises ValueError for a gap of an unknown name.

    >>> faker = Faker("en_US")
    >>> faker.seed_instance(0)
    >>> sentence = fill("{{first_name}} {{last_name}} lives in {{country}}.", faker)
    >>> sentence.tags[:5]
    ('B-PER', 'I-PER', 'O', 'O', 'B-LOC')
    """
    text = template.replace("{{address}}", ADDRESS)
    words: list[str] = []
    tags: list[str] = []
    former, end = "", 0
    for gap in _GAP.finditer(text):
        if gap[1] not in GAPS:
            raise ValueError(f"the template has a gap called {gap[1]!r}, but the known ones are {', '.join(GAPS)}")
        between = text[end : gap.start()]
        _add(words, tags, between, "")
        kind = GAPS[gap[1]]
        goes_on = kind == "PER" == former and between == " "
        _add(words, tags, _made_up(gap[1], faker), kind, goes_on=goes_on)
        former, end = kind, gap.end()
    _add(words, tags, text[end:], "")
    return TaggedSentence(tuple(words), tuple(tags))


def split(seed: int = 0, copies: int = 8, validation: int = 20, test: int = 50) -> Split:
    """Divide the templates at random, and fill each several times, so that no template is in two parts.

    If the filled sentences were divided, then a model could remember the templates instead of reading.

    Args:
        seed: what the order and the names depend on.
        copies: how many times each template is filled.
        validation: how many templates are for choosing settings.
        test: how many templates are for measuring.

    Raises:
        ValueError: nothing would be left to learn from, or a number is too low.
        DataMissing, DataBroken: as `templates` does.
    """
    if copies < 1:
        raise ValueError(f"copies says how many times each template is filled, 1 or more, but is {copies}")
    faker = Faker("en_US")
    faker.seed_instance(f"entity-templates/{seed}")
    groups = [[fill(template, faker) for _ in range(copies)] for template in templates()]
    return divide(groups, f"entity-templates/{seed}", validation, test, "templates")


def _add(words: list[str], tags: list[str], text: str, kind: str, *, goes_on: bool = False) -> None:
    """Cut a text into words, and append them with their tags."""
    found = words_of(text)
    words.extend(found)
    for i in range(len(found)):
        tags.append(f"{'I' if i or goes_on else 'B'}-{kind}" if kind else "O")


def _made_up(gap: str, faker: Faker) -> str:
    """Make up what a gap is filled with."""
    if gap in _DATES:
        return str(faker.date(pattern=_DATES[gap], end_datetime=LAST_DATE))
    match gap:
        case "nationality" | "nation_woman":
            return str(faker.random_element(NATIONALITIES))
        case "nation_plural":
            return str(faker.random_element(INHABITANTS))
        case "age":
            return str(faker.random_int(18, 90))
    return str(getattr(faker, _METHODS.get(gap, gap))())
