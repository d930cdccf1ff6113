"""Layers against torch's, in both norm orders, and dropout at the positions of the paper."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.layers import (
    DecoderLayer,
    EncoderLayer,
    FeedForward,
    FusedLayerNorm,
    FusedRMSNorm,
    FusedSwiGLU,
    GroupedQueryAttention,
    LayerNorm,
    LlamaLayer,
    RMSNorm,
    SwiGLU,
    cross_attend,
    encoder_parameter_count,
    gelu,
    post_norm,
    pre_norm,
)
from course_lib.transformer.positions import rotary
from course_lib.transformer.watching import watch_attention
from tests.transformer import reference
from tests.transformer.reference import assert_equal, random

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
both_orders = pytest.mark.parametrize("residual", [post_norm, pre_norm])
both_layer_norms = pytest.mark.parametrize("kind", [LayerNorm, FusedLayerNorm])
both_layers = pytest.mark.parametrize("kind", [EncoderLayer, DecoderLayer])

# Sizes all differ, so that a swapped axis cannot pass.
B, H, T, S, D_MODEL, D_FF = 2, 3, 4, 5, 12, 20


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def padded(length: int) -> Tensor:
    """May attend (2, 1, 1, length): all of the first sentence, only one token of the second."""
    mask = torch.ones(2, 1, 1, length, dtype=torch.bool)
    mask[1, ..., 1:] = False
    return mask


@both_types
def test_gelu_is_torchs(dtype: torch.dtype, generator: torch.Generator) -> None:
    x = 3 * random(generator, B, T, D_MODEL, dtype=dtype)
    assert_equal(gelu(x), F.gelu(x))
    far = torch.tensor([-1e4, -40.0, 0.0, 40.0, 1e4], dtype=dtype)
    assert gelu(far).tolist() == [0.0, 0.0, 0.0, 40.0, 1e4]


@both_types
@both_layer_norms
@pytest.mark.parametrize("scale", [1.0, 1e-3])
@pytest.mark.parametrize("eps", [None, 1e-2])
@pytest.mark.parametrize("bias", [True, False])
def test_layer_norm_by_hand_and_fused_is_torchs(
    kind: type[LayerNorm], dtype: torch.dtype, scale: float, eps: float | None, bias: bool, generator: torch.Generator
) -> None:
    # At a scale of 0.001 the eps of 1e-5 is ten times the variance, so its position matters. Plain calls use defaults.
    theirs = nn.LayerNorm(D_MODEL, bias=bias, dtype=dtype, **({} if eps is None else {"eps": eps}))
    reference.stir(theirs)
    ours = kind(D_MODEL, *(() if eps is None else (eps,)), **({} if bias else {"bias": False})).to(dtype)
    ours.load_state_dict({{"weight": "gain"}.get(name, name): value for name, value in theirs.state_dict().items()})
    x = scale * (random(generator, B, T, D_MODEL, dtype=dtype) + 0.3)
    assert_equal(ours(x), theirs(x))
    assert_equal(ours(x[0, 0]), theirs(x[0, 0]))


@both_layer_norms
def test_a_new_layer_norm_leaves_mean_0_and_variance_1(kind: type[LayerNorm], generator: torch.Generator) -> None:
    norm = kind(D_MODEL)
    assert {name: value.tolist() for name, value in norm.state_dict().items()} == {
        "gain": [1.0] * D_MODEL,
        "bias": [0.0] * D_MODEL,
    }
    y = norm.double()(5 + 100 * random(generator, B, T, D_MODEL))
    assert_equal(y.mean(-1), torch.zeros(B, T, dtype=torch.float64))
    torch.testing.assert_close(y.var(-1, correction=0), torch.ones(B, T, dtype=torch.float64), rtol=0, atol=1e-7)


@both_types
@pytest.mark.parametrize("kind", [RMSNorm, FusedRMSNorm])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_rms_norm_is_torchs(dtype: torch.dtype, scale: float, kind: type[RMSNorm], generator: torch.Generator) -> None:
    # At a scale of 0.001 the eps of 1e-5 is ten times the mean square, so its position matters.
    x = scale * random(generator, B, T, D_MODEL, dtype=dtype)
    for eps in (1e-5, 1e-2):
        theirs = nn.RMSNorm(D_MODEL, eps=eps, dtype=dtype)
        reference.stir(theirs)
        ours = (kind(D_MODEL) if eps == 1e-5 else kind(D_MODEL, eps)).to(dtype)
        ours.load_state_dict({"gain": theirs.weight})
        assert_equal(ours(x), theirs(x))
        assert torch.equal(ours(torch.zeros(D_MODEL, dtype=dtype)), torch.zeros(D_MODEL, dtype=dtype))


def test_post_norm_normalises_the_sum_and_pre_norm_what_the_sublayer_reads() -> None:
    # Operations whose order matters: the sublayer adds 1, the norm multiplies by 10.
    def sublayer(x: Tensor) -> Tensor:
        return x + 1

    def norm(x: Tensor) -> Tensor:
        return 10 * x

    x = torch.tensor([2.0, -3.0])
    assert post_norm(x, sublayer, norm).tolist() == [10 * (2 + 3), 10 * (-3 - 2)]
    assert pre_norm(x, sublayer, norm).tolist() == [2 + 21, -3 - 29]
    assert x.tolist() == [2.0, -3.0]


def test_cross_attention_asks_from_the_target_and_reads_the_memory(generator: torch.Generator) -> None:
    x, memory, mask = torch.zeros(1, 2, 4), torch.ones(1, 3, 4), torch.ones(1, 1, 1, 3, dtype=torch.bool)
    got = []

    def attention(*arguments: Tensor | None) -> Tensor:
        got.append(arguments)
        return x

    assert cross_attend(attention, x, memory, mask) is x
    cross_attend(attention, x, memory)
    assert [id(argument) for argument in got[0]] == [id(x), id(memory), id(memory), id(mask)]
    assert got[1][3] is None


def by_hand_gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


def by_hand_silu(x: float) -> float:
    return x / (1 + math.exp(-x))


@both_types
@pytest.mark.parametrize(
    ("activation", "by_hand"), [(None, lambda x: max(x, 0.0)), (gelu, by_hand_gelu), (F.gelu, by_hand_gelu)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_feed_forward_is_two_maps_with_an_activation_between(
    activation: Callable[[Tensor], Tensor] | None,
    by_hand: Callable[[float], float],
    bias: bool,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> None:
    first, second = nn.Linear(D_MODEL, D_FF, bias, dtype=dtype), nn.Linear(D_FF, D_MODEL, bias, dtype=dtype)
    # The plain call is the part of 2017: ReLU and biases.
    sizes = (D_MODEL, D_FF) if activation is None else (D_MODEL, D_FF, activation)
    ours = (FeedForward(*sizes) if bias else FeedForward(*sizes, bias=False)).to(dtype)
    ours.load_state_dict(reference.maps({"W_1": first, "W_2": second}))
    x = random(generator, B, T, D_MODEL, dtype=dtype)
    bent = first(x).detach().double().apply_(by_hand).to(dtype)
    assert_equal(ours(x), second(bent))


@both_types
@pytest.mark.parametrize("bias", [True, False])
def test_a_gated_feed_forward_multiplies_one_map_by_the_activation_of_another(
    bias: bool, dtype: torch.dtype, generator: torch.Generator
) -> None:
    up, gate = (nn.Linear(D_MODEL, D_FF, bias, dtype=dtype) for _ in range(2))
    down = nn.Linear(D_FF, D_MODEL, bias, dtype=dtype)
    ours = SwiGLU(D_MODEL, D_FF, bias=bias).to(dtype)
    ours.load_state_dict(reference.maps({"W_1": up, "W_gate": gate, "W_2": down}))
    x = random(generator, B, T, D_MODEL, dtype=dtype)
    bent = gate(x).detach().double().apply_(by_hand_silu).to(dtype)
    assert_equal(ours(x), down(bent * up(x)))


@both_types
@pytest.mark.parametrize("causal", [True, False])
def test_the_plain_encoder_layer_is_torchs_of_2017(
    dtype: torch.dtype, causal: bool, generator: torch.Generator
) -> None:
    theirs = nn.TransformerEncoderLayer(D_MODEL, H, D_FF, batch_first=True, dtype=dtype).eval()
    reference.stir(theirs)
    ours = EncoderLayer(D_MODEL, H, D_FF).to(dtype).eval()
    ours.load_state_dict(reference.torch_encoder_layer(theirs))
    x, future = random(generator, B, T, D_MODEL, dtype=dtype), torch.ones(T, T).triu(1).bool()
    with torch.enable_grad():  # torch's fast path, which runs without gradients, rounds differently
        assert_equal(ours(x, ~future if causal else None), theirs(x, src_mask=future if causal else None))
    assert (ours.dropout.p, theirs.dropout.p) == (0.1, 0.1)


@both_types
def test_the_plain_decoder_layer_is_torchs_of_2017(dtype: torch.dtype, generator: torch.Generator) -> None:
    theirs = nn.TransformerDecoderLayer(D_MODEL, H, D_FF, batch_first=True, dtype=dtype).eval()
    reference.stir(theirs)
    ours = DecoderLayer(D_MODEL, H, D_FF).to(dtype).eval()
    ours.load_state_dict(reference.torch_decoder_layer(theirs))
    x, memory = (random(generator, B, length, D_MODEL, dtype=dtype) for length in (T, S))
    assert_equal(ours(x, memory), theirs(x, memory))
    assert (ours.dropout.p, theirs.dropout1.p) == (0.1, 0.1)


ACTIVATIONS = {"relu": torch.relu, "gelu": gelu}
every_norm = pytest.mark.parametrize("norm", [LayerNorm, FusedLayerNorm])


def torch_layer(
    kind: type[nn.Module], residual: Callable[..., Tensor], activation: str, dtype: torch.dtype
) -> nn.Module:
    """A layer of torch's with a large eps and without dropout."""
    norm_first = residual is pre_norm
    theirs = kind(D_MODEL, H, D_FF, 0.0, activation, 1e-3, batch_first=True, norm_first=norm_first, dtype=dtype)
    reference.stir(theirs)
    return theirs


