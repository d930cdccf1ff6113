"""What a submitted notebook answers: the source of each exercise's answer, with what it uses from other cells.

No cell is executed here. An answer's source is made of the statements that bind the names it uses: imports, functions,
classes and assignments in any cell. An answer to another exercise is not copied but imported from `course_lib.yours`,
where the grader puts the student's own version if it is right, and otherwise the course's.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from course_lib.copies.notebook import Notebook, exercise_of, source
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.keeping.source import names_used

LONGEST_CELL = 100_000  # characters
# Names with which a program looks into Python itself. No exercise needs them.
INSIDES = frozenset(
    {"__code__", "__globals__", "__builtins__", "__subclasses__", "f_back", "f_globals", "tb_frame", "_getframe"}
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Submitted:
    """The answer to an exercise, as it was handed in.

    Attributes:
        source: a Python module that defines the answer under the exercise's name; "" if there is nothing to grade.
        status: "" for an answer to grade, "missing" for none, "not answered", "wrong" for what Python cannot read, or
            "refused" for an answer that does not count, such as the course's own function.
        reason: a sentence that says why there is nothing to grade; "" if there is.
    """

    source: str = ""
    status: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _Bound:
    """A statement at the top level of a cell that binds a name, and the number of the cell."""

    name: str
    cell: int
    statement: ast.stmt
    exercise: str = ""


class _Refused(Exception):
    """The answer uses what no answer may use. The message is a sentence."""


def answers(submission: Notebook, original: Notebook, exercises: Iterable[Exercise]) -> dict[str, Submitted]:
    """Find the answers to some exercises in a submitted notebook.

    Args:
        submission: the student's notebook.
        original: the course's notebook. What its cells import from the course, an answer may import as well.
        exercises: those that the notebook asks.
    """
    cells = [_Cell(number, cell) for number, cell in enumerate(submission.cells) if cell["cell_type"] == "code"]
    given = {name for cell in original.cells if cell["cell_type"] == "code" for name in course_imports(source(cell))}
    bindings: dict[str, list[_Bound]] = {}
    for cell in cells:
        for bound in cell.bindings():
            bindings.setdefault(bound.name, []).append(bound)
    return {exercise.name: _answer(exercise.name, cells, bindings, given) for exercise in exercises}


def _as_python(text: str) -> str:
    """The text of a cell with IPython's commands, such as `%time`, written as Python."""
    python: str = TransformerManager().transform_cell(text)  # type: ignore[no-untyped-call]
    return python


class _Cell:
    """A code cell of a submission, as Python code if it is such."""

    def __init__(self, number: int, cell: Mapping[str, Any]) -> None:
        self.number = number
        self.text = source(dict(cell))
        self.exercise = exercise_of(dict(cell))
        self.grade_id = _grade_id(cell)
        self.tree: ast.Module | None = None
        self.error: SyntaxError | None = None
        try:
            if len(self.text) > LONGEST_CELL:
                raise SyntaxError(f"the cell has more than {LONGEST_CELL} characters")
            text = self.text if self.text.lstrip().startswith("@") else _as_python(self.text)
            self.tree = ast.parse(text)
        except SyntaxError as error:
            self.error = error
        except (ValueError, RecursionError, MemoryError) as error:  # such as a null character in the text
            self.error = SyntaxError(str(error))

    def bindings(self) -> Iterator[_Bound]:
        for statement in self.tree.body if self.tree else ():
            for name in _names_bound(statement):
                yield _Bound(name, self.number, statement, _exercise_of(statement))


def _grade_id(cell: Mapping[str, Any]) -> str:
    """The name that nbgrader gave to a cell; "" if it gave none."""
    metadata = cell.get("metadata")
    of_nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return str(of_nbgrader.get("grade_id", "")) if isinstance(of_nbgrader, dict) else ""


def _answer(name: str, cells: list[_Cell], bindings: dict[str, list[_Bound]], given: set[str]) -> Submitted:
    candidates = [cell for cell in cells if name in (cell.grade_id, cell.exercise)]
    if not candidates:
        return Submitted(
            "", "missing", f"The cell of the exercise `{name}` is missing from the notebook that was handed in."
        )
    answered = [cell for cell in candidates if not _is_stub(cell)]
    if not answered:
        return Submitted("", "not answered", "Not answered.")
    cell = answered[-1]
    if cell.tree is None:
        where = f" in line {cell.error.lineno}" if cell.error and cell.error.lineno else ""
        words = str(cell.error.msg if cell.error else "").strip().rstrip(".")
        return Submitted("", "wrong", f"Python cannot read the cell{where}: {words}.")
    own = _own_definition(name, cell)
    if own is None:
        return Submitted("", "wrong", f"The cell defines no `{name}`.")
    try:
        return Submitted(source=_module(name, own, bindings, given))
    except _Refused as refused:
        return Submitted("", "refused", str(refused))
    except (SyntaxError, ValueError, RecursionError) as error:
        return Submitted("", "wrong", f"Python cannot read the answer: {str(error).rstrip('.')}.")


