"""SmolLM2 in our `LanguageModel`, against transformers' LlamaForCausalLM with the same unpacked weights."""

from pathlib import Path

import pytest
import torch
from jinja2 import Template

from course_lib import data
from course_lib.data import tales
from course_lib.pretrained import decoder as decoder_module
from course_lib.pretrained.decoder import (
    FILE,
    config_of,
    halves_from_neighbours,
    load_decoder,
    merges_of,
    our_name,
    our_weights,
    tokenizer_of,
)
from course_lib.pretrained.gguf_files import ModelFile
from course_lib.text.byte_pairs import encode_piece
from course_lib.text.chat import chat_prompt
from course_lib.transformer.build import Parts
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.layers import EncoderLayer, LlamaLayer
from course_lib.writing.cache import CachedModel
from course_lib.writing.choose import greedy, likeliest
from tests import plain_parts
from tests.transformer import reference

TEXT = "Once upon a time, there was a king who had 3 daughters. The youngest of them"
ROUNDING = 1e-3  # float32 through thirty layers, on logits of up to 40


@pytest.fixture(scope="module")
def file():
    return ModelFile(data.fetch("pretrained-decoder") / FILE)


@pytest.fixture(scope="module")
def ours(file):
    return load_decoder()


@pytest.fixture(scope="module")
def theirs(file):
    return reference.smollm2(our_weights(file, config_of(file.about)))


@torch.no_grad()
def test_logits_equal_those_of_transformers_first_at_position_0_then_at_5(ours, theirs):
    ids = ours.tokenizer.encode(TEXT)
    expected, got = theirs(torch.tensor([ids])).logits[0], ours.logits(ids)
    for position in (0, 5, len(ids) - 1):
        assert (got[position] - expected[position]).abs().max() < ROUNDING, position


@torch.no_grad()
def test_logits_from_a_learners_own_layers_equal_those_of_transformers(file, theirs):
    own = {name: getattr(plain_parts, name) for name in ("RMSNorm", "SwiGLU", "LlamaLayer")}
    mine = load_decoder(Parts(**own), cached=False)
    assert isinstance(mine.model.layers[0], plain_parts.LlamaLayer)
    ids = mine.tokenizer.encode(TEXT)
    expected, got = theirs(torch.tensor([ids])).logits[0], mine.logits(ids)
    for position in (0, 5, len(ids) - 1):
        assert (got[position] - expected[position]).abs().max() < ROUNDING, position


def test_greedy_text_with_the_cache_equals_transformers_generate(ours, theirs):
    ids = ours.tokenizer.encode(TEXT)
    output = theirs.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=24, do_sample=False, pad_token_id=2
    )
    assert greedy(ours.model, [ids], 24, stop=ours.stop)[0] == output[0, len(ids) :].tolist()


def test_the_page_of_a_llama_layer_computes_what_the_encoder_layer_does(ours):
    layer, config = ours.model.layers[3], ours.model.config
    rotate = layer.self_attention.rotate
    page = LlamaLayer(config.d_model, config.heads, config.kv_heads, config.d_ff, rotate)
    page.load_state_dict(layer.state_dict())
    x = torch.randn(2, 7, config.d_model, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(7, 7).tril().bool()
    torch.testing.assert_close(page(x, mask), layer(x, mask), rtol=1e-4, atol=1e-4)


def test_the_model_has_the_weights_of_the_file_and_no_others(ours, file):
    assert {our_name(name) for name in file.names()} == set(ours.model.state_dict())
    assert sum(weight.numel() for weight in ours.model.parameters()) == 134_515_008


def test_matrices_are_stored_by_columns_and_side_by_side_so_that_writing_copies_none(ours):
    layer, cached = ours.model.layers[3], CachedModel(ours.model, 8)
    assert ours.model.table.T.is_contiguous()
    assert layer.self_attention.W_o.weight.T.is_contiguous()
    assert layer.feed_forward.W_2.weight.T.is_contiguous()
    assert not cached.wide_maps.maps
    assert len(cached.wide_maps.joined) == len(cached.text_caches) == 30
    for layer, (weight, _), cache in zip(ours.model.layers, cached.wide_maps.joined, cached.text_caches, strict=True):
        assert weight.data_ptr() == layer.feed_forward.W_gate.weight.data_ptr()
        assert cache.joined[0].data_ptr() == layer.self_attention.W_q.weight.data_ptr()


def test_a_file_without_one_of_the_weights_is_refused(monkeypatch):
    names = ModelFile.names
    monkeypatch.setattr(
        ModelFile, "names", lambda self: [name for name in names(self) if name != "blk.7.ffn_up.weight"]
    )
    with pytest.raises(data.DataBroken, match=r"it lacks layers\.7\.feed_forward\.W_1\.weight"):
        load_decoder()


def test_the_rows_of_queries_are_put_back_as_transformers_does_it():
    from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

    weight = torch.arange(24 * 3.0).reshape(24, 3)
    theirs = LlamaTensorProcessor({})._reverse_permute_weights(weight.numpy(), 3, 3)
    assert torch.equal(halves_from_neighbours(weight, 3), torch.from_numpy(theirs.copy()))


def test_our_byte_pairs_are_the_librarys_on_all_tales(file):
    tokenizer = tokenizer_of(file.about)
    data.fetch("tales")
    text = tales.text() + " naïve café 東京 🙂 3.14 can't\t\n\n  x"
    vocabulary = {token: number for number, token in enumerate(file.about["tokenizer.ggml.tokens"])}
    ranks = {pair: rank for rank, pair in enumerate(merges_of(file.about))}
    known = {}
    ids = []
    for piece in tokenizer.pieces(text):
        if piece not in known:
            known[piece] = encode_piece(piece, vocabulary, ranks)
        ids += known[piece]
    assert "".join(tokenizer.pieces(text)) == text
    assert ids == tokenizer.encode(text)
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "Hello!"}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello!"}],
        [
            {"role": "user", "content": "Hello!"},
            {"role": "assistant", "content": "Hi.\nWho are you?"},
            {"role": "user", "content": "A king."},
        ],
    ],
)
def test_a_conversation_is_written_as_the_files_own_template_has_it(file, ours, messages):
    template = Template(file.about["tokenizer.chat_template"])
    expected = template.render(messages=messages, add_generation_prompt=True)
    assert chat_prompt(messages, ours.system) == expected


