"""Models from configurations and parts: which parts are used, that results stay the same, and initial weights."""

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer import attention, layers, models, positions
from course_lib.transformer.build import (
    Parts,
    build_encoder,
    build_language_model,
    build_masked_language_model,
    build_transformer,
)
from course_lib.transformer.config import TransformerConfig
from course_lib.writing.cache import CachedModel, can_cache
from tests.transformer import reference
from tests.transformer.reference import assert_equal

Build = Callable[..., Any]

# Sizes all differ, so that a swapped axis cannot pass.
SMALL = dict(vocabulary=23, d_model=12, heads=3, d_ff=20, layers=2, max_length=9, dropout=0.0)
PLAIN = TransformerConfig(**SMALL, target_vocabulary=31)
BERT = TransformerConfig.bert(**SMALL)
GPT2 = TransformerConfig.gpt2(**SMALL)
LLAMA = TransformerConfig.llama(**SMALL, kv_heads=1)
SOURCE, TARGET = torch.tensor([[5, 6, 7, 8, 9], [4, 11, 0, 0, 0]]), torch.tensor([[1, 15, 16], [1, 12, 13]])

called: Counter[str] = Counter()
"""How often each stand-in was called since the counter was cleared; for a class, its forward passes are counted."""


@pytest.fixture(autouse=True)
def _nothing_called_yet() -> None:
    called.clear()


# Stand-ins for a learner's parts, with the signatures of the exercises and nothing beyond them.


def scaled_dot_product_attention(query, key, value, mask=None):
    called["scaled_dot_product_attention"] += 1
    return attention.scaled_dot_product_attention(query, key, value, mask)


def split_heads(x, heads):
    called["split_heads"] += 1
    return attention.split_heads(x, heads)


def merge_heads(x):
    called["merge_heads"] += 1
    return attention.merge_heads(x)


def causal_mask(T):
    called["causal_mask"] += 1
    return attention.causal_mask(T)


def padding_mask(ids, pad):
    called["padding_mask"] += 1
    return attention.padding_mask(ids, pad)


def embed(ids, table):
    called["embed"] += 1
    return positions.embed(ids, table)


def embed_with_positions(ids, table):
    called["embed_with_positions"] += 1
    return positions.embed_with_positions(ids, table)


def rotary(x):
    called["rotary"] += 1
    return positions.rotary(x)


def gelu(x):
    called["gelu"] += 1
    return layers.gelu(x)


def post_norm(x, sublayer, norm):
    called["post_norm"] += 1
    return layers.post_norm(x, sublayer, norm)


def pre_norm(x, sublayer, norm):
    called["pre_norm"] += 1
    return layers.pre_norm(x, sublayer, norm)


def cross_attend(attention, x, memory, memory_mask=None):
    called["cross_attend"] += 1
    return layers.cross_attend(attention, x, memory, memory_mask)


class MultiHeadAttention(attention.MultiHeadAttention):
    def __init__(self, d_model, heads):
        super().__init__(d_model, heads)

    def forward(self, query, key, value, mask=None):
        called["MultiHeadAttention"] += 1
        return super().forward(query, key, value, mask)


class LearnedPositions(positions.LearnedPositions):
    def __init__(self, max_length, d_model):
        super().__init__(max_length, d_model)

    def forward(self, x):
        called["LearnedPositions"] += 1
        return super().forward(x)


class FeedForward(layers.FeedForward):
    def __init__(self, d_model, d_ff, activation=torch.relu):
        super().__init__(d_model, d_ff, activation)

    def forward(self, x):
        called["FeedForward"] += 1
        return super().forward(x)


class LayerNorm(layers.LayerNorm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)

    def forward(self, x):
        called["LayerNorm"] += 1
        return super().forward(x)


class SwiGLU(layers.SwiGLU):
    def __init__(self, d_model, d_ff):
        super().__init__(d_model, d_ff)

    def forward(self, x):
        called["SwiGLU"] += 1
        return super().forward(x)


class RMSNorm(layers.RMSNorm):
    def __init__(self, d_model, eps=1e-5):
        super().__init__(d_model, eps)

    def forward(self, x):
        called["RMSNorm"] += 1
        return super().forward(x)


class LlamaLayer(layers.LlamaLayer):
    def __init__(self, d_model, heads, kv_heads, d_ff, rotate):
        super().__init__(d_model, heads, kv_heads, d_ff, rotate)

    def forward(self, x, mask=None):
        called["LlamaLayer"] += 1
        return super().forward(x, mask)


