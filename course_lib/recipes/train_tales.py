"""The recipe of the language model: trains it on Grimms' tales, measures it, and writes it beside this file.

Run with `python -m course_lib.recipes.train_tales`. With `--check` it writes nothing, and compares the validation loss
of what it has trained with that of what is written; the status is 1 where they are more than 0.03 nats apart.
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from course_lib.data import tales
from course_lib.learning.batches import Example
from course_lib.learning.losses import next_token
from course_lib.learning.training import History, Objective, Task, TrainingSettings, evaluate, fingerprint, train
from course_lib.pretrained.tales_model import FILE, TalesModel, load_tales_model
from course_lib.text.characters import CharacterTokenizer
from course_lib.transformer.models import LanguageModel, TransformerConfig

BLOCK = 64  # characters read at once
STRIDE = 32  # characters from the start of one example to the start of the next
SIZES: dict[str, Any] = dict(
    d_model=128,
    heads=4,
    d_ff=344,
    layers=4,
    max_length=BLOCK,
    dropout=0.0,
    norm_place="pre",
    activation="swiglu",
    positions="rotary",
    bias=False,
    pad=None,
)
SETTINGS = TrainingSettings(
    steps=800,
    learning_rate=3e-3,
    schedule="cosine",
    warmup=50,
    batch_tokens=12 * (BLOCK + 1),
    label_smoothing=0.0,
    betas=(0.9, 0.99),
    weight_decay=0.1,
)


def corpus() -> tuple[str, str]:
    """The text of 49 tales to learn from, and of 5 to be tested on.

    Raises `course_lib.data.DataMissing` where the tales are not on this computer yet.
    """
    split = tales.split()
    return tales.text(split.train), tales.text(split.validation)


def windows(ids: Sequence[int], stride: int = BLOCK) -> list[Example]:
    """Cut a text into examples: `BLOCK` characters to read, and the one after; a last piece too short is left out.

    Takes the characters from one example's start to the next's; by default each character is predicted once.
    """
    return [(ids[start : start + BLOCK + 1],) for start in range(0, len(ids) - BLOCK, stride)]


def learn(
    text: str, settings: TrainingSettings = SETTINGS, objective: Objective = next_token
) -> tuple[TalesModel, History]:
    """Train a new language model on the CPU, best on one thread: `torch.set_num_threads(1)`.

    The same text and settings make the same model, on the same number of threads. Its weights are rounded to half
    precision, as the file keeps them. `objective` is what is learned; one that wraps `next_token` sees the model at
    each step.
    """
    tokenizer = CharacterTokenizer.from_text(text)
    config = TransformerConfig(vocabulary=len(tokenizer), **SIZES)
    task = Task(windows(tokenizer.encode(text), STRIDE), objective)
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.seed)
        model = LanguageModel(config)
        history = train(model, task, settings, device="cpu")
    return TalesModel(model.half().float(), tokenizer), history


def recipe(text: str, validation: str) -> dict[str, object]:
    """What a language model comes from: settings, sizes, and a fingerprint of the corpus."""
    sizes = {**SIZES, "stride": STRIDE}
    return {"settings": asdict(SETTINGS), "sizes": sizes, "corpus": fingerprint([(text, validation)])}


def validation_loss(model: nn.Module, ids: Sequence[int]) -> float:
    """How surprised a model is by a text, in nats a character.

    The text is cut into windows of `BLOCK` characters, and each prediction counts: those at a window's start see one
    character, those at its end `BLOCK`.
    """
    return evaluate(model, Task((), next_token, windows(ids)))


def floor(text: str, read: int) -> float:
    """The least loss on a text, in nats a character, of any model that reads only the last `read` characters.

        H = -Σ count(context, c) / N · ln (count(context, c) / count(context))

    It is the loss of a table counted on that very text, so a table counted on another text is worse.

    >>> round(floor("ababab", read=0) / math.log(2), 3), floor("ababab", read=1)
    (1.0, 0.0)
    """
    spans = Counter(text[i : i + read + 1] for i in range(len(text) - read))
    contexts: Counter[str] = Counter()
    for span, count in spans.items():
        contexts[span[:-1]] += count
    surprise = sum(count * math.log(contexts[span[:-1]] / count) for span, count in spans.items())
    return surprise / spans.total()


def floors(validation: str, characters: int) -> dict[str, float]:
    """What the loss on the validation text is to be compared with."""
    return {
        f"chance: each of {characters} characters as likely": math.log(characters),
        "the least of a model that reads nothing (unigram)": floor(validation, read=0),
        "the least of a model that reads one character (bigram)": floor(validation, read=1),
    }


def report(model: TalesModel, validation: str) -> str:
    """How good a language model is, beside what costs nothing, and how it goes on with a tale."""
    losses = {
        **floors(validation, len(model.characters)),
        "the language model": validation_loss(model.model, model.encode(validation)),
    }
    lines = [f"loss on {len(validation):,} characters of unseen tales, in nats a character"]
    lines += [f"  {loss:6.3f}  {name}" for name, loss in losses.items()]
    return "\n".join([*lines, model.complete("Once upon a time", 160)])


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.recipes.train_tales", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the written language model")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    text, validation = corpus()
    began, worked = time.monotonic(), time.process_time()
    trained, history = learn(text)
    took, worked = time.monotonic() - began, time.process_time() - worked
    sys.stdout.write(
        f"{history.steps:,} steps in {took:.0f} s, {worked:.0f} s of processor time on one thread; "
        f"{sum(p.numel() for p in trained.model.parameters()):,} parameters\n{report(trained, validation)}\n"
    )
    ours = validation_loss(trained.model, trained.encode(validation))
    if not check:
        trained.save(FILE, {"recipe": recipe(text, validation), "validation_loss": ours})
        sys.stdout.write(f"wrote {FILE}, {FILE.stat().st_size / 1e6:.2f} MB\n")
        return 0
    written = load_tales_model()
    theirs = validation_loss(written.model, written.encode(validation))
    sys.stdout.write(f"validation loss {ours:.3f}, of the written language model {theirs:.3f}\n")
    return 0 if abs(ours - theirs) <= 0.03 else 1


if __name__ == "__main__":
    sys.exit(main())
