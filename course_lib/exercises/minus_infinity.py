"""Whether logits that should be minus infinity are: the filters' results are compared by the softmax of their logits.

A softmax does not show it, since the probability of a number far below the others is 0 to a computer as well.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.adapters import STANDS_FOR_MINUS_INFINITY, call_directly
from course_lib.text.wording import with_minus_signs


def numbers_for_minus_infinity(logits: Any, expected: Tensor) -> list[float]:
    """The numbers at which logits are where minus infinity is expected; below −1e8, they stand for minus infinity."""
    if not isinstance(logits, Tensor) or logits.shape != expected.shape:
        return []
    dropped = logits[expected == -torch.inf]
    numbers: list[float] = dropped[dropped >= STANDS_FOR_MINUS_INFINITY].tolist()
    return numbers


def dropped_logits_are_finite(reference: Callable[..., Tensor]) -> Callable[[Any, tuple[Any, ...]], str]:
    """A further check of a filter: say that a dropped logit is a finite number in an answer's result; or ""."""

    def further_check(answer: Any, arguments: tuple[Any, ...]) -> str:
        numbers = numbers_for_minus_infinity(call_directly(answer)(*arguments), reference(*arguments))
        if not numbers:
            return ""
        return (
            f"The tokens that stay are the right ones, but a dropped logit is {written(numbers[0])} in your result, "
            "and the logits that stay may be as low as that. Set dropped ones to minus infinity."
        )

    return further_check


def written(number: float) -> str:
    """A number with a minus sign that is one; a large one without decimals.

    >>> written(-10000.0), written(-1.25)
    ('−10,000', '−1.25')
    """
    text = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    return with_minus_signs(text)
