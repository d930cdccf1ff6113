"""What an exercise tries answers on: arguments, what they have that is special, and what should come back."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Result:
    """One thing that an answer returns: its name, and its shape in the course's letters.

    >>> Result("the heads", "B, H, T, d_k").name
    'the heads'
    """

    name: str
    shape: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """Arguments to try an answer on, and what is special about them. The mask is also the last of the arguments."""

    arguments: tuple[Any, ...]
    having: tuple[str, ...] = ()
    mask: Tensor | None = None

    @property
    def in_float64(self) -> bool:
        """Whether any tensor is float64: an answer that fails for this reason alone passes, with a remark."""
        return any(isinstance(argument, Tensor) and argument.dtype == torch.float64 for argument in self.arguments)


def case(*arguments: Any, mask: Tensor | None = None, having: tuple[str, ...] = ()) -> Case:
    """Make a case: `case(query, key, value, mask=mask, having=("a batch", "a mask"))`.

    Answers are called with positional arguments, since a learner may name them as they like. A mask (`True` = may
    attend) goes in after the others.
    """
    return Case(arguments if mask is None else (*arguments, mask), having, mask)


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Make numbers between -2 and 2 that look random and are the same on every machine.

    >>> numbers(3)
    tensor([1.4400, 1.1000, 0.1900])
    """
    state, values = seed + 1, []
    for _ in range(torch.Size(shape).numel()):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        values.append((state >> 12) % 401 / 100 - 2)
    return torch.tensor(values, dtype=dtype).reshape(shape)
