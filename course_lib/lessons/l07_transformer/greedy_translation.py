"""The exercise `greedy_translation` of notebook 07."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.stand_ins import states_of
from course_lib.writing import choose


class CountingStandIn(nn.Module):
    """A stand-in for a trained model, which counts how often it encodes a source.

    Each prediction depends on the source, on all target tokens up to there, and on their order.
    """

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table, requires_grad=False)  # (states, V)
        self.encoded = 0

    def encode(self, source_ids: Tensor) -> Tensor:
        self.encoded += 1
        return self.table[states_of(source_ids) % len(self.table)]  # (B, S, V)

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        read = (25 * memory[..., -1]).round().long().sum(dim=-1, keepdim=True)  # (B, 1)
        states = states_of(target_ids) + read + 5 * states_of(source_ids)[:, -1:]  # (B, T)
        return self.table[states % len(self.table)]

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        return self.decode(target_ids, self.encode(source_ids), source_ids)


def with_encoder_calls(answer: Any) -> Callable[..., Any]:
    """Return the translation, and how often the source was encoded."""

    def function(model: CountingStandIn, *arguments: Any) -> Any:
        model.encoded = 0
        result = call_directly(answer)(model, *arguments)
        return None if result is None else (result, model.encoded)

    return function


# The low scores in the first two columns keep it from predicting [pad] or [bos].
TRANSLATOR = CountingStandIn(torch.cat((torch.full((13, 2), -9.0), 4 * fixed_tensor(13, 10, seed=3)), dim=1))

greedy_translation = Exercise(
    reference=choose.greedy_translation,
    notebook=7,
    order=70,
    minutes=15,
    difficulty=2,
    adapt=with_encoder_calls,
    returns=(
        Result("the translation's ids"),
        Result("how often you encode"),
    ),
    example=case(TRANSLATOR, [9, 3, 7], 10),
    another=case(TRANSLATOR, [5, 4, 6], 10),
    cases=(
        case(TRANSLATOR, [5], 10, having=("a single word",)),
        case(TRANSLATOR, [4, 5, 6, 7, 8], 4, having=("a max_length that cuts",)),
        case(TRANSLATOR, [5, 4, 6], 6, having=("a max_length that just holds it",)),
    ),
    hints=(
        (
            "Encode once, before the loop. In the loop: decode all tokens so far, take the likeliest next one, append "
            "it."
        ),
        (
            "`model.decode` gives logits (1, T, V), a prediction after each of the T tokens. Only the last is new: "
            "`logits[0, -1]`."
        ),
        (
            "Begin with the list `[1]`, [bos]. Stop when the likeliest is 2, [eos], or when the list has `max_length` "
            "tokens besides [bos]. Return the list without its first."
        ),
    ),
)


greedy_translation.patch(
    "You read the prediction at the first position, again and again. The next token is predicted at the last position.",
    replace="logits[0, -1]",
    by="logits[0, 0]",
)

greedy_translation.patch(
    "You give the decoder the latest token only. It has no memory of its own: give it all tokens so far.",
    replace="torch.tensor([target])",
    by="torch.tensor([target[-1:]])",
)

greedy_translation.patch(
    "You hand the source to the decoder as its target. In this order: `model.decode(target, memory, source)`.",
    replace="model.decode(torch.tensor([target]), memory, source)",
    by="model.decode(source, memory, torch.tensor([target]))",
)

greedy_translation.patch(
    "Your `argmax` runs over the predictions of all positions at once. Take those at the last position first: "
    "`logits[0, -1]`.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax()",
)

greedy_translation.patch(
    "Your translation runs on after [eos]. The token 2 says that the sentence is over: stop there.",
    replace="if best == eos:",
    by="if False:",
    seen="https://github.com/microsoft/onnxruntime/issues/16721",
)

greedy_translation.patch(
    "Your translation begins with [bos], id 1. That only starts the decoder: leave it out of the result.",
    replace="return target[1:]",
    by="return target",
)

greedy_translation.patch(
    "Your translation ends with [eos], id 2. It says that the sentence is over, and is no word of it.",
    replace="break",
    by="return [*target[1:], best]",
)

greedy_translation.patch(
    "You start from padding, id 0. The decoder was trained to begin after [bos], id 1.",
    replace="target = [bos]",
    by="target = [0]",
)

greedy_translation.patch(
    "You start from [eos], id 2. The decoder was trained to begin after [bos], id 1.",
    replace="target = [bos]",
    by="target = [eos]",
)

greedy_translation.patch(
    "You stop one token early: [bos] does not count among the `max_length` tokens.",
    replace="len(target) <= max_length",
    by="len(target) < max_length",
)

greedy_translation.patch(
    "The translation is right, but you encode the source again for each token. It stays the same: encode once, before "
    "the loop.",
    replace=(
        "memory = model.encode(source)  # (1, S, d_model)\n    target = [bos]\n    while len(target) <= max_length:\n"
    ),
    by=(
        "target = [bos]\n"
        "    while len(target) <= max_length:\n"
        "        memory = model.encode(source)  # (1, S, d_model)\n"
    ),
)


@greedy_translation.right_for_whole_course
def greedy_in_a_for_loop(model, ids, longest):
    src = torch.tensor(ids).unsqueeze(0)
    memory, out = model.encode(src), torch.ones(1, 1, dtype=torch.long)
    for _ in range(longest):
        word = model.decode(out, memory, src)[:, -1].softmax(-1).argmax(-1, keepdim=True)
        if word.item() == 2:
            break
        out = torch.cat((out, word), dim=1)
    return out[0, 1:].tolist()


@greedy_translation.right
def greedy_by_recursion(model, source_ids, max_length):
    source = torch.tensor([source_ids])
    memory = model.encode(source)

    def extend(target):
        if len(target) > max_length:
            return ()
        word = model.decode(torch.tensor([target]), memory, source).topk(1).indices[0, -1, 0].item()
        return () if word == 2 else (word, *extend([*target, word]))

    return extend([1])


@greedy_translation.right
@torch.no_grad()
def greedy_on_the_models_device(model, source_ids, max_length):
    model.eval()
    device = next(model.parameters()).device
    source, target = torch.tensor([source_ids], device=device), torch.tensor([[1]], device=device)
    memory = model.encode(source)
    while target.size(1) <= max_length and target[0, -1] != 2:
        logits = model.decode(target_ids=target, memory=memory, source_ids=source)
        target = torch.cat((target, logits[:, -1:].argmax(-1)), dim=1)
    return [token for token in target[0, 1:].tolist() if token != 2]


@greedy_translation.right
def greedy_in_numpy(model, source_ids, max_length):
    source, words = torch.tensor([source_ids]), []
    memory = model.encode(source)
    while len(words) < max_length:
        words.append(model.decode(torch.tensor([[1, *words]]), memory, source)[0, -1].numpy().argmax())
        if words[-1] == 2:
            return words[:-1]
    return words
