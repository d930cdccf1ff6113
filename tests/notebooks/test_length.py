"""How long a notebook takes is counted from what is in it, and each rule about it finds its fault."""

from collections.abc import Sequence

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.exercises.catalogue import find
from tests.notebooks import length

HEADER = "# A title\n\n| Time | {} minutes |"
STUB = '@exercise("softmax")\ndef softmax(x, dim):\n    raise NotImplementedError'
LINE = "x = 1"
UNREAD = "\n```python\nnot = read\n```\n\n| a | table |\n\n![of a map](map.png)"


def notebook_of(minutes: int, *cells: NotebookNode) -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell(HEADER.format(minutes)), *cells])


def minutes_for(*cells: NotebookNode) -> float:
    """The minutes for some cells, without those for the header."""
    return length.honest_minutes(notebook_of(1, *cells)) - length.honest_minutes(notebook_of(1))


def lines(count: int) -> NotebookNode:
    return new_code_cell("\n".join([LINE] * count))


def stubs(count: int) -> list[NotebookNode]:
    return [new_code_cell(STUB) for _ in range(count)]


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        ([new_markdown_cell("word " * 360)], 2),
        ([new_markdown_cell(f"| a | table |\n|---|---|\n{'word ' * 180}")], 1),
        (
            [new_markdown_cell("word " * 180 + UNREAD)],
            1,
        ),
        ([new_markdown_cell("word " * 178 + "[two words](https://example.org/and-an-address)")], 1),
        ([new_markdown_cell("### References\n\n- Vaswani et al. 2017\n\n### Going further\n\n" + "word " * 178)], 1),
        ([lines(24)], 2),
        ([new_code_cell("\n\n".join([LINE] * 11) + "\nprint(\n)\n")], 1),
        ([new_code_cell(STUB)], find("softmax").minutes),
        ([new_code_cell('guess(\n    "00 sum",\n    "how much?",\n    ["a", "b (c)"],\n)')], 1),
        ([new_code_cell("quiz(0)")], 2 + 1 / 12),
    ],
)
def test_the_minutes_are_those_for_words_lines_exercises_guesses_and_the_quiz(
    cells: Sequence[NotebookNode], minutes: float
):
    assert minutes_for(*cells) == pytest.approx(minutes, abs=0.001)


def test_a_notebook_of_the_right_length_has_no_faults():
    cell = new_code_cell(f"{LINE}\nassert x == 1, 'a sentence'")
    assert length.faults(notebook_of(20, lines(238), cell)) == []
    assert length.faults(notebook_of(22, lines(240))) == []
    assert length.faults(notebook_of(90, *stubs(8), lines(12 * 9))) == []


@pytest.mark.parametrize(
    ("minutes", "cells", "words"),
    [
        (24, [lines(240)], "The header says 24 minutes, but a newcomer takes 20."),
        (16, [lines(240)], "The header says 16 minutes, but a newcomer takes 20."),
        (97, [*stubs(8), lines(12 * 9)], "The header says 97 minutes: 90 should be enough."),
        (90, [*stubs(9), lines(12 * 8)], "minutes: 90 should be enough."),
        (21, [lines(251)], "251 lines of code are to be read beside the exercises: 250 should be enough."),
        (1, [lines(11), new_code_cell("# why\nassert 1 < 2, 'a sentence'")], "begins '# why' holds assertions only."),
    ],
)
def test_a_fault_is_named(minutes: int, cells: Sequence[NotebookNode], words: str):
    (fault,) = length.faults(notebook_of(minutes, *cells))
    assert words in fault
