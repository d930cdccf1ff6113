"""Judge the dropout of a learner's class: where it is, at which rate, and that there is none in evaluation.

Dropout is observed: torch's functions are replaced by one that notes what it is given, and drops nothing. A learner may
also drop by hand, so what a layer computes at extreme rates is compared as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from course_lib.exercises.weights.fixed_weights import ClassWithWeights
from course_lib.transformer.layers import LayerNorm

RANDOM_IN_EVALUATION = (
    "In evaluation, your class gives a different output for the same input each time. Make all layers in `__init__`, "
    "and drop numbers only `if self.training`."
)
RIGHT_IN_EVALUATION = "In evaluation mode, your results are right."
NOTHING_DROPPED = (
    "In training, nothing is dropped in your class: put `nn.Dropout(dropout)` on each sublayer's output, before it is "
    "added to the residual."
)
IN_EVALUATION = (
    "Your class drops numbers in evaluation too. Use an `nn.Dropout`, which stops after `model.eval()`, or pass "
    "`training=self.training` to `F.dropout`."
)
FIXED_RATE = (
    "Your class does not drop at the rate that it is given: with `dropout={}` it drops a share of {}. Make it with "
    "`nn.Dropout(dropout)`."
)
FIXED_RATE_BY_HAND = (
    "Your class drops numbers in training although it is made with `dropout=0`. The argument `dropout` says which "
    "share is dropped."
)
ON_SUM = (
    "Your code applies dropout to the sum, so it drops numbers of the residual as well. Put it on the sublayer's "
    "output only: `x + dropout(sublayer(x))`."
)
AFTER_NORM = (
    "Your dropout comes after the norm. Put it on each sublayer's output, before the sum: "
    "`norm(x + dropout(sublayer(x)))`."
)
ON_INPUT = (
    "Your dropout is on the tokens that a sublayer reads. Put it on what the sublayer writes: "
    "`x + dropout(sublayer(x))`."
)
ONE_MISSING = (
    "In training, your code applies no dropout to the output of the {}. Each sublayer's output goes through dropout "
    "before it is added to the residual."
)
ELSEWHERE = (
    "In training at a rate near 1, almost nothing should be left of a sublayer's output, so that the layer only "
    "normalises x. Your class leaves something else: put dropout on each sublayer's output, and nowhere else."
)
NOT_ON_EMBEDDINGS = (
    "In training, your code applies no dropout to {} embeddings. `nn.Dropout(dropout)` comes after "
    "`embed_with_positions`, before the first layer."
)
NOT_HANDED_ON = (
    "Your layers do not get the dropout rate that the model is given: pass `dropout` on to each layer that you make."
)

RATE = 0.375  # a rate that nobody writes into a class
NEARLY_ALL = 1 - 2**-20  # dropout by hand divides by 1 - rate, so the rate is not quite 1


@dataclass
class _Dropped:
    """What a call of dropout was given, its rate, and whether it drops."""

    x: Tensor
    rate: float
    drops: bool


@dataclass
class _Watch(TorchFunctionMode):
    """Notes each call of dropout while it is on, and drops nothing."""

    seen: list[_Dropped] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None
    ) -> Any:
        keywords = keywords or {}
        if function is F.multi_head_attention_forward:
            keywords = {**keywords, "training": False}
        if function is F.scaled_dot_product_attention:
            keywords = {**keywords, "dropout_p": 0.0}
            arguments = arguments[:4]  # query, key, value and mask
        if function in (F.dropout, torch.dropout, torch.dropout_):
            given = dict(zip(("input", "p", "training"), arguments, strict=False)) | keywords
            x, rate = given["input"], float(given.get("p", 0.5))
            drops = bool(given.get("training", given.get("train", True))) and rate > 0
            self.seen.append(_Dropped(x.detach().clone(), rate, drops))
            return x.clone()
        return function(*arguments, **keywords)


def dropped_in_evaluation(learned: ClassWithWeights, answer: Any) -> str:
    """Say that numbers are dropped in evaluation, or that the outputs are random there."""
    module = _module(learned, answer, RATE).eval()
    _, seen = _watched(learned, module)
    if any(each.drops for each in seen):
        return IN_EVALUATION
    return RANDOM_IN_EVALUATION if _is_random(learned, module) else ""


def dropout_of_layer(*sublayers: str) -> Callable[[ClassWithWeights, Any], str]:
    """Make a check of the dropout in a layer with sublayers of these names, each with a residual and a norm."""

    def judge(learned: ClassWithWeights, answer: Any) -> str:
        module = _module(learned, answer, RATE)
        _, seen = _watched(learned, module)
        if not seen and not _is_random(learned, module):
            return NOTHING_DROPPED
        if _drops_by_hand_at_0(learned, answer):
            return FIXED_RATE_BY_HAND
        written, elsewhere = _places(learned)
        rates = [[each.rate for each in seen if _is_same(each.x, x)] for x in written]
        for found in rates:
            if found and RATE not in found:
                return FIXED_RATE.format(RATE, found[0])
        for sentence, tensors in elsewhere.items():
            if any(_is_same(each.x, x) for each in seen for x in tensors):
                return sentence
        drops_by_hand = not _is_same(_watched(learned, module)[0], _watched(learned, module, seed=1)[0])
        if drops_by_hand or all(rates):
            nearly_nothing = _at_nearly_1(learned, learned.reference)
            return "" if _is_same(_at_nearly_1(learned, answer), nearly_nothing) else ELSEWHERE
        for name, found in zip(sublayers, rates, strict=True):
            if not found:
                return ONE_MISSING.format(name)
        return ""

    return _after_evaluation(judge)


def dropout_of_model(*embeddings: int) -> Callable[[ClassWithWeights, Any], str]:
    """Make a check of the dropout in a whole model: on its embeddings, and handed on to its layers.

    Takes which calls of dropout in the course's class, counted from 0, are those on embeddings; of a `Transformer`,
    first that on the source's.
    """

    def judge(learned: ClassWithWeights, answer: Any) -> str:
        module = _module(learned, answer, RATE)
        _, expected = _watched(learned, _module(learned, learned.reference, RATE))
        output, seen = _watched(learned, module)
        if not _is_same(output, _watched(learned, module, seed=1)[0]):
            return ""  # some of it is done by hand, and cannot be observed
        missing = [
            i
            for i, written in enumerate(expected)
            if not any(each.rate == RATE and _is_same(each.x, written.x) for each in seen)
        ]
        not_dropped = [i for i in embeddings if i in missing]
        if not_dropped:
            of_one = "the source's" if not_dropped == [embeddings[0]] else "the target's"
            return NOT_ON_EMBEDDINGS.format("the" if len(not_dropped) == len(embeddings) else of_one)
        return NOT_HANDED_ON if missing else ""

    return _after_evaluation(judge)


def _after_evaluation(judge: Callable[[ClassWithWeights, Any], str]) -> Callable[[ClassWithWeights, Any], str]:
    """Let a check of dropout in training follow that in evaluation, and say that in evaluation all is right."""

    def judge_both(learned: ClassWithWeights, answer: Any) -> str:
        if sentence := dropped_in_evaluation(learned, answer):
            return sentence
        sentence = judge(learned, answer)
        return f"{RIGHT_IN_EVALUATION} {sentence}" if sentence else ""

    return judge_both


def _module(learned: ClassWithWeights, answer: Any, rate: float) -> nn.Module:
    """Make an instance with fixed weights that drops at a rate, in training mode."""
    sizes = learned.sizes if learned.dropout is None else learned.with_rate(learned.sizes, rate)
    return learned.make_with_fixed_weights(answer, sizes).module.train()


@torch.no_grad()
def _output(learned: ClassWithWeights, module: nn.Module, seed: int = 0) -> Tensor:
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(seed)
        output: Tensor = learned.outputs(module, learned.inputs(*learned.sizes))[0]
    return output


def _watched(learned: ClassWithWeights, module: nn.Module, seed: int = 0) -> tuple[Tensor, list[_Dropped]]:
    """A module's output if torch's functions dropped nothing, and what they are to drop."""
    with _Watch() as watch:
        output = _output(learned, module, seed)
    return output, watch.seen


def _is_random(learned: ClassWithWeights, module: nn.Module) -> bool:
    """Whether the output depends on random numbers; an output that depends on earlier calls does not count."""
    first, other, again = (_output(learned, module, seed) for seed in (0, 1, 0))
    return torch.equal(first, again) and not torch.equal(first, other)


def _drops_by_hand_at_0(learned: ClassWithWeights, answer: Any) -> bool:
    """Whether numbers are dropped in training, but not by torch's dropout, although the rate is 0."""
    module = _module(learned, answer, 0.0)
    return not _is_same(_watched(learned, module)[0], _watched(learned, module.eval())[0])


def _at_nearly_1(learned: ClassWithWeights, answer: Any) -> Tensor:
    """The output of a class in training if almost everything that it can drop is dropped."""
    return _output(learned, _module(learned, answer, NEARLY_ALL))


@cache
def _places(learned: ClassWithWeights) -> tuple[list[Tensor], dict[str, list[Tensor]]]:
    """What the sublayers write, which is to be dropped, and other tensors, by the sentence about dropping them."""
    module = _module(learned, learned.reference, RATE)
    sums: list[Tensor] = []
    normed: list[Tensor] = []

    def remember(_norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        sums.append(inputs[0].clone())
        normed.append(output.clone())

    for submodule in module.modules():
        if isinstance(submodule, LayerNorm):
            submodule.register_forward_hook(remember)
    _, written = _watched(learned, module)
    read = [*learned.inputs(*learned.sizes), *normed[:-1]]
    elsewhere = {AFTER_NORM: normed[-1:], ON_SUM: sums, ON_INPUT: [x for x in read if isinstance(x, Tensor)]}
    return [each.x for each in written], elsewhere


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)
