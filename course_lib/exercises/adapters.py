"""How an answer is called with a case's arguments, and what of its result is compared.

An adapter takes an answer, a function or class as the learner wrote it, and returns a function of a case's arguments.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor

Adapter = Callable[[Any], Callable[..., Any]]


def as_it_is(answer: Any) -> Callable[..., Any]:
    """Call a function as it is. For a class, make an instance in the call, so that its errors are caught there."""
    if isinstance(answer, type):
        return lambda *arguments: answer()(*arguments)
    function: Callable[..., Any] = answer
    return function


def in_a_tuple(answer: Any) -> Callable[..., Any]:
    """Call a function for a single trained number, such as a loss, and return it in a tuple, as a class's output is."""

    def function(*arguments: Any) -> Any:
        value = as_it_is(answer)(*arguments)
        return None if value is None else (value,)

    return function


def as_a_distribution(answer: Any) -> Callable[..., Any]:
    """Compare the distribution that logits give: they may be shifted by a constant, or have −1e9 for minus infinity."""

    def function(*arguments: Any) -> Any:
        logits = as_it_is(answer)(*arguments)
        if isinstance(logits, Tensor) and logits.is_floating_point():
            return logits.softmax(dim=-1)
        return logits

    return function
