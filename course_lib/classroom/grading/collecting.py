"""Collect what students hand in: their copies of a notebook, from their home folders or from any other folder.

A copy is taken as it is. It needs no marks of nbgrader, which are put on it when it is graded. A version that was
collected before is kept in `former/` beside the new one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from course_lib.classroom.grading import assignments
from course_lib.classroom.grading.student_files import LARGEST, read_of_student
from course_lib.classroom.room import NAME, ClassError, Room
from course_lib.data import folders


@dataclass(frozen=True)
class Collected:
    """What was collected: whose copies, and sentences about those that could not be."""

    students: tuple[str, ...]
    problems: tuple[str, ...]


def collect_from_homes(room: Room, name: str) -> Collected:
    """Collect an assignment from the home folders of a class. Raises ClassError if the disk refuses it."""
    return _collect(room.grading, name, _in_homes(room, name))


def collect_from(folder: Path, grading: Path, name: str, room: Room | None) -> Collected:
    """Collect an assignment from a folder that holds `STUDENT.ipynb` or `STUDENT/NAME.ipynb` for each student.

    Args:
        folder: where the copies are.
        grading: where the class is graded.
        name: the assignment.
        room: the class; None if there is none, so that every name is accepted.

    Raises ClassError if there is no such folder, or the disk refuses something.
    """
    if not folder.is_dir():
        raise ClassError(f"There is no folder {folder}: correct --from.")
    return _collect(grading, name, _in_folder(folder, name, room))


# A student's name, and the content of the copy, or a sentence about why there is none.
_Found = tuple[str, bytes | str]


def _in_homes(room: Room, name: str) -> Iterator[_Found]:
    for student in room.students:
        try:
            content = read_of_student(room.home(student), "my_course", f"{name}.ipynb")
        except (ClassError, OSError) as error:
            yield student, f"The copy of {student} was not collected: {error}"
            continue
        yield student, f"{student} has no copy of {name}." if content is None else content


def _in_folder(folder: Path, name: str, room: Room | None) -> Iterator[_Found]:
    for entry in sorted(folder.iterdir()):
        file = entry / f"{name}.ipynb" if entry.is_dir() else entry
        student = entry.stem if entry.is_file() else entry.name
        if file.suffix != ".ipynb" or entry.name.startswith("."):
            continue
        shown = file.relative_to(folder)
        if not NAME.fullmatch(student):
            yield student, f"{shown} was not collected: give it a student's name of a to z, 0 to 9, - and _."
        elif room is not None and student not in room.students:
            yield (
                student,
                f"{shown} was not collected, because there is no `{student}` in this class: correct the name.",
            )
        elif not file.is_file():
            yield student, f"{student} has no copy of {name}."
        elif file.stat().st_size > LARGEST:
            yield student, f"{shown} was not collected: it is larger than {LARGEST // 1_000_000} MB."
        else:
            try:
                yield student, file.read_bytes()
            except OSError as error:
                yield student, f"{shown} was not collected: it cannot be read ({error.strerror})."


def _collect(grading: Path, name: str, found: Iterator[_Found]) -> Collected:
    students, problems = [], []
    for student, content in found:
        if isinstance(content, str):
            problems.append(content)
            continue
        file = grading / "submitted" / student / name / f"{name}.ipynb"
        try:
            if file.is_file() and (former := file.read_bytes()) != content:
                folders.keep(file, former)
        except OSError as error:
            raise ClassError(
                f"The former copy of {student} cannot be kept, because {folders.why_not_written(error, file.name)}: "
                "nothing was replaced; free some space, then run the same command again."
            ) from error
        assignments.write(file, content)
        students.append(student)
    return Collected(tuple(students), tuple(problems))
