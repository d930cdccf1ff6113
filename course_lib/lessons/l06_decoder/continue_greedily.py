"""The exercise `continue_greedily` of notebook 06."""

import numpy as np
import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.stand_ins import StandIn
from course_lib.writing import choose

WRITER = StandIn(4 * fixed_tensor(13, 11))

continue_greedily = Exercise(
    reference=choose.continue_greedily,
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


continue_greedily.patch(
    "You read the prediction at the first position. The new token is predicted at the last.",
    replace="logits[0, -1]",
    by="logits[0, 0]",
)

continue_greedily.patch(
    "You ask the model the same question each time: the new token goes to the end of the text before the next call.",
    replace="torch.tensor([text])",
    by="torch.tensor([ids])",
)

continue_greedily.patch(
    "You give the model the latest token only. It has no memory between calls: give it all of the text so far.",
    replace="torch.tensor([text])",
    by="torch.tensor([text[-1:]])",
)

continue_greedily.patch(
    "Your result begins with the text that came in. Only what was added is wanted.",
    replace="return text[len(ids) :]",
    by="return text",
)

continue_greedily.patch(
    "You take the least likely token: `argmin`. The likeliest has the highest logit.",
    replace="argmax",
    by="argmin",
)

continue_greedily.patch(
    "You add one token too many: as many as `length` says.",
    replace="range(length)",
    by="range(length + 1)",
)

continue_greedily.patch(
    "You append the highest logit itself: `max`. The token is its position: `argmax`.",
    replace="logits[0, -1].argmax()",
    by="logits[0, -1].max()",
)

continue_greedily.patch(
    "Your `argmax` runs over the predictions of all positions at once. Take those at the last position first: "
    "`logits[0, -1]`.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax()",
)

continue_greedily.patch(
    "Your `argmax` runs over the positions and gives the number of a position. It should run over the V tokens: the "
    "last axis.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax(dim=1)[0, -1]",
)


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
