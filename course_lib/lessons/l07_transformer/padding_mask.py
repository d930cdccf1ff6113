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
        case(torch.tensor([[7, 2, 9, 4]]), 4, having=("ids below and above the padding's", "another padding id")),
        case(torch.tensor([[5], [6]]), 0, having=("a single token", "a batch")),
        case(torch.tensor([[3, 5, 0], [5, 0, 0], [0, 5, 6]]), 0, having=("sizes that are all the same", "a batch")),
    ),
    hints=(
        "A word's id differs from the padding's. Which comparison gives True for words, for all tokens at once?",
        (
            "The comparison has the shape (B, S). The mask will be laid over scores of shape (B, H, T, S). Which two "
            "axes are missing, and where do they belong?"
        ),
        "`mask[:, None]` has the shape (B, 1, S); `unsqueeze` does the same. One more axis is missing.",
    ),
)


@padding_mask.mistake(
    "Your mask is True for padding and False for words. In this course True marks what may be attended to: `ids != "
    "pad` is True for words."
)
def hides_words(ids, pad):
    return ~attention.padding_mask(ids, pad)


@padding_mask.mistake(
    "Your mask has two axes, (B, S). Scores have four, (B, H, T, S): insert two axes of "
    "length 1 in the middle, for the heads and the queries."
)
def without_axes(ids, pad):
    return ids != pad


@padding_mask.mistake(
    "Your mask lacks one axis: (B, 1, S) would be read as (H, T, S). Scores are (B, H, T, S), so the mask should be "
    "(B, 1, 1, S)."
)
def one_axis_short(ids, pad):
    return (ids != pad)[:, None]


@padding_mask.mistake(
    "Your mask has S on the axis of the queries: (B, 1, S, 1). Padding should not be read, so S belongs on the axis of "
    "the keys, the last one.",
    seen="https://github.com/hyunwoongko/transformer/issues/40",
)
def hides_queries(ids, pad):
    return (ids != pad)[:, None, :, None]


@padding_mask.mistake(
    "Your code treats 0 as padding in every call, but the id of the padding is passed in as `pad`. Compare with that.",
    seen="https://github.com/hyunwoongko/transformer/issues/11",
)
def always_zero(ids, pad):
    return attention.padding_mask(ids, 0)


@padding_mask.mistake(
    "Your mask holds numbers that are added to scores. In this course a mask holds True and False, and "
    "`scaled_dot_product_attention` sets the scores."
)
def minus_infinity(ids, pad):
    return torch.zeros(ids.shape).masked_fill(ids == pad, -torch.inf)[:, None, None]


@padding_mask.mistake(
    "Your mask is True only for ids larger than `pad`. Padding may have any id, so smaller ids are words too: compare "
    "with `!=`."
)
def larger_ids(ids, pad):
    return (ids > pad)[:, None, None]


@padding_mask.mistake(
    "Your mask holds floating-point numbers. The course's masks are Boolean, True and False: return the comparison "
    "itself."
)
def ones_and_zeros(ids, pad):
    return attention.padding_mask(ids, pad).float()


@padding_mask.mistake(
    "Your mask holds whole numbers. The course's masks are Boolean, True and False: return the comparison itself."
)
def whole_numbers(ids, pad):
    return attention.padding_mask(ids, pad).long()


@padding_mask.mistake(
    "Your mask puts the axes of length 1 in front of the batch, (1, 1, B, S). The batch comes first: (B, 1, 1, S)."
)
def axes_in_front(ids, pad):
    return (ids != pad)[None, None]


@padding_mask.mistake(
    "Your mask puts the axes of length 1 behind S, (B, S, 1, 1). S belongs on the last axis: (B, 1, 1, S)."
)
def axes_behind(ids, pad):
    return (ids != pad)[:, :, None, None]


@padding_mask.mistake(
    "Your mask is (B, 1, S, S), and also hides everything from queries that are padding. Such a query could read "
    "nothing at all: hide keys only, (B, 1, 1, S)."
)
def hides_queries_and_keys(ids, pad):
    words = ids != pad
    return (words[:, :, None] & words[:, None])[:, None]


@padding_mask.mistake(
    "Your mask repeats the same row for every query, (B, 1, S, S). One row is enough, because an axis of length 1 "
    "broadcasts: (B, 1, 1, S)."
)
def repeated_for_queries(ids, pad):
    return (ids != pad)[:, None, None].expand(-1, 1, ids.size(1), -1)


@padding_mask.mistake("Your code returns ids. Compare them with `pad`, so that the mask holds True and False.")
def ids_returned(ids, pad):
    return ids[:, None, None]


@padding_mask.mistake(
    "Your mask opens as many positions from the left as a text has words, which is right only if its padding comes "
    "last. Compare each id with `pad`."
)
def as_many_as_there_are_words(ids, pad):
    count = (ids != pad).sum(1, keepdim=True)
    return (torch.arange(ids.size(1)) < count)[:, None, None]


@padding_mask.mistake(
    "Your mask hides everything after the first padding of a text, which is right only if no word follows. Compare "
    "each id with `pad`."
)
def up_to_the_first_padding(ids, pad):
    return (ids != pad).long().cumprod(1).bool()[:, None, None]


@padding_mask.right_for_whole_course
def by_ne(ids, pad):
    return ids.ne(pad)[:, None, None, :]


padding_mask.right(lambda ids, pad: (ids != pad).unsqueeze(1).unsqueeze(2))
padding_mask.right(lambda x, padding_id: ~torch.eq(x, padding_id).view(x.size(0), 1, 1, x.size(1)))
