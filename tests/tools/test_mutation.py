"""`python -m tools.mutation` still plants its faults, and tests catch planted faults."""

import multiprocessing

import pytest

from tests.test_house import TEXTBOOK
from tools.faults import FAULTS, ROOT, Fault, source_of
from tools.mutation import SECONDS_FOR_ONE, is_selected, room_tests, verdict


def test_each_fault_still_finds_its_text_exactly_once() -> None:
    for fault in FAULTS:
        assert fault.plant(source_of(fault.file)) != source_of(fault.file), fault.phrase


def test_every_file_of_the_textbook_has_faults_and_there_are_two_hundred_in_all() -> None:
    counts = {name: sum(fault.file == f"transformer/{name}" for fault in FAULTS) for name in TEXTBOOK}
    assert {name for name, count in counts.items() if count < 30} == set()
    assert sum(counts.values()) >= 200


def test_no_fault_is_planted_twice_and_none_breaks_the_syntax() -> None:
    assert len({(fault.file, fault.right, fault.wrong) for fault in FAULTS}) == len(FAULTS)
    assert len({fault.phrase for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        compile(fault.plant(source_of(fault.file)), fault.phrase, "exec")


def test_the_tests_of_a_fault_are_those_of_its_room_starting_with_those_of_its_file() -> None:
    tests = [test.relative_to(ROOT / "tests").as_posix() for test in room_tests("transformer/models")]
    assert tests[0] == "transformer/test_models.py"
    assert {"transformer/test_attention.py", "transformer/test_layers.py"} < set(tests)
    assert all(test.startswith("transformer/") for test in tests)
    assert all(room_tests(fault.file)[0].exists() for fault in FAULTS)


def test_of_the_pretrained_models_only_the_tests_of_the_file_itself_are_run() -> None:
    assert room_tests("pretrained/decoder") == [ROOT / "tests" / "pretrained" / "test_decoder.py"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("transformer", True), ("cache", True), ("transformer/cache", True), ("two texts", True), ("writing", False)],
)
def test_faults_are_selected_by_room_file_and_phrase(word: str, meant: bool) -> None:
    assert is_selected(Fault("transformer/cache", "right", "wrong", "the keys of two texts exchanged"), word) is meant


def test_a_fault_whose_text_is_gone_is_reported_as_not_caught() -> None:
    fault = Fault("transformer/positions", "no such text", "", "nothing")
    message = "transformer/positions.py should hold 'no such text' once, but has it 0 times"
    assert verdict(fault) == (fault, False, message)


@pytest.mark.parametrize(
    ("phrase", "test"),
    [
        ("softmax over the queries", "test_each_querys_scores_weights_and_mixture_are_those_of_one_query[float64]"),
        ("heads split by a view", "test_each_head_gets_its_own_slice_of_every_token"),
        ("eps outside the root", "test_rms_norm_is_torchs[1.0-RMSNorm-float64]"),
        ("top-k leaves the k-th out", "test_top_k_keeps_the_k_largest_of_each_row_and_ties_with_the_last"),
        ("no even bets at the bottom", "test_a_unigram_model_mixes_counts_with_the_uniform_distribution"),
    ],
)
def test_a_planted_fault_is_caught_by_its_test(phrase: str, test: str) -> None:
    # These are among the quickest; all of them together take minutes.
    (fault,) = [fault for fault in FAULTS if fault.phrase == phrase]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(verdict, (fault,)).get(SECONDS_FOR_ONE) == (fault, True, test)
