"""Training runs of deep models, step by step: how long the gradient is in each layer, and what the loss does."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

import torch
import traitlets
from torch import Tensor

from course_lib.explorers.base import Explorer


class DepthExplorer(Explorer):
    """The length of the gradient in each layer at one step, a line for each run, beside the runs' losses.

    Args:
        runs: name → {"loss": (steps,), "gradient": (steps, layers)}; runs may have different numbers of steps. What is
            not finite, after a run went astray, is left out of the picture.

    Raises ValueError for no runs, or shapes that do not fit.
    """

    script = "depth_explorer.js"
    runs = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: Mapping[str, Mapping[str, Tensor]]) -> None:
        if not runs:
            raise ValueError("there are no runs to show")
        for name, run in runs.items():
            if run["gradient"].dim() != 2 or len(run["loss"]) != len(run["gradient"]):
                raise ValueError(
                    f"run {name!r} should have losses (steps,) and gradients (steps, layers), but their shapes are "
                    f"{tuple(run['loss'].shape)} and {tuple(run['gradient'].shape)}"
                )
        super().__init__(
            runs={name: {key: _finite(run[key].tolist()) for key in ("loss", "gradient")} for name, run in runs.items()}
        )

    def alt(self) -> str:
        """What each run's gradient does from the first layer to the last, and where its loss ends."""
        parts = []
        for name, run in self.runs.items():
            first = run["gradient"][0]
            ratio = first[-1] / first[0] if first[0] and first[-1] else math.nan
            parts.append(f"{name}: at step 1 the last layer's is {ratio:.2g} times the first's, last loss {_last(run)}")
        return f"Length of the gradient by layer. {'; '.join(parts)}."

    def static_html(self) -> str:
        """The gradient's length by layer at the first step, as a table."""
        layers = range(1, len(next(iter(self.runs.values()))["gradient"][0]) + 1)
        head = "".join(f'<th scope="col">layer {layer}</th>' for layer in layers)
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th>'
            + "".join(f"<td>{'–' if x is None else f'{x:.2g}'}</td>" for x in run["gradient"][0])
            + "</tr>"
            for name, run in self.runs.items()
        )
        caption = "<caption>Length of the gradient at step 1</caption>"
        table = f"<table>{caption}<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"


def _finite(numbers: Any) -> Any:
    """Nested lists of numbers with four digits each, and None for what is not finite, which JSON does not know."""
    if isinstance(numbers, list):
        return [_finite(number) for number in numbers]
    return float(f"{numbers:.4g}") if math.isfinite(numbers) else None


def _last(run: Mapping[str, Any]) -> str:
    finite = [loss for loss in run["loss"][-10:] if loss is not None]
    return f"{torch.tensor(finite).mean().item():.2f}" if finite else "none"
