"""Greedy decoding, sampling and the filters: values by hand, and distributions.

What transformers writes with the same weights is in test_generate.py, the cache in test_cache.py.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from course_lib.transformer.build import build_language_model, build_transformer
from course_lib.transformer.config import TransformerConfig
from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.writing.choose import (
    apply_temperature,
    greedy,
    likeliest,
    next_token_probabilities,
    sample,
    sampler,
    top_k_filter,
    top_p_filter,
    write_tokens,
)
from tests.writing.stand_ins import (
    BOS,
    ENDS,
    EOS,
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
def language_model() -> LanguageModel:
    return small_language_model()


@pytest.fixture
def reads_all() -> LanguageModel:
    return precise_language_model()


def test_greedy_stops_at_the_end_id_and_returns_neither_it_nor_the_start_id():
    assert greedy(Dictionary(), [[5, 6, 7], [8], [9, 4]], **ENDS) == [[5, 6, 7], [8], [9, 4]]


def test_greedy_takes_no_step_after_the_last_sentence_has_ended():
    stand_in = Dictionary()
    greedy(stand_in, [[5, 6, 7], [8]], **ENDS)
    assert stand_in.steps == 4


def test_greedy_truncates_a_translation_that_does_not_end():
    assert greedy(Dictionary(), [[5, 6, 7, 8], [9]], max_length=2, **ENDS) == [[5, 6], [9]]


def test_greedy_never_exceeds_the_models_positions():
    long = [4 + i % 8 for i in range(30)]
    assert greedy(Dictionary(), [long], **ENDS) == [long[: SMALL.max_length]]


def test_greedy_runs_a_real_model_up_to_its_last_position(model, monkeypatch):
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda *ids: decode(*ids).index_fill(-1, torch.tensor([EOS]), -torch.inf))
    (ids,) = greedy(model, [[5, 6]], max_length=99, **ENDS)
    assert len(ids) == SMALL.max_length


def test_greedy_translates_many_sentences_in_several_batches_and_keeps_their_order():
    stand_in = Dictionary()
    sentences = [[4 + i % 8, 4 + i // 8 % 8, 4 + i // 64 % 8] for i in range(300)]
    assert greedy(stand_in, sentences, **ENDS) == sentences
    assert len(stand_in.rows_at_a_time) > 1


def test_greedy_takes_the_likeliest_token_at_each_step(model):
    (ids,) = greedy(model, [[5, 6, 7]], max_length=4, **ENDS)
    model.eval()
    so_far = [BOS]
    for chosen in [*ids, EOS][:4]:
        logits = model(torch.tensor([[5, 6, 7]]), torch.tensor([so_far]))[0, -1]
        assert logits.max() == logits[chosen]
        so_far.append(chosen)


def test_a_translation_is_the_same_on_its_own_and_in_a_batch(model):
    alone = [greedy(model, [ids], **ENDS)[0] for ids in ([5, 6, 7, 8], [9], [10, 11])]
    assert greedy(model, [[5, 6, 7, 8], [9], [10, 11]], **ENDS) == alone


def test_greedy_switches_dropout_off_and_back_on():
    torch.manual_seed(0)
    model = build_transformer(TransformerConfig(vocabulary=20, d_model=16, heads=2, d_ff=32, layers=1, dropout=0.5))
    model.train()
    assert len({tuple(greedy(model, [[5, 6, 7]], max_length=8, **ENDS)[0]) for _ in range(5)}) == 1
    assert model.training


def test_greedy_names_the_sentence_that_is_empty(model):
    with pytest.raises(ValueError, match="prompt 1 has no tokens"):
        greedy(model, [[5], []], **ENDS)


def test_no_sentences_give_no_translations(model):
    assert greedy(model, [], **ENDS) == []


def test_a_continuation_repeatedly_takes_the_likeliest_next_token(language_model):
    added = greedy(language_model, [[5, 6]], 4, stop=[-1])[0]
    assert len(added) == 4
    language_model.eval()
    text = [5, 6]
    for chosen in added:
        logits = language_model(torch.tensor([text]))[0, -1]
        assert logits.max() == logits[chosen]
        text.append(chosen)


def test_a_continuation_switches_dropout_off():
    torch.manual_seed(0)
    config = TransformerConfig(vocabulary=20, d_model=16, heads=2, d_ff=32, layers=1, dropout=0.5)
    model = build_language_model(config).train()
    assert len({tuple(greedy(model, [[5, 6, 7]], 8)[0]) for _ in range(5)}) == 1
    assert model.training


def test_a_continuation_stops_before_the_id_that_ends_it(language_model):
    free = greedy(language_model, [[5]], 5, stop=[-1])[0]
    first_place = free.index(free[2])
    assert greedy(language_model, [[5]], 5, stop=[free[2]])[0] == free[:first_place]


def test_a_text_longer_than_the_positions_is_continued_from_its_last_tokens(language_model):
    added = greedy(language_model, [[5, 6, 7, 8, 9, 10, 11, 4]], 1, stop=[-1])[0]
    assert added == greedy(language_model, [[7, 8, 9, 10, 11, 4]], 1, stop=[-1])[0]
    assert len(greedy(language_model, [[5]], 20, stop=[-1])[0]) == 20


def test_an_empty_prompt_is_refused(language_model):
    with pytest.raises(ValueError, match="prompt 0 has no tokens"):
        greedy(language_model, [[]], 3)[0]


def test_a_temperature_divides_the_logits():
    logits = torch.tensor([[2.0, 1.0, -3.0], [0.0, 4.0, 4.0]])
    assert apply_temperature(logits, 2.0).tolist() == [[1.0, 0.5, -1.5], [0.0, 2.0, 2.0]]
    assert torch.equal(apply_temperature(logits, 1.0), logits)


def test_a_temperature_of_zero_leaves_only_the_likeliest_token():
    logits = torch.tensor([[2.0, 1.0, -3.0], [0.0, 4.0, 4.0]])
    assert apply_temperature(logits, 0).softmax(-1).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert apply_temperature(logits, 1e-3).softmax(-1).tolist() == [[1, 0, 0], [0, 0.5, 0.5]]


@pytest.mark.parametrize("temperature", [-1, -1e-9, math.nan, math.inf])
def test_a_number_that_is_not_a_temperature_is_refused(temperature, language_model):
    sentence = f"temperature should be 0 or a number above it, but is {temperature}"
    with pytest.raises(ValueError, match=sentence):
        apply_temperature(torch.zeros(3), temperature)
    with pytest.raises(ValueError, match=sentence):
        sample(language_model, [[5]], 3, temperature=temperature)


def test_top_k_keeps_the_k_largest_of_each_row_and_ties_with_the_last():
    logits = torch.tensor([[2.0, 1.0, 3.0, 0.0], [5.0, 7.0, 5.0, 1.0]])
    inf = math.inf
    assert top_k_filter(logits, 1).tolist() == [[-inf, -inf, 3, -inf], [-inf, 7, -inf, -inf]]
    assert top_k_filter(logits, 2).tolist() == [[2, -inf, 3, -inf], [5, 7, 5, -inf]]
    for k in (4, 5, 1000):
        assert torch.equal(top_k_filter(logits, k), logits)


@pytest.mark.parametrize("k", [0, -1, 2.5])
def test_an_invalid_k_is_refused(k, language_model):
    sentence = f"k says how many tokens to keep, 1 or more, but is {k}; to keep all, leave top_k out"
    with pytest.raises(ValueError, match=sentence):
        top_k_filter(torch.zeros(3), k)
    with pytest.raises(ValueError, match=sentence):
        sample(language_model, [[5]], 3, top_k=k)


@pytest.mark.parametrize(
    ("p", "kept"), [(0, [1]), (0.3, [1]), (0.55, [1, 3]), (0.79, [1, 3]), (0.85, [0, 1, 3]), (0.97, [0, 1, 2, 3])]
)
def test_top_p_keeps_the_fewest_tokens_that_reach_p(p, kept):
    probabilities = torch.tensor([0.15, 0.5, 0.05, 0.3])
    logits = torch.stack((probabilities, probabilities.flip(0))).log()
    left = top_p_filter(logits, p)
    assert left[0].isfinite().nonzero().flatten().tolist() == kept
    assert left[1].isfinite().nonzero().flatten().tolist() == sorted(3 - i for i in kept)
    assert torch.equal(left[left.isfinite()], logits[left.isfinite()])


def test_top_p_of_one_keeps_everything():
    # The second's probability is 0 to rounding, and the first alone reaches 1.
    logits = torch.tensor([0.0, -200.0])
    assert torch.equal(top_p_filter(logits, 1), logits)


def test_top_p_of_equally_likely_tokens_keeps_the_first():
    assert top_p_filter(torch.zeros(1000), 0.2005).isfinite().nonzero().flatten().tolist() == list(range(201))


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_an_invalid_p_is_refused(p, language_model):
    with pytest.raises(ValueError, match=f"p is a probability, from 0 to 1, but is {p}"):
        top_p_filter(torch.zeros(3), p)
    with pytest.raises(ValueError, match=f"p is a probability, from 0 to 1, but is {p}"):
        sample(language_model, [[5]], 3, top_p=p)


def test_filters_do_not_change_their_argument():
    logits = torch.tensor([[2.0, 1.0, 3.0, 0.0]])
    kept = logits.clone()
    for change in (lambda x: apply_temperature(x, 0), lambda x: top_k_filter(x, 2), lambda x: top_p_filter(x, 0.5)):
        change(logits)
        assert torch.equal(logits, kept)
    sampler(0.5, 2, 0.5)(logits)
    assert torch.equal(logits, kept)


def drawn(choose: Callable[[Tensor], Tensor], probabilities: Sequence[float], times: int = 1000) -> set[int]:
    return set(choose(torch.tensor(probabilities).log().expand(times, -1)).tolist())


def test_temperature_comes_before_top_p():
    # Powers of 4 of 0.5, 0.3, 0.2 are in the proportion 0.87 : 0.11 : 0.02. The first alone reaches 0.7 then.
    assert drawn(sampler(0.25, top_p=0.7), [0.5, 0.3, 0.2]) == {0}
    # Flattened, the first alone does not reach it any more.
    assert drawn(sampler(10.0, top_p=0.5), [0.6, 0.2, 0.2]) == {0, 1}


def test_top_k_comes_before_top_p():
    # Of the two that are left, the first has 0.4 / 0.7 = 0.57; of all four, it has too little for p.
    assert drawn(sampler(top_k=2, top_p=0.5), [0.4, 0.3, 0.2, 0.1]) == {0}
    assert drawn(sampler(top_p=0.5), [0.4, 0.3, 0.2, 0.1]) == {0, 1}


def test_a_sampler_without_filters_draws_from_all_tokens():
    assert drawn(sampler(), [0.4, 0.3, 0.2, 0.1]) == {0, 1, 2, 3}


def test_a_temperature_of_zero_and_a_k_of_one_and_a_p_of_zero_are_greedy(reads_all):
    expected = greedy(reads_all, PROMPTS, 5, **ENDS)
    for one_choice in (dict(temperature=0), dict(top_k=1), dict(top_p=0.0), dict(temperature=0, top_k=99, top_p=1.0)):
        assert sample(reads_all, PROMPTS, 5, **one_choice, **ENDS) == expected


def test_the_same_generator_gives_the_same_text_and_the_random_state_of_torch_does_not_change(reads_all):
    def write(seed: int) -> list[list[int]]:
        return sample(reads_all, PROMPTS, 8, temperature=1.5, generator=torch.Generator().manual_seed(seed))

    state = torch.get_rng_state()
    assert write(1) == write(1)
    assert write(1) != write(2)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert sample(reads_all, PROMPTS, 8, temperature=1.5) == write(1)


def chi_square(found: Sequence[float], expected: Sequence[float]) -> float:
    assert min(expected) > 5, "too few draws for the test"
    return sum((f - e) ** 2 / e for f, e in zip(found, expected, strict=True))


def test_sampled_pairs_of_tokens_are_as_frequent_as_their_probabilities_say():
    # The 99.9th percentile of chi-square with 16 - 1 degrees of freedom is 37.697: NIST/SEMATECH e-Handbook, 1.3.6.7.4.
    toy, count = Toy(4, seed=5), 6000
    found = Counter(map(tuple, sample(toy, [[0]] * count, 2, stop=[], generator=torch.Generator().manual_seed(0))))
    pairs = list(itertools.product(range(4), repeat=2))
    expected = [count * math.exp(toy.log_p((0,), a) + toy.log_p((0, a), b)) for a, b in pairs]
    assert chi_square([found[pair] for pair in pairs], expected) < 37.697


def test_sampled_tokens_after_all_filters_are_as_frequent_as_computed_by_hand():
    # 0.4, 0.3, 0.2, 0.1 at temperature 1/2: 16, 9, 4, 1 of 30. Top-3: of 29. 16 and 9 reach 0.8 = 23.2 of 29.
    logits = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log().expand(5000, -1)
    choose = sampler(0.5, top_k=3, top_p=0.8, generator=torch.Generator().manual_seed(0))
    found = choose(logits).bincount(minlength=4).tolist()
    assert found[2:] == [0, 0]
    # The same table: 10.828 with 1 degree of freedom.
    assert chi_square(found[:2], [5000 * 16 / 25, 5000 * 9 / 25]) < 10.828


def test_tokens_generated_one_by_one_are_the_text_that_is_generated_at_once(reads_all, model):
    for any_model in (reads_all, model):
        assert list(write_tokens(any_model, [5, 6, 7], 6, **ENDS)) == greedy(any_model, [[5, 6, 7]], 6, **ENDS)[0]
        one, other = (torch.Generator().manual_seed(4) for _ in range(2))
        choose = sampler(1.5, top_k=8, top_p=0.95, generator=one)
        written = sample(any_model, [[5, 6, 7]], 6, temperature=1.5, top_k=8, top_p=0.95, generator=other, **ENDS)
        assert list(write_tokens(any_model, [5, 6, 7], 6, choose=choose, **ENDS)) == written[0]


def test_generation_stops_at_the_limit_and_runs_no_step_after_the_last_token():
    stand_in = Dictionary()
    assert list(write_tokens(stand_in, [5, 6, 7], **ENDS)) == [5, 6, 7]
    assert stand_in.steps == 4
    stand_in = Dictionary()
    assert list(write_tokens(stand_in, [5, 6, 7], 2, **ENDS)) == [5, 6]
    assert stand_in.steps == 2


def test_each_token_is_yielded_before_the_next_one_is_computed():
    stand_in = Dictionary()
    tokens = write_tokens(stand_in, [5, 6, 7], **ENDS)
    assert stand_in.rows_at_a_time == []
    for step, token in enumerate([5, 6, 7], start=1):
        assert next(tokens) == token
        assert stand_in.steps == step
        assert stand_in.training


def test_the_model_is_in_its_own_mode_between_two_tokens(reads_all):
    for training in (True, False):
        reads_all.train(training)
        tokens = write_tokens(reads_all, [5], 5, stop=[])
        for _ in range(3):
            next(tokens)
            assert torch.is_grad_enabled()
            assert all(part.training == training for part in reads_all.modules())
        tokens.close()
        assert reads_all.training == training


def test_an_exception_between_two_tokens_leaves_the_model_in_its_mode(reads_all):
    def refuse(token: int) -> None:
        raise RuntimeError("enough")

    reads_all.train()
    with pytest.raises(RuntimeError, match="enough"):
        list(map(refuse, write_tokens(reads_all, [5], 5, stop=[])))
    assert reads_all.training
    assert torch.is_grad_enabled()


def test_another_choice_function_can_be_given(reads_all):
    assert list(write_tokens(reads_all, [5], 3, choose=lambda logits: logits.argmin(-1), stop=[])) != list(
        write_tokens(reads_all, [5], 3, stop=[])
    )
    assert likeliest(torch.tensor([[1.0, 5.0, 5.0], [3.0, 2.0, 1.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("temperature", [1e-30, 2e-38, 1e-38, 1e-40, 1e-300])
def test_a_tiny_temperature_leaves_the_likeliest_token(temperature: float) -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0], [5e4, 4.9e4, 0.0]])
    assert sampler(temperature)(logits).tolist() == [1, 0]
    assert apply_temperature(logits, 1e-40).softmax(-1).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_a_shift_of_all_logits_changes_no_draw() -> None:
    logits = torch.randn(50, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    draws = [
        sampler(0.7, top_k=5, top_p=0.9, generator=torch.Generator().manual_seed(1))(logits + shift)
        for shift in (0.0, 1000.0)
    ]
    assert draws[0].tolist() == draws[1].tolist()


@pytest.mark.parametrize(
    ("row", "largest"),
    [([0.0, math.nan], "nan"), ([-math.inf, -math.inf], "-inf"), ([0.0, math.inf], "inf"), ([math.nan] * 2, "nan")],
)
def test_no_token_is_chosen_from_logits_that_are_no_numbers(row: list[float], largest: str) -> None:
    logits = torch.tensor([[1.0, 2.0], row])
    sentence = f"no token can be chosen: the largest of the model's logits is {largest}"
    with pytest.raises(FloatingPointError, match=sentence):
        likeliest(logits)
    with pytest.raises(FloatingPointError, match=sentence):
        next_token_probabilities(logits, 1.0, None, None)
    with pytest.raises(FloatingPointError, match="no token can be chosen"):
        sampler(top_k=1, top_p=0.5)(logits)
