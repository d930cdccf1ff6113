"""Unseen answers to the exercises of notebook 16_where_next."""

import numpy as np
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.transformer import images
from course_lib.transformer.blocks import online_softmax_step
from course_lib.transformer.layers import EncoderLayer
from tests.lessons.unseen_answers.wrong_answers import WrongAnswers

wrong = WrongAnswers()


@wrong("online_softmax_step", says="Your new block shrinks, and what was seen does not.")
def shrinks_the_new_block(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
    safe = new.masked_fill(new.isinf(), 0.0)
    grown = torch.exp(scores - safe) * torch.exp(maximum - safe)
    return new, total + grown.sum(dim=-1, keepdim=True), mixed + grown @ value


@wrong("attend_in_blocks", says="or at another finite number")
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


@wrong("VisionTransformer", says="Your output is that of a single layer")
class EachLayerReadsTheSame(images.VisionTransformer):
    def forward(self, images):
        x = self.embed(find("patches").reference(images, self.patch_size))
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1) + self.positions
        y = x
        for layer in self.layers:
            y = layer(x)
        return self.output(y[:, 0])


@wrong("VisionTransformer", says="All your layers are one and the same")
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


@wrong("VisionTransformer", says="begins with numbers of about 1. Begin it small", never="is a bias, so")
class LargeClassToken(find("VisionTransformer").reference):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, layers)
        self.class_token = nn.Parameter(torch.randn(d_model))


@wrong("VisionTransformer", says="comes last, and you read it there", never="two mistakes")
class ClassTokenLast(find("VisionTransformer").reference):
    def forward(self, images):
        x = self.embed(find("patches").reference(images, self.patch_size))
        x = torch.cat((x, self.class_token.expand(len(x), 1, -1)), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, -1])


@wrong("online_softmax_step", says="should be", never="add up to 1")
def hidden_keys_counted_at_the_beginning(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
    shrink = torch.nan_to_num(maximum - new, nan=0.0).exp()
    weights = torch.nan_to_num(scores - new, nan=0.0).exp()
    return new, total * shrink + weights.sum(-1, keepdim=True), mixed * shrink + weights @ value


@wrong("VisionTransformer", says=("class token has no position", "the first of them is unused"), never="never depends")
class ClassTokenWithoutPosition(nn.Module):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__()
        self.patch_size = patch_size
        self.embed = nn.Linear(patch_size**2, d_model)
        self.class_token = nn.Parameter(0.2 * torch.randn(1, 1, d_model))
        self.positions = nn.Parameter(0.2 * torch.randn(1, count + 1, d_model))
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, 0.0) for _ in range(layers))
        self.head = nn.Linear(d_model, classes)

    def forward(self, pictures):
        x = self.embed(images.patches(pictures, self.patch_size)) + self.positions[:, 1:]
        x = torch.cat([self.class_token.expand(x.size(0), -1, -1), x], dim=1)
        for layer in self.layers:
            x = layer(x)
        return self.head(x[:, 0])


@wrong("attend_in_blocks", says="goes only as far as there are queries", never="if it is not full")
def as_many_keys_as_queries(query, key, value, block):
    outputs = []
    for asking in query.split(block):
        maximum = torch.full((len(asking), 1), -torch.inf, dtype=query.dtype)
        total, mixed = torch.zeros_like(maximum), torch.zeros(len(asking), value.size(-1), dtype=query.dtype)
        for j in range(0, query.size(0), block):
            scores = asking @ key[j : j + block].mT / query.size(1) ** 0.5
            maximum, total, mixed = online_softmax_step(maximum, total, mixed, scores, value[j : j + block])
        outputs.append(mixed / total)
    return torch.cat(outputs)


@wrong("growth_exponent", says="depends on how far apart the sizes are", never="hardly count")
def mean_slope(sizes, costs):
    x, y = (torch.tensor(each, dtype=torch.float64).log() for each in (sizes, costs))
    return (y.diff() / x.diff()).mean().item()


@wrong("patches", says="as a `reshape` alone gives them", never="as if it")
def reshaped_only(pictures, size):
    return pictures.reshape(len(pictures), -1, size * size)


