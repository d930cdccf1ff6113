"""Start again with all parts, or parts and notebooks by name.

What you wrote is moved aside, never deleted.
"""

import argparse

from course_lib.cli.common import CommandError, shell_command

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take names of parts and notebooks."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a part, such as softmax, or a notebook, such as 01_attention; all parts without a name",
    )


def run(arguments: argparse.Namespace) -> int:
    """Move what is named aside, and say where it is now."""
    from course_lib import yours
    from course_lib.copies import making
    from course_lib.exercises.keeping import store

    meant = {given: making.name_of(given, making.originals()) for given in arguments.names}
    parts = [given for given, notebook in meant.items() if notebook is None]
    try:
        if parts or not meant:
            print(repr(yours.move_aside(*parts)))
        for name in dict.fromkeys(filter(None, meant.values())):
            print(making.start_again(name))
    except ValueError as error:
        raise CommandError(str(error)) from error
    except store.FolderError as error:
        raise CommandError(f"Not everything was moved aside, because {error}.") from error
    if not arguments.names:
        print(
            f"Your notebooks keep your answers; `{shell_command('reset', '01_attention')}` gives you a new copy of one."
        )
    return 0
