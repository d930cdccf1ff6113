"""The exercise `Transformer` of notebook 07."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.dropout import dropout_of_model
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.initialisation import copied_layers, start_of_model
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import models
from course_lib.transformer.attention import causal_mask, padding_mask
from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.positions import embed_with_positions, sinusoidal


def both_ways(model: Any, source_ids: Tensor, target_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The logits of one call of the model, and those of `encode` and `decode`, which a translator calls.

    Before it decodes, the model encodes another source: what `decode` needs comes in its arguments. It can also decode
    with a memory that no source gives.
    """
    logits, memory = model(source_ids, target_ids), model.encode(source_ids)
    model.encode(another_source(source_ids))
    another = memory.flip(-1) if isinstance(memory, Tensor) else memory
    return (logits, *(model.decode(target_ids, each, source_ids) for each in (memory, another)))


def another_source(source_ids: Tensor) -> Tensor:
    """A source of the same shape whose padding, the first token aside, is where the given one has words."""
    other = torch.ones_like(source_ids)
    other[:, 1:] = source_ids[:, 1:] == 0
    return other


MODEL = (5, 9, 4, 2, 7, 1, 0.1)
DEEP = (5, 9, 4, 2, 7, 2, 0.1)
SOURCE = torch.tensor([[4, 3]])
TARGET = torch.tensor([[1, 8, 5]])

LEARNED = ClassWithWeights(
    reference=models.Transformer,
    inputs=lambda source, target, *_: (
        1 + torch.arange(20).reshape(2, 10) * 3 % (source - 1),
        1 + torch.arange(12) * torch.tensor([[3], [7]]) % (target - 1),  # it begins with [bos], and has no [pad]
    ),
    sizes=(7, 11, 8, 4, 5, 2, 0.1),
    wide=(40, 50, 64, 4, 96, 2, 0.1),
    block=2,
    d_model=2,
    vocabularies=(0, 1),
    dropout=6,
    call=both_ways,
)

transformer = Exercise(
    reference=models.Transformer,
    notebook=7,
    order=40,
    minutes=20,
    difficulty=3,
    on_map="projection",
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, copied_layers(5), start_of_model, dropout_of_model(0, 5)),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("logits", "B, T, V"),
        Result("the logits of `decode`", "B, T, V"),
        Result("the logits of `decode` with another memory", "B, T, V"),
        Result("the gradients of the layers' matrices"),
    ),
    example=case(*MODEL, SOURCE, TARGET),
    another=case(*MODEL, torch.tensor([[3, 4]]), torch.tensor([[1, 6, 7]])),
    cases=(
        case(*MODEL, torch.tensor([[4, 3], [3, 3]]), torch.tensor([[1, 8, 3, 6], [1, 4, 7, 5]]), having=("a batch",)),
        case(*DEEP, SOURCE, TARGET, having=("two layers",)),
        case(
            *DEEP,
            torch.tensor([[4, 0, 0], [3, 3, 0]]),
            torch.tensor([[1], [1]]),
            having=("padding", "two layers", "a batch"),
        ),
        case(
            *MODEL,
            torch.tensor([[1, 4, 3, 2], [1, 3, 2, 0]]),
            torch.tensor([[1, 8, 3], [1, 4, 7]]),
            having=("padding", "[bos] and [eos] in the source", "a batch"),
        ),
        case(*MODEL, torch.tensor([[4]]), torch.tensor([[1]]), having=("one token on each side",)),
        case(8, 10, 6, 3, 5, 1, 0.1, torch.tensor([[7, 3]]), torch.tensor([[1, 9, 5]]), having=("other sizes",)),
    ),
    hints=(
        (
            "Write `encode` first. It is the body of your language model without the logits, and with another mask. "
            "`decode` is similar, but its layers also read the memory."
        ),
        (
            "Both begin alike: `embed_with_positions` with the table of their language, then dropout. The encoder "
            "layers get the padding mask of the source. The decoder layers get the memory, a causal mask, and again "
            "the padding mask of the source."
        ),
        (
            "`padding_mask(source_ids, 0)` is needed in both methods. In `decode`, a last product with "
            "`self.target_table.T`, or a linear map, turns (B, T, d_model) into logits."
        ),
    ),
)


