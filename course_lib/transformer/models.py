"""Whole models: 2017's Transformer, a language model (GPT, Llama), and encoders (BERT).

Token ids come in, (B, T); logits over the vocabulary come out, (B, T, V). Each model is made of parts that are handed
in; by default they are the course's, in the style of 2017. `course_lib.transformer.build` makes the other styles.
Built by hand in notebooks 06 (`LanguageModel`) and 07 (`Transformer`); BERT is met in 05.
"""

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import causal_mask, padding_mask
from course_lib.transformer.layers import DecoderLayer, EncoderLayer, LayerNorm
from course_lib.transformer.positions import embed_with_positions

Embed = Callable[..., Tensor]
"""From ids (B, T), a table (V, d_model) and, where they are not 0, 1, 2, …, positions, to vectors (B, T, d_model)."""


class Past(Protocol):
    """The text that a model has read so far, as `course_lib.writing.cache` keeps it; new ids continue it.

    Writing needs the logits of the last position only, so with a past a model gives no others: for a long prompt, the
    product that gives all of them is large.
    """

    def positions(self, T: int) -> Tensor:
        """Give the positions of the T newest tokens, (T,) or (B, T)."""
        ...

    def mask(self, T: int) -> Tensor | None:
        """Say which of all S tokens the T newest may attend to, (T, S) or (B, 1, T, S); None: all."""
        ...


