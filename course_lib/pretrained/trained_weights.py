"""Put trained weights into models that are built from the course's parts or from a learner's."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from course_lib.learning.checkpoints import put_weights, weights_of
from course_lib.transformer.build import COURSE, Parts, build_encoder, build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import Encoder, LanguageModel, Transformer

# The classes that hold weights, smaller ones first, and the sizes with which they are compared.
CLASSES: dict[str, tuple[Any, ...]] = {
    "LayerNorm": (4,),
    "RMSNorm": (4,),
    "LearnedPositions": (5, 4),
    "FeedForward": (4, 6),
    "SwiGLU": (4, 6),
    "MultiHeadAttention": (4, 2),
    "EncoderLayer": (4, 2, 6),
    "DecoderLayer": (4, 2, 6),
    "LlamaLayer": (4, 2, 1, 6, torch.clone),
    "LanguageModel": (7, 4, 2, 6, 1),
    "MaskedLanguageModelHead": (7, 4),
    "Transformer": (7, 9, 4, 2, 6, 1),
}

_warned: set[str] = set()


def build_with_weights(
    build: Callable[[TransformerConfig, Parts], Any],
    config: TransformerConfig,
    parts: Parts,
    weights: Mapping[str, Tensor],
    source: Path,
) -> Any:
    """Build a model and load trained weights into it.

    Args:
        build: makes the model, such as `build_transformer`.
        config: its sizes and style.
        parts: the parts from which it is built. A class that the model would use, but whose weights have other names or
            shapes than the course's, is replaced by the course's class, and a warning says so, once for each class.
        weights: the trained weights, by the course's names.
        source: the file from which they were read, for error messages.

    Raises CheckpointError if the weights belong to another model.
    """
    model = build(config, fitting_parts(build, config, parts))
    put_weights(model, weights, source)
    return model


def rebuild(model: Any, parts: Parts) -> Any:
    """Build the same model from other parts, with the same weights.

    Takes an `Encoder`, a `LanguageModel` or a `Transformer` made by `course_lib.transformer.build`, and the parts.
    Returns a new model in evaluation mode. Classes into which the weights do not fit are replaced as in
    `build_with_weights`.
    """
    builders = {Encoder: build_encoder, LanguageModel: build_language_model, Transformer: build_transformer}
    build = next(build for kind, build in builders.items() if isinstance(model, kind))
    return build_with_weights(build, model.config, parts, weights_of(model), Path("the model")).eval()


def build_part(name: str, part: Callable[..., nn.Module], sizes: tuple[Any, ...], weights: Mapping[str, Tensor]) -> Any:
    """Build a single part and load weights into it. Returns it in evaluation mode.

    Args:
        name: the part's name in the course, such as "MultiHeadAttention".
        part: the class, such as a learner's own. If its weights have other names or shapes, the course's class is used
            instead, and a warning says so once.
        sizes: the arguments of the class.
        weights: the weights, by the course's names. The part computes in their dtype.
    """
    change: dict[str, Any] = {name: part}
    part = getattr(compatible_parts(replace(COURSE, **change)), name)
    made = part(*sizes).to(next(iter(weights.values())).dtype)
    made.load_state_dict({weight: value.detach() for weight, value in weights.items()})
    return made.eval()


def empty_model(build: Callable[[TransformerConfig, Parts], Any], config: TransformerConfig, parts: Parts) -> Any:
    """Build a large model whose weights are about to be replaced one by one. The caller's random state stays.

    Its weights are not filled with random numbers, which would take longer than to read those that replace them.
    """
    with torch.random.fork_rng([]), _Unfilled():
        return build(config, parts)


class _Unfilled(TorchFunctionMode):
    """Leave the memory of new weights as it is, where a model would fill it with random numbers."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        first = next(iter((*args, *kwargs.values())), None)
        if isinstance(first, nn.Parameter) and function.__name__.endswith(("uniform_", "normal_")):
            return first
        return function(*args, **kwargs)


def fitting_parts(build: Callable[[TransformerConfig, Parts], Any], config: TransformerConfig, parts: Parts) -> Parts:
    """Replace the classes into which weights do not fit, but only those that the model uses."""
    if parts == COURSE:
        return parts
    while True:
        with torch.random.fork_rng([]):
            kinds = {type(module) for module in build(replace(config, layers=1), parts).modules()}
        fitting = compatible_parts(parts, [name for name in CLASSES if getattr(parts, name) in kinds])
        if fitting == parts:
            return parts
        parts = fitting  # the course's class may use a smaller part that the replaced one did not


def compatible_parts(parts: Parts, classes: Iterable[str] = CLASSES) -> Parts:
    """The same parts, but with the course's class wherever one of these has weights of other names or shapes.

    A `rotary` that pairs neighbouring features, as in the paper, is used on features in another order, since trained
    weights pair feature i with feature i + d_k / 2.
    """
    if parts.rotary is not COURSE.rotary and _pairs_neighbours(parts.rotary):
        parts = replace(parts, rotary=_on_halves(parts.rotary))
    for name in classes:
        part, course, sizes = getattr(parts, name), getattr(COURSE, name), CLASSES[name]
        if part is course:
            continue
        given, expected = weight_shapes(part(*sizes)), weight_shapes(course(*sizes))
        if given != expected:
            parts = replace(parts, **{name: course})
            _warn_once(name, given, expected)
    return parts


def _pairs_neighbours(rotate: Callable[..., Tensor]) -> bool:
    """Whether a rotation of tokens (T, 4) turns feature 0 towards feature 1, not towards feature 2."""
    x = torch.zeros(2, 4)
    x[1, 0] = 1
    turned = rotate(x)[1]
    return bool(turned[1] != 0 and turned[2] == 0)


def _on_halves(rotate: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Use a rotation that pairs neighbouring features on features (..., T, d_k) whose pairs are in two halves."""

    @wraps(rotate)
    def rotate_halves(x: Tensor, *positions: Any, **more: Any) -> Tensor:
        neighbours = torch.stack(x.chunk(2, dim=-1), dim=-1).flatten(-2)  # (..., T, d_k), the halves interleaved
        turned: Tensor = rotate(neighbours, *positions, **more)  # (..., T, d_k)
        return turned.reshape(*x.shape[:-1], -1, 2).mT.flatten(-2)  # (..., T, d_k)

    return rotate_halves


def weight_shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shapes of a module's weights, by name."""
    return {name: tuple(weight.shape) for name, weight in module.state_dict().items()}


def _warn_once(name: str, given: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]]) -> None:
    if name in _warned:
        return
    _warned.add(name)
    missing = next((weight for weight in expected if weight not in given), None)
    problem = f"has no {missing}" if missing else "has weights of other names or shapes"
    warnings.warn(
        f"Your {name} {problem}, so trained weights do not fit into it: here the course's {name} takes its place.",
        stacklevel=2,
    )
