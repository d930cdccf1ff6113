"""The exercise `cross_attend` of notebook 07."""

import torch
from torch import Tensor

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l07_transformer.inputs import target_and_memory
from course_lib.transformer import layers


def plain_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention without learned weights, in place of a `MultiHeadAttention`."""
    scores = query @ key.mT
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ value


cross_attend = Exercise(
    reference=layers.cross_attend,
    notebook=7,
    order=10,
    minutes=5,
    difficulty=1,
    on_map="cross_attention",
    trained=True,
    returns=(Result("what the target read", "B, T, d_model"),),
    example=case(plain_attention, *target_and_memory(1, 3, 2)),
    another=case(plain_attention, *target_and_memory(1, 3, 2, seed=3)),
    cases=(
        case(plain_attention, *target_and_memory(2, 3, 3), having=("as many target tokens as source tokens",)),
        case(
            plain_attention,
            *target_and_memory(2, 3, 2),
            mask=torch.tensor([[[True, False]], [[True, True]]]),
            having=("a mask",),
        ),
        case(
            plain_attention,
            *target_and_memory(1, 4, 4),
            mask=torch.tensor([[[True, True, False, False]]]),
            having=("a mask",),
        ),
        case(plain_attention, *target_and_memory(2, 1, 1), having=("one token on each side",)),
        case(plain_attention, *(tensor.double() for tensor in target_and_memory(1, 3, 2)), having=("float64 numbers",)),
    ),
    hints=(
        "Who asks, and who is asked? The French word being written asks; the English sentence is asked.",
        "`attention` takes query, key, value and mask, in this order. What comes out has as many rows as the query.",
        "The query is x. What is looked up, and what is carried back, are the same: the memory, twice.",
    ),
)


@cross_attend.mistake(
    "Your questions come from the memory, and the target answers. The target asks; keys and values are the memory's.",
    seen="https://github.com/rexrex9/nlp_torchtext/issues/2",
)
def memory_asks(attention, x, memory, memory_mask=None):
    return attention(memory, x, x)


@cross_attend.mistake(
    "Your keys are the memory's, but your values the target's. What is carried over is the source: values from the "
    "memory too."
)
def values_from_the_target(attention, x, memory, memory_mask=None):
    return attention(x, memory, x[:, : memory.size(1)], memory_mask)


@cross_attend.mistake(
    "Your values are the memory's, but your keys the target's. Keys and values belong together: the memory's."
)
def keys_from_the_target(attention, x, memory, memory_mask=None):
    return attention(x, x[:, : memory.size(1)], memory, memory_mask)


@cross_attend.mistake(
    "That is self-attention: the target reads itself, and never hears of the source. Keys and values come from the "
    "memory."
)
def reads_itself(attention, x, memory, memory_mask=None):
    return attention(x, x, x)


@cross_attend.mistake("That is the encoder's own self-attention. The questions come from the target, x.")
def memory_reads_itself(attention, x, memory, memory_mask=None):
    return attention(memory, memory, memory, memory_mask)


@cross_attend.mistake(
    "The sides are right, but the mask is not passed on, so that the source's padding is read.",
    seen="https://github.com/NVIDIA/FasterTransformer/issues/270",
)
def blind_to_padding(attention, x, memory, memory_mask=None):
    return attention(x, memory, memory)


@cross_attend.mistake("You add x already here. The residual comes around it, in the layer.")
def with_a_residual(attention, x, memory, memory_mask=None):
    return x + attention(x, memory, memory, memory_mask)


@cross_attend.right_for_whole_course
def with_other_names(attend, target, source, mask=None):
    return attend(target, source, source, mask)


@cross_attend.right
def cross_attend_by_name(attend, target, source, mask=None):
    if mask is None:
        return attend(query=target, key=source, value=source)
    return attend(query=target, key=source, value=source, mask=mask)
