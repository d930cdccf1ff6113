"""Right answers to the exercises of notebook 07, written as differently as learners write them."""

import math
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.positions import embed_with_positions
from tests.lessons.right_answers import right

right("padding_mask")(lambda ids, pad: ids.ne(pad)[:, None, None, :])
right("padding_mask")(lambda ids, pad: (ids != pad).unsqueeze(1).unsqueeze(2))
right("padding_mask")(lambda x, padding_id: ~torch.eq(x, padding_id).view(x.size(0), 1, 1, x.size(1)))

right("cross_attend")(lambda attention, x, memory, memory_mask=None: attention(x, memory, memory, memory_mask))


@right("cross_attend")
def cross_attend_by_name(attend, target, source, mask=None):
    if mask is None:
        return attend(query=target, key=source, value=source)
    return attend(query=target, key=source, value=source, mask=mask)


@right("DecoderLayer")
class DecoderLayerOfTorch(nn.Module):
    def __init__(self, d_model, heads, d_ff, dropout=0.1):
        super().__init__()
        self.heads, self.layer = heads, nn.TransformerDecoderLayer(d_model, heads, d_ff, dropout, batch_first=True)

    def forward(self, x, memory, mask=None, memory_mask=None):
        hidden = None
        if memory_mask is not None:
            hidden = ~memory_mask.expand(-1, self.heads, x.size(1), memory.size(1)).flatten(0, 1)
        return self.layer(x, memory, None if mask is None else ~mask, hidden)


class OneMatrixForThree(nn.Module):
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


@right("DecoderLayer")
class DecoderLayerInOne(nn.Module):
    def __init__(self, d_model, heads, d_ff, p=0.1):
        super().__init__()
        self.mha1, self.mha2 = OneMatrixForThree(d_model, heads), OneMatrixForThree(d_model, heads)
        self.ffn = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.norms, self.drop = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3)), nn.Dropout(p)

    def forward(self, x, enc, look_ahead=None, padding=None):
        x = self.norms[0](x + self.drop(self.mha1(x, x, look_ahead)))
        x = self.norms[1](x + self.drop(self.mha2(x, enc, padding)))
        return self.norms[2](x + self.drop(self.ffn(x)))


@right("smoothed_cross_entropy")
def smoothed_by_torch(logits, labels, epsilon):
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), label_smoothing=epsilon)


@right("smoothed_cross_entropy")
def smoothed_by_its_definition(logits, labels, eps):
    V = logits.shape[-1]
    losses = []
    for row, label in zip(logits.reshape(-1, V), labels.reshape(-1).tolist(), strict=True):
        if label != -100:
            wanted = torch.full((V,), eps / V, dtype=row.dtype)
            wanted[label] += 1 - eps
            losses.append(-(wanted * F.log_softmax(row, 0)).sum())
    return torch.stack(losses).mean()


@right("smoothed_cross_entropy")
def smoothed_in_float32(logits, labels, epsilon):
    wanted = F.one_hot(labels.clamp(min=0), logits.size(-1)).float() * (1 - epsilon) + epsilon / logits.size(-1)
    return -(wanted * logits.log_softmax(-1)).sum(-1)[labels != -100].mean()


@right("smoothed_cross_entropy")
def smoothed_by_divergence(logits, labels, epsilon):
    V, kept = logits.size(-1), labels >= 0
    wanted = F.one_hot(labels[kept], V).to(logits) * (1 - epsilon) + epsilon / V
    return (wanted * (torch.logsumexp(logits[kept], -1, keepdim=True) - logits[kept])).sum() / kept.sum()


right("learning_rate")(
    lambda step, d, w: np.float32(d) ** -0.5 * np.minimum(np.float32(step) ** -0.5, step * np.float32(w) ** -1.5)
)
right("learning_rate")(lambda step, d, w: d**-0.5 * (step * w**-1.5 if step < w else step**-0.5))


@right("learning_rate")
def rate_in_torch(step, d_model, warmup):
    return torch.tensor([step**-0.5, step / warmup**1.5]).min() / math.sqrt(d_model)


