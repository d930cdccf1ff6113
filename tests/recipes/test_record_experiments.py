"""The recipe writes what `recorded` reads."""

import json
from pathlib import Path

import pytest

from course_lib.experiments import ready
from course_lib.recipes import record_experiments
from tests.experiments.small import study


def test_what_the_recipe_writes_is_what_the_study_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSE_WORK", str(tmp_path))
    small = study(name="heads")
    content = record_experiments.record(small)
    assert len(json.loads(content)["runs"]) == 4
    (tmp_path / "heads.json").write_text(content)
    monkeypatch.setattr(ready, "RECORDED", tmp_path)
    monkeypatch.setattr(ready, "ready", lambda name, seeds: small)
    found = ready.recorded("heads")
    assert found is not None
    given = small.results()
    assert found.results.table().equals(given.table())
    assert [*found.results.curves.values()] == [*given.curves.values()]
