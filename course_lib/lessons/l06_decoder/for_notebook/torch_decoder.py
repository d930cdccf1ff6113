"""PyTorch's decoder layer without a source, to which notebook 06 compares the learner's layer."""

import torch
from torch import Tensor, nn

from course_lib.pretrained import torch_weights


def decoder_without_source(d_model: int, heads: int, d_ff: int) -> tuple[nn.TransformerDecoderLayer, dict[str, Tensor]]:
    """Make PyTorch's decoder layer whose attention to the source adds 0 and has no norm after it.

    Returns the layer, with random parameters in float64 and without dropout, and those of its parameters that still
    count, under the names that they have in an `EncoderLayer`.
    """
    layer = nn.TransformerDecoderLayer(d_model, heads, d_ff, 0.0, batch_first=True, dtype=torch.float64).eval()
    nn.init.zeros_(layer.multihead_attn.out_proj.weight)
    nn.init.zeros_(layer.multihead_attn.out_proj.bias)
    layer.norm2 = nn.Identity()  # type: ignore[assignment]
    parts: dict[str, nn.Module] = {"self_attention": layer.self_attn, "norm_1": layer.norm1, "norm_2": layer.norm3}
    parts |= {"feed_forward.W_1": layer.linear1, "feed_forward.W_2": layer.linear2}
    return layer, torch_weights(parts)
