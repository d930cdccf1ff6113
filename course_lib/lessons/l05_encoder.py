"""The exercises of notebook 05: the encoder."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.filling import filled
from course_lib.transformer.layers import (
    EncoderLayer,
    FeedForward,
    LayerNorm,
    encoder_parameter_count,
    gelu,
    post_norm,
    pre_norm,
)

# Feed-forward.


def _rectified(x: Tensor) -> Tensor:
    """That is ReLU: it cuts at 0. GELU bends softly, and lets a little of the negative numbers through."""
    return torch.relu(x)


def _only_the_share(x: Tensor) -> Tensor:
    """That is the share, Φ(x), alone. It is multiplied by x."""
    return (1 + torch.erf(x / math.sqrt(2))) / 2


def _by_the_density(x: Tensor) -> Tensor:
    """You took the bell curve itself, φ(x). What is wanted is the area below it up to x: Φ(x)."""
    return x * torch.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _without_the_root(x: Tensor) -> Tensor:
    """The √2 inside `erf` is missing: Φ(x) = (1 + erf(x / √2)) / 2."""
    return x * (1 + torch.erf(x)) / 2


def _by_a_sigmoid(x: Tensor) -> Tensor:
    """That is x · σ(1.702 x), a quick stand-in that the paper gives too. Here the exact one is wanted, with `erf`."""
    return x * torch.sigmoid(1.702 * x)


def _by_tanh(x: Tensor) -> Tensor:
    """That is the tanh stand-in, which GPT-2 uses. It differs in the fourth digit; BERT's weights want the exact one,
    with `erf`.

    Seen in https://github.com/kyutai-labs/pocket-tts/issues/278.
    """
    return F.gelu(x, approximate="tanh")


def _not_halved(x: Tensor) -> Tensor:
    """Your share runs from 0 to 2. Halve it: Φ(x) = (1 + erf(x / √2)) / 2."""
    return x * (1 + torch.erf(x / math.sqrt(2)))


GELU = Exercise(
    name="gelu",
    notebook=5,
    reference=gelu,
    returns=("the bent numbers (…)",),
    trained=True,
    minutes=5,
    difficulty=1,
    cases=(
        case(torch.tensor([-1.0, 0.0, 1.0])),
        case(torch.tensor([-2.0, 0.5, 3.0])),
        case(numbers(2, 3, 4), having="several axes"),
        case(numbers(5) * 10, having="large numbers"),
        case(numbers(4, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _rectified, _only_the_share, _by_the_density, _without_the_root, _by_a_sigmoid, _by_tanh, _not_halved
    ),
    hints=paragraphs("""
        Each number is multiplied by a share between 0 and 1 that hangs on the number itself.

        The share is Φ(x), the chance that a standard normal draw lies below x. `torch.erf` is the
        same curve, but from −1 to 1, and stretched by √2.

        Bring erf from −1 … 1 to 0 … 1: add 1, then halve. Divide x by √2 before it goes into erf, and
        multiply the share by x.
    """),
)


class _BentAtTheEnd(FeedForward):
    """You bend after the second map. Two maps with no bend between are worth one: bend after the first.

    Seen in https://github.com/goruck/nilm/issues/1.
    """

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.W_2(self.W_1(x)))


class _NotBent(FeedForward):
    """There is no bend: two linear maps in a row are one linear map. The activation goes between them."""

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.W_2(self.W_1(x))
        return output


class _BentTwice(FeedForward):
    """You bend after both maps, so that a sublayer could only ever add. Bend after the first one only."""

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(super().forward(x))


class _OwnResidual(FeedForward):
    """You add x already here. The residual comes later, around the whole sublayer: `post_norm` adds it."""

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class _BentBefore(FeedForward):
    """You bend x before the first map, which cuts the token's own negative numbers. Bend between the maps."""

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.W_2(self.W_1(self.activation(x)))
        return output


class _AlwaysReLU(FeedForward):
    """Your bend is ReLU whatever is asked for. The third argument says which activation to use."""

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.W_2(torch.relu(self.W_1(x)))
        return output


