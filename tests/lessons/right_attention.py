"""Right answers to the exercises of notebooks 00 to 02, written as differently as learners write them."""

import math
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.lessons.right_answers import right

right("softmax")(torch.softmax)
right("softmax")(F.softmax)
right("softmax")(lambda z, axis: torch.exp(z - torch.logsumexp(z, axis, keepdim=True)))
right("softmax")(partial(lambda scale, x, dim: F.softmax(scale * x, dim), 1.0))


@right("softmax")
class SoftmaxModule(nn.Module):
    def forward(self, x, dim):
        shifted = torch.exp(x - x.max(dim=dim, keepdim=True)[0])
        return shifted / torch.sum(shifted, dim=dim).unsqueeze(dim)


@right("softmax")
class SoftmaxCallable:
    def __call__(self, x, dim):
        return F.log_softmax(x, dim).exp()


@right("softmax")
def softmax_in_loops(x, dim):
    rows = x.movedim(dim, -1)
    out = torch.zeros_like(rows)
    flat, filled = rows.reshape(-1, rows.shape[-1]), out.reshape(-1, rows.shape[-1])
    for i, row in enumerate(flat):
        largest = max(row.tolist())
        total = sum(math.exp(v - largest) for v in row.tolist())
        for j, v in enumerate(row.tolist()):
            filled[i, j] = math.exp(v - largest) / total
    return filled.reshape(rows.shape).movedim(-1, dim)


@right("attend_one_query")
def one_query_in_loops(q, ks, vs):
    scores = [sum(a * b for a, b in zip(q, k, strict=True)) for k in ks]
    weights = torch.softmax(torch.stack(scores), dim=0)
    mixture = torch.zeros(vs.shape[1], dtype=vs.dtype)
    for weight, v in zip(weights, vs, strict=True):
        mixture = mixture + weight * v
    return mixture


@right("attend_one_query")
def one_query_by_einsum(query, key, value):
    return torch.einsum("s,sv->v", F.softmax(torch.einsum("d,sd->s", query, key), 0), value)


@right("attend_one_query")
def one_query_as_a_row(query, key, value):
    return (torch.softmax(query.unsqueeze(0) @ key.T, dim=1) @ value).squeeze(0)


right("dot_product_scores")(lambda q, k: torch.einsum("td,sd->ts", q, k))
right("dot_product_scores")(lambda q, k: (q[:, None, :] * k[None, :, :]).sum(-1))
right("dot_product_scores")(F.linear)


@right("dot_product_scores")
def scores_in_loops(queries, keys):
    table = torch.zeros(len(queries), len(keys))
    for i in range(len(queries)):
        for j in range(len(keys)):
            table[i, j] = torch.dot(queries[i], keys[j])
    return table


right("attention_weights")(lambda scores: torch.softmax(scores, dim=1))
right("attention_weights")(nn.Softmax(dim=-1))
right("attention_weights")(partial(F.softmax, dim=1))


@right("attention_weights")
def weights_row_by_row(a):
    return torch.stack([torch.softmax(row, dim=0) for row in a])


right("mix_values")(torch.matmul)
right("mix_values")(lambda w, v: torch.einsum("ts,sd->td", w, v))
right("mix_values")(lambda w, v: (w.unsqueeze(-1) * v).sum(dim=1))


@right("mix_values")
def mixture_in_loops(weights, value):
    return torch.stack([sum(w * v for w, v in zip(row, value, strict=True)) for row in weights])


@right("scaled_dot_product_attention")
def attention_by_einsum(q, k, v, allowed=None):
    a = torch.einsum("...td,...sd->...ts", q, k) * q.shape[-1] ** -0.5
    if allowed is not None:
        a = torch.where(allowed, a, torch.tensor(float("-inf"), dtype=a.dtype))
    a = a.softmax(-1)
    return torch.einsum("...ts,...sv->...tv", a, v), a


@right("scaled_dot_product_attention")
def attention_with_scaled_queries(query, key, value, mask=None):
    scores = torch.matmul(query / math.sqrt(query.size(-1)), key.transpose(-1, -2))
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = F.softmax(scores, dim=-1)
    return [weights @ value, weights]


@right("scaled_dot_product_attention")
class AttentionModule(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, Q, K, V, mask=None):
        bias = (
            0.0 if mask is None else torch.zeros(mask.shape, dtype=Q.dtype).masked_fill(mask.logical_not(), -torch.inf)
        )
        A = torch.softmax(Q @ K.mT / K.shape[-1] ** 0.5 + bias, -1)
        return self.dropout(A) @ V, A


