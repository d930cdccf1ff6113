"""The exercise `MultiHeadAttention` of notebook 02."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import with_fixed_weights
from course_lib.lessons.l02_multi_head.inputs import tokens
from course_lib.transformer import attention
from course_lib.transformer.attention import scaled_dot_product_attention, split_heads

SEEN_BY_HEADS = (fixed_tensor(2, 4, 3, 5) > 0) | (torch.arange(5) == 0)  # (B, H, T, S): every query may attend to key 0


SIZES = (2, 3, 5, 8)
PADDING = (torch.arange(5) < torch.tensor([[3], [5]]))[:, None, None]  # (B, 1, 1, S)

multi_head_attention = Exercise(
    reference=attention.MultiHeadAttention,
    notebook=2,
    order=50,
    minutes=25,
    difficulty=3,
    trained=True,
    adapt=with_fixed_weights(constructor_arguments=2, block=2),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the count of numbers in the weight matrices that you use"),
    ),
    example=case(4, 2, *tokens(1, 2, 2, 4)),
    another=case(4, 2, *tokens(1, 2, 2, 4, seed=3)),
    cases=(
        case(8, 4, *tokens(*SIZES), having=("sizes that all differ",)),
        case(6, 3, *tokens(2, 3, 3, 6)[:1] * 3, having=("self-attention",)),
        case(8, 2, *tokens(1, 3, 4, 8), having=("a batch of 1",)),
        case(4, 2, *tokens(2, 1, 1, 4), having=("one query and one key",)),
        case(4, 1, *tokens(2, 3, 4, 4), having=("a single head",)),
        case(8, 4, *tokens(*SIZES), mask=torch.ones(3, 5).tril().bool(), having=("a mask",)),
        case(8, 4, *tokens(*SIZES), mask=PADDING, having=("a mask", "a mask for padding")),
        case(6, 3, *tokens(2, 3, 4, 6), mask=torch.ones(3, 4).tril().bool(), having=("a mask",)),
        case(
            8,
            4,
            *tokens(*SIZES),
            mask=PADDING & torch.ones(3, 5).tril(2).bool(),
            having=("a mask", "a mask for each query"),
        ),
        case(8, 4, *tokens(*SIZES), mask=SEEN_BY_HEADS, having=("a mask", "a mask for each head")),
        case(4, 2, *(tensor.double() for tensor in tokens(1, 2, 3, 4)), having=("float64 numbers",)),
    ),
    hints=(
        (
            "In `__init__`, four projections: `W_q`, `W_k`, `W_v`, `W_o`. In `forward`: project, split, attend, merge, "
            "project."
        ),
        (
            "Each projection is an `nn.Linear` from d_model to d_model: the heads' own are slices of it. Queries come "
            "from `query`, keys from `key`, values from `value`."
        ),
        (
            "Project, then split each with `split_heads`. Attend with `scaled_dot_product_attention`, the mask "
            "included; keep its first result; `merge_heads`; and `W_o` on what that gives."
        ),
    ),
)


multi_head_attention.patch(
    "The output projection is missing: after the heads are merged comes W_o. Without it, a number from head 0 can "
    "never meet one from head 1.",
    replace="self.W_o(self.merge(mixed))",
    by="self.merge(mixed)",
    seen="https://github.com/Kyubyong/transformer/issues/117",
)

multi_head_attention.patch(
    "You bend the output with a ReLU, so that nothing negative comes out. W_o is the last step: no bend after it.",
    replace="self.W_o(self.merge(mixed))",
    by="torch.relu(self.W_o(self.merge(mixed)))",
    seen="https://github.com/Kyubyong/transformer/issues/17",
)

multi_head_attention.patch(
    "You scaled by √d_model. Inside a head a dot product sums only d_k = d_model / H numbers, so it is √d_k.",
    replace="self._attend(queries, keys, values, mask)",
    by="self._attend(queries / math.sqrt(self.heads), keys, values, mask)",
    seen="https://github.com/lucidrains/vit-pytorch/issues/65",
)

multi_head_attention.patch(
    "The scale is missing: in each head the scores are divided by √d_k.",
    replace="self._attend(queries, keys, values, mask)",
    by="self._attend(queries * math.sqrt(queries.size(-1)), keys, values, mask)",
)

multi_head_attention.patch(
    "Right without a mask, but yours goes nowhere: pass it to `scaled_dot_product_attention`.",
    replace="self._attend(queries, keys, values, mask)",
    by="self._attend(queries, keys, values, None)",
)

multi_head_attention.patch(
    "You project the query three times, so that it can only read itself. Keys come from `key`, values from `value`: in "
    "cross-attention these are another sentence.",
    replace="= project(query, key, value)",
    by="= project(query, query, query)",
)

multi_head_attention.patch(
    "Your values go in as they come: they have a projection of their own, W_v.",
    replace="self.W_v(value)",
    by="value",
)

multi_head_attention.patch(
    "You projected the values with W_k. They have a projection of their own, W_v.",
    replace="self.W_v(value)",
    by="self.W_k(value)",
)


@multi_head_attention.mistake(
    "Everything runs in one wide head: split queries, keys and values with `split_heads`, into `heads`."
)
def one_wide_head(d_model, heads):
    return attention.MultiHeadAttention(d_model, heads, split=lambda x, heads: split_heads(x, 1))


@multi_head_attention.mistake(
    "Your heads get pieces of different tokens: a reshape straight to (B, H, T, d_k) shuffles. Use your `split_heads` "
    "and `merge_heads`.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/53",
)
def split_by_a_view(d_model, heads):
    def split(x, heads):
        return x.reshape(x.size(0), heads, x.size(1), -1)

    return attention.MultiHeadAttention(d_model, heads, split=split)


@multi_head_attention.mistake(
    "Your heads are joined in reading order, and tokens get mixed. Move the axis of heads back before you join: your "
    "`merge_heads` does.",
    seen="https://github.com/649453932/Chinese-Text-Classification-Pytorch/issues/10",
)
def merged_by_a_view(d_model, heads):
    return attention.MultiHeadAttention(d_model, heads, merge=lambda x: x.reshape(x.size(0), x.size(2), -1))


@multi_head_attention.mistake(
    "You split first and projected the pieces, all with the same small matrices: each head sees only its own slice of "
    "a token. Project the whole token from d_model to d_model, then split.",
    seen="https://github.com/MarcoMeter/episodic-transformer-memory-ppo/issues/22",
)
class SplitBeforeProjecting(attention.MultiHeadAttention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        d_k = d_model // heads
        self.W_q, self.W_k, self.W_v = (nn.Linear(d_k, d_k) for _ in range(3))

    def project(self, query, key, value):
        queries, keys, values = (split_heads(x, self.heads) for x in (query, key, value))
        return self.W_q(queries), self.W_k(keys), self.W_v(values)


@multi_head_attention.right_for_whole_course
class FusedWithALoop(nn.Module):
    """One fused projection for queries, keys and values, and a loop over the heads."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.h = heads
        self.c_attn, self.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        q, _, _ = self.c_attn(query).chunk(3, dim=-1)
        _, k, _ = self.c_attn(key).chunk(3, dim=-1)
        _, _, v = self.c_attn(value).chunk(3, dim=-1)
        outputs, weights = [], []
        heads = zip(*(x.chunk(self.h, dim=-1) for x in (q, k, v)), strict=True)
        for i, (one_q, one_k, one_v) in enumerate(heads):
            seen = mask
            if mask is not None and mask.dim() == 4:
                seen = mask[:, i if mask.size(1) > 1 else 0]
            mixed, w = scaled_dot_product_attention(one_q, one_k, one_v, seen)
            outputs.append(mixed)
            weights.append(w.detach())
        self.weights = torch.stack(weights, dim=1)
        return self.c_proj(torch.cat(outputs, dim=-1))


