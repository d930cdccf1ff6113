"""One run: its seed, its budget, its curves, and what it says when it fails."""

from dataclasses import replace
from itertools import accumulate
from statistics import fmean
from typing import Any

import pytest
import torch

from course_lib.experiments import LOSS, Measure, running
from course_lib.experiments.running import as_number, in_one_line, run, steps_for_tokens, tokens_of_steps, try_out
from course_lib.learning import training
from course_lib.learning.losses import next_token
from course_lib.learning.training import Task, TrainingSettings
from tests.experiments.small import DATA, study

MEASURES = {"loss": LOSS}
PLAN = study().plans()["narrow"]
# Texts of different length, so that each epoch has its batches in another order.
LENGTHS = Task([([1] * n,) for n in (3, 4, 5, 6, 7, 8)], next_token, [([1, 1],)], pad=0)
SETTINGS = TrainingSettings(steps=9, batch_tokens=8, seed=3, progress=False)


def test_the_seed_decides_on_weights_examples_and_order():
    starts: dict[int, Any] = {}
    seen: dict[int, list] = {}

    def look(seed: int) -> Any:
        def start(model: torch.nn.Module) -> None:
            starts[seed] = next(model.parameters()).detach().clone()

        return start

    def noted(seed: int) -> Any:
        def objective(model: Any, ids: torch.Tensor) -> Any:
            seen.setdefault(seed, []).append(ids.tolist())
            return next_token(model, ids)

        return objective

    for seed in (0, 1):
        data = replace(DATA, task=replace(DATA.task, objective=noted(seed), pad=None))
        outcome = run(data, MEASURES, replace(PLAN, start=look(seed), examples=3), seed)
        assert outcome.error is None
    assert not starts[0].equal(starts[1])
    assert sorted(map(tuple, seen[0][0])) != sorted(map(tuple, seen[1][0]))


@pytest.mark.parametrize("count", [1, 3])
def test_the_drawn_examples_are_those_of_the_seed(count: int):
    drawn = [[*running._some_examples(DATA.task, count, seed).examples] for seed in range(12)]
    assert {len(each) for each in drawn} == {count}
    assert drawn[0] == [*running._some_examples(DATA.task, count, 0).examples]
    assert any(each != drawn[0] for each in drawn)


def test_the_order_of_the_batches_is_the_seeds(monkeypatch: pytest.MonkeyPatch):
    used = []
    before = running.train

    def noted(model: Any, task: Task, settings: TrainingSettings, **more: Any) -> Any:
        used.append(settings)
        return before(model, task, settings, **more)

    monkeypatch.setattr(running, "train", noted)
    run(DATA, MEASURES, PLAN, 7)
    assert used[0].seed == 7
    assert used[0].validate_every == 1


def test_a_run_leaves_torchs_random_state_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(DATA, MEASURES, PLAN, 0)
    assert torch.equal(torch.rand(3), expected)


def test_an_interrupted_run_is_no_outcome(monkeypatch: pytest.MonkeyPatch):
    def stop(self: Any, examples: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training._Training, "step", stop)
    with pytest.raises(KeyboardInterrupt):
        run(DATA, MEASURES, PLAN, 0)
    with pytest.raises(KeyboardInterrupt):
        try_out(DATA, MEASURES, PLAN)


def test_measures_are_tried_after_one_step_on_few_examples():
    many = replace(DATA, task=replace(DATA.task, examples=[*DATA.task.examples] * 10))
    seen = []
    measure = Measure(lambda trained: seen.append(trained) or 0.0, better="lower")
    try_out(many, {"it": measure}, PLAN)
    assert (seen[0].history.steps, len(seen[0].data.task.examples)) == (1, 8)


@pytest.mark.parametrize("value", [1, 2.5, torch.tensor(3.0), torch.tensor([[4.0]])])
def test_whatever_is_a_number_counts_as_one(value: Any):
    assert as_number("it", value) == float(value)


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="the measure it should give a number, but gives 'good'"):
        as_number("it", "good")
    with pytest.raises(FloatingPointError, match="the measure it gives nan"):
        as_number("it", float("nan"))


def test_an_error_is_one_line_of_300_characters_at_most():
    assert in_one_line(ValueError("one\n  two")) == "ValueError: one two"
    assert in_one_line(ValueError()) == "ValueError"
    assert len(in_one_line(ValueError("x" * 999))) == len("ValueError: ") + 300


def test_ids_are_counted_in_the_order_in_which_they_are_read():
    read = []

    def objective(model: Any, ids: torch.Tensor) -> Any:
        if model.training:
            read.append(int((ids != 0).sum()))
        return next_token(model, ids)

    model = DATA.build(PLAN.config, PLAN.parts)
    training.train(model, replace(LENGTHS, objective=objective), replace(SETTINGS, label_smoothing=0.0), device="cpu")
    assert tokens_of_steps(LENGTHS, SETTINGS, 9) == read
    totals = [*accumulate(read)]
    assert steps_for_tokens(LENGTHS, SETTINGS, totals[4]) == 5
    assert steps_for_tokens(LENGTHS, SETTINGS, totals[4] + 1) == 6


def test_a_curve_has_the_mean_of_the_steps_since_the_last_point():
    history = training.History(
        cross_entropy=[4.0, 2.0, 3.0, 1.0], loss=[0.0] * 4, validation=[3.5, 2.5], validation_steps=[2, 4]
    )
    assert running._curves(history, [10, 20, 30, 40]) == {
        "steps": [2, 4],
        "tokens": [30, 100],
        "training": [fmean([4.0, 2.0]), fmean([3.0, 1.0])],
        "validation": [3.5, 2.5],
    }


def test_more_examples_than_there_are_is_an_error():
    assert "fewer than the 7" in (run(DATA, MEASURES, replace(PLAN, examples=7), 0).error or "")
