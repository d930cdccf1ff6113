"""The exercise `pack_texts` of notebook 11."""

import torch

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.learning import packing

pack_texts = Exercise(
    reference=packing.pack_texts,
    notebook=11,
    order=10,
    minutes=5,
    difficulty=1,
    returns=(Result("the rows", "rows, length"),),
    example=case([[5, 6, 7], [8], [9, 4, 5]], 2, 5),
    another=case([[4], [8, 6, 9], [7, 5, 6]], 2, 5),
    cases=(
        case([[5, 6, 7, 8, 9], [4, 4], [6]], 2, 3, having=("rows of three tokens",)),
        case([[5, 0, 6], [0, 8]], 2, 3, having=("rows of three tokens", "an ordinary token of id 0")),
        case([[5, 6], [7], [8, 9, 4]], 1, 2, having=("another end token",)),
        case([[9, 8, 7, 6, 5, 4, 3, 9, 8]], 2, 4, having=("a single long text",)),
        case([[5], [6], [7], [8], [9]], 0, 4, having=("in which every text is a single token", "another end token")),
        case([[5, 6, 7], [8, 9, 4]], 2, 8, having=("a single row",)),
    ),
    hints=(
        "Write the texts of the example one after another on paper, each with its end token. Where do rows of 5 end?",
        (
            "First make one long list of ids: for each text its ids, then `end`. How many whole rows of `length` are "
            "in it?"
        ),
        "`len(stream) // length` is the number of rows. Cut the rest off, and `view` or `reshape` makes the rows.",
    ),
)


def rows_of(stream, length):
    """Cut a list of ids into rows, and leave out the rest."""
    stream = torch.tensor(stream, dtype=torch.long)
    return stream[: len(stream) // length * length].view(-1, length)


@pack_texts.mistake(
    "Your rows have no end tokens, so nothing says where a text ends, and a model that learns from them never stops. "
    "Append `end` to each text.",
    seen="https://github.com/huggingface/transformers/issues/23841",
)
def without_end(texts, end, length):
    return rows_of([i for text in texts for i in text], length)


@pack_texts.mistake(
    "Where the ids fill the last row exactly, your result lacks that row. If the last text has no end token in your "
    "code, append `end` to it too. If it has one, your code makes one row too few: n ids fill `n // length` rows."
)
def between_texts(texts, end, length):
    return rows_of([i for text in texts for i in (*text, end)][:-1], length)


@pack_texts.mistake(
    "Your rows lack the tokens of id 0. That is an id like any other, though `if` and `filter(None, …)` take it for "
    "false."
)
def id_0_left_out(texts, end, length):
    return rows_of([i for text in texts for i in (*text, end) if i], length)


@pack_texts.mistake("Your end tokens come before the texts. The end token of a text follows its last id.")
def end_in_front(texts, end, length):
    return rows_of([i for text in texts for i in (end, *text)], length)


@pack_texts.mistake(
    "Your code begins a new row for each text, and loses what does not fill it. Write all texts into one long list "
    "first, then cut it into rows."
)
def rows_of_each_text(texts, end, length):
    rows = [rows_of([*text, end], length) for text in texts]
    return torch.cat(rows)


@pack_texts.mistake(
    "Your code begins a row for each text, and pads it. Packing needs no padding: write all texts into one long list "
    "first, then cut it into rows."
)
def filled_up(texts, end, length):
    rows = []
    for text in texts:
        ids = [*text, end]
        ids += [end] * (-len(ids) % length)
        rows += [ids[k : k + length] for k in range(0, len(ids), length)]
    return torch.tensor(rows)


@pack_texts.mistake(
    "Your code fills up the last row. What is left at the end and does not fill a row is left out, so that every "
    "id comes from the texts."
)
def last_row_filled_up(texts, end, length):
    stream = [i for text in texts for i in (*text, end)]
    return torch.tensor(stream + [end] * (-len(stream) % length)).view(-1, length)


@pack_texts.mistake(
    "Your text runs down the columns. It continues along a row: `view(rows, length)`, not the transpose of "
    "`view(length, rows)`."
)
def down_the_columns(texts, end, length):
    rows = packing.pack_texts(texts, end, length)
    return rows.reshape(length, -1).T


@pack_texts.mistake(
    "Your code has rows and length swapped: the result should have `length` columns. Use `view(rows, length)`."
)
def swapped_sizes(texts, end, length):
    rows = packing.pack_texts(texts, end, length)
    return rows.reshape(length, -1)


@pack_texts.mistake(
    "Your rows overlap by one id. Each id belongs to one row only: a row begins where the one before it ended."
)
def overlapping(texts, end, length):
    stream = torch.tensor([i for text in texts for i in (*text, end)])
    return stream.unfold(0, length, length - 1) if length > 1 else stream.view(-1, 1)


@pack_texts.mistake(
    "Your code puts one end token after all texts. Each text needs its own, or a model cannot tell where it ended."
)
def one_end(texts, end, length):
    return rows_of([*(i for text in texts for i in text), end], length)


@pack_texts.mistake(
    "Where the ids fill the last row exactly, your result has no rows, as with a slice up to `-0`, which is empty. "
    "Where nothing is left over, keep all ids."
)
def nothing_where_nothing_is_left_over(texts, end, length):
    ids = [i for text in texts for i in (*text, end)]
    return rows_of(ids if len(ids) % length else [], length)


@pack_texts.mistake("Your code uses the first text only. Write all texts one after another.")
def first_text_only(texts, end, length):
    return rows_of([*texts[0], end], length)


@pack_texts.mistake(
    "Your rows overlap: each begins one id after the row before. The next row begins where the last one ended."
)
def overlapping_rows(texts, end, length):
    stream = torch.tensor([i for text in texts for i in (*text, end)])
    return stream.unfold(0, length, 1) if len(stream) >= length else rows_of([], length)


@pack_texts.mistake(
    "Your rows are right, but your code puts `end` into the caller's texts. Leave them as they are, and build a list "
    "of your own: `stream += [*text, end]`."
)
def texts_grow(texts, end, length):
    rows = packing.pack_texts(texts, end, length)
    for text in texts:
        text.append(end)
    return rows


@pack_texts.mistake(
    "Your code has two mistakes. It fills up the last row, but what does not fill a row is left out; and it puts `end` "
    "into the caller's texts: leave them as they are, and build a list of your own."
)
def texts_grow_and_last_row_filled_up(texts, end, length):
    rows = last_row_filled_up(texts, end, length)
    texts_grow(texts, end, length)
    return rows


@pack_texts.mistake(
    "Your code has two mistakes. Where the ids fill the last row exactly, your result lacks that row; and your code "
    "puts `end` into the caller's texts: leave them as they are, and build a list of your own."
)
def texts_grow_and_last_row_lost(texts, end, length):
    rows = between_texts(texts, end, length)
    texts_grow(texts, end, length)
    return rows


@pack_texts.right_for_whole_course
def by_chunks_of_a_list(texts, end, length):
    stream = []
    for text in texts:
        stream += [*text, end]
    starts = range(0, len(stream) - length + 1, length)
    return torch.tensor([stream[start : start + length] for start in starts])


@pack_texts.right
def by_unfold(texts, end, length):
    return torch.cat([torch.tensor([*text, end]) for text in texts]).unfold(0, length, length)
