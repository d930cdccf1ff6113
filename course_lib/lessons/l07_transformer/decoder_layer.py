"""The exercise `DecoderLayer` of notebook 07."""

import math

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import drops_in_training, with_fixed_weights
from course_lib.lessons.l07_transformer.inputs import target_and_memory
from course_lib.transformer import layers
from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.layers import post_norm

SIZES = (4, 2, 7, 0.1)
FUTURE_HIDDEN = torch.ones(3, 3, dtype=torch.bool).tril()
LAST_HIDDEN = torch.tensor([True, False]).expand(2, 1, 1, 2)
EACH_ITS_OWN = torch.stack((fixed_tensor(2, 2, 3) > -1, fixed_tensor(2, 2, 3) < 1), dim=-1)  # (B, H, T, S)

decoder_layer = Exercise(
    reference=layers.DecoderLayer,
    notebook=7,
    order=30,
    minutes=25,
    difficulty=3,
    on_map="cross_attention",
    trained=True,
    adapt=with_fixed_weights(constructor_arguments=4, block=2),
    further_check=drops_in_training(constructor_arguments=4, block=2),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the count of numbers in your weight matrices"),
    ),
    example=case(*SIZES, *target_and_memory(1, 3, 2)),
    another=case(*SIZES, *target_and_memory(1, 3, 2, seed=3)),
    cases=(
        case(*SIZES, *target_and_memory(2, 3, 2), having=("a batch",)),
        case(6, 3, 5, 0.1, *target_and_memory(2, 2, 4, d_model=6), having=("other sizes",)),
        case(4, 1, 7, 0.1, *target_and_memory(2, 3, 2), having=("a single head",)),
        case(*SIZES, *target_and_memory(1, 1, 1), having=("one token on each side",)),
        case(*SIZES, *target_and_memory(2, 3, 2), mask=FUTURE_HIDDEN, having=("a causal mask",)),
        case(*SIZES, *target_and_memory(2, 3, 2), None, mask=LAST_HIDDEN, having=("a mask of the memory",)),
        case(*SIZES, *target_and_memory(2, 3, 2, seed=5), FUTURE_HIDDEN, mask=LAST_HIDDEN, having=("both masks",)),
        case(
            *SIZES,
            *target_and_memory(2, 3, 2),
            None,
            mask=EACH_ITS_OWN,
            having=("a mask of the memory that differs from head to head and from word to word",),
        ),
        case(*SIZES, *(tensor.double() for tensor in target_and_memory(1, 3, 2)), having=("float64 numbers",)),
    ),
    hints=(
        (
            "It is your `EncoderLayer` with a third sublayer in the middle. So there are two attentions, one "
            "feed-forward, three norms."
        ),
        (
            "In order: self-attention under `mask`; `cross_attend` to the memory under `memory_mask`; feed-forward. "
            "Each with `post_norm` around it."
        ),
        (
            "The cross-attention asks with what came out of the first `post_norm`. In a `lambda y:`, y asks, and "
            "memory and its mask are the same for all calls."
        ),
    ),
)


@decoder_layer.mistake(
    "Your cross-attention comes before the self-attention. The target words look at each other first."
)
class CrossAttentionFirst(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_1)
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)


@decoder_layer.mistake(
    "Your norms come before the sublayers: that is pre-norm. In 2017, and here, they come after the sums."
)
def norms_first(*sizes):
    return layers.DecoderLayer(*sizes, residual=layers.pre_norm)


decoder_layer.patch(
    "The residual around cross-attention is missing: what the target knew so far is lost, and only the source's words "
    "go on.",
    replace="self.residual(x, lambda y: self.dropout(read_memory(y)), self.norm_2)",
    by="self.norm_2(self.dropout(read_memory(x)))",
)

decoder_layer.patch(
    "The residual around self-attention is missing: a word's own vector is lost, and only what it read goes on.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="self.norm_1(self.dropout(self.self_attention(x, x, x, mask)))",
)

decoder_layer.patch(
    "The residual around the feed-forward is missing: it adds to what was found, and does not replace it.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)",
    by="self.norm_3(self.dropout(self.feed_forward(x)))",
)

