"""What a study measures of a trained model."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from torch import nn

from course_lib.experiments.material import Data
from course_lib.learning.training import History, evaluate
from course_lib.scoring.metrics import exact_match
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.beam import beam_search
from course_lib.writing.choose import greedy


@dataclass(frozen=True)
class Trained:
    """A model that a study has trained, as its measures see it.

    Attributes:
        model: the model, in evaluation mode.
        history: what happened in its training.
        data: what it learned from.
        config: its sizes and style.
    """

    model: Any
    history: History
    data: Data
    config: TransformerConfig


@dataclass(frozen=True)
class Measure:
    """A function of a trained model, and what is good.

    Args:
        function: takes a `Trained` and returns a number.
        better: whether "lower" or "higher" numbers are better.
        unit: what the number counts, for tables and sentences: "nats", "of the sentences".

    Raises TypeError or ValueError for something else.

    >>> Measure(lambda trained: trained.history.gradient_norm[-1], better="smaller")
    Traceback (most recent call last):
    ...
    ValueError: better should be "lower" or "higher", but is 'smaller'
    """

    function: Callable[[Trained], float]
    better: Literal["lower", "higher"]
    unit: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"a measure should be a function of a trained model, but is {self.function!r}")
        if self.better not in ("lower", "higher"):
            raise ValueError(f'better should be "lower" or "higher", but is {self.better!r}')


def validation_loss(trained: Trained) -> float:
    """The plain cross-entropy of the validation examples after the last step, in nats per label."""
    history = trained.history
    if history.validation_steps and history.validation_steps[-1] == history.steps:
        return history.validation[-1]
    device = next(nn.Module.parameters(trained.model)).device
    return evaluate(trained.model, trained.data.task, device=device)


def right_translations(trained: Trained, beams: int = 1, shortest: int = 1) -> float:
    """The share of the pairs to measure on whose translation is exactly right, from 0 to 1.

    Takes a model trained on `translations`, how many beams to search with (1: greedily), and the fewest words of an
    English sentence that counts. Raises ValueError where no sentence is so long.
    """
    more = trained.data.more
    english, french = more["english"], more["french"]
    pairs = [pair for pair in more["pairs"] if len(pair.english) >= shortest]
    if not pairs:
        raise ValueError(f"there is no sentence of {shortest} words or more")
    sources = [english.encode(pair.english) for pair in pairs]
    ends = {"bos": french.bos, "stop": [french.eos], "pad": english.pad}
    length = max(len(pair.french) for pair in pairs) + 2
    if beams == 1:
        written = greedy(trained.model, sources, length, **ends)
    else:
        written = [found[0].ids for found in beam_search(trained.model, sources, length, beams=beams, **ends)]
    return exact_match([tuple(french.decode_words(ids)) for ids in written], [pair.french for pair in pairs])


LOSS = Measure(validation_loss, "lower", "nats")
"""The loss on examples that nobody learned from, in nats per label."""

RIGHT = Measure(right_translations, "higher", "of the sentences")
"""The share of unseen sentences that are translated exactly right."""


def right_with_beams(beams: int) -> Measure:
    """The same as `RIGHT`, with beam search."""
    return Measure(partial(right_translations, beams=beams), "higher", "of the sentences")


def right_when_long(shortest: int) -> Measure:
    """The same as `RIGHT`, of the sentences with so many words or more."""
    return Measure(partial(right_translations, shortest=shortest), "higher", "of the sentences")
