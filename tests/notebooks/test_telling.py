"""No cell between a guess and its answer tells the answer, unless copies have it folded."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.copies.notebook import TELLS_THE_ANSWER
from tests.notebooks import kernels, telling

# The answers that the text below a guess explains, or a pattern for them, in the run that is saved.
EXPLAINED = {
    "00 blind": r"[1-5]?\d",
    "02 wrong split": "also 100 %",
    "04 causal": "no longer equivariant",
    "06 faster": "about ten times|more than twenty times",
    "06 alone": "more than even bets",
    "07 certainty": r"0\.9",
    "07 filler": "40 or more",
    "08 new": "about as many",
    "08 head": "the worst aligned head",
    "09 wide": "worse",
    "10 beams": "nonsense comes out",
    "11 frozen": "the 5-gram, which sees four pieces",
    "11 share": r"they are less than 0\.1 bits apart",
    "11 little": "far above it",
    "11 double": "that of the text",
}


@pytest.mark.parametrize("path", kernels.NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_tells_the_answer_to_a_guess(path: Path):
    assert telling.faults(nbformat.read(path, as_version=4)) == []


def test_every_assert_and_claim_that_was_looked_at_is_still_there():
    cells = [cell for path in kernels.NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    there = {text for cell in cells for text in telling.asserts_and_claims(telling.code_of(cell))}
    assert telling.LOOKED_AT - there == set()
    assert telling.CELLS_LOOKED_AT - {cell.id for cell in cells} == set()


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_saved_run_gives_the_answer_that_the_text_explains(name: str):
    (path,) = (path for path in kernels.NOTEBOOKS if path.stem[:2] == name[:2])
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    (cell,) = (cell for cell in code if f'reveal("{name}"' in cell.source)
    shown = "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    found = re.search(r"^(?:The answer is “(.+)”|It is (.+))\.$", shown, re.MULTILINE)
    assert found
    assert re.fullmatch(EXPLAINED[name], found[1] or found[2])


def lesson(between: str, *tags: str) -> NotebookNode:
    """A guess, a cell, and the answer."""
    cell = new_code_cell(between)
    cell.metadata["tags"] = [*tags]
    return new_notebook(
        cells=[new_code_cell('guess("01 more", "More?", ["yes", "no"])'), cell, new_code_cell('reveal("01 more", x)')]
    )


TELLING = {
    "an assert": ("assert x == 7, 'it should be'", "01 more: x == 7"),
    "a claim": ('draw(curve, claim="It is 7.")', "01 more: It is 7."),
    "a claim without values": ('draw(curve, claim=f"It is 7.")', "01 more: It is 7."),
    "an answer in words": ('reveal("01 more", "yes")', "reveals 'yes'"),
    "an answer in numbers": ('reveal("01 more", -7, close=1)', "reveals -7"),
}


@pytest.mark.parametrize(("source", "words"), TELLING.values(), ids=TELLING)
def test_what_tells_the_answer_is_a_fault_unless_the_cell_is_tagged(source: str, words: str):
    (fault,) = telling.faults(lesson(source))
    assert words in fault
    assert telling.faults(lesson(f"x = 1\n{source}", TELLS_THE_ANSWER)) == []
    (fault,) = telling.faults(lesson(source, TELLS_THE_ANSWER))
    assert "the bar of a folded cell shows the first one" in fault


COMPUTED = 'draw(curve, claim=f"It is {x}.")', "%matplotlib inline\nx = 7", 'reveal("01 more", "yes" if x else "no")'


@pytest.mark.parametrize("source", COMPUTED)
def test_what_is_computed_is_no_fault(source: str):
    assert telling.faults(lesson(source)) == []


def test_behind_the_answer_nothing_is_told_and_nothing_is_folded():
    notebook = lesson("x = 7")
    notebook.cells.append(new_code_cell("y = 1\nassert x == 7"))
    assert telling.faults(notebook) == []
    notebook.cells[-1].metadata["tags"] = [TELLS_THE_ANSWER]
    (fault,) = telling.faults(notebook)
    assert "no guess waits" in fault
