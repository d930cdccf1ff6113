"""Whole models against nn.Transformer and transformers' BERT, GPT-2 and Llama, and properties of every model."""

import dataclasses
import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
)

from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.build import (
    build_encoder,
    build_language_model,
    build_masked_language_model,
    build_transformer,
)
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import (
    Encoder,
    LanguageModel,
    MaskedLanguageModel,
    MaskedLanguageModelHead,
    Transformer,
)
from course_lib.transformer.watching import watch_attention
from tests.transformer import reference
from tests.transformer.reference import assert_equal

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
both_orders = pytest.mark.parametrize("norm_place", ["post", "pre"])
Build = Callable[[TransformerConfig], nn.Module]

# Sizes all differ, so that a swapped axis cannot pass.
SMALL = dict(vocabulary=23, d_model=12, heads=3, d_ff=20, layers=2, max_length=9)

# A batch with padding, one token and padding, all of one length; and a batch of length 1. [pad] is 0.
SOURCES = [[[5, 6, 7, 8, 9], [4, 11, 0, 0, 0], [3, 0, 0, 0, 0]], [[5]]]
TARGETS = [[[1, 15, 16, 17], [1, 12, 13, 0], [1, 0, 0, 0]], [[1]]]
batches = pytest.mark.parametrize(
    ("source", "target"),
    [(torch.tensor(s), torch.tensor(t)) for s, t in zip(SOURCES, TARGETS, strict=True)],
    ids=["padded", "length 1"],
)


@pytest.fixture
def small() -> TransformerConfig:
    return TransformerConfig(**SMALL)


def styles() -> dict[str, TransformerConfig]:
    """The four styles of the course, small."""
    return {
        "2017": TransformerConfig(**SMALL),
        "gpt2": TransformerConfig.gpt2(**SMALL),
        "bert": TransformerConfig.bert(**SMALL),
        "llama": TransformerConfig.llama(**SMALL, kv_heads=1),
    }


every_style = pytest.mark.parametrize("style", ["2017", "gpt2", "bert", "llama"])