@transformer.mistake(
    "Nothing hides the future from your target words, so they copy the answer in training, and have nothing to copy "
    "in use. Pass a causal mask to the decoder layers."
)
def future_open(*sizes):
    return models.Transformer(*sizes, mask=lambda T: torch.ones(T, T, dtype=torch.bool))


@transformer.mistake(
    "Your target's mask is off by one: each word also reads the next one, which it should predict. The mask should be "
    "True on the diagonal and below it, nowhere else."
)
def one_word_ahead(*sizes):
    return models.Transformer(*sizes, mask=lambda T: torch.ones(T, T, dtype=torch.bool).tril(1))


transformer.patch(
    "Your encoder reads padding. Pass the padding mask of the source to each of its layers.",
    replace="layer(x, mask)",
    by="layer(x)",
)

transformer.patch(
    "Your decoder reads the source's padding. Pass the padding mask of the source to each of its layers, after the "
    "causal mask.",
    replace="layer(x, memory, mask, memory_mask)",
    by="layer(x, memory, mask)",
    seen="https://github.com/NVIDIA/FasterTransformer/issues/270",
)


@transformer.mistake(
    "Your model never hides padding, neither in the encoder nor when the decoder reads the memory. Both need "
    "`padding_mask(source_ids, 0)`."
)
def padding_never_hidden(*sizes):
    return models.Transformer(*sizes, pad=None)


@transformer.mistake(
    "After another source was encoded, your `decode` hides the padding of that one, as if `encode` had kept the mask. "
    "Make the mask in `decode`, from its own `source_ids`."
)
class PaddingOfTheLatestSource(models.Transformer):
    def encode(self, source_ids):
        self.latest = source_ids
        return super().encode(source_ids)

    def decode(self, target_ids, memory, source_ids):
        return super().decode(target_ids, memory, self.latest)


@transformer.mistake(
    "After another source was encoded, your `decode` reads the memory of that one, as if `encode` had kept it. Read "
    "the `memory` that is passed."
)
class MemoryOfTheLatestSource(models.Transformer):
    def encode(self, source_ids):
        self.latest = super().encode(source_ids)
        return self.latest

    def decode(self, target_ids, memory, source_ids):
        return super().decode(target_ids, self.latest, source_ids)


@transformer.mistake(
    "Your `decode` encodes the source itself, and the `memory` that is passed to it has no effect. Let its layers read "
    "that `memory`: a translator encodes the source once, and then decodes many times."
)
class EncodesInDecode(models.Transformer):
    def decode(self, target_ids, memory, source_ids):
        return super().decode(target_ids, self.encode(source_ids), source_ids)


@transformer.mistake(
    "There are no positions in your embeddings, so your model cannot tell “dog bites man” from “man bites dog”. Use "
    "`embed_with_positions`."
)
def without_positions(*sizes):
    return models.Transformer(*sizes, embed=lambda ids, table: table[ids] * table.size(1) ** 0.5)


transformer.patch(
    "Your code looks up target ids in the source's table. Each language has ids of its own, and so a table of its own.",
    replace="self.embed(target_ids, self.target_table), ",
    by="self.embed(target_ids, self.source_table), ",
)

transformer.patch(
    "Your memory is the embedded source: the layers of the encoder have no effect. Use what each of them returns: `x "
    "= layer(x, mask)`.",
    replace="for layer in self.encoder:",
    by="for layer in ():",
)

transformer.patch(
    "Your model ends in a softmax. It should return logits, because the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.softmax(-1)",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)


