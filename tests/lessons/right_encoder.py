"""Right answers to the exercises of notebook 05, written as differently as learners write them."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.lessons.right_answers import right

right("gelu")(F.gelu)
right("gelu")(nn.GELU())
right("gelu")(lambda x: x * torch.distributions.Normal(0.0, 1.0).cdf(x))
right("gelu")(lambda x: 0.5 * x * torch.erfc(-x / math.sqrt(2)))


@right("FeedForward")
class FeedForwardInOne(nn.Module):
    def __init__(self, width, hidden, act=F.relu):
        super().__init__()
        self.up, self.down, self.act = nn.Linear(width, hidden), nn.Linear(hidden, width), act

    def forward(self, x):
        return self.down(self.act(self.up(x)))


@right("FeedForward")
class FeedForwardOfBareMatrices(nn.Module):
    def __init__(self, d, f, activation=torch.relu):
        super().__init__()
        self.A, self.a = nn.Parameter(torch.randn(d, f)), nn.Parameter(torch.zeros(f))
        self.B, self.b = nn.Parameter(torch.randn(f, d)), nn.Parameter(torch.zeros(d))
        self.activation = activation

    def forward(self, x):
        hidden = self.activation(torch.einsum("...d,df->...f", x, self.A) + self.a)
        return torch.einsum("...f,fd->...d", hidden, self.B) + self.b


@right("FeedForward")
class FeedForwardByConvolution(nn.Module):
    """Two convolutions of width 1, as the paper itself puts it."""

    def __init__(self, d, f, activation=torch.relu):
        super().__init__()
        self.first, self.second = nn.Linear(d, f, bias=False), nn.Linear(f, d, bias=False)
        self.drop, self.activation = nn.Dropout(0.1), activation

    def forward(self, x):
        return F.linear(self.drop(self.activation(self.first(x))), self.second.weight)


@right("FeedForward")
class FeedForwardByTrueConvolution(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.W_1, self.W_2, self.activation = nn.Conv1d(d_model, d_ff, 1), nn.Conv1d(d_ff, d_model, 1), activation

    def forward(self, x):
        tokens = x.reshape(-1, x.size(-1), 1)
        return self.W_2(self.activation(self.W_1(tokens))).view(x.shape)


@right("LayerNorm")
class LayerNormWithThreeAxes(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.g, self.b = nn.Parameter(torch.ones(1, 1, d_model)), nn.Parameter(torch.zeros(1, 1, d_model))
        self.eps = eps

    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
        return (x - mean) / (variance + self.eps).sqrt() * self.g + self.b


@right("LayerNorm")
class LayerNormOfTorch(nn.LayerNorm):
    pass


@right("LayerNorm")
class LayerNormByMoments(nn.Module):
    def __init__(self, features, eps=1e-5):
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(features))
        self.gamma = nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        return self.gamma * centred * torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + self.eps) + self.beta


@right("LayerNorm")
class LayerNormTokenByToken(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.a_2, self.b_2, self.eps = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model)), eps

    def forward(self, x):
        tokens = x.reshape(-1, x.shape[-1])
        rows = [(t - t.mean()) / (t.var(unbiased=False) + self.eps) ** 0.5 for t in tokens]
        return torch.stack(rows).reshape(x.shape) * self.a_2 + self.b_2


right("post_norm")(lambda x, f, norm: norm(torch.add(f(x), x)))
right("pre_norm")(lambda x, f, norm: torch.add(f(norm(x)), x))


@right("post_norm")
def post_norm_in_steps(stream, module, ln):
    written = module(stream)
    total = stream + written
    return ln(total)


@right("pre_norm")
def pre_norm_in_steps(stream, module, ln):
    read = ln(stream)
    return stream + module(read)


@right("EncoderLayer")
class LayerOfTorch(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(d_model, heads, d_ff, dropout, activation, batch_first=True)

    def forward(self, x, mask=None):
        if mask is not None:
            T, heads = x.size(1), self.layer.self_attn.num_heads
            mask = ~mask.expand(x.size(0), heads, T, T).reshape(-1, T, T)
        return self.layer(x, src_mask=mask)


@right("EncoderLayer")
class LayerWithOneProjection(nn.Module):
    """All in one class: one matrix for queries, keys and values, and a loop over heads."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(d_model, 3 * d_model, bias=False), nn.Linear(d_model, d_model, bias=False)
        self.up, self.down, self.activation = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), activation
        self.ln1, self.ln2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.drop = nn.Dropout(dropout)

    def attend(self, x, mask):
        found = []
        q_k_v = (part.chunk(self.heads, -1) for part in self.qkv(x).chunk(3, -1))
        for i, (q, k, v) in enumerate(zip(*q_k_v, strict=True)):
            scores = torch.einsum("btd,bsd->bts", q, k) / math.sqrt(q.shape[-1])
            if mask is not None:
                seen = mask if mask.dim() < 4 else mask[:, i if mask.size(1) > 1 else 0]
                scores = scores.masked_fill(seen == 0, -1e9)
            found.append(torch.einsum("bts,bsd->btd", scores.softmax(-1), v))
        return self.out(torch.cat(found, -1))

    def forward(self, x, mask=None):
        x = self.ln1(x + self.drop(self.attend(x, mask)))
        return self.ln2(x + self.drop(self.down(self.activation(self.up(x)))))


right("encoder_parameter_count")(lambda d, f, n: list(n * np.array([4 * d * (d + 1), 2 * d * f + d + f, 4 * d])))
right("encoder_parameter_count")(lambda d, f, n: (4 * n * d * (d + 1), n * (2 * d * f + d + f), 4 * n * d))


@right("encoder_parameter_count")
def counted_by_torch(d_model, d_ff, layers):
    layer = nn.TransformerEncoderLayer(d_model, 1, d_ff, device="meta")
    counts = {"attn": 0, "linear": 0, "norm": 0}
    for name, parameter in layer.named_parameters():
        counts[next(place for place in counts if place in name)] += parameter.numel()
    return [layers * count for count in counts.values()]
