"""What a variant of a study may change, and the complete plan of a training that follows from it."""

import difflib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import nn

from course_lib.learning.training import TrainingSettings
from course_lib.transformer.build import COURSE, Parts
from course_lib.transformer.config import TransformerConfig

Settings = Mapping[str, Any]

_OF_MODEL = tuple(each.name for each in fields(TransformerConfig))
_OF_TRAINING = tuple(each.name for each in fields(TrainingSettings))
_OF_PARTS = tuple(each.name for each in fields(Parts))
_OWN = ("examples", "start")
_FIXED = {
    "vocabulary": "the data have it",
    "target_vocabulary": "the data have it",
    "pad": "the data have it",
    "steps": "the budget is the same for all variants: give it to the study",
    "epochs": "the budget is the same for all variants: give the study steps, seconds or tokens",
    "seconds": "the budget is the same for all variants: give it to the study",
    "seed": "every variant is trained with each of the study's seeds",
    "progress": "the study shows its own bar",
}
SETTINGS = tuple(name for name in (*_OF_MODEL, *_OF_TRAINING, *_OF_PARTS, *_OWN) if name not in _FIXED)
"""The names of all settings that a variant may change: of the model, of the training, parts, and two of the study's."""


def grid(**choices: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Combine the choices for several settings into variants, each with each.

    Raises ValueError where there are no settings, or a setting has no choices; TypeError where its choices are not in a
    list.

    >>> [*grid(heads=[1, 4], norm_place=["post", "pre"])]
    ['heads=1, norm_place=post', 'heads=1, norm_place=pre', 'heads=4, norm_place=post', 'heads=4, norm_place=pre']
    """
    if not choices:
        raise ValueError("a grid needs settings with their choices, such as grid(heads=[1, 4])")
    for name, values in choices.items():
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise TypeError(
                f"the choices for {name} should be in a list, such as {name}=[{values!r}], but are {values!r}"
            )
        if not values:
            raise ValueError(f"the grid has no choices for {name}")
    combined = itertools.product(*choices.values())
    rows = [dict(zip(choices, values, strict=True)) for values in combined]
    return {", ".join(f"{name}={_short(value)}" for name, value in row.items()): row for row in rows}


def _short(value: Any) -> str:
    return str(getattr(value, "__name__", value))


@dataclass(frozen=True)
class Budget:
    """How long each training of a study may be: exactly one of steps, seconds and tokens.

    Raises ValueError where there is none or more than one, or it is not above 0.
    """

    steps: int | None = None
    seconds: float | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            came = ", ".join(f"{name}={value}" for name, value in given.items()) or "none came"
            raise ValueError(f"a study needs one budget, steps=, seconds= or tokens=, the same for all, but {came}")
        ((name, value),) = given.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ValueError(f"the budget should be more than 0 {name}, but is {value!r}")
        if name != "seconds" and value != int(value):
            raise ValueError(f"the budget should be a whole number of {name}, but is {value!r}")

    @property
    def unit(self) -> str:
        """What is counted: "steps", "seconds" or "tokens"."""
        return next(name for name, value in vars(self).items() if value is not None)


@dataclass(frozen=True)
class Plan:
    """All that makes a run of a study, but for its data and its seed.

    Attributes:
        config: the model.
        training: how it learns; the steps of a budget in tokens are counted when it runs.
        parts: what the model is built from.
        budget: when training ends.
        examples: how many of the examples it sees, drawn at random; None: all.
        start: what changes the new model before it learns, such as another initialisation.
    """

    config: TransformerConfig
    training: TrainingSettings
    parts: Parts
    budget: Budget
    examples: int | None = None
    start: Callable[[nn.Module], object] | None = None


def make_plan(name: str, settings: Settings, sizes: Settings, budget: Budget, parts: Parts = COURSE) -> Plan:
    """Turn the settings of a variant into a plan.

    Args:
        name: how messages call the variant.
        settings: the study's settings, changed by those of the variant.
        sizes: vocabulary, target_vocabulary and pad, which the data have.
        budget: the study's.
        parts: the study's parts; the variant's own replace some of them.

    Raises TypeError or ValueError, in a sentence that names the variant, for settings that are unknown, belong to the
    study, or make no model or no training.
    """
    for setting in settings:
        check_setting(name, setting)
    chosen = {kind: {key: settings[key] for key in kind if key in settings} for kind in (_OF_MODEL, _OF_TRAINING)}
    own = {key: settings[key] for key in _OF_PARTS if key in settings}
    for part, value in own.items():
        if not callable(value):
            raise TypeError(f"{name}: {part} should be a function or a class, but is {value!r}")
    start, examples = settings.get("start"), settings.get("examples")
    if start is not None and not callable(start):
        raise TypeError(f"{name}: start should be a function that changes a new model, but is {start!r}")
    if examples is not None and (isinstance(examples, bool) or not isinstance(examples, int) or examples < 1):
        raise ValueError(f"{name}: examples should be a whole number from 1 on, but is {examples!r}")
    limits: dict[str, Any] = {"steps": budget.steps, "seconds": budget.seconds}
    if budget.tokens is not None:
        limits["steps"] = budget.tokens  # to be replaced once the batches are counted; there are never more
    try:
        config = TransformerConfig(**{**sizes, **chosen[_OF_MODEL]})
        training = TrainingSettings(**{**limits, **chosen[_OF_TRAINING]}, progress=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    return Plan(config, training, replace(parts, **own), budget, examples, start)


def check_setting(name: str, setting: str) -> None:
    """Raise ValueError, in a sentence that names the variant, where it may not change this setting."""
    if setting in _FIXED:
        raise ValueError(f"{name}: a variant cannot change {setting}, because {_FIXED[setting]}")
    if setting not in SETTINGS:
        close = difflib.get_close_matches(str(setting), SETTINGS, n=1, cutoff=0.5)
        hint = f": do you mean {close[0]!r}?" if close else "; course_lib.experiments.SETTINGS lists them"
        raise ValueError(f"{name}: there is no setting {setting!r}{hint}")
