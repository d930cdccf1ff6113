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
        case(WRITER, [1, 1, 2], 12, having=("many tokens",)),
        case(StandIn(4 * fixed_tensor(13, 11, seed=3)), [1, 1], 5, having=("a text with token 0",)),
    ),
    hints=(
        "Which step is repeated `length` times? What does the model read in the second round that is new?",
        (
            "Work on a copy of `ids`. In each round the model reads all of the text so far, as a batch (1, T), and "
            "returns logits (1, T, V): a prediction after every token. Only the one after the last token is new."
        ),
        (
            "`logits[0, -1]` holds the V scores of the next token, and `int(…)` turns a tensor with one number into a "
            "number for the list. At the end, a slice removes the beginning."
        ),
    ),
)


continue_greedily.patch(
    "Your code predicts every token from the first token alone, as the prediction at the first position does. The new "
    "token is predicted at the last position, from all of the text so far.",
    replace="logits[0, -1]",
    by="logits[0, 0]",
)

continue_greedily.patch(
    "Your code uses the same prediction at every step: the one after the last token of `ids`. Each new token is "
    "predicted after the newest one, from all of the text so far.",
    replace="torch.tensor([text])",
    by="torch.tensor([ids])",
)

continue_greedily.patch(
    "Your code predicts each token from the newest one alone. The model remembers nothing between calls: pass it all "
    "of the text so far, as a batch (1, T).",
    replace="torch.tensor([text])",
    by="torch.tensor([text[-1:]])",
)

continue_greedily.patch(
    "Your result begins with the text that came in. Return only the tokens that were added.",
    replace="return text[len(ids) :]",
    by="return text",
)

continue_greedily.patch(
    "Your code takes the least likely token. The likeliest one has the highest logit, and `argmax` finds its index.",
    replace="argmax",
    by="argmin",
)

continue_greedily.patch(
    "Your result has one token too many. It should have exactly `length` new tokens.",
    replace="range(length)",
    by="range(length + 1)",
)

continue_greedily.patch(
    "Your new tokens are the highest logits themselves, as from `max`. The token is the index of that logit: use "
    "`argmax`.",
    replace="logits[0, -1].argmax()",
    by="logits[0, -1].max()",
)

continue_greedily.patch(
    "Your tokens are indices into the predictions of all positions at once. First take the logits at the last "
    "position, `logits[0, -1]`, then their `argmax`.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax()",
)

continue_greedily.patch(
    "Your code finds the largest logit along the positions, and returns the number of a position. Find it among the V "
    "tokens, along the last axis.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax(dim=1)[0, -1]",
)


continue_greedily.patch(
    "Your result is one token short. It should have exactly `length` new tokens.",
    replace="range(length)",
    by="range(length - 1)",
)

continue_greedily.patch(
    "Your code counts the beginning in the length. Add `length` new tokens, however long the beginning is.",
    replace="range(length)",
    by="range(length - len(ids))",
)

continue_greedily.patch(
    "Your result ends before token 0, which is a token like any other here. Add exactly `length` tokens.",
    replace="text.append(int(logits[0, -1].argmax()))",
    by="text += [int(logits[0, -1].argmax())]\n        if text[-1] == 0:\n            text.pop()\n            break",
)

continue_greedily.patch(
    "Your predictions do not depend on the newest token, as if you read the position before the last. Pass all of the "
    "text so far, and read the prediction after its last token, `logits[0, -1]`.",
    replace="logits[0, -1]",
    by="logits[0, max(-2, -len(text))]",
)

continue_greedily.patch(
    "Your code returns only one new token, the first. Is its `return` inside the loop, or does each round begin again "
    "with `ids`?",
    replace="text.append(int(logits[0, -1].argmax()))",
    by="return [int(logits[0, -1].argmax())]",
)

continue_greedily.patch(
    "Your text grows at its front. It should grow at its end: append each new token.",
    replace="text.append(int(logits[0, -1].argmax()))\n    return text[len(ids) :]",
    by="text.insert(0, int(logits[0, -1].argmax()))\n    return text[:length]",
)

continue_greedily.patch(
    "For `length` 0, your code returns the text that came in, as `text[-0:]` does. Nothing is added then, so nothing "
    "is returned: `text[len(ids):]` leaves out the beginning for every length.",
    replace="text[len(ids) :]",
    by="text[-length:]",
)

continue_greedily.patch(
    "Your code draws the next token at random. Greedy decoding always takes the likeliest one: use `argmax`.",
    replace="logits[0, -1].argmax()",
    by="torch.multinomial(logits[0, -1].softmax(-1), 1, generator=torch.Generator().manual_seed(0))",
)


@continue_greedily.mistake(
    "Your code predicts the first new token from the whole beginning, but each later one from the newest token alone. "
    "The model remembers nothing between calls: pass all of the text so far each time."
)
def newest_token_after_the_first(model, ids, length):
    read, new = list(ids), []
    for _ in range(length):
        new.append(int(model(torch.tensor([read]))[0, -1].argmax()))
        read = new[-1:]
    return new


@continue_greedily.mistake(
    "Your code drops the first token from the text whenever it adds one, so the model never reads more tokens than "
    "came in. Keep them all: each new token is predicted from the whole text so far."
)
def window_of_constant_length(model, ids, length):
    window, new = list(ids), []
    for _ in range(length):
        new.append(int(model(torch.tensor([window]))[0, -1].argmax()))
        window = [*window[1:], new[-1]]
    return new


@continue_greedily.mistake(
    "Your code appends to the caller's list and returns all of it. Work on a copy, `text = list(ids)`, and return "
    "only the tokens that were added."
)
def callers_list_returned(model, ids, length):
    ids += choose.continue_greedily(model, ids, length)
    return ids


@continue_greedily.mistake(
    "Your ids are right, but your code appends to the caller's list. Work on a copy: `text = list(ids)`."
)
def callers_list_grows(model, ids, length):
    new = choose.continue_greedily(model, ids, length)
    ids += new
    return new


@continue_greedily.mistake(
    "Your code appends to the caller's list, and returns an empty list: once `ids` itself has grown, nothing comes "
    "after `len(ids)`. Such a second name as `text = ids` is no copy. Start with `text = list(ids)`."
)
def second_name(model, ids, length):
    ids += choose.continue_greedily(model, ids, length)
    return ids[len(ids) :]


@continue_greedily.mistake(
    "Your code returns the new ids in reverse order. Return them in the order in which they were added."
)
def reversed_order(model, ids, length):
    return choose.continue_greedily(model, ids, length)[::-1]


@continue_greedily.mistake(
    "Your code returns what the model predicts at the last positions of the text that came in. Each new token has to "
    "be read before the next one can be predicted: call the model in a loop."
)
def in_one_pass(model, ids, length):
    return model(torch.tensor([ids]))[0].argmax(-1)[-length:].tolist() if length else []


@continue_greedily.mistake(
    "Your code returns what the model predicts at the last positions of the text that came in; for `length` 0, at all "
    "of them. Each new token has to be read before the next one can be predicted: call the model in a loop."
)
def in_one_pass_for_every_length(model, ids, length):
    return model(torch.tensor([ids]))[0, -length:].argmax(-1).tolist()


@continue_greedily.mistake("Your code returns a tensor of shape (1, …). Return a list of ids: `[0].tolist()`.")
def tensor_returned(model, ids, length):
    return torch.tensor([choose.continue_greedily(model, ids, length)], dtype=torch.long)


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
