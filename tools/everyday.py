"""Judge the shipped translator, or another, by the everyday sentences.

Run with `python -m tools.everyday [FILE] [--beams 4]`. It lists what is not among the right translations of
`course_lib/data/everyday.toml`, for a person to look at, and counts. Add to that file what is right too.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from course_lib.data import everyday
from course_lib.pretrained.sentence_translator import BEAMS, FILE, SentenceTranslator, load_sentence_translator


def report(translator: SentenceTranslator, beams: int = BEAMS) -> str:
    """List what is near or wrong, with the English sentence, and count the verdicts."""
    sentences = [*everyday.load()]
    texts = translator.translate_all(sentences, beams)
    judged = [(everyday.verdict(*pair), *pair) for pair in zip(sentences, texts, strict=True)]
    counts = Counter(verdict for verdict, _, _ in judged)
    shown = [f"{verdict:5}  {english}  →  {french}" for verdict, english, french in judged if verdict != "right"]
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("right", "near", "wrong"))
    return "\n".join([*shown, f"{total}, of {len(sentences)}"])


def main() -> int:
    """Run the tool from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.everyday", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=FILE, help="a translator (the one that is shipped)")
    parser.add_argument("--beams", type=int, default=BEAMS, help=f"how many beams to search with ({BEAMS})")
    words = parser.parse_args()
    sys.stdout.write(report(load_sentence_translator(words.file), words.beams) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
