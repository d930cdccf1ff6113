"""The exercise `LearnedPositions` of notebook 04."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.exercises.weights.class_checks import explain_class, judge_class
from course_lib.exercises.weights.fixed_weights import ClassWithWeights, ModuleWithFixedWeights, with_fixed_weights
from course_lib.exercises.weights.initialisation import start_of_table
from course_lib.exercises.weights.registration import untrained_weights
from course_lib.exercises.weights.weights_in_use import as_call, names_of_its_own
from course_lib.transformer import positions


class TableOfPositions(ClassWithWeights):
    """A class that is only a table. Its rows may be in one tensor, transposed or not, or each in one of its own."""

    def make_with_fixed_weights(
        self, answer: Any, sizes: Sequence[Any], dtype: torch.dtype = torch.float32
    ) -> ModuleWithFixedWeights:
        """Make an instance, with fixed numbers in its table, row by row."""
        max_length, d_model = sizes
        with torch.random.fork_rng([]):
            module = self.make(answer, sizes)
            untrained = untrained_weights(module, lambda: self.make(answer, sizes, seed=1))
        weights = [*(each for each in module.parameters() if each.requires_grad), *(each.tensor for each in untrained)]
        numbers = fixed_tensor(1 + sum(each.numel() for each in weights), seed=5) / 3
        with torch.no_grad():
            for weight in weights:
                values, numbers = numbers[: weight.numel()], numbers[weight.numel() :]
                is_transposed = weight.shape == (d_model, max_length) and d_model != max_length
                weight.copy_(values.view(max_length, d_model).T if is_transposed else values.view(weight.shape))
        return ModuleWithFixedWeights(module.to(dtype).eval(), [], list(module.parameters()), untrained)


LEARNED = TableOfPositions(
    reference=positions.LearnedPositions,
    inputs=lambda max_length, d_model: (fixed_tensor(2, max_length, d_model),),
    sizes=(5, 4),
    wide=(64, 32),
    block=4,
    d_model=1,
)


def longer_than_the_table(learned: ClassWithWeights, answer: Any) -> str:
    """Say what a class does with more tokens than its table has rows; "" if that raises an error."""
    max_length, d_model = learned.sizes
    x = fixed_tensor(1, max_length + 2, d_model)
    module = learned.make_with_fixed_weights(answer, learned.sizes).module
    try:
        output = learned.outputs(module, (x,))[0]
    except Exception:
        return ""
    accepts = f"Built as `{as_call(learned, learned.sizes)}`, your class accepts a text of {max_length + 2} tokens"
    no_row = f"The table has no row beyond position {max_length - 1}, so a longer text should end in an error."
    if output.shape != x.shape:
        return f"{accepts} and returns {output.size(1)}. {no_row}"
    added = (output - x)[0]
    same = [t for t in range(max_length) if torch.allclose(added[max_length], added[t], atol=1e-5)]
    what = f" and adds the vector of position {same[0]} again at position {max_length}" if same else ""
    return f"{accepts}{what}. {no_row}"


def explain_positions(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Say that a row of an `nn.Embedding` is never trained, if that is so; else what `explain_class` says."""
    max_length, d_model, *_ = arguments
    with suppress(Exception):  # what the class raises is described elsewhere
        for name, module in LEARNED.make(answer, (max_length, d_model)).named_modules():
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                return (
                    f"`self.{name}` has a `padding_idx`, so its row {module.padding_idx} gets no gradient and is never "
                    "trained. Leave that out: the vector of every position is learned."
                )
    return explain_class(LEARNED)(answer, arguments)


