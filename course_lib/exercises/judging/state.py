"""What an answer keeps between calls, and the answer as it was before its first call.

What a report says of a call is true only if the answer gives the same result when that call is its first. So an answer
is looked through before it is tried, and can be made again from its own functions and classes, with copies of the
objects that they may change: global variables, attributes, default values, and variables of an enclosing function.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterable, Iterator, Sized
from contextlib import suppress
from copy import deepcopy
from functools import _lru_cache_wrapper, lru_cache
from types import CellType, CodeType, FunctionType
from typing import Any

from torch import Tensor, nn

from course_lib.exercises.judging.errors import functions_of

KEEPS_STATE = (
    "Your {} keeps something from one call to the next, so that its {} depends on earlier inputs. Compute everything "
    "from the arguments in each call{}."
)
LARGEST_TO_COPY = 2_000  # items of a collection, or numbers in a tensor or in a layer
EMPTIED = (dict, list, set)
COLLECTIONS = {"builtins", "collections", "itertools", "numpy"}  # the modules of types that are copied
STORES_IN_VARIABLES = {"STORE_GLOBAL", "DELETE_GLOBAL"}
STORES_IN_ATTRIBUTES = {"STORE_ATTR", "DELETE_ATTR"}
STORES_IN_OBJECTS = {"STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR"}
METHODS_THAT_STORE = {"append", "add", "update", "setdefault", "extend", "insert", "pop", "popitem", "clear", "remove"}
WAYS_TO_STORE = {"setattr", "register_buffer", "__dict__", "vars", "globals"}
OF_THE_CLASS_ITSELF = {"__dict__", "__weakref__"}  # Python makes new ones for each class


def keeps_state(answer: Any) -> str:
    """Say that an answer, a function or a class, keeps something between calls."""
    if inspect.isclass(answer):
        return KEEPS_STATE.format("class", "output", " of `forward`" if hasattr(answer, "forward") else "")
    return KEEPS_STATE.format("function", "result", "")


class Beginning:
    """An answer as it is now, before its first call, to be made again later."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.scope: dict[str, Any] = next((each.__globals__ for each in functions_of(answer)), {})
        self.values: dict[str, Any] = {}  # of the global names that it uses
        self.absent: set[str] = set()  # names that are not there yet
        self.namespaces: dict[int, dict[str, Any]] = {}  # of its own functions and classes, by their identity
        self.contents: dict[int, Any] = {}  # of the cells that hold variables of an enclosing function
        self.copies: dict[int, Any] = {}  # of the objects that may change
        self._found: dict[int, Any] = {}  # kept, so that no other object gets the identity of one of them
        self._memo: dict[int, Any] = {}
        self._search(answer)

    def may_keep(self) -> bool:
        """Whether the answer's code may store anything for its next call. Most code does not."""
        found = self._found.values()
        if any(isinstance(each, _lru_cache_wrapper) for each in found):
            return True
        has_objects = bool(self.copies) or any(isinstance(each, type) for each in found)
        return any(_may_store(each, has_objects) for each in found if isinstance(each, FunctionType))

    def again(self, emptied: bool = False) -> Any:
        """Make the answer again, so that it has not been called yet; the answer itself if that is not possible.

        If `emptied`, with nothing in its lists, sets and dictionaries, which earlier checks may have filled.
        """
        try:
            return _Again(self, emptied).all_of(self.answer)
        except Exception:
            return self.answer

    def versions(self) -> Iterator[Any]:
        """The answer made again, first as it was, then emptied if there is something to empty."""
        yield self.again()
        if any(isinstance(each, EMPTIED) and each for each in self.copies.values()):
            yield self.again(emptied=True)

    def is_own(self, value: Any) -> bool:
        """Whether a function or class comes from the cells, or the file, of the answer."""
        if isinstance(value, FunctionType):
            return value.__globals__ is self.scope
        return isinstance(value, type) and value.__module__ == self.scope.get("__name__")

    def _search(self, value: Any) -> None:
        """Find the answer's own functions and classes that a value uses, and copy the objects that they may change."""
        if id(value) in self._found:
            return
        if isinstance(value, (FunctionType, type)):
            if self.is_own(value):
                self._found[id(value)] = value
                self.namespaces[id(value)] = dict(vars(value))
                self._search_parts(value)
        elif isinstance(value, _lru_cache_wrapper):
            self._found[id(value)] = value
            self._search(value.__wrapped__)
        elif isinstance(value, (staticmethod, classmethod)):
            self._search(value.__func__)
        elif isinstance(value, property):
            self._search(value.fget)
        elif _may_change(value) or self.is_own(type(value)):
            self._found[id(value)] = value
            with suppress(Exception):  # what cannot be copied is shared
                self.copies[id(value)] = deepcopy(value, self._memo)
            self._search(type(value))

    def _search_parts(self, value: FunctionType | type) -> None:
        for each in self.namespaces[id(value)].values():
            self._search(each)
        if isinstance(value, type):
            return
        for code in _codes(value.__code__):
            for name in code.co_names:
                if name in self.scope:
                    self.values[name] = self.scope[name]
                    self._search(self.scope[name])
                else:
                    self.absent.add(name)
        for cell in value.__closure__ or ():
            self._found[id(cell)] = cell
            with suppress(ValueError):  # an empty cell
                self.contents[id(cell)] = cell.cell_contents
                self._search(cell.cell_contents)
        for each in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            self._search(each)


