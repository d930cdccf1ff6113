"""Unseen answers to the exercises of notebook 14_a_modern_language_model."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.text.byte_pairs import printable_bytes
from course_lib.transformer import layers
from course_lib.transformer.attention import (
    causal_mask,
    merge_heads,
    repeat_heads,
    scaled_dot_product_attention,
    split_heads,
)
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("RMSNorm", says="With a gain of float16 and tokens of float32 your result is float32")
class InTheTypeOfTheTokensBeforeTheGain(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


@wrong("RMSNorm", says="your result is only as exact as float16")
class RoundedBeforeTheGain(InTheTypeOfTheTokensBeforeTheGain):
    def forward(self, x):
        return super().forward(x).to(self.weight.dtype)


@wrong("RMSNorm", says="Your `self.gain` is a plain tensor", never="is missing")
class GainThatIsNotLearned(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = torch.ones(d_model), eps

    def forward(self, x):
        return self.gain * x / (x.square().mean(-1, keepdim=True) + self.eps).sqrt()


@wrong("SwiGLU", says="is the same as without any activation")
class ReluAroundTheProduct(layers.SwiGLU):
    def forward(self, x):
        return self.W_2(torch.relu(self.W_gate(x) * self.W_1(x)))


@wrong("repeat_heads", says="right in all but the 2 with more than two heads that are shared.", never="sizes")
def first_head_in_its_place_only(x, times):
    both = (x[:, :1].expand(-1, times, -1, -1), x[:, 1:].repeat(1, times, 1, 1))
    return torch.cat(both, dim=1)[:, : x.size(1) * times]


@wrong("GroupedQueryAttention", says="would read the values of another group")
class ValuesInTurn(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = repeat_heads(self.rotate(split_heads(self.W_k(x), self.kv_heads)), group)
        values = split_heads(self.W_v(x), self.kv_heads).repeat(1, group, 1, 1)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


@wrong("GroupedQueryAttention", says="would read the keys of another group", never="names")
class HeadsInTurn(find("GroupedQueryAttention").reference):
    """Deals the query heads to the groups in turn, and leaves them in that order."""

    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        queries = queries.unflatten(1, (group, self.kv_heads)).transpose(1, 2).flatten(1, 2)
        keys = repeat_heads(self.rotate(split_heads(self.W_k(x), self.kv_heads)), group)
        values = repeat_heads(split_heads(self.W_v(x), self.kv_heads), group)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


@wrong("GroupedQueryAttention", says="is causal, whatever mask it is given", never="in all but")
class CausalWithAnyMask(find("GroupedQueryAttention").reference):
    def forward(self, x, mask=None):
        return super().forward(x, None if mask is None else causal_mask(x.size(1)))


@wrong("GroupedQueryAttention", says="Your heads are merged while", never="in all but")
class ModuloAndMergedTooEarly(find("GroupedQueryAttention").reference):
    def forward(self, x, mask=None):
        group = self.heads // self.kv_heads
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = self.rotate(split_heads(self.W_k(x), self.kv_heads)).repeat(1, group, 1, 1)
        values = split_heads(self.W_v(x), self.kv_heads).repeat(1, group, 1, 1)
        return self.W_o(scaled_dot_product_attention(queries, keys, values, mask)[0].reshape(x.shape))


@wrong("LlamaLayer", says="changes a tensor in place that the gradient needs", never="cut off")
class AddsInPlace(find("LlamaLayer").reference):
    def forward(self, x, mask=None):
        x += self.self_attention(self.norm_1(x), mask)
        x += self.feed_forward(self.norm_2(x))
        return x


@wrong("encode_piece", says="in which `ranks` lists them")
def merge_by_merge(piece, vocabulary, ranks):
    tokens = list(printable_bytes(piece))
    for pair in ranks:
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) == pair:
                tokens[i : i + 2] = ["".join(pair)]
            i += 1
    return [vocabulary[token] for token in tokens]


@wrong("encode_piece", says="learned latest, one place at a time", never="leftmost")
def latest_pair_from_the_left(piece, vocabulary, ranks):
    tokens = list(printable_bytes(piece))
    while known := [(ranks[pair], -i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        i = -max(known)[1]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return [vocabulary[token] for token in tokens]


@wrong("chat_prompt", says="where the given text is empty")
def if_there_is_a_text(messages, system):
    if system and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    turns = [f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages]
    return "".join(turns) + "<|im_start|>assistant\n"


@wrong("RMSNorm", says="a lower limit of the vector's length", never="whichever")
class NormedWithALowerLimit(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        unit = F.normalize(x.float(), dim=-1, eps=self.eps)
        return (unit * x.size(-1) ** 0.5 * self.gain).to(self.gain.dtype)


@wrong("RMSNorm", says="of an eps of about 1.2e-7", never="lower limit")
class NormedByTorch(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        return F.rms_norm(x.float(), self.gain.shape, self.gain)


@wrong("GroupedQueryAttention", says="Your keys are rotated over their whole width", never="Your queries")
class KeysRotatedTooEarly(find("GroupedQueryAttention").reference):
    def forward(self, x, mask=None):
        queries, group = self.rotate(split_heads(self.W_q(x), self.heads)), self.heads // self.kv_heads
        keys, values = (split_heads(each, self.kv_heads) for each in (self.rotate(self.W_k(x)), self.W_v(x)))
        keys, values = repeat_heads(keys, group), repeat_heads(values, group)
        return self.W_o(merge_heads(scaled_dot_product_attention(queries, keys, values, mask)[0]))


@wrong("encode_piece", says="never joins the pair of rank 0", never="leftmost")
def rank_0_counts_as_false(piece, vocabulary, ranks):
    tokens = printable_bytes(piece)
    while len(tokens) > 1:
        rank, i = min((ranks.get(pair) or float("inf"), i) for i, pair in enumerate(pairwise(tokens)))
        if rank == float("inf"):
            break
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return [vocabulary[token] for token in tokens]


@wrong("chat_prompt", says="leaves out the text `system` if any message", never="the given system message")
def system_anywhere(messages, system):
    if not any(each["role"] == "system" for each in messages):
        messages = [{"role": "system", "content": system}, *messages]
    text = "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages)
    return text + "<|im_start|>assistant\n"


@wrong("GroupedQueryAttention", says="Your scores are divided by √d_model")
class DividedByTheRootOfTheModel(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys, values = self.rotate(split_heads(self.W_k(x), self.kv_heads)), split_heads(self.W_v(x), self.kv_heads)
        keys, values = (repeat_heads(each, self.heads // self.kv_heads) for each in (keys, values))
        scores = queries @ keys.mT / x.size(-1) ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        return self.W_o(merge_heads(scores.softmax(-1) @ values))


@wrong("LlamaLayer", says="`norm_2` comes after the feed-forward")
class SecondNormAfter(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        return x + self.norm_2(self.feed_forward(x))


@wrong("LlamaLayer", says="It should read the result of the first half")
class Parallel(layers.LlamaLayer):
    def forward(self, x, mask=None):
        return x + self.self_attention(self.norm_1(x), mask) + self.feed_forward(self.norm_2(x))


@wrong("LlamaLayer", says="Your `__init__` makes `self.norm_2`, but `forward` never uses it", never="are right")
class OneNormForBoth(find("LlamaLayer").reference):
    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        return x + self.feed_forward(self.norm_1(x))


@wrong("LlamaLayer", says="Your first residual connection adds the normalised tokens", never="should have")
class AddsTheNormedOnce(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = self.norm_1(x)
        x = x + self.self_attention(x, mask)
        return x + self.feed_forward(self.norm_2(x))


@wrong("LlamaLayer", says="Your second residual connection adds the normalised tokens", never="should have")
class AddsTheNormedInTheSecondHalf(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        x = self.norm_2(x)
        return x + self.feed_forward(x)


@wrong("SwiGLU", says=("Your gate is a sigmoid", "That may not be all"))
class SigmoidOfTheOtherMap(layers.SwiGLU):
    def forward(self, x):
        return self.W_2(self.W_gate(x) * torch.sigmoid(self.W_1(x)))  # names are exchanged, too


@wrong("SwiGLU", says=("Your gate is a sigmoid", "That may not be all"))
class SigmoidWithBiases(nn.Module):
    def __init__(self, d_model, d_ff):
        super().__init__()
        self.W_gate, self.W_1, self.W_2 = nn.Linear(d_model, d_ff), nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def forward(self, x):
        return self.W_2(torch.sigmoid(self.W_gate(x)) * self.W_1(x))


@wrong("SwiGLU", says="Your gate is a sigmoid", never="That may not be all")
class SigmoidOnly(layers.SwiGLU):
    def forward(self, x):
        gate, values = torch.sigmoid(self.W_gate(x)), self.W_1(x)
        return self.W_2(gate * values)


@wrong("SwiGLU", says="There is a sigmoid around W_1 x as well", never="Your gate is a sigmoid")
class SigmoidBesideSiLU(layers.SwiGLU):
    def forward(self, x):
        return self.W_2(F.silu(self.W_gate(x)) * torch.sigmoid(self.W_1(x)))


@wrong("SwiGLU", says=("There are two mistakes", "Your gate is a sigmoid", "Your gate is added"))
class SigmoidAdded(layers.SwiGLU):
    def forward(self, x):
        return self.W_2(torch.sigmoid(self.W_gate(x)) + self.W_1(x))


@wrong("unpack_q4_1", says=("There are two mistakes", "the two halves of a byte", "Your code subtracts the minimum"))
def interleaved_and_subtracted(blocks):
    scale, minimum = blocks[:, :4].contiguous().view(torch.float16).float().split(1, dim=1)
    packed = blocks[:, 4:]
    return scale * torch.stack((packed & 0x0F, packed >> 4), dim=-1).flatten(1) - minimum


@wrong(
    "unpack_q4_1",
    says=(
        "Block 0 has the scale `0.25` and the minimum `-2`, and byte 0 of its 16 bytes of numbers is `0x58`",
        "number 0 should be `0.0`, but is `1.25`; number 16 should be `-0.75`, but is `1.5`",
    ),
)
def interleaved_upper_first_without_minimum(blocks):
    scale = blocks[:, :2].contiguous().view(torch.float16).float()
    packed = blocks[:, 4:]
    return scale * torch.stack((packed >> 4, packed & 0x0F), dim=-1).flatten(1)


@wrong("unpack_q4_1", says="become negative, since an int8 has a sign")
def halves_with_a_sign(blocks):
    scale, minimum = blocks[:, :4].contiguous().view(torch.float16).float().split(1, dim=1)
    packed = blocks[:, 4:].to(torch.int8)
    return scale * torch.cat((packed & 0x0F, packed >> 4), dim=1) + minimum


@wrong(
    "unpack_q4_1", says="byte 1 of its 16 bytes of numbers is `0x36`: number 1 should be `-0.5`, as it is; number 17"
)
def one_upper_half_too_large(blocks):
    numbers = find("unpack_q4_1").reference(blocks)
    return torch.cat((numbers[:, :17], numbers[:, 17:18] + 0.123, numbers[:, 18:]), dim=1)


@wrong("unpack_q4_1", says="should be (n, 32) = (1, 32), not (1, 16)", never="Block 0")
def lower_halves_only(blocks):
    scale, minimum = blocks[:, :4].contiguous().view(torch.float16).float().split(1, dim=1)
    return scale * (blocks[:, 4:] & 0x0F) + minimum


@wrong("RMSNorm", says="300² is more than 65504, the largest number in float16.")
class SquaresInFloat16(nn.Module):
    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        mean = x.pow(2).float().mean(dim=-1, keepdim=True)
        return (x.float() / torch.sqrt(mean + self.eps)).to(self.gain.dtype) * self.gain


@wrong("repeat_heads", says="Your code repeats each position", never=("in the wrong places", "in all but"))
def each_position(x, times):
    B, heads, S, d_k = x.shape
    return x.unsqueeze(3).expand(-1, -1, -1, times, -1).reshape(B, heads * times, S, d_k)


@wrong(
    "repeat_heads",
    says="In the calls that fail, your result has the right numbers, but some are in the wrong places.",
)
def features_in_ascending_order(x, times):
    return x.repeat_interleave(times, dim=1).sort(dim=-1).values if times > 1 else x


@wrong(
    "GroupedQueryAttention",
    says="Your class lets each token read only itself and the tokens before it, even without a mask.",
)
class CausalInAnyCase(layers.GroupedQueryAttention):
    def forward(self, x, mask=None):
        queries = self.rotate(split_heads(self.W_q(x), self.heads))
        keys = self.rotate(split_heads(self.W_k(x), self.kv_heads))
        values = split_heads(self.W_v(x), self.kv_heads)
        mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)
        return self.W_o(merge_heads(mixed))


@wrong(
    "LlamaLayer",
    says="so what the attention computed reaches the output only through the feed-forward.",
    never="is lost",
)
class SecondResidualFromTheInput(layers.LlamaLayer):
    def forward(self, x, mask=None):
        attended = x + self.self_attention(self.norm_1(x), mask)
        return x + self.feed_forward(self.norm_2(attended))


@wrong("unpack_q4_1", says="Of the 32 numbers, those from the lower halves come first, then those from the upper")
def halves_side_by_side(blocks):
    scale, minimum = blocks[:, :4].contiguous().view(torch.float16).float().chunk(2, dim=1)
    packed = blocks[:, 4:]
    q = torch.stack([packed & 0x0F, packed >> 4], dim=-1).reshape(len(blocks), 32)
    return scale * q.float() + minimum


@wrong("chat_prompt", says="Your text lacks the new line at its end, so the model would have to write it first.")
def joined_by_new_lines(messages, system):
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    parts = [f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>" for each in messages]
    return "\n".join([*parts, "<|im_start|>assistant"])


class RMSNormInFloat32(nn.Module):
    """Computes in float32 whatever comes in, as the statement of `RMSNorm` asks."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.gain, self.eps = nn.Parameter(torch.ones(d_model)), eps

    def forward(self, x):
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return (wide * self.gain.float()).to(self.gain.dtype)