learned_positions = Exercise(
    reference=positions.LearnedPositions,
    notebook=4,
    order=30,
    minutes=5,
    difficulty=1,
    on_map="positions",
    trained=True,
    adapt=with_fixed_weights(LEARNED),
    further_check=judge_class(LEARNED, longer_than_the_table, start=start_of_table),
    explain=explain_positions,
    remark=names_of_its_own(LEARNED),
    returns=(
        Result("the tokens", "B, T, d_model"),
        Result("the gradients of the numbers in your table"),
    ),
    example=case(5, 4, fixed_tensor(1, 3, 4)),
    another=case(5, 4, fixed_tensor(1, 3, 4, seed=1)),
    cases=(
        case(7, 3, fixed_tensor(2, 4, 3), having=("a batch",)),
        case(5, 4, fixed_tensor(3, 3, 4), having=("as many sentences as tokens", "a batch")),
        case(5, 4, fixed_tensor(2, 5, 4), having=("as many tokens as fit", "a batch")),
        case(5, 4, fixed_tensor(2, 1, 4), having=("a single token", "a batch")),
    ),
    hints=(
        (
            "In `__init__` make a table with a row for each of the `max_length` positions. In `forward` decide which "
            "of its rows a text of T tokens needs."
        ),
        (
            "So that the table is learned, wrap a tensor (max_length, d_model) in `nn.Parameter`, or take an "
            "`nn.Embedding` and look up the positions 0, 1, 2 and so on."
        ),
        (
            "A text of T tokens takes the first T rows, where T is `x.size(1)`. They are (T, d_model), and broadcast "
            "over the batch when you add them to x (B, T, d_model)."
        ),
    ),
)


learned_positions.patch(
    "Your table is a plain tensor, so it is never learned. Wrap it in `nn.Parameter`, or use `nn.Embedding`.",
    replace="nn.Parameter(torch.randn(max_length, d_model) * 0.02)",
    by="torch.randn(max_length, d_model) * 0.02",
)


@learned_positions.mistake(
    "Your class learns a single vector, and adds it at every position. Learn a table with a row for each position, "
    "(max_length, d_model)."
)
class OneVector(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.vector = nn.Parameter(torch.randn(d_model) * 0.02)

    def forward(self, x):
        return x + self.vector


learned_positions.patch(
    "Your code adds the last rows of the table. The first token is at position 0 and gets the first row.",
    replace="self.table[: x.size(1)]",
    by="self.table[-x.size(1) :]",
)

learned_positions.patch(
    "Your code adds all rows of the table, also those of positions that the text does not have. Take the first T rows, "
    "where T is `x.size(1)`.",
    replace="self.table[: x.size(1)]",
    by="self.table",
)

learned_positions.patch(
    "Your code adds row T − 1 to all tokens. Take the first T rows, `[:T]`, so that each position gets its own.",
    replace="self.table[: x.size(1)]",
    by="self.table[x.size(1) - 1]",
)

learned_positions.patch(
    "Your positions run along the batch: each sentence gets one position for all its tokens. Let them run along the "
    "tokens, axis 1.",
    replace="self.table[: x.size(1)]",
    by="self.table[: x.size(0), None]",
)

learned_positions.patch(
    "Your code multiplies by the positions. Add them.",
    replace="x + (self.table",
    by="x * (self.table",
)

learned_positions.patch(
    "Your positions run backwards. The first token gets the first row of the table, the second token the second.",
    replace="self.table[: x.size(1)]",
    by="self.table[: x.size(1)].flip(0)",
)


learned_positions.patch(
    "Your code returns the positions only. Add them to `x`.",
    replace="x + (self.table[: x.size(1)]",
    by="0 * x + (self.table[: x.size(1)]",
)

learned_positions.patch(
    "Your code takes as many rows as there are sentences, `x.size(0)`. Take as many as there are tokens, `x.size(1)`.",
    replace="self.table[: x.size(1)]",
    by="self.table[: x.size(0)]",
    seen="https://github.com/KasperGroesLudvigsen/influenza_transformer/issues/9",
)

learned_positions.patch(
    "Your code also multiplies the tokens by √d_model. Here, add the positions to the tokens as they are.",
    replace="x + (self.table[: x.size(1)]",
    by="x * x.size(-1) ** 0.5 + (self.table[: x.size(1)]",
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
