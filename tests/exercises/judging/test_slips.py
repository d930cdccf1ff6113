"""Slips that can be read in a source, and what is counted as one."""

from typing import Any

import pytest
import torch
from torch import nn

from course_lib.exercises.catalogue import find
from course_lib.exercises.judging.slips import (
    attribute_without_effect,
    plain_tensor_for_parameter,
    slip_in_class,
    slip_in_source,
    slips_with_masks,
)


def adds_mask(scores, mask):
    return (scores + mask).softmax(-1)


def adds_infinity(scores, mask):
    return (scores + (~mask) * -torch.inf).softmax(-1)


def subtracts_a_constant(scores, mask):
    return (scores + (1 - mask.float())).softmax(-1)


class AddsMask(nn.Module):
    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def forward(self, scores, mask):
        assert super().extra_repr() == ""
        return (self.scale * scores + mask).softmax(-1)


def with_a_closure() -> Any:
    def times(x):
        return 1.0 * x

    def answer(scores, mask):
        return (times(scores) + mask).softmax(-1)

    return answer


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (adds_mask, "In `scores + mask`, True counts as 1"),
        (adds_infinity, "In `~mask * -torch.inf`, 0 times infinity is NaN"),
        (subtracts_a_constant, "In `scores + (1 - mask.float())`, True counts as 1"),
        (AddsMask, "In `self.scale * scores + mask`, True counts as 1"),
        (with_a_closure(), "In `times(scores) + mask`, True counts as 1"),
    ],
)
def test_a_slip_with_a_mask_is_quoted_and_mended(answer: Any, words: str):
    scores, mask = torch.tensor([[0.5, 1.0], [2.0, 1.0]]), torch.tensor([[True, False], [True, True]])
    slip = next(each for each in slips_with_masks(answer, ["mask"]) if words in each.sentence)
    corrected = slip.corrected() if isinstance(slip.corrected, type) else slip.corrected
    torch.testing.assert_close(corrected(scores, mask), scores.masked_fill(~mask, -torch.inf).softmax(-1))


def test_sums_of_numbers_are_no_slips_with_a_mask():
    assert list(slips_with_masks(lambda scores, mask: (1 + scores) * 2, ["mask"])) == []


def rounds_to_bins(confidence, correct, bins):
    number, error = torch.round(confidence * (bins - 1)).long(), torch.tensor(0.0)
    for b in range(bins):
        inside = number == b
        if inside.any():
            gap = correct[inside].float().mean() - confidence[inside].mean()
            error = error + inside.sum() / len(confidence) * gap.abs()
    return error


def adds_mask_and_forgets_the_scale(query, key, value, mask=None):
    scores = query @ key.mT
    if mask is not None:
        scores = scores + mask
    weights = scores.softmax(-1)
    return weights @ value, weights


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("calibration_error", rounds_to_bins),
        ("calibration_error", lambda confidence, correct, bins: (correct * 1.0 - confidence).abs().sum()),
        ("scaled_dot_product_attention", adds_mask_and_forgets_the_scale),
        ("mean_of_tokens", lambda hidden, real: (hidden + real[..., None]).mean(1)),
    ],
)
def test_an_expression_with_a_mask_is_not_blamed_if_nothing_becomes_right_without_it(name: str, answer: Any):
    assert "True counts as 1" not in find(name).check(answer).message


def picks_all_labels(logits, labels):
    return -logits.log_softmax(-1)[..., labels].mean()


def picks_rows(logits, labels):
    return logits[:, 1][labels]


def picks_the_diagonal(logits, labels):
    return -logits.log_softmax(-1)[..., labels].diagonal().mean()


def nll_of_normed_logits(logits, labels):
    logits = logits - logits.logsumexp(-1, keepdim=True)
    return nn.functional.nll_loss(logits.flatten(0, 1), labels.flatten())


class BatchMoved(nn.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(d_model, heads)

    def forward(self, query, key, value):
        return self.inner(*(x.transpose(0, 1) for x in (query, key, value)))[0].transpose(0, 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (picks_all_labels, "`logits.log_softmax(-1)[..., labels]` picks every label at every position."),
        (picks_rows, ""),
        (picks_the_diagonal, ""),
        (nll_of_normed_logits, ""),
        (BatchMoved, ""),
    ],
)
def test_a_call_or_an_index_that_does_not_do_what_was_meant_is_quoted(answer: Any, words: str):
    found = slip_in_source(answer)
    assert words in found
    assert bool(found) == bool(words)


