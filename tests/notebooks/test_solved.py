"""Every notebook runs to its end with each stub solved, without a network, and the learner then owns its parts."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from course_lib.exercises import all_exercises, solution
from tests.notebooks import kernels


def solved(notebook: NotebookNode) -> list[str]:
    """Put the course's solution in the place of every stub; return the names of the exercises, in order."""
    names = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and "@exercise(" in cell.source:
            lines = cell.source.splitlines()
            for stub, name in reversed(stubs(cell.source)):
                first = min(decorator.lineno for decorator in stub.decorator_list)
                lines[first - 1 : stub.end_lineno] = solution(name).code.splitlines()
            names += [name for _, name in stubs(cell.source)]
            cell.source = "\n".join(lines)
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
    """Collect the first line of what each check said."""
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    words = [output.data.get("text/plain", "") for output in shown if output.output_type == "display_data"]
    return [text.splitlines()[0] for text in words if text[:1] in ("✓", "✗", "…")]


def progress(variables: dict[str, str]) -> str:
    command = [sys.executable, "-c", "from course_lib import yours; print(yours.progress())"]
    return subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", check=True).stdout


@pytest.mark.parametrize("path", kernels.NOTEBOOKS, ids=lambda path: path.stem)
def test_with_every_stub_solved_all_checks_pass_no_cell_fails_and_the_parts_are_the_learners(
    path: Path, tmp_path: Path
):
    kernels.prepare()
    notebook = nbformat.read(path, as_version=4)
    names = solved(notebook)
    assert sorted(names) == sorted(each.name for each in all_exercises() if each.notebook == int(path.stem[:2]))

    variables = kernels.environment(tmp_path) | {"PYTHONIOENCODING": "utf-8"}
    run = kernels.execute(notebook, tmp_path, variables)
    assert reports(run) == [f"✓ {name}: right" for name in names]
    log = kernels.network_log(tmp_path)
    assert not log.exists(), log.read_text(encoding="utf-8")

    # A process of its own, as the next notebook would be.
    kept = [line.split()[1] for line in progress(variables).splitlines() if "✓ yours" in line and "kept in" in line]
    assert sorted(kept) == sorted(names)
