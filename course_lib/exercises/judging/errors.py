"""Likely causes of the errors that Python and torch raise in learners' code, in words that lead to the slip."""

from __future__ import annotations

import ast
import inspect
import math
import re
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType, FunctionType
from typing import Any

from torch import Tensor, nn

from course_lib.text.wording import as_sentence

MODULE_CALLS = ("torch/nn/modules/module.py", "torch\\nn\\modules\\module.py")
NUMPYS_KEYWORDS = r"\baxis=|\bkeepdims="
REDUCTION = re.compile(r"\.(sum|mean|max|amax|var|std|norm|min|amin)\(")
TRANSPOSED_FIRST = re.compile(r"\.(?:T|mT|t\(\)|transpose\([^()]*\)) ?@")
IMPORTS = {
    "torch": "import torch",
    "nn": "from torch import nn",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor",
    "math": "import math",
    "random": "import random",
    "itertools": "import itertools",
    "Counter": "from collections import Counter",
    "defaultdict": "from collections import defaultdict",
    "partial": "from functools import partial",
    "np": "import numpy as np",
    "plt": "import matplotlib.pyplot as plt",
}
OTHER_LIBRARIES = {"tf": "TensorFlow", "jnp": "JAX", "jax": "JAX", "keras": "Keras"}


@dataclass(frozen=True)
class Raised:
    """An error, and the learner's line that raised it.

    Attributes:
        error: the error.
        number: of the line; 0 if none of the learner's lines raised it.
        line: its text, or "".
        function: the name of the function or method that it is in, or "".
        is_the_courses: whether a file of the course raised it, with a sentence for the learner.
        frame: the call of that function or method, with the values of its names; None if no such line raised it.
    """

    error: BaseException
    number: int = 0
    line: str = ""
    function: str = ""
    is_the_courses: bool = False
    frame: FrameType | None = None

    @property
    def words(self) -> str:
        """The first line of the error's own message, without memory addresses."""
        first_line = re.sub(r" at 0x[0-9a-fA-F]+", "", str(self.error)).partition("\n")[0]
        # torch lists all its ways to call a function on the lines that follow.
        return first_line[:200].rstrip(" .:,").removesuffix(", but expected one of")


def locate(answer: Any, error: BaseException) -> Raised:
    """Find the line of the learner's code that raised an error: the innermost one in the files of the answer."""
    files = {function.__code__.co_filename for function in functions_of(answer)}
    frames = traceback.extract_tb(error.__traceback__)
    is_the_courses = bool(frames) and "course_lib" in frames[-1].filename and not _is_about_arguments(error)
    calls = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [pair for pair in zip(frames, calls, strict=True) if pair[0].filename in files]
    if not own:
        return Raised(error, is_the_courses=is_the_courses)
    summary, call = own[-1]
    return Raised(error, summary.lineno or 0, summary.line or "", summary.name, is_the_courses, call)


def functions_of(answer: Any) -> list[FunctionType]:
    """A function itself, and the methods of a class or of an object's class."""
    methods = vars(answer if inspect.isclass(answer) else type(answer)).values()
    return [each for each in map(inspect.unwrap, (answer, *methods)) if inspect.isfunction(each)]


def _is_about_arguments(error: BaseException) -> bool:
    """Whether Python could not call a function at all, because of the number or the names of the arguments."""
    return isinstance(error, TypeError) and bool(re.search(r"^[\w.<>]+\(\) (?:takes|missing|got)", str(error)))


def _raised_within(error: BaseException, raised: Raised) -> str:
    """The function that a learner's line called and in which an error came up; "" if that line itself raised it.

    How torch calls a module is not counted: if `forward` does not take its arguments, the learner's call is at fault.
    """
    calls = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    below = calls[calls.index(raised.frame) + 1 :] if raised.frame in calls else []
    names = [call.f_code.co_qualname for call in below if not call.f_code.co_filename.endswith(MODULE_CALLS)]
    return names[-1] if names else ""


