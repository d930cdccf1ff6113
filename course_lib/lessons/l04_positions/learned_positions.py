"""The exercise `LearnedPositions` of notebook 04."""

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.fixed_weights import with_fixed_weights
from course_lib.transformer import positions

learned_positions = Exercise(
    reference=positions.LearnedPositions,
    notebook=4,
    order=30,
    minutes=5,
    difficulty=1,
    on_map="positions",
    trained=True,
    adapt=with_fixed_weights(constructor_arguments=2, block=8),
    returns=(
        Result("the tokens", "B, T, d_model"),
        Result("the count of numbers in your table"),
    ),
    example=case(5, 4, fixed_tensor(1, 3, 4)),
    another=case(5, 4, fixed_tensor(1, 3, 4, seed=1)),
    cases=(
        case(7, 3, fixed_tensor(2, 4, 3), having=("a batch",)),
        case(5, 4, fixed_tensor(3, 3, 4), having=("as many sentences as tokens",)),
        case(5, 4, fixed_tensor(2, 5, 4), having=("as many tokens as fit",)),
        case(5, 4, fixed_tensor(2, 1, 4), having=("a single token",)),
    ),
    hints=(
        (
            "A table with `max_length` rows, one vector for each position. In `forward`, the rows for the positions "
            "that there are."
        ),
        (
            "`nn.Parameter(torch.randn(max_length, d_model))`, or an `nn.Embedding(max_length, d_model)` asked for 0, "
            "1, 2 …"
        ),
        (
            "A text of T tokens takes the first T rows. They are (T, d_model), and add to x (B, T, d_model) by "
            "themselves."
        ),
    ),
)


learned_positions.patch(
    "Your table is a plain tensor, so nothing learns it: wrap it in `nn.Parameter`, or take `nn.Embedding`.",
    replace="nn.Parameter(torch.randn(max_length, d_model) * 0.02)",
    by="torch.randn(max_length, d_model) * 0.02",
)

learned_positions.patch(
    "You add the last rows of the table. The first token stands at position 0, the first row.",
    replace="self.table[: x.size(1)]",
    by="self.table[-x.size(1) :]",
)

learned_positions.patch(
    "All tokens get the same vector in yours. Each position has its own row.",
    replace="self.table[: x.size(1)]",
    by="self.table[x.size(1) - 1]",
)

learned_positions.patch(
    "Your positions run along the batch. They run along the tokens, axis 1.",
    replace="self.table[: x.size(1)]",
    by="self.table[: x.size(0), None]",
)

learned_positions.patch(
    "You multiplied. Positions are added.",
    replace="x + (self.table",
    by="x * (self.table",
)

learned_positions.patch(
    "Your positions run backwards: the first token gets the first row, the second the second.",
    replace="self.table[: x.size(1)]",
    by="self.table[: x.size(1)].flip(0)",
)


@learned_positions.right_for_whole_course
class PositionsAsEmbedding(nn.Module):
    def __init__(self, block_size, width):
        super().__init__()
        self.wpe = nn.Embedding(block_size, width)

    def forward(self, x):
        return x + self.wpe(torch.arange(x.shape[1], device=x.device))


@learned_positions.right
class PositionsWithABatchAxis(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.pos = nn.Embedding(max_length, d_model)

    def forward(self, x):
        B, T, _ = x.shape
        return self.pos(torch.arange(T).expand(B, T)) + x


@learned_positions.right
class PositionsOfABatch(nn.Module):
    """The table has a batch axis of length 1, as in ViT."""

    def __init__(self, max_length, d_model):
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, max_length, d_model) * 0.02)

    def forward(self, x):
        return x + self.pos_embed[:, : x.size(1)]
