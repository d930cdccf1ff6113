"""Low-rank adapters: against the formula, and merged."""

import pytest
import torch
from torch import nn

from course_lib.learning.adapters import AdaptedLinear, LowRankAdapter, add_adapters, merge_adapter, merge_adapters
from course_lib.transformer.models import Encoder

IDS = torch.tensor([[5, 6, 7, 8], [9, 4, 0, 0]])


def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(20, d_model=8, heads=2, d_ff=16, layers=2).double().eval()


def train_a_little(model: nn.Module) -> None:
    """Give the adapters numbers that are not 0."""
    for name, each in model.named_parameters():
        if name.endswith(".B"):
            nn.init.normal_(each)


def test_an_adapter_is_its_formula():
    adapter = LowRankAdapter(4, 3, rank=2, alpha=6.0).double()
    nn.init.normal_(adapter.B)
    x = torch.randn(5, 4, dtype=torch.float64)
    expected = torch.stack([6.0 / 2 * adapter.B @ (adapter.A @ row) for row in x])
    torch.testing.assert_close(adapter(x), expected, rtol=0, atol=1e-12)


def test_merging_is_the_formula():
    W, A, B = (torch.randn(*shape, dtype=torch.float64) for shape in ((3, 4), (2, 4), (3, 2)))
    expected = [
        [W[i, j].item() + 6.0 / 2 * sum(B[i, k].item() * A[k, j].item() for k in range(2)) for j in range(4)]
        for i in range(3)
    ]
    before = W.clone()
    torch.testing.assert_close(merge_adapter(W, A, B, 6.0), torch.tensor(expected, dtype=torch.float64))
    assert torch.equal(W, before)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"the shapes are \(2, 4\), \(3, 2\) and \(4, 3\)"):
        merge_adapter(torch.zeros(4, 3), torch.zeros(2, 4), torch.zeros(3, 2), 1.0)


def test_new_adapters_change_nothing_and_only_they_learn():
    model, plain = encoder(), encoder()
    learning = add_adapters(model, rank=2, alpha=4.0)
    model.double()
    maps = [each for each in plain.modules() if isinstance(each, nn.Linear)]
    assert learning == sum(2 * (each.in_features + each.out_features) for each in maps)
    assert {name.rpartition(".")[2] for name, each in model.named_parameters() if each.requires_grad} == {"A", "B"}
    assert torch.equal(model(IDS), plain(IDS))


def test_a_merged_model_computes_the_same_and_has_the_plain_maps_again():
    model = encoder()
    add_adapters(model, rank=2, alpha=4.0)
    train_a_little(model.double())
    adapted = model(IDS)
    assert not torch.allclose(adapted, encoder()(IDS), atol=1e-2)
    assert merge_adapters(model) == 12
    torch.testing.assert_close(model(IDS), adapted, rtol=0, atol=1e-10)
    assert not any(isinstance(each, AdaptedLinear) for each in model.modules())
    assert list(model.state_dict()) == list(encoder().state_dict())


def test_the_change_of_a_map_is_what_merging_adds():
    linear, adapter = nn.Linear(4, 3).double(), LowRankAdapter(4, 3, rank=2, alpha=6.0).double()
    nn.init.normal_(adapter.B)
    expected = merge_adapter(torch.zeros(3, 4, dtype=torch.float64), adapter.A, adapter.B, 6.0)
    torch.testing.assert_close(AdaptedLinear(linear, adapter).change, expected, rtol=0, atol=1e-12)


def test_a_model_without_linear_maps_is_refused():
    with pytest.raises(ValueError, match=r"no nn\.Linear"):
        add_adapters(nn.LayerNorm(3), rank=2, alpha=4.0)
