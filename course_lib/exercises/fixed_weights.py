"""Give a learner's class fixed weights, whatever their names are and however they are divided into tensors.

The values of a weight depend only on its shape. So it does not matter which of several matrices of one shape is which,
nor whether three projections are three matrices or one: only how the class uses them.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.adapters import Adapter
from course_lib.exercises.cases import fixed_tensor
from course_lib.exercises.outcomes import NO_GRADIENT

NO_DROPOUT = "But nothing is dropped while it trains: put `nn.Dropout(dropout)` on what each sublayer writes."


def forward(module: nn.Module, *inputs: Any) -> tuple[Any, ...]:
    """Send inputs through a module."""
    return (module(*inputs),)


def with_fixed_weights(
    constructor_arguments: int,
    block: int,
    uncounted_sizes: tuple[int, ...] = (),
    call: Callable[..., tuple[Any, ...]] = forward,
) -> Adapter:
    """Adapt a class so that it is called as a function: its first arguments go to `__init__`, the others to `call`.

    The adapted function returns the module's output and the number of weights in the matrices on which that output
    depends. The count reveals two layers that share their weights, a matrix that is never used, and layers that torch
    does not register.

    Random numbers start from the same seed in each call, and dropout is off. Calls with the same sizes use the same
    module.

    Args:
        constructor_arguments: how many arguments `__init__` takes.
        block: the width of a head, d_k, or of a token where there are no heads. A matrix whose sides are multiples of
            it repeats one block of numbers, so that its rows may be divided and ordered in any way.
        uncounted_sizes: matrices with a side of such a length are not counted. They are embeddings, which may be
            shared or not.
        call: takes the module and the remaining arguments, and returns the outputs.
    """

    def adapt(answer: Any) -> Callable[..., Any]:
        @cache  # making modules takes most of the time
        def make(sizes: tuple[Any, ...], dtype: torch.dtype) -> nn.Module:
            return _make_with_fixed_weights(answer, sizes, block, dtype)

        def function(*arguments: Any) -> tuple[Any, ...]:
            sizes, inputs = arguments[:constructor_arguments], arguments[constructor_arguments:]
            with torch.random.fork_rng([]):
                module = make(sizes, _dtype_of(inputs))
                torch.default_generator.manual_seed(0)
                outputs = call(module, *inputs)
            counted = [
                each for each in module.parameters() if each.dim() > 1 and not set(each.shape) & set(uncounted_sizes)
            ]
            return *outputs, _count_used(outputs[0], counted)

        return function

    return adapt


def drops_in_training(constructor_arguments: int, block: int) -> Callable[[Any, tuple[Any, ...]], str]:
    """Make a further check: that a class gives another output in training than in evaluation, because of dropout."""

    def missing_dropout(answer: Any, arguments: tuple[Any, ...]) -> str:
        sizes, inputs = arguments[:constructor_arguments], arguments[constructor_arguments:]
        with torch.random.fork_rng([]), torch.no_grad():
            module = _make_with_fixed_weights(answer, sizes, block, _dtype_of(inputs))
            in_evaluation = module(*inputs)
            in_training = module.train()(*inputs)
        return NO_DROPOUT if torch.equal(in_evaluation, in_training) else ""

    return missing_dropout


def _make_with_fixed_weights(answer: Any, sizes: tuple[Any, ...], block: int, dtype: torch.dtype) -> nn.Module:
    """Make an instance of a class in evaluation mode, with fixed weights."""
    torch.default_generator.manual_seed(0)
    module: nn.Module = answer(*sizes)
    everything = nn.ModuleList([module, *_layers_in_plain_lists(module)])
    set_fixed_weights(everything, block)
    everything.to(dtype).eval()
    return module


def _dtype_of(inputs: Sequence[Any]) -> torch.dtype:
    """The dtype of the first floating-point input; float32 if there are only ids."""
    for each in inputs:
        if isinstance(each, Tensor) and each.is_floating_point():
            return each.dtype
    return torch.float32


def _layers_in_plain_lists(module: nn.Module) -> list[nn.Module]:
    """The layers that torch does not register, because they are in a plain Python list."""
    values = [value for each in module.modules() for value in vars(each).values()]
    lists = [value for value in values if isinstance(value, (list, tuple))]
    return [layer for layers in lists for layer in layers if isinstance(layer, nn.Module)]


def _count_used(output: Any, matrices: Sequence[Tensor]) -> int:
    """How many weights of the matrices the first feature of an output depends on."""
    if not matrices or not isinstance(output, Tensor):
        return 0
    try:
        gradients = torch.autograd.grad(output[..., 0].sum(), matrices, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        raise RuntimeError(NO_GRADIENT) from error
    return sum(int(each.count_nonzero()) for each in gradients if each is not None)


@torch.no_grad()
def set_fixed_weights(module: nn.Module, block: int) -> None:
    """Give each parameter values that depend on its shape.

    Matrices are set as `with_fixed_weights` describes, gains (which start as 1) to values near 1, and the others to 0.
    A matrix and its transpose get the same values, since a learner may multiply from either side.
    """
    for parameter in module.parameters():
        if parameter.dim() > 1:
            parameter.copy_(_matrix_of_heads(parameter.shape, block))
        elif bool((parameter == 1).all()):
            parameter.copy_(1 + fixed_tensor(len(parameter), seed=7) / 4)
        else:
            parameter.zero_()


def _matrix_of_heads(shape: torch.Size, block: int) -> Tensor:
    """The values of a weight with two dimensions or more. If it has a dimension for heads, each gets the same matrix.

    The matrix extends over the largest dimension, d_model, and the last of the others, d_k. The rest count heads.
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
        square = fixed_tensor(block, block, seed=3)
        return (square + square.T).repeat(rows // block, columns // block) / 8
    wide = fixed_tensor(min(rows, columns), max(rows, columns), seed=5) / 3
    return wide if rows <= columns else wide.T
