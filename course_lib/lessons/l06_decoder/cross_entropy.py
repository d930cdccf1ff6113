"""The exercise `cross_entropy` of notebook 06."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.adapters import wrap_in_tuple
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import losses
from course_lib.learning.losses import IGNORE

LABELS = torch.tensor([[1, 4, 0]])

cross_entropy = Exercise(
    reference=losses.cross_entropy,
    notebook=6,
    order=40,
    minutes=15,
    difficulty=2,
    on_map="loss",
    trained=True,
    adapt=wrap_in_tuple,
    returns=(Result("the loss"),),
    example=case(fixed_tensor(1, 3, 5), LABELS),
    another=case(fixed_tensor(1, 3, 5, seed=1), LABELS),
    cases=(
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, 0], [2, 2, 3]]), having=("a batch",)),
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, IGNORE], [2, IGNORE, IGNORE]]), having=("padding",)),
        case(fixed_tensor(1, 4, 6, seed=2), torch.tensor([[5, IGNORE, 0, IGNORE]]), having=("padding",)),
        case(fixed_tensor(1, 2, 4) * 300, torch.tensor([[0, 3]]), having=("huge numbers",)),
        case(fixed_tensor(1, 3, 5, dtype=torch.float64), LABELS, having=("float64 numbers",)),
    ),
    hints=(
        (
            "At each position: the model's probability of the right token, its logarithm, a minus. Then the mean over "
            "the positions that count."
        ),
        (
            "`torch.log_softmax` over the last axis gives ln p of all V tokens, without overflow. `gather` picks out "
            "those of the labels; it wants an axis of length 1 at the end of the labels."
        ),
        (
            "A label of −100 has no place to gather from: put 0 there for the moment, and keep only the positions "
            "whose label counts before the mean."
        ),
    ),
)


@cross_entropy.mistake(
    "Padding counts in your loss, as if token 0 were the right answer there. Labels of −100 are left out.",
    seen="https://github.com/lukas-blecher/LaTeX-OCR/issues/305",
)
def padding_counted(logits, labels):
    return losses.cross_entropy(logits, labels.masked_fill(labels == IGNORE, 0))


@cross_entropy.mistake(
    "You leave padding out of the sum, but divide by all positions: more padding, less loss. Divide by the labels that "
    "count.",
    seen="https://github.com/huggingface/transformers/pull/5919",
)
def mean_with_padding(logits, labels):
    return losses.cross_entropy(logits, labels) * (labels != IGNORE).sum() / labels.numel()


@cross_entropy.mistake(
    "You took a softmax before the log-softmax: the loss can no longer come near 0. Logits go in raw.",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)
def softmaxed_twice(logits, labels):
    return losses.cross_entropy(logits.softmax(-1), labels)


@cross_entropy.mistake(
    "The minus is missing: ln p is below 0, and surprise is −ln p. Training would make the model worse."
)
def wrong_sign(logits, labels):
    return -losses.cross_entropy(logits, labels)


@cross_entropy.mistake(
    "You added the surprise up. It is a mean, so that long texts and large batches compare with short ones."
)
def summed(logits, labels):
    return losses.cross_entropy(logits, labels) * (labels != IGNORE).sum()


@cross_entropy.mistake(
    "Yours is in bits, by the logarithm to base 2. Here and in all papers' losses it is the natural one: nats."
)
def in_bits(logits, labels):
    return losses.cross_entropy(logits, labels) / torch.log(torch.tensor(2.0))


@cross_entropy.mistake(
    "You averaged 1 − p of the right tokens. Surprise is −ln p: being sure and wrong costs much more."
)
def of_probabilities(logits, labels):
    counts = labels != IGNORE
    p = logits.softmax(-1).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return (1 - p[counts]).mean()


@cross_entropy.mistake(
    "Your softmax runs over the positions, so that tokens at different positions compete. At each position the V "
    "tokens do: the last axis."
)
def over_the_positions(logits, labels):
    counts = labels != IGNORE
    log_p = logits.log_softmax(-2).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return -log_p[counts].mean()


@cross_entropy.right_for_whole_course
def by_torch(logits, labels):
    return nn.CrossEntropyLoss(ignore_index=-100)(logits.transpose(1, 2), labels)


cross_entropy.right(lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()))
cross_entropy.right(lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()).view(1))


@cross_entropy.right
def surprise_in_loops(logits, labels):
    losses = [
        torch.logsumexp(row, 0) - row[y]
        for row, y in zip(logits.flatten(0, 1), labels.flatten(), strict=True)
        if y >= 0
    ]
    return sum(losses) / len(losses)
