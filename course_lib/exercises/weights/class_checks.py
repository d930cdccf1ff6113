"""Judge a learner's class beyond its numbers: its weights, their first values, its dropout and its state.

`judge_class` is for a class whose numbers are right, `explain_class` for one whose numbers are wrong, to say why.
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.judging import state
from course_lib.exercises.weights import initialisation, weights_in_use
from course_lib.exercises.weights.dropout import dropped_in_evaluation
from course_lib.exercises.weights.fixed_weights import ClassWithWeights

Judge = Callable[[ClassWithWeights, Any], str]

DIFFERS_IN_TRAINING = "Your class gives different results in training and in evaluation. Here both should be the same."
DROPS_UNASKED = (
    "Your class gives different results in training and in evaluation, so something in it applies dropout. Use no "
    "dropout here"
)
INSIDE = ", in the class itself or in any layer inside it"
WITH_DEFAULT = ". Pass 0.0 to the layers inside, whose default may be larger"
LAYERS_WITH_DROPOUT = (nn.MultiheadAttention, nn.Transformer, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
CHANGES_WEIGHTS = "Your `forward` changes `self.{}`. Only training changes weights, so compute with a copy."


@dataclass(frozen=True)
class JudgeOfClass:
    """The further check of a class whose numbers are right: what it finds first, as a sentence, or ""."""

    learned: ClassWithWeights
    judges: tuple[Judge, ...]

    def __call__(self, answer: Any, _arguments: tuple[Any, ...]) -> str:
        return _fails_with(self.learned, answer, self.learned.wide) or _first_sentence(
            self.judges, self.learned, answer
        )

    def finds_more_than(self, mistake: Any, answer: Any) -> bool:
        """Whether a class that computes what a known mistake computes has a flaw besides, such as a bias.

        The mistake stands in for the course's class. If it has a flaw beside itself, nothing can be said.
        """
        check = replace(self, learned=replace(self.learned, reference=mistake))
        return bool(check(answer, ())) and not check(mistake, ())


def judge_class(
    learned: ClassWithWeights, *judges: Judge, start: Judge = initialisation.start_of_weights
) -> JudgeOfClass:
    """Make the further check of a class whose numbers are right.

    Takes what is judged besides weights and state, and how the first values of the weights are judged.
    """
    every = (
        weights_in_use.untrained,
        dropped_in_evaluation,
        drops_unasked,
        keeps_state,
        weights_in_use.unused,
        weights_in_use.shared,
        start,
        *judges,
        weights_in_use.exchanged_names,
    )
    return JudgeOfClass(learned, every)


def explain_class(learned: ClassWithWeights) -> Callable[[Any, tuple[Any, ...]], str]:
    """Make the function that says what explains the wrong numbers of a class in a case; "" if nothing is found."""
    every = (
        dropped_in_evaluation,
        keeps_state,
        weights_in_use.unused,
        weights_in_use.gains_that_differ_in_number,
    )

    def explain(answer: Any, arguments: tuple[Any, ...]) -> str:
        if sentence := takes_names_only(learned, answer):
            return sentence
        count = len(learned.sizes)
        try:
            module = learned.make_with_fixed_weights(answer, arguments[:count]).module
            output = learned.outputs(module, arguments[count:])[0]
        except Exception:
            return ""  # the error itself says more
        if sentence := (
            _first_sentence((weights_in_use.untrained,), learned, answer)
            or ignored_argument(learned, answer, output, arguments)
            or _first_sentence(every, learned, answer)
        ):
            return sentence
        if _is_right(learned, output, arguments) and (
            sentence := _first_sentence((weights_in_use.shared,), learned, answer)
        ):
            return sentence
        return weights_in_use.number_of_learned(learned, answer, arguments[:count])

    return explain


def _first_sentence(judges: Sequence[Judge], learned: ClassWithWeights, answer: Any) -> str:
    for judge in judges:
        # A class may fail where it is examined in unusual ways. What it computes in the cases has been compared.
        with suppress(Exception):
            if sentence := judge(learned, answer):
                return sentence
    return ""


def _fails_with(learned: ClassWithWeights, answer: Any, sizes: Sequence[Any]) -> str:
    """Say that a class fails for sizes that are larger than those of the cases."""
    try:
        with torch.random.fork_rng([]):
            learned.outputs(learned.make(answer, sizes).eval(), learned.inputs(*sizes))
    except Exception as error:
        call = weights_in_use.as_call(learned, sizes)
        return f"Made as `{call}`, your class raises {type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    return ""


def _is_right(learned: ClassWithWeights, output: Any, arguments: Sequence[Any]) -> bool:
    """Whether an output is that of the course's class."""
    sizes, inputs = arguments[: len(learned.sizes)], arguments[len(learned.sizes) :]
    right: Tensor = learned.outputs(learned.make_with_fixed_weights(learned.reference, sizes).module, inputs)[0]
    return isinstance(output, Tensor) and output.shape == right.shape and torch.allclose(output, right, atol=1e-5)


