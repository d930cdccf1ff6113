"""Beam search: values by hand, and searches that try everything.

What transformers finds with the same weights is in test_generate.py.
"""

import itertools
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from course_lib.transformer.models import LanguageModel, Transformer
from course_lib.writing.beam import Candidate, Hypothesis, beam_search, length_penalty
from course_lib.writing.choose import (
    greedy,
)
from tests.writing.stand_ins import (
    BOS,
    ENDS,
    EOS,
    PROMPTS,
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
def test_with_enough_beams_every_text_is_found_and_the_best_comes_first(alpha, vocabulary, length, stop):
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
def test_a_search_that_may_stop_early_finds_the_same_as_one_that_continues(alpha, beams, early):
    prompts = [[i, j] for i in range(4) for j in range(2)]
    for stop in ([0], [0, 3]):
        toy = Toy(5, seed=beams)
        found = beam_search(toy, prompts, 5, beams=beams, alpha=alpha, early_stopping=early, n_best=beams, stop=stop)
        for prompt, texts in zip(prompts, found, strict=True):
            expected = plain_search(toy, tuple(prompt), 5, beams, alpha, set(stop), early)
            assert [text.ids for text in texts] == [text.ids for text in expected]
            assert [text.score for text in texts] == pytest.approx([text.score for text in expected], abs=1e-12)


class Fork(nn.Module):
    """Stops with 0.55, or continues with 0.45 and is then almost certain of three more tokens and the stop."""

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
    # After two steps the worse of two texts is [1], ln(0.45 · 0.001) · (7 / 6)² = -10.5; the one that continues ends
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
def test_hypotheses_have_the_log_probabilities_of_the_model(model, use_cache):
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


def test_there_are_fewer_hypotheses_than_beams_if_the_model_has_fewer_texts():
    toy = Toy(3, seed=1)
    (found,) = beam_search(toy, [[1]], 1, beams=8, n_best=8, stop=[0])
    assert sorted(text.ids for text in found) == [[], [1], [2]]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (dict(beams=0), "beams says how many texts are continued at once, 1 or more, but is 0"),
        (dict(beams=-2), "beams says how many texts are continued at once, 1 or more, but is -2"),
        (dict(beams=3, n_best=4), "n_best should be from 1 to beams=3, but is 4"),
        (dict(beams=3, n_best=0), "n_best should be from 1 to beams=3, but is 0"),
    ],
)
def test_invalid_numbers_of_beams_are_refused(settings, sentence, language_model):
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


def test_a_watched_search_of_several_prompts_reports_each_unfinished_search():
    toy = Toy(4, seed=0)
    separately: list[list[Candidate]] = []
    together: list[list[Candidate]] = []
    for prompt in ([1], [2], [3, 1]):
        beam_search(toy, [prompt], 3, beams=2, stop=[0], watch=separately.append)
    beam_search(toy, [[1], [2], [3, 1]], 3, beams=2, stop=[0], watch=together.append)
    assert sorted(separately) == sorted(together)


def test_a_beam_search_returns_no_text_of_probability_0() -> None:
    class Ends(nn.Module):
        """A model that can write 1 or 2, and then only the end, 0."""

        def __init__(self) -> None:
            super().__init__()
            self.here = nn.Parameter(torch.zeros(1))
            self.calls = 0

        def forward(self, ids: Tensor) -> Tensor:
            self.calls += 1
            logits = torch.full((*ids.shape, 4), -math.inf)
            logits[..., 0] = 0.0
            logits[:, :1] = torch.tensor([-math.inf, 0.0, 0.0, -math.inf])
            return logits

    watched: list[list[Candidate]] = []
    model = Ends()
    ((first, second),) = beam_search(model, [[3]], 5, beams=4, n_best=4, stop=[0], watch=watched.append)
    assert model.calls == 2, "after the end, nothing is possible"
    assert sorted([first.ids, second.ids]) == [[1], [2]]
    assert first.log_probability == pytest.approx(math.log(0.5))
    assert all(candidate.log_probability > -math.inf for step in watched for candidate in step)
    assert [len(texts) for texts in beam_search(Ends(), [[3], [3]], 1, beams=4, n_best=4)] == [2, 2]


@pytest.mark.parametrize("alpha", [math.nan, math.inf])
def test_an_alpha_that_is_no_number_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match=f"alpha should be a finite number, but is {alpha}"):
        beam_search(small_language_model(), [[5]], 2, alpha=alpha)


def test_another_penalty_can_be_used_whatever_its_arguments_are_called():
    def plain(n: int, a: float) -> Tensor:  # as fairseq computes it, and a tensor, as a learner may return one
        return torch.tensor(float(n) ** a)

    toy = Toy(seed=3, vocabulary=3)
    for penalty in (length_penalty, plain):
        (found,) = beam_search(toy, [[0]], 4, beams=64, alpha=0.7, n_best=8, stop=[2], penalty=penalty)
        assert all(
            text.score == text.log_probability / float(penalty(len(text.ids) + 1, 0.7))
            for text in found
            if len(text.ids) < 4
        )
    assert len({text.score for text in found}) > 1