@transformer.mistake(
    "All your layers are one and the same, as in `[layer] * N`, which holds one layer N times. Make a new layer for "
    "each place in the list.",
    seen="https://github.com/IDEA-Research/DAB-DETR/issues/17",
)
class OneLayerManyTimes(models.Transformer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.encoder = nn.ModuleList([self.encoder[0]] * len(self.encoder))
        self.decoder = nn.ModuleList([self.decoder[0]] * len(self.decoder))


@transformer.mistake(
    "Torch does not find your layers, as in a plain Python list, so they are never trained. Use `nn.ModuleList`.",
    seen="https://github.com/LiamMaclean216/Pytorch-Transfomer/issues/7",
)
class LayersInPlainLists(models.Transformer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        encoder, decoder = list(self.encoder), list(self.decoder)
        del self.encoder, self.decoder
        self.encoder, self.decoder = encoder, decoder


transformer.patch(
    "There are no positions in your target. Both languages need `embed_with_positions`: without it, the decoder does "
    "not know the order of the target words.",
    replace="x, mask = self.embed(target_ids, self.target_table), self.mask(T).to(target_ids.device)",
    by="x, mask = self.target_table[target_ids] * self.target_table.size(1) ** 0.5, self.mask(T).to(target_ids.device)",
)

transformer.patch(
    "There are no positions in your source. Both languages need `embed_with_positions`: without it, the encoder does "
    "not know the order of the source words.",
    replace="self.embed(source_ids, self.source_table)",
    by="(self.source_table[source_ids] * self.source_table.size(1) ** 0.5)",
)


transformer.patch(
    "The positions of your target begin after those of the source. The target is a text of its own: its first token "
    "is at position 0, as `embed_with_positions` gives it.",
    replace="self.embed(target_ids, self.target_table), ",
    by=(
        "self.embed(torch.nn.functional.pad(target_ids, (source_ids.size(1), 0)), self.target_table)"
        "[:, source_ids.size(1) :], "
    ),
)


@transformer.mistake(
    "Your model looks up the token vectors without scaling them. `embed_with_positions` multiplies them by √d_model "
    "before it adds the positions."
)
def not_scaled(*sizes):
    return models.Transformer(*sizes, embed=lambda ids, table: table[ids] + sinusoidal(ids.size(1), table.size(1)))


@transformer.mistake(
    "Your model scales the embeddings by √d_model a second time. `embed_with_positions` scales the vectors of the "
    "words already."
)
def scaled_twice(*sizes):
    return models.Transformer(*sizes, embed=lambda ids, table: embed_with_positions(ids, table) * table.size(1) ** 0.5)


@transformer.mistake(
    "Your token vectors are scaled by √d_model twice. `embed_with_positions` scales them already: pass it the tables "
    "as they are."
)
def tables_scaled(*sizes):
    return models.Transformer(*sizes, embed=lambda ids, table: embed_with_positions(ids, table * table.size(1) ** 0.5))


transformer.patch(
    "Your `forward` drops the last target token before it decodes. The target comes as the model should read it: the "
    "training step has shifted it already.",
    replace="self.decode(target_ids, self.encode(source_ids)",
    by="self.decode(target_ids[:, :-1], self.encode(source_ids)",
)


transformer.patch(
    "Your decoder layers have no effect: your logits come from the embedded target. Pass the result of one layer to "
    "the next, and use the last one.",
    replace="x = layer(x, memory, mask, memory_mask)",
    by="layer(x, memory, mask, memory_mask)",
)

transformer.patch(
    "Your `decode` adds what a layer reads to what it returns. The residual connections are in the layers already: "
    "pass on what a layer returns as it is.",
    replace="x = layer(x, memory, mask, memory_mask)",
    by="x = x + layer(x, memory, mask, memory_mask)",
)

transformer.patch(
    "Your `encode` adds what a layer reads to what it returns. The residual connections are in the layers already: "
    "pass on what a layer returns as it is.",
    replace="x = layer(x, mask)",
    by="x = x + layer(x, mask)",
)

transformer.patch(
    "Your model ends in a log-softmax. It should return logits, because the loss takes the softmax itself.",
    replace="return logits",
    by="return logits.log_softmax(-1)",
)

transformer.patch(
    "Your `decode` returns the prediction at the last position only. Return those of all T positions, which are all "
    "trained at once.",
    replace="return logits",
    by="return logits[:, -1]",
)

transformer.patch(
    "Your `decode` returns the vectors of the last layer, (B, T, d_model). One more product, with the transposed "
    "table of the target or by a linear map, gives the logits (B, T, V).",
    replace="return logits",
    by="return x",
)


@transformer.mistake(
    "Each of your decoder layers reads what the encoder layer of the same number wrote. All of them read the memory, "
    "which is what the last encoder layer returns: let `forward` call `encode`, then `decode`."
)
class LayerBesideLayer(models.Transformer):
    def forward(self, source_ids, target_ids):
        words, past = padding_mask(source_ids, 0), causal_mask(target_ids.size(1))
        memory = self.dropout(embed_with_positions(source_ids, self.source_table))
        x = self.dropout(embed_with_positions(target_ids, self.target_table))
        for reads, writes in zip(self.encoder, self.decoder, strict=True):
            memory = reads(memory, words)
            x = writes(x, memory, past, words)
        return x @ self.target_table.T


class Transformer(nn.Module):
    """The encoder–decoder of 2017: source ids and the target so far in, logits for each next target token out."""

    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.source_table = nn.Parameter(torch.randn(source_vocabulary, d_model) * d_model**-0.5)
        self.target_table = nn.Parameter(torch.randn(target_vocabulary, d_model) * d_model**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def encode(self, source_ids):
        mask = padding_mask(source_ids, 0)  # (B, 1, 1, S)
        x = self.dropout(embed_with_positions(source_ids, self.source_table))  # (B, S, d_model)
        for layer in self.encoder:
            x = layer(x, mask)
        return x

    def decode(self, target_ids, memory, source_ids):
        mask, memory_mask = causal_mask(target_ids.size(1)), padding_mask(source_ids, 0)
        x = self.dropout(embed_with_positions(target_ids, self.target_table))  # (B, T, d_model)
        for layer in self.decoder:
            x = layer(x, memory, mask, memory_mask)
        return x @ self.target_table.T  # (B, T, V)

    def forward(self, source_ids, target_ids):
        return self.decode(target_ids, self.encode(source_ids), source_ids)


transformer.plain(Transformer)


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
        for table in (self.src, self.tgt):
            nn.init.normal_(table.weight, std=d_model**-0.5)
        self.drop = nn.Dropout(dropout)
        self.body = nn.Transformer(d_model, heads, layers, layers, d_ff, dropout, batch_first=True)
        self.body.encoder.norm = self.body.decoder.norm = None

    def encode(self, src):
        x = self.drop(embed_with_positions(src, self.src.weight))
        return self.body.encoder(x, src_key_padding_mask=src == 0)

    def decode(self, tgt, memory, src):
        future = torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool).triu(1)
        x = self.drop(embed_with_positions(tgt, self.tgt.weight))
        hidden = self.body.decoder(x, memory, tgt_mask=future, memory_key_padding_mask=src == 0)
        return F.linear(hidden, self.tgt.weight)

    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), src)


class Causal(EncoderLayer):
    def forward(self, x, mask=None):
        causal = causal_mask(x.size(1))
        return super().forward(x, causal if mask is None else causal & mask)


@transformer.mistake(
    "In your encoder, a source word cannot read later ones, as under a causal mask. The whole source is known: hide "
    "its padding only."
)
def causal_encoder(*sizes):
    return models.Transformer(*sizes, encoder_layer=Causal)
