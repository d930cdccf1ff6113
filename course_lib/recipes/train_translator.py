"""The recipe of the translator: trains it on the grammar corpus, measures it, and writes it beside this file.

Run with `python -m course_lib.recipes.train_translator`. With `--check` it writes nothing, and compares the answers of
what it has trained with those of what is written; the status is 1 where fewer than 97 % are the same.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

import torch

from course_lib.data import grammar
from course_lib.data.grammar import Pair, Split
from course_lib.learning.losses import smoothed_loss_floor, translation
from course_lib.learning.training import History, Task, TrainingSettings, fingerprint, train
from course_lib.pretrained.translator import FILE, Translator, load_translator
from course_lib.scoring.metrics import Link, alignment_error_rate, alignment_from_weights, exact_match
from course_lib.text.words import WordTokenizer
from course_lib.transformer.models import Transformer, TransformerConfig

SIZES: dict[str, Any] = dict(d_model=64, heads=4, d_ff=128, layers=2, dropout=0.05, max_length=24)
SETTINGS = TrainingSettings(
    epochs=6, learning_rate=5e-3, schedule="cosine", warmup=200, batch_tokens=1024, label_smoothing=0.05
)


def corpus() -> Split:
    """20,000 pairs to learn from, 1,000 to be tested on."""
    return grammar.split(train=20_000, test=1_000, seed=0)


def learn(pairs: list[Pair], settings: TrainingSettings = SETTINGS) -> tuple[Translator, History]:
    """Train a new translator on the CPU. The same pairs and settings make the same translator."""
    english = WordTokenizer.from_sentences(pair.english for pair in pairs)
    french = WordTokenizer.from_sentences(pair.french for pair in pairs)
    examples = [(english.encode(pair.english), [french.bos, *french.encode(pair.french), french.eos]) for pair in pairs]
    task = Task(examples, partial(translation, pad=french.pad), pad=french.pad)
    config = TransformerConfig(vocabulary=len(english), target_vocabulary=len(french), pad=english.pad, **SIZES)
    with torch.random.fork_rng([]), _one_thread():
        torch.manual_seed(settings.seed)
        model = Transformer(config)
        history = train(model, task, settings, device="cpu")
    return Translator(model, english, french), history


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: so sums come out the same everywhere, and matrices this small gain little from more.

    With more threads than free cores, training takes many times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def recipe(split: Split) -> dict[str, object]:
    """What a translator comes from: settings, sizes, and a fingerprint of the corpus."""
    pairs = [(pair.english, pair.french) for pair in split.train + split.test]
    return {"settings": asdict(SETTINGS), "sizes": SIZES, "corpus": fingerprint(pairs)}


def answers(translator: Translator, pairs: list[Pair]) -> list[tuple[str, ...]]:
    """The French words for each pair's English, as the translator has them."""
    return translator.translate_words([pair.english for pair in pairs])


def word_by_word(learned: list[Pair], pairs: list[Pair]) -> list[tuple[str, ...]]:
    """A cheap baseline: each English word becomes what it is most often aligned with, in English order."""
    counts: defaultdict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for pair in learned:
        for i, word in enumerate(pair.english):
            counts[word][tuple(french for j, french in enumerate(pair.french) if (i, j) in pair.alignment)] += 1
    likeliest = {word: found.most_common(1)[0][0] for word, found in counts.items()}
    return [tuple(french for word in pair.english for french in likeliest.get(word, ())) for pair in pairs]


def diagonal(pair: Pair) -> set[Link]:
    """A cheap baseline: each French word is aligned with the English word at the same share of the sentence."""
    steps = max(len(pair.french) - 1, 1)
    return {(round(j * (len(pair.english) - 1) / steps), j) for j in range(len(pair.french))}


def alignment_errors(translator: Translator, pairs: list[Pair]) -> dict[str, float]:
    """The alignment error rate of each cross-attention head, of each layer's average, and of the diagonal."""
    watched = translator.cross_attention([list(pair.english) for pair in pairs], [list(pair.french) for pair in pairs])
    gold = [pair.alignment for pair in pairs]
    errors = {"diagonal": alignment_error_rate([diagonal(pair) for pair in pairs], gold)}
    layers, heads = watched[0].shape[:2]
    for layer in range(layers):
        for head in range(heads):
            links = [alignment_from_weights(weights[layer, head]) for weights in watched]
            errors[f"layer {layer}, head {head}"] = alignment_error_rate(links, gold)
        links = [alignment_from_weights(weights[layer].mean(dim=0)) for weights in watched]
        errors[f"layer {layer}, average"] = alignment_error_rate(links, gold)
    return errors


def report(translator: Translator, split: Split) -> str:
    """How good a translator is, beside what costs nothing."""
    expected = [pair.french for pair in split.test]
    commonest = Counter(pair.french for pair in split.train).most_common(1)[0][0]
    matches = {
        "the translator": answers(translator, split.test),
        "word by word, with the likeliest French for each": word_by_word(split.train, split.test),
        "always the commonest French sentence": [commonest] * len(expected),
        "chance: the French of another test sentence": expected[1:] + expected[:1],
    }
    lines = [f"exact match on {len(expected):,} unseen sentences"]
    lines += [f"  {exact_match(found, expected):6.1%}  {name}" for name, found in matches.items()]
    lines += ["alignment error rate of the cross-attention on them, given the right French"]
    lines += [f"  {error:6.3f}  {name}" for name, error in alignment_errors(translator, split.test).items()]
    return "\n".join(lines)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.recipes.train_translator", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the written translator")
    check = parser.parse_args().check
    split = corpus()
    began, worked = time.monotonic(), time.process_time()
    translator, history = learn(split.train)
    took, worked = time.monotonic() - began, time.process_time() - worked
    floor = smoothed_loss_floor(len(translator.french), SETTINGS.label_smoothing)
    sys.stdout.write(
        f"{history.steps:,} steps in {took:.0f} s, {worked:.0f} s of processor time on one thread; "
        f"{sum(p.numel() for p in translator.model.parameters()):,} parameters\n"
        f"last loss {history.loss[-1]:.3f}, its floor {floor:.3f}\n{report(translator, split)}\n"
    )
    if not check:
        translator.save(FILE, recipe(split))
        sys.stdout.write(f"wrote {FILE}, {FILE.stat().st_size / 1e6:.2f} MB\n")
        return 0
    ours, written = answers(translator, split.test), answers(load_translator(), split.test)
    agreement = exact_match(ours, written)
    sys.stdout.write(f"{agreement:.1%} of the answers are those of the written translator\n")
    return 0 if agreement >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
