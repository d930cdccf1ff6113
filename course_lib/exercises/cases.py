"""What an exercise is written with: cases to try an answer on, known mistakes, and hints."""

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Case:
    """Arguments to try an answer on, and in words what is special about them."""

    arguments: tuple[Any, ...]
    having: tuple[str, ...] = ()

    @property
    def in_float64(self) -> bool:
        """Whether a tensor is float64: an answer that stumbles over that alone passes, with a remark."""
        return any(isinstance(argument, Tensor) and argument.dtype == torch.float64 for argument in self.arguments)

    @property
    def mask(self) -> Tensor | None:
        """The mask among the arguments, `True` = may attend."""
        tensors = (argument for argument in self.arguments if isinstance(argument, Tensor))
        return next((tensor for tensor in tensors if tensor.dtype == torch.bool), None)


@dataclass(frozen=True, repr=False)
class Mistake:
    """A wrong answer that people really give: what it computes, a sentence that names it, and where it was seen."""

    implementation: Any
    message: str
    source: str = ""


def case(*arguments: Any, having: str = "") -> Case:
    """Make a case: `case(x, 0, having="huge numbers, a batch")`."""
    return Case(arguments, tuple(having.split(", ")) if having else ())


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


def paragraphs(text: str) -> tuple[str, ...]:
    """Cut a text at its empty lines, and put each paragraph on one line."""
    return tuple(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def mistakes(*implementations: Any) -> tuple[Mistake, ...]:
    """Known mistakes: what each computes, and in its docstring the sentence that names it, then where it was seen."""
    return tuple(Mistake(each, *paragraphs(each.__doc__)) for each in implementations)
