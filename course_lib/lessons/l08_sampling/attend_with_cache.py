"""The exercise `attend_with_cache` of notebook 08."""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l08_sampling.inputs import Pair, earlier_tokens
from course_lib.transformer import cache
from course_lib.transformer.attention import causal_mask, scaled_dot_product_attention


def concatenated(key: Tensor, value: Tensor, past: Pair | None, dim: int = 2) -> Pair:
    """The earlier and the new keys, and the earlier and the new values, concatenated along `dim`."""
    if past is None:
        return key, value
    return torch.cat((past[0], key), dim=dim), torch.cat((past[1], value), dim=dim)


def attended(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attend from the last T of S tokens, under the causal mask or under the given one."""
    T, S = query.size(2), keys.size(2)
    return scaled_dot_product_attention(query, keys, values, causal_mask(S)[S - T :] if mask is None else mask)[0]


def cached(answer: Any) -> Callable[..., Any]:
    """Pass a copy of the past, and return the output, the keys and the values in one tuple."""

    def function(query: Tensor, key: Tensor, value: Tensor, past: Pair | None) -> Any:
        result = call_directly(answer)(query, key, value, copy.deepcopy(past))
        if result is None:
            return None
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError("two things are wanted, `return output, (keys, values)`")
        output, pair = result
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError("the second thing should be a pair, `return output, (keys, values)`")
        return output, *pair

    return function


def new_tokens(B: int, H: int, T: int, d_k: int = 4, d_v: int = 4, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Query (B, H, T, d_k), key (B, H, T, d_k) and value (B, H, T, d_v) of T new tokens."""
    return tuple(fixed_tensor(B, H, T, d, seed=seed + i) for i, d in enumerate((d_k, d_k, d_v)))  # type: ignore[return-value]


attend_with_cache = Exercise(
    reference=cache.attend_with_cache,
    notebook=8,
    order=100,
    minutes=20,
    difficulty=3,
    adapt=cached,
    returns=(
        Result("output", "B, H, T, d_v"),
        Result("keys", "B, H, S, d_k"),
        Result("values", "B, H, S, d_v"),
    ),
    example=case(*new_tokens(1, 2, 1), earlier_tokens(1, 2, 3)),
    another=case(*new_tokens(1, 2, 1, seed=5), earlier_tokens(1, 2, 3, seed=15)),
    cases=(
        case(*new_tokens(1, 2, 3), None, having=("no past",)),
        case(*new_tokens(2, 2, 1), None, having=("no past", "a single token")),
        case(*new_tokens(1, 2, 3), earlier_tokens(1, 2, 4), having=("several new tokens",)),
        case(*new_tokens(2, 2, 3, seed=3), earlier_tokens(2, 2, 1), having=("several new tokens", "a batch")),
        case(*new_tokens(2, 2, 1), earlier_tokens(2, 2, 4), having=("a batch",)),
        case(*new_tokens(1, 1, 3), earlier_tokens(1, 1, 3), having=("as many new tokens as old ones", "a single head")),
        case(
            *new_tokens(1, 2, 3, d_v=3),
            earlier_tokens(1, 2, 4, d_v=3),
            having=("values of another width", "several new tokens"),
        ),
        case(
            *(each.double() for each in new_tokens(1, 2, 3)),
            tuple(each.double() for each in earlier_tokens(1, 2, 2)),
            having=("float64 numbers",),
        ),
    ),
    hints=(
        (
            "The new tokens ask; who is asked? The earlier tokens first, then the new ones: S of them in all. That is "
            "also what you pass on to the next call."
        ),
        (
            "`torch.cat` joins old and new along the axis of the tokens, keys with keys and values with values. "
            "Without a past there is nothing to join."
        ),
        (
            "The mask has T rows and S columns. In the full causal mask (S, S) the new tokens are the last rows: cut "
            "those out, and all of the past is open to them. Then attend as ever."
        ),
    ),
)


@attend_with_cache.mistake(
    "Your new tokens read only each other. They read the past too: join the keys and values before you attend."
)
def past_not_read(query, key, value, past):
    return attended(query, key, value), concatenated(key, value, past)


@attend_with_cache.mistake(
    "The output is right, but you return the new keys and values only: the next token will not know what came before. "
    "Return all of them."
)
def past_not_kept(query, key, value, past):
    return attended(query, *concatenated(key, value, past)), (key, value)


@attend_with_cache.mistake("The output is right, but you return the past as it came, without the new keys and values.")
def nothing_added(query, key, value, past):
    return attended(query, *concatenated(key, value, past)), (key, value) if past is None else past


@attend_with_cache.mistake("You return all keys, but only the new values. Each key needs its value: keep both.")
def values_not_kept(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query, keys, values), (keys, value)


@attend_with_cache.mistake(
    "You joined old and new along the heads. New tokens make the text longer: the axis before the last."
)
def concatenated_along_the_heads(query, key, value, past):
    keys, values = concatenated(key, value, past, dim=1)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "You joined old and new along the batch: `torch.cat` does that unless you say `dim=`. New tokens make the text "
    "longer: the axis before the last."
)
def concatenated_along_the_batch(query, key, value, past):
    keys, values = concatenated(key, value, past, dim=0)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your mask is off by one: each new token reads the one after it too. Row t of the T reads all S − T old ones, and "
    "of the new ones those up to t."
)
def reads_the_next(query, key, value, past):
    keys, values = concatenated(key, value, past)
    T, S = query.size(2), keys.size(2)
    return attended(query, keys, values, torch.ones(T, S, dtype=torch.bool).tril(S - T + 1)), (keys, values)


