"""Answers to the exercises of notebooks 06 to 11 whose mistake the checks missed, or named as another one."""

import math
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import causal_mask, merge_heads, scaled_dot_product_attention, split_heads
from course_lib.transformer.cache import attend_with_cache
from course_lib.transformer.layers import DecoderLayer, EncoderLayer, LayerNorm
from course_lib.transformer.positions import embed_with_positions
from course_lib.writing.beam import beam_step
from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter

WRONG: list[tuple[str, tuple[str, ...], Any]] = []  # exercise, words in the message, answer


def wrong(name: str, *words: str) -> Callable[[Any], Any]:
    """Add a wrong answer to an exercise, with the words that its message contains."""

    def add(answer: Any) -> Any:
        WRONG.append((name, words, answer))
        return answer

    return add


# Two causes with the same results: the message names both.


@wrong("pack_texts", "lacks that row", "or the loop over the rows stops one row early")
def last_row_lost(texts, end, length):
    stream = [i for text in texts for i in [*text, end]]
    rows = [stream[i : i + length] for i in range(0, len(stream) - length, length)]
    return torch.tensor(rows, dtype=torch.long).view(-1, length)


@wrong("continue_greedily", "the same prediction each time", "or it reads the prediction after the last token of `ids`")
def position_of_the_prompt(model, ids, length):
    text, last = list(ids), len(ids) - 1
    for _ in range(length):
        text.append(model(torch.tensor([text]))[0, last].argmax().item())
    return text[last + 1 :]


