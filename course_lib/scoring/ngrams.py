"""Language models that count: cheap, without a gradient, and the baselines that a trained model has to beat.

Interpolated n-grams with Witten and Bell's weights: Witten and Bell 1991, "The Zero-Frequency Problem", method C; as
Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling", section 2.4, give it.
"""

import math
import operator
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

Context = tuple[int, ...]


class NGrams:
    """Counts how often each token followed the n − 1 before it, mixed with shorter contexts where these are rare.

        p(w | context) = (count(context, w) + kinds · p(w | shorter context)) / (count(context) + kinds)

    `kinds` is how many different tokens followed the context. Below the empty context comes 1 / V, so that every token
    has some probability.

    Takes the ids to count, a list or a tensor (T,), n from 1 on, and V. Raises ValueError for an n below 1, or an id
    that is not below V; TypeError for ids that are no whole numbers.

    >>> round(NGrams([0, 1, 0, 1], n=1, vocabulary=2).probability((), 0), 3)
    0.5
    """

    def __init__(self, ids: Sequence[int], n: int, vocabulary: int) -> None:
        if n < 1:
            raise ValueError(f"n should be at least 1, but is {n}")
        self.n, self.vocabulary = operator.index(n), operator.index(vocabulary)
        ids = self._checked(ids)
        self.following: defaultdict[Context, Counter[int]] = defaultdict(Counter)
        for end, token in enumerate(ids):
            for length in range(min(n, end + 1)):
                self.following[tuple(ids[end - length : end])][token] += 1
        self.totals = {context: counts.total() for context, counts in self.following.items()}

    def probability(self, context: Sequence[int], token: int) -> float:
        """Give the probability of a token after the last n − 1 of `context`. Raises as the class does."""
        *context, token = self._checked([*context[max(0, len(context) - self.n + 1) :], token])
        return self._probability(context, token)

    def likeliest(self, context: Sequence[int], count: int) -> list[tuple[int, float]]:
        """List the likeliest tokens after the last n − 1 of `context`, each with its probability. Raises as the class.

        >>> NGrams([0, 1, 0, 1, 0, 2], n=2, vocabulary=3).likeliest([0], count=1)[0][0]
        1
        """
        context = self._checked(context[max(0, len(context) - self.n + 1) :])
        p = np.full(self.vocabulary, 1 / self.vocabulary)
        for length in range(len(context) + 1):
            seen = tuple(context[len(context) - length :])
            if seen not in self.totals:
                break
            counts, total = self.following[seen], self.totals[seen]
            kinds = len(counts)
            p = kinds * p / (total + kinds)
            p[list(counts)] += np.array(list(counts.values())) / (total + kinds)
        ranked = np.argsort(-p, kind="stable")[:count]
        return [(int(token), float(p[token])) for token in ranked]

    def _checked(self, ids: Sequence[int]) -> list[int]:
        """Give ids as Python's numbers, by which they are counted: two equal tensors would be two different keys."""
        numbers = list(map(operator.index, ids))
        if any(not 0 <= i < self.vocabulary for i in numbers):
            raise ValueError(
                f"ids should be 0 to {self.vocabulary - 1}, but they run from {min(numbers)} to {max(numbers)}"
            )
        return numbers

    def _probability(self, context: list[int], token: int) -> float:
        p = 1 / self.vocabulary
        for length in range(min(self.n, len(context) + 1)):
            seen = tuple(context[len(context) - length :])
            if seen not in self.totals:
                break
            counts = self.following[seen]
            p = (counts[token] + len(counts) * p) / (self.totals[seen] + len(counts))
        return p

    def loss(self, ids: Sequence[int]) -> float:
        """Measure the mean surprise, in nats, at the tokens of a text, each after those before it.

        Raises ValueError for an empty text, and what the class raises.
        """
        ids = self._checked(ids)
        if not ids:
            raise ValueError("a text without tokens has no loss")
        reach = self.n - 1
        return -sum(math.log(self._probability(ids[max(0, t - reach) : t], i)) for t, i in enumerate(ids)) / len(ids)
