"""Positions against their closed forms and transformers' rotary, and their characteristic properties."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.positions import (
    LearnedPositions,
    TokenEmbedding,
    add_positions,
    alibi_bias,
    embed,
    embed_with_positions,
    rotary,
    sinusoidal,
)
from tests.transformer.reference import TOLERANCES, assert_equal, random

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


@both_types
@pytest.mark.parametrize("shape", [(2, 5), (5,), (1, 1), (2, 3, 4)])
def test_embedding_is_torchs(shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator) -> None:
    table, ids = random(generator, 11, 6, dtype=dtype), torch.randint(11, shape, generator=generator)
    assert torch.equal(embed(ids, table), F.embedding(ids, table))


@pytest.mark.parametrize(("length", "d_model"), [(50, 6), (1, 6), (7, 2), (3, 64)])
def test_sinusoids_follow_the_formula_of_the_paper(length: int, d_model: int, float64_by_default: None) -> None:
    assert_equal(sinusoidal(length, d_model), closed_form(length, d_model))


def test_sinusoids_are_rounded_only_at_the_end() -> None:
    # At positions this large, angles computed in float32 would be wrong in the fourth digit.
    table = sinusoidal(10_000, 4)
    assert table.dtype == torch.float32
    torch.testing.assert_close(table, closed_form(10_000, 4).float(), rtol=0, atol=1e-7)


def test_a_step_of_k_is_the_same_rotation_from_every_position(float64_by_default: None) -> None:
    # Section 3.5: "for any fixed offset k, PE(pos+k) can be represented as a linear function of PE(pos)".
    k, d_model = 7, 6
    table = sinusoidal(40, d_model)
    step = torch.zeros(d_model, d_model)
    for i in range(d_model // 2):
        angle = k / 10_000 ** (2 * i / d_model)
        cos, sin = math.cos(angle), math.sin(angle)
        step[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor([[cos, sin], [-sin, cos]])
    assert_equal(table[k:], table[:-k] @ step.T)


# 60 and 70 tokens are on either side of the 64 rows that a table has initially.
@pytest.mark.parametrize("T", [1, 5, 60, 70])
def test_each_token_gets_the_row_of_its_position(T: int, generator: torch.Generator, float64_by_default: None) -> None:
    x = random(generator, 3, T, 6)
    expected = x + closed_form(T, 6)
    assert_equal(add_positions(x), expected)
    assert_equal(add_positions(x, torch.arange(T)), expected)
    assert_equal(add_positions(x, torch.arange(T).expand(3, T)), expected)


def test_positions_may_be_arbitrary_and_differ_between_texts(
    generator: torch.Generator, float64_by_default: None
) -> None:
    x, table = random(generator, 2, 3, 6), closed_form(200, 6)
    at = torch.tensor([[0, 0, 1], [64, 199, 5]])
    assert_equal(add_positions(x, at), x + table[at])
    assert_equal(add_positions(x, at[1]), x + table[at[1]])
    last = torch.tensor([62, 63, 64])  # a table of 64 rows ends before the last of them
    assert_equal(add_positions(x, last), x + table[last])


@both_types
def test_positions_are_added_in_the_dtype_of_the_tokens(dtype: torch.dtype, generator: torch.Generator) -> None:
    x = random(generator, 2, 5, 6, dtype=dtype)
    assert_equal(add_positions(x), x + sinusoidal(5, 6).to(dtype))
    assert add_positions(x.bfloat16()).dtype == torch.bfloat16


def test_positions_follow_the_current_default_dtype(generator: torch.Generator) -> None:
    x = random(generator, 2, 5, 6)
    rounded = add_positions(x)
    torch.set_default_dtype(torch.float64)
    try:
        exact = add_positions(x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert_equal(exact, x + closed_form(5, 6))
    assert (rounded - exact).abs().max() > 1e-9


def counts(length: int, d_model: int) -> Tensor:
    """A table of positions whose rows can be recognised: 100, 101, 102, …, the same in every feature."""
    return 100 + torch.arange(length, dtype=torch.float64)[:, None].expand(length, d_model)


def test_another_table_of_positions_may_be_used() -> None:
    x = torch.zeros(2, 3, 4, dtype=torch.float64)
    assert add_positions(x, positions=counts)[1, :, 3].tolist() == [100, 101, 102]
    assert add_positions(x, torch.tensor([7, 8, 9]), positions=counts)[0, :, 0].tolist() == [107, 108, 109]


@both_types
def test_tokens_are_looked_up_scaled_and_given_their_positions(dtype: torch.dtype, generator: torch.Generator) -> None:
    # Sections 3.4 and 3.5 of the paper: rows of the table times √d_model, plus the sinusoids.
    table, ids = random(generator, 11, 6, dtype=dtype), torch.tensor([[5, 0, 10], [5, 5, 1]])
    rows = F.embedding(ids, table) * math.sqrt(6)
    assert_equal(embed_with_positions(ids, table), rows + sinusoidal(3, 6).to(dtype))
    at = torch.tensor([4, 5, 6])
    assert_equal(embed_with_positions(ids, table, at), rows + sinusoidal(7, 6)[4:].to(dtype))


def test_tokens_are_looked_up_by_the_given_function(generator: torch.Generator) -> None:
    def backwards(ids: Tensor, table: Tensor) -> Tensor:
        return F.embedding(ids, table.flip(0))

    table, ids = random(generator, 11, 4), torch.tensor([[5, 0, 10]])
    expected = 2 * F.embedding(10 - ids, table) + counts(3, 4)
    assert_equal(embed_with_positions(ids, table, look_up=backwards, positions=counts), expected)


def test_learned_positions_are_torchs_embedding_of_the_positions(generator: torch.Generator) -> None:
    theirs, ours = nn.Embedding(9, 6).double(), LearnedPositions(9, 6).double()
    ours.load_state_dict({"table": theirs.weight})
    x = random(generator, 2, 5, 6)
    assert_equal(ours(x), x + theirs(torch.arange(5)))
    at = torch.tensor([[0, 0, 0, 1, 2], [4, 5, 6, 7, 8]])
    assert_equal(ours(x, at), x + theirs(at))
    assert_equal(ours(x, at[1]), x + theirs(at[1]))


def test_learned_positions_start_small_and_get_gradients(generator: torch.Generator) -> None:
    torch.manual_seed(0)
    ours = LearnedPositions(500, 60)
    # 30,000 normal numbers: the standard deviation is known to a part in 245.
    assert ours.table.std().item() == pytest.approx(0.02, rel=0.02)
    assert ours.table.mean().item() == pytest.approx(0, abs=0.001)
    ours(torch.zeros(2, 5, 60)).sum().backward()
    assert ours.table.grad is not None
    assert ours.table.grad[:5].eq(2).all()
    assert ours.table.grad[5:].eq(0).all()


def test_more_tokens_than_learned_positions_are_refused() -> None:
    ours = LearnedPositions(9, 6)
    ours(torch.zeros(1, 9, 6))
    for at in (None, torch.zeros(10, dtype=torch.long)):
        with pytest.raises(ValueError, match="at most 9 tokens have a position, but 10 came"):
            ours(torch.zeros(1, 10, 6), at)


def test_a_token_embedding_without_parts_only_looks_up(generator: torch.Generator) -> None:
    table, ids = random(generator, 11, 6), torch.tensor([[5, 0, 10], [5, 5, 1]])
    bare = TokenEmbedding()
    assert torch.equal(bare(ids, table), F.embedding(ids, table))
    assert torch.equal(bare(ids, table, torch.tensor([4, 5, 6])), F.embedding(ids, table))
    assert bare.state_dict() == {}


def test_a_token_embedding_scales_then_adds_positions_and_segments_then_normalises(generator: torch.Generator) -> None:
    # By torch's own modules, as BERT has them, with a scale before.
    table, ids = random(generator, 11, 6), torch.tensor([[5, 0, 10], [5, 5, 1]])
    positions, segments, norm = nn.Embedding(9, 6).double(), random(generator, 2, 6), nn.LayerNorm(6).double()
    nn.init.normal_(norm.weight, generator=generator)
    learned = LearnedPositions(9, 6).double()
    learned.load_state_dict({"table": positions.weight})
    ours = TokenEmbedding(scale=3.0, positions=learned, segments=segments, norm=norm)
    rows = 3 * F.embedding(ids, table)
    assert_equal(ours(ids, table), norm(rows + positions(torch.arange(3)) + segments[0]))
    at = torch.tensor([[2, 3, 4], [0, 0, 8]])
    assert_equal(ours(ids, table, at), norm(rows + positions(at) + segments[0]))
    assert set(ours.state_dict()) == {"positions.table", "segments", "norm.weight", "norm.bias"}


def test_a_token_embedding_looks_up_and_adds_positions_by_the_given_functions(generator: torch.Generator) -> None:
    def backwards(ids: Tensor, table: Tensor) -> Tensor:
        return F.embedding(ids, table.flip(0))

    def plain(x: Tensor) -> Tensor:
        return x + counts(x.size(1), x.size(2))

    table, ids = random(generator, 11, 4), torch.tensor([[5, 0, 10]])
    assert_equal(TokenEmbedding(backwards, positions=plain)(ids, table), F.embedding(10 - ids, table) + counts(3, 4))


def angles_of_llama(positions: Tensor, d_k: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (T, d_k) as in transformers' LlamaRotaryEmbedding, but in float64 throughout."""
    inverse = 1.0 / base ** (torch.arange(0, d_k, 2, dtype=torch.float64) / d_k)
    frequencies = positions.double()[:, None] * inverse
    both = torch.cat((frequencies, frequencies), dim=-1)
    return both.cos(), both.sin()


