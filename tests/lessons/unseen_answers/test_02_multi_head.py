"""Unseen answers to the exercises of notebook 02_multi_head."""

import math

import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import merge_heads, scaled_dot_product_attention, split_heads
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("split_heads", says="(H * B, T, d_k)")
def heads_in_the_batch(x, heads):
    return torch.cat(x.split(x.size(-1) // heads, -1))


@wrong("split_heads", says="has lost that axis")
def split_and_squeezed(x, heads):
    return split_heads(x, heads).squeeze()


@wrong("merge_heads", says="has lost that axis", never="reshape")
def merged_and_squeezed(x):
    return merge_heads(x).squeeze()


@wrong("merge_heads", says="Each of your rows has T · d_k numbers")
def heads_for_tokens(x):
    return x.transpose(1, 2).reshape(len(x), x.size(1), -1)


@wrong("attend_in_heads", says="joins the heads in reading order", never="right, but")
def keys_given_as_values(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, key))
    return scaled_dot_product_attention(queries, keys, values)[0].reshape(query.shape)


@wrong("multi_head_parameter_count", says="as wide as the tokens", never="four projections")
def wide_heads_without_output(d_model, heads):
    return 3 * heads * (d_model**2 + d_model)


@wrong("multi_head_parameter_count", says="3 · d_model biases", never="leaves out")
def values_without_bias(d_model, heads):
    return 4 * d_model**2 + sum(d_model for _ in ("queries", "keys", "output"))


@wrong("MultiHeadAttention", says="is the average over the heads")
class AverageKept(find("MultiHeadAttention").plain_answer):
    def forward(self, query, key, value, mask=None):
        output = super().forward(query, key, value, mask)
        self.weights = self.weights.mean(1)
        return output


# A right answer, with a method for each part that an answer below gets wrong.
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


@wrong("MultiHeadAttention", says="Your mask is upside down")
class HidesWhatMayBeSeen(MultiHead):
    def mix(self, queries, keys, mask):
        scores = queries @ keys.mT / queries.size(-1) ** 0.5
        return (scores if mask is None else scores.masked_fill(mask, -1e9)).softmax(-1)


@wrong(
    "MultiHeadAttention", says="divided by a sum to which the hidden keys still contribute", never="after the softmax"
)
class HidesTooLate(MultiHead):
    def mix(self, queries, keys, mask):
        weights = super().mix(queries, keys, None)
        return weights if mask is None else weights * mask


@wrong("MultiHeadAttention", says=("the weights of all heads are averaged, or", "all of the projected values"))
class AveragesWeights(MultiHead):
    def mixing(self, weights):
        return weights.mean(1, keepdim=True)


@wrong("attend_in_heads", says="Your heads all read with the weights of head 0")
def weights_of_the_first_head(query, key, value, heads):
    queries, keys, values = (split_heads(x, heads) for x in (query, key, value))
    return merge_heads(scaled_dot_product_attention(queries[:, :1], keys[:, :1], values[:, :1])[1] @ values)


@wrong("attend_in_heads", says="head h begins at feature h, so the heads overlap")
def windows_of_features(query, key, value, heads):
    d_k = query.size(-1) // heads
    pieces = ([x[..., h : h + d_k] for x in (query, key, value)] for h in range(heads))
    return torch.cat([scaled_dot_product_attention(*three)[0] for three in pieces], -1)


@wrong(
    "split_heads", says="In the calls that fail, your heads are right at index 0 of the axis `H`", never="after index 0"
)
def split_into_the_first_head(x, heads):
    return split_heads(x, heads)[:, :1].expand(-1, heads, -1, -1)


@wrong("multi_head_parameter_count", says="In all calls tried, your count is too large.", never="wherever")
def square_of_one_more(d_model, heads):
    return 4 * (d_model + 1) ** 2


@wrong("MultiHeadAttention", says="Your code deals the features out like cards")
class FeaturesDealtOut(MultiHead):
    def forward(self, query, key, value, mask=None):
        projected = (self.W_q(query), self.W_k(key), self.W_v(value))
        dealt = (x.unflatten(-1, (-1, self.heads)).permute(0, 3, 1, 2) for x in projected)
        mixed, self.weights = scaled_dot_product_attention(*dealt, mask)
        return self.W_o(mixed.permute(0, 2, 3, 1).flatten(2))


@wrong(
    "MultiHeadAttention",
    says=("multiplies by `self.W_q.weight`, `self.W_k.weight` and `self.W_v.weight`", "Call the layer"),
    never="other tasks",
)
class WithoutTransposes(MultiHead):
    def forward(self, query, key, value, mask=None):
        layers = ((query, self.W_q), (key, self.W_k), (value, self.W_v))
        projected = (split_heads(x @ layer.weight + layer.bias, self.heads) for x, layer in layers)
        mixed, self.weights = scaled_dot_product_attention(*projected, mask)
        return self.W_o(merge_heads(mixed))


@wrong("MultiHeadAttention", says="merges the heads in reverse order", never="other tasks")
class LastHeadFirst(MultiHead):
    def forward(self, query, key, value, mask=None):
        projected = (self.W_q(query), self.W_k(key), self.W_v(value))
        mixed, self.weights = scaled_dot_product_attention(*(split_heads(x, self.heads) for x in projected), mask)
        return self.W_o(merge_heads(mixed.flip(1)))


@wrong("MultiHeadAttention", says="the right numbers, but some are in the wrong places", never="other tasks")
class OutputReversed(MultiHead):
    def forward(self, query, key, value, mask=None):
        return merge_heads(split_heads(super().forward(query, key, value, mask), self.heads).flip(1))


@wrong(
    "MultiHeadAttention", says="your output is right in all but the one with a mask for each head", never="your code"
)
class HeadsFirst(MultiHead):
    def forward(self, query, key, value, mask=None):
        mask = mask if mask is None or mask.dim() < 4 else mask[:, :1]
        output = super().forward(query, key, value, mask)
        self.weights = self.weights.transpose(0, 1)
        return output


@wrong("multi_head_parameter_count", says="W_o has d_model biases for each head", never="too large")
def output_biases_in_every_head(d_model, heads):
    d_k = d_model // heads
    return heads * (3 * (d_model * d_k + d_k) + (d_k * d_model + d_model))


# The root of d_model for the scale, in several ways.
class ScaledByTheWidth(MultiHead):
    def mix(self, queries, keys, mask):
        return self.softmax(queries @ keys.mT / (self.heads * queries.size(-1)) ** 0.5, mask)

    def softmax(self, scores, mask):
        return torch.softmax(scores if mask is None else scores.masked_fill(~mask, float("-inf")), dim=-1)


class ScaledByTheWidthByParts(ScaledByTheWidth):
    def mix(self, queries, keys, mask):
        root = (self.heads * queries.size(-1)) ** 0.25
        return self.softmax(torch.einsum("bhtd,bhsd->bhts", queries / root, keys / root), mask)


class ScaledByTheWidthBefore(ScaledByTheWidth):
    def mix(self, queries, keys, mask):
        return scaled_dot_product_attention(queries / self.heads**0.5, keys, keys, mask)[1]


class QueriesAsKeys(MultiHead):
    def forward(self, query, key, value, mask=None):
        return super().forward(query, query, query, mask)


class ValuesAsKeys(MultiHead):
    def forward(self, query, key, value, mask=None):
        return super().forward(query, value, key, mask)


class WideHeads(MultiHead):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)
        self.heads = d_model // heads


