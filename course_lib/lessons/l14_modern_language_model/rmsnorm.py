"""The exercise `RMSNorm` of notebook 14."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import layers

LEARNED = ClassWithWeights(
    reference=layers.RMSNorm,
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


TYPES = (torch.float16, torch.float32, torch.bfloat16)


def in_half_precision(answer: Any, _arguments: tuple[Any, ...]) -> str:
    """Say that squares overflow in half precision, or that the result is rounded, or of another type than the gain."""
    norm = answer(4).to(torch.float16)
    output = norm(torch.full((1, 1, 4), 300.0, dtype=torch.float16))
    if not torch.isfinite(output).all() or (output.float() - 1).abs().max() > 0.01:
        return (
            "In half precision your squares overflow: 300² is more than 65504, the largest number in float16. Compute "
            "in float32: start from `x.float()`."
        )
    for of_gain, of_tokens in itertools.product(TYPES, TYPES):
        of_result = answer(4).to(of_gain)(torch.ones(1, 1, 4, dtype=of_tokens)).dtype
        if of_result != of_gain:
            gain, tokens, result = (str(each).removeprefix("torch.") for each in (of_gain, of_tokens, of_result))
            return (
                f"With a gain of {gain} and tokens of {tokens} your result is {result}. Turn the result into the type "
                "of the gain, as the last step: `.to(self.gain.dtype)`."
            )
    x = fixed_tensor(2, 3, 4).to(torch.float16)
    if (answer(4)(x) - layers.RMSNorm(4)(x)).abs().max() > 1e-4:
        return (
            "With a gain of float32 and tokens of float16 your result is only as exact as float16. Stay in float32 to "
            "the end, also where you multiply by the gain."
        )
    return ""


def further_check(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Judge the weights, then half precision."""
    return judge_class(LEARNED)(answer, arguments) or in_half_precision(answer, arguments)