class Heads(nn.Module):
    """The base of the classes below: attention on projected queries, keys and values."""

    def attend(self, q, k, v, heads, mask):
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)


@multi_head_attention.right
class OtherNames(Heads):
    def __init__(self, d_model, num_heads, dropout=0.1):
        super().__init__()
        self.h = num_heads
        self.query_projection = nn.Linear(d_model, d_model, bias=False)
        self.key_projection = nn.Linear(d_model, d_model, bias=False)
        self.value_projection = nn.Linear(d_model, d_model, bias=False)
        self.unify = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, q, k, v, mask=None):
        projected = self.query_projection(q), self.key_projection(k), self.value_projection(v)
        return self.dropout(self.unify(self.attend(*projected, self.h, mask)))


@multi_head_attention.right
class OtherOrder(OtherNames):
    """The output projection is created first, so that only the names tell which weight is which."""

    def __init__(self, d_model, heads):
        nn.Module.__init__(self)
        self.h = heads
        self.out = nn.Linear(d_model, d_model)
        self.wv, self.wk, self.wq = (nn.Linear(d_model, d_model) for _ in range(3))

    def forward(self, q, k, v, mask=None):
        return self.out(self.attend(self.wq(q), self.wk(k), self.wv(v), self.h, mask))


@multi_head_attention.right
class ListOfFour(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.linears = nn.ModuleList([nn.Linear(d_model, d_model) for _ in range(4)])

    def forward(self, query, key, value, mask=None):
        q, k, v = (linear(x) for linear, x in zip(self.linears, (query, key, value), strict=False))
        return self.linears[-1](self.attend(q, k, v, self.heads, mask))


@multi_head_attention.right
class ListInAnotherOrder(ListOfFour):
    def forward(self, query, key, value, mask=None):
        o, v, k, q = self.linears
        return o(self.attend(q(query), k(key), v(value), self.heads, mask))


@multi_head_attention.right
class Fused(Heads):
    """One projection for all three, split into chunks, as in GPT-2."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.c_attn, self.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def parts(self, x):
        return self.c_attn(x).chunk(3, dim=-1)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.parts(query)[0], self.parts(key)[1], self.parts(value)[2]
        return self.c_proj(self.attend(q, k, v, self.heads, mask))


@multi_head_attention.right
class FusedByHead(Fused):
    """One projection, ordered by head, with query, key and value inside each head, as in BLOOM."""

    def parts(self, x):
        B, T, d_model = x.shape
        return self.c_attn(x).view(B, T, self.heads, 3, -1).permute(3, 0, 1, 2, 4).reshape(3, B, T, d_model)


@multi_head_attention.right
class FusedInAnotherOrder(Fused):
    def parts(self, x):
        k, v, q = self.c_attn(x).chunk(3, dim=-1)
        return q, k, v


@multi_head_attention.right
class JointKeysAndValues(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_kv = nn.Linear(d_model, d_model, bias=False), nn.Linear(d_model, 2 * d_model, bias=False)
        self.to_out = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        k, v = self.to_kv(key).chunk(2, -1)[0], self.to_kv(value).chunk(2, -1)[1]
        return self.to_out(self.attend(self.to_q(query), k, v, self.heads, mask))


class SmallHead(nn.Module):
    def __init__(self, d_model, d_k):
        super().__init__()
        self.key, self.query, self.value = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))

    def forward(self, q, k, v, mask):
        return F.scaled_dot_product_attention(self.query(q), self.key(k), self.value(v), attn_mask=mask)


@multi_head_attention.right
class HeadByHead(nn.Module):
    """A list of heads, each with its own projections."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = nn.ModuleList([SmallHead(d_model, d_model // heads) for _ in range(heads)])
        self.proj = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        masks = [None] * len(self.heads)
        if mask is not None:
            masks = mask.expand(len(query), len(self.heads), query.size(1), key.size(1)).unbind(1)
        outputs = [head(query, key, value, may) for head, may in zip(self.heads, masks, strict=True)]
        return self.proj(torch.cat(outputs, dim=-1))


@multi_head_attention.right
class BareMatrices(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Parameter(torch.randn(d_model, d_model)) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        mixed = self.attend(query @ self.W_q, key @ self.W_k, value @ self.W_v, self.heads, mask)
        return mixed @ self.W_o


@multi_head_attention.right
class MatricesOfHeads(nn.Module):
    """Weights with an axis for the heads, as in JAX and in the code of T5."""

    rule = "btd,hdk->bhtk"

    def __init__(self, d_model, heads):
        super().__init__()
        d_k = d_model // heads
        shape = [{"h": heads, "d": d_model, "k": d_k}[letter] for letter in self.rule[4:7]]
        self.wq, self.wk, self.wv = (nn.Parameter(torch.randn(shape)) for _ in range(3))
        self.wo = nn.Parameter(torch.randn(heads, d_k, d_model))

    def forward(self, query, key, value, mask=None):
        projected = zip((query, key, value), (self.wq, self.wk, self.wv), strict=True)
        q, k, v = (torch.einsum(self.rule, x, w) for x, w in projected)
        return torch.einsum("bhtk,hkd->btd", F.scaled_dot_product_attention(q, k, v, attn_mask=mask), self.wo)


@multi_head_attention.right
class HeadsInTheMiddle(MatricesOfHeads):
    rule = "btd,dhk->bhtk"


@multi_head_attention.right
class TransposedMatrices(BareMatrices):
    def forward(self, query, key, value, mask=None):
        mixed = self.attend(query @ self.W_q.T, key @ self.W_k.T, value @ self.W_v.T, self.heads, mask)
        return mixed @ self.W_o.T


@multi_head_attention.right
class Torch(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.inner = nn.MultiheadAttention(d_model, heads, batch_first=True)

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            shape = (query.size(0), self.heads, query.size(1), key.size(1))
            mask = ~mask.expand(shape).flatten(0, 1)
        return self.inner(query, key, value, attn_mask=mask, need_weights=False)[0]
