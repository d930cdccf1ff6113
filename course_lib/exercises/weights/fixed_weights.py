"""Give a learner's class fixed weights, whatever their names are and however they are divided into tensors.

The values of a matrix depend only on its shape. So it does not matter which of several matrices of one shape is which,
nor whether three projections are three matrices or one: only how the class uses them. What the class uses them for
shows in the gradients, which `with_fixed_weights` returns beside the output.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course_lib.exercises.adapters import Adapter
from course_lib.exercises.cases import fixed_tensor
from course_lib.exercises.judging.outcomes import NO_GRADIENT
from course_lib.exercises.weights.registration import (
    KINDS,
    Untrained,
    is_frozen_vector,
    layers_in_containers,
    untrained_weights,
)
from course_lib.exercises.weights.roles import Vector, is_table, mixed, vectors_and_matrices

CHANGED_IN_PLACE = (
    "No gradient can be computed, since your class changes a tensor in place that the gradient needs, as `x += …` and "
    "`x[...] = …` do. Make a new one, such as `x = x + …`."
)


def forward(module: nn.Module, *inputs: Any) -> tuple[Any, ...]:
    """Send inputs through a module."""
    return (module(*inputs),)


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassWithWeights:
    """How a class with weights is made and called, for an exercise in which the learner writes it.

    Attributes:
        reference: the course's class.
        inputs: makes inputs, with at least two tokens, from the arguments of `__init__`.
        sizes: arguments of `__init__` for which the weights are examined. All of them differ.
        wide: larger ones, for which it is examined how the weights begin.
        block: the width of a head, d_k, or of a token where there are no heads. A matrix whose sides are multiples of
            it repeats one block of numbers, so that its rows may be divided and ordered in any way.
        d_model: the position of d_model among the arguments of `__init__`.
        vocabularies: the positions of the sizes of vocabularies. Matrices with such a side are embeddings, which may be
            shared or not.
        positions: the position of a number of positions, N; None: there are none. A matrix with a side of N,
            or of N + 1 with a class token, is a learned table of positions, and is treated as an embedding.
        logits: the position of the number of classes; None: there are none. The map to so many logits is the last one,
            which may begin at zeros.
        dropout: the position of the rate of dropout; None: there is none.
        biases: whether the class itself is a norm, whose biases are given values too. Other biases become 0, since a
            learner may do without them.
        call: takes the module and its inputs, and returns the outputs.
    """

    reference: Any
    inputs: Callable[..., tuple[Any, ...]]
    sizes: tuple[Any, ...]
    wide: tuple[Any, ...]
    block: int
    d_model: int = 0
    vocabularies: tuple[int, ...] = ()
    positions: int | None = None
    logits: int | None = None
    dropout: int | None = None
    biases: bool = False
    call: Callable[..., tuple[Any, ...]] = forward

    def outputs(self, module: nn.Module, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """Call a module on copies of inputs, since a learner's class may change them in place."""
        return self.call(module, *(each.clone() if isinstance(each, Tensor) else each for each in inputs))

    def vocabulary_sizes(self, sizes: Sequence[Any]) -> set[int]:
        """The sizes of the vocabularies among the arguments of `__init__`, and of the table of positions."""
        positions = set() if self.positions is None else {sizes[self.positions], sizes[self.positions] + 1}
        return {sizes[position] for position in self.vocabularies} | positions

    def make(self, answer: Any, sizes: Sequence[Any], seed: int = 0) -> nn.Module:
        """Make an instance as the learner's `__init__` does, from random numbers that start at a seed."""
        torch.default_generator.manual_seed(seed)
        module: nn.Module = answer(*sizes)
        if any(isinstance(each, nn.parameter.UninitializedParameter) for each in module.parameters()):
            module(*self.inputs(*sizes))  # lazy layers learn their sizes from their first inputs
        return module

    def make_with_fixed_weights(
        self, answer: Any, sizes: Sequence[Any], dtype: torch.dtype = torch.float32
    ) -> "ModuleWithFixedWeights":
        """Make an instance in evaluation mode, with fixed weights. Those that are never trained get some too."""
        with torch.random.fork_rng([]):
            module = self.make(answer, sizes)
            untrained = untrained_weights(module, lambda: self.make(answer, sizes, seed=1))
            for weight in untrained:
                if not is_frozen_vector(weight):
                    set_matrix(weight.tensor, self.block)
            for layer in (module, *layers_in_containers(module)):
                layer.eval()
            vectors, matrices = set_fixed_weights(self, module, sizes)
        if dtype != torch.float32:
            for layer in (module, *layers_in_containers(module)):
                layer.to(dtype)
        return ModuleWithFixedWeights(module, vectors, matrices, untrained)

    def with_rate(self, sizes: Sequence[Any], rate: float) -> tuple[Any, ...]:
        """The arguments of `__init__` with another rate of dropout."""
        assert self.dropout is not None
        return (*sizes[: self.dropout], rate, *sizes[self.dropout + 1 :])


