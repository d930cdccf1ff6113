"""How far the students of a class are: what is in their folders, and what grading has found. Nothing is changed.

Everything in a student's folder was written by the student. So only names of files that are names of exercises count,
and sentences that are those of known mistakes.
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_lib.classroom.grading.assignments import RESULT, notebook_names
from course_lib.classroom.grading.grader import known_mistakes
from course_lib.classroom.grading.student_files import read_of_student
from course_lib.classroom.room import ClassError, Room
from course_lib.copies.notebook import Notebook
from course_lib.exercises.catalogue import all_exercises
from course_lib.exercises.exercise import Exercise

STATUSES = ("right", "wrong", "refused", "not answered", "missing")


@dataclass
class Standing:
    """Where a student stands.

    Attributes:
        student: the name.
        saved: the exercises whose parts are saved in the student's folder.
        tried: those that the last report in a copy of a notebook calls wrong.
        statuses: what grading has found, by exercise.
        mistakes: the known mistakes, by exercise: from grading, and from the reports in the copies.
        last_saved: when a part was saved last, in seconds since 1970; 0 if never.
    """

    student: str
    saved: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    statuses: dict[str, str] = field(default_factory=dict)
    mistakes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    last_saved: float = 0.0

    @property
    def right(self) -> set[str]:
        """The exercises that are right, by grading or because the part is saved."""
        return self.saved | {name for name, status in self.statuses.items() if status == "right"}

    @property
    def stopped_at(self) -> set[str]:
        """The exercises that were tried and are not right."""
        wrong = {name for name, status in self.statuses.items() if status in ("wrong", "refused")}
        return (self.tried | wrong) - self.right

    @property
    def furthest(self) -> Exercise | None:
        """The last exercise, in the course's order, that is right or was tried; None before the first."""
        reached = self.right | self.stopped_at
        return next((each for each in reversed(all_exercises()) if each.name in reached), None)


def standings(grading: Path, room: Room | None) -> list[Standing]:
    """Where each student stands, in the order of the class, or else of the names of those who handed something in."""
    graded = _students_of(grading)
    names = list(dict.fromkeys([*(room.students if room else ()), *graded]))
    return [_standing(name, grading, room) for name in names]


def _students_of(grading: Path) -> list[str]:
    return sorted({folder.name for part in ("submitted", "autograded") for folder in (grading / part).glob("[!.]*")})


def _standing(student: str, grading: Path, room: Room | None) -> Standing:
    standing = Standing(student)
    if room is not None and student in room.students:
        _look_into_home(room.home(student), standing)
    for file in sorted((grading / "autograded" / student).glob("[!.]*/*.ipynb")):
        with suppress(OSError, ValueError):
            for name, (status, mistakes) in results(Notebook(file.read_bytes())).items():
                standing.statuses[name] = status
                standing.mistakes[name] = mistakes
    return standing


def results(graded: Notebook) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The status of each exercise in a graded notebook, and the known mistakes in it."""
    found = {}
    for cell in graded.cells:
        for output in cell.get("outputs") or ():
            result = output.get("data", {}).get(RESULT)
            if isinstance(result, dict) and result.get("status") in STATUSES:
                found[str(result["exercise"])] = (str(result["status"]), tuple(map(str, result.get("mistakes", ()))))
    return found


def _look_into_home(home: Path, standing: Standing) -> None:
    """Add what is in a student's home folder: saved parts, and the last reports in the copies of notebooks."""
    for name, saved_at in _saved_parts(home).items():
        standing.saved.add(name)
        standing.last_saved = max(standing.last_saved, saved_at)
    for name in notebook_names():
        with suppress(ClassError, OSError, ValueError):
            content = read_of_student(home, "my_course", f"{name}.ipynb")
            if content is not None:
                _read_reports(Notebook(content), standing)


def _saved_parts(home: Path) -> dict[str, float]:
    """The exercises whose parts are files in a home folder, and when they were written. No link is followed."""
    names = {f"{each.name}.py": each.name for each in all_exercises()}
    found: dict[str, float] = {}
    opened: list[int] = []
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0)
    try:
        opened.append(os.open(home, flags))
        for folder in ("my_course", "my_transformer"):
            opened.append(os.open(folder, flags, dir_fd=opened[-1]))
        for file in os.listdir(opened[-1]):  # noqa: PTH208  # the folder is known by a number
            if file in names:
                status = os.stat(file, dir_fd=opened[-1], follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found[names[file]] = status.st_mtime
    except OSError:  # there is none yet
        pass
    finally:
        for number in opened:
            os.close(number)
    return found


def _read_reports(notebook: Notebook, standing: Standing) -> None:
    """Add what the last reports in a copy say: an exercise that is not right yet, and the known mistakes in it."""
    for cell in notebook.cells:
        for text in _texts(cell.get("outputs")):
            for exercise in all_exercises():
                if text.startswith(f"✗ {exercise.name}: not yet"):
                    standing.tried.add(exercise.name)
                    standing.mistakes[exercise.name] = known_mistakes(exercise, text)


def _texts(outputs: Any) -> Iterable[str]:
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        text = data.get("text/plain") if isinstance(data, dict) else None
        if isinstance(text, (str, list)):
            yield "".join(map(str, text))
