"""Unseen answers to the exercises of notebook 02_multi_head."""

import torch

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


@wrong("MultiHeadAttention", says="Your heads all read with the average of their weights")
class AveragesWeights(MultiHead):
    def mixing(self, weights):
        return weights.mean(1, keepdim=True)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