@wrong("VisionTransformer", says="averages the patches, without the class token")
class MeanOfThePatches(images.VisionTransformer):
    def forward(self, pictures):
        x = self.embed(images.patches(pictures, self.patch_size))
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, 1:].mean(dim=1))


@wrong("VisionTransformer", says="Does each layer read what the one before returned", never="Make that many")
class EachLayerReadsTheInput(images.VisionTransformer):
    def forward(self, pictures):
        x = self.embed(images.patches(pictures, self.patch_size))
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1) + self.positions
        for layer in self.layers:
            y = layer(x)
        return self.output(y[:, 0])


@wrong("VisionTransformer", says=("class token has no position", "the last of them is unused"), never="No gradient")
class PositionsFromTheFirstPatchOn(images.VisionTransformer):
    def forward(self, pictures):
        x = self.embed(images.patches(pictures, self.patch_size))
        x = x + self.positions[: x.size(1)]
        x = torch.cat((self.class_token.expand(len(x), 1, -1), x), dim=1)
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, 0])


def from_a_maximum_of_0(query, key, value, block, total):
    outputs = []
    for asking in query.split(block):
        maximum = torch.zeros(len(asking), 1, dtype=query.dtype)
        totals, mixed = torch.full_like(maximum, total), torch.zeros(len(asking), value.size(-1), dtype=query.dtype)
        for keys, values in zip(key.split(block), value.split(block), strict=True):
            scores = asking @ keys.mT / asking.size(-1) ** 0.5
            maximum, totals, mixed = online_softmax_step(maximum, totals, mixed, scores, values)
        outputs.append(mixed / totals)
    return torch.cat(outputs)


@wrong("attend_in_blocks", says="as if each query had one more key", never="should give")
def begins_with_a_maximum_of_0_and_a_total_of_1(query, key, value, block):
    return from_a_maximum_of_0(query, key, value, block, total=1.0)


@wrong("attend_in_blocks", says="let it begin at minus infinity", never="one more key")
def begins_with_a_maximum_of_0(query, key, value, block):
    return from_a_maximum_of_0(query, key, value, block, total=0.0)