FEED_FORWARD = Exercise(
    name="FeedForward",
    notebook=5,
    reference=FeedForward,
    returns=("output (B, T, d_model)", "the count of numbers in your weight matrices"),
    trained=True,
    minutes=10,
    difficulty=1,
    on_map="encoder_feed_forward",
    adapt=filled(made_with=3, block=4),
    cases=(
        case(4, 7, torch.relu, numbers(1, 2, 4)),
        case(4, 7, torch.relu, numbers(1, 2, 4, seed=1)),
        case(4, 7, torch.relu, numbers(2, 3, 4), having="a batch"),
        case(4, 3, torch.relu, numbers(2, 3, 4), having="a d_ff below d_model"),
        case(4, 7, torch.tanh, numbers(2, 3, 4), having="another activation"),
        case(4, 7, F.gelu, numbers(1, 1, 4), having="another activation, a single token"),
        case(4, 7, torch.relu, numbers(5, 4), having="no batch axis"),
        case(4, 7, torch.relu, numbers(1, 2, 4, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(_BentAtTheEnd, _NotBent, _BentTwice, _OwnResidual, _BentBefore, _AlwaysReLU),
    hints=paragraphs("""
        Two `nn.Linear` in `__init__`: from d_model up to d_ff, and back down.

        In `forward`: up, bend, down. The bend is the third argument of `__init__`, a function; keep it in
        `self.activation`.

        The output of `W_1` goes through `self.activation`, and what comes out of that goes through `W_2`. Nothing
        is added and nothing bent after it.
    """),
)


# Norm and residual.


class _InStatistics(LayerNorm):
    """The reference, cut into pieces: each mistake replaces one."""

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * (x - self.mean(x)) / self.spread(x) + self.bias

    def mean(self, x: Tensor) -> Tensor:
        return x.mean(-1, keepdim=True)

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.var(-1, correction=0, keepdim=True) + self.eps)


class _SampleVariance(_InStatistics):
    """Your variance divides by d_model − 1, as torch's `var` and `std` do unless told otherwise. LayerNorm divides by
    d_model: `correction=0`.

    Seen in https://github.com/harvardnlp/annotated-transformer/issues/119.
    """

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.var(-1, keepdim=True) + self.eps)


class _SampleDeviationAndEpsilon(_InStatistics):
    """Two things: `std` divides by d_model − 1, and eps stands outside the root. Wanted is the root of the variance
    (divided by d_model) plus eps.

    Seen in https://github.com/codertimo/BERT-pytorch/issues/30.
    """

    def spread(self, x: Tensor) -> Tensor:
        return x.std(-1, keepdim=True) + self.eps


class _EpsilonOutside(_InStatistics):
    """Your eps is added after the root. Inside, it protects the root as well: √(variance + eps).

    Seen in https://github.com/tracel-ai/burn/issues/2185.
    """

    def spread(self, x: Tensor) -> Tensor:
        return x.std(-1, correction=0, keepdim=True) + self.eps


class _NoEpsilon(_InStatistics):
    """Your eps is nowhere. In a token whose features are all the same the variance is 0, and 0 / 0 is NaN: divide by
    √(variance + eps).
    """

    def spread(self, x: Tensor) -> Tensor:
        return x.std(-1, correction=0, keepdim=True)


class _OverTokens(_InStatistics):
    """You took mean and variance over the tokens, so that each word hangs on all others. Each token is normalised
    alone, over its features: the last axis.

    Seen in https://github.com/jadore801120/attention-is-all-you-need-pytorch/issues/17.
    """

    def mean(self, x: Tensor) -> Tensor:
        return x.mean(-2, keepdim=True)

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.var(-2, correction=0, keepdim=True) + self.eps)


class _OverTheBatch(_InStatistics):
    """You took mean and variance over the batch, so that a sentence hangs on those beside it. Each token is normalised
    alone, over its features: the last axis.

    Seen in https://github.com/Kyubyong/transformer/issues/40.
    """

    def mean(self, x: Tensor) -> Tensor:
        return x.mean(0, keepdim=True)

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.var(0, correction=0, keepdim=True) + self.eps)


class _OverAll(_InStatistics):
    """You took one mean and one variance over everything. Each token has its own: over the last axis."""

    def mean(self, x: Tensor) -> Tensor:
        return x.mean()

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.var(correction=0) + self.eps)