class Unscaled(ScaledByTheWidth):
    def mix(self, queries, keys, mask):
        return self.softmax(queries @ keys.mT, mask)


for class_with_its_own_weights, words in (
    (ScaledByTheWidth, "Your scores are divided by √d_model"),
    (ScaledByTheWidthByParts, "Your scores are divided by √d_model"),
    (ScaledByTheWidthBefore, "Your scores are divided by √d_model"),
    (Unscaled, "The scale is missing"),
    (QueriesAsKeys, "Your code projects `query` three times"),
    (ValuesAsKeys, "Your code swaps keys and values"),
    (WideHeads, "mixes up the number of heads and their width"),
):
    wrong("MultiHeadAttention", says=words, never="That may not be all")(class_with_its_own_weights)


@wrong("attend_in_heads", says="or if each head reads all of `value` and the results are averaged", never="Your code")
def all_of_value_in_each_head(query, key, value, heads):
    d_k = query.size(-1) // heads
    total = 0
    for h in range(heads):
        q = query[..., h * d_k : (h + 1) * d_k]
        k = key[..., h * d_k : (h + 1) * d_k]
        output, _ = scaled_dot_product_attention(q, k, value)
        total = total + output
    return total / heads


@wrong("MultiHeadAttention", says="reads all of the projected values and the results are averaged", never="may not be")
class AllOfTheValuesInEachHead(MultiHead):
    def forward(self, query, key, value, mask=None):
        queries, keys = split_heads(self.W_q(query), self.heads), split_heads(self.W_k(key), self.heads)
        values = self.W_v(value).unsqueeze(1)  # (B, 1, S, d_model)
        self.weights = self.mix(queries, keys, mask)
        return self.W_o((self.weights @ values).mean(1))


