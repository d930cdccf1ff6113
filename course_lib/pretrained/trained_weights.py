"""Put trained weights into models that are built from the course's parts or from a learner's."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from course_lib.learning.checkpoints import put_weights, weights_of
from course_lib.transformer.build import COURSE, Parts, build_encoder, build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import Encoder, LanguageModel, Transformer

# The classes that hold weights, smaller ones first, and the sizes with which they are compared.
CLASSES: dict[str, tuple[int, ...]] = {
    "LayerNorm": (4,),
    "LearnedPositions": (5, 4),
    "FeedForward": (4, 6),
    "MultiHeadAttention": (4, 2),
    "EncoderLayer": (4, 2, 6),
    "DecoderLayer": (4, 2, 6),
    "LanguageModel": (7, 4, 2, 6, 1),
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
        parts: the parts from which it is built. A class whose weights have other names or shapes than the course's is
            replaced by the course's class, and a warning says so, once for each class.
        weights: the trained weights, by the course's names.
        source: the file from which they were read, for error messages.

    Raises CheckpointError if the weights belong to another model.
    """
    model = build(config, parts if parts is COURSE else compatible_parts(parts))
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


def compatible_parts(parts: Parts) -> Parts:
    """The same parts, but with the course's class wherever one has weights of other names or shapes."""
    for name, sizes in CLASSES.items():
        part, course = getattr(parts, name), getattr(COURSE, name)
        if part is course:
            continue
        given, expected = weight_shapes(part(*sizes)), weight_shapes(course(*sizes))
        if given != expected:
            parts = replace(parts, **{name: course})
            _warn_once(name, given, expected)
    return parts


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
