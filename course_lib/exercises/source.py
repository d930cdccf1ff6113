"""The source of a part, complete with its imports and the definitions that it uses from other cells."""

import ast
import builtins
import linecache
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from symtable import symtable
from typing import Any

from IPython.core.getipython import get_ipython


@dataclass(frozen=True)
class Binding:
    """A statement that binds a name, and its text without `@exercise`."""

    name: str
    statement: ast.stmt
    text: str

    @property
    def exercise(self) -> str:
        """The name in the decorator `@exercise("name")`; "" if the statement is no answer to an exercise."""
        if not isinstance(self.statement, (ast.FunctionDef, ast.ClassDef)):
            return ""
        return "".join(_exercise_named_by(decorator) for decorator in self.statement.decorator_list)


def standalone(part: Any, helpers: str = "") -> tuple[list[str], list[str]]:
    """Collect the source of a function or class: the import lines that it needs, and definitions, its own last.

    The names that it uses are looked up in the notebook's cells, the latest first, or in the file that defines it.
    Imports, functions, classes and constants are copied, with what they use in turn. Another exercise's part is
    imported from `course_lib.yours`. If `helpers` names a module, functions, classes and constants are imported from
    there instead.

    Raises ValueError, whose message is the second half of a sentence, if there is no source or it uses something that
    cannot be copied.
    """
    name = getattr(part, "__name__", "")
    cells = _cells(getattr(part, "__module__", ""))
    known = {binding.name: binding for cell in cells for binding in _bindings(cell)}
    if name not in known or part.__qualname__ != name or isinstance(known[name].statement, ast.Assign):
        raise ValueError("it is not a `def` or a `class` that stands in a cell at its left edge")
    imports: set[str] = set()
    definitions: list[str] = []
    missing: list[str] = []
    seen: set[str] = set()

    def include(used: str) -> None:
        """Add the definition of a name, after the definitions that it uses in turn."""
        seen.add(used)
        binding = known.get(used)
        if binding is None:
            if not hasattr(builtins, used):
                missing.append(f"`{used}`")
        elif isinstance(binding.statement, (ast.Import, ast.ImportFrom)):
            imports.add(binding.text)
        elif used != name and (binding.exercise or helpers):
            imports.add(_import_line(helpers or "course_lib.yours", binding.exercise or used, used))
        elif isinstance(binding.statement, ast.Assign) and not _is_constant(binding.statement.value):
            missing.append(f"`{used}`")
        else:
            for other in sorted(names_used(binding.text)):
                if other not in seen:
                    include(other)
            definitions.append(binding.text)

    include(name)
    if missing:
        raise ValueError(f"it uses {', '.join(missing)} from another cell, which cannot be kept with it")
    return sorted(imports, key=lambda line: (line.startswith("from"), line)), definitions


def _import_line(module: str, original: str, name: str) -> str:
    line = f"from {module} import {original}"
    return line if name == original else f"{line} as {name}"


def _cells(module: str) -> Iterable[str]:
    """The text of the notebook's cells, in the order in which they ran, or of a module's file."""
    if module == "__main__" and (history := getattr(get_ipython(), "history_manager", None)):
        return list(history.input_hist_parsed)
    return ["".join(linecache.getlines(getattr(sys.modules.get(module), "__file__", None) or ""))]


def _bindings(cell: str) -> Iterator[Binding]:
    """The names that a cell's statements bind, in order."""
    with suppress(SyntaxError):
        for statement in ast.parse(cell).body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                origin = f"from {statement.module} " if isinstance(statement, ast.ImportFrom) else ""
                for alias in statement.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    yield Binding(name, statement, f"{origin}import {ast.unparse(alias)}")
            elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                decorators = [each for each in statement.decorator_list if not _exercise_named_by(each)]
                above = [f"@{ast.unparse(each)}" for each in decorators]
                lines = cell.split("\n")[statement.lineno - 1 : statement.end_lineno]
                yield Binding(statement.name, statement, "\n".join([*above, *lines]))
            elif isinstance(statement, ast.Assign):
                yield Binding(ast.unparse(statement.targets[0]), statement, ast.unparse(statement))


def _exercise_named_by(decorator: ast.expr) -> str:
    """The name in `@exercise("name")`; "" for any other decorator."""
    match = re.fullmatch(r"(?:\w+\.)*exercise\('(\w+)'\)", ast.unparse(decorator))
    return match[1] if match else ""


def _is_constant(value: ast.expr) -> bool:
    """Whether an expression has the same value in a file: it is a lambda, or calls nothing but `float`."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    return isinstance(value, ast.Lambda) or all(ast.unparse(call.func) == "float" for call in calls)


def names_used(text: str) -> set[str]:
    """The names that source code looks up outside itself."""
    tables = [symtable(text, "", "exec")]
    for table in tables:
        tables += table.get_children()
    symbols = (symbol for table in tables for symbol in table.get_symbols())
    used = {symbol.get_name() for symbol in symbols if symbol.is_global() and symbol.is_referenced()}
    return {name for name in used if not name.startswith("__")}
