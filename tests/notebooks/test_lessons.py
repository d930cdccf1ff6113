"""The claims of lessons 03 to 07, checked against outside implementations and counts by hand."""

import torch
from torch import nn
from transformers import BertConfig, BertModel, LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from course_lib.learning.schedules import learning_rate
from course_lib.transformer.attention import padding_mask
from course_lib.transformer.layers import DecoderLayer, EncoderLayer, encoder_parameter_count
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.transformer.positions import embed_with_positions, rotary
from course_lib.writing.choose import continue_greedily, greedy_translation


def renamed_weights(theirs: nn.Module, names: dict[str, str]) -> dict[str, torch.Tensor]:
    """Rename the weights of another implementation; `names` maps its names of parts to ours."""
    weights = {}
    for there, here in names.items():
        for kind, value in theirs.get_submodule(there).state_dict().items():
            is_norm = isinstance(theirs.get_submodule(there), nn.LayerNorm)
            weights[f"{here}.{'gain' if is_norm and kind == 'weight' else kind}"] = value
    return weights


BERT_NAMES = {
    "attention.self.query": "self_attention.W_q",
    "attention.self.key": "self_attention.W_k",
    "attention.self.value": "self_attention.W_v",
    "attention.output.dense": "self_attention.W_o",
    "attention.output.LayerNorm": "norm_1",
    "intermediate.dense": "feed_forward.W_1",
    "output.dense": "feed_forward.W_2",
    "output.LayerNorm": "norm_2",
}


def test_the_encoder_layers_of_lesson_05_give_bert_s_hidden_states():
    torch.manual_seed(0)
    sizes = dict(hidden_size=24, num_attention_heads=4, intermediate_size=48, num_hidden_layers=3, vocab_size=50)
    bert = BertModel(BertConfig(**sizes, pad_token_id=0)).double().eval()
    ids = torch.tensor([[5, 6, 7, 8], [9, 5, 0, 0]])
    expected = bert(ids, attention_mask=(ids != 0).long(), output_hidden_states=True).hidden_states
    x = expected[0]
    for theirs, hidden in zip(bert.encoder.layer, expected[1:], strict=True):
        layer = EncoderLayer(24, 4, 48, 0.0, nn.functional.gelu).double().eval()
        layer.load_state_dict(renamed_weights(theirs, BERT_NAMES))
        layer.norm_1.eps = layer.norm_2.eps = 1e-12
        x = layer(x, padding_mask(ids, 0))
        torch.testing.assert_close(x[ids != 0], hidden[ids != 0], rtol=0, atol=1e-12)


def test_parameter_counts_by_part_are_those_of_bert_base():
    # Devlin et al. 2019: 12 layers, 768 wide, 3072 inside; of torch's own layers, counted without memory.
    layer = nn.TransformerEncoderLayer(768, 12, 3072, device="meta")
    assert sum(encoder_parameter_count(768, 3072, 12)) == 12 * sum(p.numel() for p in layer.parameters())


def test_rotary_of_lesson_04_is_llama_s():
    torch.manual_seed(0)
    queries = torch.randn(1, 2, 7, 16, dtype=torch.float64)
    config = LlamaConfig(hidden_size=32, num_attention_heads=2, max_position_embeddings=32)
    cos, sin = LlamaRotaryEmbedding(config)(queries, torch.arange(7)[None])
    expected, _ = apply_rotary_pos_emb(queries, queries, cos, sin)
    torch.testing.assert_close(rotary(queries), expected, rtol=0, atol=1e-6)  # transformers computes angles in float32


