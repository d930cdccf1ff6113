"""How often an interval sees a difference where there is none, and what counting words would give."""

import math
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from course_lib.experiments import Data
from course_lib.scoring.confidence import interval_of_mean

_TRIALS = 400
_DRAWS = 1_000


def false_alarms(interval: Callable[[Tensor, Tensor], tuple[float, float]], seeds: int) -> tuple[float, float]:
    """Draw the differences of two equal variants again and again, and count how often an interval excludes 0.

    Takes a learner's `bootstrap_interval`, and the number of seeds. Returns the share of false alarms of that interval,
    and that of the course's wider one.
    """
    generator = torch.Generator().manual_seed(seeds)
    picks = torch.randint(seeds, (_DRAWS, seeds), generator=generator)  # (draws, seeds)
    alarms = [0, 0]
    for _ in range(_TRIALS):
        differences = torch.randn(seeds, generator=generator)
        for number, ends in enumerate((interval(differences, picks), interval_of_mean(differences.tolist()))):
            assert ends is not None
            alarms[number] += float(ends[0]) > 0 or float(ends[1]) < 0
    return alarms[0] / _TRIALS, alarms[1] / _TRIALS


def loss_of_frequencies(data: Data) -> float:
    """The loss, in nats per word, of a model that gives each word its share of the training text, and adds one count.

    Takes data for language models, whose examples are single texts.
    """
    counts = Counter(word for (text,) in data.task.examples for word in text[1:])
    total = sum(counts.values()) + (data.sizes["vocabulary"] or 0)
    words = [word for (text,) in data.task.validation for word in text[1:]]
    return -sum(math.log((counts[word] + 1) / total) for word in words) / len(words)