def misspelled(model, learn):
    for name, parameter in model.named_parameters():
        parameter.require_grad = name.split(".")[0] in learn
    return sum(each.numel() for each in model.parameters() if each.requires_grad)


def overwrites_a_method(model, learn):
    for parameter in model.parameters():
        parameter.requires_grad_ = False
    return sum(each.numel() for each in model.parameters() if each.requires_grad)


def overwrites_eval(model, learn):
    model.eval = True
    return 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (misspelled, "`require_grad` is not an attribute that torch knows, so setting it has no effect: it is called "),
        (overwrites_a_method, "Call it: `parameter.requires_grad_(False)`."),
        (overwrites_eval, "Call it: `model.eval()`."),
    ],
)
def test_an_attribute_that_torch_does_not_know_is_named(answer: Any, words: str):
    assert words in find("freeze").check(answer).message


def test_an_attribute_of_the_learners_own_is_not_blamed():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.trainings, self.require_grad = 3, True

    def sets_what_torch_knows(model, learn):
        for parameter in model.parameters():
            parameter.requires_grad = parameter.grad = None
        model.training = True

    assert attribute_without_effect(Own) == attribute_without_effect(sets_what_torch_knows) == ""


class OnlyGainPlain(find("LayerNorm").reference):
    def __init__(self, d_model, eps=1e-5):
        nn.Module.__init__(self)
        self.gain = torch.ones(d_model)
        self.bias, self.eps = nn.Parameter(torch.zeros(d_model)), eps


class OnlyBiasPlain(find("LayerNorm").reference):
    def __init__(self, d_model, eps=1e-5):
        nn.Module.__init__(self)
        self.gain, self.bias, self.eps = nn.Parameter(torch.ones(d_model)), torch.zeros(d_model), eps


class WrappedLater(find("LayerNorm").reference):
    def __init__(self, d_model, eps=1e-5):
        nn.Module.__init__(self)
        self.gain = torch.ones(d_model)
        self.gain, self.bias = nn.Parameter(self.gain), nn.Parameter(torch.zeros(d_model))
        self.eps = eps


@pytest.mark.parametrize(("answer", "name"), [(OnlyGainPlain, "gain"), (OnlyBiasPlain, "bias")])
def test_a_gain_that_is_a_plain_tensor_is_not_said_to_be_unused(answer: Any, name: str):
    message = find("LayerNorm").check(answer).message
    assert f"Your `self.{name}` is a plain tensor" in message
    assert "no effect" not in message


def test_a_tensor_that_becomes_a_parameter_is_no_slip():
    assert plain_tensor_for_parameter(WrappedLater, find("LayerNorm").reference) == ""
    assert find("LayerNorm").check(WrappedLater).passed


class NoModule:
    def __init__(self, d_model, d_ff, activation=torch.relu):
        self.W_1, self.W_2, self.activation = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model), activation

    def forward(self, x):
        return self.W_2(self.activation(self.W_1(x)))


class SingleUnderscores(nn.Module):
    def _init_(self, d_model, d_ff, activation=torch.relu):
        super().__init__()

    def forward(self, x):
        return x


class WithoutSelf(find("FeedForward").reference):
    def forward(x):
        return x


class InitWithoutSelf(nn.Module):
    def __init__(d_model, d_ff, activation=torch.relu):
        pass

    def forward(self, x):
        return x


class AnotherNameForSelf(find("FeedForward").reference):
    def forward(this, x):
        return this.W_1(x)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            NoModule,
            "Your class is not an `nn.Module`, so torch does not find its weights. Write `class NoModule(nn.Module)",
        ),
        (SingleUnderscores, "Python never calls your `_init_`. The method that makes an instance is `__init__`"),
        (WithoutSelf, "Your `forward` lacks `self`, the first parameter of a method. Write `def forward(self, x):`."),
        (InitWithoutSelf, "Write `def __init__(self, d_model, d_ff, activation):`."),
    ],
)
def test_a_slip_in_how_a_class_is_written_is_named(answer: Any, words: str):
    assert words in find("FeedForward").check(answer).message


def test_another_name_for_self_and_a_function_that_makes_a_module_are_no_slips():
    reference = find("FeedForward").reference
    assert slip_in_class(AnotherNameForSelf, reference) == slip_in_class(lambda: None, reference) == ""
    assert slip_in_class(NoModule, find("softmax").reference) == ""
