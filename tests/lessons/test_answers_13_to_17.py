"""Wrong answers to the exercises of notebooks 13 to 17 that passed, or whose mistake was named as another one."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.scoring.entities import spans_of_tags
from course_lib.text.byte_pairs import printable_bytes
from course_lib.transformer import images, layers
from course_lib.transformer.attention import merge_heads, repeat_heads, scaled_dot_product_attention, split_heads
from course_lib.transformer.blocks import online_softmax_step

WRONG: list[tuple[str, tuple[str, ...], Any]] = []  # exercise, words in the message, answer


def wrong(name: str, *words: str) -> Callable[[Any], Any]:
    """Add a wrong answer to an exercise, with the words that its message contains."""

    def add(answer: Any) -> Any:
        WRONG.append((name, words, answer))
        return answer

    return add


# They passed: no case showed the kind of mistake.


@wrong("RMSNorm", "With a gain of float16 and tokens of float32 your result is float32")
class InTheTypeOfTheTokensBeforeTheGain(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


@wrong("RMSNorm", "your result is only as exact as float16")
class RoundedBeforeTheGain(InTheTypeOfTheTokensBeforeTheGain):
    def forward(self, x):
        return super().forward(x).to(self.weight.dtype)


@wrong("remembered_names", "takes the first in the alphabet")
def by_the_alphabet(known, sentences):
    kinds = defaultdict(set)
    for sentence in known:
        for kind, start, stop in spans_of_tags(sentence.tags):
            kinds[tuple(sentence.words[start:stop])].add(kind)
    found = []
    for words in sentences:
        tags, i = ["O"] * len(words), 0
        while i < len(words):
            fitting = [j for j in range(len(words), i, -1) if tuple(words[i:j]) in kinds]
            stop = fitting[0] if fitting else i + 1
            if fitting:
                kind = min(kinds[tuple(words[i:stop])])
                tags[i:stop] = [f"B-{kind}", *[f"I-{kind}"] * (stop - i - 1)]
            i = stop
        found.append(tags)
    return found


@wrong("precision_recall_f1", "at the same place in both lists")
def place_by_place(predicted, expected):
    both = sum(a == b for ours, theirs in zip(predicted, expected, strict=True) for a, b in zip(ours, theirs))  # noqa: B905
    found, there = sum(map(len, predicted)), sum(map(len, expected))
    precision, recall = both / max(1, found), both / max(1, there)
    return precision, recall, 2 * both / max(1, found + there)


@wrong("spans_of_tags", "`lstrip` does that")
def with_lstrip(tags):
    return [(tags[start].lstrip("IB-"), start, stop) for _, start, stop in spans_of_tags(tags)]


@wrong("encode_piece", "in which `ranks` lists them")
def merge_by_merge(piece, vocabulary, ranks):
    tokens = list(printable_bytes(piece))
    for pair in ranks:
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) == pair:
                tokens[i : i + 2] = ["".join(pair)]
            i += 1
    return [vocabulary[token] for token in tokens]


@wrong("chat_prompt", "where the given text is empty")
def if_there_is_a_text(messages, system):
    if system and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    turns = [f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


# Another mistake with the same results, or nearly the same, was named.


@wrong("label_pieces", "gives each label only once")
def each_label_once(word_of_piece, labels):
    found, left = [], [*dict.fromkeys(labels)]
    for word in word_of_piece:
        new = word is not None and labels[word] in left
        found.append(labels[word] if new else -100)
        if new:
            left.remove(labels[word])
    return found


@wrong("label_pieces", "Your code gives word 0 no label. If it asks `if word`")
def begins_with_word_0(word_of_piece, labels):
    found, before = [], 0
    for word in word_of_piece:
        found.append(-100 if word is None or word == before else labels[word])
        before = before if word is None else word
    return found


@wrong("precision_recall_f1", "even if it is expected in another sentence only")
def counters_of_all_sentences(predicted, expected):
    ours, theirs = (Counter(span for spans in each for span in spans) for each in (predicted, expected))
    both = (ours & theirs).total()
    return both / max(1, ours.total()), both / max(1, theirs.total()), 2 * both / max(1, (ours + theirs).total())


@wrong("quantize_rows", "is 0, or nearly 0")
def with_a_smallest_scale(weight):
    scale = (weight.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-8)
    return (weight / scale).round().to(torch.int8), scale


@wrong("quantize_rows", "it is negative where a row has only negative numbers")
def with_max(weight):
    scale = weight.max(dim=1, keepdim=True).values / 127
    scale[scale == 0] = 1.0
    return (weight / scale).round().to(torch.int8), scale


@wrong("fill_batches", "to the budget separately")
def two_budgets(lengths, batch_tokens):
    made = []
    for i, (source, target) in enumerate(lengths):
        rows = [*made[-1], i] if made else [i]
        widest = max(max(lengths[j]) for j in rows)
        if made and len(rows) * max(widest, source, target) <= batch_tokens:
            made[-1].append(i)
        else:
            made.append([i])
    return made


@wrong("average_weights", "Your code changes the first checkpoint, which ends up as the mean.")
def in_the_first_dictionary(checkpoints):
    mean = checkpoints[0]
    for name in mean:
        mean[name] = sum(each[name] for each in checkpoints) / len(checkpoints)
    return mean


@wrong("brevity_penalty", "is exp(-r / c)")
def without_the_one(length, reference_length):
    if length >= reference_length:
        return 1.0
    return math.exp(-reference_length / length) if length else 0.0


@wrong("SwiGLU", "is the same as without any activation")
class ReluAroundTheProduct(layers.SwiGLU):
    def forward(self, x):
        return self.W_2(torch.relu(self.W_gate(x) * self.W_1(x)))


@wrong("GroupedQueryAttention", "would read the values of another group")
class ValuesInTurn(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = repeat_heads(self.rotate(split_heads(self.W_k(x), self.kv_heads)), group)
        values = split_heads(self.W_v(x), self.kv_heads).repeat(1, group, 1, 1)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


@wrong("VisionTransformer", "Your output is that of a single layer")
class EachLayerReadsTheSame(images.VisionTransformer):
    def forward(self, images):
        x = self.embed(find("patches").reference(images, self.patch_size))
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1) + self.positions
        y = x
        for layer in self.layers:
            y = layer(x)
        return self.output(y[:, 0])


@wrong("VisionTransformer", "All your layers are one and the same")
class OneLayerAgainAndAgain(images.VisionTransformer):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, 1)
        self.times = layers

    def forward(self, images):
        x = self.embed(find("patches").reference(images, self.patch_size))
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1) + self.positions
        for _ in range(self.times):
            x = self.layers[0](x)
        return self.output(x[:, 0])


@wrong("attend_in_blocks", "or at another finite number")
def begins_at_a_finite_number(query, key, value, block):
    outputs = []
    for asking in query.split(block):
        maximum, total = torch.full((len(asking), 1), -100.0), torch.zeros(len(asking), 1)
        mixed = torch.zeros(len(asking), value.size(-1))
        for keys, values in zip(key.split(block), value.split(block), strict=True):
            scores = asking @ keys.mT / asking.size(-1) ** 0.5
            maximum, total, mixed = online_softmax_step(maximum, total, mixed, scores, values)
        outputs.append(mixed / total)
    return torch.cat(outputs)


@wrong("online_softmax_step", "Your new block shrinks, and what was seen does not.")
def shrinks_the_new_block(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
    safe = new.masked_fill(new.isinf(), 0.0)
    grown = torch.exp(scores - safe) * torch.exp(maximum - safe)
    return new, total + grown.sum(dim=-1, keepdim=True), mixed + grown @ value


# Two mistakes, each of which is known.


@wrong("bleu", "There are two mistakes.", "fourth root", "shortest reference")
def fourth_root_and_shortest_reference(hypotheses, references, longest=4):
    scoring = find("clipped_matches").reference
    product = 1.0
    for n in range(1, longest + 1):
        matches = sum(scoring(one, correct, n) for one, correct in zip(hypotheses, references, strict=True))
        product *= matches / max(1, sum(max(len(each) - n + 1, 0) for each in hypotheses))
    lengths = sum(map(len, hypotheses)), sum(min(map(len, correct)) for correct in references)
    return 100 * find("brevity_penalty").reference(*lengths) * product**0.25


@wrong("alibi_bias", "There are two mistakes.", "begin with 1", "has a sign")
def signed_and_from_0(heads, T):
    at, slopes = torch.arange(T), 2.0 ** (-8 * torch.arange(heads) / heads)
    return -slopes[:, None, None] * (at[:, None] - at)


@pytest.mark.parametrize(("name", "words", "answer"), WRONG, ids=[answer.__name__ for *_, answer in WRONG])
def test_the_kind_of_mistake_is_shown_and_what_is_said_is_true_of_it(name: str, words: tuple[str, ...], answer: Any):
    report = find(name).check(answer)
    assert not report.passed
    assert [each for each in words if each not in report.message] == []