def ready(model: nn.Module, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The model in evaluation mode, with every weight changed from its initial value."""
    model = model.to(dtype).eval()
    reference.stir(model)
    return model


def embedded(ids: Tensor, matrix: Tensor) -> Tensor:
    """Sections 3.4 and 3.5 of the paper: rows of the matrix times √d_model, plus the sinusoids."""
    d_model = matrix.size(1)
    rows = F.embedding(ids, matrix) * math.sqrt(d_model)
    for pos in range(ids.size(1)):
        for i in range(d_model):
            angle = pos / 10_000 ** (2 * (i // 2) / d_model)
            rows[:, pos, i] += math.cos(angle) if i % 2 else math.sin(angle)
    return rows


@pytest.fixture
def _float64_tables() -> None:
    """Keep position tables in float64 during the test."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def tables(dtype: torch.dtype, *vocabularies: int) -> list[Tensor]:
    """A random table (V, 12) for each vocabulary."""
    generator = torch.Generator().manual_seed(1)
    return [reference.random(generator, vocabulary, 12, dtype=dtype) for vocabulary in vocabularies]


def torch_stack(dtype: torch.dtype) -> nn.TransformerEncoder:
    """torch's stack of two encoder layers of 2017, in eval mode."""
    layer = nn.TransformerEncoderLayer(12, 3, 20, batch_first=True, dtype=dtype)
    theirs = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    reference.stir(theirs)
    return theirs


def stack_state(theirs: nn.TransformerEncoder) -> reference.State:
    layers = enumerate(theirs.layers)
    return {
        k: v
        for i, each in layers
        for k, v in reference.under(f"layers.{i}", reference.torch_encoder_layer(each)).items()
    }


@both_types
@batches
@pytest.mark.usefixtures("_float64_tables")
def test_a_plain_encoder_is_torchs_of_2017(dtype: torch.dtype, source: Tensor, target: Tensor) -> None:
    theirs, (table,) = torch_stack(dtype), tables(dtype, 23)
    ours = Encoder(23, 12, 3, 20, 2).to(dtype).eval()
    ours.load_state_dict({"table": table, **stack_state(theirs)})
    assert_equal(ours(source), theirs(embedded(source, table), src_key_padding_mask=source == 0))


@both_types
@batches
@pytest.mark.usefixtures("_float64_tables")
def test_a_plain_language_model_is_torchs_stack_under_a_causal_mask(
    dtype: torch.dtype, source: Tensor, target: Tensor
) -> None:
    theirs, (table,) = torch_stack(dtype), tables(dtype, 23)
    ours = LanguageModel(23, 12, 3, 20, 2).to(dtype).eval()
    ours.load_state_dict({"table": table, **stack_state(theirs)})
    hidden = theirs(embedded(source, table), torch.ones(source.size(1), source.size(1)).triu(1).bool())
    assert_equal(ours(source), hidden @ table.T)


@both_types
@batches
@pytest.mark.usefixtures("_float64_tables")
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_a_plain_transformer_is_torchs_of_2017(dtype: torch.dtype, source: Tensor, target: Tensor) -> None:
    theirs = nn.Transformer(12, 3, 2, 2, 20, batch_first=True, dtype=dtype).eval()
    theirs.encoder.norm = theirs.decoder.norm = None
    reference.stir(theirs)
    source_table, target_table = tables(dtype, 23, 31)
    ours = Transformer(23, 31, 12, 3, 20, 2).to(dtype).eval()
    ours.load_state_dict(reference.torch_transformer(theirs, source_table, target_table))
    hidden = theirs(
        embedded(source, source_table),
        embedded(target, target_table),
        tgt_mask=torch.ones(target.size(1), target.size(1)).triu(1).bool(),
        src_key_padding_mask=source == 0,
        memory_key_padding_mask=source == 0,
    )
    assert_equal(ours(source, target), hidden @ target_table.T)


@both_types
def test_a_masked_language_models_head_equals_torchs_functions(dtype: torch.dtype) -> None:
    encoder = Encoder(23, 12, 3, 20, 2)
    ours = ready(MaskedLanguageModel(encoder), dtype)
    ids = torch.tensor(SOURCES[0])
    hidden = F.gelu(F.linear(encoder(ids), ours.head.transform.weight, ours.head.transform.bias))
    hidden = F.layer_norm(hidden, (12,), ours.head.norm.gain, ours.head.norm.bias)
    assert_equal(ours(ids), F.linear(hidden, encoder.table, ours.head.output_bias))


@both_types
@both_orders
@batches
@pytest.mark.parametrize("two_vocabularies", [True, False])
@pytest.mark.usefixtures("_float64_tables")
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_the_transformer_is_torchs(
    dtype: torch.dtype, norm_place: str, source: Tensor, target: Tensor, two_vocabularies: bool
) -> None:
    theirs = nn.Transformer(12, 3, 2, 2, 20, 0.0, batch_first=True, norm_first=norm_place == "pre", dtype=dtype)
    reference.stir(theirs)
    source_table, target_table = tables(dtype, 23, 31)
    if not two_vocabularies:
        target_table = source_table
    target_vocabulary = 31 if two_vocabularies else None
    config = TransformerConfig(**SMALL, target_vocabulary=target_vocabulary, norm_place=norm_place, final_norm=True)
    ours = build_transformer(config).to(dtype).eval()
    ours.load_state_dict(reference.torch_transformer(theirs, source_table, target_table))

    future = torch.ones(target.size(1), target.size(1)).triu(1).bool()
    hidden = theirs(
        embedded(source, source_table),
        embedded(target, target_table),
        tgt_mask=future,
        src_key_padding_mask=source == 0,
        memory_key_padding_mask=source == 0,
    )
    assert_equal(ours(source, target), hidden @ target_table.T)
    memory = theirs.encoder(embedded(source, source_table), src_key_padding_mask=source == 0)
    assert_equal(ours.encode(source), memory)
    assert_equal(ours.decode(target, memory, source), hidden @ target_table.T)


@both_types
@batches
def test_the_encoder_is_transformers_bert(dtype: torch.dtype, source: Tensor, target: Tensor) -> None:
    theirs = BertModel(bert_config()).to(dtype).eval()
    reference.stir(theirs)
    ours = build_encoder(TransformerConfig.bert(**SMALL)).to(dtype).eval()
    ours.load_state_dict(reference.bert_encoder(theirs))
    expected = theirs(source, attention_mask=(source != 0).long()).last_hidden_state
    assert_equal(ours(source), expected)


@both_types
@batches
@pytest.mark.parametrize("tied", [True, False])
def test_the_masked_language_model_is_transformers_bert(
    dtype: torch.dtype, source: Tensor, target: Tensor, tied: bool
) -> None:
    config = bert_config()
    config.tie_word_embeddings = tied
    theirs = BertForMaskedLM(config).to(dtype).eval()
    reference.stir(theirs)
    ours = build_masked_language_model(TransformerConfig.bert(**SMALL, tied_embeddings=tied)).to(dtype).eval()
    ours.load_state_dict(reference.bert_masked_language_model(theirs))
    assert_equal(ours(source), theirs(source, attention_mask=(source != 0).long()).logits)


def bert_config() -> BertConfig:
    return BertConfig(
        vocab_size=23,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=9,
        attn_implementation="sdpa",
    )


@both_types
@batches
@pytest.mark.parametrize("tied", [True, False])
def test_the_language_model_is_transformers_gpt2(
    dtype: torch.dtype, source: Tensor, target: Tensor, tied: bool
) -> None:
    config = GPT2Config(
        vocab_size=23, n_positions=9, n_embd=12, n_layer=2, n_head=3, n_inner=20, tie_word_embeddings=tied
    )
    config._attn_implementation = "sdpa"
    theirs = GPT2LMHeadModel(config).to(dtype).eval()
    reference.stir(theirs)
    ours = build_language_model(TransformerConfig.gpt2(**SMALL, tied_embeddings=tied)).to(dtype).eval()
    ours.load_state_dict(reference.gpt2_language_model(theirs))
    real = source != 0
    assert_equal(ours(source)[real], theirs(source, attention_mask=real.long()).logits[real])


def llama(tied: bool, base: float, dtype: torch.dtype) -> LlamaForCausalLM:
    """A small random Llama. In float64, its two parts that always round to float32 are replaced with exact ones."""
    config = LlamaConfig(
        vocab_size=23,
        hidden_size=16,
        intermediate_size=20,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=9,
        rms_norm_eps=1e-5,
        rope_theta=base,
        tie_word_embeddings=tied,
        attn_implementation="sdpa",
    )
    model = LlamaForCausalLM(config).to(dtype).eval()
    reference.stir(model)
    if dtype == torch.float64:
        exchange_norms(model)
        model.model.rotary_emb = ExactAngles(width=4, base=base)
    return model


def exchange_norms(model: nn.Module) -> None:
    """Replace transformers' RMSNorm, which rounds to float32, with torch's with the same gain."""
    for name, part in list(model.named_modules()):
        if type(part).__name__ == "LlamaRMSNorm":
            exact = nn.RMSNorm(part.weight.numel(), eps=part.variance_epsilon, dtype=torch.float64)
            exact.load_state_dict(part.state_dict())
            model.set_submodule(name, exact)


class ExactAngles(nn.Module):
    """transformers' LlamaRotaryEmbedding in float64: the original computes in float32 whatever the model's dtype."""

    def __init__(self, width: int, base: float) -> None:
        super().__init__()
        self.frequencies = 1.0 / base ** (torch.arange(0, width, 2, dtype=torch.float64) / width)

    def forward(self, x: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        angles = position_ids[..., None].double() * self.frequencies
        both = torch.cat((angles, angles), dim=-1)
        return both.cos(), both.sin()


@both_types
@batches
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("base", [10_000.0, 50.0])
def test_the_language_model_is_transformers_llama(
    dtype: torch.dtype, source: Tensor, target: Tensor, tied: bool, base: float
) -> None:
    theirs = llama(tied, base, dtype)
    sizes = {**SMALL, "d_model": 16, "heads": 4, "kv_heads": 2, "rotary_base": base, "tied_embeddings": tied}
    ours = build_language_model(TransformerConfig.llama(**sizes)).to(dtype).eval()
    ours.load_state_dict(reference.llama_language_model(theirs))
    real = source != 0
    assert_equal(ours(source)[real], theirs(source, attention_mask=real.long()).logits[real])


@every_style
def test_changing_a_future_token_changes_nothing_before_it(style: str) -> None:
    config = styles()[style]
    source, ids = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 12, 13, 14, 15]])
    changed = ids.clone()
    changed[0, 3] = 20
    language_model, transformer = ready(build_language_model(config)), ready(build_transformer(config))
    for logits, moved in (
        (language_model(ids), language_model(changed)),
        (transformer(source, ids), transformer(source, changed)),
    ):
        assert_equal(moved[:, :3], logits[:, :3])
        assert ((moved - logits)[:, 3:].abs().amax(-1) > 1e-6).all()


