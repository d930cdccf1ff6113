"""Greedy decoding, beam search and the filters against transformers' `generate`, on the same weights.

Random GPT-2 and Llama, and the course's own language model in OLMo's shape; a random Marian translator, and the
course's own in Marian's shape. Length penalty off on both sides: alpha=0 here is their length_penalty=0.0. Their
formulas differ where it is on; ours is held to values by hand in test_beam.py.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LogitsProcessorList,
    MarianConfig,
    MarianMTModel,
    OlmoConfig,
    OlmoForCausalLM,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from course_lib.data import grammar
from course_lib.pretrained import load_tales_model, load_translator
from course_lib.transformer.build import build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.transformer.positions import sinusoidal
from course_lib.writing.beam import Hypothesis, beam_search
from course_lib.writing.choose import apply_temperature, greedy, sample, sampler, top_k_filter, top_p_filter
from tests.transformer import reference

# Where a search decides between two candidates here, their scores are 3e-5 apart or more, three times their rounding.
SCORES = 1e-4
LENGTH = 12
BOS, EOS = 1, 2


@dataclass(frozen=True)
class Twins:
    """A model of ours and one of theirs with the same weights, and what they are asked to write."""

    ours: LanguageModel | Transformer
    theirs: nn.Module
    prompts: Sequence[Sequence[int]]
    stop: Sequence[int]
    length: int = LENGTH


def random_prompts(count: int, vocabulary: int, longest: int, seed: int) -> list[list[int]]:
    chance = random.Random(seed)
    return [[chance.randrange(3, vocabulary) for _ in range(chance.randint(1, longest))] for _ in range(count)]


def gpt2() -> Twins:
    config = GPT2Config(
        vocab_size=31, n_positions=24, n_embd=16, n_layer=2, n_head=2, n_inner=24, tie_word_embeddings=False
    )
    theirs = GPT2LMHeadModel(config).eval()
    reference.stir(theirs)
    sizes = dict(vocabulary=31, d_model=16, heads=2, d_ff=24, layers=2, max_length=24)
    ours = build_language_model(TransformerConfig.gpt2(**sizes, tied_embeddings=False))
    ours.load_state_dict(reference.gpt2_language_model(theirs))
    return Twins(ours, theirs, random_prompts(50, 31, longest=11, seed=1), stop=(2, 10, 28))


def llama() -> Twins:
    theirs = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=31,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=24,
            rms_norm_eps=1e-5,
            tie_word_embeddings=False,
        )
    ).eval()
    reference.stir(theirs)
    sizes = dict(vocabulary=31, d_model=16, heads=4, kv_heads=2, d_ff=24, layers=2, max_length=24)
    ours = build_language_model(TransformerConfig.llama(**sizes, rotary_base=10_000.0, tied_embeddings=False))
    ours.load_state_dict(reference.llama_language_model(theirs))
    return Twins(ours, theirs, random_prompts(50, 31, longest=11, seed=2), stop=(2, 7, 19))


def tales() -> Twins:
    """The course's own language model, which writes characters, and stops where a word ends."""
    trained = load_tales_model()
    ours, config = trained.model, trained.model.config
    theirs = OlmoForCausalLM(
        OlmoConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.d_model,
            intermediate_size=config.d_ff,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            max_position_embeddings=config.max_length,
            eos_token_id=None,
        )
    ).eval()
    theirs.load_state_dict(reference.olmo_from_language_model(ours))
    text = "once upon a time there was a king who had a daughter, and she was so beautiful that the sun itself wondered"
    chance = random.Random(3)
    starts = [(chance.randrange(60), chance.randint(2, 40)) for _ in range(40)]
    prompts = [trained.encode(text[start : start + length]) for start, length in starts]
    return Twins(ours, theirs, prompts, [*trained.encode(" "), *trained.encode(",")])


def marian_like(config: TransformerConfig) -> MarianMTModel:
    """transformers' translator in the shape of ours, with random weights and the paper's positions."""
    theirs = MarianMTModel(
        MarianConfig(
            vocab_size=config.vocabulary,
            decoder_vocab_size=config.target_vocabulary,
            share_encoder_decoder_embeddings=False,
            max_position_embeddings=config.max_length,
            d_model=config.d_model,
            encoder_layers=config.layers,
            decoder_layers=config.layers,
            encoder_attention_heads=config.heads,
            decoder_attention_heads=config.heads,
            encoder_ffn_dim=config.d_ff,
            decoder_ffn_dim=config.d_ff,
            activation_function="relu",
            scale_embedding=True,
            pad_token_id=0,
            eos_token_id=EOS,
            decoder_start_token_id=BOS,
            forced_eos_token_id=None,
            tie_word_embeddings=config.tied_embeddings,
        )
    ).eval()
    reference.marian_positions(theirs, sinusoidal(config.max_length, config.d_model))
    return theirs


