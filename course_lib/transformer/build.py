"""From a configuration and parts to a model: 2017's Transformer, GPT-2, BERT or Llama.

The parts are the course's unless others are handed in, such as a learner's own. A part that is handed in is used
wherever it can do what the configuration asks for. Where it cannot (the plain attention of 2017, for instance, knows no
rotary positions), the course's takes its place and runs on the smaller parts that were handed in.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer import attention, layers, models, positions
from course_lib.transformer.config import TransformerConfig


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What models are made of, each part under the name that it has in the course.

    The defaults are the course's; four of them are faster twins of what is built by hand.
    """

    scaled_dot_product_attention: attention.Attention = attention.scaled_dot_product_attention
    split_heads: Callable[..., Tensor] = attention.split_heads
    merge_heads: Callable[..., Tensor] = attention.merge_heads
    MultiHeadAttention: Callable[..., nn.Module] = attention.MultiHeadAttention
    causal_mask: Callable[..., Tensor] = attention.causal_mask
    padding_mask: Callable[..., Tensor] = attention.padding_mask
    embed: Callable[..., Tensor] = positions.embed
    sinusoidal: Callable[..., Tensor] = positions.sinusoidal
    embed_with_positions: Callable[..., Tensor] = positions.embed_with_positions
    LearnedPositions: Callable[..., nn.Module] = positions.LearnedPositions
    rotary: Callable[..., Tensor] = positions.rotary
    gelu: Callable[..., Tensor] = F.gelu
    FeedForward: Callable[..., nn.Module] = layers.FeedForward
    SwiGLU: Callable[..., nn.Module] = layers.FusedSwiGLU
    LayerNorm: Callable[..., nn.Module] = layers.FusedLayerNorm
    RMSNorm: Callable[..., nn.Module] = layers.FusedRMSNorm
    post_norm: Callable[..., Tensor] = layers.post_norm
    pre_norm: Callable[..., Tensor] = layers.pre_norm
    cross_attend: Callable[..., Tensor] = layers.cross_attend
    EncoderLayer: Callable[..., nn.Module] = layers.EncoderLayer
    DecoderLayer: Callable[..., nn.Module] = layers.DecoderLayer
    LlamaLayer: Callable[..., nn.Module] = layers.LlamaLayer
    LanguageModel: Callable[..., nn.Module] = models.LanguageModel
    MaskedLanguageModelHead: Callable[..., nn.Module] = models.MaskedLanguageModelHead
    Transformer: Callable[..., nn.Module] = models.Transformer


COURSE = Parts()


def build_transformer(config: TransformerConfig, parts: Parts = COURSE) -> Any:
    """Make a `Transformer` of the sizes and the style of `config`, which it keeps as `.config`."""
    norm = _norm(config, parts)
    handed = {
        "pad": config.pad,
        "encoder_layer": _encoder_layer(config, parts),
        "decoder_layer": _decoder_layer(config, parts),
        "embed": _embedding(config, parts),
        "mask": parts.causal_mask,
        "padding": parts.padding_mask,
        "final_norms": (norm(config.d_model), norm(config.d_model)) if config.ends_in_norm else None,
        "one_table": config.tied_embeddings and config.target_vocabulary is None,
        "tied": config.tied_embeddings,
    }
    plain = _is_plain(config) and config.pad == 0 and config.target_vocabulary is not None
    make = _choose(parts.Transformer, models.Transformer, handed, plain)
    return _ready(make(config.vocabulary, config.target_vocabulary or config.vocabulary, *_sizes(config)), config)


def build_language_model(config: TransformerConfig, parts: Parts = COURSE) -> Any:
    """Make a `LanguageModel` of the sizes and the style of `config`, which it keeps as `.config`."""
    handed = {
        "layer": _encoder_layer(config, parts),
        "embed": _embedding(config, parts),
        "mask": parts.causal_mask,
        "final_norm": _norm(config, parts)(config.d_model) if config.ends_in_norm else None,
        "tied": config.tied_embeddings,
    }
    make = _choose(parts.LanguageModel, models.LanguageModel, handed, _is_plain(config))
    return _ready(make(config.vocabulary, *_sizes(config)), config)


def build_encoder(config: TransformerConfig, parts: Parts = COURSE) -> Any:
    """Make an `Encoder` of the sizes and the style of `config`, which it keeps as `.config`."""
    encoder = models.Encoder(
        config.vocabulary,
        *_sizes(config),
        pad=config.pad,
        layer=_encoder_layer(config, parts),
        embed=_embedding(config, parts),
        padding=parts.padding_mask,
        final_norm=_norm(config, parts)(config.d_model) if config.ends_in_norm else None,
    )
    return _ready(encoder, config)


