"""Inputs shared by the exercises on the cache."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import fixed_tensor

Pair = tuple[Tensor, Tensor]


def earlier_tokens(B: int, H: int, S: int, d_k: int = 4, d_v: int = 4, seed: int = 10) -> Pair:
    """The keys (B, H, S, d_k) and values (B, H, S, d_v) in a cache."""
    return fixed_tensor(B, H, S, d_k, seed=seed), fixed_tensor(B, H, S, d_v, seed=seed + 1)


def output_and_pair(answer: Any, wanted_pair: str) -> Callable[..., Any]:
    """Return the output, the keys and the values in one tuple. `wanted_pair` is said where the answer has no pair."""

    def function(*arguments: Any) -> Any:
        result = call_directly(answer)(*arguments)
        if result is None:
            return None
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError("your code should return two things: `return output, (keys, values)`.")
        output, pair = result
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f"the second thing that your code returns should be {wanted_pair}.")
        return output, *pair

    return function
