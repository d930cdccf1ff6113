"""The source of a part, complete with its imports and the definitions that it uses from other cells.

What is saved has to be what was checked. So a function's text is found by its code, not by its name, and the text of a
constant or an import counts only if it gives the value that the name has now.
"""

import __future__

import ast
import builtins
import inspect
import linecache
import symtable
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from IPython.core.getipython import get_ipython

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FUTURE_FLAGS = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


@dataclass(frozen=True)
class Binding:
    """A statement that binds a name, and its text: without `@exercise`, at the left edge, and importing one name only.

    `cell` is the text of the whole cell, and `exercise` the name in the decorator `@exercise("name")`; "" if the
    statement is no answer to an exercise.
    """

    name: str
    statement: ast.stmt
    text: str
    cell: str
    exercise: str = ""


def standalone(part: Any, helpers: str = "") -> tuple[list[str], list[str]]:
    """Collect the source of a function or class: the import lines that it needs, and definitions, its own last.

    Imports, functions, classes and constants that it uses are copied from the notebook's cells, or from the file that
    defines it, with what they use in turn. Another exercise's part is imported from `course_lib.yours`. If `helpers`
    names a module, functions, classes and constants are imported from there instead.

    Raises ValueError, whose message is the second half of a sentence, if there is no source that gives exactly this
    part, or it uses something that cannot be copied.
    """
    namespace = _namespace_of(part)
    texts = _texts(getattr(part, "__module__", ""))
    try:
        own = _definition_of(part, texts, namespace)
    except _NotFound as reason:
        raise ValueError(f"it {reason}") from None
    collected = _Collector(own, texts, namespace, helpers)
    collected.include(own.name)
    if collected.obstacles:
        raise ValueError("; ".join(collected.obstacles))
    if _uses_future_annotations(part):
        collected.imports.add("from __future__ import annotations")
    imports = sorted(
        collected.imports, key=lambda line: (not line.startswith("from __future__"), line.startswith("from"), line)
    )
    return imports, list(collected.definitions.values())


class _NotFound(Exception):
    """The text of a definition cannot be found; the message is a sentence without its subject."""


class _Collector:
    """Collects the imports and definitions that a part uses, and sentences on what cannot be copied."""

    def __init__(self, own: Binding, texts: list[str], namespace: Mapping[str, Any], helpers: str) -> None:
        self.own, self.texts, self.namespace, self.helpers = own, texts, namespace, helpers
        self.bindings: dict[str, list[Binding]] = {}  # of each name, the latest first
        for text in texts:
            for binding in reversed(list(_bindings(text, namespace))):
                self.bindings.setdefault(binding.name, []).append(binding)
        self.imports: set[str] = set()
        self.definitions: dict[str, str] = {}
        self.obstacles: list[str] = []
        self.seen: set[str] = set()

    def include(self, used: str) -> None:
        """Add the definition of a name, after the definitions that it uses in turn."""
        if used in self.seen:
            return
        self.seen.add(used)
        if used == self.own.name:
            self._add_definition(self.own)
        elif used in self.namespace:
            self._include_value(used, self.namespace[used])
        elif not hasattr(builtins, used):
            self.obstacles.append(f"it uses `{used}`, which does not exist")

    def _include_value(self, used: str, value: Any) -> None:
        """Add the import or the definition that gives a name the value that it has now."""
        if import_lines := self._import_lines(used, value):
            self.imports.update(import_lines)
        elif self.helpers:
            self.imports.add(_import_line(self.helpers, used, used))
        elif isinstance(value, FunctionType) and value.__name__ == "<lambda>":
            self._include_assigned(used, value)
        elif inspect.isfunction(value) or inspect.isclass(value):
            self._include_defined(used, value)
        else:
            self._include_assigned(used, value)

    def _import_lines(self, used: str, value: Any) -> list[str]:
        """The import lines in the cells that give a name its value; one that is made up if the value is a module."""
        candidates = [*self.bindings.get(used, []), *self.bindings.get("*", [])]
        lines = [_as_import_of(used, each) for each in candidates if _imports(each, used, value)]
        if isinstance(value, ModuleType):
            whole = f"import {value.__name__}" if value.__name__ == used else f"import {value.__name__} as {used}"
            return lines or [whole]
        return lines[:1]

    def _include_defined(self, used: str, value: Any) -> None:
        """Add a function or class that another cell defines, or import it."""
        try:
            found = _definition_of(value, self.texts, self.namespace)
        except _NotFound as reason:
            if not self._import_part(used) and not self._import_from_its_module(used, value):
                self.obstacles.append(f"it uses `{used}`, which {reason}")
            return
        if found.exercise:
            self.imports.add(_import_line("course_lib.yours", found.exercise, used))
            return
        if self.definitions.get(found.name, found.text) != found.text:
            self.obstacles.append(f"it uses two different functions that are both named `{found.name}`")
            return
        if self.namespace.get(found.name) is value:
            self.seen.add(found.name)
        self._add_definition(found)
        if found.name != used:
            self.definitions[used] = f"{used} = {found.name}"

    def _import_part(self, used: str) -> bool:
        """Import the part of another exercise, if that is what the latest definition of a name is."""
        latest = next(iter(self.bindings.get(used, [])), None)
        if latest is None or not latest.exercise:
            return False
        self.imports.add(_import_line("course_lib.yours", latest.exercise, used))
        return True

    def _import_from_its_module(self, used: str, value: Any) -> bool:
        """Import a function or class from the module that defines it, which is not the notebook."""
        module, name = getattr(value, "__module__", None), getattr(value, "__name__", "")
        if module in (None, "__main__") or getattr(sys.modules.get(module), name, None) is not value:
            return False
        self.imports.add(_import_line(module, name, used))
        return True

    def _include_assigned(self, used: str, value: Any) -> None:
        """Add the assignment that gives a name its value, which is a constant or a lambda."""
        if self._import_part(used):
            return
        assignments = [each for each in self.bindings.get(used, []) if isinstance(each.statement, ast.Assign)]
        constant = [each for each in assignments if _is_constant(_assigned(each))]
        for binding in constant:
            if _gives(binding, value, self.namespace):
                self._add_definition(binding)
                return
        self.obstacles.append(f"it uses {_about_value(used, value, constant)}")

    def _add_definition(self, binding: Binding) -> None:
        for other in sorted(names_used(binding.text)):
            self.include(other)
        self.definitions[binding.name] = binding.text


