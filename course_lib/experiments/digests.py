"""A short name for anything that a run depends on: numbers, data, functions and classes with all that they use.

A run of a study is not repeated as long as nothing changed that could change its result. So the name of a function
written by a learner depends on its code, its defaults, and the values of the names that it uses, in turn; not on
comments. What belongs to an installed library is known by its name and the library's version, and what belongs to the
course by its source without docstrings and comments.
"""

import builtins
import dis
import hashlib
import inspect
import json
import platform
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial, partialmethod
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

_COURSE = Path(__file__).resolve().parents[1]
_PLACES = (
    "transformer",
    "text",
    "data",
    "learning",
    "writing",
    "scoring",
    "experiments/material.py",
    "experiments/measures.py",
    "experiments/running.py",
    "experiments/variants.py",
)
"""The code of the course that takes part in every run. What is elsewhere is known by its own code, like a learner's."""
_NOT_OF_THE_CLASS = {"__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__"}


def digest(value: Any) -> str:
    """Give a value a short name that changes with whatever could change a result.

    Raises TypeError, in a sentence, for a value of which that cannot be told, such as an open file.

    >>> digest([1, 2.0]) == digest([1, 2.0]), digest([1, 2.0]) == digest([1, 2])
    (True, False)
    """
    found = hashlib.sha256()
    for piece in _pieces(value, {}):
        found.update(piece)
        found.update(b"\0")
    return found.hexdigest()[:24]


@cache
def versions() -> dict[str, str]:
    """Name what every run depends on: the versions of Python and torch, and the course's code."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, "torch": torch.__version__, "course": _digest_of_course()}


def _digest_of_course() -> str:
    found = hashlib.sha256()
    for place in _PLACES:
        path = _COURSE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(file.relative_to(_COURSE).as_posix().encode())
            found.update(_without_words(file.read_text(encoding="utf-8")))
    return found.hexdigest()[:16]


def _without_words(source: str) -> bytes:
    """What Python does with a source: its compiled code, without docstrings, comments, layout and assertions."""
    return b"".join(_of_compiled(compile(source, "", "exec", dont_inherit=True, optimize=2)))


def _of_compiled(code: CodeType) -> Iterator[bytes]:
    """Give all of a compiled code but its place in the file. Quicker than `_of_code`, which follows what names mean."""
    constants = [each for each in code.co_consts if not isinstance(each, CodeType)]
    # Sets have an order of their own in each process.
    yield repr([sorted(map(repr, each)) if isinstance(each, frozenset) else each for each in constants]).encode()
    yield repr((code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_argcount)).encode()
    yield repr((code.co_kwonlyargcount, code.co_posonlyargcount, code.co_flags)).encode()
    yield code.co_code + code.co_exceptiontable
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _of_compiled(each)


def _pieces(value: Any, seen: dict[int, int]) -> Iterator[bytes]:
    """Give what makes a value, piece by piece. `seen` numbers the values that are under way, which may be circular."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | Enum):
        yield f"{type(value).__name__} {value!r}".encode()
        return
    if id(value) in seen:
        yield f"again {seen[id(value)]}".encode()
        return
    seen[id(value)] = len(seen)
    yield type(value).__name__.encode()
    yield from _inside(value, seen)
    # A function may be met again, and costs the same again. Only what is under way could be met without end.
    del seen[id(value)]


def _inside(value: Any, seen: dict[int, int]) -> Iterator[bytes]:
    if isinstance(value, torch.Tensor):
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes() if value.numel() else b""
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, list | tuple):
        yield from _of_sequence(value, seen)
    elif isinstance(value, set | frozenset):
        yield "".join(sorted(digest(each) for each in value)).encode()
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _pieces(key, seen)
            yield from _pieces(each, seen)
    elif isinstance(value, partial | partialmethod):
        yield from _pieces([value.func, value.args, dict(value.keywords)], seen)
    elif isinstance(value, ModuleType):
        yield f"{value.__name__} {_version(value.__name__)}".encode()
    elif isinstance(value, MethodType):
        yield from _pieces([value.__func__, value.__self__], seen)
    elif name := _name_in_a_library(value):
        yield name.encode()
    elif isinstance(value, FunctionType):
        yield from _of_function(value, seen)
    elif isinstance(value, staticmethod | classmethod):
        yield from _pieces(value.__func__, seen)
    elif isinstance(value, property):
        yield from _pieces([value.fget, value.fset], seen)
    elif inspect.isclass(value):
        yield value.__qualname__.encode()
        members = {name: member for name, member in vars(value).items() if name not in _NOT_OF_THE_CLASS}
        yield from _pieces([*value.__bases__], seen)
        yield from _pieces({name: member for name, member in members.items() if not _is_slot(member)}, seen)
    elif is_dataclass(value):
        yield from _pieces(type(value), seen)
        yield from _pieces({each.name: getattr(value, each.name) for each in fields(value)}, seen)
    elif isinstance(value, torch.dtype | torch.device | torch.Size):
        yield repr(value).encode()
    elif hasattr(value, "__dict__"):
        yield from _pieces(type(value), seen)
        yield from _pieces(vars(value), seen)
    else:
        raise TypeError(
            f"a study cannot tell whether a {type(value).__name__} has changed since the last run, so no part or "
            "measure may use one"
        )


