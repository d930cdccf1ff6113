"""Right answers to the exercises of notebook 08, written as differently as learners write them."""

import heapq
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter
from tests.lessons.right_answers import right

right("text_log_probability")(lambda logits, ids: -F.cross_entropy(logits, ids, reduction="sum"))
right("text_log_probability")(lambda logits, ids: (logits[range(len(ids)), ids] - logits.logsumexp(1)).sum())
right("text_log_probability")(
    lambda logits, ids: torch.einsum("tv,tv->", F.log_softmax(logits, -1), F.one_hot(ids, logits.size(1)).to(logits))
)


right("text_log_probability")(lambda logits, ids: logits.log_softmax(-1).gather(1, ids[:, None]).sum(0))


@right("text_log_probability")
def text_in_a_loop(logits, ids):
    total = 0
    for row, token in zip(logits, ids, strict=True):
        total = total + row.log_softmax(0)[token]
    return total


@right("greedy_text")
def greedy_by_concatenation(model, prompt, length, stop):
    text = torch.tensor(prompt)[None]
    with torch.no_grad():
        while text.size(1) < len(prompt) + length:
            token = model(text)[:, -1:].softmax(-1).argmax(-1)
            if token.item() == stop:
                break
            text = torch.cat((text, token), dim=1)
    return text[0, len(prompt) :].tolist()


@right("greedy_text")
def greedy_by_recursion(model, prompt, length, stop):
    if length == 0:
        return []
    token = model(torch.tensor([prompt]))[0, -1].topk(1).indices.item()
    return [] if token == stop else [token, *greedy_by_recursion(model, [*prompt, token], length - 1, stop)]


@right("greedy_text")
def greedy_on_the_models_device(model, prompt, length, stop):
    text = torch.tensor([prompt], device=next(model.parameters()).device)
    for _ in range(length):
        token = model(text)[:, -1].argmax(-1, keepdim=True)
        if token.item() == stop:
            break
        text = torch.cat((text, token), dim=1)
    return text[0, len(prompt) :].tolist()


@right("greedy_text")
def greedy_in_numpy(model, prompt, length, stop):
    new = []
    while len(new) < length:
        token = np.argmax(model(torch.tensor([[*prompt, *new]]))[0, -1].numpy())
        if token == stop:
            break
        new.append(token)
    return new


@right("greedy_text")
class GreedyText:
    def __call__(self, model, prompt, length, stop):
        model.eval()
        new = []
        while len(new) < length:
            scores = model(torch.as_tensor(prompt + new).unsqueeze(0))[0][-1].tolist()
            new.append(scores.index(max(scores)))
            if new[-1] == stop:
                return new[:-1]
        return new


@right("apply_temperature")
def temperature_of_log_probabilities(logits, temperature):
    if temperature == 0:
        return torch.where(logits == logits.amax(-1, keepdim=True), logits, float("-inf"))
    return F.log_softmax(logits, dim=-1) / temperature


@right("apply_temperature")
def temperature_with_a_large_number(logits, t):
    if t:
        return logits * (1 / t)
    cold = torch.full_like(logits, -1e9)
    return cold.scatter(-1, logits.argmax(-1, keepdim=True), 0.0)


right("apply_temperature")(lambda logits, t: (logits - logits.max(-1, keepdim=True)[0]) / max(t, 1e-6))

right("top_k_filter")(
    lambda logits, k: logits.masked_fill(logits.argsort(-1, descending=True).argsort(-1) >= k, -torch.inf)
)


@right("top_k_filter")
def top_k_by_scatter(logits, k):
    values, indices = torch.topk(logits, min(k, logits.shape[-1]))
    return torch.full_like(logits, -1e10).scatter(-1, indices, values)


@right("top_k_filter")
def top_k_in_loops(logits, k):
    rows = []
    for row in logits.reshape(-1, logits.size(-1)).tolist():
        border = sorted(row, reverse=True)[:k][-1]
        rows.append([x if x >= border else -math.inf for x in row])
    return torch.tensor(rows, dtype=logits.dtype).view(logits.shape)


@right("top_k_filter")
def top_k_in_its_own_copy(logits, k):
    logits = logits.clone()
    ordered = logits.sort(dim=-1, descending=True)[0]
    logits[logits < ordered[..., :k][..., -1:]] = float("-inf")
    return logits


@right("top_p_filter")
def top_p_as_it_is_often_copied(logits, top_p):
    logits = logits.clone()
    sorted_logits, sorted_indices = torch.sort(logits, descending=True)
    remove = torch.cumsum(F.softmax(sorted_logits, dim=-1), dim=-1) > top_p + 1e-6
    remove[..., 1:] = remove[..., :-1].clone()
    remove[..., 0] = False
    logits[remove.scatter(-1, sorted_indices, remove)] = -float("inf")
    return logits


