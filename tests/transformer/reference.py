"""Weights of torch's and transformers' modules under the names of the course's, to hold the two equal.

Each function reads a foreign module and returns a state for the course's module of the same kind. Give it to
`load_state_dict`, which refuses a weight that is missing or left over.
"""

import torch
from torch import Tensor, nn

State = dict[str, Tensor]

# Values of order 1 through a few layers: rounding is about 2e-16 an operation in float64 and 1e-7 in float32.
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}


def assert_equal(actual: Tensor, expected: Tensor) -> None:
    """Equal in shape and type, and to the absolute tolerance of the type."""
    torch.testing.assert_close(actual, expected, rtol=0, atol=TOLERANCES[expected.dtype])


def stir(module: nn.Module, seed: int = 0) -> None:
    """Move every parameter a little, so that no bias is 0 and no gain is 1, and a forgotten one shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.2 * noise.to(parameter.dtype))


def under(prefix: str, state: State) -> State:
    """The same state, as part `prefix` of a larger module."""
    return {f"{prefix}.{name}": value for name, value in state.items()}


def torch_attention(theirs: nn.MultiheadAttention) -> State:
    """From torch's attention, whose three projections are one matrix, to `MultiHeadAttention`."""
    state = under("W_o", theirs.out_proj.state_dict())
    parts = zip(("W_q", "W_k", "W_v"), theirs.in_proj_weight.detach().chunk(3), strict=True)
    state |= {f"{name}.weight": matrix for name, matrix in parts}
    if theirs.in_proj_bias is not None:
        parts = zip(("W_q", "W_k", "W_v"), theirs.in_proj_bias.detach().chunk(3), strict=True)
        state |= {f"{name}.bias": bias for name, bias in parts}
    return state


def torch_encoder_layer(theirs: nn.TransformerEncoderLayer) -> State:
    """From torch's encoder layer to `EncoderLayer`."""
    return {
        **under("self_attention", torch_attention(theirs.self_attn)),
        **under("feed_forward.W_1", theirs.linear1.state_dict()),
        **under("feed_forward.W_2", theirs.linear2.state_dict()),
        **under("around_self_attention.norm", theirs.norm1.state_dict()),
        **under("around_feed_forward.norm", theirs.norm2.state_dict()),
    }


def torch_decoder_layer(theirs: nn.TransformerDecoderLayer) -> State:
    """From torch's decoder layer to `DecoderLayer`."""
    return {
        **under("self_attention", torch_attention(theirs.self_attn)),
        **under("cross_attention", torch_attention(theirs.multihead_attn)),
        **under("feed_forward.W_1", theirs.linear1.state_dict()),
        **under("feed_forward.W_2", theirs.linear2.state_dict()),
        **under("around_self_attention.norm", theirs.norm1.state_dict()),
        **under("around_cross_attention.norm", theirs.norm2.state_dict()),
        **under("around_feed_forward.norm", theirs.norm3.state_dict()),
    }


def torch_transformer(theirs: nn.Transformer, source_tokens: Tensor, target_tokens: Tensor) -> State:
    """From torch's Transformer, which has no embeddings, and two embedding matrices (V, d_model) to `Transformer`."""
    state = {
        "encoder.embeddings.tokens.weight": source_tokens,
        "decoder.embeddings.tokens.weight": target_tokens,
        "projection.weight": target_tokens,
        **under("encoder.norm", theirs.encoder.norm.state_dict()),
        **under("decoder.norm", theirs.decoder.norm.state_dict()),
    }
    for i, layer in enumerate(theirs.encoder.layers):
        state |= under(f"encoder.layers.{i}", torch_encoder_layer(layer))
    for i, layer in enumerate(theirs.decoder.layers):
        state |= under(f"decoder.layers.{i}", torch_decoder_layer(layer))
    return state