def _about_value(used: str, value: Any, constant: list[Binding]) -> str:
    """Say why a value cannot be copied, and what to do about it."""
    if not isinstance(value, (bool, int, float, str, list, tuple, dict, set)):
        kind = f"`{used}` from another cell, a `{type(value).__name__}`, which cannot be saved with it"
        return f"{kind}; make it inside your `def` or `class`"
    now = repr(value)[:60]
    if constant:
        return (
            f"`{used}`, which is {now} now, while its cell says `{constant[0].text[:60]}`; write `{used} = {now}` there"
        )
    return f"`{used}`, which is {now} now, but no cell says so; write `{used} = {now}` in a cell of its own"


def _import_line(module: str, original: str, name: str) -> str:
    line = f"from {module} import {original}"
    return line if name == original else f"{line} as {name}"


def _imports(binding: Binding, used: str, value: Any) -> bool:
    """Whether an import gives a name the value that it has now."""
    statement = binding.statement
    if isinstance(statement, ast.ImportFrom) and not statement.level:
        if statement.module == "course_lib.yours":
            return binding.name == used  # it is the learner's latest version, whichever that is
        original = used if binding.name == "*" else _original_name(binding)
        module = sys.modules.get(str(statement.module))
        with suppress(Exception):
            return getattr(module, original, sys.modules.get(f"{statement.module}.{original}")) is value
    if isinstance(statement, ast.Import):
        _, _, path = binding.text.partition("import ")
        whole, _, alias = path.partition(" as ")
        return sys.modules.get(whole if alias else whole.partition(".")[0]) is value
    return False


def _original_name(binding: Binding) -> str:
    _, _, original = binding.text.rpartition(" import ")
    return original.partition(" as ")[0]


def _as_import_of(used: str, binding: Binding) -> str:
    """The text of an import, which for `from math import *` names what is used."""
    return binding.text.replace("import *", f"import {used}") if binding.name == "*" else binding.text


def _namespace_of(part: Any) -> Mapping[str, Any]:
    """The global names that a function or the methods of a class see."""
    for function in _functions_of(part):
        return function.__globals__
    return vars(sys.modules.get(getattr(part, "__module__", ""), builtins))


def _functions_of(part: Any) -> list[FunctionType]:
    """A function without its decorators, or the functions that a class defines."""
    if inspect.isclass(part):
        return [function for _, function in _methods(part)]
    function = unwrapped(part)
    return [function] if isinstance(function, FunctionType) else []


def _methods(part: type) -> list[tuple[str, FunctionType]]:
    """The functions in a class, by the names that they have there; without those that a decorator generated."""
    methods = []
    for name, member in vars(part).items():
        function = member.fget if isinstance(member, property) else unwrapped(member)
        if isinstance(function, FunctionType) and function.__code__.co_filename != "<string>":
            methods.append((name, function))
    return methods


