"""Weights of torch's and transformers' modules under the course's names, so that the two can be compared.

Each function reads a foreign module and returns a state for the course's module of the same kind. Give it to
`load_state_dict`, which refuses a weight that is missing or left over.
"""

import re
from collections.abc import Iterable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM

from course_lib.transformer.positions import sinusoidal

State = dict[str, Tensor]

SMOLLM2_NAMES = {
    "table": "model.embed_tokens.weight",
    "final_norm.gain": "model.norm.weight",
    "norm_1.gain": "input_layernorm.weight",
    "norm_2.gain": "post_attention_layernorm.weight",
    "self_attention.W_q.weight": "self_attn.q_proj.weight",
    "self_attention.W_k.weight": "self_attn.k_proj.weight",
    "self_attention.W_v.weight": "self_attn.v_proj.weight",
    "self_attention.W_o.weight": "self_attn.o_proj.weight",
    "feed_forward.W_gate.weight": "mlp.gate_proj.weight",
    "feed_forward.W_1.weight": "mlp.up_proj.weight",
    "feed_forward.W_2.weight": "mlp.down_proj.weight",
}

# Values of order 1 through a few layers: rounding is about 2e-16 per operation in float64 and 1e-7 in float32.
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}


def assert_equal(actual: Tensor, expected: Tensor) -> None:
    """Check that two tensors have the same shape and dtype, and are equal to the absolute tolerance of the dtype."""
    torch.testing.assert_close(actual, expected, rtol=0, atol=TOLERANCES[expected.dtype])


def random(generator: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Standard normal numbers, the same (to rounding) for every dtype."""
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def stir(module: nn.Module, seed: int = 0) -> None:
    """Change every parameter a little, so that no bias is 0 and no gain is 1, and a forgotten one is noticed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.2 * noise.to(parameter.dtype))


def under(prefix: str, state: State) -> State:
    """The same state dict, as part `prefix` of a larger module."""
    return {f"{prefix}.{name}": value for name, value in state.items()}


def maps(parts: dict[str, nn.Module]) -> State:
    """The state dict of linear maps under the given names."""
    return {name: value for prefix, part in parts.items() for name, value in under(prefix, part.state_dict()).items()}


def norms(parts: dict[str, nn.Module]) -> State:
    """The state dict of norms under the given names; torch calls the gain `weight`."""
    return {name.replace(".weight", ".gain"): value for name, value in maps(parts).items()}


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
        **maps({"feed_forward.W_1": theirs.linear1, "feed_forward.W_2": theirs.linear2}),
        **norms({"norm_1": theirs.norm1, "norm_2": theirs.norm2}),
    }


def torch_decoder_layer(theirs: nn.TransformerDecoderLayer) -> State:
    """From torch's decoder layer to `DecoderLayer`."""
    return {
        **under("self_attention", torch_attention(theirs.self_attn)),
        **under("cross_attention", torch_attention(theirs.multihead_attn)),
        **maps({"feed_forward.W_1": theirs.linear1, "feed_forward.W_2": theirs.linear2}),
        **norms({"norm_1": theirs.norm1, "norm_2": theirs.norm2, "norm_3": theirs.norm3}),
    }


def torch_transformer(theirs: nn.Transformer, source_table: Tensor, target_table: Tensor) -> State:
    """From torch's Transformer, which has no embeddings, and two tables (V, d_model) to `Transformer`."""
    state = {"source_table": source_table, "target_table": target_table}
    if theirs.encoder.norm is not None:
        state |= norms({"encoder_norm": theirs.encoder.norm, "decoder_norm": theirs.decoder.norm})
    for i, layer in enumerate(theirs.encoder.layers):
        state |= under(f"encoder.{i}", torch_encoder_layer(layer))
    for i, layer in enumerate(theirs.decoder.layers):
        state |= under(f"decoder.{i}", torch_decoder_layer(layer))
    return state


