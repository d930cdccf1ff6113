"""Judge what a learner's class uses its weights for: whether all are learned and used, each for one thing.

Each function returns a sentence that says what is wrong and what to do, or "".
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from course_lib.exercises.cases import is_fractional
from course_lib.exercises.judging.relations import Compared, find_relation
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, counted_matrices, forward
from course_lib.exercises.weights.registration import Untrained, constant_tensors
from course_lib.exercises.weights.roles import Vector, chosen, is_table, mixed
from course_lib.text.wording import in_words, join_words

SHARED_NORMS = (
    "Your class uses one norm in several places. Each norm learns a gain of its own, so make a new one for each place."
)
NORMS_WITHOUT_GAIN = (
    "Your class learns {} gain{} of norms, but should learn {}: one for each norm, d_model numbers each."
)
NORMS_WITHOUT_BIAS = (
    "A norm in your class learns no bias. LayerNorm multiplies by a learned gain and adds a learned bias, d_model "
    "numbers each."
)
SHARED_MATRICES = (
    "Your class uses the same matrix for several tasks: it learns {} numbers in its matrices, but should learn {}. "
    "Give each task a layer of its own."
)
OTHER_GRADIENTS = (
    "The output is right, but not all gains and biases of norms are trained as they should be: does one norm serve in "
    "several places, or is a part of the computation cut off from the gradient?"
)
OTHER_RESULT = (
    "Made as `{}`, your class gives a different result from the course's class for inputs of shape {}: is there a "
    "step in it that depends on how long the inputs are, or on which numbers are in them?"
)
OTHER_MATRICES = "The {} of your `{}` have {} numbers together. They should have {}."
MOST_NAMES = 4  # so many parameters without a gradient are named at most
SECONDS_FOR_EXCHANGES = 0.2  # of computing time, to find which two of a class's weights are exchanged


def untrained(learned: ClassWithWeights, answer: Any) -> str:
    """Say which weights are never trained, since torch does not know of them, or since they are frozen."""
    fixed = learned.make_with_fixed_weights(answer, learned.sizes)
    inputs = learned.inputs(*learned.sizes)
    constant = [
        each for each in constant_tensors(fixed.module) if _matter(learned, fixed.module, [each.tensor], inputs)
    ]
    found = fixed.untrained + constant
    return _about_untrained(found[0]) if found else ""


def _about_untrained(weight: Untrained) -> str:
    name, attribute = f"`self.{weight.name}`", f"`self.{weight.name.partition('[')[0]}`"
    if weight.kind == "list":
        return (
            f"Your layers in {attribute} are in a plain Python list, so torch does not know of them and never trains "
            "them. Use `nn.ModuleList`, or `nn.ParameterList` for parameters."
        )
    if weight.kind == "dict":
        return (
            f"Your layers in {attribute} are in a plain Python dict, so torch does not know of them and never trains "
            "them. Use `nn.ModuleDict`, or `nn.ParameterDict` for parameters."
        )
    if weight.kind == "buffer":
        return (
            f"Your {name} is a buffer, which torch saves but never trains. A weight that is learned has to be an "
            "`nn.Parameter`."
        )
    if weight.kind == "frozen":
        return (
            f"Your {name} has `requires_grad=False`, so it is never trained. A weight that is learned needs its "
            "gradient: leave that out, and `from_pretrained` too, which freezes a table."
        )
    return (
        f"Your {name} is a plain tensor, so torch does not know of it and never trains it. Wrap it in `nn.Parameter`, "
        "or use a layer such as `nn.Linear` or `nn.Embedding`."
    )


def unused(learned: ClassWithWeights, answer: Any) -> str:
    """Say which weights have no effect, or get no gradient although they have one.

    Of an output with NaN in it, nothing can be said.
    """
    fixed = learned.make_with_fixed_weights(answer, learned.sizes)
    inputs = learned.inputs(*learned.sizes)
    if not _is_finite(learned, fixed.module):
        return ""
    parameters = dict(fixed.module.named_parameters())
    without = [
        name
        for name, gradient in _gradients(learned, fixed.module).items()
        if gradient is None or (parameters[name].dim() > 1 and not gradient.any())
    ]
    if without:
        reached = _reached_with_random_weights(learned, answer)
        without = [name for name in without if name not in reached]
    parts = _common_names(fixed.module, without)
    cut_off = [
        part
        for part in parts
        if _matter(learned, fixed.module, [parameters[name] for name in _within(part, without)], inputs)
    ]
    if cut_off:
        return _about_cut_off(cut_off, parameters)
    return _about_idle(learned, fixed.module, parts, without) if parts else ""


def _about_idle(learned: ClassWithWeights, module: nn.Module, names: Sequence[str], idle: Sequence[str]) -> str:
    """Say that some parts have no effect. Takes their names, and those of all parameters in them."""
    if sentence := _about_part_of_list(module, names[0], idle):
        return sentence
    made = join_words([f"`self.{each}`" for each in names])
    it = "it" if len(names) == 1 else "them"
    is_needed = all(_is_needed(learned, module, each) for each in names)
    if not _used_in_a_call(learned, module).intersection(idle):
        what_to_do = "" if is_needed else f" Use {it}, or leave {it} out."
        if learned.call is not forward:
            return f"Your class makes {made}, but never uses {it}.{what_to_do}"
        return f"Your `__init__` makes {made}, but `forward` never uses {it}.{what_to_do}"
    use = f"Use {it}"
    if all(_returns_something(module, each) for each in names):
        use = f"Use what {it} returns" if it == "it" else "Use what they return"
    what_to_do = f"{use}." if is_needed else f"{use}, or leave {it} out."
    return f"Your `__init__` makes {made}, but the output never depends on {it}. {what_to_do}"


class _Arguments(TorchFunctionMode):
    """Notes every tensor that is passed to a function of torch while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        keywords = keywords or {}
        for each in (*arguments, *keywords.values()):
            self.seen.update(map(id, each if isinstance(each, (list, tuple)) else [each]))
        return function(*arguments, **keywords)


