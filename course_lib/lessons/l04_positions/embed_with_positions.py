"""The exercise `embed_with_positions` of notebook 04."""

import math

import torch
import torch.nn.functional as F

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import positions
from course_lib.transformer.positions import sinusoidal

TABLE = fixed_tensor(6, 4, seed=4) / 4

embed_with_positions = Exercise(
    reference=positions.embed_with_positions,
    notebook=4,
    order=20,
    minutes=10,
    difficulty=1,
    on_map="positions",
    trained=True,
    returns=(Result("the tokens", "B, T, d_model"),),
    example=case(torch.tensor([[2, 5, 2]]), TABLE),
    another=case(torch.tensor([[4, 1, 3]]), fixed_tensor(6, 4, seed=5)),
    cases=(
        case(torch.tensor([[1, 2], [3, 4], [5, 5]]), TABLE, having=("a batch",)),
        case(torch.tensor([[1, 2, 0], [3, 4, 0], [5, 5, 5]]), TABLE, having=("as many sentences as tokens",)),
        case(torch.tensor([[3]]), fixed_tensor(4, 6), having=("a single token",)),
        case(torch.tensor([[1, 1, 1, 1]]), fixed_tensor(2, 8), having=("the same token again and again",)),
    ),
    hints=(
        "Three steps: look the tokens up, multiply by √d_model, add the positions.",
        "`table[ids]` looks all tokens up at once. How many positions does a batch of ids (B, T) need?",
        "`sinusoidal` with T and d_model gives (T, d_model), which adds to each of the B sentences by itself.",
    ),
)


@embed_with_positions.mistake(
    "The embeddings are not scaled: they are multiplied by √d_model before the positions are added."
)
def not_scaled(ids, table):
    return table[ids] + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "You scaled the sum. Only the embeddings are multiplied by √d_model, the positions are added as they are."
)
def all_scaled(ids, table):
    return (table[ids] + sinusoidal(ids.size(1), table.size(1))) * math.sqrt(table.size(1))


@embed_with_positions.mistake(
    "Your positions run along the batch: each sentence gets one position, all its words the same. They run along the "
    "tokens, axis 1.",
    seen="https://github.com/pytorch/tutorials/issues/719",
)
def by_sentence(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(ids.size(0), table.size(1))[:, None]


@embed_with_positions.mistake(
    "You looked the positions up by the token's id. A position says where a token stands, not which one it is."
)
def by_identity(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(int(ids.max()) + 1, table.size(1))[ids]


@embed_with_positions.mistake(
    "You divided by √d_model. Embeddings begin small, so they are made larger: times √d_model."
)
def divided(ids, table):
    return table[ids] / math.sqrt(table.size(1)) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake("You multiplied by d_model. It is its root, √d_model.")
def times_the_width(ids, table):
    return table[ids] * table.size(1) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake("You put the positions beside the embeddings, twice as wide. They are added.")
def put_side_by_side(ids, table):
    positions = sinusoidal(ids.size(1), table.size(1)).expand(len(ids), -1, -1)
    return torch.cat((table[ids] * math.sqrt(table.size(1)), positions), dim=-1)


@embed_with_positions.mistake("The positions are missing: add `sinusoidal(T, d_model)`.")
def no_positions(ids, table):
    return table[ids] * math.sqrt(table.size(1))


@embed_with_positions.right_for_whole_course
def by_functional_embedding(ids, table):
    x = F.embedding(ids, table) * len(table[0]) ** 0.5
    return torch.add(x, sinusoidal(x.size(1), x.size(2)).unsqueeze(0))


@embed_with_positions.right
def embedded_word_by_word(ids, table):
    positions = sinusoidal(ids.shape[1], table.shape[1])
    rows = [[math.sqrt(table.shape[1]) * table[i] + positions[t] for t, i in enumerate(row)] for row in ids.tolist()]
    return torch.stack([torch.stack(row) for row in rows])


@embed_with_positions.right
def embedded_by_a_product(ids, table):
    one_hot = F.one_hot(ids, len(table)).to(table.dtype)
    x = torch.einsum("btv,vd->btd", one_hot, table * len(table[0]) ** 0.5)
    return torch.add(x, sinusoidal(x.size(1), x.size(2)).unsqueeze(0))
