"""The layers of a Transformer: attention and feed-forward, each with its residual and its norm.

Built by hand in notebooks 05 (encoder), 07 (decoder) and 14 (Llama). A layer is made of parts that are handed in; by
default they are the course's, in the style of 2017. Other norms, activations and orders are those of BERT, GPT-2 and
Llama.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import (
    MultiHeadAttention,
    merge_heads,
    repeat_heads,
    scaled_dot_product_attention,
    split_heads,
)

Sublayer = Callable[[Tensor], Tensor]


def gelu(x: Tensor) -> Tensor:
    """Let through as much of each number as a standard normal draw is likely to lie below it.

        GELU(x) = x Φ(x) = x (1 + erf(x / √2)) / 2

    Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2. Any shape. Built by hand in notebook 05; `F.gelu` is the
    same.

    >>> gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


class FeedForward(nn.Module):
    """Work on each token alone: two linear maps with an activation between them, the same at every position.

        FFN(x) = activation(x W_1 + b_1) W_2 + b_2

    Vaswani et al. 2017, arXiv:1706.03762, section 3.3, eq. 2. Built by hand in notebook 05.

    Takes the width of a token, the width inside, the activation, and whether the maps have biases.
    """

    def __init__(
        self, d_model: int, d_ff: int, activation: Callable[[Tensor], Tensor] = torch.relu, *, bias: bool = True
    ) -> None:
        super().__init__()
        self.W_1 = nn.Linear(d_model, d_ff, bias)
        self.W_2 = nn.Linear(d_ff, d_model, bias)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Work on each position alone: (..., d_model) to the same shape."""
        hidden = self.activation(self.W_1(x))  # (..., d_ff)
        output: Tensor = self.W_2(hidden)  # (..., d_model)
        return output


class SwiGLU(nn.Module):
    """A feed-forward with a gate: a third linear map says how much of each hidden feature passes.

        SwiGLU(x) = (SiLU(x W_gate) * x W_1) W_2,  SiLU(z) = z / (1 + exp(-z))

    Shazeer 2020, arXiv:2002.05202, eq. 6, whose W, V and W_2 are W_gate, W_1 and W_2 here. With three maps in place of
    two, d_ff is made about 2/3 as large, so that the number of parameters stays. Built by hand in notebook 14.

    Takes the width of a token, the width inside, and whether the maps have biases; the paper's and Llama's have none.
    """

    def __init__(self, d_model: int, d_ff: int, *, bias: bool = False) -> None:
        super().__init__()
        self.W_gate = nn.Linear(d_model, d_ff, bias)
        self.W_1 = nn.Linear(d_model, d_ff, bias)
        self.W_2 = nn.Linear(d_ff, d_model, bias)

    def forward(self, x: Tensor) -> Tensor:
        """Work on each position alone: (..., d_model) to the same shape."""
        hidden = F.silu(self.W_gate(x)) * self.W_1(x)  # (..., d_ff)
        output: Tensor = self.W_2(hidden)  # (..., d_model)
        return output


class FusedSwiGLU(SwiGLU):
    """The same as `SwiGLU`; while a cache is at work, the two maps of x are one product, which is faster."""

    joined: tuple[Tensor, Tensor | None] | None = None
    """The weights and biases of W_gate and W_1, joined to one map by `course_lib.transformer.cache`."""

    def forward(self, x: Tensor) -> Tensor:
        """Work on each position alone: (..., d_model) to the same shape."""
        if self.joined is None:
            return super().forward(x)
        gate, hidden = F.linear(x, *self.joined).chunk(2, dim=-1)  # (..., d_ff) each
        output: Tensor = self.W_2(F.silu(gate) * hidden)  # (..., d_model)
        return output


class LayerNorm(nn.Module):
    """Bring each token's vector to mean 0 and variance 1, then scale and shift each feature by learned numbers.

        y = (x - mean(x)) / √(variance(x) + eps) * gain + bias

    Ba, Kiros and Hinton 2016, arXiv:1607.06450, eq. 4; the variance divides by d_model. Built by hand in notebook 05.
    Takes the width of a token, the eps under the root, and whether there is a bias.
    """

    def __init__(self, d_model: int, eps: float = 1e-5, *, bias: bool = True) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model)) if bias else None
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the features: (..., d_model) to the same shape."""
        centred = x - x.mean(-1, keepdim=True)  # (..., d_model)
        variance = centred.square().mean(-1, keepdim=True)  # (..., 1)
        normalised = self.gain * centred / torch.sqrt(variance + self.eps)  # (..., d_model)
        return normalised if self.bias is None else normalised + self.bias


class FusedLayerNorm(LayerNorm):
    """The same as `LayerNorm`, computed by torch's kernel in one pass, for models that have to be fast."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the features: (..., d_model) to the same shape."""
        return F.layer_norm(x, x.shape[-1:], self.gain, self.bias, self.eps)


