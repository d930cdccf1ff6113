"""Download all data sets, or those that you name, or --list them.

Each is downloaded once. The notebooks then need no network.
"""

import argparse

from course_lib.cli.common import CommandError

EXTRAS = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take names of data sets, and a choice to list them only."""
    parser.add_argument("--list", action="store_true", help="list the data sets, and download none")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a data set; all of them without a name")


def run(arguments: argparse.Namespace) -> int:
    """List or download data sets. One that cannot be had does not keep the next from being downloaded."""
    from course_lib import data

    unknown = [name for name in arguments.names if name not in data.SETS]
    if unknown:
        raise CommandError(f"There is no data set `{unknown[0]}`: choose among {', '.join(data.SETS)}.")
    names = arguments.names or list(data.SETS)
    if arguments.list:
        for name in names:
            print(_describe(name))
        return 0
    status = 0
    for name in names:
        try:
            print(f"✓ {name} is in {data.fetch(name)}.", flush=True)
        except data.DataError as error:
            print(f"✗ {error}", flush=True)
            status = 1
    return status


def _describe(name: str) -> str:
    """Describe a data set in four lines: what it is, how large and whether it is here, its licence, its source."""
    from course_lib import data

    about = data.SETS[name]
    state = "downloaded" if data.present(name) else "not downloaded yet"
    return (
        f"{name}: {about.description}\n"
        f"  {about.size_bytes / 1e6:.1f} MB, {state}\n"
        f"  licence: {about.licence}\n"
        f"  source: {about.source}"
    )
