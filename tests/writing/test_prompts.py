"""What all ways of writing share: prompts, lengths, ids that stop a text, and what is refused."""

import dataclasses
import itertools
import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from course_lib.transformer.attention import MultiHeadAttention
from course_lib.transformer.build import build_encoder, build_masked_language_model, build_transformer
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.writing.beam import beam_search
from course_lib.writing.cache import CachedModel
from course_lib.writing.choose import (
    greedy,
    sample,
    write_tokens,
)
from tests.writing.stand_ins import (
    BOS,
    ENDS,
    EOS,
    PAD,
    PROMPTS,
    SMALL,
    Dictionary,
    Toy,
    precise_language_model,
    small_language_model,
    small_translator,
)


@pytest.fixture
def model() -> Transformer:
    return small_translator()


@pytest.fixture
def reads_all() -> LanguageModel:
    return precise_language_model()


def test_a_stop_token_given_twice_or_unknown_to_the_model_makes_no_difference(reads_all):
    expected = beam_search(reads_all, PROMPTS, 5, beams=3, n_best=3, stop=[4, 7])
    assert beam_search(reads_all, PROMPTS, 5, beams=3, n_best=3, stop=[7, 4, 4, -1, 99]) == expected
    assert greedy(reads_all, PROMPTS, 5, stop=[7, 4, 4, -1, 99]) == greedy(reads_all, PROMPTS, 5, stop=[4, 7])


@pytest.mark.parametrize("use_cache", [True, False])
def test_a_text_is_the_same_on_its_own_and_in_a_batch(reads_all, model, use_cache):
    sources = [[5, 6, 7, 8], [9], [10, 11], [4, 4, 4]]
    for any_model, prompts in ((reads_all, PROMPTS), (model.double(), sources)):
        assert greedy(any_model, prompts, 6, use_cache=use_cache, **ENDS) == [
            greedy(any_model, [ids], 6, **ENDS)[0] for ids in prompts
        ]
        together = beam_search(any_model, prompts, 6, beams=3, n_best=3, use_cache=use_cache, **ENDS)
        alone = [beam_search(any_model, [ids], 6, beams=3, n_best=3, **ENDS)[0] for ids in prompts]
        assert [[text.ids for text in texts] for texts in together] == [[text.ids for text in texts] for texts in alone]
        for one, other in zip(together, alone, strict=True):
            assert [text.score for text in one] == pytest.approx([text.score for text in other], abs=1e-10)


