"""The course's English is that of an English textbook: phrases that were translated word for word do not come back."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import nbformat
import pytest

from course_lib.exercises import all_exercises
from tests.notebooks import kernels

# What was found in earlier texts, and what to write in its place.
CALQUES = {
    r"\banew\b": "again",
    r"\bhangs? on\b": "depends on",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bgo(es)? on with\b": "continue with, use",
    r"\bwanted is\b": "it should be",
    r"\bleaves? away\b": "leave out",
    r"\b[Ee]rratum\b": "a common slip",
    r"\bthe notes (say|write|give|leave|have)\b": "you will often read",
    r"\bpour(s|ed|ing)?\b": "load",
    r"\bIt is yours now\b": "Saved in",
    r"\bhands? (over|out|on)\b": "return, pass on",
    r"\b(is|are) lit\b": "is highlighted",
    r"\bstands? (at|in|on|below|above|there|here|before|after|beside|behind|side)\b": "is, comes, occurs",
    r"\bnats a (character|letter|token)\b": "nats per character",
    r"\btokens a (word|letter)\b": "tokens per word",
    r"\bturn(s|ed)? round\b": "transpose, invert",
    r"\bholds its peace\b": "is False",
    r"\bcut otherwise\b": "split differently",
    r"\bfalls? into pieces\b": "is split",
    r"\bdoes not mind\b": "does not depend on",
    r"\bthe own\b": "its own",
}
# The course is written in British English. In code, names are those of the libraries.
AMERICAN = {
    r"\b[Nn]eighbor": "neighbour",
    r"\blabel(ed|ing)\b": "labelled, labelling",
    r"\bbehavior": "behaviour",
    r"\bcolor(s|ed|ful)?\b": "colour",
    r"\bgray\b": "grey",
    r"\b(normal|recogn|general|initial|organ|summar)iz(e|es|ed|ing)\b": "-ise",
}
NOTEBOOKS = sorted((kernels.ROOT / "notebooks").glob("*.ipynb"))


def calques(text: str) -> Iterator[str]:
    yield from _found(CALQUES, text)


def american_spellings(text: str) -> Iterator[str]:
    prose = re.sub(r"`[^`]*`|\*[^*\n]*\*", "", text)  # without code and the titles of papers
    yield from _found(AMERICAN, prose)


def _found(patterns: Mapping[str, str], text: str) -> Iterator[str]:
    for pattern, better in patterns.items():
        for found in re.finditer(pattern, text):
            around = text[max(0, found.start() - 30) : found.end() + 20]
            yield f"…{around}…: write {better!r}"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_sentence_of_a_notebook_is_translated_word_for_word(notebook: Path):
    cells = nbformat.read(notebook, as_version=4).cells
    assert [found for cell in cells for found in calques(cell.source)] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_prose_of_a_notebook_is_spelt_in_the_british_way(notebook: Path):
    prose = [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "markdown"]
    assert [found for text in prose for found in american_spellings(text)] == []


def test_no_message_or_hint_is_translated_word_for_word():
    assert [found for text in messages_and_hints() for found in calques(text)] == []


def test_messages_and_hints_are_spelt_in_the_british_way():
    assert [found for text in messages_and_hints() for found in american_spellings(text)] == []


def messages_and_hints() -> list[str]:
    return [text for each in all_exercises() for text in (*each.hints, *(known.message for known in each.mistakes))]


def test_the_readme_is_not_translated_word_for_word():
    readme = (kernels.ROOT / "README.md").read_text(encoding="utf-8")
    assert [*calques(readme), *american_spellings(readme)] == []


def test_a_phrase_from_the_list_is_found():
    (found,) = calques("What a token costs does not hang on what was learned.")
    assert found == "…What a token costs does not hang on what was learned.…: write 'depends on'"