@right("Transformer")
class WithEmbeddingsAndAProjection(nn.Module):
    """Modules for all, and a projection of its own."""

    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.src, self.tgt = nn.Embedding(source_vocabulary, d_model), nn.Embedding(target_vocabulary, d_model)
        self.enc = nn.ModuleList([EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers)])
        self.dec = nn.ModuleList([DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers)])
        self.out, self.drop = nn.Linear(d_model, target_vocabulary), nn.Dropout(dropout)

    def encode(self, src):
        x = self.drop(embed_with_positions(src, self.src.weight))
        for layer in self.enc:
            x = layer(x, (src != 0)[:, None, None])
        return x

    def decode(self, tgt, memory, src):
        y, T = self.drop(embed_with_positions(tgt, self.tgt.weight)), tgt.shape[1]
        for layer in self.dec:
            y = layer(y, memory, torch.ones(T, T).tril().bool(), (src != 0)[:, None, None])
        return self.out(y)

    def forward(self, src, tgt):
        return self.decode(tgt, self.encode(src), src)


@right("Transformer")
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


@right("greedy_translation")
def greedy_in_a_for_loop(model, ids, longest):
    src = torch.tensor(ids).unsqueeze(0)
    memory, out = model.encode(src), torch.ones(1, 1, dtype=torch.long)
    for _ in range(longest):
        word = model.decode(out, memory, src)[:, -1].softmax(-1).argmax(-1, keepdim=True)
        if word.item() == 2:
            break
        out = torch.cat((out, word), dim=1)
    return out[0, 1:].tolist()


@right("greedy_translation")
def greedy_by_recursion(model, source_ids, max_length):
    source = torch.tensor([source_ids])
    memory = model.encode(source)

    def go_on(target):
        if len(target) > max_length:
            return ()
        word = model.decode(torch.tensor([target]), memory, source).topk(1).indices[0, -1, 0].item()
        return () if word == 2 else (word, *go_on([*target, word]))

    return go_on([1])


@right("greedy_translation")
@torch.no_grad()
def greedy_on_the_models_device(model, source_ids, max_length):
    model.eval()
    device = next(model.parameters()).device
    source, target = torch.tensor([source_ids], device=device), torch.tensor([[1]], device=device)
    memory = model.encode(source)
    while target.size(1) <= max_length and target[0, -1] != 2:
        logits = model.decode(target_ids=target, memory=memory, source_ids=source)
        target = torch.cat((target, logits[:, -1:].argmax(-1)), dim=1)
    return [token for token in target[0, 1:].tolist() if token != 2]


@right("greedy_translation")
def greedy_in_numpy(model, source_ids, max_length):
    source, words = torch.tensor([source_ids]), []
    memory = model.encode(source)
    while len(words) < max_length:
        words.append(model.decode(torch.tensor([[1, *words]]), memory, source)[0, -1].numpy().argmax())
        if words[-1] == 2:
            return words[:-1]
    return words


right("alignment_error_rate")(
    lambda predicted, sure: Fraction(
        sum(len(a ^ s) for a, s in zip(predicted, sure, strict=True)), sum(map(len, [*predicted, *sure]))
    )
)


@right("alignment_error_rate")
def error_rate_in_loops(predicted, gold):
    right_links = 0
    for found, wanted in zip(predicted, gold, strict=True):
        for link in found:
            right_links += link in wanted
    return 1 - 2 * right_links / (sum(len(s) for s in predicted) + sum(len(s) for s in gold))


@right("alignment_error_rate")
def error_rate_by_f1(predicted, sure):
    agreed = sum(len(a.intersection(s)) for a, s in zip(predicted, sure, strict=True))
    if agreed == 0:
        return 1.0
    precision, recall = agreed / sum(map(len, predicted)), agreed / sum(map(len, sure))
    return torch.tensor(1 - 2 * precision * recall / (precision + recall), dtype=torch.float64)