def test_more_prompts_than_the_batch_size_keep_their_order(reads_all):
    prompts = [[3 + i % 9, 3 + i // 9 % 9] for i in range(81)]
    together = beam_search(reads_all, prompts, 3, beams=8, **ENDS)
    assert [each[0].ids for each in together] == [
        beam_search(reads_all, [ids], 3, beams=8, **ENDS)[0][0].ids for ids in prompts
    ]
    many = prompts * 4
    assert greedy(reads_all, many, 3, **ENDS) == greedy(reads_all, prompts, 3, **ENDS) * 4


def test_a_text_continues_past_the_models_positions_with_and_without_a_cache(reads_all):
    for prompts in (PROMPTS, [[5]]):
        free = greedy(reads_all, prompts, 25, stop=[])
        assert {len(ids) for ids in free} == {25}
        assert greedy(reads_all, prompts, 25, stop=[], use_cache=False) == free
        found, expected = (
            beam_search(reads_all, prompts, 25, beams=2, stop=[], use_cache=use) for use in (True, False)
        )
        assert [texts[0].ids for texts in found] == [texts[0].ids for texts in expected]
        assert [texts[0].score for texts in found] == pytest.approx([texts[0].score for texts in expected], abs=1e-10)


def test_a_model_that_never_stops_is_stopped(reads_all, model):
    assert {len(ids) for ids in greedy(reads_all, PROMPTS, stop=[])} == {9}
    assert {len(ids) for ids in sample(reads_all, PROMPTS, stop=[])} == {9}
    assert {len(texts[0].ids) for texts in beam_search(reads_all, PROMPTS, stop=[])} == {9}
    assert len(list(write_tokens(reads_all, [5], stop=[]))) == 9
    assert {len(ids) for ids in greedy(model, [[5], [6, 7]], 99, bos=BOS, stop=[])} == {SMALL.max_length}


def test_any_of_several_stop_tokens_ends_a_text(reads_all):
    free = greedy(reads_all, PROMPTS, 8, stop=[])
    stop = [free[0][2], free[1][4], free[2][1]]
    expected = [list(itertools.takewhile(lambda token: token not in stop, ids)) for ids in free]
    assert len(set(map(len, expected))) > 1
    assert greedy(reads_all, PROMPTS, 8, stop=stop) == expected
    assert greedy(reads_all, PROMPTS, 8, stop=tuple(stop), use_cache=False) == expected


def test_a_length_of_zero_gives_nothing(reads_all, model):
    for any_model in (reads_all, model):
        assert greedy(any_model, [[5], [6, 7]], 0, **ENDS) == [[], []]
        assert sample(any_model, [[5], [6, 7]], 0, **ENDS) == [[], []]
        assert list(write_tokens(any_model, [5], 0, **ENDS)) == []
        assert beam_search(any_model, [[5], [6, 7]], 0, **ENDS) == [[([], 0.0, 0.0)]] * 2


@pytest.mark.parametrize("length", [-1, 2.5, math.nan, math.inf])
def test_an_invalid_length_is_refused(length, reads_all):
    sentence = f"max_length says how many tokens to write at most, 0 or more, but is {length}"
    for write in (greedy, sample, beam_search):
        with pytest.raises(ValueError, match=sentence):
            write(reads_all, [[5]], length)
    with pytest.raises(ValueError, match=sentence):
        next(write_tokens(reads_all, [5], length))


WRITERS = [
    partial(greedy, **ENDS),
    partial(sample, **ENDS),
    partial(beam_search, **ENDS),
    lambda model, prompts: next(write_tokens(model, *prompts, **ENDS)),
]


every_writer = pytest.mark.parametrize("write", WRITERS, ids=["greedy", "sample", "beams", "write_tokens"])


@every_writer
@pytest.mark.parametrize(
    ("prompt", "error", "sentence"),
    [
        ([], ValueError, r"prompt 0 has no tokens, so there is nothing to continue: give it \[bos\] at least"),
        ([5, 12], ValueError, "prompt 0 has ids from 5 to 12, but the model's are 0 to 11"),
        ([-1, 5], ValueError, "prompt 0 has ids from -1 to 5, but the model's are 0 to 11"),
        (5, TypeError, r"prompts should be a list of lists of ids, but prompt 0 is 5: write \[prompt\]"),
        ([5, 5.5], TypeError, "prompt 0 should hold ids, whole numbers, but has 5.5: encode a text first"),
        ("once", TypeError, "prompt 0 should hold ids, whole numbers, but has 'o': encode a text first"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_refused(write, prompt, error, sentence, reads_all):
    with pytest.raises(error, match=sentence):
        write(reads_all, [prompt])


@every_writer
def test_a_source_that_cannot_be_read_is_refused(write, model):
    with pytest.raises(ValueError, match="prompt 0 has no tokens, so there is nothing to translate"):
        write(model, [[]])
    with pytest.raises(ValueError, match="prompt 0 has ids from 20 to 20, but the model's are 0 to 19"):
        write(model, [[20]])
    learned = build_transformer(dataclasses.replace(SMALL, positions="learned"))
    with pytest.raises(ValueError, match="at most 10 tokens have a position, but 11 came"):
        write(learned, [[5] * 11])


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_bad_prompt_after_good_ones_is_named_before_anything_is_written(write):
    stand_in = Dictionary()
    with pytest.raises(ValueError, match="prompt 300 has no tokens"):
        write(stand_in, [[5]] * 300 + [[]])
    assert stand_in.steps == 0


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_prompt_that_is_not_in_a_list_is_refused(write, reads_all):
    with pytest.raises(TypeError, match=r"but prompt 0 is 5: write \[prompt\]"):
        write(reads_all, [5, 6, 7])


def test_an_empty_list_of_prompts_gives_an_empty_list(reads_all):
    assert sample(reads_all, []) == []
    assert beam_search(reads_all, []) == []


def test_prompts_are_not_changed(reads_all):
    prompts = [list(ids) for ids in PROMPTS]
    for write in (greedy, sample, beam_search):
        write(reads_all, prompts, 3)
    assert prompts == PROMPTS


def test_prompts_may_be_tuples(reads_all):
    assert greedy(reads_all, tuple(map(tuple, PROMPTS)), 3) == greedy(reads_all, PROMPTS, 3)


def test_prompts_may_be_a_tensor(reads_all, model):
    prompts = [[5, 6, 7], [8, 9, 4]]
    assert greedy(reads_all, torch.tensor(prompts), 4) == greedy(reads_all, prompts, 4)
    assert greedy(model, torch.tensor(prompts), **ENDS) == greedy(model, prompts, **ENDS)
    assert beam_search(reads_all, torch.tensor(prompts), 4) == beam_search(reads_all, prompts, 4)


@pytest.mark.parametrize(
    ("prompts", "found"),
    [
        (torch.tensor([5, 6]), r"\(2,\) of torch.int64"),
        (torch.tensor([[5.0, 6.0]]), r"\(1, 2\) of torch.float32"),
    ],
)
@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_tensor_that_holds_no_prompts_is_refused(write, prompts, found, reads_all):
    with pytest.raises(TypeError, match=rf"prompts should be ids \(B, T\), but are {found}"):
        write(reads_all, prompts, 3)


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_cache_is_used_unless_it_is_refused(write, reads_all, monkeypatch):
    used = []
    read = CachedModel.read
    monkeypatch.setattr(CachedModel, "read", lambda *arguments: used.append(1) or read(*arguments))
    write(reads_all, [[5]], 3, use_cache=False)
    assert used == []
    write(reads_all, [[5]], 3)
    assert len(used) == 3


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_translation_needs_the_id_with_which_it_starts(write, model):
    with pytest.raises(ValueError, match=r"a translation starts with .* say which, such as bos=tokenizer\.bos"):
        write(model, [[5]])


def test_without_a_stop_id_a_text_has_its_full_length(reads_all, model):
    assert {len(ids) for ids in greedy(reads_all, PROMPTS, 12)} == {12}
    assert {len(ids) for ids in greedy(model, [[5], [6, 7]], bos=BOS)} == {SMALL.max_length}


class Unsaid(Dictionary):
    """A translator that does not say which id fills up its sources."""

    config = None


def test_sources_are_padded_with_the_given_id_if_the_model_has_none():
    sources = [[5, 6, 7], [8]]
    assert greedy(Unsaid(), sources, 4, **ENDS, pad=PAD) == sources
    with pytest.raises(ValueError, match="have 1 and 3 ids: say which id fills up the shorter ones"):
        greedy(Unsaid(), sources, 4, **ENDS)
    assert greedy(Unsaid(), [[5], [6]], 4, **ENDS) == [[5], [6]]


@every_writer
def test_a_model_without_a_length_needs_one(write):
    with pytest.raises(ValueError, match="say how many tokens to write at most, max_length=…: this model does not say"):
        write(Toy(4, seed=0), [[1]])


def test_a_model_that_is_not_one_of_the_courses_can_generate_too():
    toy = Toy(4, seed=3)
    text = (1,)
    for _ in range(4):
        text = (*text, toy.log_probabilities(text).argmax().item())
    assert greedy(toy, [[1]], 4, stop=[]) == [list(text[1:])]
    assert [*write_tokens(toy, [1], 4, stop=[])] == list(text[1:])
    sources = [[5, 6, 7], [8], [9, 4]]
    # Any but the copied token has odds of e to 1, so the search prefers to go on; its copy is the likeliest text.
    found = beam_search(Dictionary(), sources, 4, beams=1, early_stopping=True, **ENDS)
    assert [texts[0].ids for texts in found] == sources


@every_writer
def test_an_interruption_leaves_the_model_in_its_mode(write, reads_all, monkeypatch):
    def interrupted(*_: object) -> Tensor:
        assert not reads_all.training
        raise KeyboardInterrupt

    # Every step calls the feed-forward, with or without a cache.
    monkeypatch.setattr(reads_all.layers[1].feed_forward, "forward", interrupted)
    reads_all.train()
    with pytest.raises(KeyboardInterrupt):
        write(reads_all, [[5, 6]])
    assert reads_all.training
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("write", [greedy, sample, beam_search], ids=["greedy", "sample", "beam_search"])
@pytest.mark.parametrize("make", [small_language_model, small_translator])
def test_a_model_with_a_weight_of_nan_writes_nothing(make: Any, write: Any, use_cache: bool) -> None:
    for name in ("W_q", "W_k", "W_v", "W_o"):
        model = make()
        attention = next(part for part in model.modules() if isinstance(part, MultiHeadAttention))
        with torch.no_grad():
            getattr(attention, name).weight[0, 0] = math.nan
        with pytest.raises(
            FloatingPointError, match="no token can be chosen: the largest of the model's logits is nan"
        ):
            write(model, [[5, 6, 7], [8]], 4, bos=BOS, stop=[EOS], use_cache=use_cache)


@pytest.mark.parametrize("write", [greedy, sample, beam_search], ids=["greedy", "sample", "beam_search"])
@pytest.mark.parametrize("build", [build_encoder, build_masked_language_model])
def test_a_model_that_reads_from_both_sides_does_not_write(build: Any, write: Any) -> None:
    with pytest.raises(
        TypeError, match=r"a (Encoder|MaskedLanguageModel) cannot write, because it reads a text from both"
    ):
        write(build(SMALL), [[5, 6]], 4)


def test_prompts_that_are_a_string_and_stops_that_are_no_ids_are_refused() -> None:
    model = small_language_model()
    with pytest.raises(TypeError, match="prompts should be a list of lists of ids, but are the string 'the king'"):
        greedy(model, "the king", 2)
    for stop in (2, ["."], [2.0]):
        with pytest.raises(TypeError, match=r"stop should list ids, such as \[tokenizer.eos\], but is"):
            greedy(model, [[5]], 2, stop=stop)
    assert greedy(model, [[5]], 6, stop=torch.arange(12)) == [[]]
    for length in (2.0, 2.5, "2"):
        with pytest.raises(ValueError, match="max_length says how many tokens to write at most, 0 or more, but is"):
            greedy(model, [[5]], length)
