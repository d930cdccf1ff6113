"""Putting the check's own numbers into a learner's class, whatever its weights are called and however they are cut.

The numbers of a weight depend on its shape alone. So it does not matter which of several matrices of one shape is
which, nor whether three projections are three matrices or one: only what is done with them.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.adapters import Adapter
from course_lib.exercises.cases import numbers
from course_lib.exercises.outcomes import NO_GRADIENT

NO_DROPOUT = "But nothing is dropped while it trains: put `nn.Dropout(dropout)` on what each sublayer writes."


def forward(module: nn.Module, *inputs: Any) -> tuple[Any, ...]:
    """Send inputs through a module."""
    return (module(*inputs),)


def filled(
    made_with: int,
    block: int,
    uncounted: tuple[int, ...] = (),
    call: Callable[..., tuple[Any, ...]] = forward,
) -> Adapter:
    """Call a class as a function: its first `made_with` arguments make it, its others go through it.

    What comes back is its output, and how many numbers stand in the weight matrices that the output depends on: two
    layers that share theirs, a matrix that is never used, or layers that torch does not know of, show there.

    Random draws, such as a mistake's own, begin from the same seed in each call, and dropout is off. Calls with the
    same sizes go through the same module.

    Args:
        made_with: how many arguments make the class.
        block: the width of a head, d_k, or of a token where there are no heads. A matrix whose sides are multiples of
            it holds one block of numbers over and over, so that its rows may be cut and ordered in any way.
        uncounted: matrices with a side of such a length are not counted: embeddings, which may be shared or not.
        call: what is done with the module.
    """

    def adapt(answer: Any) -> Callable[..., Any]:
        @cache  # most of the time goes into making modules
        def make(sizes: tuple[Any, ...], dtype: torch.dtype) -> nn.Module:
            return _make_filled(answer, sizes, block, dtype)

        def function(*arguments: Any) -> tuple[Any, ...]:
            sizes, inputs = arguments[:made_with], arguments[made_with:]
            with torch.random.fork_rng([]):
                module = make(sizes, _dtype_of(inputs))
                torch.default_generator.manual_seed(0)
                outputs = call(module, *inputs)
            counted = [each for each in module.parameters() if each.dim() > 1 and not set(each.shape) & set(uncounted)]
            return *outputs, _count_used(outputs[0], counted)

        return function

    return adapt


def drops_in_training(made_with: int, block: int) -> Callable[[Any, tuple[Any, ...]], str]:
    """Check further that a class gives something else in training than in use: that it has dropout."""

    def lacking(answer: Any, arguments: tuple[Any, ...]) -> str:
        sizes, inputs = arguments[:made_with], arguments[made_with:]
        with torch.random.fork_rng([]), torch.no_grad():
            module = _make_filled(answer, sizes, block, _dtype_of(inputs))
            in_use = module(*inputs)
            in_training = module.train()(*inputs)
        return NO_DROPOUT if torch.equal(in_use, in_training) else ""

    return lacking


def _make_filled(answer: Any, sizes: tuple[Any, ...], block: int, dtype: torch.dtype) -> nn.Module:
    """Make a class, and put the check's numbers into it."""
    torch.default_generator.manual_seed(0)
    module: nn.Module = answer(*sizes)
    everything = nn.ModuleList([module, *_layers_in_plain_lists(module)])
    fill(everything, block)
    everything.to(dtype).eval()
    return module


def _dtype_of(inputs: Sequence[Any]) -> torch.dtype:
    """The number type of the first input that holds fractions; float32 where there are only ids."""
    for each in inputs:
        if isinstance(each, Tensor) and each.is_floating_point():
            return each.dtype
    return torch.float32


def _layers_in_plain_lists(module: nn.Module) -> list[nn.Module]:
    """The layers that torch does not know of, since they are kept in a plain Python list."""
    values = [value for each in module.modules() for value in vars(each).values()]
    lists = [value for value in values if isinstance(value, (list, tuple))]
    return [layer for layers in lists for layer in layers if isinstance(layer, nn.Module)]


def _count_used(output: Any, matrices: Sequence[Tensor]) -> int:
    """How many numbers of the matrices reach the first feature of an output."""
    if not matrices or not isinstance(output, Tensor):
        return 0
    try:
        gradients = torch.autograd.grad(output[..., 0].sum(), matrices, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        raise RuntimeError(NO_GRADIENT) from error
    return sum(int(each.count_nonzero()) for each in gradients if each is not None)


@torch.no_grad()
def fill(module: nn.Module, block: int) -> None:
    """Give each parameter numbers by its shape: matrices as `filled` says, gains (which begin as 1) around 1, others 0.

    A matrix and its transpose get the same numbers, since a learner may multiply from either side.
    """
    for parameter in module.parameters():
        if parameter.dim() > 1:
            parameter.copy_(_matrix_of_heads(parameter.shape, block))
        elif bool((parameter == 1).all()):
            parameter.copy_(1 + numbers(len(parameter), seed=7) / 4)
        else:
            parameter.zero_()


def _matrix_of_heads(shape: torch.Size, block: int) -> Tensor:
    """The numbers of a weight with two dimensions or more: of heads that lie apart, each gets the same matrix.

    Its rows and columns are the widest dimension, d_model, and the last of the others, d_k: the others count heads.
    """
    sizes = list(shape)
    while len(sizes) > 2 and 1 in sizes:
        sizes.remove(1)  # such as a batch of one, or a convolution of width 1
    if len(sizes) == 2:
        return _matrix(*sizes, block).reshape(shape)
    widest = sizes.index(max(sizes))
    last = max(axis for axis in range(len(sizes)) if axis != widest)
    rows, columns = sorted((widest, last))
    matrix = _matrix(sizes[rows], sizes[columns], block)
    beside_ones = [size if axis in (rows, columns) else 1 for axis, size in enumerate(sizes)]
    return matrix.reshape(beside_ones).expand(sizes).reshape(shape)


@cache
def _matrix(rows: int, columns: int, block: int) -> Tensor:
    if rows % block == 0 and columns % block == 0:
        square = numbers(block, block, seed=3)
        return (square + square.T).repeat(rows // block, columns // block) / 8
    wide = numbers(min(rows, columns), max(rows, columns), seed=5) / 3
    return wide if rows <= columns else wide.T
