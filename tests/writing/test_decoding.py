"""Greedy decoding, sampling and beam search: values by hand, searches by trying everything, and what is refused.

What transformers writes on the same weights stands in test_generate.py, the cache in test_cache.py.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from course_lib.transformer.models import LanguageModel, Transformer, TransformerConfig
from course_lib.writing.decoding import (
    Candidate,
    Hypothesis,
    apply_temperature,
    beam_search,
    greedy,
    length_penalty,
    likeliest,
    sample,
    sampler,
    stream,
    top_k_filter,
    top_p_filter,
)
from tests.transformer.reference import stir

PAD, BOS, EOS = 0, 1, 2
ENDS = {"bos": BOS, "stop": (EOS,)}
SMALL = TransformerConfig(vocabulary=20, target_vocabulary=12, d_model=16, heads=2, d_ff=32, layers=1, max_length=10)


@pytest.fixture
def model():
    torch.manual_seed(3)
    return Transformer(SMALL)


class Dictionary:
    """A stand-in for a Transformer that is known by heart: it copies its source, then says [eos] for ever."""

    config = SMALL

    def __init__(self):
        self.training = True
        self.rows_at_a_time = []
        self.steps = 0

    def eval(self):
        self.training = False

    def train(self, mode):
        self.training = mode

    def parameters(self):
        return iter([torch.zeros(1)])

    def encode(self, source):
        self.rows_at_a_time.append(len(source))
        return source

    def decode(self, target, memory, source):
        self.steps += 1
        assert not self.training
        assert (target[:, 0] == BOS).all()
        wanted = torch.nn.functional.pad(source, (0, SMALL.max_length + 1))[:, : target.size(1)]
        wanted = torch.where(wanted == 0, EOS, wanted)
        return torch.nn.functional.one_hot(wanted, 20).float()


def test_greedy_writes_until_the_end_sign_and_returns_neither_it_nor_the_first_sign():
    assert greedy(Dictionary(), [[5, 6, 7], [8], [9, 4]], **ENDS) == [[5, 6, 7], [8], [9, 4]]


def test_greedy_takes_no_step_after_the_last_sentence_has_ended():
    stand_in = Dictionary()
    greedy(stand_in, [[5, 6, 7], [8]], **ENDS)
    assert stand_in.steps == 4


def test_greedy_cuts_a_translation_that_does_not_end():
    assert greedy(Dictionary(), [[5, 6, 7, 8], [9]], max_length=2, **ENDS) == [[5, 6], [9]]


def test_greedy_never_outgrows_the_models_positions():
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


def test_company_changes_no_translation(model):
    alone = [greedy(model, [ids], **ENDS)[0] for ids in ([5, 6, 7, 8], [9], [10, 11])]
    assert greedy(model, [[5, 6, 7, 8], [9], [10, 11]], **ENDS) == alone


def test_greedy_switches_dropout_off_and_back_on():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(vocabulary=20, d_model=16, heads=2, d_ff=32, layers=1, dropout=0.5))
    model.train()
    assert len({tuple(greedy(model, [[5, 6, 7]], max_length=8, **ENDS)[0]) for _ in range(5)}) == 1
    assert model.training


def test_greedy_says_which_sentence_is_empty(model):
    with pytest.raises(ValueError, match="prompt 1 has no tokens"):
        greedy(model, [[5], []], **ENDS)


def test_no_sentences_give_no_translations(model):
    assert greedy(model, [], **ENDS) == []


@pytest.fixture
def language_model():
    torch.manual_seed(1)
    return LanguageModel(TransformerConfig(vocabulary=12, d_model=16, heads=2, d_ff=32, layers=1, max_length=6))


def test_a_continuation_is_the_likeliest_next_token_again_and_again(language_model):
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
    model = LanguageModel(config).train()
    assert len({tuple(greedy(model, [[5, 6, 7]], 8)[0]) for _ in range(5)}) == 1
    assert model.training


def test_a_continuation_stops_before_the_end_sign(language_model):
    free = greedy(language_model, [[5]], 5, stop=[-1])[0]
    first_place = free.index(free[2])
    assert greedy(language_model, [[5]], 5, stop=[free[2]])[0] == free[:first_place]


def test_a_text_longer_than_the_positions_goes_on_from_its_last_tokens(language_model):
    added = greedy(language_model, [[5, 6, 7, 8, 9, 10, 11, 4]], 1, stop=[-1])[0]
    assert added == greedy(language_model, [[7, 8, 9, 10, 11, 4]], 1, stop=[-1])[0]
    assert len(greedy(language_model, [[5]], 20, stop=[-1])[0]) == 20


def test_an_empty_prompt_is_refused(language_model):
    with pytest.raises(ValueError, match="prompt 0 has no tokens"):
        greedy(language_model, [[]], 3)[0]


@pytest.fixture
def reads_all():
    """A language model that reads and writes 12 tokens, in float64, so that no two logits are equal by rounding."""
    torch.manual_seed(2)
    config = TransformerConfig.gpt2(vocabulary=12, d_model=16, heads=2, d_ff=32, layers=2, max_length=9)
    model = LanguageModel(config).double()
    stir(model)
    return model


PROMPTS = [[5, 6, 7], [8], [9, 4, 3, 3, 10], [11, 11], [6] * 30, [5, 6, 7, 8, 9, 10, 11, 4]]


def test_a_temperature_divides_the_logits():
    logits = torch.tensor([[2.0, 1.0, -3.0], [0.0, 4.0, 4.0]])
    assert apply_temperature(logits, 2.0).tolist() == [[1.0, 0.5, -1.5], [0.0, 2.0, 2.0]]
    assert torch.equal(apply_temperature(logits, 1.0), logits)


def test_a_temperature_of_zero_leaves_the_likeliest_token_alone():
    logits = torch.tensor([[2.0, 1.0, -3.0], [0.0, 4.0, 4.0]])
    assert apply_temperature(logits, 0).softmax(-1).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert apply_temperature(logits, 1e-3).softmax(-1).tolist() == [[1, 0, 0], [0, 0.5, 0.5]]


@pytest.mark.parametrize("temperature", [-1, -1e-9, math.nan, math.inf])
def test_a_temperature_that_is_none_is_refused(temperature, language_model):
    sentence = f"temperature should be 0 or a number above it, but is {temperature}"
    with pytest.raises(ValueError, match=sentence):
        apply_temperature(torch.zeros(3), temperature)
    with pytest.raises(ValueError, match=sentence):
        sample(language_model, [[5]], 3, temperature=temperature)


def test_top_k_keeps_the_k_largest_of_each_row_and_what_equals_the_last():
    logits = torch.tensor([[2.0, 1.0, 3.0, 0.0], [5.0, 7.0, 5.0, 1.0]])
    inf = math.inf
    assert top_k_filter(logits, 1).tolist() == [[-inf, -inf, 3, -inf], [-inf, 7, -inf, -inf]]
    assert top_k_filter(logits, 2).tolist() == [[2, -inf, 3, -inf], [5, 7, 5, -inf]]
    for k in (4, 5, 1000):
        assert torch.equal(top_k_filter(logits, k), logits)


@pytest.mark.parametrize("k", [0, -1, 2.5])
def test_a_k_that_is_no_number_of_tokens_is_refused(k, language_model):
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
def test_a_p_that_is_no_probability_is_refused(p, language_model):
    with pytest.raises(ValueError, match=f"p is a probability, from 0 to 1, but is {p}"):
        top_p_filter(torch.zeros(3), p)
    with pytest.raises(ValueError, match=f"p is a probability, from 0 to 1, but is {p}"):
        sample(language_model, [[5]], 3, top_p=p)


def test_filters_leave_what_they_are_given_as_it_was():
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


def test_a_sampler_without_filters_draws_from_everything():
    assert drawn(sampler(), [0.4, 0.3, 0.2, 0.1]) == {0, 1, 2, 3}


def test_a_temperature_of_zero_and_a_k_of_one_and_a_p_of_zero_are_greedy(reads_all):
    wanted = greedy(reads_all, PROMPTS, 5, **ENDS)
    for one_choice in (dict(temperature=0), dict(top_k=1), dict(top_p=0.0), dict(temperature=0, top_k=99, top_p=1.0)):
        assert sample(reads_all, PROMPTS, 5, **one_choice, **ENDS) == wanted


def test_the_same_generator_writes_the_same_text_and_torchs_own_is_left_alone(reads_all):
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


def test_sampled_tokens_after_all_filters_are_as_frequent_as_by_hand():
    # 0.4, 0.3, 0.2, 0.1 at temperature 1/2: 16, 9, 4, 1 of 30. Top-3: of 29. 16 and 9 reach 0.8 = 23.2 of 29.
    logits = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log().expand(5000, -1)
    choose = sampler(0.5, top_k=3, top_p=0.8, generator=torch.Generator().manual_seed(0))
    found = choose(logits).bincount(minlength=4).tolist()
    assert found[2:] == [0, 0]
    # The same table: 10.828 with 1 degree of freedom.
    assert chi_square(found[:2], [5000 * 16 / 25, 5000 * 9 / 25]) < 10.828


class Toy(nn.Module):
    """Not of the course: each text of at most a few of V tokens has odds of its own for the next, drawn by a seed."""

    def __init__(self, vocabulary: int, seed: int) -> None:
        super().__init__()
        self.vocabulary, self.seed = vocabulary, seed
        self.here = nn.Parameter(torch.zeros(1))
        self.known: dict[tuple[int, ...], Tensor] = {}

    def log_probabilities(self, text: tuple[int, ...]) -> Tensor:
        if text not in self.known:
            number = sum((token + 1) * (self.vocabulary + 1) ** i for i, token in enumerate(text))
            generator = torch.Generator().manual_seed(1000 * self.seed + number)
            odds = torch.randn(self.vocabulary, generator=generator, dtype=torch.float64)
            self.known[text] = odds.log_softmax(-1)
        return self.known[text]

    def log_p(self, text: tuple[int, ...], token: int) -> float:
        return self.log_probabilities(text)[token].item()

    def forward(self, ids: Tensor) -> Tensor:
        rows = [[self.log_probabilities(tuple(row[: i + 1])) for i in range(len(row))] for row in ids.tolist()]
        return torch.stack([torch.stack(row) for row in rows])


def everything(
    toy: Toy, prompt: tuple[int, ...], length: int, stop: set[int]
) -> Iterator[tuple[list[int], float, int]]:
    """Each text that can be written: its ids, its log-probability, and its length with the stop token."""

    def extend(written: tuple[int, ...], total: float) -> Iterator[tuple[list[int], float, int]]:
        for token in range(toy.vocabulary):
            longer = total + toy.log_p(prompt + written, token)
            if token in stop:
                yield [*written], longer, len(written) + 1
            elif len(written) + 1 == length:
                yield [*written, token], longer, length
            else:
                yield from extend((*written, token), longer)

    return extend((), 0.0)


def equation_14(length: int, alpha: float) -> float:
    return (5 + length) ** alpha / (5 + 1) ** alpha


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 3.0, -1.0])
@pytest.mark.parametrize(("vocabulary", "length", "stop"), [(3, 4, [0]), (4, 3, [2]), (4, 3, [1, 3]), (3, 1, [0])])
def test_enough_beams_find_every_text_the_best_first(alpha, vocabulary, length, stop):
    toy = Toy(vocabulary, seed=vocabulary)
    beams = vocabulary**length
    for prompt in ([1], [2, 1]):
        texts = [
            (total / equation_14(count, alpha), ids, total)
            for ids, total, count in everything(toy, tuple(prompt), length, set(stop))
        ]
        texts.sort(reverse=True)
        (found,) = beam_search(toy, [prompt], length, beams=beams, alpha=alpha, n_best=beams, stop=stop)
        assert [text.ids for text in found] == [ids for _, ids, _ in texts]
        assert [text.score for text in found] == pytest.approx([score for score, _, _ in texts], abs=1e-12)
        assert [text.log_probability for text in found] == pytest.approx([total for *_, total in texts], abs=1e-12)


def plain_search(
    toy: Toy, prompt: tuple[int, ...], length: int, beams: int, alpha: float, stop: set[int], early: bool
) -> list[Hypothesis]:
    """One prompt, one text after another; unless it stops early, to the last step, whatever is found by then."""
    going: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    found: list[Hypothesis] = []
    for step in range(1, length + 1):
        longer = [
            (total + toy.log_p(prompt + text, token), (*text, token))
            for total, text in going
            for token in range(toy.vocabulary)
        ]
        longer.sort(reverse=True)
        for total, text in longer[:beams]:
            if text[-1] in stop or step == length:
                ids = [*text[:-1]] if text[-1] in stop else [*text]
                found.append(Hypothesis(ids, total, total / equation_14(step, alpha)))
        going = [each for each in longer if each[1][-1] not in stop][:beams]
        if early and len(found) >= beams:
            break
    return sorted(found, key=lambda each: -each.score)[:beams]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0, -0.7])
@pytest.mark.parametrize("beams", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("early", [False, True])
def test_a_search_that_may_stop_finds_what_one_that_goes_on_finds(alpha, beams, early):
    prompts = [[i, j] for i in range(4) for j in range(2)]
    for stop in ([0], [0, 3]):
        toy = Toy(5, seed=beams)
        found = beam_search(toy, prompts, 5, beams=beams, alpha=alpha, early_stopping=early, n_best=beams, stop=stop)
        for prompt, texts in zip(prompts, found, strict=True):
            wanted = plain_search(toy, tuple(prompt), 5, beams, alpha, set(stop), early)
            assert [text.ids for text in texts] == [text.ids for text in wanted]
            assert [text.score for text in texts] == pytest.approx([text.score for text in wanted], abs=1e-12)


class Fork(nn.Module):
    """Stops with 0.55, or goes on with 0.45 and is then all but certain of three more tokens and the stop."""

    def __init__(self) -> None:
        super().__init__()
        self.here = nn.Parameter(torch.zeros(1))
        self.read = 0

    def forward(self, ids: Tensor) -> Tensor:
        self.read = ids.size(1)
        odds = {1: [0.55, 0.45], 2: [0.001, 0.999], 3: [0.001, 0.999], 4: [0.001, 0.999]}
        rows = [odds.get(i + 1, [0.999, 0.001]) for i in range(ids.size(1))]
        return torch.tensor(rows).log().expand(len(ids), -1, -1)


def test_a_longer_text_overtakes_by_the_length_penalty_unless_the_search_stops_early():
    # ln 0.55 = -0.598 is the short text's score; ln(0.45 · 0.999⁴) / (10 / 6)^0.9 = -0.803 / 1.584 = -0.507.
    short = Hypothesis([], *[pytest.approx(math.log(0.55), abs=1e-6)] * 2)
    long = Hypothesis([1, 1, 1, 1], pytest.approx(-0.80251, abs=1e-5), pytest.approx(-0.80251 / 1.58367, abs=1e-5))
    for beams in (1, 2):
        assert beam_search(Fork(), [[1]], 9, beams=beams, alpha=0.9, stop=[0]) == [[long]]
        assert beam_search(Fork(), [[1]], 9, beams=beams, alpha=0.9, early_stopping=True, stop=[0]) == [[short]]
        assert beam_search(Fork(), [[1]], 9, beams=beams, alpha=0.0, stop=[0]) == [[short]]


def test_a_shorter_text_overtakes_where_the_penalty_favours_short_ones():
    # After two steps the worse of two texts is [1], ln(0.45 · 0.001) · (7 / 6)² = -10.5; the one that goes on ends
    # after five, with ln(0.45 · 0.999⁴) · (10 / 6)² = -2.23. After all 50 it would have -67.
    (found,) = beam_search(Fork(), [[1]], 50, beams=2, alpha=-2.0, n_best=2, stop=[0])
    assert [text.ids for text in found] == [[], [1, 1, 1, 1]]
    assert found[1].score == pytest.approx(-0.80251 * 100 / 36, abs=1e-4)


def test_a_search_ends_as_soon_as_nothing_can_overtake():
    fork = Fork()
    beam_search(fork, [[1]], 50, beams=1, alpha=0.0, stop=[0])
    assert fork.read == 1


@pytest.mark.parametrize(
    ("length", "alpha", "penalty"),
    [
        (1, 0.6, 1),
        (1, -3, 1),
        (7, 0, 1),
        (7, 1, 2),  # 12 / 6
        (19, 0.5, 2),  # √(24 / 6)
        (49, 0.5, 3),  # √(54 / 6)
        (19, 1, 4),
        (7, 3, 8),
        (7, -1, 0.5),
        (10, 0.6, 2.5**0.6),
    ],
)
def test_the_length_penalty_is_equation_14_of_wu_and_others(length, alpha, penalty):
    assert length_penalty(length, alpha) == pytest.approx(penalty, rel=1e-12)


@pytest.mark.parametrize("use_cache", [True, False])
def test_hypotheses_have_the_log_probabilities_that_the_model_gives_them(model, use_cache):
    sources = [[5, 6, 7, 8], [9], [10, 11]]
    found = beam_search(model.double(), sources, 6, beams=4, n_best=4, use_cache=use_cache, **ENDS)
    model.eval()
    for source, texts in zip(sources, found, strict=True):
        assert len({tuple(text.ids) for text in texts}) == len(texts) == 4
        assert [text.score for text in texts] == sorted((text.score for text in texts), reverse=True)
        for ids, log_probability, score in texts:
            written = [*ids, EOS][:6]
            logits = model(torch.tensor([source]), torch.tensor([[BOS, *written[:-1]]]))[0]
            total = logits.log_softmax(-1)[torch.arange(len(written)), torch.tensor(written)].sum().item()
            assert log_probability == pytest.approx(total, abs=1e-10)
            assert score == pytest.approx(total / equation_14(len(written), 0.6), abs=1e-10)


def test_one_beam_is_greedy(reads_all, model):
    for any_model, prompts in ((reads_all, PROMPTS), (model.double(), [[5, 6], [7], [8, 9, 10]])):
        found = beam_search(any_model, prompts, 6, beams=1, early_stopping=True, **ENDS)
        assert [texts[0].ids for texts in found] == greedy(any_model, prompts, 6, **ENDS)


def test_fewer_hypotheses_than_beams_come_where_there_are_no_more():
    toy = Toy(3, seed=1)
    (found,) = beam_search(toy, [[1]], 1, beams=8, n_best=8, stop=[0])
    assert sorted(text.ids for text in found) == [[], [1], [2]]


def test_a_stop_token_said_twice_or_unknown_to_the_model_makes_no_difference(reads_all):
    wanted = beam_search(reads_all, PROMPTS, 5, beams=3, n_best=3, stop=[4, 7])
    assert beam_search(reads_all, PROMPTS, 5, beams=3, n_best=3, stop=[7, 4, 4, -1, 99]) == wanted
    assert greedy(reads_all, PROMPTS, 5, stop=[7, 4, 4, -1, 99]) == greedy(reads_all, PROMPTS, 5, stop=[4, 7])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (dict(beams=0), "beams says how many texts go on at once, 1 or more, but is 0"),
        (dict(beams=-2), "beams says how many texts go on at once, 1 or more, but is -2"),
        (dict(beams=3, n_best=4), "n_best should be from 1 to beams=3, but is 4"),
        (dict(beams=3, n_best=0), "n_best should be from 1 to beams=3, but is 0"),
    ],
)
def test_beams_that_make_no_search_are_refused(settings, sentence, language_model):
    with pytest.raises(ValueError, match=sentence):
        beam_search(language_model, [[5]], 3, **settings)


def test_a_search_can_be_watched():
    toy = Toy(4, seed=0)
    steps: list[list[Candidate]] = []
    (found,) = beam_search(toy, [[1]], 3, beams=2, alpha=0.0, n_best=2, stop=[0], watch=steps.append)
    going: list[tuple[int, ...]] = [()]
    ended: list[list[int]] = []
    for number, candidates in enumerate(steps, start=1):
        every = [((*text, token), toy.log_p((1, *text), token)) for text in going for token in range(4)]
        totals = {text: p + sum(toy.log_p((1, *text[:i]), text[i]) for i in range(len(text) - 1)) for text, p in every}
        ranked = sorted(totals, key=lambda text: -totals[text])
        looked_at = [tuple(each.ids) for each in candidates]
        assert looked_at == ranked[: len(looked_at)]
        assert [each.log_probability for each in candidates] == pytest.approx([totals[text] for text in looked_at])
        over = [text[-1] == 0 or number == 3 for text in looked_at]
        going = [text for text, is_over in zip(looked_at, over, strict=True) if not is_over][:2]
        fates = dict.fromkeys(going, "kept")
        fates |= {text: "ended" for text, is_over in zip(looked_at[:2], over[:2], strict=True) if is_over}
        assert [each.fate for each in candidates] == [fates.get(text, "dropped") for text in looked_at]
        ended += [each.ids for each in candidates if each.fate == "ended"]
    assert {each.fate for each in itertools.chain(*steps)} == {"kept", "ended", "dropped"}
    stripped = [[token for token in ids if token != 0] for ids in ended]
    assert all(text.ids in stripped for text in found)


def test_a_watched_search_of_several_prompts_tells_of_each_that_is_still_going():
    toy = Toy(4, seed=0)
    alone: list[list[Candidate]] = []
    together: list[list[Candidate]] = []
    for prompt in ([1], [2], [3, 1]):
        beam_search(toy, [prompt], 3, beams=2, stop=[0], watch=alone.append)
    beam_search(toy, [[1], [2], [3, 1]], 3, beams=2, stop=[0], watch=together.append)
    assert sorted(alone) == sorted(together)


@pytest.mark.parametrize("use_cache", [True, False])
def test_company_changes_no_text_of_any_kind(reads_all, model, use_cache):
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


def test_more_prompts_than_rows_at_once_keep_their_order(reads_all):
    prompts = [[3 + i % 9, 3 + i // 9 % 9] for i in range(81)]
    together = beam_search(reads_all, prompts, 3, beams=8, **ENDS)
    assert [each[0].ids for each in together] == [
        beam_search(reads_all, [ids], 3, beams=8, **ENDS)[0][0].ids for ids in prompts
    ]
    many = prompts * 4
    assert greedy(reads_all, many, 3, **ENDS) == greedy(reads_all, prompts, 3, **ENDS) * 4


def test_a_text_goes_on_past_the_models_positions_with_and_without_a_cache(reads_all):
    for prompts in (PROMPTS, [[5]]):
        free = greedy(reads_all, prompts, 25, stop=[])
        assert {len(ids) for ids in free} == {25}
        assert greedy(reads_all, prompts, 25, stop=[], use_cache=False) == free
        found, wanted = (beam_search(reads_all, prompts, 25, beams=2, stop=[], use_cache=use) for use in (True, False))
        assert [texts[0].ids for texts in found] == [texts[0].ids for texts in wanted]
        assert [texts[0].score for texts in found] == pytest.approx([texts[0].score for texts in wanted], abs=1e-10)


def test_a_model_that_never_stops_is_stopped(reads_all, model):
    assert {len(ids) for ids in greedy(reads_all, PROMPTS, stop=[])} == {9}
    assert {len(ids) for ids in sample(reads_all, PROMPTS, stop=[])} == {9}
    assert {len(texts[0].ids) for texts in beam_search(reads_all, PROMPTS, stop=[])} == {9}
    assert len(list(stream(reads_all, [5], stop=[]))) == 9
    assert {len(ids) for ids in greedy(model, [[5], [6, 7]], 99, bos=BOS, stop=[])} == {SMALL.max_length}


def test_any_of_several_stop_tokens_ends_a_text(reads_all):
    free = greedy(reads_all, PROMPTS, 8, stop=[])
    stop = [free[0][2], free[1][4], free[2][1]]
    wanted = [list(itertools.takewhile(lambda token: token not in stop, ids)) for ids in free]
    assert len(set(map(len, wanted))) > 1
    assert greedy(reads_all, PROMPTS, 8, stop=stop) == wanted
    assert greedy(reads_all, PROMPTS, 8, stop=tuple(stop), use_cache=False) == wanted


def test_a_length_of_zero_writes_nothing(reads_all, model):
    for any_model in (reads_all, model):
        assert greedy(any_model, [[5], [6, 7]], 0, **ENDS) == [[], []]
        assert sample(any_model, [[5], [6, 7]], 0, **ENDS) == [[], []]
        assert list(stream(any_model, [5], 0, **ENDS)) == []
        assert beam_search(any_model, [[5], [6, 7]], 0, **ENDS) == [[([], 0.0, 0.0)]] * 2


@pytest.mark.parametrize("length", [-1, 2.5, math.nan, math.inf])
def test_a_length_that_counts_no_tokens_is_refused(length, reads_all):
    sentence = f"max_length says how many tokens to write at most, 0 or more, but is {length}"
    for write in (greedy, sample, beam_search):
        with pytest.raises(ValueError, match=sentence):
            write(reads_all, [[5]], length)
    with pytest.raises(ValueError, match=sentence):
        next(stream(reads_all, [5], length))


WRITERS = [
    partial(greedy, **ENDS),
    partial(sample, **ENDS),
    partial(beam_search, **ENDS),
    lambda model, prompts: next(stream(model, *prompts, **ENDS)),
]
every_writer = pytest.mark.parametrize("write", WRITERS, ids=["greedy", "sample", "beams", "stream"])


@every_writer
@pytest.mark.parametrize(
    ("prompt", "error", "sentence"),
    [
        ([], ValueError, r"prompt 0 has no tokens, so there is nothing to go on with; \[bos\] alone will do"),
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
    with pytest.raises(ValueError, match="at most max_length=10 tokens fit, but 11 came"):
        write(model, [[5] * 11])


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_bad_prompt_behind_good_ones_is_named_before_anything_is_written(write):
    stand_in = Dictionary()
    with pytest.raises(ValueError, match="prompt 300 has no tokens"):
        write(stand_in, [[5]] * 300 + [[]])
    assert stand_in.steps == 0


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_prompt_given_flat_is_refused(write, reads_all):
    with pytest.raises(TypeError, match=r"but prompt 0 is 5: write \[prompt\]"):
        write(reads_all, [5, 6, 7])


def test_no_prompts_give_nothing(reads_all):
    assert sample(reads_all, []) == []
    assert beam_search(reads_all, []) == []


def test_prompts_are_left_as_they_were(reads_all):
    prompts = [list(ids) for ids in PROMPTS]
    for write in (greedy, sample, beam_search):
        write(reads_all, prompts, 3)
    assert prompts == PROMPTS


def test_prompts_may_be_tuples(reads_all):
    assert greedy(reads_all, tuple(map(tuple, PROMPTS)), 3) == greedy(reads_all, PROMPTS, 3)


@pytest.mark.parametrize("write", [greedy, sample, beam_search])
def test_a_translation_has_to_be_told_the_id_that_it_starts_with(write, model):
    with pytest.raises(ValueError, match=r"a translation starts with .* say which, such as bos=tokenizer\.bos"):
        write(model, [[5]])


def test_without_an_id_that_stops_it_a_text_is_written_to_its_full_length(reads_all, model):
    assert {len(ids) for ids in greedy(reads_all, PROMPTS, 12)} == {12}
    assert {len(ids) for ids in greedy(model, [[5], [6, 7]], bos=BOS)} == {SMALL.max_length}


class Unsaid(Dictionary):
    """A translator that does not say which id fills up its sources."""

    config = None


def test_sources_are_filled_up_with_the_id_that_was_given_where_the_model_names_none():
    sources = [[5, 6, 7], [8]]
    assert greedy(Unsaid(), sources, 4, **ENDS, pad=PAD) == sources
    with pytest.raises(ValueError, match="have 1 and 3 ids: say which id fills up the shorter ones"):
        greedy(Unsaid(), sources, 4, **ENDS)
    assert greedy(Unsaid(), [[5], [6]], 4, **ENDS) == [[5], [6]]


@every_writer
def test_a_model_that_names_no_length_has_to_be_told_one(write):
    with pytest.raises(ValueError, match="say how many tokens to write at most, max_length=…: this model does not say"):
        write(Toy(4, seed=0), [[1]])


def test_a_model_that_is_not_the_courses_writes_as_well():
    toy = Toy(4, seed=3)
    text = (1,)
    for _ in range(4):
        text = (*text, toy.log_probabilities(text).argmax().item())
    assert greedy(toy, [[1]], 4, stop=[]) == [list(text[1:])]
    assert [*stream(toy, [1], 4, stop=[])] == list(text[1:])
    sources = [[5, 6, 7], [8], [9, 4]]
    # Any but the copied token has odds of e to 1, so the search prefers to go on; its copy is the likeliest text.
    found = beam_search(Dictionary(), sources, 4, beams=1, early_stopping=True, **ENDS)
    assert [texts[0].ids for texts in found] == sources


def test_a_stream_is_the_text_that_is_written_at_once(reads_all, model):
    for any_model in (reads_all, model):
        assert list(stream(any_model, [5, 6, 7], 6, **ENDS)) == greedy(any_model, [[5, 6, 7]], 6, **ENDS)[0]
        one, other = (torch.Generator().manual_seed(4) for _ in range(2))
        choose = sampler(1.5, top_k=8, top_p=0.95, generator=one)
        written = sample(any_model, [[5, 6, 7]], 6, temperature=1.5, top_k=8, top_p=0.95, generator=other, **ENDS)
        assert list(stream(any_model, [5, 6, 7], 6, choose=choose, **ENDS)) == written[0]


def test_a_stream_stops_where_it_is_told_and_reads_nothing_after_its_last_token():
    stand_in = Dictionary()
    assert list(stream(stand_in, [5, 6, 7], **ENDS)) == [5, 6, 7]
    assert stand_in.steps == 4
    stand_in = Dictionary()
    assert list(stream(stand_in, [5, 6, 7], 2, **ENDS)) == [5, 6]
    assert stand_in.steps == 2


def test_a_stream_gives_each_token_before_it_looks_for_the_next():
    stand_in = Dictionary()
    tokens = stream(stand_in, [5, 6, 7], **ENDS)
    assert stand_in.rows_at_a_time == []
    for step, token in enumerate([5, 6, 7], start=1):
        assert next(tokens) == token
        assert stand_in.steps == step
        assert stand_in.training


def test_between_two_tokens_of_a_stream_the_model_is_as_it_was(reads_all):
    for training in (True, False):
        reads_all.train(training)
        tokens = stream(reads_all, [5], 5, stop=[])
        for _ in range(3):
            next(tokens)
            assert torch.is_grad_enabled()
            assert all(part.training == training for part in reads_all.modules())
        tokens.close()
        assert reads_all.training == training


def test_a_stream_that_is_left_by_an_exception_leaves_the_model_in_its_mode(reads_all):
    def refuse(token: int) -> None:
        raise RuntimeError("enough")

    reads_all.train()
    with pytest.raises(RuntimeError, match="enough"):
        list(map(refuse, stream(reads_all, [5], 5, stop=[])))
    assert reads_all.training
    assert torch.is_grad_enabled()


@every_writer
def test_an_interrupt_while_the_model_works_leaves_it_in_its_mode(write, reads_all, monkeypatch):
    def interrupted(*_: object) -> Tensor:
        assert not reads_all.training
        raise KeyboardInterrupt

    # Every step asks the feed-forward, with a cache or without.
    monkeypatch.setattr(reads_all.body.layers[1].feed_forward, "forward", interrupted)
    reads_all.train()
    with pytest.raises(KeyboardInterrupt):
        write(reads_all, [[5, 6]])
    assert reads_all.training
    assert torch.is_grad_enabled()


def test_a_choice_of_ones_own_is_asked(reads_all):
    assert list(stream(reads_all, [5], 3, choose=lambda logits: logits.argmin(-1), stop=[])) != list(
        stream(reads_all, [5], 3, stop=[])
    )
    assert likeliest(torch.tensor([[1.0, 5.0, 5.0], [3.0, 2.0, 1.0]])).tolist() == [1, 0]