@wrong("online_softmax_step", says="the maximum that you return is 0", never="in all but")
def keeps_0_for_hidden_keys(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
    new = new.masked_fill(new.isneginf(), 0.0)
    shrink, grown = torch.exp(maximum - new), torch.exp(scores - new)
    return new, total * shrink + grown.sum(dim=-1, keepdim=True), mixed * shrink + grown @ value


@wrong("online_softmax_step", says="Your code shrinks the total, but not the mixed values.")
def total_shrinks_only(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.amax(dim=-1, keepdim=True))
    safe = new.masked_fill(new.isneginf(), 0.0)
    shrink, grown = torch.exp(maximum - safe), torch.exp(scores - safe)
    return new, total * shrink + grown.sum(dim=-1, keepdim=True), mixed + grown @ value


@wrong("growth_exponent", says="Your line is forced through the origin. A fitted line may have any intercept")
def without_an_intercept(sizes, costs):
    x, y = np.log(sizes)[:, None], np.log(costs)
    return float(np.linalg.lstsq(x, y, rcond=None)[0][0])


@wrong("patches", says="Your patches are runs of consecutive pixels, as a `reshape` alone gives them, and not squares.")
def a_reshape_alone(images, size):
    return images.reshape(images.size(0), -1, size**2)


@wrong("patches", says="Within your patches, the numbers stand column by column.")
def columns_of_each_patch(images, size):
    B, height, width = images.shape
    cut = images.reshape(B, height // size, size, width // size, size)
    return cut.permute(0, 1, 3, 4, 2).reshape(B, -1, size**2)


@wrong("growth_exponent", says="You swapped sizes and costs", never="That may not be all")
def size_as_a_function_of_the_cost(sizes, costs):
    slope, _ = np.polyfit(np.log(costs), np.log(sizes), deg=1)
    return float(slope)


@wrong("online_softmax_step", says=("beside others that see some", "Treat each row by itself"))
def guarded_if_all_are_hidden(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.max(dim=-1, keepdim=True).values)
    if torch.isinf(new).all():
        return maximum, total, mixed
    shrink, weights = torch.exp(maximum - new), torch.exp(scores - new)
    return new, total * shrink + weights.sum(dim=-1, keepdim=True), mixed * shrink + weights @ value


@wrong("online_softmax_step", says="Where all keys so far are hidden, your result is NaN", never="beside others")
def without_a_guard(maximum, total, mixed, scores, value):
    new = torch.maximum(maximum, scores.max(dim=-1, keepdim=True).values)
    shrink, weights = torch.exp(maximum - new), torch.exp(scores - new)
    return new, total * shrink + weights.sum(dim=-1, keepdim=True), mixed * shrink + weights @ value


@wrong("sliding_window_mask", says="the start of your slice is negative, so it counts from the end")
def negative_start(T, window):
    mask = torch.zeros(T, T, dtype=torch.bool)
    for i in range(T):
        mask[i, i - window + 1 : i + 1] = True
    return mask


@wrong("reach", says="A window includes the token that reads", never="behaves as if")
def a_whole_window_for_each_layer(layers, window):
    return 1 + layers * window


@wrong("patches", says="Your code takes every picture for a square")
def as_many_columns_as_rows(pictures, size):
    count = pictures.shape[1] // size
    rows = []
    for i in range(count):
        for j in range(count):
            patch = pictures[:, i * size : (i + 1) * size, j * size : (j + 1) * size]
            rows.append(patch.reshape(len(pictures), -1))
    return torch.stack(rows, dim=1)


@wrong("VisionTransformer", says="Your `self.class_token` and `self.positions` begin with positive numbers only")
class NumbersOfRand(images.VisionTransformer):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, layers)
        self.class_token = nn.Parameter(torch.rand(1, 1, d_model) * 0.2)
        self.positions = nn.Parameter(torch.rand(count + 1, d_model) * 0.2)


@wrong("LanguageModel", says="Your `self.table` begins with positive numbers only, as `torch.rand` gives them.")
class TableOfRand(find("LanguageModel").reference):
    def __init__(self, V, d_model, *others):
        super().__init__(V, d_model, *others)
        self.table = nn.Parameter(torch.rand(V, d_model) * d_model**-0.5)


@wrong("online_softmax_step", says="Your new exponentials have the maximum of their own block subtracted.")
def exponentials_of_the_block(maximum, total, mixed, scores, value):
    of_block = scores.amax(dim=-1, keepdim=True)
    new = torch.maximum(maximum, of_block)
    safe, subtracted = (torch.where(each.isinf(), 0.0, each) for each in (new, of_block))
    weights, shrink = torch.exp(scores - subtracted), torch.exp(maximum - safe)
    return new, total * shrink + weights.sum(dim=-1, keepdim=True), mixed * shrink + weights @ value


@wrong("reach", says="Your code counts one layer too many. With no layers, the reach is the token itself.")
def begins_with_a_window(layers, window):
    tokens = window
    for _ in range(layers):
        tokens += window - 1
    return tokens


@wrong("reach", says="Your reach does not count the token itself: add 1.")
def how_far_back(layers, window):
    return sum(window - 1 for _ in range(layers))


@wrong("VisionTransformer", says="Pass 0.0 to the layers inside, whose default may be larger", never="has no dropout")
class LayersWithTheirDefault(images.VisionTransformer):
    def __init__(self, patch_size, count, classes, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(patch_size, count, classes, d_model, heads, d_ff, layers)
        self.layers = nn.ModuleList(EncoderLayer(d_model, heads, d_ff, dropout) for _ in range(layers))


test_a_wrong_answer_is_refused_in_two_seconds_with_what_is_true_of_it = wrong.test()


def test_attention_in_blocks_that_rounds_to_float32_passes_with_a_remark():
    exercise = find("attend_in_blocks")

    def in_float32(query, key, value, block):
        return exercise.reference(query.float(), key.float(), value.float(), block)

    report = exercise.check(in_float32)
    assert report.passed
    assert report.message.count("So the next cell finds") == 1
    assert "more than 1e-12" in report.message
