"""The source of a part, so that it stands by itself: with its imports, and with what it uses from other cells."""

import ast
import builtins
import linecache
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from symtable import symtable
from typing import Any

from IPython.core.getipython import get_ipython


def standalone(part: Any, helpers: str = "") -> tuple[list[str], list[str]]:
    """Write down a function or class: the import lines that it needs, and definitions, of which its own is the last.

    What it uses is looked up in the notebook's cells, the latest first, or in the file that it is from. Imports are
    copied, and so are functions, classes and constants, with what they use in turn. Another exercise's part is imported
    from `course_lib.yours`. With `helpers`, a module's name, what it uses is imported from there instead.

    Raises ValueError, with half a sentence that says why, where there is no source, or it uses what cannot be copied.
    """
    name = getattr(part, "__name__", "")
    cells = _cells(getattr(part, "__module__", ""))
    known = {bound: (statement, text) for cell in cells for bound, statement, text in _bindings(cell)}
    if name not in known or part.__qualname__ != name or isinstance(known[name][0], ast.Assign):
        raise ValueError("it is not a `def` or a `class` that stands in a cell at its left edge")
    imports, definitions, missing, seen = set[str](), list[str](), list[str](), set[str]()

    def bring(used: str) -> None:
        """Bring what a name stands for, after all that this uses in turn."""
        seen.add(used)
        statement, text = known.get(used, (None, ""))
        exercise = "".join(map(_exercise, getattr(statement, "decorator_list", [])))
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            imports.add(text)
        elif statement is not None and used != name and (exercise or helpers):
            original = exercise or used
            imports.add(f"from {helpers or 'course_lib.yours'} import {original}" + f" as {used}" * (used != original))
        elif statement is None or (isinstance(statement, ast.Assign) and not _is_constant(statement.value)):
            missing.extend([f"`{used}`"] * (statement is not None or not hasattr(builtins, used)))
        else:
            for other in sorted(names_used(text)):
                if other not in seen:
                    bring(other)
            definitions.append(text)

    bring(name)
    if missing:
        raise ValueError(f"it uses {', '.join(missing)} from another cell, which cannot be kept with it")
    return sorted(imports, key=lambda line: (line.startswith("from"), line)), definitions


def _cells(module: str) -> Iterable[str]:
    """The text of the notebook's cells, in the order in which they ran, or of the file that a module is from."""
    if module == "__main__" and (history := getattr(get_ipython(), "history_manager", None)):
        return list(history.input_hist_parsed)
    return ["".join(linecache.getlines(getattr(sys.modules.get(module), "__file__", None) or ""))]


def _bindings(cell: str) -> Iterator[tuple[str, ast.stmt, str]]:
    """The names that a cell's statements bind, in order, with the statement and its text without `@exercise`."""
    with suppress(SyntaxError):
        for statement in ast.parse(cell).body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                origin = f"from {statement.module} " if isinstance(statement, ast.ImportFrom) else ""
                for alias in statement.names:
                    text = f"{origin}import {ast.unparse(alias)}"
                    yield alias.asname or alias.name.partition(".")[0], statement, text
            elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                above = [f"@{ast.unparse(each)}" for each in statement.decorator_list if not _exercise(each)]
                lines = cell.split("\n")[statement.lineno - 1 : statement.end_lineno]
                yield statement.name, statement, "\n".join([*above, *lines])
            elif isinstance(statement, ast.Assign):
                yield ast.unparse(statement.targets[0]), statement, ast.unparse(statement)


def _exercise(decorator: ast.expr) -> str:
    """The name in `@exercise("name")`; "" for another decorator."""
    return "".join(re.findall(r"^(?:\w+\.)*exercise\('(\w+)'\)$", ast.unparse(decorator)))


def _is_constant(value: ast.expr) -> bool:
    """Whether an expression has the same value in a file: a lambda, or no calls but `float("inf")`."""
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
