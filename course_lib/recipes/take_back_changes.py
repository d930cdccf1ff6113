"""The recipe for the table of changes taken back: train small language models of the tales with and without each.

Run with `python -m course_lib.recipes.take_back_changes`; with `--part FILE` it continues from what an interrupted run
wrote there. It takes about ten minutes on one thread.
"""

import json
import math
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from course_lib.data import tales
from course_lib.learning.training import TrainingSettings
from course_lib.pretrained.modern_changes import FILE, SETTINGS, VARIANTS, Equal, Run, run, seconds_per_step
from course_lib.pretrained.recorded_runs import as_json, complete, lines_of, made_here
from course_lib.recipes.command import write_table
from course_lib.scoring.ngrams import NGrams
from course_lib.text.characters import CharacterTokenizer

SEEDS = (0, 1, 2)
UNSEEN = 12_000
"""How many characters of the other tales are measured."""


def plan() -> list[tuple[Equal, str, int]]:
    """List the trainings as (what is equal, variant, seed)."""
    equals: tuple[Equal, ...] = ("steps", "time")
    return [(equal, variant, seed) for equal in equals for seed in SEEDS for variant in VARIANTS]


def corpus() -> tuple[list[int], list[int], CharacterTokenizer]:
    """Encode the tales to learn from, and the beginning of each other tale.

    Raises `course_lib.data.DataMissing` if the tales are not on this computer yet.
    """
    split = tales.split()
    known = "\n".join(tale.text for tale in split.train)
    tokenizer = CharacterTokenizer.from_text(known)
    others = [tale.text[: UNSEEN // len(split.validation)] for tale in split.validation]
    return tokenizer.encode(known), [i for text in others for i in tokenizer.encode(text)], tokenizer


def record(
    part: Path | None = None, minutes: float = math.inf, settings: TrainingSettings = SETTINGS, rounds: int = 5
) -> str:
    """Train the models of the plan, and return the table. `part` keeps what is done, one a line."""
    ids, unseen, tokenizer = corpus()
    lines = lines_of(part)
    worked = time.process_time()
    seconds: dict[str, float] = lines[0] if lines else seconds_per_step(ids, len(tokenizer), rounds)
    if part and not lines:
        part.write_text(json.dumps(seconds) + "\n", encoding="utf-8")
    longest = seconds["all four changes"] * (settings.steps or 1)

    def make(planned: tuple[Equal, str, int]) -> Run:
        equal, variant, seed = planned
        steps = settings.steps if equal == "steps" else round(longest / seconds[variant])
        own = replace(settings, steps=steps)
        return run(ids, unseen, len(tokenizer), variant, equal=equal, seed=seed, settings=own)

    def tell(made: Run) -> str:
        return f"equal {made.equal}, {made.variant}, seed {made.seed}: {made.steps} steps, {made.loss:.3f}"

    before = [Run(**line) for line in lines[1:]]
    done = complete(before, plan(), lambda made: (made.equal, made.variant, made.seed), make, part, minutes, tell)
    order = {each: i for i, each in enumerate(plan())}
    done.sort(key=lambda each: order[each.equal, each.variant, each.seed])
    note = {
        **made_here(),
        "processor_seconds": round(time.process_time() - worked),
        "seeds": list(SEEDS),
        "characters": {"known": len(ids), "unseen": len(unseen)},
        "milliseconds_per_step": {variant: round(1000 * each, 2) for variant, each in seconds.items()},
        "bigrams": round(NGrams(ids, 2, len(tokenizer)).loss(unseen), 4),
        "settings": {name: value for name, value in asdict(settings).items() if name not in ("seed", "progress")},
    }
    return as_json(done, note)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    return write_table("take_back_changes", __doc__, FILE, record)


if __name__ == "__main__":
    sys.exit(main())