@attend_with_cache.mistake(
    "Where there is a past, nothing hides the future in yours. Several new tokens may come at once then too, and the "
    "first must not read the last.",
    seen="https://github.com/Mikyx-1/TinyLLM/issues/17",
)
def masked_at_first_only(query, key, value, past):
    keys, values = concatenated(key, value, past)
    mask = torch.ones(query.size(2), keys.size(2), dtype=torch.bool)
    return attended(query, keys, values, mask if past else None), (keys, values)


@attend_with_cache.mistake(
    "Nothing hides the future in yours: of several new tokens, the first reads the last. A causal mask, the past open "
    "to all."
)
def never_masked(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query, keys, values, torch.ones(query.size(2), keys.size(2), dtype=torch.bool)), (keys, values)


@attend_with_cache.mistake(
    "Your mask begins as if the new tokens were the first of the text, as `is_causal=True` has it: the first new one "
    "reads one key only. New tokens are the last T of S: the lowest rows of the (S, S) mask.",
    seen="https://github.com/RobertCsordas/moeut/issues/6",
)
def mask_at_the_left(query, key, value, past):
    keys, values = concatenated(key, value, past)
    mask = torch.ones(query.size(2), keys.size(2), dtype=torch.bool).tril()
    return attended(query, keys, values, mask), (keys, values)


@attend_with_cache.mistake(
    "You put the new keys and values before the old ones. The text's order: old first, new last."
)
def new_ones_first(query, key, value, past):
    if past is None:
        return cache.attend_with_cache(query, key, value, None)
    keys, values = concatenated(*past, (key, value))
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your keys are in order, but your values have the new ones first, so that each key brings another token's value. "
    "Old first, new last."
)
def new_values_first(query, key, value, past):
    keys, values = concatenated(key, value, past)
    values = values if past is None else torch.cat((value, past[1]), dim=2)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake("The scale is missing: scores are divided by √d_k, with a cache as without.")
def not_scaled(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query * query.size(-1) ** 0.5, keys, values), (keys, values)


@attend_with_cache.right_for_whole_course
def by_einsum(q, k, v, past):
    if past is not None:
        k, v = (torch.cat(pair, dim=-2) for pair in zip(past, (k, v), strict=True))
    T, S = q.shape[-2], k.shape[-2]
    hidden = torch.arange(S) > torch.arange(S - T, S)[:, None]
    a = torch.einsum("bhtd,bhsd->bhts", q / q.shape[-1] ** 0.5, k).masked_fill(hidden, -torch.inf).softmax(-1)
    return torch.einsum("bhts,bhsd->bhtd", a, v), (k, v)


@attend_with_cache.right
def cached_attention_of_torch(q, k, v, past):
    old = 0
    if past is not None:
        old = past[0].size(2)
        k, v = torch.cat([past[0], k], dim=-2), torch.cat([past[1], v], dim=-2)
    mask = torch.ones(q.size(2), k.size(2), dtype=torch.bool).tril(diagonal=old)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask), (k, v)


@attend_with_cache.right
def cached_attention_in_einsum(query, key, value, past=None):
    keys, values = (key, value) if past is None else map(lambda a, b: torch.cat((a, b), 2), past, (key, value))
    scores = torch.einsum("bhtd,bhsd->bhts", query / query.shape[-1] ** 0.5, keys)
    T, S = scores.shape[-2:]
    hidden = torch.arange(S) > torch.arange(S - T, S)[:, None]
    weights = scores.masked_fill(hidden, -torch.inf).softmax(-1)
    return torch.einsum("bhts,bhsd->bhtd", weights, values), [keys, values]


@attend_with_cache.right
class CachedAttentionTokenByToken(nn.Module):
    def forward(self, query, key, value, past):
        outputs, pair = [], past or (key[:, :, :0], value[:, :, :0])
        for t in range(query.size(2)):
            now = slice(t, t + 1)
            pair = torch.cat((pair[0], key[:, :, now]), 2), torch.cat((pair[1], value[:, :, now]), 2)
            outputs.append(scaled_dot_product_attention(query[:, :, now], *pair)[0])
        return torch.cat(outputs, dim=2), pair
