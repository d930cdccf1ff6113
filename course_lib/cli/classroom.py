"""Start a class on this server: a hub, the students' work.

`class start --students FILE` makes the class in the folder my_class and starts JupyterHub for it, with an account for
the teacher and one for each name in the file. Ctrl-C stops the hub; the same command starts it again.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from course_lib.cli.common import CommandError

EXTRAS = ("class",)
FOLDER = "my_class"
PAGES = "my_class_pages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action, and what it needs."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    start = actions.add_parser("start", help="make or change the class, and start its hub", allow_abbrev=False)
    start.add_argument("--students", type=Path, metavar="FILE", help="the list of students, one user name per line")
    start.add_argument("--teacher", metavar="NAME", help="the teacher's user name (teacher)")
    start.add_argument("--port", type=int, metavar="N", help="the port of the hub (8000)")
    _add_folder(start)
    _add_notes(actions)


def _add_notes(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Let notes and sheets be made for some lessons or all."""
    notes = actions.add_parser("notes", help="make the teacher's notes and the sheets to print", allow_abbrev=False)
    notes.add_argument("lessons", nargs="*", metavar="LESSON", help="lessons by number, such as 03; without any, all")
    notes.add_argument("--out", default=PAGES, metavar="FOLDER", help=f"where the pages are written ({PAGES})")


def _add_folder(parser: argparse.ArgumentParser) -> None:
    """Let an action take the folder of the class."""
    parser.add_argument("--folder", default=FOLDER, metavar="FOLDER", help=f"the folder of the class ({FOLDER})")


def run(arguments: argparse.Namespace) -> int:
    """Run the action."""
    from course_lib.classroom.room import ClassError

    try:
        return ACTIONS[arguments.action](arguments)
    except ClassError as error:
        raise CommandError(str(error)) from error


def _start(arguments: argparse.Namespace) -> int:
    """Make or change the class, and run its hub until it is stopped."""
    raise CommandError("The hub cannot be started yet: it is being written.")


def _notes(arguments: argparse.Namespace) -> int:
    """Write the notes and the sheet of each lesson that was named."""
    from course_lib.classroom.lesson import UnknownLesson, all_lessons, find_lesson
    from course_lib.classroom.pages import write_pages
    from course_lib.data.folders import why_not_written
    from course_lib.data.places import place

    folder = place(arguments.out)
    try:
        lessons = [find_lesson(word) for word in arguments.lessons] or all_lessons()
        for lesson in lessons:
            print(
                f"{lesson.number:02d} · {lesson.title}: {', '.join(file.name for file in write_pages(lesson, folder))}"
            )
    except UnknownLesson as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        reason = why_not_written(error, str(folder))
        raise CommandError(f"The pages cannot be written, because {reason}: name another folder with --out.") from error
    print(f"They are in {folder}: open a sheet in a browser and print it on both sides.")
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"start": _start, "notes": _notes}