def marian() -> Twins:
    sizes = dict(d_model=16, heads=4, d_ff=24, layers=2, max_length=24)
    config = TransformerConfig(vocabulary=23, target_vocabulary=31, **sizes, tied_embeddings=False)
    theirs = marian_like(config)
    reference.stir(theirs, seed=4)
    reference.marian_positions(theirs, sinusoidal(24, 16))
    with torch.no_grad():
        # Otherwise most of what it writes is one token again and again.
        theirs.model.encoder.embed_tokens.weight.mul_(3)
        theirs.model.decoder.embed_tokens.weight.mul_(3)
    ours = build_transformer(config)
    ours.load_state_dict(reference.marian_transformer(theirs))
    return Twins(ours, theirs, random_prompts(50, 23, longest=20, seed=4), stop=(EOS, 20, 28))


def translator() -> Twins:
    """The course's own translator, on sentences of the grammar corpus."""
    trained = load_translator()
    theirs = marian_like(trained.model.config)
    reference.marian_from_transformer(trained.model, theirs)
    prompts = [trained.english.encode(pair.english) for pair in grammar.generate(50, seed=5)]
    return Twins(trained.model, theirs, prompts, stop=(EOS,), length=16)


TWINS = {make.__name__: make for make in (gpt2, llama, tales, marian, translator)}
every_model = pytest.mark.parametrize("name", TWINS)


@cache
def twins_of(name: str) -> Twins:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return TWINS[name]()


def their_texts(twins: Twins, **how: object) -> tuple[list[list[int]], list[float]]:
    """What transformers writes for all prompts, without the stop token, and the score of each where it searches."""
    longest = max(map(len, twins.prompts))
    if isinstance(twins.ours, Transformer):
        rows = [[*ids, *[0] * (longest - len(ids))] for ids in twins.prompts]
        real = [[1] * len(ids) + [0] * (longest - len(ids)) for ids in twins.prompts]
        start = 1
    else:
        rows = [[*[0] * (longest - len(ids)), *ids] for ids in twins.prompts]
        real = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in twins.prompts]
        start = longest
    with torch.no_grad():
        found = twins.theirs.generate(
            input_ids=torch.tensor(rows),
            attention_mask=torch.tensor(real),
            max_new_tokens=twins.length,
            do_sample=False,
            eos_token_id=list(twins.stop),
            pad_token_id=0,
            return_dict_in_generate=True,
            output_scores=True,
            **how,
        )
    new = found.sequences[:, start:].tolist()
    texts = [ids[: next((i for i, token in enumerate(ids) if token in twins.stop), len(ids))] for ids in new]
    scores = getattr(found, "sequences_scores", None)
    return texts, [] if scores is None else scores.tolist()


def grouped(texts: Sequence[object], size: int) -> list[Sequence[object]]:
    return [texts[i : i + size] for i in range(0, len(texts), size)]


@every_model
def test_the_two_models_are_the_same(name: str) -> None:
    twins = twins_of(name)
    twins.ours.eval()
    for ids in twins.prompts[:5]:
        if isinstance(twins.ours, Transformer):
            source, target = torch.tensor([ids]), torch.tensor([[BOS, 5, 6, 9]])
            theirs, ours = twins.theirs(input_ids=source, decoder_input_ids=target), twins.ours(source, target)
        else:
            theirs, ours = twins.theirs(torch.tensor([ids])), twins.ours(torch.tensor([ids]))
        # Trained weights reach logits of 20.
        torch.testing.assert_close(ours, theirs.logits, rtol=1e-5, atol=2e-5)


def test_there_are_enough_prompts_of_many_lengths() -> None:
    lengths = {name: [len(ids) for ids in twins_of(name).prompts] for name in TWINS}
    assert sum(map(len, lengths.values())) >= 200
    assert all(len(set(found)) >= 4 for found in lengths.values())
    assert {1, 40} <= {length for found in lengths.values() for length in found}


@every_model
@pytest.mark.parametrize("use_cache", [True, False])
def test_greedy_decoding_equals_that_of_transformers(name: str, use_cache: bool) -> None:
    twins = twins_of(name)
    found = greedy(twins.ours, twins.prompts, twins.length, bos=BOS, stop=twins.stop, use_cache=use_cache)
    assert found == their_texts(twins)[0]
    stopped = sum(len(ids) < twins.length for ids in found)
    assert stopped >= len(found) / 3, "few prompts test what a stop token does"
    assert len({len(ids) for ids in found}) >= 4


