"""Three machines of notebook 15, with about as many parameters each, and how they are trained for equally long."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.data import grammar
from course_lib.learning.losses import translation
from course_lib.learning.training import History, Task, TrainingSettings, train
from course_lib.pretrained.sentence_translator import SentenceTranslator
from course_lib.pretrained.translator import load_translator
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.transformer.attention import additive_attention
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.recurrent import RecurrentTranslator

WITHOUT, WITH, TRANSFORMER = "recurrent", "recurrent with attention", "Transformer"
KINDS = (WITHOUT, WITH, TRANSFORMER)
SETTINGS: dict[str, Any] = dict(
    learning_rate=3e-3, schedule="warmup_stable_decay", warmup=100, batch_tokens=1_024, label_smoothing=0.0
)


def make_machine(
    kind: str,
    tokenizer: BytePairTokenizer,
    parts: Parts = COURSE,
    attention: Callable[..., tuple[Tensor, Tensor]] = additive_attention,
) -> nn.Module:
    """Make one of `KINDS`, from the parts and the additive attention that are handed in."""
    V, pad = len(tokenizer), tokenizer.pad
    torch.manual_seed(0)
    if kind == TRANSFORMER:
        sizes: dict[str, Any] = dict(
            d_model=128, heads=4, d_ff=512, layers=2, max_length=64, dropout=0.0, norm_place="pre"
        )
        model: nn.Module = build_transformer(TransformerConfig(vocabulary=V, pad=pad, **sizes), parts)
        return model
    width = 216 if kind == WITH else 240
    return RecurrentTranslator(V, width, layers=1, attends=kind == WITH, pad=pad, attention=attention)


def train_machine(model: nn.Module, task: Task, seconds: float) -> History:
    """Train for so many seconds on the CPU, with a bar, measuring the loss on the validation examples now and then."""
    settings = TrainingSettings(seconds=seconds, validate_every=30, **SETTINGS)
    return train(model, task, settings, device="cpu")


def seconds_of_validation(history: History, seconds: float) -> list[float]:
    """Say after how many seconds each validation loss was measured, if all steps took equally long."""
    return [seconds * step / history.steps for step in history.validation_steps]


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
