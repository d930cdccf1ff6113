"""Show sentences that the patterns of a file make, for a person to read.

Run with `python -m tools.patterns [FILE] [--count 60] [--seed 0]`. Without a file, it takes all topics of the course.
"""

import argparse
import random
import sys
from pathlib import Path

from course_lib.data import sentence_patterns
from course_lib.data.sentence_patterns import Topic


def report(topics: list[Topic], count: int, seed: int) -> str:
    """Write a random sample, and count patterns, words and sentences."""
    written = sentence_patterns.pairs(seed=seed, topics=topics)
    sample = random.Random(seed).sample(written, min(count, len(written)))
    shown = [f"{pair.english}  →  {pair.french}" for pair in sample]
    patterns = sum(len(topic.patterns) for topic in topics)
    words = sum(len(group) for topic in topics for group in topic.words.values())
    return "\n".join([*shown, f"{patterns:,} patterns, {words:,} words, {len(written):,} sentences"])


def main() -> int:
    """Run the tool from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.patterns", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="a file of patterns (all of the course's)")
    parser.add_argument("--count", type=int, default=60, help="how many sentences to show (60)")
    parser.add_argument("--seed", type=int, default=0, help="what the choice depends on (0)")
    words = parser.parse_args()
    try:
        topics = [sentence_patterns.read(words.file)] if words.file else sentence_patterns.load()
        sys.stdout.write(report(topics, words.count, words.seed) + "\n")
    except (OSError, ValueError) as error:  # what is no TOML is a ValueError too
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