class LayerInFloat32(layers.LlamaLayer):
    """A layer with these norms."""

    def __init__(self, d_model, heads, kv_heads, d_ff, rotate):
        super().__init__(d_model, heads, kv_heads, d_ff, rotate)
        self.norm_1, self.norm_2 = RMSNormInFloat32(d_model), RMSNormInFloat32(d_model)


@pytest.mark.parametrize(("exercise", "answer"), [("RMSNorm", RMSNormInFloat32), ("LlamaLayer", LayerInFloat32)])
def test_where_the_statement_asks_for_float32_nothing_is_said_of_float64(exercise, answer):
    report = find(exercise).check(answer)
    assert report.passed, report
    assert report.message.startswith("Right in all")
    assert "float" not in report.message


@wrong("encode_piece", says="Your ids lack a token of id 0.")
def ids_that_count_as_true(piece, vocabulary, ranks):
    tokens = list(printable_bytes(piece))
    while known := [(ranks[pair], i) for i, pair in enumerate(pairwise(tokens)) if pair in ranks]:
        i = min(known)[1]
        tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
    return [vocabulary[token] for token in tokens if vocabulary.get(token)]


class SwiGLUOfWidth(nn.Module):
    """SwiGLU with as many hidden features as `width` makes of d_ff."""

    def __init__(self, d_model, d_ff):
        super().__init__()
        d_ff = self.width(d_ff)
        self.W_gate = nn.Linear(d_model, d_ff, bias=False)
        self.W_1 = nn.Linear(d_model, d_ff, bias=False)
        self.W_2 = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        return self.W_2(F.silu(self.W_gate(x)) * self.W_1(x))


