"""Heads, freezing, groups with their own rates, early stopping, and what each word adds."""

import pytest
import torch
from torch import nn

from course_lib.learning.heads import (
    Classifier,
    ClassifierHead,
    freeze,
    leave_one_out,
    mean_of_tokens,
    parameter_groups,
    should_stop,
)
from course_lib.transformer.models import Encoder


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    return Classifier(Encoder(20, d_model=8, heads=2, d_ff=16, layers=2), ClassifierHead(8, 3), pad=0).eval()


def test_the_mean_is_torchs_over_each_text_alone():
    hidden = torch.randn(3, 5, 4, dtype=torch.float64)
    lengths = [5, 1, 3]
    real = torch.arange(5) < torch.tensor(lengths)[:, None]
    expected = torch.stack([states[:length].mean(dim=0) for states, length in zip(hidden, lengths, strict=True)])
    torch.testing.assert_close(mean_of_tokens(hidden, real), expected, rtol=0, atol=1e-12)


def test_padding_that_is_no_number_changes_no_mean():
    hidden = torch.tensor([[[1.0], [3.0], [torch.nan]]])
    assert mean_of_tokens(hidden, torch.tensor([[True, True, False]])).tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("real", "words"),
    [
        (torch.ones(2, 4, dtype=torch.bool), r"whether it counts, \(B, S\), but its shape is \(2, 4\)"),
        (torch.tensor([[True] * 3, [False] * 3]), "no real token"),
    ],
)
def test_masks_that_do_not_fit_are_refused(real: torch.Tensor, words: str):
    with pytest.raises(ValueError, match=words):
        mean_of_tokens(torch.zeros(2, 3, 4), real)


def test_padding_cannot_change_the_class(classifier: Classifier):
    alone = classifier(torch.tensor([[5, 6, 7]]))
    padded = classifier(torch.tensor([[5, 6, 7, 0, 0], [8, 9, 4, 5, 6]]))[:1]
    torch.testing.assert_close(padded, alone, rtol=0, atol=1e-6)
    assert not torch.allclose(classifier(torch.tensor([[5, 6, 7, 1, 1]])), alone, atol=1e-3)


def test_freezing_leaves_the_named_parts(classifier: Classifier):
    assert freeze(classifier, ["head", "encoder.layers.1.norm_2"]) == 8 * 3 + 3 + 2 * 8
    learning = {name for name, each in classifier.named_parameters() if each.requires_grad}
    assert learning == {
        "head.output.weight",
        "head.output.bias",
        "encoder.layers.1.norm_2.gain",
        "encoder.layers.1.norm_2.bias",
    }
    everything = sum(each.numel() for each in classifier.parameters())
    assert freeze(classifier, ["encoder", "head"]) == everything
    assert freeze(classifier, "head") == 8 * 3 + 3


def test_a_layer_that_is_not_there_is_named(classifier: Classifier):
    with pytest.raises(ValueError, match=r"no part 'layers.1'; its parts are encoder, head"):
        freeze(classifier, ["layers.1"])


def test_a_step_moves_the_groups_by_their_rates_and_nothing_that_is_frozen(classifier: Classifier):
    freeze(classifier, ["head", "encoder.layers.1"])
    groups = parameter_groups(classifier.head, classifier.encoder, 1e-2, 1e-4)
    before = {name: each.detach().clone() for name, each in classifier.named_parameters()}
    classifier(torch.tensor([[5, 6, 7]]))[0, 0].backward()
    torch.optim.Adam(groups).step()  # its first step moves each number by the rate
    moved = {name: (each - before[name]).abs().max().item() for name, each in classifier.named_parameters()}
    assert moved["head.output.weight"] == pytest.approx(1e-2, rel=1e-3)
    assert moved["encoder.layers.1.feed_forward.W_2.weight"] == pytest.approx(1e-4, rel=1e-2)
    assert moved["encoder.table"] == moved["encoder.layers.0.feed_forward.W_2.weight"] == 0


def test_a_body_that_is_all_frozen_gets_no_group(classifier: Classifier):
    freeze(classifier, ["head"])
    (group,) = parameter_groups(classifier.head, classifier.encoder, 1e-2, 1e-4)
    assert group["lr"] == 1e-2
    assert len(group["params"]) == 2


@pytest.mark.parametrize(
    ("losses", "patience", "stops"),
    [
        ([], 1, False),
        ([0.5], 1, False),
        ([0.5, 0.6], 1, True),
        ([0.5, 0.6], 2, False),
        ([0.5, 0.6, 0.55], 2, True),
        ([0.5, 0.6, 0.4], 2, False),
        ([0.5, 0.5], 1, True),
    ],
)
def test_training_stops_after_so_many_checks_without_a_new_lowest_loss(losses: list[float], patience: int, stops: bool):
    assert should_stop(losses, patience) is stops


def test_a_patience_of_nothing_is_refused():
    with pytest.raises(ValueError, match="patience should be 1 or more, but is 0"):
        should_stop([0.5], 0)


def test_a_word_adds_what_is_lost_without_it():
    words = ["a", "fine", "a"]
    values = leave_one_out(lambda kept: float("fine" in kept) + 0.25 * len(kept), words)
    assert values.tolist() == [0.25, 1.25, 0.25]
    assert words == ["a", "fine", "a"]


def test_a_softmax_is_not_in_the_head():
    head = ClassifierHead(2, 2)
    nn.init.constant_(head.output.weight, 1.0)
    nn.init.zeros_(head.output.bias)
    logits = head(torch.tensor([[[2.0, 3.0]]]), torch.tensor([[True]]))
    assert logits.tolist() == [[5.0, 5.0]]
