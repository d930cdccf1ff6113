"""The grades of a class as a table: one row for each student and exercise."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from nbgrader.api import Gradebook

from course_lib.classroom.grading.assignments import SUFFIX
from course_lib.classroom.grading.progress import Standing, standings
from course_lib.classroom.room import ClassError, Room
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise

COLUMNS = ("student", "notebook", "exercise", "saved", "status", "points", "of", "mistakes")
Points = dict[tuple[str, str], tuple[float, float]]


def as_csv(grading: Path, room: Room | None) -> str:
    """All grades and what students have saved, as comma-separated values with a line of headings.

    A row says whether the part is saved in the student's folder, what grading has found, and the points, which a
    teacher may have changed in nbgrader. Exercises that a student has not reached have no row.

    Raises ClassError if the gradebook cannot be read.
    """
    points = _points(grading)
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    for standing in standings(grading, room):
        for exercise in all_exercises():
            table.writerows(_rows(standing, exercise, points))
    return written.getvalue()


def _rows(standing: Standing, exercise: Exercise, points: Points) -> Iterator[tuple[object, ...]]:
    name = exercise.name
    given = points.get((standing.student, name))
    is_reached = name in standing.saved | standing.tried or name in standing.statuses
    if given is None and not is_reached:
        return
    yield (
        standing.student,
        f"{exercise.notebook:02d}",
        name,
        "yes" if name in standing.saved else "",
        standing.statuses.get(name, ""),
        *(("", "") if given is None else (f"{each:g}" for each in given)),
        " ".join(standing.mistakes.get(name, ())),
    )


def _points(grading: Path) -> Points:
    """The points in the gradebook, and the most there are, by student and exercise. None without a gradebook."""
    file = grading / "gradebook.db"
    if not file.exists():
        return {}
    found: Points = {}
    try:
        with Gradebook(f"sqlite:///{file}") as gradebook:
            for assignment in gradebook.assignments:
                for submission in assignment.submissions:
                    for grade in (grade for each in submission.notebooks for grade in each.grades):
                        exercise = grade.name.removesuffix(SUFFIX)
                        found[submission.student_id, exercise] = (float(grade.score or 0), float(grade.max_score))
    except Exception as error:  # whatever the database raises
        raise ClassError(
            f"The gradebook {file} cannot be read ({type(error).__name__}): put back a copy of it, or move it away and "
            "grade again."
        ) from error
    return found
