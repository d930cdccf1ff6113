"""The texts of notebook 06, and how a model of single letters writes."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from course_lib.data import DataMissing, grammar, tales
from course_lib.writing.draw import draw_text


@dataclass(frozen=True)
class Texts:
    """A text to train on, another to test on, and a sentence that says what they are."""

    known: str
    unseen: str
    about: str


def known_and_unseen() -> Texts:
    """Give the tales to train on and the others, or sentences made up by the course where the tales are missing.

    Raises DataBroken if the tales' file is damaged.
    """
    try:
        split = tales.split()
    except DataMissing as missing:
        lines = [" ".join(pair.english) for pair in grammar.generate(9000, seed=0)]
        about = f"{missing} Until then, sentences made up by the course take their place."
        return Texts(". ".join(lines[:8000]), ". ".join(lines[8000:]), about)
    about = f"{len(split.train)} tales to train on, {len(split.validation)} others to test on."
    return Texts(tales.text(split.train), tales.text(split.validation), about)


def windows_of(ids: Tensor, length: int) -> Tensor:
    """Cut a text (N,) into rows of `length` tokens and the one after: (windows, length + 1). A rest is left out.

    >>> import torch
    >>> windows_of(torch.arange(7), 2)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return ids[: len(ids) // (length + 1) * (length + 1)].view(-1, length + 1)


def draw_ids(model: Any, ids: list[int], length: int, reads: int, seed: int = 1) -> list[int]:
    """Continue a text, drawing each next token at random according to its probability.

    Takes a model that turns ids (1, T) into logits (1, T, V), which is put into evaluation mode, the beginning, how
    many tokens to add, and how many of the last tokens the model reads. Returns the beginning with what was added.
    """
    model.eval()
    return [*ids, *draw_text(lambda text: model(text[:, -reads:])[0, -1], ids, length, seed=seed)]
