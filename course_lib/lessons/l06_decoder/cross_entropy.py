"""The exercise `cross_entropy` of notebook 06."""

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.adapters import wrap_in_tuple
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import losses
from course_lib.learning.losses import IGNORE
from course_lib.lessons.l06_decoder.inputs import explain_floor

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
    explain=explain_floor,
    returns=(Result("the loss"),),
    example=case(fixed_tensor(1, 3, 5), LABELS),
    another=case(fixed_tensor(1, 3, 5, seed=1), LABELS),
    cases=(
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, 0], [2, 2, 3]]), having=("a batch",)),
        case(fixed_tensor(2, 3, 5), torch.tensor([[1, 4, IGNORE], [2, IGNORE, IGNORE]]), having=("padding", "a batch")),
        case(fixed_tensor(1, 4, 6, seed=2), torch.tensor([[5, IGNORE, 0, IGNORE]]), having=("padding",)),
        case(
            fixed_tensor(3, 3, 3, seed=4),
            torch.tensor([[1, 0, 2], [2, 1, IGNORE], [0, 0, 1]]),
            having=("equal sizes", "a batch"),
        ),
        case(fixed_tensor(1, 2, 4) * 300, torch.tensor([[0, 3]]), having=("huge numbers",)),
        case(
            fixed_tensor(1, 2, 4) + 200, torch.tensor([[0, 3]]), having=("huge numbers", "huge numbers close together")
        ),
        case(fixed_tensor(1, 3, 5, dtype=torch.float64), LABELS, having=("float64 numbers",)),
    ),
    hints=(
        (
            "Start with one position: its V logits and one label. How do you get from the logits to the probability "
            "of the label, and from there to the surprise?"
        ),
        (
            "`torch.log_softmax` over the last axis gives ln p of all V tokens, without overflow. `gather` picks out "
            "the label's; it needs labels of shape (B, T, 1). Only positions whose label counts enter the mean."
        ),
        (
            "`gather` cannot look up −100. `labels.masked_fill(labels == -100, 0)` makes labels that it accepts, and "
            "`labels != -100` says which results to keep."
        ),
    ),
)


@cross_entropy.mistake(
    "Padding counts in your loss, as if token 0 were the right answer there. Leave out the positions whose label is "
    "−100.",
    seen="https://github.com/lukas-blecher/LaTeX-OCR/issues/305",
)
def padding_counted(logits, labels):
    return losses.cross_entropy(logits, labels.masked_fill(labels == IGNORE, 0))


@cross_entropy.mistake(
    "Your code leaves padding out of the sum, but divides by all positions, so that more padding gives a lower loss. "
    "Divide by the number of labels that count.",
    seen="https://github.com/huggingface/transformers/pull/5919",
)
def mean_with_padding(logits, labels):
    return losses.cross_entropy(logits, labels) * (labels != IGNORE).sum() / labels.numel()


@cross_entropy.mistake(
    "Your code takes a softmax twice, as `F.cross_entropy` of probabilities does, so that the loss can never come "
    "near 0. Pass the logits on as they come in.",
    seen="https://github.com/ariecattan/SciCo/issues/2",
)
def softmaxed_twice(logits, labels):
    return losses.cross_entropy(logits.softmax(-1), labels)


@cross_entropy.mistake(
    "The minus is missing in your code: surprise is −ln p. With ln p, which is below 0, training would make the model "
    "worse."
)
def wrong_sign(logits, labels):
    return -losses.cross_entropy(logits, labels)


@cross_entropy.mistake(
    "Your code adds up the surprise. Take the mean over the labels that count, so that long texts can be compared with "
    "short ones."
)
def summed(logits, labels):
    return losses.cross_entropy(logits, labels) * (labels != IGNORE).sum()


@cross_entropy.mistake(
    "Your loss is in bits, as with a logarithm to base 2. Use the natural logarithm, which gives nats."
)
def in_bits(logits, labels):
    return losses.cross_entropy(logits, labels) / torch.log(torch.tensor(2.0))


@cross_entropy.mistake(
    "Your loss mixes the logits of different tokens, as if their axes were swapped, (B, V, T), before `reshape(-1, "
    "V)` cuts them into rows. Flatten (B, T, V) as it is, or leave the exchange to `F.cross_entropy`, which takes (B, "
    "V, T) with labels (B, T)."
)
def flattened_after_an_exchange(logits, labels):
    return losses.cross_entropy(logits.mT.reshape(logits.shape), labels)


@cross_entropy.mistake(
    "Your code takes the logarithm of the logits, as if they were probabilities, and negative numbers have none. Take "
    "the logarithm of their softmax: `torch.log_softmax`."
)
def logarithm_of_the_logits(logits, labels):
    counts = labels != IGNORE
    right = logits.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return -right[counts].log().mean()


