"""The exercise `DecoderLayer` of notebook 07."""

import math

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.dropout import dropout_of_layer
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.lessons.l07_transformer.inputs import target_and_memory
from course_lib.transformer import layers
from course_lib.transformer.attention import MultiHeadAttention, causal_mask
from course_lib.transformer.layers import FeedForward, LayerNorm, cross_attend, post_norm

SIZES = (4, 2, 7, 0.1)
FUTURE_HIDDEN = torch.ones(3, 3, dtype=torch.bool).tril()
LAST_HIDDEN = torch.tensor([True, False]).expand(2, 1, 1, 2)
LAST_OF_THREE_HIDDEN = torch.tensor([True, True, False]).expand(2, 1, 1, 3)
EACH_ITS_OWN = torch.stack((fixed_tensor(2, 2, 3) > -1, fixed_tensor(2, 2, 3) < 1), dim=-1)  # (B, H, T, S)

LEARNED = ClassWithWeights(
    reference=layers.DecoderLayer,
    inputs=lambda d_model, *_: target_and_memory(2, 3, 4, d_model),
    sizes=(8, 4, 5, 0.1),
    wide=(64, 4, 96, 0.1),
    block=2,
    dropout=3,
)

decoder_layer = Exercise(
    reference=layers.DecoderLayer,
    notebook=7,
    order=30,
    minutes=10,
    difficulty=2,
    on_map="decoder_feed_forward",
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, dropout_of_layer("self-attention", "cross-attention", "feed-forward")),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the gradients of your matrices"),
    ),
    example=case(*SIZES, *target_and_memory(1, 3, 2)),
    another=case(*SIZES, *target_and_memory(1, 3, 2, seed=3)),
    cases=(
        case(*SIZES, *target_and_memory(2, 3, 2), having=("a batch",)),
        case(6, 3, 5, 0.1, *target_and_memory(2, 2, 4, d_model=6), having=("other sizes", "a batch")),
        case(4, 1, 7, 0.1, *target_and_memory(2, 3, 2), having=("a single head", "a batch")),
        case(*SIZES, *target_and_memory(1, 1, 1), having=("one token on each side",)),
        case(*SIZES, *target_and_memory(2, 3, 2), mask=FUTURE_HIDDEN, having=("a causal mask", "a batch")),
        case(
            *SIZES,
            *target_and_memory(2, 3, 2),
            None,
            mask=LAST_HIDDEN,
            having=("a mask of the memory", "a batch", "a mask of the memory alone"),
        ),
        # With as many words on both sides, either mask would fit either attention.
        case(
            *SIZES,
            *target_and_memory(2, 3, 3, seed=5),
            FUTURE_HIDDEN,
            mask=LAST_OF_THREE_HIDDEN,
            having=("both masks", "a batch", "a causal mask", "a mask of the memory"),
        ),
        case(
            *SIZES,
            *target_and_memory(2, 3, 2),
            None,
            mask=EACH_ITS_OWN,
            having=(
                "a mask of the memory that differs from head to head and from word to word",
                "a batch",
                "a mask of the memory",
                "a mask of the memory alone",
            ),
        ),
        case(*SIZES, *(tensor.double() for tensor in target_and_memory(1, 3, 2)), having=("float64 numbers",)),
    ),
    hints=(
        "Begin with the `forward` of your `EncoderLayer`. Which of the given parts belong to the new sublayer?",
        (
            "The order is self-attention under `mask`, then cross-attention to the memory under `memory_mask`, then "
            "the feed-forward. Each has a residual connection and a norm of its own, and reads the result of the one "
            "before."
        ),
        (
            "`lambda y: cross_attend(self.cross_attention, y, memory, memory_mask)` is a sublayer that `post_norm` "
            "accepts. Dropout is still missing in it."
        ),
    ),
)


@decoder_layer.mistake(
    "Your cross-attention comes before the self-attention. The target words read each other first, and then the memory."
)
class CrossAttentionFirst(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_1)
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)


@decoder_layer.mistake(
    "Your feed-forward comes before the cross-attention. The order is self-attention, cross-attention, feed-forward."
)
class FeedForwardBeforeTheMemory(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = post_norm(x, self.feed_forward, self.norm_2)
        return post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_3)


@decoder_layer.mistake(
    "Your norms come before the sublayers, which is pre-norm. In the layer of 2017 they come after the sums: use "
    "`post_norm`."
)
def norms_first(*sizes):
    return layers.DecoderLayer(*sizes, residual=layers.pre_norm)


decoder_layer.patch(
    "The residual connection around your cross-attention is missing: what it reads is not added to what it computes, "
    "so that the target only chooses what is read from the memory. Add the two, then normalise the sum.",
    replace="self.residual(x, lambda y: self.dropout(read_memory(y)), self.norm_2)",
    by="self.norm_2(self.dropout(read_memory(x)))",
)

