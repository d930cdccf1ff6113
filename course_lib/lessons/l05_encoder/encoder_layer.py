"""The exercise `EncoderLayer` of notebook 05."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.dropout import dropout_of_layer
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, with_fixed_weights
from course_lib.exercises.weights.weights_in_use import names_of_its_own
from course_lib.transformer import layers
from course_lib.transformer.attention import MultiHeadAttention, causal_mask
from course_lib.transformer.layers import FeedForward, LayerNorm, post_norm

SIZES = (4, 2, 7, 0.1, torch.relu)
HIDES_THE_LAST = torch.tensor([True, True, False])
SEEN_BY_QUERIES = (
    torch.ones(3, 3, dtype=torch.bool).tril() & torch.tensor([[3], [2]]).gt(torch.arange(3))[:, None, None]
)
SEEN_BY_HEADS = torch.stack((torch.ones(3, 3).tril(), torch.ones(3, 3).triu())).bool().expand(2, 2, 3, 3)

LEARNED = ClassWithWeights(
    reference=layers.EncoderLayer,
    inputs=lambda d_model, *_: (fixed_tensor(2, 3, d_model),),
    sizes=(8, 4, 5, 0.1, torch.relu),
    wide=(64, 4, 96, 0.1, torch.relu),
    block=2,
    dropout=3,
)

encoder_layer = Exercise(
    reference=layers.EncoderLayer,
    notebook=5,
    order=60,
    minutes=20,
    difficulty=3,
    on_map="encoder_feed_forward",
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, dropout_of_layer("self-attention", "feed-forward")),
    explain=explain_class(LEARNED),
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the gradients of your matrices"),
    ),
    example=case(*SIZES, fixed_tensor(1, 2, 4)),
    another=case(*SIZES, fixed_tensor(1, 2, 4, seed=1)),
    cases=(
        case(*SIZES, fixed_tensor(2, 3, 4), having=("a batch",)),
        case(6, 3, 5, 0.1, torch.relu, fixed_tensor(2, 4, 6), having=("other sizes", "a batch")),
        case(4, 1, 7, 0.1, torch.relu, fixed_tensor(2, 3, 4), having=("a single head", "a batch")),
        case(*SIZES, fixed_tensor(1, 1, 4), having=("a single token",)),
        case(*SIZES, fixed_tensor(2, 3, 4), mask=HIDES_THE_LAST.expand(2, 1, 1, 3), having=("a mask", "a batch")),
        case(
            *SIZES,
            fixed_tensor(2, 3, 4, seed=2),
            mask=torch.ones(3, 3, dtype=torch.bool).tril(),
            having=("a mask", "a batch"),
        ),
        case(
            *SIZES,
            fixed_tensor(2, 3, 4, seed=3),
            mask=SEEN_BY_QUERIES,
            having=("a mask", "a mask of shape (B, 1, T, T)", "a batch"),
        ),
        case(
            *SIZES,
            fixed_tensor(2, 3, 4, seed=4),
            mask=SEEN_BY_HEADS,
            having=("a mask", "a mask for each head", "a batch"),
        ),
        case(4, 2, 7, 0.1, torch.tanh, fixed_tensor(2, 3, 4), having=("another activation", "a batch")),
        case(4, 2, 7, 0.1, F.gelu, fixed_tensor(2, 3, 4, seed=5), having=("another activation", "a batch")),
        case(*SIZES, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "You have written all the parts: `MultiHeadAttention`, `FeedForward`, `LayerNorm` and `post_norm`. How "
            "many of each does one layer need?"
        ),
        (
            "`__init__` makes one attention, one feed-forward, two norms and one `nn.Dropout(dropout)`. In `forward`, "
            "the tokens are queries, keys and values at once, and the second half starts from the result of the first."
        ),
        (
            "`post_norm` takes a function of one argument. For the attention, `lambda y: self.self_attention(y, y, y, "
            "mask)` is such a function; dropout is still missing in it."
        ),
    ),
)


encoder_layer.patch(
    "The residual connection around your self-attention is missing: what it reads is not added to what it computes. "
    "Add the two, then normalise the sum.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="self.norm_1(self.dropout(self.self_attention(x, x, x, mask)))",
)

encoder_layer.patch(
    "The residual connection around your feed-forward is missing: what it reads is not added to what it computes. Add "
    "the two, then normalise the sum.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)",
    by="self.norm_2(self.dropout(self.feed_forward(x)))",
)


@encoder_layer.mistake(
    "Your norms come before the sublayers, which is pre-norm. It trains well, but the layer of 2017 has the norms "
    "after the sums: use `post_norm`."
)
def norm_first(*sizes):
    return layers.EncoderLayer(*sizes, residual=layers.pre_norm)


@encoder_layer.mistake(
    "Your second residual connection adds the input of the layer. Add what the feed-forward reads: the result of the "
    "first half, after its norm.",
    seen="https://github.com/strutive07/transformer-tensorflow2.0/issues/14",
)
class SecondResidualFromTheInput(layers.EncoderLayer):
    def forward(self, x, mask=None):
        middle = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.norm_2(x + self.feed_forward(middle))
        return x


encoder_layer.patch(
    "The mask has no effect in your layer, so that padding is read. Pass it on as the fourth argument of "
    "`MultiHeadAttention`.",
    replace="self.self_attention(y, y, y, mask)",
    by="self.self_attention(y, y, y)",
)


@encoder_layer.mistake(
    "Your feed-forward comes before the attention. Self-attention comes first, then the feed-forward works on its "
    "result."
)
class FeedForwardFirst(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = post_norm(x, self.feed_forward, self.norm_1)
        return post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_2)


encoder_layer.patch(
    "The norm after self-attention is missing in your layer. There are two sums in a layer, and each is normalised.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="x + self.dropout(self.self_attention(x, x, x, mask))",
)

encoder_layer.patch(
    "Your feed-forward has no effect: your layer returns the result of its first half. Then each token goes through "
    "the feed-forward, with a residual connection and a norm of its own.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)",
    by="x",
)

encoder_layer.patch(
    "Your feed-forward always uses ReLU, whatever `activation` your layer is given. Use that one: `FeedForward` takes "
    "it as its third argument.",
    replace="feed_forward(d_model, d_ff, activation)",
    by="feed_forward(d_model, d_ff)",
)

encoder_layer.patch(
    "Your feed-forward always uses GELU, whatever `activation` your layer is given. Use that one: `FeedForward` takes "
    "it as its third argument.",
    replace="feed_forward(d_model, d_ff, activation)",
    by="feed_forward(d_model, d_ff, torch.nn.functional.gelu)",
)


encoder_layer.patch(
    "The norm after the feed-forward is missing in your layer. There are two sums in a layer, and each is normalised.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)",
    by="x + self.dropout(self.feed_forward(x))",
)


@encoder_layer.mistake("Your layer normalises neither of its two sums. `post_norm` does both, the sum and the norm.")
class WithoutNorms(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = x + self.self_attention(x, x, x, mask)
        return x + self.feed_forward(x)


@encoder_layer.mistake(
    "The residual connections are missing in your layer. Each sublayer's input is added to what it computes, before "
    "the norm: `post_norm` does that."
)
class WithoutResiduals(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = self.norm_1(self.self_attention(x, x, x, mask))
        return self.norm_2(self.feed_forward(x))


@encoder_layer.mistake(
    "Your layer normalises x first, and then adds the attention's result to the normalised x. In post-norm x is added "
    "as it came in, and the norm comes after the sum.",
    seen="https://github.com/pytorch/pytorch/issues/61165",
)
class ResidualOfTheNormalised(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = self.norm_1(x)
        x = x + self.self_attention(x, x, x, mask)
        x = self.norm_2(x)
        return x + self.feed_forward(x)


@encoder_layer.mistake(
    "Your layer normalises what each sublayer computes, and then adds x. In post-norm the norm comes after the sum."
)
class NormInsideTheResidual(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = x + self.norm_1(self.self_attention(x, x, x, mask))
        return x + self.norm_2(self.feed_forward(x))


@encoder_layer.mistake(
    "Your feed-forward reads the input of the layer. It should read the result of the first half: what comes out of "
    "the attention, its residual connection and its norm."
)
class SideBySide(layers.EncoderLayer):
    def forward(self, x, mask=None):
        attended = self.norm_1(x + self.self_attention(x, x, x, mask))
        return self.norm_2(attended + self.feed_forward(x))


@encoder_layer.mistake(
    "Your feed-forward reads the raw output of the self-attention. It should read the result of the first half, after "
    "the sum and the norm."
)
class ReadsTheRawAttention(layers.EncoderLayer):
    def forward(self, x, mask=None):
        attended = self.self_attention(x, x, x, mask)
        x = self.norm_1(x + attended)
        return self.norm_2(x + self.feed_forward(attended))


@encoder_layer.mistake(
    "Your layer normalises once more at the end. The layer of 2017 has two norms, one after each sum."
)
class NormalisedAtTheEnd(layers.EncoderLayer):
    def forward(self, x, mask=None):
        return self.norm_2(super().forward(x, mask))


@encoder_layer.mistake(
    "Your layer hides what may be attended to, and reads what is hidden. In the course's masks True marks what may be "
    "attended to: `MultiHeadAttention` takes the mask as it is, and attention of torch that hides where a mask is "
    "True takes `~mask`."
)
class MaskInverted(layers.EncoderLayer):
    def forward(self, x, mask=None):
        return super().forward(x, None if mask is None else ~mask)


@encoder_layer.mistake(
    "Your layer adds what each half reads once more after its norm. The sum before the norm has it already, and the "
    "norm comes last."
)
class AddedAgain(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = x + post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        return x + post_norm(x, self.feed_forward, self.norm_2)


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward: each token reads the others, then works on what it read."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1 = LayerNorm(d_model)
        self.norm_2 = LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        return post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)


encoder_layer.plain(EncoderLayer)


@encoder_layer.right_for_whole_course
class InOneClass(nn.Module):
    def __init__(self, d_model, heads, d_ff, p=0.1, act=F.relu):
        super().__init__()
        self.mha, self.drop = MultiHeadAttention(d_model, heads), nn.Dropout(p)
        self.up, self.down, self.act = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), act
        self.ln1, self.ln2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

    def forward(self, x, mask=None):
        x = self.ln1(x + self.drop(self.mha(x, x, x, mask)))
        return self.ln2(x + self.drop(self.down(self.act(self.up(x)))))


@encoder_layer.right
class LayerOfTorch(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(d_model, heads, d_ff, dropout, activation, batch_first=True)

    def forward(self, x, mask=None):
        if mask is not None:
            T, heads = x.size(1), self.layer.self_attn.num_heads
            mask = ~mask.expand(x.size(0), heads, T, T).reshape(-1, T, T)
        return self.layer(x, src_mask=mask)


@encoder_layer.right
class LayerWithOneProjection(nn.Module):
    """Everything in one class, with one matrix for queries, keys and values, and a loop over the heads."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(d_model, 3 * d_model, bias=False), nn.Linear(d_model, d_model, bias=False)
        self.up, self.down, self.activation = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), activation
        self.ln1, self.ln2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.drop = nn.Dropout(dropout)

    def attend(self, x, mask):
        outputs = []
        q_k_v = (part.chunk(self.heads, -1) for part in self.qkv(x).chunk(3, -1))
        for i, (q, k, v) in enumerate(zip(*q_k_v, strict=True)):
            scores = torch.einsum("btd,bsd->bts", q, k) / math.sqrt(q.shape[-1])
            if mask is not None:
                seen = mask if mask.dim() < 4 else mask[:, i if mask.size(1) > 1 else 0]
                scores = scores.masked_fill(seen == 0, -1e9)
            outputs.append(torch.einsum("bts,bsd->btd", scores.softmax(-1), v))
        return self.out(torch.cat(outputs, -1))

    def forward(self, x, mask=None):
        x = self.ln1(x + self.drop(self.attend(x, mask)))
        return self.ln2(x + self.drop(self.down(self.activation(self.up(x)))))


@encoder_layer.mistake(
    "Your layer hides the future by itself. An encoder layer hides only what `mask` says: a causal mask, where one is "
    "needed, is passed in."
)
class AlwaysCausal(layers.EncoderLayer):
    def forward(self, x, mask=None):
        causal = causal_mask(x.size(1))
        return super().forward(x, causal if mask is None else causal & mask)


@encoder_layer.mistake(
    "Your second residual connection adds what the attention wrote. Add what the feed-forward reads: the result of the "
    "first half, after its norm."
)
class SecondResidualFromTheAttention(layers.EncoderLayer):
    def forward(self, x, mask=None):
        attended = self.self_attention(x, x, x, mask)
        return self.norm_2(attended + self.feed_forward(self.norm_1(x + attended)))
