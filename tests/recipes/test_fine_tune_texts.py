"""The recipe for the table of notebook 12, on its cheapest runs, and the table that is shipped."""

import json
from pathlib import Path

import pytest

from course_lib import data
from course_lib.pretrained.recorded_runs import as_json
from course_lib.pretrained.text_tuning import TASKS, WAYS, Run, recorded
from course_lib.recipes import fine_tune_texts


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    for name in ("sentiment", "topics", "pretrained-encoder"):
        data.fetch(name)


def test_its_first_runs_are_those_of_the_table(tmp_path: Path):
    part = tmp_path / "part.jsonl"
    made = json.loads(fine_tune_texts.record(part, most=2))
    shipped = {(run.task, run.way, run.examples, run.seed): run for run in recorded().runs}
    assert len(made["runs"]) == 2
    for each in made["runs"]:
        run = Run(**each)
        expected = shipped[run.task, run.way, run.examples, run.seed]
        assert abs(run.accuracy - expected.accuracy) < 0.03
        assert abs((run.tweets or 0) - (expected.tweets or 0)) < 0.03
    assert len(part.read_text().splitlines()) == 2


def test_it_continues_from_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    part = tmp_path / "part.jsonl"
    fine_tune_texts.record(part, most=1)
    monkeypatch.setattr(fine_tune_texts, "by_words", lambda *_: pytest.fail("it is done already"))
    assert len(json.loads(fine_tune_texts.record(part, most=1))["runs"]) == 1


def test_no_run_is_planned_twice_and_every_way_is_there():
    plan = fine_tune_texts.plan()
    assert len(set(plan)) == len(plan)
    assert {(task, way) for task, way, _, _ in plan} == {(task, way) for task in TASKS for way in WAYS}


def test_the_table_says_where_it_comes_from_and_can_be_read_back():
    table = recorded()
    assert table.note["machine"]
    assert table.note["minutes"] > 0
    assert {run.way for run in table.runs} == set(WAYS)
    again = json.loads(as_json(table.runs, table.note))
    assert [Run(**each) for each in again.pop("runs")] == table.runs
    assert again == table.note


def test_with_few_examples_pretraining_is_worth_more_than_words():
    table = recorded()
    for task in TASKS:
        frozen, words = (max(run.accuracy for run in table.of(way, task)[200]) for way in ("frozen", "words"))
        assert frozen > words + 0.05


def test_everything_tuned_on_all_film_sentences_reaches_what_notebook_12_promises():
    assert all(run.accuracy >= 0.86 for run in recorded().of("tuned")[8_541])


def test_accuracy_on_tweets_is_recorded_for_film_sentences_only():
    assert {run.tweets is None for run in recorded().runs if run.task == "topics"} == {True}
    assert {run.tweets is None for run in recorded().runs if run.task == "film"} == {False}
