"""The recipe for the translator of everyday sentences: learn byte pairs, train, measure, and write its file.

    python -m course_lib.recipes.train_sentence_translator --minutes 98 --out FIRST
    python -m course_lib.recipes.train_sentence_translator --minutes 90 --out FILE \\
        --start FIRST --dropout 0.15 --rate 8e-4

The first training needs no dropout, since sentences hardly repeat at first. At its end the model knows much of them by
heart: the second one, with dropout, lets it learn more from the same sentences. Each trains on one thread; two cores
train in half the time with `python -m course_lib.learning.parallel --processes 2
course_lib/recipes/train_sentence_translator.py` in place of the beginning. With `--checkpoint FILE` a training keeps
what it has learned, and continues from there. Progress goes to standard error.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from course_lib.data import fetch, grammar, translations
from course_lib.data.translations import SentencePair, Source
from course_lib.learning import parallel
from course_lib.learning.parallel import several_processes
from course_lib.learning.training import History, has_fast_bfloat16, train
from course_lib.pretrained.recorded_runs import made_here
from course_lib.pretrained.sentence_translator import (
    MERGES,
    SETTINGS,
    SIZES,
    SentenceTranslator,
    config_of,
    load_sentence_translator,
    task_of,
)
from course_lib.recipes.command import parser_of, say_written
from course_lib.scoring.corpus_bleu import corpus_bleu
from course_lib.text.fast_merges import learn_byte_pairs
from course_lib.text.wording import as_sentence
from course_lib.text.words import join
from course_lib.transformer.build import build_transformer

GRAMMAR_PAIRS = 3_000  # of the course's own sentences, mixed in for words that are rare in everyday sentences
VALIDATED = 1_000


def pairs_to_learn(train_pairs: Sequence[SentencePair]) -> list[SentencePair]:
    """Give what people translated, and some sentences of the grammar corpus written in the same way."""
    own = [
        SentencePair(as_sentence(join(pair.english)), as_sentence(join(pair.french)))
        for pair in grammar.split().train[:GRAMMAR_PAIRS]
    ]
    return [*train_pairs, *own]


def bleu(translator: SentenceTranslator, sources: Sequence[Source], beams: int) -> dict[str, float]:
    """Score translations as sacreBLEU does, with all references and with the first alone."""
    written_out = translator.translate_all([source.english for source in sources], beams)
    return {
        "all references": round(corpus_bleu(written_out, sources), 2),
        "first reference": round(corpus_bleu(written_out, sources, references=1), 2),
    }


def report(history: History, seconds: float) -> str:
    """Say how the training went."""
    return (
        f"{history.steps:,} steps in {seconds / 60:.0f} minutes of processor time, "
        f"loss {sum(history.cross_entropy[-200:]) / 200:.3f} at the end, on validation {history.validation[-1]:.3f}"
    )


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    parser = parser_of("train_sentence_translator", __doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long to train (60)")
    parser.add_argument("--checkpoint", type=Path, help="a file for what was learned so far")
    parser.add_argument("--start", type=Path, help="a translator to start from, written by an earlier run")
    parser.add_argument("--dropout", type=float, default=SIZES["dropout"], help="share of each vector set to 0 (0)")
    parser.add_argument("--rate", type=float, default=SETTINGS.learning_rate, help="the highest learning rate")
    parser.add_argument("--out", type=Path, required=True, help="where to write the translator")
    words = parser.parse_args()
    torch.set_num_threads(1)
    fetch("translations")
    with several_processes() as number:
        translator, recipe, said = learn(words.minutes, words.start, words.dropout, words.rate, words.checkpoint)
    if number == 0:
        scores = {f"{beams} beams": bleu(translator, translations.split().test, beams) for beams in (1, 4)}
        translator.save(words.out, {**recipe, "BLEU": scores})
        sys.stdout.write(f"{said}\n{scores}\n")
        say_written(words.out)
    return 0


def learn(
    minutes: float, start: Path | None, dropout: float, learning_rate: float, checkpoint: Path | None
) -> tuple[SentenceTranslator, dict[str, Any], str]:
    """Train a translator for so many minutes.

    Takes the file of another one to start from, or None, the share of dropout, the highest learning rate, and a file
    for what was learned so far, or None. Returns the translator, how it was trained, and the same in a sentence.
    """
    split = translations.split()
    pairs = pairs_to_learn(split.train)
    before: dict[str, Any] = {}
    torch.manual_seed(SETTINGS.seed)
    if start:
        started_from = load_sentence_translator(start)
        tokenizer, before = started_from.tokenizer, {"started from": started_from.recipe}
        model = build_transformer(replace(config_of(tokenizer), dropout=dropout))
        model.load_state_dict(started_from.model.state_dict())
    else:
        tokenizer = learn_byte_pairs((text for pair in pairs for text in (pair.english, pair.french)), MERGES)
        model = build_transformer(replace(config_of(tokenizer), dropout=dropout))
    validation = [SentencePair(source.english, source.references[0]) for source in split.validation[:VALIDATED]]
    task = task_of(pairs, validation, tokenizer, SIZES["max_length"])
    batch_tokens = SETTINGS.batch_tokens * parallel.count()
    bfloat16 = SETTINGS.bfloat16 and has_fast_bfloat16(torch.device("cpu"))
    settings = replace(
        SETTINGS,
        seconds=60 * minutes,
        learning_rate=learning_rate,
        validate_every=500,
        batch_tokens=batch_tokens,
        bfloat16=bfloat16,
    )
    sys.stderr.write(f"{len(task.examples):,} pairs, {sum(p.numel() for p in model.parameters()):,} parameters\n")
    began = time.process_time()
    history = train(model, task, settings, device="cpu", checkpoint=checkpoint)
    took = (time.process_time() - began) * parallel.count()
    recipe = {
        "settings": asdict(settings),
        "dropout": dropout,
        "pairs": len(task.examples),
        "steps": history.steps,
        "processes": parallel.count(),
        "processor minutes": round(took / 60, 1),
        "validation": [round(loss, 4) for loss in history.validation],
        **made_here(),
        "data": "Tatoeba (tatoeba.org) by way of manythings.org/anki, 2017-09-29, CC BY 2.0 FR",
        **before,
    }
    return SentenceTranslator(model, tokenizer), recipe, report(history, took)


if __name__ == "__main__":
    sys.exit(main())
