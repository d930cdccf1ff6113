"""The exercise `alibi_bias` of notebook 17."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import positions

alibi_bias = Exercise(
    reference=positions.alibi_bias,
    notebook=17,
    order=20,
    minutes=10,
    difficulty=2,
    returns=(Result("the bias", "H, T, T"),),
    example=case(2, 3),
    another=case(4, 3),
    cases=(
        case(1, 4, having=("one head",)),
        case(8, 5, having=("8 heads",)),
        case(
            3,
            3,
            having=(
                "a number of heads that is not a power of 2",
                "a number of heads that does not divide 8",
                "as many heads as tokens",
            ),
        ),
        case(4, 1, having=("a single token",)),
        case(2, 2, having=("as many heads as tokens",)),
        case(
            6,
            12,
            having=(
                "a number of heads that is not a power of 2",
                "a number of heads that does not divide 8",
                "a longer text",
            ),
        ),
        case(4, 16, having=("a longer text",)),
        case(16, 2, having=("16 heads", "a number of heads that does not divide 8")),
    ),
    hints=(
        "Two things are multiplied: the distance |i − j| of each pair of tokens, (T, T), and each head's slope, (H,).",
        "`at = torch.arange(T)`, and `at[:, None] - at[None, :]` has the differences of all pairs; take `.abs()`.",
        (
            "The heads count from 1: `torch.arange(1, heads + 1)`. `slopes[:, None, None] * distance` broadcasts to "
            "(H, T, T), and the bias is minus that."
        ),
    ),
)


def slopes_of(heads):
    """The slope of each head: (H,)."""
    return 2.0 ** (-8 * torch.arange(1, heads + 1) / heads)


def distances(T):
    """How far apart each pair of tokens is: (T, T)."""
    at = torch.arange(T)
    return (at[:, None] - at).abs()


# Patches, where they can be, since they are combined with each other.
alibi_bias.patch(
    "Your bias raises the scores of distant keys. It should lower them: minus slope times distance.",
    replace="-slopes[:, None, None]",
    by="slopes[:, None, None]",
)
alibi_bias.patch(
    "Your first slope is 1, as if the exponent had h in place of h + 1. The first is 2^(−8/H), the last 2⁻⁸.",
    replace="torch.arange(1, operator.index(heads) + 1)",
    by="torch.arange(heads)",
)
alibi_bias.patch(
    "Your distance has a sign, so keys on one side get a higher score the farther away they are. Take `.abs()`.",
    replace="(at[:, None] - at[None, :]).abs()",
    by="(at[:, None] - at[None, :])",
)
alibi_bias.patch(
    "Your distance has a sign, and it is that of key minus query. Take `.abs()`.",
    replace="(at[:, None] - at[None, :]).abs()",
    by="(at[None, :] - at[:, None])",
)


@alibi_bias.mistake(
    "Your slopes are 1/2, 1/4, 1/8, … for any number of heads. That is right for 8 heads only: the exponent is −8 (h + "
    "1) / H."
)
def slopes_of_8_heads(heads, T):
    slopes = 2.0 ** (-torch.arange(1, heads + 1).float())
    return -slopes[:, None, None] * distances(T)


alibi_bias.patch(
    "All your heads have the same slope. Each has its own: 2^(−8 (h + 1) / H).",
    replace="torch.arange(1, operator.index(heads) + 1)",
    by="torch.ones(heads)",
)
alibi_bias.patch(
    "Your bias squares the distance. It is linear: that is the L in the name.",
    replace="(at[:, None] - at[None, :]).abs()",
    by="(at[:, None] - at[None, :]) ** 2",
)


alibi_bias.patch(
    "Your slopes lack the factor 8 in the exponent, so that they are too large: −8 (h + 1) / H.",
    replace="-8 * torch.arange(1, operator.index(heads) + 1)",
    by="-torch.arange(1, operator.index(heads) + 1)",
)
alibi_bias.patch(
    "Your exponents are rounded to whole numbers, as `//` does. Divide by H with `/`.",
    replace="2.0 ** (-8 * torch.arange(1, operator.index(heads) + 1) / heads)",
    by="2.0 ** (-8 * torch.arange(1, operator.index(heads) + 1) // heads)",
)
alibi_bias.patch(
    "Your slopes are powers of e. They are powers of 2.",
    replace="2.0 ** (",
    by="torch.exp(",
)


@alibi_bias.mistake(
    "Your bias is the slope times the number of the key, as in the authors' code. Under a causal mask, a softmax "
    "gives the same weights for it, but here the bias itself is compared: return minus slope times distance, on both "
    "sides.",
    seen="https://github.com/ofirpress/attention_with_linear_biases",
)
def by_the_number_of_the_key(heads, T):
    return (slopes_of(heads)[:, None, None] * torch.arange(T)).expand(heads, T, T)


@alibi_bias.mistake(
    "Your bias hides the keys after the query. Count their distance, |i − j|: hiding them is the task of the mask."
)
def hides_what_is_to_the_right(heads, T):
    return positions.alibi_bias(heads, T).masked_fill(torch.ones(T, T).triu(1).bool(), -torch.inf)


@alibi_bias.mistake("The heads are the last axis of your bias. Scores are (B, H, T, T): heads come first.")
def heads_last(heads, T):
    return positions.alibi_bias(heads, T).permute(1, 2, 0)


@alibi_bias.mistake(
    "Your bias is 0 for all keys after the query. Count their distance too, since it is |i − j|: hiding them is the "
    "task of the mask."
)
def zero_to_the_right(heads, T):
    return positions.alibi_bias(heads, T).tril()


@alibi_bias.right_for_whole_course
def in_loops(heads, T):
    bias = torch.zeros(heads, T, T)
    for h in range(heads):
        for i in range(T):
            for j in range(T):
                bias[h, i, j] = -abs(i - j) / 2 ** (8 * (h + 1) / heads)
    return bias


@alibi_bias.right
def by_roots(heads, T):
    first = 2 ** (-8 / heads)
    slopes = torch.tensor([first ** (h + 1) for h in range(heads)])
    return torch.einsum("h,ij->hij", -slopes, distances(T).float())
