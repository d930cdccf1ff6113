"""The exercise `beam_search_text` of notebook 09."""

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
            raise TypeError("your code should return two things: `return ids, log_probability`.")
        ids, total = result
        is_number = isinstance(total, int | float) or (hasattr(total, "item") and torch.as_tensor(total).numel() == 1)
        return ids, torch.tensor(float(total)) if is_number else total, copied

    return function


def writer(seed: int) -> StandIn:
    """A stand-in for a language model."""
    return StandIn(fixed_tensor(11, 5, seed=seed) * 1.5)


beam_search_text = Exercise(
    reference=beam.beam_search_text,
    notebook=9,
    order=80,
    minutes=15,
    difficulty=3,
    adapt=with_prompt_afterwards,
    returns=(
        Result("ids"),
        Result("log_probability"),
        Result("the prompt after the call"),
    ),
    example=case(writer(38), [1, 2], 3, 5, 0),
    another=case(writer(48), [1, 2], 3, 5, 0),
    cases=(
        case(writer(45), [4], 3, 5, 0, having=("a prompt of a single token",)),
        case(writer(17), [3, 1, 2], 2, 6, 0, having=("a longer prompt", "two beams")),
        case(writer(43), [1, 2], 3, 4, 0, having=("a length of 4",)),
        case(
            writer(22),
            [4],
            2,
            4,
            0,
            having=(
                "a length of 4",
                "two beams",
                "a prompt of a single token",
                "an unfinished text that is likelier than all ended ones",
                "a likeliest text that is found after another has ended",
            ),
        ),
        case(
            writer(16),
            [1, 2],
            3,
            4,
            0,
            having=(
                "an unfinished text that is likelier than all ended ones",
                "a likeliest text that is found after another has ended",
                "a length of 4",
            ),
        ),
        case(
            writer(125),
            [2, 4],
            3,
            4,
            0,
            having=(
                "an unfinished text that is likelier than the only ended one",
                "an unfinished text that is likelier than all ended ones",
                "a likeliest text that is found after another has ended",
                "a length of 4",
            ),
        ),
        case(
            writer(84),
            [4],
            2,
            4,
            0,
            having=(
                "two beams",
                "a prompt of a single token",
                "a length of 4",
            ),
        ),
        case(
            writer(271),
            [1, 2],
            3,
            5,
            0,
            having=("a text that stops immediately", "a likeliest text that is found after another has ended"),
        ),
        case(
            writer(131),
            [1, 2],
            2,
            6,
            0,
            having=(
                "an unfinished text that is likelier than all ended ones",
                "a likeliest text that is found after another has ended",
                "two beams",
            ),
        ),
        case(writer(53), [3, 1, 2], 3, 5, 0, having=("a text that stops immediately", "a longer prompt")),
        case(
            writer(124),
            [1],
            2,
            4,
            0,
            having=(
                "a likeliest text that is found after another has ended",
                "two beams",
                "a prompt of a single token",
                "a length of 4",
            ),
        ),
        case(writer(52), [1, 2], 1, 5, 0, having=("a single beam",)),
        case(writer(33), [4, 0], 3, 5, 0, having=("the stop token in the prompt",)),
        case(writer(26), [1, 2], 3, 5, 4, having=("another stop token",)),
        case(
            writer(11),
            [1, 2],
            3,
            5,
            4,
            having=(
                "another stop token",
                "a token 0 in the result",
                "a text that stops immediately",
                "an unfinished text that is likelier than all ended ones",
                "a likeliest text that is found after another has ended",
            ),
        ),
        case(
            writer(643),
            [2, 1],
            2,
            5,
            0,
            having=(
                "a likelier text that only more beams would find",
                "two beams",
                "an unfinished text that is likelier than all ended ones",
                "an unfinished text that is likelier than the only ended one",
            ),
        ),
        case(
            writer(100),
            [1],
            1,
            6,
            0,
            having=("a likelier text that only more beams would find", "a single beam", "a prompt of a single token"),
        ),
    ),
    hints=(
        (
            "Three things happen in one round: the model reads the texts, `beam_step` chooses, and each choice becomes "
            "a longer text, which either continues or has ended."
        ),
        (
            "In each step, the texts that continue are one batch for the model, and its logits at the last position "
            "go into `beam_step`. Build each new text from its parent and its token. A text whose token is `stop` "
            "moves to the other list, with a total that counts it."
        ),
        (
            "`[*texts[parent], token]` is a new text, and `totals[tokens != stop]` are the totals of those that "
            "continue. If none continues, leave the loop. Which lists are compared at the very end?"
        ),
    ),
)


