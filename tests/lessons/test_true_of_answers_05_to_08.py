"""What the checks of lessons 05 to 08 say of an answer is true of each answer with the same results.

Each answer here is written quite differently from the known mistake that gives its results.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.layers import post_norm
from course_lib.transformer.positions import embed_with_positions

WRONG: list[tuple[str, str, str, Any]] = []  # exercise, what the message says, what it does not say, answer


def wrong(name: str, says: str, not_that: str) -> Callable[[Any], Any]:
    """Add a wrong answer to an exercise, with words that its message contains, and words that would not be true."""

    def add(answer: Any) -> Any:
        WRONG.append((name, says, not_that, answer))
        return answer

    return add


# 05: the encoder.


@wrong("gelu", "Your share is (1 + erf(x)) / 2", "missing in your code")
def narrower_normal_distribution(x):
    return x * torch.distributions.Normal(0.0, 2**-0.5).cdf(x)


@wrong("post_norm", "Your sum is twice sublayer(x)", "should give")
def x_overwritten(x, sublayer, norm):
    x = sublayer(x)
    return norm(x + x)


@wrong("post_norm", "is not normalised", "Call `norm`")
def norm_thrown_away(x, sublayer, norm):
    x = x + sublayer(x)
    norm(x)
    return x


@wrong("pre_norm", "is missing from your result, which is x + norm(x)", "never calls")
def sublayer_thrown_away(x, sublayer, norm):
    x, read = x.clone(), norm(x)
    sublayer(read)
    return x + read


@wrong("FeedForward", "The activation has no effect", "never calls")
class ActivationThrownAway(find("FeedForward").reference):
    def forward(self, x):
        hidden = self.W_1(x)
        self.activation(hidden)
        return self.W_2(hidden)


@wrong("FeedForward", "no biases that torch trains", "Your maps have no biases:")
class PlainBiases(nn.Module):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__()
        self.up, self.down = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_ff, d_model, bias=False)
        self.b_1, self.b_2, self.activation = torch.zeros(d_ff), torch.zeros(d_model), activation

    def forward(self, x):
        return self.down(self.activation(self.up(x) + self.b_1)) + self.b_2


@wrong("EncoderLayer", "Your feed-forward has no effect", "ends after")
class FeedForwardThrownAway(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        x = post_norm(x, lambda y: self.dropout(self.self_attention(y, y, y, mask)), self.norm_1)
        post_norm(x, lambda y: self.dropout(self.feed_forward(y)), self.norm_2)
        return x


@wrong("EncoderLayer", "normalises neither of its two sums", "has no norms")
class NormsThrownAway(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        x = x + self.dropout(self.self_attention(x, x, x, mask))
        self.norm_1(x)
        x = x + self.dropout(self.feed_forward(x))
        self.norm_2(x)
        return x


@wrong("EncoderLayer", "The mask has no effect", "never reaches")
class EverythingOpen(find("EncoderLayer").reference):
    def forward(self, x, mask=None):
        return super().forward(x, None if mask is None else torch.ones_like(mask))


# 06: the decoder.


@wrong("causal_mask", "Your diagonal is False in all rows but the first", "shifted")
def first_row_mended(T):
    mask = torch.arange(T)[:, None] > torch.arange(T)
    mask[0, 0] = True
    return mask


@wrong("masked_weights", "the exponential of every open score is 0 beside it", "after the softmax")
def largest_of_all_keys(scores, mask):
    exponentials = (scores - scores.amax(-1, keepdim=True)).exp() * mask
    return exponentials / exponentials.sum(-1, keepdim=True)


@wrong("masked_weights", "no longer add up to 1", "after the softmax")
def logarithm_of_a_sum_over_all(scores, mask):
    return (scores - scores.logsumexp(-1, keepdim=True)).exp() * mask


@wrong("masked_weights", "multiplied by the mask", "Your code fills")
def scores_times_mask(scores, mask):
    return (scores * mask).softmax(-1)


@wrong("masked_weights", "beside the largest open score of the whole tensor", "subtracts the largest")
def softmax_of_the_whole_tensor(scores, mask):
    weights = scores.masked_fill(~mask, -torch.inf).flatten().softmax(0).view_as(scores)
    return weights / weights.sum(-1, keepdim=True)


@wrong("masked_weights", "lowered by a number such as 10000", "fills")
def minus_100_added(scores, mask):
    return (scores + torch.where(mask, 0.0, -100.0)).softmax(-1)


@wrong("inputs_and_labels", "The last of your labels is the first token", "Your code rolls")
def round_the_end(ids):
    return ids, torch.cat((ids[:, 1:], ids[:, :1]), dim=1)


@wrong("inputs_and_labels", "After the last input comes the last token", "should be")
def labels_from_the_inputs(ids):
    inputs = ids[:, :-1]
    return inputs, torch.cat((inputs[:, 1:], inputs[:, :1]), dim=1)


def surprise(p, labels):
    counts = labels != -100
    return -p[counts][torch.arange(int(counts.sum())), labels[counts]].log().mean()


@wrong("cross_entropy", "cannot fall below 1e-09, which is added to them or is their limit", "adds")
def cut_off_at_1e_9(logits, labels):
    return surprise(logits.softmax(-1).clamp(min=1e-9), labels)


@wrong("cross_entropy", "cannot fall below 1e-12", "should be")
def with_1e_12(logits, labels):
    return surprise(logits.softmax(-1) + 1e-12, labels)


@wrong("smoothed_cross_entropy", "cannot fall below 1e-08", "should be")
def smoothed_and_cut_off(logits, labels, epsilon):
    p, counts = logits.softmax(-1).clamp(min=1e-8), labels != -100
    return (1 - epsilon) * surprise(p, labels) - epsilon * p.log().mean(-1)[counts].mean()


@wrong("cross_entropy", "a loss for each position, in one row", "divides by all positions")
def not_reduced(logits, labels):
    return F.nll_loss(logits.log_softmax(-1).flatten(0, 1), labels.flatten(), reduction="none")


@wrong("continue_greedily", "from the newest one alone", "passes only")
def one_text_for_each_token(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(int(model(torch.tensor(text)[:, None])[-1, -1].argmax()))
    return text[len(ids) :]


@wrong("continue_greedily", "do not know the newest token", "takes the prediction before")
def without_the_newest(model, ids, length):
    text = list(ids)
    for _ in range(length):
        text.append(int(model(torch.tensor([text[:-1] or text]))[0, -1].argmax()))
    return text[len(ids) :]


@wrong("continue_greedily", "For `length` 0, your code returns the text", "returns the last")
def nothing_to_do(model, ids, length):
    return find("continue_greedily").reference(model, ids, length) if length else ids


@wrong("LanguageModel", "your logits come from the embeddings", "each layer reads")
class LayersNeverCalled(find("LanguageModel").reference):
    def forward(self, ids):
        return self.dropout(embed_with_positions(ids, self.table)) @ self.table.T


@wrong("LanguageModel", "There are two mistakes. First: Your model ends in a softmax", "should be -")
class LookedUpAndSoftmax(find("LanguageModel").reference):
    def forward(self, ids):
        x = self.dropout(self.table[ids])
        for layer in self.layers:
            x = layer(x, causal_mask(ids.size(1)))
        return torch.softmax(x @ self.table.T, dim=-1)


# 07: the Transformer.


@wrong("DecoderLayer", "The memory has no effect", "has no cross-attention")
class MemoryThrownAway(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)


@wrong("DecoderLayer", "what it reads is not added to what it computes", "Add x")
class OverwrittenBeforeTheSum(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.cross_attention(x, memory, memory, memory_mask)
        x = self.norm_2(x + x)
        return post_norm(x, self.feed_forward, self.norm_3)


@wrong("greedy_translation", "`max_length` has no effect", "however long")
def a_limit_of_its_own(model, source_ids, max_length):
    return find("greedy_translation").reference(model, source_ids, 50)


@wrong("padding_mask", "as many positions from the left as a text has words", "should give")
def by_lengths(ids, pad):
    rows = [torch.arange(len(row)) < sum(i != pad for i in row) for row in ids.tolist()]
    return torch.stack(rows)[:, None, None]


@wrong("learning_rate", "Your second term is (step · warmup)^−1.5", "right for the example")
def brackets_around_the_product(step, d_model, warmup):
    return float(min(step**-0.5, 1 / (step * warmup) ** 1.5) / d_model**0.5)


# 08: inside the translator.


@wrong("alignment_from_weights", "only the last of them has a link", "right for the example")
def source_words_as_keys(weights):
    links: dict[int, int] = {}
    for target, row in enumerate(weights):
        links[int(row.argmax())] = target
    return set(links.items())


def error_of(numbers, confidence, correct):
    gaps: dict[int, float] = {}
    for number, p, is_right in zip(numbers, confidence.tolist(), correct.tolist(), strict=True):
        gaps[number] = gaps.get(number, 0.0) + is_right - p
    return torch.tensor(sum(map(abs, gaps.values())) / len(confidence), dtype=confidence.dtype)


@wrong("calibration_error", "exactly 1 is in the first bin", "bin of its own")
def remainder(confidence, correct, bins):
    return error_of((np.floor(confidence.numpy() * bins) % bins).astype(int), confidence, correct)


@wrong("calibration_error", "exactly 0 has a bin of its own", "leaves out")
def rounded_up(confidence, correct, bins):
    return error_of(np.ceil(confidence.numpy() * bins).astype(int), confidence, correct)


@wrong("calibration_error", "exactly 0 is in the last bin", "leaves out")
def index_of_minus_one(confidence, correct, bins):
    gaps = [0.0] * bins
    numbers = np.ceil(confidence.numpy() * bins).astype(int) - 1
    for number, p, is_right in zip(numbers, confidence.tolist(), correct.tolist(), strict=True):
        gaps[number] += is_right - p
    return torch.tensor(sum(map(abs, gaps)) / len(confidence), dtype=confidence.dtype)


@wrong("calibration_error", "from the lowest confidence to the highest", "too large")
def limits_from_the_numbers(confidence, correct, bins):
    low, high = float(confidence.min()), float(confidence.max())
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    numbers = ((confidence.double().numpy() - low) / (high - low) * bins).astype(int).clip(max=bins - 1)
    return error_of(numbers, confidence, correct)


@wrong("wilson_interval", "Your two roots have the wrong sign", "too small")
def plus_b(right, total):
    share, c = right / total, 1.96**2 / total
    a, b, d = 1 + c, -(2 * share + c), share**2
    root = max(b * b - 4 * a * d, 0.0) ** 0.5
    return (b - root) / (2 * a), (b + root) / (2 * a)


@pytest.mark.parametrize(("name", "says", "not_that", "answer"), WRONG, ids=[each[3].__name__ for each in WRONG])
def test_a_check_says_what_is_true_of_the_answer(name: str, says: str, not_that: str, answer: Any):
    report = find(name).check(answer)
    assert not report.passed
    assert says in report.message
    assert not_that not in report.message
