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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action, and what it needs."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    start = actions.add_parser("start", help="make or change the class, and start its hub", allow_abbrev=False)
    start.add_argument("--students", type=Path, metavar="FILE", help="the list of students, one user name per line")
    start.add_argument("--teacher", metavar="NAME", help="the teacher's user name (teacher)")
    start.add_argument("--port", type=int, metavar="N", help="the port of the hub (8000)")
    _add_folder(start)


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


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"start": _start}
