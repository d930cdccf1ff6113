"""Slips that can be read in the source of a wrong answer: expressions that often do not do what was meant.

That such an expression is there does not prove that it is the mistake. So where the answer can be corrected, it is run
again with the expression replaced by what was probably meant, and the slip counts only if more results are right.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import nn

from course_lib.exercises.judging.errors import functions_of
from course_lib.text.wording import join_words

# Attributes that a learner sets on a parameter, a tensor or a module, and methods that are called on them.
SET_BY_LEARNERS = ("requires_grad", "training")
METHODS = ("requires_grad_", "eval", "train", "zero_grad", "detach_")
MOVES_AXES = {"transpose", "permute", "swapaxes", "movedim", "t", "mT", "T"}

REDUCTIONS = {"sum", "mean", "var", "std", "norm", "vector_norm", "logsumexp", "max", "amax", "min", "amin"}
MOST_REDUCTIONS = 8  # so many corrections are tried at most


@dataclass(frozen=True)
class Slip:
    """What an expression in an answer does, as a sentence, and the answer without it."""

    sentence: str
    corrected: Any


def attribute_without_effect(answer: Any) -> str:
    """Say that an attribute is set which parameters and modules do not have, or one that is a method of theirs; or "".

    Whatever else is wrong, such a line does nothing of what was meant.
    """
    nodes = [node for _, tree in _trees(answer) for node in ast.walk(tree)]
    for node in nodes:
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Store) or _is_self(node.value):
            continue
        if node.attr in METHODS:
            call = f"{ast.unparse(node)}({'False' if node.attr == 'requires_grad_' else ''})"
            return f"`{node.attr}` is a method, and your code puts a value in its place. Call it: `{call}`."
        if any(hasattr(each, node.attr) for each in (torch.Tensor, nn.Module(), nn.Parameter(torch.zeros(1)))):
            continue
        if meant := difflib.get_close_matches(node.attr, SET_BY_LEARNERS, n=1, cutoff=0.8):
            return (
                f"`{node.attr}` is not an attribute that torch knows, so setting it has no effect: it is called "
                f"`{meant[0]}`."
            )
    return ""


def slip_in_class(answer: Any, reference: Any) -> str:
    """Say that a class is no module, that its `__init__` is misspelled, or that a method lacks `self`; "" if not.

    `reference` is the course's class, or a function.
    """
    if not inspect.isclass(answer) or not inspect.isclass(reference) or not issubclass(reference, nn.Module):
        return ""
    own = vars(answer)
    if "__init__" not in own and (misspelled := [name for name in own if re.fullmatch(r"_*init_*", name)]):
        return (
            f"Python never calls your `{misspelled[0]}`. The method that makes an instance is `__init__`, with two "
            "underscores on each side."
        )
    for name in own.keys() & {"__init__", "forward", *vars(reference)}:
        parameters, expected = _parameters(own[name]), _parameters(vars(reference).get(name))
        # Otherwise the first parameter has another name than `self`, which works.
        if expected and (not parameters or parameters[0] in expected[1:]):
            with_self = ", ".join(["self", *parameters])
            return f"Your `{name}` lacks `self`, the first parameter of a method. Write `def {name}({with_self}):`."
    if not issubclass(answer, nn.Module):
        return (
            f"Your class is not an `nn.Module`, so torch does not find its weights. Write `class {answer.__name__}"
            "(nn.Module):`, and `super().__init__()` as the first line of `__init__`."
        )
    return ""


def plain_tensor_for_parameter(answer: Any, reference: Any) -> str:
    """Say that a class keeps a plain tensor where the course's class has an `nn.Parameter` of the same name; or ""."""
    if not inspect.isclass(answer) or not inspect.isclass(reference):
        return ""
    learned = {
        name
        for name, value in _set_on_self(reference)
        if any(_function_called(node, "nn") == "Parameter" for node in ast.walk(value))
    }
    values: dict[str, list[ast.expr]] = {}
    for name, value in _set_on_self(answer):
        values.setdefault(name, []).append(value)
    for name in learned & values.keys():
        if all(_function_called(value, "torch") for value in values[name]):
            return (
                f"Your `self.{name}` is a plain tensor, so torch does not know of it and never trains it. Wrap it in "
                "`nn.Parameter`."
            )
    return ""


def _set_on_self(answer: Any) -> Iterator[tuple[str, ast.expr]]:
    """The attributes that the methods of a class set on `self`, each with the expression for its value."""
    for _, tree in _trees(answer):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign):
                continue
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                for one, value in pairs:
                    if isinstance(one, ast.Attribute) and _is_self(one.value):
                        yield one.attr, value


