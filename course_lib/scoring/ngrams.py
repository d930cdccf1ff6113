"""Language models that count: cheap, without a gradient, and the baselines that a trained model has to beat.

Interpolated n-grams with Witten and Bell's weights: Witten and Bell 1991, "The Zero-Frequency Problem", method C; as
Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling", section 2.4, give it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

Context = tuple[int, ...]


class NGrams:
    """Counts how often each token followed the n − 1 before it, mixed with shorter contexts where these are rare.

        p(w | context) = (count(context, w) + kinds · p(w | shorter context)) / (count(context) + kinds)

    `kinds` is how many different tokens followed the context. Below the empty context comes 1 / V, so that every token
    has some probability.

    Takes the ids to count, n from 1 on, and V. Raises ValueError for an n below 1, or an id that is not below V.

    >>> round(NGrams([0, 1, 0, 1], n=1, vocabulary=2).probability((), 0), 3)
    0.5
    """

    def __init__(self, ids: Sequence[int], n: int, vocabulary: int) -> None:
        if n < 1:
            raise ValueError(f"n should be at least 1, but is {n}")
        if any(not 0 <= i < vocabulary for i in ids):
            raise ValueError(f"ids should be 0 to {vocabulary - 1}, but they run from {min(ids)} to {max(ids)}")
        self.n, self.vocabulary = n, vocabulary
        self.following: defaultdict[Context, Counter[int]] = defaultdict(Counter)
        for end, token in enumerate(ids):
            for length in range(min(n, end + 1)):
                self.following[tuple(ids[end - length : end])][token] += 1
        self.totals = {context: counts.total() for context, counts in self.following.items()}

    def probability(self, context: Sequence[int], token: int) -> float:
        """Give the probability of a token after the last n − 1 of `context`."""
        p = 1 / self.vocabulary
        for length in range(min(self.n, len(context) + 1)):
            seen = tuple(context[len(context) - length :])
            if seen not in self.totals:
                break
            counts = self.following[seen]
            p = (counts[token] + len(counts) * p) / (self.totals[seen] + len(counts))
        return p

    def loss(self, ids: Sequence[int]) -> float:
        """Measure the mean surprise, in nats, at the tokens of a text, each after those before it."""
        reach = self.n - 1
        return -sum(math.log(self.probability(ids[max(0, t - reach) : t], i)) for t, i in enumerate(ids)) / len(ids)
