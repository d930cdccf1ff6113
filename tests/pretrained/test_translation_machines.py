"""The three machines of notebook 15, and the table of their long trainings."""

from dataclasses import replace

import pytest
import torch

from course_lib.data.translations import SentencePair, Source
from course_lib.pretrained.sentence_translator import task_of
from course_lib.pretrained.translation_machines import (
    KINDS,
    LARGE,
    SETTINGS,
    SMALL,
    WITH,
    Recorded,
    Run,
    by_length,
    make_machine,
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


def test_a_curve_ends_where_each_seed_ended():
    def made(seed: int, minutes: list[float], loss: list[float]) -> Run:
        return Run(WITH, seed, 1, [1] * len(loss), minutes, [1] * len(loss), loss, [0.0, 0.0], [0.0] * 4)

    table = Recorded([made(0, [1.0, 2.0, 9.0], [6.0, 5.0, 4.0]), made(1, [3.0, 11.0], [5.0, 3.0])], {})
    assert table.curve(WITH, "minutes") == ([2.0, 10.0], [[6.0, 4.0], [5.0, 3.0]])