class Encoder(nn.Module):
    """Embeddings and a stack of encoder layers: token ids in, a vector for each token in its context out.

    Vaswani et al. 2017, arXiv:1706.03762, section 3.1; alone, it is a BERT (Devlin et al. 2019, arXiv:1810.04805).

    Args:
        vocabulary: number of different token ids, V.
        d_model: width of a token's vector.
        heads: number of attention heads.
        d_ff: width inside the feed-forwards.
        layers: number of layers, N.
        dropout: share of the embeddings, and of each sublayer's output, set to 0 in training.
        pad: the id that fills up short texts, hidden from all others; None: none.
        layer: the class of the layers, made with d_model, heads, d_ff and dropout.
        embed: how ids are turned into vectors, a function of ids and the table.
        padding: makes the mask that hides padding.
        final_norm: what normalises the output of the last layer; pre-norm layers need it.
    """

    def __init__(
        self,
        vocabulary: int,
        d_model: int,
        heads: int,
        d_ff: int,
        layers: int,
        dropout: float = 0.1,
        *,
        pad: int | None = 0,
        layer: Callable[..., nn.Module] = EncoderLayer,
        embed: Embed = embed_with_positions,
        padding: Callable[[Tensor, int], Tensor] = padding_mask,
        final_norm: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.final_norm = final_norm or nn.Identity()
        self.pad, self.embed, self.padding = pad, embed, padding

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode token ids.

        Takes ids (B, S), and a mask that broadcasts to (B, H, S, S), by default one that hides padding. Returns the
        last hidden states, (B, S, d_model).
        """
        if mask is None:
            mask = _hide_padding(ids, self.pad, self.padding)
        x: Tensor = self.dropout(self.embed(ids, self.table))  # (B, S, d_model)
        for layer in self.layers:
            x = layer(x, mask)
        hidden: Tensor = self.final_norm(x)
        return hidden


class LanguageModel(nn.Module):
    """A GPT or a Llama: encoder layers under a causal mask, and logits for each next token.

    Radford et al. 2018 and 2019. Built by hand in notebook 06. The arguments are those of `Encoder`, but for `mask`,
    which makes the causal mask, and `tied`: whether the table of the embeddings also gives the logits (Press and Wolf
    2017, arXiv:1608.05859).

    >>> LanguageModel(20, d_model=8, heads=2, d_ff=16, layers=1)(torch.tensor([[4, 5, 6]])).shape
    torch.Size([1, 3, 20])
    """

    def __init__(
        self,
        vocabulary: int,
        d_model: int,
        heads: int,
        d_ff: int,
        layers: int,
        dropout: float = 0.1,
        *,
        layer: Callable[..., nn.Module] = EncoderLayer,
        embed: Embed = embed_with_positions,
        mask: Callable[[int], Tensor] = causal_mask,
        final_norm: nn.Module | None = None,
        tied: bool = True,
    ) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.output_table = None if tied else nn.Parameter(self.table.detach().clone())
        self.layers = nn.ModuleList(layer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.final_norm = final_norm or nn.Identity()
        self.embed, self.mask = embed, mask

    def forward(self, ids: Tensor, past: Past | None = None) -> Tensor:
        """Predict each next token: ids (B, T) to logits (B, T, V); position t sees the tokens up to and including t.

        With a past, the ids continue what it holds, and the logits are those of the last position, (B, 1, V).
        """
        T = ids.size(1)
        mask: Tensor | None
        if past is None:
            hidden, mask = self.embed(ids, self.table), self.mask(T).to(ids.device)  # (B, T, d_model), (T, T)
        else:
            hidden, mask = self.embed(ids, self.table, past.positions(T)), past.mask(T)
        hidden = self.dropout(hidden)
        for layer in self.layers:
            hidden = layer(hidden, mask)
        if past is not None:
            hidden = hidden[:, -1:]  # (B, 1, d_model)
        output_table = self.table if self.output_table is None else self.output_table
        logits: Tensor = self.final_norm(hidden) @ output_table.T  # (B, T, V), or (B, 1, V) with a past
        return logits


class MaskedLanguageModelHead(nn.Module):
    """Turn hidden states into logits for the hidden tokens: a linear map, GELU, a norm, and the embeddings' table.

        logits = LayerNorm(GELU(x W + b)) tableᵀ + bias

    Devlin et al. 2019, arXiv:1810.04805; the paper says only that the final hidden vectors are fed into an output
    softmax over the vocabulary, and this head is that of the released code. The table belongs to the encoder and is
    passed in with each call, so that one table serves both ends. Built by hand in notebook 11.

    Args:
        vocabulary: number of different token ids, V.
        d_model: width of a token's vector.
        norm: the class of the norm, made with d_model.

    >>> MaskedLanguageModelHead(20, d_model=8)(torch.zeros(1, 3, 8), torch.zeros(20, 8)).shape
    torch.Size([1, 3, 20])
    """

    def __init__(self, vocabulary: int, d_model: int, *, norm: Callable[[int], nn.Module] = LayerNorm) -> None:
        super().__init__()
        self.transform = nn.Linear(d_model, d_model)
        self.norm = norm(d_model)
        self.output_bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, hidden: Tensor, table: Tensor) -> Tensor:
        """Guess a token from each hidden state: (..., d_model) and a table (V, d_model) to logits (..., V)."""
        transformed = self.norm(F.gelu(self.transform(hidden)))  # (..., d_model)
        logits: Tensor = transformed @ table.T + self.output_bias  # (..., V)
        return logits


class MaskedLanguageModel(nn.Module):
    """BERT: an encoder that guesses hidden tokens from both sides.

    Devlin et al. 2019, arXiv:1810.04805, section 3.1. Met in notebook 11.

    Args:
        encoder: what reads the tokens.
        head: the class of the head, made with V and d_model; called with hidden states and the table.
        tied: whether the table of the embeddings also gives the logits.
    """

    def __init__(
        self, encoder: Encoder, *, head: Callable[[int, int], nn.Module] = MaskedLanguageModelHead, tied: bool = True
    ) -> None:
        super().__init__()
        vocabulary, d_model = encoder.table.shape
        self.encoder = encoder
        self.head = head(vocabulary, d_model)
        self.output_table = None if tied else nn.Parameter(encoder.table.detach().clone())

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Guess the token at every position: ids (B, S) to logits (B, S, V).

        The mask is that of `Encoder`: by default it hides padding. Under a causal mask this is a language model.
        """
        output_table = self.encoder.table if self.output_table is None else self.output_table
        logits: Tensor = self.head(self.encoder(ids, mask), output_table)  # (B, S, V)
        return logits


class Transformer(nn.Module):
    """The encoder–decoder of 2017: source ids and the target so far in, logits for each next target token out.

    Vaswani et al. 2017, arXiv:1706.03762, figure 1. Built by hand in notebook 07.

    Args:
        source_vocabulary: number of different ids of the source language.
        target_vocabulary: number of different ids of the target language, V.
        d_model: width of a token's vector.
        heads: number of attention heads.
        d_ff: width inside the feed-forwards.
        layers: number of layers, N, in the encoder and in the decoder alike.
        dropout: share of the embeddings, and of each sublayer's output, set to 0 in training.
        pad: the id that fills up short source sentences, hidden from all others; None: none.
        encoder_layer: the class of the encoder's layers, made with d_model, heads, d_ff and dropout.
        decoder_layer: the class of the decoder's layers, likewise.
        embed: how ids are turned into vectors, a function of ids and the table.
        mask: makes the causal mask.
        padding: makes the mask that hides padding.
        final_norms: what normalises the outputs of the encoder and the decoder; pre-norm layers need it.
        one_table: whether both languages share one vocabulary and one table (section 3.4).
        tied: whether the table of the target also gives the logits (section 3.4).

    >>> model = Transformer(20, 30, d_model=8, heads=2, d_ff=16, layers=1)
    >>> model(torch.tensor([[4, 5, 6]]), torch.tensor([[1, 7]])).shape
    torch.Size([1, 2, 30])
    """

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        d_model: int,
        heads: int,
        d_ff: int,
        layers: int,
        dropout: float = 0.1,
        *,
        pad: int | None = 0,
        encoder_layer: Callable[..., nn.Module] = EncoderLayer,
        decoder_layer: Callable[..., nn.Module] = DecoderLayer,
        embed: Embed = embed_with_positions,
        mask: Callable[[int], Tensor] = causal_mask,
        padding: Callable[[Tensor, int], Tensor] = padding_mask,
        final_norms: tuple[nn.Module, nn.Module] | None = None,
        one_table: bool = False,
        tied: bool = True,
    ) -> None:
        super().__init__()
        self.source_table = nn.Parameter(torch.randn(source_vocabulary, d_model) * d_model**-0.5)
        self.target_table = nn.Parameter(torch.randn(target_vocabulary, d_model) * d_model**-0.5)
        if one_table:
            self.source_table = self.target_table
        self.output_table = None if tied else nn.Parameter(self.target_table.detach().clone())
        self.encoder = nn.ModuleList(encoder_layer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(decoder_layer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.encoder_norm, self.decoder_norm = final_norms or (nn.Identity(), nn.Identity())
        self.pad, self.embed, self.mask, self.padding = pad, embed, mask, padding

    def encode(self, source_ids: Tensor) -> Tensor:
        """Read the source once: (B, S) to the memory, (B, S, d_model)."""
        mask = _hide_padding(source_ids, self.pad, self.padding)  # (B, 1, 1, S)
        x: Tensor = self.dropout(self.embed(source_ids, self.source_table))  # (B, S, d_model)
        for layer in self.encoder:
            x = layer(x, mask)
        memory: Tensor = self.encoder_norm(x)
        return memory

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor, past: Past | None = None) -> Tensor:
        """Predict each next target token: (B, T), (B, S, d_model) and (B, S) to logits (B, T, V).

        Target ids start with [bos]. With a past, they continue what it holds, and the logits are those of the last
        position, (B, 1, V).
        """
        T = target_ids.size(1)
        mask: Tensor | None
        if past is None:
            x, mask = self.embed(target_ids, self.target_table), self.mask(T).to(target_ids.device)
        else:
            x, mask = self.embed(target_ids, self.target_table, past.positions(T)), past.mask(T)
        memory_mask = _hide_padding(source_ids, self.pad, self.padding)  # (B, 1, 1, S)
        x = self.dropout(x)  # (B, T, d_model)
        for layer in self.decoder:
            x = layer(x, memory, mask, memory_mask)
        if past is not None:
            x = x[:, -1:]  # (B, 1, d_model)
        output_table = self.target_table if self.output_table is None else self.output_table
        logits: Tensor = self.decoder_norm(x) @ output_table.T  # (B, T, V), or (B, 1, V) with a past
        return logits

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        """Predict each next target token: (B, S) and (B, T) to logits (B, T, V)."""
        return self.decode(target_ids, self.encode(source_ids), source_ids)


def _hide_padding(ids: Tensor, pad: int | None, padding: Callable[[Tensor, int], Tensor]) -> Tensor | None:
    """Make the mask that hides padding, or None where there is none: without a mask, attention is faster."""
    if pad is None or not (ids == pad).any():
        return None
    return padding(ids, pad)
