"""What a search found, measured by hand."""

import pytest
import torch

from course_lib.scoring.searches import SearchScore, measure_search
from course_lib.text.words import WordTokenizer


def test_a_search_is_measured_by_means_over_its_sentences():
    tokenizer = WordTokenizer.from_sentences([["le", "roi", "dort"]])
    found = [(tokenizer.encode(["le", "roi"]), -1.0), (tokenizer.encode(["dort"]), torch.tensor(-2.5))]
    score = measure_search(found, tokenizer, [["le", "roi", "dort"], ["roi"]])
    assert score == SearchScore(pytest.approx((4 / 5 + 0) / 2), pytest.approx(-1.75), 1.5)
    assert str(score) == "right words 0.40, log-probability  -1.75, length 1.5"


def test_a_search_without_an_answer_for_each_sentence_is_refused():
    tokenizer = WordTokenizer.from_sentences([["le"]])
    with pytest.raises(ValueError, match="0 answers and 1 expected ones"):
        measure_search([], tokenizer, [["le"]])
