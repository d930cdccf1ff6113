"""A small course, before and after its learner has opened it for the first time."""

from pathlib import Path

import pytest

from course_lib.copies import making
from course_lib.data import places
from tests.copies.course import Course


@pytest.fixture
def empty_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course that the learner has not opened yet."""
    monkeypatch.delenv("COURSE_WORK", raising=False)
    course = Course(tmp_path / "course")
    monkeypatch.setattr(places, "COURSE", course.folder)
    return course


@pytest.fixture
def course(empty_course: Course) -> Course:
    """A course of which the learner has copies."""
    assert making.update() == []
    return empty_course
