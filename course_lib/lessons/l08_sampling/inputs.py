"""Inputs shared by the exercises on the cache."""

from torch import Tensor

from course_lib.exercises.cases import fixed_tensor

Pair = tuple[Tensor, Tensor]


def earlier_tokens(B: int, H: int, S: int, d_k: int = 4, d_v: int = 4, seed: int = 10) -> Pair:
    """The keys (B, H, S, d_k) and values (B, H, S, d_v) in a cache."""
    return fixed_tensor(B, H, S, d_k, seed=seed), fixed_tensor(B, H, S, d_v, seed=seed + 1)
