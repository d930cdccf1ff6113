"""The recipe for the tables of notebook 12: how well texts are classified, four ways, from few examples to many.

Run with `python -m course_lib.recipes.fine_tune_texts`. It keeps what it has done in `--part FILE`, one run a line,
continues from there, and stops early after `--minutes`. All of it takes about an hour on one thread; the table
says which runs are in it. The adapters that learned from all film sentences are written to a file of their own.
"""

import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import sklearn
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import Tensor, nn

from course_lib.learning.adapters import add_adapters
from course_lib.learning.descriptions import describe_machine
from course_lib.learning.fine_tuning import copy_of, fine_tune, fit_head, logits_of, mean_vectors
from course_lib.learning.heads import Classifier, ClassifierHead, parameter_groups
from course_lib.pretrained.encoder import CONFIG
from course_lib.pretrained.recorded_runs import as_json, complete, lines_of, made_here
from course_lib.pretrained.text_tuning import (
    ADAPTERS,
    ALPHA,
    FILE,
    RANK,
    TASKS,
    WAYS,
    Run,
    Text,
    Texts,
    load_film,
    load_topics,
    save_adapted,
)
from course_lib.recipes.command import write_table
from course_lib.scoring import gaps
from course_lib.transformer.build import build_encoder

SIZES = (50, 200, 1_000, None)  # None: all of them
SEEDS = (0, 1, 2)
PASSES = {50: 8, 200: 5, 1_000: 3, None: 1}
BATCH_TOKENS = {50: 250, 200: 400, 1_000: 600, None: 1_000}  # few examples need small batches for enough steps
RATES = {"scratch": 3e-4, "adapters": 1e-3, "tuned": 1e-4, "tuned on all": 2e-4}  # of the encoder
HEAD_RATE = 1e-3

Planned = tuple[str, str, int | None, int]
"""Task, way, number of examples, seed."""


def plan() -> list[Planned]:
    """List the runs, what matters most first."""
    learned = ("tuned", "adapters", "scratch")
    first: list[Planned] = [
        *((task, "words", size, seed) for task in TASKS for seed in SEEDS for size in SIZES[:3]),
        ("film", "words", None, 0),  # from all examples: the seed changes nothing
        *(("film", "frozen", size, seed) for seed in SEEDS for size in SIZES),
        ("film", "tuned", None, 0),
        ("film", "adapters", None, 0),
        *(("film", way, size, 0) for size in SIZES[:2] for way in learned),
        ("topics", "words", None, 0),
        *(("topics", "frozen", size, 0) for size in SIZES[:3]),
        *(("topics", way, 200, 0) for way in learned),
        *(("film", way, 1_000, 0) for way in learned),
    ]
    then: list[Planned] = [
        *(("film", way, size, seed) for seed in SEEDS[1:] for size in SIZES[:3] for way in learned),
        ("film", "scratch", None, 0),
        *(("topics", way, 1_000, 0) for way in learned),
        *(("topics", "frozen", size, seed) for seed in SEEDS[1:] for size in SIZES[:3]),
        ("film", "tuned", None, 1),
        *(("topics", way, size, 0) for size in (50, None) for way in learned),
        ("topics", "frozen", None, 0),
    ]
    return [*first, *then]


def labels_of(texts: Sequence[Text]) -> Tensor:
    """Give the labels of some texts, (N,)."""
    return torch.tensor([each.label for each in texts])


def share_right(logits: Tensor, texts: Sequence[Text]) -> float:
    """Give the share of texts whose largest logit is that of their label."""
    return round(gaps.share_right(logits, labels_of(texts)), 4)


def by_words(texts: Texts, task: str, size: int | None, seed: int) -> Run:
    """Count words: logistic regression on TF-IDF."""
    sample, started = texts.sample(size, seed), time.process_time()
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10.0))
    model.fit([each.text for each in sample], [each.label for each in sample])
    seconds = time.process_time() - started
    scores = [
        round(float(model.score([each.text for each in part], [each.label for each in part])), 4) if part else None
        for part in (texts.test, texts.tweets)
    ]
    return Run(task, "words", len(sample), seed, scores[0] or 0.0, scores[1], round(seconds, 1))


class Vectors:
    """The mean vectors of texts under the frozen encoder, each computed once."""

    def __init__(self, texts: Texts) -> None:
        self.texts, self.known = texts, dict[str, Tensor]()

    def __call__(self, some: Sequence[Text]) -> Tensor:
        new = [each for each in some if each.text not in self.known]
        if new:
            rows = self.texts.ids([each.text for each in new])
            made = mean_vectors(self.texts.encoder, rows, self.texts.pad)
            self.known.update(zip((each.text for each in new), made, strict=True))
        return torch.stack([self.known[each.text] for each in some])


def frozen(texts: Texts, vectors: Vectors, task: str, size: int | None, seed: int) -> Run:
    """Train a head on the encoder as it is."""
    sample, started = texts.sample(size, seed), time.process_time()
    torch.manual_seed(seed)
    head = ClassifierHead(CONFIG.d_model, len(texts.classes))
    fit_head(head, vectors(sample), labels_of(sample))
    seconds = time.process_time() - started
    with torch.no_grad():
        right = share_right(head.output(vectors(texts.test)), texts.test)
        tweets = share_right(head.output(vectors(texts.tweets)), texts.tweets) if texts.tweets else None
    return Run(task, "frozen", len(sample), seed, right, tweets, round(seconds, 1))


