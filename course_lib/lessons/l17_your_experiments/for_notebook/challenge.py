"""The challenge of notebook 17: a translator that is right in 99 % of unseen sentences, trained in the fewest seconds.

The course keeps the clock and draws the test. So nothing counts but the settings and the parts.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
from course_lib.transformer.build import COURSE, Parts

GOAL = 0.99
TEST = 1_000
PAIRS = 20_000
_NOT_HERE = ("start", "examples")

THE_COURSES: dict[str, Any] = {
    **SIZES,
    **{
        name: value
        for name, value in asdict(SETTINGS).items()
        if name not in ("steps", "epochs", "seconds", "seed", "progress", "validate_every")
    },
}
"""The settings of the course's translator, whose time is the mark."""

STEPS_OF_THE_COURSE = 1_600
"""How many steps the course's translator takes, about: six times through the pairs."""


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
        """Whether the goal is reached."""
        return self.right >= GOAL

    def __repr__(self) -> str:
        low, high = wilson_interval(round(self.right * self.tested), self.tested)
        verdict = "It counts." if self.counts else f"The goal is {GOAL:.0%}, so it does not count yet."
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

    Raises ValueError for more pairs, and TypeError or ValueError for settings that a study refuses, or that hand in
    weights.
    """
    if not 1 <= pairs <= PAIRS:
        raise ValueError(f"there are {PAIRS:,} pairs to learn from, but pairs is {pairs}")
    if given := [name for name in _NOT_HERE if name in settings]:
        raise ValueError(f"an attempt starts from chance and learns from the given pairs, so leave out {given[0]}")
    data = translations(train=pairs, test=1)
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
    with one_thread(), torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = data.build(plan.config, plan.parts)
        began = time.process_time()
        history = train(model, data.task, plan.training, device="cpu")
        seconds = time.process_time() - began
    unseen = _unseen(data, tested)
    right = right_translations(
        Trained(model, history, Data(data.task, data.build, data.sizes, {**data.more, "pairs": unseen}), plan.config)
    )
    return Attempt(seconds, right, tested)


def _unseen(data: Data, count: int) -> list[grammar.Pair]:
    """Draw pairs whose English sentence nobody learned from, and all of whose words are known."""
    english, french = data.more["english"], data.more["french"]
    known = {tuple(source) for source, _ in data.task.examples}
    words = set(english.words), set(french.words)

    def is_fair(pair: grammar.Pair) -> bool:
        is_known = words[0].issuperset(pair.english) and words[1].issuperset(pair.french)
        return is_known and tuple(english.encode(pair.english)) not in known

    return grammar.generate(count, seed=random.SystemRandom().randrange(2**31), keep=is_fair)
