"""The weights of torch's own modules under the course's names, so that a learner's part can be held equal to them."""

from collections.abc import Mapping

from torch import Tensor, nn


def torch_weights(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Give the weights of torch's modules the names that the course has for them, for `build_part`.

    Takes the name of each part in the learner's class, such as "self_attention", or "" where the module is the whole
    class, and torch's module: an `nn.MultiheadAttention`, `nn.LayerNorm`, `nn.Linear`, a layer of an encoder or a
    decoder, or a whole `nn.Transformer`. Returns names and weights.

    Raises TypeError for a module of another kind.

    >>> sorted(torch_weights({"norm_1": nn.LayerNorm(2)}))
    ['norm_1.bias', 'norm_1.gain']
    """
    weights: dict[str, Tensor] = {}
    for part, module in modules.items():
        prefix = f"{part}." if part else ""
        weights |= {prefix + name: weight for name, weight in _named(module).items()}
    return weights


def _named(module: nn.Module) -> dict[str, Tensor]:
    if isinstance(module, nn.MultiheadAttention):
        return _of_attention(module)
    if isinstance(module, nn.LayerNorm):
        return {"gain": module.weight, "bias": module.bias}
    if isinstance(module, nn.Linear):
        return {"weight": module.weight, "bias": module.bias}
    if isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer | nn.Transformer):
        return torch_weights(_parts(module))
    raise TypeError(
        "expected an attention, a norm, a linear map, a layer or a Transformer of torch's, but got "
        f"{type(module).__name__}"
    )


def _parts(module: nn.Module) -> dict[str, nn.Module]:
    """The parts of torch's layer or Transformer under the course's names. Norms after the last layer are left out."""
    if isinstance(module, nn.Transformer):
        stacks = {"encoder": module.encoder.layers, "decoder": module.decoder.layers}
        return {f"{name}.{i}": layer for name, layers in stacks.items() for i, layer in enumerate(layers)}
    named = {"self_attention": "self_attn", "feed_forward.W_1": "linear1", "feed_forward.W_2": "linear2"}
    named |= {"cross_attention": "multihead_attn", "norm_1": "norm1", "norm_2": "norm2", "norm_3": "norm3"}
    return {name: getattr(module, theirs) for name, theirs in named.items() if hasattr(module, theirs)}


def _of_attention(module: nn.MultiheadAttention) -> dict[str, Tensor]:
    """Torch keeps the projections of queries, keys and values in one matrix, one below the other."""
    weights = {f"W_{part}.weight": W for part, W in zip("qkv", module.in_proj_weight.chunk(3), strict=True)}
    weights |= {f"W_{part}.bias": b for part, b in zip("qkv", module.in_proj_bias.chunk(3), strict=True)}
    return weights | {"W_o.weight": module.out_proj.weight, "W_o.bias": module.out_proj.bias}