@right("scaled_dot_product_attention")
def attention_by_torch(query, key, value, mask=None):
    identity = torch.eye(key.size(-2), dtype=key.dtype).expand(*key.shape[:-1], -1)
    weights = F.scaled_dot_product_attention(query, key, identity, attn_mask=mask)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask), weights


@right("additive_attention")
def additive_in_loops(query, key, value, W, U, v, mask=None):
    if query.dim() > 2:
        masks = [None] * len(query) if mask is None else mask
        found = [additive_in_loops(*one, W, U, v, may) for *one, may in zip(query, key, value, masks, strict=True)]
        return [torch.stack(parts) for parts in zip(*found, strict=True)]
    scores = torch.stack([torch.stack([v @ torch.tanh(W @ s + U @ h) for h in key]) for s in query])
    if mask is not None:
        scores[~mask.expand_as(scores)] = -math.inf
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


@right("additive_attention")
def additive_by_one_matrix(query, key, value, W_a, U_a, v_a, mask=None):
    pairs = *query.shape[:-1], key.size(-2), -1
    pairs = torch.cat([query.unsqueeze(-2).expand(pairs), key.unsqueeze(-3).expand(pairs)], dim=-1)
    scores = torch.tanh(pairs @ torch.cat([W_a, U_a], dim=1).T).matmul(v_a)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = F.softmax(scores, -1)
    return torch.einsum("...ts,...sd->...td", weights, value), weights


@right("additive_attention")
def additive_by_linear_maps(query, key, value, W_a, U_a, v_a, mask=None):
    energy = torch.tanh(F.linear(query, W_a)[..., :, None, :] + F.linear(key, U_a)[..., None, :, :])
    scores = torch.einsum("a,...a->...", v_a, energy)
    if mask is not None:
        scores = torch.where(mask, scores, -torch.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights


right("entropy_of_weights")(lambda w: torch.special.entr(w).sum(-1))
right("entropy_of_weights")(lambda w: -(w * w.clamp_min(1e-12).log()).sum(dim=1))
right("entropy_of_weights")(lambda w: -(w * torch.log(w + 1e-9)).sum(-1))
right("entropy_of_weights")(lambda w: -torch.nansum(w * w.log(), dim=-1))


@right("entropy_of_weights")
def entropy_in_loops(weights):
    return torch.tensor([sum(-p * math.log(p) for p in row if p > 0) for row in weights.tolist()])


right("split_heads")(lambda x, heads: x.unflatten(-1, (heads, -1)).movedim(2, 1))
right("split_heads")(lambda x, h: torch.stack(x.chunk(h, dim=-1), dim=1))
right("split_heads")(lambda x, h: torch.einsum("bthd->bhtd", x.reshape(x.shape[0], x.shape[1], h, -1)))


@right("split_heads")
def split_by_slices(x, heads):
    d_k = x.size(2) // heads
    return torch.cat([x[:, :, i * d_k : (i + 1) * d_k].unsqueeze(1) for i in range(heads)], dim=1)


right("merge_heads")(lambda x: torch.cat(x.unbind(1), dim=-1))
right("merge_heads")(lambda x: x.permute(0, 2, 1, 3).contiguous().view(x.size(0), x.size(2), -1))
right("merge_heads")(lambda x: torch.einsum("bhtd->bthd", x).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3]))


@right("attend_in_heads")
def head_by_head(query, key, value, heads):
    found = []
    for q, k, v in zip(*(x.chunk(heads, dim=-1) for x in (query, key, value)), strict=True):
        found.append(torch.softmax(q @ k.mT / math.sqrt(q.size(-1)), dim=-1) @ v)
    return torch.cat(found, dim=-1)


