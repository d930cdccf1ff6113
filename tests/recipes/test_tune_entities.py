"""The recipe for the table of notebook 13, on its cheapest runs, and the table that is shipped."""

import json
from pathlib import Path

import pytest

from course_lib import data
from course_lib.data import DataMissing, entities
from course_lib.pretrained.entity_tuning import TEXTS, WAYS, WIKIPEDIA, Run, recorded
from course_lib.pretrained.recorded_runs import as_json
from course_lib.recipes import tune_entities

CHEAPEST = [("memory", WIKIPEDIA, 0), ("memory", WIKIPEDIA, 2)]


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    try:
        for name in ("entities", "entity-templates", "pretrained-encoder"):
            data.fetch(name)
    except data.Offline as error:
        pytest.skip(str(error))


def test_its_cheapest_runs_are_those_of_the_table(tmp_path: Path):
    part = tmp_path / "part.jsonl"
    made = json.loads(tune_entities.record(part, runs=CHEAPEST))
    shipped = {(run.way, run.texts, run.seed): run for run in recorded().runs}
    assert len(made["runs"]) == 2
    for each in made["runs"]:
        run = Run(**each)
        expected = shipped[run.way, run.texts, run.seed]
        assert (run.f1, run.accuracy) == (expected.f1, expected.accuracy)
    assert len(part.read_text().splitlines()) == 2


def test_it_continues_from_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    part = tmp_path / "part.jsonl"
    tune_entities.record(part, runs=CHEAPEST[:1])
    monkeypatch.setattr(tune_entities, "measure", lambda *_: pytest.fail("it is done already"))
    assert len(json.loads(tune_entities.record(part, runs=CHEAPEST[:1]))["runs"]) == 1


def test_without_the_real_data_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch):
    def missing(seed: int) -> None:
        raise DataMissing("nothing here.")

    monkeypatch.setattr(entities, "split", missing)
    with pytest.raises(SystemExit, match="nothing here"):
        tune_entities.record(runs=CHEAPEST)


def test_no_run_is_planned_twice_and_every_way_and_all_texts_are_there():
    plan = tune_entities.plan()
    assert len(set(plan)) == len(plan)
    assert {way for way, _, _ in plan} == set(WAYS)
    assert {texts for _, texts, _ in plan} == set(TEXTS)


def test_the_table_says_where_it_comes_from_and_can_be_read_back():
    table = recorded()
    assert table.note["machine"]
    assert table.note["minutes"] > 0
    assert table.note["sentences"]["Wikipedia"] == [1127, 351]
    again = json.loads(as_json(table.runs, table.note))
    assert [Run(**each) for each in again.pop("runs")] == table.runs
    assert again == table.note
