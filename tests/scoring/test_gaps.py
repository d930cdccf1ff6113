"""The same questions for models that read in different ways."""

import math

import pytest
import torch

from course_lib.scoring.gaps import Gaps, choose_gaps, ngram_guesses, share_right
from course_lib.scoring.ngrams import NGrams

END, MASK = 2, 9
SPECIAL = torch.tensor([0, 1, 2, 3])
ROWS = torch.tensor([[4, 5, 6, 7, 8], [8, 7, 6, 5, 4]])


def test_what_belongs_to_the_places_is_picked() -> None:
    gaps = Gaps(ROWS, torch.tensor([1, 3]))
    assert gaps.answers.tolist() == [5, 5]
    assert gaps.before(ROWS).tolist() == [4, 6]
    assert gaps.hidden(MASK).tolist() == [[4, 9, 6, 7, 8], [8, 7, 6, 9, 4]]
    assert ROWS[0].tolist() == [4, 5, 6, 7, 8]
    logits = torch.arange(20).view(2, 5, 2)
    assert gaps.at(logits).tolist() == [[2, 3], [16, 17]]


def test_left_only_hides_what_comes_after_the_place_but_each_token_from_itself() -> None:
    mask = Gaps(ROWS[:1], torch.tensor([1])).left_only()
    assert mask.shape == (1, 1, 5, 5)
    assert mask[0, 0].int().tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_no_place_is_special_begins_a_text_or_is_near_an_end() -> None:
    torch.manual_seed(0)
    rows = torch.randint(0, 9, (300, 12))
    gaps = choose_gaps(rows, SPECIAL, END, margin=3)
    assert 50 < len(gaps) < 300
    assert not torch.isin(gaps.answers, SPECIAL).any()
    assert not (gaps.before(gaps.rows) == END).any()
    assert (gaps.places.min(), gaps.places.max()) == (3, 8)
    assert torch.equal(choose_gaps(rows, SPECIAL, END, margin=3).places, gaps.places)
    with pytest.raises(ValueError, match="none of the 2 rows has a place"):
        choose_gaps(torch.full((2, 12), END), SPECIAL, END, margin=3)


def test_the_guesses_of_counting_are_its_probabilities() -> None:
    counts = NGrams([4, 5, 4, 5, 6], n=2, vocabulary=10)
    log_p = ngram_guesses(counts, Gaps(ROWS, torch.tensor([1, 3])))
    assert log_p.shape == (2, 10)
    assert log_p[0, 5].item() == pytest.approx(math.log(counts.probability([4], 5)))
    assert log_p[1, 4].item() == pytest.approx(math.log(counts.probability([6], 4)))


def test_the_share_of_right_guesses() -> None:
    assert share_right(torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), [1, 1, 1]) == pytest.approx(2 / 3)