@both_types
@pytest.mark.parametrize("start", [0, 5, 63, 100])
@pytest.mark.parametrize("base", [10_000.0, 100.0])
def test_rotary_equals_that_of_transformers(
    dtype: torch.dtype, start: int, base: float, generator: torch.Generator
) -> None:
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    B, H, T, d_k = 2, 3, 9, 8
    x = torch.randn(B, H, T, d_k, generator=generator, dtype=torch.float64).to(dtype)
    cos, sin = angles_of_llama(torch.arange(start, start + T), d_k, base)
    expected, _ = apply_rotary_pos_emb(x, x, cos[None].to(dtype), sin[None].to(dtype))
    assert_equal(rotary(x, start, base), expected)


def test_rotary_equals_the_module_of_transformers_in_float32(generator: torch.Generator) -> None:
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    x = torch.randn(2, 3, 9, 8, generator=generator)
    module = LlamaRotaryEmbedding(LlamaConfig(hidden_size=24, num_attention_heads=3))
    expected, _ = apply_rotary_pos_emb(x, x, *module(x, torch.arange(9)[None]))
    assert_equal(rotary(x), expected)


def test_rotary_rotates_the_first_pair_by_its_position_in_radians() -> None:
    # With d_k = 2 there is one pair, which rotates by one radian per token.
    turned = rotary(torch.tensor([[3.0, 4.0]] * 3, dtype=torch.float64))
    for t in range(3):
        cos, sin = math.cos(t), math.sin(t)
        assert turned[t].tolist() == pytest.approx([3 * cos - 4 * sin, 3 * sin + 4 * cos], abs=1e-12)