beam_search_text.patch(
    "Your search finds what greedy decoding finds. Perhaps all your beams begin as the same text, and stay the same, "
    "or only one text is kept in each step. Begin with one text, with a total of 0, and let `beam_step` keep `beams`.",
    replace="[list(prompt)], torch.zeros(1)",
    by="[list(prompt)] * beams, torch.zeros(beams)",
    seen="https://github.com/facebookresearch/ParlAI/issues/2007",
)

beam_search_text.patch(
    "Your i-th new token continues the i-th text. A new token belongs to the text of its parent, `texts[parent]`, "
    "which may be another one.",
    replace="[*going[parent], token] for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True)",
    by="[*going[min(i, len(going) - 1)], token] for i, token in enumerate(tokens.tolist())",
)


@beam_search_text.mistake(
    "Your texts hold tokens of several continuations, as when two of them append to the list of one parent. Make a new "
    "list for each: `[*texts[parent], token]`."
)
def one_list_for_all_continuations(model, prompt, beams, length, stop):
    going, totals, found = [list(prompt)], torch.zeros(1), []
    for _ in range(length):
        if not going:
            break
        parents, tokens, totals = beam_step(model(torch.tensor(going))[:, -1], totals, beams)
        texts, going = going, []
        for parent, token, total in zip(parents.tolist(), tokens.tolist(), totals.tolist(), strict=True):
            if token == stop:
                found.append((list(texts[parent]), total))
            else:
                texts[parent].append(token)
                going.append(texts[parent])
        totals = totals[tokens != stop]
    text, total = max([*found, *zip(going, totals.tolist(), strict=True)], key=lambda each: each[1])
    return text[len(prompt) :], total


@beam_search_text.mistake(
    "The log-probability of the stop token is missing from your finished texts, so that stopping costs nothing. Count "
    "it like that of any other token."
)
def end_not_counted(model, prompt, beams, length, stop):
    def step(logits, totals, beams):
        parents, tokens, longer = beam_step(logits, totals, beams)
        return parents, tokens, torch.where(tokens == stop, totals[parents], longer)

    return beam.beam_search_text(model, prompt, beams, length, stop, step=step)


beam_search_text.patch(
    "Your code returns the text that ends first. A longer one may be likelier: continue with the others, and compare "
    "at the end.",
    replace="if not going:",
    by="if found:\n            going, totals = [], totals[:0]\n        if not going:",
)

beam_search_text.patch(
    "Your search is over as soon as one text ends. The others may become likelier texts: continue with them, and stop "
    "only when none is left or after `length` tokens.",
    replace="if not going:",
    by="if found:",
)

beam_search_text.patch(
    "Your code stops once as many texts have ended as there are beams, though one that continues may still become the "
    "likeliest. Stop only when none is left or after `length` tokens.",
    replace="if not going:",
    by="if not going or len(found) >= beams:",
)

beam_search_text.patch(
    "Your code stops once as many texts have ended as there are beams, and leaves out those that continue. Stop only "
    "when none is left or after `length` tokens, and compare all texts.",
    replace="if not going:",
    by="if len(found) >= beams:\n            going, totals = [], totals[:0]\n        if not going:",
)

