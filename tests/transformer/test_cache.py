"""The key–value cache of an attention: text read in pieces against text read at once."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import (
    MultiHeadAttention,
    causal_mask,
    merge_heads,
    scaled_dot_product_attention,
    split_heads,
)
from course_lib.transformer.cache import (
    COLUMNS_AT_ONCE,
    MemoryCache,
    TextCache,
    WideMaps,
    attend_in_pieces,
    attend_with_cache,
    by_columns,
    cache_bytes,
    cached_self_attention,
    caching,
    join_maps,
    reorder_cache,
    store_side_by_side,
)
from course_lib.transformer.layers import FusedSwiGLU, SwiGLU
from course_lib.transformer.positions import rotary
from course_lib.transformer.watching import watch_attention
from tests.transformer import reference
from tests.transformer.reference import assert_equal, random

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])

# Sizes all differ, so that a swapped axis cannot pass.
B, H, T, S, D_K, D_V, D_MODEL = 2, 4, 7, 5, 6, 3, 24
ATTENTIONS = {
    "plain": {},
    "without biases": {"bias": False},
    "rotary": {"rotate": rotary},
    "rotary and shared keys": {"rotate": rotary, "kv_heads": 2},
    "one head of keys": {"kv_heads": 1},
}
every_attention = pytest.mark.parametrize("kind", ATTENTIONS)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def attention_of(kind: str, dtype: torch.dtype = torch.float64) -> MultiHeadAttention:
    attention = MultiHeadAttention(D_MODEL, H, **ATTENTIONS[kind]).to(dtype)
    reference.stir(attention)
    return attention


def read(attention: MultiHeadAttention, pieces: list[Tensor], cache: TextCache) -> Tensor:
    """The outputs for the tokens of all pieces, one piece after another, each under its rows of the causal mask."""
    outputs = []
    with torch.no_grad(), caching([cache]):
        for piece in pieces:
            before, after = cache.length, cache.length + piece.size(1)
            outputs.append(attention(piece, piece, piece, causal_mask(after)[before:]))
    return torch.cat(outputs, dim=1)


@both_types
@pytest.mark.parametrize("lengths", [[7], [1] * 7, [3, 1, 3], [1, 6]], ids=str)
def test_attending_with_a_cache_is_causal_attention_over_the_whole_text(
    lengths: list[int], dtype: torch.dtype, generator: torch.Generator
) -> None:
    query, key = random(generator, B, H, T, D_K, dtype=dtype), random(generator, B, H, T, D_K, dtype=dtype)
    value = random(generator, B, H, T, D_V, dtype=dtype)
    expected = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    past, outputs = None, []
    for pieces in zip(*(x.split(lengths, dim=2) for x in (query, key, value)), strict=True):
        earlier = None if past is None else (past[0].clone(), past[1].clone())
        output, longer = attend_with_cache(*pieces, past)
        if past is not None and earlier is not None:
            assert torch.equal(past[0], earlier[0])
            assert torch.equal(past[1], earlier[1])
        past = longer
        outputs.append(output)
    assert_equal(torch.cat(outputs, dim=2), expected)
    assert past is not None
    assert torch.equal(past[0], key)
    assert torch.equal(past[1], value)


@pytest.mark.parametrize("size", [1, 3, T, T + 1])
def test_attending_in_pieces_is_causal_attention_over_the_whole_text(size: int, generator: torch.Generator) -> None:
    query, key = random(generator, B, H, T, D_K), random(generator, B, H, T, D_K)
    value = random(generator, B, H, T, D_V)
    lengths = []

    def noting(query: Tensor, key: Tensor, value: Tensor, past):  # type: ignore[no-untyped-def]
        lengths.append(query.size(2))
        return attend_with_cache(query, key, value, past)

    output = attend_in_pieces(noting, query, key, value, size)
    assert_equal(output, F.scaled_dot_product_attention(query, key, value, is_causal=True))
    assert lengths == [size] * (T // size) + [T % size] * (T % size > 0)


def test_attending_with_a_cache_uses_the_given_parts(generator: torch.Generator) -> None:
    def itself(length: int) -> Tensor:
        return torch.eye(length, dtype=torch.bool)

    def doubled(*arguments: Tensor | None) -> tuple[Tensor, Tensor]:
        output, weights = scaled_dot_product_attention(*arguments)
        return 2 * output, weights

    query, key = random(generator, B, H, 3, D_K), random(generator, B, H, 3, D_K)
    value, past = random(generator, B, H, 3, D_V), (random(generator, B, H, S, D_K), random(generator, B, H, S, D_V))
    output, _ = attend_with_cache(query, key, value, past, attention=doubled, mask=itself)
    assert_equal(output, 2 * value)


@both_types
@pytest.mark.parametrize("bias", [True, False], ids=["biases", "no biases"])
@pytest.mark.parametrize("lengths", [[7], [1] * 7, [3, 1, 3], [1, 6]], ids=str)
def test_a_self_attention_with_a_cache_gives_what_it_gives_for_the_whole_text(
    lengths: list[int], bias: bool, dtype: torch.dtype, generator: torch.Generator
) -> None:
    attention = MultiHeadAttention(D_MODEL, H, bias=bias, rotate=rotary).to(dtype)
    reference.stir(attention)
    x = random(generator, B, T, D_MODEL, dtype=dtype)
    past, outputs = None, []
    for piece in x.split(lengths, dim=1):
        output, past = cached_self_attention(attention, piece, past)
        outputs.append(output)
    assert_equal(torch.cat(outputs, dim=1), attention(x, x, x, causal_mask(T)))
    _, keys, values = attention.project(x, x, x)
    assert past is not None
    assert_equal(past[0], keys)
    assert_equal(past[1], values)


def test_a_self_attention_with_a_cache_uses_the_given_parts(generator: torch.Generator) -> None:
    attention, x = attention_of("rotary"), random(generator, B, 3, D_MODEL)
    called = []

    def noting(function):  # type: ignore[no-untyped-def]
        def noted(*arguments):  # type: ignore[no-untyped-def]
            called.append(function.__name__)
            return function(*arguments)

        return noted

    parts = {"attend": attend_with_cache, "split": split_heads, "merge": merge_heads}
    output, _ = cached_self_attention(attention, x, None, **{name: noting(each) for name, each in parts.items()})
    assert called == ["split_heads"] * 3 + ["attend_with_cache", "merge_heads"]
    assert_equal(output, attention(x, x, x, causal_mask(3)))


def test_each_beam_gets_the_cache_of_its_parent(generator: torch.Generator) -> None:
    past = [(random(generator, 3, H, S, D_K), random(generator, 3, H, S, D_V)) for _ in range(2)]
    moved = reorder_cache(past, torch.tensor([2, 0, 2, 1]))
    assert len(moved) == 2
    for (keys, values), (old_keys, old_values) in zip(moved, past, strict=True):
        for beam, parent in enumerate([2, 0, 2, 1]):
            assert torch.equal(keys[beam], old_keys[parent])
            assert torch.equal(values[beam], old_values[parent])


@pytest.mark.parametrize(("dtype", "bytes_each"), [(torch.float64, 8), (torch.float32, 4), (torch.bfloat16, 2)])
def test_caches_take_the_number_of_bytes_of_the_formula(dtype: torch.dtype, bytes_each: int) -> None:
    attentions = [MultiHeadAttention(D_MODEL, H, kv_heads=2).to(dtype) for _ in range(3)]
    caches = [TextCache(each, room=9) for each in attentions]
    x = torch.zeros(1, T, D_MODEL, dtype=dtype)
    with torch.no_grad(), caching(caches):
        for each in attentions:
            each(x, x, x)
    taken = sum(cache.keys_and_values.nbytes for cache in caches)
    assert cache_bytes(layers=3, kv_heads=2, d_k=D_MODEL // H, length=T, bytes_each=bytes_each) == taken


@both_types
@every_attention
@pytest.mark.parametrize("lengths", [[7], [1] * 7, [3, 1, 3]], ids=str)
def test_a_text_read_in_pieces_gives_the_results_of_the_text_read_at_once(
    lengths: list[int], kind: str, dtype: torch.dtype, generator: torch.Generator
) -> None:
    attention, x = attention_of(kind, dtype), random(generator, B, T, D_MODEL, dtype=dtype)
    expected = attention(x, x, x, causal_mask(T))
    cache = TextCache(attention, room=T)
    assert_equal(read(attention, list(x.split(lengths, dim=1)), cache), expected)
    _, keys, values = attention.project(x, x, x)
    assert cache.length == T
    assert_equal(cache.keys_and_values[0], keys)
    assert_equal(cache.keys_and_values[1], values)
    assert_equal(attention(x, x, x, causal_mask(T)), expected)


@every_attention
def test_a_cached_step_can_be_watched(kind: str, generator: torch.Generator) -> None:
    attention, x = attention_of(kind), random(generator, B, T, D_MODEL)
    with watch_attention(attention) as whole:
        attention(x, x, x, causal_mask(T))
    cache = TextCache(attention, room=T)
    read(attention, [x[:, :-1]], cache)
    with watch_attention(attention) as last:
        read(attention, [x[:, -1:]], cache)
    assert_equal(last[""].weights, whole[""].weights[:, :, -1:])
    assert_equal(last[""].keys, whole[""].keys)
    assert_equal(last[""].values, whole[""].values)


def test_a_cache_computes_the_three_projections_as_one_product_and_does_not_change_the_weights(
    generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    attention, x = attention_of("plain"), random(generator, B, T, D_MODEL)
    before = {name: value.clone() for name, value in attention.state_dict().items()}
    products = []
    linear = F.linear
    monkeypatch.setattr(F, "linear", lambda *arguments: products.append(1) or linear(*arguments))
    read(attention, [x], TextCache(attention, room=T))
    assert len(products) == 2, "one for queries, keys and values, one for the output"
    y = random(generator, B, S, D_MODEL)
    with torch.no_grad(), caching([TextCache(attention, room=T)]):
        other = attention(x[:, :1], y, y)
    assert_equal(other, attention(x[:, :1], y, y))
    assert attention.state_dict().keys() == before.keys()
    for name, value in attention.state_dict().items():
        assert torch.equal(value, before[name])


def test_keys_of_another_text_are_projected_as_keys_in_a_cache_too(generator: torch.Generator) -> None:
    attention, x, y = attention_of("plain"), random(generator, B, T, D_MODEL), random(generator, B, T, D_MODEL)
    with torch.no_grad(), caching([TextCache(attention, room=T)]):
        cached = attention(x, y, y)
    assert_equal(cached, attention(x, y, y))


def test_a_cleared_cache_starts_again(generator: torch.Generator) -> None:
    attention, x = attention_of("rotary"), random(generator, B, T, D_MODEL)
    cache = TextCache(attention, room=T)
    read(attention, [random(generator, B, 3, D_MODEL)], cache)
    cache.clear()
    assert cache.length == 0
    assert cache.keys_and_values.numel() == 0
    assert_equal(read(attention, [x[:, :4], x[:, 4:]], cache), attention(x, x, x, causal_mask(T)))


def test_a_cache_that_has_read_nothing_is_empty() -> None:
    cache = TextCache(attention_of("plain"), room=3)
    cache.select(torch.tensor([0, 0]))
    assert cache.keys_and_values.nbytes == 0


@pytest.mark.parametrize("rows", [[2, 0, 1], [0, 0, 2], [1], [2, 1, 0, 1, 2]], ids=str)
def test_a_cache_may_continue_with_other_rows(rows: list[int], generator: torch.Generator) -> None:
    attention, x = attention_of("rotary and shared keys"), random(generator, 3, 4, D_MODEL)
    cache = TextCache(attention, room=T)
    read(attention, [x], cache)
    cache.select(torch.tensor(rows))
    more = random(generator, len(rows), 3, D_MODEL)
    whole = torch.cat((x[rows], more), dim=1)
    assert_equal(read(attention, [more], cache), attention(whole, whole, whole, causal_mask(T))[:, 4:])


@pytest.mark.parametrize("rows", [[2, 0, 1], [0, 0, 2]], ids=str)
def test_only_the_part_in_which_texts_differ_is_reordered(rows: list[int], generator: torch.Generator) -> None:
    attention = attention_of("plain")
    beginning, rest = random(generator, 1, 2, D_MODEL).expand(3, 2, D_MODEL), random(generator, 3, 2, D_MODEL)
    cache = TextCache(attention, room=T)
    read(attention, [beginning, rest], cache)
    before = cache.keys_and_values.clone()
    assert cache.stored is not None
    storage = cache.stored.data_ptr()
    cache.stored[:, 1, :, 0] = 7.0  # a mark on a token that need not be moved
    cache.select(torch.tensor(rows), start=2)
    assert torch.equal(cache.keys_and_values[:, :, :, 2:], before[:, rows][:, :, :, 2:])
    assert (cache.keys_and_values[:, 1, :, 0] == 7.0).all()
    assert cache.stored.data_ptr() == storage


@both_types
@pytest.mark.parametrize("kind", ["plain", "without biases", "one head of keys"])
def test_the_memory_is_projected_once(kind: str, dtype: torch.dtype, generator: torch.Generator) -> None:
    attention = attention_of(kind, dtype)
    x, memory = random(generator, B, T, D_MODEL, dtype=dtype), random(generator, B, S, D_MODEL, dtype=dtype)
    mask = torch.ones(B, 1, 1, S, dtype=torch.bool)
    mask[1, ..., 2:] = False
    expected = attention(x, memory, memory, mask)
    cache = MemoryCache(attention, memory)
    projected = []
    for part in (attention.W_k, attention.W_v):
        part.register_forward_hook(lambda *_: projected.append(1))
    with torch.no_grad(), caching([cache]):
        for rows in (slice(0, 3), slice(3, T)):
            assert_equal(attention(x[:, rows], memory, memory, mask), expected[:, rows])
    assert projected == []
    _, keys, values = attention.project(memory, memory, memory)
    assert torch.equal(cache.keys_and_values, torch.stack((keys, values)))


def test_the_memory_may_continue_with_other_sources(generator: torch.Generator) -> None:
    attention, memory = attention_of("plain"), random(generator, 3, S, D_MODEL)
    x, sources = random(generator, 2, T, D_MODEL), [2, 0]
    expected = attention(x, memory[sources], memory[sources])
    cache = MemoryCache(attention, memory)
    cache.select(sources)
    with torch.no_grad(), caching([cache]):
        assert_equal(attention(x, memory[sources], memory[sources]), expected)


# One token at a time, where the whole text may be read: no mask, and no kernel where there are several texts.


def step(attention: MultiHeadAttention, cache: TextCache, token: Tensor) -> Tensor:
    """The output for one more token of each text, (B, 1, d_model), which may read all of its text."""
    with torch.no_grad(), caching([cache]):
        return attention(token, token, token)


@both_types
@every_attention
@pytest.mark.parametrize("first", [1, COLUMNS_AT_ONCE - 2, COLUMNS_AT_ONCE, 2 * COLUMNS_AT_ONCE - 1])
@pytest.mark.parametrize("texts", [1, 3])
def test_single_tokens_of_several_texts_read_what_the_whole_texts_read(
    texts: int, first: int, kind: str, dtype: torch.dtype, generator: torch.Generator
) -> None:
    attention, length = attention_of(kind, dtype), first + 4
    x = random(generator, texts, length, D_MODEL, dtype=dtype)
    expected = attention(x, x, x, causal_mask(length))
    cache = TextCache(attention, room=length)
    read(attention, [x[:, :first]], cache)
    for t in range(first, length):
        assert_equal(step(attention, cache, x[:, t : t + 1]), expected[:, t : t + 1])
    assert cache.length == length


@both_types
@every_attention
@pytest.mark.parametrize("texts", [1, 3])
def test_attending_with_one_query_gives_what_the_kernel_gives(
    texts: int, kind: str, dtype: torch.dtype, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    attention, x = attention_of(kind, dtype), random(generator, texts, 5, D_MODEL, dtype=dtype)
    calls: list[int] = []
    kernel = F.scaled_dot_product_attention

    def counted(*inputs: Tensor, **more: Tensor) -> Tensor:
        calls.append(1)
        return kernel(*inputs, **more)

    monkeypatch.setattr(F, "scaled_dot_product_attention", counted)
    found = {}
    for faster in (True, False):
        cache = TextCache(attention, room=5)
        read(attention, [x[:, :4]], cache)
        calls.clear()
        if not faster:
            monkeypatch.setattr(cache, "attend_one", lambda queries: None)
        found[faster] = step(attention, cache, x[:, 4:])
        assert bool(calls) is not faster
    assert_equal(found[True], found[False])


@pytest.mark.parametrize("texts", [1, 3])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bf16", "fp16"])
def test_half_precision_is_left_to_the_kernel(texts: int, dtype: torch.dtype, generator: torch.Generator) -> None:
    attention, x = attention_of("rotary and shared keys", dtype), random(generator, texts, 4, D_MODEL, dtype=dtype)
    cache = TextCache(attention, room=4)
    assert cache.attend_one(x[:, None, :1, :6]) is None
    read(attention, [x[:, :3]], cache)
    assert cache.attend_one(torch.zeros(texts, H, 1, D_K, dtype=dtype)) is None
    expected = attention(x, x, x, causal_mask(4))[:, 3:]
    # Numbers of order 1; the sums of two maps and of an attention are rounded.
    torch.testing.assert_close(step(attention, cache, x[:, 3:]), expected, rtol=0, atol=2**-5)


@both_types
@every_attention
@pytest.mark.parametrize("rows", [[2, 0, 1], [0, 0, 2], [1, 2], [2, 1, 0, 1, 2], [1]], ids=str)
@pytest.mark.parametrize("first", [4, COLUMNS_AT_ONCE])
def test_single_tokens_continue_the_rows_that_were_chosen(
    first: int, rows: list[int], kind: str, dtype: torch.dtype, generator: torch.Generator
) -> None:
    attention, x = attention_of(kind, dtype), random(generator, 3, first, D_MODEL, dtype=dtype)
    cache = TextCache(attention, room=first + 2)
    read(attention, [x], cache)
    whole = x
    for chosen in (rows, list(range(len(rows)))[::-1]):
        cache.select(torch.tensor(chosen))
        token = random(generator, len(chosen), 1, D_MODEL, dtype=dtype)
        whole = torch.cat((whole[chosen], token), dim=1)
        expected = attention(whole, whole, whole, causal_mask(whole.size(1)))
        assert_equal(step(attention, cache, token), expected[:, -1:])


def test_a_cache_stores_few_more_columns_than_it_has_tokens_and_never_more_than_its_room(
    generator: torch.Generator,
) -> None:
    attention = attention_of("plain")
    cache = TextCache(attention, room=COLUMNS_AT_ONCE + 5)
    columns = []
    for _ in range(cache.room):
        read(attention, [random(generator, B, 1, D_MODEL)], cache)
        assert cache.stored is not None
        columns.append(cache.stored.size(3))
    assert columns == [COLUMNS_AT_ONCE] * COLUMNS_AT_ONCE + [COLUMNS_AT_ONCE + 5] * 5
    with pytest.raises(ValueError, match="the cache has room for 37 tokens, but this text would have 38"):
        step(attention, cache, random(generator, B, 1, D_MODEL))


def test_a_cleared_cache_may_start_again_with_fewer_tokens_and_other_texts(generator: torch.Generator) -> None:
    attention, x = attention_of("rotary and shared keys"), random(generator, 3, 2, D_MODEL)
    cache = TextCache(attention, room=3 * COLUMNS_AT_ONCE)
    read(attention, [random(generator, B, 3 * COLUMNS_AT_ONCE, D_MODEL)], cache)
    cache.clear()
    read(attention, [x[:, :1]], cache)
    assert_equal(step(attention, cache, x[:, 1:]), attention(x, x, x, causal_mask(2))[:, 1:])


# Maps that are stored by columns for a while.


def wide_layers() -> nn.ModuleList:
    """Two layers with maps that are wider than their input, and others that are not; one map is in both."""
    layers = nn.ModuleList(nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 4), nn.Linear(4, 4)) for _ in range(2))
    layers[1].append(layers[0][0])
    return layers


def test_only_maps_that_are_wider_than_their_input_are_stored_by_columns_and_only_in_the_block() -> None:
    layers = wide_layers()
    parameters = list(layers.parameters())
    copies = [each.clone() for each in parameters]
    x = torch.randn(2, 3)
    expected = [layer[:3](x) for layer in layers]
    wide = WideMaps(layers)
    assert {id(each) for each in wide.maps} == {id(layers[0][0]), id(layers[1][0])}
    with wide.stored_by_columns():
        for layer, output in zip(layers, expected, strict=True):
            assert layer[0].weight.T.is_contiguous()
            assert not layer[0].weight.is_contiguous()
            assert layer[1].weight.is_contiguous()
            assert_equal(layer[:3](x), output)
    after = list(layers.parameters())
    assert [id(each) for each in after] == [id(each) for each in parameters]
    assert all(each.is_contiguous() and each.requires_grad for each in after)
    assert all(torch.equal(each, copy) for each, copy in zip(after, copies, strict=True))


def test_what_is_stored_by_columns_has_the_same_numbers_and_is_not_copied_again() -> None:
    matrix = torch.randn(5, 3)
    stored = by_columns(matrix)
    assert torch.equal(stored, matrix)
    assert stored.T.is_contiguous()
    assert by_columns(stored).data_ptr() == stored.data_ptr()


def test_maps_that_are_stored_by_columns_already_are_not_copied() -> None:
    layers = wide_layers()
    for layer in layers:
        layer[0].weight.data = by_columns(layer[0].weight.data)
    wide = WideMaps(layers)
    assert [each.data_ptr() for each in wide.by_columns] == [each.weight.data_ptr() for each in wide.maps]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("side_by_side", [True, False])
def test_the_two_maps_of_a_gate_are_one_product_in_the_block(
    side_by_side: bool, bias: bool, generator: torch.Generator
) -> None:
    gated, plain = FusedSwiGLU(3, 5, bias=bias).double(), SwiGLU(3, 5, bias=bias).double()
    reference.stir(gated)
    plain.load_state_dict(gated.state_dict())
    if side_by_side:
        store_side_by_side((gated.W_gate, gated.W_1))
    x = random(generator, 2, 1, 3)
    expected = plain(x)
    assert_equal(gated(x), expected)
    wide = WideMaps([gated])
    assert not wide.maps
    assert (wide.joined[0][0].data_ptr() == gated.W_gate.weight.data_ptr()) is side_by_side

    def fails() -> None:
        with torch.no_grad(), wide.stored_by_columns():
            gated.W_gate.register_forward_pre_hook(lambda *_: pytest.fail("a map of its own was used"))
            assert_equal(gated(x), expected)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert gated.joined is None


def test_outside_the_block_a_gate_computes_with_the_weights_that_it_has_now(generator: torch.Generator) -> None:
    gated, plain, x = FusedSwiGLU(3, 5).double(), SwiGLU(3, 5).double(), random(generator, 2, 1, 3)
    wide = WideMaps([gated])
    for _ in range(2):
        reference.stir(gated)
        plain.load_state_dict(gated.state_dict())
        assert_equal(gated(x), plain(x))
        with wide.stored_by_columns():
            gated(x)


def test_joined_maps_are_copied_unless_they_are_the_next_rows_of_one_matrix(generator: torch.Generator) -> None:
    maps = [nn.Linear(3, width).double() for width in (2, 4, 5)]
    parameters = [each.weight for each in maps]
    x = random(generator, 3)
    expected = torch.cat([each(x) for each in maps])

    def is_copied(maps: list[nn.Linear]) -> bool:
        weight, bias = join_maps(maps)
        assert torch.equal(weight, torch.cat([each.weight for each in maps]))
        assert weight.T.is_contiguous()
        assert_equal(F.linear(x, weight, bias), torch.cat([each(x) for each in maps]))
        return weight.data_ptr() != maps[0].weight.data_ptr()

    assert is_copied(maps)
    store_side_by_side(maps)
    assert_equal(torch.cat([each(x) for each in maps]), expected)
    assert all(each.weight is parameter for each, parameter in zip(maps, parameters, strict=True))
    assert not is_copied(maps)
    assert is_copied([maps[1], maps[0], maps[2]])
    assert is_copied(maps[:2])
    others = [nn.Linear(3, width).double() for width in (2, 4, 5)]
    store_side_by_side(others)
    assert is_copied([maps[0], others[1], maps[2]])


@pytest.mark.parametrize("texts", [1, 3])
@pytest.mark.parametrize("name", ["W_q", "W_k"])
def test_a_cached_token_whose_query_or_key_is_no_number_gives_none(
    name: str, texts: int, generator: torch.Generator
) -> None:
    attention, x = attention_of("rotary and shared keys"), random(generator, texts, 4, D_MODEL)
    cache = TextCache(attention, room=4)
    read(attention, [x[:, :3]], cache)
    cache.joined[0][0 if name == "W_q" else D_MODEL, 0] = math.nan
    assert step(attention, cache, x[:, 3:]).isnan().any()


@pytest.mark.parametrize("kind", ["plain", "rotary and shared keys"])
def test_a_cache_reads_the_same_from_weights_that_are_stored_by_columns(kind: str, generator: torch.Generator) -> None:
    attention, x = attention_of(kind), random(generator, B, T, D_MODEL)
    expected = read(attention, [x], TextCache(attention, T))
    for each in (attention.W_q, attention.W_k, attention.W_v):
        each.weight.data = by_columns(each.weight.data)
    cache = TextCache(attention, T)
    assert cache.joined[0].T.is_contiguous()
    assert_equal(read(attention, [x], cache), expected)


def test_maps_are_stored_by_rows_again_after_an_exception_in_the_block() -> None:
    layers = wide_layers()
    parameters = list(layers.parameters())

    def fails() -> None:
        with WideMaps(layers).stored_by_columns():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert [id(each) for each in layers.parameters()] == [id(each) for each in parameters]


def test_caches_are_used_only_inside_their_block_even_after_an_exception(generator: torch.Generator) -> None:
    attentions, x = [attention_of("plain"), attention_of("rotary")], random(generator, B, T, D_MODEL)
    expected = [each(x, x, x) for each in attentions]

    def fails(caches: list[TextCache]) -> None:
        with torch.no_grad(), caching(caches):
            for each in attentions:
                each(x, x, x)
            raise KeyboardInterrupt

    caches = [TextCache(each, room=T) for each in attentions]
    with pytest.raises(KeyboardInterrupt):
        fails(caches)
    for (each, output), cache in itertools.product(zip(attentions, expected, strict=True), caches):
        assert_equal(each(x, x, x), output)
        assert cache.length == T
        assert each(x, x, x).requires_grad