class _OverTokensAndFeatures(_InStatistics):
    """You took one mean and one variance over all tokens of a sentence. Each token is normalised alone, over its
    features: the last axis only.
    """

    def mean(self, x: Tensor) -> Tensor:
        return x.mean((-2, -1), keepdim=True)

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.var((-2, -1), correction=0, keepdim=True) + self.eps)


class _ByTheVariance(_InStatistics):
    """You divided by the variance. Divide by its root."""

    def spread(self, x: Tensor) -> Tensor:
        return x.var(-1, correction=0, keepdim=True) + self.eps


class _RootOfTheDeviation(_InStatistics):
    """You took the root of a standard deviation, which is a root already. It is √(variance + eps).

    Seen in https://github.com/hyunwoongko/transformer/issues/7.
    """

    def spread(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.std(-1, correction=0, keepdim=True) + self.eps)


class _NotCentred(_InStatistics):
    """The mean is not subtracted. Centre first, then scale."""

    def mean(self, x: Tensor) -> Tensor:
        return torch.zeros(1, dtype=x.dtype)


class _NothingLearned(LayerNorm):
    """The norm is right, but nothing is learned. Each feature has its own gain and its own bias, and both are wrapped
    in `nn.Parameter`: torch learns no plain tensor.
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], eps=self.eps)


class _OneGain(_InStatistics):
    """Your gain is one number for all features, and your bias another. Each feature has its own: d_model of each."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__(d_model, eps)
        self.gain, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))


class _OneGainAndSampleDeviation(_OneGain):
    """Three things: your gain and bias are one number each, where every feature has its own; `std` divides by
    d_model − 1; and eps stands outside the root. Wanted is the root of the variance (divided by d_model) plus eps.

    Seen in https://github.com/hkproj/pytorch-transformer/issues/31.
    """

    def spread(self, x: Tensor) -> Tensor:
        return x.std(-1, keepdim=True) + self.eps


def _with_gains(answer: Any) -> Callable[..., Tensor]:
    def norm(d_model: int, x: Tensor, *eps: float) -> Tensor:
        module = answer(d_model, *eps)
        with torch.no_grad():
            for parameter in module.parameters():
                start = float(parameter.mean())  # 1 for gains, 0 for biases
                parameter.copy_(start + numbers(*parameter.shape, seed=7 + int(start)) / 4)
        output: Tensor = module.to(x.dtype)(x)
        if x.requires_grad:
            learned = list(module.parameters())
            if None in torch.autograd.grad(output.sum(), learned, retain_graph=True, allow_unused=True):
                raise Warning("But no gradient reaches its gain or its bias: `.data` and `.detach()` cut it off.")
        return output

    return norm