def test_a_conversation_ends_where_the_turn_ends(ours):
    answer = "".join(ours.answer([{"role": "user", "content": "What is the capital of France?"}], 40))
    assert answer == "The capital of France is Paris."


def test_a_text_arrives_in_pieces_that_are_together_the_whole_text(ours):
    pieces = list(ours.write("Once upon a time", 12))
    assert len(pieces) >= 10
    ids = ours.tokenizer.encode("Once upon a time")
    assert "".join(pieces) == ours.tokenizer.decode(greedy(ours.model, [ids], 12, stop=ours.stop)[0])


def test_an_answer_begins_with_what_the_file_says_that_the_model_is_told_first(ours, monkeypatch):
    texts = []
    monkeypatch.setattr(type(ours), "write", lambda _, text, max_length, **how: texts.append((text, max_length, how)))
    ours.answer([{"role": "user", "content": "Hello!"}], 3, use_cache=False)
    prompt = chat_prompt(
        [{"role": "user", "content": "Hello!"}], "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    )
    assert texts == [(prompt, 3, {"use_cache": False})]


def test_a_text_is_written_as_was_asked_for_up_to_either_of_two_ids(ours, monkeypatch):
    asked = []
    monkeypatch.setattr(
        decoder_module, "write_tokens", lambda model, ids, length, **how: asked.append((ids, how)) or []
    )
    assert ours.stop == [2, 0]
    for use_cache in (True, False):
        assert list(ours.write("", 3, use_cache=use_cache)) == []
    expected = [([0], {"choose": likeliest, "stop": [2, 0], "use_cache": use_cache}) for use_cache in (True, False)]
    assert asked == expected


@torch.no_grad()
def test_log_probabilities_are_those_of_each_token_after_the_first(ours):
    ids = ours.tokenizer.encode("Once upon a time")
    log_p = ours.logits(ids).log_softmax(-1)
    expected = torch.stack([log_p[i, ids[i + 1]] for i in range(len(ids) - 1)])
    torch.testing.assert_close(ours.log_probabilities(ids), expected)
    assert (expected < 0).all()


def test_a_model_that_writes_with_a_cache_has_the_courses_layers_of_a_learners_smaller_parts():
    own = {name: getattr(plain_parts, name) for name in ("SwiGLU", "LlamaLayer")}
    layer = load_decoder(Parts(**own)).model.layers[0]
    assert isinstance(layer, EncoderLayer)
    assert isinstance(layer.feed_forward, plain_parts.SwiGLU)


def test_weights_are_unpacked_as_was_asked_for():
    model = load_decoder(unpack=lambda blocks: torch.full((len(blocks), 32), 0.25)).model
    assert (model.layers[29].feed_forward.W_2.weight == 0.25).all()


SETTINGS = {
    "general.architecture": "llama",
    "llama.vocab_size": 70,
    "llama.embedding_length": 24,
    "llama.attention.head_count": 6,
    "llama.attention.head_count_kv": 2,
    "llama.feed_forward_length": 40,
    "llama.block_count": 5,
    "llama.context_length": 90,
    "llama.rope.freq_base": 500.0,
    "llama.attention.layer_norm_rms_epsilon": 9.999999974752427e-07,
}


def test_all_sizes_are_read_from_the_file():
    expected = TransformerConfig.llama(
        vocabulary=70,
        d_model=24,
        heads=6,
        kv_heads=2,
        d_ff=40,
        layers=5,
        max_length=90,
        rotary_base=500.0,
        norm_eps=1e-6,
    )
    assert config_of(SETTINGS) == expected


def test_a_file_that_lacks_a_setting_is_named_with_what_to_do(monkeypatch):
    about = {name: value for name, value in SETTINGS.items() if name != "llama.block_count"}
    monkeypatch.setattr(decoder_module, "config_of", lambda _: config_of(about))
    with pytest.raises(data.DataBroken, match=r"llama\.block_count"):
        load_decoder()


def test_a_file_with_a_weight_of_another_shape_is_refused(monkeypatch):
    shape = ModelFile.shape
    monkeypatch.setattr(
        ModelFile, "shape", lambda self, name: (1,) if name == "output_norm.weight" else shape(self, name)
    )
    with pytest.raises(data.DataBroken, match=r"it lacks final_norm\.gain, or holds it with another shape"):
        load_decoder()


def test_missing_data_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match="pretrained-decoder"):
        load_decoder()


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, monkeypatch):
    (tmp_path / FILE).write_bytes(b"GGUF and then nothing sensible")
    monkeypatch.setattr(decoder_module.data, "path", lambda _: tmp_path)
    with pytest.raises(data.DataBroken, match=r"course\.py data pretrained-decoder"):
        load_decoder()


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="expected a Llama, but the file holds a model of kind 'bert'"):
        config_of({"general.architecture": "bert"})


def test_building_changes_no_random_state(file):
    torch.manual_seed(3)
    expected = torch.randn(2)
    torch.manual_seed(3)
    load_decoder()
    assert torch.equal(torch.randn(2), expected)
