"""All exercises solved: the course's solutions pass, and the course runs on answers that are written differently.

Those answers run through every notebook without a network, in one learner's folder, and translate in the end.
"""

import ast
import inspect
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_lib.exercises import all_exercises, solution
from course_lib.exercises.catalogue import find
from course_lib.exercises.keeping.source import names_used
from tests.notebooks import kernels

NAMES = [exercise.name for exercise in all_exercises()]


def cell(name: str) -> str:
    """Write an exercise's other answer as a learner's cell: its imports, `@exercise`, and the definition.

    Other exercises' parts come from `course_lib.yours`, as in a learner's cell.
    """
    answer = find(name).whole_course_answer
    with_decorators = inspect.getsource(answer)
    definition = ast.parse(with_decorators).body[0]
    text = "\n".join(with_decorators.splitlines()[definition.lineno - 1 :])
    text = re.sub(rf"\b{answer.__name__}\b", name, text)
    needed = names_used(text) - {name}
    imports = [line for bound, line in imports_of(sys.modules[answer.__module__]) if bound in needed]
    return "\n".join([*imports, f'@exercise("{name}")', text])


@cache
def built(name: str) -> Any:
    """Run an exercise's other answer as a cell, on the other answers to the exercises that it uses."""
    namespace = {"exercise": lambda name: lambda part: part}
    text = cell(name)
    exec(text, namespace)
    namespace |= {other: built(other) for other in names_used(text) & set(NAMES) - {name}}
    return namespace[name]


def imports_of(module: object) -> list[tuple[str, str]]:
    """List the names that a module imports, each with a line that imports it."""
    found = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                bound = alias.asname or alias.name
                origin = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
                if bound in NAMES:
                    origin = "from course_lib.yours "
                found.append((bound, f"{origin}import {ast.unparse(alias)}"))
    return found


def solve(notebook: NotebookNode) -> list[str]:
    """Replace every stub with another answer; return the names of the exercises, in order."""
    names = []
    for each in notebook.cells:
        if each.cell_type == "code" and "@exercise(" in each.source:
            lines = each.source.splitlines()
            for stub, name in reversed(stubs(each.source)):
                first = min(decorator.lineno for decorator in stub.decorator_list)
                lines[first - 1 : stub.end_lineno] = cell(name).splitlines()
            names += [name for _, name in stubs(each.source)]
            each.source = "\n".join(lines)
    return names


def stubs(source: str) -> list[tuple[ast.FunctionDef | ast.ClassDef, str]]:
    """Find a cell's functions and classes below `@exercise(...)` that are still to be written, and their names."""
    return [
        (node, decorator.args[0].value)
        for node in ast.parse(source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and "raise NotImplementedError" in ast.unparse(node)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "exercise"
    ]


def reports(notebook: NotebookNode) -> list[str]:
    """Collect the first line of each report."""
    shown = [output for each in notebook.cells if each.cell_type == "code" for output in each.outputs]
    words = [output.data.get("text/plain", "") for output in shown if output.output_type == "display_data"]
    return [text.splitlines()[0] for text in words if text[:1] in ("✓", "✗", "…")]


def printed(notebook: NotebookNode) -> str:
    return "".join(output.get("text", "") for each in notebook.cells for output in each.get("outputs", []))


def learners_parts(variables: dict[str, str]) -> list[str]:
    """The parts that are the learner's by now, as a new process sees them, such as the next notebook."""
    command = [sys.executable, "-c", "from course_lib import yours; print(yours.report())"]
    progress = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", check=True).stdout
    return sorted(line.split()[1] for line in progress.splitlines() if "✓ yours" in line and line.endswith("  saved"))


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    kernels.prepare()
    return kernels.environment(tmp_path) | {"PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_with_a_differently_written_answer_runs_on_its_own_and_passes(name: str):
    namespace = {"exercise": lambda name: lambda part: part}
    exec(cell(name), namespace)
    assert find(name).check(namespace[name]).passed


@pytest.mark.parametrize("name", NAMES)
def test_a_differently_written_answer_passes_on_other_parts_that_are_written_differently_too(name: str):
    assert find(name).check(built(name)).passed


def test_the_courses_solutions_pass_as_cells_and_become_the_learners_parts(tmp_path: Path, variables: dict[str, str]):
    cells = ["from course_lib.exercises import exercise", *(solution(name).code for name in NAMES)]
    run = kernels.execute(new_notebook(cells=[*map(new_code_cell, cells)]), tmp_path, variables)
    assert reports(run) == [f"✓ {name}: right" for name in NAMES]
    assert learners_parts(variables) == sorted(NAMES)


def test_the_course_runs_offline_on_answers_that_are_written_differently_and_translates(
    tmp_path: Path, variables: dict[str, str]
):
    shown = dict[str, str]()
    for path in kernels.NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        names = solve(notebook)
        assert sorted(names) == sorted(each.name for each in all_exercises() if each.notebook == int(path.stem[:2]))
        run = kernels.execute(notebook, tmp_path, variables)
        assert reports(run) == [f"✓ {name}: right" for name in names], path.name
        shown[path.stem] = printed(run)
    assert "the detective investigated → le détective a enquêté" in shown["07_transformer"]
    assert "your loop gives the same: True" in shown["07_transformer"]
    assert "below 1e-5: True" in shown["07_transformer"]
    assert "Looking into your translator: 200 sentences, 4 heads." in shown["08_inside_the_translator"]
    assert ": False\n" not in shown["08_inside_the_translator"]  # these scores are those of the oracles
    assert "4 beams, the same 20 letters: True" in shown["09_sampling"]
    assert ": False\n" not in shown["09_sampling"]  # these parts generate the same texts as the library

    assert "rows in each pass: [1, 1, 1, 1, 1] together: 5" in shown["10_cache"]
    assert ": False\n" not in shown["10_cache"]  # the learner's cache gives the logits of the library's

    assert "Greatest difference below 1e-12 in 200 random cases: True" in shown["13_named_entities"]

    assert learners_parts(variables) == sorted(NAMES)
    log = kernels.network_log(tmp_path)
    assert not log.exists(), log.read_text(encoding="utf-8")