def test_rotary_scores_depend_on_the_distance_only(generator: torch.Generator) -> None:
    query, key = torch.randn(2, 1, 8, generator=generator, dtype=torch.float64)

    def score(m: int, n: int) -> Tensor:
        return (rotary(query, start=m) * rotary(key, start=n)).sum()

    assert_equal(score(17, 12), score(5, 0))
    assert_equal(score(3, 9), score(0, 6))
    assert abs(score(5, 0) - score(6, 0)) > 1e-3


def test_rotary_keeps_lengths_and_does_not_change_the_first_token(generator: torch.Generator) -> None:
    x = torch.randn(2, 3, 9, 8, generator=generator, dtype=torch.float64)
    assert_equal(rotary(x).norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(rotary(x)[..., 0, :], x[..., 0, :])


def test_rotary_rotates_all_heads_of_a_token_alike(generator: torch.Generator) -> None:
    head = torch.randn(2, 1, 5, 8, generator=generator)
    turned = rotary(head.expand(2, 4, 5, 8))
    assert torch.equal(turned, turned[:, :1].expand(2, 4, 5, 8))


@both_types
def test_rotary_with_a_later_start_continues_an_earlier_text(dtype: torch.dtype, generator: torch.Generator) -> None:
    x = torch.randn(2, 9, 8, generator=generator, dtype=torch.float64).to(dtype)
    pieces = torch.cat([rotary(x[:, t : t + 1], start=t) for t in range(9)], dim=1)
    assert (rotary(x) - pieces).abs().max() <= TOLERANCES[dtype]


def test_rotary_in_half_precision_counts_positions_in_float32() -> None:
    # bfloat16 has no 257: counted in it, neighbours would share a position.
    x = torch.tensor([[1.0, 0.0]]).expand(300, 2)
    turned = rotary(x.bfloat16())
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.float(), rotary(x), rtol=0, atol=0.01)


