"""Trained weights, poured into models of anybody's parts."""

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

# The classes that hold weights, the smaller ones first, and sizes to try them with.
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

_said: set[str] = set()


def build_with_weights(
    build: Callable[[TransformerConfig, Parts], Any],
    config: TransformerConfig,
    parts: Parts,
    weights: Mapping[str, Tensor],
    source: Path,
) -> Any:
    """Build a model and pour trained weights into it.

    Args:
        build: makes the model, such as `build_transformer`.
        config: its sizes and style.
        parts: what it is made of. A class that names its weights otherwise than the course cannot take these: the
            course's takes its place, and a warning says so, once for each class.
        weights: by the course's names.
        source: the file that they are from, for messages.

    Raises CheckpointError where the weights are another model's.
    """
    model = build(config, parts if parts is COURSE else parts_that_fit(parts))
    put_weights(model, weights, source)
    return model


def rebuild(model: Any, parts: Parts) -> Any:
    """Make the same model of other parts, with the same weights.

    Takes an `Encoder`, a `LanguageModel` or a `Transformer` made by `course_lib.transformer.build`, and the parts;
    returns a new model in evaluation mode. Classes that these weights do not fit into are replaced as in
    `build_with_weights`.
    """
    builders = {Encoder: build_encoder, LanguageModel: build_language_model, Transformer: build_transformer}
    build = next(build for kind, build in builders.items() if isinstance(model, kind))
    return build_with_weights(build, model.config, parts, weights_of(model), Path("the model")).eval()


def pour(name: str, part: Callable[..., nn.Module], sizes: tuple[Any, ...], weights: Mapping[str, Tensor]) -> Any:
    """Make a part and pour weights into it.

    Args:
        name: the part's name in the course, such as "MultiHeadAttention".
        part: the class, such as a learner's own. If it names its weights otherwise, the course's takes its place, and a
            warning says so, once.
        sizes: what the class is made with.
        weights: by the course's names; the part computes in their type.
    """
    change: dict[str, Any] = {name: part}
    part = getattr(parts_that_fit(replace(COURSE, **change)), name)
    made = part(*sizes).to(next(iter(weights.values())).dtype)
    made.load_state_dict({weight: value.detach() for weight, value in weights.items()})
    return made.eval()


def parts_that_fit(parts: Parts) -> Parts:
    """The same parts, but the course's in place of classes that name their weights otherwise."""
    for name, sizes in CLASSES.items():
        part, course = getattr(parts, name), getattr(COURSE, name)
        if part is course:
            continue
        given, wanted = names_and_shapes(part(*sizes)), names_and_shapes(course(*sizes))
        if given != wanted:
            parts = replace(parts, **{name: course})
            _say_once(name, given, wanted)
    return parts


def names_and_shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """The weights of a module by name, with their shapes."""
    return {name: tuple(weight.shape) for name, weight in module.state_dict().items()}


def _say_once(name: str, given: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]) -> None:
    if name in _said:
        return
    _said.add(name)
    missing = next((weight for weight in wanted if weight not in given), None)
    trouble = f"has no {missing}" if missing else "has weights of other names or shapes"
    warnings.warn(
        f"Your {name} {trouble}, so trained weights do not fit into it: here the course's {name} takes its place.",
        stacklevel=2,
    )
