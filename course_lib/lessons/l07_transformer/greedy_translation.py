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
NEVER = torch.tensor([-9.0, -10.0]).expand(13, 2)
TRANSLATOR = CountingStandIn(torch.cat((NEVER, 4 * fixed_tensor(13, 10, seed=3)), dim=1))
ANOTHER_TRANSLATOR = CountingStandIn(torch.cat((NEVER, 4 * fixed_tensor(13, 10, seed=7)), dim=1))

greedy_translation = Exercise(
    reference=choose.greedy_translation,
    notebook=7,
    order=70,
    minutes=10,
    difficulty=2,
    adapt=with_encoder_calls,
    returns=(
        Result("the translation's ids"),
        Result("the number of your calls of `encode`"),
    ),
    example=case(TRANSLATOR, [9, 3, 7], 10),
    another=case(TRANSLATOR, [5, 4, 6], 10),
    cases=(
        case(TRANSLATOR, [5], 10, having=("a single word",)),
        case(TRANSLATOR, [4, 5, 6, 7, 8], 4, having=("a max_length that ends the translation",)),
        case(TRANSLATOR, [3, 4, 5], 2, having=("a max_length that ends the translation",)),
        case(TRANSLATOR, [5, 4, 6], 6, having=("a max_length that is just large enough",)),
        case(ANOTHER_TRANSLATOR, [6, 7], 10, having=("a translation with a word twice in a row",)),
    ),
    hints=(
        (
            "Which of the two calls, `encode` and `decode`, depends on what is already translated? That one belongs "
            "in the loop, and the other one before it."
        ),
        (
            "Keep a list of target ids that begins with [bos]. `model.decode(target, memory, source)` takes batches "
            "of ids (1, T) and (1, S), and returns logits (1, T, V). Only the prediction after the last token is new."
        ),
        (
            "`int(logits[0, -1].argmax())` is the next token. Look at it before you append it: is it [eos]? And [bos] "
            "does not belong to the result."
        ),
    ),
)


greedy_translation.patch(
    "Your code always takes the token that follows [bos]. Each new token is the prediction after the last target "
    "token, `logits[0, -1]`, where the decoder reads all target tokens so far.",
    replace="logits[0, -1]",
    by="logits[0, 0]",
)

greedy_translation.patch(
    "Your code predicts each token from the newest one alone. The decoder remembers nothing between calls: pass it "
    "all target tokens so far, as a batch (1, T).",
    replace="torch.tensor([target])",
    by="torch.tensor([target[-1:]])",
)

greedy_translation.patch(
    "Your code passes the source to the decoder as its target. The order is `model.decode(target, memory, source)`.",
    replace="model.decode(torch.tensor([target]), memory, source)",
    by="model.decode(source, memory, torch.tensor([target]))",
)

greedy_translation.patch(
    "Your tokens are indices into the predictions of all positions at once. First take the logits at the last "
    "position, `logits[0, -1]`, then their `argmax`.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax()",
)

greedy_translation.patch(
    "Your translation continues after [eos]. Token 2 says that the sentence is over: stop there.",
    replace="if best == eos:",
    by="if False:",
    seen="https://github.com/microsoft/onnxruntime/issues/16721",
)

greedy_translation.patch(
    "Your translation begins with [bos], id 1. That token only starts the decoder: leave it out of the result.",
    replace="return target[1:]",
    by="return target",
)

greedy_translation.patch(
    "Your translation ends with [eos], id 2. That token only says that the sentence is over: leave it out of the "
    "result.",
    replace="break",
    by="return [*target[1:], best]",
)

greedy_translation.patch(
    "Your code starts the decoder with padding, id 0. The decoder was trained to begin after [bos], id 1.",
    replace="target = [bos]",
    by="target = [0]",
)

greedy_translation.patch(
    "Your code starts the decoder with [eos], id 2. The decoder was trained to begin after [bos], id 1.",
    replace="target = [bos]",
    by="target = [eos]",
)

greedy_translation.patch(
    "When your translation is stopped by `max_length`, it is one token too short. [bos] does not count among the "
    "`max_length` tokens, and the last token is left out only if it is [eos].",
    replace="len(target) <= max_length",
    by="len(target) < max_length",
)

greedy_translation.patch(
    "Your translation is right, but your code encodes the source again for each token. The source stays the same: "
    "encode it once, before the loop.",
    replace=(
        "memory = model.encode(source)  # (1, S, d_model)\n    target = [bos]\n    while len(target) <= max_length:\n"
    ),
    by=(
        "target = [bos]\n"
        "    while len(target) <= max_length:\n"
        "        memory = model.encode(source)  # (1, S, d_model)\n"
    ),
)


greedy_translation.patch(
    "When your translation is stopped by `max_length`, it is one token too long. [bos] aside, the translation has at "
    "most `max_length` tokens.",
    replace="len(target) <= max_length",
    by="len(target) <= max_length + 1",
)

