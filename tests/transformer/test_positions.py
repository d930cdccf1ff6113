"""Positions against their closed forms and transformers' rotary, and the properties that they are there for."""

import math

import pytest
import torch
from torch import Tensor

from course_lib.transformer.positions import rotary, sinusoidal
from tests.transformer.reference import TOLERANCES, assert_equal

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def float64_by_default() -> None:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def closed_form(length: int, d_model: int) -> Tensor:
    """Section 3.5 of the paper, one entry at a time, with Python's own sine."""
    table = torch.empty(length, d_model, dtype=torch.float64)
    for pos in range(length):
        for i in range(d_model // 2):
            angle = pos / 10_000 ** (2 * i / d_model)
            table[pos, 2 * i], table[pos, 2 * i + 1] = math.sin(angle), math.cos(angle)
    return table


@pytest.mark.parametrize(("length", "d_model"), [(50, 6), (1, 6), (7, 2), (3, 64)])
def test_sinusoids_are_the_papers_formula(length: int, d_model: int, float64_by_default: None) -> None:
    assert_equal(sinusoidal(length, d_model), closed_form(length, d_model))


def test_sinusoids_are_rounded_only_at_the_end() -> None:
    # Angles worked out in float32 would be wrong in the fourth digit this far on.
    table = sinusoidal(10_000, 4)
    assert table.dtype == torch.float32
    torch.testing.assert_close(table, closed_form(10_000, 4).float(), rtol=0, atol=1e-7)


def test_a_step_of_k_is_one_rotation_the_same_from_every_position(float64_by_default: None) -> None:
    # Section 3.5: "for any fixed offset k, PE(pos+k) can be represented as a linear function of PE(pos)".
    k, d_model = 7, 6
    table = sinusoidal(40, d_model)
    step = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        angle = k / 10_000 ** (2 * i / d_model)
        cos, sin = math.cos(angle), math.sin(angle)
        step[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor([[cos, sin], [-sin, cos]])
    assert_equal(table[k:], table[:-k] @ step.T)


def angles_of_llama(positions: Tensor, d_k: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (T, d_k) as transformers' LlamaRotaryEmbedding has them, but in float64 throughout."""
    inverse = 1.0 / base ** (torch.arange(0, d_k, 2, dtype=torch.float64) / d_k)
    frequencies = positions.double()[:, None] * inverse
    both = torch.cat((frequencies, frequencies), dim=-1)
    return both.cos(), both.sin()


@both_types
@pytest.mark.parametrize("offset", [0, 5])
@pytest.mark.parametrize("base", [10_000.0, 100.0])
def test_rotary_is_transformers(dtype: torch.dtype, offset: int, base: float, generator: torch.Generator) -> None:
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    B, H, T, d_k = 2, 3, 9, 8
    x = torch.randn(B, H, T, d_k, generator=generator, dtype=torch.float64).to(dtype)
    cos, sin = angles_of_llama(torch.arange(offset, offset + T), d_k, base)
    expected, _ = apply_rotary_pos_emb(x, x, cos[None].to(dtype), sin[None].to(dtype))
    assert_equal(rotary(x, offset, base), expected)


def test_rotary_is_transformers_own_module_in_float32(generator: torch.Generator) -> None:
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    x = torch.randn(2, 3, 9, 8, generator=generator)
    module = LlamaRotaryEmbedding(LlamaConfig(hidden_size=24, num_attention_heads=3))
    expected, _ = apply_rotary_pos_emb(x, x, *module(x, torch.arange(9)[None]))
    assert_equal(rotary(x), expected)


def test_rotary_turns_a_pair_by_its_position_in_radians() -> None:
    # With d_k = 2 there is one clock, which turns by one radian a token.
    turned = rotary(torch.tensor([[3.0, 4.0]] * 3, dtype=torch.float64))
    for t in range(3):
        cos, sin = math.cos(t), math.sin(t)
        assert turned[t].tolist() == pytest.approx([3 * cos - 4 * sin, 3 * sin + 4 * cos], abs=1e-12)


def test_rotary_scores_depend_on_the_distance_only(generator: torch.Generator) -> None:
    query, key = torch.randn(2, 1, 8, generator=generator, dtype=torch.float64)

    def score(m: int, n: int) -> Tensor:
        return (rotary(query, offset=m) * rotary(key, offset=n)).sum()

    assert_equal(score(17, 12), score(5, 0))
    assert_equal(score(3, 9), score(0, 6))
    assert abs(score(5, 0) - score(6, 0)) > 1e-3


def test_rotary_keeps_lengths_and_leaves_the_first_token(generator: torch.Generator) -> None:
    x = torch.randn(2, 3, 9, 8, generator=generator, dtype=torch.float64)
    assert_equal(rotary(x).norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(rotary(x)[..., 0, :], x[..., 0, :])


def test_rotary_turns_all_heads_of_a_token_alike(generator: torch.Generator) -> None:
    head = torch.randn(2, 1, 5, 8, generator=generator)
    turned = rotary(head.expand(2, 4, 5, 8))
    assert torch.equal(turned, turned[:, :1].expand(2, 4, 5, 8))


@both_types
def test_rotary_starting_later_continues_what_began_earlier(dtype: torch.dtype, generator: torch.Generator) -> None:
    x = torch.randn(2, 9, 8, generator=generator, dtype=torch.float64).to(dtype)
    pieces = torch.cat([rotary(x[:, t : t + 1], offset=t) for t in range(9)], dim=1)
    assert (rotary(x) - pieces).abs().max() <= TOLERANCES[dtype]


def test_rotary_in_half_precision_counts_positions_in_float32() -> None:
    # bfloat16 has no 257: counted in it, neighbours would share a position.
    x = torch.tensor([[1.0, 0.0]]).expand(300, 2)
    turned = rotary(x.bfloat16())
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.float(), rotary(x), rtol=0, atol=0.01)


def test_rotary_has_the_numerical_gradient_and_takes_any_layout(generator: torch.Generator) -> None:
    x = torch.randn(4, 3, 2, generator=generator, dtype=torch.float64).permute(2, 1, 0)
    before = x.clone()
    assert torch.autograd.gradcheck(rotary, (x.detach().requires_grad_(),))
    assert torch.equal(rotary(x), rotary(x.contiguous()))
    assert torch.equal(x, before)


def test_an_odd_width_is_refused() -> None:
    sentence = "positions come in pairs of features, so the width should be even, but it is 5"
    with pytest.raises(ValueError, match=sentence):
        sinusoidal(3, 5)
    with pytest.raises(ValueError, match=sentence):
        rotary(torch.zeros(3, 5))