@right("top_p_filter")
def top_p_from_the_least_likely(logits, p):
    ordered, order = logits.sort(dim=-1)
    gone = ordered.softmax(-1).cumsum(-1) <= 1 - p
    gone[..., -1] = False
    return logits.masked_fill(gone.gather(-1, order.argsort(-1)), -torch.inf)


@right("top_p_filter")
def top_p_by_a_border(logits, p):
    probabilities = logits.softmax(-1)
    ordered = probabilities.sort(-1, descending=True).values
    count = (ordered.cumsum(-1) < p - 1e-7).sum(-1, keepdim=True).clamp(max=logits.size(-1) - 1)
    return torch.where(probabilities >= ordered.gather(-1, count), logits, logits - 1e9)


@right("top_p_filter")
def top_p_in_loops(logits, p):
    kept = torch.full_like(logits, -torch.inf).flatten(0, -2) if logits.dim() > 1 else logits[None] - torch.inf
    for out, row in zip(kept, logits.reshape(-1, logits.size(-1)), strict=True):
        total = 0.0
        for i in row.argsort(descending=True).tolist():
            out[i] = row[i]
            total += row.softmax(0)[i].item()
            if total >= p:
                break
    return kept.reshape(logits.shape)


@right("next_token_probabilities")
def probabilities_step_by_step(logits, temperature, k, p):
    steps = [(apply_temperature, temperature), (top_k_filter, k), (top_p_filter, p)]
    for step, setting in steps:
        logits = logits if setting is None else step(logits, setting)
    return F.softmax(logits, -1)


@right("next_token_probabilities")
def probabilities_renormalised(logits, temperature, k, p):
    probabilities = apply_temperature(logits, temperature).softmax(-1)
    for keep in (lambda x: top_k_filter(x, k or x.size(-1)), lambda x: top_p_filter(x, 1.0 if p is None else p)):
        probabilities = probabilities * keep(probabilities.log()).isfinite()
        probabilities = probabilities / probabilities.sum(-1, keepdim=True)
    return probabilities


@right("next_token_probabilities")
def probabilities_in_one_line(x, t, k=None, p=None):
    return top_p_filter(top_k_filter(apply_temperature(x, t), k or 10**6), 1 if p is None else p).softmax(dim=-1)


right("length_penalty")(lambda length, alpha: (5 + length) ** alpha / (5 + 1) ** alpha)
right("length_penalty")(lambda length, alpha: np.float32((5 + length) / 6) ** np.float32(alpha))
right("length_penalty")(lambda n, a: math.exp(a * (math.log(5 + n) - math.log(6))))
right("length_penalty")(lambda n, a: torch.tensor((5 + n) / 6.0).pow(a))


@right("beam_step")
def beam_step_by_sorting(logits, totals, beams):
    log_p = F.log_softmax(logits, dim=1) + totals.view(-1, 1)
    order = log_p.view(-1).argsort(descending=True)[:beams]
    return torch.div(order, log_p.size(1), rounding_mode="floor"), order.remainder(log_p.size(1)), log_p.view(-1)[order]


@right("beam_step")
def beam_step_in_loops(logits, totals, beams):
    table = logits.softmax(-1).log()
    ways = [(totals[i] + table[i, j], i, j) for i in range(len(totals)) for j in range(logits.size(1))]
    best = sorted(ways, key=lambda way: -way[0].item())[:beams]
    return (
        torch.tensor([i for _, i, _ in best]),
        torch.tensor([j for _, _, j in best]),
        torch.stack([t for t, *_ in best]),
    )


@right("beam_step")
def beam_step_by_each_beams_best(logits, totals, beams):
    logits = logits - logits.logsumexp(dim=1, keepdim=True) + totals[:, None]
    each, tokens = logits.topk(min(beams, logits.size(1)), dim=1)
    best, place = each.flatten().topk(beams)
    rows, columns = divmod(place.numpy(), each.size(1))
    rows, columns = torch.from_numpy(rows), torch.from_numpy(columns)
    return rows, tokens[rows, columns], best


@right("beam_search_text")
def beam_search_with_twice_as_many(model, prompt, beams, length, stop):
    """Look at twice as many candidates, so that as many as before go on whatever ends."""
    going, done = [(0.0, [])], []
    for _ in range(length):
        candidates = []
        for total, ids in going:
            log_p = F.log_softmax(model(torch.tensor([prompt + ids]))[0, -1], dim=-1).tolist()
            candidates += [(total + each, [*ids, token]) for token, each in enumerate(log_p)]
        best = heapq.nlargest(2 * beams, candidates)
        done += [(total, ids[:-1]) for total, ids in best[:beams] if ids[-1] == stop]
        going = [each for each in best if each[1][-1] != stop][:beams]
    total, ids = max(done + going)
    return ids, total


