"""The recipe for the table of losses."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from course_lib.data import fetch
from course_lib.pretrained.tales_scaling import SETTINGS, recorded
from course_lib.recipes import scale_tales


def test_the_table_was_recorded_with_the_current_plan_settings_and_text() -> None:
    fetch("tales")
    table = recorded()
    assert [(each.d_model, each.share, each.seed) for each in table.runs] == scale_tales.plan()
    settings = json.loads(json.dumps(asdict(SETTINGS)))
    assert table.note["settings"].items() <= settings.items()
    rows, unseen, _ = scale_tales.corpus()
    assert table.characters == 64 * len(rows)
    assert len(unseen) == scale_tales.UNSEEN


def test_an_interrupted_recipe_continues_with_the_runs_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("tales")
    monkeypatch.setattr(scale_tales, "plan", lambda: [(8, 1 / 32, 0), (8, 1 / 32, 1)])
    quick, part = replace(SETTINGS, steps=2, validate_every=1), tmp_path / "part.jsonl"
    whole = json.loads(scale_tales.record(part, settings=quick))
    lines = part.read_text().splitlines()
    assert len(lines) == 2
    part.write_text(lines[1] + "\n")
    again = json.loads(scale_tales.record(part, settings=quick))
    assert again["runs"] == whole["runs"]
    assert len(part.read_text().splitlines()) == 2