@every_style
def test_a_masked_language_model_reads_both_sides(style: str) -> None:
    model = ready(build_masked_language_model(styles()[style]))
    ids = torch.tensor([[5, 6, 7, 8]])
    for position in range(4):
        changed = ids.clone()
        changed[0, position] = 20
        assert ((model(changed) - model(ids)).abs().amax(-1) > 1e-6).all()


@pytest.mark.parametrize("style", ["2017", "bert"])
def test_padding_and_batching_change_nothing(style: str) -> None:
    model, masked = ready(build_transformer(styles()[style])), ready(build_masked_language_model(styles()[style]))
    source, target = torch.tensor(SOURCES[0]), torch.tensor(TARGETS[0])
    together, guesses, memory = model(source, target), masked(source), model.encode(source)
    for row in range(3):
        S, T = int((source[row] != 0).sum()), int((target[row] != 0).sum())
        separate = source[row : row + 1, :S], target[row : row + 1, :T]
        assert_equal(together[row : row + 1, :T], model(*separate))
        assert_equal(memory[row : row + 1, :S], model.encode(separate[0]))
        assert_equal(guesses[row : row + 1, :S], masked(separate[0]))


@every_style
def test_padding_after_the_tokens_changes_nothing_in_a_language_model(style: str) -> None:
    model = ready(build_language_model(styles()[style]))
    ids = torch.tensor([[5, 6, 7, 8, 9], [4, 11, 0, 0, 0]])
    assert_equal(model(ids)[1, :2], model(ids[1:, :2])[0])


