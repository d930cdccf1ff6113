"""The exercise `beam_search_text` of notebook 08."""

import heapq
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.stand_ins import StandIn
from course_lib.writing import beam
from course_lib.writing.beam import beam_step


def with_prompt_afterwards(answer: Any) -> Callable[..., Any]:
    """Pass a copy of the prompt; return the ids, the log-probability, and the prompt after the call."""

    def function(model: Any, prompt: list[int], *settings: int) -> Any:
        copied = list(prompt)
        result = call_directly(answer)(model, copied, *settings)
        if result is None:
            return None
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError("two things are wanted, `return ids, log_probability`")
        ids, total = result
        is_number = isinstance(total, int | float) or (hasattr(total, "item") and torch.as_tensor(total).numel() == 1)
        return ids, torch.tensor(float(total)) if is_number else total, copied

    return function


def writer(seed: int) -> StandIn:
    """A stand-in for a language model."""
    return StandIn(fixed_tensor(11, 5, seed=seed) * 1.5)


beam_search_text = Exercise(
    reference=beam.beam_search_text,
    notebook=8,
    order=80,
    minutes=30,
    difficulty=3,
    adapt=with_prompt_afterwards,
    returns=(
        Result("ids"),
        Result("log_probability"),
        Result("the prompt, when all is done,"),
    ),
    example=case(writer(38), [1, 2], 3, 5, 0),
    another=case(writer(48), [1, 2], 3, 5, 0),
    cases=(
        case(writer(45), [4], 3, 5, 0, having=("a prompt of a single token",)),
        case(writer(17), [3, 1, 2], 2, 6, 0, having=("a longer prompt", "two beams")),
        case(writer(43), [1, 2], 3, 4, 0, having=("a length that cuts",)),
        case(writer(22), [4], 2, 4, 0, having=("a length that cuts", "two beams")),
        case(writer(16), [1, 2], 3, 4, 0, having=("a text that goes on and is likelier than those that ended",)),
        case(writer(53), [3, 1, 2], 3, 5, 0, having=("a text that stops at once",)),
        case(writer(52), [1, 2], 1, 5, 0, having=("a single beam",)),
        case(writer(33), [4, 0], 3, 5, 0, having=("the stop token in the prompt",)),
    ),
    hints=(
        (
            "Keep two lists: texts that go on, with their totals, and texts that have ended, with theirs. You begin "
            "with one text, the prompt, and a total of 0."
        ),
        (
            "A step: all texts that go on are one batch for the model, of whose logits you take those at the last "
            "position. `beam_step` says which texts go on with which tokens. Build each new text from its parent's and "
            "its token."
        ),
        (
            "After each step move those whose new token is the stop token to the other list, without that token, but "
            "with the total that counts it. If none goes on, leave the loop. At the very end both lists together are "
            "searched for the largest total, and the prompt is cut off."
        ),
    ),
)


beam_search_text.patch(
    "All your beams begin as the same text, and go on as the same: k times what greedy writes. At the first step there "
    "is one text, with a total of 0.",
    replace="[list(prompt)], torch.zeros(1)",
    by="[list(prompt)] * beams, torch.zeros(beams)",
    seen="https://github.com/facebookresearch/ParlAI/issues/2007",
)

beam_search_text.patch(
    "You put the new tokens to the texts in the order in which they stand. A new token belongs to its parent's text, "
    "`going[parent]`, which may stand elsewhere.",
    replace="[*going[parent], token] for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True)",
    by="[*going[min(i, len(going) - 1)], token] for i, token in enumerate(tokens.tolist())",
)


@beam_search_text.mistake(
    "The stop token's log-probability is missing from your finished texts, so that stopping costs nothing. It is a "
    "token like others."
)
def end_not_counted(model, prompt, beams, length, stop):
    def step(logits, totals, beams):
        parents, tokens, longer = beam_step(logits, totals, beams)
        return parents, tokens, torch.where(tokens == stop, totals[parents], longer)

    return beam.beam_search_text(model, prompt, beams, length, stop, step=step)


beam_search_text.patch(
    "You return the text that ends first. A longer one may be likelier: go on, and compare at the end.",
    replace="if not going:",
    by="if found:\n            going, totals = [], totals[:0]\n        if not going:",
)

beam_search_text.patch(
    "Texts that end are lost in yours: only those that go on to the last step are compared. Set them aside with their "
    "log-probability.",
    replace="found += [(text[:-1], total)",
    by="_ = [(text[:-1], total)",
)

