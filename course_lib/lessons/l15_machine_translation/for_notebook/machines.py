"""How the three machines of notebook 15 are trained for equally long, and how they translate."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from course_lib.data import grammar
from course_lib.learning.losses import translation
from course_lib.learning.training import History, Task, TrainingSettings, train
from course_lib.pretrained.sentence_translator import SentenceTranslator
from course_lib.pretrained.translator import load_translator
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.transformer.build import COURSE, Parts

SETTINGS: dict[str, Any] = dict(
    learning_rate=3e-3, schedule="warmup_stable_decay", warmup=100, batch_tokens=1_024, label_smoothing=0.0
)


def train_machine(model: nn.Module, task: Task, seconds: float) -> History:
    """Train for so many seconds on the CPU, with a bar, measuring the loss on the validation examples now and then."""
    settings = TrainingSettings(seconds=seconds, validate_every=30, **SETTINGS)
    return train(model, task, settings, device="cpu")


def finished_translator() -> tuple[nn.Module, Task]:
    """Give a copy of the course's trained translator of notebook 07, and what it learned and is measured on."""
    translator, split = load_translator(), grammar.split()
    english, french = translator.english, translator.french
    examples, held = (grammar.as_ids(some, english, french) for some in (split.train[:8_000], split.test[:400]))
    task = Task(examples, partial(translation, pad=french.pad), held, pad=french.pad)
    return copy.deepcopy(translator.model), task


def further_checkpoints(model: nn.Module, task: Task, count: int = 4, steps: int = 40) -> list[dict[str, Tensor]]:
    """Train a finished model further, at a high rate that stays, and give its weights after each so many steps."""
    kept = []
    for seed in range(count):
        settings = TrainingSettings(
            steps=steps,
            learning_rate=2e-3,
            warmup=0,
            schedule="warmup_stable_decay",
            decay=0,
            batch_tokens=1_024,
            label_smoothing=0.0,
            seed=seed + 1,
            progress=False,
        )
        train(model, task, settings, device="cpu")
        kept.append({name: weight.clone() for name, weight in model.state_dict().items()})
    return kept


def translators(
    made: Mapping[str, nn.Module], tokenizer: BytePairTokenizer, parts: Parts = COURSE
) -> dict[str, SentenceTranslator]:
    """Let the machines of this notebook translate sentences, and show what they read, each under its kind."""
    return {
        kind: SentenceTranslator(
            model, tokenizer, attention=getattr(model, "attention", parts.scaled_dot_product_attention)
        )
        for kind, model in made.items()
    }
