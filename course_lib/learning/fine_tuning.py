"""Train classifiers: a head on vectors that were computed once, or a whole model with two learning rates.

Notebook 12 builds the parts that are used here: the head, the groups of parameters, and when to stop.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from course_lib.learning.batches import batches_by_length, pad_rows
from course_lib.learning.heads import Classifier, mean_of_tokens, should_stop
from course_lib.learning.training import History, Task, TrainingSettings, evaluate, evaluating, train

Labelled = tuple[list[int], int]
"""The ids of a text, and its class."""

WARMUP = 0.1  # share of the steps in which the rates rise


@dataclass(frozen=True)
class Tuning:
    """How a fine-tuning went.

    Attributes:
        loss: the mean loss of the steps of each pass over the examples, in nats.
        validation: the loss on the validation examples after each pass, in nats per text.
    """

    loss: list[float]
    validation: list[float]

    @property
    def best(self) -> int:
        """The pass with the lowest validation loss, counted from 0; without validation, the last one."""
        return self.validation.index(min(self.validation)) if self.validation else len(self.loss) - 1


def fine_tune(
    model: Classifier,
    examples: Sequence[Labelled],
    validation: Sequence[Labelled],
    groups: list[dict[str, Any]],
    *,
    epochs: int,
    batch_tokens: int = 600,
    patience: int = 2,
    stop: Callable[[list[float], int], bool] = should_stop,
    seed: int = 0,
    progress: bool = True,
) -> Tuning:
    """Train a classifier on labelled texts until the validation loss stops falling, and keep its best weights.

    The loop is `train`; all rates rise over the first tenth of the steps, and then fall in a straight line to 0.

    Args:
        model: a classifier.
        examples: to learn from.
        validation: to choose the best pass by. With none, all passes are made and the last weights stay.
        groups: what learns and how fast, as `parameter_groups` gives it.
        epochs: the most passes over the examples.
        batch_tokens: the most ids in a batch, padding and labels counted.
        patience: how many passes without a new lowest loss are tolerated.
        stop: from the losses so far and the patience to whether to stop.
        seed: of the order of the examples and of dropout.
        progress: whether to show a bar.

    Raises ValueError where there is nothing to learn from, or nothing that learns; KeyboardInterrupt if the training is
    stopped before its end.
    """
    if not examples or not groups:
        raise ValueError("there is nothing to learn: give at least one example and one group of parameters")
    task = classification(examples, validation, model.pad)
    steps_per_epoch = len(batches_by_length(task.examples, batch_tokens, "0"))
    settings = TrainingSettings(
        epochs=epochs,
        schedule="warmup_stable_decay",
        warmup=round(WARMUP * epochs * steps_per_epoch),
        decay=1 - WARMUP,
        batch_tokens=batch_tokens,
        label_smoothing=0.0,
        betas=(0.9, 0.999),
        weight_decay=0.01,
        seed=seed,
        progress=progress,
    )
    best = _weights(model)

    def has_to_stop(history: History) -> bool:
        if history.validation[-1] < min(history.validation[:-1], default=math.inf):
            best.update(_weights(model))
        return stop(history.validation, patience)

    device = next(model.parameters()).device
    history = train(model, task, settings, device=device, groups=groups, stop=has_to_stop).or_stop()
    if validation:
        model.load_state_dict(best, strict=False)
    losses = history.cross_entropy
    passes = range(0, len(losses), steps_per_epoch)
    return Tuning([fmean(losses[first : first + steps_per_epoch]) for first in passes], history.validation)


def classification(examples: Sequence[Labelled], validation: Sequence[Labelled], pad: int) -> Task:
    """Say what a classifier has to learn from labelled texts, and what its loss is measured on.

    Takes the texts with their classes, and the id that fills up short ones.
    """
    learned, unseen = ([(ids, [label]) for ids, label in each] for each in (examples, validation))
    return Task(learned, classify, unseen, pad)


def classify(model: nn.Module, ids: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Predict the class of each text: an objective for `train`.

    Takes a model from ids (B, S) to logits (B, C), such as a `Classifier`; ids (B, S); and classes (B, 1). Returns the
    logits (B, C), and the classes (B,).
    """
    return model(ids), labels.squeeze(1)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Copy the weights that learn."""
    return {name: each.detach().clone() for name, each in model.named_parameters() if each.requires_grad}


def logits_of(model: Classifier, rows: Sequence[list[int]], batch_tokens: int = 2_000) -> Tensor:
    """Classify texts, ids of any lengths, without dropout and gradients: logits (N, C) in the order of the texts."""
    return _in_batches(model, rows, batch_tokens, model.pad, model)


def loss_of(model: Classifier, examples: Sequence[Labelled], batch_tokens: int = 2_000) -> float:
    """Measure the mean cross-entropy of labelled texts, in nats per text. Raises ValueError where there are none."""
    device = next(model.parameters()).device
    return evaluate(model, classification([], examples, model.pad), batch_tokens, device)


def mean_vectors(
    encoder: nn.Module,
    rows: Sequence[list[int]],
    pad: int,
    *,
    mean: Callable[[Tensor, Tensor], Tensor] = mean_of_tokens,
    batch_tokens: int = 2_000,
    progress: bool = False,
) -> Tensor:
    """Compute the mean of the hidden states of each text once, for a head on a frozen encoder: (N, d_model).

    Takes an encoder, N texts as ids of any lengths, the id that fills up short ones, what averages real tokens, the
    most ids in a batch, and whether to show a bar.
    """

    def means(ids: Tensor) -> Tensor:
        return mean(encoder(ids), ids != pad)

    return _in_batches(encoder, rows, batch_tokens, pad, means, progress)


def _in_batches(
    model: nn.Module,
    rows: Sequence[list[int]],
    batch_tokens: int,
    pad: int,
    compute: Callable[[Tensor], Tensor],
    progress: bool = False,
) -> Tensor:
    if not rows:
        raise ValueError("there are no texts to classify")
    batches = batches_by_length([(ids,) for ids in rows], batch_tokens, "0")
    with evaluating(model), tqdm(batches, disable=not progress, leave=False) as bar:
        parts = [compute(pad_rows([rows[i] for i in batch], pad)) for batch in bar]
    order = torch.tensor([i for batch in batches for i in batch])
    return torch.cat(parts)[order.argsort()]


def fit_head(head: nn.Module, vectors: Tensor, labels: Tensor, *, steps: int = 300, rate: float = 1e-2) -> float:
    """Train a head on vectors that were computed once, all of them in each step. Returns the last loss.

    Args:
        head: a `ClassifierHead`; each vector counts as a text of one token.
        vectors: (N, d_model).
        labels: (N,).
        steps: how many updates.
        rate: the highest learning rate; it falls to 0.
    """
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    hidden, real = vectors[:, None], torch.ones(len(vectors), 1, dtype=torch.bool)
    loss = torch.zeros(())
    for _ in range(steps):
        loss = F.cross_entropy(head(hidden, real), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return loss.item()


def copy_of(model: nn.Module) -> Any:
    """Copy a model with its weights, so that fine-tuning does not change the original."""
    return copy.deepcopy(model)
