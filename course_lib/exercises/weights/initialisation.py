"""Judge how the weights of a learner's class begin: random, each its own, gains as 1, and small enough to learn.

Each function returns a sentence that says what is wrong and what to do, or "".
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.weights.fixed_weights import ClassWithWeights, roles_of
from course_lib.exercises.weights.roles import Vector, is_table
from course_lib.text.wording import join_words

SEED = (
    "Your weights begin with the same numbers in every instance. They should be random, and not from a fixed seed, so "
    "that each layer begins differently."
)
COPIES = (
    "Your layers begin as copies of one layer, with the same numbers. Make a new layer for each, without `copy` or "
    "`deepcopy`."
)
LARGE_LOSS = (
    "Your untrained model is far too sure: its loss is {:.1f}, although equal probabilities for all V tokens give a "
    "loss of ln V = {:.1f}. Begin the table that makes the logits small, as `torch.randn(...) * d_model**-0.5`."
)
LARGE_TABLE = (
    "Your `self.{}` begins with numbers of about {:.1g}. `embed_with_positions` multiplies them by √d_model, so that "
    "they drown the positions, and the model hardly learns. Begin it as `torch.randn(...) * d_model**-0.5`."
)
ONE_SIDED = (
    "Your {} {} with positive numbers only, as `torch.rand` gives them. The numbers of `torch.randn` lie on both sides "
    "of 0."
)
LARGE_BY_VOCABULARY = (
    "The numbers that your `self.{}` begins with depend on the size of the vocabulary, as with `vocabulary**-0.5`. A "
    "small vocabulary makes them so large that they drown the positions. Begin it as `torch.randn(...) * "
    "d_model**-0.5`."
)
LARGE_IN_OTHER_SIZES = (
    "Made with d_model = {}, your `self.{}` begins with numbers of about {:.1g}, so large that they drown the "
    "positions. Begin it as `torch.randn(...) * d_model**-0.5`."
)
LARGE_VECTOR = (
    "Your `self.{}` begins with numbers of about {:.1g}. Begin it small: as `torch.randn(...) * 0.2` if it is a class "
    "token, and as zeros if it is a bias."
)

# Tables that begin as they should have numbers of about d_model**-0.5, and few begin with more. Of 0.02, as in GPT-2,
# less. Those of a plain `nn.Embedding` are √d_model times as large: 8, in the sizes that are looked at.
LARGEST_NUMBERS = 3.0
WIDE = 256  # a d_model that is far larger than the other sizes
FEW, MANY = 7, 2000  # sizes of a vocabulary that are far smaller and far larger than `WIDE`


@contextmanager
def uninitialised_memory_as_nan() -> Iterator[None]:
    """Let `torch.empty` return NaN, not whatever the memory held."""
    before = torch.get_deterministic_debug_mode()
    deterministic: Any = torch.utils.deterministic
    fills = deterministic.fill_uninitialized_memory
    # Unlike `use_deterministic_algorithms`, this does not import torch's compiler, which takes more than a second.
    torch.set_deterministic_debug_mode("warn")
    deterministic.fill_uninitialized_memory = True
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
        deterministic.fill_uninitialized_memory = fills


def start_of_weights(learned: ClassWithWeights, answer: Any) -> str:
    """Judge the first values of all weights of a class, whatever it computes with them."""
    with torch.random.fork_rng([]):
        with uninitialised_memory_as_nan():
            module = learned.make(answer, learned.wide)
        for name, parameter in module.named_parameters():
            if parameter.isnan().any():
                return _uninitialised(name)
        first = {name: each.detach().clone() for name, each in module.named_parameters()}
        vectors, matrices = roles_of(learned, module.eval(), learned.wide)
        another = dict(learned.make(answer, learned.wide, seed=1).named_parameters())
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    matrices = [each for each in matrices if each.dim() > 1 and not _is_last_at_zero(learned, each)]
    for matrix in matrices:
        if sentence := _about_matrix(names[id(matrix)], first[names[id(matrix)]]):
            return sentence
    if any(first[names[id(matrix)]].equal(another[names[id(matrix)]]) for matrix in matrices):
        return SEED
    if learned.positions is not None and (sentence := _about_one_sided(first, vectors)):
        return sentence
    for vector in vectors:
        numbers = first[vector.name].flatten()[vector.places]
        if vector.silent is not None and ((numbers - vector.silent - 1).abs() > 0.01).any():
            start = "ones" if vector.silent == 0 else "zeros, since 1 is added to it"
            return (
                f"Your `self.{vector.name}` scales the normalised features, so it should begin as {start}, but "
                f"begins with {_in_words(numbers)}."
            )
        if vector.silent is None and (size := float(numbers.square().mean().sqrt())) > 0.5:
            if learned.positions is not None:  # what is added may also be a class token
                return LARGE_VECTOR.format(vector.name, size)
            return (
                f"Your `self.{vector.name}` is a bias, so it should begin as zeros, or small, but begins with "
                f"{_in_words(numbers)}."
            )
        if vector.silent is None and learned.biases and numbers.any():
            return f"Your `self.{vector.name}` should begin as zeros, but begins with {_in_words(numbers)}."
    return ""


def _is_last_at_zero(learned: ClassWithWeights, matrix: Tensor) -> bool:
    """Whether a matrix makes the logits and begins at zeros: then all classes are equally likely, and each learns."""
    return learned.logits is not None and learned.wide[learned.logits] in matrix.shape and not matrix.any()


def start_of_table(learned: ClassWithWeights, answer: Any) -> str:
    """Judge the first values of a class that is only a table: zeros are fine, what was in memory is not."""
    with torch.random.fork_rng([]), uninitialised_memory_as_nan():
        module = learned.make(answer, learned.sizes)
    for name, parameter in module.named_parameters():
        if parameter.isnan().any():
            return _uninitialised(name)
    return ""


def copied_layers(layers: int) -> Callable[[ClassWithWeights, Any], str]:
    """Make a check that no layer begins as a copy of another. Takes the position of the number of layers."""

    def judge(learned: ClassWithWeights, answer: Any) -> str:
        def different(count: int) -> int:
            sizes = (*learned.sizes[:layers], count, *learned.sizes[layers + 1 :])
            vocabularies = learned.vocabulary_sizes(sizes)
            with torch.random.fork_rng([]):
                module = learned.make(answer, sizes)
            learned_ones = (each for each in module.parameters() if each.requires_grad and each.dim() > 1)
            numbers = {tuple(each.flatten().tolist()) for each in learned_ones if not is_table(each, vocabularies)}
            return sum(len(set(each)) > 2 for each in numbers)  # gains and biases are full of ones and zeros

        return COPIES if different(2) < 2 * different(1) else ""

    return judge


def start_of_model(learned: ClassWithWeights, answer: Any) -> str:
    """Judge the tables of an untrained model, and what it says: a model that knows nothing has a loss of about ln V.

    A tied model that begins well bets on the token that it reads, since that is most like its own vector. So its loss
    may be higher, by at most √d_model, the length of a normalised token times that of a row. (Measured with d_model =
    64, over 8 seeds of all right answers: by up to 2.7. With numbers of about 1 in the table: by 18 to 53.)
    """
    d_model = learned.wide[learned.d_model]
    with torch.random.fork_rng([]), torch.no_grad():
        module = learned.make(answer, learned.wide).eval()
        tables = _sizes_of_tables(learned, module, learned.wide)
        if large := _too_large(tables, d_model):
            return LARGE_TABLE.format(*next(iter(large.items())))
        if one_sided := [name for name in tables if _is_one_sided(module.get_parameter(name))]:
            return ONE_SIDED.format(f"`self.{one_sided[0]}`", "begins")
        if sentence := _tables_in_other_sizes(learned, answer):
            return sentence
        logits = learned.outputs(module, learned.inputs(*learned.wide))[0]  # (B, T, V)
    V = logits.size(-1)
    labels = torch.arange(logits[..., 0].numel()) * 7 % V
    loss = float(F.cross_entropy(logits.flatten(0, -2), labels))
    return LARGE_LOSS.format(loss, math.log(V)) if loss > math.log(V) + math.sqrt(d_model) else ""


def _tables_in_other_sizes(learned: ClassWithWeights, answer: Any) -> str:
    """Judge the tables of a model whose vocabularies are much smaller than d_model, or much larger."""
    arguments = [_with_vocabularies_of(learned, size) for size in (FEW, MANY)]
    with_few, with_many = (_sizes_of_tables(learned, learned.make(answer, each), each) for each in arguments)
    for name, size in (_too_large(with_few, WIDE) | _too_large(with_many, WIDE)).items():
        ratio = with_few.get(name, 0.0) / with_many.get(name, math.inf)
        if math.isclose(ratio, math.sqrt(MANY / FEW), rel_tol=0.1):
            return LARGE_BY_VOCABULARY.format(name)
        return LARGE_IN_OTHER_SIZES.format(WIDE, name, size)
    return ""


def _with_vocabularies_of(learned: ClassWithWeights, size: int) -> tuple[Any, ...]:
    """The arguments of `__init__` with vocabularies of a size and a wide d_model; the rest is as in `sizes`."""
    sizes = list(learned.sizes)
    for position in learned.vocabularies:
        sizes[position] = size
    sizes[learned.d_model] = WIDE
    return tuple(sizes)


def _sizes_of_tables(learned: ClassWithWeights, module: nn.Module, sizes: Sequence[Any]) -> dict[str, float]:
    """The root of the mean square of the numbers in each table of a model."""
    vocabularies = learned.vocabulary_sizes(sizes)
    tables = {
        name: parameter
        for name, parameter in module.named_parameters()
        if parameter.dim() > 1 and is_table(parameter, vocabularies)
    }
    return {name: float(table.square().mean().sqrt()) for name, table in tables.items()}


def _too_large(tables: Mapping[str, float], d_model: int) -> dict[str, float]:
    """Those tables, with the sizes of their numbers, that begin with numbers too large for a d_model."""
    largest = LARGEST_NUMBERS / math.sqrt(d_model)
    return {name: size for name, size in tables.items() if size > largest}


def _about_matrix(name: str, matrix: Tensor) -> str:
    if not matrix.any():
        return (
            f"Your `self.{name}` begins as zeros, so that all its features are alike. Begin it at random, as "
            "`nn.Linear` and `torch.randn` do."
        )
    if matrix.dim() > 2 and len(matrix) == 1:
        matrix = matrix[0]  # a table that is added to every text of a batch
    flat = matrix.reshape(len(matrix), -1)  # of stacked matrices, each becomes a row
    if bool((flat == flat[:1]).all()) or bool((flat == flat[:, :1]).all()):
        return (
            f"Your `self.{name}` begins with the same numbers in each row or column, so that all its features learn "
            "the same. Begin it at random, as `nn.Linear` and `torch.randn` do."
        )
    return ""


def _about_one_sided(first: Mapping[str, Tensor], vectors: Sequence[Vector]) -> str:
    """Say which weights begin with positive numbers only; of vectors, gains should."""
    gains = {vector.name for vector in vectors if vector.is_gain}
    names = [f"`self.{name}`" for name, each in first.items() if name not in gains and _is_one_sided(each)]
    return ONE_SIDED.format(join_words(names), "begins" if len(names) == 1 else "begin") if names else ""


def _is_one_sided(numbers: Tensor) -> bool:
    """Whether random numbers are all positive: of 16 around 0, that is hardly ever so by chance."""
    return numbers.numel() >= 16 and bool((numbers >= 0).all()) and bool((numbers != numbers.flatten()[0]).any())


def _in_words(numbers: Tensor) -> str:
    """Zeros, ones, or random numbers."""
    for value, name in ((0, "zeros"), (1, "ones")):
        if bool((numbers == value).all()):
            return name
    return f"{numbers[0]:.3g}" if bool((numbers == numbers[0]).all()) else "random numbers"


def _uninitialised(name: str) -> str:
    return (
        f"Your `self.{name}` begins with whatever was in memory, since `torch.empty` and `torch.Tensor` set nothing. "
        "Fill it, for example by `nn.init`, or use `torch.randn`."
    )
