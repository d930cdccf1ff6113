"""The recipe for the language models: train one on Grimms' tales, measure it, and write its file.

Run with `python -m course_lib.recipes.train_tales`, and with `--plain` for the model of notebook 06. With `--check` it
writes nothing, but compares the validation loss with that of the saved model; the exit status is 1 if they differ by
more than 0.03 nats.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from course_lib.data import tales
from course_lib.learning.training import TrainingSettings, fingerprint
from course_lib.pretrained.tales_model import (
    FILE,
    PLAIN_FILE,
    PLAIN_SETTINGS,
    PLAIN_SIZES,
    SETTINGS,
    SIZES,
    STRIDE,
    TalesModel,
    load_plain_tales_model,
    load_tales_model,
    train_tales_model,
    validation_loss,
)
from course_lib.recipes.command import Stopwatch, parser_of, say_written
from course_lib.scoring.baselines import loss_baselines


def corpus() -> tuple[str, str]:
    """Give the text of 49 tales for training, and of 5 for validation.

    Raises `course_lib.data.DataMissing` if the tales are not on this computer yet.
    """
    split = tales.split()
    return tales.text(split.train), tales.text(split.validation)


@dataclass(frozen=True)
class Kind:
    """One of the two language models: its sizes, how it is trained, its file, and what loads it."""

    sizes: Mapping[str, Any]
    settings: TrainingSettings
    file: Path
    load: Callable[[], TalesModel]


MODERN = Kind(SIZES, SETTINGS, FILE, load_tales_model)
PLAIN = Kind(PLAIN_SIZES, PLAIN_SETTINGS, PLAIN_FILE, load_plain_tales_model)


def recipe(text: str, validation: str, kind: Kind = MODERN) -> dict[str, object]:
    """Record how a language model is made: settings, sizes, and a fingerprint of the corpus."""
    sizes = {**kind.sizes, "stride": STRIDE}
    return {"settings": asdict(kind.settings), "sizes": sizes, "corpus": fingerprint([(text, validation)])}


def report(model: TalesModel, validation: str) -> str:
    """Report the loss of a language model beside simple baselines, and how it continues a tale."""
    losses = {
        **loss_baselines(validation, len(model.characters)),
        "the language model": validation_loss(model.model, model.encode(validation)),
    }
    lines = [f"loss on {len(validation):,} characters of unseen tales, in nats per character"]
    lines += [f"  {loss:6.3f}  {name}" for name, loss in losses.items()]
    return "\n".join([*lines, model.complete("Once upon a time", 160)])


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    parser = parser_of("train_tales", __doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the written language model")
    parser.add_argument("--plain", action="store_true", help="the model of notebook 06, of the parts of 2017")
    chosen = parser.parse_args()
    kind = PLAIN if chosen.plain else MODERN
    torch.set_num_threads(1)
    text, validation = corpus()
    watch = Stopwatch()
    trained, history = train_tales_model(text, kind.settings, sizes=kind.sizes)
    sys.stdout.write(f"{watch.report(trained.model, history)}\n{report(trained, validation)}\n")
    ours = validation_loss(trained.model, trained.encode(validation))
    if not chosen.check:
        trained.save(kind.file, {"recipe": recipe(text, validation, kind), "validation_loss": ours})
        say_written(kind.file)
        return 0
    written = kind.load()
    theirs = validation_loss(written.model, written.encode(validation))
    sys.stdout.write(f"validation loss {ours:.3f}, of the written language model {theirs:.3f}\n")
    return 0 if abs(ours - theirs) <= 0.03 else 1


if __name__ == "__main__":
    sys.exit(main())
