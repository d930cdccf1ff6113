"""What a model is like: its sizes, and what changed from 2017's Transformer to BERT, GPT-2 and Llama."""

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

Norm = Literal["layer", "rms"]
NormPlace = Literal["post", "pre"]
Activation = Literal["relu", "gelu", "gelu_tanh", "swiglu"]
Positions = Literal["sinusoidal", "learned", "rotary", "none"]


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The sizes and the style of a model. The defaults are the base model of 2017.

    Vaswani et al. 2017, arXiv:1706.03762, table 3 ("base") and sections 3.4 and 5.4. LayerNorm: Ba et al. 2016,
    arXiv:1607.06450; RMSNorm: Zhang and Sennrich 2019, arXiv:1910.07467; pre-norm: Xiong et al. 2020, arXiv:2002.04745.
    Raises ValueError for sizes or choices that make no model.

    >>> TransformerConfig(vocabulary=100, d_model=10, heads=4)
    Traceback (most recent call last):
    ...
    ValueError: d_model should be a multiple of heads: d_model=10 and heads=4 are not
    """

    # Sizes.
    vocabulary: int  # number of token ids, V; the source's where there are two languages
    target_vocabulary: int | None = None  # the target's number of ids; None: both languages share one vocabulary
    d_model: int = 512  # width of a token, a multiple of `heads`
    heads: int = 8
    kv_heads: int | None = None  # heads of keys and values; None: as many as query heads
    d_ff: int = 2048  # width inside the feed-forward
    layers: int = 6  # N, in the encoder and in the decoder alike
    max_length: int = 512  # most tokens of a text that the model reads at once
    # Layers.
    norm: Norm = "layer"
    norm_place: NormPlace = "post"  # after the residual (2017), or "pre", before the sublayer
    norm_eps: float = 1e-5  # added under the norm's root
    final_norm: bool | None = None  # a norm after the last layer; None: where the layers are pre-norm, which need it
    activation: Activation = "relu"  # of the feed-forward; "gelu" is exact, "gelu_tanh" GPT-2's approximation
    bias: bool = True  # whether linear maps and LayerNorms add a bias
    dropout: float = 0.1  # share of sublayer outputs and of embeddings set to 0 in training
    # Embeddings.
    positions: Positions = "sinusoidal"  # "rotary" acts inside the layers, on self-attention's queries and keys
    rotary_base: float = 10_000.0
    pad: int | None = 0  # hidden from encoder and cross-attention; a causal mask hides it if it stands at the end
    tied_embeddings: bool = True  # one table for embedding and logits, and for both languages if they share ids
    scaled_embeddings: bool = True  # multiply embeddings by √d_model (section 3.4)
    embedding_norm: bool = False  # normalise the embeddings, as BERT does
    segments: int = 0  # kinds of text that BERT tells apart by a learned vector; all tokens here are of the first

    def __post_init__(self) -> None:
        kinds = {"norm": Norm, "norm_place": NormPlace, "activation": Activation, "positions": Positions}
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} should be one of {get_args(kind)}, but is {getattr(self, name)!r}")
        if not (self.norm_eps > 0 and self.rotary_base > 0):
            raise ValueError(f"norm_eps={self.norm_eps} and rotary_base={self.rotary_base} should both be more than 0")
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
