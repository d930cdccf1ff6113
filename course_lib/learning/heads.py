"""A classifier on an encoder: one vector for a text, and logits for its class.

Fine-tuning puts a new, small *head* on a model that was trained on other texts, and goes on training (Radford et al.
2018; Devlin et al. 2019, arXiv:1810.04805). Built by hand in notebook 12.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


def mean_of_tokens(hidden: Tensor, real: Tensor) -> Tensor:
    """Average the vectors of a text's real tokens, so that padding cannot change the result.

    Reimers and Gurevych 2019, arXiv:1908.10084, section 3.

    Args:
        hidden: a vector for each token, (B, S, d_model).
        real: whether each token is one of the text (`True`) or padding, (B, S).

    Returns (B, d_model). Raises ValueError for shapes that do not fit, or a text without a real token.

    >>> mean_of_tokens(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]]))
    tensor([[2.]])
    """
    if hidden.shape[:-1] != real.shape:
        raise ValueError(
            f"real should say for each token whether it counts, (B, S), but its shape is {tuple(real.shape)} and that "
            f"of hidden {tuple(hidden.shape)}"
        )
    real = real.bool()
    if not real.any(dim=-1).all():
        raise ValueError("a text has no real token, so there is nothing to average")
    kept = hidden.masked_fill(~real[..., None], 0.0)  # (B, S, d_model)
    return kept.sum(dim=-2) / real.sum(dim=-1, keepdim=True)  # (B, d_model)


class ClassifierHead(nn.Module):
    """From an encoder's hidden states to the logits of a text's class: the mean of the real tokens, and a linear map.

    Takes the width d_model and the number of classes C.

    >>> ClassifierHead(4, 3)(torch.zeros(2, 5, 4), torch.ones(2, 5, dtype=torch.bool)).shape
    torch.Size([2, 3])
    """

    def __init__(self, d_model: int, classes: int) -> None:
        super().__init__()
        self.output = nn.Linear(d_model, classes)

    def forward(self, hidden: Tensor, real: Tensor) -> Tensor:
        """Hidden states (B, S, d_model) and whether each token is real (B, S) to logits (B, C)."""
        logits: Tensor = self.output(mean_of_tokens(hidden, real))
        return logits


class Classifier(nn.Module):
    """An encoder with a head: token ids (B, S) in, the logits (B, C) of each text's class out.

    Args:
        encoder: from ids (B, S) to hidden states (B, S, d_model), such as `load_encoder().encoder`.
        head: from hidden states and what is real to logits, such as a `ClassifierHead`.
        pad: the id that fills up short texts.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, pad: int) -> None:
        super().__init__()
        self.encoder, self.head, self.pad = encoder, head, pad

    def forward(self, ids: Tensor) -> Tensor:
        """Classify texts: ids (B, S) to logits (B, C)."""
        logits: Tensor = self.head(self.encoder(ids), ids != self.pad)
        return logits


def freeze(model: nn.Module, learn: Iterable[str]) -> int:
    """Freeze a model but for the parts that are named, and count the numbers that still learn.

    Args:
        model: whose parameters are frozen (`requires_grad` becomes False) or set to learn.
        learn: the parts that learn, as `named_parameters` calls them: "head", "layers.5". A parameter belongs to a
            part if its name is the part's, or begins with it and a dot.

    Raises ValueError for a part that the model does not have.

    >>> freeze(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)), ["1"])
    6
    """
    parts = [learn] if isinstance(learn, str) else list(learn)
    named = dict(model.named_parameters())
    for part in parts:
        if not any(name == part or name.startswith(f"{part}.") for name in named):
            known = ", ".join(dict.fromkeys(name.partition(".")[0] for name in named))
            raise ValueError(f"the model has no part {part!r}; its parts are {known}")
    learning = 0
    for name, parameter in named.items():
        parameter.requires_grad = any(name == part or name.startswith(f"{part}.") for part in parts)
        learning += parameter.numel() if parameter.requires_grad else 0
    return learning


def parameter_groups(head: nn.Module, body: nn.Module, head_rate: float, body_rate: float) -> list[dict[str, Any]]:
    """Give a new head and a trained body their own learning rates, for torch's optimizers.

    What is frozen is left out. A body that is all frozen gets no group. Howard and Ruder 2018, arXiv:1801.06146,
    section 3.2, give each layer its own rate.

    Returns a list of groups, each with its parameters under "params" and its rate under "lr".
    """
    groups = [
        {"params": [each for each in part.parameters() if each.requires_grad], "lr": rate}
        for part, rate in ((head, head_rate), (body, body_rate))
    ]
    return [group for group in groups if group["params"]]


def should_stop(losses: list[float], patience: int) -> bool:
    """Whether the last `patience` validation losses were all no better than the best one before them.

    Early stopping (Prechelt 1998). Takes one loss for each check so far, and how many checks without a new lowest loss
    are tolerated. Raises ValueError for a patience below 1.

    >>> should_stop([0.7, 0.5, 0.6, 0.5], patience=2)
    True
    >>> should_stop([0.7, 0.5, 0.6, 0.4], patience=2)
    False
    """
    if patience < 1:
        raise ValueError(f"patience should be 1 or more, but is {patience}")
    if len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])


def leave_one_out(score: Callable[[list[str]], float], words: list[str]) -> Tensor:
    """Measure what each word adds to a score: the score of all words minus the score without that word.

    Li et al. 2016, arXiv:1612.08220. Takes a function from a list of words to a number, and the words of a text.
    Returns (number of words,).

    >>> leave_one_out(lambda words: float(sum(map(len, words))), ["a", "very", "fine"])
    tensor([1., 4., 4.])
    """
    whole = score(list(words))
    return torch.tensor([whole - score([*words[:i], *words[i + 1 :]]) for i in range(len(words))])
