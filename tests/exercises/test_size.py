"""The machinery of the exercises stays small beside what it is for: the exercises."""

import ast
import io
import tokenize
from pathlib import Path

from course_lib.exercises.catalogue import LESSONS

COURSE_LIB = Path(__file__).parents[2] / "course_lib"
# What the exercises themselves are written in, and with: cases, mistakes, hints, numbers for weights; and their list.
DATA = {Path(lesson.__file__).stem for lesson in LESSONS} | {"cases", "catalogue", "filling"}
LIMIT = 500


def lines_of_code(source: str) -> int:
    """Count the lines that hold code: no blank ones, no comments, no docstrings."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            docstrings |= {*range(node.body[0].lineno, node.body[0].end_lineno + 1)}
    empty = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in empty]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - docstrings)


SAMPLE = """\
'''About.'''

import math


def f(x):
    '''Do.

    Well.
    '''
    # why
    return (
        x  # so
    )
"""


def test_only_lines_of_code_are_counted():
    assert lines_of_code(SAMPLE) == 5
    assert lines_of_code(SAMPLE + "text = '''a\n\nb'''\n") == 8


def test_the_machinery_without_the_exercises_own_data_stays_below_500_lines_of_code():
    files = [path for path in sorted((COURSE_LIB / "exercises").glob("*.py")) if path.stem not in DATA]
    counts = {path.name: lines_of_code(path.read_text("utf-8")) for path in [*files, COURSE_LIB / "yours.py"]}
    assert sum(counts.values()) < LIMIT, f"{sum(counts.values())} lines of code: {counts}"