def test_the_transformer_of_lesson_07_is_torch_s_with_the_same_weights():
    torch.manual_seed(0)
    ours = Transformer(11, 13, 8, 2, 16, layers=2, dropout=0.0).double().eval()
    theirs = nn.Transformer(8, 2, 2, 2, 16, 0.0, batch_first=True, dtype=torch.float64).eval()
    theirs.encoder.norm = theirs.decoder.norm = None
    for stack, torch_s in ((ours.encoder, theirs.encoder.layers), (ours.decoder, theirs.decoder.layers)):
        for layer, other in zip(stack, torch_s, strict=True):
            norms = {f"norm{i}": f"norm_{i}" for i in (1, 2, 3) if hasattr(other, f"norm{i}")}
            weights = renamed_weights(other, {"linear1": "feed_forward.W_1", "linear2": "feed_forward.W_2", **norms})
            for there, here in (("self_attn", "self_attention"), ("multihead_attn", "cross_attention")):
                if hasattr(other, there):
                    attention = getattr(other, there)
                    matrices, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
                    projections = zip("qkv", matrices, biases, strict=True)
                    for letter, W, b in projections:
                        weights |= {f"{here}.W_{letter}.weight": W, f"{here}.W_{letter}.bias": b}
                    weights |= renamed_weights(other, {f"{there}.out_proj": f"{here}.W_o"})
            layer.load_state_dict(weights)
    source, target = torch.tensor([[4, 5, 6], [7, 0, 0]]), torch.tensor([[1, 8, 9, 12], [1, 4, 4, 4]])
    hidden = theirs(
        embed_with_positions(source, ours.source_table),
        embed_with_positions(target, ours.target_table),
        tgt_mask=torch.ones(4, 4).triu(1).bool(),
        src_key_padding_mask=source == 0,
        memory_key_padding_mask=source == 0,
    )
    torch.testing.assert_close(ours(source, target), hidden @ ours.target_table.T, rtol=0, atol=1e-12)


def test_a_future_token_changes_nothing_before_it_in_lessons_06_and_07():
    torch.manual_seed(0)
    language_model, translator = LanguageModel(9, 8, 2, 16, 2).eval(), Transformer(9, 9, 8, 2, 16, 2).eval()
    ids = torch.tensor([[4, 5, 6, 7]])
    changed = torch.tensor([[4, 5, 6, 8]])
    assert torch.equal(language_model(ids)[:, :3], language_model(changed)[:, :3])
    assert torch.equal(translator(ids, ids)[:, :3], translator(ids, changed)[:, :3])


def test_padding_of_the_source_changes_nothing_in_lesson_07():
    torch.manual_seed(0)
    model = Transformer(9, 9, 8, 2, 16, 2).double().eval()
    target = torch.tensor([[1, 5, 6]])
    separately, padded = model(torch.tensor([[4, 5]]), target), model(torch.tensor([[4, 5, 0, 0]]), target)
    torch.testing.assert_close(separately, padded, rtol=0, atol=1e-12)


def test_the_learning_rate_peaks_where_the_paper_says():
    # Section 5.3 with d_model = 512 and 4,000 steps of warm-up: (512 · 4000)^-0.5.
    rates = [learning_rate(step, 512, 4000) for step in (3999, 4000, 4001)]
    assert max(rates) == rates[1]
    assert abs(rates[1] - 0.00069877) < 1e-8


def test_a_decoder_layer_with_a_silent_memory_is_a_masked_encoder_layer_except_for_one_norm():
    torch.manual_seed(0)
    layer = DecoderLayer(8, 2, 16, 0.0).eval()
    x, memory = torch.randn(1, 4, 8), torch.randn(1, 3, 8)
    nn.init.zeros_(layer.cross_attention.W_o.weight)
    nn.init.zeros_(layer.cross_attention.W_o.bias)
    mask = torch.ones(4, 4).tril().bool()
    middle = layer.norm_1(x + layer.self_attention(x, x, x, mask))
    heard_nothing = layer.norm_2(middle)
    torch.testing.assert_close(layer(x, memory, mask), layer.norm_3(heard_nothing + layer.feed_forward(heard_nothing)))


def test_both_greedy_functions_take_the_likeliest_token_at_the_last_position():
    torch.manual_seed(0)
    language_model, translator = LanguageModel(9, 8, 2, 16, 1).eval(), Transformer(9, 9, 8, 2, 16, 1).eval()
    first = continue_greedily(language_model, [4, 5], 3)
    assert first[0] == language_model(torch.tensor([[4, 5]]))[0, -1].argmax()
    assert first[2] == language_model(torch.tensor([[4, 5, *first[:2]]]))[0, -1].argmax()
    said = greedy_translation(translator, [4, 5], 4)
    assert said[:1] == [
        i for i in [int(translator(torch.tensor([[4, 5]]), torch.tensor([[1]]))[0, -1].argmax())] if i != 2
    ]
