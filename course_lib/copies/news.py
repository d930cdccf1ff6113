"""Sentences that say that there is something newer than the learner's copies."""

import os
from pathlib import Path

from course_lib.copies import making
from course_lib.text.wording import join_words

COMMAND = f"{'py' if os.name == 'nt' else 'python3'} course.py refresh"


def news() -> list[str]:
    """Say which copies are older than the course's notebooks, and what to do."""
    sentences = []
    if names := making.outdated():
        exists, it = ("a newer version", "it") if len(names) == 1 else ("newer versions", "them")
        sentences.append(f"The course has {exists} of {join_words(names)}: `{COMMAND}` brings your answers into {it}.")
    for name, others in making.successors().items():
        sentences.append(f"{name} is now {join_words(others)}: `{COMMAND}` brings your answers there.")
    return sentences


def news_of(file: Path) -> tuple[str, str] | None:
    """Say that the course has something newer than an open notebook, as a title and a sentence; None if it has not.

    Args:
        file: the notebook's file.
    """
    try:
        if file.suffix != ".ipynb" or file.resolve().parent != making.folder().resolve():
            return None
    except (OSError, RuntimeError, ValueError):  # no path
        return None
    advice = f"Save it, close its tab, and run `{COMMAND} {file.stem}` in a terminal"
    if making.is_outdated(file.stem):
        title, where = "The course has a newer version of this notebook.", "the newer version"
    elif others := making.successors().get(file.stem):
        title = f"This notebook is now {join_words(others)}."
        where = "the new notebook" if len(others) == 1 else "the new notebooks"
    else:
        return None
    return title, f"{advice}. That brings your answers into {where}, and keeps this one in `{making.KEPT}`."
