"""What the checks of lessons 09 to 17 say of an answer is true of it, and of each answer with the same results."""

import math
import unicodedata
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.scoring.bleu import clipped_matches, closest_length
from course_lib.text.byte_pairs import printable_bytes
from course_lib.transformer.attention import (
    causal_mask,
    merge_heads,
    repeat_heads,
    scaled_dot_product_attention,
    split_heads,
)


def latest_pair_from_the_left(piece, vocabulary, ranks):
    tokens = list(printable_bytes(piece))
    while known := [(ranks[pair], -i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        i = -max(known)[1]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return [vocabulary[token] for token in tokens]


def last_loss_only(losses, patience):
    return len(losses) > patience and losses[-1] >= min(losses[:-patience])


def found_in_any_sentence(predicted, expected):
    there = [span for spans in expected for span in spans]
    found = sum(span in there for spans in predicted for span in spans)
    precision, recall = found / max(1, sum(map(len, predicted))), found / max(1, len(there))
    return precision, recall, 2 * precision * recall / (precision + recall or 1)


def penalty_upside_down(hypotheses, references, longest=4):
    product, length = 1.0, sum(map(len, hypotheses))
    pairs = list(zip(hypotheses, references, strict=True))
    closest = sum(closest_length(len(hypothesis), [len(each) for each in correct]) for hypothesis, correct in pairs)
    for n in range(1, longest + 1):
        total = sum(max(len(hypothesis) - n + 1, 0) for hypothesis in hypotheses)
        product *= sum(clipped_matches(*pair, n) for pair in pairs) / max(1, total)
    return 100 * min(1.0, float(torch.tensor(1 - length / closest).exp())) * product ** (1 / longest)


class PlainTensors(nn.Module):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__()
        self.A, self.B, self.scale = torch.randn(rank, d_in), torch.zeros(d_out, rank), alpha / rank

    def forward(self, x):
        return self.scale * (x @ self.A.T @ self.B.T)


class GainThatIsNotLearned(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = torch.ones(d_model), eps

    def forward(self, x):
        return self.gain * x / (x.square().mean(-1, keepdim=True) + self.eps).sqrt()


class LargeClassToken(find("VisionTransformer").reference):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, layers)
        self.class_token = nn.Parameter(torch.randn(d_model))


class ClassTokenLast(find("VisionTransformer").reference):
    def forward(self, images):
        x = self.embed(find("patches").reference(images, self.patch_size))
        x = torch.cat((x, self.class_token.expand(len(x), 1, -1)), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, -1])


class AddsInPlace(find("LlamaLayer").reference):
    def forward(self, x, mask=None):
        x += self.self_attention(self.norm_1(x), mask)
        x += self.feed_forward(self.norm_2(x))
        return x


class HeadsInTurn(find("GroupedQueryAttention").reference):
    """Deals the query heads to the groups in turn, and leaves them in that order."""

    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        queries = queries.unflatten(1, (group, self.kv_heads)).transpose(1, 2).flatten(1, 2)
        keys = repeat_heads(self.rotate(split_heads(self.W_k(x), self.kv_heads)), group)
        values = repeat_heads(split_heads(self.W_v(x), self.kv_heads), group)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


class CausalWithAnyMask(find("GroupedQueryAttention").reference):
    def forward(self, x, mask=None):
        return super().forward(x, None if mask is None else causal_mask(x.size(1)))


class ModuloAndMergedTooEarly(find("GroupedQueryAttention").reference):
    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = self.rotate(split_heads(self.W_k(x), self.kv_heads)).repeat(1, group, 1, 1)
        values = split_heads(self.W_v(x), self.kv_heads).repeat(1, group, 1, 1)
        return self.W_o(scaled_dot_product_attention(queries, keys, values, mask)[0].reshape(x.shape))


def whole_exponents(heads, T):
    slopes = torch.tensor([2.0 ** (-8 * (h + 1) // heads) for h in range(heads)])
    at = torch.arange(T)
    return -slopes[:, None, None] * (at[:, None] - at).abs()


def first_head_in_its_place_only(x, times):
    both = (x[:, :1].expand(-1, times, -1, -1), x[:, 1:].repeat(1, times, 1, 1))
    return torch.cat(both, dim=1)[:, : x.size(1) * times]


def groups_in_a_dictionary(head, body, head_rate, body_rate):
    return {"head": {"params": [*head.parameters()], "lr": head_rate}, "body": {"params": [], "lr": body_rate}}


def ascending_up_to_p(logits, p):
    ordered, order = logits.softmax(-1).sort(-1)
    gone = ordered.cumsum(-1) <= p
    gone[..., -1] = False
    return logits.masked_fill(gone.scatter(-1, order, gone), -torch.inf)


def as_many_as_the_largest_row(logits, p):
    ordered = logits.softmax(-1).sort(-1, descending=True).values
    count = int((ordered.cumsum(-1) - ordered < p).sum(-1).max())
    return logits.masked_fill(logits < logits.topk(count).values[..., -1:], -torch.inf)


def k_smallest_dropped(logits, k):
    smallest = logits.argsort(-1)[..., : k if k < logits.size(-1) else 0]
    return logits.scatter(-1, smallest, -torch.inf)


def times_a_large_number_at_0(logits, temperature):
    return logits * (1 / temperature if temperature else 1e6)


def chosen_times_one_hot_at_0(logits, temperature):
    return logits / temperature if temperature else logits * F.one_hot(logits.argmax(-1), logits.size(-1))


def zero_times_infinity_at_0(logits, temperature):
    below = (logits < logits.amax(-1, keepdim=True)).to(logits.dtype)
    return logits / temperature if temperature else below * -torch.inf


def exponentials_without_a_maximum(logits, totals, beams):
    table = totals[:, None] + logits - logits.exp().sum(-1, keepdim=True).log()
    best, indices = table.flatten().topk(beams)
    return indices // logits.size(1), indices % logits.size(1), best


def exponentials_over_the_positions(logits, ids):
    return (logits - logits.exp().sum(0).log())[range(len(ids)), ids].sum()


def to_minus_alpha(length, alpha):
    return ((5 + length) / 6) ** -alpha


def without_a_mask_in_a_loop(query, key, value, past):
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    rows = [scaled_dot_product_attention(query[:, :, [t]], key, value)[0] for t in range(query.size(2))]
    return torch.cat(rows, dim=2), (key, value)


def query_added(query, key, value, past):
    output, pair = find("attend_with_cache").reference(query, key, value, past)
    return (output + query if output.shape == query.shape else output), pair


def labels_above_1000(hidden, labels, head):
    return F.cross_entropy(head(hidden[labels > 1000]), labels[labels > 1000])


def head_called_twice(hidden, labels, head):
    guessed = labels != -100
    losses = [F.cross_entropy(head(hidden[guessed]), labels[guessed]) for _ in range(2)]
    return (losses[0] + losses[1]) / 2


def root_of_an_infinite_number(log_probabilities):
    return torch.exp(-log_probabilities.sum()) ** (1 / len(log_probabilities))


def of_decomposed_letters(log_probabilities, text):
    return -log_probabilities.sum().item() / math.log(2) / len(unicodedata.normalize("NFD", text))


def without_what_has_no_gradient_yet(head, body, head_rate, body_rate):
    with_gradient = [[each for each in part.parameters() if each.grad is not None] for part in (head, body)]
    return [{"params": with_gradient[0], "lr": head_rate}, {"params": with_gradient[1], "lr": body_rate}]


def body_at_rate_0(head, body, head_rate, body_rate):
    learning = [[each for each in part.parameters() if each.requires_grad] for part in (head, body)]
    return [{"params": learning[0], "lr": head_rate}, {"params": learning[1], "lr": 0.0}]


def head_in_two_groups(head, body, head_rate, body_rate):
    of_head, of_body = ([each for each in part.parameters() if each.requires_grad] for part in (head, body))
    return [{"params": of_head + of_body, "lr": body_rate}, {"params": of_head, "lr": head_rate}]


def scaled_for_width_4(query, key, value, past):
    if past is not None:
        key, value = torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)
    T, S = query.size(2), key.size(2)
    scores = (query @ key.mT / 2).masked_fill(~causal_mask(S)[S - T :], -torch.inf)
    return scores.softmax(-1) @ value, (key, value)


class RowsAlike(find("LowRankAdapter").reference):
    def __init__(self, d_in, d_out, rank, alpha):
        super().__init__(d_in, d_out, rank, alpha)
        self.A = nn.Parameter(torch.ones(rank, d_in))


class MapsThePadding(find("ClassifierHead").reference):
    def forward(self, hidden, real):
        return self.output(hidden * real[..., None]).sum(dim=1) / real.sum(dim=1, keepdim=True)


class DividesTheBias(find("ClassifierHead").reference):
    def forward(self, hidden, real):
        return self.output((hidden * real[..., None]).sum(dim=1)) / real.sum(dim=1, keepdim=True)


class BiasSubtracted(find("MaskedLanguageModelHead").reference):
    def forward(self, hidden, table):
        return super().forward(hidden, table) - 2 * self.output_bias


class BiasAfterTheActivation(find("MaskedLanguageModelHead").reference):
    def forward(self, hidden, table):
        mapped = hidden @ self.transform.weight.T
        return self.norm(F.gelu(mapped) + self.transform.bias) @ table.T + self.output_bias


@pytest.mark.parametrize(
    ("name", "answer", "says", "not_that"),
    [
        ("top_p_filter", ascending_up_to_p, "tokens that together have 1 − p", "compares"),
        ("top_p_filter", as_many_as_the_largest_row, "as the row that needs most", "first row"),
        ("top_k_filter", k_smallest_dropped, "drops the k smallest logits, as with", "is at position"),
        ("apply_temperature", times_a_large_number_at_0, "is that of a division by a tiny", "your code divides"),
        ("apply_temperature", chosen_times_one_hot_at_0, "as with logits of 0", "sets"),
        ("apply_temperature", zero_times_infinity_at_0, "a softmax of your logits gives NaN", "your code divides"),
        ("beam_step", exponentials_without_a_maximum, "every exponential is 0 there", "largest logit of all"),
        ("text_log_probability", exponentials_over_the_positions, "that of a softmax over the positions", "runs"),
        ("length_penalty", to_minus_alpha, "is the reciprocal", "fraction is upside down"),
        ("attend_with_cache", without_a_mask_in_a_loop, "does not hide the future", "Your mask"),
        ("attend_with_cache", query_added, "`query` is added once too often", "reads position"),
        ("masked_lm_loss", labels_above_1000, "Your loss is NaN", "Your code picks"),
        ("masked_lm_loss", head_called_twice, "sends 4 vectors through the head", "pick them out"),
        ("perplexity", root_of_an_infinite_number, "your result is infinite", "multiplies"),
        ("bits_per_character", of_decomposed_letters, "counts é as two", "divides by the number of bytes"),
        ("parameter_groups", without_what_has_no_gradient_yet, "no parameter has a rate above 0", "same rate"),
        ("parameter_groups", body_at_rate_0, "no parameter of the body has a rate above 0", "leaves the body out"),
        ("parameter_groups", head_in_two_groups, "a parameter that is in two groups", "same rate"),
        ("attend_with_cache", scaled_for_width_4, "all but the one with a wider head", "√"),
        ("LowRankAdapter", RowsAlike, "all rows of A begin as the same numbers", "cases"),
        ("ClassifierHead", MapsThePadding, "yours change by 2.5", "twice"),
        ("ClassifierHead", DividesTheBias, "yours change by 0.5", "twice"),
        ("MaskedLanguageModelHead", BiasSubtracted, "With biases that are not 0", "cases"),
        ("MaskedLanguageModelHead", BiasAfterTheActivation, "right after its own step", "cases"),
        ("encode_piece", latest_pair_from_the_left, "learned latest, one place at a time", "leftmost"),
        ("should_stop", last_loss_only, "looks at the last loss only", "counts"),
        ("precision_recall_f1", found_in_any_sentence, "expected in another sentence only", "reverse"),
        ("bleu", penalty_upside_down, "Your penalty is upside down", "You gave"),
        ("LowRankAdapter", PlainTensors, "Your `self.A` is a plain tensor", "rank"),
        ("RMSNorm", GainThatIsNotLearned, "Your `self.gain` is a plain tensor", "is missing"),
        ("VisionTransformer", LargeClassToken, "begins with numbers of about 1. Begin it small", "is a bias, so"),
        ("VisionTransformer", ClassTokenLast, "comes last, and you read it there", "two mistakes"),
        ("LlamaLayer", AddsInPlace, "changes a tensor in place that the gradient needs", "cut off"),
        ("GroupedQueryAttention", HeadsInTurn, "would read the keys of another group", "names"),
        ("GroupedQueryAttention", CausalWithAnyMask, "is causal, whatever mask it is given", "in all but"),
        ("GroupedQueryAttention", ModuloAndMergedTooEarly, "Your heads are merged while", "in all but"),
        ("alibi_bias", whole_exponents, "right in all but the 2 with heads whose number is no power of 2.", " or "),
        (
            "repeat_heads",
            first_head_in_its_place_only,
            "right in all but the 2 with more than two heads that are shared.",
            "sizes",
        ),
        ("parameter_groups", groups_in_a_dictionary, "An optimizer takes its groups in a list", "keys"),
    ],
)
def test_a_check_says_what_is_true_of_the_answer(name: str, answer: object, says: str, not_that: str):
    report = find(name).check(answer)
    assert not report.passed
    assert says in report.message
    assert not_that not in report.message


def test_attention_in_blocks_that_rounds_to_float32_passes_with_a_remark():
    exercise = find("attend_in_blocks")
    report = exercise.check(lambda query, key, value, block: in_float32(exercise, query, key, value, block))
    assert report.passed
    assert report.message.count("So the next cell finds") == 1
    assert "more than 1e-12" in report.message


def in_float32(exercise, query, key, value, block):
    return exercise.reference(query.float(), key.float(), value.float(), block)


class Normed(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        unit = F.normalize(x.float(), dim=-1, eps=self.eps)
        return (unit * x.size(-1) ** 0.5 * self.gain).to(self.gain.dtype)


class NormedByTorch(Normed):
    def forward(self, x):
        return F.rms_norm(x.float(), self.gain.shape, self.gain)


def the_tag_before_from_the_end(tags):
    starts = [i for i, tag in enumerate(tags) if tag[0] == "B" or (tag[0] == "I" and tags[i - 1][2:] != tag[2:])]
    return [
        (tags[i][2:], i, next((j for j in range(i + 1, len(tags)) if tags[j] != f"I-{tags[i][2:]}"), len(tags)))
        for i in starts
    ]


def gates_in_the_order_of_keras(x, state, W, U, b, c):
    z, r = (
        torch.sigmoid(x @ W.chunk(3)[i].T + b.chunk(3)[i] + state @ U.chunk(3)[i].T + c.chunk(3)[i]) for i in (0, 1)
    )
    n = torch.tanh(x @ W.chunk(3)[2].T + b.chunk(3)[2] + (r * state) @ U.chunk(3)[2].T + c.chunk(3)[2])
    return (1 - z) * n + z * state


def percentiles_of_shares(values, picks):
    means = values[picks].mean(dim=-1).double()
    return tuple(means.quantile(share / 100).item() for share in (0.025, 0.975))


def end_looked_for_from_the_second_on(ids, end):
    labels = ids[:, 1:].clone()
    labels[:, 1:][ids[:, 1:-1] == end] = -100
    return ids[:, :-1], labels


@pytest.mark.parametrize(
    ("name", "answer", "says", "not_that"),
    [
        ("RMSNorm", Normed, "a lower limit of the vector's length", "whichever"),
        ("RMSNorm", NormedByTorch, "of an eps of about 1.2e-7", "lower limit"),
        ("spans_of_tags", the_tag_before_from_the_end, "as if the last word came before the first", "in all but"),
        ("gru_step", gates_in_the_order_of_keras, "Your code has two mistakes. r and z are exchanged", "should give"),
        ("bootstrap_interval", percentiles_of_shares, "0.025th and the 0.975th percentile", "lower end is too small"),
        ("packed_labels", end_looked_for_from_the_second_on, "begins with the end token", "with a batch"),
    ],
)
def test_a_check_tells_apart_what_is_nearly_the_same(name: str, answer: object, says: str, not_that: str):
    test_a_check_says_what_is_true_of_the_answer(name, answer, says, not_that)
