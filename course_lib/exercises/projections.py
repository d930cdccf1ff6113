"""Putting the check's own numbers into the projections of a learner's attention, whatever they are called.

Taken are: four `nn.Linear` or matrices, by their names or in the order in which they are made; one for each head; or
one for queries, keys and values at once, in any layout. With or without biases, which are set to 0.
"""

import re
from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import numbers

D_MODEL, HEADS = 12, 2  # a size at which a head's, a whole and a joint projection have lengths of their own
UNKNOWN = (
    "the check puts its own numbers into your projections, and did not find them: it looks for `W_q`, `W_k`, `W_v` and "
    "`W_o`, each an `nn.Linear(d_model, d_model)`"
)


class Filling(NamedTuple):
    """For each matrix the projections that it holds, as letters, how those are laid out, and whether it is turned."""

    roles: tuple[str, ...]
    layout: tuple[int, ...] = (0, 1, 2)
    turned: bool = True


def ways_to_fill(answer: Any) -> Iterator[Callable[..., Tensor]]:
    """Turn a class into functions of (d_model, heads, query, key, value, mask), likeliest filling first."""
    try:
        fillings = list(_fillings(answer(D_MODEL, HEADS)))
    except Exception:  # it comes up again in the call, where it is reported
        fillings = [Filling(())]
    for filling in fillings:
        yield _filled(answer, filling)


def _filled(answer: Any, filling: Filling) -> Callable[..., Tensor]:
    def attend(d_model: int, heads: int, query: Tensor, key: Tensor, value: Tensor, *mask: Tensor) -> Tensor:
        module = answer(d_model, heads)
        if not filling.roles:
            module(query, key, value, *mask)
            raise ValueError(UNKNOWN)
        _fill(module, d_model, heads, filling)
        output: Tensor = module.to(query.dtype).eval()(query, key, value, *mask)
        return output

    return attend


@torch.no_grad()
def _fill(module: nn.Module, d_model: int, heads: int, filling: Filling) -> None:
    wanted = {role: numbers(d_model, d_model, seed=seed) / 2 for seed, role in enumerate("qkvo", 10)}
    begun = dict.fromkeys("qkvo", 0)
    for (name, matrix), roles in zip(_matrices(module), filling.roles, strict=True):
        joint = torch.stack([wanted[role].reshape(heads, -1, d_model) for role in roles])  # (roles, H, d_k, d_model)
        rows = joint.permute(*filling.layout, 3).flatten(0, 2)
        turned = not name.endswith("weight") and (filling.turned or matrix.size(0) != matrix.size(1))
        target = matrix.mT if turned else matrix
        # Where a matrix has another size than it should, the numbers are repeated or cut off, the same for all.
        down = (begun[roles[0]] + torch.arange(target.size(0))) % len(rows)
        across = torch.arange(target.size(1)) % d_model
        target.copy_(rows[down][:, across])
        begun[roles[0]] += target.size(0)
    for name, parameter in module.named_parameters():
        if "bias" in name:
            parameter.zero_()


def _matrices(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, parameter) for name, parameter in module.named_parameters() if parameter.dim() == 2]


def _fillings(module: nn.Module) -> Iterator[Filling]:
    """Guess which matrix is which, the likeliest guess first."""
    matrices = _matrices(module)
    roles = [_role(name, max(matrix.shape)) for name, matrix in matrices]
    turns = (True,) if all(name.endswith("weight") for name, _ in matrices) else (True, False)
    if set("qkv") <= set("".join(roles)):
        joint = max(roles, key=len)
        for letters, layout in product(permutations(joint), permutations(range(3)) if len(joint) > 1 else [(0, 1, 2)]):
            named = ("".join(letters) if role == joint else role or "o" for role in roles)
            yield from (Filling(tuple(named), layout, turned) for turned in turns)
    elif not any(roles) and len(roles) in (3, 4):
        for order in permutations("qkvo"[: len(roles)]):
            yield from (Filling(order, turned=turned) for turned in turns)
    elif not any(roles) and len(roles) == 3 * HEADS + 1:
        for each in ("q" * HEADS + "k" * HEADS + "v" * HEADS, "qkv" * HEADS):
            yield Filling((*each, "o"))
    else:
        yield Filling(())


def _role(name: str, size: int) -> str:
    """The letters of what a matrix projects, by its size and then by its name; "" where neither tells."""
    if size > D_MODEL:
        return {2 * D_MODEL: "kv", 3 * D_MODEL: "qkv"}.get(size, "")
    parts = [part for part in name.lower().split(".") if part != "weight" and not part.isdigit()]
    found = re.search(r"(?:^|_|w|to)([qkv])", parts[-1]) if parts else None
    return found[1] if found else ""
