"""Putting the check's own numbers into a learner's class, whatever its weights are called and however they are cut.

Each weight gets numbers that hang on its shape alone. So it does not matter which of several matrices of one shape is
which, nor whether three projections are three matrices or one: only what is done with them.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import numbers
from course_lib.exercises.exercise import as_it_is
from course_lib.exercises.outcomes import NO_GRADIENT


def forward(module: nn.Module, *inputs: Any) -> tuple[Any, ...]:
    """Send inputs through a module."""
    return (module(*inputs),)


def in_a_tuple(answer: Any) -> Callable[..., Any]:
    """Call a function for a number that is trained, such as a loss, and hand it out as a class's output is."""

    def function(*arguments: Any) -> Any:
        value = as_it_is(answer)(*arguments)
        return None if value is None else (value,)

    return function


NO_DROPOUT = "But nothing is dropped while it trains: put `nn.Dropout(dropout)` on what each sublayer writes."


def filled(
    made_with: int,
    block: int,
    uncounted: tuple[int, ...] = (),
    call: Callable[..., tuple[Any, ...]] = forward,
    drops: bool = False,
) -> Callable[[Any], Callable[..., Any]]:
    """Call a class as a function: its first `made_with` arguments make it, its others go through it.

    What comes back is its output, and how many numbers stand in the weight matrices that it hangs on: two
    layers that share theirs, a matrix that is never used, or layers that torch does not know of, show there. `block`
    is the width of a head, d_k, or of a token where there are no heads; a matrix whose sides are multiples of it holds
    one block of numbers over and over, so that its rows may be cut and ordered in any way. Matrices with a side of an
    `uncounted` length are not counted, such as embeddings, which may be shared or not. `call` says what is done with
    the module. One that `drops` has to give something else in training: it is asked where a gradient is.

    Random draws, such as a mistake's own, begin from the same seed in each call, and dropout is off. Calls with the
    same sizes go through the same module.
    """

    def adapt(answer: Any) -> Callable[..., Any]:
        @cache  # most of the time goes into making modules
        def make(sizes: tuple[Any, ...], dtype: torch.dtype) -> nn.Module:
            torch.default_generator.manual_seed(0)
            module: nn.Module = answer(*sizes)
            everything = nn.ModuleList([module, *_in_plain_lists(module)])
            fill(everything, block)
            everything.to(dtype).eval()
            return module

        def function(*arguments: Any) -> tuple[Any, ...]:
            inputs = arguments[made_with:]
            fractions = [x.dtype for x in inputs if isinstance(x, Tensor) and x.is_floating_point()]
            with torch.random.fork_rng([]):
                module = make(arguments[:made_with], fractions[0] if fractions else torch.float32)
                torch.default_generator.manual_seed(0)
                found = call(module, *inputs)
                if drops and any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
                    in_training = call(module.train(), *inputs)
                    module.eval()
                    if torch.equal(in_training[0], found[0]):
                        raise Warning(NO_DROPOUT)
            matrices = [each for each in module.parameters() if each.dim() > 1 and not {*each.shape} & {*uncounted}]
            return *found, _hangs_on(found[0], matrices)

        return function

    return adapt


def _in_plain_lists(module: nn.Module) -> list[nn.Module]:
    """The layers that torch does not know of, since they are kept in a plain Python list."""
    values = [value for each in module.modules() for value in vars(each).values()]
    lists = [value for value in values if isinstance(value, (list, tuple))]
    return [layer for layers in lists for layer in layers if isinstance(layer, nn.Module)]


def _hangs_on(output: Any, matrices: Sequence[Tensor]) -> int:
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
            parameter.copy_(_of_heads(parameter.shape, block))
        elif bool((parameter == 1).all()):
            parameter.copy_(1 + numbers(len(parameter), seed=7) / 4)
        else:
            parameter.zero_()


def _of_heads(shape: torch.Size, block: int) -> Tensor:
    """The numbers of a weight with two dimensions or more: of heads that lie apart, each gets the same matrix.

    Its rows and columns are the widest dimension, d_model, and the last of the others, d_k: the others count heads.
    """
    sizes = list(shape)
    while len(sizes) > 2 and 1 in sizes:
        sizes.remove(1)  # such as a batch of one, or a convolution that looks at one place
    if len(sizes) == 2:
        return _matrix(*sizes, block).reshape(shape)
    widest = max(range(len(sizes)), key=sizes.__getitem__)
    kept = sorted((widest, max(i for i in range(len(sizes)) if i != widest)))
    matrix = _matrix(*(sizes[i] for i in kept), block)
    return matrix.reshape([size if i in kept else 1 for i, size in enumerate(sizes)]).expand(sizes).reshape(shape)


@cache
def _matrix(rows: int, columns: int, block: int) -> Tensor:
    if rows % block == 0 and columns % block == 0:
        square = numbers(block, block, seed=3)
        return (square + square.T).repeat(rows // block, columns // block) / 8
    wide = numbers(min(rows, columns), max(rows, columns), seed=5) / 3
    return wide if rows <= columns else wide.T