def _function_called(value: ast.AST, module: str) -> str:
    """The name of the function of a module, such as `torch`, that an expression calls; "" if it is another one."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return ""
    owner = value.func.value
    return value.func.attr if isinstance(owner, ast.Name) and owner.id == module else ""


def _parameters(method: Any) -> list[str]:
    """The names of a method's parameters, with `self`; none for anything else, such as a static method."""
    return list(inspect.signature(method).parameters) if inspect.isfunction(method) else []


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def slip_in_source(answer: Any) -> str:
    """Say what a call or an index in a wrong answer does, where such ones often do not do what was meant; or ""."""
    nodes = [node for _, tree in _trees(answer) for node in ast.walk(tree)]
    calls = {_called(node) for node in nodes if isinstance(node, ast.Call)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if {"nll_loss", "NLLLoss"} & calls and not {"log_softmax", "log", "LogSoftmax", "logsumexp"} & calls:
        return "`nll_loss` takes log-probabilities: give it `log_softmax` of the logits, or use `F.cross_entropy`."
    if {"kl_div", "KLDivLoss"} & calls:
        return (
            "`kl_div` subtracts the entropy of the labels, so that it is smaller than the cross-entropy, and it "
            "divides by the count of all numbers unless you say otherwise."
        )
    batch_second = {"MultiheadAttention", "TransformerEncoderLayer", "TransformerDecoderLayer"} & calls
    says_where = any(isinstance(node, ast.keyword) and node.arg == "batch_first" for node in nodes)
    if batch_second and not says_where and not MOVES_AXES & attributes:
        return (
            f"`nn.{batch_second.pop()}` takes (T, B, d_model) unless you say `batch_first=True`, so it mixes the texts."
        )
    for node in nodes:
        if isinstance(node, ast.Subscript) and _picks_every_label(node) and not {"diagonal", "diag", "eye"} & calls:
            return (
                f"`{ast.unparse(node)}` picks every label at every position. To pick labels[t] at position t only, use "
                "`gather(-1, labels.unsqueeze(-1))`."
            )
    return ""


def _picks_every_label(node: ast.Subscript) -> bool:
    """Whether an index takes whole axes, or `...`, and then all labels along the last axis."""
    if not isinstance(node.slice, ast.Tuple) or not isinstance(node.ctx, ast.Load):
        return False
    *before, last = map(ast.unparse, node.slice.elts)
    return bool(before) and set(before) <= {":", "..."} and bool(re.match(r"(?:labels|targets?)\b", last))


def slips_with_masks(answer: Any, masks: Sequence[str]) -> Iterator[Slip]:
    """The sums and products of an answer with a mask of True and False, with what was probably meant in their places.

    `masks` are the names of the arguments that hold True and False.
    """
    for function, tree in _trees(answer):
        for place, node in enumerate(ast.walk(tree)):
            if not isinstance(node, ast.BinOp) or not (found := _sum_or_product_with_mask(node, masks)):
                continue
            sentence, meant = found
            with suppress(SyntaxError, ValueError):
                yield Slip(sentence, _with_replaced(answer, function, place, meant))


def _sum_or_product_with_mask(node: ast.BinOp, masks: Sequence[str]) -> tuple[str, str] | None:
    """What a sum or product with a mask does, and the expression that hides instead; None for any other."""
    written = ast.unparse(node)
    for mask, other in ((node.left, node.right), (node.right, node.left)):
        name = next((name for name in masks if _is_made_of(mask, name)), "")
        if not name:
            continue
        factor = ast.unparse(other)
        if isinstance(node.op, ast.Mult) and "inf" in factor:
            hides = f"`scores.masked_fill(~{name}, -math.inf)` does not multiply"
            return (
                f"In `{written}`, 0 times infinity is NaN: {hides}.",
                f"__torch.where(__torch.as_tensor({ast.unparse(mask)}).bool(), {factor}, 0.0)",
            )
        if isinstance(node.op, (ast.Add, ast.Sub)) and not isinstance(other, ast.Constant):
            hides = f"Use `scores.masked_fill(~{name}, -math.inf)`, which gives them none."
            return (
                f"In `{written}`, True counts as 1 and False as 0, so hidden keys keep their weight. {hides}",
                f"({factor}).masked_fill(~{name}, -__torch.inf)",
            )
    return None


def slips_with_lost_axes(answer: Any) -> Iterator[Slip]:
    """The sums, means and the like of an answer that lose their axis, with that axis kept: each alone, then all."""
    for function, tree in _trees(answer):
        calls = [place for place, node in enumerate(ast.walk(tree)) if _may_lose_its_axis(node)]
        groups = [[place] for place in calls] + ([calls] if len(calls) > 1 else [])
        for group in groups[:MOST_REDUCTIONS]:
            with suppress(SyntaxError, ValueError):
                yield _with_axes_kept(answer, function, group)


def _may_lose_its_axis(node: ast.AST) -> bool:
    """Whether an expression reduces one axis that it names, and does not say that this axis is kept."""
    if not isinstance(node, ast.Call) or _called(node) not in REDUCTIONS:
        return False
    names = {keyword.arg for keyword in node.keywords}
    return bool(node.args or names & {"dim", "axis"}) and not names & {"keepdim", "keepdims"}


def _with_axes_kept(answer: Any, function: FunctionType, places: Sequence[int]) -> Slip:
    """An answer in which the reductions at these places, counted as `ast.walk` does, keep their axis."""
    tree = _tree(function)
    nodes = list(ast.walk(tree)) if tree else []
    calls = [node for i, node in enumerate(nodes) if i in places and isinstance(node, ast.Call)]
    written = dict.fromkeys(f"`{ast.unparse(call)}`" for call in calls)
    loses, its = ("loses its", "its") if len(written) == 1 else ("lose their", "their")
    are_rows = all(_is_along_the_last_axis(call) for call in calls)
    wrong_axis = "the columns instead of the rows" if are_rows else "another axis"
    sentence = (
        f"{join_words(list(written))} {loses} axis, so torch lines up {its} numbers with {wrong_axis}. Keep the axis "
        "in its place: `keepdim=True`."
    )
    for call in calls:
        call.keywords.append(ast.keyword("keepdim", ast.Constant(value=True)))
    return Slip(sentence, _with_tree(answer, function, tree))


def _is_along_the_last_axis(call: ast.Call) -> bool:
    """Whether -1 is written among the arguments of a reduction."""
    return "-1" in map(ast.unparse, [*call.args, *(keyword.value for keyword in call.keywords)])


def _is_made_of(node: ast.expr, mask: str) -> bool:
    """Whether an expression is a mask, inverted or not, or made of one by methods or subtracted from 1."""
    if isinstance(node, ast.Name):
        return node.id == mask
    if isinstance(node, ast.UnaryOp):
        return _is_made_of(node.operand, mask)
    if isinstance(node, ast.BinOp):
        from_a_number = isinstance(node.op, (ast.Add, ast.Sub)) and isinstance(node.left, ast.Constant)
        return from_a_number and _is_made_of(node.right, mask)
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return _is_made_of(node.value, mask)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_made_of(node.func.value, mask)


# The source of an answer, and an answer with another one.


def _trees(answer: Any) -> Iterator[tuple[FunctionType, ast.Module]]:
    """A function, or the methods of a class, with the syntax tree of each, as far as their source is known."""
    for function in functions_of(answer):
        if tree := _tree(function):
            yield function, tree


def _tree(function: FunctionType) -> ast.Module | None:
    with suppress(OSError, SyntaxError):
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    return None


def _with_replaced(answer: Any, function: FunctionType, place: int, by: str) -> Any:
    """An answer in which one of its functions has another expression at a place, counted as `ast.walk` does.

    Raises ValueError if the function is not defined by a `def` of its own.
    """
    tree = _tree(function)
    if tree is not None:
        node = next(node for i, node in enumerate(ast.walk(tree)) if i == place)
        tree = _Replacing(node, ast.parse(by, mode="eval").body).visit(tree)
    return _with_tree(answer, function, tree)


def _with_tree(answer: Any, function: FunctionType, tree: ast.Module | None) -> Any:
    """An answer in which one of its functions has another syntax tree.

    Raises ValueError if the function is not defined by a `def` of its own.
    """
    if tree is None or not isinstance(tree.body[0], ast.FunctionDef):
        raise ValueError("the source is not that of a function")
    corrected = _defined_again(function, tree.body[0])
    return type(answer.__name__, (answer,), {function.__name__: corrected}) if inspect.isclass(answer) else corrected


class _Replacing(ast.NodeTransformer):
    """Puts an expression in the place of one node."""

    def __init__(self, node: ast.AST, by: ast.expr) -> None:
        self.node, self.by = node, by

    def visit(self, node: ast.AST) -> Any:
        return self.by if node is self.node else self.generic_visit(node)


def _defined_again(function: FunctionType, definition: ast.FunctionDef) -> FunctionType:
    """A function with another body, but the names, the defaults and the closure that it has."""
    definition.decorator_list = []
    free = function.__code__.co_freevars
    around = ast.parse(f"def around({', '.join(free)}): ...")
    around.body[0].body = [definition]  # type: ignore[attr-defined]
    module = compile(ast.fix_missing_locations(around), function.__code__.co_filename, "exec")
    code = _code_within(_code_within(module, "around"), definition.name)
    cells = dict(zip(free, function.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in code.co_freevars)
    scope = {**function.__globals__, "__torch": torch}
    corrected = FunctionType(code, scope, function.__name__, function.__defaults__, closure)
    corrected.__kwdefaults__ = function.__kwdefaults__
    return corrected


def _code_within(code: CodeType, name: str) -> CodeType:
    return next(each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name)


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
