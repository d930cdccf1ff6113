"""The exercise `attend_with_cache` of notebook 10."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.adapters import call_directly
from course_lib.exercises.cases import Result, case, fixed_tensor
from course_lib.exercises.exercise import Exercise
from course_lib.lessons.l10_cache.inputs import Pair, earlier_tokens, output_and_pair
from course_lib.text.wording import in_words
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


def new_tokens(B: int, H: int, T: int, d_k: int = 4, d_v: int = 4, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Query (B, H, T, d_k), key (B, H, T, d_k) and value (B, H, T, d_v) of T new tokens."""
    return tuple(fixed_tensor(B, H, T, d, seed=seed + i) for i, d in enumerate((d_k, d_k, d_v)))  # type: ignore[return-value]


def explain_what_is_read(answer: Any, arguments: tuple[Any, ...]) -> str:
    """Name a token that a new one reads and should not, or should and does not; "" if there is none.

    Values that are rows of the identity matrix make the output the weights themselves.
    """
    query, key, _, past = arguments
    B, H, T, _ = query.shape
    old = 0 if past is None else past[0].size(2)
    S = old + T
    values = torch.eye(S, dtype=query.dtype).repeat(B, H, 1, 1)
    weights = call_directly(answer)(query, key, values[:, :, old:], past and (past[0], values[:, :, :old]))[0]
    if not isinstance(weights, Tensor) or weights.shape != (B, H, T, S):
        return ""
    reads, should = (weights.abs() > 1e-12).flatten(0, 1).any(0), torch.ones(T, S, dtype=torch.bool).tril(old)
    are_weights = bool((weights >= 0).all()) and torch.allclose(weights.sum(-1), torch.ones(()).to(weights), atol=1e-4)
    if reads.equal(should) or not are_weights:
        return ""
    t, s = (reads != should).nonzero()[0].tolist()
    new_token = "the new token" if T == 1 else "a new token"
    old_tokens = f"{in_words(old)} old token{'' if old == 1 else 's'}"
    new_ones = f"{in_words(T)} new one{'' if T == 1 else 's'}"
    where = f"With {old_tokens} and {new_ones}, {new_token}, at position {old + t} (counted from 0),"
    if reads[t, s]:
        return f"{where} reads position {s}, which comes after it. The mask should hide that."
    return f"{where} does not read position {s}. It should read every position up to and including its own."


attend_with_cache = Exercise(
    reference=cache.attend_with_cache,
    notebook=10,
    order=10,
    minutes=20,
    difficulty=3,
    adapt=partial(output_and_pair, wanted_pair="a pair: `return output, (keys, values)`"),
    explain=explain_what_is_read,
    returns=(
        Result("output", "B, H, T, d_v"),
        Result("keys", "B, H, S, d_k"),
        Result("values", "B, H, S, d_v"),
    ),
    example=case(*new_tokens(1, 2, 1), earlier_tokens(1, 2, 3)),
    another=case(*new_tokens(1, 2, 1, seed=5), earlier_tokens(1, 2, 3, seed=15)),
    cases=(
        case(*new_tokens(1, 2, 3), None, having=("no past", "several new tokens")),
        case(*new_tokens(2, 2, 1), None, having=("no past", "a batch")),
        case(*new_tokens(1, 2, 3), earlier_tokens(1, 2, 4), having=("several new tokens",)),
        case(*new_tokens(2, 2, 3, seed=3), earlier_tokens(2, 2, 1), having=("several new tokens", "a batch")),
        case(*new_tokens(2, 2, 1), earlier_tokens(2, 2, 4), having=("a batch",)),
        case(
            *new_tokens(1, 1, 3),
            earlier_tokens(1, 1, 3),
            having=("as many new tokens as old ones", "a single head", "several new tokens"),
        ),
        case(*new_tokens(1, 2, 1, d_k=6, d_v=6), earlier_tokens(1, 2, 3, 6, 6), having=("a wider head",)),
        case(
            *new_tokens(1, 2, 3, d_v=3),
            earlier_tokens(1, 2, 4, d_v=3),
            having=("values of another width", "several new tokens"),
        ),
        case(
            *(each.double() for each in new_tokens(1, 2, 3)),
            tuple(each.double() for each in earlier_tokens(1, 2, 2)),
            having=("float64 numbers", "several new tokens"),
        ),
    ),
    hints=(
        (
            "Write down the mask for two old and two new tokens: a row for each new token, a column for each of the "
            "four. Which cells are True?"
        ),
        (
            "`torch.cat` joins old and new along the axis of the tokens, keys with keys and values with values. "
            "Without a past there is nothing to join. The joined pair is also what the next call needs."
        ),
        (
            "With S = `keys.size(2)`, the causal mask (S, S) is right for the whole text, and the new tokens are its "
            "last T rows. Then call `scaled_dot_product_attention` as before."
        ),
    ),
)