def test_the_pad_of_the_configuration_is_the_one_that_is_hidden() -> None:
    config = TransformerConfig(**SMALL, pad=22)
    model = ready(build_transformer(config))
    longer, target = torch.tensor([[5, 0, 7, 22, 22]]), torch.tensor([[1, 2]])
    assert_equal(model(longer, target), model(longer[:, :3], target))
    unhidden = ready(build_transformer(dataclasses.replace(config, pad=None)))
    assert (unhidden(longer, target) - unhidden(longer[:, :3], target)).abs().max() > 1e-3


def test_a_mask_handed_to_the_encoder_is_used_in_place_of_its_own() -> None:
    encoder = ready(Encoder(23, 12, 3, 20, 2))
    ids, changed = torch.tensor([[5, 6, 0]]), torch.tensor([[5, 6, 9]])
    own_token, everything = torch.eye(3, dtype=torch.bool), torch.ones(3, 3, dtype=torch.bool)
    assert_equal(encoder(changed, own_token)[:, :2], encoder(ids, own_token)[:, :2])
    assert ((encoder(changed, everything) - encoder(ids, everything)).abs().amax(-1) > 1e-6).all()


class Before:
    """A past of three tokens, under which each new token may attend only to itself."""

    def positions(self, T: int) -> Tensor:
        return torch.arange(3, 3 + T)

    def mask(self, T: int) -> Tensor:
        return torch.eye(T, dtype=torch.bool)


