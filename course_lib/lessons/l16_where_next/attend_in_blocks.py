"""The exercise `attend_in_blocks` of notebook 16."""

import math
from typing import Any

import torch

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.allocations import Allocations
from course_lib.exercises.cases import Case, Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.transformer import attention, blocks
from course_lib.transformer.blocks import online_softmax_step


def blocked(T: int, S: int, d_k: int, d_v: int, block: int, seed: int = 0, having: tuple[str, ...] = ()) -> Case:
    """A case with queries (T, d_k), keys (S, d_k) and values (S, d_v)."""
    shapes = ((T, d_k), (S, d_k), (S, d_v))
    return case(*(fixed_tensor(*shape, seed=seed + i) for i, shape in enumerate(shapes)), block, having=having)


def table_of_scores(answer: Any, _arguments: tuple[Any, ...]) -> str:
    """Say that an answer holds more numbers at once than a block of scores and the inputs have; "" if it does not."""
    T, S, d, block = 64, 96, 4, 8
    inputs = (fixed_tensor(T, d), fixed_tensor(S, d, seed=1), fixed_tensor(S, d, seed=2))
    with torch.no_grad(), Allocations() as allocations:
        call_directly(answer)(*inputs, block)
    widest = S * (d + 1)  # values, and beside each the 1 with which a product adds up the weights too
    if allocations.largest > max(widest, 2 * block * block):
        return (
            f"Your output is right, but with {T} queries, {S} keys and blocks of {block}, your code holds a tensor of "
            f"{allocations.largest:,} numbers at once. Never hold more scores than block × block, here "
            f"{block * block}: {_what_to_cut(allocations, T, S)}"
        )
    rows = sum(count for shape, count in allocations.shapes.items() if S in shape and not {d, d + 1} & {*shape})
    if rows >= T:
        return (
            f"Your output is right, but with {S} keys and blocks of {block}, your code holds a query's scores for all "
            f"{S} keys at once. Go through the keys block by block, with your online softmax."
        )
    return ""


def _what_to_cut(allocations: Allocations, T: int, S: int) -> str:
    """What has to be taken block by block, by the shape of the largest tensor."""
    axes = {axis for shape in allocations.shapes if math.prod(shape) == allocations.largest for axis in shape}
    if (T in axes) == (S in axes):
        return "take a block of queries and a block of keys at a time."
    return f"take the {'queries' if T in axes else 'keys'} block by block, too."


def precision(answer: Any) -> str:
    """Say what the next cell finds of an answer that gives float32 where float64 numbers come in; "" if not."""
    inputs = (fixed_tensor(*shape, seed=9, dtype=torch.float64) for shape in ((3, 4), (5, 4), (5, 3)))
    if answer(*inputs, 2).dtype == torch.float64:
        return ""
    return "So the next cell finds a difference of more than 1e-12."


attend_in_blocks = Exercise(
    reference=blocks.attend_in_blocks,
    notebook=16,
    order=30,
    minutes=12,
    difficulty=3,
    further_check=table_of_scores,
    remark=precision,
    returns=(Result("the output", "T, d_v"),),
    example=blocked(2, 4, 2, 2, 2),
    another=blocked(2, 4, 2, 2, 2, seed=20),
    cases=(
        blocked(4, 4, 3, 2, 2, seed=1, having=("several blocks of queries",)),
        blocked(5, 7, 3, 2, 3, seed=2, having=("blocks that are not full", "several blocks of queries")),
        blocked(3, 4, 4, 5, 1, seed=3, having=("blocks of one", "several blocks of queries")),
        blocked(3, 4, 4, 5, 100, seed=4, having=("one block for all",)),
        case(
            fixed_tensor(3, 2) * 300,
            fixed_tensor(6, 2, seed=6),
            fixed_tensor(6, 3, seed=7),
            2,
            having=("huge scores", "several blocks of queries", "blocks that are not full"),
        ),
        case(
            50 * (1 + fixed_tensor(3, 2).abs()),
            -2 - fixed_tensor(6, 2, seed=8).abs(),
            fixed_tensor(6, 3, seed=7),
            2,
            having=("very low scores", "several blocks of queries", "blocks that are not full"),
        ),
        case(
            *(fixed_tensor(*shape, seed=9, dtype=torch.float64) for shape in ((3, 4), (5, 4), (5, 3))),
            2,
            having=("float64 numbers", "several blocks of queries", "blocks that are not full"),
        ),
    ),
    hints=(
        "Begin with a single block of queries. For each block of keys: scores, then a step of your online softmax.",
        (
            "Start each block of queries with a maximum of minus infinity, and zeros. After the last block of keys, "
            "divide the mixed values by the total."
        ),
        (
            "The scores of a block are `queries @ keys.mT * d_k**-0.5`, for `key[first : first + block]`. `torch.cat` "
            "puts the results of the blocks of queries together."
        ),
    ),
)