def describe_error(raised: Raised) -> str:
    """Say in one sentence which line raised an error, and the error's own words."""
    if raised.is_the_courses and not raised.line:
        return as_sentence(raised.words)
    where = f"Line {raised.number}, `{raised.line}`," if raised.line else "The call"
    kind = type(raised.error).__name__
    article = "an" if kind[0] in "AEIOU" else "a"
    return f"{where} raises {article} {kind}: {raised.words}." if raised.words else f"{where} raises {article} {kind}."


Explanation = Callable[[re.Match[str], Raised], str]


@dataclass(frozen=True)
class Cause:
    """A common cause of an error: the error's type, patterns of its message and of the line, and what to say.

    What to say may be a function of the message's match and of the error; it returns "" if it has nothing to say.
    """

    kind: type[BaseException]
    message: str
    says: str | Explanation
    line: str = ""


def likely_cause(raised: Raised, signature: str, parts: Sequence[str]) -> str:
    """Say what probably causes an error, in one sentence or two; "" if it is none of the common ones.

    Args:
        raised: the error.
        signature: how the course calls the answer, such as "softmax(x, dim)".
        parts: the names of all exercises.
    """
    error = raised.error
    if isinstance(error, NameError) and (name := re.search(r"(?:name|variable) '(\w+)'", str(error))):
        return _about_unknown_name(name[1], error, parts)
    if _is_about_arguments(error) and not re.search(NUMPYS_KEYWORDS, raised.line):
        if "missing" in str(error) and re.search(r"(?:post|pre)_norm\(", raised.line):
            return OF_ONE_ARGUMENT
        counts = re.search(r"takes from (\d+) to (\d+) positional", str(error))
        if counts and int(counts[1]) > int(counts[2]):  # as torch says it
            return "torch's function has to be told there what its arguments are: name them, such as `dim=-1`."
        if raised.line and (inside := _raised_within(error, raised)):
            return (
                f"The error comes from inside `{inside}`, which is called there: does it get the arguments that it "
                "takes?"
            )
        if raised.line:
            return "The call in that line gives other arguments than the function takes: compare it with its `def`."
        return f"The course calls `{signature}`: your `def` should take these arguments, in this order."
    for cause in CAUSES:
        match = re.search(cause.message, str(error), re.DOTALL)
        if not isinstance(error, cause.kind) or not match or not re.search(cause.line, raised.line):
            continue
        if sentence := cause.says if isinstance(cause.says, str) else cause.says(match, raised):
            return sentence
    return ""


def _about_unknown_name(name: str, error: NameError, parts: Sequence[str]) -> str:
    if name in parts:
        return (
            f"`{name}` is the part of another exercise: if its cell is above, run that one first, otherwise write "
            f"`from course_lib.yours import {name}` in this one."
        )
    if name in IMPORTS:
        return f"`{name}` is not imported: write `{IMPORTS[name]}` in the cell."
    if name in OTHER_LIBRARIES:
        return f"`{name}` usually stands for {OTHER_LIBRARIES[name]}, which the course does not use: use torch."
    if isinstance(error, UnboundLocalError):
        return f"In this call `{name}` never gets a value: look at the `if` or the loop that sets it."
    return (
        f"There is no `{name}` here: is it misspelled, or is `self.` missing? If it is a helper of yours, run "
        "the cell that defines it first, then this one."
    )