class _Again:
    """Makes an answer again. Its functions see variables of their own, with copies of the objects in them."""

    def __init__(self, beginning: Beginning, emptied: bool) -> None:
        self._beginning = beginning
        self._emptied = emptied
        self._scope = {name: value for name, value in beginning.scope.items() if name not in beginning.absent}
        self._made: dict[int, Any] = {}
        self._memo: dict[int, Any] = {}
        self._cells: list[tuple[CellType, CellType]] = []  # old and new ones

    def all_of(self, answer: Any) -> Any:
        """Make an answer, and all that it uses."""
        made = self._make(answer)
        self._scope |= {name: self._make(value) for name, value in self._beginning.values.items()}
        for old, new in self._cells:  # the list grows: what is in a cell may have cells
            if id(old) in self._beginning.contents:
                new.cell_contents = self._make(self._beginning.contents[id(old)])
        return made

    def _make(self, value: Any) -> Any:
        if id(value) not in self._made:
            self._made[id(value)] = self._new(value)
        return self._made[id(value)]

    def _new(self, value: Any) -> Any:
        if id(value) in self._beginning.namespaces:
            return self._class(value) if isinstance(value, type) else self._function(value)
        if isinstance(value, _lru_cache_wrapper):
            return lru_cache(**value.cache_parameters())(self._make(value.__wrapped__))
        if isinstance(value, (staticmethod, classmethod)):
            return type(value)(self._make(value.__func__))
        if isinstance(value, property):
            return property(self._make(value.fget), value.fset, value.fdel)
        if id(value) in self._beginning.copies:
            copy = deepcopy(self._beginning.copies[id(value)], self._memo)
            if self._emptied and isinstance(copy, EMPTIED):
                copy.clear()
            return copy
        return value

    def _function(self, function: FunctionType) -> FunctionType:
        closure = tuple(map(self._cell, function.__closure__ or ()))
        new = FunctionType(function.__code__, self._scope, function.__name__, None, closure)
        new.__defaults__ = function.__defaults__ and tuple(map(self._make, function.__defaults__))
        new.__kwdefaults__ = {name: self._make(value) for name, value in (function.__kwdefaults__ or {}).items()}
        new.__qualname__ = function.__qualname__
        vars(new).update({name: self._make(value) for name, value in self._namespace(function).items()})
        return new

    def _class(self, kind: type) -> type:
        parts = {name: self._make(value) for name, value in self._namespace(kind).items()}
        bases = tuple(map(self._make, kind.__bases__))
        new: type = type(kind)(kind.__name__, bases, parts)
        return new

    def _namespace(self, value: Any) -> dict[str, Any]:
        namespace = self._beginning.namespaces[id(value)]
        return {name: each for name, each in namespace.items() if name not in OF_THE_CLASS_ITSELF}

    def _cell(self, cell: CellType) -> CellType:
        if id(cell) not in self._made:
            self._made[id(cell)] = CellType()
            self._cells.append((cell, self._made[id(cell)]))
        new: CellType = self._made[id(cell)]
        return new


def _may_change(value: Any) -> bool:
    """Whether a value is a collection, a tensor or a layer that is small enough to copy, with all that is in it."""
    if isinstance(value, (Tensor, nn.Module)):
        return _size(value) <= LARGEST_TO_COPY
    if type(value).__module__ not in COLLECTIONS or callable(value):
        return False
    if isinstance(value, (int, float, complex, str, bytes, range, type(None))):
        return False
    return _size(value) <= LARGEST_TO_COPY


def _size(value: Any, depth: int = 4) -> int:
    """Count the numbers in a tensor or in a layer, or the items in a collection with what is in them.

    Counting ends where there are more than `LARGEST_TO_COPY`, or too deep.
    """
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, nn.Module):
        return sum(each.numel() for each in value.parameters())
    if isinstance(value, str) or not isinstance(value, Sized) or not isinstance(value, Iterable):
        return 1
    if len(value) > LARGEST_TO_COPY or depth == 0:
        return len(value)
    count = 0
    for each in value.values() if isinstance(value, dict) else value:
        count += _size(each, depth - 1)
        if count > LARGEST_TO_COPY:
            break
    return count


def _may_store(function: FunctionType, has_objects: bool) -> bool:
    """Whether a function's code stores something outside of its own variables, or may do so if there are objects."""
    for code in _codes(function.__code__):
        names = set(code.co_names)
        if names & WAYS_TO_STORE:
            return True
        if has_objects and (names & METHODS_THAT_STORE or any(map(_is_in_place, names))):
            return True
        for each in dis.get_instructions(code):
            is_enclosing = each.opname == "STORE_DEREF" and each.argval in function.__code__.co_freevars
            is_attribute = each.opname in STORES_IN_ATTRIBUTES and function.__name__ != "__init__"
            if is_enclosing or is_attribute or each.opname in STORES_IN_VARIABLES:
                return True
            if has_objects and each.opname in STORES_IN_OBJECTS:
                return True
    return False


def _is_in_place(name: str) -> bool:
    """Whether a name is that of a method that changes a tensor, such as `add_`."""
    return name.endswith("_") and not name.endswith("__")


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions within it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)