rms_norm = Exercise(
    reference=layers.RMSNorm,
    notebook=14,
    order=10,
    minutes=8,
    difficulty=2,
    trained=True,
    float32_is_asked=True,
    adapt=with_eps,
    further_check=further_check,
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(Result("the normed tokens", "B, T, d_model"),),
    example=case(4, torch.tensor([[[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 1.0, -1.0]]])),
    another=case(4, fixed_tensor(1, 2, 4)),
    cases=(
        case(6, fixed_tensor(2, 3, 6), having=("a batch",)),
        case(4, fixed_tensor(4, 4, 4), having=("sizes that are all the same", "a batch")),
        case(5, fixed_tensor(1, 1, 5), having=("a single token",)),
        case(4, fixed_tensor(2, 3, 4), 0.5, having=("a large eps", "a batch")),
        case(4, fixed_tensor(2, 3, 4) / 100, having=("small numbers", "a batch")),
        case(4, fixed_tensor(2, 3, 4) / 100, 0.5, having=("small numbers", "a large eps", "a batch")),
        case(4, fixed_tensor(2, 3, 4) + 50, having=("numbers far from 0", "a batch")),
        case(4, torch.zeros(1, 2, 4), having=("features that are all 0",)),
        case(3, fixed_tensor(2, 3, 4).mT, having=("another width", "a tensor that is a view of another", "a batch")),
        case(4, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "It is your `LayerNorm` with two things left out. Which line is no longer needed?",
        (
            "Keep a gain of ones, `nn.Parameter(torch.ones(d_model))`. Squares, mean and root run over the last axis, "
            "with `keepdim=True`; eps is under the root."
        ),
        (
            "`wide = x.float()` (for float64, `x` itself) and `wide.pow(2).mean(-1, keepdim=True)` come first. At the "
            "end, `.to(self.gain.dtype)`."
        ),
    ),
)

rms_norm.patch(
    "Your code subtracts the mean, as LayerNorm does. RMSNorm leaves the mean in: divide x itself.",
    replace="wide = x.to(torch.promote_types(x.dtype, torch.float32))",
    by="wide = x - x.mean(-1, keepdim=True)",
)

rms_norm.patch(
    "Your code divides by the standard deviation, which squares x minus its mean. Take the mean of x² itself.",
    replace="wide.pow(2).mean(-1, keepdim=True)",
    by="wide.var(-1, correction=0, keepdim=True)",
)

rms_norm.patch(
    "Your code adds up the squares. Take their mean: otherwise the wider the model, the smaller the numbers.",
    replace="wide.pow(2).mean(-1, keepdim=True)",
    by="wide.pow(2).sum(-1, keepdim=True)",
)

rms_norm.patch(
    "Your code divides by the mean of |x|. Divide by the root of the mean of x²: large features count for more in it.",
    replace="torch.rsqrt(mean_square + self.eps)",
    by="(1 / (wide.abs().mean(-1, keepdim=True) + self.eps))",
)

rms_norm.patch(
    "Your code takes one mean over all tokens. Each token has its own: take the mean over the last axis.",
    replace="wide.pow(2).mean(-1, keepdim=True)",
    by="wide.pow(2).mean()",
)

rms_norm.patch(
    "Your code divides by the mean square. Divide by its root: √(mean(x²) + eps).",
    replace="torch.rsqrt(mean_square + self.eps)",
    by="(1 / (mean_square + self.eps))",
)

rms_norm.patch(
    "Your code adds eps after the root. Add it inside, √(mean(x²) + eps), where it also protects the root's gradient.",
    replace="torch.rsqrt(mean_square + self.eps)",
    by="(1 / (mean_square.sqrt() + self.eps))",
)

rms_norm.patch(
    "In your results, eps is added to the vector's length, after the root. Add it to the mean square, inside the root: "
    "√(mean(x²) + eps).",
    replace="torch.rsqrt(mean_square + self.eps)",
    by="(1 / (mean_square.sqrt() + self.eps / wide.size(-1) ** 0.5))",
)

rms_norm.patch(
    "Your norm has no eps. Where all features are 0, 0 / 0 is NaN: divide by √(mean(x²) + eps).",
    replace="mean_square + self.eps",
    by="mean_square",
)

rms_norm.patch(
    "Your results are those of eps = 1e-6, also where another is passed. Use the one that is passed, 1e-5 if none is: "
    "`__init__` keeps it with `self.eps = eps`.",
    replace="mean_square + self.eps",
    by="mean_square + 1e-6",
    seen="https://github.com/OpenNMT/CTranslate2/pull/1357",
)

rms_norm.patch(
    "Your results are those of a much smaller eps than the one that is passed, or of none. Add the eps that is passed "
    "to the mean square, √(mean(x²) + eps): `__init__` keeps it with `self.eps = eps`.",
    replace="mean_square + self.eps",
    by="mean_square + 1e-8",
)

rms_norm.patch(
    "Your results are those of an eps of about 1.2e-7, which `F.rms_norm` takes for float32 if none is passed on to "
    "it. Use the eps that is passed: `__init__` keeps it with `self.eps = eps`.",
    replace="mean_square + self.eps",
    by="mean_square + torch.finfo(torch.float32).eps",
)

rms_norm.patch(
    "Your eps counts for less than it should, as if it were added to the sum of the squares. Add it to their mean.",
    replace="mean_square + self.eps",
    by="mean_square + self.eps / wide.size(-1)",
)

rms_norm.patch(
    "Your results are those of eps = 1e-5, also where another is passed. Use the one that is passed: `__init__` keeps "
    "it with `self.eps = eps`.",
    replace="mean_square + self.eps",
    by="mean_square + 1e-5",
)

LIMITS = {
    "eps is a lower limit of the vector's length, as in `F.normalize`": (
        "(1 / (mean_square.sqrt() * wide.size(-1) ** 0.5).clamp(min=self.eps) * wide.size(-1) ** 0.5)"
    ),
    "√eps is a lower limit of the vector's length": (
        "(1 / (mean_square.sqrt() * wide.size(-1) ** 0.5).clamp(min=self.eps**0.5) * wide.size(-1) ** 0.5)"
    ),
    "eps is a lower limit of the root": "(1 / mean_square.sqrt().clamp(min=self.eps))",
    "eps is a lower limit of the mean square": "(1 / mean_square.clamp(min=self.eps).sqrt())",
}
for limit, limited in LIMITS.items():
    rms_norm.patch(
        f"In your results, {limit}: larger numbers are divided as if there were no eps. Add eps to the mean square "
        "instead, √(mean(x²) + eps).",
        replace="torch.rsqrt(mean_square + self.eps)",
        by=limited,
    )

rms_norm.patch(
    "Your code takes the mean over the tokens, so that each word depends on the others. Take it over the features, the "
    "last axis.",
    replace="wide.pow(2).mean(-1, keepdim=True)",
    by="wide.pow(2).mean(-2, keepdim=True)",
)

rms_norm.patch(
    "Your norm learns no gain. After the division, multiply each feature by a number that is learned: an "
    "`nn.Parameter` of ones. A plain tensor is never trained.",
    replace="torch.rsqrt(mean_square + self.eps) * self.gain",
    by="torch.rsqrt(mean_square + self.eps)",
)


@rms_norm.right_for_whole_course
class ByTheNorm(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.weight, self.eps, self.width = nn.Parameter(torch.ones(d_model)), eps, d_model

    def forward(self, x):
        wide = x if x.dtype == torch.float64 else x.float()
        length = wide.norm(dim=-1, keepdim=True)
        return (self.weight * wide / torch.sqrt(length**2 / self.width + self.eps)).to(self.weight.dtype)


@rms_norm.right
class GainInFloat32(nn.Module):
    """The gain is multiplied in float32 too, and the result is in its own type."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        wide = wide / (wide.square().mean(dim=-1, keepdim=True) + self.eps).sqrt()
        return (self.gain.to(wide.dtype) * wide).type_as(self.gain)