def build_masked_language_model(config: TransformerConfig, parts: Parts = COURSE) -> Any:
    """Make a `MaskedLanguageModel` of the sizes and the style of `config`, which it keeps as `.config`."""
    handed = {"norm": _norm(config, parts)}
    head = _choose(parts.MaskedLanguageModelHead, models.MaskedLanguageModelHead, handed, _has_plain_norm(config))
    model: Any = models.MaskedLanguageModel(build_encoder(config, parts), head=head, tied=config.tied_embeddings)
    model.config = config
    return model


def _sizes(config: TransformerConfig) -> tuple[int, int, int, int, float]:
    return config.d_model, config.heads, config.d_ff, config.layers, config.dropout


def _is_plain(config: TransformerConfig) -> bool:
    """Whether a model has the style of 2017, whatever its sizes."""
    free = ("vocabulary", "target_vocabulary", "d_model", "heads", "d_ff", "layers", "max_length", "dropout", "pad")
    return config == TransformerConfig(**{name: getattr(config, name) for name in free})


def _has_plain_norm(config: TransformerConfig) -> bool:
    """Whether the norms are those of 2016, whose eps nobody chose."""
    return (config.norm, config.norm_eps, config.bias) == ("layer", TransformerConfig.norm_eps, True)


def _choose(
    part: Callable[..., Any], course: Callable[..., Any], handed: dict[str, Any], plain: bool
) -> Callable[..., Any]:
    """Choose whose part to use.

    The part that was handed in, with the smaller parts and choices, if it takes them; the part as it is, if the plain
    one will do; otherwise the course's.
    """
    if _takes(part, handed):
        return partial(part, **handed)
    return part if plain else partial(course, **handed)


def _takes(part: Callable[..., Any], handed: dict[str, Any]) -> bool:
    """Whether a class or function has parameters of these names."""
    parameters = inspect.signature(part).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return takes_any or handed.keys() <= parameters.keys()


def _encoder_layer(config: TransformerConfig, parts: Parts) -> Callable[..., nn.Module]:
    """The class of the encoder's layers, to be made with d_model, heads, d_ff and dropout."""
    if parts.LlamaLayer is not layers.LlamaLayer and _is_llama_layer(config):
        rotate = _rotation(config, parts)
        kv_heads = config.kv_heads or config.heads
        return lambda d_model, heads, d_ff, _dropout: parts.LlamaLayer(d_model, heads, kv_heads, d_ff, rotate)
    handed = _parts_of_layer(config, parts)
    layer = _choose(parts.EncoderLayer, layers.EncoderLayer, handed, _is_plain_layer(config))
    if layer is not parts.EncoderLayer:
        return layer

    def make(*sizes: Any) -> nn.Module:
        # A layer that takes no parts still takes an activation, as in its exercise, but its norms have their own eps.
        made = layer(*sizes, handed["activation"])
        return made if _set_eps(made, config.norm_eps) else layers.EncoderLayer(*sizes, **handed)

    return make


def _decoder_layer(config: TransformerConfig, parts: Parts) -> Callable[..., nn.Module]:
    """The class of the decoder's layers, to be made with d_model, heads, d_ff and dropout."""
    handed = _parts_of_layer(config, parts)
    handed |= {"cross_attention": _attention(config, parts, rotates=False), "cross": parts.cross_attend}
    plain = _is_plain_layer(config) and config.activation == "relu" and config.norm_eps == TransformerConfig.norm_eps
    return _choose(parts.DecoderLayer, layers.DecoderLayer, handed, plain)


def _parts_of_layer(config: TransformerConfig, parts: Parts) -> dict[str, Any]:
    activations = {
        "relu": F.relu,
        "gelu": parts.gelu,
        "gelu_tanh": partial(F.gelu, approximate="tanh"),
    }
    return {
        "activation": activations.get(config.activation),
        "self_attention": _attention(config, parts, rotates=config.positions == "rotary"),
        "feed_forward": _feed_forward(config, parts),
        "norm": _norm(config, parts),
        "residual": parts.pre_norm if config.norm_place == "pre" else parts.post_norm,
    }


def _is_plain_layer(config: TransformerConfig) -> bool:
    """Whether the layers have the style of 2017, but for their activation and their eps."""
    has_own_attention = config.kv_heads is not None or config.positions == "rotary"
    return (config.norm, config.norm_place, config.bias) == ("layer", "post", True) and not (
        has_own_attention or config.activation == "swiglu"
    )


