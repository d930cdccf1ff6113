"""Attention against torch's functions and modules, against explicit loops, and against its documentation."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import (
    MultiHeadAttention,
    additive_attention,
    attend_in_heads,
    attend_one_query,
    attention_weights,
    causal_mask,
    dot_product_scores,
    entropy_of_weights,
    masked_weights,
    merge_heads,
    mix_values,
    multi_head_parameter_count,
    padding_mask,
    repeat_heads,
    scaled_dot_product_attention,
    softmax,
    split_heads,
)
from course_lib.transformer.cache import MemoryCache, caching
from course_lib.transformer.watching import watch_attention
from tests.transformer import reference
from tests.transformer.reference import assert_equal, kernel_calls, random

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])

# Sizes all differ, so that a swapped axis cannot pass. B, H, T, S, d_k, d_v.
B, H, T, S, D_K, D_V = 2, 3, 4, 5, 6, 7
D_MODEL = H * D_K


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def masks(T: int, S: int) -> dict[str, Tensor | None]:
    """Every kind of mask that the course uses, for a batch of two: the second one ends in padding."""
    real = torch.ones(2, 1, 1, S, dtype=torch.bool)
    real[1, ..., S - S // 2 :] = False
    future = torch.ones(T, S).tril().bool()
    one_each = F.one_hot(torch.arange(T) % S, S).bool()
    return {
        "none": None,
        "padding": real,
        "causal": future,
        "both": real & future,
        "one key each": one_each,
        "one row for all": real[1, 0, 0],
    }


every_mask = pytest.mark.parametrize("mask", list(masks(T, S)))


@both_types
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_is_torchs(dtype: torch.dtype, dim: int, generator: torch.Generator) -> None:
    x = 3 * random(generator, 3, 4, 5, dtype=dtype)
    assert_equal(softmax(x, dim), torch.softmax(x, dim))


def test_softmax_of_huge_numbers_neither_overflows_nor_vanishes() -> None:
    x = torch.tensor([[1e30, 1e30, -1e30], [-1e30, -2e30, -3e30]])
    assert softmax(x, dim=-1).tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]


def test_one_query_gets_the_mixture_computed_by_hand() -> None:
    # Scores 1·1 + 2·3 = 7 and 1·2 + 2·1 = 4, not scaled, so the second weight is 1 / (1 + e³).
    query, key = torch.tensor([1.0, 2.0]).double(), torch.tensor([[1.0, 3.0], [2.0, 1.0]]).double()
    second = 1 / (1 + math.exp(3))
    output = attend_one_query(query, key, torch.tensor([[10.0, 1.0], [20.0, 3.0]]).double())
    assert output.tolist() == pytest.approx([10 + 10 * second, 1 + 2 * second], abs=1e-12)


@both_types
def test_each_querys_scores_weights_and_mixture_are_those_of_one_query(
    dtype: torch.dtype, generator: torch.Generator
) -> None:
    query = random(generator, B, H, T, D_K, dtype=dtype)
    key, value = random(generator, B, H, S, D_K, dtype=dtype), random(generator, B, H, S, D_V, dtype=dtype)
    scores = dot_product_scores(query, key)
    assert_equal(scores, torch.einsum("bhtd,bhsd->bhts", query, key))
    mixed = mix_values(attention_weights(scores), value)
    assert_equal(mix_values(scores, value), torch.einsum("bhts,bhsd->bhtd", scores, value))
    for b, h, t in ((0, 0, 0), (1, 2, 3), (1, 0, 2)):
        assert_equal(mixed[b, h, t], attend_one_query(query[b, h, t], key[b, h], value[b, h]))


def test_entropy_of_weights_is_shannons() -> None:
    rows = [[[0.25] * 4, [1.0, 0.0, 0.0, 0.0]], [[0.5, 0.25, 0.25, 0.0], [0.7, 0.1, 0.1, 0.1]]]
    weights = torch.tensor(rows, dtype=torch.float64)
    assert_equal(entropy_of_weights(weights), torch.special.entr(weights).sum(-1))
    by_hand = [[math.log(4), 0.0], [1.5 * math.log(2), -0.7 * math.log(0.7) - 0.3 * math.log(0.1)]]
    assert_equal(entropy_of_weights(weights), torch.tensor(by_hand, dtype=torch.float64))


@both_types
def test_masked_weights_are_the_softmax_of_the_allowed_scores(dtype: torch.dtype, generator: torch.Generator) -> None:
    scores = 3 * random(generator, B, H, T, S, dtype=dtype)
    may = masks(T, S)["both"]
    assert may is not None
    weights = masked_weights(scores, may)
    for b, h, t in ((0, 0, 0), (0, 1, 3), (1, 2, 2)):
        row = may[b, 0, t]
        assert_equal(weights[b, h, t][row], torch.softmax(scores[b, h, t][row], dim=0))
        assert (weights[b, h, t][~row] == 0).all()
    assert torch.equal(attention_weights(scores, may), weights)


@both_types
@every_mask
@pytest.mark.parametrize(("T", "S"), [(4, 5), (1, 5), (4, 1), (1, 1)])
def test_dot_product_attention_is_torchs(
    dtype: torch.dtype, mask: str, T: int, S: int, generator: torch.Generator
) -> None:
    query = random(generator, B, H, T, D_K, dtype=dtype)
    key = random(generator, B, H, S, D_K, dtype=dtype)
    value = random(generator, B, H, S, D_V, dtype=dtype)
    may = masks(T, S)[mask]
    output, weights = scaled_dot_product_attention(query, key, value, may)
    wide = None if may is None else may.expand(B, H, T, S)
    assert_equal(output, F.scaled_dot_product_attention(query, key, value, attn_mask=wide))
    assert_equal(weights.sum(-1), torch.ones(B, H, T, dtype=dtype))
    if may is not None:
        assert (weights[~may.expand_as(weights)] == 0).all()


def test_dot_product_attention_is_the_sum_worked_out_by_hand() -> None:
    # Scores 1/√2 · (1·1 + 2·3, 1·2 + 2·1) = (7, 4)/√2, so the second weight is 1 / (1 + e^(3/√2)).
    query, key = torch.tensor([[1.0, 2.0]]).double(), torch.tensor([[1.0, 3.0], [2.0, 1.0]]).double()
    second = 1 / (1 + math.exp(3 / math.sqrt(2)))
    output, weights = scaled_dot_product_attention(query, key, torch.tensor([[10.0], [20.0]]).double())
    assert weights.tolist()[0] == pytest.approx([1 - second, second], abs=1e-12)
    assert output.item() == pytest.approx(10 + 10 * second, abs=1e-12)


def test_a_query_that_may_attend_to_one_token_gets_its_value(generator: torch.Generator) -> None:
    value = random(generator, 3, D_V)
    only = torch.tensor([[False, True, False]])
    output, weights = scaled_dot_product_attention(random(generator, 1, D_K), random(generator, 3, D_K), value, only)
    assert weights.tolist() == [[0.0, 1.0, 0.0]]
    assert torch.equal(output[0], value[1])


def test_a_hidden_token_may_hold_anything_finite(generator: torch.Generator) -> None:
    query, key, value = random(generator, T, D_K), random(generator, S, D_K), random(generator, S, D_V)
    may = torch.tensor([True, True, True, False, True])
    calm, _ = scaled_dot_product_attention(query, key, value, may)
    key[3], value[3] = 1e300, -1e9
    assert torch.equal(scaled_dot_product_attention(query, key, value, may)[0], calm)


def test_a_hidden_token_gets_no_weight_however_low_the_other_scores_are() -> None:
    weights = attention_weights(torch.tensor([[-1e12, -1e12, 0.0]]), torch.tensor([[True, True, False]]))
    assert weights.tolist() == [[0.5, 0.5, 0.0]]


def test_huge_scores_choose_the_best_key_without_nan() -> None:
    key = torch.eye(3) * 1e18
    output, weights = scaled_dot_product_attention(key, key, torch.arange(3.0)[:, None])
    assert torch.equal(weights, torch.eye(3))
    assert output.flatten().tolist() == [0.0, 1.0, 2.0]


@both_types
def test_additive_attention_is_the_loop_of_the_paper(dtype: torch.dtype, generator: torch.Generator) -> None:
    d_a, d_query, d_key = 4, 3, 5
    query, key = random(generator, T, d_query, dtype=dtype), random(generator, S, d_key, dtype=dtype)
    value = random(generator, S, D_V, dtype=dtype)
    W_a, U_a = random(generator, d_a, d_query, dtype=dtype), random(generator, d_a, d_key, dtype=dtype)
    v_a = random(generator, d_a, dtype=dtype)
    may = masks(T, S)["causal"]
    assert may is not None
    output, weights = additive_attention(query, key, value, W_a, U_a, v_a, may)
    for i in range(T):
        scores = []
        for j in range(S):
            inner = [
                sum(W_a[a, k].item() * query[i, k].item() for k in range(d_query))
                + sum(U_a[a, k].item() * key[j, k].item() for k in range(d_key))
                for a in range(d_a)
            ]
            scores.append(sum(v_a[a].item() * math.tanh(inner[a]) for a in range(d_a)) if may[i, j] else -math.inf)
        expected = torch.softmax(torch.tensor(scores, dtype=dtype), dim=0)
        assert_equal(weights[i], expected)
        assert_equal(output[i], sum(expected[j] * value[j] for j in range(S)))


def test_additive_attention_on_a_batch_of_heads_is_additive_attention_on_each_head(generator: torch.Generator) -> None:
    query, key, value = (random(generator, B, H, n, w) for n, w in ((T, 3), (S, 4), (S, 5)))
    network = random(generator, 6, 3), random(generator, 6, 4), random(generator, 6)
    output, weights = additive_attention(query, key, value, *network)
    separate = additive_attention(query[1, 2], key[1, 2], value[1, 2], *network)
    assert_equal(output[1, 2], separate[0])
    assert_equal(weights[1, 2], separate[1])


def test_the_causal_mask_shows_the_past_and_the_token_itself() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(1).tolist() == [[True]]
    assert causal_mask(3).dtype == torch.bool
    assert causal_mask(3, torch.device("meta")).device.type == "meta"


def test_the_padding_mask_allows_all_heads_and_queries_to_attend_to_real_keys() -> None:
    mask = padding_mask(torch.tensor([[5, 7, 9], [8, 9, 9]]), pad=9)
    assert mask.shape == (2, 1, 1, 3)
    assert mask.flatten(1).tolist() == [[True, True, False], [True, False, False]]


def test_masks_of_what_is_no_length_and_no_tensor_are_refused() -> None:
    with pytest.raises(TypeError, match=r"T should be a whole number of tokens, but is 3\.0"):
        causal_mask(3.0)
    with pytest.raises(TypeError, match=r"but is a tensor of shape \(1, 3\)"):
        causal_mask(torch.tensor([[5, 7, 9]]))
    with pytest.raises(TypeError, match=r"ids should be a tensor \(B, S\), but are a list: write torch\.tensor\(ids\)"):
        padding_mask([[5, 7, 0]], pad=0)


def test_each_head_gets_its_own_slice_of_every_token() -> None:
    x = torch.arange(B * T * 6).reshape(B, T, 6)
    pieces = split_heads(x, heads=3)
    assert pieces.shape == (B, 3, T, 2)
    for b in range(B):
        for t in range(T):
            for h in range(3):
                assert pieces[b, h, t].tolist() == x[b, t, 2 * h : 2 * h + 2].tolist()


def test_merging_undoes_splitting(generator: torch.Generator) -> None:
    x = random(generator, B, T, 12)
    assert torch.equal(merge_heads(split_heads(x, heads=4)), x)


def test_no_tokens_at_all_are_split_merged_and_attended_to() -> None:
    for shape in ((0, 4, 6), (2, 0, 6)):
        x = torch.zeros(shape)
        assert split_heads(x, 2).shape == (shape[0], 2, shape[1], 3)
        assert merge_heads(split_heads(x, 2)).shape == shape
        assert MultiHeadAttention(6, 2)(x, x, x, causal_mask(shape[1])).shape == shape


@both_types
@pytest.mark.parametrize("heads", [1, 3, 6])
def test_attending_in_heads_is_attending_in_each_slice(
    heads: int, dtype: torch.dtype, generator: torch.Generator
) -> None:
    query, key, value = (random(generator, B, length, D_MODEL, dtype=dtype) for length in (T, S, S))
    slices = zip(*(x.chunk(heads, dim=-1) for x in (query, key, value)), strict=True)
    expected = torch.cat([F.scaled_dot_product_attention(*one) for one in slices], dim=-1)
    assert_equal(attend_in_heads(query, key, value, heads), expected)


def test_attending_in_heads_uses_the_given_parts(generator: torch.Generator) -> None:
    query, key, value = (random(generator, B, length, D_MODEL) for length in (T, S, S))
    called = []

    def attend(*arguments: Tensor | None) -> tuple[Tensor, Tensor]:
        called.append("attention")
        return scaled_dot_product_attention(*arguments)

    def split(x: Tensor, heads: int) -> Tensor:
        called.append("split")
        return split_heads(x, heads)

    def merge(x: Tensor) -> Tensor:
        called.append("merge")
        return merge_heads(x)

    mixed = attend_in_heads(query, key, value, H, attention=attend, split=split, merge=merge)
    assert torch.equal(mixed, attend_in_heads(query, key, value, H))
    assert called == ["split", "split", "split", "attention", "merge"]


@pytest.mark.parametrize(("d_model", "heads"), [(12, 3), (12, 1), (12, 12), (30, 5)])
def test_the_number_of_parameters_is_that_of_torch(d_model: int, heads: int) -> None:
    theirs = sum(parameter.numel() for parameter in nn.MultiheadAttention(d_model, heads).parameters())
    ours = sum(parameter.numel() for parameter in MultiHeadAttention(d_model, heads).parameters())
    assert multi_head_parameter_count(d_model, heads) == theirs == ours


def attention_pair(dtype: torch.dtype, bias: bool = True) -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    theirs = nn.MultiheadAttention(D_MODEL, H, bias=bias, batch_first=True, dtype=dtype)
    reference.stir(theirs)
    # The plain call is the part of 2017, which has biases.
    ours = (MultiHeadAttention(D_MODEL, H) if bias else MultiHeadAttention(D_MODEL, H, bias=False)).to(dtype)
    ours.load_state_dict(reference.torch_attention(theirs))
    return ours, theirs


@both_types
@pytest.mark.parametrize("bias", [True, False])
@every_mask
@pytest.mark.parametrize(("T", "S"), [(4, 5), (1, 5), (4, 1), (1, 1)])
def test_multi_head_attention_and_its_weights_are_torchs(
    dtype: torch.dtype, bias: bool, mask: str, T: int, S: int, generator: torch.Generator
) -> None:
    ours, theirs = attention_pair(dtype, bias)
    query, key, value = (random(generator, B, length, D_MODEL, dtype=dtype) for length in (T, S, S))
    may = masks(T, S)[mask]
    hidden = None if may is None else ~may.expand(B, H, T, S).flatten(0, 1)
    expected, expected_weights = theirs(query, key, value, attn_mask=hidden, average_attn_weights=False)
    assert_equal(ours(query, key, value, may), expected)
    with watch_attention(ours) as readings:
        assert_equal(ours(query, key, value, may), expected)
    assert_equal(readings[""].weights, expected_weights)


@both_types
@pytest.mark.parametrize("kv_heads", [1, 2])
def test_shared_keys_and_values_are_torchs_grouped_query_attention(
    dtype: torch.dtype, kv_heads: int, generator: torch.Generator
) -> None:
    ours = MultiHeadAttention(8, heads=4, kv_heads=kv_heads).to(dtype)
    x = random(generator, B, T, 8, dtype=dtype)
    queries = ours.W_q(x).unflatten(-1, (4, 2)).transpose(1, 2)
    keys, values = (W(x).unflatten(-1, (kv_heads, 2)).transpose(1, 2) for W in (ours.W_k, ours.W_v))
    mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=True, enable_gqa=True)
    assert ours.W_k.weight.shape == (2 * kv_heads, 8)
    assert_equal(ours(x, x, x, causal_mask(T)), ours.W_o(mixed.transpose(1, 2).flatten(2)))


def grouped_masks() -> dict[str, Tensor | None]:
    """Masks for four heads: those of `masks`, one that differs by head, and one for all texts with all axes."""
    own = torch.ones(1, 4, T, S, dtype=torch.bool)
    own[0, 1, :, 0] = own[0, 2, 1, 1:] = False
    shared = torch.ones(1, 1, 1, S, dtype=torch.bool)
    shared[..., -1] = False
    return {**masks(T, S), "of each head": own, "one for all": shared}


@both_types
@pytest.mark.parametrize("kv_heads", [1, 2])
@pytest.mark.parametrize("mask", list(grouped_masks()))
def test_heads_that_share_keys_give_what_copied_keys_give_under_every_mask(
    mask: str, kv_heads: int, dtype: torch.dtype, generator: torch.Generator
) -> None:
    ours = MultiHeadAttention(8, heads=4, kv_heads=kv_heads).to(dtype)
    reference.stir(ours)
    whole = MultiHeadAttention(8, heads=4).to(dtype)
    copied = {
        name: value.unflatten(0, (kv_heads, 2)).repeat_interleave(4 // kv_heads, dim=0).flatten(0, 1)
        if name.startswith(("W_k", "W_v"))
        else value
        for name, value in ours.state_dict().items()
    }
    whole.load_state_dict(copied)
    query, key, value = (random(generator, B, length, 8, dtype=dtype) for length in (T, S, S))
    may = grouped_masks()[mask]
    expected = whole(query, key, value, may)
    assert_equal(ours(query, key, value, may), expected)
    with watch_attention(ours) as readings:
        assert_equal(ours(query, key, value, may), expected)
    assert readings[""].keys.shape == (B, 4, S, 2)


@both_types
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("mask", ["none", "of each source", "of each text", "one for all", "of two axes"])
def test_texts_side_by_side_may_share_the_keys_of_one_source(
    mask: str, kv_heads: int, dtype: torch.dtype, generator: torch.Generator
) -> None:
    # As when a beam search extends three texts of each source: six rows of queries, two rows of keys.
    ours = MultiHeadAttention(8, heads=4, kv_heads=kv_heads).to(dtype)
    reference.stir(ours)
    query, source = random(generator, 6, T, 8, dtype=dtype), random(generator, 2, S, 8, dtype=dtype)
    of_each_source = torch.ones(2, 1, 1, S, dtype=torch.bool)
    of_each_source[1, ..., 3:] = False
    of_each_text = of_each_source.repeat_interleave(3, dim=0)
    may, copied = {
        "none": (None, None),
        "of each source": (of_each_source, of_each_text),
        "of each text": (of_each_text.flip(0), of_each_text.flip(0)),
        "one for all": (of_each_source[1:], of_each_source[1:]),
        "of two axes": (of_each_source[1, 0], of_each_source[1, 0]),
    }[mask]
    repeated = source.repeat_interleave(3, dim=0)
    expected = ours(query, repeated, repeated, copied)
    with caching([MemoryCache(ours, source)]):
        assert_equal(ours(query, source, source, may), expected)
        with watch_attention(ours) as readings:
            assert_equal(ours(query, source, source, may), expected)
    assert readings[""].weights.shape == (6, 4, T, S)


def test_keys_of_another_batch_than_the_queries_are_refused() -> None:
    ours = MultiHeadAttention(8, 2)
    for texts in (2, 3, 1, 8):
        source = torch.zeros(texts, 5, 8)
        sentence = rf"key should be of the same texts as query \(4, 3, 8\), but its shape is \({texts}, 5, 8\)"
        with pytest.raises(ValueError, match=sentence):
            ours(torch.zeros(4, 3, 8), source, source)


@both_types
@pytest.mark.parametrize("kv_heads", [1, 3])
def test_a_text_without_an_axis_for_the_batch_is_a_batch_of_one(
    kv_heads: int, dtype: torch.dtype, generator: torch.Generator
) -> None:
    ours = MultiHeadAttention(D_MODEL, H, kv_heads=kv_heads).to(dtype)
    query, key = random(generator, T, D_MODEL, dtype=dtype), random(generator, S, D_MODEL, dtype=dtype)
    for may in (None, masks(T, S)["causal"]):
        expected = ours(query[None], key[None], key[None], may)[0]
        assert_equal(ours(query, key, key, may), expected)
        with watch_attention(ours):
            assert_equal(ours(query, key, key, may), expected)


@every_mask
def test_fused_and_written_out_attention_agree_forwards_and_backwards(mask: str, generator: torch.Generator) -> None:
    ours, _ = attention_pair(torch.float64)
    may = masks(T, S)[mask]
    inputs = [random(generator, B, length, D_MODEL).requires_grad_() for length in (T, S, S)]
    leaves = [*inputs, *ours.parameters()]
    direction = random(generator, B, T, D_MODEL)

    fused = ours(*inputs, may)
    fused_gradients = torch.autograd.grad(fused, leaves, direction)
    with watch_attention(ours):
        written = ours(*inputs, may)
    written_gradients = torch.autograd.grad(written, leaves, direction)

    assert_equal(written, fused)
    for one, other in zip(written_gradients, fused_gradients, strict=True):
        assert_equal(one, other)


@pytest.mark.parametrize("mask", [None, "causal"])
def test_where_a_processor_learns_in_bfloat16_attention_itself_is_computed_in_float32(
    mask: str | None, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = attention_pair(torch.float32)
    may = None if mask is None else masks(T, S)[mask]
    inputs = [random(generator, B, length, D_MODEL, dtype=torch.float32) for length in (T, S, S)]
    exact = ours(*inputs, may)
    types = []
    kernel = F.scaled_dot_product_attention

    def noted(query: Tensor, *rest: Tensor, **options: Any) -> Tensor:
        types.append(query.dtype)
        return kernel(query, *rest, **options)

    monkeypatch.setattr(F, "scaled_dot_product_attention", noted)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = ours(*inputs, may)
        with torch.no_grad():
            ours(*inputs, may)
    assert types == [torch.float32, torch.bfloat16]
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, rtol=0.05, atol=0.05)
    rounded.float().sum().backward()
    assert all(each.grad is not None and each.grad.dtype == torch.float32 for each in ours.parameters())


@pytest.mark.parametrize("length", [1, 3, 40])
@pytest.mark.parametrize("bad", [math.nan, math.inf], ids=["NaN", "infinity"])
@pytest.mark.parametrize("projection", ["W_q", "W_k", "W_v"])
def test_what_is_no_number_spoils_fused_and_written_out_attention_alike(
    projection: str, bad: float, length: int, generator: torch.Generator
) -> None:
    ours = MultiHeadAttention(D_MODEL, H)
    with torch.no_grad():
        getattr(ours, projection).weight[0, 0] = bad
    x = random(generator, B, length, D_MODEL, dtype=torch.float32)
    fused = ours(x, x, x, causal_mask(length))
    with watch_attention(ours):
        written = ours(x, x, x, causal_mask(length))
    assert not written.isfinite().all()
    assert torch.equal(fused.isnan(), written.isnan())
    assert_equal(fused.nan_to_num(), written.nan_to_num())


def test_a_hidden_key_of_nan_is_hidden_in_fused_and_written_out_attention(generator: torch.Generator) -> None:
    ours = MultiHeadAttention(4, 2)
    x = random(generator, B, 3, 4, dtype=torch.float32)
    key = x.clone()
    key[0, 2] = math.nan
    mask = torch.tensor([True, True, False])
    with watch_attention(ours):
        written = ours(x, key, x, mask)
    assert written.isfinite().all()
    assert torch.equal(ours(x, key, x, mask), written)


def test_a_mask_that_could_be_of_texts_or_of_heads_is_refused(generator: torch.Generator) -> None:
    ours, x = MultiHeadAttention(4, 2).double(), random(generator, 2, 3, 4)
    mask = torch.tensor([[True, True, True], [True, True, False]])[:, None].expand(2, 3, 3)
    sentence = (
        r"mask \(2, 3, 3\) for scores \(2, 2, 3, 3\) leaves open what its first axis stands for: write mask\[:, None\]"
    )
    for attend in (
        ours,
        lambda *inputs: scaled_dot_product_attention(*(split_heads(x, 2) for x in inputs[:3]), inputs[3]),
    ):
        with pytest.raises(ValueError, match=sentence):
            attend(x, x, x, mask)
        # Written out, or with a first axis of 1, it can mean one thing only.
        for clear in (mask[:, None], mask[None], mask[:1]):
            attend(x, x, x, clear)
    of_texts = scaled_dot_product_attention(x, x, x, mask)[1]
    assert_equal(of_texts[1, :, 2], torch.zeros(3, dtype=torch.float64))


def test_the_fused_kernel_runs_unless_the_weights_are_watched(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = kernel_calls(monkeypatch)
    ours = MultiHeadAttention(4, 2)
    x = random(generator, B, T, 4, dtype=torch.float32)
    ours(x, x, x)
    with watch_attention(ours):
        ours(x, x, x)
    assert len(calls) == 1


def test_queries_and_keys_are_rotated_and_values_are_not(generator: torch.Generator) -> None:
    # The angles are those of torch's complex numbers: feature i and feature i + d_k / 2 are one number.
    def rotate(x: Tensor, start: int) -> Tensor:
        numbers = torch.complex(*x.chunk(2, dim=-1))
        angles = torch.arange(start, start + x.size(-2))[:, None] * torch.tensor([1.0, 0.1]).double()
        turned = numbers * torch.polar(torch.ones_like(angles), angles)
        return torch.cat((turned.real, turned.imag), dim=-1)

    ours = MultiHeadAttention(8, 2, rotate=rotate).double()
    x, y = random(generator, B, T, 8), random(generator, B, S, 8)
    queries, keys, values = split_heads(ours.W_q(x), 2), split_heads(ours.W_k(y), 2), split_heads(ours.W_v(y), 2)
    mixed = F.scaled_dot_product_attention(rotate(queries, 0), rotate(keys, 0), values)
    assert_equal(ours(x, y, y), ours.W_o(merge_heads(mixed)))
    for got, expected in zip(
        ours.project(x, y, y, start=7), (rotate(queries, 7), rotate(keys, 7), values), strict=True
    ):
        assert_equal(got, expected)
    with watch_attention(ours) as readings:
        ours(x, y, y)
    assert_equal(readings[""].queries, rotate(queries, 0))
    assert_equal(readings[""].keys, rotate(keys, 0))
    assert_equal(readings[""].values, values)


def test_heads_may_be_split_and_merged_in_another_way(generator: torch.Generator) -> None:
    # If heads take features in turn and merging reverses it, this is the same attention with reordered weights.
    def deal(x: Tensor, heads: int) -> Tensor:
        return x.unflatten(-1, (-1, heads)).movedim(-1, -3)

    def collect(x: Tensor) -> Tensor:
        return x.movedim(-3, -1).flatten(-2)

    ours = MultiHeadAttention(D_MODEL, H).double()
    other = MultiHeadAttention(D_MODEL, H, split=deal, merge=collect).double()
    order = torch.arange(D_MODEL).view(H, D_K).T.flatten()
    state = {name: value[order] if "W_o" not in name else value for name, value in ours.state_dict().items()}
    other.load_state_dict({**state, "W_o.weight": ours.W_o.weight[:, order]})
    query, key = random(generator, B, T, D_MODEL), random(generator, B, S, D_MODEL)
    assert_equal(other(query, key, key), ours(query, key, key))


def test_another_attention_function_may_be_used(generator: torch.Generator) -> None:
    def even(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        weights = torch.full((*query.shape[:-1], key.size(-2)), 1 / key.size(-2), dtype=value.dtype)
        return weights @ value, weights

    x = random(generator, B, T, 4)
    for kv_heads in (2, 1):
        ours = MultiHeadAttention(4, 2, kv_heads=kv_heads, attention=even).double()
        values = ours.W_v(x) if kv_heads == 2 else ours.W_v(x).repeat(1, 1, 2)
        assert_equal(ours(x, x, x), ours.W_o(values.mean(1, keepdim=True)).expand(B, T, 4))


def test_another_attention_function_gets_the_mask(generator: torch.Generator) -> None:
    def written_out(*arguments: Tensor | None) -> tuple[Tensor, Tensor]:
        return scaled_dot_product_attention(*arguments)

    ours, _ = attention_pair(torch.float64)
    x, may = random(generator, B, T, D_MODEL), causal_mask(T)
    expected = ours(x, x, x, may)
    ours.attention = written_out
    assert_equal(ours(x, x, x, may), expected)


def numerically_equal(function: Callable[..., object], *inputs: Tensor) -> bool:
    return torch.autograd.gradcheck(function, tuple(x.detach().requires_grad_() for x in inputs))


def test_gradients_equal_numerical_gradients(generator: torch.Generator) -> None:
    query, key, value = random(generator, 2, 3, 4), random(generator, 2, 5, 4), random(generator, 2, 5, 2)
    may = torch.ones(3, 5).tril(1).bool()
    network = random(generator, 3, 4), random(generator, 3, 4), random(generator, 3)
    assert numerically_equal(lambda x: softmax(x, -1), query)
    assert numerically_equal(lambda q, k, v: scaled_dot_product_attention(q, k, v, may), query, key, value)
    assert numerically_equal(lambda *inputs: additive_attention(*inputs, may), query, key, value, *network)
    ours = MultiHeadAttention(4, 2, kv_heads=1).double()
    assert numerically_equal(lambda q, k: ours(q, k, k, may), query, key)


def test_arguments_are_not_changed(generator: torch.Generator) -> None:
    query, key, value = random(generator, B, T, 4), random(generator, B, S, 4), random(generator, B, S, 4)
    network = random(generator, 3, 4), random(generator, 3, 4), random(generator, 3)
    may = masks(T, S)["causal"]
    assert may is not None
    arguments = [query, key, value, *network, may]
    copies = [x.clone() for x in arguments]
    softmax(query, -1)
    attention_weights(query, may[:, :4])
    masked_weights(query, may[:, :4])
    dot_product_scores(query, key)
    entropy_of_weights(attention_weights(query))
    attend_in_heads(query, key, value, 2)
    scaled_dot_product_attention(query, key, value, may)
    additive_attention(query, key, value, *network, may)
    ours = MultiHeadAttention(4, 2).double()
    ours(query, key, value, may)
    with watch_attention(ours):
        ours(query, key, value, may)
    for now, before in zip(arguments, copies, strict=True):
        assert torch.equal(now, before)


def test_the_memory_layout_does_not_matter(generator: torch.Generator) -> None:
    query, key, value = (random(generator, length, D_MODEL, B).permute(2, 0, 1) for length in (T, S, S))
    assert not query.is_contiguous()
    tidy = query.contiguous(), key.contiguous(), value.contiguous()
    assert_equal(softmax(query, 1), torch.softmax(tidy[0], 1))
    assert_equal(scaled_dot_product_attention(query, key, value)[0], F.scaled_dot_product_attention(*tidy))
    assert torch.equal(merge_heads(split_heads(query, H)), tidy[0])
    ours, theirs = attention_pair(torch.float64)
    assert_equal(ours(query, key, value), theirs(*tidy)[0])


@pytest.mark.parametrize("fused", [True, False])
def test_a_query_that_may_attend_nowhere_is_refused(fused: bool, generator: torch.Generator) -> None:
    x = random(generator, B, T, D_MODEL)
    ours, _ = attention_pair(torch.float64)
    may = torch.ones(B, 1, T, T, dtype=torch.bool)
    may[1, 0, 2] = False
    sentence = r"mask hides every key from the query at \(1, 0, 2\); each query needs one that it may attend to"
    with pytest.raises(ValueError, match=sentence):
        ours(x, x, x, may) if fused else scaled_dot_product_attention(*[x[:, None]] * 3, may)


@pytest.mark.parametrize(
    ("mask", "error", "sentence"),
    [
        (torch.zeros(T, T), TypeError, r"mask should be boolean .* but its dtype is torch.float32"),
        (torch.ones(T, T + 1).bool(), ValueError, r"mask should broadcast to \(.*, 4, 4\), but its shape is \(4, 5\)"),
        (torch.ones(T, T - 1).bool(), ValueError, r"its shape is \(4, 3\)"),
        (torch.ones(1, 1, 1, T, T).bool(), ValueError, r"its shape is \(1, 1, 1, 4, 4\)"),
    ],
)
def test_an_invalid_mask_is_refused(
    mask: Tensor, error: type[Exception], sentence: str, generator: torch.Generator
) -> None:
    x = random(generator, B, T, D_MODEL)
    ours, _ = attention_pair(torch.float64)
    with pytest.raises(error, match=sentence):
        ours(x, x, x, mask)
    with pytest.raises(error, match=sentence):
        scaled_dot_product_attention(x, x, x, mask)
    with pytest.raises(error, match=sentence):
        attention_weights(x @ x.mT, mask)


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (((8,), (5, 8), (5, 8)), r"query should be \(..., T, d_k\), but its shape is \(8,\)"),
        (((4, 8), (7, 9), (7, 8)), r"key should be \(..., S, d_k\) with d_k=8, but its shape is \(7, 9\)"),
        (((4, 8), (8,), (7, 8)), r"key should be .* but its shape is \(8,\)"),
        (((4, 8), (7, 8), (6, 8)), r"value should be \(..., S, d_v\) with S=7, but its shape is \(6, 8\)"),
        (((4, 8), (7, 8), (7,)), r"value should be .* but its shape is \(7,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes: tuple[tuple[int, ...], ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        scaled_dot_product_attention(*map(torch.zeros, shapes))


@pytest.mark.parametrize(
    ("W_a", "U_a", "sentence"),
    [
        ((3, 5), (3, 6), r"W_a should be \(3, 4\), but its shape is \(3, 5\)"),
        ((3, 4), (1, 6), r"U_a should be \(3, 6\), but its shape is \(1, 6\)"),
        ((3, 4), (3, 5), r"U_a should be \(3, 6\), but its shape is \(3, 5\)"),
    ],
)
def test_a_scoring_network_whose_shapes_do_not_fit_is_refused(
    W_a: tuple[int, int], U_a: tuple[int, int], sentence: str
) -> None:
    query, key = torch.zeros(2, 4), torch.zeros(5, 6)
    with pytest.raises(ValueError, match=sentence):
        additive_attention(query, key, key, torch.zeros(W_a), torch.zeros(U_a), torch.zeros(3))


def test_additive_attention_refuses_values_that_are_not_one_for_each_key() -> None:
    query, key, network = torch.zeros(2, 4), torch.zeros(5, 6), (torch.zeros(3, 4), torch.zeros(3, 6), torch.zeros(3))
    with pytest.raises(ValueError, match=r"value should be \(..., S, d_v\) with S=5, but its shape is \(4, 2\)"):
        additive_attention(query, key, torch.zeros(4, 2), *network)


@pytest.mark.parametrize("values", [3, 6])
def test_values_that_are_not_one_for_each_key_are_refused(values: int) -> None:
    # torch's kernel accepts them silently, and reads memory outside the tensors.
    query, key, value = torch.zeros(2, 4, 8), torch.zeros(2, 5, 8), torch.zeros(2, values, 8)
    with pytest.raises(ValueError, match=r"value should be \(..., S, d_v\) with S=5"):
        MultiHeadAttention(8, 2)(query, key, value)


def test_a_number_of_heads_that_does_not_divide_the_width_is_refused() -> None:
    with pytest.raises(ValueError, match="d_model=10 should be a multiple of heads=4"):
        MultiHeadAttention(10, 4)
    with pytest.raises(ValueError, match="d_model=10 should be a multiple of heads=0"):
        MultiHeadAttention(10, 0)
    with pytest.raises(ValueError, match="heads=4 should be a multiple of kv_heads=3"):
        MultiHeadAttention(8, 4, kv_heads=3)
    with pytest.raises(ValueError, match="heads=4 should be a multiple of kv_heads=0"):
        MultiHeadAttention(8, 4, kv_heads=0)
    with pytest.raises(ValueError, match=r"should divide into 3 heads, but the shape is \(2, 4, 8\)"):
        split_heads(torch.zeros(2, 4, 8), heads=3)


def test_the_copies_of_a_head_are_neighbours() -> None:
    heads = torch.arange(3.0).view(1, 3, 1, 1)
    assert repeat_heads(heads, 2).flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert torch.equal(repeat_heads(heads, 1), heads)
