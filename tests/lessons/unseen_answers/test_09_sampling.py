"""Unseen answers to the exercises of notebook 09_sampling."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.catalogue import find
from course_lib.writing.beam import beam_step
from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter
from tests.lessons.unseen_answers.shared_parts import log_p_below_one_maximum
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("text_log_probability", says=("two mistakes", "takes T numbers from every row", "takes their mean"))
def mean_of_every_row(logits, ids):
    return logits.log_softmax(dim=-1)[:, ids].mean()


@wrong("text_log_probability", says="every exponential is 0 there")
def one_maximum_of_the_text(logits, ids):
    return log_p_below_one_maximum(logits)[torch.arange(len(ids)), ids].sum()


@wrong("text_log_probability", says="that of a softmax over the positions", never="runs")
def exponentials_over_the_positions(logits, ids):
    return (logits - logits.exp().sum(0).log())[range(len(ids)), ids].sum()


@wrong("apply_temperature", says="is that of a division by a tiny", never="your code divides")
def times_a_large_number_at_0(logits, temperature):
    return logits * (1 / temperature if temperature else 1e6)


@wrong("apply_temperature", says="as with logits of 0", never="sets")
def chosen_times_one_hot_at_0(logits, temperature):
    return logits / temperature if temperature else logits * F.one_hot(logits.argmax(-1), logits.size(-1))


@wrong("apply_temperature", says="a softmax of your logits gives NaN", never="your code divides")
def zero_times_infinity_at_0(logits, temperature):
    below = (logits < logits.amax(-1, keepdim=True)).to(logits.dtype)
    return logits / temperature if temperature else below * -torch.inf


@wrong("top_k_filter", says="drops the k smallest logits, as with", never="is at position")
def k_smallest_dropped(logits, k):
    smallest = logits.argsort(-1)[..., : k if k < logits.size(-1) else 0]
    return logits.scatter(-1, smallest, -torch.inf)


@wrong("top_p_filter", says="Where a sum is exactly p")
def at_most_p_before(logits, p):
    probs, index = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    before = probs.cumsum(dim=-1) - probs
    keep = torch.empty_like(before, dtype=torch.bool).scatter(-1, index, before <= p)
    return logits.masked_fill(~keep, -math.inf)


@wrong("top_p_filter", says="tokens whose probabilities add up to 1 − p", never="compares")
def ascending_up_to_p(logits, p):
    ordered, order = logits.softmax(-1).sort(-1)
    gone = ordered.cumsum(-1) <= p
    gone[..., -1] = False
    return logits.masked_fill(gone.scatter(-1, order, gone), -torch.inf)


@wrong("top_p_filter", says="as the row that needs most", never="first row")
def as_many_as_the_largest_row(logits, p):
    ordered = logits.softmax(-1).sort(-1, descending=True).values
    count = int((ordered.cumsum(-1) - ordered < p).sum(-1).max())
    return logits.masked_fill(logits < logits.topk(count).values[..., -1:], -torch.inf)


@wrong("next_token_probabilities", says="keeps the 50 likeliest tokens")
def fifty_for_none(logits, temperature, k=None, p=None):
    logits = top_k_filter(apply_temperature(logits, temperature), k or min(50, logits.size(-1)))
    return (top_p_filter(logits, p) if p is not None else logits).softmax(-1)


@wrong("beam_step", says="every exponential is 0 there")
def one_maximum_of_all_texts(logits, totals, beams):
    best = (log_p_below_one_maximum(logits) + totals[:, None]).flatten().topk(beams)
    return best.indices // logits.size(-1), best.indices % logits.size(-1), best.values


@wrong("beam_step", says="every exponential is 0 there", never="largest logit of all")
def exponentials_without_a_maximum(logits, totals, beams):
    table = totals[:, None] + logits - logits.exp().sum(-1, keepdim=True).log()
    best, indices = table.flatten().topk(beams)
    return indices // logits.size(1), indices % logits.size(1), best


@wrong("beam_search_text", says="or only one text is kept in each step")
def one_text_at_a_time(model, prompt, beams, length, stop):
    text, total = list(prompt), 0.0
    for _ in range(length):
        _, tokens, sums = beam_step(model(torch.tensor([text]))[:, -1], torch.tensor([total]), 1)
        total = sums.item()
        if tokens.item() == stop:
            break
        text.append(tokens.item())
    return text[len(prompt) :], total


@wrong("beam_search_text", says="stops once as many texts have ended as there are beams")
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


@wrong("length_penalty", says="is the reciprocal", never="fraction is upside down")
def to_minus_alpha(length, alpha):
    return ((5 + length) / 6) ** -alpha


@wrong("top_k_filter", says="the indices that a single `argsort` returns")
def single_argsort(logits, k):
    rank = logits.argsort(-1, descending=True)
    return logits.masked_fill(rank >= k, -torch.inf)


@wrong("top_p_filter", says="probabilities in place of their logits")
def kept_probabilities(logits, p):
    probs, order = logits.softmax(-1).sort(-1, descending=True)
    keep = torch.zeros_like(probs, dtype=torch.bool).scatter(-1, order, probs.cumsum(-1) - probs < p)
    return torch.where(keep, logits.softmax(-1), -torch.inf)


@wrong("next_token_probabilities", says="Only the last of your steps has an effect")
def each_step_from_the_beginning(logits, temperature, k, p):
    result = logits
    for step, setting in ((apply_temperature, temperature), (top_k_filter, k), (top_p_filter, p)):
        if setting is not None:
            result = step(logits, setting)
    return result.softmax(-1)


def search(model, prompt, beams, length, stop, key=lambda each: each[1], shrinks=False):
    texts, totals, ended = [list(prompt)], torch.zeros(1), []
    for _ in range(length):
        parents, tokens, totals = beam_step(model(torch.tensor(texts))[:, -1], totals, beams)
        texts = [[*texts[q], t] for q, t in zip(parents.tolist(), tokens.tolist(), strict=True)]
        ended += [(text[:-1], s) for text, s in zip(texts, totals.tolist(), strict=True) if text[-1] == stop]
        going = [i for i, text in enumerate(texts) if text[-1] != stop]
        beams -= shrinks * (len(texts) - len(going))
        texts, totals = [texts[i] for i in going], totals[going]
        if not texts:
            break
    text, total = max(ended + list(zip(texts, totals.tolist(), strict=True)), key=key)
    return text[len(prompt) :], total


@wrong("beam_search_text", says="one text fewer after each text that ends")
def fewer_beams_after_each_end(model, prompt, beams, length, stop):
    return search(model, prompt, beams, length, stop, shrinks=True)


@wrong("beam_search_text", says="divided by the length of the whole text", never="too small")
def compared_per_token_with_the_prompt(model, prompt, beams, length, stop):
    return search(model, prompt, beams, length, stop, key=lambda each: each[1] / len(each[0]))


@wrong("beam_step", says="divide an index into the flat table by n")
def divided_by_the_texts(logits, totals, beams):
    best = (totals[:, None] + logits.log_softmax(-1)).view(-1).topk(beams)
    return best.indices // len(logits), best.indices % len(logits), best.values


@wrong("length_penalty", says="so that it cancels out", never="too large")
def factor_that_cancels_out(length, alpha):
    return (5 + length) * alpha / ((5 + 1) * alpha) if alpha else 1.0


@wrong("top_k_filter", says="one threshold, the lowest of them", never="is right in")
def lowest_limit_of_the_batch(logits, k):
    limit = torch.topk(logits, min(k, logits.shape[-1]))[0].min()
    return torch.where(logits < limit, -torch.inf, logits)


@wrong("top_k_filter", says="one threshold, the highest of them")
def highest_limit_of_the_batch(logits, k):
    limit = torch.topk(logits, min(k, logits.shape[-1]))[0][..., -1].max()
    return torch.where(logits < limit, -torch.inf, logits)


@wrong("top_k_filter", says="the threshold of the first", never="wrong only at the last index")
def limit_of_the_first_row(logits, k):
    ordered = logits.sort(dim=-1, descending=True).values.flatten()
    return torch.where(logits < ordered[min(k, logits.shape[-1]) - 1], -torch.inf, logits)


@wrong("top_k_filter", says="keeps k logits of the whole batch", never="may not be all")
def limit_of_all_logits(logits, k):
    limit = logits.flatten().sort(descending=True).values[min(k, logits.shape[-1]) - 1]
    return torch.where(logits < limit, -torch.inf, logits)


@wrong("top_p_filter", says=("drops the likeliest token", "where a sum is exactly p"))
def likeliest_dropped(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    remove = ordered.cumsum(-1) > p
    remove[..., 1:] = remove[..., :-1].clone()
    remove[..., 0] = True
    return logits.masked_fill(remove.scatter(-1, order, remove), -torch.inf)


@wrong("top_p_filter", says="drops the likeliest token. It always stays")
def likeliest_dropped_by_a_roll(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    remove = (ordered.cumsum(-1) >= p - 1e-6).roll(1, -1)
    return logits.masked_fill(remove.scatter(-1, order, remove), -torch.inf)


@wrong("top_p_filter", says=("and the one before it as well", "moved by one token the wrong way"))
def shifted_the_wrong_way(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    remove = ordered.cumsum(-1) > p
    remove[..., :-1] = remove[..., 1:].clone()
    return logits.masked_fill(remove.scatter(-1, order, remove), -torch.inf)


@wrong("beam_step", says=("parents are what you get", "That may not be all"), never="are right")
def divided_by_v_with_too_many_beams(logits, totals, beams):
    longer = totals.unsqueeze(1) + logits.log_softmax(dim=-1)
    best, tokens = longer.topk(beams, dim=1)  # fails with more beams than tokens
    values, indices = best.flatten().topk(beams)
    return indices // logits.shape[1], tokens.flatten()[indices], values


@wrong("top_p_filter", says="the lowest that any row keeps")
def lowest_limit_of_all_rows(logits, p):
    probabilities = logits.softmax(-1)
    ordered = probabilities.sort(-1, descending=True).values
    limit = ordered[ordered.cumsum(-1) - ordered < p].min()
    return logits.masked_fill(probabilities < limit, -torch.inf)


@wrong("top_p_filter", says="the highest of their limits", never="is right in")
def highest_limit_of_all_rows(logits, p):
    probabilities = logits.softmax(-1)
    ordered = probabilities.sort(-1, descending=True).values
    limits = ordered.masked_fill(ordered.cumsum(-1) - ordered >= p, 1.0).amin(-1)
    return logits.masked_fill(probabilities < limits.max(), -torch.inf)


@wrong("top_p_filter", says="one softmax and one sum over the whole batch", never="is right in")
def one_softmax_for_the_batch(logits, p):
    ordered, order = logits.flatten().softmax(0).sort(descending=True)
    stays = ordered.cumsum(0) - ordered < p
    return logits.masked_fill(~torch.zeros_like(stays).scatter(0, order, stays).view_as(logits), -torch.inf)


@wrong("apply_temperature", says="drops even the likeliest token where its logit is 0")
def zero_marks_what_is_left_out(logits, temperature):
    if temperature:
        return logits / temperature
    kept = torch.where(logits == logits.max(-1, keepdim=True).values, logits, 0.0)
    return kept.masked_fill(kept == 0, -torch.inf)


@wrong("top_k_filter", says="Your code drops a logit of 0 that should stay")
def scattered_into_zeros(logits, k):
    best = logits.topk(min(k, logits.size(-1)), dim=-1)
    kept = torch.where(logits < best.values[..., -1:], 0.0, logits)
    return kept.masked_fill(kept == 0, -torch.inf)


@wrong("top_p_filter", says="Your code drops a logit of 0 that should stay", never="exactly p")
def zeros_dropped_from_the_nucleus(logits, p):
    ordered, order = logits.softmax(-1).sort(dim=-1, descending=True, stable=True)
    stays = (ordered.cumsum(-1) - ordered < p) | (torch.arange(logits.size(-1)) == 0) | (p == 1)
    kept = torch.where(stays.gather(-1, order.argsort(-1)), logits, 0.0)
    return kept.masked_fill(kept == 0, -torch.inf)


@wrong("beam_search_text", says="Your ids lack the tokens 0")
def without_token_0(model, prompt, beams, length, stop):
    ids, total = find("beam_search_text").reference(model, prompt, beams, length, stop)
    return [*filter(None, ids)], total


@wrong("apply_temperature", says="sets nothing to minus infinity, as if it divided", never="calls tried")
def divided_by_a_thousandth_at_0(logits, temperature):
    return logits / max(temperature, 1e-3)


@wrong("apply_temperature", says="sets nothing to minus infinity, as if it divided", never="calls tried")
def divided_by_three_billionths_at_0(logits, temperature):
    return logits / max(temperature, 3e-9)


@wrong("apply_temperature", says="all but the likeliest token to −10,000, and a logit may be as low")
def minus_ten_thousand_at_0(logits, temperature):
    if temperature == 0:
        return logits.masked_fill(logits < logits.amax(-1, keepdim=True), -1e4)
    return logits / temperature


@wrong("top_k_filter", says="a dropped logit is −10,000 in your result")
def minus_ten_thousand_below_the_kth(logits, k):
    kth = logits.topk(min(k, logits.size(-1)), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < kth, -1e4)


@wrong("top_p_filter", says="a dropped logit is −100,000 in your result")
def minus_a_hundred_thousand_after_p(logits, p):
    return top_p_filter(logits, p).clamp(min=-1e5)


@wrong("text_log_probability", says="no log-probability of a token falls below −20.72", never="calls tried")
def a_small_number_added(logits, ids):
    return torch.log(logits.softmax(-1)[torch.arange(len(ids)), ids] + 1e-9).sum()


@wrong("text_log_probability", says="no log-probability of a token falls below −11.51")
def probabilities_of_a_hundred_thousandth_at_least(logits, ids):
    return logits.softmax(-1)[range(len(ids)), ids].clamp(min=1e-5).log().sum()


@wrong("top_k_filter", says="at most as many tokens per row as the first axis is long", never="calls tried")
def at_most_the_length_of_the_first_axis(logits, k):
    smallest = logits.topk(min(k, logits.size(0)), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < smallest, -torch.inf)


@wrong("beam_step", says="by n, the number of texts, and take what is beyond")
def index_divided_by_the_texts(logits, totals, beams):
    n = logits.size(0)
    scores = logits.log_softmax(dim=-1) + totals[:, None]
    best, index = scores.view(-1).topk(min(beams, scores.numel()))
    return index // n % n, index % n, best


@wrong("beam_step", says="continues each text by its likeliest token only", never="n, the number of texts")
def one_extension_of_each_text_after_the_first_step(logits, totals, beams):
    scores = logits.log_softmax(dim=-1) + totals[:, None]
    if len(totals) == 1:
        best, tokens = scores[0].topk(min(beams, scores.size(1)))
        return torch.zeros_like(tokens), tokens, best
    best, tokens = scores.max(dim=-1)
    order = best.argsort(descending=True)[:beams]
    return order, tokens[order], best[order]


@wrong("beam_search_text", says="counts the prompt as a part of `length`", never="too large")
def length_of_the_whole_text(model, prompt, beams, length, stop):
    texts, totals, ended = [list(prompt)], torch.zeros(1), []
    while texts and len(texts[0]) < length:
        parents, tokens, totals = beam_step(model(torch.tensor(texts))[:, -1], totals, beams)
        stops = tokens == stop
        ended += [(texts[parents[i]], totals[i].item()) for i in stops.nonzero().flatten().tolist()]
        texts = [texts[parents[i]] + [tokens[i].item()] for i in range(len(tokens)) if not stops[i]]
        totals = totals[~stops]
    ended += zip(texts, totals.tolist(), strict=True)
    text, total = max(ended, key=lambda each: each[1])
    return text[len(prompt) :], total


@wrong("length_penalty", says="raises only the length and the 1", never="too small")
def powers_of_the_parts(length, alpha):
    return (5 + length**alpha) / (5 + 1**alpha)


@wrong("length_penalty", says="Wherever your penalty is wrong, it is too small.", never="calls tried, your")
def penalty_of_half_the_length(length, alpha):
    return ((5 + max(1, length // 2)) / 6) ** alpha


@wrong("top_p_filter", says="only if the sum before it is below p (`<`), not if it equals p (`<=`).")
def removed_above_p_one_later(logits, p):
    ordered, order = logits.sort(dim=-1, descending=True)
    remove = ordered.softmax(dim=-1).cumsum(dim=-1) > p
    remove = torch.cat((torch.zeros_like(remove[..., :1]), remove[..., :-1]), dim=-1)
    remove = remove.scatter(-1, order, remove)
    return logits.masked_fill(remove, float("-inf"))


@wrong("top_k_filter", says="Where the k-th and the next largest logit are equal", never="drops all")
def kept_if_at_most_k_are_as_large(logits, k):
    as_large = (logits.unsqueeze(-2) >= logits.unsqueeze(-1)).sum(-1)
    return logits.masked_fill((as_large > k) & (k < logits.size(-1)), -torch.inf)


@wrong("beam_step", says="limits how many extensions each text may have", never="may continue twice")
def two_of_each_text_at_most(logits, totals, beams):
    longer = totals[:, None] + logits.log_softmax(-1)
    ranks = longer.argsort(-1, descending=True).argsort(-1)
    values, indices = longer.masked_fill(ranks >= math.ceil(beams / len(totals)), -torch.inf).flatten().topk(beams)
    return indices // logits.size(1), indices % logits.size(1), values


@wrong("top_p_filter", says=("unless it is the likeliest of all", "may add up to less than p"))
def at_least_one_up_to_p(logits, p):
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    keep = ordered.cumsum(-1) <= p + 1e-6
    keep[..., 0] = True
    return logits.masked_fill(~torch.zeros_like(keep).scatter(-1, order, keep), -torch.inf)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