beam_search_text.patch(
    "Texts that end are lost in your code: it compares only those that continue to the last step. Set ended texts "
    "aside with their log-probability.",
    replace="found += [(text[:-1], total)",
    by="_ = [(text[:-1], total)",
)

beam_search_text.patch(
    "Texts that are unfinished after `length` tokens are lost in your code. Compare them too.",
    replace="found += zip(going, totals.tolist(), strict=True)",
    by="found = found or [(prompt, 0.0)]",
)

beam_search_text.patch(
    "Your code looks at unfinished texts only if no text has ended. One of them may be the likeliest of all: compare "
    "unfinished and ended texts together.",
    replace="found += zip(going, totals.tolist(), strict=True)",
    by="found = found or list(zip(going, totals.tolist(), strict=True))",
)

beam_search_text.patch(
    "Your code looks at ended texts only if no text is unfinished. One of them may be the likeliest of all: compare "
    "unfinished and ended texts together.",
    replace="found += zip(going, totals.tolist(), strict=True)",
    by="found = list(zip(going, totals.tolist(), strict=True)) or found",
)

beam_search_text.patch(
    "Your code compares log-probabilities per token, which favours long texts. Compare the log-probabilities "
    "themselves.",
    replace="key=lambda each: each[1])",
    by="key=lambda each: each[1] / max(1, len(each[0]) - len(prompt)))",
)

beam_search_text.patch(
    "Your code compares log-probabilities that are divided by the length of the whole text, with the prompt, which "
    "favours long texts. Compare the log-probabilities themselves.",
    replace="key=lambda each: each[1])",
    by="key=lambda each: each[1] / len(each[0]))",
)

beam_search_text.patch(
    "Your search keeps one text fewer after each text that ends. A text that has ended does not take up a place: let "
    "`beam_step` keep `beams` texts in each round.",
    replace="if not going:",
    by="beams -= int((tokens == stop).sum())\n        if not going:",
)


@beam_search_text.mistake(
    "Your texts end at token 0, whatever `stop` is. The stop token's id is passed in as `stop`: compare with that."
)
def always_0(model, prompt, beams, length, stop):
    return beam.beam_search_text(model, prompt, beams, length, stop=0)


@beam_search_text.mistake(
    "Your search keeps more texts than `beams` in each step. That may find a likelier text, but it is another search: "
    "`beams` says how many texts are kept."
)
def one_beam_too_many(model, prompt, beams, length, stop):
    return beam.beam_search_text(model, prompt, beams + 1, length, stop)


@beam_search_text.mistake(
    "Your texts continue after the stop token. Set a text aside when it ends, so that it takes no part in the next "
    "step.",
    seen="https://github.com/tensorflow/tensorflow/issues/21920",
)
def continues_writing(model, prompt, beams, length, stop):
    return beam.beam_search_text(model, prompt, beams, length, stop=-1)


@beam_search_text.mistake(
    "Your result ends at the stop token, but the text goes on: what it writes after that token is counted, and keeps "
    "other texts out. Set a text aside as soon as it ends.",
    seen="https://github.com/jarobyte91/pytorch_beam_search/issues/5",
)
def cut_too_late(model, prompt, beams, length, stop):
    ids, total = continues_writing(model, prompt, beams, length, stop)
    return ids[: [*ids, stop].index(stop)], total


beam_search_text.patch(
    "Your text ends with the stop token. That token only says that the text is over: leave it out of the result.",
    replace="(text[:-1], total)",
    by="(text, total)",
)

beam_search_text.patch(
    "Your result begins with the prompt. Return only the new tokens.",
    replace="return text[len(prompt) :], total",
    by="return text, total",
)


@beam_search_text.mistake(
    "Your code returns the probability of the text. Return its logarithm, which is the total itself."
)
def not_the_logarithm(model, prompt, beams, length, stop):
    ids, total = beam.beam_search_text(model, prompt, beams, length, stop)
    return ids, math.exp(total)


beam_search_text.patch(
    "Your code returns the least likely text that it found. The largest total is the best, since it is closest to 0.",
    replace="max(found",
    by="min(found",
)