def bert_encoder(theirs: nn.Module) -> State:
    """From transformers' BertModel, without its pooler, to `Encoder`."""
    embeddings = theirs.embeddings
    state = {
        "table": embeddings.word_embeddings.weight.detach(),
        "embed.positions.table": embeddings.position_embeddings.weight.detach(),
        "embed.segments": embeddings.token_type_embeddings.weight.detach(),
        **norms({"embed.norm": embeddings.LayerNorm}),
    }
    for i, layer in enumerate(theirs.encoder.layer):
        attention = layer.attention.self
        state |= maps(
            {
                f"layers.{i}.self_attention.W_q": attention.query,
                f"layers.{i}.self_attention.W_k": attention.key,
                f"layers.{i}.self_attention.W_v": attention.value,
                f"layers.{i}.self_attention.W_o": layer.attention.output.dense,
                f"layers.{i}.feed_forward.W_1": layer.intermediate.dense,
                f"layers.{i}.feed_forward.W_2": layer.output.dense,
            }
        )
        state |= norms(
            {f"layers.{i}.norm_1": layer.attention.output.LayerNorm, f"layers.{i}.norm_2": layer.output.LayerNorm}
        )
    return state


def bert_masked_language_model(theirs: nn.Module) -> State:
    """From transformers' BertForMaskedLM to `MaskedLanguageModel`."""
    head = theirs.cls.predictions
    state = {
        **under("encoder", bert_encoder(theirs.bert)),
        **maps({"head.transform": head.transform.dense}),
        **norms({"head.norm": head.transform.LayerNorm}),
        "head.output_bias": head.decoder.bias.detach(),
    }
    if not theirs.config.tie_word_embeddings:
        state["output_table"] = head.decoder.weight.detach()
    return state


def gpt2_language_model(theirs: nn.Module) -> State:
    """From transformers' GPT2LMHeadModel, whose maps are stored (in, out), to `LanguageModel`."""
    body = theirs.transformer
    state = {
        "table": body.wte.weight.detach(),
        "embed.positions.table": body.wpe.weight.detach(),
        **norms({"final_norm": body.ln_f}),
    }
    if not theirs.config.tie_word_embeddings:
        state["output_table"] = theirs.lm_head.weight.detach()
    for i, block in enumerate(body.h):
        state |= norms({f"layers.{i}.norm_1": block.ln_1, f"layers.{i}.norm_2": block.ln_2})
        merged = zip(
            block.attn.c_attn.weight.detach().T.chunk(3), block.attn.c_attn.bias.detach().chunk(3), strict=True
        )
        for name, (weight, bias) in zip(("W_q", "W_k", "W_v"), merged, strict=True):
            state |= under(f"layers.{i}.self_attention.{name}", {"weight": weight, "bias": bias})
        others = {
            "self_attention.W_o": block.attn.c_proj,
            "feed_forward.W_1": block.mlp.c_fc,
            "feed_forward.W_2": block.mlp.c_proj,
        }
        for name, part in others.items():
            state |= under(f"layers.{i}.{name}", {"weight": part.weight.detach().T, "bias": part.bias.detach()})
    return state


def llama_language_model(theirs: nn.Module) -> State:
    """From transformers' LlamaForCausalLM to `LanguageModel`."""
    body = theirs.model
    state = {"table": body.embed_tokens.weight.detach(), **norms({"final_norm": body.norm})}
    if not theirs.config.tie_word_embeddings:
        state["output_table"] = theirs.lm_head.weight.detach()
    for i, layer in enumerate(body.layers):
        state |= maps(
            {
                f"layers.{i}.self_attention.W_q": layer.self_attn.q_proj,
                f"layers.{i}.self_attention.W_k": layer.self_attn.k_proj,
                f"layers.{i}.self_attention.W_v": layer.self_attn.v_proj,
                f"layers.{i}.self_attention.W_o": layer.self_attn.o_proj,
                f"layers.{i}.feed_forward.W_gate": layer.mlp.gate_proj,
                f"layers.{i}.feed_forward.W_1": layer.mlp.up_proj,
                f"layers.{i}.feed_forward.W_2": layer.mlp.down_proj,
            }
        )
        state |= norms(
            {f"layers.{i}.norm_1": layer.input_layernorm, f"layers.{i}.norm_2": layer.post_attention_layernorm}
        )
    return state


