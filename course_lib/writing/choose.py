"""From a model's logits to text, one token after another: greedy decoding and sampling. Built in notebooks 07 and 09.

Both take the same two kinds of model. A `Transformer` translates each prompt; a `LanguageModel` continues it. Only what
is new is returned, without the id that stopped it.

    greedy(model, prompts)                                  the likeliest token at each step
    sample(model, prompts, temperature=0.8, top_p=0.9)      a random one
    for token in write_tokens(model, prompt): ...           one text, a token at a time
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from course_lib.learning.training import evaluating
from course_lib.writing.prompts import ROWS_AT_ONCE, Model, Prompts, Reader, Request, check_logits, request

Choice = Callable[[Tensor], Tensor]
"""A way to choose: from logits (B, V) to one token for each row, (B,)."""


def apply_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Sharpen (below 1) or flatten (above 1) a distribution: logits / temperature.

    The order of the tokens stays the same. At 0, the limit, only the likeliest token is left; so it is at temperatures
    that are too small to divide by.

    Takes logits (..., V), and returns the same shape. Raises ValueError for a temperature that is negative, infinite
    or not a number.

    >>> apply_temperature(torch.tensor([2.0, 1.0]), 0.5)
    tensor([4., 2.])
    """
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature should be 0 or a number above it, but is {temperature}")
    if temperature < torch.finfo(torch.promote_types(logits.dtype, torch.float32)).tiny:
        best = torch.nn.functional.one_hot(logits.argmax(dim=-1), logits.size(-1)).bool()  # (..., V)
        return logits.masked_fill(~best, -math.inf)
    return logits / temperature


def top_k_filter(logits: Tensor, k: int) -> Tensor:
    """Keep the k largest logits, and set the others to minus infinity.

    Fan, Lewis and Dauphin 2018, arXiv:1805.04833, section 5.4. Logits that equal the k-th largest are kept too.

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

    The token that crosses p is kept, so there always is one. Holtzman et al. 2020, arXiv:1904.09751, section 3.1.

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
    and Hugging Face's code. Built by hand in notebook 09. Raises FloatingPointError as `check_logits` does.

    >>> next_token_probabilities(torch.zeros(4), 1.0, None, None)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    check_logits(logits)
    logits = warm(logits, temperature)
    if k is not None:
        logits = keep_k(logits, k)
    if p is not None:
        logits = keep_p(logits, p)
    return torch.softmax(logits, dim=-1)  # (..., V)


def likeliest(logits: Tensor) -> Tensor:
    """Choose the likeliest token: logits (B, V) to (B,). Where several are, the one with the smallest id.

    Raises FloatingPointError as `check_logits` does.
    """
    check_logits(logits)
    return logits.argmax(dim=-1)


def sampler(
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Choice:
    """Make a choice at random: temperature first, then top-k, then top-p, then a draw from what is left.

    That is the order in GPT-2's code. A filter that is None is left out. The generator has to be on the model's device;
    None means torch's own. The filters say what they refuse, and so does `check_logits`.
    """

    def choose(logits: Tensor) -> Tensor:
        # Without the largest, which changes no probability, logits stay finite at any temperature.
        below_the_best = logits - logits.amax(dim=-1, keepdim=True)  # (B, V)
        probabilities = next_token_probabilities(below_the_best, temperature, top_k, top_p)  # (B, V)
        return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)

    return choose


# One text, in the plain form that a learner writes first.


def continue_greedily(model: Any, ids: list[int], length: int) -> list[int]:
    """Add `length` tokens to a text, each time the most likely next one. Returns the new ids.

    Built by hand in notebook 06.
    """
    text = list(ids)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        text.append(int(logits[0, -1].argmax()))
    return text[len(ids) :]


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

    Takes logits (T, V), of which row t predicts ids[t], and ids (T,). Returns a scalar. Built by hand in notebook 09.

    >>> text_log_probability(torch.zeros(2, 4), torch.tensor([0, 3]))  # 2 ln ¼
    tensor(-2.7726)
    """
    log_p = torch.log_softmax(logits, dim=-1)  # (T, V)
    return log_p.gather(1, ids.unsqueeze(1)).sum()