class EncoderLayer(layers.EncoderLayer):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, heads, d_ff, dropout, activation)

    def forward(self, x, mask=None):
        called["EncoderLayer"] += 1
        return super().forward(x, mask)


class DecoderLayer(layers.DecoderLayer):
    def __init__(self, d_model, heads, d_ff, dropout=0.1):
        super().__init__(d_model, heads, d_ff, dropout)

    def forward(self, x, memory, mask=None, memory_mask=None):
        called["DecoderLayer"] += 1
        return super().forward(x, memory, mask, memory_mask)


class LanguageModel(models.LanguageModel):
    def __init__(self, vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(vocabulary, d_model, heads, d_ff, layers, dropout)

    def forward(self, ids):
        called["LanguageModel"] += 1
        return super().forward(ids)


class MaskedLanguageModelHead(models.MaskedLanguageModelHead):
    def __init__(self, vocabulary, d_model):
        super().__init__(vocabulary, d_model)

    def forward(self, hidden, table):
        called["MaskedLanguageModelHead"] += 1
        return super().forward(hidden, table)


class Transformer(models.Transformer):
    def __init__(self, source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout=0.1):
        super().__init__(source_vocabulary, target_vocabulary, d_model, heads, d_ff, layers, dropout)

    def decode(self, target_ids, memory, source_ids):
        return super().decode(target_ids, memory, source_ids)

    def forward(self, source_ids, target_ids):
        called["Transformer"] += 1
        return super().forward(source_ids, target_ids)


def fresh_sinusoidal() -> Callable[[int, int], Tensor]:
    """A new function each time, since tables are cached for each function."""

    def sinusoidal(length, d_model):
        called["sinusoidal"] += 1
        return positions.sinusoidal(length, d_model)

    return sinusoidal


NAMES = [field.name for field in dataclasses.fields(Parts)]


def stand_in(name: str) -> Any:
    return fresh_sinusoidal() if name == "sinusoidal" else globals()[name]


IN_ATTENTION = {"scaled_dot_product_attention", "split_heads", "merge_heads"}
OF_2017 = IN_ATTENTION | {
    *("MultiHeadAttention", "embed", "sinusoidal", "embed_with_positions"),
    *("FeedForward", "LayerNorm", "post_norm", "EncoderLayer"),
}
OF_BERT = IN_ATTENTION | {
    *("MultiHeadAttention", "padding_mask", "embed", "LearnedPositions", "gelu"),
    *("FeedForward", "LayerNorm", "post_norm", "EncoderLayer"),
}
OF_GPT2 = IN_ATTENTION | {
    *("MultiHeadAttention", "causal_mask", "embed", "LearnedPositions", "FeedForward", "LayerNorm", "pre_norm"),
}
# Shared keys, a base of 100,000, no biases and a gate: more than the plain parts of 2017 can do.
OF_LLAMA = IN_ATTENTION | {"causal_mask", "embed", "pre_norm", "RMSNorm", "SwiGLU", "LlamaLayer"}


@dataclasses.dataclass(frozen=True)
class Case:
    """A model, and the learner's parts that it uses."""

    build: Build
    config: TransformerConfig
    used: set[str]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return {build_transformer: (SOURCE, TARGET), build_language_model: (TARGET,)}.get(self.build, (SOURCE,))


TRANSLATOR = OF_2017 | {"causal_mask", "padding_mask", "cross_attend", "DecoderLayer", "Transformer"}
CASES = {
    "2017": Case(build_transformer, PLAIN, TRANSLATOR),
    "2017 with one vocabulary": Case(
        build_transformer, dataclasses.replace(PLAIN, target_vocabulary=None), TRANSLATOR - {"Transformer"}
    ),
    "2017 with a table for the logits": Case(
        build_transformer, dataclasses.replace(PLAIN, tied_embeddings=False), TRANSLATOR - {"Transformer"}
    ),
    "2017 with another pad": Case(build_transformer, dataclasses.replace(PLAIN, pad=9), TRANSLATOR - {"Transformer"}),
    "a translator with GELU": Case(
        build_transformer,
        dataclasses.replace(PLAIN, activation="gelu"),
        TRANSLATOR - {"Transformer", "DecoderLayer"} | {"gelu"},
    ),
    "a translator with another eps": Case(
        build_transformer, dataclasses.replace(PLAIN, norm_eps=1e-3), TRANSLATOR - {"Transformer", "DecoderLayer"}
    ),
    "a pre-norm translator": Case(
        build_transformer,
        dataclasses.replace(PLAIN, norm_place="pre"),
        TRANSLATOR - {"Transformer", "DecoderLayer", "EncoderLayer", "post_norm"} | {"pre_norm"},
    ),
    "a language model of 2017": Case(build_language_model, PLAIN, OF_2017 | {"causal_mask", "LanguageModel"}),
    "GPT-2": Case(build_language_model, GPT2, OF_GPT2),
    "GPT-2 with exact GELU": Case(
        build_language_model, dataclasses.replace(GPT2, activation="gelu"), OF_GPT2 | {"gelu"}
    ),
    "BERT": Case(build_encoder, BERT, OF_BERT),
    "BERT with its head": Case(build_masked_language_model, BERT, OF_BERT),
    "BERT with its head and a usual eps": Case(
        build_masked_language_model,
        dataclasses.replace(BERT, norm_eps=TransformerConfig.norm_eps),
        OF_BERT | {"MaskedLanguageModelHead"},
    ),
    "a BERT with scaled sinusoids": Case(
        build_encoder,
        dataclasses.replace(BERT, positions="sinusoidal", scaled_embeddings=True),
        OF_BERT - {"LearnedPositions"} | {"sinusoidal"},
    ),
    "Llama": Case(build_language_model, LLAMA, OF_LLAMA),
    "Llama with the paper's base": Case(
        build_language_model, dataclasses.replace(LLAMA, rotary_base=10_000.0), OF_LLAMA | {"rotary"}
    ),
    "Llama with biases": Case(
        build_language_model, dataclasses.replace(LLAMA, bias=True), OF_LLAMA - {"LlamaLayer", "SwiGLU"}
    ),
    "post-norm with rotary positions": Case(
        build_language_model,
        dataclasses.replace(PLAIN, positions="rotary"),
        OF_2017 - {"MultiHeadAttention", "EncoderLayer", "embed_with_positions", "sinusoidal"}
        | {"causal_mask", "rotary"},
    ),
    "post-norm without positions": Case(
        build_language_model,
        dataclasses.replace(PLAIN, positions="none"),
        OF_2017 - {"embed_with_positions", "sinusoidal"} | {"causal_mask"},
    ),
    "post-norm with shared keys": Case(
        build_language_model,
        dataclasses.replace(PLAIN, kv_heads=1),
        OF_2017 - {"MultiHeadAttention", "EncoderLayer"} | {"causal_mask"},
    ),
    "post-norm without biases": Case(
        build_language_model,
        dataclasses.replace(PLAIN, bias=False),
        OF_2017 - {"MultiHeadAttention", "EncoderLayer", "FeedForward", "LayerNorm"} | {"causal_mask"},
    ),
    "post-norm with a gate": Case(
        build_language_model,
        dataclasses.replace(PLAIN, activation="swiglu"),
        OF_2017 - {"FeedForward", "EncoderLayer"} | {"causal_mask"},
    ),
    "post-norm with RMSNorm": Case(
        build_language_model,
        dataclasses.replace(PLAIN, norm="rms"),
        OF_2017 - {"LayerNorm", "EncoderLayer"} | {"causal_mask", "RMSNorm"},
    ),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def ready(model: nn.Module) -> nn.Module:
    """The model in float64 and evaluation mode, with every weight changed from its initial value."""
    model = model.double().eval()
    reference.stir(model)
    return model


@every_case
def test_using_all_parts_together_changes_no_result(case: Case) -> None:
    course = ready(case.build(case.config))
    model = case.build(case.config, Parts(**{name: stand_in(name) for name in NAMES})).double().eval()
    model.load_state_dict(course.state_dict())
    assert_equal(model(*case.inputs), course(*case.inputs))
    assert set(called) == case.used - inside_larger_parts(case)


def inside_larger_parts(case: Case) -> set[str]:
    """Parts that are not used if a larger part of the learner's contains them, which is used as it was written."""
    if whole := case.used & {"Transformer", "LanguageModel"}:
        return case.used - whole
    hidden = set()
    if "LlamaLayer" in case.used:
        hidden |= IN_ATTENTION | {"SwiGLU", "pre_norm"}
    if "MultiHeadAttention" in case.used:
        hidden |= IN_ATTENTION
    if "embed_with_positions" in case.used:
        hidden |= {"embed", "sinusoidal"}
    kinds = {"EncoderLayer", "DecoderLayer"} if case.build is build_transformer else {"EncoderLayer"}
    if kinds <= case.used:
        hidden |= IN_ATTENTION | {"MultiHeadAttention", "FeedForward", "post_norm", "cross_attend"}
        if not (case.config.embedding_norm or case.config.ends_in_norm):
            hidden.add("LayerNorm")
    return hidden


@every_case
def test_a_model_keeps_its_configuration(case: Case) -> None:
    assert case.build(case.config).config is case.config
    assert case.build(case.config, Parts(**{name: stand_in(name) for name in NAMES})).config is case.config


def test_a_learners_layer_gets_the_eps_and_the_activation_of_the_configuration() -> None:
    encoder = build_encoder(BERT, Parts(EncoderLayer=EncoderLayer, gelu=gelu))
    for layer in encoder.layers:
        assert isinstance(layer, EncoderLayer)
        assert (layer.norm_1.eps, layer.norm_2.eps) == (1e-12, 1e-12)
        assert layer.feed_forward.activation is gelu
    model = build_language_model(PLAIN, Parts(EncoderLayer=EncoderLayer, LanguageModel=models.LanguageModel))
    assert [layer.norm_1.eps for layer in model.layers] == [1e-5, 1e-5]


class Bare(nn.Module):
    """A learner's norm with a fixed eps in its formula."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))


class BareNorm(Bare):
    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.gain, self.bias, 1e-5)


class LayerWithBareNorms(layers.EncoderLayer):
    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, heads, d_ff, dropout, activation, norm=BareNorm)


class OneOfMyOwn(layers.EncoderLayer):
    """The same, in a class whose name does not say that it is a norm."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, heads, d_ff, dropout, activation, norm=Hidden)


class Hidden(Bare):
    forward = BareNorm.forward


class PostNormLayer(layers.EncoderLayer):
    """A layer whose name says something of norms, but which is none."""

    def __init__(self, d_model, heads, d_ff, dropout=0.1, activation=torch.relu):
        super().__init__(d_model, heads, d_ff, dropout, activation)


def test_a_layer_is_not_taken_for_a_norm_for_its_name() -> None:
    encoder = build_encoder(BERT, parts_with(PostNormLayer))
    assert all(type(layer) is PostNormLayer for layer in encoder.layers)
    assert all(layer.norm_1.eps == layer.norm_2.eps == 1e-12 for layer in encoder.layers)


@pytest.mark.parametrize("layer", [LayerWithBareNorms, OneOfMyOwn])
def test_a_layer_whose_norms_do_not_take_an_eps_is_replaced_by_the_courses(layer: type[nn.Module]) -> None:
    assert all(type(each) is layer for each in build_language_model(PLAIN, parts_with(layer)).layers)
    encoder = build_encoder(BERT, parts_with(layer))
    assert all(type(each) is layers.EncoderLayer for each in encoder.layers)
    assert all(each.norm_1.eps == 1e-12 for each in encoder.layers)


def parts_with(layer: type[nn.Module]) -> Parts:
    return Parts(EncoderLayer=layer)


def test_a_layer_with_more_arguments_gets_the_parts_and_the_configuration() -> None:
    got = []

    class Generous(layers.EncoderLayer):
        def __init__(self, d_model, heads, d_ff, dropout=0.1, **choices):
            got.append(choices)
            super().__init__(d_model, heads, d_ff, dropout, **choices)

    model = build_language_model(LLAMA, Parts(EncoderLayer=Generous))
    assert all(type(layer) is Generous for layer in model.layers)
    assert got[0].keys() == {"activation", "self_attention", "feed_forward", "norm", "residual"}
    course = build_language_model(LLAMA)
    course.load_state_dict(model.state_dict())
    assert_equal(model(TARGET), course(TARGET))


@pytest.mark.parametrize("start", [0, 1, 5])
def test_a_rotation_that_always_counts_from_0_works_for_texts_that_continue(start: int) -> None:
    model = build_language_model(dataclasses.replace(LLAMA, rotary_base=10_000.0), Parts(rotary=rotary))
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert_equal(model.layers[0].self_attention.rotate(x, start), positions.rotary(x, start))
    assert called["rotary"] == 1


def test_rotary_positions_turn_no_cross_attention() -> None:
    model = ready(build_transformer(dataclasses.replace(PLAIN, positions="rotary", pad=None)))
    memory = model.encode(SOURCE)
    assert_equal(model.decode(TARGET, memory.flip(1), SOURCE), model.decode(TARGET, memory, SOURCE))
    assert (model.encode(SOURCE.flip(1)).flip(1) - memory).abs().max() > 1e-3


def test_queries_and_keys_are_rotated_with_the_base_of_the_configuration() -> None:
    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for base in (100_000.0, 50.0, 10_000.0):
        model = build_language_model(dataclasses.replace(LLAMA, rotary_base=base))
        assert_equal(model.layers[0].self_attention.rotate(x, 2), positions.rotary(x, 2, base))


def test_linear_maps_inside_the_layers_have_glorot_initialisation() -> None:
    torch.manual_seed(0)
    sizes = dict(vocabulary=50, target_vocabulary=60, d_model=96, heads=4, d_ff=288, layers=2)
    for build in (build_transformer, build_language_model, build_encoder):
        model = build(TransformerConfig(**sizes))
        maps = [part for part in model.modules() if isinstance(part, nn.Linear)]
        assert len(maps) == (2 * 6 + 2 * 10 if build is build_transformer else 2 * 6)
        for part in maps:
            limit = math.sqrt(6 / (part.in_features + part.out_features))
            # The largest of 9,216 uniform numbers or more.
            assert 0.99 * limit < part.weight.abs().max().item() <= limit
            assert (part.bias == 0).all()


def test_tables_start_with_the_scale_of_the_positions_added_to_them() -> None:
    torch.manual_seed(0)
    sizes = dict(vocabulary=1000, d_model=400, heads=4, d_ff=8, layers=1, max_length=1000)
    scaled, plain = TransformerConfig(**sizes), TransformerConfig.bert(**sizes, segments=500, tied_embeddings=False)
    expected = {
        "table": (build_encoder(scaled).table, 1 / math.sqrt(400)),
        "unscaled table": (build_encoder(plain).table, 0.02),
        "unscaled output table": (build_language_model(plain).output_table, 0.02),
        "unscaled source table": (build_transformer(plain).source_table, 0.02),
        "positions": (build_encoder(plain).embed.positions.table, 0.02),
        "segments": (build_encoder(plain).embed.segments, 0.02),
    }
    # 200,000 normal numbers or more: the standard deviation is known to a part in 630.
    for name, (table, std) in expected.items():
        assert table.std().item() == pytest.approx(std, rel=0.01), name


def test_the_first_loss_is_near_that_of_the_uniform_distribution() -> None:
    torch.manual_seed(0)
    config = TransformerConfig.gpt2(vocabulary=500, d_model=64, heads=4, d_ff=128, layers=2, max_length=32)
    ids = torch.randint(0, 500, (8, 32))
    loss = F.cross_entropy(build_language_model(config)(ids).flatten(0, 1), torch.randint(0, 500, (8 * 32,)))
    assert loss.item() == pytest.approx(math.log(500), abs=0.1)


def test_the_configurations_dropout_reaches_every_layer_and_the_embeddings() -> None:
    for config in (PLAIN, BERT, LLAMA):
        model = build_transformer(dataclasses.replace(config, dropout=0.25))
        rates = [part.p for part in model.modules() if isinstance(part, nn.Dropout)]
        assert rates == [0.25] * (1 + 2 + 2)


@pytest.mark.parametrize("build", [build_transformer, build_language_model, build_encoder])
def test_a_stack_ends_in_the_norm_of_the_configuration(build: Build) -> None:
    kinds = {"layer": layers.FusedLayerNorm, "rms": layers.FusedRMSNorm}
    for norm in ("layer", "rms"):
        for norm_place, final_norm, ends_in_norm in (
            ("post", None, False),
            ("pre", None, True),
            ("post", True, True),
            ("pre", False, False),
        ):
            choices = dict(norm=norm, norm_place=norm_place, final_norm=final_norm, norm_eps=1e-3)
            model = build(dataclasses.replace(PLAIN, **choices))
            ends = [model.encoder_norm, model.decoder_norm] if build is build_transformer else [model.final_norm]
            assert [type(end) for end in ends] == [kinds[norm] if ends_in_norm else nn.Identity] * len(ends)
            assert len({id(end) for end in ends}) == len(ends)
            assert all(end.eps == 1e-3 for end in ends if ends_in_norm)


def test_layers_of_a_model_share_no_weights() -> None:
    for case in CASES.values():
        model = case.build(case.config)
        names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
        tables = {"source_table"} & set(names) if case.config.target_vocabulary is None else set()
        unique = {name for name, _ in model.named_parameters()}
        assert len(names) - len(unique) == (len(tables) if case.config.tied_embeddings else 0)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned", "rotary", "none"])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("normed", [True, False])
@pytest.mark.parametrize("segments", [0, 2])
def test_embeddings_are_scaled_placed_and_normed_as_the_configuration_asks(
    kind: str, scaled: bool, normed: bool, segments: int
) -> None:
    choices = dict(positions=kind, scaled_embeddings=scaled, embedding_norm=normed, segments=segments, norm_eps=1e-3)
    model = build_language_model(TransformerConfig(**SMALL, **choices))
    if kind == "learned" or normed or segments:
        reference.stir(model.embed)
    expected = F.embedding(TARGET, model.table) * (math.sqrt(12) if scaled else 1)
    if kind == "sinusoidal":
        expected = expected + positions.sinusoidal(3, 12)
    if kind == "learned":
        expected = expected + model.embed.positions.table[:3]
    if segments:
        expected = expected + model.embed.segments[0]
    if normed:
        expected = F.layer_norm(expected, (12,), model.embed.norm.gain, model.embed.norm.bias, 1e-3)
    assert_equal(model.embed(TARGET, model.table), expected)


def test_sinusoids_and_rotations_are_not_weights() -> None:
    for config in (PLAIN, LLAMA, dataclasses.replace(BERT, positions="sinusoidal")):
        assert not any("positions" in name or "rotat" in name for name in build_language_model(config).state_dict())


def test_too_many_tokens_are_refused_for_learned_positions_only() -> None:
    ids = torch.ones(1, 10, dtype=torch.long)
    with pytest.raises(ValueError, match="at most 9 tokens have a position, but 10 came"):
        build_language_model(dataclasses.replace(PLAIN, positions="learned"))(ids)
    for kind in ("sinusoidal", "rotary", "none"):
        build_language_model(dataclasses.replace(PLAIN, positions=kind))(ids)


def test_the_pad_of_the_configuration_is_hidden_in_an_encoder() -> None:
    ids = torch.tensor([[5, 0, 7, 9, 9]])
    encoder = ready(build_encoder(dataclasses.replace(PLAIN, pad=9)))
    assert_equal(encoder(ids)[:, :3], encoder(ids[:, :3]))
    unhidden = ready(build_encoder(dataclasses.replace(PLAIN, pad=None)))
    assert (unhidden(ids)[:, :3] - unhidden(ids[:, :3])).abs().max() > 1e-3


def test_without_biases_no_part_of_the_layers_has_one() -> None:
    for build in (build_transformer, build_language_model, build_encoder):
        config = dataclasses.replace(PLAIN, bias=False, norm_place="pre", embedding_norm=True)
        names = [name for name, _ in build(config).named_parameters()]
        assert not any("bias" in name for name in names)
        assert sum("gain" in name for name in names) >= 2 * 2 + 1 + 1


@every_case
@pytest.mark.parametrize("name", NAMES)
def test_a_part_is_used_if_it_can_do_what_the_configuration_needs_and_changes_no_result(case: Case, name: str) -> None:
    course = ready(case.build(case.config))
    model = case.build(case.config, Parts(**{name: stand_in(name)})).double().eval()
    model.load_state_dict(course.state_dict())
    assert_equal(model(*case.inputs), course(*case.inputs))
    assert (called[name] > 0) == (name in case.used)
    assert set(called) <= {name}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("LanguageModel", "Transformer")])
@pytest.mark.parametrize("case", ["2017", "a language model of 2017", "GPT-2", "Llama with the paper's base"])
def test_a_model_with_a_learners_part_can_be_cached_unless_the_part_knows_no_positions(case: str, name: str) -> None:
    # The stand-ins for layers and attentions are subclasses of the course's, which support a cache.
    model = ready(CASES[case].build(CASES[case].config, Parts(**{name: stand_in(name)})))
    source = SOURCE if isinstance(model, models.Transformer) else None
    uncached = {"embed_with_positions", "LearnedPositions", "LlamaLayer"}
    assert can_cache(model) == (name not in uncached & CASES[case].used)
    if can_cache(model):
        cached = CachedModel(model, 9, source)
        for t in range(3):
            logits = cached.read(TARGET[:, t : t + 1])
        whole = model(TARGET) if source is None else model(source, TARGET)
        assert_equal(logits, whole[:, -1].detach())
