"""Answers to the exercises of notebooks 00 to 04 that once passed, or of which a check said what is not so."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.text.byte_pairs import count_pairs, merge_pair
from course_lib.transformer.attention import (
    dot_product_scores,
    merge_heads,
    scaled_dot_product_attention,
    softmax,
    split_heads,
)
from course_lib.transformer.positions import sinusoidal

WRONG: list[tuple[str, str, str, Any]] = []  # exercise, words in the message, words that are not true of it, answer


def wrong(name: str, says: str, not_that: str = "!") -> Callable[[Any], Any]:
    """Add a wrong answer to an exercise, with words that its message contains, and words that it does not."""

    def add(answer: Any) -> Any:
        WRONG.append((name, says, not_that, answer))
        return answer

    return add


@wrong("softmax", "as if the sum had lost its axis", "maximum is subtracted")
def exp_of_a_difference(x, dim):
    return (x - torch.logsumexp(x, dim)).exp()


@wrong("softmax", "wrong by a factor, `exp` of the maximum")
def maximum_put_back(x, dim):
    return softmax(x, dim) * x.amax(dim, keepdim=True).exp()


@wrong("softmax", "the smallest number gets the largest share", "because your code")
def of_reciprocals(x, dim):
    exponentials = 1 / (x - x.amin(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


@wrong("softmax", "each of your rows adds up to the number of its elements".capitalize(), "divides by the mean")
def times_the_count(x, dim):
    return softmax(x, dim) * x.size(dim)


@wrong("softmax", "0 in place of NaN hides that", "does not depend on")
def overflow_hidden(x, dim):
    return torch.nan_to_num(x.exp() / x.exp().sum(dim, keepdim=True))


@wrong("attend_one_query", "Every weight is 1", "Your softmax runs along")
def plain_sum(query, key, value):
    return value.sum(0)


@wrong("attend_one_query", "Your output is divided by the number of keys", "averages")
def divided_by_the_number_of_keys(query, key, value):
    return torch.softmax(key @ query, 0) @ value / len(key)


@wrong("attend_one_query", "Your output is the last weighted value alone", "Your loop")
def last_one(query, key, value):
    return torch.softmax(key @ query, 0)[-1] * value[-1]


@wrong("attend_one_query", "Your scores are divided by √d_k")
def with_the_scale_of_torch(query, key, value):
    return F.scaled_dot_product_attention(query[None], key, value)[0]


@wrong("dot_product_scores", "Let each row belong to a query", "Put the queries first")
def turned_at_the_end(query, key):
    return (query @ key.T).T


@wrong("dot_product_scores", "Your scores are divided by d_k", "takes the mean")
def divided_by_d_k(query, key):
    return query @ key.T / query.size(1)


@wrong("dot_product_scores", "The last row of your table is all zeros", "Your loop")
def without_the_last_query(query, key):
    return F.pad(dot_product_scores(query[:-1], key), (0, 0, 0, 1))


@wrong("attention_weights", "subtracts each row's minimum")
def above_the_minimum(scores):
    above = scores - scores.min(1, keepdim=True).values
    return F.normalize(above, p=1, dim=1)


@wrong("mix_values", "the plain sum of the values", "adds up the weights")
def sum_of_values(weights, value):
    return value.sum(0).expand(len(weights), -1)


@wrong("entropy_of_weights", "Your entropy is in bits", "takes the logarithm")
def in_bits(weights):
    return torch.special.entr(weights).sum(-1) / 0.6931471805599453


@wrong("entropy_of_weights", "Note that a mask as index")
def flattened_by_a_mask(weights):
    positive = weights[weights > 0]
    return -(positive * positive.log()).sum(dim=-1)


@wrong("entropy_of_weights", "weights")
def kept_away_from_0_too_far(weights):
    return -(weights * weights.clamp_min(1e-3).log()).sum(-1)


@wrong("scaled_dot_product_attention", "divided by a sum to which the hidden keys still contribute", "softmax, so")
def exponentials_masked(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp()
    kept = exponentials if mask is None else exponentials * mask
    weights = kept / exponentials.sum(-1, keepdim=True)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", "Your hidden scores are only 1 lower", "adds the mask")
def hidden_scores_lowered_by_1(query, key, value, mask=None):
    scores = query @ key.mT / query.size(-1) ** 0.5
    weights = torch.softmax(scores if mask is None else torch.where(mask, scores, scores - 1), -1)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", "With a mask all your weights are NaN", "multiplies the mask")
def nan_with_a_mask(query, key, value, mask=None):
    weights = torch.softmax(query @ key.mT / query.size(-1) ** 0.5, -1) * (1 if mask is None else torch.nan)
    return weights @ value, weights


@wrong("scaled_dot_product_attention", "Your scores are divided by d_k and by 2", "comes last")
def divided_by_twice_the_width(query, key, value, mask=None):
    return find("scaled_dot_product_attention").reference(query / (2 * query.size(-1) ** 0.5), key, value, mask)


@wrong("additive_attention", "the keys' part meets `v_a` without a tanh", "The tanh is missing")
def tanh_of_the_query_only(query, key, value, W_a, U_a, v_a, mask=None):
    scores = torch.tanh(query @ W_a.T).unsqueeze(-2) @ v_a + (key @ U_a.T @ v_a).unsqueeze(-2)
    weights = torch.softmax(scores if mask is None else scores.masked_fill(~mask, -torch.inf), -1)
    return weights @ value, weights


@wrong("split_heads", "(H * B, T, d_k)")
def heads_in_the_batch(x, heads):
    return torch.cat(x.split(x.size(-1) // heads, -1))


@wrong("split_heads", "has lost that axis")
def split_and_squeezed(x, heads):
    return split_heads(x, heads).squeeze()


@wrong("merge_heads", "has lost that axis", "reshape")
def merged_and_squeezed(x):
    return merge_heads(x).squeeze()


@wrong("merge_heads", "Each of your rows has T · d_k numbers")
def heads_for_tokens(x):
    return x.transpose(1, 2).reshape(len(x), x.size(1), -1)


@wrong("attend_in_heads", "joins the heads in reading order", "right, but")
def keys_given_as_values(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, key))
    return scaled_dot_product_attention(queries, keys, values)[0].reshape(query.shape)


@wrong("multi_head_parameter_count", "as wide as the tokens", "four projections")
def wide_heads_without_output(d_model, heads):
    return 3 * heads * (d_model**2 + d_model)


@wrong("multi_head_parameter_count", "3 · d_model biases", "leaves out")
def values_without_bias(d_model, heads):
    return 4 * d_model**2 + sum(d_model for _ in ("queries", "keys", "output"))


@wrong("MultiHeadAttention", "is the average over the heads")
class AverageKept(find("MultiHeadAttention").plain_answer):
    def forward(self, query, key, value, mask=None):
        output = super().forward(query, key, value, mask)
        self.weights = self.weights.mean(1)
        return output


class MultiHead(find("MultiHeadAttention").plain_answer):
    def forward(self, query, key, value, mask=None):
        projected = (self.W_q(query), self.W_k(key), self.W_v(value))
        queries, keys, values = (split_heads(x, self.heads) for x in projected)
        self.weights = self.mix(queries, keys, mask)
        return self.W_o(merge_heads(self.mixing(self.weights) @ values))

    def mix(self, queries, keys, mask):
        return scaled_dot_product_attention(queries, keys, keys, mask)[1]

    def mixing(self, weights):
        return weights


@wrong("MultiHeadAttention", "Your mask is upside down")
class HidesWhatMayBeSeen(MultiHead):
    def mix(self, queries, keys, mask):
        scores = queries @ keys.mT / queries.size(-1) ** 0.5
        return (scores if mask is None else scores.masked_fill(mask, -1e9)).softmax(-1)


@wrong("MultiHeadAttention", "divided by a sum to which the hidden keys still contribute", "after the softmax")
class HidesTooLate(MultiHead):
    def mix(self, queries, keys, mask):
        weights = super().mix(queries, keys, None)
        return weights if mask is None else weights * mask


@wrong("MultiHeadAttention", "Your heads all read with the average of their weights")
class AveragesWeights(MultiHead):
    def mixing(self, weights):
        return weights.mean(1, keepdim=True)


@wrong("count_pairs", "leaves out pairs that occur once")
def frequent_pairs_only(words):
    return {pair: times for pair, times in find("count_pairs").reference(words).items() if times >= 2}


@wrong("learn_merges", "your code does not take the one with the smaller second id", "looks at the first id only")
def largest_second_id(words, count):
    merges: list[tuple[int, int]] = []
    while len(merges) < count and (counts := count_pairs(words)):
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair[0], -pair[1])))
        new_id = 255 + len(merges)
        words = {tuple(merge_pair(word, merges[-1], new_id)): times for word, times in words.items()}
    return merges


@wrong("apply_merges", "returns the word unchanged", "`merge_pair` returns")
def as_it_is(word, merges):
    return [*word]


@wrong("embed", "takes row 0 for the id 6")
def ids_wrapped_round(ids, table):
    return table[ids % len(table)]


@wrong("embed", "takes row 5 for the id 6")
def ids_clamped(ids, table):
    return table[ids.clamp(max=len(table) - 1)]


@wrong("sinusoidal", "Your angles are whole numbers")
def whole_radians(length, d_model):
    angles = torch.arange(length)[:, None] // 10_000 ** (torch.arange(0, d_model, 2) / d_model)
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1)


@wrong("sinusoidal", "Your last row is all zeros", "because your loop")
def padded_at_the_end(length, d_model):
    return F.pad(sinusoidal(length - 1, d_model), (0, 0, 0, 1))


@wrong("rotary", "right in all but")
def positions_of_1024_at_most(x):
    start, rest = x[..., :1024, :], x[..., 1024:, :]
    rotate = find("rotary").reference
    return torch.cat((rotate(start), rotate(rest)), -2)


class WithTable(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.max_length = max_length
        self.table = nn.Parameter(torch.randn(max_length, d_model) * 0.02)


@wrong("LearnedPositions", "adds the vector of position 0 at position 5")
class StartsAgain(WithTable):
    def forward(self, x):
        return x + self.table[torch.arange(x.size(1)) % self.max_length]


@wrong("LearnedPositions", "adds the vector of position 4 at position 5")
class StaysAtTheLast(WithTable):
    def forward(self, x):
        return x + self.table[torch.arange(x.size(1)).clamp(max=self.max_length - 1)]


@wrong("LearnedPositions", "takes a text of 7 tokens, and returns 5")
class CutsTheText(WithTable):
    def forward(self, x):
        x = x[:, : self.max_length]
        return x + self.table[: x.size(1)]


@wrong("LearnedPositions", "`self.rows` has a `padding_idx`, so its row 0 gets no gradient", "several tasks")
class FirstRowForPadding(nn.Module):
    def __init__(self, max_length, d_model):
        super().__init__()
        self.rows = nn.Embedding(max_length, d_model, padding_idx=0)

    def forward(self, x):
        return x + self.rows(torch.arange(x.size(1)))


@pytest.mark.parametrize(
    ("name", "says", "not_that", "answer"), WRONG, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_wrong_answer_is_refused_with_what_is_true_of_it(name: str, says: str, not_that: str, answer: Any):
    report = find(name).check(answer)
    assert not report.passed
    assert says in report.message
    assert not_that not in report.message


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("embed", lambda ids, table: (ids[..., None] == torch.arange(len(table))).to(table.dtype) @ table),
        ("entropy_of_weights", lambda weights: -(weights * weights.clamp_min(1e-12).log()).sum(-1)),
    ],
)
def test_a_right_answer_passes(name: str, answer: Any):
    assert find(name).check(answer).passed
