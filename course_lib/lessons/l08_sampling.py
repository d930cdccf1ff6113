"""The exercises of notebook 08: choosing the next token, beam search, and the KV cache."""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_lib.exercises.cases import case, mistakes, numbers, paragraphs
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l06_decoder import StandIn, grown
from course_lib.transformer.attention import causal_mask, scaled_dot_product_attention
from course_lib.writing.beam import length_penalty
from course_lib.writing.choose import apply_temperature, top_k_filter, top_p_filter

Pair = tuple[Tensor, Tensor]
"""The keys and the values of a cache."""


def _call(answer: Any, *arguments: Any) -> Any:
    return (answer() if isinstance(answer, type) else answer)(*arguments)


# How likely a text is.


def text_log_probability(logits: Tensor, ids: Tensor) -> Tensor:
    """The log-probability of a text, in nats: logits (T, V), of which row t predicts ids[t], and ids (T,)."""
    log_p = torch.log_softmax(logits, dim=-1)  # (T, V)
    return log_p.gather(1, ids.unsqueeze(1)).sum()


def _probability(logits: Tensor, ids: Tensor) -> Tensor:
    """Yours is the probability, a product. For a long text that is 0 to any computer: add up the logarithms."""
    return text_log_probability(logits, ids).exp()


def _logarithm_of_the_product(logits: Tensor, ids: Tensor) -> Tensor:
    """You multiplied first and took the logarithm then. The product of a long text is too small for a computer, and
    ln 0 is minus infinity: logarithms first, then their sum.
    """
    return logits.softmax(-1)[torch.arange(len(ids)), ids].prod().log()


def _logarithm_of_the_softmax(logits: Tensor, ids: Tensor) -> Tensor:
    """The softmax makes very unlikely tokens 0, and ln 0 is minus infinity: `torch.log_softmax` does both in one."""
    return logits.softmax(-1)[torch.arange(len(ids)), ids].log().sum()


def _mean(logits: Tensor, ids: Tensor) -> Tensor:
    """You took the mean, as a loss does. The log-probability of a text is the sum over all its tokens."""
    return text_log_probability(logits, ids) / len(ids)


def _raw(logits: Tensor, ids: Tensor) -> Tensor:
    """You added logits up. A logit alone says nothing, since only differences count: `log_softmax` first."""
    return logits[torch.arange(len(ids)), ids].sum()


def _over_the_places(logits: Tensor, ids: Tensor) -> Tensor:
    """Your softmax runs over the places, so that tokens at different places compete. At each place the V tokens do: the
    last axis.
    """
    return logits.log_softmax(0)[torch.arange(len(ids)), ids].sum()


def _surprise(logits: Tensor, ids: Tensor) -> Tensor:
    """Yours is above 0: that is the surprise. A log-probability is the logarithm itself, at most 0, without a minus."""
    return -text_log_probability(logits, ids)


def _in_bits(logits: Tensor, ids: Tensor) -> Tensor:
    """Yours is in bits, by the logarithm to base 2. Here it is the natural one: nats."""
    return text_log_probability(logits, ids) / math.log(2)


def _in_tens(logits: Tensor, ids: Tensor) -> Tensor:
    """You took the logarithm to base 10. Here it is the natural one, `log`: nats."""
    return text_log_probability(logits, ids) / math.log(10)


def _shifted(logits: Tensor, ids: Tensor) -> Tensor:
    """You compare row t with the next token. Here row t already is the prediction of ids[t]: nothing is to be
    shifted.
    """
    return text_log_probability(logits[:-1], ids[1:])


def _last_token(logits: Tensor, ids: Tensor) -> Tensor:
    """That is the last token only. Every token of the text has its share: add all T of them up."""
    return text_log_probability(logits[-1:], ids[-1:])


def _as_a_tensor(answer: Any) -> Callable[..., Any]:
    def function(logits: Tensor, ids: Tensor) -> Any:
        found = _call(answer, logits, ids)
        if isinstance(found, int | float):
            raise TypeError("a tensor is wanted, but you return a number: leave `.item()` or `float` away")
        return found

    return function


_IDS = torch.tensor([1, 4, 0])

