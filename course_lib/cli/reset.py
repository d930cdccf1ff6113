"""Start again with all parts, or with those that you name.

What you wrote is moved aside, never deleted.
"""

import argparse

from course_lib.cli.common import CommandError

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take names of parts."""
    parser.add_argument("names", nargs="*", metavar="PART", help="a part, such as softmax; all of them without a name")


def run(arguments: argparse.Namespace) -> int:
    """Move the named parts aside, each once, and say where they are now."""
    from course_lib import yours

    try:
        print(repr(yours.reset(*dict.fromkeys(arguments.names))))
    except ValueError as error:
        raise CommandError(str(error)) from error
    return 0