@pytest.mark.parametrize("style", ["2017", "gpt2", "bert"])
def test_with_a_past_tokens_get_their_positions_and_mask_from_it_and_only_the_last_gets_logits(style: str) -> None:
    config = styles()[style]
    model, transformer = ready(build_language_model(config)), ready(build_transformer(config))
    ids, source = torch.tensor([[5, 6, 7], [8, 9, 10]]), torch.tensor([[8, 9], [5, 4]])
    memory = transformer.encode(source)
    for T in (1, 2, 3):
        # A token that attends only to itself is like a text of one token, whatever its position.
        last, at = ids[:, T - 1 : T], At(2 + T)
        found = model(ids[:, :T], Before())  # (B, 1, V)
        assert_equal(found, model(last, at))
        assert (found - model(ids[:, :T])[:, -1:]).abs().max() > 1e-3
        found = transformer.decode(ids[:, :T], memory, source, Before())  # (B, 1, V)
        assert_equal(found, transformer.decode(last, memory, source, at))
        assert (found - transformer.decode(ids[:, :T], memory, source)[:, -1:]).abs().max() > 1e-3


class At:
    """A past after which one token is at a given position and attends to itself."""

    def __init__(self, position: int) -> None:
        self.position = position

    def positions(self, T: int) -> Tensor:
        assert T == 1
        return torch.tensor([self.position])

    def mask(self, T: int) -> None:
        assert T == 1


def test_a_sentence_of_padding_only_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mask hides every key from the query at \(1, 0, 0\)"):
        Encoder(23, 12, 3, 20, 2)(torch.tensor([[4, 5], [0, 0]]))


@every_style
def test_watched_and_unwatched_models_agree_forwards_and_backwards(style: str) -> None:
    config = styles()[style]
    ids = torch.tensor(TARGETS[0])
    source = torch.tensor(SOURCES[0]) if config.pad is not None else torch.tensor([[5, 6, 7]] * 3)
    for model, inputs in (
        (ready(build_transformer(config)), (source, ids)),
        (ready(build_language_model(config)), (ids,)),
        (ready(build_masked_language_model(config)), (source,)),
    ):
        fused = model(*inputs)
        gradients = torch.autograd.grad(fused.square().mean(), list(model.parameters()))
        with watch_attention(model) as readings:
            written = model(*inputs)
        others = torch.autograd.grad(written.square().mean(), list(model.parameters()))
        assert len(readings) == sum(isinstance(part, MultiHeadAttention) for part in model.modules())
        assert_equal(written, fused)
        for one, other in zip(gradients, others, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_watched_translator_names_its_parts_and_hides_what_it_should() -> None:
    source, target = torch.tensor(SOURCES[0]), torch.tensor(TARGETS[0])
    model = Transformer(23, 31, 12, 3, 20, 2)
    with watch_attention(model) as readings:
        logits = model(source, target)
    assert logits.shape == (3, 4, 31)
    shapes = {"encoder": {"self": (3, 3, 5, 5)}, "decoder": {"self": (3, 3, 4, 4), "cross": (3, 3, 4, 5)}}
    expected = {
        f"{side}.{i}.{kind}_attention": shape
        for side, kinds in shapes.items()
        for i in range(2)
        for kind, shape in kinds.items()
    }
    assert {name: tuple(reading.weights.shape) for name, reading in readings.items()} == expected
    hidden = (source == 0)[:, None, None, :]
    for name, reading in readings.items():
        torch.testing.assert_close(reading.weights.sum(-1), torch.ones(reading.weights.shape[:-1]))
        may_not = torch.ones(4, 4).triu(1).bool() if name.startswith("decoder") and "self" in name else hidden
        assert (reading.weights[may_not.expand_as(reading.weights)] == 0).all()


@every_style
def test_gradients_equal_numerical_gradients(style: str) -> None:
    config = dataclasses.replace(styles()[style], layers=1)
    ids, source = torch.tensor([[1, 12, 13], [1, 14, 15]]), torch.tensor([[5, 6], [7, 8]])
    for build, inputs in (
        (build_transformer, (source, ids)),
        (build_language_model, (ids,)),
        (build_masked_language_model, (ids,)),
    ):
        model = ready(build(config))
        names, values = zip(*model.named_parameters(), strict=True)

        def logits(*values: Tensor, model=model, names=names, inputs=inputs) -> Tensor:
            return torch.func.functional_call(model, dict(zip(names, values, strict=True)), inputs)

        assert torch.autograd.gradcheck(logits, tuple(v.detach().requires_grad_() for v in values), fast_mode=True)


def test_every_parameter_learns() -> None:
    source, target = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 12, 13, 14]])
    for config in styles().values():
        for build, inputs in (
            (build_transformer, (source, target)),
            (build_language_model, (target,)),
            (build_masked_language_model, (source,)),
        ):
            model = ready(build(config))
            model(*inputs).square().sum().backward()
            for name, parameter in model.named_parameters():
                if name.endswith("W_k.bias"):
                    continue  # it adds the same number to all scores of a query, which does not change the softmax
                assert parameter.grad is not None, name
                assert parameter.grad.abs().max() > 0, name