attend_in_blocks.patch(
    "Your scores have no scale: divide them by √d_k.",
    replace="query.size(-1) ** -0.5",
    by="1.0",
)
attend_in_blocks.patch(
    "Your mixed values are not divided by the total. Do so after the last block of keys.",
    replace="done.append(mixed / total)",
    by="done.append(mixed)",
)
attend_in_blocks.patch(
    "Your scores are divided by √d_v, the root of the width of a value. Divide by √d_k, the root of the width of a "
    "key.",
    replace="query.size(-1) ** -0.5",
    by="value.size(-1) ** -0.5",
)
attend_in_blocks.patch(
    "Your code leaves out the last block of keys if it is not full. Keys that are left over count too.",
    replace="range(0, key.size(-2), block)",
    by="range(0, max(key.size(-2) // block, 1) * block, block)",
)


attend_in_blocks.patch(
    "Your loop over the keys goes only as far as there are queries, as with `range(0, query.size(0), block)`. There "
    "may be more keys: `range(0, key.size(0), block)`.",
    replace="range(0, key.size(-2), block)",
    by="range(0, query.size(-2), block)",
)


@attend_in_blocks.mistake(
    "Your result is a sum of attention within each block of keys, in which each block counts fully. Use your online "
    "softmax for a softmax over all keys."
)
def softmax_in_each(query, key, value, block):
    starts = range(0, len(key), block)
    return sum(
        attention.scaled_dot_product_attention(query, key[i : i + block], value[i : i + block])[0] for i in starts
    )


@attend_in_blocks.mistake(
    "Your result is the mean of attention within each block of keys. A block with higher scores should count more: use "
    "your online softmax."
)
def mean_of_blocks(query, key, value, block):
    return softmax_in_each(query, key, value, block) / len(range(0, len(key), block))


@attend_in_blocks.mistake(
    "Your sums add up exponentials from which different maxima were subtracted, each that of its own block. Use your "
    "online softmax, which shrinks what was seen before where the maximum grows."
)
def maxima_of_their_own(query, key, value, block):
    total = mixed = 0.0
    for keys, values in zip(key.split(block), value.split(block), strict=True):
        scores = query @ keys.mT * query.size(-1) ** -0.5
        grown = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
        total, mixed = total + grown.sum(dim=-1, keepdim=True), mixed + grown @ values
    return mixed / total


@attend_in_blocks.mistake(
    "Where scores are huge, or far below 0, your result is NaN: no maximum is subtracted from the scores, so that "
    "exponentials overflow, or are all 0. Use your online softmax."
)
def no_maximum(query, key, value, block):
    total = mixed = 0.0
    for keys, values in zip(key.split(block), value.split(block), strict=True):
        grown = torch.exp(query @ keys.mT * query.size(-1) ** -0.5)
        total, mixed = total + grown.sum(dim=-1, keepdim=True), mixed + grown @ values
    return mixed / total


