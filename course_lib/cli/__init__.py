"""The commands of `course.py`, one module each.

`course.py` parses the command line with this package, makes sure that `.venv` has what the command needs, and starts
`python -m course_lib.cli` in there, which runs it. To add a command, write its module and name it in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn, Protocol

from course_lib.cli import bundle, classroom, data, doctor, experiment, lab, progress, refresh, reset, test
from course_lib.cli.common import CommandError, shell_command
from course_lib.text.wording import capitalized


class Command(Protocol):
    """What the module of a command has.

    Its docstring is its help; the first line also appears in the list of commands, where it has room for 62 letters.
    The module is imported before anything is installed, so at its top it imports only the standard library, its
    neighbours here, and modules that do the same.
    """

    __doc__: str | None

    @property
    def EXTRAS(self) -> tuple[str, ...]:
        """The optional dependencies of pyproject.toml that the command needs."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what may follow the command's name."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the command and return its exit status.

        Raises:
            CommandError: The command cannot do what the arguments ask for.
        """


COMMANDS: dict[str, Command] = {
    "lab": lab,
    "test": test,
    "doctor": doctor,
    "data": data,
    "progress": progress,
    "refresh": refresh,
    "reset": reset,
    "experiment": experiment,
    "class": classroom,
    "bundle": bundle,
}


class _Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong with a command line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"✗ {capitalized(message)} (`{self.prog} --help` shows what is possible).\n")


class _Help(argparse.HelpFormatter):
    """Help whose list of commands has room for the longest name on the line of its description.

    argparse forgets that the names of commands are indented twice, and gives the longest one a line of its own.
    """

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        longest = max(map(len, COMMANDS)) + 4
        self._action_max_length = max(self._action_max_length, longest)


def _help_of(command: Command) -> str:
    """The docstring of a command's module, also where Python was told to leave out docstrings (-OO)."""
    if command.__doc__ is None and isinstance(command, ModuleType) and command.__file__:
        return ast.get_docstring(ast.parse(Path(command.__file__).read_text(encoding="utf-8"))) or ""
    return command.__doc__ or ""


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line. If it asks for help, has no command or is wrong, print that and end the program.

    Returns:
        The name of the command as `command`, its arguments, and as `extras` the optional dependencies that it needs.

    Raises:
        SystemExit: The status is 0 after help, 2 after a wrong command line.
    """
    parser = _Parser(
        prog=shell_command(),
        description="Build the Transformer, part by part.",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, command in COMMANDS.items():
        description = _help_of(command)
        command_parser = commands.add_parser(
            name,
            help=description.partition("\n")[0],
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command_parser.set_defaults(extras=command.EXTRAS)  # An action of a command may need fewer.
        command.add_arguments(command_parser)
    if not words or words[0] == "help":
        return parser.parse_args(["--help"])
    if words[0] not in COMMANDS and not words[0].startswith("-"):
        parser.exit(2, f"✗ There is no command `{words[0]}`: choose among {', '.join(COMMANDS)}.\n")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run the command that these words name, and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # The encoding of a pipe on Windows may lack ✓.
    try:
        arguments = parse(words)
        status = COMMANDS[arguments.command].run(arguments)
    except CommandError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped: run the same command again to continue.", file=sys.stderr)
        return 130
    if sys.stdout is not None:
        sys.stdout.flush()
    return status
