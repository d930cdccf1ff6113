"""Whole models, one configuration away from each other: 2017's Transformer, GPT-2, BERT and Llama.

Token ids come in, (B, T); logits over the vocabulary come out, (B, T, V). The learner assembles the first in notebook
07, meets BERT in 05, a GPT in 06 and Llama in 11.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import causal_mask, padding_mask
from course_lib.transformer.layers import DecoderLayer, EncoderLayer, LayerStyle, make_norm
from course_lib.transformer.positions import sinusoidal


@dataclass(frozen=True, kw_only=True)
class TransformerConfig(LayerStyle):
    """The sizes and the style of a model. The defaults are the base model of 2017.

    Vaswani et al. 2017, arXiv:1706.03762, table 3 ("base") and sections 3.4 and 5.4.
    Raises ValueError for sizes or choices that make no model.

    >>> TransformerConfig(vocabulary=100, d_model=10, heads=4)
    Traceback (most recent call last):
    ...
    ValueError: d_model should be a multiple of heads: d_model=10 and heads=4 are not
    """

    vocabulary: int  # number of token ids, V; the source's where there are two languages
    target_vocabulary: int | None = None  # the target's number of ids; None: both languages share one vocabulary
    d_model: int = 512  # width of a token, a multiple of `heads`
    heads: int = 8
    d_ff: int = 2048  # width of the feed-forward
    layers: int = 6  # N, in the encoder and in the decoder alike
    max_length: int = 512  # most tokens that a learned or sinusoidal position table holds
    dropout: float = 0.1  # share of sublayer outputs and of embeddings set to 0 in training
    pad: int | None = 0  # hidden from encoder and cross-attention; a causal mask hides it if it stands at the end
    tied_embeddings: bool = True  # one matrix for embedding and projection, and for both languages if they share ids
    scaled_embeddings: bool = True  # multiply embeddings by √d_model (section 3.4)
    embedding_norm: bool = False  # normalise the embeddings, as BERT does
    segments: int = 0  # kinds of text that BERT tells apart by a learned vector; all tokens here are of the first
    final_norm: bool | None = None  # a norm after the last layer; None: where the layers are pre-norm, which need it

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = ("vocabulary", "target_vocabulary", "d_model", "heads", "kv_heads", "d_ff", "layers", "max_length")
        for name, least in {**dict.fromkeys(sizes, 1), "pad": 0, "segments": 0}.items():
            size = getattr(self, name)
            if size is not None and size < least:
                raise ValueError(f"{name} should be at least {least}, but is {size}")
        for name, parts in (("d_model", "heads"), ("heads", "kv_heads")):
            size, count = getattr(self, name), getattr(self, parts) or 1
            if size % count:
                raise ValueError(f"{name} should be a multiple of {parts}: {name}={size} and {parts}={count} are not")
        width = self.d_model // self.heads if self.positions == "rotary" else self.d_model
        if self.positions in ("sinusoidal", "rotary") and width % 2:
            raise ValueError(f"{self.positions} positions turn pairs of features, so {width} features are one too many")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout should be at least 0 and below 1, but is {self.dropout}")

    @property
    def ends_in_norm(self) -> bool:
        """Whether a norm follows the last layer."""
        return self.norm_place == "pre" if self.final_norm is None else self.final_norm

    @classmethod
    def bert(cls, **changes: Any) -> Self:
        """BERT base (Devlin et al. 2019, arXiv:1810.04805): an encoder, post-norm, GELU, learned positions."""
        style = dict(activation="gelu", norm_eps=1e-12, positions="learned", embedding_norm=True, segments=2)
        sizes = dict(vocabulary=30_522, d_model=768, heads=12, d_ff=3072, layers=12, max_length=512)
        return cls(**{**style, **sizes, "scaled_embeddings": False, **changes})

    @classmethod
    def gpt2(cls, **changes: Any) -> Self:
        """GPT-2 small (Radford et al. 2019, section 2.3): pre-norm, GELU in its tanh form, learned positions."""
        style = dict(norm_place="pre", activation="gelu_tanh", positions="learned", scaled_embeddings=False, pad=None)
        sizes = dict(vocabulary=50_257, d_model=768, heads=12, d_ff=3072, layers=12, max_length=1024)
        return cls(**{**style, **sizes, **changes})

    @classmethod
    def llama(cls, **changes: Any) -> Self:
        """SmolLM2-135M (arXiv:2502.02737), a Llama: pre-norm with RMSNorm, SwiGLU, rotary, shared keys, no biases."""
        style = dict(norm="rms", norm_place="pre", activation="swiglu", positions="rotary", bias=False, kv_heads=3)
        sizes = dict(vocabulary=49_152, d_model=576, heads=9, d_ff=1536, layers=30, max_length=8192)
        rest = dict(rotary_base=100_000.0, dropout=0.0, scaled_embeddings=False, pad=None)
        return cls(**{**style, **sizes, **rest, **changes})


class Embeddings(nn.Module):
    """Turn token ids into vectors that know which token they are and, by the config, where they stand.

    Vaswani et al. 2017, sections 3.4, 3.5 and 5.4. Built by hand in notebooks 03 and 04.
    """

    positions: Tensor

    def __init__(self, config: TransformerConfig, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(vocabulary, config.d_model)
        nn.init.normal_(self.tokens.weight, std=config.d_model**-0.5 if config.scaled_embeddings else 0.02)
        if config.positions == "learned":
            self.positions = nn.Parameter(torch.randn(config.max_length, config.d_model) * 0.02)
        elif config.positions == "sinusoidal":
            self.register_buffer("positions", sinusoidal(config.max_length, config.d_model), persistent=False)
        self.segments = nn.Embedding(config.segments, config.d_model) if config.segments else None
        self.norm = make_norm(config.d_model, config) if config.embedding_norm else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor, where: Tensor | None = None) -> Tensor:
        """Embed ids (B, T) at positions `where`, else at 0, 1, …: (B, T, d_model). ValueError for more than fit."""
        x: Tensor = self.tokens(ids)  # (B, T, d_model)
        if self.config.scaled_embeddings:
            x = x * math.sqrt(self.config.d_model)
        if self.config.positions in ("learned", "sinusoidal"):
            if ids.size(-1) > self.config.max_length:
                raise ValueError(f"at most max_length={self.config.max_length} tokens fit, but {ids.size(-1)} came")
            x = x + self.positions[slice(ids.size(-1)) if where is None else where]
        if self.segments is not None:
            x = x + self.segments.weight[0]
        if self.norm is not None:
            x = self.norm(x)
        embedded: Tensor = self.dropout(x)
        return embedded


def _hide_padding(ids: Tensor, config: TransformerConfig) -> Tensor | None:
    # No mask is faster than one that hides nothing.
    return padding_mask(ids, config.pad) if config.pad is not None and (ids == config.pad).any() else None


class Encoder(nn.Module):
    """Embeddings and a stack of encoder layers: token ids in, a vector of each token's meaning in context out."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config, config.vocabulary)
        sizes = (config.d_model, config.heads, config.d_ff, config.dropout)
        self.layers = nn.ModuleList(EncoderLayer(*sizes, config) for _ in range(config.layers))
        self.norm = make_norm(config.d_model, config) if config.ends_in_norm else nn.Identity()

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode token ids.

        Takes ids (B, S), and a mask that broadcasts to (B, H, S, S), by default one that hides padding. Returns the
        last hidden states, (B, S, d_model).
        """
        if mask is None:
            mask = _hide_padding(ids, self.config)
        x: Tensor = self.embeddings(ids)  # (B, S, d_model)
        for layer in self.layers:
            x = layer(x, mask)
        hidden: Tensor = self.norm(x)
        return hidden


class Decoder(nn.Module):
    """Embeddings and a stack of decoder layers: each target token reads those before it, and the memory."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config, config.target_vocabulary or config.vocabulary)
        sizes = (config.d_model, config.heads, config.d_ff, config.dropout)
        self.layers = nn.ModuleList(DecoderLayer(*sizes, config) for _ in range(config.layers))
        self.norm = make_norm(config.d_model, config) if config.ends_in_norm else nn.Identity()

    def forward(self, ids: Tensor, memory: Tensor, memory_mask: Tensor | None = None) -> Tensor:
        """Decode target ids against the encoder's output.

        Takes target ids, shifted right, (B, T), the encoder's output (B, S, d_model), and a mask of the source tokens
        that may be read, which broadcasts to (B, H, T, S). Returns the last hidden states, (B, T, d_model).
        """
        mask = causal_mask(ids.size(-1), ids.device)  # (T, T)
        x: Tensor = self.embeddings(ids)  # (B, T, d_model)
        for layer in self.layers:
            x = layer(x, memory, mask, memory_mask)
        hidden: Tensor = self.norm(x)
        return hidden