@both_types
@both_orders
@every_norm
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("length", [S, 1])
@pytest.mark.parametrize("causal", [True, False])
def test_encoder_layer_is_torchs(
    dtype: torch.dtype,
    residual: Callable[..., Tensor],
    norm: type[LayerNorm],
    activation: str,
    length: int,
    causal: bool,
    generator: torch.Generator,
) -> None:
    theirs = torch_layer(nn.TransformerEncoderLayer, residual, activation, dtype)
    chosen = {"norm": partial(norm, eps=1e-3), "residual": residual}
    ours = EncoderLayer(D_MODEL, H, D_FF, 0.0, ACTIVATIONS[activation], **chosen).to(dtype)
    ours.load_state_dict(reference.torch_encoder_layer(theirs))
    x = random(generator, B, length, D_MODEL, dtype=dtype)
    mask, future = padded(length), torch.ones(length, length).triu(1).bool()
    expected = theirs(x, src_mask=future if causal else None, src_key_padding_mask=~mask[:, 0, 0])
    assert_equal(ours(x, mask & ~future if causal else mask), expected)
    assert_equal(ours(x), theirs(x))


@both_types
@both_orders
@every_norm
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize(("T", "S"), [(4, 5), (1, 5), (4, 1), (1, 1)])
def test_decoder_layer_is_torchs(
    dtype: torch.dtype,
    residual: Callable[..., Tensor],
    norm: type[LayerNorm],
    activation: str,
    T: int,
    S: int,
    generator: torch.Generator,
) -> None:
    theirs = torch_layer(nn.TransformerDecoderLayer, residual, activation, dtype)
    chosen = {"norm": partial(norm, eps=1e-3), "residual": residual}
    ours = DecoderLayer(D_MODEL, H, D_FF, 0.0, ACTIVATIONS[activation], **chosen).to(dtype)
    ours.load_state_dict(reference.torch_decoder_layer(theirs))
    x, memory = (random(generator, B, length, D_MODEL, dtype=dtype) for length in (T, S))
    future, mask = torch.ones(T, T).triu(1).bool(), padded(S)
    expected = theirs(x, memory, tgt_mask=future, memory_key_padding_mask=~mask[:, 0, 0])
    assert_equal(ours(x, memory, ~future, mask), expected)
    assert_equal(ours(x, memory), theirs(x, memory))