def unwrapped(function: Any) -> Any:
    """A function without the decorators that say what they wrap."""
    with suppress(ValueError):  # functions that wrap each other
        return inspect.unwrap(getattr(function, "__func__", function))
    return function


def _uses_future_annotations(part: Any) -> bool:
    """Whether a part was defined under `from __future__ import annotations` in a notebook."""
    if getattr(part, "__module__", "") != "__main__":
        return False
    flag = __future__.annotations.compiler_flag
    return any(function.__code__.co_flags & flag for function in _functions_of(part))


def _definition_of(part: Any, texts: list[str], namespace: Mapping[str, Any]) -> Binding:
    """Find the statement that defines exactly this function or class.

    Raises _NotFound, which says why, if there is none.
    """
    part = part if inspect.isclass(part) else unwrapped(part)
    if not inspect.isclass(part) and not isinstance(part, FunctionType):
        raise _NotFound(f"is a `{type(part).__name__}`, which no cell defines; write a `def` that calls it")
    if part.__name__ == "<lambda>":
        raise _NotFound("is a `lambda`, which has no name of its own; write it as a `def`")
    if "<locals>" in part.__qualname__:
        raise _NotFound("is defined inside another function; define it in a cell, without a decorator of yours")
    files = {function.__code__.co_filename for function in _functions_of(part)}
    from_cells = [text for file in files if (text := _cell_named(file))]
    for text in [*from_cells, *texts]:
        for binding in reversed(list(_bindings(text, namespace))):
            if binding.name == part.__name__ and _defines(binding, part, namespace):
                return binding
    raise _NotFound(_why_not_found(part, files))


def _why_not_found(part: Any, files: set[str]) -> str:
    if part.__module__ == "__main__" and (on_disk := [file for file in files if Path(file).is_file()]):
        return f"comes from the file `{Path(on_disk[0]).name}` by `%run`; copy it into a cell"
    if "<string>" in files:
        return "was made by `exec`; write it in a cell"
    if not files:
        return "has no function of its own by which its cell can be found; write its methods into the class"
    return "is in no cell as it was checked; run its cell again"