LAYER_NORM = Exercise(
    name="LayerNorm",
    notebook=5,
    reference=LayerNorm,
    returns=("the normed tokens (B, T, d_model)",),
    trained=True,
    minutes=15,
    difficulty=2,
    on_map="encoder_norm",
    adapt=_with_gains,
    cases=(
        case(4, torch.tensor([[[1.0, 2.0, 3.0, 6.0], [0.0, 0.0, 1.0, -1.0]]])),
        case(4, numbers(1, 2, 4)),
        case(6, numbers(2, 3, 6), having="a batch"),
        case(4, numbers(4, 4, 4), having="sizes that are all the same"),
        case(5, numbers(1, 1, 5), having="a single token"),
        case(4, numbers(2, 3, 4), 0.5, having="a large eps"),
        case(4, numbers(2, 3, 4) / 1000, having="numbers close together"),
        case(4, numbers(2, 3, 4) + 50, having="numbers far from 0"),
        case(4, torch.tensor([[[2.0, 2.0, 2.0, 2.0], [0.0, 1.0, 0.0, 1.0]]]), having="features that are all the same"),
        case(3, numbers(2, 3, 4).mT, having="another width, a tensor that is a view of another"),
        case(4, numbers(1, 2, 4, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _SampleVariance,
        _SampleDeviationAndEpsilon,
        _EpsilonOutside,
        _NoEpsilon,
        _OverTokens,
        _OverTheBatch,
        _OverAll,
        _OverTokensAndFeatures,
        _ByTheVariance,
        _RootOfTheDeviation,
        _NotCentred,
        _NothingLearned,
        _OneGain,
        _OneGainAndSampleDeviation,
    ),
    hints=paragraphs("""
        Each token by itself: subtract the mean of its features, divide by their standard deviation. Then each
        feature gets its own factor and its own shift, both learned.

        `nn.Parameter(torch.ones(d_model))` for the factors, `nn.Parameter(torch.zeros(d_model))` for the shifts.
        Mean and variance run over the last axis; `keepdim=True` keeps shapes that subtract.

        `x.var(-1, correction=0, keepdim=True)` divides by d_model. Add eps to it before the square root.
    """),
)


def _no_residual(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """The residual is missing: x itself is added to what the sublayer computes. Through it the gradient finds its way
    down a deep stack.
    """
    return norm(sublayer(x))


def _norm_inside(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """You normalised what the sublayer wrote, before adding it. In 2017 the norm comes after the sum."""
    return x + norm(sublayer(x))


def _pre_for_post(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """That is pre-norm, today's order, and the next exercise. In 2017 the norm comes last: after the sum."""
    return pre_norm(x, sublayer, norm)


def _not_normed(x: Tensor, sublayer: Callable[..., Tensor], _norm: Callable[..., Tensor]) -> Tensor:
    """The sum is right, but not normalised: put it through `norm`."""
    return x + sublayer(x)


def _sum_of_norms(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """You normalised the two parts each for itself. Add first, then normalise the sum."""
    return norm(x) + norm(sublayer(x))


def _added_after_the_norm(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """You normalised x alone, and added the sublayer's part after it. The sum goes through the norm."""
    return norm(x) + sublayer(x)


def _post_for_pre(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """That is post-norm, 2017's order. In pre-norm the sublayer reads normalised tokens, and the sum stays as it is."""
    return post_norm(x, sublayer, norm)


def _residual_of_the_normed(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """Your residual carries the normalised x. What is added is x as it came in: only the sublayer reads the norm.

    Seen in https://github.com/pytorch/pytorch/issues/61165.
    """
    return norm(x) + sublayer(norm(x))


def _no_residual_before(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """The residual is missing: add x to what the sublayer computes."""
    return sublayer(norm(x))


def _norm_behind(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """You normalised what the sublayer wrote. In pre-norm it is what the sublayer reads."""
    return x + norm(sublayer(x))


def _never_normed(x: Tensor, sublayer: Callable[..., Tensor], _norm: Callable[..., Tensor]) -> Tensor:
    """The sum is there, but the sublayer reads x as it is: it should read `norm(x)`."""
    return x + sublayer(x)


def _normed_twice(x: Tensor, sublayer: Callable[..., Tensor], norm: Callable[..., Tensor]) -> Tensor:
    """You normalised once before and once after. In pre-norm the sum stays as it is: no norm stands on the stream."""
    return norm(x + sublayer(norm(x)))


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _backwards(x: Tensor) -> Tensor:
    return 2 * x.flip(-1) + 1


def _square(x: Tensor) -> Tensor:
    return x * x


_AROUND_A_SUBLAYER = (
    case(torch.tensor([[[1.0, 3.0, 2.0]]]), _backwards, _norm),
    case(numbers(1, 1, 3), _backwards, _norm),
    case(numbers(2, 3, 4), _square, _norm, having="a batch"),
    case(numbers(2, 3, 4), torch.tanh, torch.sinh, having="another norm"),
    case(numbers(4, 3), _square, torch.sinh, having="another norm, no batch axis"),
    case(numbers(1, 1, 5), torch.zeros_like, _norm, having="a sublayer that writes nothing"),
    case(numbers(1, 2, 4, dtype=torch.float64), _backwards, _norm, having="float64 numbers"),
)

POST_NORM = Exercise(
    name="post_norm",
    notebook=5,
    reference=post_norm,
    returns=("the tokens (B, T, d_model)",),
    trained=True,
    minutes=5,
    difficulty=1,
    on_map="encoder_norm",
    cases=_AROUND_A_SUBLAYER,
    mistakes=mistakes(_no_residual, _norm_inside, _pre_for_post, _not_normed, _sum_of_norms, _added_after_the_norm),
    hints=paragraphs("""
        `sublayer` and `norm` are functions: call them. Two things are added, and one thing is normalised.

        What the sublayer computes from x is added to x.

        The norm comes last, around the whole sum.
    """),
)

PRE_NORM = Exercise(
    name="pre_norm",
    notebook=5,
    reference=pre_norm,
    returns=("the tokens (B, T, d_model)",),
    trained=True,
    minutes=5,
    difficulty=1,
    on_map="encoder_norm",
    cases=_AROUND_A_SUBLAYER,
    mistakes=mistakes(
        _post_for_pre, _residual_of_the_normed, _no_residual_before, _norm_behind, _never_normed, _normed_twice
    ),
    hints=paragraphs("""
        The same two functions in another order: z = x + Module(LN(x)).

        The sublayer does not read x, but the normalised x.

        Nothing is normalised after the sum, and the x that is added is the one that came in.
    """),
)


# The layer.


class _ResidualDropped(EncoderLayer):
    """The residual around self-attention is missing: add what came in to what attention found, then normalise."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.norm_1(self.self_attention(x, x, x, mask))
        return post_norm(x, self.feed_forward, self.norm_2)


class _SecondResidualDropped(EncoderLayer):
    """The residual around the feed-forward is missing: add what it read to what it computed, then normalise."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.norm_2(self.feed_forward(x))
        return x


class _NormFirst(EncoderLayer):
    """Your norms come before the sublayers: that is pre-norm, and trains well. The layer of 2017, wanted here, has them
    after the sums.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = pre_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        return pre_norm(x, self.feed_forward, self.norm_2)


class _SecondResidualFromTheInput(EncoderLayer):
    """Your second residual starts from the layer's input. It starts where the first half ended: after the first norm.

    Seen in https://github.com/strutive07/transformer-tensorflow2.0/issues/14.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        middle = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.norm_2(x + self.feed_forward(middle))
        return x


class _MaskForgotten(EncoderLayer):
    """The mask never reaches the attention, so that padding is read: hand it on."""

    def forward(self, x: Tensor, _mask: Tensor | None = None) -> Tensor:
        return super().forward(x)


class _FeedForwardFirst(EncoderLayer):
    """Your feed-forward comes first. Tokens look around first, then each thinks about what it saw."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = post_norm(x, self.feed_forward, self.norm_1)
        return post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_2)


class _OneNormOnly(EncoderLayer):
    """One norm is missing: there are two sums in the layer, and each is normalised."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.self_attention(x, x, x, mask)
        return post_norm(x, self.feed_forward, self.norm_2)


class _NoFeedForward(EncoderLayer):
    """There is attention only. After it, each token goes through the feed-forward, with a residual and a norm of its
    own.
    """

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)


class _ActivationForgotten(EncoderLayer):
    """The activation never reaches the feed-forward, which takes the ReLU then: hand it on."""

    def __init__(self, d_model: int, heads: int, d_ff: int, dropout: float = 0.1, _activation: Any = None) -> None:
        super().__init__(d_model, heads, d_ff, dropout)


_SIZES = (4, 2, 7, 0.1, torch.relu)
_HIDES_THE_LAST = torch.tensor([True, True, False])
_SEEN_BY_QUERIES = (
    torch.ones(3, 3, dtype=torch.bool).tril() & torch.tensor([[3], [2]]).gt(torch.arange(3))[:, None, None]
)
_SEEN_BY_HEADS = torch.stack((torch.ones(3, 3).tril(), torch.ones(3, 3).triu())).bool().expand(2, 2, 3, 3)

ENCODER_LAYER = Exercise(
    name="EncoderLayer",
    notebook=5,
    reference=EncoderLayer,
    returns=("output (B, T, d_model)", "the count of numbers in your weight matrices"),
    trained=True,
    minutes=25,
    difficulty=3,
    on_map="encoder_feed_forward",
    adapt=filled(made_with=5, block=2, drops=True),
    cases=(
        case(*_SIZES, numbers(1, 2, 4)),
        case(*_SIZES, numbers(1, 2, 4, seed=1)),
        case(*_SIZES, numbers(2, 3, 4), having="a batch"),
        case(6, 3, 5, 0.1, torch.relu, numbers(2, 4, 6), having="other sizes"),
        case(4, 1, 7, 0.1, torch.relu, numbers(2, 3, 4), having="a single head"),
        case(*_SIZES, numbers(1, 1, 4), having="a single token"),
        case(*_SIZES, numbers(2, 3, 4), _HIDES_THE_LAST.expand(2, 1, 1, 3), having="a mask"),
        case(*_SIZES, numbers(2, 3, 4, seed=2), torch.ones(3, 3, dtype=torch.bool).tril(), having="a mask"),
        case(*_SIZES, numbers(2, 3, 4, seed=3), _SEEN_BY_QUERIES, having="a mask, a mask for each query"),
        case(*_SIZES, numbers(2, 3, 4, seed=4), _SEEN_BY_HEADS, having="a mask, a mask for each head"),
        case(4, 2, 7, 0.1, torch.tanh, numbers(2, 3, 4), having="another activation"),
        case(*_SIZES, numbers(1, 2, 4, dtype=torch.float64), having="float64 numbers"),
    ),
    mistakes=mistakes(
        _ResidualDropped,
        _SecondResidualDropped,
        _NormFirst,
        _SecondResidualFromTheInput,
        _MaskForgotten,
        _FeedForwardFirst,
        _OneNormOnly,
        _NoFeedForward,
        _ActivationForgotten,
    ),
    hints=paragraphs("""
        You have all the parts: `MultiHeadAttention`, `FeedForward`, `LayerNorm`, and `post_norm` to put a residual and
        a norm around each of the two sublayers.

        In `__init__`: one attention, one feed-forward, two norms, one `nn.Dropout(dropout)`. In self-attention the
        tokens are queries, keys and values at once.

        `post_norm` wants a function of one argument. A `lambda y:` can call the attention with y three times and
        the mask, and put dropout around it.
    """),
)


def _of_one_layer(d_model: int, d_ff: int, _layers: int) -> tuple[int, int, int]:
    """That is one layer. Layers share nothing, so N of them have N times as many."""
    return encoder_parameter_count(d_model, d_ff, 1)


def _weights_only(d_model: int, d_ff: int, layers: int) -> tuple[int, int, int]:
    """The weight matrices are right. Each linear map has biases too: one number for each of its outputs."""
    norms = encoder_parameter_count(d_model, d_ff, layers)[2]
    return layers * 4 * d_model * d_model, layers * 2 * d_model * d_ff, norms


def _one_norm(d_model: int, d_ff: int, layers: int) -> tuple[int, int, int]:
    """Your norms have half of what they should: there are two in a layer, and each has a gain and a bias for every
    feature.
    """
    attention, feed_forward, norms = encoder_parameter_count(d_model, d_ff, layers)
    return attention, feed_forward, norms // 2


def _three_projections(d_model: int, d_ff: int, layers: int) -> tuple[int, int, int]:
    """You counted three projections: queries, keys, values. The fourth is W_o, after the heads are merged."""
    attention, feed_forward, norms = encoder_parameter_count(d_model, d_ff, layers)
    return attention // 4 * 3, feed_forward, norms


def _one_way_up(d_model: int, d_ff: int, layers: int) -> tuple[int, int, int]:
    """You counted the feed-forward's way up, d_model to d_ff. The way back has as many weights, and d_model biases."""
    attention, _, norms = encoder_parameter_count(d_model, d_ff, layers)
    return attention, layers * (d_model * d_ff + d_ff), norms


ENCODER_PARAMETER_COUNT = Exercise(
    name="encoder_parameter_count",
    notebook=5,
    reference=encoder_parameter_count,
    returns=("attention", "feed_forward", "norms"),
    minutes=5,
    difficulty=1,
    cases=(
        case(4, 8, 1),
        case(6, 10, 2),
        case(512, 2048, 6),
        case(768, 3072, 12),
        case(5, 3, 7),
    ),
    mistakes=mistakes(_of_one_layer, _weights_only, _one_norm, _three_projections, _one_way_up),
    hints=paragraphs("""
        Count one layer, place by place, then multiply by the number of layers.

        Attention: four projections, d_model to d_model. Feed-forward: one map up, one map down. A linear map from n to
        m numbers has n times m weights and m biases.

        A layer has two norms, each with a gain and a bias for every feature: how many numbers is that?
    """),
)

EXERCISES = (GELU, FEED_FORWARD, LAYER_NORM, POST_NORM, PRE_NORM, ENCODER_LAYER, ENCODER_PARAMETER_COUNT)