class RMSNorm(nn.Module):
    """Bring each token's vector to a root mean square of 1, then scale each feature by a learned gain.

        y = x / √(mean(x²) + eps) * gain

    Zhang and Sennrich 2019, arXiv:1910.07467, eq. 4; the eps under the root is practice, not in the paper. It is
    computed in float32 at least, and returned in the type of the gain. Built by hand in notebook 14. Takes the width of
    a token, and the eps.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the features: (..., d_model) to the same shape."""
        if x.shape[-1:] != self.gain.shape:
            raise ValueError(
                f"x should be (..., d_model) with d_model={len(self.gain)}, but its shape is {tuple(x.shape)}"
            )
        wide = x.to(torch.promote_types(x.dtype, torch.float32))  # squares may be too large for half precision
        mean_square = wide.pow(2).mean(-1, keepdim=True)  # (..., 1)
        normalised = wide * torch.rsqrt(mean_square + self.eps) * self.gain  # (..., d_model)
        return normalised.to(self.gain.dtype)


class FusedRMSNorm(RMSNorm):
    """The same as `RMSNorm`, computed by torch's function, for models that have to be fast."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise over the features: (..., d_model) to the same shape."""
        gain = self.gain
        if x.dtype != gain.dtype:  # torch returns the type of x
            return super().forward(x)
        return F.rms_norm(x, gain.shape, gain, self.eps)


def post_norm(x: Tensor, sublayer: Sublayer, norm: Sublayer) -> Tensor:
    """Add what a sublayer computes to what it read, then normalise the sum, as in 2017.

        norm(x + sublayer(x))

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1; He et al. 2016, arXiv:1512.03385, for the residual. Takes tokens
    (B, T, d_model) and two functions that keep their shape; returns the same shape. Built by hand in notebook 05.
    """
    return norm(x + sublayer(x))


def pre_norm(x: Tensor, sublayer: Sublayer, norm: Sublayer) -> Tensor:
    """Let a sublayer read the normalised tokens, and add what it computes to the tokens as they were.

        x + sublayer(norm(x))

    Xiong et al. 2020, arXiv:2002.04745, figure 1b; GPT-2 and Llama have it. Takes and returns what `post_norm` does.
    Built by hand in notebook 05.
    """
    return x + sublayer(norm(x))


