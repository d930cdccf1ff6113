"""The cases on which answers are tried: arguments and their special properties, and the results that answers return."""

import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Result:
    """One value that an answer returns.

    Attributes:
        name: a noun phrase, such as "the heads", which can follow "In" and precede "should be".
        shape: its shape in the course's letters, such as "B, H, T, d_k".
        any_precision: whether float64 is accepted in place of float32, as it is for every single number: no part of a
            model computes further with it.
        may_be_plain: whether a plain number is accepted in place of a tensor without axes.
    """

    name: str
    shape: str = ""
    any_precision: bool = False
    may_be_plain: bool = False

    @property
    def definite(self) -> str:
        """The name in a sentence: with an article if it is a word, in code font if it is code.

        >>> [Result(name).definite for name in ("weights", "the heads", "log_probability", "what a head reads")]
        ['the weights', 'the heads', '`log_probability`', 'what a head reads']
        """
        if re.search(r"_|\w\(", self.name):
            return f"`{self.name}`"
        return f"the {self.name}" if self.name.isidentifier() else self.name


@dataclass(frozen=True, eq=False)
class Case:
    """Arguments to try an answer on, and their special properties. A mask is also the last of the arguments.

    A property is what a case has, such as "a mask" or "no mask", or begins with "in which".
    """

    arguments: tuple[Any, ...]
    having: tuple[str, ...] = ()
    mask: Tensor | None = None

    @property
    def in_float64(self) -> bool:
        """Whether any tensor is float64. An answer that fails only because it uses float32 passes, with a remark."""
        return any(isinstance(argument, Tensor) and argument.dtype == torch.float64 for argument in self.arguments)


def case(*arguments: Any, mask: Tensor | None = None, having: tuple[str, ...] = ()) -> Case:
    """Make a case: `case(query, key, value, mask=mask, having=("a batch", "a mask"))`.

    Answers are called with positional arguments, since learners may choose the names. A mask (`True` = may attend) is
    passed after the others.
    """
    return Case(arguments if mask is None else (*arguments, mask), having, mask)


def is_fractional(argument: Any) -> bool:
    """Whether an argument is a tensor of fractions, of any precision."""
    return isinstance(argument, Tensor) and argument.is_floating_point()


def in_float32(argument: Any) -> Any:
    """An argument with its float64 tensors in float32, also those in lists and tuples."""
    return _converted(argument, torch.float64, torch.float32)


def in_float64(argument: Any) -> Any:
    """An argument with its float32 tensors in float64, also those in lists and tuples."""
    return _converted(argument, torch.float32, torch.float64)


def _converted(argument: Any, old: torch.dtype, new: torch.dtype) -> Any:
    if isinstance(argument, Tensor) and argument.dtype == old:
        return argument.to(new)
    if type(argument) in (list, tuple):
        return type(argument)(_converted(each, old, new) for each in argument)
    return argument


def fixed_tensor(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Make a tensor of the given shape, with numbers from -2 to 2 that look random and are the same on every machine.

    >>> fixed_tensor(3)
    tensor([1.4400, 1.1000, 0.1900])
    """
    state, values = seed + 1, []
    for _ in range(torch.Size(shape).numel()):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        values.append((state >> 12) % 401 / 100 - 2)
    return torch.tensor(values, dtype=dtype).reshape(shape)
