"""The cache against the same model over the whole text: every style, padding, rows that come and go, what it keeps."""

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from course_lib.transformer.attention import MultiHeadAttention, scaled_dot_product_attention
from course_lib.transformer.build import build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.transformer.watching import watch_attention
from course_lib.writing.cache import CachedModel, UncachedModel, can_cache
from tests.transformer import reference
from tests.transformer.reference import assert_equal

# Sizes all differ, so that a swapped axis cannot pass.
SMALL = dict(vocabulary=23, d_model=12, heads=3, d_ff=20, layers=2, max_length=9)
SHARED = {**SMALL, "d_model": 16, "heads": 4, "kv_heads": 2}
STYLES = {
    "2017": TransformerConfig(**SMALL),
    "gpt2": TransformerConfig.gpt2(**SMALL, tied_embeddings=False),
    "bert": TransformerConfig.bert(**SMALL),
    "llama": TransformerConfig.llama(**SHARED),
    "pre-norm without positions": TransformerConfig(**SMALL, norm_place="pre", positions="none"),
    "post-norm with rotary positions": TransformerConfig(**SMALL, kv_heads=1, positions="rotary", activation="swiglu"),
    "learned positions and shared keys": TransformerConfig(**SHARED, positions="learned", tied_embeddings=False),
}
SOURCES = torch.tensor([[5, 6, 7, 8, 9], [4, 11, 10, 0, 0], [3, 0, 0, 0, 0]])
MOVED = torch.tensor([[5, 6, 7, 8, 9], [0, 0, 4, 11, 10], [0, 0, 0, 0, 3]])

every_style = pytest.mark.parametrize("style", STYLES)
both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
both_kinds = pytest.mark.parametrize("kind", [build_language_model, build_transformer])
every_reader = pytest.mark.parametrize(
    ("reader", "style"),
    # Without a cache, the style makes no difference.
    [*((CachedModel, style) for style in STYLES), (UncachedModel, "2017"), (UncachedModel, "llama")],
)
both_readers = pytest.mark.parametrize("reader", [CachedModel, UncachedModel])