class ModuleWithFixedWeights(NamedTuple):
    """A module with fixed weights, and the roles of its parameters."""

    module: nn.Module
    vectors: list[Vector]
    matrices: list[nn.Parameter]
    untrained: list[Untrained]


def with_fixed_weights(learned: ClassWithWeights) -> Adapter:
    """Adapt a class so that it is called as a function: its first arguments go to `__init__`, the others to `call`.

    The adapted function returns the module's outputs, and a tensor that says how its weights are used: the gradients of
    its matrices' numbers in ascending order, and for each kind of untrained weight whether there are any. The gradients
    reveal two layers that share their weights and a matrix that is never used: each changes them, but names, order,
    transposition and division of the matrices do not.

    Random numbers start from the same seed in each call, and dropout is off. Calls with the same sizes use the same
    module.
    """

    def adapt(answer: Any) -> Callable[..., Any]:
        @cache  # making modules takes most of the time
        def make(sizes: tuple[Any, ...], dtype: torch.dtype) -> ModuleWithFixedWeights:
            return learned.make_with_fixed_weights(answer, sizes, dtype)

        def function(*arguments: Any) -> tuple[Any, ...]:
            count = len(learned.sizes)
            sizes, inputs = arguments[:count], arguments[count:]
            fixed = make(sizes, _dtype_of(inputs))
            with torch.random.fork_rng([]):
                torch.default_generator.manual_seed(0)
                outputs = learned.call(fixed.module, *inputs)
            return *outputs, _use_of_weights(outputs[0], fixed, counted_matrices(learned, fixed, sizes))

        return function

    return adapt


def with_count(learned: ClassWithWeights, count: Callable[[ModuleWithFixedWeights, tuple[Any, ...]], int]) -> Adapter:
    """Adapt a class as `with_fixed_weights` does, and return also a count of weights that the numbers do not show.

    `count` takes a module and the arguments of its `__init__`.
    """

    def adapt(answer: Any) -> Callable[..., Any]:
        function = with_fixed_weights(learned)(answer)

        @cache
        def count_in(sizes: tuple[Any, ...]) -> int:
            return count(learned.make_with_fixed_weights(answer, sizes), sizes)

        def counted(*arguments: Any) -> tuple[Any, ...]:
            results = function(*arguments)
            return *results, count_in(arguments[: len(learned.sizes)])

        return counted

    return adapt


def numbers_in_biases(fixed: ModuleWithFixedWeights, most: int) -> int:
    """How many numbers the biases of a module have; those beyond `most` are not counted."""
    return min(most, sum(len(each.places) for each in fixed.vectors))


def count_tables(fixed: ModuleWithFixedWeights, vocabularies: set[int]) -> int:
    """How many matrices of a vocabulary a module learns; two that share their numbers count once."""
    tables = [each for each in fixed.module.parameters() if each.dim() > 1 and is_table(each, vocabularies)]
    return len({each.data_ptr() for each in tables})


def counted_matrices(learned: ClassWithWeights, fixed: ModuleWithFixedWeights, sizes: Sequence[Any]) -> list[Tensor]:
    """The matrices of a module that are learned, but for embeddings."""
    vocabularies = learned.vocabulary_sizes(sizes)
    return [each for each in fixed.matrices if each.requires_grad and not is_table(each, vocabularies)]


