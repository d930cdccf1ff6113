"""How long a notebook takes a reader: what is read, what is written, and what is answered."""

import ast
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from course_lib.exercises.catalogue import find

WORDS_PER_MINUTE = 180
LINES_PER_MINUTE = 12
MINUTES_OF_GUESS = 1
MINUTES_OF_QUIZ = 2
MOST_MINUTES = 90
MOST_LINES = 250  # of code beside the exercises

_EXERCISE = re.compile(r'^@exercise\("(\w+)"\)', re.MULTILINE)
_NO_PROSE = re.compile(
    r"```.*?```|^[ \t]*\|[^\n]*$|!\[[^\]]*\]\([^)]*\)|<[^>]*>|(?<=\])\([^)\s]*\)", re.DOTALL | re.MULTILINE
)

_GUESS = re.compile(r"^guess\(.*?\)$", re.DOTALL | re.MULTILINE)  # a question, for which there is a minute
_REFERENCES = re.compile(r"^#+ References\b.*?(?=^#|\Z)", re.DOTALL | re.MULTILINE)


def faults(notebook: NotebookNode) -> list[str]:
    """List what is wrong with a notebook's length, one sentence each."""
    minutes, said, lines = honest_minutes(notebook), minutes_said(notebook), len(lines_beside_exercises(notebook))
    found = [f"The cell that begins {line!r} holds assertions only." for line in cells_that_only_assert(notebook)]
    if said > MOST_MINUTES:
        found.append(f"The header says {said} minutes: {MOST_MINUTES} should be enough.")
    if round(minutes) > MOST_MINUTES:
        found.append(f"A newcomer takes {minutes:.0f} minutes: {MOST_MINUTES} should be enough.")
    if abs(said - minutes) > minutes / 10:
        found.append(f"The header says {said} minutes, but a newcomer takes {minutes:.0f}.")
    if lines > MOST_LINES:
        found.append(f"{lines} lines of code are to be read beside the exercises: {MOST_LINES} should be enough.")
    return found


def honest_minutes(notebook: NotebookNode) -> float:
    """The minutes that a newcomer takes: for the words, the code, the exercises, the guesses and the quiz."""
    return (
        sum(map(_words, _prose(notebook))) / WORDS_PER_MINUTE
        + len(lines_beside_exercises(notebook)) / LINES_PER_MINUTE
        + sum(find(name).minutes for name in _exercises(notebook))
        + MINUTES_OF_GUESS * _calls(notebook, "guess")
        + MINUTES_OF_QUIZ * _calls(notebook, "quiz")
    )


def minutes_said(notebook: NotebookNode) -> int:
    """The minutes that the header gives."""
    found = re.search(r"\b(\d+) minutes\b", notebook.cells[0].source)
    assert found, "the header gives no minutes"
    return int(found[1])


def lines_beside_exercises(notebook: NotebookNode) -> list[str]:
    """The lines of code that are read: all but closing brackets, the stubs of exercises, and the calls of `guess`."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not _EXERCISE.search(cell.source)]
    lines = [line for source in cells for line in _GUESS.sub("", source).splitlines()]
    return [line for line in lines if re.search(r"\w", line)]


def cells_that_only_assert(notebook: NotebookNode) -> list[str]:
    """The first lines of the code cells in which every statement is an assertion."""
    return [cell.source.partition("\n")[0] for cell in notebook.cells if _only_asserts(cell)]


def _only_asserts(cell: NotebookNode) -> bool:
    if cell.cell_type != "code" or _begins_with_magic(cell.source):
        return False
    statements = ast.parse(cell.source).body
    return bool(statements) and all(isinstance(each, ast.Assert) for each in statements)


def _begins_with_magic(source: str) -> bool:
    return re.search(r"(?m)^\s*[%!]", source) is not None


def _prose(notebook: NotebookNode) -> Iterator[str]:
    return (cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def _words(markdown: str) -> int:
    """The words of a text, without tables, blocks of code, pictures and addresses, and without references."""
    return len(re.findall(r"\S*\w\S*", _NO_PROSE.sub(" ", _REFERENCES.sub("", markdown))))


def _exercises(notebook: NotebookNode) -> list[str]:
    return [name for cell in notebook.cells if cell.cell_type == "code" for name in _EXERCISE.findall(cell.source)]


def _calls(notebook: NotebookNode, name: str) -> int:
    """How many cells call a function of the course, such as `guess("…")`."""
    pattern = re.compile(rf"^{name}\(", re.MULTILINE)
    return sum(len(pattern.findall(cell.source)) for cell in notebook.cells if cell.cell_type == "code")
