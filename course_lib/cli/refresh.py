"""Bring your answers into the newest versions of your notebooks.

Without a name, this does so for each notebook of which an update of the course brought a newer version. Your earlier
copies are kept in my_course/former.
"""

import argparse

from course_lib.cli.common import CommandError

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take names of notebooks."""
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help="a notebook, such as 01_attention or 01")


def run(arguments: argparse.Namespace) -> int:
    """Refresh the copies, and say what was done."""
    from course_lib.copies.refreshing import refresh
    from course_lib.data.folders import FolderError

    try:
        print(*refresh(arguments.names), sep="\n")
    except ValueError as error:
        raise CommandError(str(error)) from error
    except FolderError as error:
        raise CommandError(f"Your notebooks stay as they are, because {error}.") from error
    return 0