def set_fixed_weights(
    learned: ClassWithWeights, module: nn.Module, sizes: Sequence[Any]
) -> tuple[list[Vector], list[nn.Parameter]]:
    """Give each learned parameter values that depend on its shape. Returns the vectors and the matrices.

    Matrices are set as `ClassWithWeights` describes, gains to values near 1, and biases to 0 (or near it, in a norm). A
    matrix and its transpose get the same values, since a learner may multiply from either side.
    """
    vectors, matrices = roles_of(learned, module, sizes)
    for vector in vectors:
        if vector.is_gain:
            vector.set(1 + fixed_tensor(len(vector.places), seed=7) / 4)
        elif learned.biases:
            vector.set(fixed_tensor(len(vector.places), seed=8) / 4)
        else:
            vector.set(0.0)
    kernels = {id(each.weight) for each in module.modules() if isinstance(each, (nn.Conv1d, nn.Conv2d))}
    for matrix in matrices:
        # A convolution whose squares do not overlap is a linear map of each square, with (out, in) numbers.
        set_matrix(matrix.detach().flatten(1) if id(matrix) in kernels else matrix, learned.block)
    return vectors, matrices


def roles_of(
    learned: ClassWithWeights, module: nn.Module, sizes: Sequence[Any]
) -> tuple[list[Vector], list[nn.Parameter]]:
    """Tell the gains and biases of a module in evaluation mode from its matrices, as `vectors_and_matrices` does."""
    inputs = learned.inputs(*sizes)
    return vectors_and_matrices(
        module,
        lambda: learned.outputs(module, inputs),
        sizes[learned.d_model],
        learned.vocabulary_sizes(sizes),
        None if learned.logits is None else sizes[learned.logits],
    )


@torch.no_grad()
def set_matrix(matrix: Tensor, block: int) -> None:
    """Give a matrix, or another weight, values that depend on its shape."""
    if matrix.dim() > 1:
        matrix.copy_(_matrix_of_heads(matrix.shape, block))
    elif bool((matrix == 1).all()):
        matrix.copy_(1 + fixed_tensor(len(matrix), seed=7) / 4)
    else:
        matrix.zero_()


def _use_of_weights(output: Any, fixed: ModuleWithFixedWeights, matrices: Sequence[Tensor]) -> Tensor:
    gradients = sorted_gradients(output, matrices)
    kinds = {each.kind for each in fixed.untrained}
    return torch.cat((gradients, torch.tensor([float(kind in kinds) for kind in KINDS], dtype=gradients.dtype)))


def sorted_gradients(output: Any, matrices: Sequence[Tensor]) -> Tensor:
    """The gradients of an output with respect to all numbers in matrices, in ascending order, the longest being 1."""
    if not matrices or not isinstance(output, Tensor):
        return torch.zeros(0)
    if not output.requires_grad:
        return torch.zeros(sum(each.numel() for each in matrices))
    try:
        gradients = torch.autograd.grad(
            mixed(output), matrices, retain_graph=True, allow_unused=True, materialize_grads=True
        )
    except RuntimeError as error:
        raise RuntimeError(CHANGED_IN_PLACE if "inplace operation" in str(error) else NO_GRADIENT) from error
    numbers = torch.cat([each.flatten() for each in gradients]).sort().values
    return numbers / numbers.abs().max().clamp(min=1e-30)


def _matrix_of_heads(shape: torch.Size, block: int) -> Tensor:
    """The values of a weight with two dimensions or more. If it has a dimension for heads, each gets the same matrix.

    The matrix extends over the largest dimension, d_model, and the last of the others, d_k. The rest count heads.
    """
    sizes = list(shape)
    while len(sizes) > 2 and 1 in sizes:
        sizes.remove(1)  # such as a batch of one, or a convolution of width 1
    if len(sizes) == 2:
        return _matrix(*sizes, block).reshape(shape)
    widest = max(range(len(sizes)), key=lambda axis: (sizes[axis], axis))
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


def _dtype_of(inputs: Sequence[Any]) -> torch.dtype:
    """The dtype of the first floating-point input; float32 if there are only ids."""
    for each in inputs:
        if isinstance(each, Tensor) and each.is_floating_point():
            return each.dtype
    return torch.float32
