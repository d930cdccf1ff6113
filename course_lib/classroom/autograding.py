"""nbgrader with the course's check in place of running notebooks: its settings, and the commands of a class.

nbgrader would run a submitted notebook and look at what its cells print, which the notebook itself decides. Here the
grader of `grading` judges the answers instead, and its results become the outputs of the locked cells, from which
nbgrader takes the points.
"""

import atexit
import logging
import os
import shutil
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor, Preprocessor
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode, from_dict
from nbgrader import preprocessors as of_nbgrader
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course_lib.classroom.grading import assignments
from course_lib.classroom.grading.assignments import RESULT, SUFFIX, Assignment, find_assignment, mark_cells, points
from course_lib.classroom.grading.grader import Grade, Grader, GradingError
from course_lib.classroom.room import ClassError
from course_lib.copies.notebook import Notebook
from course_lib.exercises.reports import Panel

MARKS = {"right": "✓", "wrong": "✗", "refused": "✗", "not answered": "…", "missing": "…"}


class RestoreCells(Preprocessor):
    """Marks the exercises of a submission afresh, and puts back locked cells that were changed or deleted."""

    enabled = True

    def preprocess(self, notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Mark the cells of a submission."""
        wrapped = _wrapped(notebook)
        mark_cells(wrapped, find_assignment(resources["nbgrader"]["notebook"]))
        return _nodes(wrapped.json), resources


class GradeByCheck(Preprocessor):
    """Grades the answers of a submission, and writes the results into the locked cells."""

    enabled = True

    def preprocess(self, notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Grade a submission."""
        assignment = find_assignment(resources["nbgrader"]["notebook"])
        grades = grader().grade_notebook(_wrapped(notebook), assignment.original, assignment.exercises)
        by_cell = {each.name + SUFFIX: (grades[each.name], points(each)) for each in assignment.exercises}
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if name in by_cell and cell.cell_type == "code":
                cell.outputs = [_nodes(_output(*by_cell[name]))]
        return notebook, resources


def _nodes(value: dict[str, Any]) -> Any:
    """Dictionaries as nbformat has them, whose keys are attributes too."""
    return from_dict(value)  # type: ignore[no-untyped-call]


def _wrapped(notebook: NotebookNode) -> Notebook:
    """A notebook of nbformat as one of the course."""
    return Notebook(assignments.json_of(notebook))


def _output(grade: Grade, most: int) -> dict[str, Any]:
    """The output of a locked cell: nbgrader reads the points in its text, and a person reads the panel."""
    given = most if grade.is_right else 0
    title = f"{MARKS[grade.status]} {grade.exercise}: {given} of {most} {'point' if most == 1 else 'points'}"
    return {
        "output_type": "execute_result",
        "execution_count": None,
        "metadata": {},
        "data": {
            "text/plain": str(given),
            "text/html": Panel(title, grade.paragraphs)._repr_html_(),
            RESULT: {"exercise": grade.exercise, "status": grade.status, "mistakes": list(grade.mistakes)},
        },
    }


@cache
def grader() -> Grader:
    """The grader of this process, started when it is first needed."""
    started = Grader()
    atexit.register(started.__exit__)
    return started


def configure(config: Any) -> None:
    """Set nbgrader up for assignments of the course. `nbgrader_config.py` calls this."""
    config.GenerateAssignment.preprocessors = [
        of_nbgrader.LockCells,
        of_nbgrader.ClearOutput,
        of_nbgrader.CheckCellMetadata,
        of_nbgrader.ComputeChecksums,
        of_nbgrader.SaveCells,
    ]
    config.Autograde.sanitize_preprocessors = [
        of_nbgrader.ClearOutput,
        RestoreCells,
        of_nbgrader.DeduplicateIds,
        of_nbgrader.OverwriteKernelspec,
        of_nbgrader.OverwriteCells,
        of_nbgrader.CheckCellMetadata,
    ]
    config.Autograde.autograde_preprocessors = [
        GradeByCheck,
        of_nbgrader.SaveAutoGrades,
        of_nbgrader.AssignLatePenalties,
        of_nbgrader.CheckCellMetadata,
    ]
    # A teacher opens the feedback, so nothing that a student wrote may run there. The outputs are the grader's own.
    config.GenerateFeedback.preprocessors = [of_nbgrader.GetGrades, SanitizeHTML, CSSHTMLHeaderPreprocessor]
    config.SanitizeHTML.enabled = True
    config.SanitizeHTML.safe_output_keys = {"text/plain", "text/html", RESULT}


class Desk:
    """The teacher's desk: nbgrader in the folder of a class.

    Raises ClassError if the folder cannot be used.
    """

    def __init__(self, grading: Path) -> None:
        assignments.prepare(grading)
        self.grading = grading
        try:
            config = PyFileConfigLoader(assignments.CONFIGURATION, path=str(grading)).load_config()
        except Exception as error:  # whatever is wrong in a file that the teacher may have changed
            raise ClassError(
                f"{assignments.CONFIGURATION} in {grading} cannot be used ({type(error).__name__}: {error}): correct "
                "it, or move it away for a new one."
            ) from error
        config.merge(Config({"CourseDirectory": {"root": str(grading)}}))
        self.course = CourseDirectory(config=config)
        self.api = NbGraderAPI(self.course, config=config)
        self.api.log.setLevel(logging.WARNING)
        self.api.log.handlers = [logging.NullHandler()]  # what went wrong comes back in its results
        self.api.log.propagate = False

    def assign(self, given: str) -> Assignment:
        """Make an assignment from a notebook of the course, or make it again. Raises ClassError."""
        assignment = find_assignment(given)
        name = assignment.name
        content = assignments.source_notebook(assignment).content()
        assignments.write(self.grading / "source" / name / f"{name}.ipynb", content)
        _require(
            self._call("generate_assignment", name, force=True, create=True), f"The assignment {name} was not made"
        )
        return assignment

    def _call(self, method: str, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Call nbgrader, which finds its own program `alembic` by the PATH, beside this Python."""
        path = os.environ.get("PATH", "")
        os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), path])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what nbgrader's own code warns of concerns its authors
                result: dict[str, Any] = getattr(self.api, method)(*arguments, **named)
        finally:
            os.environ["PATH"] = path
        return result

    def submissions(self, name: str) -> list[str]:
        """The students who have handed in an assignment."""
        return sorted(
            folder.parent.name for folder in (self.grading / "submitted").glob(f"*/{name}") if folder.is_dir()
        )

    def grade(self, given: str, students: list[str] | None = None) -> Iterator["Graded"]:
        """Grade what was handed in: all of it, or that of some students. Say of each what came out, one by one.

        Raises ClassError if there is no such assignment, or one of the students has handed in nothing.
        """
        name = find_assignment(given).name
        if not assignments.released(self.grading, name):
            raise ClassError(f"{name} is no assignment of this class yet: make it one with `class assign {name}`.")
        there = self.submissions(name)
        for student in students or ():
            if student not in there:
                raise ClassError(f"There is no submission of {name} by `{student}`: correct the name, or collect it.")
        if not there:
            raise ClassError(f"Nobody has handed in {name} yet: collect it with `class collect {name}`.")
        for student in students or there:
            try:
                yield self._grade_one(name, student)
            except GradingError as error:
                raise ClassError(str(error)) from error

    def _grade_one(self, name: str, student: str) -> "Graded":
        file = self.grading / "submitted" / student / name / f"{name}.ipynb"
        try:
            assignments.read_notebook(file.read_bytes())
        except OSError as error:
            return Graded(student, problem=f"{_shown(file)} cannot be read ({error.strerror}): ask for another copy.")
        except ValueError as error:
            return Graded(student, problem=f"{_shown(file)} is not graded, because {error}: ask for another copy.")
        with _Kept(self.grading / "autograded" / student / name) as kept:
            result = self._call("autograde", name, student, force=True, create=True)
            if not result["success"]:
                return Graded(student, problem=f"{_shown(file)} is not graded, because {_reason(result)}.")
            kept.is_done = True
        with _Kept(self.grading / "feedback" / student / name) as kept:
            result = self._call("generate_feedback", name, student, force=True)
            kept.is_done = result["success"]
        problem = "" if result["success"] else f"There is no feedback for {student}, because {_reason(result)}."
        with Gradebook(self.course.db_url, self.course.course_id) as gradebook:
            submission = gradebook.find_submission(name, student)
            return Graded(student, submission.score, submission.max_score, problem)


@dataclass(frozen=True)
class Graded:
    """What came out of grading one submission: points, and a sentence about what went wrong, or ""."""

    student: str
    score: float | None = None
    most: float | None = None
    problem: str = ""


class _Kept:
    """Keeps a folder aside while nbgrader makes it again, and puts it back unless that `is_done`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.former = folder, folder.with_name(f".{folder.name}.former")
        self.is_done = False

    def __enter__(self) -> "_Kept":
        if self.former.exists() and not self.folder.exists():  # from a run that was killed
            self.former.rename(self.folder)
        shutil.rmtree(self.former, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(self.former)
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_done:
            shutil.rmtree(self.former, ignore_errors=True)
        elif self.former.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):
                self.former.rename(self.folder)


def _shown(file: Path) -> str:
    return "/".join(file.parts[-4:])


def _require(result: dict[str, Any], what: str) -> None:
    if not result["success"]:
        raise ClassError(f"{what}, because {_reason(result)}.")


def _reason(result: dict[str, Any]) -> str:
    """Why nbgrader failed, in its own words: the second half of a sentence."""
    log = str(result.get("log", ""))
    if "No space left" in log or "disk is full" in log:
        return "the disk is full: free some space, then run the same command again"
    lines = [line for line in (log + "\n" + str(result.get("error", ""))).splitlines() if "Error: " in line]
    said = lines[-1].strip()[:300].rstrip(".") if lines else "of an unknown fault"
    return f"nbgrader says {said!r}"