@attend_in_blocks.mistake(
    "Where a later block has a higher maximum, your code shrinks the total, but not the mixed values. Multiply both by "
    "exp(old maximum − new maximum), as your online softmax does."
)
def only_the_total_shrinks(query, key, value, block):
    scale = query.size(-1) ** -0.5
    maximum, total, mixed = torch.full((len(query), 1), -torch.inf), torch.zeros(len(query), 1), 0.0
    for keys, values in zip(key.split(block), value.split(block), strict=True):
        scores = query @ keys.mT * scale
        higher = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
        grown = torch.exp(scores - higher)
        total = total * torch.exp(maximum - higher) + grown.sum(dim=-1, keepdim=True)
        mixed = mixed + grown @ values
        maximum = higher
    return mixed / total


@attend_in_blocks.mistake(
    "Your mixed values are divided by the total after each block of keys. Divide once, after the last of them."
)
def divided_after_each(query, key, value, block):
    outputs = []
    for asking in query.split(block):
        maximum, mixed = torch.full((len(asking), 1), -torch.inf), torch.zeros(len(asking), value.size(-1))
        total = torch.zeros_like(maximum)
        for keys, values in zip(key.split(block), value.split(block), strict=True):
            scores = asking @ keys.mT * asking.size(-1) ** -0.5
            maximum, total, mixed = online_softmax_step(maximum, total, mixed, scores, values)
            mixed = mixed / total
        outputs.append(mixed)
    return torch.cat(outputs)


@attend_in_blocks.mistake("Your queries read the keys of one block only. Each query has to see all blocks of keys.")
def own_block_only(query, key, value, block):
    outputs = []
    for i in range(0, len(query), block):
        keys = slice(i, i + block) if i < len(key) else slice(0, block)
        outputs.append(attention.scaled_dot_product_attention(query[i : i + block], key[keys], value[keys])[0])
    return torch.cat(outputs)


