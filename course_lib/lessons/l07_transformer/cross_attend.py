"""The exercise `cross_attend` of notebook 07."""

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l07_transformer.inputs import target_and_memory
from course_lib.transformer import layers


class PlainAttention(nn.Module):
    """Attention of one head without learned weights, in place of a `MultiHeadAttention`."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let queries (B, T, d_model) read keys and values (B, S, d_model): the output (B, T, d_model)."""
        scores = (query @ key.mT).unsqueeze(1)  # (B, 1, T, S)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return scores.squeeze(1).softmax(-1) @ value


plain_attention = PlainAttention()


cross_attend = Exercise(
    reference=layers.cross_attend,
    notebook=7,
    order=10,
    minutes=3,
    difficulty=1,
    on_map="cross_attention",
    trained=True,
    returns=(Result("the output", "B, T, d_model"),),
    example=case(plain_attention, *target_and_memory(1, 3, 2)),
    another=case(plain_attention, *target_and_memory(1, 3, 2, seed=3)),
    cases=(
        case(plain_attention, *target_and_memory(2, 3, 3), having=("as many target tokens as source tokens",)),
        case(
            plain_attention,
            *target_and_memory(2, 3, 2),
            mask=torch.tensor([[[[True, False]]], [[[True, True]]]]),
            having=("a mask",),
        ),
        case(
            plain_attention,
            *target_and_memory(1, 4, 4),
            mask=torch.tensor([[[[True, True, False, False]]]]),
            having=("a mask", "as many target tokens as source tokens"),
        ),
        case(
            plain_attention,
            *target_and_memory(2, 1, 1),
            having=("one token on each side", "as many target tokens as source tokens"),
        ),
        case(plain_attention, *(tensor.double() for tensor in target_and_memory(1, 3, 2)), having=("float64 numbers",)),
    ),
    hints=(
        "The French word being written asks, and the English sentence is asked. Which of the two is x?",
        (
            "`attention` takes query, key, value and mask, in this order. Its output has as many rows as the query, "
            "and the result should be (B, T, d_model)."
        ),
        "`attention(x, …)`: keys and values have the same source, and the mask is about the words that are looked at.",
    ),
)


@cross_attend.mistake(
    "Your queries come from the memory, and your keys and values from the target. It should be the other way round: "
    "the target x asks, and keys and values come from the memory.",
    seen="https://github.com/rexrex9/nlp_torchtext/issues/2",
)
def memory_asks(attention, x, memory, memory_mask=None):
    return attention(memory, x, x)


@cross_attend.mistake(
    "Your keys come from the memory, but your values from the target. The values should come from the memory too."
)
def values_from_the_target(attention, x, memory, memory_mask=None):
    return attention(x, memory, x[:, : memory.size(1)], memory_mask)


@cross_attend.mistake(
    "Your values come from the memory, but your keys from the target. The keys should come from the memory too."
)
def keys_from_the_target(attention, x, memory, memory_mask=None):
    return attention(x, x[:, : memory.size(1)], memory, memory_mask)


@cross_attend.mistake(
    "Your code computes self-attention: the target reads itself, and never the source. Keys and values should come "
    "from the memory."
)
def reads_itself(attention, x, memory, memory_mask=None):
    return attention(x, x, x)


@cross_attend.mistake(
    "Your code lets the memory read itself, as in the encoder. The queries should come from the target x."
)
def memory_reads_itself(attention, x, memory, memory_mask=None):
    return attention(memory, memory, memory, memory_mask)


@cross_attend.mistake(
    "Your code does not pass the mask on, so the source's padding is read. Pass `memory_mask` as the fourth argument.",
    seen="https://github.com/NVIDIA/FasterTransformer/issues/270",
)
def blind_to_padding(attention, x, memory, memory_mask=None):
    return attention(x, memory, memory)


@cross_attend.mistake("Your code adds x to the result. The residual connection is added later, in the decoder layer.")
def with_a_residual(attention, x, memory, memory_mask=None):
    return x + attention(x, memory, memory, memory_mask)


@cross_attend.mistake(
    "Your mask works the wrong way round: the words are hidden and the padding is read. The mask is True for what may "
    "be read: pass it on as it is."
)
def mask_inverted(attention, x, memory, memory_mask=None):
    return attention(x, memory, memory, None if memory_mask is None else ~memory_mask)


@cross_attend.mistake(
    "Your keys and values come from the memory and the target together. Cross-attention reads the memory "
    "only, and self-attention reads the target.",
    seen="https://github.com/lucidrains/reformer-pytorch/issues/90",
)
def reads_both(attention, x, memory, memory_mask=None):
    both = torch.cat((memory, x), dim=1)
    if memory_mask is not None:
        open_to_x = memory_mask.new_ones(*memory_mask.shape[:-1], x.size(1))
        memory_mask = torch.cat((memory_mask, open_to_x), dim=-1)
    return attention(x, both, both, memory_mask)


@cross_attend.mistake(
    "Your code adds a vector of the memory to the result. Return what the attention returns, and nothing else.",
    seen="https://github.com/georgepar/slp/issues/26",
)
def memory_added(attention, x, memory, memory_mask=None):
    output = attention(x, memory, memory, memory_mask)
    return output + memory[:, -1:]


@cross_attend.mistake(
    "Your code returns what the memory read from the target, cut or repeated to the target's length. The target x "
    "should ask, so that the result has its length by itself."
)
def cut_to_length(attention, x, memory, memory_mask=None):
    rows = torch.arange(x.size(1)) % memory.size(1)
    return attention(memory, x, x)[:, rows]


@cross_attend.right_for_whole_course
def with_other_names(attend, target, source, mask=None):
    return attend(target, source, source, mask)


@cross_attend.right
def cross_attend_by_name(attend, target, source, mask=None):
    if mask is None:
        return attend(query=target, key=source, value=source)
    return attend(query=target, key=source, value=source, mask=mask)


@cross_attend.right
def by_the_method(attention, x, memory, memory_mask=None):
    inputs = {"query": x, "key": memory, "value": memory, "mask": memory_mask}
    return attention.forward(**inputs)
