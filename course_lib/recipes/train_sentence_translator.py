"""The recipe for the translator of everyday sentences: learn byte pairs, train, measure, and write its file.

    python -m course_lib.recipes.train_sentence_translator --minutes 98 --out FIRST
    python -m course_lib.recipes.train_sentence_translator --minutes 35.5 --start FIRST --dropout 0.15 --rate 8e-4 \\
        --seed 4 --out SECOND
    python -m course_lib.recipes.train_sentence_translator --minutes 35.5 --start FIRST --dropout 0.15 --rate 8e-4 \\
        --seed 5 --out THIRD
    python -m course_lib.recipes.train_sentence_translator --out FOURTH --average SECOND THIRD

The first training run needs no dropout, since sentences hardly repeat at first. At its end the model knows much of them
by heart. So two more, which can run at the same time, continue from there with dropout, each with sentences in an order
of its own, and the mean of their weights is better than either (Wortsman et al. 2022, arXiv:2203.05482). For the file
that ships, the last three commands were repeated, from FOURTH and with the seeds 6 and 7; its first run did not read
the sentences after patterns, which were written later. Each run uses one thread: four hours of it in all. With
`--checkpoint FILE` it keeps what it has learned, and continues from there. Progress goes to standard error.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from course_lib.data import everyday, fetch, grammar, sentence_patterns, translations
from course_lib.data.translations import SentencePair, Source, Split, one_word_away, plain
from course_lib.learning.averaging import average_weights
from course_lib.learning.training import History, TrainingSettings, evaluate, has_fast_bfloat16, train
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
EACH_PATTERN = 12  # sentences after each pattern at most
VALIDATED = 1_000
DATA = "Tatoeba (tatoeba.org) by way of manythings.org/anki, 2017-09-29, CC BY 2.0 FR; the course's own sentences"


def pairs_to_learn(split: Split, seed: int = 0) -> list[SentencePair]:
    """Give what people translated, and sentences of the course's own: of the grammar corpus, and after patterns.

    Takes the division of what people translated, and what the words in the patterns depend on.
    """
    of_grammar = [
        SentencePair(as_sentence(join(pair.english)), as_sentence(join(pair.french)))
        for pair in grammar.split().train[:GRAMMAR_PAIRS]
    ]
    return [*split.train, *of_grammar, *after_patterns(split, seed)]


def after_patterns(split: Split, seed: int = 0) -> list[SentencePair]:
    """Write sentences after the patterns, but none that comes close to a sentence that the translator is judged by.

    What differs by one word at most from one of the everyday sentences, or from a source that is held out, is left out,
    and so is what has the same French.
    """
    written = sentence_patterns.pairs(EACH_PATTERN, seed)
    held = [*split.validation, *split.test]
    known = [*everyday.load(), *(source.english for source in held)]
    close = one_word_away([pair.english for pair in written], known)
    taken = {plain(reference) for source in held for reference in source.references}
    return [pair for pair in written if pair.english not in close and plain(pair.french) not in taken]


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
    parser.add_argument("--seed", type=int, default=SETTINGS.seed, help="of the order of the sentences, and of dropout")
    parser.add_argument("--average", type=Path, nargs="+", help="train nothing, but average these translators")
    parser.add_argument("--out", type=Path, required=True, help="where to write the translator")
    words = parser.parse_args()
    torch.set_num_threads(1)
    fetch("translations")
    if words.average:
        translator, recipe = average(words.average)
    else:
        own = {"seconds": 60 * words.minutes, "learning_rate": words.rate, "seed": words.seed}
        bfloat16 = SETTINGS.bfloat16 and has_fast_bfloat16(torch.device("cpu"))
        settings = replace(SETTINGS, **own, bfloat16=bfloat16, validate_every=500)
        translator, recipe = learn(settings, words.dropout, words.start, words.checkpoint)
    scores = {f"{beams} beams": bleu(translator, translations.split().test, beams) for beams in (1, 4)}
    translator.save(words.out, {**recipe, "BLEU": scores})
    sys.stdout.write(f"{scores}\n")
    say_written(words.out)
    return 0


def average(files: Sequence[Path]) -> tuple[SentenceTranslator, dict[str, Any]]:
    """Average the weights of translators that started from the same one.

    Takes their files. Returns the translator, and how it was made.
    """
    each = [load_sentence_translator(file) for file in files]
    model = each[0].model
    model.load_state_dict(average_weights([one.model.state_dict() for one in each]))
    task = task_of([], held_out(), each[0].tokenizer, SIZES["max_length"])
    recipe = {
        "average of": [one.recipe for one in each],
        "validation": [round(evaluate(model, task), 4)],
        "data": each[0].recipe["data"],
    }
    return SentenceTranslator(model, each[0].tokenizer), recipe


def held_out() -> list[SentencePair]:
    """Give the pairs on which the loss is measured."""
    return translations.with_first_reference(translations.split().validation[:VALIDATED])


def learn(
    settings: TrainingSettings, dropout: float, start: Path | None = None, checkpoint: Path | None = None
) -> tuple[SentenceTranslator, dict[str, Any]]:
    """Train a translator.

    Takes how it is trained, the share of dropout, the file of another translator to start from, and a file for what was
    learned so far, or None. Returns the translator, and how it was made.
    """
    pairs = pairs_to_learn(translations.split(), settings.seed)
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
    task = task_of(pairs, held_out(), tokenizer, SIZES["max_length"])
    sys.stderr.write(f"{len(task.examples):,} pairs, {sum(p.numel() for p in model.parameters()):,} parameters\n")
    began = time.process_time()
    history = train(model, task, settings, device="cpu", checkpoint=checkpoint)
    took = time.process_time() - began
    sys.stderr.write(f"{report(history, took)}\n")
    recipe = {
        "settings": asdict(settings),
        "dropout": dropout,
        "pairs": len(task.examples),
        "steps": history.steps,
        "processor minutes": round(took / 60, 1),
        "validation": [round(loss, 4) for loss in history.validation],
        **made_here(),
        "data": DATA,
        **before,
    }
    return SentenceTranslator(model, tokenizer), recipe


if __name__ == "__main__":
    sys.exit(main())