@torch.no_grad()
def _used_in_a_call(learned: ClassWithWeights, module: nn.Module) -> set[str]:
    """The names of the parameters that a module's calls pass to any function of torch, used or not afterwards."""
    with _Arguments() as noted:
        learned.outputs(module, learned.inputs(*learned.sizes))
    return {name for name, each in module.named_parameters() if id(each) in noted.seen}


def _about_cut_off(names: Sequence[str], parameters: Mapping[str, Tensor]) -> str:
    """Say that no gradient reaches some parameters, or parts with all their parameters, that have an effect."""
    written = [f"`self.{name}`" for name in names]
    if len(written) > MOST_NAMES:
        written = [*written[: MOST_NAMES - 1], f"{len(written) - MOST_NAMES + 1} others"]
    it_is = "it is" if len(names) == 1 else "they are"
    the_parameter = "the parameter" if len(names) == 1 and names[0] in parameters else "the parameters"
    return (
        f"No gradient reaches {join_words(written)}, so {it_is} never trained: `.data`, `.detach()`, `.item()`, "
        "`torch.tensor` and `torch.no_grad()` cut off the gradient. Use none of them between "
        f"{the_parameter} and the result."
    )


def _is_finite(learned: ClassWithWeights, module: nn.Module) -> bool:
    """Whether there is neither NaN nor infinity in the output, which would hide what the weights are used for."""
    return bool(learned.outputs(module, learned.inputs(*learned.sizes))[0].isfinite().all())


def _gradients(learned: ClassWithWeights, module: nn.Module) -> dict[str, Tensor | None]:
    """The gradient of each parameter that is not frozen; None for one that the output does not reach."""
    output = learned.outputs(module, learned.inputs(*learned.sizes))[0]
    trained = {name: each for name, each in module.named_parameters() if each.requires_grad}
    if not trained or not output.requires_grad:
        return dict.fromkeys(trained)
    gradients = torch.autograd.grad(mixed(output), list(trained.values()), allow_unused=True)
    return dict(zip(trained, gradients, strict=True))


def _reached_with_random_weights(learned: ClassWithWeights, answer: Any) -> set[str]:
    """Name the parameters that get a gradient with random weights; with fixed ones, every ReLU may be closed."""
    reached: set[str] = set()
    for seed in (1, 2):
        with torch.random.fork_rng([]):
            module = learned.make(answer, learned.sizes, seed).eval()
        gradients = _gradients(learned, module)
        reached |= {name for name, gradient in gradients.items() if gradient is not None and gradient.any()}
    return reached


