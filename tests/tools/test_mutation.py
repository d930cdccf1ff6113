"""That `python -m tools.mutation` still plants what it says, and that planted faults do die."""

import multiprocessing

import pytest

from tools.mutation import FAULTS, FILES, SECONDS_FOR_ONE, Fault, source_of, verdict


def test_each_fault_still_finds_its_text_exactly_once() -> None:
    for fault in FAULTS:
        assert fault.plant(source_of(fault.file)) != source_of(fault.file), fault.phrase


def test_there_are_faults_enough_in_every_file_and_none_is_planted_twice() -> None:
    least = {file: 5 if file in ("byte_pairs", "ngrams") else 10 for file in FILES}
    assert {file for file in FILES if sum(fault.file == file for fault in FAULTS) < least[file]} == set()
    assert len({(fault.file, fault.right, fault.wrong) for fault in FAULTS}) == len(FAULTS)
    assert len({fault.phrase for fault in FAULTS}) == len(FAULTS)


def test_a_fault_whose_text_is_gone_is_reported_as_not_caught() -> None:
    fault = Fault("positions", "no such text", "", "nothing")
    assert verdict(fault) == (fault, False, "positions.py should hold 'no such text' once, but has it 0 times")


@pytest.mark.parametrize(
    ("phrase", "test"),
    [
        ("softmax over the queries", "test_dot_product_attention_is_torchs[4-5-none-float64]"),
        ("heads split by a view", "test_each_head_gets_its_own_slice_of_every_token"),
        ("eps outside the root", "test_rms_norm_is_torchs[1.0-float64]"),
        ("top-k leaves the k-th out", "test_top_k_keeps_the_k_largest_of_each_row_and_what_equals_the_last"),
        ("no even bets at the bottom", "test_a_unigram_mixes_counts_with_even_bets"),
    ],
)
def test_a_planted_fault_dies_of_the_test_that_is_meant_for_it(phrase: str, test: str) -> None:
    # Some of the quickest; all of them take minutes.
    (fault,) = [fault for fault in FAULTS if fault.phrase == phrase]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(verdict, (fault,)).get(SECONDS_FOR_ONE) == (fault, True, test)
