"""Inputs shared by several exercises of notebook 07."""

from torch import Tensor

from course_lib.exercises.cases import fixed_tensor


def target_and_memory(B: int, T: int, S: int, d_model: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Vectors of target tokens (B, T, d_model) and a memory (B, S, d_model)."""
    return fixed_tensor(B, T, d_model, seed=seed), fixed_tensor(B, S, d_model, seed=seed + 1)
