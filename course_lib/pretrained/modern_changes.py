"""What each of the four changes from 2017 to Llama is worth on small models of Grimms' tales. Used in notebook 14.

Each change is taken back alone, and all together, at the same number of parameters: on the same text (equal steps), and
with the steps that fit into the same time. `course_lib.recipes.take_back_changes` trained them and wrote the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Literal

import torch
from torch import Tensor, nn

from course_lib.learning.losses import next_token
from course_lib.learning.training import Task, TrainingSettings, evaluate, train
from course_lib.pretrained.recorded_runs import read_table
from course_lib.pretrained.tales_model import BLOCK, windows
from course_lib.pretrained.tales_scaling import parameters_without_tables
from course_lib.transformer.build import build_language_model
from course_lib.transformer.config import TransformerConfig

FILE = Path(__file__).with_name("modern_changes.json")

Equal = Literal["steps", "time"]

SETTINGS = TrainingSettings(
    steps=400,
    learning_rate=4e-3,
    schedule="cosine",
    warmup=40,
    batch_tokens=16 * (BLOCK + 1),
    label_smoothing=0.0,
    weight_decay=0.1,
    progress=False,
)

# A gate has a third matrix, and keys of their own for each head widen two: d_ff makes up for both, to the last number.
VARIANTS: dict[str, dict[str, Any]] = {
    "all four changes": {},
    "LayerNorm for RMSNorm": {"norm": "layer"},
    "GELU for SwiGLU": {"activation": "gelu", "d_ff": 288},
    "own keys for shared": {"kv_heads": 6, "d_ff": 160},
    "sinusoids for rotary": {"positions": "sinusoidal", "scaled_embeddings": True},
    "none of the four": {
        "norm": "layer",
        "activation": "gelu",
        "kv_heads": 6,
        "d_ff": 240,
        "positions": "sinusoidal",
        "scaled_embeddings": True,
    },
}
"""What is taken back, and what that changes in the configuration."""


def config_of(variant: str, vocabulary: int) -> TransformerConfig:
    """Give the configuration of a small model. Raises KeyError for a variant that there is not."""
    sizes = dict(vocabulary=vocabulary, d_model=72, heads=6, kv_heads=2, d_ff=192, layers=2, max_length=BLOCK)
    return TransformerConfig.llama(**{**sizes, "rotary_base": 10_000.0, **VARIANTS[variant]})


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        variant: what was taken back, one of `VARIANTS`.
        equal: whether all variants took the same number of steps, or the same time.
        seed: what its first weights and the order of its text depend on.
        parameters: how many parameters it has, without those that belong to a token each.
        steps: how many steps it took.
        loss: on other tales at the end, in nats per character.
    """

    variant: str
    equal: Equal
    seed: int
    parameters: int
    steps: int
    loss: float


def run(
    ids: Sequence[int],
    unseen: Sequence[int],
    vocabulary: int,
    variant: str,
    *,
    equal: Equal = "steps",
    seed: int = 0,
    settings: TrainingSettings = SETTINGS,
) -> Run:
    """Train one model on a text, and measure it on another.

    Takes the ids of both texts, V, the variant, what is equal for all variants (the number of steps is that of the
    settings either way), the seed, and how it is trained.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = build_language_model(config_of(variant, vocabulary))
        history = train(model, Task(windows(ids), next_token), replace(settings, seed=seed), device="cpu")
    loss = evaluate(model, Task((), next_token, windows(unseen)))
    return Run(variant, equal, seed, parameters_without_tables(model), history.steps, round(loss, 4))


def seconds_per_step(
    ids: Sequence[int], vocabulary: int, rounds: int = 5, settings: TrainingSettings = SETTINGS
) -> dict[str, float]:
    """Measure the processor time of a step of each variant: the median of `rounds`, in which they take turns."""
    spent: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    few = replace(settings, steps=12, warmup=1)
    for _ in range(rounds):
        for variant, times in spent.items():
            starts: list[float] = []

            def timed(model: nn.Module, batch: Tensor, starts: list[float] = starts) -> tuple[Tensor, Tensor]:
                starts.append(process_time())
                return next_token(model, batch)

            model = build_language_model(config_of(variant, vocabulary))
            train(model, Task(windows(ids), timed), few, device="cpu")
            times.append(median(b - a for a, b in pairwise(starts[2:])))
    return {variant: median(times) for variant, times in spent.items()}


@dataclass(frozen=True)
class Recorded:
    """What the recipe recorded: the runs, and how they were made."""

    runs: list[Run]
    note: dict[str, Any]  # machine, date, settings, processor seconds of a step, losses of counting

    def losses(self, variant: str, equal: Equal) -> list[float]:
        """The losses of a variant, a seed each."""
        return [each.loss for each in self.runs if (each.variant, each.equal) == (variant, equal)]


@cache
def recorded() -> Recorded:
    """Read what `course_lib.recipes.take_back_changes` recorded."""
    return Recorded(*read_table(FILE, Run))
