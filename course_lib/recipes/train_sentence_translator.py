"""The recipe for the translator of everyday sentences: learn byte pairs, train, measure, and write its file.

Run with `python -m course_lib.recipes.train_sentence_translator --minutes 110 --out FILE`; it trains on one thread.
With `--checkpoint FILE` it keeps what it has learned, and continues from there. Progress goes to standard error.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import sacrebleu
import torch

from course_lib.data import fetch, grammar, translations
from course_lib.data.translations import SentencePair, Source
from course_lib.learning.training import History, train
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
    most = max(len(source.references) for source in sources)
    every: Any = [
        [source.references[k] if k < len(source.references) else None for source in sources] for k in range(most)
    ]
    first = [[source.references[0] for source in sources]]
    return {
        "all references": round(sacrebleu.corpus_bleu(written_out, every).score, 2),
        "first reference": round(sacrebleu.corpus_bleu(written_out, first).score, 2),
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
    parser.add_argument("--out", type=Path, required=True, help="where to write the translator")
    words = parser.parse_args()
    torch.set_num_threads(1)
    fetch("translations")
    split = translations.split()
    pairs = pairs_to_learn(split.train)
    if words.start:
        started_from = load_sentence_translator(words.start)
        tokenizer, model = started_from.tokenizer, started_from.model
    else:
        tokenizer = learn_byte_pairs((text for pair in pairs for text in (pair.english, pair.french)), MERGES)
        torch.manual_seed(SETTINGS.seed)
        model = build_transformer(config_of(tokenizer))
    validation = [SentencePair(source.english, source.references[0]) for source in split.validation[:VALIDATED]]
    task = task_of(pairs, validation, tokenizer, SIZES["max_length"])
    settings = replace(SETTINGS, seconds=60 * words.minutes, validate_every=1000)
    sys.stderr.write(f"{len(task.examples):,} pairs, {sum(p.numel() for p in model.parameters()):,} parameters\n")
    began = time.process_time()
    history = train(model, task, settings, device="cpu", checkpoint=words.checkpoint)
    took = time.process_time() - began
    translator = SentenceTranslator(model, tokenizer)
    scores = {f"{beams} beams": bleu(translator, split.test, beams) for beams in (1, 4)}
    recipe = {
        "settings": asdict(settings),
        "pairs": len(task.examples),
        "steps": history.steps,
        "processor minutes": round(took / 60, 1),
        "validation": [round(loss, 4) for loss in history.validation],
        "BLEU": scores,
        **made_here(),
        "data": "Tatoeba (tatoeba.org) by way of manythings.org/anki, 2017-09-29, CC BY 2.0 FR",
    }
    translator.save(words.out, recipe)
    sys.stdout.write(f"{report(history, took)}\n{scores}\n")
    say_written(words.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
