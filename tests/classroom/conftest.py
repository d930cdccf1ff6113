"""A grader for all tests, since it takes seconds to start."""

import os
from collections.abc import Iterator

import pytest

from course_lib.classroom.grading import Grader


@pytest.fixture(scope="session")
def grader() -> Iterator[Grader]:
    if not hasattr(os, "fork"):
        pytest.skip("Grading needs a system that can fork a process.")
    with Grader() as started:
        yield started