def _about_part_of_list(module: nn.Module, name: str, idle: Sequence[str]) -> str:
    """Say that only the first or only the last layers of a list have an effect; "" if it is no such list.

    Takes the name of the first layer without effect, and those of all weights without effect.
    """
    path = name.rpartition(".")[0]
    layers = module.get_submodule(path)
    if not isinstance(layers, nn.ModuleList):
        return ""
    without = [i for i in range(len(layers)) if any(each.startswith(f"{path}.{i}.") for each in idle)]
    if without == [*range(len(layers) - 1)]:
        return (
            f"Of your layers in `self.{path}`, only the last has an effect. Do they all read what came in before "
            "the loop? `x = layer(x)` gives each what the one before it returns."
        )
    if without == [*range(without[0], len(layers))]:
        return (
            f"Of your layers in `self.{path}`, those from `self.{path}[{without[0]}]` on have no effect. Call every "
            "layer, and put `return` below the loop, not inside it."
        )
    return ""


@torch.no_grad()
def _matter(learned: ClassWithWeights, module: nn.Module, tensors: Sequence[Tensor], inputs: Sequence[Any]) -> bool:
    """Whether the output changes if all these parameters or other tensors of a module change at once."""
    before, output = [each.clone() for each in tensors], learned.outputs(module, inputs)[0]
    generator = torch.Generator().manual_seed(0)
    for each in tensors:
        each.copy_(torch.randn(each.shape, generator=generator))
    changed = not torch.allclose(learned.outputs(module, inputs)[0], output, atol=1e-6)
    for each, value in zip(tensors, before, strict=True):
        each.copy_(value)
    return changed


def _returns_something(module: nn.Module, name: str) -> bool:
    """Whether a part of a module is one that is called, unlike a parameter, a list of layers or a table."""
    part = dict(module.named_modules()).get(name)
    return part is not None and not isinstance(part, (nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.Embedding))


def _is_needed(learned: ClassWithWeights, module: nn.Module, name: str) -> bool:
    """Whether the course's class has a part of this name, or the learner's has no more weights than the course's."""
    reference = learned.make_with_fixed_weights(learned.reference, learned.sizes).module
    names = {name for name, _ in (*reference.named_modules(), *reference.named_parameters())}
    got, expected = (sum(each.numel() for each in one.parameters()) for one in (module, reference))
    return name in names or got <= expected


def _common_names(module: nn.Module, names: Sequence[str]) -> list[str]:
    """Name parameters in short: by the largest parts of a module that hold no others."""
    found, left = [], list(names)
    while left:
        found.append(_common_name(module, left[0], set(names)))
        left = [name for name in left if name not in _within(found[-1], left)]
    return found


def _within(part: str, names: Sequence[str]) -> list[str]:
    """Those of some parameters' names that lie in a part of a module, or are the part themselves."""
    return [name for name in names if f"{name}.".startswith(f"{part}.")]


def _common_name(module: nn.Module, name: str, among: set[str]) -> str:
    """The name of the largest submodule around a parameter all of whose parameters are among some; or its own name."""
    parts = name.split(".")
    for length in range(1, len(parts)):
        prefix = ".".join(parts[:length])
        if {each for each, _ in module.named_parameters() if each.startswith(f"{prefix}.")} <= among:
            return prefix
    return name


