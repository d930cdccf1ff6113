"""What is to be predicted, and how wrong a prediction is. Built by hand in notebooks 06 and 07."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from course_lib.text.words import PAD

IGNORE = -100
"""The label of a position that does not count: padding, or a word that nobody is asked to guess."""


def translation(model: nn.Module, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Predict each target token from the source and the right target tokens before it ("teacher forcing").

    Takes an encoder–decoder, source ids (B, S), and target ids (B, T + 1) from [bos] to [eos]. Returns logits (B, T, V)
    and labels (B, T), which are the target moved by one: Vaswani et al. 2017, arXiv:1706.03762, section 3.1.
    """
    return next_token(lambda ids: model(source, ids), target)


def next_token(model: Callable[[Tensor], Tensor], ids: Tensor, pad: int | None = PAD) -> tuple[Tensor, Tensor]:
    """Predict each token from those before it.

    Takes a language model, ids (B, T + 1), and the id that does not count as a label (None: every id counts). Returns
    logits (B, T, V) and labels (B, T).
    """
    labels = ids[:, 1:]  # (B, T)
    return model(ids[:, :-1]), labels if pad is None else labels.masked_fill(labels == pad, IGNORE)


def cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """How surprised the model is by the right tokens, in nats, averaged over the labels that count.

        plain = -ln p(label),  smoothed = (1 - ε) plain + ε · mean over all V tokens of -ln p(token)

    Szegedy et al. 2016, arXiv:1512.00567, section 7: the share ε is spread over all V tokens, the right one among them,
    as torch's own `label_smoothing` does it.

    Takes logits (..., V) and labels (...); labels that are `IGNORE` count in neither. Returns smoothed and plain.
    """
    log_p = logits.log_softmax(dim=-1)  # (..., V)
    counts = labels != IGNORE
    total = counts.sum().clamp(min=1)
    right = log_p.gather(-1, labels.masked_fill(~counts, 0)[..., None]).squeeze(-1)  # (...)
    plain = -(right * counts).sum() / total
    even = -(log_p.mean(dim=-1) * counts).sum() / total
    return (1 - label_smoothing) * plain + label_smoothing * even, plain


def smoothed_loss_floor(vocabulary: int, label_smoothing: float) -> float:
    """The least that the smoothed loss can be: the entropy of the smoothed labels, in nats.

    >>> round(smoothed_loss_floor(1000, 0.1), 3)
    1.015
    """
    right, wrong = 1 - label_smoothing + label_smoothing / vocabulary, label_smoothing / vocabulary
    return -sum(count * p * math.log(p) for count, p in ((1, right), (vocabulary - 1, wrong)) if p > 0)
