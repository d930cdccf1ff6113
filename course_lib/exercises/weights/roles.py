"""What the weights of a learner's class do in it: which multiply as a norm's gain, which are added, which are matrices.

Neither names nor initial values tell: a gain may be kept as 1 + offset, or together with the bias in one tensor. So the
roles are found by trying, except in layers that are known. A gain of 0 makes all tokens alike, and a bias matters even
where all inputs are 0.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import fixed_tensor, is_fractional
from course_lib.transformer.layers import LayerNorm

Role = Literal["gain", "bias", "matrix"]
ROLES_IN_LAYERS: dict[type[nn.Module], dict[str, Role]] = {
    nn.Linear: {"weight": "matrix", "bias": "bias"},
    nn.Conv1d: {"weight": "matrix", "bias": "bias"},
    nn.Conv2d: {"weight": "matrix", "bias": "bias"},
    nn.Embedding: {"weight": "matrix"},
    nn.MultiheadAttention: {"in_proj_weight": "matrix", "in_proj_bias": "bias"},
    nn.modules.linear.NonDynamicallyQuantizableLinear: {"weight": "matrix", "bias": "bias"},  # within the one above
    nn.LayerNorm: {"weight": "gain", "bias": "bias"},
    LayerNorm: {"gain": "gain", "bias": "bias"},
}


@dataclass(frozen=True, eq=False)
class Vector:
    """Some numbers of a parameter that belong together: one gain of a norm, or one bias.

    Attributes:
        name: the parameter's name in the module.
        parameter: the parameter.
        places: which of its numbers, counted in its flattened form.
        silent: for a gain, the value that multiplies by 0: 0, or -1 where 1 is added to it; None for a bias.
    """

    name: str
    parameter: nn.Parameter
    places: Tensor
    silent: float | None = None

    @property
    def is_gain(self) -> bool:
        """Whether these numbers multiply."""
        return self.silent is not None

    def values(self) -> Tensor:
        """The numbers; of a gain, those by which it multiplies."""
        numbers = self.parameter.detach().flatten()[self.places]
        return numbers if self.silent is None else numbers - self.silent

    @torch.no_grad()
    def set(self, values: Tensor | float) -> None:
        """Set the numbers; of a gain, those by which it multiplies."""
        if isinstance(values, float) and len(self.places) == self.parameter.numel():
            self.parameter.fill_(values + (self.silent or 0))
            return
        numbers = self.parameter.flatten().clone()
        numbers[self.places] = torch.as_tensor(values, dtype=numbers.dtype) + (self.silent or 0)
        self.parameter.copy_(numbers.view_as(self.parameter))


@dataclass(frozen=True, eq=False)
class Call:
    """A call of a submodule, to be repeated."""

    module: nn.Module
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]

    def repeat(self, change: Callable[[Any], Any] = lambda argument: argument) -> Tensor:
        """Call the submodule again, with changed arguments. Returns its first output."""
        keywords = {key: change(value) for key, value in self.keywords.items()}
        output: Tensor = _first_tensor(self.module(*map(change, self.arguments), **keywords))
        return output


def calls_of_submodules(module: nn.Module, run: Callable[[], Any]) -> dict[str, Call]:
    """The first call of each submodule, by its name, while `run` runs the module. The module's own name is ""."""
    calls: dict[str, Call] = {}

    def remember(name: str, submodule: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        calls.setdefault(name, Call(submodule, arguments, keywords))

    hooks = [
        each.register_forward_pre_hook(partial(remember, name), with_kwargs=True)
        for name, each in module.named_modules()
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return calls


def vectors_and_matrices(
    module: nn.Module, run: Callable[[], Any], d_model: int, vocabularies: set[int], classes: int | None = None
) -> tuple[list[Vector], list[nn.Parameter]]:
    """Tell a module's gains and biases from its matrices, leaving out matrices that are frozen.

    Changes gains to 1 and biases to 0 where that helps to find out.

    Args:
        module: a module in evaluation mode.
        run: runs it on inputs with at least two different tokens.
        d_model: the width of a token.
        vocabularies: the sizes of vocabularies. A matrix with such a side is an embedding.
        classes: the number of classes, if there are any. A parameter with such a side, and another, is the last map.
    """
    learned = [(name, parameter) for name, parameter in module.named_parameters() if _may_be_learned(parameter)]
    known: dict[str, Role | None] = {
        name: "matrix"
        if is_table(each, vocabularies) or (each.dim() > 1 and classes in each.shape)
        else _role_in_layer(module, name)
        for name, each in learned
    }
    calls = {} if all(known.values()) else _calls_if_it_runs(module, run)
    vectors: list[Vector] = []
    matrices: list[nn.Parameter] = []
    # Parameters with several dimensions come last: then all plain biases are 0.
    for name, parameter in sorted(learned, key=lambda pair: _dimensions(pair[1])):
        role, call = known[name], _call_that_uses(name, calls) if calls else None
        if _is_matrix(parameter, d_model, role, call):
            matrices.append(parameter)
            continue
        for places in _divide(parameter, d_model):
            vector = Vector(name, parameter, places, 0.0 if role == "gain" else None)
            if role is None and call is not None:
                vector = Vector(name, parameter, places, _silent_value(vector, call))
            if calls:
                vector.set(1.0 if vector.is_gain else 0.0)
            vectors.append(vector)
    return vectors, matrices


def _may_be_learned(parameter: nn.Parameter) -> bool:
    """Whether a parameter is learned, or a gain or a bias that should be: frozen tables of positions are no weights."""
    return parameter.requires_grad or parameter.dim() == 1


def _role_in_layer(module: nn.Module, name: str) -> Role | None:
    """The role of a parameter in a layer of torch's or of the course's; None in other modules, where it is tried."""
    path, _, attribute = name.rpartition(".")
    layer = module.get_submodule(path)
    if isinstance(layer, nn.Embedding) and layer.num_embeddings == 1:
        return None  # a single vector, such as a class token
    return ROLES_IN_LAYERS.get(type(layer), {}).get(attribute)


def _is_matrix(parameter: nn.Parameter, d_model: int, role: Role | None, call: Call | None) -> bool:
    if role is not None:
        return role == "matrix"
    return parameter.numel() > d_model and _dimensions(parameter) > 1 and not _matters_for_zeros(parameter, call)


def _calls_if_it_runs(module: nn.Module, run: Callable[[], Any]) -> dict[str, Call]:
    """The calls of submodules; none if the learner's class fails, which the cases report."""
    try:
        return calls_of_submodules(module, run)
    except Exception:
        return {}


def is_table(parameter: Tensor, vocabularies: set[int]) -> bool:
    """Whether a parameter belongs to a vocabulary: an embedding, a projection to logits, or the bias of one."""
    return not vocabularies.isdisjoint(parameter.shape)


def _dimensions(parameter: Tensor) -> int:
    """The number of dimensions longer than 1."""
    return sum(size > 1 for size in parameter.shape)


def _call_that_uses(name: str, calls: dict[str, Call]) -> Call | None:
    """The call of the submodule that holds a parameter, or else of the smallest one around it that was called."""
    while name:
        name = name.rpartition(".")[0]
        if name in calls:
            return calls[name]
    return None


def _divide(parameter: Tensor, d_model: int) -> Iterator[Tensor]:
    """Divide a parameter's numbers into vectors of length d_model, if it consists of several."""
    places = torch.arange(parameter.numel())
    if len(places) % d_model:
        yield places
    elif parameter.shape[0] == d_model and parameter.shape[-1] != d_model:
        yield from places.view(d_model, -1).T
    else:
        yield from places.view(-1, d_model)


@torch.no_grad()
def _silent_value(vector: Vector, call: Call) -> float | None:
    """The value that makes all tokens alike, as only a gain can, while values above and below it do not."""
    before = vector.parameter.clone()

    def makes_tokens_alike(value: float) -> bool:
        vector.set(value)
        return _are_alike(call.repeat())

    try:
        for value in (0.0, -1.0):
            if makes_tokens_alike(value) and not makes_tokens_alike(value - 2) and not makes_tokens_alike(value + 2):
                return value
    except Exception:  # the learner's class may fail on unusual values: then this is no gain
        return None
    finally:
        vector.parameter.copy_(before)
    return None


def _are_alike(tokens: Tensor) -> bool:
    """Whether all tokens (..., T, d) are the same."""
    if tokens.dim() < 2 or tokens.size(-2) < 2:
        return False
    return bool((tokens - tokens[..., :1, :]).abs().max() < 1e-5)


def _matters_for_zeros(parameter: nn.Parameter, call: Call | None) -> bool:
    """Whether a submodule's output depends on a parameter even if all its inputs are 0, as it does on a bias."""
    if call is None or not any(map(is_fractional, (*call.arguments, *call.keywords.values()))):
        return False
    try:
        with torch.enable_grad():
            output = call.repeat(lambda x: torch.zeros_like(x) if is_fractional(x) else x)
            (gradient,) = torch.autograd.grad(mixed(output), [parameter], allow_unused=True)
    except Exception:  # the learner's class may fail, or give no gradient: then this is no bias
        return False
    return gradient is not None and bool(gradient.nan_to_num().any())


def _first_tensor(output: Any) -> Any:
    return output[0] if isinstance(output, (tuple, list)) else output


def mixed(output: Tensor) -> Tensor:
    """One number that depends on all numbers of an output, on each in another way."""
    return (output * fixed_tensor(*output.shape, seed=11).to(output.dtype)).sum()


def chosen(vectors: Sequence[Vector], gains: bool) -> list[Vector]:
    """The gains, or the biases."""
    return [each for each in vectors if each.is_gain == gains]
