"""The course runs to its end on answers that are written quite differently, and translates with them."""

import ast
import inspect
from pathlib import Path

import nbformat

from course_lib.exercises import all_exercises
from tests.notebooks import kernels
from tests.notebooks import other_answers as answers
from tests.notebooks.test_solved import progress, reports, stubs

SOURCE = inspect.getsource(answers)
STATEMENTS = ast.parse(SOURCE).body
ANSWERS = {
    node.name: "\n".join(SOURCE.splitlines()[node.lineno - 1 : node.end_lineno]).replace("  # noqa: F811", "")
    for node in STATEMENTS
    if isinstance(node, (ast.FunctionDef, ast.ClassDef))
}
LIBRARIES = "\n".join(
    ast.unparse(node)
    for node in STATEMENTS
    if isinstance(node, (ast.Import, ast.ImportFrom)) and "course_lib.yours" not in ast.unparse(node)
)


def parts_used(name: str) -> list[str]:
    """The other exercises' parts that an answer calls: they come from `course_lib.yours`, as in a learner's cell."""
    names = {node.id for node in ast.walk(ast.parse(ANSWERS[name])) if isinstance(node, ast.Name)}
    return sorted(names & ANSWERS.keys() - {name})


def cell(name: str) -> str:
    imports = [f"from course_lib.yours import {part}" for part in parts_used(name)]
    return "\n".join([LIBRARIES, *imports, f'@exercise("{name}")', ANSWERS[name]])


def test_every_exercise_has_another_answer():
    assert ANSWERS.keys() == {exercise.name for exercise in all_exercises()}


def test_the_course_runs_on_answers_that_are_written_differently_and_translates(tmp_path: Path):
    kernels.prepare()
    variables = kernels.environment(tmp_path) | {"PYTHONIOENCODING": "utf-8"}
    shown = dict[str, str]()
    for path in kernels.NOTEBOOKS:
        notebook, names = nbformat.read(path, as_version=4), []
        for each in notebook.cells:
            if each.cell_type == "code" and "@exercise(" in each.source:
                lines = each.source.splitlines()
                for stub, name in reversed(stubs(each.source)):
                    first = min(decorator.lineno for decorator in stub.decorator_list)
                    lines[first - 1 : stub.end_lineno] = cell(name).splitlines()
                names += [name for _, name in stubs(each.source)]
                each.source = "\n".join(lines)
        run = kernels.execute(notebook, tmp_path, variables)
        assert reports(run) == [f"✓ {name}: right" for name in names], path.name
        outputs = [output for each in run.cells for output in each.get("outputs", [])]
        shown[path.stem] = "".join(output.get("text", "") for output in outputs)
    assert "the detective investigated → le détective a enquêté" in shown["07_transformer"]
    assert "keeps no weights" not in shown["07_transformer"]  # the alignment is that of these parts
    assert "4 beams, the same 20 letters: True" in shown["08_sampling"]
    assert ": False\n" not in shown["08_sampling"]  # these parts write what the library writes

    whose = progress(variables).splitlines()
    assert sum("✓ yours" in line for line in whose) == len(ANSWERS)
