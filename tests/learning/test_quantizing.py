"""Weights as whole numbers with a scale for each row."""

import torch

from course_lib.learning.quantizing import dequantize, quantize, quantize_rows


def test_no_number_is_off_by_more_than_half_a_level():
    weight = torch.randn(50, 30, generator=torch.Generator().manual_seed(0)) * torch.logspace(-6, 3, 50)[:, None]
    whole, scale = quantize_rows(weight)
    assert whole.dtype == torch.int8
    assert ((whole * scale - weight).abs() <= scale / 2 * 1.0001).all()
    assert (whole.abs().amax(dim=1) == 127).all()


def test_torchs_own_quantization_gives_the_same_whole_numbers():
    weight = torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
    whole, scale = quantize_rows(weight)
    theirs = torch.quantize_per_channel(weight, scale.squeeze(1), torch.zeros(6), axis=0, dtype=torch.qint8)
    assert torch.equal(theirs.int_repr(), whole)
    torch.testing.assert_close(theirs.dequantize(), whole * scale)


def test_a_row_of_zeros_stays_one():
    whole, scale = quantize_rows(torch.zeros(1, 4))
    assert whole.tolist() == [[0, 0, 0, 0]]
    assert scale.tolist() == [[1]]


def test_vectors_and_whole_numbers_stay_as_they_are():
    weights = {"W": torch.tensor([[1.0, -0.5]]), "b": torch.tensor([0.3]), "ids": torch.tensor([[1, 2]])}
    stored = quantize(weights)
    assert sorted(stored) == ["W", "W.scale", "b", "ids"]
    back = dequantize(stored)
    assert sorted(back) == sorted(weights)
    torch.testing.assert_close(back["W"], weights["W"], atol=0.5 / 127, rtol=0)
    assert torch.equal(back["b"], weights["b"])
    assert torch.equal(back["ids"], weights["ids"])
