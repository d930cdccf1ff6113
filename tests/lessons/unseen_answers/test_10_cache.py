"""Unseen answers to the exercises of notebook 10_cache."""

import math

import torch

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import causal_mask, merge_heads, scaled_dot_product_attention, split_heads
from course_lib.transformer.cache import attend_with_cache, cached_self_attention
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("attend_with_cache", says="new keys that your code returns are divided by √d_k, so")
def scaled_before_the_cache(query, key, value, past):
    key = key / math.sqrt(key.size(-1))
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    T, S = query.size(2), key.size(2)
    mask = torch.ones(T, S, dtype=torch.bool).tril(S - T)
    return (query @ key.mT).masked_fill(~mask, -math.inf).softmax(-1) @ value, (key, value)


@wrong(
    "attend_with_cache",
    says="at position 3 (counted from 0), does not read position 0.",
)
def first_key_never_read(query, key, value, past):
    P = 0 if past is None else past[0].size(2)
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    mask = torch.ones(query.size(2), key.size(2), dtype=torch.bool).tril(P)
    if P > 1:
        mask[:, 0] = False
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


@wrong("attend_with_cache", says="at position 2 (counted from 0), reads position 3, which comes after it.")
def reads_further_after_a_past_of_two(query, key, value, past):
    P = 0 if past is None else past[0].size(2)
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    mask = torch.ones(query.size(2), key.size(2), dtype=torch.bool).tril(P + 2 * (P == 2))
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


@wrong("attend_with_cache", says="does not hide the future", never="Your mask")
def without_a_mask_in_a_loop(query, key, value, past):
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    rows = [scaled_dot_product_attention(query[:, :, [t]], key, value)[0] for t in range(query.size(2))]
    return torch.cat(rows, dim=2), (key, value)


@wrong("attend_with_cache", says="the right ones plus `query`", never="reads position")
def query_added(query, key, value, past):
    output, pair = find("attend_with_cache").reference(query, key, value, past)
    return (output + query if output.shape == query.shape else output), pair


@wrong("attend_with_cache", says="all but the one with a wider head", never="√")
def scaled_for_width_4(query, key, value, past):
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    T, S = query.size(2), key.size(2)
    scores = (query @ key.mT / 2).masked_fill(~causal_mask(S)[S - T :], -torch.inf)
    return scores.softmax(-1) @ value, (key, value)


@wrong("cached_self_attention", says="rotation of x, before the maps")
def rotated_first(attention, x, past):
    P = 0 if past is None else past[0].size(2)
    y = attention.rotate(x[:, None], P)[:, 0]
    q, k, v = (split_heads(W(y), attention.heads) for W in (attention.W_q, attention.W_k, attention.W_v))
    out, past = attend_with_cache(q, k, v, past)
    return attention.W_o(merge_heads(out)), past


@wrong("cached_self_attention", says="gets the position of the last new one, P + T − 1")
def last_position_first(attention, x, past):
    start = past[0].size(2) + x.size(1) - 1 if past is not None else 0
    q, k, v = (split_heads(W(x), attention.heads) for W in (attention.W_q, attention.W_k, attention.W_v))
    out, past = attend_with_cache(attention.rotate(q, start), attention.rotate(k, start), v, past)
    return attention.W_o(merge_heads(out)), past


@wrong("cache_bytes", says="Your code counts 1 + 2 + … + `length` tokens", never="too large")
def rows_of_all_steps(layers, kv_heads, d_k, length, bytes_each):
    return layers * kv_heads * d_k * length * (length + 1) * bytes_each


@wrong("reorder_cache", says="as if they were copied one after the other inside one tensor")
def row_by_row_in_one_tensor(past, parents):
    def copied(rows):
        buffer = torch.cat((rows, rows[:1].expand(len(parents), *rows.shape[1:])))
        for i, parent in enumerate(parents):
            buffer[i] = buffer[parent].clone()
        return buffer[: len(parents)]

    return [(copied(keys), copied(values)) for keys, values in past]


@wrong("cached_self_attention", says=("two mistakes", "values are rotated", "in the wrong order"))
def values_rotated_and_heads_reshaped(attention, x, past):
    P = past[0].size(2) if past is not None else 0
    maps = (attention.W_q, attention.W_k, attention.W_v)
    out, longer = attend_with_cache(
        *(attention.rotate(split_heads(each(x), attention.heads), P) for each in maps), past
    )
    return attention.W_o(out.reshape(x.shape)), longer


@wrong("attend_with_cache", says="counts as many old tokens as there are heads", never="position 3")
def heads_for_the_length_of_the_past(query, key, value, past):
    P = 0
    if past is not None:
        P = past[0].size(1)
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    mask = torch.arange(key.size(2)) <= torch.arange(query.size(2))[:, None] + P
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


@wrong(
    "attend_with_cache", says=("With four old tokens and three new ones, a new token", "up to and including its own.")
)
def nothing_before_position_2_for_several(query, key, value, past):
    old = 0 if past is None else past[0].size(2)
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    mask = torch.ones(query.size(2), key.size(2), dtype=torch.bool).tril(old)
    if old > 3 and query.size(2) > 1:
        mask[:, :2] = False
    return scaled_dot_product_attention(query, key, value, mask)[0], (key, value)


@wrong("reorder_cache", says="The values you return are the reordered keys.", never="What you return")
def values_copied_from_the_keys(past, parents):
    return [(torch.stack([keys[i] for i in parents]), torch.stack([keys[i] for i in parents])) for keys, _ in past]


@wrong("reorder_cache", says="yours has only one, the first: `return` inside a loop ends", never="a list of 2")
def returned_from_within_the_loop(past, parents):
    for keys, values in past:
        return [(keys[parents], values[parents])]
    return []


@wrong("reorder_cache", says="a list of two pairs (keys, values), one for each layer; yours has only one.")
def last_layer_only(past, parents):
    return [(keys[parents], values[parents]) for keys, values in past[-1:]]


@wrong("reorder_cache", says="where it only reorders them", never="Your new row parents[i] is")
def old_rows_sorted_by_their_parents(past, parents):
    order = sorted(range(len(parents)), key=parents.tolist().__getitem__)
    return [(keys[order], values[order]) for keys, values in past]


@wrong("cached_self_attention", says="as if (B, T, d_model) were viewed as (B, H, T, d_k) in one step")
def heads_by_a_reshape(attention, x, past):
    B, T, _ = x.shape
    P = 0 if past is None else past[0].size(2)
    q, k, v = (each(x).reshape(B, attention.heads, T, -1) for each in (attention.W_q, attention.W_k, attention.W_v))
    mixed, longer = attend_with_cache(attention.rotate(q, P), attention.rotate(k, P), v, past)
    return attention.W_o(mixed.transpose(1, 2).flatten(2)), longer


@wrong(
    "cached_self_attention",
    says=("The values that your code returns in the pair have the right numbers", "(attention, x, None)"),
)
def values_by_a_reshape(attention, x, past):
    output, (keys, values) = cached_self_attention(attention, x, past)
    new = attention.W_v(x).reshape(len(x), attention.heads, x.size(1), -1)
    return output, (keys, torch.cat((values[:, :, : -x.size(1)], new), dim=2))


@wrong("cache_bytes", says="an eighth of what it should be")
def eight_bits_in_a_byte(layers, kv_heads, d_k, length, bytes_each):
    return 2 * layers * kv_heads * d_k * length * (bytes_each / 8)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
