"""Run a class: its hub, its assignments, its grades.

`class start --students FILE` makes the class in the folder my_class and starts JupyterHub for it, with an account for
the teacher and one for each name in the file. Ctrl-C stops the hub; the same command starts it again.

`class assign NOTEBOOK` makes an assignment, `class collect` and `class grade` collect and grade what students wrote,
with or without a hub. `class feedback` gives each student on the hub a page about it. `class grades` exports the
results, and `class overview` shows where the class is.

`class notes` needs no server: it writes notes for the teacher of a lesson, and a sheet to print for the learners.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_lib.cli import class_grading
from course_lib.cli.class_notes import add_notes, make_notes
from course_lib.cli.common import CommandError

EXTRAS = ("class",)
FOLDER = "my_class"
LOGINS = ("passwords", "shared", "pam", "oauth")
SPAWNERS = ("simple", "systemd", "docker")
SMALLEST_MEMORY = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an action, and what it needs."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    start = actions.add_parser("start", help="make or change the class, and start its hub", allow_abbrev=False)
    start.add_argument("--students", type=Path, metavar="FILE", help="the list of students, one user name per line")
    start.add_argument("--teacher", metavar="NAME", help="the teacher's user name (teacher)")
    start.add_argument("--port", type=int, metavar="N", help="the port of the hub (8000)")
    start.add_argument("--ip", metavar="ADDRESS", help="the address at which it can be reached (all of this computer)")
    start.add_argument("--login", choices=LOGINS, help="who is let in: a password each, one for all, pam, or oauth")
    start.add_argument("--password", help="the students' password with --login shared")
    start.add_argument("--spawner", choices=SPAWNERS, help="how servers run: simple (default), systemd or docker")
    start.add_argument("--memory", type=float, metavar="GB", help="the memory of each member (2)")
    start.add_argument("--certificate", type=Path, metavar="FILE", help="the certificate for https")
    start.add_argument("--key", type=Path, metavar="FILE", help="the key of the certificate")
    start.add_argument("--one-account", action="store_true", help="accept that all servers run as your own account")
    _add_folder(start)
    class_grading.add_actions(actions, _add_folder)
    add_notes(actions)


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
    from course_lib.classroom import hub
    from course_lib.classroom.students import read_students

    students = None if arguments.students is None else read_students(arguments.students)
    os.umask(0o077)  # Secrets are in some of the files. What students read is opened for them one by one.
    room = hub.make_room(arguments.folder, students, arguments.teacher, _settings(arguments))
    with hub.only_hub(room):
        for sentence in hub.prepare(room):
            print(sentence, flush=True)
        return hub.serve(room)


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given, as the class keeps them.

    Raises CommandError if they do not go together.
    """
    if (arguments.certificate is None) != (arguments.key is None):
        raise CommandError("--certificate and --key go together: give both.")
    for file in (arguments.certificate, arguments.key):
        if file is not None and not file.is_file():
            raise CommandError(f"There is no file {file}: correct --certificate and --key.")
    if arguments.login == "shared" and not arguments.password:
        raise CommandError("--login shared needs the students' password: give it with --password.")
    if arguments.memory is not None and arguments.memory < SMALLEST_MEMORY:
        raise CommandError(f"--memory should be {SMALLEST_MEMORY} or more, but is {arguments.memory:g}.")
    given = {
        "port": arguments.port,
        "ip": arguments.ip,
        "login": arguments.login,
        "password": arguments.password,
        "spawner": arguments.spawner,
        "memory": arguments.memory and int(arguments.memory * 1e9),
        "certificate": arguments.certificate and str(arguments.certificate.resolve()),
        "key": arguments.key and str(arguments.key.resolve()),
        "one_account": arguments.one_account or None,
    }
    return {name: value for name, value in given.items() if value is not None}


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "start": _start,
    "notes": make_notes,
    **class_grading.ACTIONS,
}
