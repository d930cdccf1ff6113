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
        case(torch.tensor([[1, 2, 0], [3, 4, 0], [5, 5, 5]]), TABLE, having=("as many sentences as tokens", "a batch")),
        case(
            torch.tensor([[1, 2, 0, 5, 4], [3, 4, 0, 1, 1]]),
            fixed_tensor(7, 6),
            having=("a batch",),
        ),
        case(torch.arange(1100)[None] % 6, TABLE, having=("more than a thousand tokens",)),
        case(torch.tensor([[3]]), fixed_tensor(4, 6), having=("a single token",)),
        case(torch.tensor([[1, 1, 1, 1]]), fixed_tensor(2, 8), having=("the same token again and again",)),
    ),
    hints=(
        (
            "Three steps: look up, scale, add. Write the shape beside each, and note that the positions are the same "
            "for every sentence."
        ),
        (
            "T is `ids.size(1)`, and d_model is the width of the table. Only the vectors that you looked up are "
            "scaled, not the positions."
        ),
        (
            "Your `sinusoidal` takes T and d_model and gives (T, d_model), which broadcasts over the B sentences when "
            "you add it. For the root use `math.sqrt`."
        ),
    ),
)


@embed_with_positions.mistake(
    "Tokens with the id 0 get no position in your code. Here id 0 is a token like any other: add the position's vector "
    "to every token."
)
def no_position_for_id_0(ids, table):
    x = table[ids] * math.sqrt(table.size(1))
    return x + sinusoidal(ids.size(1), table.size(1)) * (ids != 0).unsqueeze(-1)


@embed_with_positions.mistake(
    "The embeddings are not scaled. Multiply them by √d_model before you add the positions.",
    seen="https://github.com/SamLynnEvans/Transformer/issues/10",
)
def not_scaled(ids, table):
    return table[ids] + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "Your positions are multiplied by √d_model too. Multiply only the embeddings by it, and add the positions as they "
    "are."
)
def all_scaled(ids, table):
    return (table[ids] + sinusoidal(ids.size(1), table.size(1))) * math.sqrt(table.size(1))


@embed_with_positions.mistake(
    "Your code scales the positions. Multiply the embeddings by √d_model, and add the positions as they are."
)
def positions_scaled(ids, table):
    return table[ids] + sinusoidal(ids.size(1), table.size(1)) * math.sqrt(table.size(1))


@embed_with_positions.mistake(
    "Your embeddings are multiplied by √V, the square root of the number of rows. Multiply by √d_model, the width: "
    "`table.size(1)`."
)
def scaled_by_the_vocabulary(ids, table):
    return table[ids] * math.sqrt(len(table)) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "Your embeddings are multiplied by √T, the square root of the number of tokens. Multiply by √d_model, the width: "
    "`table.size(1)`."
)
def scaled_by_the_length(ids, table):
    return table[ids] * math.sqrt(ids.size(1)) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "Your embeddings are always multiplied by 2, the √d_model of the example. Take the width from the table: "
    "`math.sqrt(table.size(1))`."
)
def scale_written_into_the_code(ids, table):
    return table[ids] * 2 + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "Your positions run along the batch: each sentence gets one position for all its tokens. Let them run along the "
    "tokens, axis 1.",
    seen="https://github.com/pytorch/tutorials/issues/719",
)
def by_sentence(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(ids.size(0), table.size(1))[:, None]


@embed_with_positions.mistake(
    "Your code has as many positions as there are sentences, as `len(ids)` gives them. The number of tokens is "
    "`ids.size(1)`.",
    seen="https://github.com/KasperGroesLudvigsen/influenza_transformer/issues/9",
)
def as_many_positions_as_sentences(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(len(ids), table.size(1))


@embed_with_positions.mistake(
    "Your code has as many positions as the table has rows, V. A sentence of T tokens takes the first T positions, "
    "where T is `ids.size(1)`."
)
def as_many_positions_as_rows(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(len(table), table.size(1))


@embed_with_positions.mistake(
    "Each token's position is its id in your code. A position tells where a token is in its sentence, not which token "
    "it is."
)
def by_identity(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(int(ids.max()) + 1, table.size(1))[ids]


@embed_with_positions.mistake(
    "Your positions count on from one sentence to the next. Each sentence begins at position 0 again."
)
def positions_count_on(ids, table):
    x = table[ids] * math.sqrt(table.size(1))
    return x + sinusoidal(ids.numel(), table.size(1)).reshape(x.shape)


@embed_with_positions.mistake(
    "Your positions count from 1. They count from 0: the first token gets the first row of `sinusoidal`."
)
def positions_from_one(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(ids.size(1) + 1, table.size(1))[1:]


@embed_with_positions.mistake(
    "Your positions run backwards. The first token gets the first row of `sinusoidal`, the second token the second."
)
def positions_backwards(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(ids.size(1), table.size(1)).flip(0)


@embed_with_positions.mistake(
    "All your tokens get row T of the positions. Take the first T rows, `[:T]`, so that each token gets its own.",
    seen="https://github.com/DiffPoseTalk/DiffPoseTalk/issues/20",
)
def one_position_for_all(ids, table):
    return table[ids] * math.sqrt(table.size(1)) + sinusoidal(ids.size(1) + 1, table.size(1))[ids.size(1)]


@embed_with_positions.mistake(
    "Your embeddings are divided by √d_model. They start small, so multiply them by √d_model."
)
def divided(ids, table):
    return table[ids] / math.sqrt(table.size(1)) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake("Your embeddings are multiplied by d_model. Multiply by its square root, √d_model.")
def times_the_width(ids, table):
    return table[ids] * table.size(1) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake("Your code multiplies embeddings and positions. Add the positions.")
def positions_multiplied(ids, table):
    return table[ids] * math.sqrt(table.size(1)) * sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "Your code puts the positions beside the embeddings, which makes the tokens twice as wide. Add the positions."
)
def put_side_by_side(ids, table):
    positions = sinusoidal(ids.size(1), table.size(1)).expand(len(ids), -1, -1)
    return torch.cat((table[ids] * math.sqrt(table.size(1)), positions), dim=-1)


@embed_with_positions.mistake("The positions are missing. Add `sinusoidal(T, d_model)` to the scaled embeddings.")
def no_positions(ids, table):
    return table[ids] * math.sqrt(table.size(1))


@embed_with_positions.mistake("Your code returns the positions only. Add them to the scaled embeddings of the tokens.")
def positions_only(ids, table):
    return sinusoidal(ids.size(1), table.size(1)).expand(len(ids), -1, -1)


@embed_with_positions.mistake("Your code embeds the first sentence only. Look up all B sentences: `table[ids]`.")
def first_sentence_only(ids, table):
    return table[ids[:1]] * math.sqrt(table.size(1)) + sinusoidal(ids.size(1), table.size(1))


@embed_with_positions.mistake(
    "Your code only looks the tokens up. Multiply the vectors by √d_model, and add `sinusoidal(T, d_model)`."
)
def looked_up_only(ids, table):
    return table[ids]


@embed_with_positions.mistake(
    "Your embeddings are multiplied by half of d_model, as with `d_model ** 1/2`, where Python computes `** 1` first. "
    "Multiply by its square root: `math.sqrt(d_model)`, or `d_model ** 0.5`."
)
def power_without_brackets(ids, table):
    return table[ids] * table.size(1) / 2 + sinusoidal(ids.size(1), table.size(1))


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


@embed_with_positions.right
def embedded_from_a_scaled_table(ids, table):
    scaled = table * table.size(1) ** 0.5
    return scaled[ids] + sinusoidal(ids.size(1), table.size(1))[None]
