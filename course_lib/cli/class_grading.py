"""The actions of `class` that give out assignments, collect and grade them, give feedback, and show the class."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_lib.cli.common import CommandError, shell_command

if TYPE_CHECKING:
    from course_lib.classroom.autograding import Desk
    from course_lib.classroom.room import Room


def add_actions(actions: Any, add_folder: Callable[[argparse.ArgumentParser], None]) -> None:
    """Declare the actions."""
    assign = actions.add_parser("assign", help="make an assignment of a notebook", allow_abbrev=False)
    collect = actions.add_parser("collect", help="collect the students' copies of a notebook", allow_abbrev=False)
    collect.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="a folder with STUDENT.ipynb or STUDENT/NOTEBOOK.ipynb, in place of the students' home folders",
    )
    grade = actions.add_parser("grade", help="grade what was collected, and write the feedback", allow_abbrev=False)
    grade.add_argument("--student", action="append", metavar="NAME", help="grade only this student's; may be repeated")
    feedback = actions.add_parser("feedback", help="give each student their feedback on the hub", allow_abbrev=False)
    for action in (assign, collect, grade, feedback):
        action.add_argument("notebook", metavar="NOTEBOOK", help="a notebook, such as 01_attention")
    grades = actions.add_parser("grades", help="write points and progress to a table", allow_abbrev=False)
    grades.add_argument("--csv", type=Path, metavar="FILE", help="the file to write; without it, the table is printed")
    overview = actions.add_parser("overview", help="show where the class is, on a page", allow_abbrev=False)
    overview.add_argument("--without-names", action="store_true", help="show how many students, and not which")
    overview.add_argument("--once", action="store_true", help="write the page once, and end")
    for action in (assign, collect, grade, feedback, grades, overview):
        add_folder(action)


def _room(folder: str) -> "tuple[Path, Room | None]":
    """Where a class is graded, and the class; None for a class without a hub."""
    from course_lib.classroom.room import SETTINGS, open_room
    from course_lib.data.places import place

    if (place(folder) / SETTINGS).exists():
        room = open_room(folder)
        return room.grading, room
    return place(folder) / "grading", None


def _desk(grading: Path) -> "Desk":
    try:
        from course_lib.classroom.autograding import Desk
    except ImportError as error:
        raise CommandError(
            f"Grading needs nbgrader, and {error.name} is missing: install the extra `class`, for example with "
            "`pip install --editable .[class]` in the folder of the course."
        ) from error
    return Desk(grading)


def _assign(arguments: argparse.Namespace) -> int:
    """Make an assignment, and say where it is and how many points it has."""
    from course_lib.classroom.grading.assignments import points

    grading, _ = _room(arguments.folder)
    assignment = _desk(grading).assign(arguments.notebook)
    total = sum(map(points, assignment.exercises))
    print(f"✓ {assignment.name} is an assignment: {len(assignment.exercises)} exercises, {total} points.")
    print(f"  For students who do not work on the hub: {grading / 'release' / assignment.name}")
    return 0


def _collect(arguments: argparse.Namespace) -> int:
    """Collect copies, and say whose there are and whose not."""
    from course_lib.classroom.grading import collecting
    from course_lib.classroom.grading.assignments import find_assignment

    grading, room = _room(arguments.folder)
    name = find_assignment(arguments.notebook).name
    if arguments.source is not None:
        collected = collecting.collect_from(arguments.source, grading, name, room)
    elif room is not None:
        collected = collecting.collect_from_homes(room, name)
    else:
        raise CommandError("There is no hub whose home folders hold the copies: name a folder with --from FOLDER.")
    for sentence in collected.problems:
        print(f"✗ {sentence}")
    print(f"✓ Collected {name} of {_count(len(collected.students), 'student')}.")
    return 1 if collected.problems else 0


def _grade(arguments: argparse.Namespace) -> int:
    """Grade, and print a line for each student."""
    grading, room = _room(arguments.folder)
    for student in arguments.student or ():
        if room is not None:
            room.require(student)
    failed = False
    for each in _desk(grading).grade(arguments.notebook, arguments.student):
        failed = failed or bool(each.problem)
        if each.score is not None:
            print(f"✓ {each.student}: {each.score:g} of {each.most:g} points", flush=True)
        if each.problem:
            print(f"✗ {each.problem}", flush=True)
    print(f"  The feedback is in {grading / 'feedback'}.")
    if room is not None:
        print(f"  Students get it with `{shell_command('class', 'feedback', arguments.notebook)}`.")
    return 1 if failed else 0


def _feedback(arguments: argparse.Namespace) -> int:
    """Put the pages into the home folders, and say whose got one and whose not."""
    from course_lib.classroom.grading.assignments import find_assignment
    from course_lib.classroom.grading.returning import FOLDER, return_feedback

    grading, room = _room(arguments.folder)
    name = find_assignment(arguments.notebook).name
    if room is None:
        raise CommandError(f"There is no hub with home folders: the pages to hand out are in {grading / 'feedback'}.")
    returned = return_feedback(room, name)
    for sentence in returned.problems:
        print(f"✗ {sentence}")
    print(f"✓ {_count(len(returned.students), 'student')} can open {'/'.join(FOLDER)}/{name}.html.")
    return 1 if returned.problems else 0


def _grades(arguments: argparse.Namespace) -> int:
    """Write the table of grades, or print it."""
    grading, room = _room(arguments.folder)
    _desk(grading)
    from course_lib.classroom.grading import grades
    from course_lib.classroom.grading.assignments import write

    table = grades.as_csv(grading, room)
    if arguments.csv is None:
        print(table, end="")
        return 0
    write(arguments.csv, table.encode())
    print(f"✓ {arguments.csv} has {_count(table.count(chr(10)) - 1, 'row')}.")
    return 0


def _overview(arguments: argparse.Namespace) -> int:
    """Write the page of the class, again and again until it is stopped."""
    from course_lib.classroom.grading import overview
    from course_lib.classroom.grading.assignments import write
    from course_lib.classroom.grading.progress import standings
    from course_lib.classroom.room import ClassError

    grading, room = _room(arguments.folder)
    if room is None and not grading.is_dir():
        raise ClassError(
            f"There is no class in {grading.parent}: name its folder with --folder, or collect an assignment first."
        )
    file = grading / "overview.html"
    is_first = True
    while True:
        content = overview.page(standings(grading, room), with_names=not arguments.without_names)
        write(file, content.encode())
        if is_first:
            print(f"✓ The page is {file}: open it in a browser.", flush=True)
            if arguments.once:
                return 0
            print(f"  It is written again every {overview.SECONDS} seconds. Ctrl-C stops that.", flush=True)
        is_first = False
        try:
            time.sleep(overview.SECONDS)
        except KeyboardInterrupt:
            print(f"Stopped: the page stays as it is; `{shell_command('class', 'overview')}` goes on.")
            return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "assign": _assign,
    "collect": _collect,
    "grade": _grade,
    "feedback": _feedback,
    "grades": _grades,
    "overview": _overview,
}