@torch.no_grad()
def keeps_state(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a class remembers earlier inputs, or changes its weights, when it is called."""
    inputs = learned.inputs(*learned.sizes)
    others = tuple(_another(each) for each in inputs)
    fresh = learned.make_with_fixed_weights(answer, learned.sizes).module
    expected = learned.outputs(fresh, inputs)[0]
    if not _same_as_before_any_call(learned, answer, fresh, others):
        return state.keeps_state(answer)
    used = learned.make_with_fixed_weights(answer, learned.sizes).module
    before = {name: each.clone() for name, each in used.named_parameters()}
    learned.outputs(used, others)
    learned.outputs(used.train(), others)
    for name, parameter in used.named_parameters():
        if not parameter.equal(before[name]):
            return CHANGES_WEIGHTS.format(name)
    if _are_alike(learned.outputs(used.eval(), inputs)[0], expected):
        return ""
    return state.keeps_state(answer)


def _same_as_before_any_call(learned: ClassWithWeights, answer: Any, used: nn.Module, inputs: Sequence[Any]) -> bool:
    """Whether a module computes what one with its weights computes that was never called before.

    Not for modules that make weights when they are called.
    """
    with torch.random.fork_rng([]):
        uncalled = learned.make(answer, learned.sizes).eval()
    weights = dict(used.named_parameters())
    if weights.keys() != dict(uncalled.named_parameters()).keys():
        return True
    for name, parameter in uncalled.named_parameters():
        parameter.copy_(weights[name])
    expected = learned.outputs(uncalled, inputs)[0]
    return _are_alike(learned.outputs(used, inputs)[0], expected)


@torch.no_grad()
def drops_unasked(learned: ClassWithWeights, answer: Any) -> str:
    """Say that a class which takes no rate of dropout drops something in training all the same."""
    if learned.dropout is not None:
        return ""
    inputs = learned.inputs(*learned.sizes)
    module = learned.make_with_fixed_weights(answer, learned.sizes).module
    in_evaluation = learned.outputs(module, inputs)[0]
    in_training = learned.outputs(module.train(), inputs)[0]
    if _are_alike(in_training, in_evaluation):
        return ""
    if _are_alike(in_training, learned.outputs(module, inputs)[0]):
        return DIFFERS_IN_TRAINING  # nothing random, such as a norm over the batch
    if _has_layers_with_dropout_argument(module):
        return f"{DROPS_UNASKED}{WITH_DEFAULT}."
    return f"{DROPS_UNASKED}{INSIDE if _has_layers_that_may_drop(module) else ''}."


def _has_layers_with_dropout_argument(module: nn.Module) -> bool:
    """Whether a layer inside a module takes a rate of dropout as an argument."""
    types = {type(each) for each in module.modules() if each is not module}
    return any("dropout" in inspect.signature(each).parameters for each in types)


def _has_layers_that_may_drop(module: nn.Module) -> bool:
    """Whether a layer inside a module may have dropout of its own. Most of torch's have none."""
    inside = [each for each in module.modules() if each is not module]
    return any(
        isinstance(each, LAYERS_WITH_DROPOUT) or not type(each).__module__.startswith("torch.") for each in inside
    )


def _are_alike(one: Tensor, other: Tensor) -> bool:
    """Whether two outputs of a learner's class are the same; NaN is the same as NaN."""
    return torch.allclose(one, other, atol=1e-5, equal_nan=True)


def _another(argument: Any) -> Any:
    """Another input of the same shape."""
    return argument.flip(0, 1) if isinstance(argument, Tensor) else argument


def takes_names_only(learned: ClassWithWeights, answer: Any) -> str:
    """Say that `__init__` takes an argument by name only, though the course's models pass it by position."""
    parameters = inspect.signature(answer).parameters.values()
    in_order = [each.name for each in inspect.signature(learned.reference).parameters.values()][: len(learned.sizes)]
    by_name = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.name in in_order]
    if not by_name:
        return ""
    call = weights_in_use.as_call(learned, learned.sizes)
    return (
        f"Your `__init__` takes `{by_name[0]}` by name only, but the course makes your class as `{call}`. Leave out "
        "the `*` before it."
    )


def ignored_argument(learned: ClassWithWeights, answer: Any, got: Tensor, arguments: Sequence[Any]) -> str:
    """Say that a class computes as if an argument of `__init__` were another number, one that is written into it.

    Takes the class, its wrong output, and the arguments of the case.
    """
    count = len(learned.sizes)
    sizes, inputs = arguments[:count], arguments[count:]
    names = list(inspect.signature(learned.reference).parameters)
    if not isinstance(got, Tensor) or not got.any() or _is_right(learned, got, arguments):
        return ""  # zeros may have any cause
    for position, value in enumerate(sizes):
        if not isinstance(value, int) or position == learned.d_model or position in learned.vocabularies:
            continue
        numbers = [each for each in _numbers_that_people_write(sizes[learned.d_model]) if each != value]
        changed = [(*sizes[:position], each, *sizes[position + 1 :]) for each in numbers]
        # The first of these numbers fits wherever another does: 1, or 2 in place of 1.
        if not _computes(learned, answer, changed[0], inputs, got):
            continue
        for number, others in zip(numbers, changed, strict=True):
            if _computes(learned, learned.reference, others, inputs, got):
                name = names[position]
                each = " If it does, does each layer read what the one before it returned?" if name == "layers" else ""
                return (
                    f"With `{name}={value}`, your class computes what `{name}={number}` gives. Does it use the "
                    f"argument, or a number that is written into it?{each}"
                )
    return ""


def _computes(learned: ClassWithWeights, answer: Any, sizes: Sequence[Any], inputs: Sequence[Any], got: Tensor) -> bool:
    """Whether a class made with these sizes gives this output."""
    try:
        output = learned.outputs(learned.make_with_fixed_weights(answer, sizes).module, inputs)[0]
    except Exception:  # such as a number of heads that does not divide d_model
        return False
    return isinstance(output, Tensor) and output.shape == got.shape and torch.allclose(output, got, atol=1e-6)


def _numbers_that_people_write(d_model: int) -> list[int]:
    return sorted({*range(1, 9), d_model, 2 * d_model, 4 * d_model})
