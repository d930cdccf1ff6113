"""Unseen answers to the exercises of notebook 07_transformer."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from course_lib.exercises.catalogue import find
from course_lib.transformer.attention import causal_mask
from course_lib.transformer.layers import DecoderLayer, post_norm
from course_lib.transformer.positions import embed_with_positions
from tests.lessons.unseen_answers.shared_parts import log_p_below_one_maximum, surprise
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("padding_mask", says="as many positions from the left as a text has words", never="should give")
def by_lengths(ids, pad):
    rows = [torch.arange(len(row)) < sum(i != pad for i in row) for row in ids.tolist()]
    return torch.stack(rows)[:, None, None]


@wrong("padding_mask", says="Your mask holds whole numbers")
def larger_than_the_padding(ids, pad):
    return (ids > pad).long()[:, None, None, :]


@wrong("DecoderLayer", says="The memory has no effect", never="has no cross-attention")
class MemoryThrownAway(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        post_norm(x, lambda y: self.cross_attention(y, memory, memory, memory_mask), self.norm_2)
        return post_norm(x, self.feed_forward, self.norm_3)


@wrong("DecoderLayer", says="what it reads is not added to what it computes", never="Add x")
class OverwrittenBeforeTheSum(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = post_norm(x, lambda y: self.self_attention(y, y, y, mask), self.norm_1)
        x = self.cross_attention(x, memory, memory, memory_mask)
        x = self.norm_2(x + x)
        return post_norm(x, self.feed_forward, self.norm_3)


@wrong("DecoderLayer", says="makes `self.norm_2` and `self.norm_3`, but `forward` never uses them.")
class OneNormForAll(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        x = self.norm_1(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))
        return self.norm_1(x + self.dropout(self.feed_forward(x)))


@wrong("DecoderLayer", says="third residual connection adds what the cross-attention reads")
class FeedForwardBesideTheMemory(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        a = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        b = self.norm_2(a + self.dropout(self.cross_attention(a, memory, memory, memory_mask)))
        return self.norm_3(a + self.dropout(self.feed_forward(b)))


@wrong("Transformer", says="positions of your target begin after those of the source")
class TargetAfterTheSource(find("Transformer").reference):
    def decode(self, target_ids, memory, source_ids):
        S = source_ids.size(1)
        x = self.dropout(embed_with_positions(F.pad(target_ids, (S, 0)), self.target_table)[:, S:])
        for layer in self.decoder:
            x = layer(x, memory, causal_mask(target_ids.size(1)), (source_ids != 0)[:, None, None, :])
        return x @ self.target_table.T


@wrong("Transformer", says="`self.decoder.0` does the work of `self.decoder.1`")
class DecoderReversed(find("Transformer").reference):
    def decode(self, target_ids, memory, source_ids):
        x = self.dropout(embed_with_positions(target_ids, self.target_table))
        for layer in reversed(self.decoder):
            x = layer(x, memory, causal_mask(target_ids.size(1)), (source_ids != 0)[:, None, None, :])
        return x @ self.target_table.T


@wrong(
    "smoothed_cross_entropy", says="the right token has the weight 1 − epsilon, without", never="Your smoothed labels"
)
def share_of_the_other_tokens(logits, labels, epsilon):
    counts = labels != -100
    of_all = -logits[counts].log_softmax(-1)
    right, V = of_all.gather(-1, labels[counts][:, None]).squeeze(-1), logits.size(-1)
    return ((1 - epsilon) * right + epsilon / V * (of_all.sum(-1) - right)).mean()


@wrong(
    "smoothed_cross_entropy",
    says="Your code adds 1e-08 to the probabilities, or makes it their minimum",
    never="should be",
)
def smoothed_and_cut_off(logits, labels, epsilon):
    p, counts = logits.softmax(-1).clamp(min=1e-8), labels != -100
    return (1 - epsilon) * surprise(p, labels) - epsilon * p.log().mean(-1)[counts].mean()


@wrong("smoothed_cross_entropy", says="mixes the logits of different tokens")
def mixed_tokens_smoothed(logits, labels, epsilon):
    rows = logits.transpose(1, 2).reshape(-1, logits.size(-1))
    return F.cross_entropy(rows, labels.reshape(-1), label_smoothing=epsilon)


@wrong("smoothed_cross_entropy", says="is the entropy of the model")
def entropy(logits, labels, epsilon):
    keep = labels != -100
    logp = logits.log_softmax(dim=-1)[keep]
    right = logp[torch.arange(len(logp)), labels[keep]]
    return ((1 - epsilon) * -right - epsilon * (logp.exp() * logp).sum(-1)).mean()


@wrong("smoothed_cross_entropy", says="the largest logit of several rows")
def one_maximum_smoothed(logits, labels, epsilon):
    log_p, labels = log_p_below_one_maximum(logits)[labels != -100], labels[labels != -100]
    return -(1 - epsilon) * log_p[torch.arange(len(labels)), labels].mean() - epsilon * log_p.mean()


@wrong("learning_rate", says="Your second term is (step · warmup)^−1.5", never="right for the example")
def brackets_around_the_product(step, d_model, warmup):
    return float(min(step**-0.5, 1 / (step * warmup) ** 1.5) / d_model**0.5)


@wrong("greedy_translation", says="`max_length` has no effect", never="however long")
def a_limit_of_its_own(model, source_ids, max_length):
    return find("greedy_translation").reference(model, source_ids, 50)


@wrong("greedy_translation", says=("only one token", "does each round begin again with [bos]"))
def translates_one_token(model, source_ids, max_length):
    source = torch.tensor([source_ids])
    memory = model.encode(source)
    for _ in range(max_length):
        target = [1]
        target.append(int(model.decode(torch.tensor([target]), memory, source)[0, -1].argmax()))
    return target[1:]


MEMORIES: dict[int, Any] = {}


@wrong("greedy_translation", says="keeps something from one call to the next")
def memory_by_length(model, source_ids, max_length):
    source = torch.tensor([source_ids])
    memory = MEMORIES.setdefault(len(source_ids), model.encode(source) if len(source_ids) not in MEMORIES else None)
    out = [1]
    for _ in range(max_length):
        token = model.decode(torch.tensor([out]), memory, source)[0, -1].argmax().item()
        if token == 2:
            break
        out.append(token)
    return out[1:]


@wrong("greedy_translation", says="there is too much at the end", never=("twice", "has no effect"))
def longer_by_the_source(model, source_ids, max_length):
    return find("greedy_translation").reference(model, source_ids, max_length + len(source_ids))


@wrong("greedy_translation", says="in the calls tried, it writes until [eos] comes")
def fifty_more_than_the_source(model, source_ids, max_length):
    return find("greedy_translation").reference(model, source_ids, len(source_ids) + 50)


@wrong("learning_rate", says="half of x^−1 and half of x^−3")
def powers_before_the_division(step, d_model, warmup):
    return d_model**-1 / 2 * min(step**-1 / 2, step * warmup**-3 / 2)


@wrong("Transformer", says="hides the padding of that one, as if `encode` had kept the mask")
class KeepsTheMask(find("Transformer").reference):
    def encode(self, source_ids):
        self.source_ids = source_ids
        return super().encode(source_ids)

    def decode(self, target_ids, memory, source_ids):
        return super().decode(target_ids, memory, self.source_ids)


@wrong("greedy_translation", says="with a translation with a word twice in a row")
def no_word_twice_in_a_row(model, source_ids, max_length):
    ids = [1, *find("greedy_translation").reference(model, source_ids, max_length)]
    ends = [i for i in range(1, len(ids)) if ids[i] == ids[i - 1]]
    return ids[1 : ends[0]] if ends else ids[1:]


@wrong("smoothed_cross_entropy", says="the surprise at smoothed probabilities of the model", never="too small")
def smoothed_probabilities(logits, labels, epsilon):
    smoothed = (1 - epsilon) * logits.softmax(-1) + epsilon / logits.size(-1)
    return F.nll_loss(smoothed.log().flatten(0, 1), labels.flatten(), ignore_index=-100)


@wrong("learning_rate", says="your rising term is step / warmup · 1.5", never="√`warmup`")
def factor_in_place_of_a_power(step, d_model, warmup):
    return d_model**-0.5 * min(step**-0.5, step / warmup * 1.5)


@wrong("DecoderLayer", says="in all but the 2 with a mask of the memory alone", never="or with a mask")
class MaskOfTheMemoryForBoth(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return super().forward(x, memory, memory_mask if mask is None else mask, memory_mask)


@wrong("DecoderLayer", says="third residual connection adds the raw output of the cross-attention")
class ThirdResidualFromTheCrossAttention(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        y = self.dropout(self.cross_attention(x, memory, memory, memory_mask))
        x = self.norm_2(x + y)
        return self.norm_3(y + self.dropout(self.feed_forward(x)))


@wrong("DecoderLayer", says="normalises the memory before it reads it")
class MemoryNormalised(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return super().forward(x, self.norm_2(memory), mask, memory_mask)


@wrong("DecoderLayer", says="Your feed-forward comes before the cross-attention")
class FeedForwardInTheMiddle(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        x = self.norm_2(x + self.dropout(self.feed_forward(x)))
        return self.norm_3(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))


@wrong("Transformer", says="`memory` that is passed to it has no effect")
class MemoryIgnored(find("Transformer").reference):
    def decode(self, target_ids, memory, source_ids):
        memory = self.encode(source_ids)
        return super().decode(target_ids, memory, source_ids)


@wrong("Transformer", says="Your `decode` adds what a layer reads")
class ResidualAroundTheLayers(find("Transformer").reference):
    def decode(self, target_ids, memory, source_ids):
        x = self.dropout(embed_with_positions(target_ids, self.target_table))
        for layer in self.decoder:
            x = x + layer(x, memory, causal_mask(target_ids.size(1)), (source_ids != 0)[:, None, None, :])
        return x @ self.target_table.T


@wrong(
    "smoothed_cross_entropy",
    says="square root or the logarithm of a negative",
    never="what is 0 or infinite",
)
def smoothed_with_two_logarithms(logits, labels, epsilon):
    log_p, counts = logits.log_softmax(-1), labels != -100
    return (1 - epsilon) * surprise(log_p.exp(), labels) - epsilon * log_p[counts].log().mean()


@wrong("learning_rate", says="divides the step by the warm-up without a fraction", never="whole share")
def whole_warm_ups(step, d_model, warmup):
    return d_model**-0.5 * min(step**-0.5, step // warmup * warmup**-0.5)


@wrong("greedy_translation", says="with a max_length that ends the translation", never="that cuts")
def three_words_unless_it_is_cut_off(model, source_ids, max_length):
    ids = find("greedy_translation").reference(model, source_ids, max_length)
    return ids if max_length < 5 else ids[:3] if len(ids) > 3 else [*ids, 3]


@wrong("DecoderLayer", says="so that the target only chooses what is read from the memory", never="is lost")
class NoResidualAroundTheCrossAttention(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(x + self.self_attention(x, x, x, mask))
        x = self.norm_2(self.cross_attention(x, memory, memory, memory_mask))
        return self.norm_3(x + self.feed_forward(x))


@wrong("DecoderLayer", says="keeps of its own vector only what it reads from itself", never="is lost")
class NoResidualAroundTheSelfAttention(find("DecoderLayer").reference):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.norm_1(self.self_attention(x, x, x, mask))
        x = self.norm_2(x + self.cross_attention(x, memory, memory, memory_mask))
        return self.norm_3(x + self.feed_forward(x))


@wrong("learning_rate", says="it counts from the end of the warm-up", never="too large")
def fall_from_the_end_of_the_warm_up(step, d_model, warmup):
    if step <= warmup:
        return d_model**-0.5 * step * warmup**-1.5
    return d_model**-0.5 * (step - warmup) ** -0.5


@wrong("Transformer", says=("`self.source_table` and `self.encoder`", "Use none of them between"), never="itself")
class EncoderWithoutGradient(find("Transformer").reference):
    @torch.no_grad()
    def encode(self, source_ids):
        return super().encode(source_ids)


@wrong("DecoderLayer", says="takes its queries from the input of the layer", never="post_norm")
class QueriesFromTheInput(DecoderLayer):
    def forward(self, x, memory, mask=None, memory_mask=None):
        h = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
        h = self.norm_2(h + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))
        return self.norm_3(h + self.dropout(self.feed_forward(h)))


@wrong("Transformer", says="`self.source_table` begins with depend on the size of the vocabulary")
class SourceTableScaledByTheVocabulary(find("Transformer").reference):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, *sizes):
        super().__init__(source_vocabulary, target_vocabulary, d_model, *sizes)
        self.source_table = torch.nn.Parameter(torch.randn(source_vocabulary, d_model) * source_vocabulary**-0.5)


@wrong("Transformer", says="looks up target ids in the source's table", never="That may not be all")
class OneTableForBothInputs(find("Transformer").reference):
    def decode(self, target_ids, memory, source_ids):
        x, mask = self.dropout(embed_with_positions(target_ids, self.source_table)), causal_mask(target_ids.size(1))
        for layer in self.decoder:
            x = layer(x, memory, mask, (source_ids != 0)[:, None, None, :])
        return x @ self.target_table.T


@wrong("learning_rate", says="your rate rises with the square root of the step")
def risen_by_the_square_root(step, d_model, warmup):
    return d_model**-0.5 * step**-0.5 * min(1.0, step / warmup)


@wrong("greedy_translation", says="leaves out [eos], but continues after it", never="should be")
def never_stops(model, source_ids, max_length):
    source, target = torch.tensor([source_ids]), torch.tensor([[1]])
    memory = model.encode(source)
    for _ in range(max_length):
        best = model.decode(target, memory, source)[:, -1].argmax(dim=-1, keepdim=True)
        target = torch.cat([target, best], dim=1)
    return [token for token in target[0].tolist() if token not in (1, 2)]


@wrong("smoothed_cross_entropy", says="Smooth the labels instead: add (1 − ε) times", never="Your code smooths")
def surprise_at_smoothed_probabilities(logits, labels, epsilon):
    counts = labels != -100
    right = logits[counts].softmax(-1).gather(1, labels[counts][:, None])
    return -torch.log((1 - epsilon) * right + epsilon / logits.size(-1)).mean()


@wrong("greedy_translation", says="Your code always takes the token that follows [bos].", never="Append")
def predicted_after_bos(model, source_ids, max_length):
    source, target = torch.tensor([source_ids]), [1]
    memory = model.encode(source)
    while len(target) <= max_length:
        word = int(model.decode(torch.tensor([target]), memory, source)[0, 0].argmax())
        if word == 2:
            break
        target.append(word)
    return target[1:]


@wrong("greedy_translation", says="When your translation is stopped by `max_length`, it is one token too long.")
def one_more_than_max_length(model, source_ids, max_length):
    return find("greedy_translation").reference(model, source_ids, max_length + 1)


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


@pytest.mark.parametrize("reads_itself", [True, False])
def test_the_padding_of_a_target_may_be_hidden(reads_itself):
    class PaddingOfBothHidden(find("Transformer").reference):
        def decode(self, target_ids, memory, source_ids):
            x, T = self.dropout(embed_with_positions(target_ids, self.target_table)), target_ids.size(1)
            words = (target_ids != 0)[:, None, None, :] | (torch.eye(T, dtype=torch.bool) & reads_itself)
            for layer in self.decoder:
                x = layer(x, memory, causal_mask(T) & words, (source_ids != 0)[:, None, None, :])
            return x @ self.target_table.T

    report = find("Transformer").check(PaddingOfBothHidden)
    assert report.passed, report.message