class Transformer(nn.Module):
    """The encoder–decoder of 2017: source ids and the target so far in, logits for each next target token out.

    Vaswani et al. 2017, arXiv:1706.03762, figure 1. Assembled from the learner's own parts in notebook 07.

    >>> config = TransformerConfig(vocabulary=20, target_vocabulary=30, d_model=8, heads=2, d_ff=16, layers=1)
    >>> model = Transformer(config)
    >>> model(torch.tensor([[4, 5, 6]]), torch.tensor([[1, 7]])).shape
    torch.Size([1, 2, 30])
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        if config.tied_embeddings and config.target_vocabulary is None:
            self.encoder.embeddings.tokens.weight = self.decoder.embeddings.tokens.weight
        self.projection = _projection(self.decoder.embeddings, config)
        _initialise(self)

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        """Predict each next target token: (B, S) and (B, T) to logits (B, T, V). Target ids start with [bos]."""
        return self.decode(target_ids, self.encode(source_ids), source_ids)

    def encode(self, source_ids: Tensor) -> Tensor:
        """Read the source once: (B, S) to the memory, (B, S, d_model)."""
        memory: Tensor = self.encoder(source_ids)
        return memory

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        """Predict each next target token from a memory: (B, T), (B, S, d_model) and (B, S) to logits (B, T, V)."""
        hidden = self.decoder(target_ids, memory, _hide_padding(source_ids, self.config))  # (B, T, d_model)
        logits: Tensor = self.projection(hidden)  # (B, T, V)
        return logits


class LanguageModel(nn.Module):
    """A GPT or a Llama: an encoder stack under a causal mask, which predicts each next token.

    Radford et al. 2018 and 2019. Built in notebook 06.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.body = Encoder(config)
        self.projection = _projection(self.body.embeddings, config)
        _initialise(self)

    def forward(self, ids: Tensor) -> Tensor:
        """Predict each next token: ids (B, T) to logits (B, T, V); position t sees the tokens up to and with t."""
        hidden = self.body(ids, causal_mask(ids.size(-1), ids.device))  # (B, T, d_model)
        logits: Tensor = self.projection(hidden)  # (B, T, V)
        return logits


