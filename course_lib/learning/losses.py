"""What a model has to predict, and how wrong its predictions are. Built by hand in notebooks 06, 07 and 11."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORE = -100
"""The label of a position that does not count: padding, or a token that the model need not guess."""


def inputs_and_labels(ids: Tensor) -> tuple[Tensor, Tensor]:
    """Split texts into what a language model reads and what it should predict at each position.

    Takes ids (B, T + 1). Returns inputs (B, T), all but the last token, and labels (B, T), all but the first. Built by
    hand in notebook 06.

    >>> inputs_and_labels(torch.tensor([[5, 6, 7]]))
    (tensor([[5, 6]]), tensor([[6, 7]]))
    """
    return ids[:, :-1], ids[:, 1:]


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

    Raises ValueError for texts of a single token, after which there is nothing to predict, or for ids below 0.
    """
    if ids.size(1) < 2:
        raise ValueError(f"a text needs two tokens or more, so that there is one to predict, but has {ids.size(1)}")
    if ids.dtype == torch.bool or (ids.numel() and ids.min() < 0):
        raise ValueError(f"the ids of a text are whole numbers from 0 on, but the smallest is {ids.min().item()}")
    inputs, labels = inputs_and_labels(ids)  # (B, T) each
    return model(inputs), labels if pad is None else labels.masked_fill(labels == pad, IGNORE)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Measure how surprised a model is by the right tokens, in nats, averaged over the labels that count.

        mean of -ln p(label)

    Takes logits (B, T, V) and labels (B, T), of which those that equal `IGNORE` do not count. Returns a scalar. Built
    by hand in notebook 06.

    >>> cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[3, IGNORE]]))  # ln 4
    tensor(1.3863)
    """
    counts = labels != IGNORE  # (B, T)
    log_p = torch.log_softmax(logits[counts], dim=-1)  # (n, V), for the n labels that count
    right = log_p.gather(-1, labels[counts].unsqueeze(-1)).squeeze(-1)  # (n,)
    return -right.mean()


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    """Measure the surprise at labels that give the share epsilon away, evenly to all V tokens.

        mean of -(1 - ε) ln p(label) - ε · (mean over all V tokens of ln p)

    Szegedy et al. 2016, arXiv:1512.00567, section 7; Vaswani et al. 2017, section 5.4. Takes what `cross_entropy`
    takes, and epsilon, from 0 to 1. Built by hand in notebook 07.

    >>> smoothed_cross_entropy(torch.zeros(1, 2, 4), torch.tensor([[3, IGNORE]]), 0.1)  # ln 4
    tensor(1.3863)
    """
    _check_share(epsilon, "epsilon")
    counts = labels != IGNORE  # (B, T)
    log_p = torch.log_softmax(logits[counts], dim=-1)  # (n, V), for the n labels that count
    right = log_p.gather(-1, labels[counts].unsqueeze(-1)).squeeze(-1)  # (n,)
    surprise = -(1 - epsilon) * right  # (n,)
    if epsilon > 0:  # 0 times the mean would be NaN where a token is impossible
        surprise = surprise - epsilon * log_p.mean(dim=-1)  # (n,)
    return surprise.mean()


def masked_lm_loss(hidden: Tensor, labels: Tensor, head: Callable[[Tensor], Tensor]) -> Tensor:
    """Measure how surprised a model is by the hidden tokens, in nats, averaged over those that had to be guessed.

    Devlin et al. 2019, arXiv:1810.04805, section 3.1: unlike in a denoising autoencoder, the rest of the text is not
    predicted. The head, which compares with all V tokens, is called only where a token has to be guessed.

    Takes hidden states (B, T, d_model), labels (B, T), which equal `IGNORE` where nothing has to be guessed, and a head
    that takes hidden states (..., d_model) and returns logits (..., V). Returns a scalar. Built by hand in notebook 11.

    >>> masked_lm_loss(torch.zeros(1, 2, 4), torch.tensor([[3, IGNORE]]), head=lambda hidden: hidden)  # ln 4
    tensor(1.3863)
    """
    guessed = labels != IGNORE  # (B, T)
    log_p = head(hidden[guessed]).log_softmax(dim=-1)  # (n, V), for the n tokens that have to be guessed
    right = log_p.gather(-1, labels[guessed].unsqueeze(-1)).squeeze(-1)  # (n,)
    return -right.mean()


def training_losses(logits: Tensor, labels: Tensor, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Measure `smoothed_cross_entropy` and `cross_entropy` by torch's kernel, which is faster, for the training loop.

    Takes logits (..., V) and labels (...), of which those that equal `IGNORE` do not count; where none counts, both
    losses are 0. Raises ValueError for labels of another shape.
    """
    if logits.shape[:-1] != labels.shape:
        raise ValueError(
            f"there should be one label for each position, {tuple(logits.shape[:-1])} of logits "
            f"{tuple(logits.shape)}, but the labels are {tuple(labels.shape)}"
        )
    logits, labels = logits.flatten(0, -2), labels.flatten()
    count = (labels != IGNORE).sum().clamp(min=1)
    total = F.cross_entropy(logits, labels, ignore_index=IGNORE, label_smoothing=label_smoothing, reduction="sum")
    plain = total.detach()
    if label_smoothing:
        plain = F.cross_entropy(logits.detach(), labels, ignore_index=IGNORE, reduction="sum")
    return total / count, plain / count


def smoothed_loss_floor(vocabulary: int, label_smoothing: float) -> float:
    """Give the lowest value that the smoothed loss can have: the entropy of the smoothed labels, in nats.

    Raises ValueError for a vocabulary below 1, or a smoothing that is not from 0 to 1.

    >>> round(smoothed_loss_floor(1000, 0.1), 3)
    1.015
    """
    _check_share(label_smoothing, "label_smoothing")
    if vocabulary < 1:
        raise ValueError(f"vocabulary should be 1 or more, but is {vocabulary}")
    right, wrong = 1 - label_smoothing + label_smoothing / vocabulary, label_smoothing / vocabulary
    return -sum(count * p * math.log(p) for count, p in ((1, right), (vocabulary - 1, wrong)) if p > 0)


def _check_share(share: float, name: str) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is the share that each label gives away, from 0 to 1, but is {share}")