@wrong("continue_greedily", "only one new token", "does each round begin again with `ids`")
def begins_again_in_each_round(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text = list(ids)
        text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
    return text[len(ids) :]


@wrong("continue_greedily", "from the first token alone")
def reads_the_first_token(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(int(model(torch.tensor([text[:1]]))[0, -1].argmax()))
    return text[len(ids) :]


@wrong("greedy_translation", "only one token", "does each round begin again with [bos]")
def translates_one_token(model, source_ids, max_length):
    source = torch.tensor([source_ids])
    memory = model.encode(source)
    for _ in range(max_length):
        target = [1]
        target.append(int(model.decode(torch.tensor([target]), memory, source)[0, -1].argmax()))
    return target[1:]


@wrong("beam_search_text", "or only one text is kept in each step")
def one_text_at_a_time(model, prompt, beams, length, stop):
    text, total = list(prompt), 0.0
    for _ in range(length):
        _, tokens, sums = beam_step(model(torch.tensor([text]))[:, -1], torch.tensor([total]), 1)
        total = sums.item()
        if tokens.item() == stop:
            break
        text.append(tokens.item())
    return text[len(prompt) :], total


# One result with another cause than a known mistake: a case tells them apart.


@wrong("masked_weights", "beside the largest open score of the whole tensor")
def largest_open_score(scores, mask):
    s = scores.masked_fill(~mask, -math.inf)
    e = torch.exp(s - s.max())
    return e / e.sum(dim=-1, keepdim=True)


@wrong("masked_weights", "the largest score of the whole tensor, hidden ones included")
def softmax_of_everything(scores, mask):
    e = torch.softmax(scores.flatten(), 0).view_as(scores) * mask
    return e / e.sum(dim=-1, keepdim=True)


@wrong("masked_weights", "computes exp of the scores as they are")
def exponentials(scores, mask):
    e = scores.exp().masked_fill(~mask, 0)
    return e / e.sum(dim=-1, keepdim=True)


@wrong("masked_weights", "Where a hidden score is far above the open ones of its row")
def hidden_after_the_softmax(scores, mask):
    weights = scores.softmax(-1).masked_fill(~mask, 0)
    return weights / weights.sum(-1, keepdim=True)


@wrong("masked_weights", "such as −10000")
def minus_ten_thousand(scores, mask):
    return scores.masked_fill(~mask, -1e4).softmax(dim=-1)


@wrong("pack_texts", "two mistakes", "fills up the last row", "into the caller's texts")
def filled_up_in_the_callers_texts(texts, end, length):
    stream = []
    for text in texts:
        text.append(end)
        stream += text
    while len(stream) % length:
        stream.append(end)
    return torch.tensor(stream).view(-1, length)


# What is kept from one call to the next.

MEMORIES: dict[int, Any] = {}


@wrong("greedy_translation", "keeps something from one call to the next")
def memory_by_length(model, source_ids, max_length):
    source = torch.tensor([source_ids])
    memory = MEMORIES.setdefault(len(source_ids), model.encode(source) if len(source_ids) not in MEMORIES else None)
    out = [1]
    for _ in range(max_length):
        token = model.decode(torch.tensor([out]), memory, source)[0, -1].argmax().item()
        if token == 2:
            break
        out.append(token)
    return out[1:]


@wrong("MaskedLanguageModelHead", "keeps something from one call to the next")
class KeepsTheFirstTable(nn.Module):
    def __init__(self, vocabulary, d_model):
        super().__init__()
        self.linear = nn.Linear(d_model, d_model)
        self.norm = LayerNorm(d_model)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.table = None

    def forward(self, hidden, table):
        if self.table is None:
            self.table = table
        return self.norm(F.gelu(self.linear(hidden))) @ self.table.T + self.bias


@wrong("DecoderLayer", "makes `self.norm_2` and `self.norm_3`, but the output never depends on them")
class OneNormForAll(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        x = self.norm_1(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))
        return self.norm_1(x + self.dropout(self.feed_forward(x)))


# Mistakes that no case showed, or that no message named.


@wrong("next_token_probabilities", "keeps the 50 likeliest tokens")
def fifty_for_none(logits, temperature, k=None, p=None):
    logits = top_k_filter(apply_temperature(logits, temperature), k or min(50, logits.size(-1)))
    return (top_p_filter(logits, p) if p is not None else logits).softmax(-1)


@wrong("top_p_filter", "Where a sum is exactly p")
def at_most_p_before(logits, p):
    probs, index = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    before = probs.cumsum(dim=-1) - probs
    keep = torch.empty_like(before, dtype=torch.bool).scatter(-1, index, before <= p)
    return logits.masked_fill(~keep, -math.inf)


@wrong("beam_search_text", "stops once as many texts have ended as there are beams")
def stops_early(model, prompt, beams, length, stop):
    texts, totals, ended = [list(prompt)], torch.zeros(1), []
    for _ in range(length):
        parents, tokens, sums = beam_step(model(torch.tensor(texts))[:, -1], totals, beams)
        new, kept = [], []
        for q, t, s in zip(parents.tolist(), tokens.tolist(), sums.tolist(), strict=True):
            if t == stop:
                ended.append((texts[q], s))
            else:
                new.append([*texts[q], t])
                kept.append(s)
        texts, totals = new, torch.tensor(kept)
        if not texts or len(ended) >= beams:
            break
    text, total = max(ended + list(zip(texts, totals.tolist(), strict=True)), key=lambda e: e[1])
    return text[len(prompt) :], total


@wrong("padding_mask", "Your mask holds whole numbers")
def larger_than_the_padding(ids, pad):
    return (ids > pad).long()[:, None, None, :]


@wrong("DecoderLayer", "third residual connection adds what the cross-attention reads")
class FeedForwardBesideTheMemory(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        a = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        b = self.norm_2(a + self.dropout(self.cross_attention(a, memory, memory, memory_mask)))
        return self.norm_3(a + self.dropout(self.feed_forward(b)))


@wrong("text_log_probability", "two mistakes", "takes T numbers from every row", "takes their mean")
def mean_of_every_row(logits, ids):
    return logits.log_softmax(dim=-1)[:, ids].mean()


@wrong("masked_lm_loss", "two mistakes", "one before the loss", "divides by all positions")
def softmax_and_all_positions(hidden, labels, head):
    keep = labels != -100
    return F.cross_entropy(head(hidden[keep]).softmax(dim=-1), labels[keep], reduction="sum") / labels.numel()


@wrong("LanguageModel", "reads itself and the tokens after it")
class ReadsTheFuture(nn.Module):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.table = nn.Parameter(torch.randn(vocabulary, d_model) * d_model**-0.5)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids):
        x = self.dropout(embed_with_positions(ids, self.table))
        for layer in self.layers:
            x = layer(x, causal_mask(ids.size(1)).T)
        return x @ self.table.T


@wrong("cross_entropy", "mixes the logits of different tokens")
def mixed_tokens(logits, labels):
    return F.cross_entropy(logits.transpose(1, 2).reshape(-1, logits.size(-1)), labels.reshape(-1))


@wrong("smoothed_cross_entropy", "mixes the logits of different tokens")
def mixed_tokens_smoothed(logits, labels, epsilon):
    rows = logits.transpose(1, 2).reshape(-1, logits.size(-1))
    return F.cross_entropy(rows, labels.reshape(-1), label_smoothing=epsilon)


@wrong("smoothed_cross_entropy", "is the entropy of the model")
def entropy(logits, labels, epsilon):
    keep = labels != -100
    logp = logits.log_softmax(dim=-1)[keep]
    right = logp[torch.arange(len(logp)), labels[keep]]
    return ((1 - epsilon) * -right - epsilon * (logp.exp() * logp).sum(-1)).mean()


@wrong("attend_with_cache", "new keys that your code returns are divided by √d_k, so")
def scaled_before_the_cache(query, key, value, past):
    key = key / math.sqrt(key.size(-1))
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    T, S = query.size(2), key.size(2)
    mask = torch.ones(T, S, dtype=torch.bool).tril(S - T)
    return (query @ key.mT).masked_fill(~mask, -math.inf).softmax(-1) @ value, (key, value)


@wrong("attend_with_cache", "your new token at position 3, counted from 0, does not read position 0")
def first_key_never_read(query, key, value, past):
    P = 0 if past is None else past[0].size(2)
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    mask = torch.ones(query.size(2), key.size(2), dtype=torch.bool).tril(P)
    if P > 1:
        mask[:, 0] = False
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


@wrong("attend_with_cache", "your new token at position 2, counted from 0, reads position 3, which comes after it")
def reads_further_after_a_past_of_two(query, key, value, past):
    P = 0 if past is None else past[0].size(2)
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    mask = torch.ones(query.size(2), key.size(2), dtype=torch.bool).tril(P + 2 * (P == 2))
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


def log_p_below_one_maximum(logits):
    lower = logits - logits.max()
    return lower - lower.exp().sum(-1, keepdim=True).log()


@wrong("cross_entropy", "the largest logit of several rows")
def one_maximum(logits, labels):
    log_p, labels = log_p_below_one_maximum(logits)[labels != -100], labels[labels != -100]
    return -log_p[torch.arange(len(labels)), labels].mean()


@wrong("smoothed_cross_entropy", "the largest logit of several rows")
def one_maximum_smoothed(logits, labels, epsilon):
    log_p, labels = log_p_below_one_maximum(logits)[labels != -100], labels[labels != -100]
    return -(1 - epsilon) * log_p[torch.arange(len(labels)), labels].mean() - epsilon * log_p.mean()


@wrong("masked_lm_loss", "every exponential is 0 there")
def one_maximum_of_the_hidden(hidden, labels, head):
    return one_maximum(head(hidden[labels != -100]), labels[labels != -100])


@wrong("text_log_probability", "every exponential is 0 there")
def one_maximum_of_the_text(logits, ids):
    return log_p_below_one_maximum(logits)[torch.arange(len(ids)), ids].sum()


@wrong("beam_step", "every exponential is 0 there")
def one_maximum_of_all_texts(logits, totals, beams):
    best = (log_p_below_one_maximum(logits) + totals[:, None]).flatten().topk(beams)
    return best.indices // logits.size(-1), best.indices % logits.size(-1), best.values


@wrong("cached_self_attention", "rotation of x, before the maps")
def rotated_first(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    y = attention.rotate(x[:, None], P)[:, 0]
    q, k, v = (split_heads(W(y), attention.heads) for W in (attention.W_q, attention.W_k, attention.W_v))
    out, past = attend_with_cache(q, k, v, past)
    return attention.W_o(merge_heads(out)), past


@wrong("cached_self_attention", "gets the position of the last new one, P + T − 1")
def last_position_first(attention, x, past):
    start = past[0].size(2) + x.size(1) - 1 if past is not None else 0
    q, k, v = (split_heads(W(x), attention.heads) for W in (attention.W_q, attention.W_k, attention.W_v))
    out, past = attend_with_cache(attention.rotate(q, start), attention.rotate(k, start), v, past)
    return attention.W_o(merge_heads(out)), past


class PlainTransformer(nn.Module):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__()
        self.source_table = nn.Parameter(torch.randn(source_vocabulary, d_model) * d_model**-0.5)
        self.target_table = nn.Parameter(torch.randn(target_vocabulary, d_model) * d_model**-0.5)
        self.encoder = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.decoder = nn.ModuleList(DecoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def encode(self, source_ids):
        x = self.dropout(embed_with_positions(source_ids, self.source_table))
        for layer in self.encoder:
            x = layer(x, (source_ids != 0)[:, None, None, :])
        return x

    def embedded(self, target_ids, source_ids):
        return embed_with_positions(target_ids, self.target_table)

    def layers_in_order(self):
        return self.decoder

    def decode(self, target_ids, memory, source_ids):
        x = self.dropout(self.embedded(target_ids, source_ids))
        for layer in self.layers_in_order():
            x = layer(x, memory, causal_mask(target_ids.size(1)), (source_ids != 0)[:, None, None, :])
        return x @ self.target_table.T

    def forward(self, source_ids, target_ids):
        return self.decode(target_ids, self.encode(source_ids), source_ids)


@wrong("Transformer", "positions of your target begin after those of the source")
class TargetAfterTheSource(PlainTransformer):
    def embedded(self, target_ids, source_ids):
        S = source_ids.size(1)
        return embed_with_positions(F.pad(target_ids, (S, 0)), self.target_table)[:, S:]


@wrong("Transformer", "`self.decoder.0` does the work of `self.decoder.1`")
class DecoderReversed(PlainTransformer):
    def layers_in_order(self):
        return reversed(self.decoder)


@pytest.mark.usefixtures("search_limit_of_learners")
@pytest.mark.parametrize(("name", "words", "answer"), WRONG, ids=lambda value: getattr(value, "__name__", ""))
def test_a_wrong_answer_is_refused_with_what_is_true_of_it_in_two_seconds(
    name: str, words: tuple[str, ...], answer: Any
):
    start = time.process_time()
    report = find(name).check(answer)
    assert time.process_time() - start < 2  # twice the target, since processor time doubles on a busy machine
    assert not report.passed
    for each in words:
        assert each in report.message


def test_a_class_that_makes_its_weights_when_it_is_called_is_not_said_to_keep_anything():
    class Lazy(nn.Module):
        def __init__(self, vocabulary, d_model):
            super().__init__()
            self.linear, self.norm = nn.LazyLinear(d_model), LayerNorm(d_model)
            self.bias = nn.Parameter(torch.zeros(vocabulary))

        def forward(self, hidden, table):
            return self.norm(F.gelu(self.linear(hidden))) @ table.T + self.bias

    assert find("MaskedLanguageModelHead").check(Lazy).passed