beam_search_text.patch(
    "Your code predicts every token from the first token alone, as the prediction at the first position does. The new "
    "token is predicted at the last position, from all of the text so far.",
    replace="[:, -1]  # (n, V)",
    by="[:, 0]  # (n, V)",
)

beam_search_text.patch(
    "Your new tokens depend on the newest token alone, as if only that were passed to the model. The model remembers "
    "nothing between calls: pass all of the text so far.",
    replace="model(torch.tensor(going))",
    by="model(torch.tensor(going)[:, -1:])",
)

beam_search_text.patch(
    "In your code, only the last token counts, as if the totals started again at 0 in each step. Pass on the totals "
    "that `beam_step` returns.",
    replace="step(logits, totals, beams)",
    by="step(logits, torch.zeros_like(totals), beams)",
)

beam_search_text.patch(
    "Your code writes one token too many. A text has at most `length` new tokens.",
    replace="range(length)",
    by="range(length + 1)",
)

beam_search_text.patch(
    "Your code writes one token too few. A text has up to `length` new tokens, the stop token included.",
    replace="range(length)",
    by="range(length - 1)",
)

beam_search_text.patch(
    "Your code counts the prompt as a part of `length`, so that it stops too early. `length` limits the new tokens "
    "only.",
    replace="range(length)",
    by="range(length - len(prompt))",
)

beam_search_text.patch(
    "If the prompt contains the stop token, your texts end after one new token, as if the stop token were looked for "
    "in the whole text. Look only at the new token.",
    replace="going, totals = [text for text in going if text[-1] != stop], totals[tokens != stop]",
    by=(
        "found += [(text, total) for text, total in zip(going, totals.tolist()) if stop in text[:-1]]\n"
        "        keep = torch.tensor([stop not in text for text in going], dtype=torch.bool)\n"
        "        going, totals = [text for text in going if stop not in text], totals[keep]"
    ),
)


@beam_search_text.mistake(
    "Your ids are right, but your code appends to the caller's prompt. Work on a copy: `list(prompt)`."
)
def prompt_grows(model, prompt, beams, length, stop):
    ids, total = beam.beam_search_text(model, prompt, beams, length, stop)
    prompt += ids
    return ids, total


@beam_search_text.mistake("Your log-probability is divided by the number of tokens. Return the total itself.")
def mean_returned(model, prompt, beams, length, stop):
    ids, total = beam.beam_search_text(model, prompt, beams, length, stop)
    return ids, total / max(1, len(ids))


@beam_search_text.mistake(
    "Your ids lack the tokens 0 that your text has. Unless it is the stop token, 0 is a token like any other, though "
    "`if` takes it for false."
)
def token_0_left_out(model, prompt, beams, length, stop):
    ids, total = beam.beam_search_text(model, prompt, beams, length, stop)
    return [token for token in ids if token], total


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
    """At the start, only the first of several equal beams counts."""

    @torch.no_grad()
    def __call__(self, model, prompt, beams, length, stop):
        texts = torch.tensor([prompt]).repeat(beams, 1)
        totals = torch.tensor([0.0] + [-1e9] * (beams - 1))
        best = ([], -math.inf)
        for _ in range(length):
            table = totals[:, None] + model(texts)[:, -1].log_softmax(-1)
            totals, indices = table.view(-1).topk(beams)
            texts = torch.cat((texts[indices // table.size(1)], indices[:, None] % table.size(1)), dim=1)
            for text, total in zip(texts, totals, strict=True):
                if text[-1] == stop and total > best[1]:
                    best = (text[len(prompt) : -1].tolist(), total.item())
            texts, totals = texts[texts[:, -1] != stop], totals[texts[:, -1] != stop]
            if not len(texts) or totals[0] < best[1]:
                return best
        return max(best, (texts[0, len(prompt) :].tolist(), totals[0].item()), key=lambda pair: pair[1])
