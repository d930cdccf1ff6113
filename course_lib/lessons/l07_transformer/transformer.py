"""The exercise `Transformer` of notebook 07."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import with_fixed_weights
from course_lib.transformer import models
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.positions import embed_with_positions


def both_ways(model: Any, source_ids: Tensor, target_ids: Tensor) -> tuple[Tensor, Tensor]:
    """The logits of one call of the model, and those of `encode` and `decode`, which a translator calls."""
    return model(source_ids, target_ids), model.decode(target_ids, model.encode(source_ids), source_ids)


MODEL = (5, 9, 4, 2, 7, 1, 0.1)
DEEP = (5, 9, 4, 2, 7, 2, 0.1)
SOURCE = torch.tensor([[4, 3]])
TARGET = torch.tensor([[1, 8, 5]])

transformer = Exercise(
    reference=models.Transformer,
    notebook=7,
    order=40,
    minutes=30,
    difficulty=3,
    on_map="projection",
    adapt=with_fixed_weights(constructor_arguments=7, block=2, uncounted_sizes=(5, 9), call=both_ways),
    returns=(
        Result("logits", "B, T, V"),
        Result("decode(target_ids, encode(source_ids), source_ids)", "B, T, V"),
        Result("the count of numbers in the layers' weight matrices"),
    ),
    example=case(*MODEL, SOURCE, TARGET),
    another=case(*MODEL, torch.tensor([[3, 4]]), torch.tensor([[1, 6, 7]])),
    cases=(
        case(*DEEP, SOURCE, TARGET, having=("two layers",)),
        case(*MODEL, torch.tensor([[4, 3], [3, 3]]), torch.tensor([[1, 8, 3, 6], [1, 4, 7, 5]]), having=("a batch",)),
        case(*DEEP, torch.tensor([[4, 0, 0], [3, 3, 0]]), torch.tensor([[1], [1]]), having=("padding", "two layers")),
        case(
            *MODEL,
            torch.tensor([[1, 4, 3, 2], [1, 3, 2, 0]]),
            torch.tensor([[1, 8, 3], [1, 4, 7]]),
            having=("padding", "[bos] and [eos] in the source"),
        ),
        case(*MODEL, torch.tensor([[4]]), torch.tensor([[1]]), having=("one token on each side",)),
    ),
    hints=(
        (
            "In `__init__`: a table of vectors for each language, N encoder layers, N decoder layers, in "
            "`nn.ModuleList`s so that torch knows of them. In `encode` the source goes through one stack, in `decode` "
            "the target through the other."
        ),
        (
            "Both begin with `embed_with_positions` and dropout. The encoder layers get the source's padding mask. The "
            "decoder layers get the memory, a causal mask for the target, and again the source's padding mask."
        ),
        (
            "The decoder's output (B, T, d_model) becomes logits (B, T, V) by one more matrix: a linear map without a "
            "bend, or the transposed table of the target. No softmax: the loss takes it."
        ),
    ),
)


@transformer.mistake(
    "Nothing hides the future from the target words: they copy the answer in training, and are lost without it. The "
    "decoder layers want a causal mask."
)
def future_open(*sizes):
    return models.Transformer(*sizes, mask=lambda T: torch.ones(T, T, dtype=torch.bool))


@transformer.mistake(
    "Your target's mask is off by one: each word reads the next one too, which is the very one that it is to predict. "
    "The diagonal is open, and nothing to the right of it."
)
def one_word_ahead(*sizes):
    return models.Transformer(*sizes, mask=lambda T: torch.ones(T, T, dtype=torch.bool).tril(1))


transformer.patch(
    "Your encoder reads padding: it wants the padding mask too, in each layer.",
    replace="layer(x, mask)",
    by="layer(x)",
)

transformer.patch(
    "Your decoder reads the source's padding: the cross-attention wants the padding mask of the source.",
    replace="layer(x, memory, mask, memory_mask)",
    by="layer(x, memory, mask)",
    seen="https://github.com/NVIDIA/FasterTransformer/issues/270",
)


@transformer.mistake(
    "Padding is never hidden: not in the encoder, and not when the decoder reads the memory. Both want "
    "`padding_mask(source_ids, 0)`."
)
def padding_never_hidden(*sizes):
    return models.Transformer(*sizes, pad=None)


@transformer.mistake(
    "There are no positions in your embeddings, so that the model cannot tell *dog bites man* from *man bites dog*: "
    "`embed_with_positions`."
)
def without_positions(*sizes):
    return models.Transformer(*sizes, embed=lambda ids, table: table[ids] * table.size(1) ** 0.5)


transformer.patch(
    "You look target ids up in the source's table. Each language has its own numbers, and so its own table.",
    replace="self.embed(target_ids, self.target_table), ",
    by="self.embed(target_ids % len(self.source_table), self.source_table), ",
)

transformer.patch(
    "Your memory is the embedded source: the encoder's layers are never run.",
    replace="for layer in self.encoder:",
    by="for layer in ():",
)

transformer.patch(
    "Your model ends in a softmax. It should return the logits: the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(-1)",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)


@transformer.mistake(
    "All your layers are the same one: `[layer] * N` holds one layer N times. Make a new one for each.",
    seen="https://github.com/IDEA-Research/DAB-DETR/issues/17",
)
class OneLayerManyTimes(models.Transformer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.encoder = nn.ModuleList([self.encoder[0]] * len(self.encoder))
        self.decoder = nn.ModuleList([self.decoder[0]] * len(self.decoder))


@transformer.mistake(
    "torch does not know of your layers: in a plain Python list they are never trained. Use `nn.ModuleList`.",
    seen="https://github.com/LiamMaclean216/Pytorch-Transfomer/issues/7",
)
class LayersInPlainLists(models.Transformer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        encoder, decoder = list(self.encoder), list(self.decoder)
        del self.encoder, self.decoder
        self.encoder, self.decoder = encoder, decoder


@transformer.right_for_whole_course
class OfModules(nn.Module):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.src, self.tgt = nn.Embedding(source_vocabulary, d_model), nn.Embedding(target_vocabulary, d_model)
        for table in (self.src, self.tgt):
            nn.init.normal_(table.weight, std=d_model**-0.5)
        self.enc = nn.ModuleList([EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers)])
        self.dec = nn.ModuleList([DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers)])
        self.out, self.drop = nn.Linear(d_model, target_vocabulary), nn.Dropout(dropout)

    def encode(self, src):
        x = self.drop(embed_with_positions(src, self.src.weight))
        for layer in self.enc:
            x = layer(x, (src != 0)[:, None, None])
        return x

    def decode(self, tgt, memory, src):
        y = self.drop(embed_with_positions(tgt, self.tgt.weight))
        for layer in self.dec:
            y = layer(y, memory, causal_mask(tgt.shape[1]), (src != 0)[:, None, None])
        return self.out(y)

    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), src)


@transformer.right
class OfTorch(nn.Module):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.src, self.tgt = nn.Embedding(source_vocabulary, d_model), nn.Embedding(target_vocabulary, d_model)
        self.body = nn.Transformer(d_model, heads, layers, layers, d_ff, dropout, batch_first=True)
        self.body.encoder.norm = self.body.decoder.norm = None

    def encode(self, src):
        return self.body.encoder(embed_with_positions(src, self.src.weight), src_key_padding_mask=src == 0)

    def decode(self, tgt, memory, src):
        future = torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool).triu(1)
        x = embed_with_positions(tgt, self.tgt.weight)
        hidden = self.body.decoder(x, memory, tgt_mask=future, memory_key_padding_mask=src == 0)
        return F.linear(hidden, self.tgt.weight)

    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), src)
