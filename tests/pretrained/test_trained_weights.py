"""The course's trained models run on a learner's parts, each of which is really called, with the same results."""

from collections import Counter
from dataclasses import fields, replace

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.pretrained import (
    load_encoder,
    load_plain_tales_model,
    load_tales_model,
    load_translator,
    trained_weights,
)
from course_lib.transformer.build import COURSE, Parts, build_language_model
from course_lib.transformer.config import TransformerConfig
from tests import plain_parts
from tests.plain_parts import plain

# The parts that the learner's whole Transformer uses, and those that the other two models need as well.
OF_THE_TRANSFORMER = {
    "scaled_dot_product_attention",
    "split_heads",
    "merge_heads",
    "MultiHeadAttention",
    "LayerNorm",
    "FeedForward",
    "post_norm",
    "cross_attend",
    "EncoderLayer",
    "DecoderLayer",
    "causal_mask",
    "padding_mask",
    "embed",
    "sinusoidal",
    "embed_with_positions",
    "Transformer",
}
SENTENCE = "the old detective did not find the small key"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the calls of each part of `plain_parts`, including calls from one part to another."""
    counts: Counter[str] = Counter()
    for name in (field.name for field in fields(Parts)):
        part = getattr(plain_parts, name)
        target, attribute = (part, "forward") if isinstance(part, type) else (plain_parts, name)
        original = getattr(target, attribute)

        def counting(*arguments, name=name, original=original):
            counts[name] += 1
            return original(*arguments)

        monkeypatch.setattr(target, attribute, counting)
    return counts


def test_the_translator_runs_on_every_part_of_the_learners_transformer(called: Counter[str]):
    ours, theirs = load_translator(), load_translator(parts=plain())
    assert type(theirs.model) is plain_parts.Transformer
    assert theirs.translate(SENTENCE) == ours.translate(SENTENCE)
    # A batch of sentences of different lengths, so that there is padding to hide.
    source = torch.tensor([ours.english.encode(SENTENCE.split()), [*ours.english.encode(["the", "key"]), *[0] * 7]])
    target = torch.tensor([[1, 5, 6], [1, 7, 8]])
    with torch.no_grad():
        torch.testing.assert_close(theirs.model(source, target), ours.model(source, target), rtol=0, atol=2e-5)
    assert {name for name in OF_THE_TRANSFORMER if not called[name]} == set()


@pytest.mark.parametrize("name", sorted(OF_THE_TRANSFORMER))
def test_the_translator_runs_on_any_single_learners_part(name: str, called: Counter[str]):
    ours = load_translator()
    theirs = load_translator(parts=replace(COURSE, **{name: getattr(plain_parts, name)}))
    called.clear()
    source = torch.tensor([ours.english.encode(SENTENCE.split()), [*ours.english.encode(["the", "key"]), *[0] * 7]])
    target = torch.tensor([[1, 5, 6], [1, 7, 8]])
    with torch.no_grad():
        torch.testing.assert_close(theirs.model(source, target), ours.model(source, target), rtol=0, atol=2e-5)
    assert called[name] or name == "sinusoidal", "a table of positions is computed once and remembered"


def test_the_tales_model_runs_on_the_parts_that_it_shares_with_the_2017_model(called: Counter[str]):
    ours, theirs = load_tales_model(), load_tales_model(parts=plain())
    ids = torch.tensor([ours.encode("Once upon a time there was a king")])
    with torch.no_grad():
        torch.testing.assert_close(theirs.model(ids), ours.model(ids), rtol=0, atol=1e-4)
    shared = {
        "scaled_dot_product_attention",
        "split_heads",
        "merge_heads",
        "causal_mask",
        "embed",
        "rotary",
        "pre_norm",
    }
    assert {name for name in shared if not called[name]} == set()
    assert theirs.complete("Once upon a ti", 20) == ours.complete("Once upon a ti", 20)


def test_the_plain_tales_model_is_the_learners_own_language_model(called: Counter[str]):
    ours, theirs = load_plain_tales_model(), load_plain_tales_model(parts=plain())
    assert type(theirs.model) is plain_parts.LanguageModel
    ids = torch.tensor([ours.encode("Once upon a time there was a king")])
    with torch.no_grad():
        torch.testing.assert_close(theirs.model(ids), ours.model(ids), rtol=0, atol=1e-4)
    expected = {"EncoderLayer", "MultiHeadAttention", "FeedForward", "LayerNorm", "post_norm", "causal_mask"}
    assert {name for name in expected if not called[name]} == set()
    assert theirs.complete("Once upon a ti", 60) == ours.complete("Once upon a ti", 60)


def test_the_pretrained_encoder_runs_on_the_learners_layers(called: Counter[str]):
    data.fetch("pretrained-encoder")
    ours, theirs = load_encoder("cpu"), load_encoder("cpu", parts=plain())
    assert all(type(layer) is plain_parts.EncoderLayer for layer in theirs.encoder.layers)
    sentences = ["The detective investigated.", "It was a dark and stormy night, and nobody was on the road."]
    torch.testing.assert_close(theirs.embed(sentences), ours.embed(sentences), rtol=0, atol=1e-5)
    expected = {"EncoderLayer", "MultiHeadAttention", "scaled_dot_product_attention", "split_heads", "merge_heads"}
    expected |= {"LayerNorm", "FeedForward", "gelu", "post_norm", "padding_mask", "LearnedPositions", "embed"}
    assert {name for name in expected if not called[name]} == set()


class OtherNames(nn.Module):
    """A right LayerNorm whose weights have other names."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight, self.shift, self.eps = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model)), eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], self.weight, self.shift, self.eps)


