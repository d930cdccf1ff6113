"""The recipe for the table of three machines that translate: train each for the same time, and let it translate.

Run with `python -m course_lib.recipes.compare_machines --part FILE`; it takes about two hours and a half on one thread.
With `--part FILE` it continues from what an interrupted run wrote there.
"""

import math
import sys
from dataclasses import asdict
from pathlib import Path

from course_lib.data import fetch, translations
from course_lib.data.translations import Source
from course_lib.learning.training import Task, TrainingSettings
from course_lib.pretrained.recorded_runs import as_json, complete, lines_of, made_here
from course_lib.pretrained.sentence_translator import LONGEST, MERGES, task_of
from course_lib.pretrained.translation_machines import FILE, KINDS, SETTINGS, Run, run
from course_lib.recipes.command import write_table
from course_lib.text.byte_pairs import BytePairTokenizer
from course_lib.text.fast_merges import learn_byte_pairs

SEEDS = (0, 1)
VALIDATED = 500
TRANSLATED = 1_000


def plan() -> list[tuple[str, int]]:
    """List the trainings as (kind of machine, seed)."""
    return [(kind, seed) for seed in SEEDS for kind in KINDS]


def corpus(merges: int = MERGES) -> tuple[Task, list[Source], BytePairTokenizer]:
    """Give what is learned, and on which sentences the loss is measured, what is translated, and the tokenizer."""
    fetch("translations")
    split = translations.split()
    tokenizer = learn_byte_pairs((text for pair in split.train for text in (pair.english, pair.french)), merges)
    held = translations.with_first_reference(split.validation[:VALIDATED])
    return task_of(split.train, held, tokenizer, LONGEST), split.test[:TRANSLATED], tokenizer


def record(part: Path | None = None, minutes: float = math.inf, settings: TrainingSettings = SETTINGS) -> str:
    """Train the machines of the plan, and return the table. `part` keeps what is done, one a line."""
    task, test, tokenizer = corpus()

    def make(planned: tuple[str, int]) -> Run:
        kind, seed = planned
        return run(task, test, tokenizer, kind, seed=seed, settings=settings)

    def tell(made: Run) -> str:
        return f"{made.kind}, seed {made.seed}: {made.steps[-1]} steps, {made.loss[-1]:.3f}, BLEU {made.bleu}"

    before = [Run(**line) for line in lines_of(part)]
    done = complete(before, plan(), lambda made: (made.kind, made.seed), make, part, minutes, tell)
    order = {each: i for i, each in enumerate(plan())}
    done.sort(key=lambda each: order[each.kind, each.seed])
    note = {
        **made_here(),
        "seeds": list(SEEDS),
        "pairs": len(task.examples),
        "translated": len(test),
        "settings": {name: value for name, value in asdict(settings).items() if name not in ("seed", "progress")},
    }
    return as_json(done, note)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    return write_table("compare_machines", __doc__, FILE, record)


if __name__ == "__main__":
    sys.exit(main())