def olmo_from_language_model(ours: nn.Module) -> State:
    """In the other direction: from a `LanguageModel` to transformers' OlmoForCausalLM, which differs in two things.

    OLMo's norms have no gain, so each gain is multiplied into the maps that read it; and it does not scale embeddings,
    so they are given to it scaled. For configurations with pre-norm LayerNorms, no biases, SwiGLU and rotary positions.
    """
    width = ours.config.d_model
    output_table = ours.table if ours.output_table is None else ours.output_table
    state = {
        "model.embed_tokens.weight": ours.table.detach() * width**0.5,
        "lm_head.weight": output_table.detach() * ours.final_norm.gain.detach(),
    }
    for i, layer in enumerate(ours.layers):
        parts = {
            "self_attn.q_proj": (layer.self_attention.W_q, layer.norm_1.gain),
            "self_attn.k_proj": (layer.self_attention.W_k, layer.norm_1.gain),
            "self_attn.v_proj": (layer.self_attention.W_v, layer.norm_1.gain),
            "self_attn.o_proj": (layer.self_attention.W_o, torch.ones(width)),
            "mlp.gate_proj": (layer.feed_forward.W_gate, layer.norm_2.gain),
            "mlp.up_proj": (layer.feed_forward.W_1, layer.norm_2.gain),
            "mlp.down_proj": (layer.feed_forward.W_2, torch.ones(())),
        }
        for name, (part, gain) in parts.items():
            state[f"model.layers.{i}.{name}.weight"] = part.weight.detach() * gain.detach()
    return state


def marian_transformer(theirs: nn.Module) -> State:
    """From transformers' MarianMTModel with two vocabularies to `Transformer`. Its position tables are not weights."""
    state = {
        "source_table": theirs.model.encoder.embed_tokens.weight.detach(),
        "target_table": theirs.model.decoder.embed_tokens.weight.detach(),
    }
    if not theirs.config.tie_word_embeddings:
        state["output_table"] = theirs.lm_head.weight.detach()
    for side, stack in (("encoder", theirs.model.encoder), ("decoder", theirs.model.decoder)):
        for i, layer in enumerate(stack.layers):
            state |= under(f"{side}.{i}", _marian_layer(layer))
    return state


def marian_from_transformer(ours: nn.Module, theirs: nn.Module) -> None:
    """In the other direction: copy the weights and the positions of a `Transformer` into a MarianMTModel, in place."""
    own = ours.state_dict()
    with torch.no_grad():
        for name, value in marian_transformer(theirs).items():
            value.copy_(own[name])
    marian_positions(theirs, sinusoidal(ours.config.max_length, ours.config.d_model))


def marian_positions(theirs: nn.Module, positions: Tensor) -> None:
    """Give a MarianMTModel the position table (T, d_model) of the paper, in place: its own has all sines first."""
    with torch.no_grad():
        for stack in (theirs.model.encoder, theirs.model.decoder):
            stack.embed_positions.weight.copy_(positions)


def _marian_layer(layer: nn.Module) -> State:
    """The weights of a Marian layer, in the encoder or the decoder, under the course's names."""
    attentions, residuals = {"self_attention": layer.self_attn}, [layer.self_attn_layer_norm]
    if hasattr(layer, "encoder_attn"):
        attentions["cross_attention"] = layer.encoder_attn
        residuals.append(layer.encoder_attn_layer_norm)
    residuals.append(layer.final_layer_norm)
    state = norms({f"norm_{i}": norm for i, norm in enumerate(residuals, start=1)})
    for name, attention in attentions.items():
        projections = {"W_q": "q_proj", "W_k": "k_proj", "W_v": "v_proj", "W_o": "out_proj"}
        state |= maps({f"{name}.{ours}": getattr(attention, theirs) for ours, theirs in projections.items()})
    return state | maps({"feed_forward.W_1": layer.fc1, "feed_forward.W_2": layer.fc2})


def kernel_calls(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows by one entry with each call of torch's fused kernel."""
    calls: list[object] = []
    kernel = F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *a, **k: calls.append(1) or kernel(*a, **k))
    return calls


def smollm2(weights: Iterable[tuple[str, Tensor]]) -> LlamaForCausalLM:
    """Transformers' model of SmolLM2-135M with weights that have the course's names.

    The sizes are those of Hugging Face's own configuration of SmolLM2-135M-Instruct.
    """
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        rms_norm_eps=1e-5,
        rope_theta=100_000.0,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    state = {}
    for name, weight in weights:
        layer = re.match(r"layers\.(\d+)\.", name)
        theirs = SMOLLM2_NAMES[name[layer.end() :] if layer else name]
        state[f"model.layers.{layer[1]}.{theirs}" if layer else theirs] = weight
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state, assign=True)
    model.tie_weights()
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its angles were on the device without memory
    return model.eval()