@every_style
def test_arguments_are_not_changed_and_may_have_any_memory_layout(style: str) -> None:
    config = styles()[style]
    source, target = torch.tensor(SOURCES[0])[:2, :3], torch.tensor(TARGETS[0])
    columns = source.T.contiguous().T
    assert not columns.is_contiguous()
    originals = source.clone(), target.clone()
    model = ready(build_transformer(config))
    masked = ready(build_masked_language_model(config))
    memory = model.encode(source)
    before = memory.clone()
    model.decode(target[:2], memory, source)
    assert torch.equal(memory, before)
    assert_equal(model(columns, target[:2]), model(source, target[:2]))
    assert_equal(masked(columns), masked(source))
    assert torch.equal(source, originals[0])
    assert torch.equal(target, originals[1])


def on_paper(build: Build, config: TransformerConfig) -> nn.Module:
    """A model of any size without memory for its weights."""
    with torch.device("meta"):
        return build(config)


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_published_models_have_their_published_numbers_of_parameters() -> None:
    # transformers' num_parameters() of "gpt2", of "bert-base-uncased" (109,482,240) less its pooler of
    # 768 · 768 + 768, and of "HuggingFaceTB/SmolLM2-135M".
    assert count(on_paper(build_language_model, TransformerConfig.gpt2())) == 124_439_808
    assert count(on_paper(build_encoder, TransformerConfig.bert())) == 109_482_240 - (768 * 768 + 768)
    assert count(on_paper(build_language_model, TransformerConfig.llama())) == 134_515_008


def test_the_base_model_of_2017_has_the_number_of_parameters_in_the_papers_table() -> None:
    # Section 5.1's 37,000 shared tokens; table 3 says 65 million, to two digits and with no more detail.
    tokens, attention = 37_000 * 512, 4 * (512 * 512 + 512)
    feed_forward, norm = (512 * 2048 + 2048) + (2048 * 512 + 512), 2 * 512
    encoder = 6 * (attention + feed_forward + 2 * norm)
    decoder = 6 * (2 * attention + feed_forward + 3 * norm)
    model = on_paper(build_transformer, TransformerConfig(vocabulary=37_000))
    assert count(model) == tokens + encoder + decoder == 63_082_496
    assert count(on_paper(build_transformer, TransformerConfig(vocabulary=37_000, tied_embeddings=False))) == (
        3 * tokens + encoder + decoder
    )


def test_tied_embeddings_are_one_table(small: TransformerConfig) -> None:
    shared = build_transformer(small)
    assert shared.source_table is shared.target_table
    assert shared.output_table is None
    two = build_transformer(dataclasses.replace(small, target_vocabulary=30))
    assert (two.source_table.shape, two.target_table.shape, two.output_table) == ((23, 12), (30, 12), None)
    assert build_language_model(small).output_table is None
    assert build_masked_language_model(small).output_table is None