def ready(model: nn.Module, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The model in eval mode with every weight off its starting value."""
    model = model.to(dtype).eval()
    reference.stir(model)
    return model


def ids_of(rows: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(3, 23, (rows, length), generator=torch.Generator().manual_seed(seed))


def source_for(model: nn.Module) -> Tensor | None:
    """Three sources for a Transformer, padded where its configuration knows padding; none for a language model."""
    if isinstance(model, LanguageModel):
        return None
    return SOURCES if model.config.pad is not None else ids_of(3, 5, seed=1)


def expected(model: nn.Module, ids: Tensor, source: Tensor | None) -> Tensor:
    """The logits after the last token, by one run over the whole text."""
    logits: Tensor = model(ids) if source is None else model(source, ids)
    return logits[:, -1].detach()


def cut(ids: Tensor, lengths: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
    """Cut (B, T) into pieces of these lengths; each with where it ends."""
    end = 0
    for piece in ids.split(list(lengths), dim=1):
        end += piece.size(1)
        yield end, piece


@every_reader
@both_types
@both_kinds
def test_reading_on_gives_the_logits_of_the_whole_text(
    style: str, dtype: torch.dtype, kind: Callable[..., nn.Module], reader: type
) -> None:
    model = ready(kind(STYLES[style]), dtype)
    source, ids = source_for(model), ids_of(3, 9)
    cached = reader(model, 9, source)
    for end, piece in cut(ids, (2, 1, 1, 3, 1, 1)):
        assert_equal(cached.read(piece), expected(model, ids[:, :end], source))


@every_reader
@both_types
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side_changes_nothing(style: str, dtype: torch.dtype, reader: type, side: str) -> None:
    model = ready(build_language_model(STYLES[style]), dtype)
    lengths, ids, more = (5, 2, 4), ids_of(3, 5), ids_of(3, 4, seed=1)
    columns = torch.arange(5)
    real = torch.stack([columns < n if side == "right" else columns >= 5 - n for n in lengths])
    originals = ids.clone(), real.clone()
    cached = reader(model, 9)
    texts = [row[here][None] for row, here in zip(ids, real, strict=True)]
    found = [cached.read(ids, padding=~real)]
    correct = [torch.cat([expected(model, text, None) for text in texts])]
    for end, piece in cut(more, (1, 2, 1)):
        found.append(cached.read(piece))
        longer = [torch.cat((text, row[None, :end]), dim=1) for text, row in zip(texts, more, strict=True)]
        correct.append(torch.cat([expected(model, text, None) for text in longer]))
    for one, other in zip(found, correct, strict=True):
        assert_equal(one, other)
    assert torch.equal(ids, originals[0])
    assert torch.equal(real, originals[1])


def test_padding_may_be_on_the_left_in_one_row_and_on_the_right_in_another() -> None:
    model = ready(build_language_model(STYLES["gpt2"]))
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 7, 7], [7, 7, 11, 12]])
    padding = torch.tensor([[False] * 4, [False, False, True, True], [True, True, False, False]])
    for reader in (CachedModel(model, 9), UncachedModel(model, 9)):
        separately = [expected(model, torch.tensor([text]), None) for text in ([5, 6, 7, 8], [9, 10], [11, 12])]
        assert_equal(reader.read(ids, padding), torch.cat(separately))


def test_padding_without_padded_positions_changes_nothing() -> None:
    model = ready(build_language_model(STYLES["gpt2"]))
    cached = CachedModel(model, 9)
    for _, piece in cut(ids_of(2, 6), (3, 3)):
        logits = cached.read(piece, padding=torch.zeros(2, 3, dtype=torch.bool))
    assert_equal(logits, expected(model, ids_of(2, 6), None))


@both_types
@pytest.mark.parametrize("style", [name for name, config in STYLES.items() if config.pad is not None])
@pytest.mark.parametrize("source", [SOURCES, MOVED], ids=["right", "left"])
def test_a_sources_padding_is_hidden_on_either_side(style: str, dtype: torch.dtype, source: Tensor) -> None:
    model = ready(build_transformer(STYLES[style]), dtype)
    ids = ids_of(3, 4)
    cached = CachedModel(model, 9, source)
    for end, piece in cut(ids, (1, 2, 1)):
        logits = cached.read(piece)
        assert_equal(logits, expected(model, ids[:, :end], source))
    # At other positions the angles differ, and float32 rounds differently; float64 shows that the results are equal.
    if source is SOURCES or (model.config.positions in ("rotary", "none") and dtype is torch.float64):
        separately = [expected(model, ids[i : i + 1], source[i][source[i] != 0][None]) for i in range(3)]
        assert_equal(logits, torch.cat(separately))


@every_reader
@both_kinds
def test_a_text_longer_than_the_cache_is_read_from_its_last_tokens(
    style: str, kind: Callable[..., nn.Module], reader: type
) -> None:
    model = ready(kind(STYLES[style]))
    source, ids = source_for(model), ids_of(3, 25)
    cached = reader(model, 5, source)
    for end, piece in cut(ids, (3, 1, 1, 1, 1, 3, 2, 7, 5, 1)):
        assert_equal(cached.read(piece), expected(model, ids[:, max(0, end - 5) : end], source))


@both_readers
def test_padding_is_dropped_first_if_a_text_becomes_longer_than_the_cache(reader: type) -> None:
    model = ready(build_language_model(STYLES["learned positions and shared keys"]))
    ids, more = ids_of(3, 6), ids_of(3, 6, seed=1)
    real = torch.arange(6) < torch.tensor([[6], [2], [4]])
    cached = reader(model, 5)
    texts = [row[here].tolist() for row, here in zip(ids, real, strict=True)]
    cached.read(ids, padding=~real)
    for column in more.T:
        for text, token in zip(texts, column.tolist(), strict=True):
            text.append(token)
        correct = [expected(model, torch.tensor([text[-5:]]), None) for text in texts]
        assert_equal(cached.read(column[:, None]), torch.cat(correct))


@both_readers
def test_no_cache_is_longer_than_the_models_positions(reader: type) -> None:
    model = ready(build_language_model(STYLES["gpt2"]))
    ids = ids_of(2, 12)
    cached = reader(model, 1000)
    for _, piece in cut(ids, (4, 4, 4)):
        logits = cached.read(piece)
    assert_equal(logits, expected(model, ids[:, -9:], None))


@every_reader
@both_kinds
@pytest.mark.parametrize("rows", [[2, 0, 1], [1], [0, 0, 2, 2], [2, 0, 2, 1, 0], [1, 1, 1]], ids=str)
def test_rows_may_be_reordered_dropped_and_repeated(
    style: str, kind: Callable[..., nn.Module], reader: type, rows: list[int]
) -> None:
    model = ready(kind(STYLES[style]))
    source, ids, more = source_for(model), ids_of(3, 3), ids_of(len(rows), 2, seed=1)
    cached = reader(model, 9, source)
    cached.read(ids)
    cached.select(torch.tensor(rows))
    text, source = torch.cat((ids[rows], more), dim=1), None if source is None else source[rows]
    for end, piece in cut(more, (1, 1)):
        assert_equal(cached.read(piece), expected(model, text[:, : 3 + end], source))


@both_readers
def test_rows_with_equal_texts_still_keep_their_own_sources(reader: type) -> None:
    model = ready(build_transformer(STYLES["2017"]))
    first, second = torch.full((3, 1), 1), torch.full((3, 1), 7)
    cached = reader(model, 9, SOURCES)
    cached.read(first)
    for rows in ([1, 2, 0], [0, 2, 2], [2, 0, 1]):
        cached.select(torch.tensor(rows))
    sources = SOURCES[[1, 2, 0]][[0, 2, 2]][[2, 0, 1]]
    assert_equal(cached.read(second), expected(model, torch.cat((first, second), dim=1), sources))


@both_readers
@pytest.mark.parametrize("style", ["2017", "llama"])
@pytest.mark.parametrize("translates", [False, True])
def test_each_row_keeps_its_own_text_under_any_sequence_of_operations(
    reader: type, style: str, translates: bool
) -> None:
    config = STYLES[style]
    model = ready((build_transformer if translates else build_language_model)(config))
    for seed in range(4):
        chance = random.Random(seed)
        lengths = [chance.randint(1, 4) for _ in range(3)]
        texts = [[chance.randint(3, 22) for _ in range(4 if translates else n)] for n in lengths]
        sources = [*source_for(model)] if translates else [None] * 3
        padded = torch.tensor([[*text, *[0] * (4 - len(text))] for text in texts])
        padding = torch.tensor([[i >= len(text) for i in range(4)] for text in texts])
        cached = reader(model, 7, torch.stack(sources) if translates else None)
        cached.read(padded, padding)
        for _ in range(7):
            if chance.random() < 0.6:
                rows = [chance.randrange(len(texts)) for _ in range(chance.randint(1, 5))]
                rows = sorted(rows) if chance.random() < 0.5 else rows
                cached.select(torch.tensor(rows))
                texts, sources = [list(texts[row]) for row in rows], [sources[row] for row in rows]
            # Few different tokens, so that texts that differed may continue in the same way.
            new = [[chance.randint(3, 5) for _ in range(chance.choice((1, 1, 2)))] for _ in texts]
            new = [[*row, 3][: len(new[0])] for row in new]
            texts = [[*text, *row] for text, row in zip(texts, new, strict=True)]
            correct = [
                expected(model, torch.tensor([text[-7:]]), None if source is None else source[None])
                for text, source in zip(texts, sources, strict=True)
            ]
            assert_equal(cached.read(torch.tensor(new)), torch.cat(correct))


def test_rows_with_equal_ids_but_different_padding_are_still_reordered() -> None:
    model = ready(build_language_model(STYLES["gpt2"]))
    ids, padding = torch.full((2, 3), 7), torch.tensor([[False] * 3, [True, True, False]])
    for reader in (CachedModel(model, 9), UncachedModel(model, 9)):
        reader.read(ids, padding)
        reader.select(torch.tensor([1, 0]))
        separately = [expected(model, torch.tensor([text]), None) for text in ([7, 8], [7, 7, 7, 8])]
        assert_equal(reader.read(torch.tensor([[8], [8]])), torch.cat(separately))


def test_the_beams_of_a_search_share_the_keys_and_values_of_their_source() -> None:
    model = ready(build_transformer(STYLES["2017"]))
    ids = torch.full((3, 1), 1)
    cached = CachedModel(model, 9, SOURCES)
    cached.read(ids)
    before = cached.bytes
    cached.select(torch.tensor([0, 0, 1, 1, 2, 2]))
    a_token = 2 * 2 * 3 * 4 * 8
    assert cached.bytes == before + 3 * a_token
    text, more = ids[[0, 0, 1, 1, 2, 2]], ids_of(6, 3)
    sources = SOURCES[[0, 0, 1, 1, 2, 2]]
    for rows, column in zip(([1, 0, 3, 3, 4, 5], [0, 0, 1, 1, 2, 2], [0, 1, 4, 5]), more.T, strict=True):
        column = column[: len(text), None]
        text = torch.cat((text, column), dim=1)
        assert_equal(cached.read(column), expected(model, text, sources))
        cached.select(torch.tensor(rows))
        text, sources = text[rows], sources[rows]
    column = torch.full((4, 1), 9)
    assert_equal(cached.read(column), expected(model, torch.cat((text, column), dim=1), sources))


@both_kinds
@pytest.mark.parametrize("style", ["2017", "llama"])
def test_no_token_passes_through_the_layers_twice(kind: Callable[..., nn.Module], style: str) -> None:
    model = ready(kind(STYLES[style]))
    seen: list[int] = []
    cached = CachedModel(model, 9, source_for(model))
    for part in model.modules():
        if hasattr(part, "W_1"):
            part.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].size(1)))
    for _, piece in cut(ids_of(3, 7), (3, 1, 2, 1)):
        cached.read(piece)
    assert seen == [3, 3, 1, 1, 2, 2, 1, 1]


def sharper(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Another attention than the course's: with scores three times as large."""
    return scaled_dot_product_attention(3 * queries, keys, values, mask)


@every_style
@both_kinds
def test_another_attention_function_is_used(style: str, kind: Callable[..., nn.Module]) -> None:
    model = ready(kind(STYLES[style]))
    source, ids = source_for(model), ids_of(3, 5)
    plain = expected(model, ids, source)
    for part in model.modules():
        if isinstance(part, MultiHeadAttention):
            part.attention = sharper
    assert (expected(model, ids, source) - plain).abs().max() > 1e-3
    cached = CachedModel(model, 9, source)
    for end, piece in cut(ids, (2, 1, 2)):
        assert_equal(cached.read(piece), expected(model, ids[:, :end], source))
    rows = [0, 0, 2, 2]
    cached.select(torch.tensor(rows))
    text = torch.cat((ids[rows], torch.full((4, 1), 9)), dim=1)
    assert_equal(cached.read(text[:, -1:]), expected(model, text, None if source is None else source[rows]))


def test_another_attention_function_gets_the_padding_mask() -> None:
    model = ready(build_language_model(STYLES["llama"]))
    for layer in model.layers:
        layer.self_attention.attention = sharper
    ids = ids_of(2, 4)
    cached = CachedModel(model, 9)
    cached.read(ids, padding=torch.tensor([[False] * 4, [False, False, True, True]]))
    texts = torch.cat((ids[:1], torch.tensor([[9]])), dim=1), torch.cat((ids[1:, :2], torch.tensor([[9]])), dim=1)
    assert_equal(cached.read(torch.tensor([[9], [9]])), torch.cat([expected(model, text, None) for text in texts]))


@pytest.mark.parametrize("style", ["2017", "llama"])
def test_the_weights_of_a_cached_step_can_be_watched(style: str) -> None:
    model = ready(build_transformer(STYLES[style]))
    source, ids = source_for(model), ids_of(3, 4)
    cached = CachedModel(model, 9, source)
    cached.read(ids[:, :3])
    with watch_attention(model) as seen:
        logits = cached.read(ids[:, 3:])
    with watch_attention(model) as whole:
        assert_equal(logits, expected(model, ids, source))
    assert seen.keys() == {name for name in whole if name.startswith("decoder")}
    for name, reading in seen.items():
        assert_equal(reading.weights, whole[name].weights[:, :, -1:])


@both_kinds
@pytest.mark.parametrize("style", ["2017", "llama"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 2**-8), (torch.float16, 2**-11)], ids=str)
def test_half_precision_can_be_cached_too(
    kind: Callable[..., nn.Module], style: str, dtype: torch.dtype, tolerance: float
) -> None:
    model = ready(kind(STYLES[style]), dtype)
    source, ids = source_for(model), ids_of(3, 6)
    cached = CachedModel(model, 9, source)
    for end, piece in cut(ids, (3, 1, 1, 1)):
        logits, correct = cached.read(piece), expected(model, ids[:, :end], source)
        assert logits.dtype == dtype
        # Logits are of order 1 to 8, and two layers round about ten times: 16 units in the last place.
        torch.testing.assert_close(logits, correct, rtol=0, atol=16 * tolerance)
    numbers = 2 * 2 * (model.config.kv_heads or 3) * (12 // 3) * 3 * (6 + (0 if source is None else 5))
    assert cached.bytes == 2 * numbers


@both_kinds
@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_not_changed(kind: Callable[..., nn.Module], training: bool) -> None:
    model = ready(kind(dataclasses.replace(STYLES["2017"], dropout=0.0))).train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    source, ids = source_for(model), ids_of(3, 3)
    originals = ids.clone(), SOURCES.clone(), torch.tensor([2, 0])
    cached = CachedModel(model, 9, source)
    logits = cached.read(ids)
    cached.select(originals[2])
    cached.read(torch.tensor([[5], [6]]))
    assert not logits.requires_grad
    assert torch.is_grad_enabled()
    assert all(part.training == training for part in model.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(ids, originals[0])
    assert torch.equal(SOURCES, originals[1])
    assert torch.equal(originals[2], torch.tensor([2, 0]))


@every_style
@both_types
@both_kinds
@pytest.mark.parametrize("rows", [1, 3])
def test_texts_of_more_than_sixty_four_tokens_are_read_on_token_by_token(
    rows: int, kind: Callable[..., nn.Module], dtype: torch.dtype, style: str
) -> None:
    model = ready(kind(dataclasses.replace(STYLES[style], max_length=80)), dtype)
    source, ids = source_for(model), ids_of(3, 67)[:rows]
    source = None if source is None else source[:rows]
    cached = CachedModel(model, 80, source)
    cached.read(ids[:, :30])
    for end in range(31, 68):
        logits = cached.read(ids[:, end - 1 : end])
        if end % 32 in (0, 1, 3):
            assert_equal(logits, expected(model, ids[:, :end], source))


@both_kinds
@pytest.mark.parametrize("fails", [False, True])
def test_one_token_of_one_text_is_read_with_maps_stored_by_columns_which_then_are_as_before(
    fails: bool, kind: Callable[..., nn.Module]
) -> None:
    model = ready(kind(STYLES["2017"]))
    parameters = list(model.parameters())
    seen = []
    layers = model.layers if isinstance(model, LanguageModel) else model.decoder

    def look(part: nn.Linear, *_: object) -> None:
        seen.append(part.weight.is_contiguous())
        if fails:
            raise KeyboardInterrupt

    layers[0].feed_forward.W_1.register_forward_hook(look)
    source = None if isinstance(model, LanguageModel) else SOURCES[:1]
    cached = CachedModel(model, 9, source)
    if fails:
        with pytest.raises(KeyboardInterrupt):
            cached.read(ids_of(1, 1))
    else:
        assert_equal(cached.read(ids_of(1, 1)), expected(model, ids_of(1, 1), source))
    assert seen[0] is False
    after = list(model.parameters())
    assert [id(each) for each in after] == [id(each) for each in parameters]
    assert all(each.is_contiguous() for each in after)


@every_reader
@both_kinds
def test_after_an_error_the_text_is_as_it_was_and_can_be_continued(
    style: str, kind: Callable[..., nn.Module], reader: type
) -> None:
    model = ready(kind(STYLES[style]))
    source, ids = source_for(model), ids_of(3, 7)
    cached = reader(model, 9, source)
    cached.read(ids[:, :3])
    bad = ids[:, 3:5].clone()
    bad[1, 1] = 1000
    with pytest.raises((IndexError, RuntimeError)):
        cached.read(bad)
    assert cached.text.ids.tolist() == ids[:, :3].tolist()
    assert_equal(cached.read(ids[:, 3:4]), expected(model, ids[:, :4], source))
    rows = [2, 0, 1]
    cached.select(torch.tensor(rows))
    text, source = ids[rows], None if source is None else source[rows]
    assert_equal(cached.read(text[:, 4:6]), expected(model, text[:, :6], source))


@both_readers
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("before", [0, 2, 9])
def test_a_read_that_is_interrupted_in_any_layer_leaves_nothing_behind(reader: type, layer: int, before: int) -> None:
    model = ready(build_language_model(STYLES["llama"]))
    ids = ids_of(2, before + 3)
    cached = reader(model, 9)
    if before:
        cached.read(ids[:, :before])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    hook = model.layers[layer].feed_forward.register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        cached.read(ids[:, before : before + 1])
    hook.remove()
    for end in range(before + 1, before + 4):
        assert_equal(cached.read(ids[:, end - 1 : end]), expected(model, ids[:, :end][:, -9:], None))


@both_readers
def test_what_are_no_ids_to_read_on_with_is_refused(reader: type) -> None:
    cached = reader(ready(build_language_model(STYLES["2017"])), 9)
    cached.read(ids_of(2, 3))
    for ids, error, sentence in (
        (torch.tensor([3, 4]), TypeError, r"ids should be whole numbers \(B, T\), but are \(2,\) of torch.int64"),
        (torch.ones(2, 1).bool(), TypeError, r"ids should be whole numbers \(B, T\), but are \(2, 1\) of torch.bool"),
        (torch.ones(2, 1), TypeError, r"ids should be whole numbers \(B, T\), but are \(2, 1\) of torch.float32"),
        (
            torch.tensor([[3]]),
            ValueError,
            r"continue each of the 2 texts by one token or more, but their shape is \(1, 1\)",
        ),
        (torch.ones(2, 0).long(), ValueError, r"continue each of the 2 texts by one token or more, .* \(2, 0\)"),
        (torch.tensor([[3], [-100]]), ValueError, "ids count from 0, but the smallest of these is -100"),
    ):
        with pytest.raises(error, match=sentence):
            cached.read(ids)
    with pytest.raises(
        ValueError, match=r"padding should say for each of the ids \(2, 2\) .* but is \(2, 1\) of torch.bool"
    ):
        reader(ready(build_language_model(STYLES["2017"])), 9).read(ids_of(2, 2), torch.tensor([[False], [True]]))


def test_a_model_that_cannot_be_cached_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="a Sums like this one cannot be cached: use an UncachedModel"):
        CachedModel(Sums(), 9)


def test_returned_logits_do_not_change_afterwards() -> None:
    model = ready(build_language_model(STYLES["2017"]))
    cached = CachedModel(model, 9)
    logits = cached.read(ids_of(3, 3))
    kept = logits.clone()
    cached.read(ids_of(3, 1))
    cached.select(torch.tensor([2, 1, 0]))
    assert torch.equal(logits, kept)


@both_readers
def test_logits_are_tensors_like_any_other(reader: type) -> None:
    logits = reader(ready(build_language_model(STYLES["2017"])), 9).read(ids_of(3, 3))
    weight = torch.ones(23, dtype=torch.float64, requires_grad=True)
    (weight * logits).sum().backward()
    assert_equal(weight.grad, logits.sum(0))


def test_two_caches_of_one_model_do_not_interfere() -> None:
    model = ready(build_language_model(STYLES["llama"]))
    ids = ids_of(2, 4)
    one, other = CachedModel(model, 9), CachedModel(model, 9)
    for column, stranger in zip(ids.T, ids.flip(0).T, strict=True):
        found = one.read(column[:, None])
        other.read(stranger[:, None])
    assert_equal(found, expected(model, ids, None))


@both_types
@pytest.mark.parametrize(("style", "kv_heads", "d_k"), [("2017", 3, 4), ("llama", 2, 4), ("gpt2", 3, 4)])
def test_it_takes_the_number_of_bytes_of_the_formula(style: str, kv_heads: int, d_k: int, dtype: torch.dtype) -> None:
    # 2 · layers · kv_heads · d_k numbers per token and row.
    size = {torch.float64: 8, torch.float32: 4}[dtype]
    a_token = 2 * 2 * kv_heads * d_k * size
    model = ready(build_language_model(STYLES[style]), dtype)
    cached = CachedModel(model, 5)
    assert cached.bytes == 0
    for end, piece in cut(ids_of(3, 7), (2, 1, 1, 1, 1, 1)):
        cached.read(piece)
        assert cached.bytes == a_token * 3 * min(end, 5)
    cached.select(torch.tensor([1]))
    assert cached.bytes == a_token * 5
    translator = CachedModel(ready(build_transformer(STYLES[style]), dtype), 9, ids_of(3, 6))
    assert translator.bytes == a_token * 3 * 6
    translator.read(ids_of(3, 4))
    assert translator.bytes == a_token * 3 * (6 + 4)


def test_padding_in_a_later_call_is_refused() -> None:
    model = ready(build_language_model(STYLES["2017"]))
    for reader in (CachedModel(model, 9), UncachedModel(model, 9)):
        reader.read(ids_of(2, 2))
        with pytest.raises(ValueError, match="only the first text may be padded, but there is padding in a later one"):
            reader.read(ids_of(2, 2), padding=torch.tensor([[False, True], [False, False]]))


def test_a_transformer_without_a_source_and_a_language_model_with_one_are_refused() -> None:
    sentence = "a Transformer needs source_ids, what it translates; a LanguageModel has none"
    with pytest.raises(ValueError, match=sentence):
        CachedModel(build_transformer(STYLES["2017"]), 9)
    with pytest.raises(ValueError, match=sentence):
        CachedModel(build_language_model(STYLES["2017"]), 9, SOURCES)


class Sums(nn.Module):
    """A model that is not the course's: its logits after a text are the sum of the ids so far, plus 0, 1, 2, …"""

    def forward(self, ids: Tensor) -> Tensor:
        return ids.cumsum(dim=1)[..., None] + torch.arange(4.0)


def test_a_model_that_is_not_the_courses_runs_without_a_cache() -> None:
    reader = UncachedModel(Sums(), 3)
    padding = torch.tensor([[False, False], [False, True]])
    assert reader.read(torch.tensor([[5, 6], [7, 0]]), padding).tolist() == [[11, 12, 13, 14], [7, 8, 9, 10]]
    reader.select(torch.tensor([1, 0, 1]))
    assert reader.read(torch.tensor([[1], [2], [3]]))[:, 0].tolist() == [8, 13, 10]
    assert reader.read(torch.tensor([[1], [1], [1]]))[:, 0].tolist() == [9, 6 + 2 + 1, 11]


@every_style
@both_kinds
def test_a_model_of_the_courses_can_be_cached_in_every_style(style: str, kind: Callable[..., nn.Module]) -> None:
    assert can_cache(kind(STYLES[style]))


def test_a_model_with_a_part_that_cannot_continue_a_text_is_not_cached() -> None:
    def without_positions(ids: Tensor, table: Tensor) -> Tensor:
        return table[ids]

    class Another(nn.Module):
        def __init__(self, *_sizes: object) -> None:
            super().__init__()

    for layers in (1, 2):
        sizes = (23, 12, 3, 20, layers)
        assert can_cache(LanguageModel(*sizes))
        assert not can_cache(LanguageModel(*sizes, embed=without_positions))
        assert not can_cache(LanguageModel(*sizes, layer=Another))
        assert not can_cache(LanguageModel(*sizes, layer=partial(EncoderLayer, self_attention=Another)))
        layer = partial(DecoderLayer, cross_attention=Another)
        assert not can_cache(Transformer(23, *sizes, decoder_layer=layer))
        assert can_cache(Transformer(23, *sizes, encoder_layer=Another)), "an encoder reads its source at once"
    assert not can_cache(Sums())
