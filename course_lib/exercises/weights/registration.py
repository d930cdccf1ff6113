"""Weights that are never trained: torch does not know of them, or they are frozen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from torch import Tensor, nn

Kind = Literal["tensor", "buffer", "list", "dict", "frozen"]
KINDS = get_args(Kind)
ATTRIBUTES_OF_TORCH = frozenset(vars(nn.Module()))  # such as `_modules`, where torch keeps what it registers


@dataclass(frozen=True, eq=False)
class Untrained:
    """A weight that is never trained: where it is kept, why it is not trained, and its numbers."""

    name: str
    kind: Kind
    tensor: Tensor


def untrained_weights(module: nn.Module, make_another: Callable[[], nn.Module]) -> list[Untrained]:
    """The weights of a module that are never trained.

    Tensors that are the same in every instance, such as masks and fixed positions, are not weights. So instances are
    compared: `make_another` makes one from other random numbers. But a frozen vector is one: a gain or a bias.
    """
    candidates = list(_candidates(module))
    if all(each.kind in ("list", "dict") for each in candidates):
        return candidates
    others = {each.name: each.tensor for each in _candidates(make_another())}
    return [
        each
        for each in candidates
        if each.kind in ("list", "dict") or is_frozen_vector(each) or not _same(each, others)
    ]


def is_frozen_vector(weight: Untrained) -> bool:
    """Whether this is a parameter with one dimension that is frozen."""
    return weight.kind == "frozen" and weight.tensor.dim() == 1


def constant_tensors(module: nn.Module) -> list[Untrained]:
    """The tensors of a module that are never trained and full of ones or of zeros, as gains and biases are at first."""
    return [
        each
        for each in _candidates(module)
        if each.kind not in ("list", "dict") and bool((each.tensor == 1).all() or (each.tensor == 0).all())
    ]


def layers_in_containers(module: nn.Module) -> list[nn.Module]:
    """The layers that torch does not register, because they are in a plain Python list or dictionary."""
    return [value for _, _, value in _in_containers(module) if isinstance(value, nn.Module)]


def _candidates(module: nn.Module) -> Iterator[Untrained]:
    for prefix, submodule in module.named_modules():
        start = f"{prefix}." if prefix else ""
        for attribute, value in _own_attributes(submodule):
            if _is_tensor_of_weights(value):
                yield Untrained(start + attribute, "tensor", value)
        for attribute, buffer in submodule.named_buffers(recurse=False):
            if _is_tensor_of_weights(buffer):
                yield Untrained(start + attribute, "buffer", buffer)
        for attribute, parameter in submodule.named_parameters(recurse=False):
            if not parameter.requires_grad:
                yield Untrained(start + attribute, "frozen", parameter)
    for name, kind, value in _in_containers(module):
        if isinstance(value, nn.Module):
            for inner, parameter in value.named_parameters():
                yield Untrained(f"{name}.{inner}", kind, parameter)
        else:
            yield Untrained(name, kind if isinstance(value, nn.Parameter) else "tensor", value)


def _in_containers(module: nn.Module) -> Iterator[tuple[str, Kind, Any]]:
    """Layers and tensors in plain lists, tuples and dictionaries: their names, the kinds of container, and they.

    What torch has registered under another name is left out: it is trained wherever else it is kept.
    """
    found = [
        each
        for prefix, submodule in module.named_modules()
        for attribute, value in _own_attributes(submodule)
        for each in _inside(f"{prefix}.{attribute}" if prefix else attribute, value)
    ]
    if found:  # hardly any module keeps something in a container
        registered = {id(each) for each in (*module.modules(), *module.parameters(), *module.buffers())}
        yield from (each for each in found if id(each[2]) not in registered)


def _own_attributes(module: nn.Module) -> list[tuple[str, Any]]:
    """What a learner's module keeps without torch's registering it. torch's own layers keep nothing of that kind."""
    if type(module).__module__.startswith("torch.nn."):
        return []
    return [(name, value) for name, value in vars(module).items() if name not in ATTRIBUTES_OF_TORCH]


def _inside(name: str, value: Any) -> Iterator[tuple[str, Kind, Any]]:
    kind: Kind = "dict" if isinstance(value, dict) else "list"
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, inner in items:
        if isinstance(inner, nn.Module) or _is_tensor_of_weights(inner) or isinstance(inner, nn.Parameter):
            yield f"{name}[{key!r}]", kind, inner
        else:
            yield from _inside(f"{name}[{key!r}]", inner)


def _is_tensor_of_weights(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.dim() > 0


def _same(candidate: Untrained, others: dict[str, Tensor]) -> bool:
    other = others.get(candidate.name)
    return other is not None and candidate.tensor.equal(other)
