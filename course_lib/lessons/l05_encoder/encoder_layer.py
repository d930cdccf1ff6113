"""The exercise `EncoderLayer` of notebook 05."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import drops_in_training, with_fixed_weights
from course_lib.transformer import layers
from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.layers import post_norm

SIZES = (4, 2, 7, 0.1, torch.relu)
HIDES_THE_LAST = torch.tensor([True, True, False])
SEEN_BY_QUERIES = (
    torch.ones(3, 3, dtype=torch.bool).tril() & torch.tensor([[3], [2]]).gt(torch.arange(3))[:, None, None]
)
SEEN_BY_HEADS = torch.stack((torch.ones(3, 3).tril(), torch.ones(3, 3).triu())).bool().expand(2, 2, 3, 3)

encoder_layer = Exercise(
    reference=layers.EncoderLayer,
    notebook=5,
    order=60,
    minutes=25,
    difficulty=3,
    on_map="encoder_feed_forward",
    trained=True,
    adapt=with_fixed_weights(constructor_arguments=5, block=2),
    further_check=drops_in_training(constructor_arguments=5, block=2),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the count of numbers in your weight matrices"),
    ),
    example=case(*SIZES, fixed_tensor(1, 2, 4)),
    another=case(*SIZES, fixed_tensor(1, 2, 4, seed=1)),
    cases=(
        case(*SIZES, fixed_tensor(2, 3, 4), having=("a batch",)),
        case(6, 3, 5, 0.1, torch.relu, fixed_tensor(2, 4, 6), having=("other sizes",)),
        case(4, 1, 7, 0.1, torch.relu, fixed_tensor(2, 3, 4), having=("a single head",)),
        case(*SIZES, fixed_tensor(1, 1, 4), having=("a single token",)),
        case(*SIZES, fixed_tensor(2, 3, 4), mask=HIDES_THE_LAST.expand(2, 1, 1, 3), having=("a mask",)),
        case(*SIZES, fixed_tensor(2, 3, 4, seed=2), mask=torch.ones(3, 3, dtype=torch.bool).tril(), having=("a mask",)),
        case(*SIZES, fixed_tensor(2, 3, 4, seed=3), mask=SEEN_BY_QUERIES, having=("a mask", "a mask for each query")),
        case(*SIZES, fixed_tensor(2, 3, 4, seed=4), mask=SEEN_BY_HEADS, having=("a mask", "a mask for each head")),
        case(4, 2, 7, 0.1, torch.tanh, fixed_tensor(2, 3, 4), having=("another activation",)),
        case(*SIZES, fixed_tensor(1, 2, 4, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "You have all the parts: `MultiHeadAttention`, `FeedForward`, `LayerNorm`, and `post_norm` to put a "
            "residual and a norm around each of the two sublayers."
        ),
        (
            "In `__init__`: one attention, one feed-forward, two norms, one `nn.Dropout(dropout)`. In self-attention "
            "the tokens are queries, keys and values at once."
        ),
        (
            "`post_norm` wants a function of one argument. A `lambda y:` can call the attention with y three times and "
            "the mask, and put dropout around it."
        ),
    ),
)


encoder_layer.patch(
    "The residual around self-attention is missing: add what came in to what attention found, then normalise.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="self.norm_1(self.dropout(self.self_attention(x, x, x, mask)))",
)

encoder_layer.patch(
    "The residual around the feed-forward is missing: add what it read to what it computed, then normalise.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)",
    by="self.norm_2(self.dropout(self.feed_forward(x)))",
)


@encoder_layer.mistake(
    "Your norms come before the sublayers: that is pre-norm, and trains well. The layer of 2017, wanted here, has them "
    "after the sums."
)
def norm_first(*sizes):
    return layers.EncoderLayer(*sizes, residual=layers.pre_norm)


@encoder_layer.mistake(
    "Your second residual starts from the layer's input. It starts where the first half ended: after the first norm.",
    seen="https://github.com/strutive07/transformer-tensorflow2.0/issues/14",
)
class SecondResidualFromTheInput(layers.EncoderLayer):
    def forward(self, x, mask=None):
        middle = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.norm_2(x + self.feed_forward(middle))
        return x


encoder_layer.patch(
    "The mask never reaches the attention, so that padding is read: pass it on.",
    replace="self.self_attention(y, y, y, mask)",
    by="self.self_attention(y, y, y)",
)


@encoder_layer.mistake("Your feed-forward comes first. Tokens look around first, then each thinks about what it saw.")
class FeedForwardFirst(layers.EncoderLayer):
    def forward(self, x, mask=None):
        x = post_norm(x, self.feed_forward, self.norm_1)
        return post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_2)


encoder_layer.patch(
    "One norm is missing: there are two sums in the layer, and each is normalised.",
    replace="self.residual(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)",
    by="x + self.dropout(self.self_attention(x, x, x, mask))",
)

encoder_layer.patch(
    "There is attention only. After it, each token goes through the feed-forward, with a residual and a norm of its "
    "own.",
    replace="self.residual(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)",
    by="x",
)

encoder_layer.patch(
    "The activation never reaches the feed-forward, which takes the ReLU then: pass it on.",
    replace="feed_forward(d_model, d_ff, activation)",
    by="feed_forward(d_model, d_ff)",
)


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