@cross_entropy.mistake(
    "Your loss is the mean of 1 − p over the right tokens. Surprise is −ln p, which costs far more where the model is "
    "sure and wrong."
)
def of_probabilities(logits, labels):
    counts = labels != IGNORE
    p = logits.softmax(-1).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return (1 - p[counts]).mean()


@cross_entropy.mistake(
    "Your softmax runs over the positions, so that different positions compete. At each position the V tokens compete: "
    "take the softmax over the last axis."
)
def over_the_positions(logits, labels):
    counts = labels != IGNORE
    log_p = logits.log_softmax(-2).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return -log_p[counts].mean()


def log_probabilities(logits, labels):
    """The log-probabilities of the labels (B, T), and which of them count (B, T)."""
    counts = labels != IGNORE
    log_p = logits.log_softmax(-1).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1))
    return log_p.squeeze(-1), counts


@cross_entropy.mistake(
    "Your code computes the probabilities first, and then their logarithm. For very unlikely tokens the computer's "
    "probability is 0, and ln 0 is minus infinity: use `torch.log_softmax`, which does both in one step."
)
def logarithm_of_the_softmax(logits, labels):
    counts = labels != IGNORE
    p = logits.softmax(-1).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return -p[counts].log().mean()


@cross_entropy.mistake(
    "Your code computes exp of the logits as they are, which overflows for huge logits. Use `torch.log_softmax`, "
    "which takes the largest logit out first."
)
def overflowing(logits, labels):
    counts = labels != IGNORE
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -p.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)[counts].log().mean()


@cross_entropy.mistake(
    "Your code adds up exp of the logits as they are, which overflows for huge logits. `torch.logsumexp` and "
    "`torch.log_softmax` take the largest logit out first."
)
def overflowing_sum(logits, labels):
    counts = labels != IGNORE
    right = logits.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return (logits.exp().sum(-1).log() - right)[counts].mean()


@cross_entropy.mistake(
    "Where the logits of one row are far below those of another, your loss is minus infinity: you subtract the largest "
    "logit of several rows, so every exponential in the low row becomes 0, and ln 0 is minus infinity. Subtract the "
    "largest logit of each row, or use `log_softmax`, which does so."
)
def largest_logit_of_all_rows(logits, labels):
    lower = logits - logits.max()
    log_p = (lower - lower.exp().sum(-1, keepdim=True).log())[labels != IGNORE]
    return -log_p.gather(-1, labels[labels != IGNORE].unsqueeze(-1)).mean()


@cross_entropy.mistake(
    "Your code adds a small number such as 1e-9 to the probabilities, or makes it their minimum, so no surprise can "
    "exceed about 20. Use `torch.log_softmax`, which is exact for any logits."
)
def with_a_small_number(logits, labels):
    counts = labels != IGNORE
    p = (logits.softmax(-1) + 1e-9).gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)
    return -p[counts].log().mean()


@cross_entropy.mistake(
    "Your code ignores the label 0, which is a token like any other here. The label of padding is −100.",
    seen="https://github.com/codertimo/BERT-pytorch/issues/49",
)
def zero_ignored(logits, labels):
    return losses.cross_entropy(logits, labels.masked_fill(labels == 0, IGNORE))


@cross_entropy.mistake(
    "Your code averages within each text, and then over the texts, so a label in a short text carries more weight. "
    "Take one mean over all labels that count."
)
def mean_of_means(logits, labels):
    return torch.stack([losses.cross_entropy(*text) for text in zip(logits, labels, strict=True)]).mean()


@cross_entropy.mistake(
    "There are two mistakes. Your loss is the mean within each text, and then over the texts, so a label in a short "
    "text carries more weight: take one mean over all labels that count. And where the computer's probability of a "
    "label is 0, your loss is infinite: use `torch.log_softmax`, which takes the logarithm in the same step."
)
def mean_of_means_of_the_logarithm_of_the_softmax(logits, labels):
    texts = zip(logits.softmax(-1), labels, strict=True)
    surprise = [-p[counts := of_text != IGNORE].log().gather(-1, of_text[counts][:, None]) for p, of_text in texts]
    return torch.stack([each.mean() for each in surprise]).mean()


@cross_entropy.mistake(
    "Your code uses the negative logits of the labels as the loss. Turn the logits into log-probabilities first: "
    "`log_softmax` over the last axis."
)
def raw_logits(logits, labels):
    counts = labels != IGNORE
    return -logits.gather(-1, labels.masked_fill(~counts, 0).unsqueeze(-1)).squeeze(-1)[counts].mean()


