"""The three machines of notebook 15, and the table of their long trainings."""

from dataclasses import asdict, replace
from statistics import fmean

import pytest
import torch

from course_lib.data.translations import SentencePair, Source
from course_lib.pretrained.sentence_translator import task_of
from course_lib.pretrained.translation_machines import (
    KINDS,
    LARGE,
    SETTINGS,
    SMALL,
    TRANSFORMER,
    WITH,
    WITHOUT,
    Recorded,
    Run,
    by_length,
    make_machine,
    recorded,
    run,
)
from course_lib.text.byte_pairs import BytePairTokenizer

PAIRS = [SentencePair("Go.", "Va !"), SentencePair("Run now.", "Cours !")] * 20
TEST = [Source(" ".join(["go"] * words), ("Va !", "Allez !")) for words in (1, 6, 9, 13)]
TINY = {kind: {"d_model": 16, "layers": 1} for kind in KINDS}
QUICK = replace(SETTINGS, seconds=None, steps=5, warmup=1, validate_every=2)


@pytest.mark.parametrize(("sizes", "merges"), [(SMALL, 1_740), (LARGE, 3_740)])
def test_the_machines_have_about_the_same_number_of_parameters(sizes: dict[str, dict[str, int]], merges: int):
    tokenizer = BytePairTokenizer([(64, 65)] * merges)
    machines = [make_machine(kind, tokenizer, sizes=sizes) for kind in KINDS]
    counts = [sum(each.numel() for each in machine.parameters()) for machine in machines]
    assert max(counts) < 1.05 * min(counts)


def test_the_seed_decides_the_first_weights():
    tokenizer = BytePairTokenizer([])
    first, second = (make_machine(WITH, tokenizer, sizes=TINY, seed=seed).state_dict() for seed in (0, 1))
    assert not torch.equal(first["table"], second["table"])
    assert torch.equal(first["table"], make_machine(WITH, tokenizer, sizes=TINY).state_dict()["table"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_measures_the_loss_now_and_then_and_bleu_at_the_end(kind: str):
    tokenizer = BytePairTokenizer([])
    before = torch.random.get_rng_state()
    made = run(task_of(PAIRS, PAIRS[:2], tokenizer, 64), TEST, tokenizer, kind, settings=QUICK, sizes=TINY)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (made.kind, made.seed, made.steps) == (kind, 0, [2, 4, 5])
    assert len(made.minutes) == len(made.loss) == len(made.pairs) == 3
    assert made.minutes == sorted(made.minutes)
    assert made.pairs[1] == 2 * made.pairs[0]
    assert [len(made.bleu), len(made.bleu_by_length)] == [2, 4]


def test_sentences_are_grouped_by_their_english_words():
    groups = by_length(["a", "b", "c", "d"], TEST)
    assert [texts for texts, _ in groups] == [["a"], ["b"], ["c"], ["d"]]
    assert [sources for _, sources in groups] == [[each] for each in TEST]


def made(seed: int, minutes: list[float], loss: list[float], kind: str = WITH) -> Run:
    return Run(kind, seed, 1, [1] * len(loss), minutes, [2_000] * len(loss), loss, [0.0, 30.0], [0.0] * 4)


def test_a_curve_ends_where_each_seed_ended():
    table = Recorded([made(0, [1.0, 2.0, 9.0], [6.0, 5.0, 4.0]), made(1, [3.0, 11.0], [5.0, 3.0])], {})
    assert table.curve(WITH, "minutes") == ([2.0, 10.0], [[6.0, 4.0], [5.0, 3.0]])
    assert table.curve(WITH, "pairs")[0] == [2.0, 2.0]


def test_a_machine_overtakes_another_where_its_loss_is_lower_to_the_end():
    first = made(0, [1.0, 2.0, 3.0, 4.0], [4.0, 6.0, 3.0, 2.0], TRANSFORMER)
    other = made(0, [0.0, 4.0], [5.0, 5.0])
    table = Recorded([first, other], {})
    assert table.overtakes(TRANSFORMER, WITH) == [3.0]
    assert table.overtakes(WITH, TRANSFORMER) == [None]


def test_the_table_has_two_seeds_of_each_machine_with_the_same_time_and_settings():
    table = recorded()
    assert [(each.kind, each.seed) for each in table.runs] == [(kind, seed) for seed in (0, 1) for kind in KINDS]
    settings = {name: value for name, value in asdict(SETTINGS).items() if name not in ("seed", "progress")}
    assert {**table.note["settings"], "betas": tuple(table.note["settings"]["betas"])} == settings
    for each in table.runs:
        assert 20 <= each.minutes[-1] < 20.5
        assert 3.4e6 < each.parameters < 3.6e6
        assert len(each.steps) == len(each.minutes) == len(each.pairs) == len(each.loss)
    assert table.note["translated"] == 1_000
    assert "seed 1  loss" in table.report()


def test_what_notebook_15_says_of_the_table_holds():
    table = recorded()

    def mean_bleu(kind: str) -> float:
        return fmean(each.bleu[-1] for each in table.of(kind))

    assert table.lowest() == TRANSFORMER
    for minute in table.overtakes(TRANSFORMER, WITH):
        assert minute is not None
        assert 14 < minute < 20  # while the rate falls
    assert mean_bleu(TRANSFORMER) == pytest.approx(mean_bleu(WITH), abs=1)
    assert mean_bleu(WITHOUT) == pytest.approx(mean_bleu(WITH) / 2, rel=0.15)
    longest = {kind: fmean(each.bleu_by_length[-1] for each in table.of(kind)) for kind in KINDS}
    assert longest[WITHOUT] == pytest.approx(longest[WITH] / 3, rel=0.2)
    pairs = {kind: fmean(each.pairs[-1] for each in table.of(kind)) for kind in KINDS}
    assert pairs[TRANSFORMER] == pytest.approx(pairs[WITH], rel=0.05)
