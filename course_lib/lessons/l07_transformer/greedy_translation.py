"""The exercise `greedy_translation` of notebook 07."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.adapters import as_it_is
from course_lib.exercises.cases import Result, case, numbers
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.stand_ins import grown, summed_up
from course_lib.text.words import BOS, EOS, PAD
from course_lib.writing import by_hand


def read(model: Any, source_ids: list[int]) -> tuple[Tensor, Tensor]:
    source = torch.tensor([source_ids])
    return source, model.encode(source)


def written(max_length: int, choose: Callable[[Tensor], Tensor], start: int = BOS, stop: int = EOS) -> list[int]:
    """Write what `choose` makes of the target so far, (1, T)."""
    return grown([start], max_length, lambda text: choose(torch.tensor([text])), stop)


def greedily(model: Any, source_ids: list[int], max_length: int, start: int = BOS, stop: int = EOS) -> list[int]:
    source, memory = read(model, source_ids)
    return written(max_length, lambda target: model.decode(target, memory, source)[0, -1].argmax(), start, stop)


class StandIn(nn.Module):
    """Stands for a trained model: what it predicts at each place hangs on all target tokens up to there, on their
    order, and on the source. It counts how often it encodes.
    """

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table, requires_grad=False)  # (states, V)
        self.encoded = 0

    def encode(self, source_ids: Tensor) -> Tensor:
        self.encoded += 1
        return self.table[summed_up(source_ids) % len(self.table)]  # (B, S, V)

    def decode(self, target_ids: Tensor, memory: Tensor, source_ids: Tensor) -> Tensor:
        read = (25 * memory[..., -1]).round().long().sum(dim=-1, keepdim=True)  # (B, 1)
        states = summed_up(target_ids) + read + 5 * summed_up(source_ids)[:, -1:]  # (B, T)
        return self.table[states % len(self.table)]

    def forward(self, source_ids: Tensor, target_ids: Tensor) -> Tensor:
        return self.decode(target_ids, self.encode(source_ids), source_ids)


def counting(answer: Any) -> Callable[..., Any]:
    """Say of a translation too how often the source was encoded."""

    def function(model: StandIn, *arguments: Any) -> Any:
        model.encoded = 0
        found = as_it_is(answer)(model, *arguments)
        return None if found is None else (found, model.encoded)

    return function


TRANSLATOR = StandIn(torch.cat((torch.full((13, 2), -9.0), 4 * numbers(13, 10, seed=3)), dim=1))

greedy_translation = Exercise(
    reference=by_hand.greedy_translation,
    notebook=7,
    order=70,
    minutes=15,
    difficulty=2,
    adapt=counting,
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


@greedy_translation.mistake(
    "You read the prediction at the first position, again and again. The next token is predicted at the last position."
)
def reads_the_first_place(model, source_ids, max_length):
    source, memory = read(model, source_ids)
    return written(max_length, lambda target: model.decode(target, memory, source)[0, 0].argmax())


@greedy_translation.mistake(
    "You give the decoder the latest token only. It has no memory of its own: give it all tokens so far."
)
def sees_one_token(model, source_ids, max_length):
    source, memory = read(model, source_ids)
    return written(max_length, lambda target: model.decode(target[:, -1:], memory, source)[0, -1].argmax())


@greedy_translation.mistake(
    "You hand the source to the decoder as its target. In this order: `model.decode(target, memory, source)`."
)
def sides_swapped(model, source_ids, max_length):
    source, memory = read(model, source_ids)
    return written(max_length, lambda target: model.decode(source, memory, target)[0, -1].argmax())


@greedy_translation.mistake(
    "Your `argmax` runs over the predictions of all positions at once. Take those at the last position first: "
    "`logits[0, -1]`."
)
def over_all_places(model, source_ids, max_length):
    source, memory = read(model, source_ids)
    return written(max_length, lambda target: model.decode(target, memory, source).argmax())


@greedy_translation.mistake(
    "Your translation runs on after [eos]. The token 2 says that the sentence is over: stop there.",
    seen="https://github.com/microsoft/onnxruntime/issues/16721",
)
def never_stops(model, source_ids, max_length):
    return greedily(model, source_ids, max_length, stop=-1)


@greedy_translation.mistake(
    "Your translation begins with [bos], id 1. That only starts the decoder: leave it out of the result."
)
def keeps_the_start(model, source_ids, max_length):
    return [BOS, *greedily(model, source_ids, max_length)]


@greedy_translation.mistake(
    "Your translation ends with [eos], id 2. It says that the sentence is over, and is no word of it."
)
def keeps_the_end(model, source_ids, max_length):
    found = greedily(model, source_ids, max_length)
    return [*found, EOS] if len(found) < max_length else found


@greedy_translation.mistake("You start from padding, id 0. The decoder was trained to begin after [bos], id 1.")
def starts_with_padding(model, source_ids, max_length):
    return greedily(model, source_ids, max_length, start=PAD)


@greedy_translation.mistake("You start from [eos], id 2. The decoder was trained to begin after [bos], id 1.")
def starts_with_the_end(model, source_ids, max_length):
    return greedily(model, source_ids, max_length, start=EOS)


@greedy_translation.mistake("You stop one token early: [bos] does not count among the `max_length` tokens.")
def one_too_few(model, source_ids, max_length):
    return greedily(model, source_ids, max_length - 1)


@greedy_translation.mistake(
    "The translation is right, but you encode the source again for each token. It stays the same: encode once, before "
    "the loop."
)
def encodes_again(model, source_ids, max_length):
    return written(max_length, lambda target: model(torch.tensor([source_ids]), target)[0, -1].argmax())


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

    def go_on(target):
        if len(target) > max_length:
            return ()
        word = model.decode(torch.tensor([target]), memory, source).topk(1).indices[0, -1, 0].item()
        return () if word == 2 else (word, *go_on([*target, word]))

    return go_on([1])


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
