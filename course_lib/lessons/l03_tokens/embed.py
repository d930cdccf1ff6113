"""The exercise `embed` of notebook 03."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import positions

TABLE = fixed_tensor(6, 3, seed=2)

embed = Exercise(
    reference=positions.embed,
    notebook=3,
    order=60,
    minutes=5,
    difficulty=1,
    on_map="target_embedding",
    trained=True,
    returns=(Result("the vectors", "B, T, d_model"),),
    example=case(torch.tensor([[4, 0, 4]]), TABLE),
    another=case(torch.tensor([[2, 1, 5]]), TABLE),
    cases=(
        case(torch.tensor([[1, 2], [3, 4], [5, 5]]), TABLE, having=("a batch",)),
        case(torch.tensor([[3]]), fixed_tensor(4, 2), having=("a single token",)),
        case(torch.tensor([[0, 1, 2]]), fixed_tensor(3, 3), having=("as many features as words",)),
        case(torch.tensor([[1, 3, 2]]), fixed_tensor(3, 5).T, having=("a table that is a view of another",)),
        case(torch.tensor([[1, 0]]), fixed_tensor(3, 2, dtype=torch.float64), having=("float64 numbers",)),
    ),
    hints=(
        "Row 4 of the table is the vector of token 4. For a whole batch of ids there is a shorter way than a loop.",
        "torch takes a tensor of integers as an index: each integer is replaced by the row that it names.",
        "Square brackets behind the table, and the ids between them. The shape (B, T) becomes (B, T, d_model).",
    ),
)


@embed.mistake("You look up columns. A token's vector is a row of the table, (V, d_model).")
def columns(ids, table):
    return table.T[ids % table.size(1)]


@embed.mistake(
    "You scaled the vectors by √d_model. That comes in the next notebook, together with the positions: here, the rows "
    "as they are."
)
def made_longer(ids, table):
    return table[ids] * math.sqrt(table.size(1))


@embed.mistake("You look up the row after: ids count from 0, and token 0 has row 0.")
def next_row(ids, table):
    return table[(ids + 1) % len(table)]


@embed.mistake("You averaged the vectors of the text. Each token keeps its own.")
def averaged(ids, table):
    return table[ids].mean(1)


@embed.mistake(
    "You look up each different token once, in the order of ids. Every position of the text gets its token's vector, "
    "as often as it comes."
)
def each_once(ids, table):
    return table[torch.unique(ids)].unsqueeze(0)


@embed.mistake(
    "Those are one-hot vectors, as long as the vocabulary. Multiply them by the table, or look the rows up at once."
)
def as_marks(ids, table):
    return torch.nn.functional.one_hot(ids, len(table)).to(table.dtype)


@embed.right_for_whole_course
def by_one_hot(ids, table):
    return F.one_hot(ids, table.shape[0]).to(table) @ table


embed.right(lambda ids, table: F.embedding(ids, table))


@embed.right
def embedded_in_loops(ids, table):
    return torch.stack([torch.stack([table[i] for i in row]) for row in ids.tolist()])
