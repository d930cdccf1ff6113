"""The exercise `mean_of_tokens` of notebook 12."""

import torch

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.learning import heads


def real(*lengths: int, S: int) -> torch.Tensor:
    """Whether each of S tokens is real, for texts of these lengths: (B, S)."""
    return torch.arange(S) < torch.tensor(lengths)[:, None]


mean_of_tokens = Exercise(
    reference=heads.mean_of_tokens,
    notebook=12,
    order=10,
    minutes=8,
    difficulty=2,
    returns=(Result("the means", "B, d_model"),),
    example=case(fixed_tensor(2, 4, 3), real(4, 2, S=4)),
    another=case(fixed_tensor(2, 4, 3, seed=1), real(4, 2, S=4)),
    cases=(
        case(fixed_tensor(1, 3, 4), real(3, S=3), having=("no padding",)),
        case(fixed_tensor(3, 5, 2), real(1, 3, 5, S=5), having=("a text of one token", "texts of three lengths")),
        case(
            fixed_tensor(2, 2, 2),
            real(2, 1, S=2),
            having=("as many texts as tokens and features", "a text of one token"),
        ),
        case(fixed_tensor(2, 4, 3) + 1000, real(4, 1, S=4), having=("large numbers", "a text of one token")),
        case(
            fixed_tensor(2, 4, 3),
            torch.tensor([[False, True, True, True], [False, False, True, True]]),
            having=("padding on the left",),
        ),
        case(
            fixed_tensor(2, 4, 3).relu() * torch.tensor([[1.0], [0.0], [1.0], [1.0]]),
            real(4, 2, S=4),
            having=("in which real tokens have features that are 0",),
        ),
        case(fixed_tensor(2, 4, 3, dtype=torch.float64), real(3, 2, S=4), having=("float64 numbers",)),
    ),
    hints=(
        "Padding should add nothing to the sum, and should not be counted. What would you multiply each vector by?",
        "`real[..., None]` has shape (B, S, 1), so it says for all features of a token whether it counts.",
        "Sum over the tokens, `dim=1`, and divide by `real.sum(dim=1, keepdim=True)`, which is (B, 1).",
    ),
)


@mean_of_tokens.mistake(
    "Your mean includes the padding: its vectors are not zero, and they change with the longest text of the batch. "
    "Leave it out of the sum and of the count.",
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/990",
)
def padding_counts(hidden, real):
    return hidden.mean(dim=1)


@mean_of_tokens.mistake(
    "Your code leaves the padding out of the sum, but divides by all S positions, so short texts get short vectors. "
    "Divide by the number of real tokens."
)
def divided_by_all(hidden, real):
    return (hidden * real[..., None]).mean(dim=1)


@mean_of_tokens.mistake("Your code returns the sum. Divide it by the number of real tokens of each text.")
def sum_only(hidden, real):
    return (hidden * real[..., None]).sum(dim=1)


@mean_of_tokens.mistake("Your code takes the first token. Average over all real tokens.")
def first_token(hidden, real):
    return hidden[:, 0]


@mean_of_tokens.mistake(
    "Your code takes the last position, which is padding in a short text. Average over all real tokens.",
    seen="https://github.com/rasbt/LLMs-from-scratch/issues/566",
)
def last_position(hidden, real):
    return hidden[:, -1]


@mean_of_tokens.mistake("Your code takes the last real token only. Average over all real tokens.")
def last_real_token(hidden, real):
    places = torch.arange(real.size(1)).expand(real.shape).masked_fill(~real, -1).amax(dim=1)
    return hidden[torch.arange(len(hidden)), places]


@mean_of_tokens.mistake("Your code takes the largest value of each feature. Take the mean.")
def largest(hidden, real):
    return hidden.masked_fill(~real[..., None], -torch.inf).amax(dim=1)


@mean_of_tokens.mistake("Your code averages the padding and leaves out the text: `real` is True where a token counts.")
def inverted(hidden, real):
    return (hidden * ~real[..., None]).sum(dim=1) / (~real).sum(dim=1, keepdim=True)


@mean_of_tokens.mistake(
    "Your code divides every text by the number of real tokens in the whole batch. Count them for each text: "
    "`real.sum(dim=1, keepdim=True)`."
)
def counted_in_the_batch(hidden, real):
    return (hidden * real[..., None]).sum(dim=1) / real.sum()


@mean_of_tokens.mistake(
    "Your code divides the sum of every text by the mean number of real tokens in the batch. Count them for each text: "
    "`real.sum(dim=1, keepdim=True)`."
)
def mean_count(hidden, real):
    return (hidden * real[..., None]).sum(dim=1) / real.sum(dim=1).float().mean()


COUNTED_BY_NUMBERS = (
    "Your code divides by the count of numbers that are not 0. A feature of a real token may be 0, and counts too: "
    "divide by the number of real tokens."
)


@mean_of_tokens.mistake(COUNTED_BY_NUMBERS)
def counted_by_numbers(hidden, real):
    kept = hidden * real[..., None]
    return kept.sum(dim=1) / (kept != 0).sum(dim=1).clamp(min=1)


@mean_of_tokens.mistake(COUNTED_BY_NUMBERS + " If all of them are 0, you divide 0 by 0, which gives NaN.")
def counted_by_numbers_down_to_none(hidden, real):
    kept = hidden * real[..., None]
    return kept.sum(dim=1) / (kept != 0).sum(dim=1)


@mean_of_tokens.mistake(
    "Your code divides by the count of vectors that are not 0. The vector of a real token may be 0, and counts too: "
    "divide by the number of real tokens."
)
def counted_by_vectors(hidden, real):
    kept = hidden * real[..., None]
    return kept.sum(dim=1) / (kept != 0).any(dim=-1).sum(dim=1, keepdim=True).clamp(min=1)


@mean_of_tokens.mistake("Your code averages all texts into one vector. Return a vector for each text, (B, d_model).")
def one_for_all(hidden, real):
    return hidden[real].mean(dim=0)


@mean_of_tokens.mistake("Your code averages over the features. Average over the tokens, `dim=1`.")
def over_features(hidden, real):
    return (hidden * real[..., None]).mean(dim=-1)


@mean_of_tokens.mistake("Your means have length 1. Return the means as they are; a classifier may use their length.")
def normalized(hidden, real):
    return torch.nn.functional.normalize(heads.mean_of_tokens(hidden, real), dim=-1)


@mean_of_tokens.mistake(
    "Your code averages the first n vectors of each text, where n is the number of its real tokens. The padding may "
    "come first: average the vectors of those tokens for which `real` is True, wherever they are."
)
def first_vectors(hidden, real):
    first = torch.arange(real.size(1)) < real.sum(dim=1, keepdim=True)
    return heads.mean_of_tokens(hidden, first)


@mean_of_tokens.mistake(
    "Your code divides every text by the number of real tokens in the longest text of the batch. Count them for each "
    "text: `real.sum(dim=1, keepdim=True)`."
)
def count_of_the_longest(hidden, real):
    return (hidden * real[..., None]).sum(dim=1) / real.sum(dim=1).max()


@mean_of_tokens.right_for_whole_course
def by_a_product(hidden, real):
    weights = real.to(hidden.dtype) / real.sum(dim=1, keepdim=True)
    return torch.einsum("bs,bsd->bd", weights, hidden)


@mean_of_tokens.right
def text_by_text(hidden, real):
    return torch.stack([states[mask].mean(dim=0) for states, mask in zip(hidden, real, strict=True)])
