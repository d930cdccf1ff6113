"""What training computes, in the plain form that notebooks 06 and 07 build; `losses` and `training` run faster ones."""

import torch
from torch import Tensor

from course_lib.learning.losses import IGNORE


def inputs_and_labels(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Split texts into what a language model reads and what it should predict at each position.

    Takes ids (B, T + 1). Returns inputs (B, T), all but the last token, and labels (B, T), all but the first. Built by
    hand in notebook 06.

    >>> inputs_and_labels(torch.tensor([[5, 6, 7]]))
    (tensor([[5, 6]]), tensor([[6, 7]]))
    """
    return ids[:, :-1], ids[:, 1:]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Measure how surprised a model is by the right tokens, in nats, averaged over the labels that count.

        mean of -ln p(label)

    Takes logits (B, T, V) and labels (B, T), of which those that equal `IGNORE` do not count. Returns a scalar. Built
    by hand in notebook 06.

    >>> cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[3, IGNORE]]))  # ln 4
    tensor(1.3863)
    """
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    counts = labels != IGNORE  # (B, T)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)  # (B, T)
    return -right[counts].mean()


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Measure the surprise at labels that give the share epsilon away, evenly to all V tokens.

        mean of -(1 - ε) ln p(label) - ε · (mean over all V tokens of ln p)

    Szegedy et al. 2016, arXiv:1512.00567, section 7; Vaswani et al. 2017, section 5.4. Takes what `cross_entropy`
    takes, and epsilon. Built by hand in notebook 07.

    >>> smoothed_cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[3, IGNORE]]), 0.1)  # ln 4
    tensor(1.3863)
    """
    log_p = torch.log_softmax(logits, dim=-1)  # (B, T, V)
    counts = labels != IGNORE  # (B, T)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)  # (B, T)
    surprise = -(1 - epsilon) * right - epsilon * log_p.mean(dim=-1)  # (B, T)
    return surprise[counts].mean()


def learning_rate(step: int, d_model: int, warmup: int) -> float:
    """The learning rate of 2017: it rises linearly for `warmup` steps, then falls with the root of the step.

        d_model^-0.5 · min(step^-0.5, step · warmup^-1.5)

    Steps count from 1. Vaswani et al. 2017, arXiv:1706.03762, section 5.3, eq. 3. Built by hand in notebook 07.

    >>> round(learning_rate(4000, d_model=512, warmup=4000), 6)
    0.000699
    """
    return float(d_model**-0.5 * min(step**-0.5, step * warmup**-1.5))