TEXT_LOG_PROBABILITY = Exercise(
    name="text_log_probability",
    notebook=8,
    reference=text_log_probability,
    returns=("the log-probability",),
    minutes=5,
    difficulty=1,
    adapt=_as_a_tensor,
    cases=(
        case(numbers(3, 5), _IDS),
        case(numbers(3, 5, seed=1), _IDS),
        case(numbers(1, 4), torch.tensor([2]), having="a single token"),
        case(numbers(4, 4), torch.tensor([3, 1, 0, 0]), having="as many tokens as the vocabulary has"),
        case(numbers(3, 5) * 100, _IDS, having="huge numbers"),
        case(numbers(150, 6), torch.arange(150) % 6, having="a long text"),
        case(numbers(3, 5, dtype=torch.float64), _IDS, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _probability,
        _logarithm_of_the_product,
        _logarithm_of_the_softmax,
        _mean,
        _raw,
        _over_the_places,
        _surprise,
        _in_bits,
        _in_tens,
        _shifted,
        _last_token,
    ),
    hints=paragraphs("""
        The probability of a text is a product: that of its first token, times that of its second after the first, and
        so on. What does a logarithm make of a product?

        `torch.log_softmax` over the last axis gives ln p of all V tokens at every place. One number in each row is
        that of the token which stands in the text.

        Pick the number ids[t] out of row t, by `gather` or by two indices side by side, and add all T of them up.
    """),
)


# Greedy.


def greedy_text(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Go on with a prompt by the likeliest next token, until the stop token or `length` new ones. Returns the new ids.

    The stop token is left out. The model takes ids (1, T) to logits (1, T, V).
    """
    text = list(prompt)
    for _ in range(length):
        logits = model(torch.tensor([text]))  # (1, T, V)
        best = int(logits[0, -1].argmax())
        if best == stop:
            break
        text.append(best)
    return text[len(prompt) :]


def _never_stops(model: Any, prompt: list[int], length: int, _stop: int) -> list[int]:
    """Your text runs on after the stop token. That one says that the text is over: leave the loop there.

    Seen in https://github.com/joeynmt/joeynmt/issues/78.
    """
    return grown(prompt, length, lambda text: model(torch.tensor([text]))[0, -1].argmax())


def _keeps_the_stop(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Your text ends with the stop token. It says that the text is over, and is no part of it."""
    found = greedy_text(model, prompt, length, stop)
    return [*found, stop] if len(found) < length else found


def _with_the_prompt(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Your result begins with the prompt. Only what is new is wanted."""
    return [*prompt, *greedy_text(model, prompt, length, stop)]


def _only_the_latest(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """You give the model the latest token only. It has no memory between calls: give it all of the text so far."""
    return grown(prompt, length, lambda text: model(torch.tensor([text[-1:]]))[0, -1].argmax(), stop)


def _at_the_first_place(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """You read the prediction at the first place. The new token is predicted at the last."""
    return grown(prompt, length, lambda text: model(torch.tensor([text]))[0, 0].argmax(), stop)


def _old_scores(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """You choose from the same logits again and again. After each new token the model has to be asked anew, with that
    token at the end.

    Seen in https://github.com/xberg-io/xberg/issues/1210.
    """
    return grown(prompt, length, lambda _text: model(torch.tensor([prompt]))[0, -1].argmax(), stop)


def _prompt_counted(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """You count the prompt in the length, so that a long prompt leaves room for little. Only new tokens count."""
    return greedy_text(model, prompt, length - len(prompt), stop)


def _place_for_token(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Your `argmax` runs over the places and gives the number of a place. It should run over the V tokens: the last
    axis.
    """
    return grown(prompt, length, lambda text: model(torch.tensor([text])).argmax(dim=1)[0, -1], stop)


def _over_all_places(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """Your `argmax` runs over the predictions of all places at once. Take those at the last place first:
    `logits[0, -1]`.
    """
    return grown(prompt, length, lambda text: model(torch.tensor([text])).argmax(), stop)


def _logit_for_token(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """You take the highest logit itself: `max`. The token is the place where it stands: `argmax`."""
    return grown(prompt, length, lambda text: model(torch.tensor([text]))[0, -1].max(), stop)


def _stopped_by_the_prompt(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """You look for the stop token in the whole text. In a prompt it may stand, and ends nothing: look at the new token
    only.
    """
    return [] if stop in prompt else greedy_text(model, prompt, length, stop)


def _prompt_grows(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """The ids are right, but the caller's prompt has grown: you append to it. Work on a copy, `list(prompt)`."""
    found = greedy_text(model, prompt, length, stop)
    prompt += found
    return found


def _prompt_is_the_text(model: Any, prompt: list[int], length: int, stop: int) -> list[int]:
    """`text = prompt` is the same list under a second name: it grows under both, and nothing comes after its end. Begin
    with a copy, `list(prompt)`.
    """
    prompt += greedy_text(model, prompt, length, stop)
    return []


def _with_a_prompt(answer: Any) -> Callable[..., Any]:
    """Hand in a copy of the prompt, and see afterwards whether it is still what it was."""

    def function(model: Any, prompt: list[int], *settings: Any) -> Any:
        copied = list(prompt)
        found = _call(answer, model, copied, *settings)
        return None if found is None else (found, copied)

    return function


_MODEL = StandIn(4 * numbers(13, 11))

GREEDY_TEXT = Exercise(
    name="greedy_text",
    notebook=8,
    reference=greedy_text,
    returns=("the new ids", "the prompt, when all is done,"),
    minutes=10,
    difficulty=1,
    adapt=_with_a_prompt,
    cases=(
        case(_MODEL, [1, 2], 10, 4),
        case(_MODEL, [4, 3], 10, 4),
        case(_MODEL, [7], 8, 2, having="a prompt of a single token"),
        case(_MODEL, [1, 2, 2, 4], 3, 10, having="a length that cuts"),
        case(_MODEL, [1, 2], 5, 4, having="a length that just holds it"),
        case(_MODEL, [4, 2], 5, 3, having="a text that stops at once"),
        case(_MODEL, [5, 1, 3], 8, 3, having="the stop token in the prompt"),
    ),
    mistakes=mistakes(
        _never_stops,
        _keeps_the_stop,
        _with_the_prompt,
        _only_the_latest,
        _at_the_first_place,
        _old_scores,
        _prompt_counted,
        _place_for_token,
        _over_all_places,
        _logit_for_token,
        _stopped_by_the_prompt,
        _prompt_grows,
        _prompt_is_the_text,
    ),
    hints=paragraphs("""
        A loop that runs at most `length` times: ask the model, take the likeliest token, put it at the end of the text.

        The model wants a batch, (1, T), and predicts after every token. Only what it predicts at the last place is new.
        Look at the new token before you put it into the text: is it the one that ends everything?

        Work on a copy of the prompt, so that the caller's list stays as it is. At the end, hand out the part of your
        list that came after the prompt.
    """),
)


# Temperature and filters.


def _as_a_distribution(answer: Any) -> Callable[..., Any]:
    """Any logits will do that give the same distribution: shifted by a constant, −1e9 for minus infinity."""

    def function(logits: Tensor, setting: float) -> Any:
        found = _call(answer, logits, setting)
        return found.softmax(dim=-1) if isinstance(found, Tensor) and found.is_floating_point() else found

    return function


_GIVES = ("the distribution that your logits give (..., V)",)


def _multiplied(logits: Tensor, temperature: float) -> Tensor:
    """You multiplied. The logits are divided by the temperature: warm, above 1, makes them alike."""
    return logits * temperature if temperature else apply_temperature(logits, 0)


def _twice(logits: Tensor, temperature: float) -> Tensor:
    """You divided twice, so that the distribution follows the temperature's square. Once, on one path.

    Seen in https://github.com/RL-Align/RL-Kernel/issues/81.
    """
    return apply_temperature(apply_temperature(logits, temperature), temperature)


def _of_probabilities(logits: Tensor, temperature: float) -> Tensor:
    """You divided probabilities. The temperature divides logits, before the softmax.

    Seen in https://github.com/EricGuo5513/momask-codes/issues/28.
    """
    return logits.softmax(-1) / temperature if temperature else apply_temperature(logits, 0)


def _after_the_softmax(logits: Tensor, temperature: float) -> Tensor:
    """You hand out probabilities. Logits are wanted, since filters and a softmax are still to come."""
    return apply_temperature(logits, temperature).softmax(-1)


def _by_zero(logits: Tensor, temperature: float) -> Tensor:
    """At temperature 0 NaN comes out: you divide by zero, or leave no token, or one at plus infinity. What happens as
    it gets colder and colder? The likeliest token alone is left: all others become minus infinity.

    Seen in https://github.com/google-deepmind/gemma/issues/562.
    """
    return logits / temperature


def _off_at_zero(logits: Tensor, temperature: float) -> Tensor:
    """At temperature 0 you change nothing. It is the coldest: the likeliest token alone is left, and all others become
    minus infinity.
    """
    return logits / temperature if temperature else logits


def _in_place(logits: Tensor, temperature: float) -> Tensor:
    """The caller's logits are changed by your `/=`: whoever draws again from them divides again, and it piles up. Make
    new ones.

    Seen in https://github.com/Adibvafa/CodonTransformer/issues/20.
    """
    if not temperature:
        return apply_temperature(logits, 0)
    logits /= temperature
    return logits


def _to_a_power(logits: Tensor, temperature: float) -> Tensor:
    """You raised logits to a power. Probabilities would be raised to 1 / T; their logarithms, and so logits, are
    divided by T.
    """
    return logits ** (1 / temperature) if temperature else apply_temperature(logits, 0)


def _one_maximum(logits: Tensor, temperature: float) -> Tensor:
    """At temperature 0 you look for one maximum in the whole batch. Each row has a likeliest token of its own: the last
    axis.
    """
    return apply_temperature(logits, temperature) if temperature else logits.masked_fill(logits < logits.max(), -1e9)


APPLY_TEMPERATURE = Exercise(
    name="apply_temperature",
    notebook=8,
    reference=apply_temperature,
    returns=_GIVES,
    minutes=5,
    difficulty=1,
    adapt=_as_a_distribution,
    cases=(
        case(numbers(5), 0.5),
        case(numbers(5, seed=1), 2.0),
        case(numbers(2, 5), 0.7, having="a batch"),
        case(numbers(5), 1.0, having="temperature 1"),
        case(numbers(5), 0, having="temperature 0"),
        case(numbers(3, 4, seed=2), 0.0, having="temperature 0, a batch"),
        case(numbers(2, 3, 4) - 5, 1.5, having="two axes before the last, negative numbers"),
        case(numbers(5) * 100, 10.0, having="huge numbers"),
        case(numbers(5, dtype=torch.float64), 0.8, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _multiplied,
        _twice,
        _of_probabilities,
        _after_the_softmax,
        _by_zero,
        _off_at_zero,
        _in_place,
        _to_a_power,
        _one_maximum,
    ),
    hints=paragraphs("""
        Two tokens whose logits are 2 apart: the softmax makes one e² times as likely as the other. How far apart should
        they be where it is half as warm?

        One division does it for every temperature but 0. Think of 0.01 instead: which tokens still have a chance?

        At 0, every logit but the largest of its row becomes minus infinity. `argmax` or `max` over the last axis finds
        it, and a batch has one in each row.
    """),
)


def _strictly_above(logits: Tensor, k: int) -> Tensor:
    """You keep what is above the k-th largest, one too few. The k-th itself stays: at k = 1 nothing would be left."""
    kth = logits.topk(min(k, logits.size(-1)), dim=-1).values[..., -1:]
    return logits.masked_fill(logits <= kth, -torch.inf)


def _one_too_many(logits: Tensor, k: int) -> Tensor:
    """You keep one token too many: at k = 1 two are left. Counting from 0, the k-th largest has the rank k − 1.

    Seen in https://github.com/kingoflolz/mesh-transformer-jax/issues/164.
    """
    return top_k_filter(logits, k + 1)


def _filled_with_nothing(logits: Tensor, k: int) -> Tensor:
    """You put 0, or 1e-10, in the place of those dropped: a logit like others, above every negative one. Minus
    infinity.

    Seen in https://github.com/karpathy/minGPT/issues/10.
    """
    kept = top_k_filter(logits, k)
    return kept.masked_fill(kept == -torch.inf, 1e-10)


def _smallest_kept(logits: Tensor, k: int) -> Tensor:
    """You keep the k smallest. The largest logits are the likeliest tokens."""
    return -top_k_filter(-logits, k).masked_fill(top_k_filter(-logits, k) == -torch.inf, torch.inf)


def _one_threshold(logits: Tensor, k: int) -> Tensor:
    """You keep k of the whole batch. Each row keeps k of its own: `topk` over the last axis."""
    return logits.masked_fill(logits < logits.flatten().topk(min(k, logits.numel())).values[-1], -1e9)


def _threshold_as_a_row(logits: Tensor, k: int) -> Tensor:
    """Each row's threshold has to stand in a column, (..., 1). Yours has lost that axis, so that it meets the tokens in
    place of the rows: `values[..., -1:]`.
    """
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(-1))).values[..., -1], -1e9)


def _along_the_rows(logits: Tensor, k: int) -> Tensor:
    """Your `topk` runs along the first axis, so that rows compete. Within each row the V tokens do: the last axis."""
    return logits.masked_fill(logits < logits.topk(min(k, logits.size(0)), dim=0).values[-1:], -1e9)


def _largest_alone(logits: Tensor, k: int) -> Tensor:
    """You hand out the k largest without the others, so that nobody knows any more which tokens they are. All V stay in
    their places, those dropped at minus infinity.
    """
    return logits.topk(min(k, logits.size(-1)), dim=-1).values


def _top_k_probabilities(logits: Tensor, k: int) -> Tensor:
    """You hand out probabilities. Logits are wanted: the softmax comes at the very end."""
    return top_k_filter(logits, k).softmax(-1)


TOP_K_FILTER = Exercise(
    name="top_k_filter",
    notebook=8,
    reference=top_k_filter,
    returns=_GIVES,
    minutes=10,
    difficulty=2,
    adapt=_as_a_distribution,
    cases=(
        case(numbers(6), 3),
        case(numbers(6, seed=1), 2),
        case(numbers(2, 5), 2, having="a batch"),
        case(numbers(4, 4, seed=5), 2, having="as many rows as tokens"),
        case(numbers(6), 1, having="k = 1"),
        case(numbers(3, 5, seed=3), 1, having="k = 1, a batch"),
        case(numbers(2, 3, 5, seed=4), 3, having="two axes before the last"),
        case(numbers(5) - 9, 2, having="negative numbers only"),
        case(numbers(2, 4), 4, having="k as large as the vocabulary"),
        case(numbers(2, 4), 50, having="k larger than the vocabulary"),
        case(numbers(6, dtype=torch.float64), 3, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _strictly_above,
        _one_too_many,
        _filled_with_nothing,
        _smallest_kept,
        _one_threshold,
        _threshold_as_a_row,
        _along_the_rows,
        _largest_alone,
        _top_k_probabilities,
    ),
    hints=paragraphs("""
        Which number divides those that stay from those that go? Everything below it goes.

        `torch.topk` over the last axis gives the k largest of each row, in falling order. The last of them is the
        border. It wants a k that is no larger than the vocabulary.

        Keep the border's axis, so that a batch's borders stand in a column beside its rows. What is smaller than the
        border is filled with minus infinity by `masked_fill`.
    """),
)


def _nucleus(logits: Tensor, kept: Callable[[Tensor], Tensor]) -> Tensor:
    """Keep what `kept` says of the sorted probabilities."""
    ordered, order = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    stays = kept(ordered)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -torch.inf)


def _crossing_kept(ordered: Tensor, p: float) -> Tensor:
    return (ordered.cumsum(-1) - ordered < p) | (p == 1)


def _up_to_p(ordered: Tensor, p: float) -> Tensor:
    return ordered.cumsum(-1) <= p + 1e-6


def _crossing_dropped(logits: Tensor, p: float) -> Tensor:
    """You drop the token that crosses p, so that what is kept has less than p. It belongs to the nucleus: add up what
    you kept.

    Seen in https://github.com/Biohub/esm/issues/360.
    """
    return _nucleus(logits, lambda ordered: _up_to_p(ordered, p) | (ordered == ordered[..., :1]))


def _nothing_kept(logits: Tensor, p: float) -> Tensor:
    """You drop the token that crosses p. Where the very first does, nothing is left: it always stays.

    Seen in https://github.com/skyzh/tiny-llm/issues/32.
    """
    return _nucleus(logits, lambda ordered: _up_to_p(ordered, p))


def _one_beyond(logits: Tensor, p: float) -> Tensor:
    """You keep one token too many. The one that crosses p is the last."""

    def kept(ordered: Tensor) -> Tensor:
        stays = _crossing_kept(ordered, p)
        return torch.cat((stays[..., :1], stays[..., :-1]), dim=-1)

    return _nucleus(logits, kept)


def _left_sorted(logits: Tensor, p: float) -> Tensor:
    """Your logits come out sorted. The sampler takes the first for token 0: put them back in the vocabulary's order."""
    return top_p_filter(logits, p).sort(dim=-1, descending=True).values


def _mask_left_sorted(logits: Tensor, p: float) -> Tensor:
    """Your mask is in falling order, and you lay it on logits that are in the vocabulary's: sort it back first.

    Seen in https://github.com/dmlc/gluon-nlp/issues/1503.
    """
    return logits.masked_fill(~_crossing_kept(logits.softmax(-1).sort(-1, descending=True).values, p), -torch.inf)


def _put_back_the_wrong_way(logits: Tensor, p: float) -> Tensor:
    """You sort back by the same step that sorted, and so sort twice. To sort back is the inverse: `scatter`, or
    `gather` with the `argsort` of the order.

    Seen in https://github.com/lucidrains/PaLM-rlhf-pytorch/issues/60.
    """
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    return logits.masked_fill(~_crossing_kept(ordered, p).gather(-1, order), -1e9)


def _adds_logits_up(logits: Tensor, p: float) -> Tensor:
    """You add logits up and compare the sum with p. What adds up to 1 are the probabilities: softmax first."""
    ordered, order = logits.sort(dim=-1, descending=True)
    stays = _crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


def _in_the_vocabularys_order(logits: Tensor, p: float) -> Tensor:
    """You add up in the order of the vocabulary, so that what comes first there is kept. The likeliest first: sort."""
    return logits.masked_fill(~_crossing_kept(logits.softmax(-1), p), -1e9)


def _each_by_itself(logits: Tensor, p: float) -> Tensor:
    """You compare each single probability with p. It is their sum that should reach p, from the likeliest on."""
    return logits.masked_fill(logits.softmax(-1) < p, -torch.inf)


def _least_likely_first(logits: Tensor, p: float) -> Tensor:
    """You add up from the least likely on, and keep the tail. From the likeliest on: `descending=True`."""
    ordered, order = logits.softmax(-1).sort(-1)
    stays = _crossing_kept(ordered, p)
    return logits.masked_fill(~stays.scatter(-1, order, stays), -1e9)


def _times_the_mask(logits: Tensor, p: float) -> Tensor:
    """You multiply logits by the mask. Top-k may have left minus infinity there, and −∞ · 0 is NaN: `masked_fill`."""
    kept = (top_p_filter(logits, p) > -torch.inf).to(logits.dtype)
    return logits * kept - 1e9 * (1 - kept)


def _beside_the_likeliest(logits: Tensor, p: float) -> Tensor:
    """You keep what has p times the likeliest one's probability, or more: that is called min-p. Here it is the sum of
    what is kept that should reach p.
    """
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(-1, keepdim=True), -torch.inf)


def _greedy_at_one(logits: Tensor, p: float) -> Tensor:
    """At p = 1 yours keeps one token: no sum is above 1, and `argmax` of nothing but False is 0. At p = 1 all stay.

    Seen in https://github.com/BlinkDL/ChatRWKV/issues/170.
    """
    return top_p_filter(logits, 0 if p == 1 else p)


def _top_p_probabilities(logits: Tensor, p: float) -> Tensor:
    """You hand out probabilities. Logits are wanted: the softmax comes at the very end."""
    return top_p_filter(logits, p).softmax(-1)


TOP_P_FILTER = Exercise(
    name="top_p_filter",
    notebook=8,
    reference=top_p_filter,
    returns=_GIVES,
    minutes=20,
    difficulty=3,
    adapt=_as_a_distribution,
    cases=(
        case(torch.tensor([0.1, 0.4, 0.2, 0.3]).log(), 0.8),
        case(torch.tensor([0.3, 0.2, 0.05, 0.45]).log(), 0.8),
        case(numbers(6, seed=2), 0.7, having="logits of any size"),
        case(torch.tensor([0.2, 0.7, 0.1]).log(), 0.5, having="a first token that alone has more than p"),
        case(numbers(3, 5, seed=1), 0.75, having="a batch"),
        case(numbers(4, 4, seed=5), 0.9, having="as many rows as tokens"),
        case(numbers(2, 3, 5, seed=4), 0.6, having="two axes before the last"),
        case(numbers(2, 5), 1.0, having="p = 1"),
        case(numbers(2, 5), 0.05, having="a tiny p"),
        case(
            torch.tensor([0.3, -torch.inf, 1.0, 0.6, -torch.inf, 0.1]),
            0.75,
            having="logits of minus infinity that top-k left",
        ),
        case(numbers(6, seed=3, dtype=torch.float64), 0.7, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _crossing_dropped,
        _nothing_kept,
        _one_beyond,
        _left_sorted,
        _mask_left_sorted,
        _put_back_the_wrong_way,
        _adds_logits_up,
        _in_the_vocabularys_order,
        _each_by_itself,
        _least_likely_first,
        _times_the_mask,
        _beside_the_likeliest,
        _greedy_at_one,
        _top_p_probabilities,
    ),
    hints=paragraphs("""
        On paper, with 0.1, 0.4, 0.2, 0.3 and p = 0.8: take the likeliest, then the next. When have you enough? Which
        ones do you hold then?

        Softmax, `sort` in falling order, `cumsum`. A token goes if those before it have p already: its sum without
        itself says so. The first has nobody before it.

        Now you know which go, in falling order. `sort` gave the order too: `scatter` along the last axis with it puts a
        mask back into the vocabulary's order.
    """),
)


def next_token_probabilities(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """The probabilities (..., V) to draw from: temperature, then top-k, then top-p, of logits (..., V). None: all."""
    logits = apply_temperature(logits, temperature)
    if k is not None:
        logits = top_k_filter(logits, k)
    if p is not None:
        logits = top_p_filter(logits, p)
    return torch.softmax(logits, dim=-1)  # (..., V)


def _filtered(logits: Tensor, k: int | None, p: float | None) -> Tensor:
    logits = logits if k is None else top_k_filter(logits, k)
    return logits if p is None else top_p_filter(logits, p)


def _p_before_k(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """Your top-p comes before top-k, or looks at the whole distribution. Here p is a part of what top-k leaves: k
    first, then p.
    """
    return _filtered(_filtered(apply_temperature(logits, temperature), None, p), k, None).softmax(-1)


def _temperature_last(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """Your temperature comes last, so that top-p looks at another distribution than the one you draw from. It comes
    first.
    """
    return apply_temperature(_filtered(logits, k, p), temperature).softmax(-1)


def _do_not_add_up(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """What you kept does not add up to 1: the softmax came before the filters, or the dropped ones were set to 0 after
    it. Filter logits, and end in the softmax.
    """
    logits = apply_temperature(logits, temperature)
    return logits.softmax(-1) * (_filtered(logits, k, p) > -torch.inf)


def _along_the_batch(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """Your softmax runs along the batch. Each text chooses among the V tokens: the last axis."""
    logits = _filtered(apply_temperature(logits, temperature), k, p)
    return logits.masked_fill(logits == -torch.inf, -1e9).softmax(0)


def _probabilities_cooled(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """You divide probabilities by the temperature. It divides logits, before any softmax.

    Seen in https://github.com/EricGuo5513/momask-codes/issues/28.
    """
    return _filtered(apply_temperature(logits.softmax(-1), temperature), k, p).softmax(-1)


def _temperature_forgotten(logits: Tensor, _temperature: float, k: int | None, p: float | None) -> Tensor:
    """The temperature does nothing in yours: `apply_temperature` gives new logits, and the filters should get those."""
    return _filtered(logits, k, p).softmax(-1)


def _k_forgotten(logits: Tensor, temperature: float, _k: int | None, p: float | None) -> Tensor:
    """Your k does nothing: `top_k_filter` gives new logits, and what comes next should get those."""
    return _filtered(apply_temperature(logits, temperature), None, p).softmax(-1)


def _p_forgotten(logits: Tensor, temperature: float, k: int | None, _p: float | None) -> Tensor:
    """Your p does nothing: `top_p_filter` gives new logits, and the softmax should get those."""
    return _filtered(apply_temperature(logits, temperature), k, None).softmax(-1)


def _one_filter_only(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """Where there is a k, your p is ignored: `elif`, or two filters of the same old logits? Each takes what the one
    before left.
    """
    return _filtered(apply_temperature(logits, temperature), k, None if k else p).softmax(-1)


def _still_logits(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """You hand out logits. Probabilities are wanted, that add up to 1: a softmax at the end."""
    return _filtered(apply_temperature(logits, temperature), k, p)


def _softmaxed_twice(logits: Tensor, temperature: float, k: int | None, p: float | None) -> Tensor:
    """You took two softmaxes, so that what was dropped has a chance again, exp(0). One, at the very end."""
    return next_token_probabilities(logits, temperature, k, p).softmax(-1)


_FOUR = torch.tensor([0.1, 0.4, 0.2, 0.3]).log()

NEXT_TOKEN_PROBABILITIES = Exercise(
    name="next_token_probabilities",
    notebook=8,
    reference=next_token_probabilities,
    returns=("probabilities (..., V)",),
    minutes=10,
    difficulty=2,
    on_map="choose",
    cases=(
        case(_FOUR, 0.9, 2, 0.5),
        case(torch.tensor([0.3, 0.2, 0.05, 0.45]).log(), 1.2, 3, 0.7),
        case(numbers(6), 2.0, None, 0.7, having="no k"),
        case(numbers(6, seed=1), 0.7, 3, None, having="no p"),
        case(numbers(3, 5), 1.5, None, None, having="a batch, neither k nor p"),
        case(numbers(3, 5, seed=2), 2.0, 4, 0.8, having="a batch"),
        case(numbers(2, 3, 5, seed=4), 0.5, 3, 0.9, having="two axes before the last"),
        case(numbers(2, 5, seed=1), 0, 3, 0.9, having="temperature 0"),
        case(numbers(6, dtype=torch.float64), 1.7, 4, 0.6, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _p_before_k,
        _temperature_last,
        _do_not_add_up,
        _along_the_batch,
        _probabilities_cooled,
        _temperature_forgotten,
        _k_forgotten,
        _p_forgotten,
        _one_filter_only,
        _still_logits,
        _softmaxed_twice,
    ),
    hints=paragraphs("""
        Three functions of yours in a row: each takes logits and gives logits. Only at the end does a softmax make
        probabilities of them.

        In the order of GPT-2's code: first warm or cold, then the k, and the p of what the k left.

        Where k or p is None, its filter is left out: `is not None`, since a number may be 0. What was dropped is minus
        infinity, and the softmax shares everything among the others.
    """),
)


# Beam search.


def _plain_power(length: int, alpha: float) -> float:
    """That is length^alpha, as fairseq has it. Here it is the formula of Wu et al.: 5 is added above, and all is
    divided by 5 + 1.
    """
    return float(length**alpha)


def _upside_down(length: int, alpha: float) -> float:
    """Yours is upside down: it falls with the length. It divides a log-probability, so that it should grow."""
    return 1 / length_penalty(length, alpha)


def _not_divided(length: int, alpha: float) -> float:
    """The part below the line is missing: divided by (5 + 1)^alpha, so that a text of one token has a penalty of 1."""
    return float((5 + length) ** alpha)


def _factor(length: int, alpha: float) -> float:
    """You multiply by alpha. It is the exponent."""
    return alpha * (5 + length) / 6


def _six_above(length: int, alpha: float) -> float:
    """You add 6 above the line. It is 5 + length there: a text of one token has a penalty of 1."""
    return float(((6 + length) / 6) ** alpha)


def _five_below(length: int, alpha: float) -> float:
    """You divide by 5. Below the line stands 5 + 1: a text of one token has a penalty of 1."""
    return float(((5 + length) / 5) ** alpha)


def _power_above_only(length: int, alpha: float) -> float:
    """Only what stands above the line is raised to alpha in yours. What stands below is too: (5 + 1)^alpha."""
    return float((5 + length) ** alpha / 6)


LENGTH_PENALTY = Exercise(
    name="length_penalty",
    notebook=8,
    reference=length_penalty,
    returns=("the penalty",),
    minutes=5,
    difficulty=1,
    cases=(
        case(7, 0.6),
        case(13, 0.5),
        case(1, 0.6, having="a single token"),
        case(9, 0, having="alpha 0"),
        case(7, 1.0, having="alpha 1"),
        case(100, 0.2, having="a long text"),
    ),
    mistakes=mistakes(_plain_power, _upside_down, _not_divided, _factor, _six_above, _five_below, _power_above_only),
    hints=paragraphs("""
        The formula is a fraction, raised to alpha above and below. What should it be for a text of one token?

        Above the line 5 + length, below 5 + 1: both are raised to alpha.

        Python's power is `**`, and it binds before `/`: mind what the brackets hold together.
    """),
)


def beam_step(logits: Tensor, totals: Tensor, beams: int) -> tuple[Tensor, Tensor, Tensor]:
    """Extend n texts by each of V tokens, and keep the `beams` likeliest of all n · V, the best first.

    Takes logits (n, V) and the texts' log-probabilities so far, (n,). Returns of each that is kept which text it goes
    on with, its token, and its log-probability, all (beams,).
    """
    longer = totals.unsqueeze(1) + torch.log_softmax(logits, dim=-1)  # (n, V)
    best = longer.flatten().topk(beams)
    V = logits.size(1)
    return best.indices // V, best.indices % V, best.values


Step = tuple[Tensor, Tensor, Tensor]


def _best_of(longer: Tensor, beams: int) -> Step:
    values, places = longer.flatten().topk(beams)
    return places // longer.size(1), places % longer.size(1), values


def _logits_added(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """You add logits to log-probabilities. Only after `log_softmax` can two texts' tokens be compared."""
    return _best_of(totals[:, None] + logits, beams)


def _probabilities_added(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """You add probabilities to log-probabilities. Their logarithms are added: `log_softmax`."""
    return _best_of(totals[:, None] + logits.softmax(-1), beams)


def _totals_multiplied(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """You multiply. Probabilities are multiplied, but these are their logarithms: add."""
    return _best_of(totals[:, None] * logits.log_softmax(-1), beams)


def _totals_forgotten(logits: Tensor, _totals: Tensor, beams: int) -> Step:
    """What the texts had so far is forgotten: the new token's log-probability is added to `totals`."""
    return _best_of(logits.log_softmax(-1), beams)


def _totals_not_ranked(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """You rank by the new token alone, and add what the texts had so far too late: a good token of a bad text wins. Add
    first, then rank.
    """
    parents, tokens, values = _best_of(logits.log_softmax(-1), beams)
    return parents, tokens, values + totals[parents]


def _each_its_own(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """Each of your texts goes on with its own best token. All extensions of all texts compete: a good text may go on
    twice, a bad one not at all.
    """
    longer = totals[:, None] + logits.log_softmax(-1)
    values, tokens = longer.topk(-(-beams // len(logits)), dim=1)
    best = values.flatten().topk(beams)
    return best.indices // values.size(1), tokens.flatten()[best.indices], best.values


def _swapped(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """Your parents and tokens are swapped. Of a place among n · V, `//` V gives the row, the text, and `%` V the
    token.
    """
    parents, tokens, values = beam_step(logits, totals, beams)
    return tokens, parents, values


def _divided_by_the_rows(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """You divide by the number of texts. A row is V long: `//` and `%` take V."""
    values, places = (totals[:, None] + logits.log_softmax(-1)).flatten().topk(beams)
    return places // len(logits), places % len(logits), values


def _softmax_over_all(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """Your softmax runs over all n · V at once. Each text has a distribution of its own: the last axis of (n, V)."""
    return _best_of(totals[:, None] + logits.flatten().log_softmax(0).view_as(logits), beams)


def _softmax_over_texts(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """Your softmax runs over the texts. Each text has a distribution over the V tokens: the last axis."""
    return _best_of(totals[:, None] + logits.log_softmax(0), beams)


def _worst_first(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """Yours are the right ones, but the worst stands first. Best first."""
    parents, tokens, values = beam_step(logits, totals, beams)
    return parents.flip(0), tokens.flip(0), values.flip(0)


def _not_logarithms(logits: Tensor, totals: Tensor, beams: int) -> Step:
    """Your totals are probabilities. Log-probabilities are wanted, as they came in: add them, and leave `exp` away."""
    parents, tokens, values = beam_step(logits, totals, beams)
    return parents, tokens, values.exp()


_TOTALS = torch.tensor([-0.5, -0.9, -1.4])

BEAM_STEP = Exercise(
    name="beam_step",
    notebook=8,
    reference=beam_step,
    returns=("parents (beams,)", "tokens (beams,)", "totals (beams,)"),
    minutes=15,
    difficulty=2,
    cases=(
        case(numbers(3, 5), _TOTALS, 3),
        case(numbers(3, 5, seed=1), _TOTALS, 3),
        case(numbers(1, 6), torch.zeros(1), 3, having="the first step"),
        case(numbers(4, 4, seed=2), -numbers(4, seed=3).abs(), 4, having="as many texts as tokens"),
        case(numbers(3, 6, seed=4), torch.tensor([-4.0, -3.5, -9.0]), 2, having="fewer beams than texts"),
        case(numbers(2, 6, seed=5), torch.tensor([-1.5, -1.0]), 4, having="more beams than texts"),
        case(numbers(3, 5, seed=6), torch.tensor([-1.2, -2.0, -0.7]), 1, having="a single beam"),
        case(numbers(2, 4, dtype=torch.float64), torch.tensor([-1.0, -1.5]).double(), 2, having="float64 numbers"),
    ),
    mistakes=mistakes(
        _logits_added,
        _probabilities_added,
        _totals_multiplied,
        _totals_forgotten,
        _totals_not_ranked,
        _each_its_own,
        _swapped,
        _divided_by_the_rows,
        _softmax_over_all,
        _softmax_over_texts,
        _worst_first,
        _not_logarithms,
    ),
    hints=paragraphs("""
        Make a table with a row for each text and a column for each token: the log-probability of the text that goes on
        with it. Which `beams` numbers in the whole table are the largest?

        A row of the table: the text's total so far, plus `log_softmax` of its logits. The totals stand in a column
        beside it. Flatten the table, and `topk` finds the best of all rows.

        A place in the flat table is row · V + column: divide it by V. The quotient, `//`, is one of the things wanted,
        the remainder another.
    """),
)


def beam_search_text(model: Any, prompt: list[int], beams: int, length: int, stop: int) -> tuple[list[int], float]:
    """Write by beam search: the new ids of the likeliest text that was found, and its log-probability.

    Texts that end are set aside; their ids come without the stop token, their log-probability with it. Those that still
    go on after `length` tokens count too. The model takes ids (n, T) to logits (n, T, V).
    """
    going, totals = [list(prompt)], torch.zeros(1)
    found = list[tuple[list[int], float]]()
    for _ in range(length):
        logits = model(torch.tensor(going))[:, -1]  # (n, V)
        parents, tokens, totals = beam_step(logits, totals, beams)
        going = [[*going[parent], token] for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True)]
        found += [(text[:-1], total) for text, total in zip(going, totals.tolist(), strict=True) if text[-1] == stop]
        going, totals = [text for text in going if text[-1] != stop], totals[tokens != stop]
        if not going:
            break
    found += zip(going, totals.tolist(), strict=True)
    text, total = max(found, key=lambda each: each[1])
    return text[len(prompt) :], total


Found = list[tuple[list[int], float]]


class _SearchInPieces:
    """The reference, cut into pieces: each mistake replaces one."""

    def __call__(self, model: Any, prompt: list[int], beams: int, length: int, stop: int) -> tuple[list[int], float]:
        n, found = self.at_first(beams), Found()
        going, totals = [list(prompt)] * n, torch.zeros(n)
        for _ in range(length):
            parents, tokens, longer = beam_step(model(torch.tensor(going))[:, -1], totals, beams)
            going = self.extended(going, parents.tolist(), tokens.tolist())
            ends, counted = self.ends(tokens, stop), self.counted(totals[parents], longer).tolist()
            new = zip(going, counted, ends.tolist(), strict=True)
            found += [(self.without_stop(text[len(prompt) :]), total) for text, total, end in new if end]
            going = [text for text, end in zip(going, ends.tolist(), strict=True) if not end]
            totals = longer[~ends]
            if self.is_over(found) or not going:
                break
        left = [(text[len(prompt) :], total) for text, total in zip(going, totals.tolist(), strict=True)]
        return self.best(found, left)

    def at_first(self, _beams: int) -> int:
        return 1

    def extended(self, going: list[list[int]], parents: list[int], tokens: list[int]) -> list[list[int]]:
        return [[*going[parent], token] for parent, token in zip(parents, tokens, strict=True)]

    def ends(self, tokens: Tensor, stop: int) -> Tensor:
        return tokens == stop

    def counted(self, _before: Tensor, longer: Tensor) -> Tensor:
        return longer

    def without_stop(self, ids: list[int]) -> list[int]:
        return ids[:-1]

    def is_over(self, _found: Found) -> bool:
        return False

    def best(self, found: Found, left: Found) -> tuple[list[int], float]:
        return max(found + left, key=lambda each: each[1])


class _AllBeginAlike(_SearchInPieces):
    """All your beams begin as the same text, and go on as the same: k times what greedy writes. At the first step there
    is one text, with a total of 0.

    Seen in https://github.com/facebookresearch/ParlAI/issues/2007.
    """

    def at_first(self, beams: int) -> int:
        return beams


class _TextsNotMoved(_SearchInPieces):
    """You put the new tokens to the texts in the order in which they stand. A new token belongs to its parent's text,
    `going[parent]`, which may stand elsewhere.
    """

    def extended(self, going: list[list[int]], _parents: list[int], tokens: list[int]) -> list[list[int]]:
        return [[*going[min(i, len(going) - 1)], token] for i, token in enumerate(tokens)]


class _EndNotCounted(_SearchInPieces):
    """The stop token's log-probability is missing from your finished texts, so that stopping costs nothing. It is a
    token like others.
    """

    def counted(self, before: Tensor, _longer: Tensor) -> Tensor:
        return before


class _FirstFinished(_SearchInPieces):
    """You return the text that ends first. A longer one may be likelier: go on, and compare at the end."""

    def is_over(self, found: Found) -> bool:
        return bool(found)

    def best(self, found: Found, left: Found) -> tuple[list[int], float]:
        return super().best(found, [] if found else left)


class _FinishedForgotten(_SearchInPieces):
    """Texts that end are lost in yours: only those that go on to the last step are compared. Set them aside with their
    log-probability.
    """

    def best(self, _found: Found, left: Found) -> tuple[list[int], float]:
        return super().best([], left or [([], 0.0)])


class _UnfinishedForgotten(_SearchInPieces):
    """Texts that still go on after `length` tokens are lost in yours. They count too."""

    def best(self, found: Found, _left: Found) -> tuple[list[int], float]:
        return super().best(found or [([], 0.0)], [])


class _EndedFirst(_SearchInPieces):
    """Texts that still go on count in yours only where none has ended. One of them may be the likeliest of all: compare
    them together.
    """

    def best(self, found: Found, left: Found) -> tuple[list[int], float]:
        return super().best(found, [] if found else left)


class _ByTheMean(_SearchInPieces):
    """You choose by log-probability per token, which favours long texts. Here the log-probability itself decides."""

    def best(self, found: Found, left: Found) -> tuple[list[int], float]:
        return max(found + left, key=lambda each: each[1] / max(1, len(each[0])))


class _WritesOn(_SearchInPieces):
    """Your texts go on after the stop token. One that ends is set aside, and takes no part in the next step.

    Seen in https://github.com/tensorflow/tensorflow/issues/21920.
    """

    def ends(self, tokens: Tensor, _stop: int) -> Tensor:
        return torch.zeros_like(tokens, dtype=torch.bool)


class _CutTooLate(_WritesOn):
    """You cut the texts at the stop token, but only when all is done: what they wrote after it was counted, and held
    the place of others. Set a text aside as soon as it ends.

    Seen in https://github.com/jarobyte91/pytorch_beam_search/issues/5.
    """

    def __call__(self, model: Any, prompt: list[int], beams: int, length: int, stop: int) -> tuple[list[int], float]:
        ids, total = super().__call__(model, prompt, beams, length, stop)
        return ids[: [*ids, stop].index(stop)], total


class _StopKept(_SearchInPieces):
    """Your text ends with the stop token. It says that the text is over, and is no part of it."""

    def without_stop(self, ids: list[int]) -> list[int]:
        return ids


class _PromptReturned(_SearchInPieces):
    """Your result begins with the prompt. Only what is new is wanted."""

    def __call__(self, model: Any, prompt: list[int], beams: int, length: int, stop: int) -> tuple[list[int], float]:
        ids, total = super().__call__(model, prompt, beams, length, stop)
        return [*prompt, *ids], total


class _NotTheLogarithm(_SearchInPieces):
    """You return the probability. Its logarithm is wanted, the total as it is."""

    def __call__(self, model: Any, prompt: list[int], beams: int, length: int, stop: int) -> tuple[list[int], float]:
        ids, total = super().__call__(model, prompt, beams, length, stop)
        return ids, math.exp(total)


def _searched(answer: Any) -> Callable[..., Any]:
    """Hand in a copy of the prompt, and take the two results apart."""

    def function(model: Any, prompt: list[int], *settings: int) -> Any:
        copied = list(prompt)
        found = _call(answer, model, copied, *settings)
        if found is None:
            return None
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise TypeError("two things are wanted, `return ids, log_probability`")
        ids, total = found
        is_number = isinstance(total, int | float) or (hasattr(total, "item") and torch.as_tensor(total).numel() == 1)
        return ids, torch.tensor(float(total)) if is_number else total, copied

    return function


def _writer(seed: int) -> StandIn:
    return StandIn(numbers(11, 5, seed=seed) * 1.5)


BEAM_SEARCH_TEXT = Exercise(
    name="beam_search_text",
    notebook=8,
    reference=beam_search_text,
    returns=("ids", "log_probability", "the prompt, when all is done,"),
    minutes=30,
    difficulty=3,
    adapt=_searched,
    cases=(
        case(_writer(38), [1, 2], 3, 5, 0),
        case(_writer(48), [1, 2], 3, 5, 0),
        case(_writer(45), [4], 3, 5, 0, having="a prompt of a single token"),
        case(_writer(17), [3, 1, 2], 2, 6, 0, having="a longer prompt, two beams"),
        case(_writer(43), [1, 2], 3, 4, 0, having="a length that cuts"),
        case(_writer(22), [4], 2, 4, 0, having="a length that cuts, two beams"),
        case(_writer(16), [1, 2], 3, 4, 0, having="a text that goes on and is likelier than those that ended"),
        case(_writer(53), [3, 1, 2], 3, 5, 0, having="a text that stops at once"),
        case(_writer(52), [1, 2], 1, 5, 0, having="a single beam"),
        case(_writer(33), [4, 0], 3, 5, 0, having="the stop token in the prompt"),
    ),
    mistakes=mistakes(
        _AllBeginAlike,
        _TextsNotMoved,
        _EndNotCounted,
        _FirstFinished,
        _FinishedForgotten,
        _UnfinishedForgotten,
        _EndedFirst,
        _ByTheMean,
        _WritesOn,
        _CutTooLate,
        _StopKept,
        _PromptReturned,
        _NotTheLogarithm,
    ),
    hints=paragraphs("""
        Keep two lists: texts that go on, with their totals, and texts that have ended, with theirs. You begin with one
        text, the prompt, and a total of 0.

        A step: all texts that go on are one batch for the model, of whose logits you take those at the last place.
        `beam_step` says which texts go on with which tokens. Build each new text from its parent's and its token.

        After each step move those whose new token is the stop token to the other list, without that token, but with the
        total that counts it. If none goes on, leave the loop. At the very end both lists together are searched for the
        largest total, and the prompt is cut off.
    """),
)


# The KV cache.


def attend_with_cache(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Let T new tokens read themselves and all before them, whose keys and values `past` holds.

    Takes query and key (B, H, T, d_k) and value (B, H, T, d_v) of the new tokens, and the keys and values of all
    earlier ones, or None. Returns the output (B, H, T, d_v), and the keys and values of all tokens by now.
    """
    if past is None:
        keys, values = key, value
    else:
        keys = torch.cat((past[0], key), dim=2)  # (B, H, S, d_k)
        values = torch.cat((past[1], value), dim=2)  # (B, H, S, d_v)
    T, S = query.size(2), keys.size(2)
    mask = causal_mask(S)[S - T :]  # (T, S)
    output, _ = scaled_dot_product_attention(query, keys, values, mask)  # (B, H, T, d_v)
    return output, (keys, values)


def _joined(key: Tensor, value: Tensor, past: Pair | None, dim: int = 2) -> Pair:
    if past is None:
        return key, value
    return torch.cat((past[0], key), dim=dim), torch.cat((past[1], value), dim=dim)


def _attended(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    T, S = query.size(2), keys.size(2)
    return scaled_dot_product_attention(query, keys, values, causal_mask(S)[S - T :] if mask is None else mask)[0]


def _past_not_read(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Your new tokens read only each other. They read the past too: join the keys and values before you attend."""
    return _attended(query, key, value), _joined(key, value, past)


def _past_not_kept(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """The output is right, but you hand on the new keys and values only: the next token will not know what came before.
    Hand on all of them.
    """
    return _attended(query, *_joined(key, value, past)), (key, value)


def _nothing_added(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """The output is right, but you hand on the past as it came, without the new keys and values."""
    return _attended(query, *_joined(key, value, past)), (key, value) if past is None else past


def _values_not_kept(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """You hand on all keys, but only the new values. Each key needs its value: keep both."""
    keys, values = _joined(key, value, past)
    return _attended(query, keys, values), (keys, value)


def _joined_along_the_heads(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """You joined old and new along the heads. New tokens make the text longer: the axis before the last."""
    keys, values = _joined(key, value, past, dim=1)
    return _attended(query, keys, values), (keys, values)


def _joined_along_the_batch(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """You joined old and new along the batch: `torch.cat` does that unless you say `dim=`. New tokens make the text
    longer: the axis before the last.
    """
    keys, values = _joined(key, value, past, dim=0)
    return _attended(query, keys, values), (keys, values)


def _masked_at_first_only(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Where there is a past, nothing hides the future in yours. Several new tokens may come at once then too, and the
    first must not read the last.

    Seen in https://github.com/Mikyx-1/TinyLLM/issues/17.
    """
    keys, values = _joined(key, value, past)
    mask = torch.ones(query.size(2), keys.size(2), dtype=torch.bool)
    return _attended(query, keys, values, mask if past else None), (keys, values)


def _reads_the_next(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Your mask is off by one: each new token reads the one after it too. Row t of the T reads all S − T old ones, and
    of the new ones those up to t.
    """
    keys, values = _joined(key, value, past)
    T, S = query.size(2), keys.size(2)
    return _attended(query, keys, values, torch.ones(T, S, dtype=torch.bool).tril(S - T + 1)), (keys, values)


def _never_masked(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Nothing hides the future in yours: of several new tokens, the first reads the last. A causal mask, the past open
    to all.
    """
    keys, values = _joined(key, value, past)
    return _attended(query, keys, values, torch.ones(query.size(2), keys.size(2), dtype=torch.bool)), (keys, values)


def _mask_at_the_left(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Your mask begins as if the new tokens were the first of the text, as `is_causal=True` has it: the first new one
    reads one key only. New tokens are the last T of S: the lowest rows of the (S, S) mask.

    Seen in https://github.com/RobertCsordas/moeut/issues/6.
    """
    keys, values = _joined(key, value, past)
    mask = torch.ones(query.size(2), keys.size(2), dtype=torch.bool).tril()
    return _attended(query, keys, values, mask), (keys, values)


def _new_ones_first(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """You put the new keys and values before the old ones. The text's order: old first, new last."""
    if past is None:
        return attend_with_cache(query, key, value, None)
    keys, values = _joined(*past, (key, value))
    return _attended(query, keys, values), (keys, values)


def _new_values_first(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """Your keys are in order, but your values have the new ones first, so that each key brings another token's value.
    Old first, new last.
    """
    keys, values = _joined(key, value, past)
    values = values if past is None else torch.cat((value, past[1]), dim=2)
    return _attended(query, keys, values), (keys, values)


def _not_scaled(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> tuple[Tensor, Pair]:
    """The scale is missing: scores are divided by √d_k, with a cache as without."""
    keys, values = _joined(key, value, past)
    return _attended(query * query.size(-1) ** 0.5, keys, values), (keys, values)


def _cached(answer: Any) -> Callable[..., Any]:
    """Hand in a copy of the past, and take the results apart."""

    def function(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> Any:
        found = _call(answer, query, key, value, copy.deepcopy(past))
        if found is None:
            return None
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise TypeError("two things are wanted, `return output, (keys, values)`")
        output, pair = found
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError("the second thing should be a pair, `return output, (keys, values)`")
        return output, *pair

    return function


def _new(B: int, H: int, T: int, d_k: int = 4, d_v: int = 4, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(numbers(B, H, T, d, seed=seed + i) for i, d in enumerate((d_k, d_k, d_v)))  # type: ignore[return-value]


def _old(B: int, H: int, S: int, d_k: int = 4, d_v: int = 4, seed: int = 10) -> Pair:
    return numbers(B, H, S, d_k, seed=seed), numbers(B, H, S, d_v, seed=seed + 1)


ATTEND_WITH_CACHE = Exercise(
    name="attend_with_cache",
    notebook=8,
    reference=attend_with_cache,
    returns=("output (B, H, T, d_v)", "keys (B, H, S, d_k)", "values (B, H, S, d_v)"),
    minutes=20,
    difficulty=3,
    adapt=_cached,
    cases=(
        case(*_new(1, 2, 1), _old(1, 2, 3)),
        case(*_new(1, 2, 1, seed=5), _old(1, 2, 3, seed=15)),
        case(*_new(1, 2, 3), None, having="no past"),
        case(*_new(2, 2, 1), None, having="no past, a single token"),
        case(*_new(1, 2, 3), _old(1, 2, 4), having="several new tokens"),
        case(*_new(2, 2, 3, seed=3), _old(2, 2, 1), having="several new tokens, a batch"),
        case(*_new(2, 2, 1), _old(2, 2, 4), having="a batch"),
        case(*_new(1, 1, 3), _old(1, 1, 3), having="as many new tokens as old ones, a single head"),
        case(*_new(1, 2, 3, d_v=3), _old(1, 2, 4, d_v=3), having="values of another width, several new tokens"),
        case(
            *(each.double() for each in _new(1, 2, 3)),
            tuple(each.double() for each in _old(1, 2, 2)),
            having="float64 numbers",
        ),
    ),
    mistakes=mistakes(
        _past_not_read,
        _past_not_kept,
        _nothing_added,
        _values_not_kept,
        _joined_along_the_heads,
        _joined_along_the_batch,
        _reads_the_next,
        _masked_at_first_only,
        _never_masked,
        _mask_at_the_left,
        _new_ones_first,
        _new_values_first,
        _not_scaled,
    ),
    hints=paragraphs("""
        The new tokens ask; who is asked? The earlier tokens first, then the new ones: S of them in all. That is also
        what you hand on to the next call.

        `torch.cat` joins old and new along the axis of the tokens, keys with keys and values with values. Without a
        past there is nothing to join.

        The mask has T rows and S columns. In the full causal mask (S, S) the new tokens are the last rows: cut those
        out, and all of the past is open to them. Then attend as ever.
    """),
)


def reorder_cache(past: list[Pair], parents: Tensor) -> list[Pair]:
    """Give each beam its parent's cache: each layer's keys and values (n, H, S, d), by parents (beams,)."""
    return [(keys[parents], values[parents]) for keys, values in past]


def _not_reordered(past: list[Pair], _parents: Tensor) -> list[Pair]:
    """The cache stays as it was: a beam that goes on with another's text still reads its own old one.

    Seen in https://github.com/huggingface/transformers/issues/46612.
    """
    return past


def _keys_only(past: list[Pair], parents: Tensor) -> list[Pair]:
    """Only your keys follow their beams. Values belong to keys: move both."""
    return [(keys[parents], values) for keys, values in past]


def _values_only(past: list[Pair], parents: Tensor) -> list[Pair]:
    """Only your values follow their beams. Keys belong to values: move both."""
    return [(keys, values[parents]) for keys, values in past]


def _first_layer_only(past: list[Pair], parents: Tensor) -> list[Pair]:
    """Only the first layer follows its beams. Every layer has keys and values of its own: move all."""
    return [*reorder_cache(past[:1], parents), *past[1:]]


def _by_heads(past: list[Pair], parents: Tensor) -> list[Pair]:
    """You moved the heads. The beams stand on the first axis: (n, H, S, d)."""
    return [(keys[:, parents], values[:, parents]) for keys, values in past]


def _by_tokens(past: list[Pair], parents: Tensor) -> list[Pair]:
    """You moved the tokens. The beams stand on the first axis: (n, H, S, d)."""
    return [(keys[:, :, parents], values[:, :, parents]) for keys, values in past]


def _the_wrong_way(past: list[Pair], parents: Tensor) -> list[Pair]:
    """You moved row i to the place parents[i]. It is the other way round: row i comes from the place parents[i]."""
    return reorder_cache(past, parents.argsort(stable=True))


def _overwritten(past: list[Pair], parents: Tensor) -> list[Pair]:
    """You copy rows within the old tensors, and later ones read what is overwritten already. Make new tensors."""
    for pair in past:
        for kept in pair:
            for row, parent in enumerate(parents.tolist()):
                kept[row] = kept[parent].clone()
    return past


def _one_for_all(past: list[Pair], parents: Tensor) -> list[Pair]:
    """All your beams get the best one's cache. Row i is that of its own parent, parents[i]."""
    return reorder_cache(past, parents[:1].expand(len(parents)))


def _reordered(answer: Any) -> Callable[..., Any]:
    """Hand in a copy of the cache, and stack the layers of what comes back."""

    def function(past: list[Pair], parents: Tensor) -> Any:
        found = _call(answer, copy.deepcopy(past), parents)
        if found is None:
            return None
        if not isinstance(found, tuple | list) or any(not isinstance(each, tuple | list | Tensor) for each in found):
            raise TypeError("a list is wanted, with a pair (keys, values) for each layer")
        if len(found) != len(past) or any(len(pair) != 2 for pair in found):
            raise TypeError(f"a list of {len(past)} is wanted, a pair (keys, values) for each layer")
        return torch.stack([keys for keys, _ in found]), torch.stack([values for _, values in found])

    return function


def _layers(N: int, n: int, H: int, S: int, d: int = 2, seed: int = 0) -> list[Pair]:
    return [_old(n, H, S, d, d, seed=seed + 2 * layer) for layer in range(N)]


REORDER_CACHE = Exercise(
    name="reorder_cache",
    notebook=8,
    reference=reorder_cache,
    returns=("keys (N, beams, H, S, d)", "values (N, beams, H, S, d)"),
    minutes=5,
    difficulty=1,
    adapt=_reordered,
    cases=(
        case(_layers(2, 3, 3, 4), torch.tensor([1, 2, 0])),
        case(_layers(2, 3, 3, 4, seed=5), torch.tensor([2, 0, 0])),
        case(_layers(1, 2, 2, 3), torch.tensor([1, 0]), having="a single layer"),
        case(_layers(3, 1, 2, 3), torch.tensor([0, 0, 0]), having="the first step"),
        case(_layers(2, 4, 4, 4), torch.tensor([3, 1]), having="fewer beams than rows"),
        case(_layers(2, 3, 3, 3), torch.tensor([2, 0, 1]), having="sizes that are all the same"),
        case(_layers(2, 2, 2, 2), torch.tensor([0, 1]), having="beams that stay where they are"),
    ),
    mistakes=mistakes(
        _not_reordered,
        _keys_only,
        _values_only,
        _first_layer_only,
        _by_heads,
        _by_tokens,
        _the_wrong_way,
        _overwritten,
        _one_for_all,
    ),
    hints=paragraphs("""
        Beam 2 goes on with the text of beam 0. Whose keys and values should it read from now on?

        A tensor with a tensor of whole numbers as its index gives those rows, in that order, as a new tensor.

        Go through the layers. Of each, take the parents' rows of the keys and those of the values, as a pair in a new
        list.
    """),
)


def cache_bytes(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """How many bytes a KV cache takes for a text of `length` tokens, with `bytes_each` for a number."""
    return 2 * layers * kv_heads * d_k * length * bytes_each


def _keys_alone(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """Yours holds the keys or the values. Both are kept: twice as much."""
    return cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 2


def _one_layer(_layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """Yours is a single layer's. Each layer has keys and values of its own: times `layers`."""
    return cache_bytes(1, kv_heads, d_k, length, bytes_each)


def _one_head(layers: int, _kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """Yours is a single head's. Each head has keys and values of its own: times `kv_heads`."""
    return cache_bytes(layers, 1, d_k, length, bytes_each)


def _squared(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """Yours grows with the square of the length, as the weights do. They are not kept: keys and values are, one of each
    for a token.
    """
    return cache_bytes(layers, kv_heads, d_k, length**2, bytes_each)


def _bits(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """Yours is in bits. Bytes are wanted: `bytes_each` is in bytes already."""
    return 8 * cache_bytes(layers, kv_heads, d_k, length, bytes_each)


def _numbers_counted(layers: int, kv_heads: int, d_k: int, length: int, _bytes_each: int) -> int:
    """You counted numbers. Each takes `bytes_each` bytes."""
    return cache_bytes(layers, kv_heads, d_k, length, 1)


def _queries_too(layers: int, kv_heads: int, d_k: int, length: int, bytes_each: int) -> int:
    """You keep the queries too: three of each. A token asks once, when it is new; only keys and values are read later
    on.
    """
    return cache_bytes(layers, kv_heads, d_k, length, bytes_each) // 2 * 3


CACHE_BYTES = Exercise(
    name="cache_bytes",
    notebook=8,
    reference=cache_bytes,
    returns=("the bytes",),
    minutes=5,
    difficulty=1,
    cases=(
        case(12, 12, 64, 1024, 2),
        case(30, 3, 64, 500, 2),
        case(12, 12, 64, 1, 2, having="a single token"),
        case(1, 5, 16, 10, 4, having="a single layer"),
        case(2, 1, 16, 10, 4, having="a single head"),
        case(3, 2, 8, 7, 1, having="one byte each"),
    ),
    mistakes=mistakes(_keys_alone, _one_layer, _one_head, _squared, _bits, _numbers_counted, _queries_too),
    hints=paragraphs("""
        What is kept of one token, in one head of one layer? How many numbers are that?

        A token leaves a key and a value in each head that has them, each with d_k numbers, and in every layer.

        It is one product: the count of numbers for a token, times the tokens, times the bytes for a number. GPT-2 small
        takes 36,864 bytes for each token in 16-bit numbers.
    """),
)

EXERCISES = (
    TEXT_LOG_PROBABILITY,
    GREEDY_TEXT,
    APPLY_TEMPERATURE,
    TOP_K_FILTER,
    TOP_P_FILTER,
    NEXT_TOKEN_PROBABILITIES,
    LENGTH_PENALTY,
    BEAM_STEP,
    BEAM_SEARCH_TEXT,
    ATTEND_WITH_CACHE,
    REORDER_CACHE,
    CACHE_BYTES,
)
