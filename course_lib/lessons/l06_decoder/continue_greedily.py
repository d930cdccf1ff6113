"""The exercise `continue_greedily` of notebook 06."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, numbers
from course_lib.exercises.exercise import Exercise
from course_lib.writing import by_hand


def grown(text: list[int], length: int, choose: Callable[[list[int]], Tensor], stop: int | None = None) -> list[int]:
    """What a text grows by: up to `length` tokens, each what `choose` makes of the text so far, without the stop."""
    so_far = list(text)
    for _ in range(length):
        token = int(choose(so_far))
        if token == stop:
            break
        so_far.append(token)
    return so_far[len(text) :]


def summed_up(ids: Tensor) -> Tensor:
    """At each place of ids (B, T), a number that hangs on all tokens up to there and on their order."""
    if ids.dim() != 2:
        raise ValueError(f"the model takes ids (B, T), but their shape is {tuple(ids.shape)}")
    return (ids * torch.arange(1, ids.size(1) + 1)).cumsum(dim=1)


class StandIn(nn.Module):
    """Stands for a model: what it predicts at each place hangs on all tokens up to there, and on their order."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table, requires_grad=False)  # (states, V)

    def forward(self, ids: Tensor) -> Tensor:
        """Predict each next token: ids (B, T) to logits (B, T, V)."""
        return self.table[summed_up(ids) % len(self.table)]


WRITER = StandIn(4 * numbers(13, 11))

continue_greedily = Exercise(
    reference=by_hand.continue_greedily,
    notebook=6,
    order=60,
    minutes=10,
    difficulty=2,
    returns=(Result("the added ids"),),
    example=case(WRITER, [1, 2], 5),
    another=case(WRITER, [5, 3], 5),
    cases=(
        case(WRITER, [4], 3, having=("a single token",)),
        case(WRITER, [1, 2, 3, 4], 1, having=("one token to add",)),
        case(WRITER, [7, 7], 0, having=("nothing to add",)),
    ),
    hints=(
        "A loop: ask the model, take the likeliest token after the last one, put it at the end of the text.",
        (
            "The model wants a batch, (1, T), and gives logits (1, T, V): a prediction after every token. Only the one "
            "after the last token is new."
        ),
        (
            "`logits[0, -1].argmax()` is the new token; `int(…)` makes it a number for the list. At the end, return "
            "the part of the list that came after the beginning."
        ),
    ),
)


@continue_greedily.mistake("You read the prediction at the first position. The new token is predicted at the last.")
def at_the_first_place(model, ids, length):
    return grown(ids, length, lambda text: model(torch.tensor([text]))[0, 0].argmax())


@continue_greedily.mistake(
    "You ask the model the same question each time: the new token goes to the end of the text before the next call."
)
def forgets_to_append(model, ids, length):
    return grown(ids, length, lambda _text: model(torch.tensor([ids]))[0, -1].argmax())


@continue_greedily.mistake(
    "You give the model the latest token only. It has no memory between calls: give it all of the text so far."
)
def only_the_latest(model, ids, length):
    return grown(ids, length, lambda text: model(torch.tensor([text[-1:]]))[0, -1].argmax())


@continue_greedily.mistake("Your result begins with the text that came in. Only what was added is wanted.")
def with_the_beginning(model, ids, length):
    return [*ids, *by_hand.continue_greedily(model, ids, length)]


@continue_greedily.mistake("You take the least likely token: `argmin`. The likeliest has the highest logit.")
def least_likely(model, ids, length):
    return grown(ids, length, lambda text: model(torch.tensor([text]))[0, -1].argmin())


@continue_greedily.mistake("You add one token too many: as many as `length` says.")
def longer_by_one(model, ids, length):
    return by_hand.continue_greedily(model, ids, length + 1)


@continue_greedily.mistake("You append the highest logit itself: `max`. The token is its position: `argmax`.")
def logit_for_token(model, ids, length):
    return grown(ids, length, lambda text: model(torch.tensor([text]))[0, -1].max())


@continue_greedily.mistake(
    "Your `argmax` runs over the predictions of all positions at once. Take those at the last position first: "
    "`logits[0, -1]`."
)
def over_all_places(model, ids, length):
    return grown(ids, length, lambda text: model(torch.tensor([text])).argmax())


@continue_greedily.mistake(
    "Your `argmax` runs over the positions and gives the number of a position. It should run over the V tokens: the "
    "last axis."
)
def place_for_token(model, ids, length):
    return grown(ids, length, lambda text: model(torch.tensor([text])).argmax(dim=1)[0, -1])


@continue_greedily.right_for_whole_course
def continue_by_concatenation(model, ids, length):
    text = torch.tensor(ids)[None]
    for _ in range(length):
        text = torch.cat((text, model(text)[:, -1:].softmax(-1).argmax(-1)), dim=1)
    return text[0, len(ids) :].tolist()


@continue_greedily.right
def continue_by_recursion(model, ids, length):
    if length == 0:
        return []
    token = max(enumerate(model(torch.tensor([ids]))[0, -1].tolist()), key=lambda pair: pair[1])[0]
    return [token, *continue_by_recursion(model, [*ids, token], length - 1)]


@continue_greedily.right
@torch.inference_mode()
def continue_on_the_models_device(model, ids, length):
    model.eval()
    device, new = next(model.parameters()).device, []
    while len(new) < length:
        new.append(model(torch.tensor([[*ids, *new]], device=device)).squeeze(0)[-1].argmax().item())
    return tuple(new)


@continue_greedily.right
def continue_in_numpy(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text += [np.argmax(model(torch.tensor([text])).numpy()[0, -1])]
    return text[len(ids) :]
