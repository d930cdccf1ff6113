"""The recipe for the table of three machines."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib import data
from course_lib.pretrained.translation_machines import KINDS, SETTINGS
from course_lib.recipes import compare_machines


@pytest.fixture
def corpus() -> None:
    try:
        data.fetch("translations")
    except data.Offline as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("corpus")
def test_an_interrupted_recipe_continues_with_the_runs_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    task, test, tokenizer = compare_machines.corpus(merges=50)
    few = replace(task, examples=task.examples[:40], validation=task.validation[:4])
    each_length = [next(each for each in test if len(each.english.split()) == words) for words in (3, 7, 10, 14)]
    monkeypatch.setattr(compare_machines, "corpus", lambda: (few, each_length, tokenizer))
    monkeypatch.setattr(compare_machines, "plan", lambda: [(KINDS[0], 0), (KINDS[2], 0)])
    quick, part = replace(SETTINGS, seconds=None, steps=1, warmup=1), tmp_path / "part.jsonl"
    whole = json.loads(compare_machines.record(part, settings=quick))
    lines = part.read_text().splitlines()
    assert len(lines) == 2
    part.write_text(lines[0] + "\n")
    again = json.loads(compare_machines.record(part, settings=quick))
    assert [each["loss"] for each in again["runs"]] == [each["loss"] for each in whole["runs"]]