@attend_in_blocks.mistake("Your code leaves out the last block of queries if it is not full.")
def last_queries_left_out(query, key, value, block):
    full = max(len(query) // block, 1) * block
    return blocks.attend_in_blocks(query[:full], key, value, block)


@attend_in_blocks.mistake(
    "Your later blocks of queries continue with the maximum and the sums of the block before. Start again for each "
    "block."
)
def never_starts_again(query, key, value, block):
    outputs = []
    rows = min(block, len(query))
    maximum, total, mixed = torch.full((rows, 1), -torch.inf), torch.zeros(rows, 1), torch.zeros(rows, value.size(-1))
    for asking in query.split(block):
        maximum, total, mixed = (each[: len(asking)] for each in (maximum, total, mixed))
        for keys, values in zip(key.split(block), value.split(block), strict=True):
            scores = asking @ keys.mT * asking.size(-1) ** -0.5
            maximum, total, mixed = online_softmax_step(maximum, total, mixed, scores, values)
        outputs.append(mixed / total)
    return torch.cat(outputs)


@attend_in_blocks.mistake(
    "Your blocks of queries read only the blocks of keys up to their own, as if all came after. Each query has to see "
    "all keys."
)
def up_to_its_own_block(query, key, value, block):
    outputs = []
    for i in range(0, len(query), block):
        stop = i + block
        outputs.append(attention.scaled_dot_product_attention(query[i:stop], key[:stop], value[:stop])[0])
    return torch.cat(outputs)


@attend_in_blocks.mistake(
    "Your code reads only as many keys as there are queries. The two numbers may differ: go through all keys."
)
def as_many_keys_as_queries(query, key, value, block):
    both = min(len(query), len(key))
    return blocks.attend_in_blocks(query, key[:both], value[:both], block)


@attend_in_blocks.mistake(
    "Your scores are divided by √block, the root of the size of a block. Divide by √d_k, the root of the width of a "
    "key."
)
def scaled_by_block(query, key, value, block):
    return blocks.attend_in_blocks(query * (query.size(-1) / block) ** 0.5, key, value, block)


@attend_in_blocks.mistake("Your scores are divided by d_k, as if they were scaled twice. The scale is √d_k.")
def scaled_twice(query, key, value, block):
    return blocks.attend_in_blocks(query * query.size(-1) ** -0.5, key, value, block)


def with_a_maximum_of_0(query, key, value, block, total):
    """Attend in blocks, from a maximum of 0 and a total that is handed in."""
    outputs = []
    for asking in query.split(block):
        maximum, mixed = asking.new_zeros(len(asking), 1), value.new_zeros(len(asking), value.size(-1))
        totals = torch.full_like(maximum, total)
        for keys, values in zip(key.split(block), value.split(block), strict=True):
            scores = asking @ keys.mT * asking.size(-1) ** -0.5
            maximum, totals, mixed = online_softmax_step(maximum, totals, mixed, scores, values)
        outputs.append(mixed / totals)
    return torch.cat(outputs)


@attend_in_blocks.mistake(
    "Where all scores are far below 0, your result is NaN, as 0 / 0 is. If your maximum begins at 0, or at another "
    "finite number, every exponential is 0 there, and so is the total: let it begin at minus infinity."
)
def maximum_begins_at_0(query, key, value, block):
    return with_a_maximum_of_0(query, key, value, block, total=0.0)


@attend_in_blocks.mistake(
    "Your result is too close to 0, as if each query had one more key, with the score 0 and a value of zeros. That is "
    "what a maximum of 0 and a total of 1 stand for: before the first block nothing has been seen, so begin with a "
    "maximum of minus infinity and a total of 0."
)
def begins_with_one_key(query, key, value, block):
    return with_a_maximum_of_0(query, key, value, block, total=1.0)


@attend_in_blocks.right_for_whole_course
def with_split(query, key, value, block):
    outputs = []
    for asking in query.split(block, dim=-2):
        maximum = torch.full_like(asking[..., :1], -torch.inf)
        total, mixed = torch.zeros_like(maximum), torch.zeros(*asking.shape[:-1], value.size(-1), dtype=value.dtype)
        for keys, values in zip(key.split(block, dim=-2), value.split(block, dim=-2), strict=True):
            scores = asking @ keys.transpose(-2, -1) / asking.size(-1) ** 0.5
            maximum, total, mixed = online_softmax_step(maximum, total, mixed, scores, values)
        outputs.append(mixed / total)
    return torch.cat(outputs, dim=-2)


@attend_in_blocks.right
def one_query_after_another(query, key, value, block):
    outputs = []
    for asking in query:
        largest, total, mixed = -torch.inf, 0.0, torch.zeros(value.size(1))
        for i in range(0, len(key), block):
            scores = key[i : i + block] @ asking / len(asking) ** 0.5
            new = max(largest, scores.max().item())
            grown = torch.exp(scores - new)
            shrink = torch.exp(torch.tensor(largest - new))
            total, mixed = total * shrink + grown.sum(), mixed * shrink + grown @ value[i : i + block]
            largest = new
        outputs.append(mixed / total)
    return torch.stack(outputs)


@attend_in_blocks.right
def ones_beside_the_values(query, key, value, block):
    wide = torch.cat([value, value.new_ones(len(value), 1)], dim=1)  # a product with it adds up the weights too
    done = []
    for asking in query.split(block):
        top, sums = asking.new_full((len(asking), 1), -torch.inf), asking.new_zeros(len(asking), wide.size(1))
        for keys, values in zip(key.split(block), wide.split(block), strict=True):
            scores = torch.einsum("td,sd->ts", asking, keys) * asking.size(1) ** -0.5
            higher = torch.maximum(top, scores.amax(dim=1, keepdim=True))
            sums = sums * (top - higher).exp() + (scores - higher).exp() @ values
            top = higher
        done.append(sums[:, :-1] / sums[:, -1:])
    return torch.cat(done)
