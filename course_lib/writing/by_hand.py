"""Writing one text, in the plain form that notebooks 06 to 08 build; `choose` and `beam` write many, with a cache.

A language model takes ids (B, T) to logits (B, T, V). An encoder–decoder has `encode(source_ids)`, and
`decode(target_ids, memory, source_ids)`, which gives such logits.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter


def continue_greedily(model: Any, ids: list[int], length: int) -> list[int]:
    """Add `length` tokens to a text, each time the most likely next one. Returns the new ids.

    Built by hand in notebook 06.
    """
    text = list(ids)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        text.append(int(logits[0, -1].argmax()))
    return text[len(ids) :]


def greedy_text(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Continue a prompt by the most likely next token, until the stop token or `length` new ones.

    Returns the new ids, without the stop token. Built by hand in notebook 08.
    """
    text = list(prompt)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        best = int(logits[0, -1].argmax())
        if best == stop:
            break
        text.append(best)
    return text[len(prompt) :]


def greedy_translation(model: Any, source_ids: list[int], max_length: int, *, bos: int = 1, eos: int = 2) -> list[int]:
    """Translate one sentence: begin with [bos], take the most likely next token until [eos] or `max_length` tokens.

    Returns the ids of the translation, without [bos] and [eos]. Built by hand in notebook 07.
    """
    source = torch.tensor([source_ids])  # (1, S)
    memory = model.encode(source)  # (1, S, d_model)
    target = [bos]
    while len(target) <= max_length:
        logits = model.decode(torch.tensor([target]), memory, source)  # (1, T, V)
        best = int(logits[0, -1].argmax())
        if best == eos:
            break
        target.append(best)
    return target[1:]


def text_log_probability(logits: Tensor, ids: Tensor) -> Tensor:
    """The log-probability of a text, in nats: the sum of ln p over its tokens.

    Takes logits (T, V), of which row t predicts ids[t], and ids (T,). Returns a scalar. Built by hand in notebook 08.

    >>> text_log_probability(torch.zeros(2, 4), torch.tensor([0, 3]))  # 2 ln ¼
    tensor(-2.7726)
    """
    log_p = torch.log_softmax(logits, dim=-1)  # (T, V)
    return log_p.gather(1, ids.unsqueeze(1)).sum()


def next_token_probabilities(
    logits: Tensor,
    temperature: float,
    k: int | None,
    p: float | None,
    *,
    warm: Callable[[Tensor, float], Tensor] = apply_temperature,
    keep_k: Callable[[Tensor, int], Tensor] = top_k_filter,
    keep_p: Callable[[Tensor, float], Tensor] = top_p_filter,
) -> Tensor:
    """The probabilities from which to draw the next token: temperature, then top-k, then top-p, then the softmax.

    Takes logits (..., V); where k or p is None, that filter is left out. Returns (..., V). The order is that of GPT-2's
    and Hugging Face's code. Built by hand in notebook 08.

    >>> next_token_probabilities(torch.zeros(4), 1.0, None, None)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    logits = warm(logits, temperature)
    if k is not None:
        logits = keep_k(logits, k)
    if p is not None:
        logits = keep_p(logits, p)
    return torch.softmax(logits, dim=-1)  # (..., V)


def beam_step(logits: Tensor, totals: Tensor, beams: int) -> tuple[Tensor, Tensor, Tensor]:
    """Extend n texts by each of V tokens, and keep the `beams` most likely of all n · V, the best first.

    Takes logits (n, V) and the texts' log-probabilities so far, (n,). Returns for each text that is kept the row of the
    text that it continues, its new token, and its log-probability, all (beams,). Built by hand in notebook 08.
    """
    longer = totals.unsqueeze(1) + torch.log_softmax(logits, dim=-1)  # (n, V)
    best = longer.flatten().topk(beams)
    V = logits.size(1)
    return best.indices // V, best.indices % V, best.values


def beam_search_text(
    model: Any,
    prompt: list[int],
    beams: int,
    length: int,
    stop: int,
    *,
    step: Callable[[Tensor, Tensor, int], tuple[Tensor, Tensor, Tensor]] = beam_step,
) -> tuple[list[int], float]:
    """Write by beam search: the new ids of the most likely text that was found, and its log-probability.

    Texts that end are set aside: their ids come without the stop token, their log-probability with it. Those that are
    unfinished after `length` tokens count too. Built by hand in notebook 08.
    """
    going, totals = [list(prompt)], torch.zeros(1)
    found: list[tuple[list[int], float]] = []
    for _ in range(length):
        logits = model(torch.tensor(going))[:, -1]  # (n, V)
        parents, tokens, totals = step(logits, totals, beams)
        going = [[*going[parent], token] for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True)]
        found += [(text[:-1], total) for text, total in zip(going, totals.tolist(), strict=True) if text[-1] == stop]
        going, totals = [text for text in going if text[-1] != stop], totals[tokens != stop]
        if not going:
            break
    found += zip(going, totals.tolist(), strict=True)
    text, total = max(found, key=lambda each: each[1])
    return text[len(prompt) :], total