def _defines(binding: Binding, part: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether a statement is the definition of exactly this function or class."""
    statement = binding.statement
    if inspect.isclass(part):
        return isinstance(statement, ast.ClassDef) and _defines_class(binding, statement, part, namespace)
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    compiled = _compiled(binding, part.__code__.co_flags)
    is_same = any(_is_same_code(each, part.__code__) for each in compiled)
    return is_same and _has_same_defaults(statement, part, namespace)


def _defines_class(binding: Binding, statement: ast.ClassDef, part: type, namespace: Mapping[str, Any]) -> bool:
    methods = dict(_methods(part))
    flags = next((function.__code__.co_flags for function in methods.values()), 0)
    bases = [_value_of(base, namespace, None) for base in statement.bases]
    if bases not in ([*part.__bases__], []):
        return False
    for body in _compiled(binding, flags):
        compiled = {const.co_name: const for const in body.co_consts if isinstance(const, CodeType)}
        if all(_has_member(each, part, methods, compiled) for each in statement.body):
            return bool(statement.decorator_list) or methods.keys() <= set(body.co_names)
    return False


def _has_member(member: ast.stmt, part: type, methods: dict[str, FunctionType], compiled: dict[str, CodeType]) -> bool:
    """Whether a class has a method or a plain attribute as its text defines it; true for all other statements."""
    if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
        method = methods.get(member.name)
        return method is not None and _is_same_code(compiled[member.name], method.__code__)
    if isinstance(member, ast.Assign) and isinstance(member.value, ast.Constant):
        names = [target.id for target in member.targets if isinstance(target, ast.Name)]
        return all(_is_same_value(vars(part).get(name), member.value.value) for name in names)
    return True


def _compiled(binding: Binding, flags: int) -> list[CodeType]:
    """The code of what a statement defines, compiled with its cell, on whose imports the code may depend."""
    name = "<lambda>" if isinstance(binding.statement, ast.Assign) else binding.name
    lines = range(_first_line(binding.statement), (binding.statement.end_lineno or 0) + 1)
    codes = _codes_in(binding.cell, flags & _FUTURE_FLAGS)
    return [code for code in codes if code.co_name == name and code.co_firstlineno in lines]


@lru_cache(maxsize=64)
def _codes_in(cell: str, future_flags: int) -> list[CodeType]:
    """The code objects of the functions and classes that a cell defines.

    IPython compiles statement by statement, and a module's file is compiled as a whole. The code may differ, since
    Python 3.11 compiles the call of an imported module's function otherwise than a method's.
    """
    tree = _parsed(cell)
    codes: list[CodeType] = []
    for part in [tree, *(ast.Module([statement], []) for statement in tree.body)]:
        with suppress(SyntaxError, ValueError):
            module = compile(part, "", "exec", future_flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            codes += [const for const in module.co_consts if isinstance(const, CodeType)]
    return codes


def _is_same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, wherever their text stands."""
    same = all(
        getattr(one, field) == getattr(other, field)
        for field in ("co_name", "co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags")
    )
    counts = all(
        getattr(one, field) == getattr(other, field)
        for field in ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount")
    )
    if not same or not counts or len(one.co_consts) != len(other.co_consts):
        return False
    return all(map(_is_same_constant, one.co_consts, other.co_consts))


def _is_same_constant(one: Any, other: Any) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return _is_same_code(one, other)
    return _is_same_value(one, other)


def _has_same_defaults(
    statement: ast.FunctionDef | ast.AsyncFunctionDef, part: Any, namespace: Mapping[str, Any]
) -> bool:
    """Whether the defaults of a function's parameters are those that its text gives now."""
    arguments = statement.args
    named = [each for each in arguments.kw_defaults if each is not None]
    live = [*(part.__defaults__ or ()), *(part.__kwdefaults__ or {}).values()]
    texts = [*arguments.defaults, *named]
    if len(texts) != len(live):
        return False
    for text, value in zip(texts, live, strict=True):
        is_fixed = not isinstance(value, (list, dict, set))  # those may have been filled since
        if is_fixed and not _is_same_value(_value_of(text, namespace, value), value):
            return False
    return True


def _value_of(expression: ast.expr, namespace: Mapping[str, Any], otherwise: Any) -> Any:
    """The value that an expression without calls has now; `otherwise` if it cannot be evaluated."""
    if not _is_constant(expression):
        return otherwise
    with suppress(Exception):
        return eval(compile(ast.Expression(expression), "", "eval", dont_inherit=True), dict(namespace))
    return otherwise


def _gives(binding: Binding, value: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether an assignment gives a name the value that it has now."""
    if isinstance(value, FunctionType):
        return any(_is_same_code(each, value.__code__) for each in _compiled(binding, value.__code__.co_flags))
    return _is_same_value(_value_of(_assigned(binding), namespace, _NotFound), value)


def _is_same_value(one: Any, other: Any) -> bool:
    """Whether two values are the same object, or plain values of one type that are equal (NaN to NaN)."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    with suppress(Exception):
        if isinstance(one, (dict, set, frozenset)):
            return bool(one == other)
        return repr(one) == repr(other) and bool(one == other or one != one)
    return False


def _texts(module: str) -> list[str]:
    """The text of the notebook's cells, the latest first, or of a module's file."""
    if module == "__main__" and (history := getattr(get_ipython(), "history_manager", None)):
        return [text for cell in reversed(history.input_hist_parsed) for text in (*_bodies_of_magics(cell), cell)]
    return ["".join(linecache.getlines(getattr(sys.modules.get(module), "__file__", None) or ""))]


def _cell_named(file: str) -> str:
    """The text of the cell to which IPython gave this name of a file; "" if there is none."""
    entry = linecache.cache.get(file, ())
    return "".join(entry[2]) if len(entry) == 4 and entry[1] is None else ""


def _bodies_of_magics(cell: str) -> list[str]:
    """The code under a cell magic such as `%%time`, which IPython passes on as a text."""
    bodies = []
    for node in ast.walk(_parsed(cell)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run_cell_magic":
            body = node.args[-1] if node.args else None
            shell = get_ipython()
            if shell and isinstance(body, ast.Constant) and isinstance(body.value, str):
                text = shell.transform_cell(body.value)  # type: ignore[no-untyped-call]
                bodies += [*_bodies_of_magics(text), text]
    return bodies


def _parsed(text: str) -> ast.Module:
    with suppress(SyntaxError, ValueError, RecursionError):
        return ast.parse(text)
    return ast.Module([], [])


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements at the level of the module, in order, also those in blocks such as `with` and `if`."""
    for statement in body:
        yield statement
        if not isinstance(statement, DEFINITIONS):
            for field in ("body", "handlers", "orelse", "finalbody", "cases"):
                inner = getattr(statement, field, [])
                for each in inner if isinstance(inner, list) else []:
                    yield from _statements([each] if isinstance(each, ast.stmt) else each.body)


def _bindings(cell: str, namespace: Mapping[str, Any]) -> Iterator[Binding]:
    """The names that a cell's imports, definitions and plain assignments bind, in order."""
    for statement in _statements(_parsed(cell).body):
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            origin = ""
            if isinstance(statement, ast.ImportFrom):
                origin = f"from {'.' * statement.level}{statement.module or ''} "
            for alias in statement.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield Binding(name, statement, f"{origin}import {ast.unparse(alias)}", cell)
        elif isinstance(statement, DEFINITIONS):
            named = [_exercise_named_by(each, statement.name, namespace) for each in statement.decorator_list]
            text = _text_of_definition(statement, cell, named)
            yield Binding(statement.name, statement, text, cell, "".join(named))
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                text = f"{ast.unparse(target)} = {ast.unparse(statement.value)}"
                yield Binding(ast.unparse(target), statement, text, cell)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            plain = ast.copy_location(ast.Assign([statement.target], statement.value), statement)
            yield Binding(ast.unparse(statement.target), plain, ast.unparse(ast.fix_missing_locations(plain)), cell)


def _text_of_definition(statement: Definition, cell: str, exercises: list[str]) -> str:
    """The text of a definition at the left edge, with its decorators other than `@exercise`."""
    kept = [each for each, exercise in zip(statement.decorator_list, exercises, strict=True) if not exercise]
    above = [f"@{ast.unparse(each)}" for each in kept]
    lines = cell.split("\n")[statement.lineno - 1 : statement.end_lineno]
    written = "\n".join([*above, textwrap.dedent("\n".join(lines))])
    bare = type(statement)(**{**dict(ast.iter_fields(statement)), "decorator_list": kept})
    # Moving it to the left must not change a text that extends over several lines.
    is_same = ast.dump(_parsed(written)) == ast.dump(ast.Module([bare], []))
    return written if is_same else ast.unparse(ast.fix_missing_locations(bare))


def _exercise_named_by(decorator: ast.expr, defined: str, namespace: Mapping[str, Any]) -> str:
    """The name of the exercise for which a decorator checks what is defined below it; "" for another decorator.

    The decorator may be `@exercise("name")`, `@exercise(name="name")`, `@exercise`, or any of these by another name.
    """
    call = decorator if isinstance(decorator, ast.Call) else None
    called = call.func if call else decorator
    function = _value_of(called, namespace, None)
    is_unknown = function is None and ast.unparse(called).endswith("exercise")
    if not is_unknown and getattr(function, "__module__", "") != "course_lib.exercises.notebook":
        return ""
    given = [*call.args, *(each.value for each in call.keywords)] if call else []
    if not given:
        closed_over = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
        return str(closed_over.get("name", defined))
    value = _value_of(given[0], namespace, defined)
    return value if isinstance(value, str) else str(getattr(value, "__name__", defined))


def _assigned(binding: Binding) -> ast.expr:
    assert isinstance(binding.statement, ast.Assign)
    return binding.statement.value


def _is_constant(value: ast.expr) -> bool:
    """Whether an expression has the same value in a file: it is a lambda, or calls nothing but `float`."""
    nodes = list(ast.walk(value))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    changes = any(isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)) for node in nodes)
    return isinstance(value, ast.Lambda) or not (changes or any(ast.unparse(call.func) != "float" for call in calls))


def names_used(text: str) -> set[str]:
    """The names that source code looks up outside itself."""
    tables = [symtable.symtable(text, "", "exec")]
    for table in tables:
        tables += table.get_children()
    symbols = (symbol for table in tables for symbol in table.get_symbols())
    used = {symbol.get_name() for symbol in symbols if symbol.is_global() and symbol.is_referenced()}
    return {name for name in used if not name.startswith("__")}


def names_bound_below(part: Any) -> set[str]:
    """The names that the cell of a function or class binds below it: they do not exist yet when it is checked."""
    functions = _functions_of(part)
    if not functions:
        return set()
    code = functions[0].__code__
    statements = list(_statements(_parsed(_cell_named(code.co_filename)).body))
    around = [each for each in statements if _first_line(each) <= code.co_firstlineno <= (each.end_lineno or 0)]
    if not around:
        return set()
    below = [each for each in statements if each.lineno > (around[-1].end_lineno or 0)]
    nodes = [node for each in below if not isinstance(each, DEFINITIONS) for node in ast.walk(each)]
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    imported = {(node.asname or node.name).partition(".")[0] for node in nodes if isinstance(node, ast.alias)}
    return assigned | imported | {each.name for each in below if isinstance(each, DEFINITIONS)}


def _first_line(statement: ast.stmt) -> int:
    """The first line of a statement, that of its first decorator if it has any."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])