def biases(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a class learns a bias, for a class whose maps should have none."""
    vectors = learned.make_with_fixed_weights(answer, learned.sizes).vectors
    if not (found := [each.name for each in vectors if not each.is_gain]):
        return ""
    count = "a bias" if len(found) == 1 else f"{in_words(len(found))} biases"
    names = join_words([f"`self.{name}`" for name in found])
    return f"Your class learns {count}, {names}. Here the linear maps have none: write `nn.Linear(…, …, bias=False)`."


def gains_that_differ_in_number(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a class has too few or too many norms that learn."""
    expected = len(chosen(learned.make_with_fixed_weights(learned.reference, learned.sizes).vectors, gains=True))
    fixed = learned.make_with_fixed_weights(answer, learned.sizes)
    if not _is_finite(learned, fixed.module):
        return ""
    got = len(chosen(fixed.vectors, gains=True))
    if got < expected:
        return NORMS_WITHOUT_GAIN.format(got, "" if got == 1 else "s", expected)
    if got > expected:
        return f"Your class has {got} norms that learn, but should have {expected}. Leave out the others."
    return ""


def number_of_learned(learned: ClassWithWeights, answer: Any, sizes: Sequence[Any]) -> str:
    """Say that a class made with certain sizes has too few or too many numbers in its matrices."""
    made = [learned.make_with_fixed_weights(each, sizes) for each in (answer, learned.reference)]
    counted = [counted_matrices(learned, each, sizes) for each in made]
    got, expected = (sum(each.numel() for each in some) for some in counted)
    if got == expected:
        return ""
    kind = "matrices" if all(each.dim() > 1 for each in counted[0]) else "weights"
    return OTHER_MATRICES.format(kind, as_call(learned, sizes), got, expected)


def as_call(learned: ClassWithWeights, sizes: Sequence[Any]) -> str:
    """Write how an instance is made."""
    return f"{learned.reference.__name__}({', '.join(getattr(each, '__name__', str(each)) for each in sizes)})"


def shared(learned: ClassWithWeights, answer: Any) -> str:
    """Say that weights serve several purposes, although each should have its own.

    A weight's gradient says what it is used for: that of a shared weight is the sum of the gradients of its uses. So
    each gradient in the course's class has to be found in the learner's, wherever and in whatever order.
    """
    expected = _expected_gradients(learned)
    got = _Gradients(learned, answer)
    if not torch.allclose(got.output, expected.output, rtol=1e-3, atol=1e-4):
        shapes = [str(tuple(each.shape)) for each in learned.inputs(*learned.sizes) if isinstance(each, Tensor)]
        return OTHER_RESULT.format(as_call(learned, learned.sizes), join_words(shapes))
    if twice := got.added_twice(expected):
        return (
            f"Your class adds `self.{twice}` twice. An `nn.Linear` adds its bias itself, so leave the second sum out."
        )
    missing = got.missing_from(expected)
    if missing:
        if got.contains_sum_of(expected.required):
            return SHARED_NORMS
        if any(each.is_gain for each in missing):
            return gains_that_differ_in_number(learned, answer) or OTHER_GRADIENTS
        return NORMS_WITHOUT_BIAS
    if got.matrices.shape != expected.matrices.shape:
        counts = len(got.matrices), len(expected.matrices)
        if _lacks_whole_matrices(learned, answer):
            return SHARED_MATRICES.format(*counts)
        return OTHER_MATRICES.format("matrices", as_call(learned, learned.sizes), *counts)
    if not torch.allclose(got.matrices, expected.matrices, rtol=1e-3, atol=1e-4):
        return (
            "Your class uses one matrix for several tasks, or several matrices for one. Give each task a layer of its "
            "own."
        )
    return ""


def _lacks_whole_matrices(learned: ClassWithWeights, answer: Any) -> bool:
    """Whether the matrices of a class are those of the course's class, as large as there, but fewer."""
    some, every = (
        Counter(each.numel() for each in counted_matrices(learned, fixed, learned.sizes))
        for fixed in (learned.make_with_fixed_weights(one, learned.sizes) for one in (answer, learned.reference))
    )
    return some < every


class _Gradients:
    """The gradients of a class with fixed weights: of each vector, and of all numbers in matrices, sorted."""

    def __init__(self, learned: ClassWithWeights, answer: Any) -> None:
        fixed = learned.make_with_fixed_weights(answer, learned.sizes)
        vocabularies = learned.vocabulary_sizes(learned.sizes)
        vectors = [each for each in fixed.vectors if not is_table(each.parameter, vocabularies)]
        matrices = [each for each in fixed.matrices if not is_table(each, vocabularies)]
        self.output: Tensor = learned.outputs(fixed.module, learned.inputs(*learned.sizes))[0]
        parameters = [each.parameter for each in vectors] + matrices
        gradients = torch.autograd.grad(mixed(self.output), parameters, allow_unused=True, materialize_grads=True)
        by_vector = zip(vectors, gradients[: len(vectors)], strict=True)
        self.vectors = {vector: gradient.flatten()[vector.places] for vector, gradient in by_vector}
        numbers = [each.flatten() for each in gradients[len(vectors) :]]
        self.matrices = torch.cat(numbers).sort().values if numbers else torch.zeros(0)

    @property
    def required(self) -> dict[Vector, Tensor]:
        """The gradients of norms, which learn a gain and a bias. Biases elsewhere are left to the learner."""
        norms = {each.name.rpartition(".")[0] for each in chosen(list(self.vectors), gains=True)}
        return {each: gradient for each, gradient in self.vectors.items() if each.name.rpartition(".")[0] in norms}

    def numbers(self) -> Tensor:
        """The gradients of all vectors."""
        return torch.cat([torch.zeros(0), *self.vectors.values()])

    def missing_from(self, expected: "_Gradients") -> list[Vector]:
        """The expected gradients of norms that are not found here."""
        return [each for each, gradient in expected.required.items() if not _all_within(gradient, self.numbers())]

    def added_twice(self, expected: "_Gradients") -> str:
        """The name of a bias that is added twice: its gradient is double that of a bias of the course's class."""
        for vector, gradient in self.vectors.items():
            if vector.is_gain or not bool((gradient.abs() > 1e-4).any()):
                continue
            if not _all_within(gradient, expected.numbers()) and _all_within(gradient / 2, expected.numbers()):
                return vector.name
        return ""

    def contains_sum_of(self, vectors: dict[Vector, Tensor]) -> bool:
        """Whether a vector here is used for several purposes of norms."""
        sums = [torch.stack(group).sum(0) for size in (2, 3) for group in combinations(vectors.values(), size)]
        return any(_all_within(each, self.numbers()) for each in sums)


@cache
def _expected_gradients(learned: ClassWithWeights) -> _Gradients:
    return _Gradients(learned, learned.reference)


def _all_within(some: Tensor, numbers: Tensor) -> bool:
    """Whether each of some numbers is found among others, to float32 precision."""
    if not len(numbers):
        return False
    return bool(torch.isclose(some[:, None], numbers, rtol=1e-3, atol=1e-5).any(dim=1).all())


class _WithTheSameNumbers:
    """A class that has the names and shapes of the course's class, to be given the same random numbers as that one.

    Unlike the fixed weights, these numbers differ wherever one stands, so that also their order shows.
    """

    def __init__(self, learned: ClassWithWeights, answer: Any) -> None:
        self.learned = learned
        with torch.random.fork_rng([]):
            self.reference = learned.make(learned.reference, learned.sizes).eval()
            self.module = learned.make(answer, learned.sizes, seed=1).eval()
        random = torch.Generator().manual_seed(0)
        state = _state(self.reference)
        self.weights = {name: each + torch.randn(each.shape, generator=random) / 4 for name, each in state}
        own = {name: each.shape for name, each in _state(self.module)}
        self.has_same_names = {name: each.shape for name, each in self.weights.items()} == own
        self.reference.load_state_dict(self.weights)
        self.inputs = [learned.inputs(*learned.sizes)]
        self.inputs.append(tuple(_halved(each) for each in self.inputs[0]))

    def output(self, values: dict[str, Tensor], inputs: int = 0) -> Tensor:
        """What the class computes with these numbers."""
        kept = self.module.state_dict()  # its tensors are those of the module
        for name, value in values.items():
            kept[name].copy_(value)
        output: Tensor = self.learned.outputs(self.module, self.inputs[inputs])[0]
        return output

    def expected(self, inputs: int = 0) -> Tensor:
        """What the course's class computes."""
        output: Tensor = self.learned.outputs(self.reference, self.inputs[inputs])[0]
        return output

    def is_right(self, values: dict[str, Tensor]) -> bool:
        """Whether the class, with these numbers, computes what the course's class computes with its own."""
        return torch.allclose(self.output(values), self.expected(), atol=1e-5)

    def relation(self) -> str:
        """A sentence on how the output differs from that of the course's class, or ""."""
        pairs = ((self.output(self.weights, i), self.expected(i)) for i in range(len(self.inputs)))
        return find_relation("your output", [Compared(got, right, {}, {}) for got, right in pairs])


def _halved(argument: Any) -> Any:
    """Another input of the same shape, for those that hold fractions."""
    return argument / 2 if is_fractional(argument) else argument


@torch.no_grad()
def computes_as(learned: ClassWithWeights, answer: Any, other: Callable[..., nn.Module]) -> bool:
    """Whether a class computes what another one does if both get the same numbers by the names of the course's class.

    Fixed weights hide the order of heads, for instance, since they repeat one block of numbers.
    """
    both = _WithTheSameNumbers(learned, answer)
    if not both.has_same_names:
        return False
    known = other(*learned.sizes).eval()
    known.load_state_dict(both.weights)
    return torch.allclose(both.output(both.weights), learned.outputs(known, both.inputs[0])[0], atol=1e-5)


@torch.no_grad()
def exchanged_names(learned: ClassWithWeights, answer: Any) -> str:
    """Say that weights with the names of the course's class are used for something else than there.

    The course copies trained weights by these names.
    """
    both = _WithTheSameNumbers(learned, answer)
    weights = both.weights
    if not both.has_same_names or both.is_right(weights):
        return ""
    deadline = time.thread_time() + SECONDS_FOR_EXCHANGES
    for one, other in _pairs_of_one_depth(_submodules(weights)):
        if time.thread_time() > deadline:
            break
        exchanged = _exchange(weights, one, other)
        if exchanged is not None and both.is_right(exchanged):
            return (
                f"Your `self.{one}` does the work of `self.{other}`, and the other way round. The course copies "
                "trained weights by these names, so swap the two in `forward`."
            )
    square = [name for name, each in weights.items() if each.dim() == 2 and each.size(0) == each.size(1)]
    for names in (some for count in range(1, len(square) + 1) for some in combinations(square, count)):
        if time.thread_time() > deadline:
            break
        if both.is_right(weights | {name: weights[name].T for name in names}):
            return _about_transposed(both.module, names)
    sentences = (
        "With the same numbers in parameters of the same names, your class and the course's compute different things.",
        both.relation(),
        "The course copies trained weights by these names.",
    )
    return " ".join(filter(None, sentences))


def _about_transposed(module: nn.Module, names: Sequence[str]) -> str:
    """Say that matrices are used in place of their transposes, which is what a linear layer multiplies by."""
    matrices = join_words([f"`self.{name}`" for name in names])
    them = "its transpose" if len(names) == 1 else "their transposes"
    path, _, attribute = names[0].rpartition(".")
    what_to_do = f"Multiply by {them}."
    if attribute == "weight" and isinstance(module.get_submodule(path), nn.Linear):
        what_to_do = f"Call the layer, `self.{path}(…)`, or multiply by {them}."
    return (
        f"Your code multiplies by {matrices}, where the course's class multiplies by {them}. {what_to_do} The "
        "course copies trained weights by these names."
    )


def names_of_its_own(learned: ClassWithWeights) -> Callable[[Any], str]:
    """Make the remark on a right class into which trained weights do not fit, since it has other names for its own.

    For classes into which later cells load trained weights, by the names that the course's class has.
    """

    def remark(answer: Any) -> str:
        with torch.random.fork_rng([]):
            given, expected = (_shapes(learned.make(each, learned.sizes)) for each in (answer, learned.reference))
        if given == expected:
            return ""
        name = learned.reference.__name__
        missing = [each for each in expected if each not in given]
        if missing:
            names = join_words([f"`{each}`" for each in given])
            if len(given) > 4:
                names = ", ".join(f"`{each}`" for each in list(given)[:2]) + ", and so on"
            difference = f"Your parameters are called {names}; none is called `{missing[0]}`."
        elif len(given) > len(expected):
            difference = "Your class has more parameters than the course's class."
        else:
            other = next(each for each in expected if given[each] != expected[each])
            difference = f"Your `{other}` is of shape {given[other]}, and in the course's class of {expected[other]}."
        return f"{difference} Where the course loads trained parameters, its own `{name}` takes the place of yours."

    return remark


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(each.shape) for name, each in _state(module)}


