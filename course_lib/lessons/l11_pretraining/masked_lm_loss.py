"""The exercise `masked_lm_loss` of notebook 11."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.exercises.adapters import wrap_in_tuple
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import losses
from course_lib.learning.losses import IGNORE

MATRIX = fixed_tensor(4, 6, seed=11)
WIDE = fixed_tensor(3, 9, seed=12)


def head(hidden):
    """A head from width 4 to 6 tokens."""
    return hidden @ MATRIX.to(hidden.dtype)


def other_head(hidden):
    """A head from width 3 to 9 tokens, whose logits are not linear."""
    return (hidden @ WIDE.to(hidden.dtype)).relu() - 1


def high_head(hidden):
    """A head from width 4 to 6 tokens, all of whose logits are huge, and close together."""
    return head(hidden) + 200


def rows_through_the_head(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that an answer calls the head on positions that have no label, or several times; "" if it does not."""
    hidden, labels, head = arguments
    seen: list[Tensor] = []

    def watched_head(hidden: Tensor) -> Tensor:
        seen.append(hidden.reshape(-1, hidden.size(-1)))
        logits: Tensor = head(hidden)
        return logits

    with torch.no_grad():
        answer(hidden, labels, watched_head)
    rows, labelled = sum(map(len, seen)), int((labels != IGNORE).sum())
    if rows <= labelled:
        return ""
    with_label = hidden[labels != IGNORE]
    if all((row == with_label).all(dim=-1).any() for row in torch.cat(seen)):
        return (
            f"Your loss is right, but your code sends {rows} vectors through the head, though only {labelled} "
            "positions have a label. The head is the expensive step: once for each of them is enough."
        )
    return (
        f"Your loss is right, but your code calls the head on {rows} positions, though only {labelled} have a label. "
        "The head is the expensive step, so pick these out first: `head(hidden[labels != -100])`."
    )


LABELS = torch.tensor([[IGNORE, 4, IGNORE, 0, IGNORE]])

masked_lm_loss = Exercise(
    reference=losses.masked_lm_loss,
    notebook=11,
    order=50,
    minutes=5,
    difficulty=2,
    on_map="loss",
    trained=True,
    adapt=wrap_in_tuple,
    further_check=rows_through_the_head,
    returns=(Result("the loss"),),
    example=case(fixed_tensor(1, 5, 4), LABELS, head),
    another=case(fixed_tensor(1, 5, 4, seed=1), LABELS, head),
    cases=(
        case(
            fixed_tensor(3, 4, 4, seed=2),
            torch.tensor([[1, IGNORE, IGNORE, 3], [IGNORE, 5, 2, IGNORE], [0, IGNORE, IGNORE, IGNORE]]),
            head,
            having=("a batch",),
        ),
        case(
            fixed_tensor(2, 3, 4, seed=3),
            torch.tensor([[IGNORE, IGNORE, IGNORE], [4, IGNORE, 5]]),
            head,
            having=("a text in which nothing is hidden", "a batch"),
        ),
        case(
            fixed_tensor(3, 3, 3, seed=4),
            torch.tensor([[8, IGNORE, 2], [IGNORE, 7, IGNORE], [0, 0, 1]]),
            other_head,
            having=("another head", "a batch"),
        ),
        case(fixed_tensor(1, 5, 4) * 200, LABELS, head, having=("huge numbers",)),
        case(
            fixed_tensor(1, 5, 4),
            LABELS,
            high_head,
            having=("huge numbers", "huge numbers close together", "another head"),
        ),
        case(fixed_tensor(1, 5, 4, dtype=torch.float64), LABELS, head, having=("float64 numbers",)),
    ),
    hints=(
        "At how many positions of the example does something have to be guessed? Nothing else enters the loss.",
        (
            "`hidden[guessed]`, with a Boolean tensor `guessed` (B, T), picks out the n hidden states that count, "
            "(n, d_model). Only these go through the head."
        ),
        (
            "With logits (n, V) and the n labels, the rest is the loss of notebook 06: `F.cross_entropy` computes it, "
            "and so do `log_softmax` and `gather`."
        ),
    ),
)


@masked_lm_loss.mistake(
    "All positions count in your loss, as if token 0 had to be guessed wherever nothing is hidden. Leave out the "
    "positions whose label is −100."
)
def all_positions(hidden, labels, head):
    return losses.cross_entropy(head(hidden), labels.masked_fill(labels == IGNORE, 0))


@masked_lm_loss.mistake(
    "Token 0 never counts in your loss, as if only labels above 0 did. Compare with −100: `labels != -100`.",
    seen="https://github.com/mosaicml/examples/issues/457",
)
def token_0_left_out(hidden, labels, head):
    return losses.cross_entropy(head(hidden), labels.masked_fill(labels <= 0, IGNORE))


@masked_lm_loss.mistake(
    "Your loss is the total surprise at the hidden tokens, divided by the number of all positions. Divide by the "
    "number of tokens that had to be guessed.",
    seen="https://github.com/huggingface/transformers/issues/144",
)
def mean_over_all(hidden, labels, head):
    return losses.masked_lm_loss(hidden, labels, head) * (labels != IGNORE).sum() / labels.numel()


@masked_lm_loss.mistake(
    "Your code adds up the surprise. Take the mean over the tokens that had to be guessed, so that batches can be "
    "compared."
)
def summed(hidden, labels, head):
    return losses.masked_lm_loss(hidden, labels, head) * (labels != IGNORE).sum()