@right("beam_search_text")
def beam_search_that_keeps_the_ended_among_its_beams(model, prompt, beams, length, stop):
    """A text that has ended stays among the beams as it is, and ends the search where it leads them."""
    kept = [([], torch.tensor(0.0))]
    for _ in range(length):
        candidates = [(ids, total) for ids, total in kept if ids[-1:] == [stop]]
        for ids, total in kept:
            if ids[-1:] != [stop]:
                log_p = model(torch.tensor([[*prompt, *ids]])).log_softmax(-1)[0, -1]
                candidates += [([*ids, token], total + log_p[token]) for token in range(len(log_p))]
        kept = sorted(candidates, key=lambda each: each[1], reverse=True)[:beams]
        if kept[0][0][-1] == stop:
            break
    ids, total = kept[0]
    return [token for token in ids if token != stop], total


@right("beam_search_text")
def beam_search_that_sets_all_that_may_end_aside(model, prompt, beams, length, stop):
    """Every text that goes on might as well end: each end is set aside, whether it ranks among the best or not."""
    model.eval()
    live, ended = [(0.0, list(prompt))], []
    for _ in range(length):
        longer = []
        for total, text in live:
            for token, log_p in enumerate(model(torch.tensor([text]))[0, -1].log_softmax(-1).tolist()):
                (ended if token == stop else longer).append((total + log_p, text + [token] * (token != stop)))
        live = heapq.nlargest(beams, longer)
    total, text = max(ended + live)
    return list(np.array(text[len(prompt) :], dtype=int)), np.float32(total)


@right("beam_search_text")
class BeamSearchInTensors:
    """Fewer beams each time that one ends, with all beams but the first barred at first."""

    @torch.no_grad()
    def __call__(self, model, prompt, beams, length, stop):
        texts = torch.tensor([prompt]).repeat(beams, 1)
        totals = torch.tensor([0.0] + [-1e9] * (beams - 1))
        best = ([], -math.inf)
        for _ in range(length):
            table = totals[:, None] + model(texts)[:, -1].log_softmax(-1)
            totals, places = table.view(-1).topk(len(texts))
            texts = torch.cat((texts[places // table.size(1)], places[:, None] % table.size(1)), dim=1)
            for text, total in zip(texts, totals, strict=True):
                if text[-1] == stop and total > best[1]:
                    best = (text[len(prompt) : -1].tolist(), total.item())
            texts, totals = texts[texts[:, -1] != stop], totals[texts[:, -1] != stop]
            if not len(texts) or totals[0] < best[1]:
                return best
        return max(best, (texts[0, len(prompt) :].tolist(), totals[0].item()), key=lambda pair: pair[1])


@right("attend_with_cache")
def cached_attention_of_torch(q, k, v, past):
    old = 0
    if past is not None:
        old = past[0].size(2)
        k, v = torch.cat([past[0], k], dim=-2), torch.cat([past[1], v], dim=-2)
    mask = torch.ones(q.size(2), k.size(2), dtype=torch.bool).tril(diagonal=old)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask), (k, v)


@right("attend_with_cache")
def cached_attention_in_einsum(query, key, value, past=None):
    keys, values = (key, value) if past is None else map(lambda a, b: torch.cat((a, b), 2), past, (key, value))
    scores = torch.einsum("bhtd,bhsd->bhts", query / query.shape[-1] ** 0.5, keys)
    T, S = scores.shape[-2:]
    hidden = torch.arange(S) > torch.arange(S - T, S)[:, None]
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    return torch.einsum("bhts,bhsd->bhtd", weights, values), [keys, values]


@right("attend_with_cache")
class CachedAttentionTokenByToken(nn.Module):
    def forward(self, query, key, value, past):
        outputs, pair = [], past or (key[:, :, :0], value[:, :, :0])
        for t in range(query.size(2)):
            now = slice(t, t + 1)
            pair = torch.cat((pair[0], key[:, :, now]), 2), torch.cat((pair[1], value[:, :, now]), 2)
            outputs.append(scaled_dot_product_attention(query[:, :, now], *pair)[0])
        return torch.cat(outputs, dim=2), pair


right("reorder_cache")(
    lambda past, parents: tuple((k.index_select(0, parents), v.index_select(0, parents)) for k, v in past)
)
right("reorder_cache")(lambda past, parents: [tuple(each[parents.tolist()] for each in layer) for layer in past])


right("reorder_cache")(lambda past, parents: [torch.stack(layer)[:, parents] for layer in past])


@right("reorder_cache")
def reorder_in_loops(past, parents):
    new = []
    for keys, values in past:
        new.append([torch.stack([each[i] for i in parents]) for each in (keys, values)])
    return new


right("cache_bytes")(lambda layers, heads, d_k, length, size: layers * length * size * (heads * d_k + heads * d_k))
right("cache_bytes")(lambda *counts: 2 * math.prod(counts))
right("cache_bytes")(lambda *counts: 2 * np.prod(counts))
right("cache_bytes")(lambda N, H, d, S, b: sum(t.numel() * b for t in [torch.empty(H, S, d)] * 2 * N))