decoder_layer.patch(
    "The residual connection around your self-attention is missing: what it reads is not added to what it computes, "
    "so that a word keeps of its own vector only what it reads from itself. Add the two, then normalise the sum.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="self.norm_1(self.dropout(self.self_attention(x, x, x, mask)))",
)

decoder_layer.patch(
    "The residual connection around your feed-forward is missing: what it reads is not added to what it computes. Add "
    "the two, then normalise the sum.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)",
    by="self.norm_3(self.dropout(self.feed_forward(x)))",
)

decoder_layer.patch(
    "`mask` has no effect on your self-attention, so that target words read the words that they should predict. Pass "
    "it on as the fourth argument.",
    replace="self.self_attention(y, y, y, mask)",
    by="self.self_attention(y, y, y)",
)

decoder_layer.patch(
    "`memory_mask` has no effect on your cross-attention, so that the source's padding is read. Pass it on.",
    replace="self.cross(self.cross_attention, y, memory, memory_mask)",
    by="self.cross(self.cross_attention, y, memory)",
    seen="https://github.com/DaoyuanLi2816/Molecule-Generator/issues/22",
)

decoder_layer.patch(
    "Your cross-attention runs under `mask`, which is for the self-attention. Pass `memory_mask` to it.",
    replace="self.cross(self.cross_attention, y, memory, memory_mask)",
    by="self.cross(self.cross_attention, y, memory, mask)",
)

decoder_layer.patch(
    "Your second attention reads the target again, and the memory is never used. Its keys and values should come from "
    "the memory.",
    replace="self.cross(self.cross_attention, y, memory, memory_mask)",
    by="self.cross_attention(y, y, y)",
)


