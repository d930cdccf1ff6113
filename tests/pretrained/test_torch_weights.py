"""Torch's weights under the course's names: loaded into the library's parts, they give torch's results."""

import pytest
import torch
from torch import nn

from course_lib.pretrained.torch_weights import torch_weights
from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.layers import DecoderLayer, EncoderLayer
from course_lib.transformer.models import Transformer
from course_lib.transformer.positions import embed_with_positions


def test_an_attention_with_torchs_weights_gives_torchs_result() -> None:
    theirs = nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    nn.init.normal_(theirs.in_proj_bias)
    nn.init.normal_(theirs.out_proj.bias)
    ours = MultiHeadAttention(8, 2).double()
    ours.load_state_dict(torch_weights({"": theirs}))
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    torch.testing.assert_close(ours(x, x, x), theirs(x, x, x)[0], rtol=0, atol=1e-12)


def test_a_layer_with_torchs_weights_gives_torchs_result() -> None:
    theirs = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, dtype=torch.float64).eval()
    parts = {"self_attention": theirs.self_attn, "norm_1": theirs.norm1, "norm_2": theirs.norm2}
    parts |= {"feed_forward.W_1": theirs.linear1, "feed_forward.W_2": theirs.linear2}
    ours = EncoderLayer(8, 2, 16, 0.0).double().eval()
    ours.load_state_dict(torch_weights(parts))
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)


def test_a_decoder_layer_with_torchs_weights_gives_torchs_result() -> None:
    theirs = nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True, dtype=torch.float64).eval()
    ours = DecoderLayer(8, 2, 16, 0.0).double().eval()
    ours.load_state_dict(torch_weights({"": theirs}))
    x, memory = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 7, 8, dtype=torch.float64)
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    torch.testing.assert_close(ours(x, memory, causal), theirs(x, memory, tgt_mask=~causal), rtol=0, atol=1e-12)


def test_a_transformer_with_torchs_weights_gives_torchs_result() -> None:
    theirs = nn.Transformer(8, 2, 2, 2, 16, 0.0, batch_first=True, dtype=torch.float64).eval()
    for norm in (module for module in theirs.modules() if isinstance(module, nn.LayerNorm)):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    theirs.encoder.norm = theirs.decoder.norm = None
    ours = Transformer(9, 11, 8, 2, 16, 2, 0.0).double().eval()
    tables = {"source_table": ours.source_table, "target_table": ours.target_table}
    ours.load_state_dict({**torch_weights({"": theirs}), **tables})
    source, target = torch.tensor([[4, 5, 8], [7, 0, 0]]), torch.tensor([[1, 8, 9, 10], [1, 4, 4, 4]])
    hidden = theirs(
        embed_with_positions(source, ours.source_table),
        embed_with_positions(target, ours.target_table),
        tgt_mask=torch.ones(4, 4).triu(1).bool(),
        src_key_padding_mask=source == 0,
        memory_key_padding_mask=source == 0,
    )
    torch.testing.assert_close(ours(source, target), hidden @ ours.target_table.T, rtol=0, atol=1e-12)


def test_a_module_of_another_kind_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match="but got Embedding"):
        torch_weights({"table": nn.Embedding(3, 2)})