greedy_translation.patch(
    "When your translation is stopped by `max_length`, it is one token too short, and your code encodes the source "
    "again for each token. Encode once, before the loop, do not count [bos], and leave out the last token only if it "
    "is [eos].",
    replace=(
        "memory = model.encode(source)  # (1, S, d_model)\n    target = [bos]\n    while len(target) <= max_length:\n"
    ),
    by=(
        "target = [bos]\n"
        "    while len(target) < max_length:\n"
        "        memory = model.encode(source)  # (1, S, d_model)\n"
    ),
)

greedy_translation.patch(
    "Your code starts the decoder with the source's ids. The target is a text of its own: it begins with [bos], id 1.",
    replace="    target = [bos]\n",
    by="    target, start = list(source_ids), len(source_ids)\n    max_length += start - 1\n",
)

greedy_translation.patch(
    "Your code starts the decoder with the first word of the source. The decoder was trained to begin after [bos], id "
    "1.",
    replace="target = [bos]",
    by="target = source_ids[:1]",
)

greedy_translation.patch(
    "Your code takes the least likely token. The likeliest one has the highest logit, and `argmax` finds its index.",
    replace="argmax",
    by="argmin",
)

greedy_translation.patch(
    "Your new tokens are the highest logits themselves, as from `max`. The token is the index of that logit: use "
    "`argmax`.",
    replace="logits[0, -1].argmax()",
    by="logits[0, -1].max()",
)

greedy_translation.patch(
    "Your code finds the largest logit along the positions, and returns the number of a position. Find it among the V "
    "tokens, along the last axis.",
    replace="logits[0, -1].argmax()",
    by="logits.argmax(dim=1)[0, -1]",
)

greedy_translation.patch(
    "Your code returns only one token, the first. Is its `return` inside the loop, or does each round begin again with "
    "[bos]?",
    replace="target.append(best)",
    by="return [best]",
)

greedy_translation.patch(
    "Your code encodes [bos], the beginning of the target, instead of the source. `encode` reads the source, once, "
    "before the loop.",
    replace="memory = model.encode(source)",
    by="memory = model.encode(torch.tensor([[bos]]))",
)


@greedy_translation.mistake(
    "Your answer still contains [bos] and [eos]. They only say where the translation begins and where it is over: "
    "leave both out of the result."
)
def both_marks_returned(model, source_ids, max_length):
    source, target = torch.tensor([source_ids]), [1]
    memory = model.encode(source)
    while len(target) <= max_length and target[-1] != 2:
        target.append(int(model.decode(torch.tensor([target]), memory, source)[0, -1].argmax()))
    return target


@greedy_translation.mistake(
    "Your answer still contains [bos] and [eos], and your code encodes the source again for each token. Leave both out "
    "of the result, and encode once, before the loop."
)
def both_marks_returned_and_encoded_again(model, source_ids, max_length):
    source, target = torch.tensor([source_ids]), [1]
    while len(target) <= max_length and target[-1] != 2:
        logits = model.decode(torch.tensor([target]), model.encode(source), source)
        target.append(int(logits[0, -1].argmax()))
    return target


@greedy_translation.mistake(
    "Your answer still contains [bos] and [eos], and [bos] counts among the `max_length` tokens. Leave both out of the "
    "result, and count only the new tokens."
)
def both_marks_returned_and_one_counted(model, source_ids, max_length):
    return both_marks_returned(model, source_ids, max_length - 1)


@greedy_translation.mistake(
    "Your translation leaves out [eos], but continues after it. Token 2 says that the sentence is over: stop there."
)
def marks_left_out_at_the_end(model, source_ids, max_length):
    source, target = torch.tensor([source_ids]), [1]
    memory = model.encode(source)
    while len(target) <= max_length:
        target.append(int(model.decode(torch.tensor([target]), memory, source)[0, -1].argmax()))
    return [token for token in target if token not in (1, 2)]


@greedy_translation.mistake("Your code returns a tensor of shape (1, …). Return a list of ids: `[0].tolist()`.")
def tensor_returned(model, source_ids, max_length):
    return torch.tensor([choose.greedy_translation(model, source_ids, max_length)])


greedy_translation.patch(
    "`max_length` has no effect in your code: in the calls tried, it writes until [eos] comes. Stop after `max_length` "
    "tokens too, since some models never write [eos].",
    replace="len(target) <= max_length",
    by="len(target) <= 100",
    seen="https://github.com/CyberZHG/keras-transformer/issues/3",
)

greedy_translation.patch(
    "Your code puts [bos] and [eos] around the source. `source_ids` is ready as it comes: pass it on as a batch of "
    "one.",
    replace="torch.tensor([source_ids])",
    by="torch.tensor([[1, *source_ids, 2]])",
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
