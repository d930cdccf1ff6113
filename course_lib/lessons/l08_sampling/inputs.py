"""What several exercises of notebook 08 are tried on."""

from torch import Tensor

from course_lib.exercises.cases import numbers

Pair = tuple[Tensor, Tensor]


def old(B: int, H: int, S: int, d_k: int = 4, d_v: int = 4, seed: int = 10) -> Pair:
    return numbers(B, H, S, d_k, seed=seed), numbers(B, H, S, d_v, seed=seed + 1)
