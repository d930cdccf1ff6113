"""Models, objectives and computers in words: what a checkpoint belongs to, and on what a table was made."""

import inspect
import platform
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

Description = Mapping[str, Any]


def describe_model(model: nn.Module) -> dict[str, Any]:
    """List what a model is like apart from its weights: the kinds of its parts, and the settings that they keep.

    The settings are those arguments of a part's class that it keeps under the same name, such as the number of heads,
    an eps, or an activation; and the fields of a `config`, if there is one. Functions are listed by their names.

    >>> describe_model(nn.Sequential(nn.Dropout(0.5)))
    {'kind': 'Sequential', '0.kind': 'Dropout', '0.p': 0.5, '0.inplace': False}
    """
    description: dict[str, Any] = {}
    for name, part in model.named_modules():
        prefix = f"{name}." if name else ""
        description[f"{prefix}kind"] = _kind(part)
        for setting in inspect.signature(type(part).__init__).parameters:
            value = vars(part).get(setting)
            if isinstance(value, bool | int | float | str):
                description[prefix + setting] = value
            elif callable(value) and not isinstance(value, nn.Module):
                description[prefix + setting] = describe_function(value)
    config = getattr(model, "config", None)
    if is_dataclass(config) and not isinstance(config, type):
        description |= {f"config.{name}": value for name, value in asdict(config).items()}
    return description


def describe_function(function: Any) -> str:
    """Write down a function by its name, with the arguments that a `partial` fixes.

    >>> describe_function(partial(round, ndigits=2))
    'round(ndigits=2)'
    """
    if not isinstance(function, partial):
        return str(getattr(function, "__name__", type(function).__name__))
    arguments = [_argument(value) for value in function.args]
    arguments += [f"{name}={_argument(value)}" for name, value in function.keywords.items()]
    return f"{describe_function(function.func)}({', '.join(arguments)})"


def describe_machine() -> str:
    """Say on what this runs: processor, system, and the versions of Python and torch."""
    return f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"


def _argument(value: Any) -> str:
    """Write down an argument: a number or a text as it is, anything else by its name or its kind."""
    return repr(value) if value is None or isinstance(value, bool | int | float | str) else describe_function(value)


def _kind(part: nn.Module) -> str:
    """Name the class from which a part descends: torch's faster twin of a layer counts as the layer itself."""
    ancestors = [each for each in type(part).__mro__ if issubclass(each, nn.Module) and each is not nn.Module]
    return ancestors[-1].__name__ if type(part).__module__.startswith("course_lib.") else type(part).__name__