def _about_pair(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    step = match[1]
    better = {"max": "amax(dim, keepdim=True)", "min": "amin(dim, keepdim=True)"}.get(step, f"{step}(...)[0]")
    return f"With a dimension, `.{step}` returns a pair, values and positions: take `.values`, or use `{better}`."


def _about_product(match: re.Match[str], raised: Raised) -> str:
    rows, inner, other, columns = match.groups()
    if _is_within_a_layer(raised.error):
        return (
            f"A layer `nn.Linear(n, m)` takes vectors of n numbers. The one that is called there takes {other}, and "
            f"gets vectors of {inner}."
        )
    sentence = f"For a matrix product the inner sizes have to be equal: {rows}×{inner} and {other}×{columns} are not."
    if rows == other and TRANSPOSED_FIRST.search(raised.line):
        return f"{sentence} Without the transposition of the first one, {inner}×{rows}, they would be."
    if inner != columns:
        return sentence
    return f"{sentence} With the second one transposed, {columns}×{other}, they would be."


def _is_within_a_layer(error: BaseException) -> bool:
    """Whether torch's own linear layer raised an error."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and bool(re.search(r"torch.nn.modules.linear\.py$", frames[-1].filename))


def _about_broadcast(match: re.Match[str], raised: Raised) -> str:
    one, other, axis = match.groups()
    sentence = (
        f"Along axis {axis}, one tensor has size {one} and the other {other}: sizes must be equal, or one of them 1."
    )
    if REDUCTION.search(_within_last_step(raised.line)) and "keepdim" not in raised.line:
        return (
            f"{sentence} A sum, mean or maximum removes the axis it runs along: `keepdim=True` keeps it, with length 1."
        )
    if not REDUCTION.search(source_of(raised.frame and raised.frame.f_code)):
        return f"{sentence} Print the shapes of both before that line."
    return f"{sentence} {LOST_OR_TRANSPOSED}"


def _about_cat(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    axis, one, other = match.groups()
    sentence = (
        f"Tensors that are joined along axis {axis} have to agree on all other axes: here one size is {one}, and the "
        f"other {other}."
    )
    if "1" not in (one, other):
        return sentence
    return f"{sentence} `expand` repeats what is there once, such as one vector for every text: `x.expand(B, 1, -1)`."


def _about_function_as_module(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    """Say that a function has no method of a module, if that is what was asked of it."""
    return NOT_A_MODULE if hasattr(nn.Module, match[1]) and not hasattr(Tensor, match[1]) else ""


def _within_last_step(line: str) -> str:
    """What a line computes before its last step, if that is a sum, a mean or the like; otherwise the whole line.

    >>> _within_last_step("return (x - y).sum(1)"), _within_last_step("return x - y.sum(1)")
    ('x - y', 'return x - y.sum(1)')
    """
    with suppress(SyntaxError, AttributeError):
        value = ast.parse(line.strip()).body[0].value  # type: ignore[attr-defined]
        if isinstance(value, ast.Call) and REDUCTION.search(f".{ast.unparse(value.func).rpartition('.')[2]}("):
            return ast.unparse(value.func.value)  # type: ignore[attr-defined]
    return line


def source_of(code: Any) -> str:
    """The source of a function, a class or a code object; "" if it is not known."""
    with suppress(OSError, TypeError):
        return inspect.getsource(code)
    return ""


def _about_truth(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    sentence = "A tensor of several values is neither true nor false."
    if test := re.search(r"\b(?:if|while|not|and|or)\s+(\w+)\s*(?::|$|and\b|or\b|else\b)", raised.line):
        return f"{sentence} To ask whether it was given, write `{test[1]} is not None`."
    return f"{sentence} `.all()` and `.any()` reduce it to one truth value; `torch.where` chooses number by number."


def _about_all_axes(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    """Say that `.T` reverses all axes, if the line takes it of a tensor with more than two."""
    for written in re.findall(r"(?<![\w.\])])((?:\w+\.)*\w+)\.T\b", raised.line):
        value = _value_of(written, raised.frame)
        if isinstance(value, Tensor) and value.dim() > 2:
            return ALL_AXES
    return ""


def _value_of(written: str, frame: FrameType | None) -> Any:
    """What a name, or an attribute such as `self.A`, stands for where an error was raised; None if that is unknown."""
    name, *attributes = written.split(".")
    value = {**frame.f_globals, **frame.f_locals}.get(name) if frame else None
    for attribute in attributes:
        value = getattr(value, attribute, None)
    return value


def _about_attribute(match: re.Match[str], raised: Raised) -> str:
    owner, name = match.groups()
    if re.search(rf"self\.{re.escape(name)}\b", raised.line):
        return f"`self.{name}` is used, but `__init__` does not set it: does it have another name there?"
    if owner == "dict":
        return f'Look up what is in a dictionary by its key: `["{name}"]`, not `.{name}`.'
    if owner == "int" and name == "decode":
        return BYTES_OF_NUMBERS
    if owner == "list" and name in dir(dict):
        return f"There is a list in that line, and `.{name}` is a method of dictionaries."
    if not hasattr(Tensor, name):
        return ""
    if owner == "list":
        return (
            "There is a plain list in that line: `torch.tensor`, `torch.stack` or `torch.cat` turns it into a tensor."
        )
    if owner in ("int", "float"):
        has_function = f": `math.{name}` is for numbers" if hasattr(math, name) else ""
        return f"There is a plain number in that line, of type `{owner}`, where a tensor is needed{has_function}."
    return ""


def _about_method_of_tuple(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    """Say that tuples lack a method of lists or of texts, if that is what was asked of one."""
    name = match[1]
    if hasattr(list, name):
        return (
            f"A tuple cannot be changed and has no `.{name}`: turn it into a list first, `list(…)`, or build a new one."
        )
    if hasattr(str, name):
        return f"There is a tuple in that line, and `.{name}` is a method of texts: go through its elements in a loop."
    return ""


def _about_layer_for_tensor(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    """Say that a layer was made where one should be called, if the thing that is no tensor is a layer."""
    kind = match[1]
    if not hasattr(nn, kind):
        return ""
    return (
        f"`nn.{kind}(…)` makes a layer, and the layer is not a tensor. Make it in `__init__`, and call it in "
        "`forward`, or use torch's function for it."
    )


def _about_called_value(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    return (
        f"What is called there is not a function or a layer, but a plain value of type `{match[1]}`. Should a layer be "
        "made of it in `__init__`, such as `nn.Dropout(rate)`, or is a `*` missing before the bracket?"
    )


def _about_number_for_tensor(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    name = re.match(r"(\w+)\(\)", str(raised.error))
    if name and hasattr(math, name[1]):
        return f"That is a plain number, and torch's function takes tensors: `math.{name[1]}` takes numbers."
    return "That is a plain number, and torch's function takes tensors: `torch.tensor(...)` turns it into one."


def _about_index_of_all(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    """Say that `argmax()` counts through the whole tensor, if the function or method at fault calls it so."""
    found = re.search(r"\.(argmax|argmin)\(\)", source_of(raised.frame and raised.frame.f_code))
    if not found:
        return ""
    return f"`.{found[1]}()` counts through all numbers of a tensor: `.{found[1]}(-1)` looks at each row by itself."


def _about_mask(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    """Say for how many tokens a mask is made, if that is not the number of those that are read."""
    read, made_for = match.groups()
    if made_for in ("1", read):
        return ""
    return f"The last axis of a mask belongs to the tokens that are read. Here these are {read}, and it has {made_for}."


def _about_missing_key(match: re.Match[str], raised: Raised) -> str:  # noqa: ARG001
    return f"The dictionary has no key {raised.words}: check with `in` first, or use `.get(key, 0)`."


NO_SUPER = "`super().__init__()` is missing as the first line of `__init__`: it prepares the module for its layers."
MODULE_LIST = (
    "A list of layers cannot be called as a whole: call the layers one after another in a loop, `x = layer(x, …)`."
)
NUMPYS_FUNCTION = (
    "That is numpy's function, which does not take torch's tensors as they are. torch has the same: `torch.exp`, "
    "`x.amax(dim, keepdim=True)`, `x.sum(dim, keepdim=True)`."
)
NUMPYS_WORDS = "Those are numpy's words: torch writes `dim=` for `axis=`, and `keepdim=` for `keepdims=`."
AN_EMBEDDING = (
    "`nn.Embedding` is a layer, and a tensor is needed there: pass its matrix, `.weight`, or make the table an "
    "`nn.Parameter` of shape (V, d_model)."
)
NO_FUNCTION = (
    "`post_norm` and `pre_norm` call their second and third arguments, so give them functions, such as "
    "`lambda y: self.self_attention(y, y, y, mask)`, and not what such a function returns."
)
OF_ONE_ARGUMENT = (
    "`post_norm` and `pre_norm` call the sublayer with one argument. Attention takes more: give them a function of "
    "one, such as `lambda y: self.self_attention(y, y, y, mask)`."
)
CALLED = "A tensor is called there, as if it were a function: is a `*` missing before the bracket, or is it `[…]`?"
NOTHING = (
    "Something in that line is None: the function or `forward` that made it has no `return`, or it is an argument "
    "that was not given. `is not None` checks that it was."
)
FIXED = "A tuple cannot be changed: turn it into a list first, `list(…)`, or build a new one."
A_TUPLE = "What you use there is a tuple of several things: take them apart, `output, weights = …`."
NOT_A_MODULE = (
    "What is called there is a plain function, not a module. Call the function itself: its name, then the arguments in "
    "brackets."
)
NOT_CALLED = "A function or method is not called there: its brackets `()` are missing."
INTEGER = "A whole number is needed there, and `/` always makes a fraction: `//` divides whole numbers."
ALL_AXES = (
    "`.T` reverses all axes, including those of the batch and the heads: `.mT` or `.transpose(-2, -1)` exchanges the "
    "last two only."
)
LEADING_AXES = (
    "For a product of stacks of matrices the leading axes have to be equal, and the inner sizes too: print the two "
    "shapes before that line."
)
DTYPES = (
    "Two tensors of different types are combined there: make new ones with `dtype=x.dtype`, or convert one, "
    "`.to(x.dtype)`."
)
VIEW = "After a `transpose` the numbers do not lie in the order that `view` needs: `reshape` or `flatten` copies them."
LOST_OR_TRANSPOSED = "Has a sum, mean or maximum lost its axis (`keepdim=True` keeps it), or is one transposed?"
RESHAPE = "The sizes of the new shape, multiplied, have to give as many numbers as the tensor has."
INVERSION = "To invert a mask, write `~mask` if it holds True and False, and `1 - mask` only if it holds numbers."
LOSS_AXES = (
    "torch's losses take the classes on axis 1, as (N, V) with labels (N,): `logits.flatten(0, 1)` and "
    "`labels.flatten()` bring them there."
)
IN_PLACE = (
    "A step in place, such as `x += …` or `x[...] = …`, changes a tensor that the gradient needs: make a new one."
)
NO_TEXT = "The model gets no text at all: stop when none is left."
LABEL_LEFT_OUT = "The label −100 marks a position that does not count: leave those out before you look anything up."
A_BATCH = "A model takes a batch: `torch.tensor([ids])`, with two brackets, has the shape (1, T)."
SHAPE_UNPACKED = "The tensor has more or fewer axes than there are names on the left: `x.size(-1)` counts from the end."
UNPACKED = "The number of names on the left differs from the number of values on the right."
ID_TOO_LARGE = "An id or a label there is as large as the axis is long, or larger; labels of −100 have to be left out."
AXIS = "A tensor there has fewer axes than that: negative axes such as −1 and −2 count from the end."
LAST_POSITION = (
    "The last position has no next one: before you look at the next one, compare its index with the length, `len(…)`."
)
INDEX = "An index goes past the end: indices run from 0 to the length minus 1."
ONE_NUMBER = "The functions of `math` take a single number: for a tensor, torch has the same, such as `torch.exp`."
NO_TENSOR = "A tensor is needed there: `torch.tensor(...)` makes one, and `math` has the functions for plain numbers."
PLAIN_NUMBERS = "These are plain numbers, and torch's function takes tensors: use Python's own `min` or `max`."
RECURSION = "Your function calls itself endlessly: does a helper have the same name as the function itself?"
BROADCAST = r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)"
NUMBER_FOR_TENSOR = r"must be Tensor, not (?:int|float)|got \((?:int|float), (?:int|float)\)"
FLOAT_FOR_INT = (
    r"got float|'float' object cannot be interpreted|tuple of ints.*float|must be int, not float|must be int"
)
DDOF = "torch writes `correction=` for numpy's `ddof=`: `correction=0` divides by the count itself."
A_SIZE = "`.shape` holds the lengths of all axes: `x.size(-1)` is the length of the last one, a number."
BYTES_OF_NUMBERS = "That is a number, and bytes are needed: `bytes([…])` makes bytes of numbers from 0 to 255."
NO_KEY = "A list cannot be a key of a dictionary or a member of a set, since it may change: make a tuple, `tuple(…)`."
NO_POWER = "In Python, `^` does not mean a power: write `**`."
A_LIST_AND_A_NUMBER = (
    "A list and a number are combined there: should it be the list's length, `len(…)`, or are arguments swapped?"
)
NO_INDICES = (
    "Indices are whole numbers, such as ids and positions, and that tensor holds fractions. Are the arguments "
    "swapped, or are these vectors already?"
)
NOT_IN_LIST = "`.index` raises this error if the item is not there: check with `in` first."
EMPTY = "There is nothing left to take the largest or smallest of: check that first, or pass `default=`."
DOT = "torch's `dot` multiplies two vectors only: `@` also multiplies matrices."
PERMUTE = "`permute` has to name every axis of the tensor once, including that of the batch."
INDICES = (
    "An embedding looks up rows by whole numbers, such as ids and positions, but got fractions. Are the arguments "
    "swapped, or are these vectors already?"
)

CAUSES = (
    Cause(AttributeError, r"Module\.__init__\(\) call|no attribute '_(?:parameters|modules|buffers)'", NO_SUPER),
    Cause(NotImplementedError, r"ModuleList|ModuleDict", MODULE_LIST),
    Cause(TypeError, r"'(?:ModuleList|list)' object is not callable", MODULE_LIST),
    Cause(Exception, r"one element tensors can be converted", ONE_NUMBER, line=r"math\."),
    Cause(Exception, r"return_types\.(\w+)", _about_pair),
    Cause(TypeError, r"\bddof\b", DDOF),
    Cause(TypeError, r"'(int|float|str|bool)' object is not callable", _about_called_value),
    Cause(TypeError, r"must be Tensor, not ([A-Z]\w*)", _about_layer_for_tensor),
    Cause(TypeError, r"'tuple' object does not support item (?:assignment|deletion)", FIXED),
    Cause(AttributeError, r"'tuple' object has no attribute '(\w+)'", _about_method_of_tuple),
    Cause(Exception, r"'tuple' object|not tuple|but got \(tuple|got tuple", A_TUPLE),
    Cause(AttributeError, r"'function' object has no attribute '(\w+)'", _about_function_as_module),
    Cause(Exception, r"builtin_function_or_method|'method'|'function'|method_descriptor", NOT_CALLED),
    Cause(TypeError, r"'Tensor' object is not callable", NO_FUNCTION, line=r"(?:post|pre)_norm\(|sublayer\("),
    Cause(TypeError, r"'Tensor' object is not callable", CALLED),
    Cause(Exception, r"'Embedding' object (?:has no attribute|is not)|and 'Embedding'$|not Embedding", AN_EMBEDDING),
    Cause(TypeError, NUMBER_FOR_TENSOR, PLAIN_NUMBERS, line=r"torch\.(?:min|max|minimum|maximum)\("),
    Cause(TypeError, r"\(position 1\) must be Tensor, not (?:int|float)", _about_number_for_tensor),
    Cause(TypeError, r"tuple of ints.*float", INTEGER),
    Cause(TypeError, FLOAT_FOR_INT, INTEGER, line="/"),
    Cause(TypeError, r"must be real number, not torch\.Size", A_SIZE),
    Cause(TypeError, r"expected a bytes-like object, int found|can't concat int to byte", BYTES_OF_NUMBERS),
    Cause(TypeError, r"unhashable type: 'list'", NO_KEY),
    Cause(TypeError, r"unsupported operand type\(s\) for .*'(?:list' and 'int|int' and 'list)'", A_LIST_AND_A_NUMBER),
    Cause(TypeError, r"unsupported operand type\(s\) for \^", NO_POWER),
    Cause(ValueError, r"is not in (?:list|tuple)|tuple\.index\(x\)", NOT_IN_LIST),
    Cause(ValueError, r"arg is an empty sequence|iterable argument is empty", EMPTY),
    Cause(RuntimeError, r"1D tensors expected", DOT),
    Cause(RuntimeError, r"number of dimensions in the tensor input does not match", PERMUTE),
    Cause(RuntimeError, r"argument #1 'indices' to have one of the following scalar types", INDICES),
    Cause(TypeError, r"(?:list|slice|tuple) indices must be integers", INTEGER, line="/"),
    Cause(IndexError, r"tensors used as indices must be", INTEGER, line="/"),
    Cause(IndexError, r"tensors used as indices must be", NO_INDICES),
    Cause(Exception, r"", NUMPYS_FUNCTION, line=r"\bnp\.|\bnumpy\."),
    Cause(TypeError, r"", NUMPYS_WORDS, line=NUMPYS_KEYWORDS),
    Cause(Exception, r"'NoneType' object|not NoneType|'NoneType'$|'NoneType' and", NOTHING),
    Cause(RuntimeError, r"cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)", _about_product),
    Cause(RuntimeError, r"first two dimensions of batch2", _about_all_axes, line=r"\.T\b"),
    Cause(RuntimeError, r"first two dimensions of batch2", LEADING_AXES),
    Cause(RuntimeError, r"expected scalar type|same dtype|must match.*dtype|Index put requires", DTYPES),
    Cause(RuntimeError, BROADCAST, _about_all_axes, line=r"\.T\b"),
    Cause(RuntimeError, BROADCAST, _about_broadcast),
    Cause(
        RuntimeError, r"Sizes of tensors must .* dimension (\d+)\. Expected size (\d+) but got size (\d+)", _about_cat
    ),
    Cause(RuntimeError, r"Boolean value of Tensor", _about_truth),
    Cause(RuntimeError, r"view size is not compatible", VIEW),
    Cause(RuntimeError, r"shape '.*' is invalid for input", RESHAPE),
    Cause(Exception, r"`-` operator, with a bool|bitwise_not|operand type for unary ~", INVERSION),
    Cause(Exception, r"Expected target size|multi-target not supported|Expected input batch_size", LOSS_AXES),
    Cause(RuntimeError, r"modified by an inplace operation|leaf Variable", IN_PLACE),
    Cause(ValueError, r"mask should broadcast to \(.*?(\d+)\), but its shape is \(.*?(\d+),?\)", _about_mask),
    Cause(ValueError, r"takes ids \(B, T\), but their shape is \(0,\)", NO_TEXT),
    Cause(ValueError, r"takes ids \(B, T\)", A_BATCH),
    Cause(ValueError, r"values to unpack", SHAPE_UNPACKED, line=r"shape|size\(\)"),
    Cause(ValueError, r"values to unpack", UNPACKED),
    Cause(AttributeError, r"'(\w+)' object has no attribute '(\w+)'", _about_attribute),
    Cause(Exception, r"[Ii]ndex -100 is out of bounds|Target -100 is out of bounds", LABEL_LEFT_OUT),
    Cause(Exception, r"Target .* is out of bounds|index out of range in self", ID_TOO_LARGE),
    Cause(RuntimeError, r"index .* is out of bounds", ID_TOO_LARGE),
    Cause(IndexError, r"index .* is out of bounds", _about_index_of_all),
    Cause(IndexError, r"index .* is out of bounds", INDEX),
    Cause(IndexError, r"Dimension out of range", AXIS),
    Cause(IndexError, r"index .*out of range", LAST_POSITION, line=r"\+ ?1\]"),
    Cause(IndexError, r"index .*out of range", INDEX),
    Cause(KeyError, r"", _about_missing_key),
    Cause(TypeError, r"must be Tensor, not|'(?:int|float)' object (?:has no|is not)", NO_TENSOR),
    Cause(RecursionError, r"", RECURSION),
)
