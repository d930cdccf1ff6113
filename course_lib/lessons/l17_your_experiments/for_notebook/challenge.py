"""The challenge of notebook 17: a translator that is right in 99 % of unseen sentences, trained in the fewest seconds.

The course keeps the clock and draws the test. So nothing counts but the settings and the parts:

- The test is drawn once the training is over, at random, without the sentences that there were to learn from. Nobody
  can learn it by heart, and no part can look at it.
- In each attempt the words are numbered again, at random. A part that brings weights from an earlier training, or the
  grammar itself, therefore reads other words than it knows.
- The clock is processor time, of this process and of those that it started and waited for. It begins before the model
  is built, so that a constructor cannot learn unseen. Putting another function in the place of `time.process_time`
  changes nothing: the clock was taken when this module was loaded.
- What the model knows at the end of the training is all that it knows: if its weights change during the test, the
  attempt is refused.
- It counts with 1,000 sentences or more. One sentence may be right by luck.

This holds for settings and parts. Against code that reaches into the course's own modules, nothing is safe in Python.
"""

import importlib
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from course_lib.data import grammar
from course_lib.experiments.material import Data, translations
from course_lib.experiments.measures import Trained, right_translations
from course_lib.experiments.study import Study
from course_lib.learning.threads import one_thread
from course_lib.learning.training import train
from course_lib.pretrained.translator import SETTINGS, SIZES
from course_lib.scoring.confidence import wilson_interval
from course_lib.text.vocabulary import SPECIALS, Vocabulary
from course_lib.text.words import WordTokenizer
from course_lib.transformer.build import COURSE, Parts

GOAL = 0.99
TEST = 1_000
PAIRS = 20_000
_NOT_HERE = ("start", "examples")
_process_time, _times = time.process_time, os.times
_CHANCE = random.SystemRandom()

THE_COURSES: dict[str, Any] = {
    **SIZES,
    **{
        name: value
        for name, value in asdict(SETTINGS).items()
        if name not in ("steps", "epochs", "seconds", "seed", "progress", "validate_every")
    },
}
"""The settings of the course's translator, whose time is the mark."""

STEPS_OF_THE_COURSE = 2_400
"""How many steps the mark takes: a little more than six times through the pairs, as the course's translator."""


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        seconds: of processor time in training, on one thread.
        right: the share of unseen sentences that are translated exactly right.
        tested: how many sentences that were.
    """

    seconds: float
    right: float
    tested: int

    @property
    def counts(self) -> bool:
        """Whether the goal is reached, with enough sentences."""
        return self.right >= GOAL and self.tested >= TEST

    def __repr__(self) -> str:
        low, high = wilson_interval(round(self.right * self.tested), self.tested)
        verdict = "It counts." if self.counts else f"The goal is {GOAL:.0%}, so it does not count yet."
        if self.right >= GOAL and not self.counts:
            verdict = f"It counts only with {TEST:,} sentences or more."
        return (
            f"{self.seconds:.0f} s of training, {self.right:.1%} of {self.tested:,} unseen sentences right "
            f"(true share between {low:.1%} and {high:.1%}). {verdict}"
        )


def attempt(
    settings: Mapping[str, Any], *, steps: int, parts: Parts = COURSE, pairs: int = PAIRS, tested: int = TEST
) -> Attempt:
    """Train a translator with these settings, time it, and test it on sentences that nobody has seen before.

    Args:
        settings: of the model and the training, as a study has them; parts of your own too.
        steps: how long it trains.
        parts: what the model is built from.
        pairs: how many pairs there are to learn from, at most 20,000.
        tested: how many sentences are tested. Each attempt draws others.

    Raises ValueError for more pairs, for a test of nothing, and for a model that learns during its test; TypeError or
    ValueError for settings that a study refuses, or that hand in weights; KeyboardInterrupt where it is interrupted.
    """
    for name, value, most in (("pairs", pairs, PAIRS), ("tested", tested, PAIRS)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} should be a number of sentences from 1 to {most:,}, but is {value!r}")
    if given := [name for name in _NOT_HERE if name in settings]:
        raise ValueError(f"an attempt starts from chance and learns from the given pairs, so leave out {given[0]}")
    data = _renumbered(translations(train=pairs, test=1))
    study = Study(
        name="challenge",
        question="How fast?",
        data=data,
        settings=settings,
        variants={"mine": {}},
        steps=steps,
        parts=parts,
    )
    plan = study.plans()["mine"]
    importlib.import_module("torch._dynamo")  # the first optimizer loads it, for which no attempt should pay
    with one_thread(), torch.random.fork_rng([]):
        torch.manual_seed(0)
        began = _seconds()
        model = data.build(plan.config, plan.parts)
        history = train(model, data.task, plan.training, device="cpu").or_stop()
        seconds = _seconds() - began
    unseen = _unseen(data, tested)
    learned = {name: weight.clone() for name, weight in model.state_dict().items()}
    right = right_translations(Trained(model, history, replace(data, more={**data.more, "pairs": unseen}), plan.config))
    after = model.state_dict()
    if after.keys() != learned.keys() or not all(torch.equal(after[name], learned[name]) for name in learned):
        raise ValueError("the weights changed during the test, but an attempt has to learn before it")
    return Attempt(seconds, right, tested)


def _seconds() -> float:
    """The processor time of this process, and of those that it started and waited for."""
    spent = _times()
    return _process_time() + spent.children_user + spent.children_system


def _renumbered(data: Data) -> Data:
    """The same sentences with other ids: the words of both languages in random order, after the special tokens."""
    english, french = (_shuffled(data.more[name]) for name in ("english", "french"))
    ids = [_new_ids(data.more[name], new) for name, new in (("english", english), ("french", french))]

    def moved(examples: Sequence[Any]) -> list[Any]:
        return [tuple([new[i] for i in old] for new, old in zip(ids, example, strict=True)) for example in examples]

    task = replace(data.task, examples=moved(data.task.examples), validation=moved(data.task.validation))
    return replace(data, task=task, more={**data.more, "english": english, "french": french})


def _shuffled(tokenizer: WordTokenizer) -> WordTokenizer:
    words = [*tokenizer.words]
    _CHANCE.shuffle(words)
    return WordTokenizer(Vocabulary(words))


def _new_ids(old: WordTokenizer, new: WordTokenizer) -> list[int]:
    """For each id of the one tokenizer, that of the other; the special tokens keep theirs."""
    return [*range(len(SPECIALS)), *new.vocabulary.encode(old.words)]


def _unseen(data: Data, count: int) -> list[grammar.Pair]:
    """Draw pairs whose English sentence nobody learned from, and all of whose words are known."""
    english, french = data.more["english"], data.more["french"]
    known = {tuple(source) for source, _ in data.task.examples}
    words = set(english.words), set(french.words)

    def is_fair(pair: grammar.Pair) -> bool:
        is_known = words[0].issuperset(pair.english) and words[1].issuperset(pair.french)
        return is_known and tuple(english.encode(pair.english)) not in known

    return grammar.generate(count, seed=_CHANCE.randrange(2**31), keep=is_fair)
