"""N-gram language models, against values computed by hand."""

import math

import pytest
import torch

from course_lib.scoring.ngrams import NGrams


def test_a_unigram_model_mixes_counts_with_the_uniform_distribution():
    # a a a b of V = 4: two kinds. p(a) = (3 + 2/4) / (4 + 2), p(c) = (0 + 2/4) / 6.
    model = NGrams([0, 0, 0, 1], n=1, vocabulary=4)
    assert model.probability((), 0) == pytest.approx(3.5 / 6)
    assert model.probability((), 2) == pytest.approx(0.5 / 6)


def test_a_bigram_model_mixes_counts_with_the_unigram():
    # After a came a, a, b: two kinds. p(b | a) = (1 + 2 p(b)) / (3 + 2), p(b) = 1.5 / 6.
    model = NGrams([0, 0, 0, 1], n=2, vocabulary=4)
    assert model.probability((0,), 1) == pytest.approx((1 + 2 * 1.5 / 6) / 5)


def test_a_trigram_model_reads_two_tokens_and_mixes_counts_with_the_bigram():
    # p(2) = (1 + 3/3) / 6, after 1: (1 + 1/3) / 2, after 0 1: (1 + 2/3) / 2.
    model = NGrams([0, 1, 2], n=3, vocabulary=3)
    assert model.probability((2, 0, 1), 2) == pytest.approx(5 / 6)


def test_an_unseen_context_gets_the_prediction_of_the_shorter_one():
    model = NGrams([0, 0, 0, 1], n=3, vocabulary=4)
    assert model.probability((3, 2), 0) == model.probability((), 0)


@pytest.mark.parametrize("context", [(), (0,), (1, 0), (2, 2)])
def test_probabilities_add_up_to_one(context: tuple[int, ...]):
    model = NGrams([0, 1, 2, 0, 1, 1, 0, 2], n=3, vocabulary=4)
    assert sum(model.probability(context, token) for token in range(4)) == pytest.approx(1)


def test_the_loss_of_the_uniform_distribution_is_the_logarithm_of_v():
    assert NGrams([], n=1, vocabulary=7).loss([1, 2, 3]) == pytest.approx(math.log(7))


def test_the_loss_is_the_mean_surprise():
    model = NGrams([0, 1, 0, 1], n=2, vocabulary=2)
    surprise = [-math.log(model.probability(context, token)) for context, token in (((), 0), ((0,), 1))]
    assert model.loss([0, 1]) == pytest.approx(sum(surprise) / 2)


def test_an_id_beyond_the_vocabulary_is_refused():
    with pytest.raises(ValueError, match=r"ids should be 0 to 3, but they run from 0 to 4"):
        NGrams([0, 4], n=1, vocabulary=4)


def test_an_n_below_one_is_refused():
    with pytest.raises(ValueError, match="n should be at least 1, but is 0"):
        NGrams([0], n=0, vocabulary=4)


def test_tensors_are_counted_like_lists():
    ids = [0, 1, 2, 0, 1, 1]
    ours, theirs = NGrams(torch.tensor(ids), 2, 3), NGrams(ids, 2, 3)
    assert ours.loss(torch.tensor(ids)) == theirs.loss(ids) == theirs.loss(torch.tensor(ids))
    assert ours.probability(torch.tensor([0]), torch.tensor(1)) == theirs.probability([0], 1)


def test_ids_that_the_vocabulary_lacks_and_empty_texts_are_refused():
    model = NGrams([0, 1], 2, 2)
    for call in (lambda: model.loss([0, 2]), lambda: model.probability([-1], 0), lambda: model.probability([0], 5)):
        with pytest.raises(ValueError, match="ids should be 0 to 1, but they run from"):
            call()
    for ids in (["a"], [0.5], "01"):
        with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
            model.loss(ids)
    with pytest.raises(ValueError, match="a text without tokens has no loss"):
        model.loss([])


@pytest.mark.parametrize("context", [[], [0], [2, 0], [1, 1, 1], [2, 2]])
def test_the_likeliest_tokens_have_the_probabilities_of_the_model_in_descending_order(context: list[int]):
    model = NGrams([0, 1, 2, 0, 1, 1, 0, 2], n=3, vocabulary=4)
    ranked = model.likeliest(context, 4)
    assert [p for _, p in ranked] == pytest.approx([model.probability(context, token) for token, _ in ranked])
    assert [p for _, p in ranked] == sorted((p for _, p in ranked), reverse=True)
    assert sum(p for _, p in ranked) == pytest.approx(1)
    assert model.likeliest(context, 2) == ranked[:2]