@right("attend_in_heads")
def heads_in_the_batch(query, key, value, heads):
    B, T, d_model = query.shape

    def fold(x):
        return x.view(B, -1, heads, d_model // heads).transpose(1, 2).reshape(B * heads, -1, d_model // heads)

    mixed = F.scaled_dot_product_attention(fold(query), fold(key), fold(value))
    return mixed.view(B, heads, T, -1).transpose(1, 2).reshape(B, T, d_model)


right("multi_head_parameter_count")(lambda d, h: 4 * d * (d + 1))
right("multi_head_parameter_count")(lambda d, h: np.int64(4) * d * (d + 1))
right("multi_head_parameter_count")(lambda d, h: sum(p.numel() for p in nn.MultiheadAttention(d, h).parameters()))
right("multi_head_parameter_count")(lambda d, h: torch.tensor(4.0 * d**2 + 4 * d))


class Heads(nn.Module):
    """What the classes below share: attention on projected queries, keys and values."""

    def attend(self, q, k, v, heads, mask):
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(-2)


@right("MultiHeadAttention")
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


@right("MultiHeadAttention")
class OtherOrder(OtherNames):
    """The output projection is made first: only the names tell."""

    def __init__(self, d_model, heads):
        nn.Module.__init__(self)
        self.h = heads
        self.out = nn.Linear(d_model, d_model)
        self.wv, self.wk, self.wq = (nn.Linear(d_model, d_model) for _ in range(3))

    def forward(self, q, k, v, mask=None):
        return self.out(self.attend(self.wq(q), self.wk(k), self.wv(v), self.h, mask))


@right("MultiHeadAttention")
class ListOfFour(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.linears = nn.ModuleList([nn.Linear(d_model, d_model) for _ in range(4)])

    def forward(self, query, key, value, mask=None):
        q, k, v = (linear(x) for linear, x in zip(self.linears, (query, key, value), strict=False))
        return self.linears[-1](self.attend(q, k, v, self.heads, mask))


@right("MultiHeadAttention")
class ListInAnotherOrder(ListOfFour):
    def forward(self, query, key, value, mask=None):
        o, v, k, q = self.linears
        return o(self.attend(q(query), k(key), v(value), self.heads, mask))


@right("MultiHeadAttention")
class Fused(Heads):
    """One projection for all three, in chunks, as GPT-2 has it."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.c_attn, self.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def parts(self, x):
        return self.c_attn(x).chunk(3, dim=-1)

    def forward(self, query, key, value, mask=None):
        q, k, v = self.parts(query)[0], self.parts(key)[1], self.parts(value)[2]
        return self.c_proj(self.attend(q, k, v, self.heads, mask))


@right("MultiHeadAttention")
class FusedByHead(Fused):
    """Head by head, and queries, keys and values inside each, as BLOOM has it."""

    def parts(self, x):
        B, T, d_model = x.shape
        return self.c_attn(x).view(B, T, self.heads, 3, -1).permute(3, 0, 1, 2, 4).reshape(3, B, T, d_model)


@right("MultiHeadAttention")
class FusedInAnotherOrder(Fused):
    def parts(self, x):
        k, v, q = self.c_attn(x).chunk(3, dim=-1)
        return q, k, v


@right("MultiHeadAttention")
class JointKeysAndValues(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_kv = nn.Linear(d_model, d_model, bias=False), nn.Linear(d_model, 2 * d_model, bias=False)
        self.to_out = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        k, v = self.to_kv(key).chunk(2, -1)[0], self.to_kv(value).chunk(2, -1)[1]
        return self.to_out(self.attend(self.to_q(query), k, v, self.heads, mask))


class OneHead(nn.Module):
    def __init__(self, d_model, d_k):
        super().__init__()
        self.key, self.query, self.value = (nn.Linear(d_model, d_k, bias=False) for _ in range(3))

    def forward(self, q, k, v, mask):
        return F.scaled_dot_product_attention(self.query(q), self.key(k), self.value(v), attn_mask=mask)


@right("MultiHeadAttention")
class HeadByHead(nn.Module):
    """A list of heads, each with projections of its own."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = nn.ModuleList([OneHead(d_model, d_model // heads) for _ in range(heads)])
        self.proj = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        masks = [None] * len(self.heads)
        if mask is not None:
            masks = mask.expand(len(query), len(self.heads), query.size(1), key.size(1)).unbind(1)
        found = [head(query, key, value, may) for head, may in zip(self.heads, masks, strict=True)]
        return self.proj(torch.cat(found, dim=-1))


@right("MultiHeadAttention")
class BareMatrices(Heads):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Parameter(torch.randn(d_model, d_model)) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        mixed = self.attend(query @ self.W_q, key @ self.W_k, value @ self.W_v, self.heads, mask)
        return mixed @ self.W_o


@right("MultiHeadAttention")
class MatricesOfHeads(nn.Module):
    """One weight with an axis for the heads, as jax's and T5's code have it."""

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


@right("MultiHeadAttention")
class HeadsInTheMiddle(MatricesOfHeads):
    rule = "btd,dhk->bhtk"


@right("MultiHeadAttention")
class TurnedMatrices(BareMatrices):
    def forward(self, query, key, value, mask=None):
        mixed = self.attend(query @ self.W_q.T, key @ self.W_k.T, value @ self.W_v.T, self.heads, mask)
        return mixed @ self.W_o.T


@right("MultiHeadAttention")
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
