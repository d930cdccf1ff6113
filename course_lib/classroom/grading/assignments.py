"""Assignments for nbgrader, generated from the course's notebooks: nothing is stored twice.

An assignment is a notebook of the course. The cell of each exercise is an autograded answer, and a locked cell behind
it holds the points. Points are the exercise's minutes in units of five, at least one: they say how long an exercise
takes a learner, which grows with its difficulty. Everything else in the notebook is as it is.

    my_class/grading/
      nbgrader_config.py            nbgrader's settings; nbgrader's own commands work in this folder too
      gradebook.db                  the grades
      source/NAME/NAME.ipynb        the assignment
      release/NAME/NAME.ipynb       the same for students
      submitted/STUDENT/NAME/       what they handed in, as it came
      autograded/STUDENT/NAME/      with the results
      feedback/STUDENT/NAME/        the same as web pages
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.classroom.grading.submissions import is_stub
from course_lib.classroom.room import ClassError
from course_lib.copies import making
from course_lib.copies.notebook import Cell, Notebook, exercise_of
from course_lib.data import places
from course_lib.data.atomic import write_atomically
from course_lib.data.folders import why_not_written
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise

MINUTES_FOR_A_POINT = 5
SUFFIX = "_check"  # of the name of the locked cell behind an exercise
# The kind of output in a graded notebook that holds an exercise's status and mistakes.
RESULT = "application/vnd.transformer-course.grade+json"
CONFIGURATION = "nbgrader_config.py"
CONTENT = '''\
"""nbgrader's settings for this class. The course wrote this file once, and leaves it as it is when you change it."""

from course_lib.classroom.autograding import configure

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "transformer-course"
configure(c)
'''


@dataclass(frozen=True)
class Assignment:
    """A notebook of the course as an assignment: its name, the course's notebook, and the exercises in it."""

    name: str
    original: Notebook
    exercises: tuple[Exercise, ...]


def find_assignment(given: str) -> Assignment:
    """The assignment that is meant by a notebook's name, such as `01_attention`, or by its number.

    Raises ClassError if there is no such notebook, or none of its cells asks an exercise.
    """
    names = notebook_names()
    name = making.name_of(given, names)
    if name is None:
        raise ClassError(f"There is no notebook `{given}`: choose among {', '.join(names)}.")
    found = making.look_at(places.notebooks_folder() / f"{name}.ipynb")
    original = found.notebook
    if original is None:
        raise ClassError(f"The notebook {name} of the course cannot be used, because {found.problem}.")
    asked = [exercise_of(cell) for cell in original.cells]
    exercises = tuple(each for each in all_exercises() if each.name in asked)
    if not exercises:
        raise ClassError(f"The notebook {name} asks no exercise: choose another one.")
    return Assignment(name, original, exercises)


def notebook_names() -> list[str]:
    """The names of the course's notebooks."""
    return sorted(file.stem for file in places.notebooks_folder().glob("*.ipynb"))


def points(exercise: Exercise) -> int:
    """The points of an exercise: one for every five minutes, at least one."""
    return max(1, round(exercise.minutes / MINUTES_FOR_A_POINT))


def source_notebook(assignment: Assignment) -> Notebook:
    """The assignment as nbgrader's source: the course's notebook as learners get it, with the marks of nbgrader."""
    made = assignment.original.for_learners()
    mark_cells(made, assignment)
    return made


def mark_cells(notebook: Notebook, assignment: Assignment) -> None:
    """Mark the cells of exercises as answers, and put the locked cell behind each, as nbgrader wants them.

    Whatever marks and locked cells are there already are replaced, so that it does not matter what a student did to
    them. Where the cell of an exercise is missing, its locked cell is put at the end.
    """
    cells = [cell for cell in notebook.cells if not _is_locked(cell, assignment)]
    for cell in cells:
        if isinstance(cell.get("metadata"), dict):
            former = cell["metadata"].pop("nbgrader", None)
            cell["metadata"].pop("deletable", None)
            cell["metadata"].pop("editable", None)
        else:
            cell["metadata"], former = {}, None
        cell["former"] = str(former.get("grade_id", "")) if isinstance(former, dict) else ""
    for exercise in assignment.exercises:
        position = _position(cells, exercise.name)
        if position is None:
            cells.append(_locked_cell(exercise))
            continue
        cells[position]["metadata"]["nbgrader"] = _mark(exercise.name, solution=True)
        cells.insert(position + 1, _locked_cell(exercise))
    has_ids = notebook.json.get("nbformat_minor", 0) >= 5
    for cell in cells:
        cell.pop("former", None)
        if not has_ids:
            cell.pop("id", None)
    notebook.json["cells"] = cells


def _position(cells: list[Cell], name: str) -> int | None:
    """Where the answer to an exercise is: the last cell that answers it, or else the last that could."""
    found = [i for i, cell in enumerate(cells) if cell["cell_type"] == "code" and _is_of(cell, name)]
    answered = [i for i in found if not is_stub(cells[i])]
    candidates = answered or found
    return candidates[-1] if candidates else None


def _is_of(cell: Cell, name: str) -> bool:
    return name in (exercise_of(cell), cell.get("former"))


def _is_locked(cell: Cell, assignment: Assignment) -> bool:
    """Whether this is a locked cell behind an exercise, from this course."""
    mark = cell["metadata"].get("nbgrader") if isinstance(cell.get("metadata"), dict) else None
    name = str(mark.get("grade_id", "")) if isinstance(mark, dict) else ""
    return name in {each.name + SUFFIX for each in assignment.exercises}


def _locked_cell(exercise: Exercise) -> Cell:
    count = points(exercise)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"check-{exercise.name}"[:64].replace("_", "-"),
        "metadata": {
            "deletable": False,
            "editable": False,
            "nbgrader": _mark(exercise.name + SUFFIX, grade=True, locked=True, points=count),
        },
        "outputs": [],
        "source": f"# {count} {'point' if count == 1 else 'points'}, given by the course's check of {exercise.name}. "
        "Leave this cell as it is.",
    }


def _mark(name: str, *, solution: bool = False, grade: bool = False, locked: bool = False, **more: Any) -> Cell:
    return {
        "grade": grade,
        "grade_id": name,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **more,
    }


def write(file: Path, content: bytes) -> None:
    """Write a file of the class atomically. Raises ClassError if that is not possible; nothing is changed then."""
    try:
        write_atomically(file, content)
    except OSError as error:
        raise ClassError(
            f"{file.name} was not written, because {why_not_written(error, file.parent.name)}: free some space or "
            "correct the permissions, then run the same command again."
        ) from error


def prepare(grading: Path) -> None:
    """Make the folder in which nbgrader works, and write its settings unless they are there.

    Raises ClassError if that is not possible.
    """
    try:
        grading.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ClassError(
            f"The folder {grading} cannot be made, because {why_not_written(error, grading.name)}: choose another one "
            "with --folder."
        ) from error
    if not (grading / CONFIGURATION).exists():
        write(grading / CONFIGURATION, CONTENT.encode())


def read_notebook(content: bytes) -> Notebook:
    """Read what a student handed in. Raises ValueError, with the second half of a sentence, if it is no notebook."""
    notebook = Notebook(content)
    for cell in notebook.cells:
        if cell["cell_type"] not in ("code", "markdown", "raw"):
            raise ValueError("one of its cells is of no known kind")
    return notebook


def released(grading: Path, name: str) -> bool:
    """Whether an assignment has been made in this folder."""
    return (grading / "release" / name / f"{name}.ipynb").is_file()


def json_of(value: Any) -> bytes:
    """JSON for a file of the class."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8", errors="replace")