def test_a_tied_table_gets_gradients_from_both_of_its_uses() -> None:
    # The gradient of the one table is the sum of those of two.
    source, target = torch.tensor([[5, 6]]), torch.tensor([[1, 7]])
    for tied, apart, inputs in (
        (LanguageModel(23, 12, 3, 20, 2), LanguageModel(23, 12, 3, 20, 2, tied=False), (target,)),
        (Transformer(23, 23, 12, 3, 20, 2), Transformer(23, 23, 12, 3, 20, 2, tied=False), (source, target)),
    ):
        name = "table" if isinstance(tied, LanguageModel) else "target_table"
        ready(tied), ready(apart)
        apart.load_state_dict({**tied.state_dict(), "output_table": tied.get_parameter(name)})
        assert_equal(apart(*inputs), tied(*inputs))
        tied(*inputs).square().sum().backward()
        apart(*inputs).square().sum().backward()
        both = apart.get_parameter(name).grad + apart.output_table.grad
        torch.testing.assert_close(tied.get_parameter(name).grad, both, rtol=1e-10, atol=1e-12)


def test_a_tied_table_is_still_one_table_after_loading_and_a_step() -> None:
    model, other = (Transformer(23, 23, 12, 3, 20, 2, one_table=True) for _ in range(2))
    model.load_state_dict(other.state_dict())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.tensor([[5, 6]]), torch.tensor([[1, 7]])).square().sum().backward()
    optimiser.step()
    assert model.source_table is model.target_table
    assert not torch.equal(model.source_table, other.source_table)


def test_untied_embeddings_are_separate_tables(small: TransformerConfig) -> None:
    apart = dataclasses.replace(small, tied_embeddings=False)
    for model, names in (
        (build_transformer(apart), {"source_table", "target_table", "output_table"}),
        (build_language_model(apart), {"table", "output_table"}),
        (build_masked_language_model(apart), {"encoder.table", "output_table"}),
    ):
        tables = {name: table for name, table in model.named_parameters() if name.endswith("table")}
        assert tables.keys() == names
        assert len({table.data_ptr() for table in tables.values()}) == len(names)


def test_a_plain_transformer_has_a_table_for_each_language_and_the_target_table_gives_the_logits() -> None:
    plain = Transformer(23, 23, 12, 3, 20, 2)
    assert plain.source_table.data_ptr() != plain.target_table.data_ptr()
    assert plain.output_table is None


class Notes(nn.Module):
    """A stand-in for a layer that stores its input and returns it."""

    def __init__(self, *_sizes: object) -> None:
        super().__init__()

    def forward(self, x: Tensor, *_rest: Tensor | None) -> Tensor:
        self.read = x
        return x


def test_dropout_applies_to_the_embeddings_in_training_only() -> None:
    # Section 5.4: "dropout to the sums of the embeddings and the positional encodings", in both stacks.
    p = 0.3
    ids = torch.arange(4, 2000).reshape(4, 499)
    translator = Transformer(2000, 2000, 12, 3, 20, 1, p, encoder_layer=Notes, decoder_layer=Notes)
    encoder, language_model = (
        Encoder(2000, 12, 3, 20, 1, p, layer=Notes),
        LanguageModel(2000, 12, 3, 20, 1, p, layer=Notes),
    )
    for model, notes, inputs in (
        (translator, translator.encoder[0], (ids, ids)),
        (translator, translator.decoder[0], (ids, ids)),
        (encoder, encoder.layers[0], (ids,)),
        (language_model, language_model.layers[0], (ids,)),
    ):
        model.eval()(*inputs)
        whole = notes.read
        torch.manual_seed(0)
        model.train()(*inputs)
        left = notes.read != 0
        # 23,952 numbers: the share that is dropped has a standard deviation of 0.003.
        assert abs((~left).double().mean() - p) < 0.015
        torch.testing.assert_close(notes.read[left], whole[left] / (1 - p))


