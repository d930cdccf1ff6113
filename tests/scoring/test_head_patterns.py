"""What heads read: on weights that are known."""

import math

import pytest
import torch

from course_lib.scoring.head_patterns import head_patterns, share_of_ends


def test_a_head_that_reads_the_previous_token_gives_it_all_of_its_weight() -> None:
    weights = torch.zeros(1, 1, 5, 5)
    weights[0, 0, 0, 0] = 1
    weights[0, 0, range(1, 5), range(4)] = 1
    patterns = head_patterns(weights)
    assert patterns["previous"].item() == 1
    assert patterns["next"].item() == 0
    assert patterns["entropy"].item() == pytest.approx(0, abs=1e-6)


def test_a_head_that_reads_evenly_has_the_entropy_of_all_its_tokens() -> None:
    assert head_patterns(torch.full((2, 3, 8, 8), 1 / 8))["entropy"].mean().item() == pytest.approx(math.log(8))


def test_layers_and_heads_are_measured_separately() -> None:
    weights = torch.full((2, 3, 8, 8), 1 / 8)
    weights[1, 2] = torch.eye(8)
    assert head_patterns(weights)["itself"].tolist() == [[0.125] * 3, [0.125, 0.125, 1.0]]


def test_the_ends_of_even_amounts_have_two_shares() -> None:
    assert share_of_ends(torch.ones(2, 3, 4, 8)) == pytest.approx(2 / 8)


def test_amounts_need_not_add_up_to_one() -> None:
    assert share_of_ends(torch.tensor([[3.0, 1.0, 4.0]])) == pytest.approx(7 / 8)


def test_a_single_key_and_counts_of_true_are_shared_out_once() -> None:
    assert share_of_ends(torch.ones(2, 3, 1)) == 1.0
    assert share_of_ends(torch.ones(2, 3, 4, dtype=torch.bool)) == 0.5
    assert head_patterns(torch.ones(1, 1, 1, 1))["ends"].item() == 1.0
