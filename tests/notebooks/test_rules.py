"""Each rule for notebooks finds its fault in a notebook that is otherwise right, and none in one that is right."""

from collections.abc import Callable

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tests.notebooks import rules


@pytest.fixture
def right(sample: NotebookNode) -> NotebookNode:
    """Give a notebook that follows every rule, as if it had been run."""
    for count, cell in enumerate(sample.cells[1:], start=1):
        cell.execution_count = count
    picture = {"image/png": "iVBORw0KGgo="}
    sample.cells[3].outputs = [
        new_output("display_data", picture, metadata={"image/png": {"alt": "A line that falls."}}),
        new_output("display_data", {"text/html": '<img src="data:image/png;base64,AA==" alt="A line.">'}),
        new_output("display_data", {"text/html": '<svg role="img" aria-label="The map."></svg>'}),
    ]
    sample.cells[0].source += "\n\n![The map of the Transformer](attachment:map.png)"
    return sample


def test_a_notebook_that_follows_every_rule_has_no_faults(right: NotebookNode):
    assert rules.faults(right) == []


@pytest.mark.parametrize("shown", ['reveal("a", 1)', 'if 1:\n    display(reveal("a", 1))\nprint()'])
def test_an_answer_that_is_shown_is_no_fault(right: NotebookNode, shown: str):
    with_code(shown)(right)
    assert rules.faults(right) == []


@pytest.mark.parametrize("lost", ['reveal("a", 1)\nprint()', 'if 1:\n    reveal("a", 1)'])
def test_an_answer_that_is_not_shown_is_a_fault(right: NotebookNode, lost: str):
    with_code(lost)(right)
    (fault,) = rules.faults(right)
    assert "reveals an answer that is not shown" in fault


@pytest.mark.parametrize("later", ["from course_lib.yours import top_k_filter", "from course_lib import top_k_filters"])
def test_an_import_that_hides_no_part_is_no_fault(right: NotebookNode, later: str):
    with_own_part(later)(right)
    assert rules.faults(right) == []


@pytest.mark.parametrize("tag", ["nbval-ignore-output", "raises-exception", "tells-the-answer"])
def test_a_tag_of_the_course_is_no_fault(right: NotebookNode, tag: str):
    with_tags(tag)(right)
    assert rules.faults(right) == []


def with_header(source: str) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[0].update(source=source)


def with_code(source: str) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[1].update(source=source)


HOUR = "# Title\n\n60 minutes. You need nothing. You will have counted.\n\n●●○ · 5 minutes, and ●●● · 15 minutes."


def with_own_part(later: str, header: str = HOUR) -> Callable[[NotebookNode], None]:
    """An exercise, another exercise, and a cell below them."""

    def plant(notebook: NotebookNode) -> None:
        notebook.cells[0].source = header
        notebook.cells[1].source = '@exercise("top_k_filter")\ndef top_k_filter(logits, k): ...'
        notebook.cells[2].source = '@exercise("top_p_filter")\ndef top_p_filter(logits, p): ...'
        notebook.cells[3].source = later

    return plant


def with_output(data: dict[str, str]) -> Callable[[NotebookNode], None]:
    return lambda notebook: notebook.cells[1].update(outputs=[new_output("display_data", data)])


def with_tags(*tags: str, cells: slice = slice(1, 2)) -> Callable[[NotebookNode], None]:
    return lambda notebook: [cell.metadata.update(tags=list(tags)) for cell in notebook.cells[cells]] and None


GOOD_HEADER = "# Title\n\n5 minutes. You need nothing. You will have counted.\n\n"


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (lambda notebook: notebook.cells.pop(0), "first cell should be the header"),
        (with_header(GOOD_HEADER.replace("# ", "")), "does not give a title"),
        (with_header(GOOD_HEADER.replace("5 minutes", "A while")), "does not give its minutes"),
        (with_header(GOOD_HEADER.replace("You need", "Have")), "does not give what you need"),
        (with_header(GOOD_HEADER.replace("You will", "They will")), "does not give what you will have built"),
        (lambda notebook: notebook.cells[2].update(execution_count=None), "not run once from top to bottom"),
        (lambda notebook: notebook.cells[2].update(execution_count=7), "not run once from top to bottom"),
        (lambda notebook: notebook.cells.append(new_code_cell("")), "not run once from top to bottom"),
        (with_tags("nbval-ignore-output", cells=slice(1, 3)), "2 of 4 code cells"),
        (with_tags("nbval-skip"), "the tag 'nbval-skip'"),
        (with_code("# NBVAL_IGNORE_OUTPUT\n1 + 1"), "directs nbval by a comment"),
        (with_code("!pip install torch"), "installs packages"),
        (with_code("%pip install torch"), "installs packages"),
        (
            with_own_part("from course_lib.writing.choose import greedy, top_k_filter"),
            "imports top_k_filter from course_lib.writing.choose",
        ),
        (
            with_own_part("from course_lib.transformer.attention import other as top_k_filter"),
            "imports top_k_filter from course_lib.transformer.attention",
        ),
        (
            with_own_part("1", HOUR.replace("●●● · 15", "●●● · 10")),
            "heading of top_p_filter should say ●●● · 15 minutes",
        ),
        (
            with_own_part("1", HOUR.replace("●●○ · 5", "●○○ · 5")),
            "heading of top_k_filter should say ●●○ · 5 minutes",
        ),
        (with_own_part("1", HOUR.replace("60", "15")), "says 15 minutes, but the exercises alone take 20"),
        (with_output({"image/png": "iVBORw0KGgo="}), "(image/png) without alt text"),
        (with_output({"image/svg+xml": "<svg/>"}), "(image/svg+xml) without alt text"),
        (with_output({"text/html": "<img src='data:,'>"}), "a picture without alt text"),
        (with_output({"text/html": "<img src='data:,' alt=' '>"}), "a picture without alt text"),
        (with_output({"text/html": "<svg></svg>"}), "an SVG picture with neither"),
        (
            with_output({"text/html": "<script src='https://cdn.example/d3.js'></script>"}),
            "fetches https://cdn.example",
        ),
        (with_output({"text/html": "<link href='//cdn.example/x.css'>"}), "fetches //cdn.example"),
        (with_output({"text/plain": "<course_lib.Map object at 0x7f0012345678>"}), "shows a memory address"),
        (with_header(GOOD_HEADER + "![](attachment:map.png)"), "a picture without alt text"),
        (with_header(GOOD_HEADER + "![A map](https://example.org/map.png)"), "fetches https://example.org/map.png"),
        (with_header(GOOD_HEADER + '<img alt="A map" src="http://example.org/m.png">'), "fetches http://example.org"),
    ],
)
def test_a_broken_rule_is_named(right: NotebookNode, plant: Callable[[NotebookNode], object], words: str):
    plant(right)
    faults = rules.faults(right)
    assert len(faults) == 1
    assert words in faults[0]
