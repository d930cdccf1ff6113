"""The exercise `smoothed_cross_entropy` of notebook 07."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import wrap_in_tuple
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import losses
from course_lib.learning.losses import IGNORE
from course_lib.lessons.l06_decoder.inputs import explain_floor


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
    minutes=10,
    difficulty=2,
    on_map="loss",
    trained=True,
    adapt=wrap_in_tuple,
    explain=explain_floor,
    returns=(Result("the loss"),),
    example=case(fixed_tensor(1, 3, 5), LABELS, 0.1),
    another=case(fixed_tensor(1, 3, 5, seed=1), LABELS, 0.1),
    cases=(
        case(fixed_tensor(1, 3, 5) * 3, LABELS, 0.0, having=("no smoothing",)),
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, 0], [2, 2, 3]]), 0.3, having=("a batch",)),
        case(
            fixed_tensor(2, 3, 5),
            torch.tensor([[1, 4, IGNORE], [2, IGNORE, IGNORE]]),
            0.1,
            having=("padding", "a batch"),
        ),
        case(fixed_tensor(1, 4, 6, seed=2), torch.tensor([[5, IGNORE, 0, IGNORE]]), 0.2, having=("padding",)),
        case(fixed_tensor(1, 2, 4) * 300, torch.tensor([[0, 3]]), 0.1, having=("huge numbers",)),
        case(fixed_tensor(1, 3, 5, seed=4), LABELS, 1.0, having=("nothing but smoothing",)),
        case(fixed_tensor(1, 3, 5, dtype=torch.float64), LABELS, 0.1, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Write down the smoothed label for V = 4 and ε = 0.2. How much does the right token get, and how much "
            "each of the others?"
        ),
        (
            "The loss has two parts: the surprise at the right token, with the weight 1 − ε, and the mean surprise "
            "over all V tokens, with the weight ε. Both come from the same `log_softmax` over the last axis."
        ),
        (
            "`log_p.mean(-1)` belongs to the second part. For the first, `gather` needs labels without −100: "
            "`labels.masked_fill(labels == -100, 0)`. Which positions enter the final mean?"
        ),
    ),
)


@smoothed_cross_entropy.mistake(
    "Your code computes the plain cross-entropy, without smoothing. Spread the share epsilon of each label over all V "
    "tokens."
)
def not_smoothed(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits, labels, 0.0)


@smoothed_cross_entropy.mistake(
    "Padding counts in the smoothed part of your loss. Leave out the positions whose label is −100 in both parts.",
    seen="https://github.com/pytorch/pytorch/issues/73205",
)
def smoothed_padding(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right * counts - epsilon * log_p.mean(dim=-1)).sum() / counts.sum()


@smoothed_cross_entropy.mistake(
    "Your code divides by all positions, so that more padding gives a lower loss. Divide by the number of labels that "
    "count.",
    seen="https://github.com/huggingface/transformers/pull/5919",
)
def averaged_over_padding(logits, labels, epsilon):
    counts = labels != IGNORE
    return losses.smoothed_cross_entropy(logits, labels, epsilon) * counts.sum() / counts.numel()


@smoothed_cross_entropy.mistake(
    "Your code spreads epsilon over the V − 1 wrong tokens. Some programs do so, but here it is spread over all V "
    "tokens, the right one included, as in `label_smoothing` of torch."
)
def all_to_the_others(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    others = (log_p.sum(dim=-1) - right) / (logits.size(-1) - 1)
    return (-(1 - epsilon) * right - epsilon * others)[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your loss is the surprise at smoothed probabilities of the model, (1 − ε) p + ε / V. Smooth the labels instead: "
    "add (1 − ε) times the surprise −ln p at the right token and ε times the mean surprise at all V tokens."
)
def probabilities_smoothed(logits, labels, epsilon):
    right, _, counts = right_share(logits, labels)
    return -((1 - epsilon) * right.exp() + epsilon / logits.size(-1))[counts].log().mean()


@smoothed_cross_entropy.mistake(
    "Your code gives each of the V tokens the whole epsilon. They share it: take the mean over the V tokens, not the "
    "sum."
)
def summed_share(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * log_p.sum(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "In your code, the right token keeps its weight of 1, and epsilon is added. The right token gives epsilon away: "
    "its weight is 1 − epsilon."
)
def added_on_top(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-right - epsilon * log_p.mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your code takes a softmax twice, as `F.cross_entropy` of probabilities does. Pass the logits on as they come in.",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)
def softmax_twice(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits.softmax(-1), labels, epsilon)


@smoothed_cross_entropy.mistake(
    "The smoothed part is missing in your loss: it is (1 − epsilon) times the plain loss. Add epsilon times the mean "
    "surprise over all V tokens."
)
def first_part_only(logits, labels, epsilon):
    return (1 - epsilon) * losses.smoothed_cross_entropy(logits, labels, 0.0)


@smoothed_cross_entropy.mistake(
    "The two weights are swapped in your loss. The right token has the weight 1 − epsilon, the mean over all V tokens "
    "has epsilon."
)
def weights_swapped(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits, labels, 1 - epsilon)


@smoothed_cross_entropy.mistake(
    "Your loss is the Kullback-Leibler divergence: it is lower than the cross-entropy by the entropy of the labels. "
    "Leave that entropy out, so that the loss is − Σ label · ln p."
)
def divergence(logits, labels, epsilon):
    _, log_p, counts = right_share(logits, labels)
    target = F.one_hot(labels.clamp(min=0), logits.size(-1)) * (1 - epsilon) + epsilon / logits.size(-1)
    return (torch.xlogy(target, target) - target * log_p).sum(-1)[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your code divides epsilon by V − 2, as programs do that also leave out a column for padding. Here it is spread "
    "over all V tokens.",
    seen="https://github.com/harvardnlp/annotated-transformer/issues/39",
)
def shared_by_two_fewer(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    others = (log_p.sum(dim=-1) - right) / (logits.size(-1) - 2)
    return (-(1 - epsilon) * right - epsilon * others)[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your loss is the divergence of the best-known implementation: it uses `KLDivLoss`, epsilon / (V − 2) and a "
    "column 0 that gets nothing. Here epsilon is spread over all V tokens, and the loss is − Σ label · ln p."
)
def divergence_with_a_column_for_padding(logits, labels, epsilon):
    V = logits.size(-1)
    target = torch.full_like(logits, epsilon / (V - 2)).scatter(-1, labels.clamp(min=0).unsqueeze(-1), 1 - epsilon)
    target[..., 0] = 0
    log_p = logits.log_softmax(-1)
    return (torch.xlogy(target, target) - target * log_p).sum(-1)[labels != IGNORE].mean()


@smoothed_cross_entropy.mistake(
    "Your code divides epsilon by V − 1, but gives it to all V tokens. Spread over all V, each gets epsilon / V: take "
    "the mean over the last axis.",
    seen="https://github.com/bys0318/SQUIRE/issues/8",
)
def shared_by_one_fewer(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * log_p.sum(dim=-1) / (logits.size(-1) - 1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "The smoothed part of your loss has the wrong sign. Both parts are surprise, so both have a minus: −ln p."
)
def smoothed_part_subtracted(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right + epsilon * log_p.mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "The minus is missing in your code: surprise is −ln p. With ln p, which is below 0, training would make the model "
    "worse."
)
def wrong_sign(logits, labels, epsilon):
    return -losses.smoothed_cross_entropy(logits, labels, epsilon)


@smoothed_cross_entropy.mistake(
    "Your code adds up the loss. Take the mean over the labels that count, so that long texts can be compared with "
    "short ones."
)
def summed(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits, labels, epsilon) * (labels != IGNORE).sum()


@smoothed_cross_entropy.mistake(
    "The smoothed part of your loss is the mean over all positions, padding included. Leave out the positions whose "
    "label is −100 before you average.",
    seen="https://github.com/k-tahiro/bert-summarizer/issues/41",
)
def smoothed_part_over_all_positions(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return -(1 - epsilon) * right[counts].mean() - epsilon * log_p.mean()


@smoothed_cross_entropy.mistake(
    "Padding counts in your loss, as if token 0 were the right answer there. Leave out the positions whose label is "
    "−100.",
    seen="https://github.com/lukas-blecher/LaTeX-OCR/issues/305",
)
def padding_counted(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits, labels.clamp(min=0), epsilon)


@smoothed_cross_entropy.mistake(
    "Your code computes the probabilities first, and then their logarithm. For very unlikely tokens the computer's "
    "probability is 0, and ln 0 is minus infinity: use `torch.log_softmax`, which does both in one step."
)
def logarithm_of_the_softmax(logits, labels, epsilon):
    counts = labels != IGNORE
    log_p = logits.softmax(-1).log()
    right = log_p.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (-(1 - epsilon) * right - epsilon * log_p.mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "Where the logits of one row are far below those of another, your loss is minus infinity: you subtract the largest "
    "logit of several rows, so every exponential in the low row becomes 0, and ln 0 is minus infinity. Subtract the "
    "largest logit of each row, or use `log_softmax`, which does so."
)
def largest_logit_of_all_rows(logits, labels, epsilon):
    lower = logits - logits.max()
    log_p = (lower - lower.exp().sum(-1, keepdim=True).log())[labels != IGNORE]
    right = log_p.gather(-1, labels[labels != IGNORE].unsqueeze(-1)).squeeze(-1)
    return (-(1 - epsilon) * right - epsilon * log_p.mean(dim=-1)).mean()


@smoothed_cross_entropy.mistake(
    "Your softmax runs over the positions, so that different positions compete. At each position the V tokens compete: "
    "take the softmax over the last axis."
)
def over_the_positions(logits, labels, epsilon):
    counts = labels != IGNORE
    log_p = logits.log_softmax(-2)
    right = log_p.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (-(1 - epsilon) * right - epsilon * log_p.mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "In the smoothed part of your loss the probabilities are those of a softmax over the positions. At each position "
    "the V tokens compete: take the softmax over the last axis there too."
)
def smoothed_part_over_the_positions(logits, labels, epsilon):
    right, _, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * logits.log_softmax(-2).mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "The smoothed part of your loss is divided by V twice, as if the mean over the V tokens were multiplied by 1 / V "
    "once more. Take the mean of their surprise, or 1 / V times the sum."
)
def shared_twice(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * log_p.mean(dim=-1) / logits.size(-1))[counts].mean()


@smoothed_cross_entropy.mistake("Your code always smooths by 0.1. Use `epsilon`, which may be another number.")
def always_a_tenth(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits, labels, 0.1)


@smoothed_cross_entropy.mistake(
    "Your code averages within each text, and then over the texts, so a label in a short text carries more weight. "
    "Take one mean over all labels that count."
)
def mean_of_means(logits, labels, epsilon):
    texts = zip(logits, labels, strict=True)
    return torch.stack([losses.smoothed_cross_entropy(*text, epsilon) for text in texts]).mean()


@smoothed_cross_entropy.mistake(
    "In your loss, the right token has the weight 1 − epsilon, without its own share epsilon / V, so that the weights "
    "of all tokens do not add up to 1. Its weight is 1 − epsilon + epsilon / V."
)
def right_token_overwritten(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    share = epsilon / logits.size(-1)
    return (-(1 - epsilon) * right - share * (log_p.sum(dim=-1) - right))[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your loss looks at the right token only, with the weight 1 − epsilon + epsilon / V. Each of the other tokens has "
    "the weight epsilon / V, and counts too."
)
def right_token_only(logits, labels, epsilon):
    return (1 - epsilon + epsilon / logits.size(-1)) * losses.smoothed_cross_entropy(logits, labels, 0.0)


@smoothed_cross_entropy.mistake(
    "Your smoothed part is the constant epsilon · ln V, which does not depend on the logits. It is epsilon times the "
    "mean of −ln p over all V tokens."
)
def constant_added(logits, labels, epsilon):
    plain = losses.smoothed_cross_entropy(logits, labels, 0.0)
    return (1 - epsilon) * plain + epsilon * math.log(logits.size(-1))


@smoothed_cross_entropy.mistake(
    "The smoothed part of your loss takes the mean of the raw logits. Surprise is −ln p, so take the mean of "
    "−`log_softmax(logits)`."
)
def mean_of_the_logits(logits, labels, epsilon):
    right, _, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * logits.mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "The smoothed part of your loss takes the mean of the probabilities. Surprise is −ln p: take the mean of the "
    "log-probabilities."
)
def mean_of_the_probabilities(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * log_p.exp().mean(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your loss mixes the logits of different tokens, as if their axes were swapped, (B, V, T), before `reshape(-1, "
    "V)` cuts them into rows. Flatten (B, T, V) as it is, or leave the exchange to `F.cross_entropy`, which takes (B, "
    "V, T) with labels (B, T)."
)
def flattened_after_an_exchange(logits, labels, epsilon):
    return losses.smoothed_cross_entropy(logits.mT.reshape(logits.shape), labels, epsilon)


@smoothed_cross_entropy.mistake(
    "The smoothed part of your loss is the entropy of the model, − Σ p · ln p. There the labels weigh each −ln p, not "
    "the model: every token has the weight 1 / V, so take the mean of −ln p over the V tokens."
)
def entropy_of_the_model(logits, labels, epsilon):
    right, log_p, counts = right_share(logits, labels)
    return (-(1 - epsilon) * right - epsilon * (log_p.exp() * log_p).sum(dim=-1))[counts].mean()


@smoothed_cross_entropy.mistake(
    "Your code returns a loss for each position, in one row, with 0 where the label is −100. Return one number: the "
    "mean over the labels that count."
)
def one_loss_for_each_position(logits, labels, epsilon):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none", label_smoothing=epsilon)


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
