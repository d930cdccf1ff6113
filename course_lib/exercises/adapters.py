"""Adapters: how an answer is called with a case's arguments, and which part of its result is compared.

An adapter takes an answer, a function or class as the learner wrote it, and returns a function of a case's arguments.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Adapter = Callable[[Any], Callable[..., Any]]

STANDS_FOR_MINUS_INFINITY = -1e8  # for any logit below


def call_directly(answer: Any) -> Callable[..., Any]:
    """Call a function itself. Of a class, make and call an instance, so that errors in `__init__` are caught too."""
    if isinstance(answer, type):
        return lambda *arguments: answer()(*arguments)
    function: Callable[..., Any] = answer
    return function


def wrap_in_tuple(answer: Any) -> Callable[..., Any]:
    """Return a single number that is trained, such as a loss, in a tuple, as adapted classes do."""

    def function(*arguments: Any) -> Any:
        value = call_directly(answer)(*arguments)
        return None if value is None else (value,)

    return function


def compare_as_distribution(answer: Any) -> Callable[..., Any]:
    """Compare the probabilities that logits give, so that a constant may be added to all, or −1e9 stand for −∞.

    It does so too where nothing is left of a row: its probabilities are NaN.
    """

    def function(*arguments: Any) -> Any:
        logits = call_directly(answer)(*arguments)
        if isinstance(logits, Tensor) and logits.is_floating_point():
            return logits.masked_fill(logits < STANDS_FOR_MINUS_INFINITY, -torch.inf).softmax(dim=-1)
        return logits

    return function
