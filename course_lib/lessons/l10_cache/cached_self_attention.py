"""The exercise `cached_self_attention` of notebook 10."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l10_cache.inputs import earlier_tokens, output_and_pair
from course_lib.transformer import cache
from course_lib.transformer.attention import MultiHeadAttention, merge_heads, split_heads
from course_lib.transformer.cache import attend_with_cache
from course_lib.transformer.positions import rotary


class FixedAttention(nn.Module):
    """The attention of a trained layer: fixed weights, and positions that are rotated into queries and keys."""

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k, self.W_v, self.W_o = (fixed_map(d_model, seed) for seed in (20, 21, 22, 23))

    def forward(self, *_: Any) -> Tensor:
        """Refuse to attend without a past."""
        raise TypeError("`attention` as a whole takes no past. Use its maps W_q, W_k, W_v and W_o instead")

    def rotate(self, x: Tensor, start: int) -> Tensor:
        """Rotate queries or keys (B, H, T, d_k) whose first token is at position `start`."""
        return rotary(x, int(start))


def fixed_map(d_model: int, seed: int) -> nn.Linear:
    """A linear map with fixed weights, (d_model, d_model), and without a bias."""
    made = nn.Linear(d_model, d_model, bias=False)
    made.weight = nn.Parameter(fixed_tensor(d_model, d_model, seed=seed) * d_model**-0.5, requires_grad=False)
    return made


ATTENTION = FixedAttention(8, 2)

cached_self_attention = Exercise(
    reference=cache.cached_self_attention,
    notebook=10,
    order=20,
    minutes=10,
    difficulty=2,
    adapt=partial(output_and_pair, wanted_pair="the pair that `attend_with_cache` returns"),
    returns=(
        Result("output", "B, T, d_model"),
        Result("the keys that your code returns in the pair", "B, H, S, d_k"),
        Result("the values that your code returns in the pair", "B, H, S, d_k"),
    ),
    example=case(ATTENTION, fixed_tensor(1, 1, 8), earlier_tokens(1, 2, 3)),
    another=case(ATTENTION, fixed_tensor(1, 1, 8, seed=5), earlier_tokens(1, 2, 3, seed=15)),
    cases=(
        case(ATTENTION, fixed_tensor(1, 4, 8, seed=1), None, having=("no past", "several new tokens")),
        case(
            ATTENTION, fixed_tensor(2, 3, 8, seed=2), earlier_tokens(2, 2, 4), having=("several new tokens", "a batch")
        ),
        case(ATTENTION, fixed_tensor(3, 1, 8, seed=3), earlier_tokens(3, 2, 5), having=("a batch",)),
        case(
            FixedAttention(18, 3),
            fixed_tensor(2, 2, 18, seed=4),
            earlier_tokens(2, 3, 1, 6, 6),
            having=("other sizes", "a past of a single token", "several new tokens", "a batch"),
        ),
    ),
    hints=(
        (
            "This is your multi-head attention with one change, and one new question. Which step reads the past? And "
            "if the past holds 7 tokens, at which position is the first new one, counting from 0?"
        ),
        (
            "In this order: W_q, W_k and W_v on x, `split_heads` for each, rotate queries and keys, "
            "`attend_with_cache`, `merge_heads`, W_o. The number of old tokens is the length of the third axis of "
            "their keys, and 0 where `past` is None."
        ),
        (
            "`attention.rotate(queries, P)` with P = `past[0].size(2)`, and the same for the new keys. The keys in "
            "the past are rotated already. What `attend_with_cache` returns as its second value is your second value."
        ),
    ),
)

cached_self_attention.patch(
    "Your new tokens begin at position 0 again. The past holds P tokens, so the first new one is at position P: "
    "`attention.rotate(…, P)`.",
    replace="P = 0 if past is None else past[0].size(2)",
    by="P = 0",
    seen="https://github.com/mlfoundations/open_lm/pull/74",
)

cached_self_attention.patch(
    "Your first new token is at position P + T, as if the new tokens were counted too. It is at position P, the "
    "number of tokens in the past, counting from 0.",
    replace="P = 0 if past is None else past[0].size(2)",
    by="P = x.size(1) + (0 if past is None else past[0].size(2))",
    seen="https://github.com/skyzh/tiny-llm/pull/46",
)

cached_self_attention.patch(
    "After a past of P tokens your first new token gets the position of the last new one, P + T − 1. The first one is "
    "at position P, and `attention.rotate` counts on from there by itself.",
    replace="P = 0 if past is None else past[0].size(2)",
    by="P = 0 if past is None else past[0].size(2) + x.size(1) - 1",
)

cached_self_attention.patch(
    "Your first new token gets the position of the last one, S − 1, with a past and without. The first one is at "
    "position P, the number of tokens in the past, and `attention.rotate` counts on from there by itself.",
    replace="P = 0 if past is None else past[0].size(2)",
    by="P = x.size(1) - 1 + (0 if past is None else past[0].size(2))",
)

cached_self_attention.patch(
    "Your scores are divided by √d_model. Each head has vectors of d_k = d_model / H numbers: divide by √d_k, as your "
    "`attend_with_cache` does.",
    replace="attend(queries, keys, values, past)",
    by="attend(queries * attention.heads**-0.5, keys, values, past)",
)

cached_self_attention.patch(
    "Your first new token is at position P − 1, that of the last old token. It is at P.",
    replace="P = 0 if past is None else past[0].size(2)",
    by="P = 0 if past is None else past[0].size(2) - 1",
)

cached_self_attention.patch(
    "After a past of P tokens, your code puts the first new token at position P + 1. Positions count from 0, so it "
    "belongs at P.",
    replace="P = 0 if past is None else past[0].size(2)",
    by="P = 0 if past is None else past[0].size(2) + 1",
)

cached_self_attention.patch(
    "After a past, your code puts the first new token at position H, the number of heads. The keys of the past are (B, "
    "H, P, d_k): P is `past[0].size(2)`.",
    replace="past[0].size(2)",
    by="past[0].size(1)",
)

cached_self_attention.patch(
    "After a past, your code puts the first new token at position d_k, a width. The keys of the past are (B, H, P, "
    "d_k): P is `past[0].size(2)`.",
    replace="past[0].size(2)",
    by="past[0].size(3)",
)

cached_self_attention.patch(
    "After a past, your code puts the first new token at position B, the number of texts, as `len(past[0])` gives it. "
    "The keys of the past are (B, H, P, d_k): P is `past[0].size(2)`.",
    replace="past[0].size(2)",
    by="past[0].size(0)",
)

cached_self_attention.patch(
    "After a past, your code always puts the first new token at position 2, as with `len(past)`, the length of the "
    "pair. The keys of the past are (B, H, P, d_k): P is `past[0].size(2)`.",
    replace="past[0].size(2)",
    by="2",
)

cached_self_attention.patch(
    "Your queries are at the right positions, but your new keys begin at 0 again. Rotate both from P on.",
    replace="keys = attention.rotate(split(attention.W_k(x), attention.heads), P)",
    by="keys = attention.rotate(split(attention.W_k(x), attention.heads), 0)",
)

cached_self_attention.patch(
    "Your new keys are at the right positions, but your queries begin at 0 again. Rotate both from P on.",
    replace="queries = attention.rotate(split(attention.W_q(x), attention.heads), P)",
    by="queries = attention.rotate(split(attention.W_q(x), attention.heads), 0)",
)

cached_self_attention.patch(
    "Your queries are not rotated, so they have no position. Rotate queries and keys, both from P on.",
    replace="queries = attention.rotate(split(attention.W_q(x), attention.heads), P)",
    by="queries = split(attention.W_q(x), attention.heads)",
)

cached_self_attention.patch(
    "Your new keys are not rotated, so they have no position. Rotate queries and keys, both from P on.",
    replace="keys = attention.rotate(split(attention.W_k(x), attention.heads), P)",
    by="keys = split(attention.W_k(x), attention.heads)",
)

cached_self_attention.patch(
    "Your values are rotated too. Positions belong to queries and keys only, where they change the scores.",
    replace="values = split(attention.W_v(x), attention.heads)",
    by="values = attention.rotate(split(attention.W_v(x), attention.heads), P)",
)

cached_self_attention.patch(
    "The last map is missing in your code: apply `attention.W_o` after the heads are merged.",
    replace="attention.W_o(merge(mixed))",
    by="merge(mixed)",
)

cached_self_attention.patch(
    "Your code returns the past as it came in. Return the longer one, which `attend_with_cache` gives you.",
    replace="attention.W_o(merge(mixed)), longer",
    by="attention.W_o(merge(mixed)), (keys, values) if past is None else past",
)

cached_self_attention.patch(
    "Your code returns only the new keys and values, so the next token cannot read what came before. Return what "
    "`attend_with_cache` gives you.",
    replace="attention.W_o(merge(mixed)), longer",
    by="attention.W_o(merge(mixed)), (keys, values)",
)

cached_self_attention.patch(
    "Your new tokens do not read the past. If you call `attend_with_cache`, pass `past` to it.",
    replace="attend(queries, keys, values, past)",
    by="attend(queries, keys, values, None)",
)

cached_self_attention.patch(
    "Your values come from W_k. They have a map of their own, W_v.",
    replace="values = split(attention.W_v(x)",
    by="values = split(attention.W_k(x)",
)

cached_self_attention.patch(
    "Your heads are put together in the wrong order: bring the axis of the heads next to the features before you "
    "flatten, as `merge_heads` does.",
    replace="merge(mixed)",
    by="mixed.reshape(x.shape)",
)


@cached_self_attention.mistake("Neither your queries nor your new keys are rotated. Rotate both from position P on.")
def never_rotated(attention, x, past):
    queries, keys, values = (split_heads(each(x), attention.heads) for each in maps_of(attention))
    mixed, longer = attend_with_cache(queries, keys, values, past)
    return attention.W_o(merge_heads(mixed)), longer


@cached_self_attention.mistake(
    "Your code rotates the keys of the past again. They were rotated when they came in, so rotate only the new ones."
)
def rotated_again(attention, x, past):
    if past is None:
        return cache.cached_self_attention(attention, x, past)
    return cache.cached_self_attention(attention, x, (attention.rotate(past[0], 0), past[1]))


@cached_self_attention.mistake(
    "The new keys that your code returns are not rotated, and your output is that of a rotation of all keys, those of "
    "the past too, in each call. The keys of the past are rotated already: rotate the new ones from position P on, and "
    "return them so."
)
def all_keys_rotated_in_each_call(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    queries, keys, values = (split_heads(each(x), attention.heads) for each in maps_of(attention))
    if past is not None:
        keys, values = torch.cat((past[0], keys), dim=2), torch.cat((past[1], values), dim=2)
    mixed, _ = attend_with_cache(attention.rotate(queries, P), attention.rotate(keys, 0), values, None)
    return attention.W_o(merge_heads(mixed)), (keys, values)


@cached_self_attention.mistake(
    "Your code attends as a single head: cut queries, keys and values by `split_heads` first, and merge afterwards."
)
def single_head(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    merged = None if past is None else tuple(merge_heads(each).unsqueeze(1) for each in past)
    queries, keys, values = (split_heads(each(x), attention.heads) for each in maps_of(attention))
    queries, keys = attention.rotate(queries, P), attention.rotate(keys, P)
    one = [merge_heads(each).unsqueeze(1) for each in (queries, keys, values)]
    mixed, longer = attend_with_cache(*one, merged)
    return attention.W_o(mixed.squeeze(1)), tuple(split_heads(each.squeeze(1), attention.heads) for each in longer)


def split_without_a_transpose(x, heads):
    """View (B, T, d_model) as (B, H, T, d_k), which mixes tokens and heads."""
    B, T, d_model = x.shape
    return x.view(B, heads, T, d_model // heads)


HEADS_VIEWED = (
    "With several new tokens, your heads mix the numbers of different tokens, as if (B, T, d_model) were viewed as (B, "
    "H, T, d_k) in one step. Cut the vector of each token into heads, (B, T, H, d_k), then swap the two axes, as "
    "`split_heads` does."
)


@cached_self_attention.mistake(HEADS_VIEWED)
def heads_viewed(attention, x, past):
    return cache.cached_self_attention(attention, x, past, split=split_without_a_transpose)


@cached_self_attention.mistake(HEADS_VIEWED + " And swap them back before you merge, as `merge_heads` does.")
def heads_viewed_and_merged_by_a_view(attention, x, past):
    return cache.cached_self_attention(
        attention, x, past, split=split_without_a_transpose, merge=lambda mixed: mixed.reshape(x.shape)
    )


@cached_self_attention.mistake(
    "Your queries and keys are rotated over their whole width, not head by head. If you rotate, do so after "
    "`split_heads`."
)
def rotated_before_the_split(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    queries, keys, values = (each(x) for each in maps_of(attention))
    queries, keys = attention.rotate(queries, P), attention.rotate(keys, P)
    heads = (split_heads(each, attention.heads) for each in (queries, keys, values))
    mixed, longer = attend_with_cache(*heads, past)
    return attention.W_o(merge_heads(mixed)), longer


@cached_self_attention.mistake(
    "Your result is that of a rotation of x, before the maps, so the values are rotated too and the heads not one by "
    "one. First W_q, W_k and W_v, then `split_heads`, then rotate queries and keys."
)
def rotated_before_the_maps(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    queries, keys, values = (
        split_heads(each(attention.rotate(x.unsqueeze(1), P).squeeze(1)), attention.heads)
        for each in maps_of(attention)
    )
    mixed, longer = attend_with_cache(queries, keys, values, past)
    return attention.W_o(merge_heads(mixed)), longer


@cached_self_attention.mistake(
    "Your queries and keys are those of a rotated x, as if the rotation came before the maps. First W_q and W_k, then "
    "`split_heads`, then rotate each head."
)
def rotated_before_two_maps(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    rotated = attention.rotate(x.unsqueeze(1), P).squeeze(1)
    queries, keys = (split_heads(each(rotated), attention.heads) for each in maps_of(attention)[:2])
    values = split_heads(attention.W_v(x), attention.heads)
    mixed, longer = attend_with_cache(queries, keys, values, past)
    return attention.W_o(merge_heads(mixed)), longer


@cached_self_attention.mistake("Your queries and keys are swapped: queries come from W_q, keys from W_k.")
def queries_and_keys_swapped(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    queries, keys, values = (split_heads(each(x), attention.heads) for each in maps_of(attention))
    mixed, longer = attend_with_cache(attention.rotate(keys, P), attention.rotate(queries, P), values, past)
    return attention.W_o(merge_heads(mixed)), longer


def maps_of(attention):
    """The maps that give queries, keys and values."""
    return attention.W_q, attention.W_k, attention.W_v


@cached_self_attention.mistake(
    "Your code has two mistakes. Your values are rotated, but positions belong to queries and keys only; and your "
    "heads are put together in the wrong order: bring the axis of the heads next to the features before you flatten, "
    "as `merge_heads` does."
)
def values_rotated_and_heads_mixed(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    heads = (attention.rotate(split_heads(each(x), attention.heads), P) for each in maps_of(attention))
    mixed, longer = attend_with_cache(*heads, past)
    return attention.W_o(mixed.reshape(x.shape)), longer


@cached_self_attention.right_for_whole_course
def in_one_pass(attention, x, past):
    start = past[0].shape[-2] if past else 0
    q, k, v = (split_heads(W(x), attention.heads) for W in (attention.W_q, attention.W_k, attention.W_v))
    both = attention.rotate(torch.cat((q, k)), start)
    mixed, past = attend_with_cache(*both.chunk(2), v, past)
    return attention.W_o(merge_heads(mixed)), past


@cached_self_attention.right
def token_by_token(attention, x, past):
    outputs = []
    for t in range(x.size(1)):
        output, past = cache.cached_self_attention(attention, x[:, t : t + 1], past)
        outputs.append(output)
    return torch.cat(outputs, dim=1), past


@cached_self_attention.right
def by_projecting_once(attention, x, past):
    plain = MultiHeadAttention(x.size(-1), attention.heads, bias=False, rotate=attention.rotate)
    plain.load_state_dict(attention.state_dict())
    P = 0 if past is None else past[0].size(2)
    queries, keys, values = plain.project(x, x, x, P)
    mixed, longer = attend_with_cache(queries, keys, values, past)
    B, _, T, _ = mixed.shape
    return attention.W_o(mixed.transpose(1, 2).reshape(B, T, -1)), list(longer)