def _state(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name, each.detach().clone()) for name, each in module.state_dict().items()]


def _submodules(weights: dict[str, Tensor]) -> list[str]:
    """The names of weights and of all that holds them."""
    names = dict.fromkeys(weights)
    for name in weights:
        parts = name.split(".")
        names |= dict.fromkeys(".".join(parts[:length]) for length in range(1, len(parts)))
    return list(names)


def _pairs_of_one_depth(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names that have as many parts, those with the fewest parts first: whole layers before their weights."""
    pairs = [(one, other) for one, other in combinations(names, 2) if one.count(".") == other.count(".")]
    return sorted(pairs, key=lambda pair: pair[0].count("."))


def _exchange(weights: dict[str, Tensor], one: str, other: str) -> dict[str, Tensor] | None:
    """The weights, with those of two submodules exchanged; None if their shapes differ, or one holds the other."""

    def renamed(name: str) -> str:
        for old, new in ((one, other), (other, one)):
            if name == old or name.startswith(f"{old}."):
                return new + name[len(old) :]
        return name

    exchanged = {name: weights.get(renamed(name)) for name in weights}
    result: dict[str, Tensor] = {}
    for name, value in exchanged.items():
        if value is None or value.shape != weights[name].shape:
            return None
        result[name] = value
    return result