class MaskedLanguageModel(nn.Module):
    """BERT: an encoder that guesses hidden tokens from both sides.

    Devlin et al. 2019, arXiv:1810.04805, section 3.1; the head (linear, activation, norm, tied projection with a bias)
    is that of the released code. Built in notebook 09.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.transform = nn.Linear(config.d_model, config.d_model)
        self.norm = make_norm(config.d_model, config)
        self.projection = _projection(self.encoder.embeddings, config, bias=True)
        _initialise(self)

    def forward(self, ids: Tensor) -> Tensor:
        """Guess the token at every position: ids (B, S) to logits (B, S, V)."""
        hidden = self.norm(F.gelu(self.transform(self.encoder(ids))))  # (B, S, d_model)
        logits: Tensor = self.projection(hidden)  # (B, S, V)
        return logits


def _projection(embeddings: Embeddings, config: TransformerConfig, bias: bool = False) -> nn.Linear:
    """The map from hidden states to logits; shares the embedding's matrix where the config ties them."""
    projection = nn.Linear(config.d_model, embeddings.tokens.num_embeddings, bias)
    if config.tied_embeddings:
        projection.weight = embeddings.tokens.weight
    return projection


def _initialise(model: nn.Module) -> None:
    """Give every linear map inside the layers Glorot's uniform weights and a bias of 0 (Glorot and Bengio 2010).

    The paper names no initialisation. The embeddings, and projections tied to them, keep their own.
    """
    for name, part in model.named_modules():
        if isinstance(part, nn.Linear) and ".layers." in f".{name}":
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
