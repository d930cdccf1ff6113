"""Runs are kept completely or not at all, and what other hands did to the files does no harm."""

import json
from pathlib import Path

import pytest

from course_lib.data import atomic
from course_lib.experiments import StudyError, keeping
from course_lib.experiments.keeping import Folder, Run
from course_lib.experiments.running import Outcome

CURVES = {"steps": [1, 2], "tokens": [3, 6], "training": [2.0, 1.0], "validation": [2.5, 1.5]}


def a_run(key: str, loss: float = 1.0) -> Run:
    return Run(key, "wide", 0, Outcome({"loss": loss}, None, 1.0, 10, 2, 6, CURVES), {"machine": "this"})


def test_a_run_is_one_line_and_its_curves_a_file(tmp_path: Path):
    folder = Folder(tmp_path)
    folder.add(a_run("a"))
    folder.add(a_run("b"))
    lines = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == ["a", "b"]
    assert lines[0]["outcome"]["curves"] is None
    assert folder.curves("a") == CURVES
    assert folder.runs()["a"].outcome.measured == {"loss": 1.0}


def test_a_run_that_is_repeated_replaces_its_line(tmp_path: Path):
    folder = Folder(tmp_path)
    for run in (a_run("a"), a_run("b"), a_run("a", loss=2.0)):
        folder.add(run)
    assert [json.loads(line)["key"] for line in (tmp_path / "runs.jsonl").read_text().splitlines()] == ["b", "a"]
    assert folder.runs()["a"].outcome.measured == {"loss": 2.0}


def test_the_state_of_a_training_is_removed_once_its_run_is_kept(tmp_path: Path):
    folder = Folder(tmp_path)
    file = folder.checkpoint("a")
    file.parent.mkdir()
    file.touch()
    folder.add(a_run("a"))
    assert not file.exists()


def test_without_room_for_the_curves_there_is_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = keeping.write_atomically

    def refuses_curves(path: Path, content: bytes) -> None:
        if path.parent.name == "curves":
            raise OSError(28, "No space left on device")
        before(path, content)

    monkeypatch.setattr(keeping, "write_atomically", refuses_curves)
    with pytest.raises(StudyError, match="no run can be kept"):
        Folder(tmp_path).add(a_run("a"))
    assert Folder(tmp_path).runs() == {}


@pytest.mark.parametrize("content", ["[1, 2]", "no JSON", "3"])
def test_curves_from_other_hands_are_none(tmp_path: Path, content: str):
    (tmp_path / "curves").mkdir()
    (tmp_path / "curves" / "a.json").write_text(content)
    assert Folder(tmp_path).curves("a") == {}
    assert Folder(tmp_path).curves("b") == {}


def test_a_damaged_byte_costs_no_more_than_its_line(tmp_path: Path):
    folder = Folder(tmp_path)
    folder.add(a_run("a"))
    folder.add(a_run("b"))
    lines = (tmp_path / "runs.jsonl").read_bytes().splitlines()
    (tmp_path / "runs.jsonl").write_bytes(b"\xff" + lines[0] + b"\n[2]\n" + lines[1] + b"\n")
    assert [*folder.runs()] == ["b"]


def test_what_killed_processes_left_is_removed(tmp_path: Path):
    folder = Folder(tmp_path)
    left = []
    for place in (tmp_path, tmp_path / "curves", tmp_path / "unfinished"):
        place.mkdir(exist_ok=True)
        # No process has so large a number.
        left.append(place / f".a.json.{atomic._process(2**30)}.0123.unfinished")
        left[-1].touch()
    with folder.locked():
        pass
    assert [each for each in left if each.exists()] == []


def test_trying_the_room_leaves_nothing(tmp_path: Path):
    Folder(tmp_path).check_room()
    assert [*tmp_path.iterdir()] == []