decoder_layer.patch(
    "Your self-attention gets no mask, so that target words read the words that they are to predict.",
    replace="self.self_attention(y, y, y, mask)",
    by="self.self_attention(y, y, y)",
)

decoder_layer.patch(
    "Your cross-attention gets no mask, so that it reads the source's padding: pass `memory_mask` on.",
    replace="self.cross(self.cross_attention, y, memory, memory_mask)",
    by="self.cross(self.cross_attention, y, memory)",
    seen="https://github.com/DaoyuanLi2816/Molecule-Generator/issues/22",
)

decoder_layer.patch(
    "Your second attention reads the target again, and the memory is never used. Its keys and values come from the "
    "memory.",
    replace="self.cross(self.cross_attention, y, memory, memory_mask)",
    by="self.cross_attention(y, y, y)",
)


@decoder_layer.mistake(
    "Your cross-attention asks with what self-attention found, before it was added and normalised.",
    seen="https://github.com/ml-explore/mlx/issues/3382",
)
class QueryWithoutNorm(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        attended = self.self_attention(x, x, x, mask)
        x = self.norm_1(x + attended)
        x = self.norm_2(x + self.cross_attention(attended, memory, memory, memory_mask))
        return post_norm(x, self.feed_forward, self.norm_3)


decoder_layer.patch(
    "One attention does both jobs. Reading the target and reading the source are learned apart: make two.",
    replace="self.cross_attention = cross_attention(d_model, heads)",
    by="self.cross_attention = self.self_attention",
)


@decoder_layer.right_for_whole_course
class WithAListOfNorms(nn.Module):
    def __init__(self, d_model, heads, d_ff, p=0.1):
        super().__init__()
        self.mha1, self.mha2 = MultiHeadAttention(d_model, heads), MultiHeadAttention(d_model, heads)
        self.ffn = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.norms, self.drop = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3)), nn.Dropout(p)

    def forward(self, x, enc, look_ahead=None, padding=None):
        x = self.norms[0](x + self.drop(self.mha1(x, x, x, look_ahead)))
        x = self.norms[1](x + self.drop(self.mha2(x, enc, enc, padding)))
        return self.norms[2](x + self.drop(self.ffn(x)))


@decoder_layer.right
class DecoderLayerOfTorch(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1):
        super().__init__()
        self.heads, self.layer = heads, nn.TransformerDecoderLayer(d_model, heads, d_ff, dropout, batch_first=True)

    def forward(self, x, memory, mask=None, memory_mask=None):
        hidden = None
        if memory_mask is not None:
            hidden = ~memory_mask.expand(-1, self.heads, x.size(1), memory.size(1)).flatten(0, 1)
        return self.layer(x, memory, None if mask is None else ~mask, hidden)


class OneInputMatrix(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.inside, self.outside = heads, nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def forward(self, asks, asked, allowed):
        q, _, _ = self.inside(asks).chunk(3, -1)
        _, k, v = self.inside(asked).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)) for part in (q, k, v))
        scores = torch.einsum("bthd,bshd->bhts", q, k) / math.sqrt(q.size(-1))
        if allowed is not None:
            scores = scores.masked_fill(allowed == 0, -1e9)
        return self.outside(torch.einsum("bhts,bshd->bthd", scores.softmax(-1), v).flatten(2))


@decoder_layer.right
class DecoderLayerInOne(nn.Module):
    def __init__(self, d_model, heads, d_ff, p=0.1):
        super().__init__()
        self.mha1, self.mha2 = OneInputMatrix(d_model, heads), OneInputMatrix(d_model, heads)
        self.ffn = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.norms, self.drop = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3)), nn.Dropout(p)

    def forward(self, x, enc, look_ahead=None, padding=None):
        x = self.norms[0](x + self.drop(self.mha1(x, x, look_ahead)))
        x = self.norms[1](x + self.drop(self.mha2(x, enc, padding)))
        return self.norms[2](x + self.drop(self.ffn(x)))
