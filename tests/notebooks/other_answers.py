"""Every exercise solved otherwise than the course does, as in a learner's cell: a fused projection, einsum, loops."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.text.byte_pairs import BYTES
from course_lib.yours import (
    DecoderLayer,
    EncoderLayer,
    MultiHeadAttention,
    additive_attention,
    causal_mask,
    count_pairs,
    embed_with_positions,
    merge_heads,
    merge_pair,
    scaled_dot_product_attention,
    sinusoidal,
    split_heads,
)


def softmax(z, dim):
    return torch.exp(z - torch.logsumexp(z, dim, keepdim=True))


def attend_one_query(query, key, value):
    return torch.einsum("s,sv->v", F.softmax(torch.einsum("d,sd->s", query, key), 0), value)


def dot_product_scores(q, k):
    return torch.einsum("td,sd->ts", q, k)


def attention_weights(scores):
    return torch.stack([torch.softmax(row, dim=0) for row in scores])


def mix_values(w, v):
    return (w.unsqueeze(-1) * v).sum(dim=1)


def entropy_of_weights(w):
    return torch.special.entr(w).sum(-1)


def scaled_dot_product_attention(q, k, v, allowed=None):  # noqa: F811
    a = torch.einsum("...td,...sd->...ts", q * q.shape[-1] ** -0.5, k)
    if allowed is not None:
        a = torch.where(allowed, a, torch.tensor(float("-inf"), dtype=a.dtype))
    a = a.softmax(-1)
    return torch.einsum("...ts,...sv->...tv", a, v), a


def additive_attention(query, key, value, W_a, U_a, v_a, mask=None):  # noqa: F811
    asked, offered = F.linear(query, W_a), F.linear(key, U_a)
    scores = torch.tanh(asked[..., :, None, :] + offered[..., None, :, :]).matmul(v_a)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    return weights @ value, weights


def split_heads(x, h):  # noqa: F811
    return torch.stack(x.chunk(h, dim=-1), dim=1)


def merge_heads(x):  # noqa: F811
    return torch.cat(x.unbind(1), dim=-1)


def attend_in_heads(query, key, value, heads):
    found = []
    for q, k, v in zip(*(x.chunk(heads, dim=-1) for x in (query, key, value)), strict=True):
        found.append(scaled_dot_product_attention(q, k, v)[0])
    return torch.cat(found, dim=-1)


def multi_head_parameter_count(d, h):
    return sum(p.numel() for p in nn.MultiheadAttention(d, h).parameters())


class MultiHeadAttention(nn.Module):  # noqa: F811
    """One fused projection for three, and a loop over the heads."""

    def __init__(self, d_model, heads):
        super().__init__()
        self.h = heads
        self.c_attn, self.c_proj = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        q, _, _ = self.c_attn(query).chunk(3, dim=-1)
        _, k, _ = self.c_attn(key).chunk(3, dim=-1)
        _, _, v = self.c_attn(value).chunk(3, dim=-1)
        found, weights = [], []
        heads = zip(*(x.chunk(self.h, dim=-1) for x in (q, k, v)), strict=True)
        for i, (one_q, one_k, one_v) in enumerate(heads):
            seen = mask
            if mask is not None and mask.dim() == 4:
                seen = mask[:, i if mask.size(1) > 1 else 0]
            mixed, w = scaled_dot_product_attention(one_q, one_k, one_v, seen)
            found.append(mixed)
            weights.append(w.detach())
        self.weights = torch.stack(weights, dim=1)
        return self.c_proj(torch.cat(found, dim=-1))


def count_pairs(words):  # noqa: F811
    counts = {}
    for word in words:
        for i in range(len(word) - 1):
            counts[(word[i], word[i + 1])] = counts.get((word[i], word[i + 1]), 0) + words[word]
    return counts


def merge_pair(word, pair, new_id):  # noqa: F811
    out, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) == pair:
            out.append(new_id)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


def learn_merges(words, count):
    words, merges = dict(words), []
    for new_id in range(256, 256 + count):
        counts = count_pairs(words)
        if not counts:
            break
        top = max(counts.values())
        merges.append(min(pair for pair, times in counts.items() if times == top))
        words = {tuple(merge_pair(word, merges[-1], new_id)): times for word, times in words.items()}
    return merges


def apply_merges(word, merges):
    ids = list(word)
    for k, pair in enumerate(merges):
        if pair[0] in ids:
            ids = merge_pair(ids, tuple(pair), 256 + k)
    return ids


def bpe_decode(ids, merges):
    vocab = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
    for k, (a, b) in enumerate(merges):
        vocab[256 + k] = vocab[a] + vocab[b]
    out = b""
    for i in ids:
        out += vocab[i]
    return out.decode("utf-8", "replace")


def embed(ids, table):
    return F.one_hot(ids, table.shape[0]).to(table) @ table


def sinusoidal(max_len, d):  # noqa: F811
    pe = torch.zeros(max_len, d)
    position = torch.arange(max_len).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)
    return pe


def embed_with_positions(ids, table):  # noqa: F811
    x = F.embedding(ids, table) * len(table[0]) ** 0.5
    return torch.add(x, sinusoidal(x.size(1), x.size(2)).unsqueeze(0))


class LearnedPositions(nn.Module):
    def __init__(self, block_size, width):
        super().__init__()
        self.wpe = nn.Embedding(block_size, width)

    def forward(self, x):
        return x + self.wpe(torch.arange(x.shape[1], device=x.device))


def rotary(x):
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2).contiguous())
    speeds = 10_000 ** -(torch.arange(0, x.shape[-1], 2).to(x) / x.size(-1))
    angles = torch.outer(torch.arange(x.shape[-2]).to(x), speeds)
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def gelu(x):
    return 0.5 * x * torch.erfc(-x / math.sqrt(2))


class FeedForward(nn.Module):
    def __init__(self, d, f, activation=torch.relu):
        super().__init__()
        self.A, self.a = nn.Parameter(torch.randn(d, f) * d**-0.5), nn.Parameter(torch.zeros(f))
        self.B, self.b = nn.Parameter(torch.randn(f, d) * f**-0.5), nn.Parameter(torch.zeros(d))
        self.activation = activation

    def forward(self, x):
        hidden = self.activation(torch.einsum("...d,df->...f", x, self.A) + self.a)
        return torch.einsum("...f,fd->...d", hidden, self.B) + self.b


class LayerNorm(nn.Module):
    def __init__(self, features, eps=1e-5):
        super().__init__()
        self.beta, self.gamma = nn.Parameter(torch.zeros(features)), nn.Parameter(torch.ones(features))
        self.eps = eps

    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        return self.gamma * centred * torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + self.eps) + self.beta


def post_norm(stream, module, ln):
    return ln(torch.add(module(stream), stream))


def pre_norm(stream, module, ln):
    return torch.add(module(ln(stream)), stream)


class EncoderLayer(nn.Module):  # noqa: F811
    def __init__(self, d_model, heads, d_ff, p=0.1, act=F.relu):
        super().__init__()
        self.mha, self.drop = MultiHeadAttention(d_model, heads), nn.Dropout(p)
        self.up, self.down, self.act = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), act
        self.ln1, self.ln2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)

    def forward(self, x, mask=None):
        x = self.ln1(x + self.drop(self.mha(x, x, x, mask)))
        return self.ln2(x + self.drop(self.down(self.act(self.up(x)))))


def encoder_parameter_count(d, f, n):
    return 4 * n * d * (d + 1), n * (2 * d * f + d + f), 4 * n * d


def causal_mask(T):  # noqa: F811
    return torch.arange(T)[:, None] >= torch.arange(T)


def masked_weights(s, m):
    return F.softmax(torch.where(m, s, torch.tensor(-1e9, dtype=s.dtype)), -1)


def inputs_and_labels(ids):
    return ids.narrow(1, 0, ids.size(1) - 1), ids.narrow(1, 1, ids.size(1) - 1)


def cross_entropy(logits, labels):
    return nn.CrossEntropyLoss(ignore_index=-100)(logits.transpose(1, 2), labels)


class LanguageModel(nn.Module):
    def __init__(self, vocab_size, d_model, heads, d_ff, n_layers, dropout=0.1):
        super().__init__()
        self.wte, self.head = nn.Embedding(vocab_size, d_model), nn.Linear(d_model, vocab_size, bias=False)
        nn.init.normal_(self.wte.weight, std=d_model**-0.5)
        self.blocks = nn.ModuleList()
        for _ in range(n_layers):
            self.blocks.append(EncoderLayer(d_model, heads, d_ff, dropout))

    def forward(self, idx):
        x = embed_with_positions(idx, self.wte.weight)
        for block in self.blocks:
            x = block(x, causal_mask(idx.shape[1]))
        return self.head(x)


def continue_greedily(model, ids, length):
    text = torch.tensor(ids)[None]
    for _ in range(length):
        text = torch.cat((text, model(text)[:, -1:].softmax(-1).argmax(-1)), dim=1)
    return text[0, len(ids) :].tolist()


def padding_mask(ids, pad):
    return ids.ne(pad)[:, None, None, :]


def cross_attend(attend, target, source, mask=None):
    return attend(target, source, source, mask)


class DecoderLayer(nn.Module):  # noqa: F811
    def __init__(self, d_model, heads, d_ff, p=0.1):
        super().__init__()
        self.mha1, self.mha2 = MultiHeadAttention(d_model, heads), MultiHeadAttention(d_model, heads)
        self.ffn = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.norms, self.drop = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3)), nn.Dropout(p)

    def forward(self, x, enc, look_ahead=None, padding=None):
        x = self.norms[0](x + self.drop(self.mha1(x, x, x, look_ahead)))
        x = self.norms[1](x + self.drop(self.mha2(x, enc, enc, padding)))
        return self.norms[2](x + self.drop(self.ffn(x)))


def smoothed_cross_entropy(logits, labels, epsilon):
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), label_smoothing=epsilon)


def learning_rate(step, d, w):
    return d**-0.5 * (step * w**-1.5 if step < w else step**-0.5)


class Transformer(nn.Module):
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


def greedy_translation(model, ids, longest):
    src = torch.tensor(ids).unsqueeze(0)
    memory, out = model.encode(src), torch.ones(1, 1, dtype=torch.long)
    for _ in range(longest):
        word = model.decode(out, memory, src)[:, -1].softmax(-1).argmax(-1, keepdim=True)
        if word.item() == 2:
            break
        out = torch.cat((out, word), dim=1)
    return out[0, 1:].tolist()


def alignment_error_rate(predicted, gold):
    right_links = 0
    for found, wanted in zip(predicted, gold, strict=True):
        for link in found:
            right_links += link in wanted
    return 1 - 2 * right_links / (sum(len(s) for s in predicted) + sum(len(s) for s in gold))


def text_log_probability(logits, ids):
    return -F.cross_entropy(logits, ids, reduction="sum")


def greedy_text(model, prompt, length, stop):
    text = torch.tensor(prompt)[None]
    for _ in range(length):
        token = model(text)[:, -1:].softmax(-1).argmax(-1)
        if token.item() == stop:
            break
        text = torch.cat((text, token), dim=1)
    return text[0, len(prompt) :].tolist()


def apply_temperature(logits, t):
    if t == 0:
        return torch.full_like(logits, -1e9).scatter(-1, logits.argmax(-1, keepdim=True), 0.0)
    return F.log_softmax(logits, dim=-1) / t


def top_k_filter(logits, k):
    values, indices = torch.topk(logits, min(k, logits.shape[-1]))
    return torch.full_like(logits, -torch.inf).scatter(-1, indices, values)


def top_p_filter(logits, p):
    ordered, order = logits.sort(dim=-1)
    gone = ordered.softmax(-1).cumsum(-1) <= 1 - p
    gone[..., -1] = False
    return logits.masked_fill(gone.gather(-1, order.argsort(-1)), -torch.inf)


def next_token_probabilities(x, t, k, p):
    return top_p_filter(top_k_filter(apply_temperature(x, t), k or x.size(-1)), 1 if p is None else p).softmax(-1)


def length_penalty(n, a):
    return math.exp(a * (math.log(5 + n) - math.log(6)))


def beam_step(logits, totals, beams):
    table = (logits - logits.logsumexp(1, keepdim=True) + totals.view(-1, 1)).view(-1)
    order = table.argsort(descending=True)[:beams]
    return torch.div(order, logits.size(1), rounding_mode="floor"), order.remainder(logits.size(1)), table[order]


def beam_search_text(model, prompt, beams, length, stop):
    texts, totals, best = torch.tensor([prompt]), torch.zeros(1), ([], -math.inf)
    for _ in range(length):
        parents, tokens, totals = beam_step(model(texts)[:, -1], totals, beams)
        texts = torch.cat((texts[parents], tokens[:, None]), dim=1)
        for text, total in zip(texts.tolist(), totals.tolist(), strict=True):
            if text[-1] == stop and total > best[1]:
                best = text[len(prompt) : -1], total
        texts, totals = texts[tokens != stop], totals[tokens != stop]
        if len(texts) == 0 or totals[0] < best[1]:
            return best
    return max(best, (texts[0, len(prompt) :].tolist(), totals[0].item()), key=lambda pair: pair[1])


def attend_with_cache(q, k, v, past):
    if past is not None:
        k, v = (torch.cat(pair, dim=-2) for pair in zip(past, (k, v), strict=True))
    T, S = q.shape[-2], k.shape[-2]
    hidden = torch.arange(S) > torch.arange(S - T, S)[:, None]
    a = torch.einsum("bhtd,bhsd->bhts", q / q.shape[-1] ** 0.5, k).masked_fill(hidden, -torch.inf).softmax(-1)
    return torch.einsum("bhts,bhsd->bhtd", a, v), (k, v)


def reorder_cache(past, parents):
    return [tuple(each.index_select(0, parents) for each in layer) for layer in past]


def cache_bytes(layers, heads, d_k, length, size):
    return length * layers * size * (heads * d_k + heads * d_k)
