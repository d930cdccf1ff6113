"""The recipe for the table of changes taken back."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from course_lib.data import fetch
from course_lib.pretrained.modern_changes import SETTINGS, recorded
from course_lib.recipes import take_back_changes


def test_the_table_was_recorded_with_the_current_plan_settings_and_text() -> None:
    fetch("tales")
    table = recorded()
    assert [(each.equal, each.variant, each.seed) for each in table.runs] == take_back_changes.plan()
    settings = json.loads(json.dumps(asdict(SETTINGS)))
    assert table.note["settings"].items() <= settings.items()
    ids, unseen, _ = take_back_changes.corpus()
    assert table.note["characters"] == {"known": len(ids), "unseen": len(unseen)}


def test_an_interrupted_recipe_continues_with_the_runs_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch("tales")
    two = [("steps", "all four changes", 0), ("time", "none of the four", 0)]
    monkeypatch.setattr(take_back_changes, "plan", lambda: two)
    monkeypatch.setattr(take_back_changes, "UNSEEN", 2000)
    quick, part = replace(SETTINGS, steps=2, warmup=1), tmp_path / "part.jsonl"
    whole = json.loads(take_back_changes.record(part, settings=quick, rounds=1))
    lines = part.read_text().splitlines()
    assert len(lines) == 3
    part.write_text("\n".join(lines[:2]) + "\n")
    again = json.loads(take_back_changes.record(part, settings=quick, rounds=1))
    assert again["runs"] == whole["runs"]
