"""Configurations: the papers' sizes and styles, and impossible combinations."""

import dataclasses
import math

import pytest
from transformers import BertConfig, GPT2Config

from course_lib.transformer.config import TransformerConfig


def test_the_defaults_are_the_base_model_of_2017() -> None:
    base = TransformerConfig(vocabulary=37_000)
    assert (base.d_model, base.heads, base.d_ff, base.layers, base.dropout) == (512, 8, 2048, 6, 0.1)
    assert (base.norm, base.norm_place, base.activation, base.positions) == ("layer", "post", "relu", "sinusoidal")
    assert (base.bias, base.norm_eps, base.rotary_base) == (True, 1e-5, 10_000)
    assert (base.tied_embeddings, base.scaled_embeddings, base.embedding_norm, base.segments) == (True, True, False, 0)
    assert (base.pad, base.target_vocabulary, base.kv_heads, base.max_length) == (0, None, None, 512)


def test_the_bert_configuration_is_the_default_of_transformers() -> None:
    ours, theirs = TransformerConfig.bert(), BertConfig()
    assert (ours.vocabulary, ours.d_model, ours.heads) == (
        theirs.vocab_size,
        theirs.hidden_size,
        theirs.num_attention_heads,
    )
    assert (ours.d_ff, ours.layers) == (theirs.intermediate_size, theirs.num_hidden_layers)
    assert (ours.max_length, ours.segments) == (theirs.max_position_embeddings, theirs.type_vocab_size)
    assert (ours.norm_eps, ours.dropout) == (theirs.layer_norm_eps, theirs.hidden_dropout_prob)
    assert (ours.activation, ours.pad) == (theirs.hidden_act, theirs.pad_token_id)
    assert (ours.norm_place, ours.positions, ours.embedding_norm) == ("post", "learned", True)
    assert not ours.scaled_embeddings
    assert not ours.ends_in_norm


def test_the_gpt2_configuration_is_the_default_of_transformers() -> None:
    ours, theirs = TransformerConfig.gpt2(), GPT2Config()
    assert (ours.vocabulary, ours.d_model, ours.heads) == (theirs.vocab_size, theirs.n_embd, theirs.n_head)
    assert (ours.d_ff, ours.layers, ours.max_length) == (4 * theirs.n_embd, theirs.n_layer, theirs.n_positions)
    assert (ours.norm_eps, ours.dropout) == (theirs.layer_norm_epsilon, theirs.resid_pdrop)
    assert theirs.activation_function == "gelu_new", "transformers' name of the tanh form"
    assert (ours.norm_place, ours.activation, ours.positions, ours.pad) == ("pre", "gelu_tanh", "learned", None)
    assert not ours.scaled_embeddings
    assert ours.ends_in_norm


def test_the_llama_configuration_is_the_published_one_of_smollm2() -> None:
    # https://huggingface.co/HuggingFaceTB/SmolLM2-135M/blob/main/config.json
    ours = TransformerConfig.llama()
    assert (ours.vocabulary, ours.d_model, ours.d_ff, ours.layers) == (49_152, 576, 1536, 30)
    assert (ours.heads, ours.kv_heads, ours.max_length) == (9, 3, 8192)
    assert (ours.rotary_base, ours.norm_eps, ours.tied_embeddings) == (100_000, 1e-5, True)
    assert (ours.norm, ours.norm_place, ours.activation, ours.positions) == ("rms", "pre", "swiglu", "rotary")
    assert (ours.bias, ours.dropout, ours.scaled_embeddings, ours.pad) == (False, 0.0, False, None)
    assert ours.ends_in_norm


@pytest.mark.parametrize("style", [TransformerConfig.bert, TransformerConfig.gpt2, TransformerConfig.llama])
def test_a_style_may_be_changed(style: type[TransformerConfig]) -> None:
    changes = dict(d_model=24, heads=3, kv_heads=1, norm_eps=1e-3, pad=7, scaled_embeddings=True, dropout=0.3)
    changed = style(**changes)
    assert {name: getattr(changed, name) for name in changes} == changes
    assert dataclasses.replace(style(), **changes) == changed


@pytest.mark.parametrize(
    ("norm_place", "final_norm", "ends_in_norm"),
    [("post", None, False), ("pre", None, True), ("post", True, True), ("pre", False, False)],
)
def test_a_pre_norm_stack_ends_in_a_norm_and_a_post_norm_one_need_not(
    norm_place: str, final_norm: bool | None, ends_in_norm: bool
) -> None:
    config = TransformerConfig(vocabulary=5, norm_place=norm_place, final_norm=final_norm)
    assert config.ends_in_norm is ends_in_norm


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"d_model": 10, "heads": 4}, "d_model should be a multiple of heads: d_model=10 and heads=4 are not"),
        ({"heads": 8, "kv_heads": 3}, "heads should be a multiple of kv_heads: heads=8 and kv_heads=3 are not"),
        *(
            ({name: 0}, f"{name} should be at least 1, but is 0")
            for name in ("vocabulary", "target_vocabulary", "d_model", "heads", "kv_heads", "d_ff", "layers")
        ),
        ({"max_length": -1}, "max_length should be at least 1, but is -1"),
        ({"pad": -1}, "pad should be at least 0, but is -1"),
        ({"segments": -1}, "segments should be at least 0, but is -1"),
        ({"dropout": 1.0}, "dropout should be at least 0 and below 1, but is 1.0"),
        ({"dropout": -0.1}, "dropout should be at least 0 and below 1, but is -0.1"),
        ({"dropout": math.nan}, "dropout should be at least 0 and below 1, but is nan"),
        ({"d_model": 9, "heads": 3}, "sinusoidal positions turn pairs of features, so 9 features are one too many"),
        (
            {"d_model": 12, "heads": 4, "positions": "rotary"},
            "rotary positions turn pairs of features, so 3 features are one too many",
        ),
        ({"norm": "batch"}, r"norm should be one of \('layer', 'rms'\), but is 'batch'"),
        ({"norm_place": "first"}, r"norm_place should be one of \('post', 'pre'\), but is 'first'"),
        ({"activation": "tanh"}, "activation should be one of .*'swiglu'.*, but is 'tanh'"),
        ({"positions": None}, "positions should be one of .*'rotary'.*, but is None"),
        ({"norm_eps": 0.0}, "norm_eps=0.0 and rotary_base=10000.0 should both be more than 0"),
        ({"norm_eps": math.nan}, "norm_eps=nan and rotary_base=10000.0 should both be more than 0"),
        ({"rotary_base": -1.0}, "rotary_base=-1.0 should both be more than 0"),
    ],
)
def test_an_impossible_configuration_is_refused(choice: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TransformerConfig(**{"vocabulary": 20, **choice})


@pytest.mark.parametrize(
    "choice",
    [
        dict(d_model=9, heads=3, positions="learned"),
        dict(d_model=9, heads=3, positions="none"),
        dict(d_model=10, heads=5, positions="rotary"),
        dict(vocabulary=1, d_model=2, heads=1, kv_heads=1, d_ff=1, layers=1, max_length=1, pad=0, dropout=0.0),
        dict(pad=None, kv_heads=8, target_vocabulary=1, dropout=0.99),
    ],
)
def test_a_configuration_at_the_limits_is_accepted(choice: dict[str, object]) -> None:
    TransformerConfig(**{"vocabulary": 20, **choice})


def test_a_configuration_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TransformerConfig(vocabulary=20).layers = 3