def _is_llama_layer(config: TransformerConfig) -> bool:
    """Whether the layers are a Llama's, without dropout."""
    style = (config.norm, config.norm_place, config.norm_eps, config.activation, config.positions)
    is_llama = style == ("rms", "pre", TransformerConfig.norm_eps, "swiglu", "rotary")
    return is_llama and not config.bias and config.dropout == 0


def _set_eps(layer: nn.Module, eps: float) -> bool:
    """Give the norms of a layer that was handed in this eps, and return whether that was possible."""
    if eps == TransformerConfig.norm_eps:
        return True
    norms = [part for part in layer.modules() if part is not layer and "norm" in type(part).__name__.lower()]
    if not norms or not all(hasattr(norm, "eps") for norm in norms):
        return False
    for norm in norms:
        norm.eps = eps  # type: ignore[assignment]
    return True


def _attention(config: TransformerConfig, parts: Parts, rotates: bool) -> Callable[..., nn.Module]:
    handed = {
        "kv_heads": config.kv_heads,
        "bias": config.bias,
        "rotate": _rotation(config, parts) if rotates else None,
        "attention": parts.scaled_dot_product_attention,
        "split": parts.split_heads,
        "merge": parts.merge_heads,
    }
    plain = config.kv_heads is None and config.bias and not rotates
    return _choose(parts.MultiHeadAttention, attention.MultiHeadAttention, handed, plain)


def _feed_forward(config: TransformerConfig, parts: Parts) -> Callable[..., nn.Module]:
    if config.activation != "swiglu":
        return _choose(parts.FeedForward, layers.FeedForward, {"bias": config.bias}, config.bias)
    make = _choose(parts.SwiGLU, layers.FusedSwiGLU, {"bias": config.bias}, not config.bias)
    return lambda d_model, d_ff, _activation: make(d_model, d_ff)  # its activation is always SiLU


def _norm(config: TransformerConfig, parts: Parts) -> Callable[[int], nn.Module]:
    if config.norm == "rms":
        plain = config.norm_eps == TransformerConfig.norm_eps
        return _choose(parts.RMSNorm, layers.FusedRMSNorm, {"eps": config.norm_eps}, plain)
    handed = {"eps": config.norm_eps, "bias": config.bias}
    norm = _choose(parts.LayerNorm, layers.FusedLayerNorm, handed, config.bias)
    return norm if norm is not parts.LayerNorm else lambda d_model: norm(d_model, config.norm_eps)


def _rotation(config: TransformerConfig, parts: Parts) -> Callable[[Tensor, int], Tensor]:
    """Rotate the features of tokens that stand at the positions from `start` on."""
    rotate = _choose(parts.rotary, positions.rotary, {"base": config.rotary_base}, config.rotary_base == 10_000)
    if _takes(rotate, {"start": 0}):
        return rotate

    def rotate_from(x: Tensor, start: int = 0) -> Tensor:
        # A function that always counts from 0 gets zeros in place of the earlier tokens.
        before = x.new_zeros(*x.shape[:-2], start, x.size(-1))
        rotated: Tensor = rotate(torch.cat((before, x), dim=-2))[..., start:, :]
        return rotated

    return rotate_from


def _embedding(config: TransformerConfig, parts: Parts) -> models.Embed:
    """How ids become vectors: a function, as in 2017, or a module with what came later."""
    if config.positions == "sinusoidal" and config.scaled_embeddings and not (config.embedding_norm or config.segments):
        handed = {"look_up": parts.embed, "positions": parts.sinusoidal}
        return _choose(parts.embed_with_positions, positions.embed_with_positions, handed, plain=True)
    positions_of: dict[str, Any] = {
        "sinusoidal": partial(positions.add_positions, positions=parts.sinusoidal),
        "learned": parts.LearnedPositions(config.max_length, config.d_model) if config.positions == "learned" else None,
    }
    return positions.TokenEmbedding(
        parts.embed,
        scale=config.d_model**0.5 if config.scaled_embeddings else 1.0,
        positions=positions_of.get(config.positions),
        segments=torch.randn(config.segments, config.d_model) * 0.02 if config.segments else None,
        norm=_norm(config, parts)(config.d_model) if config.embedding_norm else None,
    )


def _ready(model: Any, config: TransformerConfig) -> Any:
    """Give a new model its configuration, and the weights that it starts from.

    Linear maps inside the layers get Glorot's uniform weights and biases of 0 (Glorot and Bengio 2010); the paper
    names no initialisation. Tables that are not scaled start as small as in GPT-2 and BERT.
    """
    model.config = config
    for part in model.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    if not config.scaled_embeddings:
        for name, table in model.named_parameters(recurse=False):
            if name.endswith("table"):
                nn.init.normal_(table, std=0.02)
    return model
