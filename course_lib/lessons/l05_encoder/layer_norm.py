"""The exercise `LayerNorm` of notebook 05."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import layers


def with_fixed_gains(answer: Any) -> Callable[..., Tensor]:
    """Adapt the class so that it is called as a function, with gains near 1 and biases near 0."""

    def norm(d_model: int, x: Tensor, *eps: float) -> Tensor:
        output: Tensor = norm_with_fixed_weights(answer, d_model, *eps).to(x.dtype)(x)
        return output

    return norm


def norm_with_fixed_weights(answer: Any, *sizes: Any) -> nn.Module:
    """Make an instance with gains near 1 and biases near 0."""
    module: nn.Module = answer(*sizes)
    with torch.no_grad():
        for parameter in module.parameters():
            start = float(parameter.mean())  # 1 for gains, 0 for biases
            parameter.copy_(start + fixed_tensor(*parameter.shape, seed=7 + int(start)) / 4)
    return module


def gradient_reaches_gain_and_bias(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Make a further check: that gradients reach the gain and the bias."""
    d_model, x = arguments
    module = norm_with_fixed_weights(answer, d_model)
    gradients = torch.autograd.grad(module(x).sum(), list(module.parameters()), allow_unused=True)
    if any(gradient is None for gradient in gradients):
        return "But no gradient reaches its gain or its bias: `.data` and `.detach()` cut it off."
    return ""


layer_norm = Exercise(
    reference=layers.LayerNorm,
    notebook=5,
    order=30,
    minutes=15,
    difficulty=2,
    on_map="encoder_norm",
    trained=True,
    adapt=with_fixed_gains,
    further_check=gradient_reaches_gain_and_bias,
    returns=(Result("the normed tokens", "B, T, d_model"),),
    example=case(4, torch.tensor([[[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 1.0, -1.0]]])),
    another=case(4, fixed_tensor(1, 2, 4)),
    cases=(
        case(6, fixed_tensor(2, 3, 6), having=("a batch",)),
        case(4, fixed_tensor(4, 4, 4), having=("sizes that are all the same",)),
        case(5, fixed_tensor(1, 1, 5), having=("a single token",)),
        case(4, fixed_tensor(2, 3, 4), 0.5, having=("a large eps",)),
        case(4, fixed_tensor(2, 3, 4) / 1000, having=("numbers close together",)),
        case(4, fixed_tensor(2, 3, 4) + 50, having=("numbers far from 0",)),
        case(
            4, torch.tensor([[[2.0, 2.0, 2.0, 2.0], [0.0, 1.0, 0.0, 1.0]]]), having=("features that are all the same",)
        ),
        case(3, fixed_tensor(2, 3, 4).mT, having=("another width", "a tensor that is a view of another")),
        case(4, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Each token by itself: subtract the mean of its features, divide by their standard deviation. Then each "
            "feature gets its own factor and its own shift, both learned."
        ),
        (
            "`nn.Parameter(torch.ones(d_model))` for the factors, `nn.Parameter(torch.zeros(d_model))` for the shifts. "
            "Mean and variance run over the last axis; `keepdim=True` keeps shapes that subtract."
        ),
        "`x.var(-1, correction=0, keepdim=True)` divides by d_model. Add eps to it before the square root.",
    ),
)


layer_norm.patch(
    "Your variance divides by d_model − 1, as torch's `var` and `std` do unless told otherwise. LayerNorm divides by "
    "d_model: `correction=0`.",
    replace="centred.square().mean(-1, keepdim=True)",
    by="x.var(-1, keepdim=True)",
    seen="https://github.com/harvardnlp/annotated-transformer/issues/119",
)

layer_norm.patch(
    "Two things: `std` divides by d_model − 1, and eps stands outside the root. It should be √(variance + eps), with a "
    "variance that divides by d_model.",
    replace="torch.sqrt(variance + self.eps)",
    by="(x.std(-1, keepdim=True) + self.eps)",
    seen="https://github.com/codertimo/BERT-pytorch/issues/30",
)

layer_norm.patch(
    "Your eps is added after the root. Inside, it protects the root as well: √(variance + eps).",
    replace="torch.sqrt(variance + self.eps)",
    by="(torch.sqrt(variance) + self.eps)",
    seen="https://github.com/tracel-ai/burn/issues/2185",
)

layer_norm.patch(
    "Your eps is nowhere. In a token whose features are all the same the variance is 0, and 0 / 0 is NaN: divide by "
    "√(variance + eps).",
    replace="variance + self.eps",
    by="variance",
)


def normalised_over(dim, x, eps):
    variance, mean = torch.var_mean(x, dim, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


@layer_norm.mistake(
    "You took mean and variance over the tokens, so that each word depends on all others. Each token is normalised "
    "alone, over its features: the last axis.",
    seen="https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/17",
)
class OverTokens(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over(-2, x, self.eps) + self.bias


@layer_norm.mistake(
    "You took mean and variance over the batch, so that a sentence depends on those beside it. Each token is "
    "normalised alone, over its features: the last axis.",
    seen="https://github.com/Kyubyong/transformer/issues/40",
)
class OverTheBatch(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over(0, x, self.eps) + self.bias


@layer_norm.mistake("You took one mean and one variance over everything. Each token has its own: over the last axis.")
class OverAll(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over((0, 1, 2), x, self.eps) + self.bias


@layer_norm.mistake(
    "You took one mean and one variance over all tokens of a sentence. Each token is normalised alone, over its "
    "features: the last axis only."
)
class OverTokensAndFeatures(layers.LayerNorm):
    def forward(self, x):
        return self.gain * normalised_over((-2, -1), x, self.eps) + self.bias


layer_norm.patch(
    "You divided by the variance. Divide by its root.",
    replace="torch.sqrt(variance + self.eps)",
    by="(variance + self.eps)",
)

layer_norm.patch(
    "You took the root of a standard deviation, which is a root already. It is √(variance + eps).",
    replace="variance + self.eps",
    by="variance.sqrt() + self.eps",
    seen="https://github.com/hyunwoongko/transformer/issues/7",
)

layer_norm.patch(
    "The mean is not subtracted. Centre first, then scale.",
    replace="self.gain * centred",
    by="self.gain * x",
)


@layer_norm.mistake(
    "The norm is right, but nothing is learned. Each feature has its own gain and its own bias, and both are wrapped "
    "in `nn.Parameter`: torch learns no plain tensor."
)
class NothingLearned(layers.LayerNorm):
    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], eps=self.eps)


@layer_norm.mistake(
    "Your gain is one number for all features, and your bias another. Each feature has its own: d_model of each."
)
class OneGain(layers.LayerNorm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)
        self.gain, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))


@layer_norm.mistake(
    "Three things: your gain and bias are one number each, where every feature has its own; `std` divides by d_model − "
    "1; and eps stands outside the root. It should be √(variance + eps), with a variance that divides by d_model.",
    seen="https://github.com/hkproj/pytorch-transformer/issues/31",
)
class OneGainAndSampleDeviation(OneGain):
    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return self.gain * centred / (x.std(-1, keepdim=True) + self.eps) + self.bias


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
