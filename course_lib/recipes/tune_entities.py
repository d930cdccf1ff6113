"""The recipe for the table of notebook 13: how well named entities are found, four ways, over three seeds.

Run with `python -m course_lib.recipes.tune_entities`. It keeps what it has done in `--part FILE`, one run a line,
continues from there, and stops early after `--minutes`. All of it takes about half an hour on one thread; the table
says which runs are in it.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import faker
import torch
from torch import nn

from course_lib.data.entities import Split, TaggedSentence
from course_lib.learning.batches import batches_by_length
from course_lib.learning.fine_tuning import copy_of
from course_lib.learning.tagging import (
    Tagger,
    TaggingHead,
    fit_tagging_head,
    labelled_vectors,
    predict_tags,
    tagging,
    tagging_examples,
)
from course_lib.learning.training import Task, TrainingSettings, train
from course_lib.pretrained.encoder import CONFIG
from course_lib.pretrained.entity_tuning import FILE, TAGS, TEMPLATES, TEXTS, WAYS, WIKIPEDIA, Names, Run, load_names
from course_lib.pretrained.recorded_runs import as_json, complete, lines_of, made_here
from course_lib.recipes.command import write_table
from course_lib.scoring.entities import ALL, accuracy_per_token, entity_scores, remembered_names
from course_lib.transformer.build import build_encoder

SEEDS = (0, 1, 2)
RATES = {"random": 3e-4, "tuned": 3e-4}  # the highest of all weights; the head was trained before
EPOCHS = 4
BATCH_TOKENS = 1_200  # ids and labels counted
WARMUP = 0.1  # share of the steps


def plan() -> list[tuple[str, str, int]]:
    """List the runs as (way, texts, seed), what matters most first."""
    real = [(way, WIKIPEDIA, seed) for seed in SEEDS for way in ("tuned", "random")]
    memory = [("memory", texts, seed) for texts in TEXTS for seed in SEEDS]
    frozen = [("frozen", texts, seed) for texts in TEXTS for seed in SEEDS]
    made_up = [(way, TEMPLATES, seed) for way in ("tuned", "random") for seed in SEEDS]
    return [*real, *memory, made_up[0], *frozen, *made_up[1:]]


def settings(way: str, steps: int, seed: int) -> TrainingSettings:
    """Say how the layers of an encoder learn."""
    return TrainingSettings(
        epochs=EPOCHS,
        learning_rate=RATES["random" if way == "random" else "tuned"],
        schedule="cosine",
        warmup=round(WARMUP * steps),
        batch_tokens=BATCH_TOKENS,
        label_smoothing=0.0,
        weight_decay=0.01,
        seed=seed,
        progress=False,
    )


def trained(names: Names, split: Split, way: str, seed: int) -> nn.Module:
    """Train a tagger: a head on the frozen encoder, and in the other ways all layers too.

    Where the encoder is pretrained, the head is first trained on it as it is, so that the gradients of a random head do
    not spoil it (Kumar et al. 2022, arXiv:2202.10054).
    """
    examples = tagging_examples(split.train, names.tokenizer, TAGS)
    torch.manual_seed(seed)
    head = TaggingHead(CONFIG.d_model, len(TAGS))
    if way == "random":
        model = Tagger(build_encoder(CONFIG), head)
    else:
        fit_tagging_head(head, *labelled_vectors(names.encoder, examples, names.pad))
        model = Tagger(names.encoder if way == "frozen" else copy_of(names.encoder), head)
    if way != "frozen":
        if way != "random":
            model.encoder.table.requires_grad_(False)  # the rows of most words would not change anyway
        steps = EPOCHS * len(batches_by_length(examples, BATCH_TOKENS, "0"))
        task = Task(examples, partial(tagging, pad=names.pad), pad=names.pad)
        train(model, task, settings(way, steps, seed), device="cpu")
    return model


def measure(names: Names, way: str, texts: str, seed: int) -> Run:
    """Train one tagger, and measure it on the test sentences of both kinds of texts."""
    splits = {WIKIPEDIA: names.real, TEMPLATES: names.made_up}
    split, other = splits[texts], splits[TEMPLATES if texts == WIKIPEDIA else WIKIPEDIA]
    started = time.process_time()
    if way == "memory":
        predict: Callable[[list[tuple[str, ...]]], list[tuple[str, ...]]] = partial(remembered_names, split.train)
    else:
        model = trained(names, split, way, seed)
        predict = partial(_predict, model, names)
    seconds = time.process_time() - started
    predicted = predict([each.words for each in split.test])
    scores = entity_scores(predicted, tags_of(split.test))
    elsewhere = entity_scores(predict([each.words for each in other.test]), tags_of(other.test))[ALL].f1
    return Run(
        way,
        texts,
        seed,
        {kind: round(each.f1, 4) for kind, each in scores.items()},
        round(accuracy_per_token(predicted, tags_of(split.test)), 4),
        round(elsewhere, 4),
        round(seconds, 1),
    )


def _predict(model: nn.Module, names: Names, sentences: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return predict_tags(model, sentences, names.tokenizer, TAGS)


def tags_of(sentences: Sequence[TaggedSentence]) -> list[tuple[str, ...]]:
    """Give the expected tags of some sentences."""
    return [each.tags for each in sentences]


def record(
    part: Path | None = None, minutes: float = math.inf, runs: Sequence[tuple[str, str, int]] | None = None
) -> str:
    """Make the runs of the plan, or these, and return the table. `part` keeps the runs that are done."""
    before = [Run(**line) for line in lines_of(part)]

    def make(planned: tuple[str, str, int]) -> Run:
        way, texts, seed = planned
        names = load_names(seed)
        if names.missing:
            raise SystemExit(names.missing)
        return measure(names, way, texts, seed)

    wanted = plan() if runs is None else runs
    done = complete(before, wanted, lambda made: (made.way, made.texts, made.seed), make, part, minutes)
    done.sort(key=lambda each: (WAYS.index(each.way), TEXTS.index(each.texts), each.seed))
    return as_json(done, note(done))


def note(done: list[Run]) -> dict[str, object]:
    """Say where the runs come from, and what they learned from."""
    names = load_names()
    splits = dict(zip(TEXTS, (names.real, names.made_up), strict=True))
    return {
        **made_here(f"faker {faker.VERSION}"),
        "minutes": round(sum(each.seconds for each in done) / 60, 1),
        "seeds": sorted({each.seed for each in done}),
        "sentences": {name: [len(each.train), len(each.test)] for name, each in splits.items()},
        "rates": RATES,
        "epochs": EPOCHS,
    }


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    return write_table("tune_entities", __doc__, FILE, record)


if __name__ == "__main__":
    sys.exit(main())