@every_model
@pytest.mark.parametrize("beams", [1, 4, 8])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_beam_search_finds_the_texts_and_scores_of_transformers(name: str, beams: int, early_stopping: bool) -> None:
    twins = twins_of(name)
    found = search(twins, beams, early_stopping)
    if beams == 1:
        # transformers treats one beam as greedy decoding, and gives no scores for it.
        texts = greedy(twins.ours, twins.prompts, twins.length, bos=BOS, stop=twins.stop)
        assert [[text.ids for text in each] for each in found] == [[ids] for ids in texts]
        return
    texts, scores = their_texts(
        twins, num_beams=beams, num_return_sequences=beams, length_penalty=0.0, early_stopping=early_stopping
    )
    assert [[text.ids for text in each] for each in found] == grouped(texts, beams)
    for each, theirs in zip(found, grouped(scores, beams), strict=True):
        assert [text.score for text in each] == pytest.approx(theirs, abs=SCORES)
        assert [text.log_probability for text in each] == [text.score for text in each]


def test_stopping_early_makes_a_difference_to_some_of_these_prompts() -> None:
    twins = twins_of("tales")
    late, early = search(twins, 4, early_stopping=False), search(twins, 4, early_stopping=True)
    assert sum(one[0] != other[0] for one, other in zip(late, early, strict=True)) >= 2
    assert all(one[0].score >= other[0].score for one, other in zip(late, early, strict=True))


def search(twins: Twins, beams: int, early_stopping: bool) -> list[list[Hypothesis]]:
    return beam_search(
        twins.ours,
        twins.prompts,
        twins.length,
        beams=beams,
        alpha=0.0,
        early_stopping=early_stopping,
        n_best=beams,
        bos=BOS,
        stop=twins.stop,
    )


LOGITS = torch.randn(40, 37, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.3, 6, 40)[:, None]
DISTRIBUTION = dict(rtol=0, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.01, 0.5, 1.0, 1.7, 100.0])
def test_a_temperature_gives_the_distribution_of_transformers(temperature: float) -> None:
    theirs = TemperatureLogitsWarper(temperature)(None, LOGITS)
    torch.testing.assert_close(apply_temperature(LOGITS, temperature).softmax(-1), theirs.softmax(-1), **DISTRIBUTION)


@pytest.mark.parametrize("k", [1, 2, 5, 36, 37, 1000])
def test_top_k_gives_the_distribution_of_transformers(k: int) -> None:
    # Rounded, so that some logits are equal.
    for logits in (LOGITS, LOGITS.round()):
        theirs = TopKLogitsWarper(k)(None, logits)
        assert torch.equal(top_k_filter(logits, k), theirs)


@pytest.mark.parametrize("p", [0.0, 0.05, 0.3, 0.5, 0.9, 0.99, 1.0])
def test_top_p_gives_the_distribution_of_transformers(p: float) -> None:
    theirs = TopPLogitsWarper(p)(None, LOGITS)
    torch.testing.assert_close(top_p_filter(LOGITS, p).softmax(-1), theirs.softmax(-1), **DISTRIBUTION)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("k", [3, 20])
@pytest.mark.parametrize("p", [0.5, 0.9])
def test_the_filters_in_sequence_give_the_distribution_of_transformers(temperature: float, k: int, p: float) -> None:
    chain = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopKLogitsWarper(k), TopPLogitsWarper(p)])
    seen: list[Tensor] = []
    with pytest.MonkeyPatch.context() as patch:
        draw = torch.multinomial
        patch.setattr(torch, "multinomial", lambda weights, *args, **kw: seen.append(weights) or draw(weights, 1))
        sampler(temperature, k, p)(LOGITS)
    torch.testing.assert_close(seen[0], chain(None, LOGITS).softmax(-1), **DISTRIBUTION)


@pytest.mark.parametrize("name", ["gpt2", "marian"])
def test_sampled_tokens_are_as_frequent_as_the_probabilities_of_transformers(name: str) -> None:
    twins, count = twins_of(name), 4000
    prompt = twins.prompts[0]
    inputs = [torch.tensor([prompt])] + [torch.tensor([[BOS]])] * (name == "marian")
    with torch.no_grad():
        logits = twins.theirs(inputs[0], **({"decoder_input_ids": inputs[1]} if name == "marian" else {})).logits
    chain = LogitsProcessorList([TemperatureLogitsWarper(1.3), TopKLogitsWarper(8)])
    expected = chain(None, logits[:, -1]).softmax(-1)[0] * count
    generator = torch.Generator().manual_seed(0)
    drawn = sample(twins.ours, [prompt] * count, 1, temperature=1.3, top_k=8, generator=generator, bos=BOS)
    found = torch.bincount(torch.tensor(drawn).flatten(), minlength=31)
    possible = expected > 0
    assert possible.sum() == 8
    assert expected[possible].min() > 5
    assert found[~possible].sum() == 0
    # The 99.9th percentile of chi-square with 8 - 1 degrees of freedom: NIST/SEMATECH e-Handbook, 1.3.6.7.4.
    assert ((found - expected)[possible] ** 2 / expected[possible]).sum() < 24.322