def is_stub(cell: Mapping[str, Any]) -> bool:
    """Whether a code cell of a notebook leaves its exercise unanswered."""
    return _is_stub(_Cell(0, cell))


def _is_stub(cell: _Cell) -> bool:
    """Whether a cell is empty, or only raises NotImplementedError as the course's own does."""
    if cell.tree is None:
        return False
    definitions = [each for each in cell.tree.body if isinstance(each, Definition)]
    return all(_only_raises(each) for each in definitions) and len(definitions) == len(cell.tree.body)


def _only_raises(definition: ast.stmt) -> bool:
    assert isinstance(definition, Definition)
    body = [
        each for each in definition.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    ]
    if isinstance(definition, ast.ClassDef):
        return all(isinstance(each, Definition) and _only_raises(each) for each in body)
    return all(isinstance(each, (ast.Raise, ast.Pass)) or _calls_super(each) for each in body)


def _calls_super(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and ast.unparse(statement) == "super().__init__()"


def _own_definition(name: str, cell: _Cell) -> _Bound | None:
    """The statement in an exercise's cell that defines the answer: under `@exercise`, or else with its name."""
    bound = list(cell.bindings())
    return next(
        (each for wanted in ("exercise", "name") for each in reversed(bound) if getattr(each, wanted) == name), None
    )


def _names_bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, Definition):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    return [
        node.id
        for target in targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def _exercise_of(statement: ast.stmt) -> str:
    """The exercise in the decorator of a definition; "" if it has no such decorator."""
    for decorator in statement.decorator_list if isinstance(statement, Definition) else ():
        if _is_exercise(decorator):
            arguments = decorator.args if isinstance(decorator, ast.Call) else []
            if arguments and isinstance(arguments[0], ast.Constant):
                return str(arguments[0].value)
            return str(getattr(statement, "name", ""))
    return ""


def _is_exercise(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Name) and function.id == "exercise"


def _module(name: str, own: _Bound, bindings: dict[str, list[_Bound]], given: set[str]) -> str:
    """A module that defines an answer, and before it what it uses, in the order of the notebook."""
    needed: dict[int, _Bound] = {}
    imported: list[str] = []
    seen = {own.name}
    left = [own]
    while left:
        bound = left.pop()
        needed[id(bound.statement)] = bound
        for used in sorted(names_used(_text(bound.statement))):
            if used in seen or not bindings.get(used):
                continue
            seen.add(used)
            found = _latest(bindings[used], own.cell)
            if found.exercise and found.exercise != name:
                imported.append(f"from course_lib.yours import {found.exercise} as {used}")
            else:
                left.append(found)
    others = [each for each in bindings.get("*", ()) if id(each.statement) not in needed]
    # The answer is the last statement: what stands below it in the notebook is needed when it is called, so before.
    order = sorted((*others, *needed.values()), key=lambda each: (each is own, each.cell, each.statement.lineno))
    for each in order:
        _refuse_course_code(each.statement, given)
    text = [*imported, *(_text(each.statement) for each in order)]
    if own.name != name:
        text.append(f"{name} = {own.name}")
    future = [line for line in text if line.startswith("from __future__")]
    return "\n\n".join([*future, *(line for line in text if line not in future)]) + "\n"


def _latest(bound: list[_Bound], cell: int) -> _Bound:
    """The binding of a name that holds in a cell: the last one up to it, or else the first one below."""
    above = [each for each in bound if each.cell <= cell]
    return above[-1] if above else bound[0]


def _text(statement: ast.stmt) -> str:
    """The text of a statement, without `@exercise`."""
    if isinstance(statement, Definition):
        kept = [each for each in statement.decorator_list if not _is_exercise(each)]
        decorators, statement.decorator_list = statement.decorator_list, kept
        text = ast.unparse(statement)
        statement.decorator_list = decorators
        return text
    return ast.unparse(statement)


def course_imports(text: str) -> set[str]:
    """What a cell imports from the course, as dotted names such as `course_lib.text.byte_pairs.pieces`."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    return {name for node in ast.walk(tree) for name in _course_names(node)}


def _course_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.partition(".")[0] == "course_lib"]
    if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "course_lib":
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _refuse_course_code(statement: ast.stmt, given: set[str]) -> None:
    """Raise _Refused if a statement takes code of the course that its notebook does not import, or Python's insides."""
    for node in ast.walk(statement):
        for imported in _course_names(node):
            if imported not in given and not imported.startswith("course_lib.yours"):
                raise _Refused(
                    f"The answer imports `{imported}`, which is code of the course: write it yourself, with torch and, "
                    "if you like, `yours` for the parts of earlier exercises."
                )
        if (isinstance(node, ast.Attribute) and node.attr in INSIDES) or (
            isinstance(node, ast.Name) and node.id in INSIDES
        ):
            used = node.attr if isinstance(node, ast.Attribute) else node.id
            raise _Refused(f"The answer looks into Python itself with `{used}`, which no exercise needs.")