@pytest.mark.parametrize("make", [Transformer, Encoder, LanguageModel])
def test_the_given_dropout_reaches_every_layer(make: Callable[..., nn.Module]) -> None:
    sizes = (23, 23, 12, 3, 20, 2) if make is Transformer else (23, 12, 3, 20, 2)
    for model, rate in ((make(*sizes), 0.1), (make(*sizes, 0.25), 0.25)):
        rates = [part.p for part in model.modules() if isinstance(part, nn.Dropout)]
        # One for the embeddings, one in each layer.
        assert rates == [rate] * (1 + (4 if make is Transformer else 2))


def test_plain_models_are_built_from_the_given_parts() -> None:
    def embed(ids: Tensor, table: Tensor) -> Tensor:
        return 2 * F.embedding(ids, table)

    def mask(T: int) -> Tensor:
        return torch.ones(T, T, dtype=torch.bool).triu()

    def padding(ids: Tensor, pad: int) -> Tensor:
        return (ids == pad)[:, None, None]

    class Norm(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 3 * x + 1

    class Layer(nn.Module):
        """Add up the tokens visible under a mask (T, T), and count those visible under a mask (B, 1, 1, S)."""

        def __init__(self, *sizes: object) -> None:
            super().__init__()
            self.sizes = sizes

        def forward(self, x: Tensor, *rest: Tensor | None) -> Tensor:
            for mask in rest:
                if mask is not None and mask.dtype == torch.bool:
                    x = mask.to(x) @ x if mask.dim() == 2 else x + mask.sum()
            return x

    ids = torch.tensor([[5, 6, 22]])
    table = torch.arange(23.0)[:, None].expand(23, 12)
    rows = 2 * F.embedding(ids, table)
    backwards = torch.ones(3, 3).triu() @ rows

    encoder = Encoder(23, 12, 3, 20, 1, 0.0, pad=22, layer=Layer, embed=embed, padding=padding, final_norm=Norm())
    encoder.load_state_dict({"table": table})
    assert torch.equal(encoder(ids), 3 * (rows + 1) + 1)
    assert encoder.layers[0].sizes == (12, 3, 20, 0.0)

    model = LanguageModel(23, 12, 3, 20, 1, 0.0, layer=Layer, embed=embed, mask=mask, final_norm=Norm())
    model.load_state_dict({"table": table})
    assert torch.equal(model(ids), (3 * backwards + 1) @ table.T)
    assert model.layers[0].sizes == (12, 3, 20, 0.0)

    class Second(Norm):
        def forward(self, x: Tensor) -> Tensor:
            return 5 * x + 2

    translator = Transformer(
        23,
        23,
        12,
        3,
        20,
        1,
        0.0,
        pad=22,
        encoder_layer=Layer,
        decoder_layer=Layer,
        embed=embed,
        mask=mask,
        padding=padding,
        final_norms=(Norm(), Second()),
    )
    translator.load_state_dict({"source_table": table, "target_table": table})
    assert torch.equal(translator.encode(ids), 3 * (rows + 1) + 1)
    assert torch.equal(translator(ids, ids), (5 * (backwards + 1) + 2) @ table.T)
    assert translator.encoder[0].sizes == translator.decoder[0].sizes == (12, 3, 20, 0.0)

    guesser = MaskedLanguageModel(encoder, head=partial(MaskedLanguageModelHead, norm=lambda _: Norm()))
    hidden = F.gelu(guesser.head.transform(encoder(ids)))
    torch.testing.assert_close(guesser(ids), (3 * hidden + 1) @ table.T)


def test_tables_start_with_the_scale_of_the_positions_added_to_them() -> None:
    torch.manual_seed(0)
    sizes = (400, 4, 8, 1)
    plain = {
        "encoder": Encoder(1000, *sizes).table,
        "language model": LanguageModel(1000, *sizes).table,
        "source": Transformer(1000, 1000, *sizes).source_table,
        "target": Transformer(1000, 1000, *sizes).target_table,
    }
    # 400,000 normal numbers: the standard deviation is known to a part in 900.
    for name, table in plain.items():
        assert table.std().item() * math.sqrt(400) == pytest.approx(1, rel=0.01), name