@attend_with_cache.mistake(
    "Your new tokens read only each other. They should read the past too: join the keys and values before you attend."
)
def past_not_read(query, key, value, past):
    return attended(query, key, value), concatenated(key, value, past)


@attend_with_cache.mistake(
    "Your output is right, but your code returns only the new keys and values, so that the next token cannot read "
    "what came before. Return all of them."
)
def past_not_kept(query, key, value, past):
    return attended(query, *concatenated(key, value, past)), (key, value)


@attend_with_cache.mistake(
    "Your output is right, but your code returns the past as it came in. Return it with the new keys and values added."
)
def nothing_added(query, key, value, past):
    return attended(query, *concatenated(key, value, past)), (key, value) if past is None else past


@attend_with_cache.mistake(
    "Your code returns all keys, but only the new values. Each key needs its value: return all of both."
)
def values_not_kept(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query, keys, values), (keys, value)


@attend_with_cache.mistake(
    "Your code joins old and new along the heads. New tokens make the text longer: join along the axis before the last."
)
def concatenated_along_the_heads(query, key, value, past):
    keys, values = concatenated(key, value, past, dim=1)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your code joins old and new along the batch, as `torch.cat` does by default. New tokens make the text longer: "
    "pass `dim=2`, the axis before the last."
)
def concatenated_along_the_batch(query, key, value, past):
    keys, values = concatenated(key, value, past, dim=0)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Each of your new tokens also reads the one after it. New token t should read all S − T old tokens, and the new "
    "ones up to t."
)
def reads_the_next(query, key, value, past):
    keys, values = concatenated(key, value, past)
    T, S = query.size(2), keys.size(2)
    return attended(query, keys, values, torch.ones(T, S, dtype=torch.bool).tril(S - T + 1)), (keys, values)


@attend_with_cache.mistake(
    "None of your new tokens reads itself. New token t should read all S − T old tokens, and the new ones up to and "
    "including t."
)
def does_not_read_itself(query, key, value, past):
    keys, values = concatenated(key, value, past)
    T, S = query.size(2), keys.size(2)
    return attended(query, keys, values, torch.ones(T, S, dtype=torch.bool).tril(S - T - 1)), (keys, values)


@attend_with_cache.mistake(
    "If there is a past, your code does not hide the future. Even then, several new tokens may come in one call, and "
    "the first must not read the last.",
    seen="https://github.com/Mikyx-1/TinyLLM/issues/17",
)
def masked_at_first_only(query, key, value, past):
    keys, values = concatenated(key, value, past)
    mask = torch.ones(query.size(2), keys.size(2), dtype=torch.bool)
    return attended(query, keys, values, mask if past else None), (keys, values)


@attend_with_cache.mistake(
    "Your code does not hide the future: of several new tokens, the first reads the last. Use a causal mask in which "
    "the past is open to all."
)
def never_masked(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query, keys, values, torch.ones(query.size(2), keys.size(2), dtype=torch.bool)), (keys, values)


@attend_with_cache.mistake(
    "Your new tokens read as if they were the first of the text, as with `is_causal=True`, so the first of them reads "
    "one key only. They are the last T of S tokens: take the last T rows of the (S, S) mask.",
    seen="https://github.com/RobertCsordas/moeut/issues/6",
)
def mask_at_the_left(query, key, value, past):
    keys, values = concatenated(key, value, past)
    mask = torch.ones(query.size(2), keys.size(2), dtype=torch.bool).tril()
    return attended(query, keys, values, mask), (keys, values)


