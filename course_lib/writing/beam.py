"""Beam search: several texts at once, the best of them continued at each step. Built by hand in notebook 09."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_lib.learning.training import evaluating
from course_lib.writing.prompts import ROWS_AT_ONCE, Model, Prompts, Reader, check_logits, request


class Hypothesis(NamedTuple):
    """A text that a beam search found.

    Its log-probability is in nats and includes that of the id which stopped it; so does its score.
    """

    ids: list[int]
    log_probability: float
    score: float


class Candidate(NamedTuple):
    """What a beam search considers in a step: a text with its newest token, and what becomes of it."""

    ids: list[int]
    log_probability: float
    fate: str  # "kept", "ended" or "dropped"


def length_penalty(length: int, alpha: float) -> float:
    """Give what a log-probability is divided by, so that longer texts are not always worse.

        lp(Y) = (5 + |Y|)^alpha / (5 + 1)^alpha

    Wu et al. 2016, arXiv:1609.08144, eq. 14. The length |Y| counts what was written, the stop token included.

    >>> length_penalty(1, 0.6), length_penalty(13, 0.5)
    (1.0, 1.7320508075688772)
    """
    penalty: float = ((5 + length) / 6) ** alpha
    return penalty


def beam_step(logits: Tensor, totals: Tensor, beams: int) -> tuple[Tensor, Tensor, Tensor]:
    """Extend n texts by each of V tokens, and keep the `beams` most likely of all n · V, the best first.

    Takes logits (n, V) and the texts' log-probabilities so far, (n,). Returns for each text that is kept the row of the
    text that it continues, its new token, and its log-probability, all (beams,). Built by hand in notebook 09.
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
    unfinished after `length` tokens count too. Built by hand in notebook 09.
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