@wrong("SwiGLU", says="two thirds of `d_ff` hidden features")
class TwoThirdsInside(SwiGLUOfWidth):
    def width(self, d_ff):
        return int(d_ff * 2 / 3)


@wrong("SwiGLU", says="The matrices of your `SwiGLU(4, 7)` have 96 numbers together. They should have 84.")
class OneFeatureMore(SwiGLUOfWidth):
    def width(self, d_ff):
        return d_ff + 1


@wrong("repeat_heads", says="as in `head // kv_heads`", never="past the end")
def divided_by_key_heads(x, times):
    kv_heads = x.size(1)
    return x[:, [head // kv_heads for head in range(kv_heads * times)]]


@wrong("unpack_q4_1", says="keep the lower four bits as a fraction")
def divided_by_16(blocks):
    scale = blocks[:, :2].contiguous().view(torch.float16).float()
    minimum = blocks[:, 2:4].contiguous().view(torch.float16).float()
    packed = blocks[:, 4:].float()
    return scale * torch.cat([packed % 16, packed / 16], dim=1) + minimum


@wrong("unpack_q4_1", says="In each row, only numbers 16 to 31 are wrong.", never="the axis")
def upper_halves_inverted(blocks):
    scale = blocks[:, :2].contiguous().view(torch.float16).float()
    minimum = blocks[:, 2:4].contiguous().view(torch.float16).float()
    packed = blocks[:, 4:]
    return scale * torch.cat([packed % 16, (packed >> 4) ^ 1], dim=1) + minimum


@wrong("encode_piece", says="Your code stops at é, because it looks for the letter in the vocabulary.")
def letters_with_a_sign_for_the_space(piece, vocabulary, ranks):
    parts = list(piece.replace(" ", "Ġ"))
    while known := [pair for pair in pairwise(parts) if pair in ranks]:
        first, second = min(known, key=ranks.get)
        i = 0
        while i < len(parts) - 1:
            if parts[i : i + 2] == [first, second]:
                parts[i : i + 2] = [first + second]
            i += 1
    return [vocabulary[part] for part in parts]


def with_pairs_joined(parts, pairs):
    for first, second in pairs:
        merged = []
        for part in parts:
            if part == second and merged and merged[-1] == first:
                merged[-1] += part
            else:
                merged.append(part)
        parts = merged
    return parts


@wrong("encode_piece", says="Your code lists the pairs once, before the first merge.")
def pairs_of_the_beginning(piece, vocabulary, ranks):
    parts = printable_bytes(piece)
    pairs = sorted({pair for pair in pairwise(parts) if pair in ranks}, key=ranks.get)
    return [vocabulary[part] for part in with_pairs_joined(parts, pairs)]


@wrong("encode_piece", says=("As tokens, that is `", "`, not `"))
def the_first_two_pairs_only(piece, vocabulary, ranks):
    pairs = sorted(ranks, key=ranks.get)[:2]
    return [vocabulary[part] for part in with_pairs_joined(printable_bytes(piece), pairs)]


@wrong("chat_prompt", says="begins the answer only if the last message is the user's")
def answers_users_only(messages, system):
    if not messages or messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    text = ""
    for message in messages:
        text += f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"
    if messages[-1]["role"] == "user":
        text += "<|im_start|>assistant\n"
    return text


@wrong("LlamaLayer", says="In the second half, only the input of the feed-forward is normalised", never="replaces x")
class AddsToTheNormed(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = x + self.self_attention(self.norm_1(x), mask)
        return self.norm_2(x) + self.feed_forward(self.norm_2(x))


@wrong("LlamaLayer", says="In the first half, only the input of the attention is normalised", never="replaces x")
class AddsToTheNormedInTheFirstHalf(layers.LlamaLayer):
    def forward(self, x, mask=None):
        x = self.norm_1(x) + self.self_attention(self.norm_1(x), mask)
        return x + self.feed_forward(self.norm_2(x))


@wrong("repeat_heads", says="Your heads are in the order 0, 1, 0, 1; it should be 0, 0, 1, 1.")
def heads_in_turn(x, times):
    return x[:, [h % x.size(1) for h in range(times * x.size(1))]]


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()
