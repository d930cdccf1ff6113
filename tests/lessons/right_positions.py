"""Right answers to the exercises of notebook 04, written as differently as learners write them."""

import math

import torch
from torch import nn

from course_lib.transformer.positions import sinusoidal
from tests.lessons.right_answers import right


@right("sinusoidal")
def sinusoidal_in_loops(length, d_model):
    table = torch.zeros(length, d_model)
    for pos in range(length):
        for i in range(0, d_model, 2):
            angle = pos / 10000 ** (i / d_model)
            table[pos, i], table[pos, i + 1] = math.sin(angle), math.cos(angle)
    return table


@right("sinusoidal")
def sinusoidal_by_logarithms(max_len, d):
    """As the Annotated Transformer and PyTorch's tutorial have it."""
    pe = torch.zeros(max_len, d)
    position = torch.arange(max_len).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)
    return pe


@right("sinusoidal")
def sinusoidal_by_an_outer_product(length, d_model):
    speeds = 10_000.0 ** -(torch.arange(d_model // 2) / (d_model // 2))
    turns = torch.polar(torch.ones(length, d_model // 2), torch.outer(torch.arange(length).float(), speeds))
    return torch.view_as_real(turns).flip(-1).reshape(length, d_model)


@right("embed_with_positions")
def embedded_word_by_word(ids, table):
    positions = sinusoidal(ids.shape[1], table.shape[1])
    rows = [[math.sqrt(table.shape[1]) * table[i] + positions[t] for t, i in enumerate(row)] for row in ids.tolist()]
    return torch.stack([torch.stack(row) for row in rows])


@right("embed_with_positions")
def embedded_by_a_product(ids, table):
    one_hot = nn.functional.one_hot(ids, len(table)).to(table.dtype)
    x = torch.einsum("btv,vd->btd", one_hot, table * len(table[0]) ** 0.5)
    return torch.add(x, sinusoidal(x.size(1), x.size(2)).unsqueeze(0))


@right("LearnedPositions")
class PositionsAsEmbedding(nn.Module):
    def __init__(self, block_size, width):
        super().__init__()
        self.wpe = nn.Embedding(block_size, width)

    def forward(self, x):
        return x + self.wpe(torch.arange(x.shape[1], device=x.device))


@right("LearnedPositions")
class PositionsWithABatchAxis(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.pos = nn.Embedding(max_length, d_model)

    def forward(self, x):
        B, T, _ = x.shape
        return self.pos(torch.arange(T).expand(B, T)) + x


@right("rotary")
def rotary_by_rotate_half(x):
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(x.shape[-2]).to(x), 10_000 ** -(torch.arange(half).to(x) / half))
    cos, sin = torch.cat((angles, angles), -1).cos(), torch.cat((angles, angles), -1).sin()
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


@right("rotary")
def rotary_of_neighbours(x):
    """As the paper and Llama's own code have it: features 2i and 2i + 1 are a complex number."""
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    angles = torch.outer(
        torch.arange(x.shape[-2]).to(x), 10_000 ** -(torch.arange(0, x.shape[-1], 2).to(x) / x.size(-1))
    )
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


@right("rotary")
def rotary_by_matrices(x):
    T, d_k = x.shape[-2:]
    turned = []
    for t in range(T):
        matrix = torch.zeros(d_k, d_k, dtype=x.dtype)
        for i in range(d_k // 2):
            angle = t / 10_000 ** (2 * i / d_k)
            a, b = i, i + d_k // 2
            matrix[a, a] = matrix[b, b] = math.cos(angle)
            matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
        turned.append(x[..., t, :] @ matrix.T)
    return torch.stack(turned, dim=-2)


@right("rotary")
def rotary_from_the_sinusoids(x):
    """In float32, as they are: what a float64 case would want more exactly."""
    table = sinusoidal(x.size(-2), x.size(-1)).to(x)
    sin, cos = table[:, ::2], table[:, 1::2]
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


@right("rotary")
def rotary_in_float32_as_llama_has_it(x):
    inv_freq = 1.0 / 10_000 ** (torch.arange(0, x.size(-1), 2).float() / x.size(-1))
    angles = torch.outer(torch.arange(x.size(-2)).float(), inv_freq)
    emb = torch.cat((angles, angles), dim=-1)
    first, second = x.chunk(2, dim=-1)
    return x * emb.cos() + torch.cat((-second, first), dim=-1) * emb.sin()


@right("LearnedPositions")
class PositionsOfABatch(nn.Module):
    """One axis more in front, as ViT has it."""

    def __init__(self, max_length, d_model):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, max_length, d_model) * 0.02)

    def forward(self, x):
        return x + self.pos_embed[:, : x.size(1)]
