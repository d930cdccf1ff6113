import pytest
import torch

from course_lib.scoring.metrics import alignment_error_rate, alignment_from_weights, exact_match


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
