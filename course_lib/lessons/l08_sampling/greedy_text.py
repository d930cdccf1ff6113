"""The exercise `greedy_text` of notebook 08."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.stand_ins import StandIn
from course_lib.writing import choose


def with_prompt_afterwards(answer: Any) -> Callable[..., Any]:
    """Pass a copy of the prompt; return the result, and the prompt after the call."""

    def function(model: Any, prompt: list[int], *settings: Any) -> Any:
        copied = list(prompt)
        result = call_directly(answer)(model, copied, *settings)
        return None if result is None else (result, copied)

    return function


MODEL = StandIn(4 * fixed_tensor(13, 11))

greedy_text = Exercise(
    reference=choose.greedy_text,
    notebook=8,
    order=20,
    minutes=10,
    difficulty=1,
    adapt=with_prompt_afterwards,
    returns=(
        Result("the new ids"),
        Result("the prompt, when all is done,"),
    ),
    example=case(MODEL, [1, 2], 10, 4),
    another=case(MODEL, [4, 3], 10, 4),
    cases=(
        case(MODEL, [7], 8, 2, having=("a prompt of a single token",)),
        case(MODEL, [1, 2, 2, 4], 3, 10, having=("a length that cuts",)),
        case(MODEL, [1, 2], 5, 4, having=("a length that just holds it",)),
        case(MODEL, [4, 2], 5, 3, having=("a text that stops at once",)),
        case(MODEL, [5, 1, 3], 8, 3, having=("the stop token in the prompt",)),
    ),
    hints=(
        (
            "A loop that runs at most `length` times: ask the model, take the likeliest token, put it at the end of "
            "the text."
        ),
        (
            "The model wants a batch, (1, T), and predicts after every token. Only what it predicts at the last "
            "position is new. Look at the new token before you put it into the text: is it the one that ends "
            "everything?"
        ),
        (
            "Work on a copy of the prompt, so that the caller's list stays as it is. At the end, return the part of "
            "your list that came after the prompt."
        ),
    ),
)


greedy_text.patch(
    "Your text runs on after the stop token. That one says that the text is over: leave the loop there.",
    replace="if best == stop:",
    by="if False:",
    seen="https://github.com/joeynmt/joeynmt/issues/78",
)

greedy_text.patch(
    "Your text ends with the stop token. It says that the text is over, and is no part of it.",
    replace="break",
    by="return [*text[len(prompt) :], best]",
)

greedy_text.patch(
    "Your result begins with the prompt. Only what is new is wanted.",
    replace="return text[len(prompt) :]",
    by="return text",
)

greedy_text.patch(
    "You give the model the latest token only. It has no memory between calls: give it all of the text so far.",
    replace="torch.tensor([text])",
    by="torch.tensor([text[-1:]])",
)

greedy_text.patch(
    "You read the prediction at the first position. The new token is predicted at the last.",
    replace="logits[0, -1]",
    by="logits[0, 0]",
)

greedy_text.patch(
    "You choose from the same logits again and again. After each new token the model has to be asked again, with that "
    "token at the end.",
    replace="torch.tensor([text])",
    by="torch.tensor([prompt])",
    seen="https://github.com/xberg-io/xberg/issues/1210",
)

greedy_text.patch(
    "You count the prompt in the length, so that a long prompt leaves room for little. Only new tokens count.",
    replace="range(length)",
    by="range(length - len(prompt))",
)

greedy_text.patch(
    "Your `argmax` runs over the positions and gives the number of a position. It should run over the V tokens: the "
    "last axis.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax(dim=1)[0, -1]",
)

greedy_text.patch(
    "Your `argmax` runs over the predictions of all positions at once. Take those at the last position first: "
    "`logits[0, -1]`.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax()",
)

greedy_text.patch(
    "You take the highest logit itself: `max`. The token is its position: `argmax`.",
    replace="logits[0, -1].argmax()",
    by="logits[0, -1].max()",
)

greedy_text.patch(
    "You look for the stop token in the whole text. In a prompt it may stand, and ends nothing: look at the new token "
    "only.",
    replace="if best == stop:",
    by="if stop in [*text, best]:",
)


@greedy_text.mistake(
    "The ids are right, but the caller's prompt has grown: you append to it. Work on a copy, `list(prompt)`."
)
def prompt_grows(model, prompt, length, stop):
    new = choose.greedy_text(model, prompt, length, stop)
    prompt += new
    return new


greedy_text.patch(
    "`text = prompt` is the same list under a second name: it grows under both, and nothing comes after its end. Begin "
    "with a copy, `list(prompt)`.",
    replace="text = list(prompt)",
    by="text = prompt",
)


@greedy_text.right_for_whole_course
def by_concatenation(model, prompt, length, stop):
    text = torch.tensor(prompt)[None]
    for _ in range(length):
        token = model(text)[:, -1:].softmax(-1).argmax(-1)
        if token.item() == stop:
            break
        text = torch.cat((text, token), dim=1)
    return text[0, len(prompt) :].tolist()


@greedy_text.right
def greedy_by_recursion(model, prompt, length, stop):
    if length == 0:
        return []
    token = model(torch.tensor([prompt]))[0, -1].topk(1).indices.item()
    return [] if token == stop else [token, *greedy_by_recursion(model, [*prompt, token], length - 1, stop)]


@greedy_text.right
def greedy_in_numpy(model, prompt, length, stop):
    new = []
    while len(new) < length:
        token = np.argmax(model(torch.tensor([[*prompt, *new]]))[0, -1].numpy())
        if token == stop:
            break
        new.append(token)
    return new


@greedy_text.right
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


@greedy_text.right
def greedy_on_the_models_device(model, prompt, length, stop):
    text = torch.tensor([prompt], device=next(model.parameters()).device)
    for _ in range(length):
        token = model(text)[:, -1].argmax(-1, keepdim=True)
        if token.item() == stop:
            break
        text = torch.cat((text, token), dim=1)
    return text[0, len(prompt) :].tolist()