def cross_attend(
    attention: Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor],
    x: Tensor,
    memory: Tensor,
    memory_mask: Tensor | None = None,
) -> Tensor:
    """Let target tokens read the encoder's output: queries from the target, keys and values from the memory.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3. Built by hand in notebook 07.

    Takes an attention, target tokens (B, T, d_model), the memory (B, S, d_model), and a mask that broadcasts to
    (B, H, T, S). Returns (B, T, d_model).
    """
    return attention(x, memory, memory, memory_mask)


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward: each token reads the others, then works on what it read.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1. Built by hand in notebook 05. Under a causal mask this is also
    the layer of a GPT or a Llama: a decoder layer without cross-attention.

    Args:
        d_model: width of a token's vector.
        heads: number of attention heads.
        d_ff: width inside the feed-forward.
        dropout: share of each sublayer's output set to 0 in training (section 5.4).
        activation: of the feed-forward.
        self_attention: the class of the attention, made with d_model and heads.
        feed_forward: the class of the feed-forward, made with d_model, d_ff and the activation.
        norm: the class of the norms, made with d_model.
        residual: how a sublayer, its residual and its norm are put together: `post_norm` or `pre_norm`.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_ff: int,
        dropout: float = 0.1,
        activation: Callable[[Tensor], Tensor] = torch.relu,
        *,
        self_attention: Callable[..., nn.Module] = MultiHeadAttention,
        feed_forward: Callable[..., nn.Module] = FeedForward,
        norm: Callable[..., nn.Module] = LayerNorm,
        residual: Callable[[Tensor, Sublayer, Sublayer], Tensor] = post_norm,
    ) -> None:
        super().__init__()
        self.self_attention = self_attention(d_model, heads)
        self.feed_forward = feed_forward(d_model, d_ff, activation)
        self.norm_1 = norm(d_model)
        self.norm_2 = norm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Process tokens (B, T, d_model) under a mask that broadcasts to (B, H, T, T); returns the same shape."""
        x = self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        x = self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)
        return x


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, then feed-forward.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1. Built by hand in notebook 07. The arguments are those of
    `EncoderLayer`; `cross_attention` is the class of the second attention, and `cross` how the target reads through it.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        d_ff: int,
        dropout: float = 0.1,
        activation: Callable[[Tensor], Tensor] = torch.relu,
        *,
        self_attention: Callable[..., nn.Module] = MultiHeadAttention,
        cross_attention: Callable[..., nn.Module] = MultiHeadAttention,
        cross: Callable[..., Tensor] = cross_attend,
        feed_forward: Callable[..., nn.Module] = FeedForward,
        norm: Callable[..., nn.Module] = LayerNorm,
        residual: Callable[[Tensor, Sublayer, Sublayer], Tensor] = post_norm,
    ) -> None:
        super().__init__()
        self.self_attention = self_attention(d_model, heads)
        self.cross_attention = cross_attention(d_model, heads)
        self.feed_forward = feed_forward(d_model, d_ff, activation)
        self.norm_1 = norm(d_model)
        self.norm_2 = norm(d_model)
        self.norm_3 = norm(d_model)
        self.dropout = nn.Dropout(dropout)
        self.residual, self.cross = residual, cross

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """Let target tokens read each other and the memory.

        Takes target tokens (B, T, d_model), the encoder's output (B, S, d_model), and masks of which target and which
        source tokens each may read: they broadcast to (B, H, T, T) and (B, H, T, S). Returns (B, T, d_model).
        """

        def read_memory(y: Tensor) -> Tensor:
            return self.cross(self.cross_attention, y, memory, memory_mask)

        x = self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        x = self.residual(x, lambda y: self.dropout(read_memory(y)), self.norm_2)
        x = self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)
        return x


# A layer of a Llama, each step plain. `EncoderLayer` computes the same from `build`'s parts, and can keep a cache.


class GroupedQueryAttention(nn.Module):
    """Self-attention with rotary positions, in which groups of query heads share a head of keys and values.

    Ainslie et al. 2023, arXiv:2305.13245, section 2.2; Su et al. 2021, arXiv:2104.09864, for the rotation, which
    queries and keys get, and values do not. Built by hand in notebook 14.

    Args:
        d_model: width of a token's vector.
        heads: number of query heads, H; each is d_k = d_model / H wide.
        kv_heads: number of heads of keys and values, of the same width; H is a multiple of it.
        rotate: turns queries or keys (B, heads, T, d_k) by their positions, as `rotary` does.
    """

    def __init__(self, d_model: int, heads: int, kv_heads: int, rotate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        d_k = d_model // heads
        self.heads, self.kv_heads, self.rotate = heads, kv_heads, rotate
        self.W_q = nn.Linear(d_model, heads * d_k, bias=False)
        self.W_k = nn.Linear(d_model, kv_heads * d_k, bias=False)
        self.W_v = nn.Linear(d_model, kv_heads * d_k, bias=False)
        self.W_o = nn.Linear(heads * d_k, d_model, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let tokens (B, T, d_model) read each other under a mask (T, T): the same shape."""
        queries = self.rotate(split_heads(self.W_q(x), self.heads))  # (B, H, T, d_k)
        keys = self.rotate(split_heads(self.W_k(x), self.kv_heads))  # (B, kv_heads, T, d_k)
        values = split_heads(self.W_v(x), self.kv_heads)  # (B, kv_heads, T, d_k)
        group = self.heads // self.kv_heads
        keys, values = repeat_heads(keys, group), repeat_heads(values, group)  # (B, H, T, d_k)
        mixed, _ = scaled_dot_product_attention(queries, keys, values, mask)  # (B, H, T, d_k)
        output: Tensor = self.W_o(merge_heads(mixed))  # (B, T, d_model)
        return output


class LlamaLayer(nn.Module):
    """Attention, then a gated feed-forward; each reads the normalised tokens, and is added to the tokens as they were.

    Touvron et al. 2023, arXiv:2302.13971, section 2.2. Built by hand in notebook 14. The first four arguments are those
    of `GroupedQueryAttention`, with the width d_ff inside the feed-forward before the last.

    >>> layer = LlamaLayer(8, heads=4, kv_heads=2, d_ff=12, rotate=lambda x: x)
    >>> sum(weight.numel() for weight in layer.parameters())
    496
    """

    def __init__(self, d_model: int, heads: int, kv_heads: int, d_ff: int, rotate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.norm_1 = RMSNorm(d_model)
        self.self_attention = GroupedQueryAttention(d_model, heads, kv_heads, rotate)
        self.norm_2 = RMSNorm(d_model)
        self.feed_forward = SwiGLU(d_model, d_ff)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Process tokens (B, T, d_model) under a mask (T, T): the same shape."""
        x = x + self.self_attention(self.norm_1(x), mask)  # (B, T, d_model)
        x = x + self.feed_forward(self.norm_2(x))  # (B, T, d_model)
        return x


def encoder_parameter_count(d_model: int, d_ff: int, layers: int) -> tuple[int, int, int]:
    """Count the parameters of a stack of `EncoderLayer`s: in attention, in feed-forwards, in norms.

    Biases are included, embeddings are not. Built by hand in notebook 05.

    >>> encoder_parameter_count(512, 2048, layers=6)
    (6303744, 12598272, 12288)
    """
    attention = 4 * (d_model * d_model + d_model)
    feed_forward = (d_model * d_ff + d_ff) + (d_ff * d_model + d_model)
    norms = 2 * (d_model + d_model)
    return layers * attention, layers * feed_forward, layers * norms
