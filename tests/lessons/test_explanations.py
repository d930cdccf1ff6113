"""What the checks say about slips that no comparison of results shows: errors, what a class keeps, how it begins."""

import math

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.judging.checking import check
from course_lib.text.byte_pairs import BYTES, count_pairs, merge_pair
from course_lib.transformer.attention import padding_mask, scaled_dot_product_attention
from course_lib.transformer.blocks import online_softmax_step
from course_lib.transformer.images import patches
from course_lib.transformer.positions import embed_with_positions


class MultipliedByALayer(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.heads = heads
        self.W_q = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        return query @ self.W_q


def lists_as_keys(words, count):
    merges = []
    while len(merges) < count and (counts := count_pairs(words)):
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        words = {merge_pair(word, pair, 256 + len(merges)): times for word, times in words.items()}
        merges.append(pair)
    return merges


def decoded_strictly(ids, merges):
    table = [bytes([byte]) for byte in BYTES]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[i] for i in ids).decode("utf-8")


class KeepsMeanWeights(find("MultiHeadAttention").reference):
    def forward(self, query, key, value, mask=None):
        self.weights = torch.ones(len(query), query.size(1), key.size(1))
        return super().forward(query, key, value, mask)


class KeepsOtherWeights(find("MultiHeadAttention").reference):
    def forward(self, query, key, value, mask=None):
        self.weights = torch.ones(len(query), 4, query.size(1), key.size(1)) / key.size(1)
        return super().forward(query, key, value, mask)


class StepsInAPlainListToo(find("FeedForward").reference):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)
        self.steps = [*self.children(), {"gain": next(self.parameters())}]


class StepsInAPlainListOnly(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.W_1 = nn.Linear(d_model, d_ff)
        self.steps = [self.W_1, activation, nn.Linear(d_ff, d_model)]

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


class CrossAttentionUnderTheOtherMask(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.self_attention(x, x, x, mask))
        x = self.norm_2(x + self.cross_attention(x, memory, memory, mask))
        return self.norm_3(x + self.feed_forward(x))


def kept_in_the_order_of_the_logits(logits, p):
    ordered, order = logits.sort(-1, descending=True)
    probabilities = ordered.softmax(-1)
    kept = probabilities.cumsum(-1) - probabilities < p
    return logits.masked_fill(~kept.gather(-1, order), -torch.inf)


def blocks_of_queries(query, key, value, block):
    return torch.cat([scaled_dot_product_attention(each, key, value)[0] for each in query.split(block)])


def blocks_of_keys(query, key, value, block):
    maximum = torch.full((len(query), 1), -torch.inf)
    total, mixed = torch.zeros_like(maximum), torch.zeros(len(query), value.size(1))
    for keys, values in zip(key.split(block), value.split(block), strict=True):
        scores = query @ keys.mT * query.size(-1) ** -0.5
        maximum, total, mixed = online_softmax_step(maximum, total, mixed, scores, values)
    return mixed / total


def hidden_by_minus_1e9_upside_down(query, key, value, mask=None):
    scores = query @ key.mT / key.size(-1) ** 0.5
    weights = (scores if mask is None else scores + mask * -1e9).softmax(-1)
    return weights @ value, weights


def hidden_by_minus_5(query, key, value, mask=None):
    scores = query @ key.mT / key.size(-1) ** 0.5
    weights = (scores if mask is None else scores.masked_fill(~mask, -5)).softmax(-1)
    return weights @ value, weights


def parents_assigned(past, parents, make):
    new = []
    for layer in past:
        pair = [make(cached) for cached in layer]
        for made, cached in zip(pair, layer, strict=True):
            made[parents] = cached
        new.append(pair)
    return new


def parents_assigned_to_empty(past, parents):
    return parents_assigned(past, parents, lambda cached: torch.empty_like(cached).fill_(0.123))


def parents_assigned_to_zeros(past, parents):
    return parents_assigned(past, parents, torch.zeros_like)


def parents_assigned_to_a_copy(past, parents):
    return parents_assigned(past, parents, torch.clone)


def wilson_with_4_n(right, total):
    z, p = 1.96, right / total
    spread = z * math.sqrt(p * (1 - p) / total + z**2 / (4 * total))
    return tuple((p + z**2 / (2 * total) + sign * spread) / (1 + z**2 / total) for sign in (-1, 1))


def attention_at_once(query, key, value, block):
    return scaled_dot_product_attention(query, key, value)[0]


def attention_by_torch_at_once(query, key, value, block):
    return torch.nn.functional.scaled_dot_product_attention(query, key, value)


def one_query_at_a_time(query, key, value, block):
    return torch.stack([(key @ each / len(each) ** 0.5).softmax(0) @ value for each in query])


def head_on_all_positions(hidden, labels, head):
    return torch.nn.functional.cross_entropy(head(hidden).flatten(0, 1), labels.flatten(), ignore_index=-100)


class AdapterWithBiases(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.down, self.up = nn.Linear(d_in, rank), nn.Linear(rank, d_out, bias=False)
        nn.init.zeros_(self.up.weight)
        self.scale = alpha / rank

    def forward(self, x):
        return self.scale * self.up(self.down(x))


class GateWithABias(find("SwiGLU").reference):
    def __init__(self, d_model, d_ff):
        super().__init__(d_model, d_ff)
        self.W_2 = nn.Linear(d_ff, d_model)


class GroupsWithBiases(find("GroupedQueryAttention").reference):
    def __init__(self, d_model, heads, kv_heads, rotate):
        super().__init__(d_model, heads, kv_heads, rotate)
        self.W_q, self.W_o = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)


class NormOfTheTokensType(find("RMSNorm").reference):
    def forward(self, x):
        return super().forward(x).to(x.dtype)


class ClassTokenNotRepeated(find("VisionTransformer").reference):
    def forward(self, images):
        x = self.embed(patches(images, self.patch_size))
        x = torch.cat((self.class_token[None, None], x), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, 0])