@attend_with_cache.mistake(
    "Your mask counts as many old tokens as there are heads. The keys of the past are (B, H, P, d_k), and the number "
    "of old tokens is P, the length of the axis before the last."
)
def heads_counted_as_old_tokens(query, key, value, past):
    keys, values = concatenated(key, value, past)
    P = 0 if past is None else past[0].size(1)
    mask = torch.arange(keys.size(2)) <= torch.arange(query.size(2))[:, None] + P
    return attended(query, keys, values, mask), (keys, values)


@attend_with_cache.mistake(
    "Your code puts the new keys and values before the old ones. Keep the order of the text: old first, new last."
)
def new_ones_first(query, key, value, past):
    if past is None:
        return cache.attend_with_cache(query, key, value, None)
    keys, values = concatenated(*past, (key, value))
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your keys are in order, but your values have the new ones first, so that a key gets another token's value. Put "
    "the old values first."
)
def new_values_first(query, key, value, past):
    keys, values = concatenated(key, value, past)
    values = values if past is None else torch.cat((value, past[1]), dim=2)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake("Your scores are not divided by √d_k. They should be, with a cache and without.")
def not_scaled(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query * query.size(-1) ** 0.5, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your code returns all values, but only the new keys. Each value needs its key: return all of both."
)
def keys_not_kept(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query, keys, values), (key, values)


@attend_with_cache.mistake(
    "Your keys and values are swapped in what your code returns. Return `output, (keys, values)`."
)
def swapped_on_return(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query, keys, values), (values, keys)


@attend_with_cache.mistake(
    "Your new tokens read the past only, and not themselves. New token t should also read the new ones up to and "
    "including t."
)
def past_only(query, key, value, past):
    keys, values = concatenated(key, value, past)
    if past is None:
        return attended(query, keys, values), (keys, values)
    return scaled_dot_product_attention(query, *past)[0], (keys, values)


@attend_with_cache.mistake(
    "In your code, each new token reads the past and itself, but not the new tokens before it. Those are part of the "
    "text too."
)
def not_the_new_ones_before(query, key, value, past):
    keys, values = concatenated(key, value, past)
    T, S = query.size(2), keys.size(2)
    mask = torch.cat((torch.ones(T, S - T, dtype=torch.bool), torch.eye(T, dtype=torch.bool)), dim=1)
    return attended(query, keys, values, mask), (keys, values)


@attend_with_cache.mistake(
    "The new keys that your code returns are divided by √d_k, so old and new keys differ in scale. Keep the keys as "
    "they come in, and divide the scores, or the query."
)
def scaled_keys_kept(query, key, value, past):
    d_k = query.size(-1)
    keys, values = concatenated(key / d_k**0.5, value, past)
    return attended(query * d_k**0.5, keys, values), (keys, values)


@attend_with_cache.mistake(
    "The new keys that your code returns are divided by √d_k, and their scores are divided by it again. Keep the keys "
    "as they come in."
)
def scaled_keys_kept_and_scaled_again(query, key, value, past):
    keys, values = concatenated(key / query.size(-1) ** 0.5, value, past)
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your scores are divided by √d_k twice. If you call `scaled_dot_product_attention`, it does so already."
)
def scaled_twice(query, key, value, past):
    keys, values = concatenated(key, value, past)
    return attended(query / query.size(-1) ** 0.5, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your output has a row for each of the S tokens. Only the T new tokens ask, so it should have T rows."
)
def row_for_every_key(query, key, value, past):
    keys, values = concatenated(key, value, past)
    S = keys.size(2)
    queries = torch.cat((query[:, :, :1].expand(-1, -1, S - query.size(2), -1), query), dim=2)
    return attended(queries, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Your code takes the pair `past` the wrong way round: it joins old values to new keys. `past` is (keys, values)."
)
def past_swapped(query, key, value, past):
    if past is None or past[0].shape != past[1].shape:
        return cache.attend_with_cache(query, key, value, past)
    keys, values = concatenated(key, value, past[::-1])
    return attended(query, keys, values), (keys, values)


@attend_with_cache.mistake(
    "Each of your new tokens reads only itself and what comes after it. It should read the past, the new ones before "
    "it, and itself."
)
def reads_the_future(query, key, value, past):
    keys, values = concatenated(key, value, past)
    T, S = query.size(2), keys.size(2)
    return attended(query, keys, values, torch.ones(T, S, dtype=torch.bool).triu(S - T)), (keys, values)


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
