"""How the loss of small language models of Grimms' tales falls with more text and with more parameters. Used in 11.

`course_lib.recipes.scale_tales` trained them and wrote the table that is read here. The notebook trains a few of them
again, with the same settings.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.learning.packing import document_mask, packed_labels
from course_lib.learning.training import History, Task, TrainingSettings, train
from course_lib.pretrained import recorded_runs
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.build import COURSE, Parts, build_masked_language_model
from course_lib.transformer.config import TransformerConfig

FILE = Path(__file__).with_name("tales_scaling.json")

LENGTH = 64
"""How many characters a row holds."""

SETTINGS = TrainingSettings(
    steps=400,
    learning_rate=6e-3,
    schedule="cosine",
    warmup=40,
    batch_tokens=16 * LENGTH,
    label_smoothing=0.0,
    weight_decay=0.1,
    validate_every=40,
)


def small_config(vocabulary: int, d_model: int = 64, layers: int = 2) -> TransformerConfig:
    """Give the sizes of a small model that learns fast: pre-norm, with rotary positions."""
    return TransformerConfig(
        vocabulary=vocabulary,
        d_model=d_model,
        heads=4,
        d_ff=4 * d_model,
        layers=layers,
        max_length=LENGTH,
        norm_place="pre",
        activation="gelu",
        positions="rotary",
        dropout=0.0,
        pad=None,
    )


def predict_next(model: nn.Module, ids: Tensor, end: int) -> tuple[Tensor, Tensor]:
    """Predict each next token of packed rows (B, T + 1), each from the tokens before it in the same text."""
    inputs, labels = packed_labels(ids, end)  # (B, T) each
    return model(inputs, document_mask(inputs, end) & causal_mask(inputs.size(1))), labels


def parameters_without_tables(model: nn.Module) -> int:
    """Count a model's parameters but for those that belong to a token each, as Kaplan et al. 2020 count them."""
    return sum(each.numel() for name, each in model.named_parameters() if "table" not in name and "output" not in name)


@dataclass(frozen=True)
class Run:
    """One training: its size, the share of the text that it saw, its seed, and its losses in nats per character.

    Attributes:
        d_model: the width.
        parameters: how many parameters it has, without those that belong to a token each.
        share: the share of the training rows that it saw, from 0 to 1.
        seed: what its first weights, its rows and their order depend on.
        steps: after how many steps the losses were measured.
        training: the mean loss of the steps since the measurement before.
        validation: the loss on other tales.
    """

    d_model: int
    parameters: int
    share: float
    seed: int
    steps: list[int]
    training: list[float]
    validation: list[float]

    @property
    def best(self) -> float:
        """The lowest loss on other tales: that of a training which stops in time."""
        return min(self.validation)


def run(
    rows: Sequence[list[int]],
    unseen: Sequence[list[int]],
    *,
    vocabulary: int,
    end: int,
    d_model: int = 64,
    share: float = 1.0,
    seed: int = 0,
    parts: Parts = COURSE,
    settings: TrainingSettings = SETTINGS,
) -> Run:
    """Train one model on a share of the rows, and measure it on unseen ones as it learns.

    Args:
        rows: packed rows of ids, each of `LENGTH`.
        unseen: rows of other tales.
        vocabulary: V.
        end: the id that ends a text.
        d_model: the width of the model.
        share: the share of the rows that it sees, drawn at random.
        seed: what its first weights, its rows and their order depend on.
        parts: the parts from which it is built.
        settings: how it is trained; their seed is replaced.

    Raises KeyboardInterrupt if the training is stopped, since a part of a run cannot be compared with others.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        seen = torch.randperm(len(rows))[: max(1, round(share * len(rows)))].tolist()
        model = build_masked_language_model(small_config(vocabulary, d_model), parts)
        task = Task([(rows[i],) for i in seen], partial(predict_next, end=end), [(row,) for row in unseen])
        history = train(model, task, replace(settings, seed=seed), device="cpu").or_stop()
    return Run(d_model, parameters_without_tables(model), share, seed, *_curves(history))


def _curves(history: History) -> tuple[list[int], list[float], list[float]]:
    starts = [0, *history.validation_steps[:-1]]
    spans = zip(starts, history.validation_steps, strict=True)
    training = [round(fmean(history.cross_entropy[start:stop]), 4) for start, stop in spans]
    return list(history.validation_steps), training, [round(loss, 4) for loss in history.validation]


@dataclass(frozen=True)
class Recorded:
    """What the recipe recorded: the runs, and how they were made."""

    runs: list[Run]
    characters: int  # in all training rows
    note: dict[str, Any]  # machine, date, versions, settings

    def of(self, keep: Callable[[Run], bool]) -> list[Run]:
        """Give the runs that are to be kept."""
        return [each for each in self.runs if keep(each)]

    def along_text(self) -> "Line":
        """The widest model's best losses, by the number of characters that it learns from."""
        widest = max(each.d_model for each in self.runs)
        return _line(
            self.of(lambda each: each.d_model == widest), {each: each * self.characters for each in _shares(self.runs)}
        )

    def along_size(self) -> "Line":
        """The best losses on all of the text, by the number of parameters."""
        return _line(self.of(lambda each: each.share == 1))


@dataclass(frozen=True)
class Line:
    """Losses along one axis.

    Attributes:
        x: the numbers of characters, or of parameters.
        seeds: the best loss of each seed at each x.
    """

    x: list[float]
    seeds: list[list[float]]

    def per_doubling(self, first: int, last: int) -> float:
        """By what share each doubling lowered the mean loss between two points, given by their numbers."""
        high, low = (fmean(losses[point] for losses in self.seeds) for point in (first, last))
        return 1 - float((low / high) ** (1 / math.log2(self.x[last] / self.x[first])))


def _shares(runs: Sequence[Run]) -> list[float]:
    return sorted({each.share for each in runs})


def _line(runs: Sequence[Run], x_of_share: Mapping[float, float] | None = None) -> Line:
    """Arrange runs by seed, along their shares or, without a mapping of these, along their parameters."""

    def x(each: Run) -> float:
        return x_of_share[each.share] if x_of_share else each.parameters

    ordered = sorted(runs, key=x)
    seeds = sorted({each.seed for each in runs})
    return Line(
        sorted({x(each) for each in runs}), [[each.best for each in ordered if each.seed == seed] for seed in seeds]
    )


@cache
def recorded() -> Recorded:
    """Read what `course_lib.recipes.scale_tales` recorded."""
    runs, note = recorded_runs.read_table(FILE, Run)
    return Recorded(runs, note.pop("characters"), note)


def as_json(runs: Sequence[Run], characters: int, note: dict[str, Any]) -> str:
    """Write runs as `recorded` reads them, one run a line."""
    return recorded_runs.as_json(runs, {"characters": characters, **note})