def trained(texts: Texts, vectors: Vectors, task: str, way: str, size: int | None, seed: int) -> tuple[Run, Classifier]:
    """Train an encoder with a head: from scratch, with adapters, or all of it.

    Where the encoder is pretrained, the head is first trained on it as it is, so that the gradients of a random head do
    not spoil it (Kumar et al. 2022, arXiv:2202.10054).
    """
    sample, started = texts.sample(size, seed), time.process_time()
    torch.manual_seed(seed)
    head = ClassifierHead(CONFIG.d_model, len(texts.classes))
    encoder = build_encoder(CONFIG) if way == "scratch" else copy_of(texts.encoder)
    if way != "scratch":
        fit_head(head, vectors(sample), labels_of(sample))
    if way == "adapters":
        add_adapters(encoder, RANK, ALPHA)
    elif way == "tuned":
        encoder.table.requires_grad_(False)  # the rows of most words would not change anyway
    model = Classifier(encoder, head, texts.pad)
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0  # it costs a seventh of the time, and so few passes need no more than early stopping
    rate = RATES["tuned on all"] if way == "tuned" and size is None else RATES[way]  # one pass has to be enough
    groups = parameter_groups(model.head, model.encoder, HEAD_RATE, rate)
    fine_tune(
        model,
        texts.labelled(sample),
        texts.labelled(texts.validation),
        groups,
        epochs=PASSES[size],
        batch_tokens=BATCH_TOKENS[size],
        seed=seed,
        progress=False,
    )
    seconds = time.process_time() - started
    right, tweets = (
        share_right(logits_of(model, texts.ids([each.text for each in part])), part) if part else None
        for part in (texts.test, texts.tweets)
    )
    return Run(task, way, len(sample), seed, right or 0.0, tweets, round(seconds, 1)), model


class Maker:
    """Makes the runs of the plan. Texts are read, and vectors computed, when they are first needed."""

    def __init__(self, adapters: Path) -> None:
        self.adapters, self.read = adapters, dict[str, tuple[Texts, Vectors]]()

    def texts(self, task: str) -> Texts:
        """Read the texts of a task. Raises SystemExit where they are missing."""
        if task not in self.read:
            texts = load_film() if task == "film" else load_topics()
            if texts.missing:
                raise SystemExit(texts.missing)
            self.read[task] = texts, Vectors(texts)
        return self.read[task][0]

    def make(self, task: str, way: str, size: int | None, seed: int) -> Run:
        """Make one run; that of the adapters on all film sentences also writes them."""
        texts = self.texts(task)
        vectors = self.read[task][1]
        if way == "words":
            return by_words(texts, task, size, seed)
        if way == "frozen":
            return frozen(texts, vectors, task, size, seed)
        made, model = trained(texts, vectors, task, way, size, seed)
        if (task, way, size, seed) == ("film", "adapters", None, 0):
            save_adapted(model, self.adapters, {"learned from": made.examples, "machine": describe_machine()})
        return made


def record(
    part: Path | None = None, minutes: float = math.inf, most: int | None = None, adapters: Path = ADAPTERS
) -> str:
    """Make the runs of the plan, or the first `most`, and return the table. `part` keeps the runs that are done."""
    maker = Maker(adapters)
    before = [Run(**line) for line in lines_of(part)]

    def examples_of(planned: Planned) -> Planned:
        task, way, size, seed = planned
        return task, way, size or len(maker.texts(task).train), seed

    sizes = {examples_of(planned): planned for planned in plan()[:most]}
    done = complete(
        before,
        sizes,
        lambda made: (made.task, made.way, made.examples, made.seed),
        lambda counted: maker.make(*sizes[counted]),
        part,
        minutes,
    )
    done.sort(key=lambda each: (TASKS.index(each.task), WAYS.index(each.way), each.examples, each.seed))
    return as_json(done, note({task: maker.texts(task) for task in TASKS}, done))


def note(texts: dict[str, Texts], done: list[Run]) -> dict[str, object]:
    """Say where the runs come from, and what costs nothing."""
    tested = {task: each.test for task, each in texts.items()} | {"tweets": texts["film"].tweets}
    return {
        **made_here(f"scikit-learn {sklearn.__version__}"),
        "minutes": round(sum(each.seconds for each in done) / 60, 1),
        "tested": {name: len(part) for name, part in tested.items()},
        "commonest": {name: _share_of_commonest(part) for name, part in tested.items()},
        "rates": {"head": HEAD_RATE, **RATES},
        "rank": RANK,
        "alpha": ALPHA,
    }


def _share_of_commonest(part: Sequence[Text]) -> float:
    return round(labels_of(part).bincount().max().item() / len(part), 4)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    return write_table("fine_tune_texts", __doc__, FILE, record)


if __name__ == "__main__":
    sys.exit(main())