# Many texts at once, with a cache.


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
        model: an encoder–decoder or a language model, on any device. Dropout is off meanwhile.
        prompts: lists of ids, of any lengths: sentences to translate, or beginnings to continue. Of a beginning with
            more tokens than a language model has positions, the last ones are read.
        max_length: the most tokens to write for each prompt; None: as many as the model has positions.
        bos: the id that a translation starts with, such as `tokenizer.bos`; a language model needs none.
        stop: ids that end a text, such as `[tokenizer.eos]`; none: every text is written to its full length.
        pad: the id that fills up shorter sentences to translate; None: the one that the model's `config` names.
        use_cache: whether to keep keys and values; without them, each step reads the whole text again. Models that are
            not the course's own are never cached, nor those with a learner's own attention class: they need `encode`
            and `decode`, or turn ids into logits.

    Returns one list of new ids for each prompt, in their order.

    Raises ValueError for a prompt without tokens, or with ids that the model does not have, and for a translation
    without `bos`; TypeError for a model that cannot write; FloatingPointError for one whose logits are not numbers.
    """
    asked = request(model, prompts, max_length, bos=bos, stop=stop, pad=pad, use_cache=use_cache)
    return _write(asked, likeliest)


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
    """Write by drawing each token with its probability, after the filters of `sampler`.

    The same generator in the same state gives the same texts. All else is as in `greedy`.
    """
    asked = request(model, prompts, max_length, bos=bos, stop=stop, pad=pad, use_cache=use_cache)
    return _write(asked, sampler(temperature, top_k, top_p, generator))


def write_tokens(
    model: Model,
    prompt: Sequence[int],
    max_length: int | None = None,
    *,
    choose: Choice = likeliest,
    bos: int | None = None,
    stop: Sequence[int] = (),
    use_cache: bool = True,
) -> Iterator[int]:
    """Write one text a token at a time: each id is handed out as soon as it is chosen.

    Leave the loop, or interrupt it, whenever you have enough. Between two tokens the model is as it was: dropout and
    gradients are off only while it works. `choose` is `likeliest` or a `sampler(...)`; all else is as in `greedy`.
    """
    asked = request(model, [prompt], max_length, bos=bos, stop=stop, pad=None, use_cache=use_cache)
    ((ids, padding),) = asked.batches(1)
    steps: Iterator[tuple[list[int], list[int]]] | None = None
    while True:
        with evaluating(model):
            if steps is None:
                steps = _steps(*asked.begin(ids, padding), asked, choose)
            step = next(steps, None)
        if step is None:
            return
        _, (token,) = step
        yield token


def _write(asked: Request, choose: Choice) -> list[list[int]]:
    """Write a text for each prompt."""
    texts = list[list[int]]()
    with evaluating(asked.model):
        for ids, padding in asked.batches(ROWS_AT_ONCE):
            batch: list[list[int]] = [[] for _ in ids]
            for rows, tokens in _steps(*asked.begin(ids, padding), asked, choose):
                for row, token in zip(rows, tokens, strict=True):
                    batch[row].append(token)
            texts += batch
    return texts


def _steps(reader: Reader, logits: Tensor, asked: Request, choose: Choice) -> Iterator[tuple[list[int], list[int]]]:
    """Choose a token for each text, step by step, starting from the logits (B, V) of the first one.

    Yields for each step which rows of the batch are still being written, and the token of each.
    """
    rows = list(range(len(logits)))
    for step in range(asked.length):
        chosen = choose(logits)  # (B',)
        tokens = chosen.tolist()
        if not asked.stop.isdisjoint(tokens):
            going = [i for i, token in enumerate(tokens) if token not in asked.stop]
            if not going:
                return
            rows, tokens = [rows[i] for i in going], [tokens[i] for i in going]
            selected = torch.tensor(going, device=logits.device)
            chosen = chosen[selected]  # (B',)
            reader.select(selected)
        yield rows, tokens
        if step + 1 < asked.length:
            logits = reader.read(chosen[:, None])  # (B', V)
