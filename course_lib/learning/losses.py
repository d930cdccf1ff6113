"""What a model has to predict, and how wrong its predictions are. Built by hand in notebooks 06 and 07."""

import math
from collections.abc import Callable

from torch import Tensor, nn

IGNORE = -100
"""The label of a position that does not count: padding, or a token that the model need not guess."""


def translation(model: nn.Module, source: Tensor, target: Tensor, *, pad: int | None) -> tuple[Tensor, Tensor]:
    """Predict each target token from the source and the correct target tokens before it ("teacher forcing").

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1.

    Args:
        model: an encoder–decoder.
        source: ids (B, S).
        target: ids (B, T + 1), each row from the id that begins a text to the one that ends it.
        pad: the id that fills up shorter targets, and that is no label; None: every id is one.

    Returns:
        Logits (B, T, V), and labels (B, T): the target shifted by one.
    """
    return next_token(lambda ids: model(source, ids), target, pad=pad)


def next_token(model: Callable[[Tensor], Tensor], ids: Tensor, *, pad: int | None = None) -> tuple[Tensor, Tensor]:
    """Predict each token from those before it.

    Args:
        model: a language model, from ids (B, T) to logits (B, T, V).
        ids: texts of the same length, or filled up to it, (B, T + 1).
        pad: the id that fills up shorter texts, and that is no label; None: every id is one.

    Returns:
        Logits (B, T, V), and labels (B, T): the texts shifted by one.
    """
    labels = ids[:, 1:]  # (B, T)
    return model(ids[:, :-1]), labels if pad is None else labels.masked_fill(labels == pad, IGNORE)


def cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Measure how surprised the model is by the correct tokens, in nats, averaged over the labels that count.

        plain = -ln p(label),  smoothed = (1 - ε) plain + ε · mean over all V tokens of -ln p(token)

    Szegedy et al. 2016, arXiv:1512.00567, section 7: the share ε is spread over all V tokens, the correct one included,
    as in torch's own `label_smoothing`.

    Takes logits (..., V) and labels (...), of which those that equal `IGNORE` do not count. Returns the smoothed and
    the plain cross-entropy.
    """
    log_p = logits.log_softmax(dim=-1)  # (..., V)
    counts = labels != IGNORE
    total = counts.sum().clamp(min=1)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0)[..., None]).squeeze(-1)  # (...)
    plain = -(right * counts).sum() / total
    even = -(log_p.mean(dim=-1) * counts).sum() / total
    return (1 - label_smoothing) * plain + label_smoothing * even, plain


def smoothed_loss_floor(vocabulary: int, label_smoothing: float) -> float:
    """Give the lowest value that the smoothed loss can have: the entropy of the smoothed labels, in nats.

    >>> round(smoothed_loss_floor(1000, 0.1), 3)
    1.015
    """
    right, wrong = 1 - label_smoothing + label_smoothing / vocabulary, label_smoothing / vocabulary
    return -sum(count * p * math.log(p) for count, p in ((1, right), (vocabulary - 1, wrong)) if p > 0)
