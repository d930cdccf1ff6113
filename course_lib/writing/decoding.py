"""From a model's logits to text: greedy decoding, sampling and beam search. Built by hand in notebooks 07 and 08.

All take the same two kinds of model. A `Transformer` translates each prompt; a `LanguageModel` goes on with it. Only
what is new comes back, without the stop token.

    greedy(model, prompts)                                  the likeliest token at each step
    sample(model, prompts, temperature=0.8, top_p=0.9)      drawn by chance
    beam_search(model, prompts, beams=4)                    several texts at once, the best of them kept
    for token in stream(model, prompt): ...                 a token at a time
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.learning.batches import pad_rows
from course_lib.learning.training import evaluating
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.writing.cache import CachedModel, UncachedModel, can_cache

ROWS_AT_ONCE = 256

Model = LanguageModel | Transformer
Reader = CachedModel | UncachedModel
Prompts = Sequence[Sequence[int]] | Tensor
Choice = Callable[[Tensor], Tensor]
"""A way to choose: logits (B, V) to one token for each row, (B,)."""


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Sharpen (below 1) or flatten (above 1) a distribution: logits / temperature.

    The order of the tokens stays. At 0, the limit, the likeliest token alone is left.

    Takes logits (..., V), and returns the same shape. Raises ValueError for a temperature that is negative or no
    number.

    >>> apply_temperature(torch.tensor([2.0, 1.0]), 0.5)
    tensor([4., 2.])
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature should be 0 or a number above it, but is {temperature}")
    if temperature == 0:
        best = torch.nn.functional.one_hot(logits.argmax(dim=-1), logits.size(-1)).bool()  # (..., V)
        return logits.masked_fill(~best, -math.inf)
    return logits / temperature


def top_k_filter(logits: Tensor, k: int) -> Tensor:
    """Keep the k largest logits, and set the others to minus infinity.

    Fan, Lewis and Dauphin 2018, arXiv:1805.04833, section 5.4. What equals the k-th largest is kept too.

    Takes logits (..., V), and returns the same shape; where there are no more than k, all are kept. Raises ValueError
    for a k below 1.

    >>> top_k_filter(torch.tensor([2.0, 1.0, 3.0]), k=2)
    tensor([2., -inf, 3.])
    """
    if not 1 <= k < math.inf or k != int(k):
        raise ValueError(f"k says how many tokens to keep, 1 or more, but is {k}; to keep all, leave top_k out")
    smallest = logits.topk(min(int(k), logits.size(-1)), dim=-1).values[..., -1:]  # (..., 1)
    return logits.masked_fill(logits < smallest, -math.inf)


def top_p_filter(logits: Tensor, p: float) -> Tensor:
    """Keep the fewest tokens that together have at least probability p, and set the others to minus infinity.

    The token that crosses p is kept, so that one always is. Holtzman et al. 2020, arXiv:1904.09751, section 3.1.

    Takes logits (..., V), and returns the same shape. Raises ValueError for a p that is not from 0 to 1.

    >>> top_p_filter(torch.tensor([0.5, 0.3, 0.2]).log(), p=0.6).exp()
    tensor([0.5000, 0.3000, 0.0000])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, from 0 to 1, but is {p}")
    if p == 1:
        return logits
    ordered, order = logits.softmax(dim=-1).sort(dim=-1, descending=True, stable=True)  # (..., V)
    reached_before = ordered.cumsum(dim=-1) - ordered >= p
    reached_before[..., 0] = False
    return logits.masked_fill(reached_before.scatter(-1, order, reached_before), -math.inf)


def likeliest(logits: Tensor) -> Tensor:
    """Choose the likeliest token: logits (B, V) to (B,). The first one where several are."""
    return logits.argmax(dim=-1)


