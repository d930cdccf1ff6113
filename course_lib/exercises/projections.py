"""Putting the check's own numbers into the projections of a learner's attention, whatever they are called.

Taken are: `nn.Linear` or bare matrices, by their names (of one for each head too), or four in the order in which they
are made; and one for queries, keys and values together, in any layout. Biases are set to 0.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from itertools import permutations, product
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import numbers

UNKNOWN = (
    "the check puts its own numbers into your projections, and did not find them: it looks for `W_q`, `W_k`, `W_v` and "
    "`W_o`, each an `nn.Linear(d_model, d_model)`"
)


class Filling(NamedTuple):
    """A guess which matrix is which: the letters of all in order, or else of the joint one, where the rest has names.

    `layout` orders the axes (letter, head, feature) of the joint one, and `turned` matrices are (inputs, outputs).
    """

    order: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    layout: tuple[int, ...] = (0, 1, 2)
    turned: bool = True


def ways_to_fill(answer: Any) -> Iterator[Callable[..., Tensor]]:
    """Turn a class into functions of (d_model, heads, query, key, value, mask), the likeliest guess first."""
    d_model, heads = 12, 2
    fillings: list[Filling | None] = [None]
    with suppress(Exception):  # it comes up again in the call, where it is reported
        fillings = list(_fillings(answer(d_model, heads), d_model))
    for filling in fillings:
        yield _filled(answer, filling)


def _filled(answer: Any, filling: Filling | None) -> Callable[..., Tensor]:
    def attend(d_model: int, heads: int, query: Tensor, key: Tensor, value: Tensor, *mask: Tensor) -> Tensor:
        module = answer(d_model, heads)
        if filling is None:
            module(query, key, value, *mask)
            raise ValueError(UNKNOWN)
        _fill(module, d_model, heads, filling)
        output: Tensor = module.to(query.dtype).eval()(query, key, value, *mask)
        return output

    return attend


@torch.no_grad()
def _fill(module: nn.Module, d_model: int, heads: int, filling: Filling) -> None:
    wanted = _wanted(d_model, heads)
    begun = dict.fromkeys("qkvo", 0)
    for i, (name, matrix) in enumerate(_matrices(module)):
        role = _role(name, matrix, d_model)
        letters = filling.order[i] if filling.order else filling.joint if len(role) > 1 else role or "o"
        joint = torch.stack([wanted[letter] for letter in letters])  # (letters, H, d_k, d_model)
        rows = joint.permute(*filling.layout, 3).flatten(0, 2) if len(letters) > 1 else joint.flatten(0, 2)
        turned = not name.endswith("weight") and (filling.turned or matrix.size(0) != matrix.size(1))
        target = matrix.mT if turned else matrix
        # Where a matrix has another size than it should, the numbers are repeated or cut off, for a mistake likewise.
        down = (begun[letters[0]] + torch.arange(target.size(0))) % len(rows)
        target.copy_(rows[down][:, torch.arange(target.size(1)) % d_model])
        begun[letters[0]] += target.size(0)
    for name, parameter in module.named_parameters():
        if "bias" in name:
            parameter.zero_()


@cache
def _wanted(d_model: int, heads: int) -> dict[str, Tensor]:
    """The check's own projections, each (H, d_k, d_model)."""
    shape = (heads, d_model // heads, d_model)
    return {letter: numbers(*shape, seed=seed) / 2 for seed, letter in enumerate("qkvo", 10)}


def _matrices(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, parameter) for name, parameter in module.named_parameters() if parameter.dim() == 2]


def _fillings(module: nn.Module, d_model: int) -> Iterator[Filling | None]:
    """Guess which matrix is which, the likeliest guess first."""
    roles = [_role(name, matrix, d_model) for name, matrix in _matrices(module)]
    turns = (True,) if all(name.endswith("weight") for name, _ in _matrices(module)) else (True, False)
    if set("qkv") <= set("".join(roles)):
        joint = max(roles, key=len)
        layouts = permutations(range(3)) if len(joint) > 1 else [(0, 1, 2)]
        yield from (Filling((), *guess) for guess in product(permutations(joint), layouts, turns))
    elif not any(roles) and len(roles) in (3, 4):
        yield from (Filling(order, turned=turned) for order in permutations("qkvo"[: len(roles)]) for turned in turns)
    else:
        yield None


def _role(name: str, matrix: Tensor, d_model: int) -> str:
    """The letters of what a matrix projects, by its size and then by its name; "" where neither tells."""
    times, rest = divmod(max(matrix.shape), d_model)
    if times in (2, 3) and not rest:
        return "qkv"[3 - times :]
    parts = [part for part in name.lower().split(".") if part != "weight" and not part.isdigit()]
    found = re.search(r"(?:^|_|w|to)([qkv])", parts[-1]) if parts else None
    return found[1] if found else ""