def beam_search(
    model: Model,
    prompts: Prompts,
    max_length: int | None = None,
    *,
    beams: int = 4,
    alpha: float = 0.6,
    penalty: Callable[[int, float], float] = length_penalty,
    early_stopping: bool = False,
    n_best: int = 1,
    bos: int | None = None,
    stop: Sequence[int] = (),
    pad: int | None = None,
    use_cache: bool = True,
    watch: Callable[[list[Candidate]], None] | None = None,
) -> list[list[Hypothesis]]:
    """Write several texts for each prompt at once, and keep the best at each step.

        score(Y) = log P(Y | X) / lp(Y)

    Each step extends every beam by every token, and continues with the `beams` best texts that have not ended. A text
    that ends among the `beams` best is a hypothesis, and so is one that is still unfinished at `max_length`. Vaswani et
    al. 2017, arXiv:1706.03762, section 6.1, use 4 beams and alpha 0.6; with alpha 0 the score is the log-probability.

    Args:
        model: as in `greedy`.
        prompts: as in `greedy`.
        max_length: as in `greedy`.
        beams: how many texts are continued at each step.
        alpha: the exponent of `length_penalty`.
        penalty: what a log-probability is divided by, from a length and alpha, such as a learner's `length_penalty`. It
            has to be monotonic in the length.
        early_stopping: whether to stop as soon as there are `beams` hypotheses. Otherwise the search continues until no
            unfinished text can overtake them.
        n_best: how many hypotheses to return for each prompt, at most `beams`.
        bos: as in `greedy`.
        stop: as in `greedy`.
        pad: as in `greedy`.
        use_cache: as in `greedy`.
        watch: called at each step, for each prompt whose search is not over, with the candidates considered, the best
            first.

    Returns for each prompt its `n_best` hypotheses, the best first; fewer where the model has fewer. A text that the
    model cannot write, of probability 0, is none.

    Raises ValueError for beams below 1, an `n_best` that is not from 1 to `beams`, an alpha that is no finite number,
    or what `greedy` refuses.
    """
    if not math.isfinite(alpha):
        raise ValueError(f"alpha should be a finite number, but is {alpha}")
    if beams < 1:
        raise ValueError(f"beams says how many texts are continued at once, 1 or more, but is {beams}")
    if not 1 <= n_best <= beams:
        raise ValueError(f"n_best should be from 1 to beams={beams}, but is {n_best}")
    asked = request(model, prompts, max_length, bos=bos, stop=stop, pad=pad, use_cache=use_cache)
    settings = _Settings(beams, alpha, penalty, early_stopping, asked.length, asked.stop, watch)
    hypotheses = list[list[Hypothesis]]()
    with evaluating(model):
        for ids, padding in asked.batches(max(1, ROWS_AT_ONCE // beams)):
            hypotheses += _search(*asked.begin(ids, padding), settings)
    return [of_prompt[:n_best] for of_prompt in hypotheses]


@dataclass(frozen=True)
class _Settings:
    """How to search, in the words of `beam_search`."""

    beams: int
    alpha: float
    penalty: Callable[[int, float], float]
    early_stopping: bool
    length: int
    stop: frozenset[int]
    watch: Callable[[list[Candidate]], None] | None

    def score(self, log_probability: float, length: int) -> float:
        """Divide the log-probability of a text by the penalty of its length."""
        return log_probability / float(self.penalty(length, self.alpha))


class _Extension(NamedTuple):
    """A text with one more token."""

    row: int  # of the text that it extends
    token: int
    log_probability: float  # of the whole text


def _search(reader: Reader, logits: Tensor, settings: _Settings) -> list[list[Hypothesis]]:
    """Search from the logits (B, V) of each prompt's first token. Returns the hypotheses of each, the best first."""
    if settings.length == 0:
        return [[Hypothesis([], 0.0, 0.0)] for _ in logits]
    finished: list[list[Hypothesis]] = [[] for _ in logits]
    searched = list(range(len(logits)))  # the B prompts whose search is not over; each of them has n rows
    totals = logits.new_zeros(len(logits), 1)  # (B, n), the log-probability of each row's text
    written = torch.empty(len(logits), 0, dtype=torch.long, device=logits.device)  # (B * n, t)
    for step in range(1, settings.length + 1):
        n = totals.size(1)
        survivors = list[_Extension]()
        still_searched = list[int]()
        check_logits(logits)
        for i, best in enumerate(_best_extensions(logits, totals, settings)):
            continued, ended = _divide(best, step, settings)
            hypotheses = finished[searched[i]]
            if ended:
                hypotheses += [_hypothesis(each, written, step, settings) for each in ended]
                hypotheses.sort(key=lambda text: -text.score)
                del hypotheses[settings.beams :]
            if settings.watch:
                settings.watch(_candidates(best, continued, ended, written))
            # Where few texts are possible, impossible ones fill the rows, but no search goes on for their sake.
            goes_on = any(map(_is_possible, continued))
            if goes_on and not _is_over(hypotheses, continued[0].log_probability, step, settings):
                still_searched.append(searched[i])
                survivors += _in_their_rows(continued, range(i * n, (i + 1) * n))
        if not survivors:
            break
        searched = still_searched
        rows = torch.tensor([each.row for each in survivors], device=logits.device)  # (B * n,)
        tokens = torch.tensor([each.token for each in survivors], device=logits.device)  # (B * n,)
        totals = totals.new_tensor([each.log_probability for each in survivors]).view(len(searched), -1)  # (B, n)
        written = torch.cat((written[rows], tokens[:, None]), dim=1)  # (B * n, t + 1)
        reader.select(rows)
        logits = reader.read(tokens[:, None])  # (B * n, V)
    return finished


def _best_extensions(logits: Tensor, totals: Tensor, settings: _Settings) -> list[list[_Extension]]:
    """Extend every text by every token, and give the best extensions of each prompt, the best first.

    Takes the logits (B * n, V) of each text's next token, and the log-probabilities (B, n) of the texts.
    """
    (B, n), V = totals.shape, logits.size(1)
    extended = logits.log_softmax(dim=-1).view(B, n, V) + totals[..., None]  # (B, n, V)
    # At most one in n of the best ends with a given stop token, so this many leave enough that continue.
    count = min((1 + len(settings.stop)) * settings.beams, n * V)
    best = extended.flatten(1).topk(count, dim=1)  # (B, count)
    return [
        [_Extension(i * n + index // V, index % V, total) for index, total in zip(indices, sums, strict=True)]
        for i, (indices, sums) in enumerate(zip(best.indices.tolist(), best.values.tolist(), strict=True))
    ]


def _is_possible(extension: _Extension) -> bool:
    """Whether a text has a probability above 0."""
    return extension.log_probability > -math.inf


def _divide(best: list[_Extension], step: int, settings: _Settings) -> tuple[list[_Extension], list[_Extension]]:
    """Choose what is continued, the best that have not ended, and what is a hypothesis: what ended among the best."""
    continued, ended = list[_Extension](), list[_Extension]()
    for rank, each in enumerate(best):
        if each.token in settings.stop or step == settings.length:
            if rank < settings.beams and _is_possible(each):
                ended.append(each)
        elif len(continued) < settings.beams:
            continued.append(each)
    return continued, ended


def _hypothesis(extension: _Extension, written: Tensor, step: int, settings: _Settings) -> Hypothesis:
    """Score a text that has ended; the token that stopped it is no part of it, but counts in its length."""
    ids = written[extension.row].tolist()
    if extension.token not in settings.stop:
        ids.append(extension.token)
    total = extension.log_probability
    return Hypothesis(ids, total, settings.score(total, step))


def _candidates(
    best: list[_Extension], continued: list[_Extension], ended: list[_Extension], written: Tensor
) -> list[Candidate]:
    """Tell what became of each extension that was considered, and is possible."""
    fates = {**dict.fromkeys(best, "dropped"), **dict.fromkeys(continued, "kept"), **dict.fromkeys(ended, "ended")}
    return [
        Candidate([*written[each.row].tolist(), each.token], each.log_probability, fate)
        for each, fate in fates.items()
        if _is_possible(each)
    ]


def _is_over(hypotheses: list[Hypothesis], best_total: float, step: int, settings: _Settings) -> bool:
    """Say whether no unfinished text can overtake the hypotheses.

    Its log-probability can only fall, but so may the penalty that divides it, which is monotonic in the length: the
    highest score that it can reach is that with its next length or with its last.
    """
    if len(hypotheses) < settings.beams or settings.early_stopping:
        return len(hypotheses) == settings.beams
    highest = max(settings.score(best_total, length) for length in (step + 1, settings.length))
    return hypotheses[-1].score >= highest


def _in_their_rows(extensions: list[_Extension], rows: range) -> list[_Extension]:
    """Order a prompt's extensions so that as many as possible stay in the row of the text that they extend.

    The others take the rows that are left: a cache then has only those to move. Where there are fewer or more
    extensions than rows, as in the first step, they stay in their order.
    """
    if len(extensions) != len(rows):
        return extensions
    staying: dict[int, _Extension] = {}
    moving: list[_Extension] = []
    for each in extensions:
        if each.row in staying:
            moving.append(each)
        else:
            staying[each.row] = each
    return [staying[row] if row in staying else moving.pop(0) for row in rows]