def bert_encoder(theirs: nn.Module) -> State:
    """From transformers' BertModel, without its pooler, to `Encoder`."""
    embeddings = theirs.embeddings
    state = {
        "embeddings.tokens.weight": embeddings.word_embeddings.weight.detach(),
        "embeddings.positions": embeddings.position_embeddings.weight.detach(),
        "embeddings.segments.weight": embeddings.token_type_embeddings.weight.detach(),
        **under("embeddings.norm", embeddings.LayerNorm.state_dict()),
    }
    for i, layer in enumerate(theirs.encoder.layer):
        attention = layer.attention.self
        parts = {
            "self_attention.W_q": attention.query,
            "self_attention.W_k": attention.key,
            "self_attention.W_v": attention.value,
            "self_attention.W_o": layer.attention.output.dense,
            "around_self_attention.norm": layer.attention.output.LayerNorm,
            "feed_forward.W_1": layer.intermediate.dense,
            "feed_forward.W_2": layer.output.dense,
            "around_feed_forward.norm": layer.output.LayerNorm,
        }
        for name, part in parts.items():
            state |= under(f"layers.{i}.{name}", part.state_dict())
    return state


def bert_masked_language_model(theirs: nn.Module) -> State:
    """From transformers' BertForMaskedLM to `MaskedLanguageModel`."""
    head = theirs.cls.predictions
    return {
        **under("encoder", bert_encoder(theirs.bert)),
        **under("transform", head.transform.dense.state_dict()),
        **under("norm", head.transform.LayerNorm.state_dict()),
        **under("projection", head.decoder.state_dict()),
    }


def gpt2_language_model(theirs: nn.Module) -> State:
    """From transformers' GPT2LMHeadModel, whose maps are stored (in, out), to `LanguageModel`."""
    body = theirs.transformer
    state = {
        "body.embeddings.tokens.weight": body.wte.weight.detach(),
        "body.embeddings.positions": body.wpe.weight.detach(),
        "projection.weight": theirs.lm_head.weight.detach(),
        **under("body.norm", body.ln_f.state_dict()),
    }
    for i, block in enumerate(body.h):
        layer = f"body.layers.{i}"
        state |= under(f"{layer}.around_self_attention.norm", block.ln_1.state_dict())
        state |= under(f"{layer}.around_feed_forward.norm", block.ln_2.state_dict())
        merged = zip(
            block.attn.c_attn.weight.detach().T.chunk(3), block.attn.c_attn.bias.detach().chunk(3), strict=True
        )
        for name, (weight, bias) in zip(("W_q", "W_k", "W_v"), merged, strict=True):
            state |= under(f"{layer}.self_attention.{name}", {"weight": weight, "bias": bias})
        maps = {"self_attention.W_o": block.attn.c_proj, "feed_forward.W_1": block.mlp.c_fc}
        for name, part in {**maps, "feed_forward.W_2": block.mlp.c_proj}.items():
            state |= under(f"{layer}.{name}", {"weight": part.weight.detach().T, "bias": part.bias.detach()})
    return state


def llama_language_model(theirs: nn.Module) -> State:
    """From transformers' LlamaForCausalLM to `LanguageModel`."""
    body = theirs.model
    state = {
        "body.embeddings.tokens.weight": body.embed_tokens.weight.detach(),
        "projection.weight": theirs.lm_head.weight.detach(),
        "body.norm.weight": body.norm.weight.detach(),
    }
    for i, layer in enumerate(body.layers):
        parts = {
            "self_attention.W_q": layer.self_attn.q_proj,
            "self_attention.W_k": layer.self_attn.k_proj,
            "self_attention.W_v": layer.self_attn.v_proj,
            "self_attention.W_o": layer.self_attn.o_proj,
            "around_self_attention.norm": layer.input_layernorm,
            "around_feed_forward.norm": layer.post_attention_layernorm,
            "feed_forward.W_gate": layer.mlp.gate_proj,
            "feed_forward.W_1": layer.mlp.up_proj,
            "feed_forward.W_2": layer.mlp.down_proj,
        }
        for name, part in parts.items():
            state[f"body.layers.{i}.{name}.weight"] = part.weight.detach()
    return state