def test_a_class_with_other_names_for_its_weights_is_replaced_by_the_courses_and_a_warning_says_so_once(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
):
    monkeypatch.setattr(trained_weights, "_warned", set())
    parts = replace(COURSE, LayerNorm=OtherNames, MultiHeadAttention=plain_parts.MultiHeadAttention)
    for _ in range(2):
        load_translator.cache_clear()
        translator = load_translator(parts=parts)
    assert translator.translate("the detective investigated") == "le détective a enquêté"
    assert type(translator.model.encoder[0].norm_1) is COURSE.LayerNorm
    assert type(translator.model.encoder[0].self_attention) is plain_parts.MultiHeadAttention
    (warning,) = recwarn
    assert str(warning.message) == (
        "Your LayerNorm has no gain, so trained weights do not fit into it: "
        "here the course's LayerNorm takes its place."
    )


def test_no_warning_speaks_of_a_class_that_the_model_does_not_use(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
):
    monkeypatch.setattr(trained_weights, "_warned", set())
    parts = replace(
        COURSE, LayerNorm=OtherNames
    )  # the model of tales needs one without a bias, the translator does not
    load_tales_model.__wrapped__(parts=parts)
    assert [str(each.message) for each in recwarn] == []
    load_translator.__wrapped__(parts=parts)
    assert [str(each.message).split(",")[0] for each in recwarn] == ["Your LayerNorm has no gain"]


def test_a_small_class_is_looked_at_too_where_only_the_courses_larger_class_uses_it():
    class OtherLayer(nn.Module):
        def __init__(self, d_model: int, heads: int, d_ff: int, dropout: float = 0.1, activation=None) -> None:
            super().__init__()
            self.only = nn.Linear(d_model, d_model)

        def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            return self.only(x)

    config = TransformerConfig(vocabulary=9, d_model=8, heads=2, d_ff=12, layers=1, pad=None)
    model, ids = build_language_model(config).eval(), torch.tensor([[3, 1, 4]])
    parts = replace(COURSE, EncoderLayer=OtherLayer, LayerNorm=OtherNames)
    torch.testing.assert_close(trained_weights.rebuild(model, parts)(ids), model(ids))


@pytest.mark.parametrize("takes_start", [False, True], ids=["counts from 0", "takes a start"])
def test_a_rotary_that_pairs_neighbours_as_in_the_paper_gives_the_same_logits(takes_start: bool):
    called = []

    def from_start(x, start=0):
        called.append(start)
        angles = torch.arange(start, start + x.size(-2))[:, None] / 10_000 ** (
            torch.arange(0, x.size(-1), 2) / x.size(-1)
        )
        pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
        return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)

    def from_0(x):
        return from_start(x)

    rotary = from_start if takes_start else from_0
    ours, theirs = load_tales_model(), load_tales_model(parts=replace(COURSE, rotary=rotary))
    ids = torch.tensor([ours.encode("There was once a poor ")])
    called.clear()
    with torch.no_grad():
        torch.testing.assert_close(theirs.model(ids), ours.model(ids), rtol=0, atol=1e-4)
    assert called == [0] * 2 * len(ours.model.layers)
    rotated = theirs.model.layers[0].self_attention.rotate(torch.ones(1, 1, 2, 8), 5)
    torch.testing.assert_close(rotated, ours.model.layers[0].self_attention.rotate(torch.ones(1, 1, 2, 8), 5))
    assert called[-1] == (5 if takes_start else 0)


def test_an_empty_model_is_made_without_random_numbers_for_its_weights():
    states = []

    def build(config: TransformerConfig, parts: Parts) -> nn.Module:
        states.append(torch.get_rng_state())
        linear = nn.Linear(3, 4)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.normal_(linear.bias, std=0.02)
        states.append(torch.get_rng_state())
        return linear

    trained_weights.empty_model(build, TransformerConfig(vocabulary=7), COURSE)
    assert torch.equal(*states)


def test_numbers_that_a_learners_part_draws_for_itself_stay_in_an_empty_model():
    class Noisy(nn.Module):
        def __init__(self, d_model: int, d_ff: int) -> None:
            super().__init__()
            self.W_gate, self.W_1 = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_model, d_ff, bias=False)
            self.W_2 = nn.Linear(d_ff, d_model, bias=False)
            self.noise = torch.empty(1000).uniform_(2, 3)

    config = TransformerConfig.llama(vocabulary=7, d_model=8, heads=2, kv_heads=1, d_ff=6, layers=1)
    model = trained_weights.empty_model(build_language_model, config, replace(COURSE, SwiGLU=Noisy))
    noise = model.layers[0].feed_forward.noise
    assert 2 <= noise.min() < noise.max() <= 3
