"""The exercise `smoothed_cross_entropy` of notebook 07."""

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import wrap_in_tuple
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import losses
from course_lib.learning.losses import IGNORE


def right_share(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The log-probabilities of the labels (B, T) and of all tokens (B, T, V), and which labels count (B, T)."""
    log_p = torch.log_softmax(logits, dim=-1)
    counts = labels != IGNORE
    return log_p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1), log_p, counts


LABELS = torch.tensor([[1, 4, 0]])

smoothed_cross_entropy = Exercise(
    reference=losses.smoothed_cross_entropy,
    notebook=7,
    order=50,
    minutes=15,
    difficulty=2,
    on_map="loss",
    trained=True,
    adapt=wrap_in_tuple,
    returns=(Result("the loss"),),
    example=case(fixed_tensor(1, 3, 5), LABELS, 0.1),
    another=case(fixed_tensor(1, 3, 5, seed=1), LABELS, 0.1),
    cases=(
        case(fixed_tensor(1, 3, 5) * 3, LABELS, 0.0, having=("no smoothing",)),
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, 0], [2, 2, 3]]), 0.3, having=("a batch",)),
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, IGNORE], [2, IGNORE, IGNORE]]), 0.1, having=("padding",)),
        case(fixed_tensor(1, 4, 6, seed=2), torch.tensor([[5, IGNORE, 0, IGNORE]]), 0.2, having=("padding",)),
        case(fixed_tensor(1, 2, 4) * 300, torch.tensor([[0, 3]]), 0.1, having=("huge numbers",)),
        case(fixed_tensor(1, 3, 5, dtype=torch.float64), LABELS, 0.1, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Two halves: how surprised the model is by the right token, and how surprised it is on average by any "
            "token. The first counts 1 − epsilon, the second epsilon."
        ),
        (
            "`log_softmax` over the last axis gives ln p of all tokens. `gather` picks out the right one's; the mean "
            "over the last axis is the other half. Both with a minus."
        ),
        (
            "A label of −100 has no place to gather from: put 0 there first, and keep only the positions whose label "
            "counts before you take the mean."
        ),
    ),
)


@smoothed_cross_entropy.mistake(
    "That is the plain cross-entropy. The share epsilon of each label is spread over all V tokens."
)
def not_smoothed(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits, labels, 0.0)


@smoothed_cross_entropy.mistake(
    "Padding counts in your smoothed half. Labels of −100 count in neither half.",
    seen="https://github.com/pytorch/pytorch/issues/73205",
)
def smoothed_padding(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right * counts - epsilon * log_p.mean(dim=-1)).sum() / counts.sum()


@smoothed_cross_entropy.mistake(
    "You divide by all positions, padding too, so that more padding means less loss. Divide by the labels that count.",
    seen="https://github.com/huggingface/transformers/pull/5919",
)
def averaged_over_padding(logits, labels, epsilon):
    counts = labels != IGNORE
    return losses.smoothed_cross_entropy(logits, labels, epsilon) * counts.sum() / counts.numel()


@smoothed_cross_entropy.mistake(
    "You give epsilon to the V − 1 others, and none of it back to the right token. That is a convention too; here it "
    "is spread over all V, as torch's `label_smoothing` does it."
)
def all_to_the_others(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    others = (log_p.sum(dim=-1) - right) / (logits.size(-1) - 1)
    return (-(1 - epsilon) * right - epsilon * others)[counts].mean()


@smoothed_cross_entropy.mistake(
    "Each of the V tokens gets the whole epsilon in yours. It is shared between them: a mean, not a sum."
)
def summed_share(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * log_p.sum(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "In yours the right token keeps all of its 1, and epsilon comes on top. It gives epsilon away."
)
def added_on_top(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-right - epsilon * log_p.mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "You took a softmax before the log-softmax. The logits come in raw.",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)
def softmax_twice(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits.softmax(-1), labels, epsilon)


@smoothed_cross_entropy.right_for_whole_course
def smoothed_by_torch(logits, labels, epsilon):
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten(), label_smoothing=epsilon)


@smoothed_cross_entropy.right
def smoothed_by_its_definition(logits, labels, eps):
    V = logits.shape[-1]
    losses = []
    for row, label in zip(logits.reshape(-1, V), labels.reshape(-1).tolist(), strict=True):
        if label != -100:
            target = torch.full((V,), eps / V, dtype=row.dtype)
            target[label] += 1 - eps
            losses.append(-(target * F.log_softmax(row, 0)).sum())
    return torch.stack(losses).mean()


@smoothed_cross_entropy.right
def smoothed_in_float32(logits, labels, epsilon):
    target = F.one_hot(labels.clamp(min=0), logits.size(-1)).float() * (1 - epsilon) + epsilon / logits.size(-1)
    return -(target * logits.log_softmax(-1)).sum(-1)[labels != -100].mean()


@smoothed_cross_entropy.right
def smoothed_by_divergence(logits, labels, epsilon):
    V, counted = logits.size(-1), labels >= 0
    target = F.one_hot(labels[counted], V).to(logits) * (1 - epsilon) + epsilon / V
    return (target * (torch.logsumexp(logits[counted], -1, keepdim=True) - logits[counted])).sum() / counted.sum()
