"""Answers through which no gradient passes, where the course trains nothing."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import is_fractional

NO_GRADIENT_PASSES = (
    "No gradient passes through it, because the numbers leave torch's tensors on the way, as by `.tolist()`, "
    "`.item()`, `.numpy()` or `.detach()`. This notebook trains nothing through it, but a model that uses it cannot be "
    "trained."
)


def remark_on_gradient(*arguments: Any) -> Callable[[Any], str]:
    """Make the remark of an exercise on right answers through which no gradient passes. Takes the arguments of a call.

    >>> remark_on_gradient(Tensor([1.0, 2.0]))(lambda x: x * 2)
    ''
    """

    def remark(answer: Any) -> str:
        inputs = [each.clone().requires_grad_() if is_fractional(each) else each for each in arguments]
        try:
            result = call_directly(answer)(*inputs)
        except RuntimeError:  # torch refuses to turn a tensor that is learned into one of numpy's
            return NO_GRADIENT_PASSES
        return "" if isinstance(result, Tensor) and result.requires_grad else NO_GRADIENT_PASSES

    return remark
