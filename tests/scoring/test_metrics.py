import math

import numpy as np
import pytest
import torch

from course_lib.scoring.metrics import (
    alignment_error_rate,
    alignment_from_weights,
    bits_per_character,
    exact_match,
    perplexity,
    share_of_right_words,
)


def test_exact_match_counts_only_completely_equal_sentences():
    predicted = [["le", "chat"], ["le", "chat", "noir"], ["un", "chat"], []]
    expected = [["le", "chat"], ["le", "chat"], ["le", "chat"], []]
    assert exact_match(predicted, expected) == 2 / 4


@pytest.mark.parametrize(("predicted", "words"), [(["a"], "1 answers and 2 expected"), (["a"] * 3, "3 answers and 2")])
def test_exact_match_refuses_lists_of_different_lengths(predicted, words):
    with pytest.raises(ValueError, match=words):
        exact_match(predicted, ["a", "b"])


def test_exact_match_refuses_to_divide_by_nothing():
    with pytest.raises(ValueError, match="nothing to compare"):
        exact_match([], [])


def test_alignment_error_rate_by_hand():
    # |A| = 4, |S| = 3, |A ∩ S| = 2, |A ∩ P| = 3: 1 - (2 + 3) / (4 + 3) = 2/7.
    A = {(0, 0), (1, 1), (2, 1), (3, 3)}
    S = {(0, 0), (1, 1), (2, 2)}
    P = S | {(2, 1), (1, 2)}
    assert alignment_error_rate([A], [S], [P]) == pytest.approx(2 / 7, abs=1e-12)


def test_a_possible_link_left_out_costs_nothing():
    S, P = {(0, 0)}, {(0, 0), (0, 1)}
    assert alignment_error_rate([S], [S], [P]) == 0
    assert alignment_error_rate([P], [S], [P]) == 0


def test_alignment_error_rate_is_one_minus_f1_where_all_links_are_sure():
    # Two of four predicted links are right, of five true ones: precision 1/2, recall 2/5, F1 = 4/9.
    A = {(0, 0), (1, 1), (2, 3), (3, 2)}
    S = {(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)}
    assert alignment_error_rate([A], [S]) == pytest.approx(1 - 4 / 9, abs=1e-12)


def test_alignment_error_rate_sums_over_sentences_before_it_divides():
    # A mean over sentences would be (0 + 1) / 2.
    predicted = [{(0, 0), (1, 1), (2, 2)}, {(0, 1)}]
    sure = [{(0, 0), (1, 1), (2, 2)}, {(0, 0)}]
    assert alignment_error_rate(predicted, sure) == pytest.approx(1 - 6 / 8, abs=1e-12)


def test_alignment_error_rate_ranges_from_0_to_1():
    assert alignment_error_rate([{(0, 0)}], [{(0, 0)}]) == 0
    assert alignment_error_rate([{(0, 1)}], [{(1, 0)}]) == 1


def test_alignment_error_rate_refuses_lists_that_do_not_match():
    with pytest.raises(ValueError, match="2 predicted alignments and 1 sure ones"):
        alignment_error_rate([{(0, 0)}, set()], [{(0, 0)}])
    with pytest.raises(ValueError, match=r"2 lists of possible links and 1 of sure ones"):
        alignment_error_rate([{(0, 0)}], [{(0, 0)}], [{(0, 0)}, set()])
    with pytest.raises(ValueError, match=r"but \(2, 2\) in sentence 1 is not"):
        alignment_error_rate([set(), set()], [set(), {(2, 2)}], [set(), {(0, 0)}])
    with pytest.raises(ValueError, match="no error rate"):
        alignment_error_rate([set()], [set()])


def test_weights_become_one_link_for_each_target_word():
    weights = torch.tensor([[0.1, 0.7, 0.2], [0.2, 0.3, 0.5]])  # (T, S): the second source word is read first
    assert alignment_from_weights(weights) == {(1, 0), (2, 1)}


def test_the_weights_of_all_heads_at_once_are_refused():
    with pytest.raises(ValueError, match=r"one head's, but their shape is \(4, 2, 3\)"):
        alignment_from_weights(torch.ones(4, 2, 3))


def test_lists_tuples_tensors_and_arrays_of_equal_items_match():
    answers = [["le", "chat"], ("le", "chien"), [1, 2]]
    assert exact_match(answers, [("le", "chat"), ["le", "chien"], torch.tensor([1, 2])]) == 1.0
    assert exact_match(torch.tensor([[1, 2], [3, 4]]), np.array([[1, 2], [3, 5]])) == 0.5
    assert exact_match([torch.tensor([1, 2])], [torch.tensor([1, 2, 3])]) == 0.0
    assert exact_match([{"a": 1}, 2], [{"a": 1}, 2.0]) == 1.0


def test_a_string_in_place_of_a_list_of_answers_is_refused():
    for answers in (("le chat", ["le chat"]), (["le chat"], "le chat")):
        with pytest.raises(TypeError, match="expected a list of answers, but got 'le chat': put it in a list"):
            exact_match(*answers)


def test_links_of_lists_and_tensors_count_and_links_that_are_no_pairs_of_numbers_are_refused():
    expected = alignment_error_rate([{(0, 0), (1, 2)}], [{(0, 0), (1, 1)}])
    assert alignment_error_rate([[[0, 0], [1, 2]]], [torch.tensor([[0, 0], [1, 1]])]) == expected
    for bad in ("ab", [(0, 1, 2)], [(0.5, 1)], [3], ["01"]):
        with pytest.raises(
            TypeError, match=r"a link is a pair of word numbers \(source, target\), but one of sentence 1 is"
        ):
            alignment_error_rate([{(0, 0)}, bad], [{(0, 0)}, {(0, 0)}])


def test_weights_of_nan_are_no_alignment():
    with pytest.raises(ValueError, match="the weights contain NaN"):
        alignment_from_weights(torch.tensor([[0.5, float("nan")]]))


def test_perplexity_is_the_number_of_equally_likely_tokens():
    assert perplexity(torch.full((5,), -math.log(73))) == pytest.approx(73, rel=1e-5)
    assert perplexity(torch.tensor([0.5, 0.125]).log()) == pytest.approx(4)
    assert perplexity(torch.full((5000,), -3.0)) == pytest.approx(math.exp(3), rel=1e-5)  # the product underflows


def test_bits_per_character_do_not_depend_on_how_the_text_is_split():
    # "king" with probability 1/16, as one token, as two of 1/4, or as four of 1/2: 4 bits for 4 characters.
    for count in (1, 2, 4):
        assert bits_per_character(torch.full((count,), -math.log(16) / count), "king") == pytest.approx(1)
    assert bits_per_character(torch.tensor([-math.log(8)]), "été") == pytest.approx(1)


def test_the_share_of_right_words_ignores_the_order_and_counts_repeated_words_once_each():
    # 2 · 2 / (3 + 3); then “du” is shared once, 2 · 1 / (3 + 1).
    found = [["le", "roi", "dort"], ["du", "du", "du"]]
    assert share_of_right_words(found, [["dort", "le", "chat"], ["du"]]) == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert share_of_right_words([["le", "roi"]], [("roi", "le")]) == 1
    assert share_of_right_words([[]], [["roi"]]) == share_of_right_words([[]], [[]]) == 0


def test_the_share_of_right_words_refuses_lists_that_do_not_match():
    with pytest.raises(ValueError, match="1 answers and 2 expected ones"):
        share_of_right_words([["le"]], [["le"], ["la"]])
    with pytest.raises(ValueError, match="nothing to compare"):
        share_of_right_words([], [])