@masked_lm_loss.mistake(
    "Your code averages within each text, and then over the texts, so that a text with few hidden tokens weighs as "
    "much as one with many. Take one mean over all hidden tokens."
)
def mean_of_means(hidden, labels, head):
    pairs = [pair for pair in zip(hidden, labels, strict=True) if (pair[1] != IGNORE).any()]
    return torch.stack([losses.masked_lm_loss(*pair, head) for pair in pairs]).mean()


@masked_lm_loss.mistake(
    "Your code shifts the labels by one, as for a language model. Here nothing is shifted: the token is guessed at its "
    "own position."
)
def shifted(hidden, labels, head):
    return losses.masked_lm_loss(hidden[:, :-1], labels[:, 1:], head)


@masked_lm_loss.mistake(
    "Your code never calls the head, and takes the hidden states themselves for logits. `head(hidden[guessed])` gives "
    "the logits over the vocabulary."
)
def without_head(hidden, labels, head):
    guessed = labels != IGNORE
    labels = labels[guessed].clamp(max=hidden.size(-1) - 1)
    return F.cross_entropy(hidden[guessed], labels)


@masked_lm_loss.mistake(
    "The minus is missing in your code: surprise is −ln p. With ln p, training would make the guesses worse."
)
def wrong_sign(hidden, labels, head):
    return -losses.masked_lm_loss(hidden, labels, head)


@masked_lm_loss.mistake(
    "Where a token is very unlikely, your loss is infinite, as if it came from the logarithm of a softmax that is 0. "
    "Use `log_softmax`, which computes both in one step."
)
def logarithm_of_the_softmax(hidden, labels, head):
    guessed = labels != IGNORE
    p = head(hidden[guessed]).softmax(-1)
    return -p.gather(-1, labels[guessed][:, None]).log().mean()


@masked_lm_loss.mistake(
    "For huge logits your loss is infinite or NaN, as when the sum of their exponentials overflows. `torch.logsumexp` "
    "and `log_softmax` take the largest logit out first."
)
def overflowing_sum(hidden, labels, head):
    guessed = labels != IGNORE
    logits = head(hidden[guessed])
    return (logits.exp().sum(-1).log() - logits.gather(-1, labels[guessed][:, None])[:, 0]).mean()


@masked_lm_loss.mistake(
    "For a row of logits far below the others your loss is infinite or NaN: every exponential is 0 there, and ln 0 is "
    "minus infinity. Subtract the largest logit of each row first, or use `log_softmax`, which does so."
)
def largest_logit_of_all_rows(hidden, labels, head):
    logits = head(hidden[labels != IGNORE])
    lower = logits - logits.max()
    log_p = lower - lower.exp().sum(-1, keepdim=True).log()
    return -log_p.gather(-1, labels[labels != IGNORE].unsqueeze(-1)).mean()


@masked_lm_loss.mistake(
    "Your loss is that of two softmaxes, one before the loss and one in it, so it can never come near 0. Pass the "
    "logits on as the head returns them."
)
def softmaxed_twice(hidden, labels, head):
    return losses.masked_lm_loss(hidden, labels, lambda hidden: head(hidden).softmax(-1))


@masked_lm_loss.mistake(
    "Your code has two mistakes. Its loss is that of two softmaxes, one before the loss and one in it: pass the "
    "logits on as the head returns them. And it divides by all positions: divide by the number of tokens that had to "
    "be guessed."
)
def softmaxed_twice_and_mean_over_all(hidden, labels, head):
    return mean_over_all(hidden, labels, lambda hidden: head(hidden).softmax(-1))


@masked_lm_loss.mistake(
    "Your code has two mistakes. Its loss is that of two softmaxes, one before the loss and one in it: pass the "
    "logits on as the head returns them. And it adds up the surprise: take the mean over the tokens that had to be "
    "guessed."
)
def softmaxed_twice_and_summed(hidden, labels, head):
    return summed(hidden, labels, lambda hidden: head(hidden).softmax(-1))


@masked_lm_loss.mistake(
    "Your loss is that of the positions where nothing is hidden, as if token 0 had to be guessed there. Where the "
    "label is −100, nothing has to be guessed: invert the condition."
)
def the_others(hidden, labels, head):
    return losses.cross_entropy(head(hidden), torch.where(labels == IGNORE, 0, IGNORE))


@masked_lm_loss.mistake(
    "Your loss is NaN, as the mean over nothing is. Perhaps your code picks the positions whose label is −100, which "
    "are those that do not count. Pick the others: `labels != -100`."
)
def those_that_do_not_count(hidden, labels, head):
    left_out = labels == IGNORE
    return F.cross_entropy(head(hidden[left_out]), labels[left_out])


@masked_lm_loss.right_for_whole_course
def by_torch(hidden, labels, head):
    guessed = labels != -100
    return F.cross_entropy(head(hidden[guessed]), labels[guessed])


@masked_lm_loss.right
def by_their_places(hidden, labels, head):
    places = (labels.flatten() != -100).nonzero().squeeze(1)
    surprise = -head(hidden.flatten(0, 1)[places]).log_softmax(dim=-1)
    return surprise[torch.arange(len(places)), labels.flatten()[places]].mean()