@wrong("split_heads", says="In the calls that fail, your heads are right at index 0 of the axis `H`")
def heads_that_begin_at_h(x, heads):
    d_k = x.size(-1) // heads
    slices = [x[:, :, h : h + d_k] for h in range(heads)]
    return torch.stack(slices, dim=1)


@wrong("merge_heads", says="as a single reshape would read them")
def heads_along_the_tokens(x):
    B, H, T, d_k = x.shape
    one_after_another = torch.cat([x[:, h] for h in range(H)], dim=1)  # (B, H * T, d_k)
    return one_after_another.view(B, T, H * d_k)


@wrong("merge_heads", says="In a batch it mixes the sentences")
def stacked_and_reshaped(x):
    B, H, T, d_k = x.shape
    tokens = [x[:, :, t].reshape(B, H * d_k) for t in range(T)]
    return torch.stack(tokens).reshape(B, T, H * d_k)


@wrong("multi_head_parameter_count", says="You count only d_k biases each")
def biases_of_one_head(d_model, heads):
    d_k = d_model // heads
    return 4 * d_model * d_model + 3 * d_k + d_model


@wrong("multi_head_parameter_count", says="In your count, W_o reads one head only")
def output_that_reads_one_head(d_model, heads):
    d_k = d_model // heads
    one_head = 3 * (d_model * d_k + d_k)
    output = d_k * d_model + d_model
    return heads * one_head + output


@wrong("MultiHeadAttention", says=("so hidden keys keep their weight. Use `scores.masked_fill", "should have −0.7668"))
class MaskAdded(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads, self.d_k = heads, d_model // heads
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        B, T, d_model = query.shape
        q = self.W_q(query).view(B, -1, self.heads, self.d_k).transpose(1, 2)
        k = self.W_k(key).view(B, -1, self.heads, self.d_k).transpose(1, 2)
        v = self.W_v(value).view(B, -1, self.heads, self.d_k).transpose(1, 2)
        scores = q @ k.mT / math.sqrt(self.d_k)
        if mask is not None:
            scores = scores + mask
        self.weights = scores.softmax(dim=-1)
        return self.W_o((self.weights @ v).transpose(1, 2).reshape(B, T, d_model))


@wrong("split_heads", says=("right for one sentence. In a batch it mixes the sentences", "(H, B, T, d_k)"))
def heads_one_after_another_and_viewed(x, heads):
    B, T, d_model = x.shape
    return torch.cat(x.chunk(heads, dim=-1)).view(B, heads, T, d_model // heads)


@wrong("attend_in_heads", says="their numbers alternate")
def heads_stacked_on_the_last_axis(query, key, value, heads):
    outputs = []
    for q, k, v in zip(*(x.chunk(heads, dim=-1) for x in (query, key, value)), strict=True):
        outputs.append(scaled_dot_product_attention(q, k, v)[0])
    return torch.stack(outputs, dim=-1).flatten(2)


@wrong("multi_head_parameter_count", says="d_k biases for each of the four projections")
def biases_as_wide_as_a_head(d_model, heads):
    return 4 * (d_model * d_model + d_model // heads)


@wrong("MultiHeadAttention", says=("the shape (3, 5), but the one that it passes on has (3, 1, 5)", "unchanged"))
class MaskWithOneMoreAxis(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            mask = mask.unsqueeze(1)
        projected = self.W_q(query), self.W_k(key), self.W_v(value)
        mixed, self.weights = scaled_dot_product_attention(*(split_heads(x, self.heads) for x in projected), mask)
        return self.W_o(merge_heads(mixed))


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
