"""The exercise `LayerNorm` of notebook 05."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import layers

LEARNED = ClassWithWeights(
    reference=layers.LayerNorm,
    inputs=lambda d_model: (fixed_tensor(2, 3, d_model),),
    sizes=(5,),
    wide=(64,),
    block=1,
    biases=True,
)


def with_eps(answer: Any) -> Callable[..., tuple[Any, ...]]:
    """Adapt the class so that it is called as a function, with fixed weights, of d_model, x and perhaps eps."""

    def function(d_model: int, x: Tensor, *eps: float) -> tuple[Any, ...]:
        output, _ = with_fixed_weights(LEARNED)(lambda width: answer(width, *eps))(d_model, x)
        return (output,)

    return function


def remark(answer: Any) -> str:
    """Say that trained weights do not fit into a norm, or that its eps cannot be changed from outside."""
    if sentence := names_of_its_own(LEARNED)(answer):
        return sentence
    if hasattr(answer(5), "eps"):
        return ""
    return (
        "It does not keep eps as `self.eps`. Where a model needs another eps, the course's `EncoderLayer` takes the "
        "place of yours."
    )


layer_norm = Exercise(
    reference=layers.LayerNorm,
    notebook=5,
    order=30,
    minutes=15,
    difficulty=2,
    on_map="encoder_norm",
    trained=True,
    adapt=with_eps,
    further_check=judge_class(LEARNED),
    explain=explain_class(LEARNED),
    remark=remark,
    returns=(Result("the normed tokens", "B, T, d_model"),),
    example=case(4, torch.tensor([[[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 1.0, -1.0]]])),
    another=case(4, fixed_tensor(1, 2, 4)),
    cases=(
        case(6, fixed_tensor(2, 3, 6), having=("a batch",)),
        case(4, fixed_tensor(4, 4, 4), having=("sizes that are all the same", "a batch")),
        case(5, fixed_tensor(1, 1, 5), 0.125, having=("a single token", "a large eps")),
        case(4, fixed_tensor(2, 3, 4), 0.5, having=("a large eps", "a batch")),
        case(4, fixed_tensor(2, 3, 4) / 1000, having=("numbers close together", "a batch")),
        case(4, fixed_tensor(2, 3, 4) + 50, having=("numbers far from 0", "a batch")),
        case(
            4, torch.tensor([[[2.0, 2.0, 2.0, 2.0], [0.0, 1.0, 0.0, 1.0]]]), having=("features that are all the same",)
        ),
        case(3, fixed_tensor(2, 3, 4).mT, having=("another width", "a tensor that is a view of another", "a batch")),
        case(4, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Take one token, (1, 3, 5). What are its mean and its variance? Which numbers come out before `gain` and "
            "`bias`?"
        ),
        (
            "In `__init__`, wrap `gain` and `bias` in `nn.Parameter`, so that torch learns them. In `forward`, mean "
            "and variance run over the last axis, and `keepdim=True` keeps shapes that can be subtracted."
        ),
        (
            "`x.var(-1, correction=0, keepdim=True)` divides by d_model, and `x - x.mean(-1, keepdim=True)` is "
            "centred. Where does eps belong?"
        ),
    ),
)


layer_norm.patch(
    "Your variance divides by d_model − 1. LayerNorm divides by d_model: `var` and `std` of torch do so with "
    "`correction=0`, or `unbiased=False`.",
    replace="centred.square().mean(-1, keepdim=True)",
    by="x.var(-1, keepdim=True)",
    seen="https://github.com/harvardnlp/annotated-transformer/issues/119",
)

layer_norm.patch(
    "Your code differs in two ways: its variance divides by d_model − 1, as `var` and `std` do unless you pass "
    "`unbiased=False`, and eps is added outside the root. Divide by √(variance + eps), with a variance that divides "
    "by d_model.",
    replace="torch.sqrt(variance + self.eps)",
    by="(x.std(-1, keepdim=True) + self.eps)",
    seen="https://github.com/codertimo/BERT-pytorch/issues/30",
)

layer_norm.patch(
    "Your code adds eps after the root. Add it inside, √(variance + eps), where it also protects the root's gradient.",
    replace="torch.sqrt(variance + self.eps)",
    by="(torch.sqrt(variance) + self.eps)",
    seen="https://github.com/tracel-ai/burn/issues/2185",
)

layer_norm.patch(
    "Eps has no effect in your code. If the features of a token are all equal, their variance is 0, and 0 / 0 is NaN: "
    "divide by √(variance + eps).",
    replace="variance + self.eps",
    by="variance",
)


layer_norm.patch(
    "Your code takes eps in place of a variance that is smaller, and leaves all others as they are. Add it to every "
    "variance: √(variance + eps).",
    replace="torch.sqrt(variance + self.eps)",
    by="torch.sqrt(variance.clamp(min=self.eps))",
)


def normalised_over(dim, x, eps):
    variance, mean = torch.var_mean(x, dim, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


layer_norm.patch(
    "Your variance is the mean of the squares of x itself. The variance is about the mean: take the squares of x "
    "− mean.",
    replace="centred.square()",
    by="x.square()",
)

FORGOTTEN_SQUARE = (
    "Your code takes the mean of x − mean itself, which is 0 but for rounding. The variance is the mean of its "
    "squares: `centred.square()`."
)
layer_norm.patch(FORGOTTEN_SQUARE, replace="centred.square()", by="centred")
layer_norm.patch(
    FORGOTTEN_SQUARE.replace("the mean of x − mean", "the sum of x − mean"),
    replace="centred.square().mean(-1, keepdim=True)",
    by="centred.sum(-1, keepdim=True)",
)

layer_norm.patch(
    "Your code subtracts the mean, but never divides. Divide by √(variance + eps), so that the variance becomes 1.",
    replace="centred / torch.sqrt(variance + self.eps)",
    by="centred",
)


@layer_norm.mistake(
    "Your code normalises as RMSNorm does: it never subtracts the mean. LayerNorm subtracts it, and then divides by "
    "√(variance + eps)."
)
class WithoutTheMean(layers.LayerNorm):
    def forward(self, x):
        return self.gain * x / torch.sqrt(x.square().mean(-1, keepdim=True) + self.eps) + self.bias


@layer_norm.mistake(
    "Your gain and bias come before the norm, which undoes most of what they do. First normalise x, then multiply by "
    "the gain and add the bias."
)
class GainAndBiasFirst(layers.LayerNorm):
    def forward(self, x):
        return normalised_over(-1, self.gain * x + self.bias, self.eps)


@layer_norm.mistake(
    "In your code, only the mean is divided by the root. Divide the whole difference, `(x - mean) / root`: without the "
    "brackets, Python divides before it subtracts."
)
class OnlyTheMeanDivided(layers.LayerNorm):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, correction=0, keepdim=True)
        return self.gain * (x - mean / torch.sqrt(variance + self.eps)) + self.bias


@layer_norm.mistake(
    "Your code takes mean and variance over the tokens, so that each word depends on all the others. Normalise each "
    "token alone, over its features: the last axis.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/17",
)
class OverTokens(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over(-2, x, self.eps) + self.bias


@layer_norm.mistake(
    "Your code takes mean and variance over the batch, so that a sentence depends on the others in the batch. "
    "Normalise each token alone, over its features: the last axis.",
    seen="https://github.com/Kyubyong/transformer/issues/40",
)
class OverTheBatch(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over(0, x, self.eps) + self.bias


@layer_norm.mistake(
    "Your code takes one mean and one variance over the whole tensor. Each token has its own: take them over the last "
    "axis."
)
class OverAll(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over((0, 1, 2), x, self.eps) + self.bias


layer_norm.patch(
    "Your code takes one variance over the whole tensor. Each token has its own: take it over the last axis, with "
    "`keepdim=True`.",
    replace="centred.square().mean(-1, keepdim=True)",
    by="centred.square().mean()",
)
layer_norm.patch(
    "Your code takes one variance over the whole tensor, in which the tokens' means differ. Each token has a variance "
    "of its own: take it over the last axis, with `keepdim=True`.",
    replace="centred.square().mean(-1, keepdim=True)",
    by="x.var(correction=0)",
)


@layer_norm.mistake(
    "Your code differs in two ways: it takes one mean and one variance over the whole tensor, and the variance "
    "divides by the count minus 1, as `var` and `std` do unless you pass `unbiased=False`. Each token has a mean and "
    "a variance of its own: take both over the last axis, with `keepdim=True`."
)
class OverAllWithSampleVariance(layers.LayerNorm):
    def forward(self, x):
        return self.gain * (x - x.mean()) / torch.sqrt(x.var() + self.eps) + self.bias


@layer_norm.mistake(
    "Your code differs in three ways: it takes one mean and one standard deviation over the whole tensor; the "
    "deviation divides by the count minus 1, as `std` does unless you pass `unbiased=False`; and eps is added outside "
    "the root. Take mean and variance over the last axis, and divide by √(variance + eps)."
)
class OverAllWithSampleDeviation(layers.LayerNorm):
    def forward(self, x):
        return self.gain * (x - x.mean()) / (x.std() + self.eps) + self.bias


@layer_norm.mistake(
    "Your code takes one mean and one variance over all tokens of a sentence. Normalise each token alone, over its "
    "features: the last axis only."
)
class OverTokensAndFeatures(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over((-2, -1), x, self.eps) + self.bias


layer_norm.patch(
    "Your code divides by the variance. Divide by its root: √(variance + eps).",
    replace="torch.sqrt(variance + self.eps)",
    by="(variance + self.eps)",
)

layer_norm.patch(
    "Your code divides by the root of a standard deviation, which is a root already. Take the root of the variance: "
    "√(variance + eps).",
    replace="variance + self.eps",
    by="variance.sqrt() + self.eps",
    seen="https://github.com/hyunwoongko/transformer/issues/7",
)

layer_norm.patch(
    "Your code does not subtract the mean. Subtract the mean of each token first, then divide.",
    replace="self.gain * centred",
    by="self.gain * x",
)


@layer_norm.mistake(
    "Your norm is right, but nothing in it is learned. Each feature has its own gain and its own bias: wrap both in "
    "`nn.Parameter`, because torch does not train a plain tensor."
)
class NothingLearned(layers.LayerNorm):
    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], eps=self.eps)


@layer_norm.mistake(
    "Your gain is one number for all features, and so is your bias. Each feature has its own: both need d_model "
    "numbers."
)
class OneGain(layers.LayerNorm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.gain, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))


@layer_norm.mistake(
    "Your code differs in three ways: gain and bias are one number each, where every feature has its own; the "
    "variance divides by d_model − 1, as `var` and `std` do unless you pass `unbiased=False`; and eps is added "
    "outside the root. Divide by √(variance + eps), with a variance that divides by d_model.",
    seen="https://github.com/hkproj/pytorch-transformer/issues/31",
)
class OneGainAndSampleDeviation(OneGain):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return self.gain * centred / (x.std(-1, keepdim=True) + self.eps) + self.bias


@layer_norm.mistake(
    "Your code differs in two ways: it takes mean and variance over the tokens, and its variance divides by their "
    "number minus 1. Normalise each token alone, over the last axis, with `correction=0`."
)
class OverTokensWithSampleVariance(layers.LayerNorm):
    def forward(self, x):
        centred = x - x.mean(-2, keepdim=True)
        variance = centred.square().sum(-2, keepdim=True) / (x.size(-2) - 1)
        return self.gain * centred / torch.sqrt(variance + self.eps) + self.bias


layer_norm.patch(
    "Your code differs in two ways: its variance divides by d_model − 1, and eps has no effect. Divide by √(variance "
    "+ eps), with a variance that divides by d_model, as `var` does with `correction=0`.",
    replace="torch.sqrt(variance + self.eps)",
    by="x.std(-1, keepdim=True)",
)

layer_norm.patch(
    "Your code divides by half of variance + eps, as with `root = (variance + eps) ** 1/2`, where Python computes `** "
    "1` first. Divide by the root: `torch.sqrt(variance + eps)`, or `(variance + eps) ** 0.5`.",
    replace="torch.sqrt(variance + self.eps)",
    by="((variance + self.eps) / 2)",
)

layer_norm.patch(
    "Your code divides by variance + eps and by 2, as with `/ (variance + eps) ** 1/2`, where Python computes `** 1` "
    "first. Divide by the root: `torch.sqrt(variance + eps)`, or `(variance + eps) ** 0.5`.",
    replace="torch.sqrt(variance + self.eps)",
    by="((variance + self.eps) * 2)",
)

layer_norm.patch(
    "Your code multiplies by √(variance + eps), or divides by its inverse. Divide by the root itself, so that the "
    "variance becomes 1.",
    replace="centred / torch.sqrt(variance + self.eps)",
    by="centred * torch.sqrt(variance + self.eps)",
)

layer_norm.patch(
    "Your numbers are right, but your code changes the caller's `x`, as `x -= …` does. Write `x - …`, which makes a "
    "new tensor.",
    replace="centred = x - x.mean(-1, keepdim=True)",
    by="centred = x.sub_(x.mean(-1, keepdim=True))",
)

layer_norm.patch(
    "Your bias has no effect. After the gain, each feature is shifted by its own bias: add it.",
    replace="normalised + self.bias",
    by="normalised",
)

layer_norm.patch(
    "Your gain has no effect. Multiply the normalised features by it, then add the bias.",
    replace="self.gain * centred",
    by="centred",
)

layer_norm.patch(
    "Your bias is multiplied by the gain too. Multiply only the normalised features by it, and add the bias as it is: "
    "gain · … + bias.",
    replace="normalised + self.bias",
    by="normalised + self.gain * self.bias",
)

layer_norm.patch(
    "Your mean is taken over the whole tensor, so that each token depends on all the others. Take it over the last "
    "axis: `x.mean(-1, keepdim=True)`.",
    replace="x.mean(-1, keepdim=True)",
    by="x.mean()",
)

layer_norm.patch(
    "Your eps is always 1e-5, whatever is passed in. The eps that `forward` adds to the variance should be the "
    "argument of `__init__`.",
    replace="variance + self.eps",
    by="variance + 1e-5",
)


@layer_norm.right_for_whole_course
class ByMoments(nn.Module):
    def __init__(self, features, eps=1e-5):
        super().__init__()
        self.beta, self.gamma = nn.Parameter(torch.zeros(features)), nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        return self.gamma * centred * torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + self.eps) + self.beta


@layer_norm.right
class LayerNormWithThreeAxes(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(1, 1, d_model)), nn.Parameter(torch.zeros(1, 1, d_model))
        self.eps = eps

    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
        return (x - mean) / (variance + self.eps).sqrt() * self.g + self.b


@layer_norm.right
class LayerNormOfTorch(nn.LayerNorm):
    pass


@layer_norm.right
class LayerNormTokenByToken(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.a_2, self.b_2, self.eps = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model)), eps

    def forward(self, x):
        tokens = x.reshape(-1, x.shape[-1])
        rows = [(t - t.mean()) / (t.var(unbiased=False) + self.eps) ** 0.5 for t in tokens]
        return torch.stack(rows).reshape(x.shape) * self.a_2 + self.b_2
