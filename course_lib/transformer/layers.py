"""The layers of a Transformer: attention and feed-forward, each with its residual and its norm.

Built by hand in notebooks 05 (encoder), 06 and 07 (decoder); `LayerStyle` holds what changed from 2017 to today (11).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.positions import rotary

Norm = Literal["layer", "rms"]
NormPlace = Literal["post", "pre"]
Activation = Literal["relu", "gelu", "gelu_tanh", "swiglu"]
Positions = Literal["sinusoidal", "learned", "rotary", "none"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "swiglu": F.silu,
}


@dataclass(frozen=True, kw_only=True)
class LayerStyle:
    """What differs between the layers of 2017's Transformer (the defaults), BERT, GPT-2 and Llama.

    LayerNorm: Ba et al. 2016, arXiv:1607.06450; RMSNorm: Zhang and Sennrich 2019, arXiv:1910.07467; pre-norm: Xiong et
    al. 2020, arXiv:2002.04745. Raises ValueError for a value that is none of these.
    """

    norm: Norm = "layer"
    norm_place: NormPlace = "post"  # after the residual (2017), or "pre", before the sublayer
    norm_eps: float = 1e-5  # added under the norm's root
    activation: Activation = "relu"  # of the feed-forward; "gelu" is exact, "gelu_tanh" GPT-2's approximation
    bias: bool = True  # whether linear maps and LayerNorms add a bias
    kv_heads: int | None = None  # heads of keys and values; None: as many as query heads
    positions: Positions = "sinusoidal"  # only "rotary" acts inside the layers, on self-attention's queries and keys
    rotary_base: float = 10_000.0

    def __post_init__(self) -> None:
        kinds = {"norm": Norm, "norm_place": NormPlace, "activation": Activation, "positions": Positions}
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} should be one of {get_args(kind)}, but is {getattr(self, name)!r}")
        if not (self.norm_eps > 0 and self.rotary_base > 0):
            raise ValueError(f"norm_eps={self.norm_eps} and rotary_base={self.rotary_base} should both be more than 0")


ORIGINAL = LayerStyle()


class RMSNorm(nn.Module):
    """Bring each token's vector to a root mean square of 1, then scale each feature by a learned gain.

        y = x / √(mean(x²) + eps) * gain

    Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4; the eps under the root is practice, not in the paper.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the last axis: (..., d_model) to the same shape."""
        mean_square = x.pow(2).mean(-1, keepdim=True)  # (..., 1)
        normed: Tensor = x * torch.rsqrt(mean_square + self.eps) * self.weight  # (..., d_model)
        return normed


def make_norm(d_model: int, style: LayerStyle) -> nn.Module:
    """The norm that `style` asks for. LayerNorm is torch's; it is built by hand in notebook 05."""
    rms = style.norm == "rms"
    return RMSNorm(d_model, style.norm_eps) if rms else nn.LayerNorm(d_model, style.norm_eps, bias=style.bias)


class FeedForward(nn.Module):
    """Let each token think for itself: two linear maps with a bend between, the same at every position.

        FFN(x) = activation(x W_1 + b_1) W_2 + b_2

    Vaswani et al. 2017, arXiv:1706.03762, section 3.3, eq. 2. "swiglu" has a third map, which gates the first one:
    (silu(x W_gate) * x W_1) W_2 (Shazeer 2020, arXiv:2002.05202).
    """

    def __init__(self, d_model: int, d_ff: int, activation: Activation = "relu", bias: bool = True) -> None:
        super().__init__()
        self.W_1 = nn.Linear(d_model, d_ff, bias)
        self.W_2 = nn.Linear(d_ff, d_model, bias)
        self.W_gate = nn.Linear(d_model, d_ff, bias) if activation == "swiglu" else None
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """Work on each position alone: (..., d_model) to the same shape."""
        up = self.W_1(x)  # (..., d_ff)
        hidden = self.activation(up) if self.W_gate is None else self.activation(self.W_gate(x)) * up  # (..., d_ff)
        output: Tensor = self.W_2(hidden)  # (..., d_model)
        return output


class Residual(nn.Module):
    """Add what a sublayer computes to the stream that it read, with a norm before or after.

        post (2017): norm(x + dropout(sublayer(x)))        pre (today): x + dropout(sublayer(norm(x)))

    Vaswani et al. 2017, sections 3.1 and 5.4; He et al. 2016, arXiv:1512.03385, for the residual.
    """

    def __init__(self, d_model: int, dropout: float, style: LayerStyle) -> None:
        super().__init__()
        self.norm = make_norm(d_model, style)
        self.dropout = nn.Dropout(dropout)
        self.norm_first = style.norm_place == "pre"

    def forward(self, x: Tensor, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """Run `sublayer`, which maps (B, T, d_model) to the same shape, around the stream `x`."""
        read = self.norm(x) if self.norm_first else x
        written: Tensor = x + self.dropout(sublayer(read))
        return written if self.norm_first else self.norm(written)


def _attention(d_model: int, heads: int, style: LayerStyle, rotates: bool) -> MultiHeadAttention:
    rotate = partial(rotary, base=style.rotary_base) if rotates and style.positions == "rotary" else None
    return MultiHeadAttention(d_model, heads, kv_heads=style.kv_heads, bias=style.bias, rotate=rotate)


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward: tokens look around, then each thinks for itself.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1. With a causal mask this is also the layer of a GPT or a Llama:
    a decoder layer without cross-attention.

    Takes the width of the tokens, the number of heads, the width of the feed-forward, the share of each sublayer's
    output set to 0 in training, and what kind of layer it is; the default is 2017's.
    """

    def __init__(self, d_model: int, heads: int, d_ff: int, dropout: float = 0.0, style: LayerStyle = ORIGINAL) -> None:
        super().__init__()
        self.self_attention = _attention(d_model, heads, style, rotates=True)
        self.feed_forward = FeedForward(d_model, d_ff, style.activation, style.bias)
        self.around_self_attention = Residual(d_model, dropout, style)
        self.around_feed_forward = Residual(d_model, dropout, style)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Process tokens (B, T, d_model) under a mask that broadcasts to (B, H, T, T); returns the same shape."""
        x = self.around_self_attention(x, lambda y: self.self_attention(y, y, y, mask))
        x = self.around_feed_forward(x, self.feed_forward)
        return x


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, then feed-forward.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1. The arguments are those of `EncoderLayer`.
    """

    def __init__(self, d_model: int, heads: int, d_ff: int, dropout: float = 0.0, style: LayerStyle = ORIGINAL) -> None:
        super().__init__()
        self.self_attention = _attention(d_model, heads, style, rotates=True)
        self.cross_attention = _attention(d_model, heads, style, rotates=False)
        self.feed_forward = FeedForward(d_model, d_ff, style.activation, style.bias)
        self.around_self_attention = Residual(d_model, dropout, style)
        self.around_cross_attention = Residual(d_model, dropout, style)
        self.around_feed_forward = Residual(d_model, dropout, style)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """Let target tokens read each other and the memory.

        Takes target tokens (B, T, d_model), the encoder's output (B, S, d_model), and masks of which target and which
        source tokens each may read: they broadcast to (B, H, T, T) and (B, H, T, S). Returns (B, T, d_model).
        """
        x = self.around_self_attention(x, lambda y: self.self_attention(y, y, y, mask))
        x = self.around_cross_attention(x, lambda y: self.cross_attention(y, memory, memory, memory_mask))
        x = self.around_feed_forward(x, self.feed_forward)
        return x
