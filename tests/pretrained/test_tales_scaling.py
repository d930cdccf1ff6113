"""The table of losses that the recipe recorded, and the run that makes one of its rows."""

from dataclasses import replace

import pytest
import torch

from course_lib.learning.losses import IGNORE
from course_lib.pretrained.tales_scaling import (
    SETTINGS,
    as_json,
    parameters_without_tables,
    predict_next,
    recorded,
    run,
    small_config,
)
from course_lib.transformer.build import build_masked_language_model

ROWS = [[5, 6, 7, 2, 8, 9, 5, 2]] * 6
QUICK = replace(SETTINGS, steps=4, validate_every=2, batch_tokens=16, progress=False)


def test_the_table_has_every_size_share_and_seed_and_says_how_it_was_made() -> None:
    table = recorded()
    seeds = set(table.note["seeds"])
    assert len(seeds) == 3
    for keep in (lambda each: each.share == 1, lambda each: each.d_model == 64):
        runs = table.of(keep)
        pairs = {(each.d_model, each.share) for each in runs}
        assert {(each.d_model, each.share, each.seed) for each in runs} == {(*p, s) for p in pairs for s in seeds}
    assert {each.d_model for each in table.runs} == {8, 16, 32, 64}
    assert {each.share for each in table.runs} == {1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1}
    assert {"machine", "date", "settings", "processor_seconds"} <= table.note.keys()


def test_little_text_is_learned_by_heart_and_more_text_and_parameters_help() -> None:
    def best(d_model: int, share: float) -> float:
        runs = recorded().of(lambda each: (each.d_model, each.share) == (d_model, share))
        return sum(each.best for each in runs) / len(runs)

    for each in recorded().of(lambda each: each.share == 1 / 32):
        assert each.training[-1] < 0.5 < each.best + 1 < each.validation[-1]
    assert best(64, 1 / 32) > best(64, 1 / 8) > best(64, 1)
    assert best(8, 1) > best(16, 1) > best(32, 1) > best(64, 1)


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    made = [run(ROWS, ROWS[:1], vocabulary=10, end=2, d_model=8, seed=seed, settings=QUICK) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    assert made[0].steps == [2, 4]
    assert made[0].best == min(made[0].validation)


def test_what_is_written_is_read_again() -> None:
    import json

    made = run(ROWS, ROWS[:1], vocabulary=10, end=2, d_model=8, settings=QUICK)
    content = json.loads(as_json([made], 48, {"date": "today"}))
    assert content["date"] == "today"
    assert content["characters"] == 48
    assert type(made)(**content["runs"][0]) == made


def test_the_counted_parameters_are_those_that_do_not_belong_to_a_token() -> None:
    for vocabulary in (10, 50):
        model = build_masked_language_model(small_config(vocabulary, d_model=8))
        # Per layer 12 d² + 13 d, and the head with its norm and the final norm: d² + 5 d.
        assert parameters_without_tables(model) == 2 * (12 * 64 + 13 * 8) + 64 + 5 * 8


def test_a_prediction_does_not_depend_on_the_text_before_or_on_the_future() -> None:
    torch.manual_seed(0)
    model = build_masked_language_model(small_config(10, d_model=8)).eval()
    ids = torch.tensor([[5, 6, 2, 8, 9, 5]])
    logits, labels = predict_next(model, ids, end=2)
    assert labels.tolist() == [[6, 2, IGNORE, 9, 5]]
    changed = ids.clone()
    changed[0, 0], changed[0, 4] = 7, 3
    others, _ = predict_next(model, changed, end=2)
    torch.testing.assert_close(logits[0, 3], others[0, 3])
    assert not torch.allclose(logits[0, 4], others[0, 4])


def test_a_share_of_the_rows_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = run(ROWS, ROWS[:1], vocabulary=10, end=2, d_model=8, share=1 / 3, settings=replace(QUICK, epochs=1))
    assert seen.steps == [1]  # two rows of 8 are one batch of 16