def _is_slot(member: Any) -> bool:
    return inspect.isgetsetdescriptor(member) or inspect.ismemberdescriptor(member)


def _of_sequence(value: Any, seen: dict[int, int]) -> Iterator[bytes]:
    """Give the pieces of a list: at once where it holds nothing but numbers, texts and lists of these."""
    with suppress(TypeError, ValueError, RecursionError):
        text = json.dumps(value, check_circular=False)
        if "{" not in text:
            yield text.encode()
            return
    for each in value:
        yield from _pieces(each, seen)


def _of_function(function: FunctionType, seen: dict[int, int]) -> Iterator[bytes]:
    """Give the code of a function, its defaults, and the values that it uses."""
    yield from _of_code(function.__code__)
    yield from _pieces([function.__defaults__, function.__kwdefaults__], seen)
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # one that is empty
            yield from _pieces(cell.cell_contents, seen)
    for name in sorted(_names_used(function.__code__)):
        if name in function.__globals__:
            yield name.encode()
            yield from _pieces(function.__globals__[name], seen)


def _of_code(code: CodeType) -> Iterator[bytes]:
    """Give the instructions of a function, without its docstring and its place in the file."""
    yield repr((code.co_varnames, code.co_argcount, code.co_kwonlyargcount, code.co_exceptiontable)).encode()
    for each in dis.get_instructions(code):
        if isinstance(each.argval, CodeType):
            yield from _of_code(each.argval)
        else:
            value = sorted(map(repr, each.argval)) if isinstance(each.argval, frozenset) else each.argval
            yield f"{each.opname} {value!r}".encode()


def _names_used(code: CodeType) -> set[str]:
    """The global names that a function reads, also inside its own functions."""
    names = {str(each.argval) for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return names.union(*(_names_used(each) for each in code.co_consts if isinstance(each, CodeType)))


def _name_in_a_library(value: Any) -> str:
    """The name of a function or class that a library has, with the library's version; "" for any other value."""
    if not (
        inspect.isclass(value) or isinstance(value, FunctionType | BuiltinFunctionType) or _is_callable_of_c(value)
    ):
        return ""
    module, name = getattr(value, "__module__", None) or "builtins", getattr(value, "__qualname__", "")
    if isinstance(value, BuiltinFunctionType) or _is_callable_of_c(value):
        return f"{module}.{name} {_version(module)}"
    found: Any = sys.modules.get(module)
    for piece in name.split("."):
        found = getattr(found, piece, None)
    return f"{module}.{name} {_version(module)}" if found is value and _is_library(module) else ""


def _is_callable_of_c(value: Any) -> bool:
    return inspect.isbuiltin(value) or (
        inspect.ismethoddescriptor(value) and not isinstance(value, staticmethod | classmethod)
    )


@cache
def _is_library(module: str) -> bool:
    """Whether a module belongs to Python, to an installed package, or to the code that every run depends on."""
    if module == "builtins" or module.split(".")[0] in sys.stdlib_module_names:
        return module != "__main__"
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file:
        return False
    path = Path(file).resolve()
    if path.is_relative_to(_COURSE):
        return any(path.is_relative_to(_COURSE / place) for place in _PLACES)
    return any(path.is_relative_to(Path(sysconfig.get_path(kind)).resolve()) for kind in ("purelib", "platlib"))


def _version(module: str) -> str:
    top = sys.modules.get(module.split(".")[0], builtins)
    return str(getattr(top, "__version__", ""))
