"""Layers against torch's own, in both norm orders, and against dropout where the paper has it."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.transformer.layers import DecoderLayer, EncoderLayer, FeedForward, LayerStyle, RMSNorm, make_norm
from tests.transformer import reference
from tests.transformer.reference import assert_equal

both_types = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
both_orders = pytest.mark.parametrize("norm_place", ["post", "pre"])

# Sizes all differ, so that a swapped axis cannot pass.
B, H, T, S, D_MODEL, D_FF = 2, 3, 4, 5, 12, 20


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def random(generator: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def padded(length: int) -> Tensor:
    """May attend (2, 1, 1, length): all of the first sentence, only one token of the second."""
    mask = torch.ones(2, 1, 1, length, dtype=torch.bool)
    mask[1, ..., 1:] = False
    return mask


@both_types
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_rms_norm_is_torchs(dtype: torch.dtype, scale: float, generator: torch.Generator) -> None:
    # At a scale of 0.001 the eps of 1e-5 is ten times the mean square, so its place shows.
    theirs = nn.RMSNorm(D_MODEL, eps=1e-5, dtype=dtype)
    reference.stir(theirs)
    ours = RMSNorm(D_MODEL).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    x = scale * random(generator, B, T, D_MODEL, dtype=dtype)
    assert_equal(ours(x), theirs(x))
    assert torch.equal(ours(torch.zeros(D_MODEL, dtype=dtype)), torch.zeros(D_MODEL, dtype=dtype))


def test_a_style_chooses_its_norm() -> None:
    layer = make_norm(D_MODEL, LayerStyle(norm_eps=1e-3))
    assert isinstance(layer, nn.LayerNorm)
    assert (layer.eps, layer.bias is None) == (1e-3, False)
    bare = make_norm(D_MODEL, LayerStyle(bias=False))
    assert isinstance(bare, nn.LayerNorm)
    assert bare.bias is None
    rms = make_norm(D_MODEL, LayerStyle(norm="rms", norm_eps=1e-3))
    assert isinstance(rms, RMSNorm)
    assert rms.eps == 1e-3


def gelu(x: float) -> float:
    return x * (1 + math.erf(x / math.sqrt(2))) / 2


def gelu_tanh(x: float) -> float:
    return x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def silu(x: float) -> float:
    return x / (1 + math.exp(-x))


@both_types
@pytest.mark.parametrize(
    ("activation", "bend"), [("relu", lambda x: max(x, 0.0)), ("gelu", gelu), ("gelu_tanh", gelu_tanh)]
)
@pytest.mark.parametrize("bias", [True, False])
def test_feed_forward_is_two_maps_with_a_bend_between(
    activation: str, bend: Callable[[float], float], bias: bool, dtype: torch.dtype, generator: torch.Generator
) -> None:
    first, second = nn.Linear(D_MODEL, D_FF, bias, dtype=dtype), nn.Linear(D_FF, D_MODEL, bias, dtype=dtype)
    ours = FeedForward(D_MODEL, D_FF, activation, bias).to(dtype)
    ours.load_state_dict({**reference.under("W_1", first.state_dict()), **reference.under("W_2", second.state_dict())})
    x = random(generator, B, T, D_MODEL, dtype=dtype)
    bent = first(x).detach().double().apply_(bend).to(dtype)
    assert_equal(ours(x), second(bent))


@both_types
@pytest.mark.parametrize("bias", [True, False])
def test_swiglu_gates_one_map_with_the_bend_of_another(
    bias: bool, dtype: torch.dtype, generator: torch.Generator
) -> None:
    up, gate = (nn.Linear(D_MODEL, D_FF, bias, dtype=dtype) for _ in range(2))
    down = nn.Linear(D_FF, D_MODEL, bias, dtype=dtype)
    ours = FeedForward(D_MODEL, D_FF, "swiglu", bias).to(dtype)
    parts = {"W_1": up, "W_gate": gate, "W_2": down}
    ours.load_state_dict(
        {k: v for name, part in parts.items() for k, v in reference.under(name, part.state_dict()).items()}
    )
    x = random(generator, B, T, D_MODEL, dtype=dtype)
    bent = gate(x).detach().double().apply_(silu).to(dtype)
    assert_equal(ours(x), down(bent * up(x)))


def torch_layer(kind: type[nn.Module], norm_place: str, activation: str, dtype: torch.dtype) -> nn.Module:
    theirs = kind(
        D_MODEL, H, D_FF, 0.0, activation, 1e-3, batch_first=True, norm_first=norm_place == "pre", dtype=dtype
    )
    reference.stir(theirs)
    return theirs


@both_types
@both_orders
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("length", [S, 1])
@pytest.mark.parametrize("causal", [True, False])
def test_encoder_layer_is_torchs(
    dtype: torch.dtype, norm_place: str, activation: str, length: int, causal: bool, generator: torch.Generator
) -> None:
    theirs = torch_layer(nn.TransformerEncoderLayer, norm_place, activation, dtype)
    style = LayerStyle(norm_place=norm_place, activation=activation, norm_eps=1e-3)
    ours = EncoderLayer(D_MODEL, H, D_FF, style=style).to(dtype)
    ours.load_state_dict(reference.torch_encoder_layer(theirs))
    x = random(generator, B, length, D_MODEL, dtype=dtype)
    mask, future = padded(length), torch.ones(length, length).triu(1).bool()
    expected = theirs(x, src_mask=future if causal else None, src_key_padding_mask=~mask[:, 0, 0])
    assert_equal(ours(x, mask & ~future if causal else mask), expected)
    assert_equal(ours(x), theirs(x))


@both_types
@both_orders
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize(("T", "S"), [(4, 5), (1, 5), (4, 1), (1, 1)])
def test_decoder_layer_is_torchs(
    dtype: torch.dtype, norm_place: str, activation: str, T: int, S: int, generator: torch.Generator
) -> None:
    theirs = torch_layer(nn.TransformerDecoderLayer, norm_place, activation, dtype)
    style = LayerStyle(norm_place=norm_place, activation=activation, norm_eps=1e-3)
    ours = DecoderLayer(D_MODEL, H, D_FF, style=style).to(dtype)
    ours.load_state_dict(reference.torch_decoder_layer(theirs))
    x, memory = (random(generator, B, length, D_MODEL, dtype=dtype) for length in (T, S))
    future, mask = torch.ones(T, T).triu(1).bool(), padded(S)
    expected = theirs(x, memory, tgt_mask=future, memory_key_padding_mask=~mask[:, 0, 0])
    assert_equal(ours(x, memory, ~future, mask), expected)
    assert_equal(ours(x, memory), theirs(x, memory))


@pytest.mark.parametrize("kind", [EncoderLayer, DecoderLayer])
@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_rotary_turns_self_attention_only(kind: type[nn.Module], positions: str, generator: torch.Generator) -> None:
    # Without positions inside the layer, shuffled tokens give the shuffled output; the memory's order never matters.
    layer = kind(D_MODEL, H, D_FF, style=LayerStyle(positions=positions)).double()
    x, memory = random(generator, B, T, D_MODEL), random(generator, B, S, D_MODEL)
    rest = () if kind is EncoderLayer else (memory,)
    shuffled = layer(x.flip(1), *rest).flip(1)
    moved = (shuffled - layer(x, *rest)).abs().max()
    assert (moved > 1e-3) == (positions == "rotary")
    if kind is DecoderLayer:
        assert_equal(layer(x, memory.flip(1)), layer(x, memory))


@both_orders
@pytest.mark.parametrize("kind", [EncoderLayer, DecoderLayer])
def test_dropout_falls_on_each_sublayers_output_in_training_and_nowhere_else(
    kind: type[nn.Module], norm_place: str, generator: torch.Generator
) -> None:
    # Section 5.4: "to the output of each sub-layer, before it is added to the sub-layer input and normalized".
    # The same seed drops the same numbers, if dropout is asked for in the same places, shapes and memory layouts.
    p, pre = 0.4, norm_place == "pre"
    torch_kind = nn.TransformerEncoderLayer if kind is EncoderLayer else nn.TransformerDecoderLayer
    theirs = torch_layer(torch_kind, norm_place, "relu", torch.float64)
    copied = reference.torch_encoder_layer if kind is EncoderLayer else reference.torch_decoder_layer
    ours = kind(D_MODEL, H, D_FF, dropout=p, style=LayerStyle(norm_place=norm_place, norm_eps=1e-3)).double()
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
    stream = x
    for norm, sublayer in sublayers:
        written = stream + F.dropout(sublayer(norm(stream) if pre else stream).contiguous(), p)
        stream = written if pre else norm(written)
    assert_equal(got, stream)
    assert_equal(ours.eval()(x, *rest), theirs(x, *rest))


def test_gradients_are_the_numerical_ones(generator: torch.Generator) -> None:
    x, memory = random(generator, 2, 3, 4), random(generator, 2, 2, 4)
    mask = torch.ones(3, 3).tril().bool()
    parts: list[Callable[[Tensor], Tensor]] = [RMSNorm(4).double()]
    parts += [FeedForward(4, 6, activation).double() for activation in ("relu", "gelu", "gelu_tanh", "swiglu")]
    for norm, norm_place in (("layer", "post"), ("layer", "pre"), ("rms", "post"), ("rms", "pre")):
        style = LayerStyle(norm=norm, norm_place=norm_place, positions="rotary", kv_heads=1, activation="gelu")
        encoder_layer = EncoderLayer(4, 2, 6, style=style).double()
        parts.append(lambda x, layer=encoder_layer: layer(x, mask))
        decoder_layer = DecoderLayer(4, 2, 6, style=style).double()
        assert torch.autograd.gradcheck(
            lambda x, memory, layer=decoder_layer: layer(x, memory, mask),
            (x.clone().requires_grad_(), memory.clone().requires_grad_()),
        )
    for part in parts:
        assert torch.autograd.gradcheck(part, (x.clone().requires_grad_(),))


def test_the_layout_in_memory_does_not_matter_and_arguments_stay_as_they_were(generator: torch.Generator) -> None:
    x, memory = (random(generator, D_MODEL, length, B).permute(2, 1, 0) for length in (T, S))
    kept = x.clone(), memory.clone()
    for style in (LayerStyle(), LayerStyle(norm="rms", norm_place="pre", activation="swiglu", positions="rotary")):
        encoder_layer = EncoderLayer(D_MODEL, H, D_FF, style=style).double()
        decoder_layer = DecoderLayer(D_MODEL, H, D_FF, style=style).double()
        assert_equal(encoder_layer(x), encoder_layer(x.contiguous()))
        assert_equal(decoder_layer(x, memory), decoder_layer(x.contiguous(), memory.contiguous()))
    assert torch.equal(x, kept[0])
    assert torch.equal(memory, kept[1])


def test_huge_activations_stay_finite(generator: torch.Generator) -> None:
    x = 1e6 * random(generator, B, T, D_MODEL, dtype=torch.float32)
    for norm in ("layer", "rms"):
        for norm_place in ("post", "pre"):
            layer = EncoderLayer(D_MODEL, H, D_FF, style=LayerStyle(norm=norm, norm_place=norm_place))
            assert layer(x).isfinite().all()


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"norm": "batch"}, r"norm should be one of \('layer', 'rms'\), but is 'batch'"),
        ({"norm_place": "first"}, r"norm_place should be one of \('post', 'pre'\), but is 'first'"),
        ({"activation": "tanh"}, "activation should be one of .*'swiglu'.*, but is 'tanh'"),
        ({"positions": None}, "positions should be one of .*'rotary'.*, but is None"),
        ({"norm_eps": 0.0}, "norm_eps=0.0 and rotary_base=10000.0 should both be more than 0"),
        ({"rotary_base": -1.0}, "rotary_base=-1.0 should both be more than 0"),
    ],
)
def test_a_style_that_is_none_is_refused(choice: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        LayerStyle(**choice)