def test_cached_tables_from_inference_work_in_training_too(generator: torch.Generator) -> None:
    # Tables are cached between calls, and tensors made in inference mode cannot be used in training.
    # No other test uses these widths and bases.
    x, table = random(generator, 2, 3, 14), random(generator, 5, 14)
    ids = torch.tensor([[1, 2, 3]])
    with torch.inference_mode():
        rotary(x, base=777.0)
        embed_with_positions(ids, table)
    assert torch.autograd.gradcheck(lambda x: rotary(x, base=777.0), (x.requires_grad_(),))
    weight = torch.ones(14, dtype=torch.float64, requires_grad=True)
    (weight * embed_with_positions(ids, table)).sum().backward()
    (weight * add_positions(torch.zeros(1, 3, 14, dtype=torch.float64))).sum().backward()


def test_rotary_has_the_numerical_gradient_and_takes_any_memory_layout(generator: torch.Generator) -> None:
    x = torch.randn(4, 3, 2, generator=generator, dtype=torch.float64).permute(2, 1, 0)
    before = x.clone()
    assert torch.autograd.gradcheck(rotary, (x.detach().requires_grad_(),))
    assert torch.equal(rotary(x), rotary(x.contiguous()))
    assert torch.equal(x, before)


def test_rotary_of_whole_numbers_is_that_of_the_same_numbers_in_float32() -> None:
    x = torch.arange(24).view(2, 3, 4)
    assert torch.equal(rotary(x, start=5), rotary(x.float(), start=5))


def test_a_table_of_two_and_a_half_positions_and_a_start_before_the_text_are_refused() -> None:
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        sinusoidal(2.5, 4)
    with pytest.raises(ValueError, match="start is the position of the first token, 0 or more, but is -1"):
        rotary(torch.ones(1, 4), start=-1)


def test_an_odd_width_is_refused() -> None:
    sentence = "positions come in pairs of features, so the width should be even, but it is 5"
    with pytest.raises(ValueError, match=sentence):
        sinusoidal(3, 5)
    with pytest.raises(ValueError, match=sentence):
        rotary(torch.zeros(3, 5))


def test_alibi_has_the_slopes_of_the_paper():
    # Press et al. 2022, section 3: for 8 heads the slopes are 1/2, 1/4, …, 1/256.
    bias = alibi_bias(8, 4)
    assert (-bias[:, 1, 0]).tolist() == [2.0**-k for k in range(1, 9)]
    assert torch.equal(bias[:, 0, 3], 3 * bias[:, 0, 1])
    assert torch.equal(bias, bias.mT)
