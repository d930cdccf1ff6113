"""Where a learner's paths start: in the course's folder, or in a home folder of a class."""

from pathlib import Path

import pytest

from course_lib.copies import making
from course_lib.data import places


def test_everything_of_a_learner_is_in_the_courses_folder(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COURSE_HOME", raising=False)
    monkeypatch.delenv("COURSE_WORK", raising=False)
    assert places.place("mine") == places.COURSE / "mine"
    assert places.copies_folder() == places.COURSE / "my_course"


def test_course_home_moves_all_that_a_learner_writes_and_not_the_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_WORK", raising=False)
    assert places.place("mine") == tmp_path / "mine"
    assert places.place("~/mine") == Path.home() / "mine"
    assert places.parts_folder() == tmp_path / "my_course" / "my_transformer"
    assert places.experiments_folder() == tmp_path / "my_course" / "experiments"
    assert places.notebooks_folder() == places.COURSE / "notebooks"
    assert making.update() == []
    copy = making.copy_of("01_attention")
    assert copy.file == tmp_path / "my_course" / "01_attention.ipynb"
    assert copy.notebook is not None
    assert making.shown(copy.file) == "my_course/01_attention.ipynb"
    assert making.shown(making.originals()["01_attention"].file) == "notebooks/01_attention.ipynb"