beam_search_text.patch(
    "Texts that still go on after `length` tokens are lost in yours. They count too.",
    replace="found += zip(going, totals.tolist(), strict=True)",
    by="found = found or [(prompt, 0.0)]",
)

beam_search_text.patch(
    "Texts that still go on count in yours only where none has ended. One of them may be the likeliest of all: compare "
    "them together.",
    replace="found += zip(going, totals.tolist(), strict=True)",
    by="found = found or list(zip(going, totals.tolist(), strict=True))",
)

beam_search_text.patch(
    "You choose by log-probability per token, which favours long texts. Here the log-probability itself decides.",
    replace="key=lambda each: each[1])",
    by="key=lambda each: each[1] / max(1, len(each[0]) - len(prompt)))",
)


@beam_search_text.mistake(
    "Your texts go on after the stop token. One that ends is set aside, and takes no part in the next step.",
    seen="https://github.com/tensorflow/tensorflow/issues/21920",
)
def continues_writing(model, prompt, beams, length, stop):
    return beam.beam_search_text(model, prompt, beams, length, stop=-1)


@beam_search_text.mistake(
    "You cut the texts at the stop token, but only when all is done: what they wrote after it was counted, and held "
    "the place of others. Set a text aside as soon as it ends.",
    seen="https://github.com/jarobyte91/pytorch_beam_search/issues/5",
)
def cut_too_late(model, prompt, beams, length, stop):
    ids, total = continues_writing(model, prompt, beams, length, stop)
    return ids[: [*ids, stop].index(stop)], total


beam_search_text.patch(
    "Your text ends with the stop token. It says that the text is over, and is no part of it.",
    replace="(text[:-1], total)",
    by="(text, total)",
)

beam_search_text.patch(
    "Your result begins with the prompt. Only what is new is wanted.",
    replace="return text[len(prompt) :], total",
    by="return text, total",
)


@beam_search_text.mistake("You return the probability. Its logarithm is wanted, the total as it is.")
def not_the_logarithm(model, prompt, beams, length, stop):
    ids, total = beam.beam_search_text(model, prompt, beams, length, stop)
    return ids, math.exp(total)


@beam_search_text.right_for_whole_course
def in_tensors(model, prompt, beams, length, stop):
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


@beam_search_text.right
def beam_search_with_twice_as_many(model, prompt, beams, length, stop):
    """Keep twice as many candidates, so that enough texts continue even if many of them end."""
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


@beam_search_text.right
def beam_search_that_keeps_the_ended_among_its_beams(model, prompt, beams, length, stop):
    """A text that has ended stays among the beams unchanged, and ends the search once it is the best of them."""
    beam = [([], torch.tensor(0.0))]
    for _ in range(length):
        candidates = [(ids, total) for ids, total in beam if ids[-1:] == [stop]]
        for ids, total in beam:
            if ids[-1:] != [stop]:
                log_p = model(torch.tensor([[*prompt, *ids]])).log_softmax(-1)[0, -1]
                candidates += [([*ids, token], total + log_p[token]) for token in range(len(log_p))]
        beam = sorted(candidates, key=lambda each: each[1], reverse=True)[:beams]
        if beam[0][0][-1] == stop:
            break
    ids, total = beam[0]
    return [token for token in ids if token != stop], total


@beam_search_text.right
def beam_search_that_sets_all_that_may_end_aside(model, prompt, beams, length, stop):
    """Each possible end of a text is set aside, whether or not it ranks among the best."""
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


@beam_search_text.right
class BeamSearchInTensors:
    """The number of beams falls whenever a text ends; at the start, only the first beam counts."""

    @torch.no_grad()
    def __call__(self, model, prompt, beams, length, stop):
        texts = torch.tensor([prompt]).repeat(beams, 1)
        totals = torch.tensor([0.0] + [-1e9] * (beams - 1))
        best = ([], -math.inf)
        for _ in range(length):
            table = totals[:, None] + model(texts)[:, -1].log_softmax(-1)
            totals, indices = table.view(-1).topk(len(texts))
            texts = torch.cat((texts[indices // table.size(1)], indices[:, None] % table.size(1)), dim=1)
            for text, total in zip(texts, totals, strict=True):
                if text[-1] == stop and total > best[1]:
                    best = (text[len(prompt) : -1].tolist(), total.item())
            texts, totals = texts[texts[:, -1] != stop], totals[texts[:, -1] != stop]
            if not len(texts) or totals[0] < best[1]:
                return best
        return max(best, (texts[0, len(prompt) :].tolist(), totals[0].item()), key=lambda pair: pair[1])
