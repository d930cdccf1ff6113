"""The exercise `padding_mask` of notebook 07."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention

padding_mask = Exercise(
    reference=attention.padding_mask,
    notebook=7,
    order=20,
    minutes=5,
    difficulty=1,
    on_map="memory",
    returns=(Result("the mask", "B, 1, 1, S"),),
    example=case(torch.tensor([[5, 7, 0]]), 0),
    another=case(torch.tensor([[4, 0, 0]]), 0),
    cases=(
        case(torch.tensor([[5, 7, 6, 0], [8, 0, 0, 0], [4, 4, 4, 4]]), 0, having=("a batch",)),
        case(torch.tensor([[5, 0, 9], [9, 9, 1]]), 9, having=("a batch", "another padding id")),
        case(torch.tensor([[5], [6]]), 0, having=("a single token",)),
        case(torch.tensor([[3, 5, 0], [5, 0, 0], [0, 5, 6]]), 0, having=("sizes that are all the same",)),
    ),
    hints=(
        "Where is a token a word, and where is it padding? One comparison says so, for all tokens at once.",
        "`ids != pad` is True at the words, (B, S). The scores that it will meet are (B, H, T, S).",
        (
            "Two axes of length 1 are missing between B and S. Indexing with `None` puts one in, and `unsqueeze` does "
            "too."
        ),
    ),
)


@padding_mask.mistake('Yours is True at the padding. In this course True means "may attend": invert it.')
def hides_words(ids, pad):
    return ~attention.padding_mask(ids, pad)


@padding_mask.mistake(
    "The words are found, but the mask has two axes, (B, S). Scores have four, (B, H, T, S): put two axes of length 1 "
    "between, for the heads and the queries."
)
def without_axes(ids, pad):
    return ids != pad


@padding_mask.mistake(
    "One axis is missing: (B, 1, S) would be taken for (H, T, S). Scores are (B, H, T, S), so B, 1, 1, S."
)
def one_axis_short(ids, pad):
    return (ids != pad)[:, None]


@padding_mask.mistake(
    "Your S stands on the axis of the queries. Padding is hidden from those who ask, so it stands on the last axis, "
    "the keys'."
)
def hides_queries(ids, pad):
    return (ids != pad)[:, None, :, None]


@padding_mask.mistake("You compare with 0 whatever the padding's id is: that comes in as `pad`.")
def always_zero(ids, pad):
    return attention.padding_mask(ids, 0)


@padding_mask.mistake(
    "Yours holds numbers to add to the scores. Here a mask holds True and False: `scaled_dot_product_attention` sets "
    "the scores itself."
)
def minus_infinity(ids, pad):
    return torch.zeros(ids.shape).masked_fill(ids == pad, -torch.inf)[:, None, None]


@padding_mask.right_for_whole_course
def by_ne(ids, pad):
    return ids.ne(pad)[:, None, None, :]


padding_mask.right(lambda ids, pad: (ids != pad).unsqueeze(1).unsqueeze(2))
padding_mask.right(lambda x, padding_id: ~torch.eq(x, padding_id).view(x.size(0), 1, 1, x.size(1)))
