"""Whole models against nn.Transformer and transformers' BERT, GPT-2 and Llama, and what every model must keep to."""

import dataclasses
import math

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

from course_lib.transformer.attention import MultiHeadAttention, watch_attention
from course_lib.transformer.models import (
    Decoder,
    Embeddings,
    Encoder,
    LanguageModel,
    MaskedLanguageModel,
    Transformer,
    TransformerConfig,
)
from course_lib.transformer.positions import sinusoidal
from tests.transformer import reference
from tests.transformer.reference import assert_equal

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
both_orders = pytest.mark.parametrize("norm_place", ["post", "pre"])

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
    """The model in eval mode with every weight off its starting value."""
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
    """Position tables of models made in this test are not rounded to float32."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


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
    matrices = torch.randn(2, 23, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)
    source_tokens, target_tokens = matrices if two_vocabularies else (matrices[0], matrices[0])
    target_vocabulary = 23 if two_vocabularies else None
    config = TransformerConfig(**SMALL, target_vocabulary=target_vocabulary, norm_place=norm_place, final_norm=True)
    ours = Transformer(config).to(dtype).eval()
    ours.load_state_dict(reference.torch_transformer(theirs, source_tokens, target_tokens))

    future = torch.ones(target.size(1), target.size(1)).triu(1).bool()
    hidden = theirs(
        embedded(source, source_tokens),
        embedded(target, target_tokens),
        tgt_mask=future,
        src_key_padding_mask=source == 0,
        memory_key_padding_mask=source == 0,
    )
    assert_equal(ours(source, target), hidden @ target_tokens.T)
    memory = theirs.encoder(embedded(source, source_tokens), src_key_padding_mask=source == 0)
    assert_equal(ours.encode(source), memory)
    assert_equal(ours.decode(target, memory, source), hidden @ target_tokens.T)


@both_types
@batches
def test_the_encoder_is_transformers_bert(dtype: torch.dtype, source: Tensor, target: Tensor) -> None:
    theirs = BertModel(bert_config()).to(dtype).eval()
    reference.stir(theirs)
    ours = Encoder(TransformerConfig.bert(**SMALL)).to(dtype).eval()
    ours.load_state_dict(reference.bert_encoder(theirs))
    expected = theirs(source, attention_mask=(source != 0).long()).last_hidden_state
    assert_equal(ours(source), expected)


@both_types
@batches
def test_the_masked_language_model_is_transformers_bert(dtype: torch.dtype, source: Tensor, target: Tensor) -> None:
    theirs = BertForMaskedLM(bert_config()).to(dtype).eval()
    reference.stir(theirs)
    ours = MaskedLanguageModel(TransformerConfig.bert(**SMALL)).to(dtype).eval()
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
def test_the_language_model_is_transformers_gpt2(dtype: torch.dtype, source: Tensor, target: Tensor) -> None:
    config = GPT2Config(vocab_size=23, n_positions=9, n_embd=12, n_layer=2, n_head=3, n_inner=20)
    config._attn_implementation = "sdpa"
    theirs = GPT2LMHeadModel(config).to(dtype).eval()
    reference.stir(theirs)
    ours = LanguageModel(TransformerConfig.gpt2(**SMALL)).to(dtype).eval()
    ours.load_state_dict(reference.gpt2_language_model(theirs))
    real = source != 0
    assert_equal(ours(source)[real], theirs(source, attention_mask=real.long()).logits[real])


def llama(tied: bool, base: float, dtype: torch.dtype) -> LlamaForCausalLM:
    """A small random Llama. In float64 its two parts that always round to float32 are exchanged for exact ones."""
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
    """Put torch's RMSNorm, with the same gain, where transformers' rounds to float32."""
    for name, part in list(model.named_modules()):
        if type(part).__name__ == "LlamaRMSNorm":
            exact = nn.RMSNorm(part.weight.numel(), eps=part.variance_epsilon, dtype=torch.float64)
            exact.load_state_dict(part.state_dict())
            model.set_submodule(name, exact)


class ExactAngles(nn.Module):
    """transformers' LlamaRotaryEmbedding in float64: it works in float32 whatever the model's type."""

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
    ours = LanguageModel(TransformerConfig.llama(**sizes)).to(dtype).eval()
    ours.load_state_dict(reference.llama_language_model(theirs))
    real = source != 0
    assert_equal(ours(source)[real], theirs(source, attention_mask=real.long()).logits[real])


@every_style
def test_changing_a_future_token_moves_nothing_before_it(style: str) -> None:
    config = styles()[style]
    source, ids = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 12, 13, 14, 15]])
    changed = ids.clone()
    changed[0, 3] = 20
    language_model, transformer = ready(LanguageModel(config)), ready(Transformer(config))
    for logits, moved in (
        (language_model(ids), language_model(changed)),
        (transformer(source, ids), transformer(source, changed)),
    ):
        assert_equal(moved[:, :3], logits[:, :3])
        assert ((moved - logits)[:, 3:].abs().amax(-1) > 1e-6).all()


@every_style
def test_a_masked_language_model_reads_both_sides(style: str) -> None:
    model = ready(MaskedLanguageModel(styles()[style]))
    ids = torch.tensor([[5, 6, 7, 8]])
    for place in range(4):
        changed = ids.clone()
        changed[0, place] = 20
        assert ((model(changed) - model(ids)).abs().amax(-1) > 1e-6).all()


@pytest.mark.parametrize("style", ["2017", "bert"])
def test_padding_and_batching_change_nothing(style: str) -> None:
    model, masked = ready(Transformer(styles()[style])), ready(MaskedLanguageModel(styles()[style]))
    source, target = torch.tensor(SOURCES[0]), torch.tensor(TARGETS[0])
    together, guesses, memory = model(source, target), masked(source), model.encode(source)
    for row in range(3):
        S, T = int((source[row] != 0).sum()), int((target[row] != 0).sum())
        alone = source[row : row + 1, :S], target[row : row + 1, :T]
        assert_equal(together[row : row + 1, :T], model(*alone))
        assert_equal(memory[row : row + 1, :S], model.encode(alone[0]))
        assert_equal(guesses[row : row + 1, :S], masked(alone[0]))


@every_style
def test_padding_after_the_tokens_changes_nothing_in_a_language_model(style: str) -> None:
    model = ready(LanguageModel(styles()[style]))
    ids = torch.tensor([[5, 6, 7, 8, 9], [4, 11, 0, 0, 0]])
    assert_equal(model(ids)[1, :2], model(ids[1:, :2])[0])


def test_the_pad_of_the_configuration_is_the_one_that_is_hidden() -> None:
    config = TransformerConfig(**SMALL, pad=22)
    model = ready(Transformer(config))
    longer, target = torch.tensor([[5, 0, 7, 22, 22]]), torch.tensor([[1, 2]])
    assert_equal(model(longer, target), model(longer[:, :3], target))
    unhidden = ready(Transformer(dataclasses.replace(config, pad=None)))
    assert (unhidden(longer, target) - unhidden(longer[:, :3], target)).abs().max() > 1e-3


def test_a_mask_handed_to_the_encoder_and_the_decoder_is_used(small: TransformerConfig) -> None:
    encoder, decoder = ready(Encoder(small)), ready(Decoder(small))
    ids, target = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 2]])
    alone = torch.eye(3, dtype=torch.bool)
    changed = torch.tensor([[5, 6, 9]])
    assert_equal(encoder(changed, alone)[:, :2], encoder(ids, alone)[:, :2])
    memory, other = encoder(ids), encoder(changed)
    first = torch.tensor([True, False, False])
    mixed = torch.cat((memory[:, :1], other[:, 1:]), dim=1)
    assert_equal(decoder(target, mixed, first), decoder(target, memory, first))


def test_a_sentence_of_nothing_but_padding_is_refused(small: TransformerConfig) -> None:
    with pytest.raises(ValueError, match=r"mask hides every key from the query at \(1, 0, 0\)"):
        Encoder(small)(torch.tensor([[4, 5], [0, 0]]))


@every_style
def test_watched_and_unwatched_models_agree_forwards_and_backwards(style: str) -> None:
    config = styles()[style]
    ids = torch.tensor(TARGETS[0])
    source = torch.tensor(SOURCES[0]) if config.pad is not None else torch.tensor([[5, 6, 7]] * 3)
    for model, inputs in (
        (ready(Transformer(config)), (source, ids)),
        (ready(LanguageModel(config)), (ids,)),
        (ready(MaskedLanguageModel(config)), (source,)),
    ):
        fused = model(*inputs)
        gradients = torch.autograd.grad(fused.square().mean(), list(model.parameters()))
        with watch_attention(model) as weights:
            written = model(*inputs)
        others = torch.autograd.grad(written.square().mean(), list(model.parameters()))
        assert len(weights) == sum(isinstance(part, MultiHeadAttention) for part in model.modules())
        assert_equal(written, fused)
        for one, other in zip(gradients, others, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_watched_translator_names_its_parts_and_hides_what_it_should(small: TransformerConfig) -> None:
    source, target = torch.tensor(SOURCES[0]), torch.tensor(TARGETS[0])
    model = Transformer(small)
    with watch_attention(model) as weights:
        logits = model(source, target)
    assert logits.shape == (3, 4, 23)
    shapes = {"encoder": {"self": (3, 3, 5, 5)}, "decoder": {"self": (3, 3, 4, 4), "cross": (3, 3, 4, 5)}}
    expected = {
        f"{side}.layers.{i}.{kind}_attention": shape
        for side, kinds in shapes.items()
        for i in range(2)
        for kind, shape in kinds.items()
    }
    assert {name: tuple(w.shape) for name, w in weights.items()} == expected
    hidden = (source == 0)[:, None, None, :]
    for name, w in weights.items():
        torch.testing.assert_close(w.sum(-1), torch.ones(w.shape[:-1]))
        may_not = torch.ones(4, 4).triu(1).bool() if name.startswith("decoder") and "self" in name else hidden
        assert (w[may_not.expand_as(w)] == 0).all()


@every_style
def test_gradients_are_the_numerical_ones(style: str) -> None:
    config = dataclasses.replace(styles()[style], layers=1)
    ids, source = torch.tensor([[1, 12, 13], [1, 14, 15]]), torch.tensor([[5, 6], [7, 8]])
    for kind, inputs in ((Transformer, (source, ids)), (LanguageModel, (ids,)), (MaskedLanguageModel, (ids,))):
        model = ready(kind(config))
        names, values = zip(*model.named_parameters(), strict=True)

        def logits(*values: Tensor, model=model, names=names, inputs=inputs) -> Tensor:
            return torch.func.functional_call(model, dict(zip(names, values, strict=True)), inputs)

        assert torch.autograd.gradcheck(logits, tuple(v.detach().requires_grad_() for v in values), fast_mode=True)


def test_every_parameter_learns() -> None:
    source, target = torch.tensor([[5, 6, 7]]), torch.tensor([[1, 12, 13, 14]])
    for config in styles().values():
        for kind, inputs in (
            (Transformer, (source, target)),
            (LanguageModel, (target,)),
            (MaskedLanguageModel, (source,)),
        ):
            model = ready(kind(config))
            model(*inputs).square().sum().backward()
            for name, parameter in model.named_parameters():
                if name.endswith("W_k.bias"):
                    continue  # it adds the same to all scores of a query, which the softmax takes off again
                assert parameter.grad is not None, name
                assert parameter.grad.abs().max() > 0, name


@every_style
def test_arguments_are_left_as_they_were_and_may_lie_anyhow_in_memory(style: str) -> None:
    config = styles()[style]
    source, target = torch.tensor(SOURCES[0])[:2, :3], torch.tensor(TARGETS[0])
    columns = source.T.contiguous().T
    assert not columns.is_contiguous()
    kept = source.clone(), target.clone()
    model = ready(Transformer(config))
    masked = ready(MaskedLanguageModel(config))
    memory = model.encode(source)
    before = memory.clone()
    model.decode(target[:2], memory, source)
    assert torch.equal(memory, before)
    assert_equal(model(columns, target[:2]), model(source, target[:2]))
    assert_equal(masked(columns), masked(source))
    assert torch.equal(source, kept[0])
    assert torch.equal(target, kept[1])


def on_paper(make: type[nn.Module], config: TransformerConfig) -> nn.Module:
    """A model of any size without the memory for its weights."""
    with torch.device("meta"):
        return make(config)


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_published_models_have_their_published_numbers_of_parameters() -> None:
    # transformers' num_parameters() of "gpt2", of "bert-base-uncased" (109,482,240) less its pooler of
    # 768 · 768 + 768, and of "HuggingFaceTB/SmolLM2-135M".
    assert count(on_paper(LanguageModel, TransformerConfig.gpt2())) == 124_439_808
    assert count(on_paper(Encoder, TransformerConfig.bert())) == 109_482_240 - (768 * 768 + 768)
    assert count(on_paper(LanguageModel, TransformerConfig.llama())) == 134_515_008


def test_the_base_model_of_2017_has_the_parameters_that_its_table_implies() -> None:
    # Section 5.1's 37,000 shared tokens; table 3 says 65 million, to two digits and with no more detail.
    tokens, attention = 37_000 * 512, 4 * (512 * 512 + 512)
    feed_forward, norm = (512 * 2048 + 2048) + (2048 * 512 + 512), 2 * 512
    encoder = 6 * (attention + feed_forward + 2 * norm)
    decoder = 6 * (2 * attention + feed_forward + 3 * norm)
    model = on_paper(Transformer, TransformerConfig(vocabulary=37_000))
    assert count(model) == tokens + encoder + decoder == 63_082_496
    assert count(on_paper(Transformer, TransformerConfig(vocabulary=37_000, tied_embeddings=False))) == (
        3 * tokens + encoder + decoder
    )


def test_the_configurations_are_the_papers() -> None:
    base = TransformerConfig(vocabulary=37_000)
    assert (base.d_model, base.heads, base.d_ff, base.layers, base.dropout) == (512, 8, 2048, 6, 0.1)
    assert (base.norm, base.norm_place, base.activation, base.positions) == ("layer", "post", "relu", "sinusoidal")
    transformers_own = {"bert": BertConfig(), "gpt2": GPT2Config()}
    bert, gpt2 = TransformerConfig.bert(), TransformerConfig.gpt2()
    assert bert.max_length == transformers_own["bert"].max_position_embeddings
    assert bert.norm_eps == transformers_own["bert"].layer_norm_eps
    assert bert.dropout == transformers_own["bert"].hidden_dropout_prob
    assert gpt2.max_length == transformers_own["gpt2"].n_positions
    assert gpt2.norm_eps == transformers_own["gpt2"].layer_norm_epsilon
    assert gpt2.dropout == transformers_own["gpt2"].resid_pdrop


def test_a_pre_norm_stack_ends_in_a_norm_and_a_post_norm_one_need_not(small: TransformerConfig) -> None:
    for norm_place, final_norm, ends_in_norm in (
        ("post", None, False),
        ("pre", None, True),
        ("post", True, True),
        ("pre", False, False),
    ):
        model = Transformer(dataclasses.replace(small, norm_place=norm_place, final_norm=final_norm))
        assert [isinstance(side.norm, nn.LayerNorm) for side in (model.encoder, model.decoder)] == [ends_in_norm] * 2


def test_tied_embeddings_are_one_matrix(small: TransformerConfig) -> None:
    model = Transformer(small)
    assert model.projection.weight is model.decoder.embeddings.tokens.weight is model.encoder.embeddings.tokens.weight
    two = Transformer(dataclasses.replace(small, target_vocabulary=30))
    assert two.projection.weight is two.decoder.embeddings.tokens.weight
    assert two.encoder.embeddings.tokens.weight.shape == (23, 12)
    assert two.projection.weight.shape == (30, 12)
    for one in (LanguageModel(small), MaskedLanguageModel(small)):
        body = one.body if isinstance(one, LanguageModel) else one.encoder
        assert one.projection.weight is body.embeddings.tokens.weight


def test_tied_embeddings_are_still_one_matrix_after_loading_and_a_step(small: TransformerConfig) -> None:
    model, other = Transformer(small), Transformer(small)
    model.load_state_dict(other.state_dict())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.tensor([[5, 6]]), torch.tensor([[1, 7]])).square().sum().backward()
    optimiser.step()
    assert torch.equal(model.projection.weight, model.encoder.embeddings.tokens.weight)
    assert not torch.equal(model.projection.weight, other.projection.weight)


def test_untied_embeddings_are_apart(small: TransformerConfig) -> None:
    model = Transformer(dataclasses.replace(small, tied_embeddings=False))
    matrices = [model.projection.weight, model.decoder.embeddings.tokens.weight, model.encoder.embeddings.tokens.weight]
    assert len({id(matrix) for matrix in matrices}) == 3


def test_dropout_falls_on_the_embeddings_in_training_only(small: TransformerConfig) -> None:
    # Section 5.4: "dropout to the sums of the embeddings and the positional encodings", in both stacks.
    p = 0.3
    config = dataclasses.replace(small, dropout=p, vocabulary=2000, max_length=500)
    model = Transformer(config)
    ids = torch.arange(4, 2000)[:1996].reshape(4, 499)
    for embeddings in (model.encoder.embeddings, model.decoder.embeddings):
        whole = embeddings.eval()(ids)
        torch.manual_seed(0)
        thinned = embeddings.train()(ids)
        kept = thinned != 0
        # 23,952 numbers: the share that is dropped has a standard deviation of 0.003.
        assert abs((~kept).double().mean() - p) < 0.015
        torch.testing.assert_close(thinned[kept], whole[kept] / (1 - p))
    assert torch.equal(model.eval()(ids[:, :3], ids[:, :3]), model(ids[:, :3], ids[:, :3]))


def test_the_configurations_dropout_reaches_every_residual_and_embedding(small: TransformerConfig) -> None:
    model = Transformer(dataclasses.replace(small, dropout=0.25))
    rates = [part.p for part in model.modules() if isinstance(part, nn.Dropout)]
    # Two embeddings, two sublayers in each of two encoder layers, three in each of two decoder layers.
    assert rates == [0.25] * (2 + 2 * 2 + 3 * 2)


def test_embeddings_start_as_large_as_the_positions_that_join_them() -> None:
    torch.manual_seed(0)
    scaled = Embeddings(TransformerConfig(**{**SMALL, "d_model": 400, "heads": 4}), 1000)
    plain = Embeddings(TransformerConfig.gpt2(**{**SMALL, "d_model": 400, "heads": 4}), 1000)
    # 400,000 normal numbers: the standard deviation is known to a part in 900.
    assert scaled.tokens.weight.std().item() * math.sqrt(400) == pytest.approx(1, rel=0.01)
    assert plain.tokens.weight.std().item() == pytest.approx(0.02, rel=0.01)


def test_linear_maps_inside_the_layers_start_as_glorot_has_them() -> None:
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(**{**SMALL, "d_model": 96, "heads": 4, "d_ff": 288}))
    for name, part in model.named_modules():
        if isinstance(part, nn.Linear) and ".layers." in name:
            limit = math.sqrt(6 / (part.in_features + part.out_features))
            # The largest of 9,216 uniform numbers or more.
            assert 0.99 * limit < part.weight.abs().max().item() <= limit
            assert (part.bias == 0).all()
    assert model.projection.weight.abs().max() > 0.25, "tied to embeddings, which are normal with 1/√96"


def test_the_first_loss_is_near_that_of_guessing_evenly() -> None:
    torch.manual_seed(0)
    config = TransformerConfig.gpt2(vocabulary=500, d_model=64, heads=4, d_ff=128, layers=2, max_length=32)
    ids = torch.randint(0, 500, (8, 32))
    loss = F.cross_entropy(LanguageModel(config)(ids).flatten(0, 1), torch.randint(0, 500, (8 * 32,)))
    assert loss.item() == pytest.approx(math.log(500), abs=0.1)


def test_too_many_tokens_for_the_position_table_are_refused(small: TransformerConfig) -> None:
    ids = torch.ones(1, 10, dtype=torch.long)
    for config in (small, dataclasses.replace(small, positions="learned")):
        with pytest.raises(ValueError, match="at most max_length=9 tokens fit, but 10 came"):
            LanguageModel(config)(ids)
    for positions in ("rotary", "none"):
        LanguageModel(dataclasses.replace(small, positions=positions))(ids)


def test_sinusoids_follow_the_model_but_are_no_weights(small: TransformerConfig) -> None:
    model = Transformer(small)
    assert not any("positions" in name for name in model.state_dict())
    assert torch.equal(model.encoder.embeddings.positions, sinusoidal(9, 12))
    assert model.double().encoder.embeddings.positions.dtype == torch.float64


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"d_model": 10, "heads": 4}, "d_model should be a multiple of heads: d_model=10 and heads=4 are not"),
        ({"heads": 8, "kv_heads": 3}, "heads should be a multiple of kv_heads: heads=8 and kv_heads=3 are not"),
        *(
            ({name: 0}, f"{name} should be at least 1, but is 0")
            for name in ("vocabulary", "target_vocabulary", "d_model", "heads", "kv_heads", "d_ff", "layers")
        ),
        ({"max_length": -1}, "max_length should be at least 1, but is -1"),
        ({"pad": -1}, "pad should be at least 0, but is -1"),
        ({"segments": -1}, "segments should be at least 0, but is -1"),
        ({"dropout": 1.0}, "dropout should be at least 0 and below 1, but is 1.0"),
        ({"dropout": -0.1}, "dropout should be at least 0 and below 1, but is -0.1"),
        ({"dropout": math.nan}, "dropout should be at least 0 and below 1, but is nan"),
        ({"d_model": 9, "heads": 3}, "sinusoidal positions turn pairs of features, so 9 features are one too many"),
        (
            {"d_model": 12, "heads": 4, "positions": "rotary"},
            "rotary positions turn pairs of features, so 3 features are one too many",
        ),
        ({"activation": "sin"}, "activation should be one of .* but is 'sin'"),
        ({"norm_eps": -1.0}, "norm_eps=-1.0 and rotary_base=10000.0 should both be more than 0"),
    ],
)
def test_a_configuration_that_makes_no_model_is_refused(choice: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TransformerConfig(**{"vocabulary": 20, **choice})


def test_a_configuration_cannot_be_changed_afterwards(small: TransformerConfig) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        small.layers = 3