class OnlyTheFirstLayer(find("Transformer").reference):
    def encode(self, source_ids):
        x, mask = embed_with_positions(source_ids, self.source_table), padding_mask(source_ids, 0)
        for layer in self.encoder:
            x = layer(x, mask)
            break
        return x


class OnlyTheLastLayer(find("Transformer").reference):
    def encode(self, source_ids):
        x, mask = embed_with_positions(source_ids, self.source_table), padding_mask(source_ids, 0)
        for layer in self.encoder:
            y = layer(x, mask)
        return y


class StatisticsWithoutGradient(find("LayerNorm").reference):
    def forward(self, x):
        with torch.no_grad():
            mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
        return self.gain * (x - mean) / (variance + self.eps).sqrt() + self.bias


class AdapterThatBeginsTheOtherWay(find("LowRankAdapter").reference):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__(d_in, d_out, rank, alpha)
        nn.init.zeros_(self.A)
        nn.init.normal_(self.B)


@pytest.mark.parametrize(
    ("name", "answer", "says"),
    [
        ("MultiHeadAttention", KeepsMeanWeights, "Keep all attention weights, (B, H, T, S)"),
        ("MultiHeadAttention", KeepsOtherWeights, "is not the attention weights of the latest call"),
        ("LowRankAdapter", AdapterThatBeginsTheOtherWay, "In your adapter, A begins at 0, and B at random."),
        ("MultiHeadAttention", MultipliedByALayer, "Call the layer: `self.W_q(query)`."),
        ("FeedForward", StepsInAPlainListOnly, "are in a plain Python list"),
        ("DecoderLayer", CrossAttentionUnderTheOtherMask, "Your cross-attention runs under `mask`"),
        ("attend_in_blocks", blocks_of_queries, "your code holds a tensor of 768 numbers at once"),
        ("attend_in_blocks", blocks_of_queries, "here 64: take the keys block by block, too."),
        ("attend_in_blocks", blocks_of_keys, "your code holds a tensor of 512 numbers at once"),
        ("attend_in_blocks", blocks_of_keys, "here 64: take the queries block by block, too."),
        ("attend_in_blocks", attention_at_once, "take a block of queries and a block of keys at a time."),
        ("attend_in_blocks", attention_at_once, "your code holds a tensor of 6,144 numbers at once"),
        ("attend_in_blocks", attention_by_torch_at_once, "your code holds a tensor of 6,144 numbers at once"),
        ("attend_in_blocks", one_query_at_a_time, "your code holds a query's scores for all 96 keys at once"),
        ("masked_lm_loss", head_on_all_positions, "calls the head on 5 positions, though only 2 have a label"),
        (
            "LowRankAdapter",
            AdapterWithBiases,
            "Your class learns a bias, `self.down.bias`. Here the linear maps have none",
        ),
        ("SwiGLU", GateWithABias, "Your class learns a bias, `self.W_2.bias`."),
        ("GroupedQueryAttention", GroupsWithBiases, "Your class learns two biases, `self.W_q.bias` and "),
        ("RMSNorm", NormOfTheTokensType, "With a gain of float16 and tokens of float32 your result is float32."),
        (
            "VisionTransformer",
            ClassTokenNotRepeated,
            "here one size is 1, and the other 3. `expand` repeats what is there once",
        ),
        ("Transformer", OnlyTheFirstLayer, "put `return` below the loop"),
        ("Transformer", OnlyTheLastLayer, "in `self.encoder`, only the last has an effect"),
        ("LayerNorm", StatisticsWithoutGradient, "The gradient is cut off, for example by `torch.no_grad()`"),
        ("reach", lambda layers, window: layers * window, "Your code counts a whole window for each layer."),
        ("reorder_cache", parents_assigned_to_empty, "row i at position parents[i]"),
        ("reorder_cache", parents_assigned_to_zeros, "row i to position parents[i]"),
        ("reorder_cache", parents_assigned_to_a_copy, "row i to position parents[i]"),
        ("masked_weights", lambda scores, mask: scores.where(mask, -1.0).softmax(-1), "the hidden scores with −1."),
        ("masked_weights", lambda scores, mask: scores.where(mask, -10.0).softmax(-1), "the hidden scores with −10."),
        ("masked_weights", lambda scores, mask: scores.where(mask, -2.5).softmax(-1), "the hidden scores with −2.5."),
        ("scaled_dot_product_attention", hidden_by_minus_5, "the hidden scores with −5."),
        ("wilson_interval", wilson_with_4_n, "the division should be by 4 · total²."),
        ("perplexity", lambda given: torch.exp(-given.sum()), "Your result is the product of all 1/p"),
        ("perplexity", lambda given: math.exp(-given.sum()), "Your result is the product of all 1/p"),
        ("entropy_of_weights", lambda given: -(given * (given + 0.01).log()).sum(-1), "adds 0.01 inside the logarithm"),
        ("entropy_of_weights", lambda given: -(given * (given + 0.1).log()).sum(-1), "adds 0.1 inside the logarithm"),
        ("learn_merges", lists_as_keys, "Lists cannot be keys of a dictionary"),
        ("bpe_decode", decoded_strictly, '`.decode("utf-8", errors="replace")`'),
    ],
)
def test_the_check_says_what_to_do(name: str, answer: object, says: str):
    report = check(find(name), answer)
    assert not report.passed
    assert says in report.message


def test_a_layer_that_torch_knows_may_be_in_a_plain_list_too():
    assert check(find("FeedForward"), StepsInAPlainListToo).passed


@pytest.mark.parametrize(
    ("name", "answer", "mistake"),
    [
        ("scaled_dot_product_attention", hidden_by_minus_1e9_upside_down, "mask upside down"),
        ("mix_values", lambda weights, value: torch.einsum("st,sd->td", weights, value), "weights transposed"),
        ("top_p_filter", kept_in_the_order_of_the_logits, "put back the wrong way"),
    ],
)
def test_a_mistake_is_named_without_a_remark_where_it_fails_and_the_answer_does_not(name, answer, mistake):
    exercise = find(name)
    report = check(exercise, answer)
    assert report.message == next(each.message for each in exercise.mistakes if each.name == mistake)
