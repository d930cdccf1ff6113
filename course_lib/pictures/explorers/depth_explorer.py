"""Training runs of deep models, step by step: the length of the gradient in each layer, and the loss."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import zip_longest
from statistics import fmean
from typing import Any

import traitlets
from torch import Tensor

from course_lib.pictures.explorers.base import Explorer


class DepthExplorer(Explorer):
    """The length of the gradient in each layer at one step, a line for each run, beside the runs' losses.

    Args:
        runs: name → {"loss": (steps,), "gradient": (steps, layers)}; runs may have different numbers of steps. What is
            not finite, after a run has diverged, is left out of the picture and said in words.

    Raises ValueError if there are no runs or no steps, or shapes do not match.
    """

    script = "depth_explorer.js"
    runs = traitlets.Dict().tag(sync=True)

    def __init__(self, runs: Mapping[str, Mapping[str, Tensor]]) -> None:
        if not runs:
            raise ValueError("there are no runs to show")
        for name, run in runs.items():
            if (
                run["gradient"].dim() != 2
                or run["loss"].shape != run["gradient"].shape[:1]
                or not run["gradient"].numel()
            ):
                raise ValueError(
                    f"run {name!r} should have losses (steps,) and gradients (steps, layers), but their shapes are "
                    f"{tuple(run['loss'].shape)} and {tuple(run['gradient'].shape)}"
                )
        super().__init__(
            runs={name: {key: _finite(run[key].tolist()) for key in ("loss", "gradient")} for name, run in runs.items()}
        )

    def alt(self) -> str:
        """Say how each run's gradient changes from the first layer to the last, and where its loss ends."""
        parts = [f"{name} {_ratio(run['gradient'][0])}, {_last(run)}" for name, run in self.runs.items()]
        return (
            "Length of the gradient by layer. That of the last layer divided by that of the first at step 1, and the "
            f"mean of the last ten losses: {'; '.join(parts)}."
        )

    def static_html(self) -> str:
        """Return the length of the gradient by layer at the first step, as a table."""
        layers = range(max(len(run["gradient"][0]) for run in self.runs.values()))
        head = "".join(f'<th scope="col">layer {layer}</th>' for layer in layers)
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th>'
            + "".join(
                f"<td>{'–' if x is None else f'{x:.2g}'}</td>" for x, _ in zip_longest(run["gradient"][0], layers)
            )
            + "</tr>"
            for name, run in self.runs.items()
        )
        caption = "<caption>Length of the gradient at step 1</caption>"
        table = f"<table>{caption}<thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<p>{escape(self.alt())}</p>{table}"


def _finite(numbers: Any) -> Any:
    """Round nested lists of numbers to four digits, with None for what is not finite, which JSON does not have."""
    if isinstance(numbers, list):
        return [_finite(number) for number in numbers]
    return float(f"{numbers:.4g}") if math.isfinite(numbers) else None


def _ratio(lengths: Sequence[float | None]) -> str:
    first, last = lengths[0], lengths[-1]
    return f"{last / first:.2g}" if first and last else "none"


def _last(run: Mapping[str, Any]) -> str:
    finite = [
        loss is not None and None not in lengths for loss, lengths in zip(run["loss"], run["gradient"], strict=True)
    ]
    if not all(finite):
        return f"not finite from step {finite.index(False) + 1}"
    return f"{fmean(run['loss'][-10:]):.2f}"
