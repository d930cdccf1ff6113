"""What several commands share."""

import argparse
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class CommandError(Exception):
    """A command cannot do what it was asked for. The message is one sentence that says why and what to do."""


def shell_command(*words: str) -> str:
    """Give the words that run a command of the course in a terminal, such as `python3 course.py lab`."""
    return " ".join(["py" if os.name == "nt" else "python3", "course.py", *words])


def accept_any_words(parser: argparse.ArgumentParser) -> None:
    """Let a command take as `words` all that follows its name, unchanged, to pass it on to another program."""
    # No word can contain a null character, so none is taken for an option: not even -h, which the other program gets.
    parser.prefix_chars = "\0"
    parser.add_argument("words", nargs=argparse.REMAINDER)