def sampler(
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Choice:
    """A choice by chance: temperature first, then top-k, then top-p, then a draw from what is left.

    That is the order of GPT-2's code. What is None filters nothing. The generator stands on the model's device; None is
    torch's own. The filters say what they refuse.
    """

    def choose(logits: Tensor) -> Tensor:
        logits = apply_temperature(logits, temperature)
        logits = logits if top_k is None else top_k_filter(logits, top_k)
        logits = logits if top_p is None else top_p_filter(logits, top_p)
        return torch.multinomial(logits.softmax(dim=-1), 1, generator=generator).squeeze(1)

    return choose


def greedy(
    model: Model,
    prompts: Prompts,
    max_length: int | None = None,
    *,
    bos: int | None = None,
    stop: Sequence[int] = (),
    pad: int | None = None,
    use_cache: bool = True,
) -> list[list[int]]:
    """Write by taking the likeliest token at each step. The same input always gives the same output.

    Args:
        model: an encoder–decoder, or a language model, on any device. Dropout is off meanwhile.
        prompts: lists of ids, of any lengths: sentences to translate, or beginnings to go on with. What is longer than
            a language model's positions is read from its last tokens.
        max_length: most tokens to write for each; None: as many as the model has positions.
        bos: the id that a translation starts with, such as `tokenizer.bos`; a language model needs none.
        stop: ids that end a text, such as `[tokenizer.eos]`; none: every text is written to its full length.
        pad: the id that fills up shorter sentences to translate; None: the one that the model's `config` names.
        use_cache: whether to keep keys and values; without it, each step reads the whole text again. Models that are
            not the course's own are never cached, nor those with a learner's own attention class: they need
            `encode` and `decode`, or take ids to logits.

    Returns one list of new ids for each prompt, in their order.

    Raises ValueError for a prompt without tokens, or with ids that the model does not have.
    """
    return _write(model, prompts, likeliest, max_length, _Ids(bos, stop, pad), use_cache)


def sample(
    model: Model,
    prompts: Prompts,
    max_length: int | None = None,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    bos: int | None = None,
    stop: Sequence[int] = (),
    pad: int | None = None,
    use_cache: bool = True,
) -> list[list[int]]:
    """Write by drawing each token by its probability, after the filters of `sampler`.

    The same generator in the same state gives the same texts. All else is as in `greedy`.
    """
    return _write(
        model, prompts, sampler(temperature, top_k, top_p, generator), max_length, _Ids(bos, stop, pad), use_cache
    )


def stream(
    model: Model,
    prompt: Sequence[int],
    max_length: int | None = None,
    *,
    choose: Choice = likeliest,
    bos: int | None = None,
    stop: Sequence[int] = (),
    pad: int | None = None,
    use_cache: bool = True,
) -> Iterator[int]:
    """Write one text a token at a time: each id comes as soon as it is chosen.

    Leave the loop, or interrupt it, whenever you have enough. Between two tokens the model is as it was: dropout and
    gradients are off only while it works. `choose` is `likeliest` or a `sampler(...)`; all else is as in `greedy`.
    """
    length = _longest(model, max_length)
    (prompts,) = _batches(model, [prompt], 1)
    steps: Iterator[dict[int, int]] | None = None
    while True:
        with evaluating(model):
            steps = steps or _steps(
                *_begin(model, prompts, length, _Ids(bos, stop, pad), use_cache), choose, length, stop
            )
            tokens = next(steps, None)
        if tokens is None:
            return
        yield tokens[0]


class _Ids(NamedTuple):
    """The special ids, as `greedy` takes them."""

    bos: int | None
    stop: Sequence[int]
    pad: int | None


class Hypothesis(NamedTuple):
    """A text that a beam search found: its ids, its log-probability (nats, the stop token's included), its score."""

    ids: list[int]
    log_probability: float
    score: float


class Candidate(NamedTuple):
    """What a beam search looks at in a step: a text with its newest token, its log-probability, what becomes of it."""

    ids: list[int]
    log_probability: float
    fate: str  # "kept", "ended" or "dropped"


def length_penalty(length: int, alpha: float) -> float:
    """What a log-probability is divided by, so that longer texts are not always worse.

        lp(Y) = (5 + |Y|)^alpha / (5 + 1)^alpha

    Wu et al. 2016, arXiv:1609.08144, eq. 14. The length |Y| counts what was written, the stop token included.

    >>> length_penalty(1, 0.6), length_penalty(13, 0.5)
    (1.0, 1.7320508075688772)
    """
    penalty: float = ((5 + length) / 6) ** alpha
    return penalty


def beam_search(
    model: Model,
    prompts: Prompts,
    max_length: int | None = None,
    *,
    beams: int = 4,
    alpha: float = 0.6,
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

    Each step extends every beam by every token, and goes on with the `beams` best that have not ended. What ends among
    the `beams` best is a hypothesis, and so is what is still going at `max_length`. Vaswani et al. 2017, section 6.1,
    use 4 beams and alpha 0.6; with alpha 0 the score is the log-probability.

    Args:
        model: as in `greedy`.
        prompts: as in `greedy`.
        max_length: as in `greedy`.
        beams: how many texts go on at each step.
        alpha: the exponent of `length_penalty`.
        early_stopping: whether to stop as soon as there are `beams` hypotheses. Otherwise the search goes on until none
            that is still going can overtake them.
        n_best: how many hypotheses to return for each prompt, at most `beams`.
        bos: as in `greedy`.
        stop: as in `greedy`.
        pad: as in `greedy`.
        use_cache: as in `greedy`.
        watch: called at each step, for each prompt that is still searched for, with the candidates looked at, the best
            first.

    Returns for each prompt its `n_best` hypotheses, the best first; fewer where the model has fewer.

    Raises ValueError for beams below 1, an `n_best` that is not from 1 to `beams`, or what `greedy` refuses.
    """
    if beams < 1:
        raise ValueError(f"beams says how many texts go on at once, 1 or more, but is {beams}")
    if not 1 <= n_best <= beams:
        raise ValueError(f"n_best should be from 1 to beams={beams}, but is {n_best}")
    search = _Search(beams, alpha, early_stopping, _longest(model, max_length), frozenset(stop), watch)
    found = list[list[Hypothesis]]()
    with evaluating(model):
        for some in _batches(model, prompts, max(1, ROWS_AT_ONCE // beams)):
            found += search.run(*_begin(model, some, search.length, _Ids(bos, stop, pad), use_cache))
    return [hypotheses[:n_best] for hypotheses in found]


_Extended = tuple[int, int, float]
"""A row with one more token: the row, the token, the log-probability of both."""


class _Search(NamedTuple):
    """A beam search, with the settings of `beam_search`."""

    beams: int
    alpha: float
    early_stopping: bool
    length: int
    stop: frozenset[int]
    watch: Callable[[list[Candidate]], None] | None

    def run(self, reader: Reader, logits: Tensor) -> list[list[Hypothesis]]:
        """Search from the logits (B, V) of each prompt's first token, and return what ends for each, the best first."""
        found = [[] if self.length else [Hypothesis([], 0.0, 0.0)] for _ in logits]
        going = list(range(len(found)))  # the prompts that are still searched for: B, with n rows each
        totals = logits.new_zeros(len(found), 1)  # (B, n), the log-probability of each row
        written = torch.empty(len(found), 0, dtype=torch.long, device=logits.device)  # (B * n, t)
        for step in range(1, self.length + 1):
            n, V = totals.size(1), logits.size(1)
            longer = logits.log_softmax(dim=-1).view(-1, n, V) + totals[..., None]  # (B, n, V)
            # At most one in n of the best ends with a given stop token: with so many, enough are left that go on.
            best = longer.flatten(1).topk(min((1 + len(self.stop)) * self.beams, n * V), dim=1)  # (B, count)
            ranked = zip(going, best.values.tolist(), best.indices.tolist(), strict=True)
            going, kept = [], list[_Extended]()
            for i, (prompt, totals_here, places) in enumerate(ranked):
                looked_at = [(i * n + at // V, at % V, total) for at, total in zip(places, totals_here, strict=True)]
                on = [each for each in looked_at if not self._ends(each, step)][: self.beams]
                ended = [each for each in looked_at[: self.beams] if self._ends(each, step)]
                found[prompt] += [self._hypothesis(each, written, step) for each in ended]
                found[prompt] = sorted(found[prompt], key=lambda text: -text.score)[: self.beams]
                if self.watch:
                    fates = ["kept" if each in on else "ended" if each in ended else "dropped" for each in looked_at]
                    texts = [[*written[row].tolist(), token] for row, token, _ in looked_at]
                    self.watch([Candidate(*each) for each in zip(texts, totals_here, fates, strict=True)])
                if on and not self._is_over(found[prompt], on[0][2], step):
                    going.append(prompt)
                    kept += _in_place(on, i * n, n)
            if not kept:
                break
            rows, tokens = (torch.tensor([each[i] for each in kept], device=logits.device) for i in (0, 1))
            totals = totals.new_tensor([total for _, _, total in kept]).view(len(going), -1)  # (B, n)
            written = torch.cat((written[rows], tokens[:, None]), dim=1)  # (B * n, t + 1)
            reader.select(rows)
            logits = reader.read(tokens[:, None])  # (B * n, V)
        return found

    def _ends(self, extended: _Extended, step: int) -> bool:
        return extended[1] in self.stop or step == self.length

    def _hypothesis(self, extended: _Extended, written: Tensor, step: int) -> Hypothesis:
        row, token, total = extended
        ids = [*written[row].tolist(), *[token] * (token not in self.stop)]
        return Hypothesis(ids, total, total / length_penalty(step, self.alpha))

    def _is_over(self, found: list[Hypothesis], best_total: float, step: int) -> bool:
        """Whether no row that is still going can overtake: its log-probability falls, but so may what divides it."""
        if len(found) < self.beams or self.early_stopping:
            return len(found) == self.beams
        return found[-1].score >= max(best_total / length_penalty(n, self.alpha) for n in (step + 1, self.length))


def _in_place(extended: list[_Extended], first: int, n: int) -> list[_Extended]:
    """Order a prompt's texts so that as many as can be stay in the row of the text that they extend.

    The others take the rows that are left, from `first` to `first + n`: a cache has only those to move.
    """
    if len(extended) != n:
        return extended
    rows: dict[int, _Extended] = {}
    for each in extended:
        rows.setdefault(each[0], each)
    others = (each for each in extended if rows[each[0]] is not each)
    return [rows.get(row) or next(others) for row in range(first, first + n)]


def _write(
    model: Model, prompts: Prompts, choose: Choice, max_length: int | None, special: _Ids, use_cache: bool
) -> list[list[int]]:
    length, texts = _longest(model, max_length), list[list[int]]()
    with evaluating(model):
        for some in _batches(model, prompts, ROWS_AT_ONCE):
            rows: list[list[int]] = [[] for _ in some]
            for tokens in _steps(*_begin(model, some, length, special, use_cache), choose, length, special.stop):
                for row, token in tokens.items():
                    rows[row].append(token)
            texts += rows
    return texts


def _steps(
    reader: Reader, logits: Tensor, choose: Choice, length: int, stop: Sequence[int]
) -> Iterator[dict[int, int]]:
    """Choose step by step, from the logits (B, V) of each row's first token on.

    Yields the token that each row got; rows that have ended are not there.
    """
    rows = list(range(len(logits)))
    for step in range(length):
        chosen = choose(logits)  # (B,)
        tokens = chosen.tolist()
        going = [i for i, token in enumerate(tokens) if token not in stop]
        rows = [rows[i] for i in going]
        if not rows:
            return
        yield dict(zip(rows, (tokens[i] for i in going), strict=True))
        if len(going) < len(tokens):
            reader.select(torch.tensor(going, device=logits.device))
            chosen = chosen[going]
        if step + 1 < length:
            logits = reader.read(chosen[:, None])  # (B, V)


def _begin(
    model: Model, prompts: Sequence[Sequence[int]], length: int, special: _Ids, use_cache: bool
) -> tuple[Reader, Tensor]:
    """Read the prompts. Returns what reads on, and the logits (B, V) of the first token after each."""
    device = next(model.parameters()).device
    lengths = torch.tensor([len(ids) for ids in prompts], device=device)
    pad = _filler(model, prompts, special.pad)
    ids = pad_rows(prompts, pad, device)  # (B, S)
    padding = torch.arange(ids.size(1), device=device) >= lengths[:, None]  # (B, S)
    make = CachedModel if use_cache and can_cache(model) else UncachedModel
    if not _translates(model):
        reader = make(model, ids.size(1) + length)
        return reader, reader.read(ids, padding)
    if special.bos is None:
        raise ValueError("a translation starts with an id of its own: say which, such as bos=tokenizer.bos")
    reader = make(model, length + 1, ids)
    return reader, reader.read(torch.full((len(ids), 1), special.bos, device=device))


def _filler(model: Model, prompts: Sequence[Sequence[int]], pad: int | None) -> int | None:
    """The id that fills up shorter prompts."""
    if not _translates(model):
        return int(prompts[0][0])  # any id will do, since a language model is told where the padding is
    return getattr(getattr(model, "config", None), "pad", None) if pad is None else pad


def _translates(model: Model) -> bool:
    return hasattr(model, "encode")


def _longest(model: Model, max_length: int | None) -> int:
    """How many tokens to write at most."""
    positions: int | None = getattr(getattr(model, "config", None), "max_length", None)
    if max_length is not None and not (max_length >= 0 and max_length % 1 == 0):
        raise ValueError(f"max_length says how many tokens to write at most, 0 or more, but is {max_length}")
    if max_length is None:
        if positions is None:
            raise ValueError("say how many tokens to write at most, max_length=…: this model does not say it")
        return positions
    return int(min(max_length, positions) if positions is not None and _translates(model) else max_length)


def _batches(model: Model, prompts: Prompts, size: int) -> Iterator[Sequence[Sequence[int]]]:
    """Cut prompts into batches, once each is found to be one that the model can read."""
    vocabulary = getattr(getattr(model, "config", None), "vocabulary", math.inf)
    prompts = prompts.tolist() if isinstance(prompts, Tensor) else prompts
    for i, ids in enumerate(prompts):
        if not isinstance(ids, Sequence):
            raise TypeError(f"prompts should be a list of lists of ids, but prompt {i} is {ids!r}: write [prompt]")
        if not len(ids):
            nothing = "to translate" if _translates(model) else "to go on with; [bos] alone will do"
            raise ValueError(f"prompt {i} has no tokens, so there is nothing {nothing}")
        for each in ids:
            if not hasattr(each, "__index__"):
                raise TypeError(f"prompt {i} should hold ids, whole numbers, but has {each!r}: encode a text first")
        if not 0 <= min(ids) <= max(ids) < vocabulary:
            raise ValueError(
                f"prompt {i} has ids from {min(ids)} to {max(ids)}, but the model's are 0 to {vocabulary - 1}"
            )
    yield from (prompts[i : i + size] for i in range(0, len(prompts), size))
