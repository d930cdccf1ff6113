"""The three machines of notebook 15, about as large as one another, and what came of training them for long.

A recurrent translator without attention, one with it, and a Transformer. `course_lib.recipes.compare_machines` gave
each the same time, and wrote the table.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.data.translations import Source
from course_lib.learning.batches import batches_by_length
from course_lib.learning.training import History, Task, TrainingSettings, train
from course_lib.pretrained.recorded_runs import read_table
from course_lib.pretrained.sentence_translator import LONGEST, SentenceTranslator
from course_lib.scoring.corpus_bleu import corpus_bleu
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.wording import join_words
from course_lib.transformer.attention import additive_attention
from course_lib.transformer.build import COURSE, Parts, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.recurrent import RecurrentTranslator

FILE = Path(__file__).with_name("translation_machines.json")

WITHOUT, WITH, TRANSFORMER = "recurrent", "recurrent with attention", "Transformer"
KINDS = (WITHOUT, WITH, TRANSFORMER)

SMALL: dict[str, dict[str, int]] = {
    WITHOUT: {"d_model": 240, "layers": 1},
    WITH: {"d_model": 216, "layers": 1},
    TRANSFORMER: {"d_model": 128, "layers": 2},
}
"""About a million parameters each, with 2,000 ids."""
LARGE: dict[str, dict[str, int]] = {
    WITHOUT: {"d_model": 400, "layers": 1},
    WITH: {"d_model": 360, "layers": 1},
    TRANSFORMER: {"d_model": 180, "layers": 3},
}
"""About 3.5 million parameters each, with 4,000 ids."""

SETTINGS = TrainingSettings(
    seconds=20 * 60,
    learning_rate=1.2e-3,
    schedule="warmup_stable_decay",
    warmup=400,
    decay=0.3,
    batch_tokens=1_024,
    label_smoothing=0.0,
    validate_every=250,
    progress=False,
)
LONGEST_OF_GROUPS = (5, 8, 12)
"""The most English words of the sentences of each group but the last, for which BLEU is measured apart."""


def make_machine(
    kind: str,
    tokenizer: BytePairTokenizer,
    parts: Parts = COURSE,
    attention: Callable[..., tuple[Tensor, Tensor]] = additive_attention,
    *,
    sizes: dict[str, dict[str, int]] = SMALL,
    seed: int = 0,
) -> nn.Module:
    """Make one of `KINDS`, from the parts and the additive attention that are handed in.

    Takes the sizes of all machines, `SMALL` or `LARGE`, and the seed of the first weights. Raises KeyError for a kind
    that there is not.
    """
    own = sizes[kind]
    torch.manual_seed(seed)
    if kind == TRANSFORMER:
        d_model = own["d_model"]
        config = TransformerConfig(
            vocabulary=len(tokenizer),
            pad=tokenizer.pad,
            d_model=d_model,
            heads=4,
            d_ff=4 * d_model,
            layers=own["layers"],
            max_length=LONGEST,
            dropout=0.0,
            norm_place="pre",
        )
        model: nn.Module = build_transformer(config, parts)
        return model
    attends = kind == WITH
    return RecurrentTranslator(len(tokenizer), **own, attends=attends, pad=tokenizer.pad, attention=attention)


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        kind: which machine, one of `KINDS`.
        seed: what its first weights and the order of its sentences depend on.
        parameters: how many it has.
        steps: after how many steps the loss was measured, the last time at the end.
        minutes: after how many minutes of the processor's work that was, the measuring included.
        pairs: how many pairs of sentences had been read by then, the same one each time counted.
        loss: on unseen sentences, in nats per token.
        bleu: of the test sentences with all their references, for 1 beam and for 4.
        bleu_by_length: the same with 4 beams, for each group of `LONGEST_OF_GROUPS` and what is longer.
    """

    kind: str
    seed: int
    parameters: int
    steps: list[int]
    minutes: list[float]
    pairs: list[int]
    loss: list[float]
    bleu: list[float]
    bleu_by_length: list[float]


