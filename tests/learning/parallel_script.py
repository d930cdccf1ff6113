"""A small training in float64, to be started in one or more processes: arguments are the result, steps, and mode."""

import json
import os
import sys
from functools import partial
from pathlib import Path

import torch

from course_lib.learning.losses import next_token
from course_lib.learning.parallel import several_processes
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.transformer.build import build_language_model
from course_lib.transformer.config import TransformerConfig

# Texts of very different lengths, so that processes have different numbers of labels, and batches of one example.
TEXTS = [([4 + (i + j) % 6 for j in range(3 + 2 * i)],) for i in range(9)]


def main(result: Path, steps: int, mode: str) -> None:
    """Train, and let the first process write the losses and a sum of weights."""
    torch.set_num_threads(1)
    with several_processes() as number:
        torch.manual_seed(number)  # the weights of the first process should count
        sizes = dict(d_model=8, heads=2, d_ff=16, layers=1, max_length=24, dropout=0.0)
        model = build_language_model(TransformerConfig.gpt2(vocabulary=10, **sizes)).double()
        task = Task(TEXTS, partial(next_token, pad=0), TEXTS[:2], pad=0)
        shown = mode == "shows progress"
        settings = TrainingSettings(steps=steps, warmup=2, batch_tokens=40, label_smoothing=0.1, progress=shown)
        if mode == "dies" and number == 1:
            task = Task(TEXTS, dies_later(task.objective), pad=0)
        checkpoint = result.with_suffix(".safetensors") if mode == "continues" else None
        history = train(model, task, settings, device="cpu", checkpoint=checkpoint)
        if number == 0:
            weights = sum(float(each.detach().abs().sum()) for each in model.parameters())
            found = {"loss": history.loss, "plain": history.cross_entropy, "norm": history.gradient_norm}
            result.write_text(json.dumps({**found, "validation": history.validation, "weights": weights}))


def dies_later(objective):
    """An objective that ends its process in the third step."""
    calls = []

    def compute(model, ids):
        calls.append(1)
        if len(calls) == 3:
            os._exit(7)
        return objective(model, ids)

    return compute


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
