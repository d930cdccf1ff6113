"""Attention block by block equals attention with the whole table."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib.transformer.attention import scaled_dot_product_attention
from course_lib.transformer.blocks import attend_in_blocks, online_softmax_step, reach, sliding_window_mask


def tensors(T: int = 10, S: int = 13, d_k: int = 4, d_v: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(2, 3, T, d_k), torch.randn(2, 3, S, d_k), torch.randn(2, 3, S, d_v)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 13, 100])
def test_any_size_of_block_gives_exact_attention(block: int):
    query, key, value = tensors()
    exact, _ = scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(attend_in_blocks(query, key, value, block), exact, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        attend_in_blocks(query, key, value, block), F.scaled_dot_product_attention(query, key, value), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("block", [1, 3, 4, 20])
def test_masks_hide_the_same_keys(block: int):
    query, key, value = tensors(S=10)
    for mask in (sliding_window_mask(10, 3), torch.ones(10, 10).tril().bool(), torch.eye(10).bool()):
        exact, _ = scaled_dot_product_attention(query, key, value, mask)
        torch.testing.assert_close(attend_in_blocks(query, key, value, block, mask), exact, atol=1e-6, rtol=0)


def test_huge_and_very_negative_scores_do_no_harm():
    query, key, value = tensors()
    for factor in (1e4, -1e4):
        exact, _ = scaled_dot_product_attention(query * factor, key, value)
        torch.testing.assert_close(attend_in_blocks(query * factor, key, value, 3), exact, atol=1e-5, rtol=0)


def test_a_block_that_is_all_hidden_changes_nothing():
    state = (torch.tensor([[-math.inf]]), torch.zeros(1, 1), torch.zeros(1, 2))
    hidden, value = torch.full((1, 3), -math.inf), torch.ones(3, 2)
    assert [each.tolist() for each in online_softmax_step(*state, hidden, value)] == [each.tolist() for each in state]
    state = online_softmax_step(*state, torch.tensor([[1.0, 2.0, 3.0]]), value)
    for before, after in zip(state, online_softmax_step(*state, hidden, value), strict=True):
        torch.testing.assert_close(before, after)


def test_a_maximum_that_comes_last_is_taken():
    scores, value = torch.tensor([[-50.0, -60.0, 1000.0]]), torch.tensor([[1.0], [2.0], [3.0]])
    state = (torch.tensor([[-math.inf]]), torch.zeros(1, 1), torch.zeros(1, 1))
    for i in range(3):
        state = online_softmax_step(*state, scores[:, i : i + 1], value[i : i + 1])
    assert state[0].item() == 1000
    assert (state[2] / state[1]).item() == 3


def test_information_travels_as_far_as_it_is_said():
    for layers, window in ((1, 4), (3, 2), (4, 3)):
        T = 20
        travels = torch.eye(T)
        for _ in range(layers):
            travels = sliding_window_mask(T, window).float() @ travels
        assert (travels[-1] > 0).sum() == reach(layers, window)


@pytest.mark.parametrize("call", [lambda: sliding_window_mask(4, 0), lambda: attend_in_blocks(*tensors(), block=0)])
def test_sizes_below_one_are_refused(call):
    with pytest.raises(ValueError, match="a number of tokens, 1 or more, but is 0"):
        call()