def olmo_from_language_model(ours: nn.Module) -> State:
    """The other way round: from a `LanguageModel` to transformers' OlmoForCausalLM, its like but for two things.

    OLMo's norms have no gain, so each gain goes into the maps that read it; and it scales no embeddings, so they are
    given to it scaled. For configurations with pre-norm LayerNorms, no biases, SwiGLU and rotary positions.
    """
    body, width = ours.body, ours.config.d_model
    state = {
        "model.embed_tokens.weight": body.embeddings.tokens.weight.detach() * width**0.5,
        "lm_head.weight": ours.projection.weight.detach() * body.norm.weight.detach(),
    }
    for i, layer in enumerate(body.layers):
        parts = {
            "self_attn.q_proj": (layer.self_attention.W_q, layer.around_self_attention.norm.weight),
            "self_attn.k_proj": (layer.self_attention.W_k, layer.around_self_attention.norm.weight),
            "self_attn.v_proj": (layer.self_attention.W_v, layer.around_self_attention.norm.weight),
            "self_attn.o_proj": (layer.self_attention.W_o, torch.ones(width)),
            "mlp.gate_proj": (layer.feed_forward.W_gate, layer.around_feed_forward.norm.weight),
            "mlp.up_proj": (layer.feed_forward.W_1, layer.around_feed_forward.norm.weight),
            "mlp.down_proj": (layer.feed_forward.W_2, torch.ones(())),
        }
        for name, (part, gain) in parts.items():
            state[f"model.layers.{i}.{name}.weight"] = part.weight.detach() * gain.detach()
    return state


def marian_transformer(theirs: nn.Module) -> State:
    """From transformers' MarianMTModel with two vocabularies to `Transformer`. Its position tables are no weights."""
    state = {"projection.weight": theirs.lm_head.weight.detach()}
    for side, stack in (("encoder", theirs.model.encoder), ("decoder", theirs.model.decoder)):
        state[f"{side}.embeddings.tokens.weight"] = stack.embed_tokens.weight.detach()
        for i, layer in enumerate(stack.layers):
            for name, part in _marian_parts(layer).items():
                state |= under(f"{side}.layers.{i}.{name}", part.state_dict())
    return state


def marian_from_transformer(ours: nn.Module, theirs: nn.Module) -> None:
    """The other way round: copy the weights and the positions of a `Transformer` into a MarianMTModel, in place."""
    own = ours.state_dict()
    with torch.no_grad():
        for name, value in marian_transformer(theirs).items():
            value.copy_(own[name])
    marian_positions(theirs, ours.encoder.embeddings.positions)


def marian_positions(theirs: nn.Module, positions: Tensor) -> None:
    """Give a MarianMTModel the position table (T, d_model) of the paper, in place: its own has all sines first."""
    with torch.no_grad():
        for stack in (theirs.model.encoder, theirs.model.decoder):
            stack.embed_positions.weight.copy_(positions)


def _marian_parts(layer: nn.Module) -> dict[str, nn.Module]:
    """The parts of a Marian layer, of the encoder or the decoder, under the names of the course's."""
    maps = {"W_q": "q_proj", "W_k": "k_proj", "W_v": "v_proj", "W_o": "out_proj"}
    parts = {
        **{f"self_attention.{ours}": getattr(layer.self_attn, name) for ours, name in maps.items()},
        "around_self_attention.norm": layer.self_attn_layer_norm,
        "feed_forward.W_1": layer.fc1,
        "feed_forward.W_2": layer.fc2,
        "around_feed_forward.norm": layer.final_layer_norm,
    }
    if hasattr(layer, "encoder_attn"):
        parts |= {f"cross_attention.{ours}": getattr(layer.encoder_attn, name) for ours, name in maps.items()}
        parts["around_cross_attention.norm"] = layer.encoder_attn_layer_norm
    return parts
