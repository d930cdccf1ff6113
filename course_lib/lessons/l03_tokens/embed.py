"""The exercise `embed` of notebook 03."""

import math
from typing import Any

import torch
import torch.nn.functional as F

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import positions

TABLE = fixed_tensor(6, 3, seed=2)


def beyond_the_table(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say which row an answer takes for an id that the table has no row for; "" if it takes none."""
    _, table = arguments
    beyond = len(table)
    try:
        vector = call_directly(answer)(torch.tensor([[beyond]]), table).reshape(-1)
    except Exception:
        return ""
    rows = [row for row in range(beyond) if torch.equal(vector, table[row])]
    if not rows:
        return ""
    return (
        f"Your code takes row {rows[0]} for the id {beyond}, but a table of {beyond} rows ends with row {beyond - 1}. "
        f"The id {beyond} should end in an error, as `table[ids]` does."
    )


embed = Exercise(
    reference=positions.embed,
    notebook=3,
    order=60,
    minutes=5,
    difficulty=1,
    on_map="target_embedding",
    trained=True,
    later_in_float64="compares it with a matrix product",
    further_check=beyond_the_table,
    returns=(Result("the vectors", "B, T, d_model"),),
    example=case(torch.tensor([[4, 0, 4]]), TABLE),
    another=case(torch.tensor([[2, 1, 5]]), TABLE),
    cases=(
        case(torch.tensor([[1, 2], [3, 4], [5, 5]]), TABLE, having=("a batch",)),
        case(
            torch.tensor([[2, 0], [1, 1], [0, 2]]),
            fixed_tensor(3, 5),
            having=("a batch", "more features than words"),
        ),
        case(torch.tensor([[1, 0]]), fixed_tensor(2, 3, seed=1), having=("more features than words",)),
        case(torch.tensor([[3]]), fixed_tensor(4, 2), having=("a single token",)),
        case(torch.tensor([[0, 1, 2]]), fixed_tensor(3, 3), having=("as many features as words",)),
        case(torch.tensor([[1, 3, 2]]), fixed_tensor(3, 5).T, having=("a table that is a view of another",)),
        case(torch.tensor([[1, 0]]), fixed_tensor(3, 2, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        (
            "Do it by hand for one id first: which part of the table belongs to token 4? Then for a whole batch no "
            "loop is needed."
        ),
        "PyTorch accepts a tensor of integers as an index, and replaces each integer by the row with that number.",
        (
            "Put square brackets behind the table, with the ids as the index of its first axis. The shape (B, T) "
            "becomes (B, T, d_model)."
        ),
    ),
)


@embed.mistake(
    "Your vectors are made of columns of the table. A token's vector is a row of the table (V, d_model): index the "
    "first axis."
)
def columns(ids, table):
    return table[:, ids]


@embed.mistake(
    "Your vectors are columns of the table. A token's vector is a row of the table (V, d_model): index the first axis, "
    "without a transpose."
)
def rows_of_the_transposed_table(ids, table):
    return table.T[ids]


@embed.mistake(
    "Your result has the right numbers, but in the order (d_model, B, T), as after `table.T[:, ids]`, and reshaped to "
    "(B, T, d_model). A reshape moves no number: index the first axis of the table, without a transpose."
)
def features_first_reshaped(ids, table):
    return table.T[:, ids].reshape(*ids.shape, -1)


@embed.mistake(
    "Your vectors are also scaled by √d_model. That comes in the next notebook, together with the positions: here "
    "return the rows as they are."
)
def made_longer(ids, table):
    return table[ids] * math.sqrt(table.size(1))


@embed.mistake("Your vectors are those of the next row. Ids count from 0, and token 0 has row 0.")
def next_row(ids, table):
    return table[(ids + 1) % len(table)]


@embed.mistake("Your vectors are those of the row before. Ids count from 0, and token 0 has row 0.")
def row_before(ids, table):
    return table[ids - 1]


@embed.mistake(
    "Your code uses the positions of the tokens as row numbers, and not their ids. Look up the rows that `ids` names."
)
def positions_for_ids(ids, table):
    return table[torch.arange(ids.size(1))].expand(len(ids), -1, -1)


@embed.mistake(
    "Your code numbers the different ids in `ids` from 0 and looks up these numbers. The id itself is the number of "
    "the row: `table[ids]`."
)
def numbered_among_the_different(ids, table):
    return table[ids.unique(return_inverse=True)[1]]


@embed.mistake(
    "Your function is right for one sentence. In a batch it mixes the sentences: the vectors are in the order (T, B, "
    "d_model), as `torch.stack` of one token after the other puts them, but are reshaped as if the sentences came "
    "first. Exchange the two axes with `transpose`: a reshape moves no number."
)
def sentences_mixed(ids, table):
    vectors = table[ids]
    return vectors.transpose(0, 1).reshape(vectors.shape)


@embed.mistake("Your code averages the vectors of a sentence. Each token keeps its own vector.")
def averaged(ids, table):
    return table[ids].mean(1)


@embed.mistake("Your code adds up the vectors of a sentence. Each token keeps its own vector.")
def added_up(ids, table):
    return table[ids].sum(1)


@embed.mistake(
    "Your code looks up the first sentence only, without the axis of the batch. Look up all ids at once: (B, T) "
    "becomes (B, T, d_model)."
)
def first_sentence(ids, table):
    return table[ids[0]]


@embed.mistake("Your code puts all sentences into one long row. Keep the batch: (B, T) becomes (B, T, d_model).")
def without_the_batch(ids, table):
    return table[ids.flatten()]


@embed.mistake("Your code swaps tokens and features at the end. Each token is a row of the result: (B, T, d_model).")
def features_before_tokens(ids, table):
    return table[ids].mT


@embed.mistake(
    "Your result has the vector of each different token once, in the order of ids. Every position gets the vector of "
    "its token, as often as the token occurs."
)
def each_once(ids, table):
    return table[torch.unique(ids)].unsqueeze(0)


@embed.mistake("Your code gives token 0 a vector of zeros. Here token 0 is a token like any other, and has row 0.")
def zeros_for_token_0(ids, table):
    return table[ids] * (ids != 0).unsqueeze(-1)


@embed.mistake("Your vectors all have length 1. Return the rows of the table as they are.")
def length_1(ids, table):
    return F.normalize(table[ids], dim=-1)


@embed.mistake(
    "Your vectors are one-hot, as long as the vocabulary. Multiply them by the table, or look the rows up directly."
)
def as_marks(ids, table):
    return F.one_hot(ids, len(table)).to(table.dtype)


@embed.mistake(
    "Your code multiplies the ids by the table. An id is a name and not a quantity: it says which row of the table to "
    "take, so use the ids as an index."
)
def ids_as_quantities(ids, table):
    return ids @ table


@embed.right_for_whole_course
def by_one_hot(ids, table):
    return F.one_hot(ids, table.shape[0]).to(table) @ table


embed.right(lambda ids, table: F.embedding(ids, table))


@embed.right
def embedded_in_loops(ids, table):
    return torch.stack([torch.stack([table[i] for i in row]) for row in ids.tolist()])


@embed.right
def embedded_by_index_select(ids, table):
    return table.index_select(0, ids.flatten()).reshape(*ids.shape, -1)


@embed.right
def embedded_by_gather(ids, table):
    index = ids.unsqueeze(-1).expand(-1, -1, table.size(1))
    return table.expand(len(ids), -1, -1).gather(1, index)