@cross_entropy.mistake(
    "Your code uses the negative probabilities of the labels as the loss: the logarithm is missing. Surprise is −ln "
    "p, so use `log_softmax`."
)
def without_the_logarithm(logits, labels):
    log_p, counts = log_probabilities(logits, labels)
    return -log_p[counts].exp().mean()


@cross_entropy.mistake(
    "Your code averages the probabilities first and takes the logarithm afterwards. Take the logarithm of each, then "
    "the mean."
)
def logarithm_of_the_mean(logits, labels):
    log_p, counts = log_probabilities(logits, labels)
    return -log_p[counts].exp().mean().log()


@cross_entropy.mistake(
    "Your code picks every label at every position, as `p[:, :, labels]` does. At position t pick labels[t] only: "
    "`gather(-1, labels.unsqueeze(-1))`."
)
def every_label_at_every_position(logits, labels):
    return -logits.log_softmax(-1)[:, :, labels[labels != IGNORE]].mean()


@cross_entropy.mistake("Your code computes −ln (1 − p). The surprise at the right token is −ln p.")
def of_the_others(logits, labels):
    log_p, counts = log_probabilities(logits, labels)
    return -(1 - log_p[counts].exp()).log().mean()


@cross_entropy.mistake("Your code returns exp of the loss, the perplexity. Return the mean of −ln p itself.")
def perplexity(logits, labels):
    return losses.cross_entropy(logits, labels).exp()


@cross_entropy.mistake(
    "Your loss is in units of ln 10, as with a logarithm to base 10. Use the natural logarithm, which gives nats."
)
def in_base_ten(logits, labels):
    return losses.cross_entropy(logits, labels) / torch.log(torch.tensor(10.0))


@cross_entropy.mistake(
    "Your code averages over all V tokens, not only over the right ones. At each position, pick out the "
    "log-probability of the label."
)
def of_all_tokens(logits, labels):
    return -logits.log_softmax(-1)[labels != IGNORE].mean()


@cross_entropy.mistake(
    "Your code picks the likeliest token at each position. Pick the token that the label names: its log-probability "
    "tells how wrong the model is."
)
def of_the_likeliest(logits, labels):
    return -logits.log_softmax(-1).amax(-1)[labels != IGNORE].mean()


@cross_entropy.mistake(
    "Your code divides by the number of texts. Divide by the number of labels that count, over all texts."
)
def mean_over_texts(logits, labels):
    return losses.cross_entropy(logits, labels) * (labels != IGNORE).sum() / len(labels)


@cross_entropy.mistake(
    "Your loss is that of the first text of the batch only. The mean runs over the labels of all texts."
)
def first_text_only(logits, labels):
    return losses.cross_entropy(logits[:1], labels[:1])


@cross_entropy.mistake(
    "Your code shifts the labels by one more step. They are shifted already: the logits at position t predict "
    "labels[t].",
    seen="https://github.com/huggingface/transformers/issues/32944",
)
def shifted_again(logits, labels):
    return losses.cross_entropy(logits[:, :-1], labels[:, 1:])


@cross_entropy.mistake(
    "Your loss mixes the logits of different tokens, as if `view` or `reshape` had brought the classes to axis 1. Use "
    "`transpose(1, 2)`, or flatten the positions: `logits.flatten(0, 1)`."
)
def reshaped(logits, labels):
    return F.cross_entropy(logits.reshape(logits.size(0), logits.size(2), -1), labels)


@cross_entropy.mistake(
    "Your code divides the sum by T, the length of a text. Divide by the number of labels that count, over all texts."
)
def divided_by_the_length(logits, labels):
    return losses.cross_entropy(logits, labels) * (labels != IGNORE).sum() / labels.size(1)


@cross_entropy.mistake(
    "Your code returns a loss for each position, in one row, with 0 where the label is −100. Return one number: the "
    "mean over the labels that count."
)
def one_loss_for_each_position(logits, labels):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")


@cross_entropy.mistake(
    "Your code returns a loss for each position, (B, T), with 0 where the label is −100. Return one number: the mean "
    "over the labels that count."
)
def losses_of_shape_of_the_labels(logits, labels):
    return F.cross_entropy(logits.mT, labels, reduction="none")


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


@cross_entropy.right
def by_one_hot_labels(logits, labels):
    right = F.one_hot(labels.clamp(min=0), logits.size(-1)) * logits.log_softmax(-1)
    return -right.sum(-1)[labels != IGNORE].mean()


@cross_entropy.right
def by_a_distribution(logits, labels):
    counts = labels != -100
    return -torch.distributions.Categorical(logits=logits[counts]).log_prob(labels[counts]).mean()