def run(
    task: Task,
    test: Sequence[Source],
    tokenizer: BytePairTokenizer,
    kind: str,
    *,
    seed: int = 0,
    settings: TrainingSettings = SETTINGS,
    sizes: dict[str, dict[str, int]] = LARGE,
) -> Run:
    """Train one machine, and let it translate.

    Takes what it learns and is measured on, what it translates, the tokenizer, the kind of machine, the seed, how it is
    trained, and the sizes of all machines. Time is that of the processor's work, whatever else the computer does.
    """
    with torch.random.fork_rng([]):
        model = make_machine(kind, tokenizer, sizes=sizes, seed=seed)
        minutes: list[float] = []
        clock = time.process_time
        began = clock()

        def note_time(_: History) -> bool:
            minutes.append((clock() - began) / 60)
            return False

        history = train(model, task, replace(settings, seed=seed), device="cpu", stop=note_time, clock=clock)
        if len(minutes) < len(history.validation):
            minutes.append((clock() - began) / 60)
    batches = len(batches_by_length(task.examples, settings.batch_tokens, ""))
    translator = SentenceTranslator(model.eval(), tokenizer)
    english = [each.english for each in test]
    texts = {beams: translator.translate_all(english, beams) for beams in (1, 4)}
    return Run(
        kind,
        seed,
        sum(each.numel() for each in model.parameters()),
        history.validation_steps,
        [round(each, 2) for each in minutes],
        [round(steps * len(task.examples) / batches) for steps in history.validation_steps],
        [round(each, 4) for each in history.validation],
        [round(corpus_bleu(texts[beams], test), 2) for beams in (1, 4)],
        [round(corpus_bleu(*some), 2) for some in by_length(texts[4], test)],
    )


def by_length(texts: Sequence[str], sources: Sequence[Source]) -> list[tuple[list[str], list[Source]]]:
    """Divide translations and their sources into four groups by the number of English words, at `LONGEST_OF_GROUPS`."""
    pairs = [*zip(texts, sources, strict=True)]
    groups = []
    for shortest, longest in zip((0, *LONGEST_OF_GROUPS), (*LONGEST_OF_GROUPS, 10**6), strict=True):
        here = [pair for pair in pairs if shortest < len(pair[1].english.split()) <= longest]
        groups.append(([text for text, _ in here], [source for _, source in here]))
    return groups


@dataclass(frozen=True)
class Recorded:
    """What the recipe recorded: the runs, and how they were made."""

    runs: list[Run]
    note: dict[str, Any]  # machine, date, seeds, settings, how many pairs were learned and sources translated

    def of(self, kind: str) -> list[Run]:
        """The runs of a kind of machine, a seed each."""
        return [each for each in self.runs if each.kind == kind]

    def report(self) -> str:
        """List on what machine and when the runs were made, and what came of each."""
        lines = [
            f"{self.note['machine']}, {self.note['date']}: BLEU of {self.note['translated']:,} test sentences, 4 beams; "
            f"then of those with up to {join_words([*map(str, LONGEST_OF_GROUPS)])} English words, and of longer ones"
        ]
        for each in self.runs:
            groups = "".join(f"{of_group:6.1f}" for of_group in each.bleu_by_length)
            scores = f"loss {each.loss[-1]:.3f}  BLEU {each.bleu[-1]:.1f}  by length{groups}"
            lines.append(f"{each.kind:24} seed {each.seed}  {scores}")
        return "\n".join(lines)

    def lowest(self) -> str:
        """The kind of machine with the lowest loss at the end, on average over its seeds."""
        return min(KINDS, key=lambda kind: fmean(each.loss[-1] for each in self.of(kind)))

    def overtakes(self, kind: str, other: str) -> list[float | None]:
        """Say after how many minutes a kind of machine has a lower loss than another, and keeps it to the end.

        One number for each seed, or None where the kind ends with the higher loss.
        """
        return [_last_crossing(*both) for both in zip(self.of(kind), self.of(other), strict=True)]

    def curve(self, kind: str, against: Literal["minutes", "pairs"]) -> tuple[list[float], list[list[float]]]:
        """Give what the loss of a kind of machine is drawn against, the mean over its seeds, and the loss of each seed.

        That is minutes, or thousands of pairs. The last point of each seed is its end, which comes after a different
        number of steps.
        """
        runs = self.of(kind)
        common = min(len(each.loss) for each in runs) - 1
        xs = [[*getattr(each, against)[:common], getattr(each, against)[-1]] for each in runs]
        unit = 1_000 if against == "pairs" else 1
        return [fmean(x) / unit for x in zip(*xs, strict=True)], [[*each.loss[:common], each.loss[-1]] for each in runs]


def _last_crossing(own: Run, other: Run) -> float | None:
    """After how many minutes a run has a lower loss than another, and keeps it to the end."""
    losses_of_other = np.interp(own.minutes, other.minutes, other.loss)
    ahead_since = None
    for minute, loss, of_other in zip(own.minutes, own.loss, losses_of_other, strict=True):
        if loss >= of_other:
            ahead_since = None
        elif ahead_since is None:
            ahead_since = minute
    return ahead_since


@cache
def recorded() -> Recorded:
    """Read what `course_lib.recipes.compare_machines` recorded."""
    return Recorded(*read_table(FILE, Run))
