"""The commands of `course.py`, one module each.

`course.py` parses the command line with this package, makes sure that `.venv` has what the command needs, and starts
`python -m course_lib.cli` in there, which runs it. To add a command, write its module and name it in `COMMANDS`.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol

from course_lib.cli import data, doctor, lab, progress, reset, test
from course_lib.cli.common import CommandError, shell_command


class Command(Protocol):
    """What the module of a command has.

    Its docstring is its help; the first line also appears in the list of commands, where it has room for 64 letters.
    The module is imported before anything is installed, so at its top it imports only the standard library and its
    neighbours here.
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
    "reset": reset,
}


class _Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong with a command line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"✗ {message[0].upper()}{message[1:]} (`{self.prog} --help` shows what is possible).\n")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line. If it asks for help, has no command or is wrong, print that and end the program.

    Returns:
        The name of the command as `command`, and its arguments.

    Raises:
        SystemExit: The status is 0 after help, 2 after a wrong command line.
    """
    parser = _Parser(prog=shell_command(), description="Build the Transformer, part by part.", allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name, command in COMMANDS.items():
        description = command.__doc__ or ""
        command_parser = commands.add_parser(
            name,
            help=description.partition("\n")[0],
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(command_parser)
    if not words or words[0] == "help":
        return parser.parse_args(["--help"])
    if words[0] not in COMMANDS and not words[0].startswith("-"):
        parser.exit(2, f"✗ There is no command `{words[0]}`: choose among {', '.join(COMMANDS)}.\n")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Run the command that these words name, and return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # The encoding of a pipe on Windows may lack ✓.
    arguments = parse(words)
    try:
        status = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
    except CommandError as error:
        print(f"✗ {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped: run the same command again to continue.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would write the rest when it ends, and complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
