"""One run of a study: build a model, train it, measure it. It may happen in another process, or on another machine."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import Any

import cloudpickle
import torch

from course_lib.experiments.material import Data
from course_lib.experiments.measures import Measure, Trained
from course_lib.experiments.variants import Plan
from course_lib.learning.batches import batches_by_length
from course_lib.learning.threads import one_thread
from course_lib.learning.training import History, Task, TrainingSettings, train

_LONGEST_ERROR = 300


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        measured: a number for each measure; empty where the run failed.
        error: why it failed, in a line; None where it did not.
        seconds: the processor time of its training, validation included; if it was stopped and continued, since then.
        parameters: how many numbers the model learned.
        steps: how often the weights were updated.
        tokens: how many ids it read, padding not counted.
        curves: lists with one number for each measurement on the way: "steps", "tokens", "training", "validation".
    """

    measured: Mapping[str, float]
    error: str | None = None
    seconds: float = 0.0
    parameters: int = 0
    steps: int = 0
    tokens: int = 0
    curves: Mapping[str, list[float]] | None = None


def run_packed(data: bytes, measures_and_plan: bytes, seed: int, checkpoint: str | None = None) -> Outcome:
    """Unpack what `pack` packed, and run it on one thread. Any executor can call it in any process."""
    measures, plan = cloudpickle.loads(measures_and_plan)
    return run(_unpacked(data), measures, plan, seed, None if checkpoint is None else Path(checkpoint))


def pack(value: Any) -> bytes:
    """Turn anything, also functions and classes of a notebook, into bytes."""
    return bytes(cloudpickle.dumps(value))


@lru_cache(maxsize=1)
def _unpacked(content: bytes) -> Any:
    return cloudpickle.loads(content)


def run(data: Data, measures: Mapping[str, Measure], plan: Plan, seed: int, checkpoint: Path | None = None) -> Outcome:
    """Build, train and measure one model, on one thread of the CPU. What goes wrong is the outcome's error.

    Takes the data, the measures by name, the plan, the seed of first weights, examples and order, and a file that keeps
    the state of the training, from which it continues. Raises KeyboardInterrupt where it is interrupted.
    """
    with one_thread(), torch.random.fork_rng([]):
        try:
            return _run(data, measures, plan, seed, checkpoint)
        except Exception as error:  # whatever a part or a measure of a learner's raises
            return Outcome({}, error=in_one_line(error))


def _run(data: Data, measures: Mapping[str, Measure], plan: Plan, seed: int, checkpoint: Path | None) -> Outcome:
    torch.manual_seed(seed)
    model = data.build(plan.config, plan.parts)
    if plan.start is not None:
        plan.start(model)
    parameters = sum(each.numel() for each in model.parameters())
    data = replace(data, task=_some_examples(data.task, plan.examples, seed))
    settings = replace(plan.training, seed=seed)
    if plan.budget.tokens is not None:
        settings = replace(settings, steps=steps_for_tokens(data.task, settings, plan.budget.tokens))
    if settings.validate_every is None and settings.steps:
        settings = replace(settings, validate_every=max(1, settings.steps // 10))
    began = time.process_time()
    history = train(model, data.task, settings, device="cpu", checkpoint=checkpoint)
    seconds = time.process_time() - began
    if history.interrupted:
        raise KeyboardInterrupt
    trained = Trained(model, history, data, plan.config)
    measured = {name: as_number(name, measure.function(trained)) for name, measure in measures.items()}
    tokens = tokens_of_steps(data.task, settings, history.steps)
    return Outcome(measured, None, round(seconds, 3), parameters, history.steps, sum(tokens), _curves(history, tokens))


def as_number(name: str, value: Any) -> float:
    """Give the value of a measure as a number.

    Raises TypeError for one that is text or something else, and FloatingPointError for one that is not finite.
    """
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, str | bytes | complex) or not hasattr(value, "__float__"):
        raise TypeError(f"the measure {name} should give a number, but gives {str(value)[:40]!r}")
    number = float(value)
    if not math.isfinite(number):
        raise FloatingPointError(f"the measure {name} gives {number}")
    return number


def try_out(data: Data, measures: Mapping[str, Measure], plan: Plan) -> None:
    """Train a model for a single step on a few examples, and measure it.

    Raises TypeError for a measure that gives no number, and whatever building, training and measuring raise;
    KeyboardInterrupt where it is interrupted.
    """
    few = data.few()
    settings = replace(plan.training, steps=1, seconds=None, epochs=None)
    with one_thread(), torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = data.build(plan.config, plan.parts)
        trained = Trained(model, train(model, few.task, settings, device="cpu").or_stop(), few, plan.config)
        for name, measure in measures.items():
            as_number(name, measure.function(trained))


def in_one_line(error: BaseException) -> str:
    """Say in one line what was raised."""
    words = " ".join(str(error).split())[:_LONGEST_ERROR]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _some_examples(task: Task, count: int | None, seed: int) -> Task:
    """Draw so many of the examples at random."""
    if count is None:
        return task
    if count > len(task.examples):
        raise ValueError(f"there are {len(task.examples)} examples, fewer than the {count} that were asked for")
    order = torch.randperm(len(task.examples), generator=torch.Generator().manual_seed(seed)).tolist()
    return replace(task, examples=[task.examples[i] for i in order[:count]])


def _tokens(task: Task, settings: TrainingSettings) -> Iterator[int]:
    """Count the ids of each step's batch, padding not counted, without end."""
    epoch = 0
    while True:
        for batch in batches_by_length(task.examples, settings.batch_tokens, f"{settings.seed}/{epoch}"):
            yield sum(len(ids) for i in batch for ids in task.examples[i])
        epoch += 1


def tokens_of_steps(task: Task, settings: TrainingSettings, steps: int) -> list[int]:
    """Count the ids that each of the first steps of a training reads, padding not counted."""
    return [count for count, _ in zip(_tokens(task, settings), range(steps), strict=False)]


def steps_for_tokens(task: Task, settings: TrainingSettings, tokens: int) -> int:
    """Count the steps after which a training has read as many ids, or a few more."""
    return next(step for step, total in enumerate(accumulate(_tokens(task, settings)), 1) if total >= tokens)


def _curves(history: History, tokens: list[int]) -> dict[str, list[float]]:
    """Sum up a history at the steps at which it was validated."""
    ends = history.validation_steps
    read = [0, *accumulate(tokens)]
    spans = zip([0, *ends[:-1]], ends, strict=True)
    return {
        "steps": list(ends),
        "tokens": [read[end] for end in ends],
        "training": [
            round(fmean(history.cross_entropy[start:end]), 5) if end > start else math.nan for start, end in spans
        ],
        "validation": [round(loss, 5) for loss in history.validation],
    }