@decoder_layer.mistake(
    "Your two masks are swapped. `mask` says what the self-attention may read, and `memory_mask` what the "
    "cross-attention may read."
)
class MasksExchanged(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return super().forward(x, memory, memory_mask, mask)


@decoder_layer.mistake(
    "Your cross-attention takes its queries from the raw output of the self-attention. Take them from the result of "
    "the first norm, after the sum.",
    seen="https://github.com/ml-explore/mlx/issues/3382",
)
class QueryWithoutNorm(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        attended = self.self_attention(x, x, x, mask)
        x = self.norm_1(x + attended)
        x = self.norm_2(x + self.cross_attention(attended, memory, memory, memory_mask))
        return post_norm(x, self.feed_forward, self.norm_3)


decoder_layer.patch(
    "Your layer uses one attention twice. Reading the target and reading the source are learned separately: make two "
    "attentions in `__init__`.",
    replace="self.cross_attention = cross_attention(d_model, heads)",
    by="self.cross_attention = self.self_attention",
)


@decoder_layer.mistake(
    "Your second residual connection adds the input of the layer. Add what the cross-attention reads: the result of "
    "the first norm."
)
class SecondResidualFromTheInput(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        y = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.norm_2(x + self.cross_attention(y, memory, memory, memory_mask))
        return post_norm(x, self.feed_forward, self.norm_3)


@decoder_layer.mistake(
    "Your third residual connection adds the input of the layer. Add what the feed-forward reads: the result of the "
    "second norm."
)
class ThirdResidualFromTheInput(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        y = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        y = post_norm(y, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_2)
        return self.norm_3(x + self.feed_forward(y))


@decoder_layer.mistake(
    "Your third residual connection adds what the cross-attention reads, the result of the first norm. Add what the "
    "feed-forward reads: the result of the second norm."
)
class ThirdResidualFromBeforeTheMemory(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        y = post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_2)
        return self.norm_3(x + self.feed_forward(y))


@decoder_layer.mistake(
    "Your third residual connection adds the raw output of the cross-attention. Add what the feed-forward reads: the "
    "result of the second norm."
)
class ThirdResidualFromTheRawAttention(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        read = self.cross_attention(x, memory, memory, memory_mask)
        return self.norm_3(read + self.feed_forward(self.norm_2(x + read)))


@decoder_layer.mistake(
    "Your feed-forward reads the raw output of the cross-attention. It should read the result of the second norm, "
    "after the sum."
)
class FeedForwardOfTheRawAttention(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        read = self.cross_attention(x, memory, memory, memory_mask)
        return self.norm_3(self.norm_2(x + read) + self.feed_forward(read))


decoder_layer.patch(
    "Your layer normalises the memory before it reads it. The memory is normalised already, as the output of the "
    "encoder: read it as it comes in.",
    replace="self.cross(self.cross_attention, y, memory, memory_mask)",
    by="self.cross(self.cross_attention, y, self.norm_2(memory), memory_mask)",
)

decoder_layer.patch(
    "The memory has no effect in your layer. Between self-attention and feed-forward, the target reads the memory by "
    "cross-attention, with a residual connection and a norm.",
    replace="self.residual(x, lambda y: self.dropout(read_memory(y)), self.norm_2)",
    by="x",
)

decoder_layer.patch(
    "Your feed-forward has no effect: your layer returns the result of the cross-attention. Then each token goes "
    "through the feed-forward, with a residual connection and a norm of its own.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)",
    by="x",
)

decoder_layer.patch(
    "Your self-attention has no effect. First the target words read each other under `mask`, with a residual "
    "connection and a norm.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="x",
)

decoder_layer.patch(
    "The norm after self-attention is missing in your layer. There are three sums in a layer, and each is normalised.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="x + self.dropout(self.self_attention(x, x, x, mask))",
    seen="https://github.com/ml-explore/mlx/issues/210",
)

decoder_layer.patch(
    "The norm after cross-attention is missing in your layer. There are three sums in a layer, and each is normalised.",
    replace="self.residual(x, lambda y: self.dropout(read_memory(y)), self.norm_2)",
    by="x + self.dropout(read_memory(x))",
)

decoder_layer.patch(
    "The norm after the feed-forward is missing in your layer. There are three sums in a layer, and each is "
    "normalised.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)",
    by="x + self.dropout(self.feed_forward(x))",
)


@decoder_layer.mistake("Your layer normalises none of its three sums. `post_norm` does both, the sum and the norm.")
class WithoutNorms(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = x + self.self_attention(x, x, x, mask)
        x = x + self.cross_attention(x, memory, memory, memory_mask)
        return x + self.feed_forward(x)


@decoder_layer.mistake(
    "Your layer normalises x first, and then adds a sublayer's result to the normalised x. In post-norm x is added as "
    "it is, and the norm comes after the sum.",
    seen="https://github.com/pytorch/pytorch/issues/61165",
)
class ResidualOfTheNormalised(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x)
        x = x + self.self_attention(x, x, x, mask)
        x = self.norm_2(x)
        x = x + self.cross_attention(x, memory, memory, memory_mask)
        x = self.norm_3(x)
        return x + self.feed_forward(x)


@decoder_layer.mistake(
    "Your cross-attention takes its queries from the input of the layer. Take them from the result of the first norm."
)
class QueryFromTheInput(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        y = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        y = self.norm_2(y + self.cross_attention(x, memory, memory, memory_mask))
        return post_norm(y, self.feed_forward, self.norm_3)


@decoder_layer.mistake(
    "Your two attentions read side by side: both take their queries from the input of the layer, and are added "
    "together. The cross-attention comes after the first sum and norm."
)
class SideBySide(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = x + self.self_attention(x, x, x, mask) + self.cross_attention(x, memory, memory, memory_mask)
        return post_norm(self.norm_2(x), self.feed_forward, self.norm_3)


@decoder_layer.mistake(
    "Your layer adds what each sublayer reads once more after its norm. The sum before the norm has it already, and "
    "the norm comes last."
)
class AddedAgain(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = x + post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = x + post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_2)
        return x + post_norm(x, self.feed_forward, self.norm_3)


class DecoderLayer(nn.Module):
    """Masked self-attention, cross-attention to the encoder's output, then feed-forward."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.cross_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1 = LayerNorm(d_model)
        self.norm_2 = LayerNorm(d_model)
        self.norm_3 = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        x = post_norm(
            x, lambda y: self.dropout(cross_attend(self.cross_attention, y, memory, memory_mask)), self.norm_2
        )
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_3)


decoder_layer.plain(DecoderLayer)


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


@decoder_layer.mistake(
    "Your cross-attention hides later words of the memory. The whole source is known, so only `memory_mask` says what "
    "cross-attention may read."
)
class CausalCrossAttention(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        causal = torch.ones(x.size(1), memory.size(1), dtype=torch.bool).tril()
        return super().forward(x, memory, mask, causal if memory_mask is None else causal & memory_mask)


@decoder_layer.mistake(
    "Your cross-attention hides later words of the memory where no `memory_mask` is given. The whole source is known: "
    "leave the mask out then."
)
class CausalCrossAttentionWithoutAMask(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        if memory_mask is None:
            memory_mask = torch.ones(x.size(1), memory.size(1), dtype=torch.bool).tril()
        return super().forward(x, memory, mask, memory_mask)


@decoder_layer.mistake(
    "Your layer hides the future by itself. The self-attention hides only what `mask` says: the model passes a causal "
    "mask."
)
class AlwaysCausal(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        causal = causal_mask(x.size(1))
        return super().forward(x, memory, causal if mask is None else causal & mask, memory_mask)


@decoder_layer.mistake(
    "Your cross-attention takes its queries from the memory and reads the target. The target asks and the memory is "
    "read: `attention(x, memory, memory, memory_mask)`."
)
class MemoryAsks(layers.DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.norm_2(x + self.cross_attention(memory, x, x))
        return post_norm(x, self.feed_forward, self.norm_3)
