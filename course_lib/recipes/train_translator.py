"""The recipe for the translator: train it on the grammar corpus, measure it, and write its file.

Run with `python -m course_lib.recipes.train_translator`. With `--check` it writes nothing, but compares the new
translator with the saved one; the exit status is 1 if fewer than 97 % of their translations agree.
"""

import sys
from collections import Counter
from dataclasses import asdict

from course_lib.data import grammar
from course_lib.data.grammar import Split
from course_lib.learning.losses import smoothed_loss_floor
from course_lib.learning.training import fingerprint
from course_lib.pretrained.translator import FILE, SETTINGS, SIZES, Translator, load_translator, train_translator
from course_lib.recipes.command import Stopwatch, parser_of, say_written
from course_lib.scoring.baselines import word_by_word
from course_lib.scoring.metrics import exact_match


def recipe(split: Split) -> dict[str, object]:
    """Record how a translator is made: settings, sizes, and a fingerprint of the corpus."""
    pairs = [(pair.english, pair.french) for pair in split.train + split.test]
    return {"settings": asdict(SETTINGS), "sizes": SIZES, "corpus": fingerprint(pairs)}


def report(translator: Translator, split: Split) -> str:
    """Report the scores of a translator beside simple baselines."""
    sources, expected = [pair.english for pair in split.test], [pair.french for pair in split.test]
    most_frequent = Counter(pair.french for pair in split.train).most_common(1)[0][0]
    matches = {
        "the translator": translator.translate_words(sources),
        "word by word, with the likeliest French for each": word_by_word(split.train, split.test),
        "always the most frequent French sentence": [most_frequent] * len(expected),
        "chance: the French of another test sentence": expected[1:] + expected[:1],
    }
    lines = [f"exact match on {len(expected):,} unseen sentences"]
    lines += [f"  {exact_match(translations, expected):6.1%}  {name}" for name, translations in matches.items()]
    lines += ["alignment error rate of the cross-attention on them, given the correct French"]
    lines += [f"  {error:6.3f}  {name}" for name, error in translator.alignment_errors(split.test).items()]
    return "\n".join(lines)


def main() -> int:
    """Run the recipe from the command line; returns the exit status."""
    parser = parser_of("train_translator", __doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the written translator")
    check = parser.parse_args().check
    split = grammar.split()
    watch = Stopwatch()
    translator, history = train_translator(split.train)
    floor = smoothed_loss_floor(len(translator.french), SETTINGS.label_smoothing)
    sys.stdout.write(
        f"{watch.report(translator.model, history)}\n"
        f"last loss {history.loss[-1]:.3f}, its floor {floor:.3f}\n{report(translator, split)}\n"
    )
    if not check:
        translator.save(FILE, recipe(split))
        say_written(FILE)
        return 0
    sources = [pair.english for pair in split.test]
    agreement = exact_match(translator.translate_words(sources), load_translator().translate_words(sources))
    sys.stdout.write(f"{agreement:.1%} of the translations are those of the written translator\n")
    return 0 if agreement >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