@both_layers
def test_a_layer_is_built_from_the_given_parts(kind: type[nn.Module], generator: torch.Generator) -> None:
    made = []

    def noting(name: str, part: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        def make(*sizes: object) -> nn.Module:
            made.append((name, *sizes))
            return part(*sizes)

        return make

    chosen = {
        "self_attention": noting("self_attention", MultiHeadAttention),
        "feed_forward": noting("feed_forward", FeedForward),
        "norm": noting("norm", nn.LayerNorm),
    }
    if kind is DecoderLayer:
        chosen["cross_attention"] = noting("cross_attention", MultiHeadAttention)
    layer = kind(D_MODEL, H, D_FF, 0.0, gelu, **chosen)
    attentions = [name for name in chosen if name.endswith("attention")]
    assert sorted(made, key=str) == sorted(
        [
            *((name, D_MODEL, H) for name in attentions),
            ("feed_forward", D_MODEL, D_FF, gelu),
            *[("norm", D_MODEL)] * (len(attentions) + 1),
        ],
        key=str,
    )
    for i in range(1, len(attentions) + 2):
        assert isinstance(layer.get_submodule(f"norm_{i}"), nn.LayerNorm)


def test_a_decoder_layer_reads_the_memory_through_the_given_function(generator: torch.Generator) -> None:
    got = []

    def cross(attention: nn.Module, x: Tensor, memory: Tensor, memory_mask: Tensor | None) -> Tensor:
        got.append((attention, memory, memory_mask))
        return torch.zeros_like(x)

    layer, mask = DecoderLayer(D_MODEL, H, D_FF, 0.0, cross=cross).double(), padded(S)
    x, memory = random(generator, B, T, D_MODEL), random(generator, B, S, D_MODEL)
    layer(x, memory, None, mask)
    assert len(got) == 1
    assert got[0][0] is layer.cross_attention
    assert got[0][1] is memory
    assert got[0][2] is mask


@both_layers
@pytest.mark.parametrize("rotates", [True, False])
def test_rotary_positions_affect_self_attention_only(
    kind: type[nn.Module], rotates: bool, generator: torch.Generator
) -> None:
    # Without positions inside the layer, shuffled tokens give the shuffled output; the memory's order never matters.
    attention = partial(MultiHeadAttention, rotate=rotary if rotates else None)
    layer = kind(D_MODEL, H, D_FF, 0.0, self_attention=attention).double()
    x, memory = random(generator, B, T, D_MODEL), random(generator, B, S, D_MODEL)
    rest = () if kind is EncoderLayer else (memory,)
    shuffled = layer(x.flip(1), *rest).flip(1)
    moved = (shuffled - layer(x, *rest)).abs().max()
    assert (moved > 1e-3) == rotates
    if kind is DecoderLayer:
        assert_equal(layer(x, memory.flip(1)), layer(x, memory))


@both_orders
@both_layers
def test_dropout_applies_to_each_sublayers_output_in_training_and_nowhere_else(
    kind: type[nn.Module], residual: Callable[..., Tensor], generator: torch.Generator
) -> None:
    # Section 5.4: "to the output of each sub-layer, before it is added to the sub-layer input and normalized".
    # The same seed drops the same numbers, if dropout is applied at the same points, to the same shapes and layouts.
    p, pre = 0.4, residual is pre_norm
    torch_kind = nn.TransformerEncoderLayer if kind is EncoderLayer else nn.TransformerDecoderLayer
    theirs = torch_layer(torch_kind, residual, "relu", torch.float64)
    copied = reference.torch_encoder_layer if kind is EncoderLayer else reference.torch_decoder_layer
    ours = kind(D_MODEL, H, D_FF, p, norm=partial(LayerNorm, eps=1e-3), residual=residual).double()
    ours.load_state_dict(copied(theirs))
    x, memory = random(generator, B, T, D_MODEL), random(generator, B, S, D_MODEL)
    rest = () if kind is EncoderLayer else (memory,)

    sublayers = [(theirs.norm1, lambda y: theirs.self_attn(y, y, y)[0])]
    if kind is DecoderLayer:
        sublayers.append((theirs.norm2, lambda y: theirs.multihead_attn(y, memory, memory)[0]))
    norm = theirs.norm2 if kind is EncoderLayer else theirs.norm3
    sublayers.append((norm, lambda y: theirs.linear2(theirs.linear1(y).relu())))

    torch.manual_seed(7)
    got = ours.train()(x, *rest)
    torch.manual_seed(7)
    expected = x
    for norm, sublayer in sublayers:
        added = expected + F.dropout(sublayer(norm(expected) if pre else expected).contiguous(), p)
        expected = added if pre else norm(added)
    assert_equal(got, expected)
    assert_equal(ours.eval()(x, *rest), theirs(x, *rest))


def test_gradients_equal_numerical_gradients(generator: torch.Generator) -> None:
    x, memory = random(generator, 2, 3, 4), random(generator, 2, 2, 4)
    mask = torch.ones(3, 3).tril().bool()
    norms = (LayerNorm, FusedLayerNorm, RMSNorm, FusedRMSNorm)
    parts: list[Callable[[Tensor], Tensor]] = [norm(4).double() for norm in norms]
    parts += [gelu, FeedForward(4, 6).double(), FeedForward(4, 6, gelu).double()]
    parts += [SwiGLU(4, 6).double(), FusedSwiGLU(4, 6).double()]
    attention = partial(MultiHeadAttention, kv_heads=1, rotate=rotary)
    for norm in norms:
        for residual in (post_norm, pre_norm):
            chosen = {"self_attention": attention, "norm": norm, "residual": residual}
            encoder_layer = EncoderLayer(4, 2, 6, 0.0, gelu, **chosen).double()
            parts.append(lambda x, layer=encoder_layer: layer(x, mask))
            decoder_layer = DecoderLayer(4, 2, 6, 0.0, gelu, **chosen).double()
            assert torch.autograd.gradcheck(
                lambda x, memory, layer=decoder_layer: layer(x, memory, mask),
                (x.clone().requires_grad_(), memory.clone().requires_grad_()),
            )
    for part in parts:
        assert torch.autograd.gradcheck(part, (x.clone().requires_grad_(),))


def test_the_memory_layout_does_not_matter_and_arguments_are_not_changed(generator: torch.Generator) -> None:
    x, memory = (random(generator, D_MODEL, length, B).permute(2, 1, 0) for length in (T, S))
    before = x.clone(), memory.clone()
    for part in (gelu, LayerNorm(D_MODEL).double(), FusedLayerNorm(D_MODEL).double(), RMSNorm(D_MODEL).double()):
        assert_equal(part(x), part(x.contiguous()))
    modern = {"norm": RMSNorm, "residual": pre_norm, "feed_forward": lambda d_model, d_ff, _: SwiGLU(d_model, d_ff)}
    for chosen in ({}, {**modern, "self_attention": partial(MultiHeadAttention, rotate=rotary)}):
        encoder_layer = EncoderLayer(D_MODEL, H, D_FF, 0.0, F.silu, **chosen).double()
        decoder_layer = DecoderLayer(D_MODEL, H, D_FF, 0.0, F.silu, **chosen).double()
        assert_equal(encoder_layer(x), encoder_layer(x.contiguous()))
        assert_equal(decoder_layer(x, memory), decoder_layer(x.contiguous(), memory.contiguous()))
    assert torch.equal(x, before[0])
    assert torch.equal(memory, before[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("norm", [FusedLayerNorm, RMSNorm, FusedRMSNorm])
def test_norms_square_in_float32_what_comes_in_half_precision(norm: type[nn.Module], dtype: torch.dtype) -> None:
    x = torch.tensor([300.0, 301.0, -299.0, 10.0], dtype=dtype)  # 300² is above 65,504, the largest float16
    ours = norm(4).to(dtype)
    assert ours(x).dtype == dtype
    torch.testing.assert_close(ours(x).double(), norm(4).double()(x.double()), rtol=2**-7, atol=0)


@pytest.mark.parametrize("norm", [FusedLayerNorm, RMSNorm, FusedRMSNorm])
@pytest.mark.parametrize("width", [1, 3])
def test_norms_refuse_vectors_of_another_width(norm: type[nn.Module], width: int) -> None:
    with pytest.raises((ValueError, RuntimeError), match="shape"):
        norm(4)(torch.ones(2, width))


def test_an_rms_norm_of_whole_numbers_is_no_whole_number() -> None:
    x = torch.tensor([1, 2, 3, 5])
    for norm in (RMSNorm, FusedRMSNorm):
        assert_equal(norm(4)(x), norm(4)(x.float()))


@pytest.mark.parametrize("norm", [RMSNorm, FusedRMSNorm])
@pytest.mark.parametrize("dtypes", [(torch.float32, torch.float16), (torch.float16, torch.float32)], ids=str)
def test_an_rms_norm_returns_the_type_of_its_gain(norm: type[nn.Module], dtypes: tuple[torch.dtype, ...]) -> None:
    of_x, of_gain = dtypes
    assert norm(4).to(of_gain)(torch.ones(2, 4, dtype=of_x)).dtype == of_gain


@pytest.mark.parametrize("norm", [RMSNorm, FusedRMSNorm])
def test_an_rms_norm_with_a_gain_in_half_precision_reads_numbers_that_are_too_large_for_it(
    norm: type[nn.Module],
) -> None:
    x = torch.tensor([1e5, -1e5, 1e5, -1e5])  # the largest float16 is 65,504
    assert torch.equal(norm(4).half()(x), torch.tensor([1.0, -1.0, 1.0, -1.0]).half())


@both_orders
@pytest.mark.parametrize("norm", [LayerNorm, FusedLayerNorm, RMSNorm, FusedRMSNorm])
def test_huge_activations_stay_finite(
    norm: type[nn.Module], residual: Callable[..., Tensor], generator: torch.Generator
) -> None:
    x = 1e6 * random(generator, B, T, D_MODEL, dtype=torch.float32)
    assert EncoderLayer(D_MODEL, H, D_FF, norm=norm, residual=residual)(x).isfinite().all()


@pytest.mark.parametrize(("d_model", "d_ff", "layers"), [(12, 20, 1), (6, 5, 4)])
def test_each_part_has_as_many_parameters_as_in_torch(d_model: int, d_ff: int, layers: int) -> None:
    layer = nn.TransformerEncoderLayer(d_model, 3, d_ff, batch_first=True)
    theirs = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
    ours = nn.ModuleList(EncoderLayer(d_model, 3, d_ff) for _ in range(layers))

    def count(model: nn.Module, *words: str) -> int:
        return sum(value.numel() for name, value in model.named_parameters() if any(word in name for word in words))

    expected = (count(theirs, "self_attn"), count(theirs, "linear"), count(theirs, "norm"))
    assert encoder_parameter_count(d_model, d_ff, layers) == expected
    assert (count(ours, "self_attention"), count(ours, "feed_forward"), count(ours, "norm")) == expected
    assert count(ours, "") == sum(expected)


@both_layers
def test_a_watched_layer_names_its_attentions(kind: type[nn.Module], generator: torch.Generator) -> None:
    x, memory = random(generator, B, T, D_MODEL), random(generator, B, S, D_MODEL)
    with watch_attention(layer := kind(D_MODEL, H, D_FF).double()) as readings:
        layer(x, *([] if kind is EncoderLayer else [memory]))
    shapes = {"self_attention": (B, H, T, T), "cross_attention": (B, H, T, S)}
    assert {name: one.weights.shape for name, one in readings.items()} == {
        name: shape for name, shape in shapes.items() if kind is DecoderLayer or name == "self_attention"
    }


@both_types
def test_grouped_query_attention_is_torchs_with_rotated_queries_and_keys(
    dtype: torch.dtype, generator: torch.Generator
) -> None:
    ours = GroupedQueryAttention(24, heads=6, kv_heads=2, rotate=rotary).to(dtype)
    x = random(generator, B, T, 24, dtype=dtype)
    q, k, v = (w(x).unflatten(-1, (-1, 4)).transpose(1, 2) for w in (ours.W_q, ours.W_k, ours.W_v))
    mixed = F.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True, enable_gqa=True)
    assert_equal(ours(x, torch.ones(T, T).tril().bool()), ours.W_o(mixed.transpose(1, 2).flatten(2)))


@both_types
def test_a_llama_layer_is_the_encoder_layer_of_the_same_style(dtype: torch.dtype, generator: torch.Generator) -> None:
    ours = LlamaLayer(24, 6, 2, 10, rotary).to(dtype)
    reference.stir(ours)
    theirs = EncoderLayer(
        24,
        6,
        10,
        0.0,
        self_attention=partial(MultiHeadAttention, kv_heads=2, bias=False, rotate=rotary),
        feed_forward=lambda d_model, d_ff, _: SwiGLU(d_model, d_ff),
        norm=RMSNorm,
        residual=pre_norm,
    ).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    x, mask = random(generator, B, T, 24, dtype=dtype), torch.ones(T, T).tril().bool()
    assert_equal(ours(x, mask), theirs(x, mask))
