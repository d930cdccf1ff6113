"""Inputs shared by several exercises of notebook 02."""

import torch
from torch import Tensor

from course_lib.exercises.cases import fixed_tensor

NUMBERED = torch.arange(12.0).reshape(1, 3, 4)


def tokens(B: int, T: int, S: int, d_model: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Query (B, T, d_model), key (B, S, d_model) and value (B, S, d_model)."""
    return tuple(fixed_tensor(B, length, d_model, seed=seed + i) for i, length in enumerate((T, S, S)))
