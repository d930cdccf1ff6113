"""The recipe for the table of losses: train small language models on more and more tales, and of more and more width.

Run with `python -m course_lib.recipes.scale_tales`; with `--part FILE` it continues from what an interrupted run wrote
there. It takes several minutes on one thread.
"""

import math
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from course_lib.data import tales
from course_lib.learning.packing import pack_texts
from course_lib.learning.training import TrainingSettings
from course_lib.pretrained.recorded_runs import complete, lines_of, made_here
from course_lib.pretrained.tales_scaling import FILE, LENGTH, SETTINGS, Run, as_json, run
from course_lib.recipes.command import write_table
from course_lib.text.characters import CharacterTokenizer

WIDTHS = (8, 16, 32, 64)
SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
SEEDS = (0, 1, 2)
UNSEEN = 96
"""How many rows of the other tales are measured, spread over all of them."""


def plan() -> list[tuple[int, float, int]]:
    """List the trainings as (width, share, seed): the widest model on every share, every width on all of the text."""
    pairs = [(WIDTHS[-1], share) for share in SHARES] + [(width, 1.0) for width in WIDTHS[:-1]]
    return [(width, share, seed) for seed in SEEDS for width, share in pairs]


def corpus() -> tuple[list[list[int]], list[list[int]], CharacterTokenizer]:
    """Pack the sentences of 49 tales into rows, and those of the 5 others.

    Raises `course_lib.data.DataMissing` if the tales are not on this computer yet.
    """
    split = tales.split()
    known, others = tales.sentences(split.train), tales.sentences(split.validation)
    tokenizer = CharacterTokenizer.from_text("".join(known))
    rows, unseen = (
        pack_texts([tokenizer.encode(each) for each in texts], tokenizer.eos, LENGTH).tolist()
        for texts in (known, others)
    )
    return rows, unseen[:: len(unseen) // UNSEEN][:UNSEEN], tokenizer


def record(part: Path | None = None, minutes: float = math.inf, settings: TrainingSettings = SETTINGS) -> str:
    """Train the models of the plan, and return the table. `part` keeps the runs that are done, one a line."""
    rows, unseen, tokenizer = corpus()
    before = [Run(**line) for line in lines_of(part)]
    worked = time.process_time()

    def make(planned: tuple[int, float, int]) -> Run:
        width, share, seed = planned
        sizes = {"vocabulary": len(tokenizer), "end": tokenizer.eos, "d_model": width, "share": share, "seed": seed}
        return run(rows, unseen, **sizes, settings=replace(settings, progress=False))  # type: ignore[arg-type]

    def tell(made: Run) -> str:
        return f"width {made.d_model}, share {made.share:.3f}, seed {made.seed}: {made.best:.3f} nats per character"

    done = complete(before, plan(), lambda made: (made.d_model, made.share, made.seed), make, part, minutes, tell)
    note = {
        **made_here(),
        "processor_seconds": round(time.process_time() - worked),
        "seeds": list(SEEDS),
        "settings": {name: value for name, value in asdict(settings).items() if name not in ("seed", "progress")},
    }
    order = {each: i for i, each in enumerate(plan())}
    done.sort(key=lambda each: order[each.d_model, each.share, each.seed])
    return as_json(done, LENGTH * len(rows), note)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    return write_table("scale_tales", __doc__, FILE, record)


if __name__ == "__main__":
    sys.exit(main())
